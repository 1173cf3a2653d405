// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show.c: joins the operational commands of all rooms; see show.h.
 */
#include "mgmt/show.h"

void show_register(struct mgmt *mgmt, const struct show_env *env)
{
	show_conf_register(mgmt, env->conf);
	show_log_register(mgmt);
	show_system_register(mgmt, env);
	show_vrf_register(mgmt, env);
	show_rib_register(mgmt, env);
	show_labels_register(mgmt, env);
	show_transport_register(mgmt, env);
	explain_register(mgmt, env);
	show_host_register(mgmt, env);
	show_dataplane_register(mgmt, env);
	show_packets_register(mgmt, env);
	show_forwarding_register(mgmt, env);
	if (env->bgp)
		show_bgp_register(mgmt, env);
	if (env->ldp)
		show_ldp_register(mgmt, env);
	if (env->bfd)
		show_bfd_register(mgmt, env);
}
