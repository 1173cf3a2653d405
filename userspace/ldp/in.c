// SPDX-License-Identifier: GPL-2.0
/* Messages of an operational session (RFC 5036 section 3.5, RFC 5561, 5918, 5919). */
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

static void notification(struct ldp_session *s, const struct ldp_msg *m)
{
	struct ldp_peer *p = s->peer;
	struct ldp_fec_elem e;
	struct cursor fec = m->fec;

	if (m->status != LDP_END_OF_LIB) {
		log_info("ldp", "%s: Notification: %s", p->name, ldp_status_str(m->status));
		return;
	}
	while (ldp_fec_next(&fec, &e))
		if (e.typed)
			p->end_of_lib[family_afi(e.prefix.addr.family)] = true;
	if ((p->end_of_lib[AFI4] || !p->family[AFI4]) && (p->end_of_lib[AFI6] || !p->family[AFI6]))
		restart_helper_told(p);
}

static bool is_mapped(const struct ip_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return a->family == AF_INET6 && !memcmp(a->b, mapped, 12);
}

static void addresses(struct ldp_peer *p, const struct ldp_msg *m)
{
	struct cursor c = m->addresses;
	struct ip_addr a;
	bool changed = false;

	while (ldp_address_next(&c, m->address_family, &a)) {
		/* RFC 7552 section 7.1; whose a link-local one is, on which link, Hellos tell (section 8) */
		if (is_mapped(&a) || (a.family == AF_INET6 && addr_is_link_local(&a)))
			continue;
		if (m->type == LDP_MSG_ADDRESS)
			changed |= peer_add_address(p, &a, 0);
		else
			changed |= peer_del_address(p, &a);
	}
	if (changed)
		fec_mark_peer(p);
}

static void mapping(struct ldp_peer *p, const struct ldp_msg *m)
{
	struct cursor c = m->fec;
	struct ldp_fec_elem e;

	restart_helper_heard(p);
	while (ldp_fec_next(&c, &e))
		fec_received(p, &e.prefix, m->label);
}

/* Whether we had it or not, a withdrawal is answered (appendix A.1.5, LWd.2). */
static void withdraw(struct ldp_peer *p, const struct ldp_msg *m)
{
	struct cursor c = m->fec;
	struct ldp_fec_elem e;

	while (ldp_fec_next(&c, &e)) {
		fec_withdrawn(p, &e, m->label);
		out_release(p, &e, m->label, LDP_SUCCESS);
	}
}

static void release(struct ldp_peer *p, const struct ldp_msg *m)
{
	struct cursor c = m->fec;
	struct ldp_fec_elem e;

	while (ldp_fec_next(&c, &e))
		fec_released(p, &e, m->label);
}

/* Appendix A.1.1; RFC 5918 section 4. We advertise unasked: what is not there yet comes when it is. */
static void request(struct ldp_session *s, const struct ldp_msg *m)
{
	struct ldp_fault no_route = { .status = LDP_NO_ROUTE, .msg_id = m->id, .msg_type = m->type };
	struct ldp_peer *p = s->peer;
	struct cursor c = m->fec;
	struct ldp_fec_elem e;
	struct ldp_fec *f;

	while (ldp_fec_next(&c, &e)) {
		if (e.wildcard) {
			out_everything(p, true);
			continue;
		}
		f = fec_find(p->ldp, &e.prefix);
		if (!f || !f->routed)
			session_notify(s, &no_route);
		else
			out_answer(p, f, m->id);
	}
}

/* RFC 5561 section 7; typed wildcard and end of LIB may not change (RFC 5918 section 5, RFC 5919 section 3) */
static void capability(struct ldp_peer *p, const struct ldp_msg *m)
{
	log_info("ldp", "%s: Capability message: nothing in it changes during a session", p->name);
}

bool in_message(struct ldp_session *s, const struct ldp_msg *m)
{
	struct ldp_peer *p = s->peer;

	switch (m->type) {
	case LDP_MSG_NOTIFICATION:
		notification(s, m);
		break;
	case LDP_MSG_ADDRESS:
	case LDP_MSG_ADDRESS_WITHDRAW:
		addresses(p, m);
		break;
	case LDP_MSG_MAPPING:
		mapping(p, m);
		break;
	case LDP_MSG_WITHDRAW:
		withdraw(p, m);
		break;
	case LDP_MSG_RELEASE:
		release(p, m);
		break;
	case LDP_MSG_REQUEST:
		request(s, m);
		break;
	case LDP_MSG_CAPABILITY:
		capability(p, m);
		break;
	default:
		/* KeepAlive; a Label Abort Request comes too late: the answer went out with the request (A.1.3) */
		break;
	}
	return !s->gone;
}
