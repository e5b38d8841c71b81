/* Latencies, and what the kernel knows of the servers. */
/* Histogram of microseconds, 64 steps for each doubling: 1.6 % wide at most. */

static int bucket_of(u64 us) {
    if (us < 64) return (int)us;
    int shift = 63 - __builtin_clzll(us) - 6;
    int bucket = (shift + 1) * 64 + (int)((us >> shift) - 64);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_ms(int bucket) {
    if (bucket < 64) return bucket / 1e3;
    int shift = bucket / 64 - 1;
    return (double)((u64)(64 + bucket % 64) << shift) / 1e3;
}

static double percentile(Count *c, double share) {
    u64 total = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++) total += c->hist[i];
    if (!total) return 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += c->hist[i]) >= share * total) return bucket_ms(i);
    return 0;
}

/* What the kernel knows of the servers. */

static double cpu_s(int pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    char *after = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (after) sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static long rss_kib(int pid) {
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double own_cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
