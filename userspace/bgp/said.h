/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a group said: its Adj-RIB-Out (RFC 4271 3.2), shared by its members. Sixteen octets for a net, by its number;
 * where several paths of a net are told (RFC 7911), a list behind them. Private to the group's files. Main thread only.
 */
#ifndef L3VPN_BGP_SAID_H
#define L3VPN_BGP_SAID_H

#include "lib/vec.h"
#include "rib/table.h"

/* One path that was told. */
struct bgp_said_path {
	struct attrs *attrs;		/* reference. Next hop unset: the group's */
	uint32_t label;
	uint32_t id;			/* path identifier */
	uint16_t but;			/* 1 + number of the member that it came from, who was not told; 0: nobody */
};

struct bgp_said_paths {
	uint32_t n;
	struct bgp_said_path path[];
};

/* What was said about the net whose number is its index. */
struct bgp_said {
	union {
		struct attrs *attrs;		/* reference; NULL: withdrawn, or never told */
		struct bgp_said_paths *paths;	/* of a group that tells several */
	};
	uint32_t label : 21;
	uint32_t pending : 1;
	uint32_t held : 1;			/* the net is held: something was said, or is pending */
	uint16_t but;
};

_Static_assert(sizeof(struct bgp_said) == 16, "there are as many as nets and groups");

struct bgp_said_table {
	const struct rib_table *table;
	bool several;			/* paths, not attrs */
	struct vec said;		/* struct bgp_said; said_init() */
	uint32_t n;			/* numbers said_at() was asked for are below */
	uint32_t told;			/* paths announced now */
};

void said_init(struct bgp_said_table *t, const struct rib_table *table, bool several);
/* of a number below @n */
static inline struct bgp_said *said_get(const struct bgp_said_table *t, uint32_t id)
{
	return vec_get(&t->said, id);
}

/* makes room */
struct bgp_said *said_at(struct bgp_said_table *t, uint32_t id);
void said_hold(struct bgp_said_table *t, struct bgp_said *s, struct rib_net *net);
/* lets the net go if nothing is said of it and nothing is pending */
void said_release(struct bgp_said_table *t, uint32_t id);
void said_free(struct bgp_said_table *t);
/* frees at most @budget of it; false: there is nothing left */
bool said_free_some(struct bgp_said_table *t, unsigned int budget);
/* everyone who is left was told what came from this member; @source: where its routes are */
void said_forget_member(struct bgp_said_table *t, uint32_t member, const struct rib_source *source);

/* The paths told of a net, one or several: *scratch serves where there is one. */
const struct bgp_said_path *said_paths(const struct bgp_said_table *t, const struct bgp_said *s,
				       struct bgp_said_path *scratch, uint32_t *n);

#endif
