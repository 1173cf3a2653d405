#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Forwarding, one CPU: ours, stock Linux, and the floor. Run by scripts/bench forwarding, in a guest.

Three namespaces of one kernel, each with two dummy devices:

    l3vpn_bench.ko --> in0 [namespace: ours | stock | floor] out0 --> a permanent neighbour

floor: tc redirects everything from in0 to out0, no look-up. The transmit counter of out0 proves that every packet was
forwarded. The four cases are run in turn in every round, so that the machine's moods hit all alike; medians count.
"none" is the generator alone: packets dropped at tc ingress.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

from l3vpn_nl import L3vpn, label_record, prefix4                       # noqa: E402
from wire import ETH_IP, ETH_MPLS, Netns, eth, ipv4, labels, mac_of, sh, udp  # noqa: E402
import uapi                                                             # noqa: E402

RUN = "/sys/module/l3vpn_bench/parameters/run"
SINK = "02:00:00:00:00:02"
CASES = ("push2", "pop_vrf", "swap", "vrf")
VRF, LSP, CORE, PLAIN = 1, 1, 2, 3


def devices(ns):
    # no IPv6: its own multicast would be counted as forwarded
    sh(f"ip netns add {ns}; ip netns exec {ns} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
       f"net.ipv6.conf.default.disable_ipv6=1; ip -n {ns} link set lo up; "
       f"ip -n {ns} link add in0 type dummy; ip -n {ns} link add out0 type dummy; "
       f"ip netns exec {ns} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
       f"net.ipv4.conf.default.rp_filter=0; ip -n {ns} link set in0 up; ip -n {ns} link set out0 up")


def address(ns):
    sh(f"ip -n {ns} addr add 10.1.0.1/24 dev in0; ip -n {ns} addr add 192.0.2.1/24 dev out0; "
       f"ip -n {ns} neigh add 192.0.2.2 lladdr {SINK} dev out0 nud permanent")


def floor():
    devices("floor")
    sh("tc -n floor qdisc add dev in0 clsact; "
       "tc -n floor filter add dev in0 ingress matchall action mirred egress redirect dev out0")
    devices("none")
    sh("tc -n none qdisc add dev in0 clsact; tc -n none filter add dev in0 ingress matchall action drop")


def prefixes(count):
    """Distinct /24 outside of 10.2.0.0/16, to be in the way of the look-up."""
    rng = random.Random(1)
    found = set()
    while len(found) < count:
        found.add((rng.randrange(11 << 16, 200 << 16)) << 8)
    return sorted(found)


def stock(case, others):
    devices("stock")
    sh("modprobe -a mpls_router mpls_iptunnel mpls_gso vrf", check=False)
    sh("ip netns exec stock sysctl -qw net.mpls.platform_labels=100000 net.mpls.conf.in0.input=1 "
       "net.mpls.conf.out0.input=1; ip -n stock link add RED type vrf table 10; ip -n stock link set RED up; "
       "ip -n stock route add table 10 unreachable default metric 4278198272")
    if case in ("push2", "vrf"):
        sh("ip -n stock link set in0 master RED")
    if case in ("pop_vrf", "vrf"):
        sh("ip -n stock link set out0 master RED")
    address("stock")
    via = "via 192.0.2.2 dev out0" + (" onlink" if case == "push2" else "")
    sh({"push2": f"ip -n stock route add 10.2.0.0/16 table 10 encap mpls 100/200 {via}",
        "pop_vrf": f"ip -n stock -f mpls route add 300 dev RED; ip -n stock route add 10.2.0.0/16 table 10 {via}",
        "swap": "ip -n stock -f mpls route add 400 as 500 via inet 192.0.2.2 dev out0",
        "vrf": f"ip -n stock route add 10.2.0.0/16 table 10 {via}"}[case])
    if case != "swap" and others:
        lines = [f"route add {p >> 24}.{p >> 16 & 255}.{p >> 8 & 255}.0/24 table 10 {via}\n" for p in others]
        for i in range(0, len(lines), 20000):
            subprocess.run(["ip", "-n", "stock", "-batch", "-"], input="".join(lines[i:i + 20000]), text=True, check=True)


