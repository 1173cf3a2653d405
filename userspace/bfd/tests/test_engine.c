// SPDX-License-Identifier: GPL-2.0
/* rooms: lib bfd */
/*
 * Sessions in simulated time: two engines and a wire of 100 us that may be cut, and single packets made by hand.
 *
 *      end[0] 10.0.0.1 ---- wire ---- 10.0.0.2 end[1]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bfd/engine.h"
#include "lib/mem.h"

#define MS		1000ull
#define DELAY_US	100
#define FLIGHT_MAX	64

struct end {
	struct bfd_engine e;
	struct bfd_session *s;
	struct ip_addr own;
	unsigned int ups, downs;
	uint64_t changed_us;
	enum liveness_state told;
};

static struct flight {
	struct end *to;
	uint64_t at_us;
	uint8_t data[BFD_PACKET_LEN];
} flights[FLIGHT_MAX];
static unsigned int n_flights;

static struct end end[2];
static uint64_t now;
static bool cut[2];			/* what this end sends is lost */
static unsigned int one_of;		/* not 0: of what end[1] sends one in so many arrives */
static uint32_t seed;
/* what end[0] sent since the last reset */
static struct bfd_packet last;
static unsigned int n_sent, n_poll, n_final;
static uint64_t sent_us, gap_min, gap_max;

static struct ip_addr address(uint8_t d)
{
	const uint8_t octets[4] = { 10, 0, 0, d };

	return addr_make(AF_INET, octets);
}

static void note(const uint8_t *packet)
{
	uint64_t gap = now - sent_us;

	assert_int_equal(bfd_packet_decode(cursor_make(packet, BFD_PACKET_LEN), &last), BFD_TAKEN);
	n_poll += last.poll;
	n_final += last.final;
	if (last.final)
		return;			/* an answer has no place in the rhythm */
	if (n_sent++) {
		gap_min = gap < gap_min ? gap : gap_min;
		gap_max = gap > gap_max ? gap : gap_max;
	}
	sent_us = now;
}

static void reset(void)
{
	n_sent = n_poll = n_final = 0;
	gap_min = UINT64_MAX;
	gap_max = 0;
}

static bool on_send(void *arg, struct bfd_session *s, const uint8_t packet[BFD_PACKET_LEN])
{
	struct end *from = arg;

	if (from == &end[0])
		note(packet);
	if (cut[from - end])
		return true;
	if (one_of && from == &end[1] && s->count.out % one_of)
		return true;
	assert_true(n_flights < FLIGHT_MAX);
	flights[n_flights].to = &end[from == end];
	flights[n_flights].at_us = now + DELAY_US;
	memcpy(flights[n_flights++].data, packet, BFD_PACKET_LEN);
	return true;
}

static void on_changed(void *arg, struct bfd_session *s, enum bfd_state was)
{
	struct end *x = arg;

	x->ups += s->state == BFD_UP && was != BFD_UP;
	x->downs += was == BFD_UP && s->state != BFD_UP;
	x->changed_us = now;
	x->told = s->liveness;
}

static void on_session(void *arg, struct bfd_session *s)
{
}

static uint32_t on_random(void *arg)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8 | 1;
}

static void arrive(void)
{
	struct flight f = flights[0];
	struct bfd_rx rx = { .from = end[f.to == end].own, .to = f.to->own, .ttl = 255 };

	memmove(flights, flights + 1, --n_flights * sizeof(f));
	bfd_engine_receive(&f.to->e, &rx, f.data, sizeof(f.data), now);
}

/* Until so much later: what is due is done at its time. */
static void pass(uint64_t us)
{
	uint64_t until = now + us, next;
	int i;

	for (;;) {
		next = n_flights ? flights[0].at_us : UINT64_MAX;
		for (i = 0; i < 2; i++)
			next = bfd_engine_due(&end[i].e) < next ? bfd_engine_due(&end[i].e) : next;
		if (next > until)
			break;
		now = next > now ? next : now;
		if (n_flights && flights[0].at_us <= now)
			arrive();
		for (i = 0; i < 2; i++)
			bfd_engine_run(&end[i].e, now);
	}
	now = until;
}

