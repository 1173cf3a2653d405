// SPDX-License-Identifier: GPL-2.0
/* Configuration of the label manager (config.h). */
#include "labels/config.h"

#include <string.h>

#include "conf/conf.h"
#include "labels/labels.h"

static void set_pool(struct labels *l, const struct lyd_node *label, enum label_pool pool)
{
	const struct lyd_node *range = conf_entry(label, "range", label_pool_str(pool));

	labels_configure_pool(l, pool, conf_u32(range, "minimum", 0), conf_u32(range, "maximum", 0));
}

static bool still_reserved(const struct lyd_node *label, const struct labels_reserved *r)
{
	const struct lyd_node *n = conf_entry(label, "reserve", r->name);

	return n && conf_u32(n, "minimum", 0) == r->from && conf_u32(n, "maximum", 0) == r->to;
}

static void set_reservations(struct labels *l, const struct lyd_node *label)
{
	struct labels_reserved r = { "" };
	const struct lyd_node *n;

	while (labels_reserved_next(l, &r) && strcmp(r.name, LABELS_KERNEL))
		if (!still_reserved(label, &r))
			labels_unreserve(l, r.name);
	/* those that stand already are refused */
	conf_for_each(n, label, "reserve")
		labels_reserve(l, conf_str(n, "name", ""), conf_u32(n, "minimum", 0),
			       conf_u32(n, "maximum", 0));
}

static void on_label(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		     void *arg)
{
	struct labels *l = arg;
	enum label_pool pool;

	set_reservations(l, now);
	labels_configure(l, conf_u32(now, "dynamic/minimum", LABELS_DYNAMIC_MIN),
			 conf_u32(now, "dynamic/maximum", LABEL_MAX),
			 conf_u32(now, "hold-down", LABELS_HOLDDOWN_DEFAULT));
	for (pool = LABEL_POOL_DYNAMIC + 1; pool < LABEL_POOLS; pool++)
		set_pool(l, now, pool);
}

void labels_config_subscribe(struct conf *conf, struct labels *l)
{
	struct conf_subscriber sub = { .name = "labels", .path = "/l3vpn:mpls/label", .prio = 20,
				       .change = on_label, .arg = l };

	conf_subscribe(conf, &sub);
}
