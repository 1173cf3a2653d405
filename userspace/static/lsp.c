// SPDX-License-Identifier: GPL-2.0
/* Static label-switched paths: `mpls` / `static lsp FEC` / `path NEXT-HOP` (RFC 3031: FTN). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "rib/lsp.h"
#include "rib/table.h"
#include "static/out_label.h"
#include "static/static.h"

struct static_lsps {
	struct nht *nht;
};

static void path_of(const struct lyd_node *n, struct lsp_path *path)
{
	const struct lyd_node *l;
	uint32_t label;

	memset(path, 0, sizeof(*path));
	path->owner = RIB_PROTO_STATIC;
	snprintf(path->name, sizeof(path->name), "%s", conf_str(n, "next-hop", ""));
	addr_parse(conf_str(n, "next-hop", ""), &path->gateway);
	snprintf(path->ifname, sizeof(path->ifname), "%s", conf_str(n, "interface", ""));
	path->weight = conf_u32(n, "weight", 1);
	path->backup = conf_exists(n, "backup");
	conf_for_each(l, n, "out-label")
		if (path->n_labels < LSP_LABELS_MAX &&
		    out_label_parse(conf_value(l), path->gateway.family, &label))
			path->labels[path->n_labels++] = label;
}

static void on_path(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		    void *arg)
{
	const struct lyd_node *n = op == CONF_DEL ? old : now;
	struct static_lsps *s = arg;
	struct lsp_path path;
	struct prefix fec;

	if (!prefix_parse_host(conf_str(lyd_parent(n), "fec", ""), &fec))
		return;
	path_of(n, &path);
	if (op == CONF_DEL)
		lsp_withdraw(s->nht, &fec, RIB_PROTO_STATIC, path.name);
	else
		lsp_announce(s->nht, &fec, &path);
}

static bool path_valid(const struct lyd_node *n, struct conf_error *err)
{
	const struct lyd_node *l;
	unsigned int count = 0;
	bool null = false;
	struct ip_addr a;

	if (!addr_parse(conf_str(n, "next-hop", ""), &a))
		return conf_error_node(err, n, "%s is not an address", conf_str(n, "next-hop", ""));
	if (a.family == AF_INET6 && addr_is_link_local(&a) && !conf_str(n, "interface", NULL))
		return conf_error_node(err, n, "a link-local next hop needs its interface");
	conf_for_each(l, n, "out-label") {
		null |= !strcmp(conf_value(l), "implicit-null");
		count++;
	}
	if (null && count > 1)
		return conf_error_node(err, n, "implicit-null stands alone");
	if (count > LSP_LABELS_MAX)
		return conf_error_node(err, n, "at most %d labels: the VPN label goes under them",
				       LSP_LABELS_MAX);
	return true;
}

static bool validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *mpls = conf_top(tree, "mpls"), *lsp, *path;
	struct prefix fec;

	if (!mpls)
		return true;
	conf_for_each(lsp, mpls, "lsp") {
		if (!prefix_parse(conf_str(lsp, "fec", ""), &fec))
			return conf_error_node(err, lsp, "%s is not a prefix, or has host bits",
					       conf_str(lsp, "fec", ""));
		conf_for_each(path, lsp, "path")
			if (!path_valid(path, err))
				return false;
	}
	return true;
}

static void *lsp_start(const struct rib_env *env)
{
	struct static_lsps *s = xcalloc(1, sizeof(*s));
	struct conf_subscriber sub = { .name = "static lsp", .path = "/l3vpn:mpls/lsp/path",
				       .prio = 50, .validate = validate, .change = on_path,
				       .arg = s };

	s->nht = rib_nht(env->rib);
	conf_subscribe(env->conf, &sub);
	return s;
}

static void withdraw_fec(struct nht *nht, const struct prefix *fec)
{
	const struct list *paths = lsp_paths(nht, fec);
	struct lsp *lsp, *tmp;
	char name[sizeof(lsp->path.name)];

	if (!paths)
		return;
	list_for_each_safe(lsp, tmp, paths, struct lsp, node) {
		if (lsp->path.owner != RIB_PROTO_STATIC)
			continue;
		strcpy(name, lsp->path.name);
		/* with the last one the list itself is gone: tmp is the head then, not looked into */
		if (&tmp->node == paths) {
			lsp_withdraw(nht, fec, RIB_PROTO_STATIC, name);
			return;
		}
		lsp_withdraw(nht, fec, RIB_PROTO_STATIC, name);
	}
}

static void lsp_stop(void *instance)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct static_lsps *s = instance;
	struct prefix fec, after;
	unsigned int i;
	bool more;

	for (i = 0; i < 2; i++) {
		more = lsp_next_fec(s->nht, families[i], NULL, &fec);
		while (more) {
			after = fec;
			withdraw_fec(s->nht, &after);
			more = lsp_next_fec(s->nht, families[i], &after, &fec);
		}
	}
	free(s);
}

const struct rib_proto static_lsp_proto = {
	.id = RIB_PROTO_STATIC,
	.name = "static-lsp",
	.code = 'S',
	.start = lsp_start,
	.stop = lsp_stop,
};