static struct liveness_key key_of(int i)
{
	struct liveness_key key;

	memset(&key, 0, sizeof(key));
	key.peer = end[!i].own;
	return key;
}

static void want(int i, uint32_t ms, uint8_t mult)
{
	struct liveness_params params = { .interval_us = ms * 1000, .multiplier = mult };
	struct liveness_key key = key_of(i);

	end[i].s = bfd_engine_want(&end[i].e, &key, &params, now);
}

static int setup(void **state)
{
	struct bfd_ops ops = { .send = on_send, .changed = on_changed, .opened = on_session, .closing = on_session,
			       .random = on_random };
	int i;

	memset(end, 0, sizeof(end));
	memset(cut, 0, sizeof(cut));
	one_of = 0;
	n_flights = 0;
	now = 1000 * MS;
	seed = 1;
	reset();
	for (i = 0; i < 2; i++) {
		end[i].own = address(1 + i);
		ops.arg = &end[i];
		bfd_engine_init(&end[i].e, &ops);
	}
	return 0;
}

static int teardown(void **state)
{
	bfd_engine_fini(&end[0].e);
	bfd_engine_fini(&end[1].e);
	return 0;
}

static void both_up(void)
{
	want(0, 50, 3);
	want(1, 50, 3);
	pass(4000 * MS);
	assert_int_equal(end[0].s->state, BFD_UP);
	assert_int_equal(end[1].s->state, BFD_UP);
	assert_false(end[0].s->polling || end[1].s->polling);
}

/* once a second until somebody answers, every 37.5 to 50 ms once up; never twice up */
static void comes_up(void **state)
{
	cut[0] = true;
	want(0, 50, 3);
	reset();
	pass(20000 * MS);
	assert_in_range(n_sent, 20, 27);
	assert_in_range(gap_min, 750 * MS, 1000 * MS);
	assert_in_range(gap_max, 750 * MS, 1000 * MS);
	assert_int_equal(last.min_tx, 1000000);
	assert_int_equal(last.your, 0);
	cut[0] = false;
	want(1, 50, 3);
	pass(4000 * MS);
	assert_int_equal(end[0].ups, 1);
	assert_int_equal(end[1].ups, 1);
	assert_int_equal(end[0].told, LIVENESS_UP);
	reset();
	pass(10000 * MS);
	assert_in_range(gap_min, 37500, 39000);
	assert_in_range(gap_max, 49000, 50000);
	assert_in_range(n_sent, 200, 267);
	assert_int_equal(last.min_tx, 50000);
	assert_int_equal(last.your, end[1].s->discr);
	assert_int_equal(n_poll + n_final, 0);
	assert_int_equal(end[0].downs + end[1].downs, 0);
	assert_int_equal(bfd_detection_time(end[0].s), 150 * MS);
}

static void jitter_of_multiplier_one(void **state)
{
	want(0, 50, 1);
	want(1, 50, 3);
	pass(4000 * MS);
	assert_int_equal(end[0].s->state, BFD_UP);
	reset();
	pass(10000 * MS);
	assert_in_range(gap_min, 37500, 39000);
	assert_in_range(gap_max, 44000, 45000);		/* at most 90 % */
}

/* the cable: both notice after 150 ms without a packet, and say so; and it comes back */
static void loss(void **state)
{
	uint64_t begin;

	both_up();
	cut[0] = cut[1] = true;
	begin = now;
	pass(200 * MS);
	assert_int_equal(end[0].s->state, BFD_DOWN);
	assert_int_equal(end[0].s->diag, BFD_DIAG_EXPIRED);
	assert_int_equal(end[0].told, LIVENESS_DOWN);
	assert_in_range(end[0].changed_us - begin, 100 * MS, 150 * MS + DELAY_US);
	pass(5000 * MS);
	assert_int_equal(end[0].s->remote_discr, 0);
	assert_int_equal(last.min_tx, 1000000);
	cut[0] = cut[1] = false;
	pass(4000 * MS);
	assert_int_equal(end[0].s->state, BFD_UP);
	assert_int_equal(end[0].s->diag, BFD_DIAG_NONE);
	assert_int_equal(end[0].told, LIVENESS_UP);
	assert_int_equal(end[0].ups, 2);
}

