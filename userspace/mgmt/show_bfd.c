// SPDX-License-Identifier: GPL-2.0
/* mgmt/show_bfd.c: show bfd ..., clear bfd counters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bfd/io.h"
#include "mgmt/show.h"
#include "vrf/vrf.h"

/* What there was when the request came, and how far it has got. */
struct sessions {
	struct bfd_info *info;
	unsigned int n, at;
	bool any;
};

static void sessions_free(void *state)
{
	struct sessions *s = state;

	free(s->info);
}

static const char *vrf_str(const struct show_env *env, const struct bfd_info *i)
{
	const struct vrf *v = i->key.vrf ? vrf_by_id(env->vrfs, i->key.vrf) : NULL;

	return v ? v->name : "";
}

static const char *peer_str(const struct bfd_info *i, char *buf, size_t size)
{
	char addr[ADDR_STRLEN];

	snprintf(buf, size, "%s%s%s", addr_str(&i->key.peer, addr), i->key.ifname[0] ? "%" : "", i->key.ifname);
	return buf;
}

/* Calls @put for each session asked for; false from it: enough for now. */
static enum mgmt_next each(struct mgmt_request *req, const struct show_env *env,
			   bool (*put)(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i))
{
	const char *vrf = conf_str(mgmt_input(req), "vrf", NULL), *peer = conf_str(mgmt_input(req), "peer", NULL);
	struct sessions *s = mgmt_state(req, sizeof(*s), sessions_free);
	char name[ADDR_STRLEN + IF_NAMESIZE + 1];
	const struct bfd_info *i;

	if (!s->info)
		s->info = bfd_io_snapshot(env->bfd, &s->n, NULL);
	while (s->at < s->n) {
		i = &s->info[s->at++];
		if ((vrf && strcmp(vrf, vrf_str(env, i))) || (peer && strcmp(peer, peer_str(i, name, sizeof(name)))))
			continue;
		s->any = true;
		if (!put(req, env, i))
			return MGMT_AGAIN;
	}
	if (peer && !s->any)
		return mgmt_error(req, MGMT_NOT_FOUND, "peer", "there is no BFD session with %s", peer);
	return MGMT_DONE;
}

static json_t *row_of(const struct show_env *env, const struct bfd_info *i)
{
	char name[ADDR_STRLEN + IF_NAMESIZE + 1];
	json_t *row = json_object();

	json_object_set_new(row, "peer", json_string(peer_str(i, name, sizeof(name))));
	if (i->key.vrf)
		json_object_set_new(row, "vrf", json_string(vrf_str(env, i)));
	return row;
}

/* ---- show bfd session ---- */

static bool session_row(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i)
{
	json_t *row = row_of(env, i);

	json_object_set_new(row, "hops", json_string(i->key.multihop ? "multi" : "single"));
	json_object_set_new(row, "state", json_string(bfd_state_str(i->state)));
	json_object_set_new(row, "since", json_integer(i->state_us / 1000000));
	json_object_set_new(row, "interval", json_integer(i->tx_interval_us / 1000));
	json_object_set_new(row, "detection", json_integer(i->detection_us / 1000));
	json_object_set_new(row, "downs", json_integer(i->count.downs));
	if (i->diag)
		json_object_set_new(row, "diagnostic", json_string(bfd_diag_str(i->diag)));
	return mgmt_row(req, row);
}

static enum mgmt_next show_session(struct mgmt_request *req, void *arg)
{
	return each(req, arg, session_row);
}

