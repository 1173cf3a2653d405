// SPDX-License-Identifier: GPL-2.0
/*
 * Look-ups per second of kernel/fib.c in user space beside DPDK's rte_fib and rte_fib6, one CPU, and the memory
 * that each takes. Run by scripts/bench lookup.
 *
 * usage: lookup [-r ROUTES] [-n ROUNDS] [-6 TABLE]     (TABLE: text, "prefix/length ..." a line)
 *
 * The same routes go into both; the same destinations are looked up in turns, in bursts of BURST as a forwarder
 * does; medians of the rounds count. Every answer of the first round is compared. Both have transparent huge pages.
 * The next hop of rte_fib has eight octets: it must hold what ours says, a next hop and a label.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#undef container_of	/* the shim has its own */
#include "fib.h"
#include "routes.h"

#define BURST		64
#define DESTINATIONS	(1u << 21)
#define ROUNDS_MAX	64
#define LINE_MAX_	256

long shim_fail_after = -1;
struct rcu_head *shim_pending;

struct bench {
	const char *name;
	bool v6;
	struct route *route;
	size_t routes;
	unsigned int rounds;
	struct l3vpn_fib fib;
	struct rte_fib *rte4;
	struct rte_fib6 *rte6;
	double rte_mb;
};

/* The destinations of one case; IPv4 in both byte orders, for each side its own. */
static uint32_t to4[DESTINATIONS];
static __be32 to4_net[DESTINATIONS];
static uint8_t to6[DESTINATIONS][16];
static uint64_t answer[BURST];
static uint64_t sum;

static void die(const char *what)
{
	fprintf(stderr, "lookup: %s: %s\n", what, strerror(rte_errno ? rte_errno : errno));
	exit(1);
}

/* Of this thread, on the CPU: others run beside. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- the tables ---- */

static void ours_fill(struct bench *b)
{
	size_t i;

	for (i = 0; i < b->routes; i++) {
		const struct route *r = &b->route[i];
		struct l3vpn_leaf leaf = l3vpn_leaf_make((void *)L3VPN_NH_ALIGN, 0);
		struct l3vpn_key key = { .hi = r->hi, .lo = r->lo };

		leaf.word |= L3VPN_LEAF_LABELLED | (i & L3VPN_LEAF_LABEL);
		if (l3vpn_fib_insert(&b->fib, key, r->plen, leaf, 0, NULL))
			die("ours: insertion");
		if (i % 4096 == 0) {
			l3vpn_fib_flush(&b->fib);
			shim_grace_period();
		}
	}
	l3vpn_fib_flush(&b->fib);
	shim_grace_period();
}

static void key_to6(const struct route *r, uint8_t *ip)
{
	l3vpn_key_to6((struct l3vpn_key){ .hi = r->hi, .lo = r->lo }, ip);
}

/*
 * How many groups of 256 entries rte_fib and rte_fib6 want to be told of: those of each prefix by itself, for they
 * reserve before they see what can be shared.
 */
static uint32_t tbl8_needed(const struct bench *b)
{
	uint32_t need = 256;
	size_t i;

	for (i = 0; i < b->routes; i++)
		if (b->route[i].plen > 24)
			need += (b->route[i].plen - 24 + 7) / 8;
	return need;
}

static double heap_mb(void)
{
	struct rte_malloc_socket_stats stats;

	rte_malloc_get_socket_stats(0, &stats);
	return stats.heap_allocsz_bytes / 1e6;
}

/* Returns false when DPDK cannot hold the table at all. */
static bool rte_fill(struct bench *b)
{
	double before = heap_mb();
	uint32_t tbl8 = tbl8_needed(b);
	size_t i;

	if (b->v6) {
		struct rte_fib6_conf conf = {
			.type = RTE_FIB6_TRIE, .default_nh = 0, .max_routes = b->routes + 1,
			.trie = { .nh_sz = RTE_FIB6_TRIE_8B, .num_tbl8 = tbl8 },
		};

		b->rte6 = rte_fib6_create(b->name, 0, &conf);
		if (!b->rte6)
			die("rte_fib6_create");
	} else {
		struct rte_fib_conf conf = {
			.type = RTE_FIB_DIR24_8, .default_nh = 0, .max_routes = b->routes + 1,
			.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_8B, .num_tbl8 = tbl8 },
		};

		b->rte4 = rte_fib_create(b->name, 0, &conf);
		if (!b->rte4)
			die("rte_fib_create");
	}
	for (i = 0; i < b->routes; i++) {
		const struct route *r = &b->route[i];
		uint64_t nh = (i & 0xfffff) + 1;
		uint8_t ip[16];
		int err;

		if (b->v6) {
			key_to6(r, ip);
			err = rte_fib6_add(b->rte6, ip, r->plen, nh);
		} else {
			err = rte_fib_add(b->rte4, r->hi >> 32, r->plen, nh);
		}
		if (err) {
			rte_errno = -err;
			die("rte_fib: insertion");
		}
	}
	b->rte_mb = heap_mb() - before;
	return true;
}

