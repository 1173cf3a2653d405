#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The data path, octet by octet. Run in a guest: scripts/vm -- selftests/forward/forward.py [WORD...]

topology.py draws the network. A test that says "nothing comes out" sends a packet that does come out after
the one that must not, so that it waits for no clock.
"""
import errno
import json
import os
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, get, label_record, prefix4, prefix6, stats  # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import (ETH_ARP, ETH_IP, ETH_IPV6, ETH_MPLS, ICMP, ICMP6, UDP, arp, checksum, echo,  # noqa: E402
                  echo6, eth, fragment6, ipv4, ipv6, labels, sh, udp)

RED, BLUE, GREEN = 1, 2, 3
# next hops
CORE1, CORE2, CORE6, LSP, DEEP, EMPTY, ECMP, BACKUP, CE_R1, CE_R2, CE_B1, VIA6, BACK_TO_RED = range(10, 23)
BLACKHOLE, UNREACHABLE, INTO_BLUE, INTO_GREEN, INTO_RED, RECEIVE, PATH_ECMP, HOST = range(30, 38)
POP_VRF, POP_NH, SWAP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_POP_NH, uapi.LABEL_ACTION_SWAP

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    """The tables that all tests share."""
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE"), (GREEN, "GREEN")):
        nl.vrf_new(name, id=vrf)
        sh(f"ip -n pe link set {name} up; ip -n pe route add default dev {name} table "
           f"{get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, struct.pack('=I', vrf))])[0][uapi.VRF_TABLE])}; "
           f"ip -n pe -6 route add default dev {name} table "
           f"{get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, struct.pack('=I', vrf))])[0][uapi.VRF_TABLE])}")
    nl.port_new("red1", RED)
    nl.port_new("red2", RED)
    nl.port_new("blue1", BLUE)
    nl.port_new("core1")
    nl.port_new("core2")
    net.address()
    sh("ip -n pe addr add 10.9.9.9/32 dev RED; ip -n pe addr add 2001:db8:9::9/128 dev RED nodad; "
       "ip -n pe addr add 203.0.113.1/32 dev lo; ip -n pe addr add 2001:db8:ff::1/128 dev lo")
    nl.nh_adjacency(CORE1, "core1", "192.0.2.2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CORE6, "core1", "2001:db8:c::2")
    nl.nh_adjacency(CE_R1, "red1", "10.1.0.2")
    nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
    nl.nh_adjacency(CE_B1, "blue1", "10.1.0.2")
    nl.nh_adjacency(VIA6, "red1", "2001:db8:1::2")
    nl.nh_labelled(LSP, CORE1, [100])
    nl.nh_labelled(DEEP, CORE1, list(range(1001, 1009)))
    nl.nh_labelled(EMPTY, CORE1, [])
    nl.nh_labelled(BACK_TO_RED, CORE6, [200])
    nl.nh_group(ECMP, [(CORE1, 3, 0), (CORE2, 1, 0)])
    nl.nh_labelled(PATH_ECMP, ECMP, [101])
    nl.nh_group(BACKUP, [(CORE1, 1, 0), (CORE2, 1, uapi.MEMBER_FLAG_BACKUP)])
    nl.nh_new(BLACKHOLE, uapi.NH_KIND_BLACKHOLE)
    nl.nh_new(UNREACHABLE, uapi.NH_KIND_UNREACHABLE)
    nl.nh_new(RECEIVE, uapi.NH_KIND_RECEIVE)
    nl.nh_new(HOST, uapi.NH_KIND_HOST)
    for nh, vrf in ((INTO_RED, RED), (INTO_BLUE, BLUE), (INTO_GREEN, GREEN)):
        nl.nh_new(nh, uapi.NH_KIND_VRF, [(uapi.NH_VRF, struct.pack("=I", vrf))])
    nl.route_add(RED, [
        prefix4("10.2.0.0/16", LSP, 5000), prefix4("10.2.1.0/24", CORE1, 5001), prefix4("10.2.2.0/24", DEEP, 5002),
        prefix4("10.2.3.0/24", EMPTY, 5003), prefix4("10.2.4.0/24", ECMP, 5004), prefix4("10.2.5.0/24", BACKUP, 5005),
        prefix4("10.2.6.0/24", BACK_TO_RED, 5006), prefix4("10.2.7.0/24", PATH_ECMP, 5007),
        prefix4("10.4.0.0/16", CE_R2), prefix4("10.5.0.0/16", BLACKHOLE), prefix4("10.6.0.0/16", UNREACHABLE),
        prefix4("10.7.0.0/16", INTO_BLUE), prefix4("10.8.0.0/16", VIA6), prefix4("10.30.0.0/16", INTO_GREEN),
        prefix4("10.31.0.0/16", RECEIVE), prefix4("198.18.0.0/16", HOST)],
        [prefix6("2001:db8:2::/48", LSP, 6000), prefix6("2001:db8:6::/48", UNREACHABLE)])
    nl.route_add(BLUE, [prefix4("10.2.0.0/16", LSP, 7000), prefix4("10.7.0.0/16", CE_B1)])
    nl.route_add(GREEN, [prefix4("10.30.0.0/16", INTO_RED), prefix4("10.1.0.0/16", INTO_RED)])
    nl.label_add([
        label_record(300, POP_VRF, vrf=RED), label_record(301, POP_VRF, vrf=BLUE),
        label_record(302, POP_NH, vrf=RED, nh=CE_R2), label_record(400, SWAP, nh=CORE2, out_label=500),
        label_record(401, SWAP, nh=CORE2, out_label=3), label_record(402, SWAP, nh=LSP, out_label=501),
        label_record(403, POP_NH, vrf=RED, nh=RECEIVE), label_record(404, SWAP, nh=BLACKHOLE, out_label=9)])


def up(wire, l3, proto=ETH_IP, **more):
    """A packet from the lab's end @wire to the router."""
    w = net.wire[wire]
    dst = more.pop("dst", net.mac[net.peer[wire]])
    w.send(eth(dst, w.mac, proto, l3, **more))


def down(wire, wanted, what):
    """The packet that comes out at the lab's end @wire and satisfies @wanted."""
    got, before = net.wire[wire].read(wanted)
    if got is None:
        raise AssertionError(f"{what}: does not come out at {wire}; seen: {before[:5]}; drops {nl.drops()}")
    return got


