#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Load balancing, measured: which member of a group thousands of flows take. Run in a guest:
scripts/vm -- selftests/forward/balance.py [WORD...]

topology.py draws the network. The members of the group FOUR are paths by core1 that push different labels, so the
label of what comes out at k1 tells the member.
"""
import os
import random
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, get, label_record, prefix4, prefix6  # noqa: E402
from tap import equal, test                                             # noqa: E402
from topology import Network                                            # noqa: E402
from wire import ETH_IP, ETH_IPV6, ETH_MPLS, TCP, UDP, eth, ipv4, ipv6, labels, udp  # noqa: E402

RED = 1
CORE1, CORE2, CE, FOUR, TWO, TWO_PATH, NESTED = 10, 11, 12, 20, 21, 22, 23
PATHS = {101: 1, 102: 2, 103: 5, 104: 4}            # label: weight
VPN, VPN6 = 5000, 6000
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SO_RCVBUFFORCE = 33

net = Network()
enter_netns("pe")
nl = L3vpn()
rng = random.Random(SEED)
print(f"# seed {SEED}")


def program():
    """VRF RED; every destination outside by the group FOUR; label 400 swapped by it, 401 popped by it."""
    nl.vrf_new("RED", RED)
    nl.port_new("red1", RED)
    nl.port_new("core1")
    nl.port_new("core2")
    net.address()
    nl.nh_adjacency(CORE1, "core1", "192.0.2.2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CE, "red1", "10.1.0.2")
    for label in PATHS:
        nl.nh_labelled(label, CORE1, [label])
    nl.nh_group(FOUR, [(label, weight, 0) for label, weight in PATHS.items()])
    nl.nh_group(TWO, [(CORE1, 1, 0), (CORE2, 1, 0)])
    nl.nh_labelled(TWO_PATH, TWO, [200])
    nl.nh_labelled(201, TWO, [201])
    nl.nh_group(NESTED, [(TWO_PATH, 1, 0), (201, 1, 0)])
    nl.route_add(RED, [prefix4("10.2.0.0/16", FOUR, VPN), prefix4("10.3.0.0/16", NESTED, VPN)],
                 [prefix6("2001:db8:2::/48", FOUR, VPN6)])
    nl.label_add([label_record(400, uapi.LABEL_ACTION_SWAP, nh=FOUR, out_label=500),
                  label_record(300, uapi.LABEL_ACTION_POP_VRF, vrf=RED),
                  label_record(301, uapi.LABEL_ACTION_POP_NH, vrf=RED, nh=CE)])
    for w in net.wire.values():
        w.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)


def raw(wire):
    """All frames that wait at a wire."""
    sock = net.wire[wire].sock
    sock.setblocking(False)
    try:
        while True:
            yield sock.recv(65535)
    except BlockingIOError:
        return
    finally:
        sock.setblocking(True)


def members(packets, wire="r1", proto=None):
    """The outer label that each packet left with at k1, in order; all packets must come out, in order."""
    net.flush()
    w = net.wire[wire]
    got = []
    for p in packets:
        kind = proto or (ETH_IP if p[0] >> 4 == 4 else ETH_IPV6)
        w.send(eth(net.mac[net.peer[wire]], w.mac, kind, p))
    for frame in raw("k1"):
        if frame[12:14] == struct.pack("!H", ETH_MPLS):
            got.append(struct.unpack("!I", frame[14:18])[0] >> 12)
    equal(len(got), len(packets), f"packets that came out (drops {nl.drops()})")
    return got


def share(got, weights=None, what="", tolerance=0.03):
    """The shares of the members are those of the weights, within @tolerance of all packets."""
    weights = weights or PATHS
    total = sum(weights.values())
    shares = {label: got.count(label) / len(got) for label in weights}
    print(f"# {what}: " + ", ".join(f"{label}: {shares[label]:.3f} of {weights[label] / total:.3f}" for label in weights))
    for label, weight in weights.items():
        assert abs(shares[label] - weight / total) < tolerance, f"{what}: {label} has {shares[label]:.3f}"
    equal(set(got) - set(weights), set(), "members that are none")


def address():
    """A random source of RED."""
    return f"10.1.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def flows4(n):
    """@n random flows of IPv4."""
    return [ipv4(address(), f"10.2.{rng.randrange(256)}.{rng.randrange(256)}",
                 udp(rng.randrange(65536), rng.randrange(65536)), proto=rng.choice((TCP, UDP))) for _ in range(n)]


def flows6(n):
    """@n random flows of IPv6."""
    return [ipv6(f"2001:db8:1::{rng.randrange(1 << 16):x}", f"2001:db8:2::{rng.randrange(1 << 16):x}",
                 udp(rng.randrange(65536), rng.randrange(65536)), flow=rng.randrange(1 << 20)) for _ in range(n)]


@test("weights 1, 2, 5, 4: the shares of random flows, IPv4 and IPv6; the same flow takes the same way")
def weights():
    for what, packets in (("IPv4", flows4(6000)), ("IPv6", flows6(6000))):
        got = members(packets)
        share(got, what=what)
        equal(members(packets), got, "again")


@test("each field alone spreads: addresses, ports, IPv6 flow label; TTL, TOS and content do not")
def fields():
    src, dst, port = "10.1.0.2", "10.2.0.1", udp(1000, 2000)
    src6, dst6 = "2001:db8:1::2", "2001:db8:2::5"
    n = 3000
    for what, packets in (
            ("IPv4 source", [ipv4(f"10.1.{i >> 8}.{i & 255 or 1}", dst, port) for i in range(256, 256 + n)]),
            ("IPv4 destination", [ipv4(src, f"10.2.{i >> 8}.{i & 255}", port) for i in range(n)]),
            ("source port", [ipv4(src, dst, udp(i, 2000)) for i in range(n)]),
            ("destination port", [ipv4(src, dst, udp(1000, i), proto=TCP) for i in range(n)]),
            ("IPv6 source", [ipv6(f"2001:db8:1::{i:x}", dst6, port) for i in range(2, 2 + n)]),
            ("IPv6 destination", [ipv6(src6, f"2001:db8:2:{i:x}::1", port) for i in range(n)]),
            ("IPv6 source port", [ipv6(src6, dst6, udp(i, 2000)) for i in range(n)]),
            ("flow label", [ipv6(src6, dst6, port, flow=i) for i in range(n)]),
            ("flow label of fragments", [ipv6(src6, dst6, struct.pack("!BBHI", UDP, 0, 185 << 3, 7) + bytes(8), proto=44,
                                              flow=i) for i in range(n)])):
        share(members(packets), what=what, tolerance=0.04)
    same = [ipv4(src, dst, udp(1000, 2000, bytes([i])), ttl=64 + i, tos=i, ident=i) for i in range(100)]
    equal(len(set(members(same))), 1, "members of one flow")
    pieces = [ipv4(src, dst, udp(i, i) if not i else bytes([i] * 16), offset=16 * i, more=True) for i in range(100)]
    equal(len(set(members(pieces))), 1, "members of the fragments of one packet")


def stacks(inner, n=3000, change=lambda i: [(77, 0, 9)]):
    """@n labelled packets for label 400, above what @change gives and @inner(i)."""
    return [labels([(400, 0, 64)] + change(i), inner(i)) for i in range(n)]


@test("under a swapped label: the IP packet below the bottom, by its first nibble (RFC 4928)")
def below():
    for depth in (0, 1, 3, 9):
        below400 = [(1000 + d, 0, 9) for d in range(depth)]
        share(members(stacks(lambda i: ipv4("10.1.0.2", "10.9.0.1", udp(i, 1)), change=lambda _: below400), "k1", ETH_MPLS),
              what=f"IPv4 under {depth + 1} labels", tolerance=0.04)
        share(members(stacks(lambda i: ipv6("2001:db8:1::2", "2001:db8:9::1", udp(1, 1), flow=i),
                             change=lambda _: below400), "k1", ETH_MPLS),
              what=f"IPv6 under {depth + 1} labels", tolerance=0.04)
    # no IP packet: a control word (RFC 4385), an Ethernet frame: the content must not count
    for first in (0x00, 0x10, 0x50, 0xf0):
        packets = stacks(lambda i: bytes([first, 0, i >> 8, i & 255]) + os.urandom(60), 200)  # noqa: B023
        equal(len(set(members(packets, "k1", ETH_MPLS))), 1, f"members for content that starts with {first:#x}")


@test("under a swapped label: the labels count, reserved ones never (RFC 6790, 7274)")
def stack():
    def blob(_):
        return b"\x00" * 64

    share(members(stacks(blob, change=lambda i: [(16 + i, 0, 9)]), "k1", ETH_MPLS), what="labels", tolerance=0.04)
    for reserved in [r for r in range(15) if r != 7]:
        equal(len(set(members([labels([(400, 0, 64), (r, 0, 9), (77, 0, 9)], blob(0))
                               for r in (reserved, 0, 13, 14)], "k1", ETH_MPLS))), 1, f"reserved label {reserved}")
    # what follows the extension label is reserved too
    packets = stacks(blob, 200, lambda i: [(15, 0, 9), (100 + i, 0, 9), (77, 0, 9)])
    equal(len(set(members(packets, "k1", ETH_MPLS))), 1, "extended special-purpose labels")


@test("under a swapped label: an entropy label is all that counts (RFC 6790)")
def entropy():
    def same(_):
        return ipv4("10.1.0.2", "10.9.0.1", udp(1, 1))

    share(members(stacks(same, change=lambda i: [(7, 0, 0), (16 + i, 0, 0)]), "k1", ETH_MPLS), what="entropy labels",
          tolerance=0.04)
    share(members(stacks(same, change=lambda i: [(77, 0, 0), (7, 0, 0), (16 + i, 0, 0), (78, 0, 0)]), "k1", ETH_MPLS),
          what="entropy labels in the middle", tolerance=0.04)
    packets = stacks(lambda i: ipv4("10.1.0.2", "10.9.0.1", udp(i, 1)), 300,
                     lambda i: [(7, 0, 0), (99, 0, 0), (1000 + i, 0, 9)])
    equal(len(set(members(packets, "k1", ETH_MPLS))), 1, "members of one entropy label")
    packets = stacks(lambda i: b"\x00" * 64, 100, lambda i: [(7, i & 7, 0)])   # no label behind it: malformed
    equal(len(set(members(packets, "k1", ETH_MPLS))), 1, "members for an indicator at the bottom")


@test("entropy labels below a label that ends here go with it (RFC 6790), and nowhere else")
def entropy_ends():
    def comes(stack_, out, proto):
        """What comes out at @out for a packet with this stack, among what follows."""
        net.flush()
        w = net.wire["k1"]
        w.send(eth(net.mac["core1"], w.mac, ETH_MPLS, labels(stack_, ipv4("10.9.0.1", "10.1.0.2", udp(1, 77), ttl=60))))
        w.send(eth(net.mac["core1"], w.mac, ETH_MPLS, labels([(300, 0, 9)], ipv4("10.9.0.1", "10.1.0.2", udp(1, 78)))))
        p, before = net.wire[out].read(lambda p: p.proto == proto and p.payload and p.payload[2:4] == struct.pack("!H", 78))
        assert p, "the second packet does not come out"
        return [(p.ttl, p.payload[2:4]) for p in before if p.payload and p.ip_proto == UDP]

    one = [(19, struct.pack("!H", 77))]
    equal(comes([(300, 0, 20), (7, 0, 0), (99, 0, 0)], "r1", ETH_IP), one, "VRF label, ELI, EL")
    equal(comes([(301, 0, 20), (7, 0, 0), (99, 0, 0)], "r1", ETH_IP), one, "label of a CE, ELI, EL")
    equal(comes([(0, 0, 20), (7, 0, 0), (99, 0, 0), (300, 0, 50)], "r1", ETH_IP), one, "explicit null, ELI, EL, VRF label")
    drops = nl.drops()
    equal(comes([(300, 0, 20), (7, 0, 0)], "r1", ETH_IP), [], "an indicator at the bottom")
    equal(comes([(300, 0, 20), (7, 0, 0), (99, 0, 0), (5, 0, 0)], "r1", ETH_IP), [], "more below the entropy label")
    equal(comes([(300, 0, 20), (99, 0, 0)], "r1", ETH_IP), [], "more below, and no indicator")
    equal(comes([(7, 0, 20), (99, 0, 0), (300, 0, 9)], "r1", ETH_IP), [], "an indicator on top")
    got = nl.drops()
    equal((got[uapi.DROP_LABEL_STACK] - drops.get(uapi.DROP_LABEL_STACK, 0),
           got[uapi.DROP_LABEL_UNKNOWN] - drops.get(uapi.DROP_LABEL_UNKNOWN, 0)), (3, 1), "drops")


@test("a group behind a group chooses anew: all four ways are taken evenly")
def nested():
    net.flush()
    w = net.wire["r1"]
    for p in [ipv4(address(), "10.3.0.1", udp(i, i)) for i in range(4000)]:
        w.send(eth(net.mac["red1"], w.mac, ETH_IP, p))
    ways = {}
    for wire in ("k1", "k2"):
        for frame in raw(wire):
            if frame[12:14] == struct.pack("!H", ETH_MPLS):
                way = (wire, struct.unpack("!I", frame[14:18])[0] >> 12)
                ways[way] = ways.get(way, 0) + 1
    equal(sum(ways.values()), 4000, "all")
    for way in (("k1", 200), ("k1", 201), ("k2", 200), ("k2", 201)):
        assert abs(ways.get(way, 0) - 1000) < 160, f"{way}: {ways}"


@test("a member is lost and comes back: only its flows move, to the others by their weights")
def resilience():
    packets = flows4(6000)
    before = members(packets)
    for lost in PATHS:
        nl.nh_state(lost, True)
        after = members(packets)
        nl.nh_state(lost, False)
        moved = [b for a, b in zip(before, after) if a == lost]
        equal([b for a, b in zip(before, after) if a != lost], [a for a in before if a != lost], "flows of the others")
        share(moved, {k: v for k, v in PATHS.items() if k != lost}, f"flows of {lost}", 0.1)
    for pair in ((101, 103), (102, 104)):
        for lost in pair:
            nl.nh_state(lost, True)
        after = members(packets)
        for lost in pair:
            nl.nh_state(lost, False)
        equal([b for a, b in zip(before, after) if a not in pair], [a for a in before if a not in pair],
              "flows of the others")
        share(after, {k: v for k, v in PATHS.items() if k not in pair}, f"all flows without {pair}", 0.06)
    equal(members(packets), before, "all back")


@test("netlink's answer for a flow is the member that it takes: IPv4, IPv6, ports, flow label")
def exact_route():
    nl.nh_group(30, [(CORE1, 1, 0), (CORE2, 2, 0)])
    nl.route_add(RED, [prefix4("10.4.0.0/16", 30, VPN)], [prefix6("2001:db8:4::/48", 30, VPN6)])
    seen = {CORE1: 0, CORE2: 0}
    for i in range(300):
        sport, dport, flow = rng.randrange(65536), rng.randrange(65536), rng.randrange(1 << 20)
        attrs = [(uapi.ROUTE_VRF, struct.pack("=I", RED)), (uapi.ROUTE_PROTO, bytes([UDP])),
                 (uapi.ROUTE_SPORT, struct.pack("!H", sport)), (uapi.ROUTE_DPORT, struct.pack("!H", dport))]
        if i % 2:
            src, dst = address(), f"10.4.0.{i % 250}"
            packet = ipv4(src, dst, udp(sport, dport))
            attrs += [(uapi.ROUTE_SRC4, socket.inet_aton(src)), (uapi.ROUTE_DST4, socket.inet_aton(dst))]
        else:
            src, dst = f"2001:db8:1::{i + 2:x}", "2001:db8:4::1"
            packet = ipv6(src, dst, udp(sport, dport), flow=flow)
            attrs += [(uapi.ROUTE_SRC6, socket.inet_pton(socket.AF_INET6, src)),
                      (uapi.ROUTE_DST6, socket.inet_pton(socket.AF_INET6, dst)),
                      (uapi.ROUTE_FLOWLABEL, struct.pack("=I", flow))]
        member = get(nl.do(uapi.CMD_ROUTE_GET, attrs)[0][uapi.ROUTE_MEMBER])
        net.flush()
        w = net.wire["r1"]
        w.send(eth(net.mac["red1"], w.mac, ETH_IP if i % 2 else ETH_IPV6, packet))
        p, _ = net.wire["k1" if member == CORE1 else "k2"].read(lambda p: p.proto == ETH_MPLS)
        assert p, f"flow {i}: told {member}, did not come out there"
        seen[member] += 1
    assert 60 < seen[CORE1] < 140, f"1 to 2: {seen}"


program()
tap.main()
