// SPDX-License-Identifier: GPL-2.0
/* mgmt/show_labels.c: show labels, show mpls lsp, show mpls cross-connect. */
#include <stdio.h>
#include <string.h>

#include "labels/labels.h"
#include "lib/jobs.h"
#include "mgmt/show.h"
#include "rib/lsp.h"
#include "rib/table.h"
#include "rib/transport.h"
#include "vrf/vrf.h"

#define TEXT 1024

/* ---- show labels ---- */

static void set_action(const struct show_env *env, json_t *row, const struct fib_label *f)
{
	const struct vrf *v = vrf_by_id(env->vrfs, f->vrf);
	char text[TEXT], way[TEXT - 32], out[24];

	switch (f->action) {
	case FIB_LABEL_POP_VRF:
		snprintf(text, sizeof(text), "pop, look up in %s", v ? v->name : "a VRF gone");
		break;
	case FIB_LABEL_POP_NH:
		snprintf(text, sizeof(text), "pop, %s",
			 f->nh ? fib_nh_str(f->nh, way, sizeof(way)) : "no way");
		break;
	case FIB_LABEL_SWAP:
		snprintf(out, sizeof(out), "swap %u", f->out_label);
		snprintf(text, sizeof(text), "%s, %s", f->out_label == LABEL_IMPLICIT_NULL ? "pop" : out,
			 f->nh ? fib_nh_str(f->nh, way, sizeof(way)) : "no way");
		break;
	default:
		return;
	}
	json_object_set_new(row, "action", json_string(text));
}

static json_t *label_row(const struct show_env *env, const struct label_binding *b)
{
	json_t *row = json_object();
	uint64_t now = jobs_clock_us(env->jobs);
	char text[TEXT];

	json_object_set_new(row, "label", json_integer(b->label));
	json_object_set_new(row, "for", json_string(label_key_str(&b->key, text, sizeof(text))));
	json_object_set_new(row, "state", json_string(label_state_str(b->state)));
	if (b->state != LABEL_QUARANTINED && b->state != LABEL_RESERVED)
		set_action(env, row, &b->fib);
	json_object_set_new(row, "scope", json_string(label_scope_str(b->fib.scope)));
	json_object_set_new(row, "routes", json_integer(b->refs));
	if (b->state == LABEL_LINGERING || b->state == LABEL_QUARANTINED)
		json_object_set_new(row, "free-in", json_integer(b->until_us > now ?
				    (b->until_us - now) / 1000000 : 0));
	if (b->fib.err)
		json_object_set_new(row, "problem", json_string(strerror(b->fib.err)));
	return row;
}

static void label_totals(struct mgmt_request *req, const struct show_env *env)
{
	struct labels_stats st;
	char text[32];

	labels_stats(env->labels, &st);
	snprintf(text, sizeof(text), "%u-%u", st.pool[LABEL_POOL_DYNAMIC].from,
		 st.pool[LABEL_POOL_DYNAMIC].to);
	mgmt_result(req, "range", json_string(text));
	mgmt_result(req, "used", json_integer(st.used));
	mgmt_result(req, "lingering", json_integer(st.lingering));
	mgmt_result(req, "quarantined", json_integer(st.quarantined));
	mgmt_result(req, "reserved", json_integer(st.reserved));
	mgmt_result(req, "waiting", json_integer(st.waiting));
}

struct label_cursor {
	int64_t next;			/* one more than the label told last */
};

static enum mgmt_next show_labels(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct label_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const struct label_binding *b;
	int64_t only = -1;

	if (conf_str(mgmt_input(req), "label", NULL)) {
		only = conf_u32(mgmt_input(req), "label", 0);
		b = labels_after(env->labels, only - 1);
		if (!b || b->label != only)
			return mgmt_error(req, MGMT_NOT_FOUND, "label", "label %d is not in use",
					  (int)only);
		mgmt_row(req, label_row(env, b));
		return MGMT_DONE;
	}
	while ((b = labels_after(env->labels, c->next - 1))) {
		c->next = (int64_t)b->label + 1;
		if (!mgmt_row(req, label_row(env, b)))
			return MGMT_AGAIN;
	}
	label_totals(req, env);
	return MGMT_DONE;
}

/* ---- show mpls label-range ---- */

static json_t *range_row(const char *owner, uint32_t from, uint32_t to)
{
	json_t *row = json_object();

	json_object_set_new(row, "owner", json_string(owner));
	json_object_set_new(row, "minimum", json_integer(from));
	json_object_set_new(row, "maximum", json_integer(to));
	return row;
}

