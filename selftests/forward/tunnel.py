#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Labelled packets in UDP (RFC 7510) and GRE (RFC 4023), over IPv4 and IPv6, octet by octet: what goes in, what is taken
out, what is not. In a guest: scripts/vm -- selftests/forward/tunnel.py [WORD...]

topology.py draws the network. Of the tunnels one end is pe's 203.0.113.1 or 2001:db8:ff::1, the other is behind the P
router at core1: 198.51.100.1 or 2001:db8:9::1. Headers are read here by hand, from the RFCs' drawings.
"""
import os
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import (L3vpn, Step, attrs_dict, enter_netns, get, label_record, prefix4, prefix6, stats,  # noqa: E402
                      s32, ifindex, u32)
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import (ETH_IP, ETH_IPV6, ETH_MPLS, ICMP, ICMP6, UDP, Packet, checksum, echo, eth, fragment6, ipv4,  # noqa: E402
                  ipv6, labels, sh, udp)

RED, BLUE = 1, 2
GRE, PORT = 47, 6635
HERE4, HERE6, FAR4, FAR6 = "203.0.113.1", "2001:db8:ff::1", "198.51.100.1", "2001:db8:9::1"
CORE2, UDP4, GRE4, UDP6, GRE6, PATH, PAIR, BACKUP, AIMLESS, STRAY, CE_R2 = range(10, 21)
POP_VRF, POP_NH, SWAP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_POP_NH, uapi.LABEL_ACTION_SWAP
# next hop: (encapsulation, family of the outer header)
TUNNELS = {UDP4: (uapi.ENCAP_UDP, 4), GRE4: (uapi.ENCAP_GRE, 4), UDP6: (uapi.ENCAP_UDP, 6), GRE6: (uapi.ENCAP_GRE, 6)}
HEADERS = {UDP4: 28, GRE4: 24, UDP6: 48, GRE6: 44}

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE")):
        nl.vrf_new(name, id=vrf)
    for port, vrf in (("red1", RED), ("red2", RED), ("blue1", BLUE), ("core1", None), ("core2", None)):
        nl.port_new(port, vrf)
    net.address()
    sh(f"ip -n pe addr add {HERE4}/32 dev lo; ip -n pe addr add {HERE6}/128 dev lo; "
       f"ip -n pe route add {FAR4} via 192.0.2.2; ip -n pe route add {FAR6} via 2001:db8:c::2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
    for nh, (encap, family) in TUNNELS.items():
        ends = (HERE4, FAR4) if family == 4 else (HERE6, FAR6)
        nl.nh_tunnel(nh, encap, *ends)
        nl.endpoint_new(encap, ends[0])
        nl.route_add(RED, [prefix4(f"10.2.{nh}.0/24", nh, 5000 + nh)], [prefix6(f"2001:db8:2:{nh}::/64", nh, 5000 + nh)])
    nl.nh_labelled(PATH, UDP4, [100, 101])
    nl.nh_group(PAIR, [(UDP4, 1, 0), (GRE6, 1, 0)])
    nl.nh_labelled(BACKUP, UDP4, [])
    nl.nh_tunnel(AIMLESS, uapi.ENCAP_UDP, HERE4, "198.51.100.99")
    nl.nh_tunnel(STRAY, uapi.ENCAP_GRE, HERE4, "198.51.100.98")
    nl.route_add(RED, [prefix4("10.2.100.0/24", PATH, 5100), prefix4("10.2.101.0/24", PAIR, 5101),
                       prefix4("10.2.102.0/24", UDP4), prefix4("10.2.103.0/24", AIMLESS, 5103),
                       prefix4("10.2.104.0/24", STRAY, 5104), prefix4("10.2.105.0/24", PATH)],
                 [prefix6("2001:db8:2:103::/64", AIMLESS, 5103)])
    nl.label_add([label_record(300, POP_VRF, vrf=RED), label_record(301, POP_VRF, vrf=BLUE),
                  label_record(302, POP_NH, vrf=RED, nh=CE_R2), label_record(303, POP_VRF, vrf=RED, scope=5),
                  label_record(400, SWAP, nh=CORE2, out_label=500), label_record(401, SWAP, nh=GRE6, out_label=3)] +
                 [label_record(410 + nh, SWAP, nh=nh, out_label=600 + nh) for nh in TUNNELS])


counter = 0


def mark():
    """Content that no other packet has."""
    global counter
    counter += 1
    return b"mark%06d" % counter


def up(wire, l3, proto=ETH_IP):
    """A packet from the lab's end @wire to the router."""
    w = net.wire[wire]
    w.send(eth(net.mac[net.peer[wire]], w.mac, proto, l3))


def down(wire, m):
    """The packet with mark @m that comes out at @wire."""
    got, seen = net.wire[wire].read(lambda p: m in p.frame)
    if got is None:
        raise AssertionError(f"does not come out at {wire}; seen: {seen[:5]}; drops {nl.drops()}")
    return got


def dropped(reason, wire, l3, proto=ETH_IP, n=1):
    """@l3 is dropped for @reason, and for no other."""
    before = nl.drops()
    up(wire, l3, proto)
    wait(lambda: nl.drops().get(reason, 0) - before.get(reason, 0) == n, f"a drop for reason {reason}: {nl.drops()}")
    after = nl.drops()
    equal({r: x - before.get(r, 0) for r, x in after.items() if x != before.get(r, 0)}, {reason: n}, "drops")


