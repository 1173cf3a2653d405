// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: next hop handles: create, replace in place, delete, sweep.
 *
 * A handle made by user space lives until user space deletes it, which it can while nothing refers
 * to it. Snapshots come from nexthop_build.c.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "digest.h"
#include "fib.h"
#include "neigh.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "object.h"
#include "port.h"
#include "tunnel.h"
#include "vrf.h"

struct l3vpn_nh *l3vpn_nh_find(struct l3vpn_net *ln, u32 id)
{
	return xa_load(&ln->nhs, id);
}

void l3vpn_nh_hold(struct l3vpn_nh *nh)
{
	nh->refs++;
}

void l3vpn_nh_put(struct l3vpn_net *ln, struct l3vpn_nh *nh)
{
	lockdep_assert_held(&ln->lock);
	WARN_ON_ONCE(!nh->refs);
	nh->refs--;
}

static struct l3vpn_nh *l3vpn_nh_alloc(u32 id)
{
	size_t size = roundup_pow_of_two(max_t(size_t, sizeof(struct l3vpn_nh), L3VPN_NH_ALIGN));
	struct l3vpn_nh *nh = kzalloc(size, GFP_KERNEL_ACCOUNT);

	if (!nh)
		return NULL;
	/* not: memory beyond what a leaf can name, more than 64 TB of it */
	if (l3vpn_leaf_can(nh))
		nh->tally = l3vpn_tally_alloc(GFP_KERNEL_ACCOUNT);
	if (!nh->tally) {
		kfree(nh);
		return NULL;
	}
	nh->id = id;
	INIT_LIST_HEAD(&nh->port_node);
	l3vpn_object_born(L3VPN_COUNT_NH);
	return nh;
}

static void l3vpn_nh_free_rcu(struct rcu_head *rcu)
{
	struct l3vpn_nh *nh = container_of(rcu, struct l3vpn_nh, rcu);

	free_percpu(nh->tally);
	l3vpn_object_gone(L3VPN_COUNT_NH);
	kfree(nh);
}

static void l3vpn_nh_free(struct l3vpn_nh *nh)
{
	call_rcu(&nh->rcu, l3vpn_nh_free_rcu);
}

/* @nh was never seen by anybody: its first snapshot. */
static void l3vpn_nh_begin(struct l3vpn_nh *nh, struct l3vpn_nh_data *data)
{
	data->tally = nh->tally;
	RCU_INIT_POINTER(nh->data, data);
}

/* Publish @data in @nh; what was there is released after its readers. */
static void l3vpn_nh_publish(struct l3vpn_net *ln, struct l3vpn_nh *nh, struct l3vpn_nh_data *data)
{
	struct l3vpn_nh_data *old = l3vpn_nh_data(ln, nh);

	data->tally = nh->tally;
	rcu_assign_pointer(nh->data, data);
	list_del_init(&nh->port_node);
	if (data->kind == L3VPN_NH_KIND_ADJACENCY && data->adj.port)
		list_add(&nh->port_node, &data->adj.port->adjs);
	if (old)
		l3vpn_nh_data_release(ln, old);
}

static bool l3vpn_nh_is_dead(const struct l3vpn_nh_data *data)
{
	return (data->kind == L3VPN_NH_KIND_ADJACENCY && !data->adj.port) ||
	       (data->kind == L3VPN_NH_KIND_VRF && !data->vrf);
}

static int l3vpn_nh_create(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec,
			   struct netlink_ext_ack *extack)
{
	struct l3vpn_nh_data *data = l3vpn_nh_build(ln, spec, NULL, extack);
	struct l3vpn_nh *nh;
	int err;

	if (IS_ERR(data))
		return PTR_ERR(data);
	nh = l3vpn_nh_alloc(spec->id);
	if (!nh) {
		l3vpn_nh_data_release(ln, data);
		return -ENOMEM;
	}
	l3vpn_nh_publish(ln, nh, data);
	err = xa_insert(&ln->nhs, spec->id, nh, GFP_KERNEL);
	if (err) {
		list_del_init(&nh->port_node);
		l3vpn_nh_data_release(ln, data);
		l3vpn_nh_free(nh);
		return err;
	}
	nh->stamp = ln->epoch;
	ln->nh_count++;
	ln->nh_digest += l3vpn_digest_nh(nh->id, data);
	return 0;
}

