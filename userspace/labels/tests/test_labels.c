// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib labels */
/* The life of a label: wanted, programmed, lingering, quarantined, free; restart; exhaustion. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "labels/labels.h"
#include "labels/private.h"
#include "labels/space.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "rib/table.h"
#include "rib/tests/recorder.h"

static struct jobs *jobs;
static struct rib *rib;
static struct labels *labels;
static struct recorder rec;

static int setup(void **unused)
{
	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	rec_start(&rec, rib_fib(rib));
	labels = labels_new(jobs, rib_fib(rib));
	assert_true(labels_configure(labels, 100, 103, 60));
	return 0;
}

static int teardown(void **unused)
{
	labels_free(labels);
	rec_end(&rec);
	rib_free(rib);
	jobs_free(jobs);
	return 0;
}

static unsigned int readies, retries, failures;

static void on_ready(struct label_user *u)
{
	readies++;
	assert_true(label_is_ready(u));
}

static void on_retry(struct label_user *u)
{
	retries++;
}

static void on_failed(struct label_user *u, int err)
{
	failures++;
	assert_int_equal(err, ENOSPC);
}

static struct label_user user(void)
{
	struct label_user u = { .ready = on_ready, .retry = on_retry, .failed = on_failed };

	return u;
}

static struct label_key vrf_key(const char *name)
{
	struct label_key k = { .owner = LABEL_OWNER_VRF };

	strcpy(k.vrf, name);
	return k;
}

static const struct label_action pop1 = { .action = FIB_LABEL_POP_VRF, .vrf = 1 };

static void life_of_a_label(void **unused)
{
	struct label_user u = user(), v = user();
	struct label_key k = vrf_key("RED");
	struct labels_stats st;
	uint32_t label;

	readies = 0;
	label_user_init(&u);
	label_user_init(&v);
	assert_true(label_request(labels, &u, &k, &pop1));
	label = u.binding->label;
	assert_int_equal(label, 100);
	assert_false(label_is_ready(&u));
	assert_true(label_request(labels, &v, &k, &pop1));
	assert_ptr_equal(u.binding, v.binding);
	rec_ack(&rec);
	assert_int_equal(readies, 2);
	label_release(labels, &u);
	assert_true(label_is_ready(&v));
	label_release(labels, &v);
	/* withdrawn, but packets on their way still find it */
	assert_int_equal(rec.n_labels, 1);
	timers_advance(jobs, LABELS_LINGER_MS - 1000);
	assert_int_equal(rec.n_labels, 1);
	/* asked for again meanwhile: the same one, at once */
	assert_true(label_request(labels, &u, &k, &pop1));
	assert_true(label_is_ready(&u));
	assert_int_equal(u.binding->label, label);
	label_release(labels, &u);
	timers_advance(jobs, LABELS_LINGER_MS + 1000);
	assert_int_equal(rec.n_labels, 0);
	labels_stats(labels, &st);
	assert_int_equal(st.quarantined, 1);
	/* its own owner gets it back out of quarantine, after it was programmed again */
	assert_true(label_request(labels, &u, &k, &pop1));
	assert_int_equal(u.binding->label, label);
	assert_false(label_is_ready(&u));
	rec_ack(&rec);
	assert_true(label_is_ready(&u));
	label_release(labels, &u);
	timers_advance(jobs, LABELS_LINGER_MS + 1000);
	timers_advance(jobs, 61000);
	labels_stats(labels, &st);
	assert_int_equal(st.quarantined, 0);
	assert_null(labels_after(labels, -1));
}

static void exhaustion_waits_for_quarantine(void **unused)
{
	struct label_user u[5];
	struct label_key k;
	char name[16];
	int i;

	retries = 0;
	for (i = 0; i < 5; i++) {
		u[i] = user();
		label_user_init(&u[i]);
		snprintf(name, sizeof(name), "V%d", i);
		k = vrf_key(name);
		assert_int_equal(label_request(labels, &u[i], &k, &pop1), i < 4);
	}
	rec_ack(&rec);
	label_release(labels, &u[2]);
	timers_advance(jobs, LABELS_LINGER_MS + 10);
	/* removed from forwarding, not given to another yet */
	assert_int_equal(retries, 0);
	timers_advance(jobs, 59000);
	assert_int_equal(retries, 0);
	timers_advance(jobs, 2000);
	assert_int_equal(retries, 1);
	assert_true(label_request(labels, &u[4], &k, &pop1));
	assert_int_equal(u[4].binding->label, 102);
	for (i = 0; i < 5; i++)
		label_release(labels, &u[i]);
}