def pseudo(src, dst, proto, length):
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    ends = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    return ends + (struct.pack("!II", length, proto) if ":" in src else struct.pack("!BBH", 0, proto, length))


class Tunnelled:
    """What is in an outer packet; every field of the outer headers has been looked at."""

    def __init__(self, p, nh, checked=None):
        encap, family = TUNNELS[nh]
        self.outer = p
        equal((p.proto, p.version), (ETH_IP, 4) if family == 4 else (ETH_IPV6, 6), "outer header")
        equal((p.saddr, p.daddr), (HERE4, FAR4) if family == 4 else (HERE6, FAR6), "ends")
        equal((p.ttl, p.ip_proto), (255, UDP if encap == uapi.ENCAP_UDP else GRE), "TTL and protocol")
        if family == 4:
            equal((p.ip[0], p.frag, len(p.l3)), (0x45, 0x4000, len(p.ip)), "header length, DF alone, length")
        else:
            self.flow, = struct.unpack("!I", p.ip[:4])
            self.flow &= 0xfffff
        if encap == uapi.ENCAP_UDP:
            self.sport, dport, length, check = struct.unpack("!HHHH", p.payload[:8])
            equal((dport, length), (PORT, len(p.payload)), "UDP")
            assert self.sport >= 49152, self.sport
            if check or family == 6 and checked is not False:
                equal(check != 0, True, "checksum of UDP over IPv6")
                equal(checksum(pseudo(p.saddr, p.daddr, UDP, length) + p.payload), 0, "UDP checksum")
            if checked is not None:
                equal(bool(check), checked, "whether there is a checksum")
            rest = p.payload[8:]
        else:
            equal(p.payload[:4], b"\0\0\x88\x47", "GRE header")
            rest = p.payload[4:]
        self.inner = Packet(p.frame[:12] + struct.pack("!H", ETH_MPLS) + rest)


def wrap(nh, payload, src=None, dst=None, sport=50000, dport=PORT, check=None, proto=0x8847, flags=0, options=b"", **ip):
    """(outer packet, ethertype). @check: UDP's; None: right for IPv6, none for IPv4. @ip: fields of the outer IP header."""
    encap, family = TUNNELS[nh]
    src, dst = src or (FAR4 if family == 4 else FAR6), dst or (HERE4 if family == 4 else HERE6)
    if encap == uapi.ENCAP_UDP:
        body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
        if check is None:
            check = checksum(pseudo(src, dst, UDP, len(body)) + body) or 0xffff if family == 6 else 0
        body = body[:6] + struct.pack("!H", check) + body[8:]
        number = UDP
    else:
        body, number = struct.pack("!HH", flags, proto) + options + payload, GRE
    if family == 4:
        return ipv4(src, dst, body, proto=number, **ip), ETH_IP
    return ipv6(src, dst, body, proto=number, **ip), ETH_IPV6


def right_checksum(nh, payload, sport=50000):
    encap, family = TUNNELS[nh]
    src, dst = (FAR4, HERE4) if family == 4 else (FAR6, HERE6)
    body = struct.pack("!HHHH", sport, PORT, 8 + len(payload), 0) + payload
    return checksum(pseudo(src, dst, UDP, len(body)) + body) or 0xffff


def to_site(m, version=4, ttl=64, tos=0):
    """A packet from the other site to the customer at r1."""
    if version == 4:
        return ipv4("10.2.0.9", "10.1.0.2", udp(1, 2, m), ttl=ttl, tos=tos)
    return ipv6("2001:db8:2::9", "2001:db8:1::2", udp(1, 2, m), ttl=ttl, tclass=tos)


def from_site(nh, m, version=4, sport=1, **more):
    if version == 4:
        return ipv4("10.1.0.2", f"10.2.{nh}.5", udp(sport, 2, m), **more), ETH_IP
    more = {"tclass" if key == "tos" else key: value for key, value in more.items() if key != "df"}
    return ipv6("2001:db8:1::2", f"2001:db8:2:{nh}::5", udp(sport, 2, m), **more), ETH_IPV6


def told(wire, l3, proto, kind, code):
    """The ICMP error about @l3 that comes back at @wire."""
    net.flush()
    up(wire, l3, proto)
    got, seen = net.wire[wire].read(lambda p: p.ip_proto in (ICMP, ICMP6))
    assert got is not None, f"no ICMP; seen {seen}; drops {nl.drops()}"
    equal((got.payload[0], got.payload[1]), (kind, code), str(got))
    return got


# ---- into tunnels

@test("imposition: every octet of the outer headers; labels, TTL, TC; both encapsulations, IPv4 and IPv6 outside and inside")
def imposition():
    for nh in TUNNELS:
        for version in (4, 6):
            for ttl, tos in ((64, 0xb9), (255, 0), (2, 0xff)):
                m = mark()
                up("r1", *from_site(nh, m, version, ttl=ttl, tos=tos))
                t = Tunnelled(down("k1", m), nh, TUNNELS[nh] == (uapi.ENCAP_UDP, 6))
                equal(t.inner.stack, [(5000 + nh, tos >> 5, ttl - 1)], "labels")
                equal((t.inner.version, t.inner.ttl, t.inner.tos), (version, ttl - 1, tos), "inner packet")
                equal(t.outer.tos, tos >> 5 << 5, "outer DSCP is of the TC's class, and not ECN-capable")
                equal(t.outer.dst, net.mac["k1"], "next hop of the kernel's route")


