/* SPDX-License-Identifier: GPL-2.0 */
/* `mpls label`: the dynamic range and the hold-down. */
#ifndef L3VPN_LABELS_CONFIG_H
#define L3VPN_LABELS_CONFIG_H

struct conf;
struct labels;

/* before conf_start() */
void labels_config_subscribe(struct conf *conf, struct labels *l);

#endif
