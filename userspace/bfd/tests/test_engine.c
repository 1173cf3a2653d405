// SPDX-License-Identifier: GPL-2.0
/*
 * Two engines and a wire between them, in simulated time: state machine, timers, poll sequences, demultiplexing.
 * Numbers are sections of RFC 5880.
 *
 *      a (10.0.0.1) ---- DELAY_US, cut at will ---- b (10.0.0.2)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bfd/engine.h"

#define DELAY_US	300u
#define MS		1000u
#define SECOND		1000000u
#define WIRE		64

struct sim;

struct end {
	struct sim *sim;
	struct bfd_engine engine;
	struct bfd_session *s;
	struct ip_addr addr;
	unsigned int ups, downs, changes;
	enum liveness_state liveness;
	struct bfd_packet last;			/* sent */
	unsigned int sent, polls, finals;
	uint64_t sent_us, gap_min, gap_max;	/* between periodic packets */
};

struct flying {
	uint64_t due;
	struct end *to;
	uint8_t data[BFD_PACKET_LEN];
};

struct sim {
	uint64_t now;
	uint32_t random;
	bool cut_ab, cut_ba;
	struct end a, b;
	struct flying wire[WIRE];
	unsigned int n;
};

static uint32_t op_random(void *arg)
{
	struct sim *sim = ((struct end *)arg)->sim;

	sim->random ^= sim->random << 13;
	sim->random ^= sim->random >> 17;
	sim->random ^= sim->random << 5;
	return sim->random;
}

static bool op_send(void *arg, struct bfd_session *s, const uint8_t packet[BFD_PACKET_LEN])
{
	struct end *e = arg, *to = e == &e->sim->a ? &e->sim->b : &e->sim->a;
	struct sim *sim = e->sim;
	uint64_t gap = sim->now - e->sent_us;

	assert_int_equal(bfd_packet_decode(cursor_make(packet, BFD_PACKET_LEN), &e->last), BFD_TAKEN);
	e->sent++;
	e->polls += e->last.poll;
	e->finals += e->last.final;
	assert_false(e->last.poll && e->last.final);
	if (!e->last.final) {
		if (e->sent_us && gap < e->gap_min)
			e->gap_min = gap;
		if (e->sent_us && gap > e->gap_max)
			e->gap_max = gap;
		e->sent_us = sim->now;
	}
	if (e == &sim->a ? sim->cut_ab : sim->cut_ba)
		return true;
	assert_true(sim->n < WIRE);
	sim->wire[sim->n].due = sim->now + DELAY_US;
	sim->wire[sim->n].to = to;
	memcpy(sim->wire[sim->n++].data, packet, BFD_PACKET_LEN);
	return true;
}

static void op_changed(void *arg, struct bfd_session *s, enum bfd_state was)
{
	struct end *e = arg;

	e->changes++;
	e->ups += s->state == BFD_UP && was != BFD_UP;
	e->downs += s->state != BFD_UP && was == BFD_UP;
	e->liveness = s->liveness;
}

static void op_opened(void *arg, struct bfd_session *s)
{
	struct end *e = arg;

	e->s = s;
}

static void op_closing(void *arg, struct bfd_session *s)
{
	struct end *e = arg;

	e->s = NULL;
}

static void end_init(struct sim *sim, struct end *e, uint32_t addr)
{
	const struct bfd_ops ops = { .send = op_send, .changed = op_changed, .opened = op_opened,
				     .closing = op_closing, .random = op_random, .arg = e };

	e->sim = sim;
	e->addr = addr_v4(addr);
	bfd_engine_init(&e->engine, &ops);
}

static struct sim *sim_new(uint32_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	sim->now = SECOND;
	sim->random = seed;
	end_init(sim, &sim->a, 0x0a000001);
	end_init(sim, &sim->b, 0x0a000002);
	return sim;
}

static void sim_free(struct sim *sim)
{
	bfd_engine_fini(&sim->a.engine);
	bfd_engine_fini(&sim->b.engine);
	free(sim);
}

static struct liveness_key key_of(const struct end *e)
{
	const struct end *other = e == &e->sim->a ? &e->sim->b : &e->sim->a;

