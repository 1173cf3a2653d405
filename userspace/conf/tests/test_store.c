// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf */
/*
 * The store: commit, confirmed commits and their rollback, history, start-up file, what happens when the daemon
 * dies, and subscribers, which are called for exactly what differs.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "lib/log.h"
#include "lib/mem.h"

struct box {
	uv_loop_t loop;
	struct conf *conf;
	char dir[40], file[64];
	char events[4096];		/* of subscribers, one a line */
	const char *veto;		/* name of a VRF that validate refuses */
	uint64_t rolled_back;
};

static void note(struct box *b, const char *who, enum conf_op op, const struct lyd_node *old,
		 const struct lyd_node *now)
{
	char path[200];
	size_t used = strlen(b->events);

	lyd_path(now ? now : old, LYD_PATH_STD, path, sizeof(path));
	assert_int_equal(!old, op == CONF_ADD);
	assert_int_equal(!now, op == CONF_DEL);
	snprintf(b->events + used, sizeof(b->events) - used, "%s %c %s\n", who, "+-*"[op], path);
}

static void vrf_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	note(arg, "vrf", op, old, now);
}

static void port_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	note(arg, "port", op, old, now);
}

static void label_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	note(arg, "label", op, old, now);
}

static void bgp_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	note(arg, "bgp", op, old, now);
}

static void peer_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	note(arg, "peer", op, old, now);
}

static bool vrf_validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	struct box *b = arg;
	const struct lyd_node *vrf;

	conf_for_each_top(vrf, candidate, "vrf") {
		if (b->veto && !strcmp(conf_str(vrf, "name", ""), b->veto))
			return conf_error_node(err, vrf, "%s is not wanted", b->veto);
	}
	return true;
}

static void on_rollback(uint64_t id, void *arg)
{
	((struct box *)arg)->rolled_back = id;
}

static void boot(struct box *b)
{
	struct conf_options opt = { .loop = &b->loop, .state_dir = b->dir, .file = b->file };
	struct conf_subscriber subs[] = {
		{ "peer", "/l3vpn:bgp/vrf/neighbor", 71, NULL, peer_change, b },
		{ "port", "/l3vpn:interface", 40, NULL, port_change, b },
		{ "vrf", "/l3vpn:vrf", 30, vrf_validate, vrf_change, b },
		{ "label", "/l3vpn:mpls/label", 20, NULL, label_change, b },
		{ "bgp", "/l3vpn:bgp", 70, NULL, bgp_change, b },
	};
	struct conf_error err = { 0 };

	uv_loop_init(&b->loop);
	b->conf = conf_new(&opt, &err);
	if (!b->conf)
		fail_msg("%s: %s", err.path, err.reason);
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++)
		conf_subscribe(b->conf, &subs[i]);
	conf_on_rollback(b->conf, on_rollback, b);
}

static void boot_ok(struct box *b)
{
	struct conf_error err = { 0 };

	boot(b);
	if (!conf_start(b->conf, &err))
		fail_msg("line %u %s: %s", err.line, err.path, err.reason);
}

