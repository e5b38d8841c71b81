/* What the client can be told to do. */
typedef struct {
    const char *word, *value;
} Option;

static Option options[32];
static int option_count;

static const char *option(const char *word, const char *otherwise) {
    for (int i = 0; i < option_count; i++)
        if (!strcmp(options[i].word, word)) return options[i].value;
    return otherwise;
}

static double number(const char *word, double otherwise) {
    const char *value = option(word, NULL);
    return value ? atof(value) : otherwise;
}

typedef struct {
    u64 at;
    double cpu[8], own;
    long rss[8], peak[8];
} Mark;

static Mark mark(void) {
    Mark m = {.at = clock_ns(), .own = own_cpu_s()};
    for (int i = 0; i < cfg.pid_count; i++) {
        m.cpu[i] = cpu_s(cfg.pids[i]);
        m.rss[i] = m.peak[i] = rss_kib(cfg.pids[i]);
    }
    return m;
}

static void watch(Mark *m) {
    static u64 next;
    if (now < next) return;
    next = now + 100 * MS;
    for (int i = 0; i < cfg.pid_count; i++) {
        long rss = rss_kib(cfg.pids[i]);
        if (rss > m->peak[i]) m->peak[i] = rss;
    }
}

static void begin(void) {
    memset(&fast, 0, sizeof fast);
    memset(&slow, 0, sizeof slow);
    resyncs = recoveries = closes = refused = completed = connect_ns = connected = 0;
    for (int i = 0; i < cfg.rooms; i++) rooms[i].members = 0;
    for (int i = 0; i < conn_count; i++) {
        Conn *c = &conns[i];
        if (c->state == READY) rooms[c->room].members++;
    }
}

static void print_count(const char *name, Count *c) {
    printf("\"%s\":{\"deliveries\":%llu,\"events\":%llu,\"states\":%llu,\"frames\":%llu,\"bytes\":%llu,\"lost\":%llu,\"doubled\":%llu,"
           "\"gaps\":%llu,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}",
           name, (unsigned long long)c->deliveries, (unsigned long long)c->events, (unsigned long long)c->states,
           (unsigned long long)c->frames, (unsigned long long)c->bytes, (unsigned long long)c->lost, (unsigned long long)c->doubled,
           (unsigned long long)c->gaps, percentile(c, .5), percentile(c, .9), percentile(c, .99), c->slowest / 1e3);
}

static void report(const char *phase, Mark *m, const char *more, ...) {
    Mark end = mark();
    va_list arguments;
    printf("{\"phase\":\"%s\",\"seconds\":%.4f,\"ready\":%d,\"client_cpu_s\":%.3f,\"cpu_s\":[", phase, (end.at - m->at) / 1e9,
           ready_count, end.own - m->own);
    for (int i = 0; i < cfg.pid_count; i++) printf("%s%.2f", i ? "," : "", end.cpu[i] - m->cpu[i]);
    printf("],\"rss_kib\":[");
    for (int i = 0; i < cfg.pid_count; i++) printf("%s%ld", i ? "," : "", end.rss[i]);
    printf("],\"rss_before_kib\":[");
    for (int i = 0; i < cfg.pid_count; i++) printf("%s%ld", i ? "," : "", m->rss[i]);
    printf("],\"rss_peak_kib\":[");
    for (int i = 0; i < cfg.pid_count; i++) printf("%s%ld", i ? "," : "", m->peak[i]);
    printf("],\"refused\":%llu,\"closes\":%llu,\"resyncs\":%llu,\"recoveries\":%llu,\"connected\":%llu,\"connect_ms\":%.3f,", (unsigned long long)refused, (unsigned long long)closes,
           (unsigned long long)resyncs, (unsigned long long)recoveries, (unsigned long long)connected,
           connected ? connect_ns / 1e6 / connected : 0);
    print_count("fast", &fast);
    putchar(',');
    print_count("slow", &slow);
    va_start(arguments, more);
    vprintf(more, arguments);
    va_end(arguments);
    puts("}");
    fflush(stdout);
}

static int is_behind(Conn *c) {
    Room *room = &rooms[c->room];
    return c->state != READY || (c->last_n < room->published_n && !c->is_anew) || c->last_m < room->published_m;
}

