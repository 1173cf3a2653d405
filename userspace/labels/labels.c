// SPDX-License-Identifier: GPL-2.0
/* Label manager: giving out, taking back, holding back (labels.h). The file is in store.c. */
#include "labels/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define EXPIRE_MAX 1024			/* at one turn of the timer */

static const char *const state_names[] = {
	[LABEL_WANTED] = "wanted",
	[LABEL_PROGRAMMED] = "programmed",
	[LABEL_LINGERING] = "lingering",
	[LABEL_QUARANTINED] = "quarantined",
	[LABEL_RESERVED] = "reserved",
};

const char *label_state_str(enum label_state s)
{
	return (unsigned int)s < ARRAY_SIZE(state_names) ? state_names[s] : "?";
}

const char *label_key_str(const struct label_key *k, char *buf, size_t size)
{
	char p[PREFIX_STRLEN], a[ADDR_STRLEN];

	switch (k->owner) {
	case LABEL_OWNER_VRF:
		snprintf(buf, size, "vrf %s", k->vrf);
		break;
	case LABEL_OWNER_CE:
		snprintf(buf, size, "vrf %s ce %s%s%s", k->vrf,
			 k->prefix.addr.family ? addr_str(&k->prefix.addr, a) : "on-link",
			 k->ifname[0] ? " dev " : "", k->ifname);
		break;
	case LABEL_OWNER_EXTERNAL:
		snprintf(buf, size, "vrf %s best external %s%s%s", k->vrf, prefix_str(&k->prefix, p),
			 k->ifname[0] ? " dev " : "", k->ifname);
		break;
	case LABEL_OWNER_PREFIX:
		snprintf(buf, size, "vrf %s prefix %s", k->vrf, prefix_str(&k->prefix, p));
		break;
	case LABEL_OWNER_LU:
		snprintf(buf, size, "labeled-unicast %s", prefix_str(&k->prefix, p));
		break;
	case LABEL_OWNER_LDP:
		snprintf(buf, size, "ldp fec %s", prefix_str(&k->prefix, p));
		break;
	default:
		snprintf(buf, size, "static");
		break;
	}
	return buf;
}

enum label_scope label_scope(const struct label_key *k)
{
	switch (k->owner) {
	case LABEL_OWNER_STATIC:
	case LABEL_OWNER_LU:
		return LABEL_SCOPE_TRANSPORT;
	case LABEL_OWNER_LDP:
		return LABEL_SCOPE_LDP;
	default:
		return LABEL_SCOPE_VPN;
	}
}

const char *label_scope_str(uint8_t scope)
{
	static const char *const names[] = {
		[LABEL_SCOPE_TRANSPORT] = "transport",
		[LABEL_SCOPE_VPN] = "vpn",
		[LABEL_SCOPE_LDP] = "ldp",
	};

	return scope < ARRAY_SIZE(names) ? names[scope] : "?";
}

const char *label_pool_str(enum label_pool p)
{
	static const char *const names[] = {
		[LABEL_POOL_DYNAMIC] = "dynamic",
		[LABEL_POOL_STATIC] = "static",
		[LABEL_POOL_VPN] = "vpn",
		[LABEL_POOL_LDP] = "ldp",
	};

	return (unsigned int)p < ARRAY_SIZE(names) ? names[p] : "?";
}

/* ---- keys and numbers ---- */

static struct label_key key_clean(const struct label_key *k)
{
	struct label_key c;

	memset(&c, 0, sizeof(c));
	c.owner = k->owner;
	snprintf(c.vrf, sizeof(c.vrf), "%s", k->vrf);
	snprintf(c.ifname, sizeof(c.ifname), "%s", k->ifname);
	c.prefix = k->prefix;
	return c;
}

static bool key_eq(const struct label_key *a, const struct label_key *b)
{
	return a->owner == b->owner && !strcmp(a->vrf, b->vrf) && !strcmp(a->ifname, b->ifname) &&
	       prefix_eq(&a->prefix, &b->prefix);
}

static uint32_t key_hash(const struct label_key *k)
{
	uint32_t h = hash_bytes(k->vrf, strlen(k->vrf), k->owner);

	h = hash_bytes(k->ifname, strlen(k->ifname), h);
	return prefix_hash(&k->prefix, h);
}