	return liveness_key(0, false, &other->addr, NULL, NULL);
}

static void want(struct end *e, uint32_t ms, uint8_t mult, bool passive)
{
	const struct liveness_params p = { .interval_us = ms * MS, .multiplier = mult, .passive = passive };
	struct liveness_key key = key_of(e);

	bfd_engine_want(&e->engine, &key, &p, e->sim->now);
}

static enum bfd_discard receive(struct end *e, const uint8_t *data, size_t len, int ttl)
{
	const struct end *from = e == &e->sim->a ? &e->sim->b : &e->sim->a;
	const struct bfd_rx rx = { .from = from->addr, .to = e->addr, .ttl = ttl };

	return bfd_engine_receive(&e->engine, &rx, data, len, e->sim->now);
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* lets @us microseconds pass */
static void pass(struct sim *sim, uint64_t us)
{
	uint64_t end = sim->now + us, next;
	struct flying f;

	for (;;) {
		next = min64(bfd_engine_due(&sim->a.engine), bfd_engine_due(&sim->b.engine));
		if (sim->n)
			next = min64(next, sim->wire[0].due);
		if (next > end)
			break;
		if (next > sim->now)
			sim->now = next;
		if (sim->n && sim->wire[0].due <= sim->now) {
			f = sim->wire[0];
			memmove(sim->wire, sim->wire + 1, --sim->n * sizeof(f));
			receive(f.to, f.data, sizeof(f.data), 255);
		}
		bfd_engine_run(&sim->a.engine, sim->now);
		bfd_engine_run(&sim->b.engine, sim->now);
	}
	sim->now = end;
}

static void gaps_reset(struct end *e)
{
	e->sent_us = 0;
	e->gap_min = UINT64_MAX;
	e->gap_max = 0;
	e->sent = e->polls = e->finals = 0;
}

/* both up, fast, and no poll under way */
static struct sim *settled(uint32_t seed, uint32_t ms, uint8_t mult)
{
	struct sim *sim = sim_new(seed);

	want(&sim->a, ms, mult, false);
	want(&sim->b, ms, mult, false);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_UP);
	assert_int_equal(sim->b.s->state, BFD_UP);
	assert_false(sim->a.s->polling || sim->b.s->polling);
	assert_int_equal(sim->a.ups, 1);
	assert_int_equal(sim->a.downs, 0);
	gaps_reset(&sim->a);
	gaps_reset(&sim->b);
	return sim;
}

/* ---- tests ---- */

static void state_machine(void **state)
{
	/* 6.2: what is received (admin-down, down, init, up) in down, init, up */
	static const uint8_t next[3][4] = {
		{ BFD_DOWN, BFD_INIT, BFD_UP, BFD_DOWN },
		{ BFD_DOWN, BFD_INIT, BFD_UP, BFD_UP },
		{ BFD_DOWN, BFD_DOWN, BFD_UP, BFD_UP },
	};
	struct bfd_rule r;
	int s, ev;

	for (s = BFD_DOWN; s <= BFD_UP; s++) {
		for (ev = 0; ev < 4; ev++)
			assert_int_equal(bfd_fsm_rule(s, ev).next, next[s - BFD_DOWN][ev]);
		r = bfd_fsm_rule(s, BFD_EV_DISABLE);
		assert_int_equal(r.next, BFD_ADMIN_DOWN);
		assert_int_equal(r.diag, BFD_DIAG_ADMIN);
		assert_int_equal(bfd_fsm_rule(s, BFD_EV_EXPIRED).next, BFD_DOWN);
	}
	assert_int_equal(bfd_fsm_rule(BFD_UP, BFD_EV_EXPIRED).diag, BFD_DIAG_EXPIRED);
	assert_int_equal(bfd_fsm_rule(BFD_UP, BFD_EV_RX_DOWN).diag, BFD_DIAG_NEIGHBOR);
	assert_int_equal(bfd_fsm_rule(BFD_UP, BFD_EV_RX_ADMIN_DOWN).diag, BFD_DIAG_NEIGHBOR);
	for (ev = 0; ev < BFD_EVENTS; ev++)
		assert_int_equal(bfd_fsm_rule(BFD_ADMIN_DOWN, ev).next,
				 ev == BFD_EV_ENABLE ? BFD_DOWN : BFD_ADMIN_DOWN);
}

