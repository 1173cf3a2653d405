/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet_fuzz: frames made from a seed, fed into the devices of a namespace, and a judge who looks at
 * everything that comes out.
 *
 * Files: feed.c (module, parameters, the loop), generate.c (frames), mutate.c (what is done to them),
 * build.c (skbs), device.c (the devices, kind "fuzzport"), judge.c (invariants), parse.c (frames, read). The
 * names of devices say whose they are (enum fuzz_domain); packets.py makes the network and tells the address plan.
 */
#ifndef _SELFTESTS_FUZZ_H
#define _SELFTESTS_FUZZ_H

#include <linux/if_ether.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#define FUZZ_FRAME_MAX	12000

/* Whose a packet is. A and B are families of VRFs that share nothing. */
enum fuzz_domain {
	FUZZ_NOBODY,		/* a label that nobody has: nothing may come out */
	FUZZ_A,			/* devices a0, a1, ..; VRFs R*, G*; labels 1000 to 1999 */
	FUZZ_B,			/* devices b0, b1, ..; VRFs B*, P*; labels 2000 to 2999 */
	FUZZ_TRANSIT,		/* labels 3000 to 3999, swapped from core to core */
	FUZZ_GLOBAL,		/* devices c0, .. (core, when not labelled), g0, ..; explicit null */
};

/* The router's end of tunnels, and the port of MPLS over UDP (packets.py). */
#define FUZZ_END4	{ 203, 0, 113, 1 }
#define FUZZ_END6	{ 0x20, 0x01, 0x0d, 0xb8, 0, 0xcb, [15] = 1 }
#define FUZZ_PORT	6635

/* VPN labels that the routes of a family push, at the bottom of the stack. */
#define FUZZ_VPN_A	65536
#define FUZZ_VPN_B	131072
#define FUZZ_VPN_END	262144

/* Random numbers: the same for the same seed, everywhere. */
struct fuzz_rand {
	u64 state;
};

static inline u32 fuzz_next(struct fuzz_rand *r)
{
	u64 z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) >> 16;
}

static inline u32 fuzz_below(struct fuzz_rand *r, u32 n)
{
	return ((u64)fuzz_next(r) * n) >> 32;
}

static inline bool fuzz_percent(struct fuzz_rand *r, u32 percent)
{
	return fuzz_below(r, 100) < percent;
}

#define fuzz_pick(r, array) ((array)[fuzz_below(r, ARRAY_SIZE(array))])

/**
 * struct fuzz_frame - what goes in
 * @data:	from the destination MAC address on
 * @len:	octets of it
 * @at:		where the layer 3 header or label stack was put
 * @ip:		where the IP header was put; 0: there is none
 * @l4:		where the transport header was put; 0: there is none
 * @proto:	of @l4
 * @tunnel:	all that is below the outer header, the label stack too, is in a tunnel
 * @mutated:	it is not what was made at first
 */
struct fuzz_frame {
	u8 data[FUZZ_FRAME_MAX];
	u32 len;
	u32 at;
	u32 ip;
	u32 l4;
	u8 proto;
	bool tunnel;
	bool mutated;
};

enum fuzz_kind {
	FUZZ_CUSTOMER,
	FUZZ_CORE,
	FUZZ_HOST,		/* a device of the global table that is no port */
	FUZZ_LOCAL,		/* a VRF's device: as a local socket sends */
};

/**
 * struct fuzz_target - where frames go in
 * @dev:	referenced while a run lasts
 * @kind:	what it is
 * @domain:	whose; of a core port FUZZ_GLOBAL, and what is labelled is looked at
 */
struct fuzz_target {
	struct net_device *dev;
	netdevice_tracker tracker;
	enum fuzz_kind kind;
	enum fuzz_domain domain;
};

/* generate.c: a right frame for @target into @f. */
void fuzz_generate(struct fuzz_rand *r, const struct fuzz_target *target, struct fuzz_frame *f);

/* generate.c: the checksum of the IPv4 header at @ip, if all of it is there. */
void fuzz_fix_ipv4(struct fuzz_frame *f, u32 ip);

/* mutate.c: bend it, or not. */
void fuzz_mutate(struct fuzz_rand *r, struct fuzz_frame *f);

/* build.c: an skb as @target's driver could hand it up (the network header at skb->data), or as a socket sends it. */
struct sk_buff *fuzz_build(struct fuzz_rand *r, const struct fuzz_target *target,
			   const struct fuzz_frame *f);

/* device.c: whose a device is by its name; FUZZ_NOBODY: none of ours. */
enum fuzz_domain fuzz_device_domain(const struct net_device *dev, enum fuzz_kind *kind);
int fuzz_device_register(void);
void fuzz_device_unregister(void);
u64 fuzz_device_refused(const struct net_device *dev);

static inline u16 fuzz_get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 fuzz_get32(const u8 *p)
{
	return (u32)fuzz_get16(p) << 16 | fuzz_get16(p + 2);
}

/* parse.c: where the layer 3 header of a frame is, behind tags; its type. 0: the frame ends before. */
u32 fuzz_find_l3(const u8 *data, u32 len, u16 *type);

/* parse.c: behind the label stack at @at; the last entry at *@bottom. 0: it has no end. */
u32 fuzz_skip_labels(const u8 *data, u32 len, u32 at, u32 *bottom);

/*
 * parse.c: where the label stack of a packet is that came to (@to_us), or comes from, the router's end of a
 * tunnel. 0: it is none. Of a fragment nothing is known.
 */
u32 fuzz_skip_outer(const u8 *data, u32 len, u32 at, u16 type, bool to_us);

/* parse.c: an IPv4 fragment, which may wait for the rest of it. */
bool fuzz_is_fragment(const u8 *data, u32 len, u32 at, u16 type);

/* parse.c: whose is what comes with the label stack at @at. */
enum fuzz_domain fuzz_label_domain(const u8 *data, u32 len, u32 at);

/*
 * judge.c: one packet at a time is "current", on the CPU that feeds it, bottom halves off or
 * preemption off from begin to end. fed() is called right after the packet was handed in, end() when the
 * softirqs that it raised have run.
 */
void fuzz_judge_begin(const struct fuzz_frame *f, const struct fuzz_target *target,
		      struct sk_buff *skb, u64 number, struct net_device *vrf, bool shared);
void fuzz_judge_fed(void);
void fuzz_judge_end(struct net *net);
void fuzz_judge_sent(struct sk_buff *skb, struct net_device *dev);
void fuzz_judge_clone(const struct sk_buff *clone, u32 sum);
u32 fuzz_judge_sum(const struct sk_buff *skb);
int fuzz_judge_init(void);
void fuzz_judge_exit(void);
int fuzz_judge_counts(char *buffer);
int fuzz_judge_report(char *buffer);
void fuzz_judge_strict(bool strict);
u64 fuzz_judge_violations(void);

#endif /* _SELFTESTS_FUZZ_H */
