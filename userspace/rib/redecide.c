// SPDX-License-Identifier: GPL-2.0
/*
 * All tables decided again, in slices, when the rules of the decision changed (decision.h). Tables are remembered by
 * what finds them: one may go meanwhile, and one that comes is decided by the new rules anyway.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

struct table_name {
	enum rib_table_kind kind;
	uint32_t vrf;
	uint8_t family;
};

struct redecide {
	struct rib *rib;
	struct job job;
	struct table_name *table;
	unsigned int n, at;
	struct rib_cursor cursor;
};

static struct rib_table *find(const struct redecide *r, const struct table_name *t)
{
	if (t->kind == RIB_TABLE_VPN)
		return rib_table_vpn(r->rib, t->family);
	if (t->kind == RIB_TABLE_LABELLED)
		return rib_table_labelled(r->rib, t->family);
	return rib_table_find(r->rib, t->vrf, t->family);
}

static bool work(struct job *job, unsigned int budget)
{
	struct redecide *r = container_of(job, struct redecide, job);

	while (r->at < r->n && budget--) {
		struct rib_table *t = find(r, &r->table[r->at]);
		struct rib_net *net = t ? rib_walk(t, &r->cursor) : NULL;

		if (!net) {
			memset(&r->cursor, 0, sizeof(r->cursor));
			r->at++;
		} else if (rib_routes(net) && rib_routes(net)->next) {
			rib_net_decide(net, NULL);
		}
	}
	return r->at < r->n;
}

static void add(struct redecide *r, const struct rib_table *t)
{
	r->table = xrealloc(r->table, (r->n + 1) * sizeof(*r->table));
	r->table[r->n++] = (struct table_name){ .kind = t->kind, .vrf = t->vrf, .family = t->family };
}

void redecide_all(struct redecide *r)
{
	struct hash_node *n;

	r->n = r->at = 0;
	memset(&r->cursor, 0, sizeof(r->cursor));
	for (int afi = 0; afi < AFI_MAX; afi++) {
		add(r, r->rib->vpn[afi]);
		add(r, r->rib->labelled[afi]);
	}
	for (n = hash_next(&r->rib->tables, NULL); n; n = hash_next(&r->rib->tables, n))
		add(r, hash_entry(n, struct rib_table, node));
	job_schedule(&r->job);
}

struct redecide *redecide_new(struct rib *rib)
{
	struct redecide *r = xcalloc(1, sizeof(*r));

	r->rib = rib;
	job_init(&r->job, rib->jobs, "decisions anew", work);
	return r;
}

void redecide_free(struct redecide *r)
{
	job_cancel(&r->job);
	free(r->table);
	free(r);
}