/* ---- destinations ---- */

static void destinations(const struct bench *b, bool inside, uint64_t seed)
{
	size_t i;

	for (i = 0; i < DESTINATIONS; i++) {
		struct l3vpn_key key = { .hi = routes_random(&seed), .lo = routes_random(&seed) };
		const struct route *r = &b->route[routes_random(&seed) % b->routes];

		if (inside) {
			key.hi = r->hi | (r->plen < 64 ? key.hi & ~0ULL >> r->plen : 0);
			key.lo = r->plen <= 64 ? key.lo : r->lo | (r->plen < 128 ? key.lo >> (r->plen - 64) : 0);
		} else if (!b->v6) {
			key.hi = routes_address4(&seed);
		} else {
			key.hi = 0x2000000000000000ULL | key.hi >> 3;
		}
		to4[i] = key.hi >> 32;
		to4_net[i] = htonl(to4[i]);
		l3vpn_key_to6(key, to6[i]);
	}
}

/* ---- the race ---- */

static uint64_t answer_of(struct l3vpn_leaf leaf)
{
	return l3vpn_leaf_none(leaf) ? 0 : l3vpn_leaf_label(leaf) + 1;
}

static void single_burst(const struct bench *b, size_t at)
{
	size_t i;

	for (i = 0; i < BURST; i++) {
		if (b->v6)
			answer[i] = answer_of(l3vpn_fib_lookup6(&b->fib, (const void *)to6[at + i]));
		else
			answer[i] = answer_of(l3vpn_fib_lookup4(&b->fib, to4_net[at + i]));
	}
}

static void ours_burst(const struct bench *b, size_t at)
{
	struct l3vpn_fib_ask ask[BURST];
	size_t i;

	for (i = 0; i < BURST; i++) {
		if (b->v6)
			l3vpn_fib_ask6(&ask[i], &b->fib, (const void *)to6[at + i]);
		else
			l3vpn_fib_ask4(&ask[i], &b->fib, to4_net[at + i]);
	}
	for (i = 0; i < BURST; i += L3VPN_FIB_BULK)
		l3vpn_fib_lookup_bulk(&ask[i], L3VPN_FIB_BULK);
	for (i = 0; i < BURST; i++)
		answer[i] = answer_of(l3vpn_fib_told(&ask[i]));
}

static void rte_burst(const struct bench *b, size_t at)
{
	if (b->v6)
		rte_fib6_lookup_bulk(b->rte6, &to6[at], answer, BURST);
	else
		rte_fib_lookup_bulk(b->rte4, &to4[at], answer, BURST);
}

static double run(const struct bench *b, void (*burst)(const struct bench *b, size_t at))
{
	double start = seconds();
	size_t at, i;

	for (at = 0; at < DESTINATIONS; at += BURST) {
		burst(b, at);
		for (i = 0; i < BURST; i++)
			sum += answer[i];
	}
	return DESTINATIONS / (seconds() - start) / 1e6;
}

static void compare(const struct bench *b)
{
	uint64_t mine[BURST];
	size_t at;

	for (at = 0; at < DESTINATIONS; at += BURST) {
		ours_burst(b, at);
		memcpy(mine, answer, sizeof(mine));
		rte_burst(b, at);
		if (memcmp(mine, answer, sizeof(mine))) {
			fprintf(stderr, "lookup: %s: the answers differ\n", b->name);
			exit(1);
		}
	}
}