static void refusal_is_told(void **unused)
{
	struct label_user u = user();
	struct label_key k = vrf_key("RED");

	failures = readies = 0;
	label_user_init(&u);
	assert_true(label_request(labels, &u, &k, &pop1));
	rec.refuse = ENOSPC;
	rec_ack(&rec);
	assert_int_equal(failures, 1);
	assert_false(label_is_ready(&u));
	rec.refuse = 0;
	fib_label_acked(rib_fib(rib), &u.binding->fib, u.binding->fib.seq, 0);
	assert_int_equal(readies, 1);
	/* an acknowledgement of an older state counts for nothing */
	label_update(labels, u.binding, &(struct label_action){ FIB_LABEL_POP_VRF, 2, NULL, 0 });
	fib_label_acked(rib_fib(rib), &u.binding->fib, u.binding->fib.seq - 1, 0);
	assert_false(u.binding->fib.programmed);
	assert_true(label_is_ready(&u));
	label_release(labels, &u);
}

static void operator_labels_collide(void **unused)
{
	struct label_user u = user();
	struct label_key k = vrf_key("RED"), s = { .owner = LABEL_OWNER_STATIC };
	struct fib_nh *nh = fib_nh_adjacency(rib_fib(rib), 1, NULL);
	struct label_action swap = { .action = FIB_LABEL_SWAP, .nh = nh, .out_label = 3 };
	struct label_binding *b;
	char why[128];

	label_user_init(&u);
	assert_true(label_request(labels, &u, &k, &pop1));
	assert_null(label_claim(labels, 100, &s, &swap, why, sizeof(why)));
	assert_string_equal(why, "label 100 is wanted for vrf RED");
	assert_null(label_claim(labels, 3, &s, &swap, why, sizeof(why)));
	b = label_claim(labels, 101, &s, &swap, why, sizeof(why));
	assert_non_null(b);
	assert_null(label_claim(labels, 101, &s, &swap, why, sizeof(why)));
	k = vrf_key("BLUE");
	label_release(labels, &u);
	assert_true(label_request(labels, &u, &k, &pop1));
	assert_int_equal(u.binding->label, 102);
	label_unclaim(labels, b);
	b = label_claim(labels, 101, &s, &swap, why, sizeof(why));
	assert_non_null(b);
	label_unclaim(labels, b);
	label_release(labels, &u);
	labels_drop_vrf(labels, "BLUE");
	fib_nh_put(rib_fib(rib), nh);
}

static void owners_have_ranges(void **unused)
{
	struct label_key red = vrf_key("RED"), fec = { .owner = LABEL_OWNER_LDP }, s = { .owner = LABEL_OWNER_STATIC };
	struct fib_nh *nh = fib_nh_adjacency(rib_fib(rib), 1, NULL);
	struct label_action swap = { .action = FIB_LABEL_SWAP, .nh = nh, .out_label = 3 };
	struct label_user u = user(), v = user(), w = user();
	struct labels_stats st;
	struct label_binding *b;
	struct ip_addr a;
	char why[128];

	retries = 0;
	assert_false(labels_configure_pool(labels, LABEL_POOL_LDP, 15, 20));
	assert_true(labels_configure_pool(labels, LABEL_POOL_LDP, 2000, 2000));
	assert_true(labels_configure_pool(labels, LABEL_POOL_STATIC, 3000, 3001));
	addr_parse("192.0.2.1", &a);
	fec.prefix = prefix_host(&a);
	label_user_init(&u);
	label_user_init(&v);
	label_user_init(&w);
	assert_true(label_request(labels, &u, &red, &pop1));
	assert_int_equal(u.binding->label, 100);
	assert_true(label_request(labels, &v, &fec, &swap));
	assert_int_equal(v.binding->label, 2000);
	assert_int_equal(v.binding->fib.scope, LABEL_SCOPE_LDP);
	/* its own range is exhausted, the dynamic one is not */
	fec.prefix.len = 24;
	assert_false(label_request(labels, &w, &fec, &swap));
	labels_stats(labels, &st);
	assert_int_equal(st.pool[LABEL_POOL_LDP].taken, 1);
	assert_int_equal(st.pool[LABEL_POOL_LDP].waiting, 1);
	assert_int_equal(st.pool[LABEL_POOL_DYNAMIC].waiting, 0);
	assert_true(labels_configure_pool(labels, LABEL_POOL_LDP, 0, 0));
	assert_int_equal(retries, 1);
	assert_true(label_request(labels, &w, &fec, &swap));
	assert_int_equal(w.binding->label, 101);
	assert_null(label_claim(labels, 200, &s, &swap, why, sizeof(why)));
	assert_string_equal(why, "label 200 is outside the static range 3000..3001");
	b = label_claim(labels, 3001, &s, &swap, why, sizeof(why));
	assert_non_null(b);
	label_unclaim(labels, b);
	label_release(labels, &u);
	label_release(labels, &v);
	label_release(labels, &w);
	fib_nh_put(rib_fib(rib), nh);
}

