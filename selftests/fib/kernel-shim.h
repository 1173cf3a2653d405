/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Just enough of the kernel for kernel/fib.c and kernel/label.c to run in user space, where the
 * sanitizers and the fuzzer are. call_rcu() keeps what it is given until shim_grace_period(),
 * so that a test can hold on to a leaf as an RCU reader would. shim_fail_after makes the n-th
 * allocation from now on, and all behind it, fail.
 */
#ifndef _SELFTESTS_FIB_KERNEL_SHIM_H
#define _SELFTESTS_FIB_KERNEL_SHIM_H

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <linux/types.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;
typedef unsigned int gfp_t;

#define __rcu
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min(a, b)	((a) < (b) ? (a) : (b))
#define hweight64(x)	((unsigned int)__builtin_popcountll(x))
#define fls64(x)	((x) ? 64 - __builtin_clzll(x) : 0)
#define be32_to_cpu	be32toh
#define cpu_to_be32	htobe32
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define prefetch(p)	__builtin_prefetch(p)
#define PAGE_OFFSET	0UL
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define smp_rmb()			((void)0)	/* one thread */
#define smp_wmb()			((void)0)	/* one thread */
#define smp_load_acquire(p)		READ_ONCE(*(p))	/* one thread */
#define smp_store_release(p, v)		WRITE_ONCE(*(p), v)	/* one thread */

#define rcu_dereference(p)		READ_ONCE(p)
#define rcu_dereference_raw(p)		READ_ONCE(p)
#define rcu_access_pointer(p)		READ_ONCE(p)
#define rcu_dereference_protected(p, c)	((void)(c), (p))
#define rcu_assign_pointer(p, v)	WRITE_ONCE(p, v)
/* One thread, and grace periods end only when it says so: a reader needs no mark. */
#define rcu_read_lock()			((void)0)
#define rcu_read_unlock()		((void)0)
#define RCU_INIT_POINTER(p, v)		((p) = (v))

#define GFP_KERNEL		1
#define GFP_KERNEL_ACCOUNT	3
#define __GFP_NOWARN		4
#define __GFP_NOFAIL		8

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

extern long shim_fail_after;		/* negative: never */
extern struct rcu_head *shim_pending;

static inline u64 get_unaligned_be64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void put_unaligned_be64(u64 v, void *p)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

/* The size goes in front of what is handed out, as ksize() wants it. */
static inline void *kmalloc(size_t size, gfp_t gfp)
{
	size_t *p;

	if (shim_fail_after >= 0 && !(gfp & __GFP_NOFAIL) && shim_fail_after-- <= 0) {
		shim_fail_after = 0;
		return NULL;
	}
	p = malloc(size + 16);
	if (!p)
		abort();
	*p = size;
	return p + 2;
}

static inline void kfree(const void *p)
{
	if (p)
		free((size_t *)p - 2);
}

static inline size_t ksize(const void *p)
{
	return ((const size_t *)p)[-2];
}

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);

	return p ? memset(p, 0, size) : NULL;
}

static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kzalloc(n * size, gfp);
}

static inline void *kmemdup(const void *from, size_t size, gfp_t gfp)
{
	void *p = kmalloc(size, gfp);

	return p ? memcpy(p, from, size) : NULL;
}

static inline void *kvzalloc(size_t size, gfp_t gfp)
{
	return kzalloc(size, gfp);
}

static inline void kvfree(const void *p)
{
	kfree(p);
}

struct kmem_cache {
	size_t size;
};

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   unsigned int align, unsigned int flags,
						   void (*ctor)(void *))
{
	struct kmem_cache *cache = malloc(sizeof(*cache));

	if (cache)
		cache->size = size;
	return cache;
}

static inline void kmem_cache_destroy(struct kmem_cache *cache)
{
	free(cache);
}

static inline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmalloc(cache->size, gfp);
}

/* It must be of this cache. */
static inline void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	if (ksize(p) != cache->size)
		abort();
	kfree(p);
}

static inline void cond_resched(void)
{
}

static inline void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = shim_pending;
	shim_pending = head;
}

static inline void shim_grace_period(void)
{
	while (shim_pending) {
		struct rcu_head *head = shim_pending;

		shim_pending = head->next;
		head->func(head);
	}
}

static inline void rcu_barrier(void)
{
	shim_grace_period();
}

static inline void synchronize_rcu(void)
{
	shim_grace_period();
}

#endif /* _SELFTESTS_FIB_KERNEL_SHIM_H */
