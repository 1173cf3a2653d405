// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf */
/* Automatic route distinguishers and targets: what they are made of, that they stay, and that no two are alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "labels/labels.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/tests/recorder.h"
#include "vrf/auto.h"
#include "vrf/number.h"
#include "vrf/vrf.h"

static uv_loop_t loop;
static struct rib_env env;
static struct recorder rec;
static char path[64];		/* of the numbers */

static void pe_up(void)
{
	const struct conf_options copt = { .loop = &loop };
	struct conf_error err;
	char why[128];

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	assert_int_equal(uv_loop_init(&loop), 0);
	memset(&env, 0, sizeof(env));
	env.jobs = jobs_new(NULL);
	env.conf = conf_new(&copt, &err);
	assert_non_null(env.conf);
	env.rib = rib_new(env.jobs);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	env.vrfs = vrfs_new(&env);
	assert_true(vrfs_load_numbers(env.vrfs, path, why, sizeof(why)));
	assert_true(conf_start(env.conf, &err));
}

static void pe_down(void)
{
	vrfs_free(env.vrfs);
	jobs_run(env.jobs, 0);
	labels_free(env.labels);
	rec_end(&rec);
	rib_free(env.rib);
	jobs_free(env.jobs);
	conf_free(env.conf);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static int setup(void **unused)
{
	snprintf(path, sizeof(path), "/tmp/vrf-numbers.XXXXXX");
	close(mkstemp(path));
	unlink(path);
	pe_up();
	return 0;
}

static int teardown(void **unused)
{
	pe_down();
	unlink(path);
	return 0;
}

/* NULL: committed; else why not */
static const char *edit(const char *text)
{
	static struct conf_error err;
	struct conf_commit how = { 0 };
	struct conf_candidate *cand = conf_candidate_open(env.conf, "test", false, &err);
	uint64_t id;
	bool ok;

	assert_non_null(cand);
	ok = conf_edit(cand, NULL, text, NULL, &err) && conf_commit(cand, &how, &id, &err);
	conf_candidate_close(cand);
	jobs_run(env.jobs, 0);
	return ok ? NULL : err.reason;
}

static void take(const char *text)
{
	const char *why = edit(text);

	if (why)
		fail_msg("refused: %s: %s", why, text);
}

static void refuse(const char *text, const char *part)
{
	const char *why = edit(text);

	if (!why)
		fail_msg("taken: %s", text);
	if (!strstr(why, part))
		fail_msg("refused with \"%s\" in place of \"%s\"", why, part);
}

#define BGP(as, id) "router bgp " as "\n router-id " id "\n!\n"

static const char *rd_of(const char *vrf)
{
	static char text[2][RD_STRLEN];
	static int i;
	const struct vrf *v = vrf_find(env.vrfs, vrf);

	i ^= 1;
	return v->has_rd ? rd_str(&v->rd, text[i]) : "-";
}

static const char *targets_of(const char *vrf, bool export)
{
	static char text[128];
	const struct vrf_af *af = &vrf_find(env.vrfs, vrf)->af[AFI4];
	const struct rt_set *s = export ? &af->export : &af->import;
	char one[RT_STRLEN];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < s->n; i++)
		used += (size_t)sprintf(text + used, "%s%s", i ? " " : "", rt_str(&s->rt[i], one));
	return text;
}

static void distinguishers(void **unused)
{
	char a[RD_STRLEN], b[RD_STRLEN], text[256];

	take("vrf A\n rd auto\n!\n");
	assert_string_equal(rd_of("A"), "-");
	take(BGP("65000", "192.0.2.1"));
	snprintf(a, sizeof(a), "%s", rd_of("A"));
	assert_memory_equal(a, "192.0.2.1:", 10);
	take("vrf B\n rd auto\n!\n");
	snprintf(b, sizeof(b), "%s", rd_of("B"));
	assert_string_not_equal(a, b);
	/* written out for another VRF: neither before nor after */
	snprintf(text, sizeof(text), "vrf C\n rd %s\n!\n", a);
	refuse(text, "vrf A has the same rd, automatically: 192.0.2.1:");
	take("no vrf A\n");
	take(text);
	refuse("vrf A\n rd auto\n!\n", "vrf A has the same rd, automatically");
	take("no vrf C\nvrf A\n rd auto\n!\n");
	assert_string_equal(rd_of("A"), a);

	/* another router-id: the same numbers; one that is written out may be in the way then */
	snprintf(text, sizeof(text), "vrf C\n rd 192.0.2.9%s\n!\n", a + 9);
	take(text);
	refuse(BGP("65000", "192.0.2.9"), "same rd");
	take("no vrf C\n" BGP("65000", "192.0.2.9"));
	assert_string_equal(rd_of("A") + 9, a + 9);
	take("no router bgp\n");
	assert_string_equal(rd_of("A"), "-");
	take(BGP("65000", "192.0.2.1") "vrf A\n rd 65000:1\n!\n");
	assert_string_equal(rd_of("A"), "65000:1");
	assert_string_equal(rd_of("B"), b);
	/* all at once, and from the beginning */
	take("no vrf A\nno vrf B\nno router bgp\n");
	take(BGP("65000", "192.0.2.1") "vrf B\n rd auto\n!\nvrf A\n rd auto\n!\n");
	assert_string_equal(rd_of("A"), a);
	assert_string_equal(rd_of("B"), b);
}

