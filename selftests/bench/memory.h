/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel memory all told: slab, vmalloc, per-CPU. What RCU has yet to free is waited for: until two looks, a while
 * apart, agree. Used by memory.c and program.c, in a guest.
 */
#ifndef _SELFTESTS_BENCH_MEMORY_H
#define _SELFTESTS_BENCH_MEMORY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline long memory_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = 0;

	if (!f) {
		perror("/proc/meminfo");
		exit(1);
	}
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Slab:", 5) || !strncmp(line, "VmallocUsed:", 12) || !strncmp(line, "Percpu:", 7))
			kb += strtol(strchr(line, ':') + 1, NULL, 10);
	}
	fclose(f);
	return kb;
}

static inline long memory_settled_kb(void)
{
	long kb = memory_kb(), before;
	int i, quiet = 0;

	for (i = 0; i < 100 && quiet < 3; i++) {
		usleep(100000);
		before = kb;
		kb = memory_kb();
		quiet = labs(kb - before) < 16 ? quiet + 1 : 0;
	}
	return kb;
}

#endif /* _SELFTESTS_BENCH_MEMORY_H */
