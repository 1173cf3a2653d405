// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer harness for kernel/fib.c: the input is a list of operations, run on the trie and on
 * the naive reference alike; any disagreement aborts.
 */
#include <stdio.h>
#include "fib.h"
#include "naive.h"

#define CHURN_FAIL(...) (fprintf(stderr, __VA_ARGS__), abort(), -EINVAL)
#include "churn.h"

#define OPERATION	18		/* what, length, sixteen octets of address */
#define MOST		256

long shim_fail_after = -1;
struct rcu_head *shim_pending;

static bool ready;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct naive_entry entries[MOST];
	struct l3vpn_fib fib = {};
	struct churn churn = { .fib = &fib, .naive.entry = entries };

	if (!size || (!ready && l3vpn_fib_init()))
		return 0;
	ready = true;
	churn.wide = *data & 1;
	for (data++, size--; size >= OPERATION; data += OPERATION, size -= OPERATION) {
		unsigned int width = churn.wide ? 128 : 32, plen = data[1] % (width + 1);
		struct l3vpn_key key = l3vpn_key6(data + 2);

		if (!churn.wide)
			key = (struct l3vpn_key){ .hi = key.hi & 0xffffffff00000000ULL };
		if (data[0] & 0x40)
			shim_fail_after = data[0] >> 3 & 3;
		if ((data[0] & 3) == 0)
			churn_remove(&churn, key, plen);
		else if (churn.naive.count < MOST)
			churn_insert(&churn, key, plen);
		shim_fail_after = -1;
		churn_check_lookup(&churn, key);
		if (data[0] & 0x80) {
			churn_check_bulk(&churn);
			churn_check_walk(&churn);
			l3vpn_fib_flush(&fib);
			shim_grace_period();
		}
	}
	churn_check_walk(&churn);
	l3vpn_fib_destroy(&fib, NULL, NULL);
	shim_grace_period();
	return 0;
}