counter = 0


def mark():
    """Content that no other packet has."""
    global counter
    counter += 1
    return b"mark%06d" % counter


def marked(m):
    return lambda p: p.payload is not None and m in p.payload


def crosses(wire, l3, out, m, proto=ETH_IP, **more):
    up(wire, l3, proto, **more)
    return down(out, marked(m), "packet")


def ctl(path, value):
    with open("/proc/sys/" + path, "w") as f:
        f.write(value)


SENTINELS = {
    "r1": (lambda m: ipv4("10.1.0.2", "10.4.0.1", udp(1, 1, m)), ETH_IP, "r2"),
    "r2": (lambda m: ipv4("10.3.0.2", "10.1.0.2", udp(1, 1, m)), ETH_IP, "r1"),
    "b1": (lambda m: ipv4("10.1.0.2", "10.2.0.1", udp(1, 1, m)), ETH_IP, "k1"),
    "k1": (lambda m: labels([(300, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), ETH_MPLS, "r1"),
}


def what_follows(wire, *frames):
    """Send frames, then one that comes out for certain; {wire: packets that came out before it}."""
    for w in net.wire.values():
        w.flush()
    for f in frames:
        net.wire[wire].send(f)
    make, proto, out = SENTINELS[wire]
    m = mark()
    up(wire, make(m), proto)
    got, seen = net.wire[out].read(marked(m))
    if got is None:
        raise AssertionError(f"the sentinel does not come out at {out}; drops {nl.drops()}")
    found = {name: [] for name in net.wire}
    found[out] = seen
    for name, w in net.wire.items():
        while True:
            got, _ = w.read(lambda p: True, 0)
            if got is None:
                break
            found[name].append(got)
    # the router's own stack joins groups whenever it likes to
    return {name: [p for p in packets if p.daddr != "ff02::16"] for name, packets in found.items()}


def frame(wire, l3, proto=ETH_IP, dst=None, vlan=None):
    w = net.wire[wire]
    return eth(dst or net.mac[net.peer[wire]], w.mac, proto, l3, vlan)


def dropped(reason, wire, l3, proto=ETH_IP, answer=False, **more):
    """@l3 is dropped for @reason, and nothing comes out anywhere but, if @answer, ICMP at @wire; returns that."""
    before = nl.drops().get(reason, 0)
    found = what_follows(wire, frame(wire, l3, proto, **more))
    back = found.pop(wire)
    for name, packets in found.items():
        equal(packets, [], f"at {name}")
    if not answer:
        equal(back, [], f"back at {wire}")
    equal(nl.drops().get(reason, 0) - before, 1, f"drops for reason {reason} ({nl.drops()})")
    return back


def icmp_of(packets, kind, code, saddr, daddr):
    equal(len(packets), 1, "answers")
    p = packets[0]
    equal((p.payload[0], p.payload[1], p.saddr, p.daddr), (kind, code, saddr, daddr), str(p))
    return p


# ---- imposition

@test("push: two labels, TTL and TC copied, TTL decreased once, payload whole")
def push_ipv4():
    m = mark()
    p = crosses("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1000, 2000, m), ttl=61, tos=0xb8), "k1", m)
    equal(p.stack, [(100, 5, 60), (5000, 5, 60)], "stack")
    equal((p.dst, p.src, p.ttl, p.tos), (net.mac["k1"], net.mac["core1"], 60, 0xb8), "headers")
    equal(p.payload, udp(1000, 2000, m), "payload")


@test("push: IPv6, hop limit and traffic class")
def push_ipv6():
    m = mark()
    p = crosses("r1", ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, m), ttl=33, tclass=0x60), "k1", m, ETH_IPV6)
    equal(p.stack, [(100, 3, 32), (6000, 3, 32)], "stack")
    equal((p.ttl, p.tos), (32, 0x60), "header")


@test("push: one label, nine labels, path with implicit null, over an IPv6 core")
def push_depths():
    for dst, stack in (("10.2.1.1", [5001]), ("10.2.2.1", list(range(1001, 1009)) + [5002]), ("10.2.3.1", [5003]),
                       ("10.2.6.1", [200, 5006])):
        m = mark()
        p = crosses("r1", ipv4("10.1.0.2", dst, udp(1, 2, m)), "k1", m)
        equal([label for label, _, _ in p.stack], stack, dst)


@test("push: the same prefix of another VRF has its own label")
def push_other_vrf():
    m = mark()
    p = crosses("b1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m)), "k1", m)
    equal([label for label, _, _ in p.stack], [100, 7000], "stack")


# ---- plain forwarding

@test("plain: customer port to customer port, by gateway and on link")
def plain():
    for dst in ("10.4.0.9", "10.3.0.2"):
        m = mark()
        p = crosses("r1", ipv4("10.1.0.2", dst, udp(1, 2, m), ttl=2), "r2", m)
        equal((p.stack, p.ttl, p.dst), ([], 1, net.mac["r2"]), dst)


@test("plain: IPv4 by an IPv6 gateway")
def plain_rfc8950():
    m = mark()
    p = crosses("r2", ipv4("10.3.0.2", "10.8.0.9", udp(1, 2, m)), "r1", m)
    equal((p.proto, p.dst), (ETH_IP, net.mac["r1"]), "frame")


@test("plain: IPv4 options but source routes are carried on")
def options():
    m = mark()
    p = crosses("r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2, m), options=b"\x94\x04\0\0"), "r2", m)
    equal(p.ip[20:24], b"\x94\x04\0\0", "router alert")
    for route in (b"\x83\x07\x04\x0a\x04\0\x01\0", b"\x89\x07\x04\x0a\x04\0\x01\0", b"\x07\x09\x04\0"):
        dropped(uapi.DROP_HEADER, "r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2), options=route))


@test("VRF next hop: on into another VRF; at most four of them")
def vrf_hops():
    m = mark()
    p = crosses("r1", ipv4("10.1.0.2", "10.7.0.9", udp(1, 2, m), ttl=9), "b1", m)
    equal(p.ttl, 8, "decreased once")
    dropped(uapi.DROP_VRF_LOOP, "r1", ipv4("10.1.0.2", "10.30.0.9", udp(1, 2)))


@test("host next hop: on by the global table's own routes, TTL decreased once")
def to_host():
    sh("ip -n pe route replace 198.18.5.0/24 via 192.0.2.6")
    m = mark()
    p = crosses("r1", ipv4("10.1.0.2", "198.18.5.1", udp(1, 2, m), ttl=9), "k2", m)
    equal((p.stack, p.ttl, p.dst), ([], 8, net.mac["k2"]), "packet")


# ---- disposition

@test("pop into a VRF: label TTL handed down, never up; DSCP kept")
def pop_vrf():
    for label_ttl, ip_ttl, wanted in ((9, 64, 8), (255, 30, 29)):
        m = mark()
        p = crosses("k1", labels([(300, 5, label_ttl)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m), ttl=ip_ttl, tos=8)),
                    "r1", m, ETH_MPLS)
        equal((p.proto, p.ttl, p.tos), (ETH_IP, wanted, 8), f"label TTL {label_ttl}")
    m = mark()
    p = crosses("k1", labels([(300, 0, 20)], ipv6("2001:db8:2::1", "2001:db8:1::2", udp(1, 2, m))), "r1", m, ETH_MPLS)
    equal((p.proto, p.ttl), (ETH_IPV6, 19), "IPv6")


@test("pop into a VRF: the label chooses between equal addresses")
def pop_which():
    for label, out in ((300, "r1"), (301, "b1")):
        m = mark()
        crosses("k1", labels([(label, 0, 20)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m))), out, m, ETH_MPLS)


@test("pop to a next hop: no look-up, whatever the VRF has for that destination")
def pop_nh():
    for dst in ("198.51.100.1", "10.1.0.2", "10.5.0.1"):
        m = mark()
        p = crosses("k1", labels([(302, 0, 20)], ipv4("10.2.0.1", dst, udp(1, 2, m))), "r2", m, ETH_MPLS)
        equal((p.dst, p.ttl), (net.mac["r2"], 19), dst)


@test("pop to a receiving next hop reaches nothing but the VRF's own addresses")
def pop_receive():
    dropped(uapi.DROP_NOT_FOR_HOST, "k1", labels([(403, 0, 9)], ipv4("10.2.0.1", "203.0.113.1", udp(1, 2))), ETH_MPLS)


@test("explicit null above a VPN label, once and four times; five times is too deep")
def explicit_null_above():
    for n in (1, 4):
        m = mark()
        p = crosses("k1", labels([(0, 0, 7)] * n + [(300, 0, 99)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m))),
                    "r1", m, ETH_MPLS)
        equal(p.ttl, 6, "the outermost TTL rules")
    dropped(uapi.DROP_LABEL_STACK, "k1",
            labels([(0, 0, 7)] * 5 + [(300, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))), ETH_MPLS)


@test("explicit null at the bottom: for the global table, IPv4 and IPv6")
def explicit_null_global():
    m = mark()
    up("k1", labels([(0, 0, 64)], ipv4("192.0.2.2", "192.0.2.1", echo(m), proto=ICMP)), ETH_MPLS)
    equal(down("k1", marked(m), "echo reply").payload[0], 0, "type")
    m = mark()
    src, dst = "2001:db8:c::2", "2001:db8:c::1"
    up("k1", labels([(2, 0, 64)], ipv6(src, dst, echo6(src, dst, m), proto=ICMP6)), ETH_MPLS)
    equal(down("k1", marked(m), "echo reply").payload[0], 129, "type")
    dropped(uapi.DROP_LABEL_PAYLOAD, "k1", labels([(0, 0, 64)], ipv6(src, dst, udp(1, 2))), ETH_MPLS)


# ---- swap

@test("swap: label, TTL; traffic class and all below untouched")
def swap():
    m = mark()
    inner = ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m), ttl=77)
    p = crosses("k1", labels([(400, 6, 50), (77, 3, 12)], inner), "k2", m, ETH_MPLS)
    equal((p.stack, p.ip), ([(500, 6, 49), (77, 3, 12)], inner), "packet")
    p = crosses("k1", labels([(400, 1, 2)], inner), "k2", m, ETH_MPLS)
    equal((p.stack, p.ip), ([(500, 1, 1)], inner), "alone in the stack")
    p = crosses("k1", labels([(402, 2, 50)], inner), "k1", m, ETH_MPLS)
    equal(p.stack, [(100, 2, 49), (501, 2, 49)], "swap and push")


