/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: tracepoints, where a packet's way can be watched by the kernel's own tracers (tracefs,
 * perf, BPF): events l3vpn:l3vpn_receive and so on. Fired by trace.c, which the data path enters only
 * while one of them, or a trace of packets (trace.h), is on.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM l3vpn

#if !defined(_L3VPN_TRACEPOINTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define _L3VPN_TRACEPOINTS_H

#include <linux/tracepoint.h>
#include <linux/l3vpn.h>

int l3vpn_tracepoint_on(void);
void l3vpn_tracepoint_off(void);

/* A packet came in by a port (0: from a local socket), in a VRF (0: not known yet). */
TRACE_EVENT_FN(l3vpn_receive,
	TP_PROTO(int ifindex, u32 vrf, u16 protocol, u32 len),
	TP_ARGS(ifindex, vrf, protocol, len),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u32, vrf)
		__field(u32, len)
		__field(u16, protocol)
	),
	TP_fast_assign(
		__entry->ifindex = ifindex;
		__entry->vrf = vrf;
		__entry->len = len;
		__entry->protocol = protocol;
	),
	TP_printk("ifindex=%d vrf=%u protocol=0x%04x len=%u", __entry->ifindex, __entry->vrf,
		  __entry->protocol, __entry->len),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* The label that it came with, and what that is for. */
TRACE_EVENT_FN(l3vpn_label,
	TP_PROTO(u32 label, u8 action, u32 vrf, u32 nh, u32 out_label),
	TP_ARGS(label, action, vrf, nh, out_label),
	TP_STRUCT__entry(
		__field(u32, label)
		__field(u32, vrf)
		__field(u32, nh)
		__field(u32, out_label)
		__field(u8, action)
	),
	TP_fast_assign(
		__entry->label = label;
		__entry->vrf = vrf;
		__entry->nh = nh;
		__entry->out_label = out_label;
		__entry->action = action;
	),
	TP_printk("label=%u action=%u vrf=%u nh=%u out_label=%d", __entry->label, __entry->action,
		  __entry->vrf, __entry->nh, (int)__entry->out_label),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* It was looked up in a VRF; plen -1: no match. label -1: none. */
TRACE_EVENT_FN(l3vpn_route,
	TP_PROTO(u32 vrf, int plen, u32 nh, u32 label),
	TP_ARGS(vrf, plen, nh, label),
	TP_STRUCT__entry(
		__field(u32, vrf)
		__field(int, plen)
		__field(u32, nh)
		__field(u32, label)
	),
	TP_fast_assign(
		__entry->vrf = vrf;
		__entry->plen = plen;
		__entry->nh = nh;
		__entry->label = label;
	),
	TP_printk("vrf=%u plen=%d nh=%u label=%d", __entry->vrf, __entry->plen, __entry->nh,
		  (int)__entry->label),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* Which way it takes: the next hop asked for, and the one that the choice ended at. */
TRACE_EVENT_FN(l3vpn_way,
	TP_PROTO(u32 nh, u32 last, u8 kind, u8 labels),
	TP_ARGS(nh, last, kind, labels),
	TP_STRUCT__entry(
		__field(u32, nh)
		__field(u32, last)
		__field(u8, kind)
		__field(u8, labels)
	),
	TP_fast_assign(
		__entry->nh = nh;
		__entry->last = last;
		__entry->kind = kind;
		__entry->labels = labels;
	),
	TP_printk("nh=%u last=%u kind=%u labels=%u", __entry->nh, __entry->last, __entry->kind,
		  __entry->labels),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* It leaves by a port, complete but for its link layer header. */
TRACE_EVENT_FN(l3vpn_send,
	TP_PROTO(int ifindex, u32 vrf, u16 protocol, u32 len),
	TP_ARGS(ifindex, vrf, protocol, len),
	TP_STRUCT__entry(
		__field(int, ifindex)
		__field(u32, vrf)
		__field(u32, len)
		__field(u16, protocol)
	),
	TP_fast_assign(
		__entry->ifindex = ifindex;
		__entry->vrf = vrf;
		__entry->len = len;
		__entry->protocol = protocol;
	),
	TP_printk("ifindex=%d vrf=%u protocol=0x%04x len=%u", __entry->ifindex, __entry->vrf,
		  __entry->protocol, __entry->len),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* It ends here: enum l3vpn_drop. */
TRACE_EVENT_FN(l3vpn_drop,
	TP_PROTO(u8 reason, u32 vrf, int ifindex),
	TP_ARGS(reason, vrf, ifindex),
	TP_STRUCT__entry(
		__field(u32, vrf)
		__field(int, ifindex)
		__field(u8, reason)
	),
	TP_fast_assign(
		__entry->vrf = vrf;
		__entry->ifindex = ifindex;
		__entry->reason = reason;
	),
	TP_printk("reason=%u vrf=%u ifindex=%d", __entry->reason, __entry->vrf, __entry->ifindex),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

/* An ICMP error about it was made, of the packet's family. */
TRACE_EVENT_FN(l3vpn_icmp,
	TP_PROTO(u32 vrf, u8 type, u8 code),
	TP_ARGS(vrf, type, code),
	TP_STRUCT__entry(
		__field(u32, vrf)
		__field(u8, type)
		__field(u8, code)
	),
	TP_fast_assign(
		__entry->vrf = vrf;
		__entry->type = type;
		__entry->code = code;
	),
	TP_printk("vrf=%u type=%u code=%u", __entry->vrf, __entry->type, __entry->code),
	l3vpn_tracepoint_on, l3vpn_tracepoint_off
);

#endif /* _L3VPN_TRACEPOINTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE tracepoints
#include <trace/define_trace.h>