def ours(case, others):
    devices("ours")
    with Netns("ours"):
        nl = L3vpn()
        nl.vrf_new("RED", id=VRF)
        sh("ip -n ours link set RED up")
        for dev, kind in (("in0", "customer" if case in ("push2", "vrf") else "core"),
                          ("out0", "customer" if case in ("pop_vrf", "vrf") else "core")):
            nl.port_new(dev, VRF if kind == "customer" else None)
        address("ours")
        nl.nh_adjacency(CORE, "out0", "192.0.2.2")
        nl.nh_labelled(LSP, CORE, [100])
        nh, label = (LSP, 200) if case == "push2" else (CORE, None)
        if case == "swap":
            nl.label_add([label_record(400, uapi.LABEL_ACTION_SWAP, nh=CORE, out_label=500)])
            return nl
        nl.route_add(VRF, [prefix4("10.2.0.0/16", nh, label)])
        for i in range(0, len(others), 4000):
            nl.route_add(VRF, [prefix4((p, 24), nh, label) for p in others[i:i + 4000]])
        if case == "pop_vrf":
            nl.label_add([label_record(300, uapi.LABEL_ACTION_POP_VRF, vrf=VRF)])
    return nl


def frame(ns, case):
    packet = ipv4("10.1.0.2", "10.2.0.1", udp(1000, 2000, bytes(18)))
    dst = mac_of(ns, "in0")
    if case in ("pop_vrf", "swap"):
        return eth(dst, SINK, ETH_MPLS, labels([(300 if case == "pop_vrf" else 400, 0, 64)], packet))
    return eth(dst, SINK, ETH_IP, packet)


def sent(ns):
    return json.loads(sh(f"ip -n {ns} -s -j link show out0").stdout)[0]["stats64"]["tx"]["packets"]


def run(ns, case, packets, spread):
    """Nanoseconds a packet."""
    before = sent(ns) if ns != "none" else 0
    with Netns(ns):
        with open(RUN, "w") as f:
            f.write(f"in0 {packets} {spread} {frame(ns, case).hex()}\n")
    with open(RUN) as f:
        ns_each = int(f.read()) / 1000
    if ns != "none" and sent(ns) - before != packets:
        sys.exit(f"{ns}, {case}: {sent(ns) - before} of {packets} packets were forwarded")
    return ns_each


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--packets", type=int, default=1000000)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--routes", type=int, default=0, help="further routes in the VRF")
    p.add_argument("--spread", type=int, default=1, help="destinations, a power of two, at most 256")
    p.add_argument("--case", action="append", choices=CASES)
    o = p.parse_args()
    sh(f"insmod {os.environ['L3VPN_MODULES']}/l3vpn_bench.ko")
    floor()
    others = prefixes(o.routes)
    for case in o.case or CASES:
        stock(case, others)
        nl = ours(case, others)
        times = {ns: [] for ns in ("ours", "stock", "floor", "none")}
        for _ in range(o.rounds):
            for ns, found in times.items():
                found.append(run(ns, case, o.packets, 1 if case == "swap" else o.spread))
        mid = {ns: statistics.median(found) for ns, found in times.items()}
        print(json.dumps({
            "case": case, "ours_mpps": round(1000 / mid["ours"], 3), "stock_mpps": round(1000 / mid["stock"], 3),
            "floor_mpps": round(1000 / mid["floor"], 3), "vs_floor": round(mid["floor"] / mid["ours"], 3),
            "vs_stock": round(mid["stock"] / mid["ours"], 3), "ours_ns": round(mid["ours"], 1),
            "stock_ns": round(mid["stock"], 1), "floor_ns": round(mid["floor"], 1),
            "generator_ns": round(mid["none"], 1), "routes": o.routes + 1}), flush=True)
        nl.close()
        for ns in ("ours", "stock"):
            sh(f"ip netns del {ns}")


main()
