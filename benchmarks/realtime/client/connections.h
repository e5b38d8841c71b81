/* The WebSockets and the control connection, and what is counted of what they bring. */
/* The control connection: what is to be published, one line each. */

static void control_flush(void) {
    while (control_len) {
        ssize_t sent = send(control_fd, control_out, control_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) return;
            die("the control connection broke: %s", strerror(errno));
        }
        memmove(control_out, control_out + sent, control_len - sent);
        control_len -= sent;
    }
}

/* kind "e" or "s", room, first number, how many, when due */
static void publish(char kind, int room, u64 count, u64 due) {
    u64 *number = kind == 'e' ? &rooms[room].published_n : &rooms[room].published_m;
    if (control_len > sizeof control_out - 128) die("the server does not read what it is to publish");
    control_len += snprintf(control_out + control_len, 128, "%c %d %llu %llu %llu\n", kind, room, (unsigned long long)*number + 1,
                            (unsigned long long)count, (unsigned long long)due);
    for (u64 i = 1; i <= count && is_closed_loop; i++) rooms[room].done[(*number + i) % RING] = 0;
    *number += count;
}

static void control_open(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(cfg.control_port)};
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    control_fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(control_fd, (struct sockaddr *)&address, sizeof address)) die("no control connection: %s", strerror(errno));
    setsockopt(control_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* WebSockets */

static void send_text(Conn *c, const char *text, int opcode) {
    unsigned char frame[2048];
    size_t size = strlen(text), head;
    if (size > 1900) die("a frame of the client is too long");
    frame[0] = 0x80 | opcode;
    if (size < 126) {
        frame[1] = 0x80 | size, head = 2;
    } else {
        frame[1] = 0x80 | 126, frame[2] = size >> 8, frame[3] = size & 255, head = 4;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, text, size);
    size += head + 4;
    send(c->fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void start_connect(Conn *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(cfg.ports[c->port])};
    int yes = 1, small = 64 * 1024;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("no socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (c->is_slow) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        die("cannot connect: %s", strerror(errno));
    c->state = CONNECTING;
    c->left_len = 0;
    c->frames = c->acked = c->ack_due = c->unacked_bytes = 0;
    c->began = now;
    c->retry_at = c->rejoin_at = 0;
    opening++;
    struct epoll_event event = {.events = EPOLLOUT | EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void drop(Conn *c) {
    if (c->state == CLOSED) return;
    if (c->state == READY) ready_count--;
    else opening--;
    close(c->fd);
    c->state = CLOSED;
    c->is_stalled = 0;
}

static void send_handshake(Conn *c) {
    char text[2048], path[256], origin[64] = "";
    if (cfg.has_origin) snprintf(origin, sizeof origin, "Origin: http://127.0.0.1:%d\r\n", cfg.ports[c->port]);
    snprintf(path, sizeof path, cfg.path, c->room);
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s%s\r\n",
                        path, cfg.ports[c->port], origin,
                        *cfg.cookie ? "Cookie: " : "", cfg.cookie, *cfg.cookie ? "\r\n" : "");
    send(c->fd, text, size, MSG_NOSIGNAL);
    c->state = HANDSHAKE;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void become_ready(Conn *c) {
    c->state = READY;
    opening--;
    ready_count++;
    connected++;
    connect_ns += clock_ns() - c->began;
    if (!c->is_counted) {
        /* Nothing is under way while the first connections are made. */
        c->is_counted = 1;
        c->last_n = rooms[c->room].published_n;
        c->last_m = rooms[c->room].published_m;
    }
}

static void send_join(Conn *c) {
    char text[512], room[128], since[128] = "";
    snprintf(room, sizeof room, cfg.join, c->room);
    if (c->epoch[0])
        snprintf(since, sizeof since, ",\"since\":{\"epoch\":\"%s\",\"seq\":%llu}", c->epoch, (unsigned long long)c->seq);
    snprintf(text, sizeof text, "{\"action\":\"join\",\"data\":{\"room\":\"%s\"%s}}", room, since);
    send_text(c, text, 1);
}

static void joined_http(Conn *c) {
    if (cfg.protocol == PLAIN) {
        become_ready(c);
        return;
    }
    c->state = JOINING;
    if (cfg.protocol == OURS) {
        if (cfg.acks) {
            char text[128];
            snprintf(text, sizeof text, "{\"action\":\"hello\",\"data\":{\"protocol\":1,\"acks\":true,\"batch\":%s}}",
                     cfg.batch ? "true" : "false");
            send_text(c, text, 1);
            c->ack_due = clock_ns() + SECOND;
        }
        send_join(c);
    }
}

/* Counting */

static u64 number_after(const char **at, const char *end) {
    const char *p = *at;
    u64 value = 0;
    while (p < end && (*p == ' ' || *p == ':')) p++;
    while (p < end && *p >= '0' && *p <= '9') value = value * 10 + (*p++ - '0');
    *at = p;
    return value;
}

static void completed_one(Room *room, u64 n) {
    if (++room->done[n % RING] == room->members) {
        room->done[n % RING] = 0;
        completed++;
    }
}

/* Count all room messages of a frame, and return where the last one was found. */
static const char *count_messages(Conn *c, const char *p, const char *end, int in_snapshot) {
    Count *count = c->is_slow ? &slow : &fast;
    Room *room = &rooms[c->room];
    const char *last = p;
    while ((p = memmem(p, end - p, "\"t\":", 4))) {
        p += 3;
        u64 due = number_after(&p, end);
        while (p < end && (*p == ',' || *p == ' ' || *p == '"')) p++;
        char kind = p < end ? *p : 0;
        p += 2;
        u64 n = number_after(&p, end);
        last = p;
        if (in_snapshot) {
            if (kind == 'm' && n > c->last_m) c->last_m = n;
            continue;
        }
        count->deliveries++;
        u64 us = now > due ? (now - due) / 1000 : 0;
        count->hist[bucket_of(us)]++;
        if (us > count->slowest) count->slowest = us;
        if (kind == 'm') {
            count->states++;
            if (n > c->last_m) c->last_m = n;
            else count->doubled++;
        } else {
            count->events++;
            if (n <= c->last_n) {
                count->doubled++;
            } else {
                count->lost += n - c->last_n - 1;
                c->is_anew = 0;
                c->last_n = n;
                if (is_closed_loop) completed_one(room, n);
            }
        }
        if (cfg.protocol == OURS) {
            const char *seq = memmem(p, end - p, "\"seq\":", 6);
            if (!seq) break;
            p = seq + 5;
            u64 value = number_after(&p, end);
            p += 7;             /* ,"prev": */
            if (number_after(&p, end) != c->seq) count->gaps++;
            c->seq = value;
        }
    }
    return last;
}

static void copy_string(char *into, size_t size, const char *from, const char *end, const char *key) {
    const char *at = memmem(from, end - from, key, strlen(key));
    size_t length = 0;
    if (at) {
        at += strlen(key);
        while (at + length < end && at[length] != '"' && length < size - 1) length++;
        memcpy(into, at, length);
    }
    into[length] = 0;
}

static void on_joined(Conn *c, const char *p, const char *end) {
    const char *room_data = memmem(p, end - p, "\"data\":", 7), *snapshot = memmem(p, end - p, "\"snapshot\":", 11);
    if (!room_data || !snapshot) die("a joined frame without its data: %.*s", (int)(end - p), p);
    copy_string(c->epoch, sizeof c->epoch, room_data, end, "\"epoch\":\"");
    const char *seq = memmem(room_data, end - room_data, "\"seq\":", 6);
    if (!seq) die("a joined frame without seq");
    seq += 5;
    u64 position = number_after(&seq, end);
    if (memmem(room_data, snapshot - room_data, "\"recovered\":true", 16)) {
        recoveries++;
    } else {
        if (c->is_counted) {
            resyncs++;
            c->is_anew = 1;
        }
        count_messages(c, snapshot, end, 1);
    }
    c->seq = position;
    if (c->state == JOINING) become_ready(c);
}

static void ack(Conn *c) {
    char text[80];
    snprintf(text, sizeof text, "{\"action\":\"ack\",\"data\":{\"n\":%llu}}", (unsigned long long)c->frames);
    send_text(c, text, 1);
    c->acked = c->frames;
    c->unacked_bytes = 0;
}

static int starts(const char *p, const char *end, const char *what) {
    size_t size = strlen(what);
    return (size_t)(end - p) >= size && !memcmp(p, what, size);
}

/* While live updates are paused a room cannot be joined; the server says when to try again. */
static void on_error(Conn *c, const char *p, const char *end) {
    const char *after = memmem(p, end - p, "\"retry_after_ms\":", 17);
    if (!after || c->state != JOINING) die("the server says %.*s", (int)(end - p), p);
    after += 16;
    c->rejoin_at = now + number_after(&after, end) * MS;
    refused++;
}

static void on_text(Conn *c, const char *p, const char *end) {
    Count *count = c->is_slow ? &slow : &fast;
    count->frames++;
    count->bytes += end - p;
    if (cfg.protocol == SOCKETIO) {
        if (*p == '2') send_text(c, "3", 1);
        else if (*p == '0') send_text(c, "40", 1);
        else if (starts(p, end, "40") && c->state == JOINING) become_ready(c);
        else if (starts(p, end, "42")) count_messages(c, p, end, 0);
        return;
    }
    if (cfg.protocol == OURS) {
        c->frames++;
        c->unacked_bytes += end - p;
        if (starts(p, end, "{\"type\":\"joined\"")) on_joined(c, p, end);
        else if (starts(p, end, "{\"type\":\"ping\"")) send_text(c, "{\"action\":\"pong\",\"data\":{}}", 1);
        else if (starts(p, end, "{\"type\":\"error\"")) on_error(c, p, end);
        else count_messages(c, p, end, 0);
        /* Half of either window: of the frames, and of the bytes that large batches fill sooner. */
        if (cfg.acks && (c->frames - c->acked >= (u64)cfg.ack_every || c->unacked_bytes >= 128 * 1024)) ack(c);
        return;
    }
    count_messages(c, p, end, 0);
}

static void on_end(Conn *c) {
    closes++;
    if (c->state == HANDSHAKE || c->state == CONNECTING) {
        if (++closed_early > 20000) die("the server does not take connections");
        c->retry_at = now + 20 * MS;
    } else {
        c->retry_at = now;
    }
    drop(c);
}

static void parse(Conn *c, char *p, char *end) {
    if (c->state == HANDSHAKE) {
        char *head = memmem(p, end - p, "\r\n\r\n", 4);
        if (!head) goto keep;
        if (!starts(p, end, "HTTP/1.1 101")) die("the handshake was refused: %.*s", (int)(head - p), p);
        p = head + 4;
        joined_http(c);
    }
    while (end - p >= 2) {
        unsigned char *u = (unsigned char *)p;
        u64 size = u[1] & 127;
        int head = 2, opcode = u[0] & 15;
        if (size == 126) {
            if (end - p < 4) break;
            size = (u64)u[2] << 8 | u[3], head = 4;
        } else if (size == 127) {
            if (end - p < 10) break;
            size = 0, head = 10;
            for (int i = 2; i < 10; i++) size = size << 8 | u[i];
        }
        if ((u64)(end - p) < head + size) break;
        char *payload = p + head;
        p = payload + size;
        if (opcode == 9) {
            char echo[128] = "";
            memcpy(echo, payload, size < 127 ? size : 127);
            send_text(c, echo, 10);
        } else if (opcode == 8) {
            on_end(c);
            return;
        } else if (opcode <= 2) {
            on_text(c, payload, p);
        }
    }
keep:
    c->left_len = end - p;
    if (c->left_len > c->left_cap) {
        c->left_cap = c->left_len + 4096;
        c->left = realloc(c->left, c->left_cap);
    }
    if (c->left_len) memmove(c->left, p, c->left_len);
}

static void on_readable(Conn *c) {
    /* A frame may be larger than the buffer, so it grows with what is left over. */
    static size_t capacity = READ_SIZE;
    if (c->left_len + READ_SIZE > capacity) {
        capacity = 2 * (c->left_len + READ_SIZE);
        buffer = realloc(buffer, capacity);
    }
    memcpy(buffer, c->left, c->left_len);
    ssize_t size = recv(c->fd, buffer + c->left_len, READ_SIZE, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        on_end(c);
    } else if (size > 0) {
        char *end = buffer + c->left_len + size;
        c->left_len = 0;
        parse(c, buffer, end);
    }
}

/* One turn of the loop, at most until `until`. */
static void turn(u64 until) {
    struct epoll_event events[512];
    now = clock_ns();
    struct timespec wait = {0, 0};
    u64 left = until > now ? until - now : 0;
    if (left > MS) left = MS;
    wait.tv_nsec = (long)left;
    int count = epoll_pwait2(epoll_fd, events, 512, &wait, NULL);
    now = clock_ns();
    for (int i = 0; i < count; i++) {
        Conn *c = events[i].data.ptr;
        if (c->state == CLOSED) continue;
        if (c->state == CONNECTING) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error) on_end(c);
            else if (events[i].events & EPOLLOUT) send_handshake(c);
        } else {
            on_readable(c);
            if ((i & 15) == 15) now = clock_ns();
        }
    }
    if (control_len) control_flush();
}

/* What is due now and then: acks by time, connections that come back. */
static void upkeep(void) {
    static u64 next;
    if (now < next) return;
    next = now + 5 * MS;
    for (int i = 0; i < conn_count; i++) {
        Conn *c = &conns[i];
        if (c->state == READY && c->ack_due && now >= c->ack_due && !c->is_stalled) {
            c->ack_due = now + SECOND;
            if (c->frames > c->acked) ack(c);
        } else if (c->state == CLOSED && c->retry_at && now >= c->retry_at && opening < cfg.concurrency) {
            start_connect(c);
        } else if (c->state == JOINING && c->rejoin_at && now >= c->rejoin_at) {
            c->rejoin_at = 0;
            send_join(c);
        }
    }
}

static void stall(Conn *c, int is_on) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (c->state != READY || c->is_stalled == is_on) return;
    c->is_stalled = is_on;
    /* Taken out altogether: otherwise the end of the connection would still be told. */
    epoll_ctl(epoll_fd, is_on ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, c->fd, &event);
}