/* How many connections lack something. */
static int count_behind(void) {
    int behind = 0;
    for (int i = 0; i < conn_count; i++) behind += is_behind(&conns[i]);
    return behind;
}

/* Count as lost what did not come; returns how many connections lack the newest state. */
static int give_up_waiting(void) {
    int stale = 0;
    for (int i = 0; i < conn_count; i++) {
        Conn *c = &conns[i];
        Room *room = &rooms[c->room];
        Count *count = c->is_slow ? &slow : &fast;
        count->lost += room->published_n - c->last_n;
        stale += c->last_m < room->published_m;
        c->last_n = room->published_n;
        c->last_m = room->published_m;
        c->is_anew = 0;
    }
    return stale;
}

/* Wait until everybody has everything; what is missing then is lost. */
static int settle(double seconds, Mark *m) {
    u64 until = clock_ns() + (u64)(seconds * 1e9), look = 0;
    while ((now = clock_ns()) < until) {
        turn(until);
        upkeep();
        watch(m);
        if (now >= look) {
            look = now + MS;
            if (!count_behind()) break;
        }
    }
    return give_up_waiting();
}

/* connect count=500 [slow_every=10]: more connections, until there are so many and all are in their rooms. */
static void phase_connect(void) {
    int target = (int)number("count", 500), slow_every = (int)number("slow_every", 0);
    begin();
    Mark m = mark();
    u64 until = m.at + (u64)(number("timeout", 120) * 1e9);
    now = m.at;
    while (ready_count < target && now < until) {
        while (conn_count < target && opening < cfg.concurrency) {
            Conn *c = &conns[conn_count];
            c->room = conn_count % cfg.rooms;
            c->port = conn_count % cfg.port_count;
            c->is_slow = slow_every && conn_count % slow_every == slow_every - 1;
            conn_count++;
            start_connect(c);
        }
        turn(until);
        upkeep();
    }
    report("connect", &m, ",\"wanted\":%d", target);
}

/* closed seconds=5 window=16: that many events in flight; one more for each that everybody has. Rooms take turns. */
static void phase_closed(void) {
    int window = (int)number("window", 16), room = 0;
    begin();
    is_closed_loop = 1;
    Mark m = mark();
    u64 until = m.at + (u64)(number("seconds", 5) * 1e9), published = 0, give_up = until + 60 * SECOND;
    now = m.at;
    while (now < until) {
        while (published < completed + window) {
            publish('e', room, 1, now);
            published++;
            room = (room + 1) % cfg.rooms;
        }
        control_flush();
        turn(until);
        upkeep();
    }
    Mark end = m;
    u64 measured = clock_ns() - m.at;
    u64 deliveries = fast.deliveries + slow.deliveries;
    while (completed < published && now < give_up && count_behind()) {
        turn(give_up);
        upkeep();
    }
    is_closed_loop = 0;
    settle(0.001, &end);
    report("closed", &m, ",\"published\":%llu,\"completed\":%llu,\"deliveries_per_s\":%.1f", (unsigned long long)published,
           (unsigned long long)completed, deliveries * 1e9 / measured);
}

/* burst count=1000 kind=e: all in one line, published by the server as fast as it can. */
static void phase_burst(void) {
    u64 count = (u64)number("count", 1000);
    begin();
    Mark m = mark();
    now = m.at;
    for (int room = 0; room < cfg.rooms; room++) publish(*option("kind", "e"), room, count / cfg.rooms, now);
    control_flush();
    int stale = settle(number("timeout", 60), &m);
    u64 took = clock_ns() - m.at;
    report("burst", &m, ",\"published\":%llu,\"stale\":%d,\"deliveries_per_s\":%.1f", (unsigned long long)count, stale,
           (fast.deliveries + slow.deliveries) * 1e9 / took);
}

/* open seconds=10 rate=20 kind=e [events_per_s=0] [stall_at= stall_s=] [drop_at=] [timeout=30]: at a fixed rate, whatever the server does.
 * Slow connections stop reading for a time; `drop_at` cuts all connections at once. */
