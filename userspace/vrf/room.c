// SPDX-License-Identifier: GPL-2.0
/*
 * The most prefixes of a VRF's table, as import keeps to it: a prefix that would be one too many stays out with all of
 * its paths, and comes in when one goes, whoever it was that announced that. Contracts in private.h.
 *
 * What stays out costs a bit for each net of the VPN table; it is looked at when there is room, and no more of it than
 * there is room for.
 */
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "vrf/private.h"

static const char *family_text(const struct vrf_import *imp)
{
	return imp->af->family == AF_INET ? "IPv4" : "IPv6";
}

static bool has_room(const struct vrf_import *imp)
{
	return !imp->af->limit || rib_table_prefixes(imp->af->table) < imp->af->limit;
}

bool room_for(const struct vrf_import *imp, const struct prefix *p)
{
	const struct rib_net *net;

	if (has_room(imp))
		return true;
	net = rib_find(imp->af->table, NULL, p);
	return net && rib_routes(net);
}

/* ---- the refused ---- */

static uint32_t word_of(const struct vrf_import *imp, uint32_t word)
{
	return word < imp->refused.room ? *(uint32_t *)vec_get(&imp->refused, word) : 0;
}

static bool has_bit(const struct vrf_import *imp, uint32_t id)
{
	return word_of(imp, id / 32) & 1u << id % 32;
}

static void flip_bit(struct vrf_import *imp, uint32_t id)
{
	*(uint32_t *)vec_at(&imp->refused, id / 32) ^= 1u << id % 32;
}

static void on_fewer(void *arg)
{
	struct vrf_import *imp = arg;

	if (has_room(imp))
		job_schedule(&imp->room_job);
}

void room_refused(struct vrf_import *imp, uint32_t id)
{
	if (has_bit(imp, id))
		return;
	flip_bit(imp, id);
	if (!imp->n_refused++)
		rib_table_watch_fewer(imp->af->table, on_fewer, imp);
	if (!imp->full_said)
		log_err("vrf", "vrf %s: the maximum of %u %s prefixes is reached: further ones are not imported",
			imp->af->vrf->name, imp->af->limit, family_text(imp));
	imp->full_said = true;
}

void room_settled(struct vrf_import *imp, uint32_t id)
{
	if (!has_bit(imp, id))
		return;
	flip_bit(imp, id);
	if (--imp->n_refused)
		return;
	vec_fini(&imp->refused);
	rib_table_watch_fewer(imp->af->table, NULL, NULL);
	/* what may still go is known when all is done */
	job_schedule(&imp->room_job);
}

bool room_next(const struct vrf_import *imp, uint32_t from, uint32_t *id)
{
	uint32_t word = from / 32, bits;

	bits = word_of(imp, word) & ~0u << from % 32;
	while (!bits) {
		if (++word >= imp->refused.room)
			return false;
		bits = word_of(imp, word);
	}
	*id = word * 32 + (uint32_t)__builtin_ctz(bits);
	return true;
}

/* ---- room ---- */

static void all_in(struct vrf_import *imp)
{
	if (!imp->full_said)
		return;
	log_notice("vrf", "vrf %s: all is imported again: %u %s prefixes are in its table", imp->af->vrf->name,
		   rib_table_prefixes(imp->af->table), family_text(imp));
	imp->full_said = false;
}

static bool fill(struct job *job, unsigned int budget)
{
	struct vrf_import *imp = container_of(job, struct vrf_import, room_job);
	struct vpn_import *im = &imp->vrfs->import[family_afi(imp->af->family)];
	uint32_t id;

	for (; budget && imp->n_refused && (imp->look_at_all || has_room(imp)); budget--) {
		if (!room_next(imp, imp->look_at, &id)) {
			imp->look_at = 0;
			imp->look_at_all = false;
			continue;
		}
		imp->look_at = id + 1;
		import_look(im, rib_net_by_id(im->sub.table, id));
	}
	if (imp->n_refused)
		return imp->look_at_all || has_room(imp);
	all_in(imp);
	return false;
}

void room_changed(struct vrf_import *imp)
{
	job_schedule(&imp->room_job);
}

void room_again(struct vrf_import *imp)
{
	imp->look_at = 0;
	imp->look_at_all = true;
	job_schedule(&imp->room_job);
}

uint32_t vrf_refused_imports(const struct vrf_af *af)
{
	return af->importer->n_refused;
}

bool vrf_import_refused(const struct vrf_af *af, const struct rib_net *net)
{
	return has_bit(af->importer, rib_net_id(net));
}

/* ---- life ---- */

void room_init(struct vrf_import *imp)
{
	vec_init(&imp->refused, sizeof(uint32_t));
	job_init(&imp->room_job, rib_jobs(imp->vrfs->env.rib), "imports that waited for room", fill);
}

void room_end(struct vrf_import *imp)
{
	job_cancel(&imp->room_job);
	rib_table_watch_fewer(imp->af->table, NULL, NULL);
	vec_fini(&imp->refused);
}