static int cmp_double(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), cmp_double);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void race(const struct bench *b, const char *to, bool inside)
{
	static double ours[ROUNDS_MAX], single[ROUNDS_MAX], rte[ROUNDS_MAX], ratio[ROUNDS_MAX];
	unsigned int i;
	double o, s, t;

	destinations(b, inside, 42);
	compare(b);
	for (i = 0; i < b->rounds; i++) {
		rte[i] = run(b, rte_burst);
		ours[i] = run(b, ours_burst);
		ratio[i] = ours[i] / rte[i];
		single[i] = run(b, single_burst);
	}
	o = median(ours, b->rounds);
	s = median(single, b->rounds);
	t = median(rte, b->rounds);
	printf("{\"case\": \"lookup-%s-%s\", \"routes\": %zu, \"rounds\": %u, \"ours_mlps\": %.2f, \"ours_single_mlps\": %.2f, \"rte_fib_mlps\": %.2f, "
	       "\"vs_rte_fib\": %.3f, \"ours_ns\": %.1f, \"rte_fib_ns\": %.1f, \"ours_mb\": %.2f, \"rte_fib_mb\": %.1f}\n",
	       b->name, to, b->routes, b->rounds, o, s, t, median(ratio, b->rounds), 1e3 / o, 1e3 / t,
	       b->fib.bytes / 1e6, b->rte_mb);
	fflush(stdout);
}

static void bench(const char *name, bool v6, struct route *route, size_t routes, unsigned int rounds)
{
	struct bench b = { .name = name, .v6 = v6, .route = route, .routes = routes, .rounds = rounds };

	ours_fill(&b);
	rte_fill(&b);
	race(&b, "random", false);
	race(&b, "in-table", true);
	l3vpn_fib_destroy(&b.fib, NULL, NULL);
	shim_grace_period();
	if (b.rte4)
		rte_fib_free(b.rte4);
	if (b.rte6)
		rte_fib6_free(b.rte6);
	free(route);
}

/* "prefix/length ..." a line, of either family: those of @v6. */
static struct route *table_read(const char *file, bool v6, size_t *count)
{
	FILE *f = strcmp(file, "-") ? fopen(file, "r") : stdin;
	struct route *r = NULL;
	char line[LINE_MAX_];
	size_t n = 0, room = 0;

	if (!f)
		die(file);
	while (fgets(line, sizeof(line), f)) {
		char *slash = strchr(line, '/');
		uint8_t addr[16] = { 0 };

		if (!slash)
			continue;
		*slash = 0;
		if (inet_pton(v6 ? AF_INET6 : AF_INET, line, addr) != 1)
			continue;
		if (n == room) {
			room = room ? room * 2 : 1024;
			r = realloc(r, room * sizeof(*r));
			if (!r)
				die("no memory");
		}
		r[n].hi = l3vpn_key6(addr).hi;
		r[n].lo = l3vpn_key6(addr).lo;
		r[n++].plen = atoi(slash + 1);
	}
	fclose(f);
	*count = routes_unique(r, n);
	return r;
}

static int huge(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	(void)msl;
	(void)arg;
	madvise(ms->addr, ms->len, MADV_HUGEPAGE);
	return 0;
}

static void dpdk_start(void)
{
	char cpu[16];
	char *args[11] = { "lookup", "--no-huge", "--no-shconf", "--no-telemetry", "--no-pci", "--log-level=3",
			 "-m", "12288", "-l", cpu, NULL };

	snprintf(cpu, sizeof(cpu), "%d", sched_getcpu());
	if (rte_eal_init(sizeof(args) / sizeof(args[0]) - 1, args) < 0)
		die("rte_eal_init");
	rte_memseg_walk(huge, NULL);
}

int main(int argc, char **argv)
{
	const char *table4 = NULL, *table6 = NULL;
	size_t routes = 1000000, n;
	unsigned int rounds = 7;
	struct route *r;
	int c;

	while ((c = getopt(argc, argv, "r:n:4:6:")) != -1) {
		switch (c) {
		case 'r':
			routes = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			rounds = strtoul(optarg, NULL, 0);
			break;
		case '4':
			table4 = optarg;
			break;
		case '6':
			table6 = optarg;
			break;
		default:
			return 2;
		}
	}
	if (!routes || !rounds || rounds > ROUNDS_MAX)
		return 2;
	if (l3vpn_fib_init())
		die("memory");
	dpdk_start();
	bench("v4", false, routes_make(false, routes, 1, false), routes, rounds);
	if (table4) {
		r = table_read(table4, false, &n);
		bench("real-v4", false, r, n, rounds);
	}
	bench("v6", true, routes_make(true, routes, 2, false), routes, rounds);
	if (table6) {
		r = table_read(table6, true, &n);
		bench("real-v6", true, r, n, rounds);
	}
	fprintf(stderr, "# sum %" PRIu64 "\n", sum);
	return 0;
}