@test("swap: what is below is not looked at")
def swap_opaque():
    found = what_follows("k1", frame("k1", labels([(400, 0, 9)], b"\xf0" * 50), ETH_MPLS))
    equal([p.l3[4:54] for p in found["k2"]], [b"\xf0" * 50], "payload")


@test("penultimate hop: pop, TTL to the label or the packet below")
def php():
    m = mark()
    inner = ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m), ttl=64)
    p = crosses("k1", labels([(401, 6, 50), (77, 3, 255)], inner), "k2", m, ETH_MPLS)
    equal((p.stack, p.ip), ([(77, 3, 49)], inner), "a label below")
    p = crosses("k1", labels([(401, 6, 50)], inner), "k2", m, ETH_MPLS)
    equal((p.proto, p.stack, p.ttl, p.dst), (ETH_IP, [], 49, net.mac["k2"]), "IP below")
    dropped(uapi.DROP_LABEL_PAYLOAD, "k1", labels([(401, 0, 9)], b"\xf0" * 50), ETH_MPLS)


@test("swap to a blackhole")
def swap_blackhole():
    dropped(uapi.DROP_BLACKHOLE, "k1", labels([(404, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))), ETH_MPLS)


# ---- bad labels

@test("unknown and reserved labels")
def label_unknown():
    for label in (1, 3, 7, 13, 14, 15, 16, 999, 0xfffff):
        dropped(uapi.DROP_LABEL_UNKNOWN, "k1", labels([(label, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))),
                ETH_MPLS)


@test("stacks without bottom, truncated, with something else below")
def label_stack():
    inner = ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))
    dropped(uapi.DROP_LABEL_STACK, "k1", labels([(300, 0, 9), (5, 0, 9)], inner), ETH_MPLS)
    dropped(uapi.DROP_LABEL_STACK, "k1", struct.pack("!I", 300 << 12 | 9) * 12, ETH_MPLS)
    dropped(uapi.DROP_LABEL_PAYLOAD, "k1", labels([(300, 0, 9)], b"\x50" + bytes(60)), ETH_MPLS)
    dropped(uapi.DROP_HEADER, "k1", labels([(300, 0, 9)], inner[:8] + b"\x01" + inner[9:]), ETH_MPLS)