/* Numbers of many VRFs are all different, and the same after a restart in which they come in another order. */
static void restarts(void **unused)
{
	static char rd[120][RD_STRLEN];
	char text[64];

	take(BGP("65000", "192.0.2.1"));
	for (int i = 0; i < 120; i++) {
		snprintf(text, sizeof(text), "vrf V%d\n rd auto\n!\n", i);
		take(text);
	}
	for (int i = 0; i < 120; i++) {
		snprintf(text, sizeof(text), "V%d", i);
		snprintf(rd[i], sizeof(rd[i]), "%s", rd_of(text));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(rd[i], rd[k]);
	}
	take("no vrf V7\n");
	pe_down();
	pe_up();
	take(BGP("65000", "192.0.2.1"));
	for (int i = 119; i >= 0; i--) {
		snprintf(text, sizeof(text), "vrf V%d\n rd auto\n!\n", i);
		take(text);
		snprintf(text, sizeof(text), "V%d", i);
		assert_string_equal(rd_of(text), rd[i]);
	}
}

static void targets(void **unused)
{
	take("vrf A\n vpn number 7\n address-family ipv4 unicast\n  import route-target auto\n"
	     "  export route-target auto\n  import route-target 65000:9\n !\n!\n");
	assert_string_equal(targets_of("A", false), "65000:9");
	assert_string_equal(targets_of("A", true), "");
	take(BGP("65000", "192.0.2.1"));
	assert_string_equal(targets_of("A", false), "65000:7 65000:9");
	assert_string_equal(targets_of("A", true), "65000:7");
	take("vrf A\n vpn number 70000\n!\n");
	assert_string_equal(targets_of("A", true), "65000:70000");
	/* type 2 has 16 bits for it */
	refuse("no router bgp\n" BGP("4200000000", "192.0.2.1"), "does not fit in a route target of AS 4200000000");
	take("vrf A\n vpn number 7\n!\n");
	take("no router bgp\n" BGP("4200000000", "192.0.2.1"));
	assert_string_equal(targets_of("A", true), "4200000000:7");
	refuse("vrf A\n vpn number 65536\n!\n", "at most 65535");
	refuse("vrf A\n no vpn number\n!\n", "needs the VRF's `vpn number`");
	take("vrf A\n address-family ipv4 unicast\n  no import route-target auto\n !\n!\n");
	assert_string_equal(targets_of("A", false), "65000:9");
	/* another VPN, changed with router bgp in one commit */
	take("no router bgp\n" BGP("65001", "192.0.2.1")
	     "vrf A\n vpn number 8\n!\n"
	     "vrf B\n vpn number 9\n address-family ipv4 unicast\n  import route-target auto\n !\n!\n");
	assert_string_equal(targets_of("A", true), "65001:8");
	assert_string_equal(targets_of("B", false), "65001:9");
	take("no router bgp\n");
	assert_string_equal(targets_of("B", false), "");
}

/* ---- numbers alone ---- */

static bool taken_below(void *arg, uint16_t number)
{
	return number < *(uint16_t *)arg;
}

static bool is_odd(void *arg, const char *name)
{
	return (name[strlen(name) - 1] - '0') & 1;
}

static void numbers(void **unused)
{
	struct vrf_numbers *n = vrf_numbers_new();
	uint16_t least = 65530, number;
	char name[16], why[128];
	FILE *f;

	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "X%d", i);
		assert_in_range(vrf_number_get(n, name, taken_below, &least), 65530, 65535);
	}
	assert_int_equal(vrf_number_get(n, "Y", taken_below, &least), 0);
	number = vrf_number_find(n, "X1");
	vrf_numbers_forget(n, is_odd, NULL);
	assert_int_equal(vrf_numbers_count(n), 3);
	assert_int_equal(vrf_number_find(n, "X1"), number);
	assert_int_equal(vrf_number_find(n, "X2"), 0);
	assert_in_range(vrf_number_get(n, "Y", taken_below, &least), 65530, 65535);
	vrf_numbers_free(n);

	/* what a crash leaves, and what somebody else wrote */
	unlink(path);
	f = fopen(path, "w");
	fputs("l3vpn vrf numbers 1\n7 RED\n9 BL", f);
	fclose(f);
	n = vrf_numbers_new();
	assert_true(vrf_numbers_load(n, path, why, sizeof(why)));
	assert_int_equal(vrf_number_get(n, "RED", NULL, NULL), 7);
	assert_int_equal(vrf_numbers_count(n), 1);
	number = vrf_number_get(n, "BLUE", NULL, NULL);
	vrf_numbers_free(n);
	n = vrf_numbers_new();
	assert_true(vrf_numbers_load(n, path, why, sizeof(why)));
	assert_int_equal(vrf_number_find(n, "BLUE"), number);
	vrf_numbers_free(n);
	f = fopen(path, "a");
	fputs("7 GREEN\n", f);		/* RED's */
	fclose(f);
	n = vrf_numbers_new();
	assert_false(vrf_numbers_load(n, path, why, sizeof(why)));
	assert_non_null(strstr(why, ":4: malformed"));
	vrf_numbers_free(n);
	unlink(path);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(distinguishers),
		test(restarts),
		test(targets),
		test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