@test("a path of labels on top of the VPN label, and alone; a group of tunnels shares by flow")
def paths():
    m = mark()
    up("r1", *from_site(100, m))
    equal(Tunnelled(down("k1", m), UDP4).inner.stack, [(100, 0, 63), (101, 0, 63), (5100, 0, 63)])
    m = mark()
    up("r1", *from_site(105, m))
    equal(Tunnelled(down("k1", m), UDP4).inner.stack, [(100, 0, 63), (101, 0, 63)])
    seen = {4: 0, 6: 0}
    for sport in range(1000, 1040):
        m = mark()
        up("r1", *from_site(101, m, sport=sport))
        p = down("k1", m)
        seen[p.version] += 1
        equal(Tunnelled(p, UDP4 if p.version == 4 else GRE6).inner.stack, [(5101, 0, 63)])
    assert min(seen.values()) >= 5, seen
    nl.nh_state(UDP4, 1)
    for sport in range(1000, 1020):
        m = mark()
        up("r1", *from_site(101, m, sport=sport))
        equal(down("k1", m).version, 6, "while the other one is said to be down")
    nl.nh_state(UDP4, 0)


@test("entropy: a flow keeps its source port and flow label; flows spread over all of the range")
def entropy():
    ports, flows = set(), set()
    for sport in range(2000, 2100):
        seen = set()
        for _ in range(2):
            m = mark()
            up("r1", *from_site(UDP4, m, sport=sport))
            a = Tunnelled(down("k1", m), UDP4)
            m = mark()
            up("r1", *from_site(GRE6, m, sport=sport))
            b = Tunnelled(down("k1", m), GRE6)
            seen.add((a.sport, b.flow))
        equal(len(seen), 1, "of one flow")
        ports.add(a.sport)
        flows.add(b.flow)
    assert len(ports) > 90 and len(flows) > 95, (len(ports), len(flows))
    assert min(ports) < 49152 + 2000 and max(ports) > 65535 - 2000, (min(ports), max(ports))


@test("a checksum over IPv4 where it is wanted, none over IPv6 where it is not")
def checksums():
    nl.nh_tunnel(UDP4, uapi.ENCAP_UDP, HERE4, FAR4, checksum=1)
    nl.nh_tunnel(UDP6, uapi.ENCAP_UDP, HERE6, FAR6, checksum=0)
    for nh, want in ((UDP4, True), (UDP6, False)):
        for size in (0, 1, 2, 3, 999):
            m = mark() + b"x" * size
            up("r1", *from_site(nh, m))
            Tunnelled(down("k1", m), nh, want)
    nl.nh_tunnel(UDP4, uapi.ENCAP_UDP, HERE4, FAR4, 7777)
    m = mark()
    up("r1", *from_site(UDP4, m))
    equal(struct.unpack("!H", down("k1", m).payload[2:4])[0], 7777, "destination port")
    nl.nh_tunnel(UDP4, uapi.ENCAP_UDP, HERE4, FAR4)
    nl.nh_tunnel(UDP6, uapi.ENCAP_UDP, HERE6, FAR6)


@test("swapped into a tunnel: label, TTL, TC, the stack below; popped as penultimate hop; never without a label")
def swapped():
    for nh in TUNNELS:
        for version in (4, 6):
            m = mark()
            up("k2", labels([(410 + nh, 5, 9), (77, 1, 200)], to_site(m, version)), ETH_MPLS)
            t = Tunnelled(down("k1", m), nh)
            equal((t.inner.stack, t.inner.ttl, t.outer.tos), ([(600 + nh, 5, 8), (77, 1, 200)], 64, 5 << 5))
    m = mark()
    up("k2", labels([(401, 3, 9), (77, 1, 200)], to_site(m)), ETH_MPLS)
    equal(Tunnelled(down("k1", m), GRE6).inner.stack, [(77, 1, 8)])
    dropped(uapi.DROP_UNREACHABLE, "k2", labels([(401, 3, 9)], to_site(mark())), ETH_MPLS)
    dropped(uapi.DROP_UNREACHABLE, "r1", *from_site(102, mark()))
    m = mark()
    up("k2", labels([(410 + UDP4, 0, 1), (300, 0, 9)], to_site(m)), ETH_MPLS)
    p, _ = net.wire["k1"].read(lambda p: p.ip_proto == UDP and p.daddr == FAR4)
    t = Tunnelled(p, UDP4)
    equal((t.inner.stack[0], t.inner.ip_proto, t.inner.payload[0]), ((600 + UDP4, 6, 255), ICMP, 11), "time exceeded goes on")


