// SPDX-License-Identifier: GPL-2.0
/*
 * Static cross-connects: `mpls` / `static cross-connect IN-LABEL` (RFC 3031: ILM -> NHLFE). With
 * implicit-null the label is popped (penultimate hop). The label is claimed from the label
 * manager, so that it collides with nothing; the next hop is tracked like any other.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "labels/labels.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/trie.h"
#include "rib/lsp.h"
#include "rib/table.h"
#include "static/out_label.h"
#include "static/static.h"

struct xconnects;

struct xconnect {
	struct xconnects *all;
	struct label_claimant claimant;	/* while the label is somebody else's */
	struct nexthop *nh;
	struct label_binding *binding;
	uint32_t in_label, out_label;
};

struct xconnects {
	struct rib_env env;
	struct nht *nht;
	struct trie all;		/* in-label as an IPv4 host -> struct xconnect */
};

static struct prefix label_prefix(uint32_t label)
{
	struct ip_addr a = addr_v4(label);

	return prefix_host(&a);
}

static void release(struct xconnects *x, struct xconnect *xc)
{
	if (xc->binding)
		label_unclaim(x->env.labels, xc->binding);
	label_claim_forget(&xc->claimant);
	nexthop_put(x->nht, xc->nh);
	xc->binding = NULL;
	xc->nh = NULL;
}

static void claim(struct xconnects *x, struct xconnect *xc)
{
	struct label_key key = { .owner = LABEL_OWNER_STATIC };
	struct label_action action = { .action = FIB_LABEL_SWAP, .out_label = xc->out_label };
	char why[256];

	action.nh = nexthop_fib_use(x->nht, xc->nh);
	if (xc->binding) {
		label_update(x->env.labels, xc->binding, &action);
	} else {
		xc->binding = label_claim(x->env.labels, xc->in_label, &key, &action, why,
					  sizeof(why));
		if (!xc->binding) {
			log_err("static", "cross-connect waits: %s", why);
			label_claim_wait(x->env.labels, &xc->claimant, xc->in_label);
		}
	}
	fib_nh_put(rib_fib(x->env.rib), action.nh);
}

static void on_free(struct label_claimant *c)
{
	struct xconnect *xc = container_of(c, struct xconnect, claimant);

	claim(xc->all, xc);
}

static void set(struct xconnects *x, struct xconnect *xc, const struct lyd_node *n)
{
	struct nexthop *old = xc->nh;
	struct ip_addr a;

	if (!addr_parse(conf_str(n, "next-hop", ""), &a))
		return;
	xc->in_label = conf_u32(n, "in-label", 0);
	out_label_parse(conf_str(n, "out-label", ""), a.family, &xc->out_label);
	xc->nh = nexthop_gateway(x->nht, VRF_ID_GLOBAL, &a, conf_str(n, "interface", NULL));
	claim(x, xc);
	nexthop_put(x->nht, old);
}

static void on_xconnect(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
			void *arg)
{
	struct prefix p = label_prefix(conf_u32(op == CONF_DEL ? old : now, "in-label", 0));
	struct xconnects *x = arg;
	struct xconnect *xc;
	bool created;

	if (op == CONF_DEL) {
		xc = trie_get(&x->all, &p);
		if (xc) {
			release(x, xc);
			trie_remove(&x->all, xc);
		}
		return;
	}
	xc = trie_insert(&x->all, &p, &created);
	if (created) {
		xc->all = x;
		list_init(&xc->claimant.node);
		xc->claimant.retry = on_free;
	}
	set(x, xc, now);
}

static bool validate_one(struct xconnects *x, const struct lyd_node *n, uint32_t min, uint32_t max,
			 struct conf_error *err)
{
	uint32_t label = conf_u32(n, "in-label", 0), out;
	struct ip_addr a;

	if (label >= min && label <= max)
		return conf_error_node(err, n, "label %u is in the dynamic range %u..%u", label, min,
				       max);
	if (!addr_parse(conf_str(n, "next-hop", ""), &a))
		return conf_error_node(err, n, "%s is not an address", conf_str(n, "next-hop", ""));
	if (!out_label_parse(conf_str(n, "out-label", ""), a.family, &out))
		return conf_error_node(err, n, "%s is not a label", conf_str(n, "out-label", ""));
	if (a.family == AF_INET6 && addr_is_link_local(&a) && !conf_str(n, "interface", NULL))
		return conf_error_node(err, n, "a link-local next hop needs its interface");
	return true;
}

static bool validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *mpls = conf_top(tree, "mpls"), *n;
	uint32_t min, max;

	if (!mpls)
		return true;
	min = conf_u32(mpls, "label/dynamic/minimum", LABEL_MIN);
	max = conf_u32(mpls, "label/dynamic/maximum", LABEL_MAX);
	conf_for_each(n, mpls, "cross-connect")
		if (!validate_one(arg, n, min, max, err))
			return false;
	return true;
}

static void *xconnect_start(const struct rib_env *env)
{
	struct xconnects *x = xcalloc(1, sizeof(*x));
	struct conf_subscriber sub = { .name = "cross-connects",
				       .path = "/l3vpn:mpls/cross-connect", .prio = 50,
				       .validate = validate, .change = on_xconnect, .arg = x };

	x->env = *env;
	x->nht = rib_nht(env->rib);
	trie_init(&x->all, AF_INET, sizeof(struct xconnect));
	conf_subscribe(env->conf, &sub);
	return x;
}

static void xconnect_stop(void *instance)
{
	struct xconnects *x = instance;
	struct xconnect *xc;

	for (xc = trie_next(&x->all, NULL); xc; xc = trie_next(&x->all, xc))
		release(x, xc);
	trie_fini(&x->all, NULL, NULL);
	free(x);
}

const struct rib_proto static_xconnect_proto = {
	.id = RIB_PROTO_STATIC,
	.name = "static-cross-connect",
	.code = 'S',
	.start = xconnect_start,
	.stop = xconnect_stop,
};
