/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vrfexec - binds every socket that a process makes to a VRF device, as `ip vrf exec` does for the stock kind.
 *
 * A cgroup (version 2) carries a BPF program of type BPF_CGROUP_INET_SOCK_CREATE that writes the device's index into
 * each new socket's bound_dev_if: the effect of SO_BINDTODEVICE, without the program's help.
 */
#ifndef L3VPNSH_VRFEXEC_H
#define L3VPNSH_VRFEXEC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Moves the calling process (and what it starts) into a cgroup bound to the device. false: reason says what is missing.
 * Needs root, cgroup v2 (mounted on MNT when nowhere else) and CONFIG_CGROUP_BPF.
 */
bool vrfexec_enter(const char *device, char *reason, size_t size);
/* Removes the cgroups made for processes that are gone. */
void vrfexec_clean(void);

#define VRFEXEC_MNT "/run/l3vpn/cgroup2"

#endif
