#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The trie inside the kernel. Run in a guest:
#   scripts/vm --no-module --with selftests/fib -- selftests/fib/fib.sh [SEED]
set -u
echo "TAP version 13"
echo "1..1"
if insmod "$L3VPN_MODULES/l3vpn_fib_test.ko" seed="${1:-0}"; then
	result=ok
	rmmod l3vpn_fib_test
else
	result="not ok"
fi
dmesg | sed -n 's/.*l3vpn_fib_test: /# /p'
echo "$result 1 - churn and readers inside the kernel"
[ "$result" = ok ]
