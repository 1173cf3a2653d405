// SPDX-License-Identifier: GPL-2.0
/* What show commands are told of FECs and settings (ldp.h). */
#include <stdio.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/mem.h"

static void fill_remote(const struct ldp *l, const struct ldp_fec *f, struct ldp_fec_info *i)
{
	struct ldp_binding_info *r;
	const struct ldp_bind *b;
	unsigned int w;

	for (b = f->bind; b < f->bind + f->n_bind; b++) {
		i->advertised += b->sent != LDP_LABEL_NONE;
		if (b->received == LDP_LABEL_NONE || i->n_remote == ARRAY_SIZE(i->remote))
			continue;
		r = &i->remote[i->n_remote++];
		*r = (struct ldp_binding_info){ .label = b->received, .stale = b->flags & BIND_STALE };
		snprintf(r->neighbor, sizeof(r->neighbor), "%s", l->peer_at[b->peer]->name);
		for (w = 0; w < f->n_way; w++)
			r->in_use |= f->way[w].peer == b->peer;
	}
}

static void fill_way(const struct ldp *l, struct ldp_way_info *to, const struct ip_addr *gateway, int ifindex)
{
	const struct nht_link *link = nht_link_by_index(l->nht, ifindex);

	*to = (struct ldp_way_info){ .gateway = *gateway, .label = LDP_LABEL_NONE };
	if (link)
		snprintf(to->ifname, sizeof(to->ifname), "%s", link->name);
}

static void fill_ways(const struct ldp *l, const struct ldp_fec *f, struct ldp_fec_info *i)
{
	const struct nht_way *ways;
	const struct ldp_way *w;
	unsigned int n;

	for (w = f->way; w < f->way + f->n_way; w++) {
		fill_way(l, &i->way[i->n_ways], &w->gateway, w->ifindex);
		i->way[i->n_ways].label = w->label;
		snprintf(i->way[i->n_ways].neighbor, sizeof(i->way[0].neighbor), "%s", l->peer_at[w->peer]->name);
		i->n_ways++;
	}
	if (i->n_ways || f->egress)
		return;
	n = nht_main_ways(l->nht, &i->fec, &ways);
	for (; n--; ways++)
		fill_way(l, &i->way[i->n_ways++], &ways->gateway, ways->ifindex);
}

static const char *label_state(const struct ldp_fec *f)
{
	if (f->egress)
		return f->label == LDP_LABEL_NONE ? NULL : "egress";
	if (f->label != LDP_LABEL_NONE)
		return "programmed";
	if (f->user.binding)
		return f->wanted ? "waits for forwarding" : "withdrawn, not released by all";
	if (!f->wanted)
		return NULL;
	return f->ldp->restarting ? "waits for the next router (restart)" : "waits for a label";
}

bool ldp_fec_after(const struct ldp *l, uint8_t family, const struct prefix *after, struct ldp_fec_info *info)
{
	const struct trie *t = &l->fecs[family_afi(family)];
	const struct ldp_fec *f = after ? trie_after(t, after) : trie_next(t, NULL);

	if (!f)
		return false;
	memset(info, 0, sizeof(*info));
	info->fec = fec_prefix(f);
	info->in_label = f->label;
	info->state = label_state(f);
	fill_remote(l, f, info);
	fill_ways(l, f, info);
	return true;
}

static void value_text(const struct ldp *l, unsigned int n, char *v, size_t size)
{
	const struct ldp_settings *s = &l->set;
	struct ip_addr id = addr_make(AF_INET, s->router_id);
	const struct ldp_peer *p;
	char a[ADDR_STRLEN];
	unsigned int up = 0;

	switch (n) {
	case 0:
		snprintf(v, size, "%s", l->running ? addr_str(&id, a) : "LDP is not configured");
		return;
	case 1:
		snprintf(v, size, "%s, downstream unsolicited, liberal retention%s", s->ordered ? "ordered" : "independent",
			 s->longest_match ? ", longest match" : "");
		return;
	case 2:
		snprintf(v, size, "%s", s->family[AFI4].on ? addr_str(&s->family[AFI4].transport, a) : "off");
		return;
	case 3:
		snprintf(v, size, "%s", s->family[AFI6].on ? addr_str(&s->family[AFI6].transport, a) : "off");
		return;
	case 4:
		snprintf(v, size, "interval %u, holdtime %u seconds", s->hello_interval, s->hello_hold);
		return;
	case 5:
		snprintf(v, size, "interval %u, holdtime %u seconds", s->targeted_interval, s->targeted_hold);
		return;
	case 6:
		snprintf(v, size, "holdtime %u, backoff %u to %u seconds", s->holdtime, s->backoff_initial,
			 s->backoff_maximum);
		return;
	case 7:
		if (s->graceful)
			snprintf(v, size, "reconnect %u, forwarding state %u, liveness %u, recovery %u seconds%s",
				 s->gr_reconnect, s->gr_holding, s->gr_liveness, s->gr_recovery,
				 l->restarting ? "; restarting" : "");
		else
			snprintf(v, size, "off");
		return;
	case 8:
		list_for_each(p, &l->peers, struct ldp_peer, node)
			up += peer_up(p);
		snprintf(v, size, "%u, %u operational", l->n_peers, up);
		return;
	default:
		snprintf(v, size, "%u IPv4, %u IPv6, %u wait for their label", l->fecs[AFI4].count, l->fecs[AFI6].count,
			 l->waiting);
	}
}

bool ldp_parameter_at(const struct ldp *l, unsigned int n, const char **item, char *value, size_t size)
{
	static const char *const names[] = {
		"router-id", "control", "ipv4 transport", "ipv6 transport", "link hello", "targeted hello", "session",
		"graceful-restart", "neighbors", "FECs",
	};

	if (n >= ARRAY_SIZE(names))
		return false;
	*item = names[n];
	value_text(l, n, value, size);
	return true;
}
