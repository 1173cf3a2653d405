#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Forwarding, one CPU: ours, stock Linux, and the floor. Run by scripts/bench forwarding, in a guest.

Namespaces of one kernel, each with two devices:

    l3vpn_bench.ko --> in0 [namespace: ours | stock | floor] out0, a sink with a permanent neighbour

floor: tc redirects everything from in0 to out0, no look-up. The sinks look at every 1,000th frame: link layer header,
labels, TTL, traffic class, destination, checksum. Where they or our counters disagree with what was fed, there is no
figure. "none" is the generator alone: packets dropped at tc ingress.

push_udp, push_gre: one label, in UDP or GRE over IPv4 (for stock Linux an ipip device of mode mplsip with FOU, or a gre
device, behind an MPLS route); pop_udp, pop_gre: out of it, and into the VRF. One flow: the source port is that flow's.

A round feeds --packets to each, in slices that take turns, so that the machine's moods hit all alike: a slice is short
beside what a busy machine takes away at once. A round's figure is that of its median slice; the median round counts.
"""
import argparse
import json
import os
import random
import socket
import statistics
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

from l3vpn_nl import L3vpn, label_record, prefix4, prefix6, stats           # noqa: E402
from wire import ETH_IP, ETH_IPV6, ETH_MPLS, Netns, eth, ipv4, ipv6, labels, mac_of, sh, udp  # noqa: E402
import uapi                                                                 # noqa: E402

PARAMETERS = "/sys/module/l3vpn_bench/parameters/"
LIST = "/proc/l3vpn_bench_destinations"
SINK = "02:00:00:00:00:02"
SLICE = 5000
CASES = ("push2", "pop_vrf", "swap", "vrf", "push_udp", "push_gre", "pop_udp", "pop_gre")
VRF, LSP, CORE, CORE6, TUNNEL = 1, 1, 2, 3, 4
NEAR, FAR, GRE, PORT = "203.0.113.1", "198.51.100.1", 47, 6635
TTL, DSCP = 64, 46
# shares, per thousand, of prefix lengths: a full Internet table (IPv4), a large exchange's (IPv6)
LENGTHS4 = {24: 605, 22: 115, 23: 105, 21: 54, 20: 46, 19: 26, 18: 15, 16: 14, 17: 9, 32: 5, 15: 3, 14: 2, 12: 1}
LENGTHS6 = {48: 432, 32: 304, 40: 56, 44: 48, 36: 37, 29: 26, 46: 17, 33: 10, 35: 9, 38: 8, 47: 8, 34: 7, 42: 6, 41: 6,
            45: 5, 30: 4, 39: 3, 28: 3, 31: 3, 37: 2, 43: 2, 27: 1, 26: 1, 24: 1, 20: 1}


def parameter(name, value=None):
    if value is None:
        with open(PARAMETERS + name, encoding="ascii") as f:
            return f.read()
    with open(PARAMETERS + name, "w", encoding="ascii") as f:
        f.write(value)
    return None


def devices(ns):
    # no router solicitations nor multicast of their own: they would be counted as forwarded
    sh(f"ip netns add {ns}; ip netns exec {ns} sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 "
       f"net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.default.mldv2_unsolicited_report_interval=0; "
       f"ip -n {ns} link set lo up; ip -n {ns} link add in0 type dummy; ip -n {ns} link add out0 type l3vpn_sink; "
       f"ip -n {ns} link set out0 address 02:00:00:00:00:01; ip netns exec {ns} sysctl -qw net.ipv4.ip_forward=1 "
       f"net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0; "
       f"ip -n {ns} link set in0 up multicast off; ip -n {ns} link set out0 up multicast off")


def address(ns):
    sh(f"ip -n {ns} addr add 10.1.0.1/24 dev in0; ip -n {ns} addr add 192.0.2.1/24 dev out0; "
       f"ip -n {ns} addr add fd00:1::1/64 dev in0 nodad; ip -n {ns} addr add fd00:2::1/64 dev out0 nodad; "
       f"ip -n {ns} neigh add 192.0.2.2 lladdr {SINK} dev out0 nud permanent; "
       f"ip -n {ns} neigh add fd00:2::2 lladdr {SINK} dev out0 nud permanent")


def floor():
    devices("floor")
    sh("tc -n floor qdisc add dev in0 clsact; "
       "tc -n floor filter add dev in0 ingress matchall action mirred egress redirect dev out0")
    devices("none")
    sh("tc -n none qdisc add dev in0 clsact; tc -n none filter add dev in0 ingress matchall action drop")


class Table:
    """Distinct prefixes (number, length) of one family, and a destination within each, in random order."""

    def __init__(self, v6, count):
        rng = random.Random(1)
        self.v6, self.bits = v6, 128 if v6 else 32
        mix = LENGTHS6 if v6 else LENGTHS4
        lengths = rng.choices(list(mix), weights=list(mix.values()), k=count * 2) if count else []
        sites = [rng.getrandbits(29) | 1 << 29 for _ in range(count // 9 + 1)]
        found = {}
        for plen in lengths:
            if len(found) == count:
                break
            if not v6:
                top = rng.randrange(11, 192)
                addr = (top if top != 127 else 126) << 24 | rng.getrandbits(24)
            elif plen > 32:
                addr = (rng.choice(sites) << 96 | rng.getrandbits(96)) & (1 << 128) - 1
            else:
                addr = (rng.getrandbits(29) | 1 << 29) << 96
            host = self.bits - plen
            found[addr >> host << host, plen] = None
        self.routes = list(found)
        rng.shuffle(self.routes)
        self.destinations = [a | rng.getrandbits(self.bits - n) if n < self.bits else a for a, n in self.routes]
        rng.shuffle(self.destinations)

    def packed(self):
        """As the generator reads them."""
        if self.v6:
            return b"".join(d.to_bytes(16, "big") for d in self.destinations)
        return b"".join(d.to_bytes(4, "big") + bytes(12) for d in self.destinations)

    def text(self):
        if self.v6:
            return (f"{socket.inet_ntop(socket.AF_INET6, a.to_bytes(16, 'big'))}/{n}" for a, n in self.routes)
        return (f"{socket.inet_ntoa(a.to_bytes(4, 'big'))}/{n}" for a, n in self.routes)


class Case:
    """What is measured: the way of a packet, its family, and the table that is in its way."""

    def __init__(self, name, v6, table):
        self.name, self.v6, self.table = name, v6, table
        self.tunnel = name[-3:] if name[-3:] in ("udp", "gre") else None
        self.imposes, self.pops = name.startswith("push"), name.startswith("pop")
        self.customer_in, self.customer_out = self.imposes or name == "vrf", self.pops or name == "vrf"
        self.sport = 50000
        self.route = "fd00:3::/32" if v6 else "10.2.0.0/16"
        self.gateway = "fd00:2::2" if v6 else "192.0.2.2"

    def way_out(self):
        """The next hop of our routes."""
        if self.imposes:
            return TUNNEL if self.tunnel else LSP
        return CORE6 if self.v6 else CORE

    def packet(self, ttl):
        data = udp(1000, 2000, bytes(18))
        if self.v6:
            return ipv6("fd00:1::2", "fd00:3::1", data, ttl=ttl, tclass=DSCP << 2)
        return ipv4("10.1.0.2", "10.2.0.1", data, ttl=ttl, tos=DSCP << 2)

    def outer(self, src, dst, stack, packet, tos):
        """@packet under labels, in the tunnel."""
        payload = labels(stack, packet)
        if self.tunnel == "udp":
            return ipv4(src, dst, udp(self.sport, PORT, payload), ttl=255, tos=tos, df=True, ident=0)
        return ipv4(src, dst, b"\0\0\x88\x47" + payload, proto=GRE, ttl=255, tos=tos, df=True, ident=0)

    def frame(self, ns):
        """What goes in."""
        dst = mac_of(ns, "in0")
        if self.tunnel and self.pops:
            return eth(dst, SINK, ETH_IP, self.outer(FAR, NEAR, [(300, DSCP >> 3, TTL)], self.packet(TTL), DSCP >> 3 << 5))
        if not self.customer_in:
            return eth(dst, SINK, ETH_MPLS, labels([(300 if self.pops else 400, DSCP >> 3, TTL)], self.packet(TTL)))
        return eth(dst, SINK, ETH_IPV6 if self.v6 else ETH_IP, self.packet(TTL))

    def expected(self, ns):
        """What has to come out; None: what cannot be foretold, for stock Linux numbers its outer packets."""
        if ns == "stock" and self.tunnel and self.imposes:
            return None
        if ns == "floor":
            return self.frame(ns)
        src = mac_of(ns, "out0")
        # stock Linux writes no traffic class
        tc = 0 if ns == "stock" else DSCP >> 3
        if self.tunnel and self.imposes:
            return eth(SINK, src, ETH_IP, self.outer(NEAR, FAR, [(200, tc, TTL - 1)], self.packet(TTL - 1), tc << 5))
        if self.imposes:
            return eth(SINK, src, ETH_MPLS, labels([(100, tc, TTL - 1), (200, tc, TTL - 1)], self.packet(TTL - 1)))
        if self.name == "swap":
            return eth(SINK, src, ETH_MPLS, labels([(500, tc, TTL - 1)], self.packet(TTL)))
        return eth(SINK, src, ETH_IPV6 if self.v6 else ETH_IP, self.packet(TTL - 1))


def stock(case):
    devices("stock")
    sh("modprobe -a mpls_router mpls_iptunnel mpls_gso vrf", check=False)
    sh("ip netns exec stock sysctl -qw net.mpls.platform_labels=100000 net.mpls.conf.in0.input=1 "
       "net.mpls.conf.out0.input=1; ip -n stock link add RED type vrf table 10; ip -n stock link set RED up; "
       "ip -n stock route add table 10 unreachable default metric 4278198272; "
       "ip -n stock -6 route add table 10 unreachable default metric 4278198272")
    if case.customer_in:
        sh("ip -n stock link set in0 master RED")
    if case.customer_out:
        sh("ip -n stock link set out0 master RED")
    address("stock")
    via = f"via {case.gateway} dev out0" + (" onlink" if case.imposes else "")
    family = "-6" if case.v6 else "-4"
    encap = "encap mpls 100/200 " if case.imposes else ""
    if case.tunnel:
        far_end("stock")
        kind = "gre" if case.tunnel == "gre" else "ipip mode mplsip"
        more = "" if case.tunnel == "gre" else f"encap fou encap-sport auto encap-dport {PORT}"
        sh(f"modprobe -a fou ipip ip_gre; ip -n stock fou add port {PORT} ipproto 137", check=False)
        sh(f"ip -n stock link add far type {kind} local {NEAR} remote {FAR} ttl 255 {more}; ip -n stock link set far up; "
           "ip netns exec stock sysctl -qw net.mpls.conf.far.input=1")
        if case.imposes:
            encap, via = "encap mpls 200 ", "dev far"
    if case.name == "swap":
        sh("ip -n stock -f mpls route add 400 as 500 via inet 192.0.2.2 dev out0")
        return
    if case.pops:
        sh("ip -n stock -f mpls route add 300 dev RED")
    sh(f"ip -n stock {family} route add {case.route} table 10 {encap}{via}")
    lines = [f"route add {p} table 10 {encap}{via}\n" for p in case.table.text()]
    for i in range(0, len(lines), 20000):
        subprocess.run(["ip", "-n", "stock", family, "-batch", "-"], input="".join(lines[i:i + 20000]), text=True,
                       check=True)


def far_end(ns):
    sh(f"ip -n {ns} addr add {NEAR}/32 dev lo; ip -n {ns} route add {FAR} via 192.0.2.2 dev out0 onlink")


def tunnel(nl, case):
    """Ours, both ways."""
    encap = uapi.ENCAP_UDP if case.tunnel == "udp" else uapi.ENCAP_GRE
    far_end("ours")
    nl.nh_tunnel(TUNNEL, encap, NEAR, FAR)
    nl.endpoint_new(encap, NEAR)


def ours(case):
    devices("ours")
    with Netns("ours"):
        nl = L3vpn()
        nl.vrf_new("RED", id=VRF)
        sh("ip -n ours link set RED up")
        for dev, customer in (("in0", case.customer_in), ("out0", case.customer_out)):
            nl.port_new(dev, VRF if customer else None)
        address("ours")
        nl.nh_adjacency(CORE, "out0", "192.0.2.2")
        nl.nh_adjacency(CORE6, "out0", "fd00:2::2")
        nl.nh_labelled(LSP, CORE, [100])
        if case.name == "swap":
            nl.label_add([label_record(400, uapi.LABEL_ACTION_SWAP, nh=CORE, out_label=500)])
            return nl
        if case.tunnel:
            tunnel(nl, case)
        nh, label = (case.way_out(), 200 if case.imposes else None)
        make = prefix6 if case.v6 else prefix4
        prefixes = [case.route] + list(case.table.text())
        for i in range(0, len(prefixes), 2000):
            nl.routes(uapi.CMD_ROUTE_ADD, VRF, **{"records6" if case.v6 else "records4":
                                                  [make(p, nh, label) for p in prefixes[i:i + 2000]]})
        if case.pops:
            nl.label_add([label_record(300, uapi.LABEL_ACTION_POP_VRF, vrf=VRF)])
    return nl


def sent(ns):
    return json.loads(sh(f"ip -n {ns} -s -j link show out0").stdout)[0]["stats64"]["tx"]["packets"]


class Lane:
    """One namespace that is fed."""

    def __init__(self, ns, case):
        self.ns, self.frame = ns, case.frame(ns).hex()
        self.fed, self.before, self.rounds, self.slices = 0, 0, [], []
        if ns == "none":
            return
        self.before = sent(ns)
        if case.tunnel == "udp" and case.imposes and ns == "ours":
            case.sport = self.learn_port()
        if case.expected(ns):
            with Netns(ns):
                parameter("expect", f"out0 {case.expected(ns).hex()}\n")

    def learn_port(self):
        """Of the one flow that there is: the module's hash has a seed of its own."""
        with Netns(self.ns):
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            s.bind(("out0", 0))
            s.settimeout(10)
        self.feed(1)
        self.slices = []
        port, = struct.unpack("!H", s.recv(2000)[34:36])
        s.close()
        return port

    def feed(self, packets):
        with Netns(self.ns):
            parameter("run", f"in0 {self.fed} {packets} {self.frame}\n")
        self.fed += packets
        self.slices.append(int(parameter("run")) / 1000)

    def end_round(self):
        self.rounds.append(statistics.median(self.slices))
        self.slices = []

    def figure(self):
        """Nanoseconds a packet."""
        return statistics.median(self.rounds)

    def check(self):
        if self.ns != "none" and sent(self.ns) - self.before != self.fed:
            sys.exit(f"{self.ns}: {sent(self.ns) - self.before} of {self.fed} packets were forwarded")