static void pool_rows(struct mgmt_request *req, const struct labels *labels)
{
	struct labels_stats st;
	json_t *row;
	int i;

	labels_stats(labels, &st);
	for (i = 0; i < LABEL_POOLS; i++) {
		if (!st.pool[i].to)
			continue;
		row = range_row(label_pool_str(i), st.pool[i].from, st.pool[i].to);
		json_object_set_new(row, "taken", json_integer(st.pool[i].taken));
		json_object_set_new(row, "waiting", json_integer(st.pool[i].waiting));
		mgmt_row(req, row);
	}
}

struct range_cursor {
	bool pools_told;
	struct labels_reserved at;
};

static enum mgmt_next show_ranges(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct range_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	char owner[64];

	if (!c->pools_told)
		pool_rows(req, env->labels);
	c->pools_told = true;
	while (labels_reserved_next(env->labels, &c->at)) {
		snprintf(owner, sizeof(owner), "reserved for %s", c->at.name);
		if (!mgmt_row(req, range_row(owner, c->at.from, c->at.to)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

static enum mgmt_next show_cross_connects(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct label_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const struct label_binding *b;
	char text[TEXT];
	json_t *row;

	while ((b = labels_after(env->labels, c->next - 1))) {
		c->next = (int64_t)b->label + 1;
		if (b->key.owner != LABEL_OWNER_STATIC || !b->refs || !b->fib.nh)
			continue;
		row = json_object();
		json_object_set_new(row, "in-label", json_integer(b->label));
		snprintf(text, sizeof(text), "%u", b->fib.out_label);
		json_object_set_new(row, "out-label",
				    json_string(b->fib.out_label == LABEL_IMPLICIT_NULL ?
						"implicit-null" : text));
		json_object_set_new(row, "path",
				    json_string(fib_nh_str(b->fib.nh, text, sizeof(text))));
		json_object_set_new(row, "state",
				    json_string(b->fib.err ? strerror(b->fib.err) :
						label_state_str(b->state)));
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

/* ---- show mpls lsp ---- */

static void set_labels(json_t *row, const struct lsp *lsp)
{
	char text[128] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < lsp->path.n_labels; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%u", i ? "/" : "",
				lsp->path.labels[i]);
	json_object_set_new(row, "labels", json_string(len ? text : "implicit-null"));
}

static json_t *lsp_row(const struct show_env *env, const struct prefix *fec, const struct lsp *lsp)
{
	const struct nht_link *l = nht_link_by_index(rib_nht(env->rib), lsp->ifindex);
	const char *ifname = l ? l->name : lsp->path.ifname;
	json_t *row = json_object();
	char buf[PREFIX_STRLEN];

	json_object_set_new(row, "fec", json_string(prefix_str(fec, buf)));
	json_object_set_new(row, "next-hop", json_string(addr_str(&lsp->path.gateway, buf)));
	if (ifname[0])
		json_object_set_new(row, "interface", json_string(ifname));
	set_labels(row, lsp);
	json_object_set_new(row, "weight", json_integer(lsp->path.weight));
	if (lsp->path.backup)
		json_object_set_new(row, "backup", json_string("yes"));
	json_object_set_new(row, "state",
			    json_string(lsp->usable ? "up" : nexthop_reason_str(lsp->reason)));
	json_object_set_new(row, "protocol", json_string(transport_kind_str(lsp->path.owner)));
	return row;
}

struct lsp_cursor {
	int afi;
	bool started;
	struct prefix fec;
};

static enum mgmt_next show_lsps(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct lsp_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	struct nht *nht = rib_nht(env->rib);
	const struct list *paths;
	struct prefix after;
	struct lsp *lsp;
	bool room;

	for (; c->afi < AFI_MAX; c->afi++, c->started = false) {
		after = c->fec;
		while (lsp_next_fec(nht, afi_family(c->afi), c->started ? &after : NULL, &c->fec)) {
			c->started = true;
			after = c->fec;
			room = true;
			paths = lsp_paths(nht, &c->fec);
			list_for_each(lsp, paths, struct lsp, node)
				room = mgmt_row(req, lsp_row(env, &c->fec, lsp));
			if (!room)
				return MGMT_AGAIN;
		}
	}
	return MGMT_DONE;
}

void show_labels_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-labels", show_labels, (void *)env);
	mgmt_register(mgmt, "show-mpls-label-range", show_ranges, (void *)env);
	mgmt_register(mgmt, "show-mpls-lsp", show_lsps, (void *)env);
	mgmt_register(mgmt, "show-mpls-cross-connect", show_cross_connects, (void *)env);
}