static void octets(void **state)
{
	static const uint8_t want_[BFD_PACKET_LEN] = {
		0x21, 0xe8, 3, 24, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0xc3, 0x50, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0,
	};
	const struct bfd_packet p = { .diag = BFD_DIAG_EXPIRED, .state = BFD_UP, .poll = true, .cpi = true, .mult = 3,
				      .my = 0x01020304, .your = 0x05060708, .min_tx = 50000, .min_rx = 1000000 };
	uint8_t out[BFD_PACKET_LEN];
	struct bfd_packet back;

	bfd_packet_encode(&p, out);
	assert_memory_equal(out, want_, sizeof(out));
	assert_int_equal(bfd_packet_decode(cursor_make(out, sizeof(out)), &back), BFD_TAKEN);
	assert_true(back.poll && back.cpi && !back.final && !back.demand && !back.auth);
	assert_int_equal(back.my, p.my);
	assert_int_equal(back.your, p.your);
	assert_int_equal(back.min_tx, 50000);
	assert_int_equal(back.diag, BFD_DIAG_EXPIRED);
}

/* what is wrong with a packet: octet, value, why */
static void discards(void **state)
{
	static const struct {
		uint8_t at, value;
		enum bfd_discard why;
	} cases[] = {
		{ 0, 0x40, BFD_BAD_VERSION }, { 0, 0x00, BFD_BAD_VERSION }, { 3, 23, BFD_BAD_LENGTH },
		{ 3, 25, BFD_SHORT }, { 2, 0, BFD_ZERO_MULT }, { 1, 0xc1, BFD_MULTIPOINT }, { 7, 0, BFD_ZERO_MY },
		{ 11, 1, BFD_UNKNOWN_YOUR }, { 1, 0xc0, BFD_ZERO_YOUR }, { 1, 0x80, BFD_ZERO_YOUR },
		{ 1, 0x44, BFD_BAD_LENGTH },
	};
	struct sim *sim = sim_new(7);
	uint8_t good[28] = { 0x20, 0x40, 3, 24, 0, 0, 0, 9 }, bad[28];
	struct bfd_rx rx = { .from = sim->b.addr, .to = sim->a.addr, .ttl = 255 };
	unsigned int i;

	want(&sim->a, 50, 3, false);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bad, good, sizeof(bad));
		bad[cases[i].at] = cases[i].value;
		assert_int_equal(receive(&sim->a, bad, BFD_PACKET_LEN, 255), cases[i].why);
		assert_true(sim->a.engine.count.discards[cases[i].why]);
	}
	for (i = 0; i < BFD_PACKET_LEN; i++)
		assert_int_equal(receive(&sim->a, good, i, 255), BFD_SHORT);
	assert_int_equal(receive(&sim->a, good, BFD_PACKET_LEN, 254), BFD_BAD_TTL);
	assert_int_equal(receive(&sim->a, good, BFD_PACKET_LEN, -1), BFD_BAD_TTL);
	/* authentication where none is in use: 6.8.6 */
	memcpy(bad, good, sizeof(bad));
	bad[1] |= 0x04;
	bad[3] = 28;
	bad[24] = 1;
	bad[25] = 4;
	assert_int_equal(receive(&sim->a, bad, 28, 255), BFD_AUTH);
	assert_int_equal(sim->a.s->count.discards[BFD_AUTH], 1);
	assert_int_equal(sim->a.s->remote_discr, 0);
	/* from elsewhere: another address, VRF, kind */
	rx.from = addr_v4(0x0a000003);
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, good, 24, sim->now), BFD_NO_SESSION);
	rx.from = sim->b.addr;
	rx.vrf = 1;
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, good, 24, sim->now), BFD_NO_SESSION);
	rx.vrf = 0;
	rx.multihop = true;
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, good, 24, sim->now), BFD_NO_SESSION);
	assert_int_equal(sim->a.s->state, BFD_DOWN);
	assert_int_equal(sim->a.changes, 0);
	/* what lies behind the packet is not looked at */
	assert_int_equal(receive(&sim->a, good, 28, 255), BFD_TAKEN);
	assert_int_equal(sim->a.s->state, BFD_INIT);
	sim_free(sim);
}

