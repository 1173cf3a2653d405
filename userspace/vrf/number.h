/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers of VRFs, for automatic route distinguishers: 1..65535, one for each name of a VRF, never two of one number.
 * A name keeps its number whatever else is configured before or after it, over restarts (a file keeps them), and when
 * the VRF goes and comes again. Main thread only.
 */
#ifndef L3VPN_VRF_NUMBER_H
#define L3VPN_VRF_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VRF_NUMBER_MAX	65535u

struct vrf_numbers;

struct vrf_numbers *vrf_numbers_new(void);
void vrf_numbers_free(struct vrf_numbers *n);
/* What the file has, if it is there; from then on it is kept up to date. False: *why says why, and nothing is kept. */
bool vrf_numbers_load(struct vrf_numbers *n, const char *path, char *why, size_t size);
/* 0: it has none yet. */
uint16_t vrf_number_find(const struct vrf_numbers *n, const char *name);
/*
 * The name's number; where it has none, a free one that is not @taken (may be NULL), of which the file knows when this
 * returns. 0: all are in use.
 */
uint16_t vrf_number_get(struct vrf_numbers *n, const char *name, bool (*taken)(void *arg, uint16_t number), void *arg);
/* Names for which @in_use does not hold lose their numbers. */
void vrf_numbers_forget(struct vrf_numbers *n, bool (*in_use)(void *arg, const char *name), void *arg);
uint32_t vrf_numbers_count(const struct vrf_numbers *n);

#endif
