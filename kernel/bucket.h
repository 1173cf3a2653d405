/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: a token bucket, for what is done a few times a second (icmp.c).
 */
#ifndef _L3VPN_BUCKET_H
#define _L3VPN_BUCKET_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

/**
 * struct l3vpn_bucket - of tokens
 * @lock:	protects the others; softirq
 * @stamp:	jiffies at which @tokens was true
 * @tokens:	in units of 1 / HZ
 */
struct l3vpn_bucket {
	spinlock_t lock;		/* protects the others */
	unsigned long stamp;
	u32 tokens;
};

/* A full one. */
static inline void l3vpn_bucket_init(struct l3vpn_bucket *bucket, u32 burst)
{
	spin_lock_init(&bucket->lock);
	bucket->stamp = jiffies;
	bucket->tokens = burst * HZ;
}

/* Take a token if there is one: @rate a second come in, at most @burst (no more than @rate) stay. */
static inline bool l3vpn_bucket_take(struct l3vpn_bucket *bucket, u32 rate, u32 burst)
{
	unsigned long elapsed;
	bool taken;

	spin_lock_bh(&bucket->lock);
	elapsed = min(jiffies - bucket->stamp, (unsigned long)HZ);
	bucket->stamp = jiffies;
	bucket->tokens = min_t(u32, bucket->tokens + elapsed * rate, burst * HZ);
	taken = bucket->tokens >= HZ;
	if (taken)
		bucket->tokens -= HZ;
	spin_unlock_bh(&bucket->lock);
	return taken;
}

#endif /* _L3VPN_BUCKET_H */