static bool match_key(const struct hash_node *n, const void *key)
{
	return key_eq(&hash_entry(n, struct label_binding, node)->key, key);
}

static struct label_binding *by_key(const struct labels *l, const struct label_key *key)
{
	struct hash_node *n = hash_find(&l->by_key, key_hash(key), match_key, key);

	return n ? hash_entry(n, struct label_binding, node) : NULL;
}

struct label_binding *label_by_number(const struct labels *l, uint32_t label)
{
	return label_space_get(l->space, label);
}

struct label_binding *labels_after(struct labels *l, int64_t label)
{
	return label_space_after(l->space, label);
}

/* ---- pools ---- */

static struct pool *pool_of(struct labels *l, uint8_t owner)
{
	static const uint8_t pools[] = {
		[LABEL_OWNER_VRF] = LABEL_POOL_VPN,
		[LABEL_OWNER_CE] = LABEL_POOL_VPN,
		[LABEL_OWNER_PREFIX] = LABEL_POOL_VPN,
		[LABEL_OWNER_STATIC] = LABEL_POOL_STATIC,
		[LABEL_OWNER_LDP] = LABEL_POOL_LDP,
		[LABEL_OWNER_LU] = LABEL_POOL_DYNAMIC,
		[LABEL_OWNER_EXTERNAL] = LABEL_POOL_VPN,
	};
	struct pool *own = &l->pool[pools[owner]];

	return own->to ? own : &l->pool[LABEL_POOL_DYNAMIC];
}

/* the next free one after those given out last, so that a number rests as long as can be */
static bool number_take(struct labels *l, struct pool *p, uint32_t *label)
{
	int64_t free = label_space_next(l->space, p->from, p->to, p->next);

	if (free < 0)
		return false;
	*label = free;
	p->next = *label + 1;
	return true;
}

/* ---- bindings ---- */

static void on_acked(struct fib_label *f, int err, void *arg);

static struct label_binding *binding_new(struct labels *l, uint32_t label,
					 const struct label_key *key)
{
	struct label_binding *b = xcalloc(1, sizeof(*b));

	b->labels = l;
	b->key = *key;
	b->label = label;
	b->state = LABEL_RESERVED;
	b->fib.label = label;
	b->fib.acked = on_acked;
	b->fib.arg = b;
	b->fib.out_label = FIB_LABEL_NONE;
	b->fib.scope = label_scope(key);
	list_init(&b->users);
	list_init(&b->all);
	list_add_tail(&l->held, &b->all);
	label_space_put(l->space, label, b);
	if (key->owner != LABEL_OWNER_STATIC)
		hash_insert(&l->by_key, &b->node, key_hash(key));
	l->count++;
	labels_append(l, b);
	return b;
}

static void waiting_retry(struct pool *p)
{
	struct label_user *u;

	if (list_empty(&p->waiting))
		return;
	u = list_first(&p->waiting, struct label_user, node);
	list_del(&u->node);
	p->exhausted = !list_empty(&p->waiting);
	u->retry(u);
}

static bool claimant_retry(struct labels *l, uint32_t label)
{
	struct label_claimant *c;

	list_for_each(c, &l->claimants, struct label_claimant, node) {
		if (c->label != label)
			continue;
		list_del(&c->node);
		c->retry(c);
		return true;
	}
	return false;
}

void label_number_freed(struct labels *l, uint32_t label)
{
	struct pool *p;

	if (label_by_number(l, label) || label_space_reserved(l->space, label) ||
	    claimant_retry(l, label))
		return;
	for (p = l->pool; p < l->pool + LABEL_POOLS; p++)
		if (label >= p->from && label <= p->to)
			waiting_retry(p);
}

static void binding_free(struct label_binding *b)
{
	struct labels *l = b->labels;

	fib_label_del(l->fib, &b->fib);
	fib_nh_put(l->fib, b->fib.nh);
	label_space_put(l->space, b->label, NULL);
	if (b->key.owner != LABEL_OWNER_STATIC)
		hash_remove(&l->by_key, &b->node);
	list_del(&b->all);
	l->count--;
	free(b);
}

static bool action_same(const struct fib_label *f, const struct label_action *a)
{
	return f->action == a->action && f->vrf == a->vrf && f->nh == a->nh &&
	       f->out_label == a->out_label;
}