@test("no route, a route by a customer port or a VRF, an address that is not the router's: dropped, senders told")
def routes():
    for dst, reach in (("198.51.100.99", AIMLESS), ("198.51.100.98", STRAY)):
        equal(get(nl.nh_get(reach)[uapi.NH_RESOLVED]), 0)
        for way in (None, "dev red1", "via 10.1.0.2 dev red1 onlink", "dev RED", "dev lo", "unreachable"):
            if way:
                sh(f"ip -n pe route replace {'unreachable ' + dst if way == 'unreachable' else dst + ' ' + way}")
            dropped(uapi.DROP_TUNNEL_ROUTE, "r1", *from_site(103 if reach == AIMLESS else 104, mark()))
            if way:
                sh(f"ip -n pe route del {dst}")
    told("r1", *from_site(103, mark()), 3, 0)
    told("r1", *from_site(103, mark(), 6), 1, 3)
    sh("ip -n pe route add 198.51.100.99 via 192.0.2.6")
    m = mark()
    up("r1", *from_site(103, m))
    equal(down("k2", m).daddr, "198.51.100.99", "follows the route that came")
    sh("ip -n pe route replace 198.51.100.99 via 192.0.2.2")
    m = mark()
    up("r1", *from_site(103, m))
    equal(down("k1", m).daddr, "198.51.100.99", "and the one that replaced it")
    sh(f"ip -n pe addr del {HERE4}/32 dev lo")
    dropped(uapi.DROP_TUNNEL_ROUTE, "r1", *from_site(103, mark()))
    sh(f"ip -n pe addr add {HERE4}/32 dev lo; ip -n pe route del 198.51.100.99")


@test("a group passes over a tunnel without a route, and over one that was said to be down")
def passed_over():
    lsp, group = 30, 31
    nl.nh_labelled(lsp, CORE2, [200])
    nl.nh_group(group, [(AIMLESS, 1, 0), (lsp, 1, uapi.MEMBER_FLAG_BACKUP)])
    nl.route_add(RED, [prefix4("10.2.106.0/24", group, 5106)])

    def leaves(wire):
        m = mark()
        up("r1", *from_site(106, m))
        return down(wire, m)

    try:
        equal([label for label, _, _ in leaves("k2").stack], [200, 5106], "without a route")
        sh("ip -n pe route add 198.51.100.99 via 192.0.2.2")
        equal(leaves("k1").daddr, "198.51.100.99", "with one")
        nl.nh_state(AIMLESS, 1)
        equal([label for label, _, _ in leaves("k2").stack], [200, 5106], "said to be down")
        nl.nh_state(AIMLESS, 0)
        equal(leaves("k1").daddr, "198.51.100.99", "up again")
        sh("ip -n pe route del 198.51.100.99")
        equal([label for label, _, _ in leaves("k2").stack], [200, 5106], "the route has gone")
    finally:
        sh("ip -n pe route del 198.51.100.99", check=False)
        nl.nh_state(AIMLESS, 0)
        nl.route_del(RED, [prefix4("10.2.106.0/24", 0)])
        nl.nh_del(group)
        nl.nh_del(lsp)


@test("TTL: runs out on the way into a tunnel and out of one; who sent it is told, by the tunnel if that leads to him")
def expiry():
    for nh, (_, family) in TUNNELS.items():
        equal(told("r1", *from_site(nh, mark(), ttl=1), 11, 0).saddr, "10.1.0.1", "into it")
        net.flush()
        up("k1", *wrap(nh, labels([(300, 0, 1)], ipv4(f"10.2.{nh}.9", "10.1.0.2", udp(1, 2, mark())))))
        p, seen = net.wire["k1"].read(lambda p, far=FAR4 if family == 4 else FAR6: p.daddr == far)
        assert p is not None, f"nobody is told; seen {seen}; drops {nl.drops()}"
        t = Tunnelled(p, nh)
        equal(([label for label, _, _ in t.inner.stack], t.inner.daddr, t.inner.payload[:2]),
              ([5000 + nh], f"10.2.{nh}.9", b"\x0b\0"), "out of it")


@test("two ways to the far end: flows take both, each its own")
def ways():
    sh(f"ip -n pe route replace {FAR4} nexthop via 192.0.2.2 nexthop via 192.0.2.6")
    try:
        for nh in (UDP4, GRE4):
            seen = {"k1": 0, "k2": 0}
            for sport in range(3000, 3040):
                took = set()
                for _ in range(2):
                    m = mark()
                    up("r1", *from_site(nh, m, sport=sport))
                    got, _ = net.wire["k1"].read(lambda p, m=m: m in p.frame, 0.05)
                    took.add("k1" if got else "k2")
                    if not got:
                        down("k2", m)
                equal(len(took), 1, "a flow has one way")
                seen[took.pop()] += 1
            assert min(seen.values()) >= 8, seen
    finally:
        sh(f"ip -n pe route replace {FAR4} via 192.0.2.2")


@test("packets too big: told the size that fits, or cut before they go in; a packet of that size goes in whole")
def too_big():
    for nh in TUNNELS:
        room = 1500 - HEADERS[nh] - 4
        for version in (4, 6):
            head = 28 if version == 4 else 48
            m = mark()
            up("r1", *from_site(nh, m.ljust(room - head), version, df=True))
            p = down("k1", m)
            Tunnelled(p, nh)
            equal(len(p.l3), 1500, "the largest one")
            p = told("r1", *from_site(nh, mark().ljust(room - head + 1), version, df=True), *((3, 4) if version == 4 else (2, 0)))
            equal(struct.unpack("!H", p.payload[6:8])[0], room, "MTU told")
            equal(p.saddr, "10.1.0.1" if version == 4 else "2001:db8:1::1", "by whom")
        m = mark()
        up("r1", *from_site(nh, m.ljust(1472)))
        pieces = []
        net.wire["k1"].read(lambda p: pieces.append(p) or len(pieces) == 2)
        inner = [Tunnelled(p, nh).inner for p in pieces]
        equal(sum(len(i.payload) for i in inner), 1480, "both pieces together")
        equal([i.frag & 0x2000 for i in inner], [0x2000, 0], "more fragments")