static void phase_open(void) {
    double rate = number("rate", 20), events = number("events_per_s", 0), stall_at = number("stall_at", -1);
    double stall_s = number("stall_s", 60), drop_at = number("drop_at", -1), seconds = number("seconds", 10);
    char kind = *option("kind", "e");
    begin();
    Mark m = mark();
    u64 end = m.at + (u64)(seconds * 1e9), step = (u64)(1e9 / rate), due = m.at + step, event_step = events ? (u64)(1e9 / events) : 0;
    u64 event_due = m.at + event_step, stall_start = 0, stall_end = 0, drop_time = 0, published = 0, newest = 0, dropped_at = 0;
    u64 truth = 0;
    u64 target_m = 0, target_n = 0;
    int room = 0, is_stalled = 0, concurrency = cfg.concurrency, pending = 0;
    if (stall_at >= 0) stall_start = m.at + (u64)(stall_at * 1e9), stall_end = stall_start + (u64)(stall_s * 1e9);
    if (drop_at >= 0) drop_time = m.at + (u64)(drop_at * 1e9);
    now = m.at;
    while (now < end) {
        for (; due <= now && due < end; due += step, room = (room + 1) % cfg.rooms) publish(kind, room, 1, due), published++, newest = due;
        for (; event_step && event_due <= now && event_due < end; event_due += event_step) publish('e', 0, 1, event_due), published++;
        if (stall_start && now >= stall_start) {
            for (int i = 0; i < conn_count; i++)
                if (conns[i].is_slow) stall(&conns[i], 1);
            stall_start = 0, is_stalled = 1;
        }
        if (is_stalled && now >= stall_end) {
            for (int i = 0; i < conn_count; i++)
                if (conns[i].is_slow) stall(&conns[i], 0);
            is_stalled = 0, pending = 1, target_m = rooms[0].published_m, target_n = rooms[0].published_n;
        }
        if (pending) {
            int behind = 0;
            for (int i = 0; i < conn_count && !behind; i++)
                behind = conns[i].is_slow && (conns[i].state != READY || (kind == 's' ? conns[i].last_m < target_m : conns[i].last_n < target_n && !conns[i].is_anew));
            if (!behind) truth = now - stall_end, pending = 0;
        }
        if (drop_time && now >= drop_time) {
            cfg.concurrency = conn_count;
            for (int i = 0; i < conn_count; i++) drop(&conns[i]), conns[i].retry_at = now;
            dropped_at = now, drop_time = 0, connected = connect_ns = 0;
        }
        if (dropped_at && ready_count == conn_count) truth = now - dropped_at, dropped_at = 0;
        control_flush();
        turn(due < event_due || !event_step ? due : event_due);
        upkeep();
        watch(&m);
    }
    int stale = settle(number("timeout", 30), &m);
    u64 took = clock_ns() - newest;
    cfg.concurrency = concurrency;
    report("open", &m, ",\"published\":%llu,\"stale\":%d,\"settled_ms\":%.3f,\"back_ms\":%.3f", (unsigned long long)published, stale,
           took / 1e6, truth / 1e6);
}

static void phase_idle(void) {
    begin();
    Mark m = mark();
    u64 until = m.at + (u64)(number("seconds", 1) * 1e9);
    for (now = m.at; now < until;) turn(until), upkeep(), watch(&m);
    report("idle", &m, ",\"wanted\":%d", conn_count);
}

/* Ask the server to collect its garbage, and give it a moment. */
static void phase_collect(void) {
    control_len += snprintf(control_out + control_len, 16, "g 0 0 0 0\n");
    control_flush();
    phase_idle();
}

/* close: all connections; the next `connect` begins anew. */
static void phase_close(void) {
    Mark m = mark();
    begin();
    for (int i = 0; i < conn_count; i++) {
        drop(&conns[i]);
        conns[i].retry_at = 0, conns[i].is_counted = conns[i].is_anew = 0, conns[i].epoch[0] = 0;
    }
    conn_count = 0;
    u64 until = clock_ns() + (u64)(number("seconds", 1) * 1e9);
    while ((now = clock_ns()) < until) turn(until);
    report("close", &m, ",\"wanted\":0");
}