@test("label TTL 0 is dropped in silence")
def label_ttl0():
    for label in (300, 302, 400, 401):
        dropped(uapi.DROP_TTL, "k1", labels([(label, 0, 0)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))), ETH_MPLS)


@test("labels from a customer")
def label_on_customer():
    for label in (300, 400, 0, 999):
        dropped(uapi.DROP_LABEL_ON_CUSTOMER, "r1", labels([(label, 0, 9)], ipv4("10.1.0.2", "10.4.0.1", udp(1, 2))),
                ETH_MPLS)


# ---- what a customer may send

@test("frames: unknown VLAN tags, priority tags, other hosts' MAC, other ethertypes")
def frames():
    good = ipv4("10.1.0.2", "10.4.0.9", udp(1, 2, m := mark()))
    dropped(uapi.DROP_VLAN, "r1", good, vlan=7)
    crosses("r1", good, "r2", m, vlan=0xe000)
    found = what_follows("r1", frame("r1", good, dst="02:00:00:00:be:ef"))
    equal(sum(map(len, found.values())), 0, "another host's MAC")
    dropped(uapi.DROP_PROTOCOL, "r1", bytes(50), proto=0x8863)
    dropped(uapi.DROP_MULTICAST, "r1", good, dst="ff:ff:ff:ff:ff:ff")


@test("headers: truncated, bad checksum, wrong version, longer than the frame")
def headers():
    good = ipv4("10.1.0.2", "10.4.0.9", udp(1, 2))
    dropped(uapi.DROP_HEADER, "r1", good[:10] + b"\0\0" + good[12:])
    dropped(uapi.DROP_HEADER, "r1", b"\x55" + good[1:])
    dropped(uapi.DROP_HEADER, "r1", b"\x41" + good[1:])
    long = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 900, 1, 0, 64, 17, 0, good[12:16], good[16:20])
    dropped(uapi.DROP_HEADER, "r1", long[:10] + struct.pack("!H", checksum(long)) + long[12:] + bytes(40))
    good6 = ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2))
    dropped(uapi.DROP_HEADER, "r1", good6[:4] + b"\x09\0" + good6[6:], ETH_IPV6)
    dropped(uapi.DROP_HEADER, "r1", b"\x45" + good6[1:], ETH_IPV6)


@test("martians")
def martians():
    for src, dst in (("127.0.0.1", "10.4.0.1"), ("10.1.0.2", "127.0.0.1"), ("0.0.0.0", "10.4.0.1"),
                     ("224.0.0.1", "10.4.0.1"), ("255.255.255.255", "10.4.0.1"), ("10.1.0.2", "0.0.0.0")):
        dropped(uapi.DROP_MARTIAN, "r1", ipv4(src, dst, udp(1, 2)))
    for src, dst in (("::1", "2001:db8:2::1"), ("2001:db8:1::2", "::1"), ("ff02::1", "2001:db8:2::1"),
                     ("fe80::2", "2001:db8:2::1"), ("::", "2001:db8:2::1"), ("::ffff:10.1.0.2", "2001:db8:2::1")):
        dropped(uapi.DROP_MARTIAN, "r1", ipv6(src, dst, udp(1, 2)), ETH_IPV6)


@test("multicast that is not served")
def multicast():
    for dst, to in (("224.0.0.251", "01:00:5e:00:00:fb"), ("239.1.1.1", "01:00:5e:01:01:01"),
                    ("255.255.255.255", "ff:ff:ff:ff:ff:ff")):
        dropped(uapi.DROP_MULTICAST, "r1", ipv4("10.1.0.2", dst, udp(1, 2)), dst=to)
    for dst in ("ff02::fb", "ff05::1", "ff0e::1"):
        dropped(uapi.DROP_MULTICAST, "r1", ipv6("fe80::2", dst, udp(1, 2)), ETH_IPV6, dst="33:33:00:00:00:01")


@test("no address of the box but the VRF's own can be spoken to, nor asked for by ARP")
def not_for_host():
    for dst in ("203.0.113.1", "192.0.2.1", "192.0.2.5"):
        back = dropped(uapi.DROP_NO_ROUTE, "r1", ipv4("10.1.0.2", dst, echo(b"x"), proto=ICMP), answer=True)
        icmp_of(back, 3, 0, "10.1.0.1", "10.1.0.2")
        before = nl.drops().get(uapi.DROP_NOT_FOR_HOST, 0)
        w = net.wire["r1"]
        found = what_follows("r1", eth("ff:ff:ff:ff:ff:ff", w.mac, ETH_ARP,
                                       arp(1, w.mac, "10.1.0.2", "00:00:00:00:00:00", dst)))
        equal(sum(map(len, found.values())), 0, "answers to ARP for " + dst)
        equal(nl.drops().get(uapi.DROP_NOT_FOR_HOST, 0) - before, 1, "drops")
    for dst in ("2001:db8:ff::1", "2001:db8:c::1"):
        icmp_of(dropped(uapi.DROP_NO_ROUTE, "r1", ipv6("2001:db8:1::2", dst, udp(1, 2)), ETH_IPV6, answer=True),
                1, 0, "2001:db8:1::1", "2001:db8:1::2")


@test("spoofed sources reach no local socket")
def spoofed():
    for src in ("10.1.0.1", "10.9.9.9", "203.0.113.1", "172.31.0.1"):
        dropped(uapi.DROP_MARTIAN, "r1", ipv4(src, "10.9.9.9", echo(b"x"), proto=ICMP))
    for src in ("2001:db8:1::1", "2001:db8:ff::1"):
        dropped(uapi.DROP_MARTIAN, "r1",
                ipv6(src, "2001:db8:9::9", echo6(src, "2001:db8:9::9", b"x"), proto=ICMP6), ETH_IPV6)