def icmp_too_big(family, quoted, mtu):
    if family == 4:
        def message(check):
            return struct.pack("!BBHHH", 3, 4, check, 0, mtu) + quoted[:68]
        return ipv4("192.0.2.2", HERE4, message(checksum(message(0))), proto=ICMP), ETH_IP

    def message6(check):
        return struct.pack("!BBHI", 2, 0, check, mtu) + quoted[:600]
    body = message6(checksum(pseudo("2001:db8:c::2", HERE6, ICMP6, len(message6(0))) + message6(0)))
    return ipv6("2001:db8:c::2", HERE6, body, proto=ICMP6), ETH_IPV6


@test("path MTU: a router's word about an outer packet counts, for that far end alone; spoilt ones and a customer's do not")
def path_mtu():
    def mtu(nh):
        return get(nl.nh_get(nh)[uapi.NH_PATH_MTU])
    nl.nh_tunnel(30, uapi.ENCAP_GRE, HERE4, "198.51.100.77")
    sh("ip -n pe route add 198.51.100.77 via 192.0.2.2")
    for nh, value in ((UDP4, 1400), (UDP6, 1350)):
        family = TUNNELS[nh][1]
        m = mark()
        up("r1", *from_site(nh, m.ljust(1000)))
        outer = down("k1", m).l3
        l3, proto = icmp_too_big(family, outer, value)
        spoilt = bytearray(l3)
        spoilt[-1] ^= 1
        up("k1", bytes(spoilt), proto)
        up("r1", l3, proto)
        elsewhere = bytearray(outer)
        elsewhere[19 if family == 4 else 39] ^= 0x55
        up("k1", *icmp_too_big(family, bytes(elsewhere), value))
        m = mark()
        up("r1", *from_site(nh, m))
        down("k1", m)
        equal(mtu(nh), 1500, "so far")
        up("k1", l3, proto)
        wait(lambda: mtu(nh) == value, f"path MTU {mtu(nh)}")
        equal(mtu(GRE4 if nh == UDP4 else GRE6), value, "the other tunnel to it")
        p = told("r1", *from_site(nh, mark().ljust(1440), df=True), 3, 4)
        equal(struct.unpack("!H", p.payload[6:8])[0], value - HEADERS[nh] - 4, "MTU told")
    equal(mtu(30), 1500, "of another far end")
    up("k1", *icmp_too_big(4, outer := ipv4(HERE4, "198.51.100.77", b"\0\0\x88\x47" + bytes(40), proto=GRE), 60))
    wait(lambda: mtu(30) == 552, "the least that is believed")
    nl.nh_del(30)
    sh("ip -n pe route del 198.51.100.77")


# ---- out of tunnels

@test("taken out: each encapsulation, IPv4 and IPv6, into the label's VRF; TTL; counters of endpoint, label and port")
def taken_out():
    for nh, (encap, family) in TUNNELS.items():
        def count(encap=encap, family=family):
            return stats(nl.endpoint_get(encap, HERE4 if family == 4 else HERE6)[uapi.ENDPOINT_STATS])
        before, tally = count(), nl.label_tally(300)
        octets = 0
        for version in (4, 6):
            m = mark()
            l3, proto = wrap(nh, labels([(300, 5, 20)], to_site(m, version)))
            octets += len(l3)
            up("k1", l3, proto)
            p = down("r1", m)
            equal((p.stack, p.version, p.ttl), ([], version, 19), "at the customer's")
        m = mark()
        up("k1", *wrap(nh, labels([(301, 0, 20)], to_site(m))))
        down("b1", m)
        m = mark()
        up("k2", *wrap(nh, labels([(0, 0, 30), (302, 0, 20)], to_site(m))))
        down("r2", m)
        m = mark()
        up("k1", *wrap(nh, labels([(400, 2, 20), (9, 0, 7)], to_site(m))))
        equal(down("k2", m).stack, [(500, 2, 19), (9, 0, 7)], "switched on")
        after = count()
        equal(after["rx_packets"] - before["rx_packets"], 5)
        assert after["rx_bytes"] - before["rx_bytes"] > octets and after["drops"] == before["drops"], (before, after)
        equal(nl.label_tally(300)[0] - tally[0], 2, "label")


@test("from tunnel to tunnel, of another kind")
def relay():
    for nh in TUNNELS:
        for out in TUNNELS:
            m = mark()
            up("k2", *wrap(nh, labels([(410 + out, 1, 20), (8, 0, 9)], to_site(m))))
            equal(Tunnelled(down("k1", m), out).inner.stack, [(600 + out, 1, 19), (8, 0, 9)])