/* 6.8.3: a second between packets until it is up; then a poll, then the interval; 6.8.7: jitter */
static void slow_start_poll_jitter(void **state)
{
	struct sim *sim = sim_new(11);

	want(&sim->a, 50, 3, false);
	gaps_reset(&sim->a);
	pass(sim, 10 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_DOWN);
	assert_in_range(sim->a.sent, 10, 14);
	assert_in_range(sim->a.gap_min, 750 * MS, SECOND);
	assert_int_equal(sim->a.last.min_tx, SECOND);
	assert_int_equal(sim->a.last.min_rx, 50 * MS);
	assert_int_equal(sim->a.last.your, 0);

	want(&sim->b, 50, 3, false);
	pass(sim, 2 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_UP);
	assert_true(sim->a.polls >= 1 && sim->b.finals >= 1 && sim->b.polls >= 1 && sim->a.finals >= 1);
	assert_int_equal(bfd_detection_time(sim->a.s), 150 * MS);
	assert_int_equal(sim->a.last.your, sim->b.s->discr);
	gaps_reset(&sim->a);
	pass(sim, 20 * SECOND);
	assert_in_range(sim->a.gap_min, 37500, 40000);
	assert_in_range(sim->a.gap_max, 48000, 50000);
	assert_int_equal(sim->a.polls, 0);
	assert_in_range(sim->a.sent, 400, 534);
	sim_free(sim);

	sim = settled(5, 100, 1);
	pass(sim, 20 * SECOND);
	assert_in_range(sim->a.gap_min, 75 * MS, 80 * MS);
	assert_in_range(sim->a.gap_max, 85 * MS, 90 * MS);
	sim_free(sim);
}

/* the slower of what one sends and the other takes: 6.8.2, 6.8.4 */
static void negotiation(void **state)
{
	struct sim *sim = sim_new(3);

	want(&sim->a, 50, 3, false);
	want(&sim->b, 300, 5, false);
	pass(sim, 5 * SECOND);
	assert_int_equal(bfd_tx_interval(sim->a.s), 300 * MS);
	assert_int_equal(bfd_tx_interval(sim->b.s), 300 * MS);
	assert_int_equal(bfd_detection_time(sim->a.s), 5 * 300 * MS);
	assert_int_equal(bfd_detection_time(sim->b.s), 3 * 300 * MS);
	sim_free(sim);
}

static void loss_is_detected(void **state)
{
	struct sim *sim;
	uint32_t seed;
	uint64_t at;

	for (seed = 1; seed < 50; seed++) {
		sim = settled(seed, 50, 3);
		pass(sim, seed * 1234);
		sim->cut_ba = true;
		at = sim->now;
		while (!sim->a.downs)
			pass(sim, MS);
		/* the last packet came at most an interval before the cut */
		assert_in_range(sim->now - at, 99 * MS, 152 * MS);
		assert_int_equal(sim->a.liveness, LIVENESS_DOWN);
		assert_int_equal(sim->a.s->diag, BFD_DIAG_EXPIRED);
		/* b hears of it at once, though it saw nothing */
		pass(sim, 2 * DELAY_US);
		assert_int_equal(sim->b.downs, 1);
		assert_int_equal(sim->b.s->diag, BFD_DIAG_NEIGHBOR);
		assert_int_equal(sim->b.s->remote_diag, BFD_DIAG_EXPIRED);
		assert_int_equal(sim->b.liveness, LIVENESS_DOWN);
		assert_int_equal(sim->a.s->desired_tx_us, SECOND);
		sim->cut_ba = false;
		pass(sim, 5 * SECOND);
		assert_int_equal(sim->a.ups, 2);
		assert_int_equal(sim->a.liveness, LIVENESS_UP);
		sim_free(sim);
	}
}