int l3vpn_nh_set(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec, u16 flags, int *made,
		 struct netlink_ext_ack *extack)
{
	struct l3vpn_nh *nh = l3vpn_nh_find(ln, spec->id);
	struct l3vpn_nh_data *data, *old;
	u64 was, is;

	ASSERT_RTNL();
	lockdep_assert_held(&ln->lock);

	if (!nh) {
		if ((flags & NLM_F_REPLACE) && !(flags & NLM_F_CREATE)) {
			NL_SET_ERR_MSG(extack, "no such next hop to replace");
			return -ENOENT;
		}
		*made = 1;
		return l3vpn_nh_create(ln, spec, extack);
	}
	if (flags & NLM_F_EXCL) {
		NL_SET_ERR_MSG(extack, "next hop id is in use");
		return -EEXIST;
	}

	data = l3vpn_nh_build(ln, spec, nh, extack);
	if (IS_ERR(data))
		return PTR_ERR(data);
	old = l3vpn_nh_data(ln, nh);
	was = l3vpn_digest_nh(nh->id, old);
	is = l3vpn_digest_nh(nh->id, data);
	nh->stamp = ln->epoch;
	if (was == is && !l3vpn_nh_is_dead(old)) {
		l3vpn_nh_data_release(ln, data);
		*made = -1;
		return 0;
	}
	l3vpn_nh_publish(ln, nh, data);
	ln->nh_digest += is - was;
	*made = 0;
	return 0;
}

void l3vpn_nh_end(struct l3vpn_net *ln, struct l3vpn_nh *nh)
{
	struct l3vpn_nh_data *data = l3vpn_nh_data(ln, nh);

	WARN_ON_ONCE(nh->refs);
	if (nh->id <= L3VPN_NH_ID_MAX) {
		xa_erase(&ln->nhs, nh->id);
		ln->nh_count--;
		ln->nh_digest -= l3vpn_digest_nh(nh->id, data);
	}
	list_del_init(&nh->port_node);
	l3vpn_nh_data_release(ln, data);
	l3vpn_nh_free(nh);
}

struct l3vpn_nh *l3vpn_nh_connected(struct l3vpn_net *ln, struct l3vpn_port *port)
{
	struct l3vpn_nh_data *data = l3vpn_nh_build_connected(port);
	struct l3vpn_nh *nh;

	if (!data)
		return NULL;
	nh = l3vpn_nh_alloc(L3VPN_NH_ID_CONNECTED + port->dev->ifindex);
	if (!nh) {
		l3vpn_nh_data_release(ln, data);
		return NULL;
	}
	l3vpn_nh_begin(nh, data);
	return nh;
}

void l3vpn_nh_kill(struct l3vpn_net *ln, struct l3vpn_nh *nh)
{
	l3vpn_nh_publish(ln, nh, l3vpn_nh_build_dead(l3vpn_nh_data(ln, nh)));
}

void l3vpn_nh_kill_vrf(struct l3vpn_net *ln, struct l3vpn_vrf *vrf)
{
	struct l3vpn_nh *nh;
	unsigned long id;

	if (!vrf->refs)
		return;
	xa_for_each(&ln->nhs, id, nh) {
		struct l3vpn_nh_data *data = l3vpn_nh_data(ln, nh);

		if (data->kind == L3VPN_NH_KIND_VRF && data->vrf == vrf)
			l3vpn_nh_kill(ln, nh);
	}
}

bool l3vpn_nh_resolved(const struct l3vpn_nh *nh)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);
	int i;

	switch (data->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return data->adj.port && l3vpn_adj_resolved(&data->adj);
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		return l3vpn_nh_resolved(data->path.via);
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < data->group.count; i++) {
			if (l3vpn_nh_resolved(data->group.member[i].nh))
				return true;
		}
		return false;
	case L3VPN_NH_KIND_VRF:
		return data->vrf;
	case L3VPN_NH_KIND_TUNNEL:
		return l3vpn_tunnel_resolved(&data->tunnel);
	default:
		return true;
	}
}

