// SPDX-License-Identifier: GPL-2.0
/* Our own addresses, which neighbours are told (RFC 5036 section 3.5.5, RFC 7552 section 7.1). */
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/mem.h"

struct own_address {
	struct list node;
	struct ip_addr addr;
	int ifindex;
	bool told;
};

/*
 * What neighbours are told; link-local ones too, which are the next hops of their interior routes (RFC 7552 section 8):
 * FRR's ldpd uses no label of ours without.
 */
static bool is_told(const struct ldp *l, const struct ip_addr *a, int ifindex)
{
	return nht_link_vrf(l->nht, ifindex) == VRF_ID_GLOBAL && !addr_is_loopback(a) && !addr_is_multicast(a);
}

/* another link has it too, of which neighbours know */
static bool told_by_another(const struct ldp *l, const struct own_address *but)
{
	const struct own_address *o;

	list_for_each(o, &l->own, struct own_address, node)
		if (o != but && o->told && addr_eq(&o->addr, &but->addr))
			return true;
	return false;
}

static void tell(struct ldp_peer *p, uint16_t type, const struct ip_addr *a, unsigned int n)
{
	struct ldp_writer w;
	struct buf b;

	buf_init(&b);
	ldp_pdu_begin(&w, &b, &p->ldp->id);
	ldp_msg_begin(&w, type, ++p->ldp->msg_id);
	ldp_put_addresses(&w, a->family, a, n);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	session_send(p->session, &b);
	buf_free(&b);
}

static void own_tell(struct ldp *l, struct own_address *o, bool want)
{
	struct ldp_peer *p;

	if (want == o->told)
		return;
	o->told = want;
	if (told_by_another(l, o))
		return;
	list_for_each(p, &l->peers, struct ldp_peer, node)
		if (peer_up(p) && p->family[family_afi(o->addr.family)])
			tell(p, want ? LDP_MSG_ADDRESS : LDP_MSG_ADDRESS_WITHDRAW, &o->addr, 1);
}

void own_tell_all(struct ldp_peer *p)
{
	struct ip_addr some[128];
	const struct own_address *o;
	unsigned int n;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		n = 0;
		if (!p->family[afi])
			continue;
		list_for_each(o, &p->ldp->own, struct own_address, node) {
			if (o->addr.family != afi_family(afi) || !o->told)
				continue;
			some[n++] = o->addr;
			if (n == ARRAY_SIZE(some)) {
				tell(p, LDP_MSG_ADDRESS, some, n);
				n = 0;
			}
		}
		if (n)
			tell(p, LDP_MSG_ADDRESS, some, n);
	}
}

static struct own_address *own_find(const struct ldp *l, const struct ip_addr *a, int ifindex)
{
	struct own_address *o;

	list_for_each(o, &l->own, struct own_address, node)
		if (o->ifindex == ifindex && addr_eq(&o->addr, a))
			return o;
	return NULL;
}

void own_addr(struct ldp *l, const struct nht_link *link, const struct ip_addr *a, bool add)
{
	struct own_address *o = own_find(l, a, link->ifindex);

	if (add == !!o)
		return;
	if (add) {
		o = xcalloc(1, sizeof(*o));
		o->addr = *a;
		o->ifindex = link->ifindex;
		list_add_tail(&l->own, &o->node);
		own_tell(l, o, is_told(l, &o->addr, o->ifindex));
	} else {
		own_tell(l, o, false);
		list_del(&o->node);
		free(o);
	}
}

static void forget(struct ldp *l, int ifindex)
{
	struct own_address *o, *tmp;

	list_for_each_safe(o, tmp, &l->own, struct own_address, node) {
		if (ifindex && o->ifindex != ifindex)
			continue;
		if (ifindex)
			own_tell(l, o, false);
		list_del(&o->node);
		free(o);
	}
}

void own_link(struct ldp *l, const struct nht_link *link, bool present)
{
	struct own_address *o;

	if (!present) {
		forget(l, link->ifindex);
		return;
	}
	list_for_each(o, &l->own, struct own_address, node)
		if (o->ifindex == link->ifindex)
			own_tell(l, o, is_told(l, &o->addr, o->ifindex));
}

void own_stop(struct ldp *l)
{
	forget(l, 0);
}

unsigned int own_count(const struct ldp *l, int ifindex, uint8_t family)
{
	const struct own_address *o;
	unsigned int n = 0;

	list_for_each(o, &l->own, struct own_address, node)
		n += o->ifindex == ifindex && o->addr.family == family &&
		     (family == AF_INET || addr_is_link_local(&o->addr));
	return n;
}