/* two lost in a row are none too many */
static void some_loss_is_fine(void **state)
{
	struct sim *sim = settled(9, 50, 3);
	int i;

	for (i = 0; i < 100; i++) {
		sim->cut_ab = sim->cut_ba = true;
		pass(sim, 74 * MS);
		sim->cut_ab = sim->cut_ba = false;
		pass(sim, 60 * MS);
	}
	assert_int_equal(sim->a.downs + sim->b.downs, 0);
	sim_free(sim);
}

/* 6.8.3 */
static void settings_change(void **state)
{
	struct sim *sim = settled(13, 50, 3);

	/* slower: what we send stays fast, until the answer to the poll */
	sim->cut_ab = true;
	want(&sim->a, 200, 3, false);
	assert_true(sim->a.s->polling);
	assert_int_equal(bfd_tx_interval(sim->a.s), 50 * MS);
	assert_int_equal(bfd_detection_time(sim->a.s), 3 * 200 * MS);
	pass(sim, 60 * MS);
	assert_true(sim->a.s->polling && sim->a.polls);
	sim->cut_ab = false;
	pass(sim, 100 * MS);
	assert_false(sim->a.s->polling);
	assert_int_equal(bfd_tx_interval(sim->a.s), 200 * MS);
	assert_int_equal(bfd_detection_time(sim->b.s), 600 * MS);
	pass(sim, 5 * SECOND);

	/* faster: sent at once; the old detection time until the answer */
	sim->cut_ba = true;
	want(&sim->a, 50, 3, false);
	assert_int_equal(bfd_tx_interval(sim->a.s), 50 * MS);
	assert_int_equal(bfd_detection_time(sim->a.s), 600 * MS);
	pass(sim, 100 * MS);
	sim->cut_ba = false;
	pass(sim, 400 * MS);
	assert_int_equal(bfd_detection_time(sim->a.s), 150 * MS);

	/* again while a poll is under way */
	want(&sim->a, 300, 3, false);
	want(&sim->a, 100, 3, false);
	assert_true(sim->a.s->polling && sim->a.s->poll_again);
	pass(sim, SECOND);
	assert_false(sim->a.s->polling);
	assert_int_equal(bfd_tx_interval(sim->a.s), 100 * MS);
	want(&sim->a, 100, 5, false);
	assert_true(sim->a.s->polling);
	pass(sim, SECOND);
	assert_int_equal(sim->b.s->remote_mult, 5);
	assert_int_equal(sim->a.downs + sim->b.downs, 0);
	sim_free(sim);
}

/* 6.1: one passive side waits; two wait for ever */
static void passive(void **state)
{
	struct sim *sim = sim_new(17);

	want(&sim->a, 50, 3, true);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.sent, 0);
	want(&sim->b, 50, 3, true);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.sent + sim->b.sent, 0);
	want(&sim->b, 50, 3, false);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_UP);
	sim_free(sim);
}