@test("UDP: a checksum that is there is checked; none over IPv6 is refused until the endpoint takes it")
def udp_checksums():
    for nh in (UDP4, UDP6):
        m = mark()
        payload = labels([(300, 0, 20)], to_site(m))
        good = right_checksum(nh, payload)
        up("k1", *wrap(nh, payload, check=good))
        down("r1", m)
        dropped(uapi.DROP_TUNNEL_CHECKSUM, "k1", *wrap(nh, payload, check=good ^ 0x0100))
        dropped(uapi.DROP_TUNNEL_CHECKSUM, "k1", *wrap(nh, payload[:-1] + b"?", check=good))
    m = mark()
    bare = wrap(UDP6, labels([(300, 0, 20)], to_site(m)), check=0)
    dropped(uapi.DROP_TUNNEL_CHECKSUM, "k1", *bare)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE6, checksum=0)
    up("k1", *bare)
    down("r1", m)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE6)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4, checksum=1)
    dropped(uapi.DROP_TUNNEL_CHECKSUM, "k1", *wrap(UDP4, labels([(300, 0, 20)], to_site(mark()))))
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4)


@test("GRE: checksum, key and sequence number are stepped over; a wrong checksum, other flags, versions, protocols are not")
def gre_flags():
    for nh in (GRE4, GRE6):
        for flags, octets in ((0x2000, 4), (0x1000, 4), (0x3000, 8), (0x0008, 0), (0x00f8, 0)):
            m = mark()
            up("k1", *wrap(nh, labels([(300, 0, 20)], to_site(m)), flags=flags, options=b"\7" * octets))
            down("r1", m)
        m = mark()
        payload = labels([(300, 0, 20)], to_site(m))
        for rest in (b"", b"\1\2\3\4\5\6\7\x08"):
            flags = 0x8000 | (0x3000 if rest else 0)
            check = checksum(struct.pack("!HHHH", flags, 0x8847, 0, 0) + rest + payload)
            up("k1", *wrap(nh, payload, flags=flags, options=struct.pack("!HH", check, 0) + rest))
            down("r1", m)
            dropped(uapi.DROP_TUNNEL_CHECKSUM, "k1",
                    *wrap(nh, payload, flags=flags, options=struct.pack("!HH", check ^ 1, 0) + rest))
        for flags in (0x4000, 0x0800, 0x0400, 1, 2, 7):
            dropped(uapi.DROP_TUNNEL_HEADER, "k1", *wrap(nh, payload, flags=flags))
        for proto in (0x8848, 0x0800, 0x86dd, 0x6558):
            dropped(uapi.DROP_TUNNEL_PAYLOAD, "k1", *wrap(nh, payload, proto=proto))
        dropped(uapi.DROP_TUNNEL_PAYLOAD, "k1", *wrap(nh, b"\0\0\0"))
        dropped(uapi.DROP_TUNNEL_HEADER, "k1", *wrap(nh, b"", flags=0x3000, options=b"\0\0"))


@test("outer headers: options, wrong checksum or length, martians, extension headers; what is too short")
def outer_headers():
    payload = labels([(300, 0, 20)], to_site(mark()))
    for nh in (UDP4, GRE4):
        body, number = wrap(nh, payload)[0][20:], UDP if nh == UDP4 else GRE
        dropped(uapi.DROP_TUNNEL_HEADER, "k1", ipv4(FAR4, HERE4, body, proto=number, options=b"\x94\4\0\0"))
        l3 = bytearray(wrap(nh, payload)[0])
        l3[10] ^= 1
        dropped(uapi.DROP_TUNNEL_HEADER, "k1", bytes(l3))
        l3 = wrap(nh, payload)[0]
        dropped(uapi.DROP_TUNNEL_HEADER, "k1", l3[:-4])
    l3 = bytearray(wrap(UDP4, payload)[0])
    l3[24:26] = struct.pack("!H", 7)
    dropped(uapi.DROP_TUNNEL_HEADER, "k1", bytes(l3))
    l3[24:26] = struct.pack("!H", len(l3) - 20 + 1)
    dropped(uapi.DROP_TUNNEL_HEADER, "k1", bytes(l3))
    dropped(uapi.DROP_TUNNEL_PAYLOAD, "k1", *wrap(UDP4, b"\0\0"))
    for nh in (UDP6, GRE6):
        l3 = wrap(nh, payload)[0]
        dropped(uapi.DROP_TUNNEL_HEADER, "k1", l3[:-4], ETH_IPV6)
        body, number = l3[40:], l3[6]
        for header in (0, 60, 43):
            extension = bytes([number, 0]) + (b"\1\4\0\0\0\0" if header != 43 else bytes(6))
            dropped(uapi.DROP_TUNNEL_HEADER, "k1", ipv6(FAR6, HERE6, extension + body, proto=header), ETH_IPV6)
    # longer than it says: padding
    m = mark()
    l3, proto = wrap(GRE4, labels([(300, 0, 20)], to_site(m)))
    up("k1", l3 + b"padding", proto)
    equal(len(down("r1", m).l3), 20 + 8 + len(m), "without what came behind")


@test("fragments: IPv4's are put together, in any order; IPv6's are dropped")
def fragments():
    for nh in (UDP4, GRE4):
        for order in ((0, 1, 2), (2, 1, 0)):
            m = mark()
            whole = wrap(nh, labels([(300, 0, 20)], to_site(m + b"y" * 900)))[0][20:]
            cuts = [(0, 400), (400, 800), (800, len(whole))]
            pieces = [ipv4(FAR4, HERE4, whole[a:b], proto=UDP if nh == UDP4 else GRE, ident=counter, offset=a,
                           more=b < len(whole)) for a, b in cuts]
            for i in order:
                up("k1", pieces[i])
            equal(len(down("r1", m).l3), 28 + len(m) + 900)
    for nh in (UDP6, GRE6):
        number = UDP if nh == UDP6 else GRE
        body = wrap(nh, labels([(300, 0, 20)], to_site(mark() + b"y" * 900)))[0][40:]
        dropped(uapi.DROP_TUNNEL_FRAGMENT, "k1", ipv6(FAR6, HERE6, fragment6(body, 0, 480, number), proto=44), ETH_IPV6)
    dropped(uapi.DROP_TUNNEL_FRAGMENT, "k1", ipv6(FAR6, HERE6, fragment6(body, 480, None, GRE), proto=44), ETH_IPV6)