/* one direction: the one that hears nothing tells the other */
static void one_way(void **state)
{
	uint64_t begin;

	both_up();
	cut[1] = true;
	begin = now;
	pass(160 * MS);
	assert_int_equal(end[0].s->diag, BFD_DIAG_EXPIRED);
	assert_int_equal(end[1].s->state, BFD_DOWN);
	assert_int_equal(end[1].s->diag, BFD_DIAG_NEIGHBOR);
	assert_int_equal(end[1].s->remote_diag, BFD_DIAG_EXPIRED);
	assert_int_equal(end[1].told, LIVENESS_DOWN);
	assert_in_range(end[1].changed_us - begin, 100 * MS, 151 * MS);
}

/* two packets lost in a row are no loss, and three are */
static void two_of_three(void **state)
{
	both_up();
	one_of = 3;
	pass(10000 * MS);
	assert_int_equal(end[0].downs, 0);
	one_of = 6;
	pass(1000 * MS);
	assert_true(end[0].downs);
}

/* 6.8.3: slower only after the answer, faster at once; the multiplier too is told by a poll */
static void settings_by_poll(void **state)
{
	both_up();
	reset();
	cut[1] = true;			/* no answer */
	want(0, 100, 3);
	pass(60 * MS);
	assert_true(end[0].s->polling);
	assert_true(n_poll);
	assert_int_equal(last.min_tx, 100000);
	assert_int_equal(bfd_tx_interval(end[0].s), 50 * MS);
	assert_int_equal(bfd_detection_time(end[0].s), 300 * MS);
	cut[1] = false;
	pass(400 * MS);
	assert_false(end[0].s->polling);
	assert_int_equal(bfd_tx_interval(end[0].s), 100 * MS);
	assert_int_equal(bfd_detection_time(end[1].s), 300 * MS);
	want(0, 50, 5);
	assert_int_equal(bfd_tx_interval(end[0].s), 50 * MS);
	assert_int_equal(bfd_detection_time(end[0].s), 300 * MS);
	pass(400 * MS);
	assert_int_equal(bfd_detection_time(end[0].s), 150 * MS);
	assert_int_equal(bfd_detection_time(end[1].s), 250 * MS);
	assert_int_equal(end[0].downs + end[1].downs, 0);
}

/* another setting while a poll is under way: a poll of its own follows */
static void poll_after_poll(void **state)
{
	both_up();
	want(0, 100, 3);
	want(0, 200, 3);
	pass(2000 * MS);
	assert_false(end[0].s->polling);
	assert_int_equal(bfd_tx_interval(end[0].s), 200 * MS);
	assert_int_equal(end[1].s->remote_tx_us, 200000);
	assert_int_equal(end[0].downs + end[1].downs, 0);
}

static void administrator(void **state)
{
	both_up();
	bfd_engine_disable(&end[0].e, true, now);
	pass(10 * MS);
	assert_int_equal(end[0].s->state, BFD_ADMIN_DOWN);
	assert_int_equal(end[0].told, LIVENESS_UNKNOWN);
	assert_int_equal(end[1].s->state, BFD_DOWN);
	assert_int_equal(end[1].told, LIVENESS_UNKNOWN);	/* somebody's will is no loss */
	pass(5000 * MS);
	assert_int_equal(end[0].s->state, BFD_ADMIN_DOWN);
	assert_int_equal(last.state, BFD_ADMIN_DOWN);
	assert_int_equal(last.diag, BFD_DIAG_ADMIN);
	bfd_engine_disable(&end[0].e, false, now);
	pass(4000 * MS);
	assert_int_equal(end[0].told, LIVENESS_UP);
	assert_int_equal(end[1].told, LIVENESS_UP);
}