def counters_agree(nl, case, fed):
    """Our own counters: every packet by port, VRF, next hop and label."""
    with Netns("ours"):
        found = {"next hop": nl.nh_tally(CORE if case.name == "swap" else case.way_out())[0]}
        for attrs in nl.dump(uapi.CMD_PORT_GET):
            name = attrs[uapi.PORT_NAME].rstrip(b"\0").decode()
            found[name] = stats(attrs[uapi.PORT_STATS])["rx_packets" if name == "in0" else "tx_packets"]
        if not case.customer_in:
            found["label"] = nl.label_tally(300 if case.pops else 400)[0]
        if case.name != "swap":
            vrf = stats(nl.dump(uapi.CMD_VRF_GET)[0][uapi.VRF_STATS])
            found["VRF in"], found["VRF out"] = vrf["rx_packets"], vrf["tx_packets"]
    wrong = {what: n for what, n in found.items() if n != fed}
    if wrong:
        sys.exit(f"{case.name}: {fed} packets were fed, but counted: {wrong}")


def measure(case, o):
    with open(LIST, "wb", buffering=1 << 20) as f:
        f.write(case.table.packed())
    stock(case)
    nl = ours(case)
    lanes = {ns: Lane(ns, case) for ns in ("ours", "stock", "floor", "none")}
    for _ in range(o.rounds):
        for _ in range(0, o.packets, SLICE):
            for lane in lanes.values():
                lane.feed(SLICE)
        for lane in lanes.values():
            lane.end_round()
    for lane in lanes.values():
        lane.check()
    checked, wrong = map(int, parameter("expect").split())
    if wrong or not checked:
        sys.exit(f"{case.name}: {wrong} of {checked} frames were not as they should be")
    counters_agree(nl, case, lanes["ours"].fed)
    nl.close()
    for ns in ("ours", "stock"):
        sh(f"ip netns del {ns}")
    return {ns: lane.figure() for ns, lane in lanes.items()}, checked


