// SPDX-License-Identifier: GPL-2.0
/* BFD's end on the main thread: what clients want, what they are told, the log, `bfd` and `interface X bfd`. */
#include "bfd/bfd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/nht.h"
#include "rib/table.h"
#include "vrf/vrf.h"

#define PRIO 45			/* behind interfaces, before those who watch */

struct bfd {
	struct rib_env env;
	struct bfd_io *io;
};

/* ---- clients: rib/liveness.h ---- */

static void want(void *arg, const struct liveness_key *key, const struct liveness_params *params)
{
	struct bfd *b = arg;
	const struct vrf *v = key->vrf ? vrf_by_id(b->env.vrfs, key->vrf) : NULL;

	if (!params)
		bfd_io_drop(b->io, key);
	else if (v || !key->vrf)
		bfd_io_want(b->io, key, v ? v->name : "", params);
}

static void adjacency(void *arg, const struct liveness_key *key, uint32_t id, bool leads)
{
	struct bfd *b = arg;

	bfd_io_adjacency(b->io, key, id, leads);
}

/* "10.1.1.2", "fe80::2%eth0", "10.0.0.2 multihop" and the VRF */
static const char *session_str(const struct bfd *b, const struct liveness_key *key, char *buf, size_t size)
{
	const struct vrf *v = key->vrf ? vrf_by_id(b->env.vrfs, key->vrf) : NULL;
	char addr[ADDR_STRLEN];

	snprintf(buf, size, "%s%s%s%s%s%s", v ? v->name : "", v ? " " : "", addr_str(&key->peer, addr),
		 key->ifname[0] ? "%" : "", key->ifname, key->multihop ? " multihop" : "");
	return buf;
}

static const char *reason_str(const struct bfd_report *r, char *buf, size_t size)
{
	if (r->diag == BFD_DIAG_NEIGHBOR && r->remote_diag)
		snprintf(buf, size, "%s: %s", bfd_diag_str(r->diag), bfd_diag_str(r->remote_diag));
	else
		snprintf(buf, size, "%s", bfd_diag_str(r->diag));
	return buf;
}

static void on_report(void *arg, const struct bfd_report *r)
{
	struct bfd *b = arg;
	char name[96], why[128];

	session_str(b, &r->key, name, sizeof(name));
	reason_str(r, why, sizeof(why));
	if (r->state == BFD_UP)
		log_notice("bfd", "%s: up", name);
	else if (r->was == BFD_UP)
		log_notice("bfd", "%s: %s: %s%s", name, bfd_state_str(r->state), why,
			   r->flipped ? ", forwarding passes over it" : "");
	else
		log_debug("bfd", "%s: %s -> %s", name, bfd_state_str(r->was), bfd_state_str(r->state));
	liveness_report(rib_liveness(b->env.rib), &r->key, r->liveness, why);
}

/* ---- configuration ---- */

static struct nexthop_live live_of(const struct lyd_node *n)
{
	return (struct nexthop_live){ .interval_us = conf_u32(n, "minimum-interval", 150) * 1000,
				      .multiplier = conf_u32(n, "multiplier", 3) };
}

static void on_global(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct bfd *b = arg;

	bfd_io_disable(b->io, op != CONF_DEL && conf_exists(now, "shutdown"));
}

static void on_remote_pe(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	const struct lyd_node *n = op == CONF_DEL ? old : now;
	struct nexthop_live live = { 0 };
	struct bfd *b = arg;
	struct ip_addr pe;

	if (!addr_parse(conf_str(n, "address", ""), &pe))
		return;
	if (op != CONF_DEL) {
		live = live_of(n);
		live.multihop = true;
		addr_parse(conf_str(n, "source", ""), &live.local);
	}
	nht_live_pe(rib_nht(b->env.rib), &pe, &live);
}

static void on_interface(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	const struct lyd_node *n = op == CONF_DEL ? old : now;
	struct nexthop_live live = { 0 };
	struct bfd *b = arg;

	if (op != CONF_DEL && conf_exists(now, "fast-detect"))
		live = live_of(now);
	nht_live_interface(rib_nht(b->env.rib), conf_str(lyd_parent(n), "name", ""), &live);
}

static bool validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *bfd = conf_top(tree, "bfd"), *n;
	struct ip_addr a, source;

	if (!bfd)
		return true;
	conf_for_each(n, bfd, "remote-pe") {
		const char *from = conf_str(n, "source", NULL);

		if (!addr_parse(conf_str(n, "address", ""), &a) || addr_is_multicast(&a) || addr_is_unspecified(&a) ||
		    (a.family == AF_INET6 && addr_is_link_local(&a)))
			return conf_error_node(err, n, "%s is not the address of a router",
					       conf_str(n, "address", ""));
		if (from && (!addr_parse(from, &source) || source.family != a.family))
			return conf_error_node(err, n, "source %s is not of the router's family", from);
	}
	return true;
}

static void subscribe(struct bfd *b)
{
	const struct conf_subscriber subs[] = {
		{ .name = "bfd", .path = "/l3vpn:bfd", .prio = PRIO, .validate = validate, .change = on_global,
		  .arg = b },
		{ .name = "bfd remote-pe", .path = "/l3vpn:bfd/remote-pe", .prio = PRIO, .change = on_remote_pe,
		  .arg = b },
		{ .name = "interface bfd", .path = "/l3vpn:interface/bfd", .prio = PRIO, .change = on_interface,
		  .arg = b },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subs); i++)
		conf_subscribe(b->env.conf, &subs[i]);
}

/* ---- life ---- */

struct bfd *bfd_new(const struct rib_env *env, const struct bfd_options *opt, char *why, size_t len)
{
	struct bfd *b = xcalloc(1, sizeof(*b));
	const struct bfd_io_options io = { .loop = opt->loop, .report = on_report, .arg = b, .flip = opt->flip,
					   .flip_arg = opt->flip_arg };
	const struct liveness_provider provider = { .want = want, .adjacency = adjacency, .arg = b };

	b->env = *env;
	b->io = bfd_io_new(&io, why, len);
	if (!b->io) {
		free(b);
		return NULL;
	}
	liveness_provide(rib_liveness(env->rib), &provider);
	subscribe(b);
	return b;
}

void bfd_free(struct bfd *b)
{
	liveness_provide(rib_liveness(b->env.rib), NULL);
	bfd_io_free(b->io);
	free(b);
}

struct bfd_io *bfd_io(const struct bfd *b)
{
	return b->io;
}