/* nobody wants it any more: the neighbour is told for a detection time, then it is gone; or wanted again */
static void dropped(void **state)
{
	struct liveness_key key;

	both_up();
	key = key_of(0);
	bfd_engine_drop(&end[0].e, end[0].s, now);
	pass(10 * MS);
	assert_int_equal(end[1].told, LIVENESS_UNKNOWN);
	assert_ptr_equal(bfd_engine_find(&end[0].e, &key), end[0].s);
	want(0, 50, 3);
	pass(4000 * MS);
	assert_int_equal(end[0].s->state, BFD_UP);
	bfd_engine_drop(&end[0].e, end[0].s, now);
	pass(3100 * MS);
	assert_null(bfd_engine_find(&end[0].e, &key));
	assert_int_equal(end[0].e.n_sessions, 0);
}

/* ---- packets by hand, to end[0] ---- */

static struct bfd_packet by_hand(enum bfd_state state)
{
	return (struct bfd_packet){ .state = state, .mult = 3, .my = 77, .your = end[0].s->discr, .min_tx = 50000,
				    .min_rx = 50000 };
}

static enum bfd_discard say(const struct bfd_packet *p, const struct bfd_rx *rx)
{
	const struct bfd_rx good = { .from = end[1].own, .to = end[0].own, .ttl = 255 };
	uint8_t data[BFD_PACKET_LEN + 4] = { 0 };
	size_t len = BFD_PACKET_LEN;

	bfd_packet_encode(p, data);
	if (p->auth)
		data[3] = len = sizeof(data);
	return bfd_engine_receive(&end[0].e, rx ? rx : &good, data, len, now);
}

static void up_by_hand(void)
{
	struct bfd_packet p;

	cut[0] = true;
	want(0, 50, 3);
	p = by_hand(BFD_DOWN);
	p.your = 0;
	assert_int_equal(say(&p, NULL), BFD_TAKEN);
	assert_int_equal(end[0].s->state, BFD_INIT);
	p = by_hand(BFD_UP);
	assert_int_equal(say(&p, NULL), BFD_TAKEN);
	assert_int_equal(end[0].s->state, BFD_UP);
}

/* RFC 5880 section 6.8.6, RFC 5881 section 5: each counted where it belongs, none does anything */
static void discards(void **state)
{
	struct bfd_rx rx = { .from = end[1].own, .to = end[0].own, .ttl = 254 };
	struct bfd_packet p;

	up_by_hand();
	p = by_hand(BFD_DOWN);
	assert_int_equal(say(&p, &rx), BFD_BAD_TTL);
	rx.ttl = -1;
	assert_int_equal(say(&p, &rx), BFD_BAD_TTL);
	rx.ttl = 255;
	rx.from = address(9);
	assert_int_equal(say(&p, &rx), BFD_UNKNOWN_YOUR);	/* our discriminator, from somebody else */
	p.your = 0;
	assert_int_equal(say(&p, &rx), BFD_NO_SESSION);
	rx.from = end[1].own;
	rx.vrf = 5;
	assert_int_equal(say(&p, &rx), BFD_NO_SESSION);		/* the same addresses in another VRF */
	p.your = end[0].s->discr;
	assert_int_equal(say(&p, &rx), BFD_UNKNOWN_YOUR);
	rx.vrf = 0;
	rx.multihop = true;
	assert_int_equal(say(&p, &rx), BFD_UNKNOWN_YOUR);	/* by the port of multihop sessions */
	p = by_hand(BFD_DOWN);
	p.your++;
	assert_int_equal(say(&p, NULL), BFD_UNKNOWN_YOUR);
	p = by_hand(BFD_UP);
	p.your = 0;
	assert_int_equal(say(&p, NULL), BFD_ZERO_YOUR);
	p.state = BFD_INIT;
	assert_int_equal(say(&p, NULL), BFD_ZERO_YOUR);
	p = by_hand(BFD_DOWN);
	p.auth = true;
	assert_int_equal(say(&p, NULL), BFD_AUTH);
	p = by_hand(BFD_DOWN);
	p.my = 0;
	assert_int_equal(say(&p, NULL), BFD_ZERO_MY);
	assert_int_equal(end[0].s->state, BFD_UP);
	assert_int_equal(end[0].downs, 0);
	assert_int_equal(end[0].s->count.discards[BFD_AUTH], 1);
	assert_int_equal(end[0].e.count.discards[BFD_BAD_TTL], 2);
	assert_int_equal(end[0].e.count.discards[BFD_UNKNOWN_YOUR], 4);
	assert_int_equal(end[0].e.count.discards[BFD_NO_SESSION], 2);
	assert_int_equal(end[0].e.count.discards[BFD_ZERO_YOUR], 2);
	bfd_engine_disable(&end[0].e, true, now);
	p = by_hand(BFD_UP);
	assert_int_equal(say(&p, NULL), BFD_ADMIN);
	assert_int_equal(end[0].s->state, BFD_ADMIN_DOWN);
}