@test("a source that is a global address reaches no local socket, even where a VRF has it too")
def spoofed_global():
    nl.route_add(RED, [prefix4("203.0.113.0/24", CE_R1)], [prefix6("2001:db8:ff::/48", VIA6)])
    sh("ip -n pe addr add 203.0.113.1/32 dev BLUE; ip -n pe addr add 2001:db8:ff::1/128 dev BLUE nodad")
    try:
        dropped(uapi.DROP_MARTIAN, "r1", ipv4("203.0.113.1", "10.9.9.9", echo(b"x"), proto=ICMP))
        src = "2001:db8:ff::1"
        dropped(uapi.DROP_MARTIAN, "r1", ipv6(src, "2001:db8:9::9", echo6(src, "2001:db8:9::9", b"x"), proto=ICMP6),
                ETH_IPV6)
    finally:
        sh("ip -n pe addr del 203.0.113.1/32 dev BLUE; ip -n pe addr del 2001:db8:ff::1/128 dev BLUE")
        nl.route_del(RED, [prefix4("203.0.113.0/24", CE_R1)], [prefix6("2001:db8:ff::/48", VIA6)])


def icmp_error(quoted):
    """Port unreachable, which ends a connection that is being opened."""
    return echo(quoted, type=3, ident=0, seq=0)[:1] + b"\3" + struct.pack(
        "!H", checksum(b"\3\3\0\0\0\0\0\0" + quoted)) + bytes(4) + quoted


@test("ICMP errors about what their receiver did not send reach no socket, not even a global one")
def icmp_quotes():
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("192.0.2.2", 179))
    syn = down("k1", lambda p: p.version == 4 and not p.stack and p.ip_proto == 6, "SYN of a global socket")
    quoted = syn.ip[:28]
    for dst in ("10.1.0.1", "10.9.9.9"):
        dropped(uapi.DROP_NOT_FOR_HOST, "r1", ipv4("10.1.0.2", dst, icmp_error(quoted), proto=ICMP))
        dropped(uapi.DROP_NOT_FOR_HOST, "r1", ipv4("10.1.0.2", dst, icmp_error(quoted)[:24], proto=ICMP))
    src, dst = "2001:db8:1::2", "2001:db8:1::1"
    about = ipv6("2001:db8:c::1", "2001:db8:c::2", udp(1, 2))
    for to in (dst, link_local("red1")[0]):
        dropped(uapi.DROP_NOT_FOR_HOST, "r1", ipv6(src, to, echo6(src, to, about, type=1, ident=0, seq=0), proto=ICMP6),
                ETH_IPV6)
    equal(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "the global socket's error")
    up("k1", ipv4("192.0.2.2", "192.0.2.1", icmp_error(quoted), proto=ICMP))   # from where it may come
    equal(wait(lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "an error of the global socket"),
          errno.ECONNREFUSED)
    s.close()


def link_local(dev):
    """Its link-local addresses."""
    found = json.loads(sh(f"ip -n pe -j -6 addr show dev {dev} scope link").stdout)
    return [a["local"] for a in found[0]["addr_info"] if "local" in a]


@test("an error about a packet with our own address as its source is not sent")
def icmp_about_us():
    for src in ("10.1.0.1", "10.9.9.9"):
        dropped(uapi.DROP_TTL, "r1", ipv4(src, "10.4.0.1", udp(1, 2), ttl=1))


@test("nothing leaves into the core without a label, nor to a customer with one, nor by another VRF's label")
def leaves():
    try:
        nl.route_add(RED, [prefix4("10.20.0.0/24", CORE1), prefix4("10.20.1.0/24", CE_R2, 5020),
                           prefix4("10.20.2.0/24", EMPTY)])
        nl.label_add([label_record(405, SWAP, nh=CE_R2, out_label=9), label_record(406, POP_NH, vrf=RED, nh=CE_B1)])
        for dst in ("10.20.0.1", "10.20.1.1", "10.20.2.1"):
            dropped(uapi.DROP_UNREACHABLE, "r1", ipv4("10.1.0.2", dst, udp(1, 2)))
        for label in (405, 406):
            dropped(uapi.DROP_UNREACHABLE, "k1", labels([(label, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2))),
                    ETH_MPLS)
    finally:
        nl.label_del([label_record(405, SWAP, nh=CE_R2, out_label=9), label_record(406, POP_NH, vrf=RED, nh=CE_B1)])
        nl.route_del(RED, [prefix4("10.20.0.0/24", 0), prefix4("10.20.1.0/24", 0), prefix4("10.20.2.0/24", 0)])


# ---- local sockets

@test("ping of the VRF's addresses, from a port and under a label")
def local_ping():
    for dst in ("10.1.0.1", "10.9.9.9", "10.3.0.1"):
        m = mark()
        p = crosses("r1", ipv4("10.1.0.2", dst, echo(m), proto=ICMP), "r1", m)
        equal((p.payload[0], p.saddr), (0, dst), "reply")
        m = mark()
        p = crosses("k1", labels([(300, 0, 9)], ipv4("10.2.0.1", dst, echo(m), proto=ICMP)), "k1", m, ETH_MPLS)
        equal((p.payload[0], p.saddr, [lab for lab, _, _ in p.stack]), (0, dst, [100, 5000]), "labelled reply")
    for dst in ("2001:db8:1::1", "2001:db8:9::9"):
        m = mark()
        src = "2001:db8:1::2"
        p = crosses("r1", ipv6(src, dst, echo6(src, dst, m), proto=ICMP6), "r1", m, ETH_IPV6)
        equal((p.payload[0], p.saddr), (129, dst), "reply")
        m = mark()
        src = "2001:db8:2::1"
        p = crosses("k1", labels([(300, 0, 9)], ipv6(src, dst, echo6(src, dst, m), proto=ICMP6)), "k1", m, ETH_MPLS)
        equal((p.payload[0], p.saddr, [lab for lab, _, _ in p.stack]), (129, dst, [100, 6000]), "labelled reply")


@test("a receive route to what the stack does not call its own: no way round through the stack")
def receive_route():
    dropped(uapi.DROP_NOT_FOR_HOST, "r1", ipv4("10.1.0.2", "10.31.0.5", udp(1, 2)))


@test("a socket bound to the VRF speaks to remote sites, TTL not decreased")
def local_out():
    s4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for s, dst, saddr, stack in ((s4, "10.2.0.5", None, [100, 5000]), (s6, "2001:db8:2::5", None, [100, 6000]),
                                 (s4, "10.4.0.5", None, [])):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"RED")
        m = mark()
        s.sendto(m, (dst, 4000))
        p = down("k1" if stack else "r2", marked(m), "from the socket")
        equal(([lab for lab, _, _ in p.stack], p.daddr, p.ttl), (stack, dst, 64), "packet")
    s4.close()
    s6.close()