static struct label_action action_clean(const struct label_action *a)
{
	struct label_action c = *a;

	if (a->action != FIB_LABEL_SWAP)
		c.out_label = FIB_LABEL_NONE;
	else
		c.vrf = 0;
	if (a->action == FIB_LABEL_POP_VRF)
		c.nh = NULL;
	return c;
}

static bool entry_set(struct label_binding *b, const struct label_action *a)
{
	struct fib_nh *old = b->fib.nh;
	bool ok;

	b->fib.action = a->action;
	b->fib.vrf = a->vrf;
	b->fib.nh = a->nh ? fib_nh_ref(a->nh) : NULL;
	b->fib.out_label = a->out_label;
	ok = fib_label_set(b->labels->fib, &b->fib);
	fib_nh_put(b->labels->fib, old);
	return ok;
}

static void entry_remove(struct label_binding *b)
{
	fib_label_del(b->labels->fib, &b->fib);
	fib_nh_put(b->labels->fib, b->fib.nh);
	b->fib.nh = NULL;
}

static void hold(struct label_binding *b, enum label_state state)
{
	list_del(&b->all);
	list_add_tail(&b->labels->held, &b->all);
	b->state = state;
}

static void arm(struct labels *l)
{
	uint64_t now = jobs_clock_us(l->jobs), due = UINT64_MAX;
	struct label_binding *b;

	if (!list_empty(&l->lingering)) {
		b = list_first(&l->lingering, struct label_binding, all);
		due = b->until_us;
	}
	if (!list_empty(&l->quarantined)) {
		b = list_first(&l->quarantined, struct label_binding, all);
		if (b->until_us < due)
			due = b->until_us;
	}
	if (due != UINT64_MAX)
		timer_start(&l->expiry, due > now ? (due - now + 999) / 1000 : 0);
}

static void quarantine(struct label_binding *b)
{
	struct labels *l = b->labels;

	entry_remove(b);
	list_del(&b->all);
	list_add_tail(&l->quarantined, &b->all);
	b->state = LABEL_QUARANTINED;
	b->until_us = jobs_clock_us(l->jobs) + l->holddown_us;
	arm(l);
}

static void linger(struct label_binding *b)
{
	struct labels *l = b->labels;

	list_del(&b->all);
	list_add_tail(&l->lingering, &b->all);
	b->state = LABEL_LINGERING;
	b->until_us = jobs_clock_us(l->jobs) + LABELS_LINGER_MS * 1000ull;
	arm(l);
}

static void on_expiry(struct timer *t)
{
	struct labels *l = container_of(t, struct labels, expiry);
	uint64_t now = jobs_clock_us(l->jobs);
	unsigned int budget = EXPIRE_MAX;
	struct label_binding *b;
	uint32_t label;

	while (budget-- && !list_empty(&l->lingering)) {
		b = list_first(&l->lingering, struct label_binding, all);
		if (b->until_us > now)
			break;
		quarantine(b);
	}
	while (budget-- && !list_empty(&l->quarantined)) {
		b = list_first(&l->quarantined, struct label_binding, all);
		if (b->until_us > now)
			break;
		label = b->label;
		binding_free(b);
		label_number_freed(l, label);
	}
	arm(l);
}

/* each user once, whatever they do to the list meanwhile */
static void tell_users(struct label_binding *b, int err)
{
	struct list told = LIST_INIT(told);
	struct label_user *u;

	b->refs++;
	list_splice_tail(&told, &b->users);
	while (!list_empty(&told)) {
		u = list_first(&told, struct label_user, node);
		list_del(&u->node);
		list_add_tail(&b->users, &u->node);
		if (!err && u->ready)
			u->ready(u);
		else if (err && u->failed)
			u->failed(u, err);
	}
	if (!--b->refs)
		linger(b);
}

static void on_acked(struct fib_label *f, int err, void *arg)
{
	struct label_binding *b = arg;
	char key[128];

	if (err) {
		log_err("labels", "label %u for %s is not in forwarding: %s", b->label,
			label_key_str(&b->key, key, sizeof(key)), strerror(err));
		if (b->state == LABEL_WANTED)
			tell_users(b, err);
	} else if (b->state == LABEL_WANTED) {
		b->state = LABEL_PROGRAMMED;
		tell_users(b, 0);
	}
}