/* 6.8.16; RFC 5882 section 3.2: no failure, on neither side */
static void admin_down(void **state)
{
	struct sim *sim = settled(19, 50, 3);
	struct liveness_key key;

	bfd_engine_disable(&sim->a.engine, true, sim->now);
	assert_int_equal(sim->a.liveness, LIVENESS_UNKNOWN);
	pass(sim, 10 * MS);
	assert_int_equal(sim->b.s->state, BFD_DOWN);
	assert_int_equal(sim->b.s->diag, BFD_DIAG_NEIGHBOR);
	assert_int_equal(sim->b.s->remote_diag, BFD_DIAG_ADMIN);
	assert_int_equal(sim->b.liveness, LIVENESS_UNKNOWN);
	pass(sim, 10 * SECOND);
	assert_int_equal(sim->b.liveness, LIVENESS_UNKNOWN);
	assert_true(sim->a.s->count.discards[BFD_ADMIN]);
	assert_int_equal(sim->a.s->state, BFD_ADMIN_DOWN);
	bfd_engine_disable(&sim->a.engine, false, sim->now);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_UP);

	/* a session that goes says so, and is gone after a while */
	key = key_of(&sim->a);
	gaps_reset(&sim->a);
	bfd_engine_drop(&sim->a.engine, sim->a.s, sim->now);
	assert_non_null(sim->a.s);
	pass(sim, 10 * MS);
	assert_int_equal(sim->b.liveness, LIVENESS_UNKNOWN);
	pass(sim, 5 * SECOND);
	assert_in_range(sim->a.sent, 3, 6);
	assert_int_equal(sim->a.last.state, BFD_ADMIN_DOWN);
	assert_null(sim->a.s);
	assert_null(bfd_engine_find(&sim->a.engine, &key));
	/* wanted again */
	want(&sim->a, 50, 3, false);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->b.s->state, BFD_UP);
	/* wanted again while it still says goodbye */
	bfd_engine_drop(&sim->a.engine, sim->a.s, sim->now);
	pass(sim, 100 * MS);
	want(&sim->a, 50, 3, false);
	pass(sim, 5 * SECOND);
	assert_int_equal(sim->a.s->state, BFD_UP);
	/* the daemon ends */
	bfd_engine_farewell(&sim->a.engine, sim->now);
	pass(sim, 2 * DELAY_US);
	assert_int_equal(sim->b.liveness, LIVENESS_UNKNOWN);
	/* lost first, and taken down then: whoever waits for it may go on */
	sim_free(sim);
	sim = settled(23, 50, 3);
	sim->cut_ab = true;
	pass(sim, 300 * MS);
	assert_int_equal(sim->b.liveness, LIVENESS_DOWN);
	bfd_engine_disable(&sim->a.engine, true, sim->now);
	sim->cut_ab = false;
	pass(sim, 2 * SECOND);
	assert_int_equal(sim->b.liveness, LIVENESS_UNKNOWN);
	sim_free(sim);
}

/* a packet from b as it might be, with something else about it */
static void from_b(struct sim *sim, const struct bfd_packet *p)
{
	uint8_t out[BFD_PACKET_LEN];

	bfd_packet_encode(p, out);
	assert_int_equal(receive(&sim->a, out, sizeof(out), 255), BFD_TAKEN);
}

/* 6.6: in demand mode the neighbour wants nothing periodic, and answers to its polls */
static void demand_mode(void **state)
{
	struct sim *sim = settled(29, 50, 3);
	struct bfd_packet p = { .state = BFD_UP, .demand = true, .mult = 3, .my = sim->b.s->discr,
				.your = sim->a.s->discr, .min_tx = 50 * MS, .min_rx = 50 * MS };
	int i;

	sim->cut_ba = true;
	from_b(sim, &p);
	gaps_reset(&sim->a);
	for (i = 0; i < 10; i++) {
		pass(sim, 100 * MS);
		from_b(sim, &p);
	}
	assert_int_equal(sim->a.sent, 0);
	p.poll = true;
	from_b(sim, &p);
	assert_int_equal(sim->a.sent, 1);
	assert_int_equal(sim->a.finals, 1);
	/* our own poll goes out all the same */
	p.poll = false;
	want(&sim->a, 100, 3, false);
	pass(sim, 100 * MS);
	assert_true(sim->a.polls >= 1);
	p.final = true;
	from_b(sim, &p);
	gaps_reset(&sim->a);
	pass(sim, 100 * MS);
	assert_int_equal(sim->a.sent, 0);
	p.final = p.demand = false;
	from_b(sim, &p);
	pass(sim, 110 * MS);
	assert_true(sim->a.sent >= 1);
	/* 6.8.1: zero: it wants none at all */
	p.min_rx = 0;
	from_b(sim, &p);
	gaps_reset(&sim->a);
	pass(sim, 140 * MS);
	assert_int_equal(sim->a.sent, 0);
	assert_int_equal(sim->a.downs, 0);
	sim_free(sim);
}

