// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/sync_endpoint.c: the ends of tunnels (rib/soft.h) in the forwarder: where tunnelled packets are taken in.
 *
 * There is one place for each encapsulation and family. One that moves to another address or port is made there before
 * it is taken away here.
 */
#include "dataplane/sync_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/soft.h"

static const struct soft_config *config_of(const struct dp_sync *s, unsigned int encap, int afi)
{
	const struct soft_config *c = soft_get(rib_nht(s->env.rib), encap);

	return c && c->source[afi].family ? c : NULL;
}

/* Whose packets are taken in, into @out, which has room. */
static unsigned int sources_of(const struct soft_config *c, uint8_t family, struct prefix *out)
{
	unsigned int i, n = 0;

	if (c->from == SOFT_FROM_ANY) {
		memset(out, 0, sizeof(*out));
		out->addr.family = family;
		return 1;
	}
	for (i = 0; c->from == SOFT_FROM_DESTINATIONS && i < c->n; i++)
		if (c->destinations[i].addr.family == family)
			out[n++] = c->destinations[i];
	return n;
}

/* As the forwarder should have it; its sources belong to the caller. False: there should be none. */
static bool content(const struct dp_sync *s, unsigned int encap, int afi, struct dp_endpoint *out)
{
	const struct soft_config *c = config_of(s, encap, afi);

	memset(out, 0, sizeof(*out));
	if (!c)
		return false;
	out->encap = encap;
	out->address = c->source[afi];
	out->dport = c->port;
	out->scopes = c->scopes;
	out->checksum = soft_checksum(c, encap, afi_family(afi));
	out->peers = c->from == SOFT_FROM_PEERS;
	out->sources = xcalloc(c->n + 1, sizeof(*out->sources));
	out->n_sources = sources_of(c, afi_family(afi), out->sources);
	return true;
}

static struct sync_endpoint *place(struct dp_sync *s, const struct dp_endpoint *ep)
{
	return ep->encap < SOFT_ENCAPS ? &s->endpoint[ep->encap][family_afi(ep->address.family)] : NULL;
}

static void program(struct dp_sync *s, enum dp_op_type type, const struct dp_endpoint *ep)
{
	struct dp_endpoint *copy = dp_endpoint_copy(ep);
	struct dp_op *op = NULL;

	if (copy)
		op = type == DP_OP_ENDPOINT_NEW ? window_head(s, type) : window_tail(s, type);
	if (op)
		op->endpoint = copy;
	else
		dp_endpoint_free(copy);
}

/* @again: also what is there already */
static void apply(struct dp_sync *s, unsigned int encap, int afi, bool again)
{
	struct sync_endpoint *se = &s->endpoint[encap][afi];
	struct dp_endpoint want, *old = se->want;
	bool wanted = content(s, encap, afi, &want);

	se->want = wanted ? dp_endpoint_copy(&want) : NULL;
	if (wanted && (again || !old || !dp_endpoint_equal(old, &want))) {
		se->held = false;
		program(s, DP_OP_ENDPOINT_NEW, &want);
	}
	if (old && (!wanted || !dp_endpoint_same_place(old, &want)))
		program(s, DP_OP_ENDPOINT_DEL, old);
	if (!wanted) {
		se->held = false;
		se->error = 0;
	}
	dp_endpoint_free(old);
	free(want.sources);
}

static void apply_all(struct dp_sync *s, bool again)
{
	unsigned int encap;
	int afi;

	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++)
			apply(s, encap, afi, again);
}

static void on_change(struct soft_sub *sub)
{
	apply_all(container_of(sub, struct dp_sync, soft_sub), false);
}

void sync_endpoint_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct sync_endpoint *se = place(s, op->endpoint);

	/* an answer to what was wanted before says nothing of what is wanted now */
	if (op->type == DP_OP_ENDPOINT_DEL || !se || !se->want || !dp_endpoint_equal(se->want, op->endpoint))
		return;
	se->held = !op->error;
	se->error = op->error;
	snprintf(se->why, sizeof(se->why), "%s", op->why ? op->why : "");
}

void sync_endpoint_program(struct dp_sync *s)
{
	apply_all(s, true);
}

static bool failed(const struct sync_endpoint *se)
{
	return se->want && se->error;
}

bool sync_endpoint_retry(struct dp_sync *s)
{
	bool any = false;
	unsigned int encap;
	int afi;

	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++)
			if (failed(&s->endpoint[encap][afi])) {
				any = true;
				apply(s, encap, afi, true);
			}
	return any;
}

void sync_endpoint_expect(const struct dp_sync *s, struct dp_expect *e)
{
	const struct sync_endpoint *se;
	unsigned int encap;
	int afi;

	memset(e, 0, sizeof(*e));
	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++) {
			se = &s->endpoint[encap][afi];
			e->failed += failed(se);
			if (!se->held)
				continue;
			e->count++;
			e->digest += dp_digest_endpoint(se->want);
		}
}

void sync_endpoint_lost(struct dp_sync *s)
{
	unsigned int encap;
	int afi;

	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++)
			s->endpoint[encap][afi].held = false;
}

bool sync_endpoint_mend(struct dp_sync *s, const struct dp_endpoint *held, const char **what)
{
	struct sync_endpoint *se = place(s, held);

	*what = "wrong";
	if (se && se->want && dp_endpoint_same_place(se->want, held)) {
		se->seen = true;
		if (!se->held || dp_endpoint_equal(se->want, held))
			return false;
		program(s, DP_OP_ENDPOINT_NEW, se->want);
		return true;
	}
	*what = "extra";
	program(s, DP_OP_ENDPOINT_DEL, held);
	return true;
}

/* Those that no answer of a dump has named since the last call are programmed again. Returns how many. */
unsigned int sync_endpoint_missing(struct dp_sync *s)
{
	struct sync_endpoint *se;
	unsigned int encap, n = 0;
	int afi;

	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++) {
			se = &s->endpoint[encap][afi];
			if (se->held && !se->seen) {
				n++;
				program(s, DP_OP_ENDPOINT_NEW, se->want);
			}
			se->seen = false;
		}
	return n;
}

bool dp_sync_endpoint(const struct dp_sync *s, uint8_t encap, uint8_t family, struct dp_port_state *st)
{
	const struct sync_endpoint *se = encap < SOFT_ENCAPS ? &s->endpoint[encap][family_afi(family)] : NULL;

	if (!se || !se->want)
		return false;
	st->bound = se->held;
	st->error = se->error;
	snprintf(st->why, sizeof(st->why), "%s", se->error ? se->why : "");
	return true;
}

void sync_endpoint_start(struct dp_sync *s)
{
	s->soft_sub.change = on_change;
	soft_subscribe(rib_nht(s->env.rib), &s->soft_sub);
	apply_all(s, true);
}

void sync_endpoint_stop(struct dp_sync *s)
{
	unsigned int encap;
	int afi;

	soft_unsubscribe(&s->soft_sub);
	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++)
			dp_endpoint_free(s->endpoint[encap][afi].want);
}