def report(case, mid, checked, mid4):
    line = {"case": case.name + ("_ipv6" if case.v6 else ""),
            "ours_mpps": round(1000 / mid["ours"], 3), "stock_mpps": round(1000 / mid["stock"], 3),
            "floor_mpps": round(1000 / mid["floor"], 3), "vs_floor": round(mid["floor"] / mid["ours"], 3),
            "vs_stock": round(mid["stock"] / mid["ours"], 3)}
    if mid4:	# by the floors, which were measured at other times
        line["vs_ipv4"] = round(mid4["ours"] / mid["ours"] * mid["floor"] / mid4["floor"], 3)
    line.update({ns + "_ns": round(mid[ns], 1) for ns in ("ours", "stock", "floor")},
                generator_ns=round(mid["none"], 1), routes=len(case.table.routes) + 1, frames_checked=checked)
    print(json.dumps(line), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--packets", type=int, default=1000000, help="a round")
    p.add_argument("--rounds", type=int, default=11)
    p.add_argument("--routes", type=int, default=0, help="further routes in the VRF, random destinations within them")
    p.add_argument("--case", action="append", choices=CASES)
    p.add_argument("--family", type=int, action="append", choices=(4, 6))
    o = p.parse_args()
    sh(f"insmod {os.environ['L3VPN_MODULES']}/l3vpn_bench.ko")
    floor()
    tables = {v6: Table(v6, o.routes) for v6 in (False, True)}
    for name in o.case or CASES:
        mid4 = None
        for v6 in (False, True):
            if (o.family and (6 if v6 else 4) not in o.family) or (name == "swap" and v6):
                continue
            # a label is swapped without a look at what is below; a tunnel's frames are foretold for one flow
            one_flow = name == "swap" or name.endswith(("udp", "gre"))
            case = Case(name, v6, Table(v6, 0) if one_flow else tables[v6])
            mid, checked = measure(case, o)
            report(case, mid, checked, mid4)
            mid4 = mid4 or mid


main()