bool l3vpn_nh_state(struct l3vpn_net *ln, struct l3vpn_nh *nh, bool down)
{
	switch (l3vpn_nh_rcu(nh)->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_GROUP:
	case L3VPN_NH_KIND_TUNNEL:
	case L3VPN_NH_KIND_EGRESS:
	case L3VPN_NH_KIND_UNREACHABLE:
		WRITE_ONCE(nh->down, down ? READ_ONCE(ln->epoch) : 0);
		return true;
	default:
		return false;
	}
}

/* A state of being down that this epoch has not repeated was said by a daemon that is gone. */
static void l3vpn_nh_sweep_states(struct l3vpn_net *ln)
{
	struct l3vpn_nh *nh;
	unsigned long id;

	xa_for_each(&ln->nhs, id, nh) {
		u32 down = READ_ONCE(nh->down);

		if (down && down != ln->epoch)
			cmpxchg(&nh->down, down, 0);
	}
}

/*
 * Next hops refer to next hops at most five deep (nexthop.h), so as many rounds reach what only
 * stale ones referred to; one round more finds nothing.
 */
u32 l3vpn_nh_sweep(struct l3vpn_net *ln)
{
	struct l3vpn_nh *nh;
	unsigned long id;
	u32 swept = 0, before;

	l3vpn_nh_sweep_states(ln);
	do {
		before = swept;
		xa_for_each(&ln->nhs, id, nh) {
			if (nh->stamp == ln->epoch || nh->refs)
				continue;
			l3vpn_nh_end(ln, nh);
			swept++;
		}
	} while (swept != before);
	return swept;
}

void l3vpn_nh_flush(struct l3vpn_net *ln)
{
	WRITE_ONCE(ln->epoch, ln->epoch + 1);
	l3vpn_nh_sweep(ln);
	WARN_ON_ONCE(!xa_empty(&ln->nhs));
}

static struct l3vpn_nh *l3vpn_nh_builtin(struct l3vpn_net *ln, u32 id, u8 kind)
{
	const struct l3vpn_nh_spec spec = { .id = id, .kind = kind };
	struct l3vpn_nh_data *data;
	struct l3vpn_nh *nh;

	nh = l3vpn_nh_alloc(id);
	if (!nh)
		return NULL;
	data = l3vpn_nh_build(ln, &spec, NULL, NULL);
	if (IS_ERR(data)) {
		l3vpn_nh_free(nh);
		return NULL;
	}
	l3vpn_nh_begin(nh, data);
	return nh;
}

int l3vpn_nh_net_init(struct l3vpn_net *ln)
{
	mutex_lock(&ln->lock);
	ln->nh_receive = l3vpn_nh_builtin(ln, L3VPN_NH_ID_RECEIVE, L3VPN_NH_KIND_RECEIVE);
	ln->nh_unreachable = l3vpn_nh_builtin(ln, L3VPN_NH_ID_UNREACHABLE,
					      L3VPN_NH_KIND_UNREACHABLE);
	ln->nh_blackhole = l3vpn_nh_builtin(ln, L3VPN_NH_ID_BLACKHOLE, L3VPN_NH_KIND_BLACKHOLE);
	mutex_unlock(&ln->lock);

	if (ln->nh_receive && ln->nh_unreachable && ln->nh_blackhole)
		return 0;
	l3vpn_nh_net_exit(ln);
	return -ENOMEM;
}

void l3vpn_nh_net_exit(struct l3vpn_net *ln)
{
	mutex_lock(&ln->lock);
	if (ln->nh_receive)
		l3vpn_nh_end(ln, ln->nh_receive);
	if (ln->nh_unreachable)
		l3vpn_nh_end(ln, ln->nh_unreachable);
	if (ln->nh_blackhole)
		l3vpn_nh_end(ln, ln->nh_blackhole);
	mutex_unlock(&ln->lock);
}
