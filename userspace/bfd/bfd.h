/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bidirectional Forwarding Detection: RFC 5880, 5881 (single hop), 5883 (multihop), 5882 (its clients). The provider of
 * rib/liveness.h. Main thread only; engine.h tells of the files below.
 */
#ifndef L3VPN_BFD_BFD_H
#define L3VPN_BFD_BFD_H

#include "bfd/io.h"
#include "rib/proto.h"

struct bfd;

struct bfd_options {
	uv_loop_t *loop;
	/* on BFD's thread: these next hops of forwarding are down, or no longer; NULL: nobody is told */
	void (*flip)(void *arg, const uint32_t *ids, unsigned int n, bool down);
	void *flip_arg;
};

/* Subscribes to the configuration. NULL with words in @why. */
struct bfd *bfd_new(const struct rib_env *env, const struct bfd_options *opt, char *why, size_t len);
/* before the rooms whose watches it serves go; the loop must run once more */
void bfd_free(struct bfd *b);
struct bfd_io *bfd_io(const struct bfd *b);	/* for show */

#endif
