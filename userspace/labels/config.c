// SPDX-License-Identifier: GPL-2.0
/* Configuration of the label manager (config.h). */
#include "labels/config.h"

#include "conf/conf.h"
#include "labels/labels.h"

#define DYNAMIC_MIN 100000

static void on_label(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		     void *arg)
{
	labels_configure(arg, conf_u32(now, "dynamic/minimum", DYNAMIC_MIN),
			 conf_u32(now, "dynamic/maximum", LABEL_MAX),
			 conf_u32(now, "hold-down", LABELS_HOLDDOWN_DEFAULT));
}

void labels_config_subscribe(struct conf *conf, struct labels *l)
{
	struct conf_subscriber sub = { .name = "labels", .path = "/l3vpn:mpls/label", .prio = 20,
				       .change = on_label, .arg = l };

	conf_subscribe(conf, &sub);
}