@test("sources: far ends of tunnels, listed prefixes, and nobody else; labels by the endpoint's scopes, not the port's")
def sources():
    payload = labels([(300, 0, 20)], to_site(mark()))
    for nh, stranger in ((UDP4, "198.51.100.200"), (GRE4, "10.1.0.2"), (UDP6, "2001:db8:9::2"), (GRE6, "2001:db8:1::2")):
        dropped(uapi.DROP_TUNNEL_SOURCE, "k1", *wrap(nh, payload, src=stranger))
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4, peers=0, sources=["192.0.2.0/24", "198.51.100.128/25"])
    dropped(uapi.DROP_TUNNEL_SOURCE, "k1", *wrap(UDP4, payload))
    dropped(uapi.DROP_TUNNEL_SOURCE, "k1", *wrap(UDP4, payload, src="198.51.100.127"))
    for src in ("198.51.100.200", "192.0.2.2"):
        m = mark()
        up("k1", *wrap(UDP4, labels([(300, 0, 20)], to_site(m)), src=src))
        down("r1", m)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE6, sources=["2001:db8:9::/126"])
    for src in (FAR6, "2001:db8:9::3"):
        m = mark()
        up("k1", *wrap(UDP6, labels([(300, 0, 20)], to_site(m)), src=src))
        down("r1", m)
    dropped(uapi.DROP_TUNNEL_SOURCE, "k1", *wrap(UDP6, payload, src="2001:db8:9::4"))
    nl.endpoint_new(uapi.ENCAP_UDP, HERE6)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4, scopes=1)
    dropped(uapi.DROP_LABEL_SCOPE, "k1", *wrap(UDP4, labels([(303, 0, 20)], to_site(mark()))))
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4, scopes=1 << 5)
    nl.port_new("core1", scopes=1)
    m = mark()
    up("k1", *wrap(UDP4, labels([(303, 0, 20)], to_site(m))))
    down("r1", m)
    dropped(uapi.DROP_LABEL_SCOPE, "k1", *wrap(UDP4, payload))
    nl.port_new("core1", scopes=(1 << 64) - 1)
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4)


@test("congestion experienced: handed to what can be told, dropped where it cannot; IPv4 and IPv6")
def ecn():
    for nh in TUNNELS:
        outer = {"tos" if TUNNELS[nh][1] == 4 else "tclass": 3}
        for version in (4, 6):
            for inner, want in ((1, 3), (2, 3), (3, 3)):
                m = mark()
                up("k1", *wrap(nh, labels([(300, 0, 20)], to_site(m, version, tos=0xb8 | inner)), **outer))
                equal(down("r1", m).tos, 0xb8 | want)
            dropped(uapi.DROP_TUNNEL_ECN, "k1", *wrap(nh, labels([(300, 0, 20)], to_site(mark(), version, tos=0xb8)), **outer))
        dropped(uapi.DROP_TUNNEL_ECN, "k1", *wrap(nh, labels([(300, 0, 20)], bytes(40)), **outer))


# ---- what is never taken out

@test("isolation: nothing from a customer port, a device that is no port, another station's frame, or inside a tunnel")
def isolation():
    sh("ip netns exec pe sysctl -qw net.ipv4.udp_l3mdev_accept=1 net.ipv4.raw_l3mdev_accept=1; "
       "ip -n lab link add x1 type veth peer name other netns pe; ip -n lab link set x1 up; ip -n pe link set other up; "
       "ip -n pe addr add 192.0.2.9/30 dev other")
    from wire import Wire, mac_of  # pylint: disable=import-outside-toplevel
    net.wire["x1"], net.peer["x1"] = Wire("lab", "x1"), "other"
    net.mac.update(x1=net.wire["x1"].mac, other=mac_of("pe", "other"))
    sh("ip netns exec pe sysctl -qw net.ipv4.conf.other.rp_filter=0 net.ipv4.conf.all.rp_filter=0")
    before = nl.label_tally(300), nl.label_tally(301)
    ms = []
    for nh in TUNNELS:
        for wire in ("r1", "b1", "x1"):
            for label in (300, 301):
                ms.append(mark())
                up(wire, *wrap(nh, labels([(label, 0, 20)], to_site(ms[-1]))))
        # a frame to somebody else
        l3, proto = wrap(nh, labels([(300, 0, 20)], to_site(mark())))
        net.wire["k1"].send(eth("02:00:00:00:00:77", net.wire["k1"].mac, proto, l3))
        # a tunnel in a tunnel, as a labelled packet for the global table and for a VRF
        for inner in TUNNELS:
            l3, _ = wrap(inner, labels([(300, 0, 20)], to_site(mark())))
            null = 0 if TUNNELS[inner][1] == 4 else 2
            up("k1", *wrap(nh, labels([(null, 0, 20)], l3)))
            up("k1", labels([(null, 0, 20)], l3), ETH_MPLS)
            up("k1", *wrap(nh, labels([(301, 0, 20)], l3)))
    # the very address, local in the customers' VRFs too
    sh(f"ip -n pe addr add {HERE4}/32 dev RED; ip -n pe addr add {HERE6}/128 dev RED")
    for nh in TUNNELS:
        up("r1", *wrap(nh, labels([(300, 0, 20)], to_site(mark())), src=None))
        up("r1", *wrap(nh, labels([(301, 0, 20)], to_site(mark())), src="10.1.0.2" if TUNNELS[nh][1] == 4 else "2001:db8:1::2"))
    m = mark()
    up("k1", *wrap(UDP4, labels([(302, 0, 20)], to_site(m))))
    down("r2", m)
    equal((nl.label_tally(300)[0] - before[0][0], nl.label_tally(301)[0] - before[1][0]), (0, 16),
          "packets that were looked up by a label: those in one tunnel, to label 301")
    sh(f"ip -n pe addr del {HERE4}/32 dev RED; ip -n pe addr del {HERE6}/128 dev RED; ip -n lab link del x1")
    del net.wire["x1"], net.peer["x1"]