static void what_others_hold_is_left_alone(void **unused)
{
	struct label_key s = { .owner = LABEL_OWNER_STATIC }, red = vrf_key("RED"), blue = vrf_key("BLUE");
	struct fib_nh *nh = fib_nh_adjacency(rib_fib(rib), 1, NULL);
	struct label_action swap = { .action = FIB_LABEL_SWAP, .nh = nh, .out_label = 3 };
	struct label_user u = user(), v = user();
	struct labels_reserved r = { "" };
	char why[128];

	retries = 0;
	label_user_init(&u);
	label_user_init(&v);
	assert_false(labels_reserve(labels, LABELS_KERNEL, 100, 101));
	assert_true(labels_reserve(labels, "other", 100, 101));
	assert_false(labels_reserve(labels, "other", 102, 102));
	label_reserve_kernel(labels, 102, true);
	label_reserve_kernel(labels, 101, true);
	assert_true(label_request(labels, &u, &red, &pop1));
	assert_int_equal(u.binding->label, 103);
	assert_false(label_request(labels, &v, &blue, &pop1));
	assert_null(label_claim(labels, 102, &s, &swap, why, sizeof(why)));
	assert_string_equal(why, "label 102 is reserved for kernel");
	assert_true(labels_reserved_next(labels, &r));
	assert_string_equal(r.name, "other");
	assert_true(labels_reserved_next(labels, &r));
	assert_int_equal(r.from, 101);
	assert_true(labels_reserved_next(labels, &r));
	assert_int_equal(r.from, 102);
	assert_false(labels_reserved_next(labels, &r));
	/* 101 is still the kernel's */
	labels_unreserve(labels, "other");
	assert_int_equal(retries, 1);
	assert_string_equal(label_reserved_by(labels, 101), LABELS_KERNEL);
	assert_true(label_request(labels, &v, &blue, &pop1));
	assert_int_equal(v.binding->label, 100);
	label_release(labels, &v);
	label_release(labels, &u);
	fib_nh_put(rib_fib(rib), nh);
}