/* 6.3: your discriminator alone tells, if it comes from where that session's packets come from */
static void demultiplexing(void **state)
{
	struct sim *sim = settled(31, 50, 3);
	const struct ip_addr other = addr_v4(0x0a000009);
	const struct liveness_params params = { .interval_us = 50 * MS, .multiplier = 3 };
	struct bfd_session *first = sim->a.s, *multi, *vrf, *second;
	struct liveness_key key = liveness_key(0, true, &sim->b.addr, &sim->a.addr, NULL);
	struct bfd_packet p = { .state = BFD_DOWN, .mult = 3, .my = 77, .min_tx = SECOND, .min_rx = MS };
	struct bfd_rx rx = { .from = sim->b.addr, .to = sim->a.addr, .ttl = 250, .multihop = true };
	uint8_t out[BFD_PACKET_LEN];

	multi = bfd_engine_want(&sim->a.engine, &key, &params, sim->now);
	key = liveness_key(4, false, &sim->b.addr, NULL, NULL);
	vrf = bfd_engine_want(&sim->a.engine, &key, &params, sim->now);
	key = liveness_key(0, false, &other, NULL, NULL);
	second = bfd_engine_want(&sim->a.engine, &key, &params, sim->now);
	assert_true(first != multi && multi != vrf && vrf != second);
	bfd_packet_encode(&p, out);
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_TAKEN);
	assert_int_equal(multi->state, BFD_INIT);
	rx.to = other;			/* not the local address that it was configured with */
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_NO_SESSION);
	rx = (struct bfd_rx){ .from = sim->b.addr, .to = sim->a.addr, .ttl = 255, .vrf = 4 };
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_TAKEN);
	assert_int_equal(vrf->state, BFD_INIT);
	assert_int_equal(first->state, BFD_UP);
	/* another customer knows the number, and gets nowhere */
	p.your = first->discr;
	bfd_packet_encode(&p, out);
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_UNKNOWN_YOUR);
	rx.vrf = 0;
	rx.from = other;
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_UNKNOWN_YOUR);
	assert_int_equal(first->state, BFD_UP);
	assert_int_equal(second->state, BFD_DOWN);
	sim_free(sim);
}

static void link_local_by_interface(void **state)
{
	static const uint8_t fe80[16] = { 0xfe, 0x80, [15] = 2 };
	const struct ip_addr peer = addr_make(AF_INET6, fe80);
	const struct liveness_params params = { .interval_us = 50 * MS, .multiplier = 3 };
	struct sim *sim = sim_new(37);
	struct liveness_key k0 = liveness_key(0, false, &peer, NULL, "eth0"), k1 = liveness_key(0, false, &peer, NULL, "eth1");
	struct bfd_session *s0 = bfd_engine_want(&sim->a.engine, &k0, &params, sim->now);
	struct bfd_session *s1 = bfd_engine_want(&sim->a.engine, &k1, &params, sim->now);
	struct bfd_packet p = { .state = BFD_DOWN, .mult = 3, .my = 77, .min_tx = SECOND, .min_rx = MS };
	struct bfd_rx rx = { .from = peer, .to = peer, .ttl = 255, .ifname = "eth1" };
	uint8_t out[BFD_PACKET_LEN];

	bfd_packet_encode(&p, out);
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_TAKEN);
	assert_int_equal(s0->state, BFD_DOWN);
	assert_int_equal(s1->state, BFD_INIT);
	rx.ifname = "eth2";
	assert_int_equal(bfd_engine_receive(&sim->a.engine, &rx, out, sizeof(out), sim->now), BFD_NO_SESSION);
	sim_free(sim);
}

/* the machine stood still: the first packet that comes after counts */
static void who_comes_late_does_not_blame(void **state)
{
	struct sim *sim = settled(41, 50, 3);
	struct bfd_packet p = { .state = BFD_UP, .mult = 3, .my = sim->b.s->discr, .your = sim->a.s->discr,
				.min_tx = 50 * MS, .min_rx = 50 * MS };

	sim->now += 400 * MS;
	bfd_engine_run(&sim->a.engine, sim->now);
	assert_int_equal(sim->a.downs, 0);
	from_b(sim, &p);
	assert_int_equal(sim->a.downs, 0);
	sim->now += 400 * MS;
	bfd_engine_run(&sim->a.engine, sim->now);
	assert_int_equal(sim->a.downs, 0);
	sim->now += 51 * MS;		/* but an interval on, it is lost */
	bfd_engine_run(&sim->a.engine, sim->now);
	assert_int_equal(sim->a.downs, 1);
	sim_free(sim);
}