@test("to the stack goes what is no tunnel's: other ports, protocols, an address that has gone, no endpoint at all")
def to_stack():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HERE4, 6636))
    s.settimeout(5)
    m = mark()
    up("k1", *wrap(UDP4, m, dport=6636))
    equal(s.recv(100), m, "another port")
    fragment = wrap(UDP4, m + b"z" * 100, dport=6636)[0][20:]
    up("k1", ipv4(FAR4, HERE4, fragment[:64], ident=999, more=True))
    up("k1", ipv4(FAR4, HERE4, fragment[64:], ident=999, offset=64))
    equal(s.recv(1000), m + b"z" * 100, "another port, in fragments")
    s.close()
    up("k1", ipv4("192.0.2.2", HERE4, echo(m), proto=ICMP))
    p, _ = net.wire["k1"].read(lambda p: p.ip_proto == ICMP and p.payload[0] == 0)
    assert p is not None, "no echo reply"
    before = nl.label_tally(300)
    sh(f"ip -n pe addr del {HERE4}/32 dev lo; ip -n pe route add {HERE4} via 192.0.2.6")
    m = mark()
    up("k1", *wrap(UDP4, labels([(300, 0, 20)], to_site(m))))
    equal(down("k2", m).daddr, HERE4, "an address that is another router's now is forwarded")
    sh(f"ip -n pe route del {HERE4}; ip -n pe addr add {HERE4}/32 dev lo")
    nl.endpoint_del(uapi.ENCAP_UDP, HERE4)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((HERE4, PORT))
    s.settimeout(5)
    m = labels([(300, 0, 20)], to_site(mark()))
    up("k1", *wrap(UDP4, m))
    equal(s.recv(1000), m, "without an endpoint")
    s.close()
    nl.endpoint_new(uapi.ENCAP_UDP, HERE4)
    equal(nl.label_tally(300), before)
    m = mark()
    up("k1", *wrap(UDP4, labels([(300, 0, 20)], to_site(m))))
    down("r1", m)


@test("a trace shows both: encapsulation with the far end and the way out, decapsulation with the source")
def traced():
    listener = L3vpn()
    listener.join("packets")
    listener.do(uapi.CMD_TRACE_SET, [(uapi.TRACE_COUNT, u32(2))])
    m = mark()
    l3, proto = from_site(UDP4, m)
    up("r1", l3, proto)
    out = down("k1", m)
    m = mark()
    outer, proto = wrap(GRE6, labels([(300, 0, 20)], to_site(m)))
    up("k1", outer, proto)
    down("r1", m)
    seen = []
    for cmd, body in listener.events(2):
        if cmd == uapi.CMD_TRACE_PACKET:
            seen.append(attrs_dict(body))
    listener.close()
    equal(len(seen), 2)
    steps = Step.unpack(seen[0][uapi.TRACE_STEPS])
    s = [s for s in steps if s.kind == uapi.STEP_ENCAP]
    equal([(x.detail, x.nh, x.family, x.prefix[:4], x.ifindex) for x in s],
          [(uapi.ENCAP_UDP, UDP4, socket.AF_INET, socket.inet_aton(FAR4), ifindex("core1"))])
    equal([x.kind for x in steps][-2:], [uapi.STEP_ENCAP, uapi.STEP_SEND])
    equal(seen[0][uapi.TRACE_OUT_PACKET], out.l3[:128], "as it left")
    steps = Step.unpack(seen[1][uapi.TRACE_STEPS])
    equal((steps[0].kind, steps[0].detail, steps[0].prefix), (uapi.STEP_DECAP, uapi.ENCAP_GRE,
                                                             socket.inet_pton(socket.AF_INET6, FAR6)))
    equal(steps[1].kind, uapi.STEP_LABEL)
    equal((seen[1][uapi.TRACE_PACKET], seen[1][uapi.TRACE_PROTO]), (outer[:128], struct.pack("!H", ETH_IPV6)), "as it came")


try:
    program()
    tap.main()
finally:
    nl.close()
    net.remove()
