/* The load client: one thread, one epoll, thousands of WebSockets.
 *
 * It opens connections, tells the server what to publish over a plain TCP line (the control connection), counts what arrives and
 * measures how long that took. Messages are found by their data: {"t": <CLOCK_MONOTONIC ns when due>, "n": <number of an event>, ...}
 * or "m" instead of "n" for a state, of which newer ones may replace older. Numbers are per room and rise by one.
 *
 * Configuration comes as key=value arguments, the work as lines on standard input: a phase and its own key=value words. Each phase
 * prints one line of JSON. All mask keys are zero, which RFC 6455 allows and spares the masking.
 */
#include "state.h"
#include "measuring.h"
#include "connections.h"
#include "phases.h"

static void configure(char *argument) {
    char *value = strchr(argument, '=');
    if (!value) die("expected key=value, got %s", argument);
    *value++ = 0;
    if (!strcmp(argument, "protocol"))
        cfg.protocol = !strcmp(value, "ours") ? OURS : !strcmp(value, "socketio") ? SOCKETIO : PLAIN;
    else if (!strcmp(argument, "ports"))
        for (char *word = strtok(value, ","); word && cfg.port_count < MAX_PORTS; word = strtok(NULL, ",")) cfg.ports[cfg.port_count++] = atoi(word);
    else if (!strcmp(argument, "pids"))
        for (char *word = strtok(value, ","); word && cfg.pid_count < 8; word = strtok(NULL, ",")) cfg.pids[cfg.pid_count++] = atoi(word);
    else if (!strcmp(argument, "control")) cfg.control_port = atoi(value);
    else if (!strcmp(argument, "rooms")) cfg.rooms = atoi(value);
    else if (!strcmp(argument, "concurrency")) cfg.concurrency = atoi(value);
    else if (!strcmp(argument, "path")) cfg.path = value;
    else if (!strcmp(argument, "cookie")) cfg.cookie = value;
    else if (!strcmp(argument, "origin")) cfg.has_origin = atoi(value);
    else if (!strcmp(argument, "join")) cfg.join = value;
    else if (!strcmp(argument, "acks")) cfg.acks = atoi(value);
    else if (!strcmp(argument, "batch")) cfg.batch = atoi(value);
    else die("unknown setting %s", argument);
}

int main(int argc, char **argv) {
    char line[1024];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 1; i < argc; i++) configure(argv[i]);
    conns = calloc(20000, sizeof *conns);
    rooms = calloc(cfg.rooms, sizeof *rooms);
    buffer = malloc(READ_SIZE);
    epoll_fd = epoll_create1(0);
    control_open();
    while (fgets(line, sizeof line, stdin)) {
        char *phase = strtok(line, " \n");
        if (!phase) continue;
        option_count = 0;
        for (char *word; (word = strtok(NULL, " \n")) && option_count < 32;) {
            char *value = strchr(word, '=');
            if (!value) die("expected key=value, got %s", word);
            *value++ = 0;
            options[option_count++] = (Option){word, value};
        }
        if (!strcmp(phase, "connect")) phase_connect();
        else if (!strcmp(phase, "closed")) phase_closed();
        else if (!strcmp(phase, "burst")) phase_burst();
        else if (!strcmp(phase, "open")) phase_open();
        else if (!strcmp(phase, "idle")) phase_idle();
        else if (!strcmp(phase, "collect")) phase_collect();
        else if (!strcmp(phase, "close")) phase_close();
        else die("unknown phase %s", phase);
    }
    return 0;
}