# ---- TTL and ICMP errors

@test("TTL 1: time exceeded in the VRF, from the port's address, no extension")
def ttl_plain():
    orig = ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, b"x" * 40), ttl=1)
    p = icmp_of(dropped(uapi.DROP_TTL, "r1", orig, answer=True), 11, 0, "10.1.0.1", "10.1.0.2")
    equal(p.payload[4:8] + p.payload[8:], b"\0\0\0\0" + orig, "quotation")
    orig = ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, b"x" * 40), ttl=1)
    p = icmp_of(dropped(uapi.DROP_TTL, "r1", orig, ETH_IPV6, answer=True), 3, 0, "2001:db8:1::1", "2001:db8:1::2")
    equal(p.payload[8:], orig, "quotation")


@test("label TTL 1: time exceeded back under labels, with the stack received (RFC 4950)")
def ttl_labelled():
    for src, inner, kind, unit in (
            ("10.2.0.1", ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, b"x" * 40)), 11, 4),
            ("2001:db8:2::1", ipv6("2001:db8:2::1", "2001:db8:1::2", udp(1, 2, b"x" * 40)), 3, 8)):
        p = icmp_of(dropped(uapi.DROP_TTL, "k1", labels([(300, 5, 1)], inner), ETH_MPLS, answer=True),
                    kind, 0, "10.9.9.9" if kind == 11 else "2001:db8:9::9", src)
        equal([lab for lab, _, _ in p.stack], [100, 5000 if kind == 11 else 6000], "stack")
        equal(p.payload[5 if kind == 11 else 4] * unit, 128, "length of the quotation")
        extension = p.payload[8 + 128:]
        equal((extension[0] >> 4, checksum(extension)), (2, 0), "extension")
        equal(extension[4:], struct.pack("!HBBI", 8, 1, 1, 300 << 12 | 5 << 9 | 256 | 1), "label stack object")


@test("label TTL 1 on a switched path: time exceeded goes on along the path")
def ttl_swap():
    before = nl.drops().get(uapi.DROP_TTL, 0)
    inner = ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, b"x" * 40))
    up("k1", labels([(400, 5, 1), (77, 5, 9)], inner), ETH_MPLS)
    p = down("k2", lambda p: p.ip_proto == ICMP, "time exceeded")
    equal((p.stack, p.payload[0], p.daddr), ([(500, 6, 255), (77, 5, 255)], 11, "10.2.0.1"), "packet")
    equal(p.payload[8 + 128 + 8:], struct.pack("!II", 400 << 12 | 5 << 9 | 1, 77 << 12 | 5 << 9 | 256 | 9), "stack")
    equal(nl.drops().get(uapi.DROP_TTL, 0) - before, 1, "drops")


@test("an error about a switched packet fits into the path, however small that is")
def swap_error_fits():
    sh("ip -n pe link set core2 mtu 600")
    try:
        inner = ipv6("2001:db8:2::1", "2001:db8:1::2", udp(1, 2, bytes(650)))
        up("k1", labels([(400, 5, 9)], inner), ETH_MPLS)
        p = down("k2", lambda p: p.ip_proto == ICMP6, "packet too big")
        equal((p.payload[0], p.daddr, len(p.l3) <= 600), (2, "2001:db8:2::1", True), "error")
    finally:
        sh("ip -n pe link set core2 mtu 1500")


@test("no route and unreachable; blackhole in silence")
def no_route():
    for reason, dst, code in ((uapi.DROP_NO_ROUTE, "172.16.0.1", 0), (uapi.DROP_UNREACHABLE, "10.6.0.1", 1)):
        icmp_of(dropped(reason, "r1", ipv4("10.1.0.2", dst, udp(1, 2)), answer=True), 3, code, "10.1.0.1", "10.1.0.2")
    for reason, dst, code in ((uapi.DROP_NO_ROUTE, "2001:db8:77::1", 0), (uapi.DROP_UNREACHABLE, "2001:db8:6::1", 3)):
        icmp_of(dropped(reason, "r1", ipv6("2001:db8:1::2", dst, udp(1, 2)), ETH_IPV6, answer=True), 1, code,
                "2001:db8:1::1", "2001:db8:1::2")
    dropped(uapi.DROP_BLACKHOLE, "r1", ipv4("10.1.0.2", "10.5.0.1", udp(1, 2)))


@test("no ICMP error about ICMP errors, fragments but the first, nor to what is no host")
def icmp_about():
    error = struct.pack("!BBHI", 3, 1, 0xfcfe, 0)
    dropped(uapi.DROP_NO_ROUTE, "r1", ipv4("10.1.0.2", "172.16.0.1", error, proto=ICMP))
    dropped(uapi.DROP_NO_ROUTE, "r1", ipv4("10.1.0.2", "172.16.0.1", b"x" * 30, offset=8))
    dropped(uapi.DROP_NO_ROUTE, "r1", ipv6("2001:db8:1::2", "2001:db8:77::1", b"\x01" + bytes(30), proto=ICMP6),
            ETH_IPV6)
    icmp_of(dropped(uapi.DROP_NO_ROUTE, "r1", ipv4("10.1.0.2", "172.16.0.1", echo(b"x"), proto=ICMP), answer=True),
            3, 0, "10.1.0.1", "10.1.0.2")


@test("too big: DF and IPv6 are told the MTU less the labels, with room to the octet")
def too_big():
    m = mark()
    room = 1500 - 8
    crosses("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m.ljust(room - 28)), df=True), "k1", m)
    p = icmp_of(dropped(uapi.DROP_MTU, "r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, bytes(room - 27)), df=True),
                        answer=True), 3, 4, "10.1.0.1", "10.1.0.2")
    equal(struct.unpack("!H", p.payload[6:8])[0], room, "MTU")
    crosses("r1", ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, m.ljust(room - 48))), "k1", m, ETH_IPV6)
    p = icmp_of(dropped(uapi.DROP_MTU, "r1", ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, bytes(room - 47))),
                        ETH_IPV6, answer=True), 2, 0, "2001:db8:1::1", "2001:db8:1::2")
    equal(struct.unpack("!I", p.payload[4:8])[0], room, "MTU")


