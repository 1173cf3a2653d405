/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/flip.h: says to the kernel module that next hops are down, from another thread than the main one: a socket
 * of its own, and one request after the other, so that a loss waits for nothing that the main thread has queued. The
 * one part of this room that is not the main thread's: calls of one dp_flip must not overlap.
 */
#ifndef L3VPN_DATAPLANE_FLIP_H
#define L3VPN_DATAPLANE_FLIP_H

#include <stdbool.h>
#include <stdint.h>

struct dp_flip;

struct dp_flip *dp_flip_new(void);
void dp_flip_free(struct dp_flip *f);		/* NULL is fine */
/* What the module does not have (any more) is passed over. @flip: a struct dp_flip. */
void dp_flip(void *flip, const uint32_t *ids, unsigned int n, bool down);

#endif