static void item(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i, const char *name,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void item(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i, const char *name,
		 const char *fmt, ...)
{
	json_t *row = row_of(env, i);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(row, "item", json_string(name));
	json_object_set_new(row, "value", json_string(text));
	mgmt_row(req, row);
}

static const char *liveness_str(enum liveness_state state)
{
	return state == LIVENESS_UP ? "alive" : state == LIVENESS_DOWN ? "lost" : "not known";
}

static bool session_items(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i)
{
	char local[ADDR_STRLEN];

	item(req, env, i, "state", "%s, for %.3f seconds%s", bfd_state_str(i->state), i->state_us / 1e6,
	     i->ending ? ", ending" : "");
	item(req, env, i, "neighbor", "%s, %s: %s", bfd_state_str(i->remote_state), bfd_diag_str(i->remote_diag),
	     liveness_str(i->liveness));
	item(req, env, i, "diagnostic", "%s", bfd_diag_str(i->diag));
	item(req, env, i, "hops", "%s", i->key.multihop ? "multi, UDP port 4784" : "single, UDP port 3784");
	item(req, env, i, "source", "%s, UDP port %u", addr_is_set(&i->key.local) ? addr_str(&i->key.local, local) :
	     "by route", i->port);
	item(req, env, i, "discriminators", "%u here, %u there", i->discr, i->remote_discr);
	item(req, env, i, "wanted", "%u ms, multiplier %u%s", i->params.interval_us / 1000, i->params.multiplier,
	     i->params.passive ? ", passive" : "");
	item(req, env, i, "announced", "transmits every %u us, receives every %u us%s", i->desired_tx_us,
	     i->required_rx_us, i->polling ? ", polling" : "");
	item(req, env, i, "neighbor's", "transmits every %u us, receives every %u us, multiplier %u%s%s",
	     i->remote_tx_us, i->remote_rx_us, i->remote_mult, i->remote_demand ? ", demand mode" : "",
	     i->remote_cpi ? ", independent of its control plane" : "");
	item(req, env, i, "negotiated", "transmits every %llu us, detection time %llu us",
	     (unsigned long long)i->tx_interval_us, (unsigned long long)i->detection_us);
	if (i->quiet_us)
		item(req, env, i, "last packet", "%.3f ms ago", i->quiet_us / 1e3);
	item(req, env, i, "packets", "%llu received, %llu sent, %llu not sent", (unsigned long long)i->count.in,
	     (unsigned long long)i->count.out, (unsigned long long)i->count.send_failed);
	item(req, env, i, "sessions", "%llu times up, %llu times lost", (unsigned long long)i->count.ups,
	     (unsigned long long)i->count.downs);
	item(req, env, i, "next hops", "%u of forwarding lead there", i->next_hops);
	return false;
}

static enum mgmt_next show_session_detail(struct mgmt_request *req, void *arg)
{
	return each(req, arg, session_items);
}

/* ---- show bfd counters ---- */

static void counter(struct mgmt_request *req, const char *peer, const char *vrf, const char *name, uint64_t n)
{
	json_t *row = json_object();

	if (peer)
		json_object_set_new(row, "peer", json_string(peer));
	if (vrf && vrf[0])
		json_object_set_new(row, "vrf", json_string(vrf));
	json_object_set_new(row, "counter", json_string(name));
	json_object_set_new(row, "packets", json_integer(n));
	mgmt_row(req, row);
}

static void discards(struct mgmt_request *req, const char *peer, const char *vrf, const struct bfd_counters *c)
{
	char name[64];
	int i;

	for (i = BFD_TAKEN + 1; i < BFD_DISCARDS; i++) {
		if (!c->discards[i])
			continue;
		snprintf(name, sizeof(name), "discarded: %s", bfd_discard_str(i));
		counter(req, peer, vrf, name, c->discards[i]);
	}
}

static bool counter_rows(struct mgmt_request *req, const struct show_env *env, const struct bfd_info *i)
{
	char name[ADDR_STRLEN + IF_NAMESIZE + 1];

	peer_str(i, name, sizeof(name));
	counter(req, name, vrf_str(env, i), "received", i->count.in);
	counter(req, name, vrf_str(env, i), "sent", i->count.out);
	if (i->count.send_failed)
		counter(req, name, vrf_str(env, i), "not sent", i->count.send_failed);
	discards(req, name, vrf_str(env, i), &i->count);
	return false;
}

static enum mgmt_next show_counters(struct mgmt_request *req, void *arg)
{
	enum mgmt_next next = each(req, arg, counter_rows);
	const struct show_env *env = arg;
	struct bfd_counters none;
	unsigned int n;

	if (next != MGMT_DONE || conf_str(mgmt_input(req), "peer", NULL) || conf_str(mgmt_input(req), "vrf", NULL))
		return next;
	free(bfd_io_snapshot(env->bfd, &n, &none));
	discards(req, NULL, NULL, &none);
	return MGMT_DONE;
}

static enum mgmt_next clear_counters(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;

	bfd_io_clear(env->bfd);
	return MGMT_DONE;
}

void show_bfd_register(struct mgmt *mgmt, const struct show_env *env)
{
	void *arg = (void *)env;

	mgmt_register(mgmt, "show-bfd-session", show_session, arg);
	mgmt_register(mgmt, "show-bfd-session-detail", show_session_detail, arg);
	mgmt_register(mgmt, "show-bfd-counters", show_counters, arg);
	mgmt_register(mgmt, "clear-bfd-counters", clear_counters, arg);
}
