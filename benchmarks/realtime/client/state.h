/* What the client knows: settings, connections, rooms, counts. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;

enum { CLOSED, CONNECTING, HANDSHAKE, JOINING, READY };
enum { PLAIN, OURS, SOCKETIO };

#define MAX_PORTS 4
#define RING 2048
#define READ_SIZE (256 * 1024)
#define SECOND 1000000000ull
#define MS 1000000ull
#define BUCKETS (64 * 40)

typedef struct {
    int fd, state, room, port;
    char is_slow, is_stalled, is_counted;
    char is_anew;               /* began with a snapshot, in which there are no events: those before are lost, and not waited for */
    char *left;                 /* the beginning of a frame that is not complete */
    u32 left_len, left_cap;
    u64 last_n, last_m;         /* newest event and state */
    u64 frames, acked;          /* since hello */
    u64 unacked_bytes;
    u64 ack_due, retry_at, rejoin_at, began;
    char epoch[48];
    u64 seq;
} Conn;

typedef struct {
    u64 published_n, published_m;
    u32 members;
    unsigned short done[RING];  /* deliveries of each event in flight */
} Room;

typedef struct {
    u64 deliveries, lost, doubled, states, events, frames, bytes;
    u64 gaps;                   /* prev did not fit what was held */
    u32 hist[BUCKETS];
    u64 slowest;
} Count;

static struct {
    int protocol, ports[MAX_PORTS], port_count, control_port, rooms, concurrency, ack_every, batch, acks, has_origin;
    const char *path, *cookie, *join;
    int pids[8], pid_count;
} cfg = {.rooms = 1, .concurrency = 32, .ack_every = 32, .batch = 1, .acks = 1, .path = "/ws/", .cookie = "",
         .join = "bench"};

static Conn *conns;
static Room *rooms;
static int conn_count, ready_count, opening, epoll_fd, control_fd = -1;
static Count fast, slow;
static u64 now, resyncs, recoveries, closes, closed_early, refused, completed, connect_ns, connected;
static char *buffer;
static int is_closed_loop;
static char control_out[1 << 20];
static u32 control_len;

static u64 clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * SECOND + t.tv_nsec;
}

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}