@test("too big, not DF: IPv4 is cut before the labels go on, and every piece fits")
def fragments():
    data = bytes(i * 7 & 255 for i in range(1500 - 28))
    up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, data), ident=4711, ttl=9))
    whole, more = {}, True
    while more:
        p = down("k1", lambda p: p.version == 4 and struct.unpack("!H", p.ip[4:6])[0] == 4711, "piece")
        equal([(lab, ttl) for lab, _, ttl in p.stack], [(100, 8), (5000, 8)], "stack")
        equal((len(p.l3) <= 1500, p.ttl), (True, 8), "piece")
        whole[(p.frag & 0x1fff) * 8] = p.payload
        more = p.frag & 0x2000
    equal(b"".join(v for _, v in sorted(whole.items())), udp(1, 2, data), "put together again")


@test("a fragment that would end behind 65,535 octets is not cut into pieces that begin anew at 0")
def fragment_wraps():
    # to the octet: the last piece of the greatest packet that there is, and one of eight octets more
    for offset, lost in ((65535 - 20 - 1480 & ~7, False), (65535 - 20 - 1480 + 8 & ~7, True)):
        packet = ipv4("10.1.0.2", "10.2.0.5", bytes(1480), proto=253, offset=offset)
        if lost:
            dropped(uapi.DROP_HEADER, "r1", packet)
        else:
            found = what_follows("r1", frame("r1", packet))["k1"]
            equal([(p.frag & 0x1fff) * 8 for p in found if p.ip_proto == 253], [offset, offset + 1472], "offsets")


# ---- ways out

def flows(n, dst):
    return [ipv4("10.1.0.2", dst, udp(1000 + i, 2000 + i * 3, b"flow%05d" % i)) for i in range(n)]


def spread(packets):
    """{wire: numbers of flows that came out there}"""
    found = what_follows("r1", *[frame("r1", p) for p in packets])
    return {w: {int(p.payload[12:17]) for p in found[w] if p.payload} for w in ("k1", "k2")}


@test("ECMP: by weight, a flow keeps its way, under a path too, fragments by addresses")
def ecmp():
    for dst in ("10.2.4.1", "10.2.7.1"):
        first, again = spread(flows(400, dst)), spread(flows(400, dst))
        equal(first, again, "the same flows")
        equal(len(first["k1"]) + len(first["k2"]), 400, "all")
        assert 240 < len(first["k1"]) < 360, f"weights 3 and 1: {len(first['k1'])} of 400 went to the first"
    pieces = [ipv4("10.1.0.2", "10.2.4.1", b"\0" * 4 + b"\0" * 8 + b"%05d" % i + bytes(9), offset=8 * i, more=True)
              for i in range(40)]
    found = spread(pieces)
    equal(sorted(map(len, found.values())), [0, 40], "pieces of one packet")


@test("ECMP: netlink's answer for a flow is the member it takes")
def exact_route():
    seen = spread(flows(64, "10.2.4.1"))
    for i in range(64):
        answer = nl.do(uapi.CMD_ROUTE_GET, [
            (uapi.ROUTE_VRF, struct.pack("=I", RED)), (uapi.ROUTE_DST4, socket.inet_aton("10.2.4.1")),
            (uapi.ROUTE_SRC4, socket.inet_aton("10.1.0.2")), (uapi.ROUTE_PROTO, bytes([UDP])),
            (uapi.ROUTE_SPORT, struct.pack("!H", 1000 + i)), (uapi.ROUTE_DPORT, struct.pack("!H", 2000 + i * 3))])[0]
        equal(get(answer[uapi.ROUTE_MEMBER]), CORE1 if i in seen["k1"] else CORE2, f"flow {i}")


@test("ECMP and backup: a link goes down and comes back")
def backup():
    equal({w: len(f) for w, f in spread(flows(50, "10.2.5.1")).items()}, {"k1": 50, "k2": 0}, "primary")
    before = spread(flows(100, "10.2.4.1"))
    sh("ip -n lab link set k1 down")
    for dst in ("10.2.5.1", "10.2.4.1"):
        found = what_follows("r1", *[frame("r1", p) for p in flows(100, dst)])
        equal(len(found["k2"]), 100, f"to {dst} with the first link down")
    icmp_of(dropped(uapi.DROP_PORT_DOWN, "r1", ipv4("10.1.0.2", "10.2.0.1", udp(1, 2)), answer=True),
            3, 0, "10.1.0.1", "10.1.0.2")
    sh("ip -n lab link set k1 up")
    wait(lambda: "LOWER_UP" in sh("ip -n pe link show core1").stdout, "carrier of core1")
    net.neighbours()
    equal(spread(flows(100, "10.2.4.1")), before, "back as before")
    equal({w: len(f) for w, f in spread(flows(50, "10.2.5.1")).items()}, {"k1": 50, "k2": 0}, "primary again")


@test("an answer in fragments that has no way: its own socket is not told (the debug kernels report it)")
def answer_in_fragments():
    request4 = echo(bytes(2000))
    request6 = echo6("2001:db8:2::5", "2001:db8:1::1", bytes(2000))
    sh("ip -n lab link set k1 down; ip -n pe link set RED mtu 1400")
    before = nl.drops().get(uapi.DROP_PORT_DOWN, 0)
    packets = []
    for i, end in (0, 1000), (1000, None):
        packets += [frame("r1", ipv4("10.2.0.5", "10.1.0.1", request4[i:end], proto=ICMP, ident=77, offset=i,
                                     more=end is not None)),
                    frame("r1", ipv6("2001:db8:2::5", "2001:db8:1::1", fragment6(request6, i, end), proto=44), ETH_IPV6)]
    equal([name for name, seen in what_follows("r1", *packets).items() if seen], [], "wires where something is seen")
    wait(lambda: nl.drops().get(uapi.DROP_PORT_DOWN, 0) == before + 4, "four fragments of answers dropped")
    sh("ip -n lab link set k1 up; ip -n pe link set RED mtu 65575")
    wait(lambda: "LOWER_UP" in sh("ip -n pe link show core1").stdout, "carrier of core1")
    net.neighbours()


# ---- neighbours