/* every poll gets one answer, with F and without P */
static void polls_are_answered(void **state)
{
	struct bfd_packet p;

	up_by_hand();
	reset();
	p = by_hand(BFD_UP);
	p.poll = true;
	say(&p, NULL);
	assert_int_equal(n_final, 1);
	assert_true(last.final && !last.poll);
	assert_int_equal(last.your, 77);
}

/* a neighbour in demand mode gets no periodic packets while both are up, but polls; its loss is noticed as ever */
static void demand(void **state)
{
	struct bfd_packet p;
	int i;

	up_by_hand();
	p = by_hand(BFD_UP);
	p.final = true;			/* the poll for the intervals of a session that is up */
	p.demand = true;
	say(&p, NULL);
	p.final = false;
	reset();
	for (i = 0; i < 20; i++) {
		pass(50 * MS);
		say(&p, NULL);
	}
	assert_int_equal(n_sent, 0);
	want(0, 60, 3);
	pass(50 * MS);
	say(&p, NULL);
	pass(50 * MS);
	assert_true(n_poll);
	p.final = true;
	say(&p, NULL);
	p.final = false;
	reset();
	pass(100 * MS);
	assert_int_equal(n_sent, 0);
	pass(100 * MS);
	assert_int_equal(end[0].s->diag, BFD_DIAG_EXPIRED);
	assert_true(n_sent);
}

/* required min rx of zero: it wants no packets at all; longer than ours: as it says */
static void what_the_neighbour_wants(void **state)
{
	struct bfd_packet p;
	int i;

	up_by_hand();
	p = by_hand(BFD_UP);
	p.final = true;
	p.min_rx = 0;
	say(&p, NULL);
	reset();
	p.final = false;
	for (i = 0; i < 20; i++) {
		pass(50 * MS);
		say(&p, NULL);
	}
	assert_int_equal(n_sent, 0);
	p.min_rx = 400000;
	say(&p, NULL);
	reset();
	for (i = 0; i < 40; i++) {
		pass(50 * MS);
		say(&p, NULL);
	}
	assert_in_range(n_sent, 5, 8);
}

/* not zero, different, and found again */
static void discriminators(void **state)
{
	const struct liveness_params params = { .interval_us = 50000, .multiplier = 3 };
	struct bfd_session *s[200];
	struct liveness_key key;
	int i, j;

	for (i = 0; i < 200; i++) {
		memset(&key, 0, sizeof(key));
		key.peer = address(i + 1);
		key.vrf = i % 3;
		s[i] = bfd_engine_want(&end[0].e, &key, &params, now);
		assert_true(s[i]->discr);
		for (j = 0; j < i; j++)
			assert_int_not_equal(s[i]->discr, s[j]->discr);
	}
	for (i = 0; i < 200; i++)
		assert_ptr_equal(bfd_session_by_discr(&end[0].e, s[i]->discr), s[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(comes_up), T(jitter_of_multiplier_one), T(loss), T(one_way), T(two_of_three), T(settings_by_poll),
		T(poll_after_poll), T(administrator), T(dropped), T(discards), T(polls_are_answered), T(demand),
		T(what_the_neighbour_wants), T(discriminators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
