#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module loaded, used and unloaded again and again while packets run into it. In a guest (scripts/vm), TAP:
#
#    ns a (10.0.0.2) --- a0 [ RED ] b0 --- ns b (10.0.1.2)        RED: a VRF of ours, two connected ports
#
# L3VPN_ROUNDS (default 20) or L3VPN_SECONDS say how long. Each round: load, VRF and ports, a ping must cross, a flood
# runs while the module is unloaded under it. Ends with the slab compared to that of the first rounds.
set -u
rounds=${L3VPN_ROUNDS:-20}
until=${L3VPN_SECONDS:+$((SECONDS + L3VPN_SECONDS))}
n=0

# KiB. Every cache gives back what it holds free. What KASAN keeps in quarantine (a 32nd of the memory, whatever was freed
# last) swings between caches: where they cannot be shrunk by name, many path names, which are freed at once, take its place.
slab() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	if [ -d /sys/kernel/slab ]; then
		for cache in /sys/kernel/slab/*/shrink; do
			echo 1 2>/dev/null >"$cache"
		done
	else
		for ((i = 0; i < 8000; i++)); do
			[ -e / ]
		done
	fi
	sed -n 's/^SUnreclaim: *\([0-9]*\).*/\1/p' /proc/meminfo
}

fail() {
	echo "not ok 1 - round $n: $*"
	exit 1
}

wait_ping() {	# until the neighbours are found, five seconds at most
	for _ in 1 2 3 4 5; do
		ip netns exec a ping -n -q -c 1 -W 1 10.0.1.2 >/dev/null && return 0
	done
	return 1
}

echo "TAP version 13"
echo "1..2"
ip netns add a
ip netns add b
ip link add a0 type veth peer name e netns a
ip link add b0 type veth peer name e netns b
ip -n a addr add 10.0.0.2/24 dev e
ip -n a link set e up
ip -n a route add default via 10.0.0.1
ip -n b addr add 10.0.1.2/24 dev e
ip -n b link set e up
ip -n b route add default via 10.0.1.1
lsmod | grep -q '^l3vpn ' && rmmod l3vpn
samples=

round() {
	# every other time packets are put aside, and some wait when the module goes
	insmod "$L3VPN_KO" burst_routes=$((n % 2 ? 1000000 : 0)) || fail "does not load"
	ip link add RED type l3vpn && ip link set RED up || fail "no VRF"
	for p in a0 b0; do
		ip link set $p master RED && ip link set $p up || fail "$p is no port"
	done
	ip addr add 10.0.0.1/24 dev a0
	ip addr add 10.0.1.1/24 dev b0
	wait_ping || fail "nothing crosses"
	ip netns exec a ping -n -q -f -c 100000 10.0.1.2 >/dev/null 2>&1 &
	flood=$!
	sleep 0.2
	rmmod l3vpn || fail "does not unload"
	kill -0 $flood 2>/dev/null || fail "the flood had ended before the module was unloaded"
	kill $flood
	wait $flood 2>/dev/null
	ip addr flush dev a0
	ip addr flush dev b0
	samples="$samples $(slab)"
}

# grown FROM: the last ten rounds beside the ten from FROM on, by their least: single figures swing with what happens to
# be in flight. Says both and returns whether it is more than 1%.
grown() {
	first=$(echo "$samples" | tr ' ' '\n' | sed -n '/./p' | sed -n "$1,$(($1 + 9))p" | sort -n | head -n 1)
	last=$(echo "$samples" | tr ' ' '\n' | tail -n 10 | sort -n | head -n 1)
	what="$first KiB in the rounds from $1 on, $last KiB at the end of $n"
	[ $((last * 100)) -gt $((first * 101)) ]
}

while [ -n "$until" ] && [ $SECONDS -lt "$until" ] || [ -z "$until" ] && [ $n -lt "$rounds" ]; do
	n=$((n + 1))
	round
done
echo "ok 1 - loaded, used and unloaded under traffic $n times"
if [ $n -lt 20 ]; then
	echo "not ok 2 - slab: $n rounds are too few to compare"
	exit 1
fi
if ! grown 4; then
	echo "ok 2 - slab: $what"
	exit 0
fi
# What leaks goes on leaking; what the kernel took once for itself does not: as many rounds again must tell.
echo "# slab grew: $what; $n rounds more"
from=$((n - 6))
for ((more = n; more > 0; more--)); do
	n=$((n + 1))
	round
done
if grown $from; then
	echo "not ok 2 - slab grew, and again: $what"
	exit 1
fi
echo "ok 2 - slab grew once and not again: $what"