/* Not a goodbye: nothing is written. */
static void die(struct box *b)
{
	conf_free(b->conf);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

static struct conf_candidate *begin(struct box *b)
{
	struct conf_error err = { 0 };
	struct conf_candidate *cand = conf_candidate_open(b->conf, "tester", false, &err);

	assert_non_null(cand);
	return cand;
}

static void edit(struct conf_candidate *cand, const char *text)
{
	struct conf_error err = { 0 };

	if (!conf_edit(cand, NULL, text, NULL, &err))
		fail_msg("line %u %s: %s", err.line, err.path, err.reason);
}

static uint64_t commit_with(struct conf_candidate *cand, const struct conf_commit *how)
{
	struct conf_error err = { 0 };
	uint64_t id;

	if (!conf_commit(cand, how, &id, &err))
		fail_msg("%s: %s", err.path, err.reason);
	return id;
}

/* Edit and commit; the subscribers' calls are those given. */
static void expect(struct box *b, const char *text, const char *events)
{
	struct conf_candidate *cand = begin(b);

	b->events[0] = 0;
	edit(cand, text);
	commit_with(cand, NULL);
	conf_candidate_close(cand);
	assert_string_equal(b->events, events);
}

static void running_is(struct box *b, const char *wanted)
{
	char *text = conf_text(conf_running(b->conf), NULL, CONF_PRINT_SECRETS);

	assert_string_equal(text, wanted);
	free(text);
}

static void file_is(const char *path, const char *wanted)
{
	char buf[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = 0;
	assert_string_equal(buf, wanted);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
}

static void exactly_what_differs(void **state)
{
	struct box *b = *state;

	boot_ok(b);
	assert_string_equal(b->events, "");
	expect(b, "vrf A\nvrf B\ninterface e0\n vrf A\nrouter bgp 1\n router-id 1.1.1.1\n vrf A\n  neighbor 9.9.9.9\n"
	       "   remote-as 2\n",
	       "vrf + /l3vpn:vrf[name='A']\nvrf + /l3vpn:vrf[name='B']\nport + /l3vpn:interface[name='e0']\n"
	       "bgp + /l3vpn:bgp\npeer + /l3vpn:bgp/vrf[name='A']/neighbor[address='9.9.9.9']\n");
	/* the same again, a default said aloud, an order that means nothing: no difference */
	expect(b, "vrf B\n label mode per-vrf\n", "");
	expect(b, "no vrf A\nvrf A\n", "");
	expect(b, "vrf B\n rd 1:1\n", "vrf * /l3vpn:vrf[name='B']\n");
	expect(b, "vrf A\n address-family ipv4 unicast\n  import route-target 1:1\n  import route-target 1:2\n",
	       "vrf * /l3vpn:vrf[name='A']\n");
	expect(b, "vrf A\n address-family ipv4 unicast\n  no import route-target 1:1\n  import route-target 1:1\n", "");
	/* below it counts; beside it does not */
	expect(b, "router bgp 1 vrf A neighbor 9.9.9.9 timers keepalive 7",
	       "bgp * /l3vpn:bgp\npeer * /l3vpn:bgp/vrf[name='A']/neighbor[address='9.9.9.9']\n");
	expect(b, "router bgp 1\n listen-port 1179\n", "bgp * /l3vpn:bgp\n");
	/* a container without presence is there when something in it is set */
	expect(b, "mpls label hold-down 5", "label + /l3vpn:mpls/label\n");
	expect(b, "mpls label hold-down 6", "label * /l3vpn:mpls/label\n");
	expect(b, "no mpls label hold-down", "label - /l3vpn:mpls/label\n");
	expect(b, "hostname pe1", "");
	/* where order means something, it counts */
	expect(b, "interface e0\n ipv4 address 10.0.0.1/24\n ipv4 address 10.0.0.2/24\n",
	       "port * /l3vpn:interface[name='e0']\n");
	expect(b, "interface e0\n no ipv4 address 10.0.0.1/24\n ipv4 address 10.0.0.1/24\n",
	       "port * /l3vpn:interface[name='e0']\n");
	/* what goes, goes first and from the top; what comes, from the bottom */
	expect(b, "no router bgp\nno interface e0\nno vrf A\nvrf C\ninterface e1\n vrf C\n",
	       "peer - /l3vpn:bgp/vrf[name='A']/neighbor[address='9.9.9.9']\nbgp - /l3vpn:bgp\n"
	       "port - /l3vpn:interface[name='e0']\nvrf - /l3vpn:vrf[name='A']\n"
	       "vrf + /l3vpn:vrf[name='C']\nport + /l3vpn:interface[name='e1']\n");
	die(b);
}

static void refused_changes_nothing(void **state)
{
	static const struct {
		const char *text, *path, *reason;
	} bad[] = {
		{ "interface e0 vrf NONE", "/l3vpn:interface[name='e0']/vrf", "vrf \"NONE\" is not configured" },
		{ "router static\n vrf NONE", "/l3vpn:static/vrf[name='NONE']/name", "vrf \"NONE\" is not configured" },
		{ "vrf A\ninterface e0\n vrf A\n mpls\n", "/l3vpn:interface[name='e0']/vrf", "not both" },
		{ "mpls label range dynamic 500 400", "/l3vpn:mpls/label/dynamic/maximum", "above minimum" },
		{ "router bgp 1", "/l3vpn:bgp/router-id", "router-id" },
		{ "vrf A\nrouter static\n vrf A\n  route 10.0.0.0/8\n",
		  "/l3vpn:static/vrf[name='A']/route[prefix='10.0.0.0/8']", "a route needs" },
		{ "vrf EVIL", "/l3vpn:vrf[name='EVIL']", "EVIL is not wanted" },
	};
	struct box *b = *state;
	struct conf_commit_info info;
	struct conf_error err;

	boot_ok(b);
	expect(b, "vrf Z", "vrf + /l3vpn:vrf[name='Z']\n");
	b->veto = "EVIL";
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct conf_candidate *cand = begin(b);
		uint64_t id;

		b->events[0] = 0;
		edit(cand, bad[i].text);
		assert_false(conf_validate(cand, &err));
		assert_false(conf_commit(cand, NULL, &id, &err));
		if (strcmp(err.path, bad[i].path) || !strstr(err.reason, bad[i].reason))
			fail_msg("%s\n-> %s: %s", bad[i].text, err.path, err.reason);
		assert_int_equal(err.kind, CONF_REFUSED);
		assert_string_equal(b->events, "");
		/* the candidate keeps its edits, to be mended */
		assert_true(conf_candidate_changed(cand));
		conf_candidate_close(cand);
	}
	running_is(b, "vrf Z\n!\n");
	file_is(b->file, "vrf Z\n!\n");
	assert_true(conf_history(b->conf, 0, &info));
	assert_int_equal(info.id, 2);
	die(b);
}

static void edit_is_all_or_nothing(void **state)
{
	struct box *b = *state;
	struct conf_candidate *cand;
	struct conf_error err;

	boot_ok(b);
	cand = begin(b);
	edit(cand, "vrf A");
	assert_false(conf_edit(cand, NULL, "vrf B\nno vrf A\nvrf C\n rd wrong\n", NULL, &err));
	assert_int_equal(err.line, 4);
	commit_with(cand, NULL);
	running_is(b, "vrf A\n!\n");
	assert_false(conf_replace_text(cand, "vrf B\nfish\n", &err));
	assert_int_equal(err.line, 2);
	assert_false(conf_replace_json(cand, "{\"l3vpn:vrf\":[{\"name\":\"B\",\"fish\":1}]}", &err));
	assert_true(err.reason[0]);
	assert_false(conf_merge_json(cand, "{\"l3vpn:vrf\":", &err));
	assert_false(conf_set(cand, "/l3vpn:vrf[name='B']/rd", "wrong", &err));
	assert_false(conf_set(cand, "/l3vpn:fish", "wrong", &err));
	assert_string_equal(err.path, "/l3vpn:fish");
	assert_false(conf_delete(cand, "/l3vpn:vrf[name='B']", &err));
	assert_false(conf_delete(cand, "/l3vpn:vrf[name='A']/name", &err));
	assert_false(conf_candidate_changed(cand));
	assert_true(conf_set(cand, "/l3vpn:vrf[name='B']/rd", "7:7", &err));
	assert_true(conf_delete(cand, "/l3vpn:vrf[name='A']", &err));
	assert_true(conf_merge_json(cand, "{\"l3vpn:hostname\":\"pe\"}", &err));
	commit_with(cand, NULL);
	running_is(b, "hostname pe\nvrf B\n rd 7:7\n!\n");
	conf_candidate_close(cand);
	die(b);
}

static void start_up_file(void **state)
{
	struct box *b = *state;
	struct conf_error err = { 0 };

	/* line of what the grammar refuses, and of what only validation sees */
	write_file(b->file, "vrf A\n rd 1:1\n fish\n");
	boot(b);
	assert_false(conf_start(b->conf, &err));
	assert_int_equal(err.line, 3);
	assert_null(conf_running(b->conf));
	die(b);
	write_file(b->file, "vrf A\n!\n\ninterface e0\n description x\n vrf NONE\n!\n");
	boot(b);
	assert_false(conf_start(b->conf, &err));
	assert_int_equal(err.line, 6);
	assert_string_equal(err.path, "/l3vpn:interface[name='e0']/vrf");
	assert_string_equal(b->events, "");
	die(b);
	write_file(b->file, "vrf A\n!\n");
	boot_ok(b);
	assert_string_equal(b->events, "vrf + /l3vpn:vrf[name='A']\n");
	die(b);
	/* a file that cannot be read is no empty configuration */
	unlink(b->file);
	mkdir(b->file, 0700);
	boot(b);
	assert_false(conf_start(b->conf, &err));
	assert_string_equal(err.path, b->file);
	die(b);
	rmdir(b->file);
}

static void rollback_by_number(void **state)
{
	struct box *b = *state;
	struct conf_candidate *cand;
	struct conf_commit_info info;
	struct conf_error err;
	struct stat st;
	char path[80];

	boot_ok(b);
	expect(b, "vrf A", "vrf + /l3vpn:vrf[name='A']\n");
	expect(b, "vrf B", "vrf + /l3vpn:vrf[name='B']\n");
	expect(b, "no vrf A", "vrf - /l3vpn:vrf[name='A']\n");
	die(b);
	boot_ok(b);	/* history outlives the daemon, and a start that changes nothing is no commit */
	assert_true(conf_history(b->conf, 0, &info));
	assert_int_equal(info.id, 4);
	assert_string_equal(info.owner, "tester");
	cand = begin(b);
	assert_true(conf_rollback(cand, 1, &err));
	b->events[0] = 0;
	assert_int_equal(commit_with(cand, &(struct conf_commit){ .comment = "two\nlines" }), 5);
	assert_string_equal(b->events, "vrf + /l3vpn:vrf[name='A']\n");
	running_is(b, "vrf A\n!\nvrf B\n!\n");
	assert_true(conf_history(b->conf, 0, &info));
	assert_string_equal(info.comment, "two lines");
	assert_true(conf_rollback(cand, 4, &err));
	commit_with(cand, NULL);
	running_is(b, "");
	assert_false(conf_rollback(cand, 6, &err));
	snprintf(path, sizeof(path), "%s/commits/00000005.conf", b->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* the oldest make room */
	for (int i = 0; i < CONF_HISTORY + 5; i++) {
		edit(cand, i & 1 ? "no vrf X" : "vrf X");
		commit_with(cand, NULL);
	}
	assert_true(conf_history(b->conf, CONF_HISTORY - 1, &info));
	assert_false(conf_history(b->conf, CONF_HISTORY, &info));
	assert_int_not_equal(stat(path, &st), 0);
	conf_candidate_close(cand);
	die(b);
}

static void run_until_rolled_back(struct box *b)
{
	while (!b->rolled_back && uv_run(&b->loop, UV_RUN_ONCE))
		;
}

static void confirmed_in_time(void **state)
{
	const struct conf_commit confirmed = { .confirm_ms = 60000 };
	struct box *b = *state;
	struct conf_candidate *cand;
	struct conf_error err;

	boot_ok(b);
	cand = begin(b);
	assert_false(conf_confirm(b->conf, &err));
	assert_int_equal(err.kind, CONF_LOCKED);
	edit(cand, "vrf A");
	commit_with(cand, &confirmed);
	running_is(b, "vrf A\n!\n");
	file_is(b->file, "");
	assert_true(conf_confirm_left_ms(b->conf) > 50000);
	assert_true(conf_confirm(b->conf, &err));
	file_is(b->file, "vrf A\n!\n");
	assert_int_equal(conf_confirm_left_ms(b->conf), 0);
	/* its owner's next commit confirms as well, with changes or without */
	edit(cand, "vrf B");
	commit_with(cand, &confirmed);
	commit_with(cand, NULL);
	file_is(b->file, "vrf A\n!\nvrf B\n!\n");
	edit(cand, "vrf C");
	commit_with(cand, &confirmed);
	edit(cand, "no vrf A");
	commit_with(cand, NULL);
	file_is(b->file, "vrf B\n!\nvrf C\n!\n");
	assert_int_equal(conf_confirm_left_ms(b->conf), 0);
	conf_candidate_close(cand);
	die(b);
}

static void not_confirmed(void **state)
{
	struct box *b = *state;
	struct conf_candidate *cand, *other;
	struct conf_commit_info info;
	struct conf_error err;
	uint64_t id;

	boot_ok(b);
	expect(b, "vrf A", "vrf + /l3vpn:vrf[name='A']\n");
	cand = begin(b);
	other = begin(b);
	edit(cand, "vrf B");
	commit_with(cand, &(struct conf_commit){ .confirm_ms = 60000 });
	/* extended, with more: still back to where it began */
	edit(cand, "vrf C");
	id = commit_with(cand, &(struct conf_commit){ .confirm_ms = 50 });
	edit(other, "vrf D");
	assert_false(conf_commit(other, &(struct conf_commit){ .force = true }, NULL, &err));
	assert_int_equal(err.kind, CONF_LOCKED);
	/* the session may go: the clock runs on */
	conf_candidate_close(cand);
	b->events[0] = 0;
	run_until_rolled_back(b);
	assert_int_equal(b->rolled_back, id);
	assert_string_equal(b->events, "vrf - /l3vpn:vrf[name='C']\nvrf - /l3vpn:vrf[name='B']\n");
	running_is(b, "vrf A\n!\n");
	file_is(b->file, "vrf A\n!\n");
	assert_true(conf_history(b->conf, 0, &info));
	assert_non_null(strstr(info.comment, "not confirmed"));
	conf_candidate_close(other);
	die(b);
}

static void dies_unconfirmed(void **state)
{
	struct box *b = *state;
	struct conf_candidate *cand;

	boot_ok(b);
	expect(b, "vrf A", "vrf + /l3vpn:vrf[name='A']\n");
	cand = begin(b);
	edit(cand, "vrf B\nno vrf A");
	commit_with(cand, &(struct conf_commit){ .confirm_ms = 60000 });
	running_is(b, "vrf B\n!\n");
	conf_candidate_close(cand);
	die(b);
	boot_ok(b);
	running_is(b, "vrf A\n!\n");
	assert_int_equal(conf_confirm_left_ms(b->conf), 0);
	die(b);
}

static void two_sessions(void **state)
{
	struct box *b = *state;
	struct conf_candidate *one, *two, *three;
	struct conf_error err;
	uint64_t id;

	boot_ok(b);
	expect(b, "vrf A\n rd 1:1\ninterface e0\n ipv4 address 10.0.0.1/24\n ipv4 address 10.0.0.2/24\n",
	       "vrf + /l3vpn:vrf[name='A']\nport + /l3vpn:interface[name='e0']\n");
	one = begin(b);
	two = begin(b);
	three = begin(b);
	edit(one, "vrf A\n description one\nvrf B\n");
	edit(two, "vrf A\n no rd\ninterface e0\n no ipv4 address 10.0.0.1/24\n");
	commit_with(one, NULL);
	assert_false(conf_commit(two, NULL, &id, &err));
	assert_int_equal(err.kind, CONF_CHANGED);
	commit_with(two, &(struct conf_commit){ .force = true });
	running_is(b, "vrf A\n description one\n!\nvrf B\n!\ninterface e0\n ipv4 address 10.0.0.2/24\n!\n");
	/* one that had no edits begins with what runs when it edits */
	edit(three, "no vrf B");
	commit_with(three, NULL);
	running_is(b, "vrf A\n description one\n!\ninterface e0\n ipv4 address 10.0.0.2/24\n!\n");
	conf_candidate_close(one);
	conf_candidate_close(two);
	conf_candidate_close(three);
	/* exclusive */
	one = conf_candidate_open(b->conf, "alice", true, &err);
	assert_non_null(one);
	assert_null(conf_candidate_open(b->conf, "bob", false, &err));
	assert_non_null(strstr(err.reason, "alice"));
	conf_candidate_close(one);
	one = conf_candidate_open(b->conf, "bob", false, &err);
	assert_non_null(one);
	two = conf_candidate_open(b->conf, "alice", true, &err);
	edit(one, "vrf Q");
	assert_false(conf_commit(one, NULL, &id, &err));
	assert_int_equal(err.kind, CONF_LOCKED);
	conf_candidate_close(two);
	commit_with(one, NULL);
	conf_candidate_close(one);
	die(b);
}

/* A disk that says no makes the commit fail, and nobody was told. */
static void disk_refuses(void **state)
{
	struct box *b = *state;
	struct conf_candidate *cand;
	struct conf_commit_info info;
	struct conf_error err;
	char blocker[80];
	uint64_t id;

	boot_ok(b);
	expect(b, "vrf A", "vrf + /l3vpn:vrf[name='A']\n");
	/* a folder in place of the temporary file: writing fails even for root */
	snprintf(blocker, sizeof(blocker), "%s.new", b->file);
	assert_int_equal(mkdir(blocker, 0700), 0);
	cand = begin(b);
	edit(cand, "vrf B");
	b->events[0] = 0;
	assert_false(conf_commit(cand, NULL, &id, &err));
	assert_int_equal(err.kind, CONF_FAILED);
	assert_string_equal(err.path, b->file);
	assert_string_equal(b->events, "");
	running_is(b, "vrf A\n!\n");
	assert_true(conf_history(b->conf, 0, &info));
	assert_int_equal(info.id, 2);
	rmdir(blocker);
	commit_with(cand, NULL);
	running_is(b, "vrf A\n!\nvrf B\n!\n");
	conf_candidate_close(cand);
	die(b);
}

static void accessors(void **state)
{
	struct box *b = *state;
	const struct lyd_node *vrf, *rt, *bgp, *tree;
	int n = 0;

	boot_ok(b);
	expect(b, "vrf A\n rd 1:1\n address-family ipv4 unicast\n  import route-target 1:1\n  import route-target 1:2\n"
	       "vrf B\nrouter bgp 7\n router-id 1.2.3.4\n neighbor 9.9.9.9\n  remote-as 9\n  shutdown\n",
	       "vrf + /l3vpn:vrf[name='A']\nvrf + /l3vpn:vrf[name='B']\nbgp + /l3vpn:bgp\n");
	tree = conf_running(b->conf);
	conf_for_each_top(vrf, tree, "vrf")
		n++;
	assert_int_equal(n, 2);
	vrf = conf_top_entry(tree, "vrf", "A");
	assert_string_equal(conf_str(vrf, "rd", "none"), "1:1");
	assert_string_equal(conf_str(vrf, "label-mode", "none"), "per-vrf");
	assert_string_equal(conf_str(vrf, "description", "none"), "none");
	assert_false(conf_exists(vrf, "label-mode"));
	assert_true(conf_exists(vrf, "ipv4"));
	assert_false(conf_exists(vrf, "ipv6"));
	n = 0;
	conf_for_each(rt, vrf, "ipv4/import-route-target")
		n += conf_value(rt)[2] - '0';
	assert_int_equal(n, 3);
	bgp = conf_top(tree, "bgp");
	assert_int_equal(conf_u32(bgp, "as", 0), 7);
	assert_int_equal(conf_u32(bgp, "graceful-restart/restart-time", 0), 120);
	assert_int_equal(conf_u32(NULL, "as", 5), 5);
	assert_true(conf_bool(conf_entry(bgp, "neighbor", "9.9.9.9"), "shutdown", false));
	assert_false(conf_bool(conf_entry(bgp, "neighbor", "9.9.9.9"), "passive", false));
	assert_null(conf_entry(bgp, "neighbor", "9.9.9.8"));
	die(b);
}

static int start(void **state)
{
	struct box *b = xcalloc(1, sizeof(*b));

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	strcpy(b->dir, "/tmp/l3vpn-conf-XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	snprintf(b->file, sizeof(b->file), "%s/l3vpn.conf", b->dir);
	*state = b;
	return 0;
}

static int stop(void **state)
{
	struct box *b = *state;
	char *cmd = xasprintf("rm -rf '%s'", b->dir);
	int rc = system(cmd);

	free(cmd);
	free(b);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exactly_what_differs, start, stop),
		cmocka_unit_test_setup_teardown(refused_changes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(edit_is_all_or_nothing, start, stop),
		cmocka_unit_test_setup_teardown(start_up_file, start, stop),
		cmocka_unit_test_setup_teardown(rollback_by_number, start, stop),
		cmocka_unit_test_setup_teardown(confirmed_in_time, start, stop),
		cmocka_unit_test_setup_teardown(not_confirmed, start, stop),
		cmocka_unit_test_setup_teardown(dies_unconfirmed, start, stop),
		cmocka_unit_test_setup_teardown(two_sessions, start, stop),
		cmocka_unit_test_setup_teardown(disk_refuses, start, stop),
		cmocka_unit_test_setup_teardown(accessors, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