static bool revive(struct label_binding *b, const struct label_action *action)
{
	bool standing = b->state == LABEL_LINGERING || b->state == LABEL_PROGRAMMED ||
			b->state == LABEL_WANTED;

	if (b->state == LABEL_LINGERING)
		hold(b, LABEL_PROGRAMMED);
	if (standing) {
		label_update(b->labels, b, action);
		return true;
	}
	hold(b, LABEL_WANTED);
	return entry_set(b, action);
}

bool label_request(struct labels *l, struct label_user *u, const struct label_key *key,
		   const struct label_action *action)
{
	struct label_key k = key_clean(key);
	struct label_action a = action_clean(action);
	struct label_binding *b = by_key(l, &k);
	struct pool *p = pool_of(l, k.owner);
	uint32_t label;

	list_del(&u->node);
	if (b && !revive(b, &a)) {
		/* its number is another owner's by now: take another */
		binding_free(b);
		b = NULL;
	}
	if (!b) {
		if (!number_take(l, p, &label)) {
			if (!p->exhausted)
				log_err("labels", "%s range %u..%u is exhausted",
					label_pool_str(p - l->pool), p->from, p->to);
			p->exhausted = true;
			list_add_tail(&p->waiting, &u->node);
			return false;
		}
		b = binding_new(l, label, &k);
		b->state = LABEL_WANTED;
		entry_set(b, &a);
	}
	b->refs++;
	u->binding = b;
	list_add_tail(&b->users, &u->node);
	return true;
}

void label_release(struct labels *l, struct label_user *u)
{
	struct label_binding *b = u->binding;

	list_del(&u->node);
	u->binding = NULL;
	if (!b || --b->refs)
		return;
	if (b->state == LABEL_PROGRAMMED)
		linger(b);
	else
		quarantine(b);
}

void label_update(struct labels *l, struct label_binding *b, const struct label_action *action)
{
	struct label_action a = action_clean(action);

	if (!action_same(&b->fib, &a))
		entry_set(b, &a);
}

/* ---- labels chosen by the operator ---- */

struct label_binding *label_claim(struct labels *l, uint32_t label, const struct label_key *key,
				  const struct label_action *action, char *why, size_t size)
{
	const struct pool *p = &l->pool[LABEL_POOL_STATIC];
	struct label_binding *b = label_by_number(l, label);
	struct label_action a = action_clean(action);
	struct label_key k = key_clean(key);
	const char *holder = label_reserved_by(l, label);
	char text[128];

	if (label < LABEL_MIN || label > LABEL_MAX) {
		snprintf(why, size, "label %u is not between %u and %u", label, LABEL_MIN, LABEL_MAX);
		return NULL;
	}
	if (p->to && (label < p->from || label > p->to)) {
		snprintf(why, size, "label %u is outside the static range %u..%u", label, p->from, p->to);
		return NULL;
	}
	if (holder) {
		snprintf(why, size, "label %u is reserved for %s", label, holder);
		return NULL;
	}
	if (b && (b->refs || b->key.owner != LABEL_OWNER_STATIC)) {
		snprintf(why, size, "label %u is %s for %s", label, label_state_str(b->state),
			 label_key_str(&b->key, text, sizeof(text)));
		return NULL;
	}
	if (!b)
		b = binding_new(l, label, &k);
	hold(b, LABEL_WANTED);
	if (!entry_set(b, &a)) {
		snprintf(why, size, "label %u is in use", label);
		binding_free(b);
		return NULL;
	}
	b->refs++;
	return b;
}

void label_unclaim(struct labels *l, struct label_binding *b)
{
	if (!--b->refs)
		quarantine(b);
}

void label_claim_wait(struct labels *l, struct label_claimant *c, uint32_t label)
{
	list_del(&c->node);
	c->label = label;
	list_add_tail(&l->claimants, &c->node);
}

void labels_drop_vrf(struct labels *l, const char *vrf)
{
	struct label_binding *b, *tmp;

	list_for_each_safe(b, tmp, &l->lingering, struct label_binding, all)
		if (!strcmp(b->key.vrf, vrf))
			quarantine(b);
}

/* ---- configuration, restart, life ---- */