/* 6.8.1: unique, and 0 after silence */
static void discriminators(void **state)
{
	struct sim *sim = settled(43, 50, 3);
	const struct liveness_params params = { .interval_us = 50 * MS, .multiplier = 3 };
	struct bfd_session *s, *t;
	struct liveness_key key;
	struct ip_addr a;
	uint32_t i;

	sim->cut_ab = sim->cut_ba = true;
	assert_int_not_equal(sim->a.s->remote_discr, 0);
	pass(sim, SECOND);
	assert_int_equal(sim->a.s->remote_discr, 0);
	assert_int_equal(sim->a.last.your, 0);
	for (i = 0; i < 500; i++) {
		a = addr_v4(0x0b000000 + i);
		key = liveness_key(0, false, &a, NULL, NULL);
		bfd_engine_want(&sim->a.engine, &key, &params, sim->now);
	}
	list_for_each(s, &sim->a.engine.sessions, struct bfd_session, node) {
		assert_int_not_equal(s->discr, 0);
		list_for_each(t, &sim->a.engine.sessions, struct bfd_session, node)
			assert_true(s == t || s->discr != t->discr);
	}
	sim_free(sim);
}

/* whatever gets lost, both agree in the end */
static void any_loss_heals(void **state)
{
	uint32_t seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1, i, k;
	struct sim *sim;

	for (i = 0; i < 100; i++) {
		sim = sim_new(seed + i);
		want(&sim->a, 50, 3, false);
		want(&sim->b, 10 + i * 3, 2 + i % 5, i % 2);
		for (k = 0; k < 200; k++) {
			sim->cut_ab = op_random(&sim->a) % 3 == 0;
			sim->cut_ba = op_random(&sim->a) % 3 == 0;
			if (op_random(&sim->a) % 10 == 0)
				want(&sim->a, 20 + op_random(&sim->a) % 500, 3, false);
			pass(sim, op_random(&sim->a) % 400 * MS);
		}
		sim->cut_ab = sim->cut_ba = false;
		pass(sim, 10 * SECOND);
		if (sim->a.s->state != BFD_UP || sim->b.s->state != BFD_UP)
			fail_msg("SEED=%u: %s, %s", seed + i, bfd_state_str(sim->a.s->state),
				 bfd_state_str(sim->b.s->state));
		assert_int_equal(bfd_tx_interval(sim->a.s), bfd_detection_time(sim->b.s) / 3);
		assert_int_equal(sim->a.ups, sim->a.downs + 1);
		sim_free(sim);
	}
}

static void timers_in_order(void **state)
{
	struct bfd_timers h = { 0 };
	struct bfd_timer t[200] = { 0 };
	uint64_t last = 0;
	unsigned int i, round;

	srand(4711);
	for (round = 0; round < 2000; round++) {
		i = rand() % 200;
		if (rand() % 3)
			bfd_timer_set(&h, &t[i], rand() % 1000);
		else
			bfd_timer_stop(&h, &t[i]);
		for (i = 0; i < 200; i++)
			assert_true(!t[i].at || bfd_timers_first(&h)->due_us <= t[i].due_us);
	}
	while (bfd_timers_first(&h)) {
		assert_true(bfd_timers_first(&h)->due_us >= last);
		last = bfd_timers_first(&h)->due_us;
		bfd_timer_stop(&h, bfd_timers_first(&h));
	}
	for (i = 0; i < 200; i++)
		assert_false(bfd_timer_running(&t[i]));
	bfd_timers_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_machine),
		cmocka_unit_test(octets),
		cmocka_unit_test(discards),
		cmocka_unit_test(slow_start_poll_jitter),
		cmocka_unit_test(negotiation),
		cmocka_unit_test(loss_is_detected),
		cmocka_unit_test(some_loss_is_fine),
		cmocka_unit_test(settings_change),
		cmocka_unit_test(passive),
		cmocka_unit_test(admin_down),
		cmocka_unit_test(demand_mode),
		cmocka_unit_test(demultiplexing),
		cmocka_unit_test(link_local_by_interface),
		cmocka_unit_test(who_comes_late_does_not_blame),
		cmocka_unit_test(discriminators),
		cmocka_unit_test(any_loss_heals),
		cmocka_unit_test(timers_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