def answer_arp(wire, address):
    """The next request for @address at @wire, answered with the wire's MAC."""
    p = down(wire, lambda p: p.proto == ETH_ARP and p.l3[24:28] == socket.inet_aton(address) and p.l3[7] == 1, "ARP")
    w = net.wire[wire]
    up(wire, arp(2, w.mac, address, p.l3[8:14].hex(":"), socket.inet_ntoa(p.l3[14:18])), ETH_ARP)
    return p


@test("neighbour: packets wait for ARP and are not lost, on link and by gateway, under labels")
def neigh_wait():
    sh("ip -n pe neigh del 192.0.2.2 dev core1; ip -n pe neigh del 10.3.0.2 dev red2")
    for dst, wire, address in (("10.2.0.5", "k1", "192.0.2.2"), ("10.3.0.77", "r2", "10.3.0.77"),
                               ("10.4.0.5", "r2", "10.3.0.2")):
        marks = [mark() for _ in range(3)]
        for m in marks:
            up("r1", ipv4("10.1.0.2", dst, udp(1, 2, m)))
        p = answer_arp(wire, address)
        equal(p.l3[14:18] != b"\0\0\0\0", True, "sender of the request")
        for m in marks:
            down(wire, marked(m), f"a packet that waited for {address}")
    sh("ip -n pe neigh del 10.3.0.77 dev red2", check=False)
    net.neighbours()


@test("neighbour: ARP of a customer for the port's address is answered, and learnt from")
def neigh_answer():
    w = net.wire["r2"]
    w.send(eth("ff:ff:ff:ff:ff:ff", w.mac, ETH_ARP, arp(1, w.mac, "10.3.0.50", "00:00:00:00:00:00", "10.3.0.1")))
    p = down("r2", lambda p: p.proto == ETH_ARP and p.l3[7] == 2, "reply")
    equal(p.l3[8:18], bytes.fromhex(net.mac["red2"].replace(":", "")) + socket.inet_aton("10.3.0.1"), "reply")
    m = mark()
    crosses("r1", ipv4("10.1.0.2", "10.3.0.50", udp(1, 2, m)), "r2", m)


@test("neighbour: a changed MAC address is used at once; so is the port's own")
def neigh_change():
    sh("ip -n pe neigh replace 10.3.0.2 lladdr 02:00:00:00:00:99 dev red2 nud permanent")
    m = mark()
    equal(crosses("r1", ipv4("10.1.0.2", "10.4.0.5", udp(1, 2, m)), "r2", m).dst, "02:00:00:00:00:99", "destination")
    net.neighbours()
    sh("ip -n pe link set red2 address 02:00:00:00:00:98")
    net.neighbours()        # the kernel forgets all of a device whose address changes
    m = mark()
    equal(crosses("r1", ipv4("10.1.0.2", "10.4.0.5", udp(1, 2, m)), "r2", m).src, "02:00:00:00:00:98", "source")
    sh(f"ip -n pe link set red2 address {net.mac['red2']}")
    net.neighbours()


@test("neighbour: a STALE one is used and probed")
def neigh_stale():
    ctl("net/ipv4/neigh/red2/delay_first_probe_time", "0")
    sh(f"ip -n pe neigh replace 10.3.0.2 lladdr {net.mac['r2']} dev red2 nud stale")
    m = mark()
    crosses("r1", ipv4("10.1.0.2", "10.4.0.5", udp(1, 2, m)), "r2", m)
    p = answer_arp("r2", "10.3.0.2")
    equal(p.dst, net.mac["r2"], "the probe is unicast")
    wait(lambda: "REACHABLE" in sh("ip -n pe neigh show 10.3.0.2 dev red2").stdout, "REACHABLE")
    net.neighbours()


@test("neighbour: one that has failed: host unreachable, a drop, and asked again")
def neigh_failed():
    ctl("net/ipv4/neigh/red2/retrans_time_ms", "50")
    sh("ip -n pe neigh del 10.3.0.66 dev red2", check=False)
    up("r1", ipv4("10.1.0.2", "10.3.0.66", udp(1, 2)))
    wait(lambda: "FAILED" in sh("ip -n pe neigh show 10.3.0.66 dev red2").stdout, "FAILED")
    before = nl.drops().get(uapi.DROP_NEIGHBOUR, 0)
    net.wire["r1"].flush()
    up("r1", ipv4("10.1.0.2", "10.3.0.66", udp(1, 2)))
    p = down("r1", lambda p: p.ip_proto == ICMP, "host unreachable")
    equal((p.payload[0], p.payload[1], p.saddr), (3, 1, "10.1.0.1"), "ICMP")
    equal(nl.drops()[uapi.DROP_NEIGHBOUR] - before, 1, "drops")


# ---- counters

@test("counters of VRF, port and label")
def counters():
    def snapshot():
        vrf = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, struct.pack("=I", RED))])[0]
        port = {n: nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, struct.pack("=i", socket.if_nametoindex(n)))])[0]
                for n in ("red1", "core1")}
        label = nl.do(uapi.CMD_LABEL_GET, [(uapi.LABEL_LABEL, struct.pack("=I", 300))])[0]
        return {"vrf": stats(vrf[uapi.VRF_STATS]), "red1": stats(port["red1"][uapi.PORT_STATS]),
                "core1": stats(port["core1"][uapi.PORT_STATS]), "label": stats(label[uapi.LABEL_STATS])}
    sh("ip -n pe link set red1 up")
    before = snapshot()
    m = mark()
    crosses("r1", a := ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m.ljust(60))), "k1", m)
    m = mark()
    crosses("k1", b := labels([(300, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, m.ljust(70)))), "r1", m, ETH_MPLS)
    up("r1", c := ipv4("10.1.0.2", "10.5.0.1", udp(1, 2, bytes(40))))
    wait(lambda: snapshot()["vrf"]["drops"] - before["vrf"]["drops"] == 1, "the drop")
    after = snapshot()
    diff = {k: tuple(after[k][f] - before[k][f] for f in ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops"))
            for k in after}
    equal(diff["vrf"], (3, len(a) + len(b) - 4 + len(c), 2, len(a) + 8 + len(b) - 4, 1), "VRF")
    equal(diff["red1"], (2, len(a) + len(c), 1, len(b) - 4, 1), "port red1")
    equal(diff["core1"], (1, len(b), 1, len(a) + 8, 0), "port core1")
    equal(diff["label"][:2], (1, len(b)), "label")


program()
net.flush()
tap.main()
