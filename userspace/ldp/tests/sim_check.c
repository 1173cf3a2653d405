// SPDX-License-Identifier: GPL-2.0
/* What must hold at every moment, and at the end: see sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ldp/tests/sim.h"

/* ---- invariants ---- */

/* which router a way leads to, by its link alone */
static struct sim_node *next_of(struct sim_node *n, const struct ldp_way *w)
{
	return &n->sim->node[sim_other_end(&n->sim->link[w->ifindex - 1], n->n)];
}

static struct label_binding *binding_at(struct sim_node *n, uint32_t label)
{
	struct label_binding *b = labels_after(n->env.labels, (int64_t)label - 1);

	return b && b->label == label ? b : NULL;
}

/*
 * What is sent means the same to who gets it: a label that stands at the receiver is that FEC's. (None may stand there
 * any more: then the packet is dropped.)
 */
static void check_way(struct sim_node *n, const struct ldp_fec *f, const struct ldp_way *w)
{
	struct label_binding *b;
	struct prefix fec = fec_prefix(f);
	char text[PREFIX_STRLEN];

	if (w->label < LABEL_MIN)
		return;
	b = binding_at(next_of(n, w), w->label);
	if (b && !prefix_eq(&b->key.prefix, &fec))
		fail_msg("router %d sends %s with label %u, which is another's at router %d", n->n,
			 prefix_str(&fec, text), w->label, next_of(n, w)->n);
}

/* what the neighbour was told is in forwarding, and is this FEC's */
static void check_sent(struct sim_node *n, const struct ldp_fec *f)
{
	struct prefix fec = fec_prefix(f);
	struct label_binding *b;
	unsigned int i;

	for (i = 0; i < f->n_bind; i++) {
		if (f->bind[i].sent == LDP_LABEL_NONE || f->bind[i].sent < LABEL_MIN)
			continue;
		b = binding_at(n, f->bind[i].sent);
		assert_non_null(b);
		assert_int_equal(b->state, LABEL_PROGRAMMED);
		assert_true(prefix_eq(&b->key.prefix, &fec));
	}
}

void sim_check(struct sim *s)
{
	struct ldp_fec *f;
	struct trie *t;
	unsigned int w;
	int i, afi;

	for (i = 0; i < SIM_NODES; i++) {
		for (afi = 0; s->node[i].alive && afi < AFI_MAX; afi++) {
			t = &s->node[i].ldp->fecs[afi];
			for (f = trie_next(t, NULL); f; f = trie_next(t, f)) {
				check_sent(&s->node[i], f);
				for (w = 0; w < f->n_way; w++)
					check_way(&s->node[i], f, &f->way[w]);
			}
		}
	}
	s->checks++;
}

/* ---- the end ---- */

struct ldp_peer *sim_peer(struct sim *s, int n, int other)
{
	struct ldp_id id = { 0 };

	memcpy(id.lsr, sim_fec(other, 0).addr.b, 4);
	return s->node[n].alive ? peer_find(s->node[n].ldp, &id) : NULL;
}

bool sim_up(struct sim *s, int n, int other)
{
	struct ldp_peer *p = sim_peer(s, n, other);

	return p && peer_up(p);
}

/* from router n with the label that it would send, to the end; hops left guard against loops */
static bool follow(struct sim_node *n, const struct prefix *fec, int hops)
{
	struct ldp_fec *f = n->alive ? fec_find(n->ldp, fec) : NULL;
	const struct nht_way *ways;
	unsigned int i, count;

	if (!f || !hops)
		return false;
	if (f->egress)
		return true;
	count = nht_main_ways(n->nht, fec, &ways);
	if (!count || f->n_way != count)
		return false;
	for (i = 0; i < f->n_way; i++) {
		struct sim_node *next = next_of(n, &f->way[i]);
		struct ldp_fec *there = next->alive ? fec_find(next->ldp, fec) : NULL;

		if (!there || there->label != f->way[i].label || !follow(next, fec, hops - 1))
			return false;
	}
	return true;
}

bool sim_converged(struct sim *s)
{
	struct prefix fec;
	int n, to, i;

	for (n = 0; n < SIM_NODES; n++) {
		for (to = 0; to < SIM_NODES; to++) {
			for (i = 0; i <= SIM_FECS; i++) {
				fec = i < SIM_FECS ? sim_fec(to, i) : sim_fec6(to);
				if (!s->node[n].alive || !s->node[n].ldp->set.family[family_afi(fec.addr.family)].on)
					continue;
				if (!follow(&s->node[n], &fec, SIM_NODES))
					return false;
			}
		}
	}
	return true;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
	return h * 0xff51afd7ed558ccdull;
}

static uint64_t fec_digest(struct sim *s, int n, const struct ldp_fec *f)
{
	struct prefix p = fec_prefix(f);
	uint64_t h = mix(n, f->egress | f->routed << 1 | (uint64_t)p.len << 8);
	unsigned int i;

	for (i = 0; i < addr_octets(p.addr.family); i++)
		h = mix(h, p.addr.b[i]);
	h = mix(h, f->label < LABEL_MIN ? f->label : f->label == LDP_LABEL_NONE ? 99 : 100);
	for (i = 0; i < f->n_way; i++)
		h = mix(mix(h, f->way[i].ifindex), f->way[i].label < LABEL_MIN ? f->way[i].label : 100);
	return mix(h, f->n_bind);
}

uint64_t sim_digest(struct sim *s)
{
	struct ldp_fec *f;
	uint64_t sum = 0;
	struct trie *t;
	int n, afi;

	for (n = 0; n < SIM_NODES; n++)
		for (afi = 0; s->node[n].alive && afi < AFI_MAX; afi++) {
			t = &s->node[n].ldp->fecs[afi];
			for (f = trie_next(t, NULL); f; f = trie_next(t, f))
				sum += fec_digest(s, n, f);
		}
	return sum;
}