/* the same numbers as a plain array says, whatever was done before */
static void the_space_finds_what_is_free(void **unused)
{
	static bool taken[LABEL_SPACE];
	struct label_space *s = label_space_new();
	uint32_t from = 70000, to = 210000, i, at, want;
	unsigned int seed = 7, step;
	static int thing;

	for (i = from; i <= to; i++) {
		label_space_put(s, i, &thing);
		taken[i] = true;
	}
	assert_int_equal(label_space_next(s, from, to, from), -1);
	assert_int_equal(label_space_taken(s, from, to), to - from + 1);
	for (step = 0; step < 20000; step++) {
		i = from + rand_r(&seed) % (to - from + 1);
		if (step % 3) {
			label_space_put(s, i, taken[i] ? NULL : &thing);
			taken[i] = !taken[i];
		}
		for (at = i, want = 0; at <= to && taken[at]; at++)
			;
		if (at > to)
			for (at = from; at < i && taken[at]; at++)
				;
		want = taken[at] ? UINT32_MAX : at;
		assert_int_equal((uint32_t)label_space_next(s, from, to, i), want);
	}
	for (i = from; i <= to; i++)
		label_space_put(s, i, NULL);
	assert_int_equal(label_space_next(s, 16, LABEL_MAX, LABEL_MAX + 1), 16);
	assert_null(label_space_after(s, -1));
	label_space_reserve(s, LABEL_MAX);
	assert_int_equal(label_space_next(s, 16, LABEL_MAX, LABEL_MAX), 16);
	assert_null(label_space_after(s, -1));
	label_space_release(s, LABEL_MAX);
	label_space_free(s);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* @n numbers more, from @label on; what it took */
static double take_numbers(struct label_space *s, uint32_t label, uint32_t n)
{
	double start = seconds();
	uint32_t end = label + n;
	static int thing;

	for (; label < end; label++) {
		assert_int_equal(label_space_next(s, 16, LABEL_MAX, 16), label);
		label_space_put(s, label, &thing);
	}
	return seconds() - start;
}

/* the last numbers of a full space cost what the first did */
static void a_million_without_a_scan(void **unused)
{
	static struct label_user u[4000];
	struct label_key fec = { .owner = LABEL_OWNER_LDP };
	struct label_space *s = label_space_new();
	double first, last;
	uint32_t i;

	first = take_numbers(s, 16, 10000);
	take_numbers(s, 10016, 980000);
	last = take_numbers(s, 990016, 10000);
	assert_true(last < 20 * first + 0.01);
	label_space_free(s);

	assert_true(labels_configure(labels, 16, LABEL_MAX, 60));
	for (i = 0; i < ARRAY_SIZE(u); i++) {
		fec.prefix.addr = addr_v4(0x0a000000 + i);
		fec.prefix.len = 32;
		label_user_init(&u[i]);
		assert_true(label_request(labels, &u[i], &fec, &pop1));
		assert_int_equal(u[i].binding->label, 16 + i);
	}
	for (i = 0; i < ARRAY_SIZE(u); i++)
		label_release(labels, &u[i]);
}

static void same_labels_after_a_restart(void **unused)
{
	char path[] = "/tmp/l3vpn-labels-XXXXXX", why[256];
	struct label_user u = user(), v = user();
	struct label_key red = vrf_key("RED"), ce = { .owner = LABEL_OWNER_CE }, blue = vrf_key("BLUE");
	struct ip_addr a;
	FILE *f;
	int fd;

	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	addr_parse("2001:db8::7", &a);
	strcpy(ce.vrf, "RED");
	strcpy(ce.ifname, "ce1");
	ce.prefix = prefix_host(&a);
	assert_true(labels_load(labels, path, why, sizeof(why)));
	label_user_init(&u);
	label_user_init(&v);
	assert_true(label_request(labels, &u, &red, &pop1));
	assert_true(label_request(labels, &v, &ce, &pop1));
	assert_int_equal(v.binding->label, 101);
	/* as if killed: nothing is written that was not when label_request() returned */
	labels_free(labels);

	labels = labels_new(jobs, rib_fib(rib));
	assert_true(labels_configure(labels, 100, 103, 60));
	assert_true(labels_load(labels, path, why, sizeof(why)));
	label_user_init(&u);
	label_user_init(&v);
	/* a new owner first: it must not get what is reserved */
	assert_true(label_request(labels, &u, &blue, &pop1));
	assert_true(u.binding->label >= 102);
	assert_true(label_request(labels, &v, &ce, &pop1));
	assert_int_equal(v.binding->label, 101);
	labels_restart_done(labels);
	assert_int_equal(labels_after(labels, -1)->state, LABEL_QUARANTINED);
	label_release(labels, &u);
	label_release(labels, &v);
	labels_free(labels);

	/* the later line counts, by label and by owner; one that was cut short does not */
	f = fopen(path, "a");
	fputs("101 vrf GREEN - -\n103 vrf RED - -\n102 vrf WH", f);
	fclose(f);
	labels = labels_new(jobs, rib_fib(rib));
	assert_true(labels_load(labels, path, why, sizeof(why)));
	assert_string_equal(label_by_number(labels, 101)->key.vrf, "GREEN");
	assert_string_equal(label_by_number(labels, 103)->key.vrf, "RED");
	assert_null(label_by_number(labels, 100));
	assert_string_equal(label_by_number(labels, 102)->key.vrf, "BLUE");
	labels_free(labels);

	f = fopen(path, "a");
	fputs("101 nobody RED - -\n", f);
	fclose(f);
	labels = labels_new(jobs, rib_fib(rib));
	assert_false(labels_load(labels, path, why, sizeof(why)));
	assert_non_null(strstr(why, ":5: malformed"));
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(life_of_a_label, setup, teardown),
		cmocka_unit_test_setup_teardown(exhaustion_waits_for_quarantine, setup, teardown),
		cmocka_unit_test_setup_teardown(refusal_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(operator_labels_collide, setup, teardown),
		cmocka_unit_test_setup_teardown(owners_have_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_hold_is_left_alone, setup, teardown),
		cmocka_unit_test(the_space_finds_what_is_free),
		cmocka_unit_test_setup_teardown(a_million_without_a_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(same_labels_after_a_restart, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