static bool pool_configure(struct labels *l, struct pool *p, uint32_t from, uint32_t to)
{
	if (from < LABEL_MIN || to > LABEL_MAX || from > to)
		return false;
	if (from != p->from || to != p->to) {
		p->from = from;
		p->to = to;
		p->next = from;
		/* continue behind what was given out, so that what was freed before rests */
		while (p->next < to && label_by_number(l, p->next))
			p->next++;
	}
	waiting_retry(p);
	return true;
}

bool labels_configure(struct labels *l, uint32_t from, uint32_t to, uint32_t holddown_s)
{
	if (!pool_configure(l, &l->pool[LABEL_POOL_DYNAMIC], from, to))
		return false;
	l->holddown_us = holddown_s * 1000000ull;
	return true;
}

bool labels_configure_pool(struct labels *l, enum label_pool pool, uint32_t from, uint32_t to)
{
	struct pool *p = &l->pool[pool], *dynamic = &l->pool[LABEL_POOL_DYNAMIC];

	if (!from && !to) {
		p->from = p->to = p->next = 0;
		p->exhausted = false;
		list_splice_tail(&dynamic->waiting, &p->waiting);
		waiting_retry(dynamic);
		return true;
	}
	return pool_configure(l, p, from, to);
}

bool label_restore(struct labels *l, uint32_t label, const struct label_key *key)
{
	struct label_key k = key_clean(key);
	struct label_binding *before;

	if (label < LABEL_MIN || label > LABEL_MAX)
		return false;
	before = label_by_number(l, label);
	if (before)
		binding_free(before);
	before = k.owner != LABEL_OWNER_STATIC ? by_key(l, &k) : NULL;
	if (before)
		binding_free(before);
	binding_new(l, label, &k);
	return true;
}

void labels_restart_done(struct labels *l)
{
	struct label_binding *b, *tmp;

	list_for_each_safe(b, tmp, &l->held, struct label_binding, all)
		if (b->state == LABEL_RESERVED)
			quarantine(b);
}

void labels_stats(const struct labels *l, struct labels_stats *s)
{
	const struct label_binding *b;
	const struct label_user *u;
	const struct pool *p;
	int i;

	memset(s, 0, sizeof(*s));
	list_for_each(b, &l->held, struct label_binding, all) {
		if (b->state == LABEL_RESERVED)
			s->reserved++;
		else
			s->used++;
	}
	list_for_each(b, &l->lingering, struct label_binding, all)
		s->lingering++;
	list_for_each(b, &l->quarantined, struct label_binding, all)
		s->quarantined++;
	for (i = 0; i < LABEL_POOLS; i++) {
		p = &l->pool[i];
		s->pool[i].from = p->from;
		s->pool[i].to = p->to;
		s->pool[i].taken = p->to ? label_space_taken(l->space, p->from, p->to) : 0;
		list_for_each(u, &p->waiting, struct label_user, node)
			s->pool[i].waiting++;
		s->waiting += s->pool[i].waiting;
	}
}

struct labels *labels_new(struct jobs *jobs, struct fib *fib)
{
	struct labels *l = xcalloc(1, sizeof(*l));
	int i;

	l->jobs = jobs;
	l->fib = fib;
	l->holddown_us = LABELS_HOLDDOWN_DEFAULT * 1000000ull;
	l->space = label_space_new();
	for (i = 0; i < LABEL_POOLS; i++)
		list_init(&l->pool[i].waiting);
	pool_configure(l, &l->pool[LABEL_POOL_DYNAMIC], LABELS_DYNAMIC_MIN, LABEL_MAX);
	list_init(&l->reserved);
	list_init(&l->claimants);
	list_init(&l->lingering);
	list_init(&l->quarantined);
	list_init(&l->held);
	timer_init(&l->expiry, jobs, on_expiry);
	timer_init(&l->save, jobs, labels_on_save);
	l->journal = -1;
	return l;
}

void labels_free(struct labels *l)
{
	struct label_binding *b;

	if (!l)
		return;
	labels_journal_close(l);
	free(l->path);
	l->path = NULL;
	while ((b = labels_after(l, -1)))
		binding_free(b);
	timer_stop(&l->expiry);
	timer_stop(&l->save);
	labels_reserved_free(l);
	label_space_free(l->space);
	hash_fini(&l->by_key);
	free(l);
}
