#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What senders are told, octet by octet: ICMP from the right place in corners that forward.py does not look into,
pieces of labelled packets, rates. In a guest: scripts/vm -- selftests/forward/errors.py [WORD...]

topology.py draws the network.
"""
import os
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, get, label_record, prefix4, prefix6, u32  # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import (ETH_IP, ETH_IPV6, ETH_MPLS, ICMP, ICMP6, checksum, echo, eth, ipv4, ipv6, labels,  # noqa: E402
                  sh, udp)

RED, BLUE = 1, 2
CORE1, CORE2, LSP, CE_R2 = range(10, 14)
POP_VRF, SWAP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_SWAP
IP_RECVERR, MSG_ERRQUEUE = 11, 0x2000

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE")):
        nl.vrf_new(name, id=vrf)
        table = get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(vrf))])[0][uapi.VRF_TABLE])
        sh(f"ip -n pe link set {name} up; ip -n pe route add default dev {name} table {table}; "
           f"ip -n pe -6 route add default dev {name} table {table}")
    for port, vrf in (("red1", RED), ("red2", RED), ("blue1", BLUE), ("core1", None), ("core2", None)):
        nl.port_new(port, vrf)
    net.address()
    sh("ip -n pe addr add 203.0.113.1/32 dev lo; ip -n pe addr add 2001:db8:ff::1/128 dev lo")
    nl.nh_adjacency(CORE1, "core1", "192.0.2.2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
    nl.nh_labelled(LSP, CORE1, [100])
    for vrf, label in ((RED, 5000), (BLUE, 7000)):
        nl.route_add(vrf, [prefix4("10.2.0.0/16", LSP, label)], [prefix6("2001:db8:2::/48", LSP, label)])
    nl.route_add(RED, [prefix4("10.4.0.0/16", CE_R2)])
    nl.label_add([label_record(300, POP_VRF, vrf=RED), label_record(301, POP_VRF, vrf=BLUE),
                  label_record(400, SWAP, nh=CORE2, out_label=500), label_record(401, SWAP, nh=CORE2, out_label=3)])


def up(wire, l3, proto=ETH_IP):
    w = net.wire[wire]
    w.send(eth(net.mac[net.peer[wire]], w.mac, proto, l3))


def down(wire, wanted, what):
    got, before = net.wire[wire].read(wanted)
    if got is None:
        raise AssertionError(f"{what}: does not come out at {wire}; seen: {before[:5]}; drops {nl.drops()}")
    return got


def is_icmp(p):
    return p.ip_proto == ICMP or (p.ip_proto == ICMP6 and p.payload[0] < 128)


def told(wire, l3, proto, reason, kind, code, saddr, out=None):
    """@l3 is dropped for @reason, and its sender told so at @out; the ICMP packet."""
    before = nl.drops().get(reason, 0)
    net.flush()
    up(wire, l3, proto)
    p = down(out or wire, is_icmp, "ICMP")
    equal((p.payload[0], p.payload[1], p.saddr), (kind, code, saddr), str(p))
    equal(nl.drops().get(reason, 0) - before, 1, f"drops for reason {reason} ({nl.drops()})")
    return p


def silent(wire, l3, proto, out, after):
    """Nothing but what @after, a packet that does come out there, makes appears at @out."""
    net.flush()
    up(wire, l3, proto)
    up(wire, *after)
    _, before = net.wire[out].read(lambda p: p.payload is not None and b"sentinel" in p.payload)
    equal([p for p in before if is_icmp(p)], [], f"ICMP at {out}")


SENTINEL = (ipv4("10.1.0.2", "10.1.0.2", udp(1, 1, b"sentinel")), ETH_IP)


# ---- a way out that is down

@test("a port that is down: network unreachable behind a gateway, host unreachable on link, address unreachable")
def port_down():
    sh("ip -n lab link set k1 down; ip -n lab link set r2 down")
    wait(lambda: "LOWER_UP" not in sh("ip -n pe link show core1; ip -n pe link show red2").stdout, "no carrier")
    try:
        down4 = uapi.DROP_PORT_DOWN
        told("r1", ipv4("10.1.0.2", "10.2.0.9", udp(1, 2)), ETH_IP, down4, 3, 0, "10.1.0.1")
        told("r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2)), ETH_IP, down4, 3, 0, "10.1.0.1")
        told("r1", ipv4("10.1.0.2", "10.3.0.9", udp(1, 2)), ETH_IP, down4, 3, 1, "10.1.0.1")
        told("r1", ipv6("2001:db8:1::2", "2001:db8:2::9", udp(1, 2)), ETH_IPV6, down4, 1, 3, "2001:db8:1::1")
    finally:
        sh("ip -n lab link set k1 up; ip -n lab link set r2 up")
        wait(lambda: sh("ip -n pe link show core1; ip -n pe link show red2").stdout.count("LOWER_UP") == 2, "carrier")
        net.neighbours()


# ---- who speaks

@test("a VRF without an IPv4 address speaks as 192.0.0.8, a core port without one by the router's loopback, then so")
def dummy_source():
    sh("ip -n pe addr del 10.1.0.1/24 dev blue1; ip -n pe addr del 192.0.2.1/30 dev core1; "
       "ip -n pe addr del 192.0.2.5/30 dev core2")
    net.neighbours()        # the kernel forgets those of a device that loses its last address
    switched = labels([(400, 0, 1), (77, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2)))
    try:
        p = told("k1", labels([(301, 0, 1)], ipv4("10.2.0.1", "10.2.0.2", udp(1, 2))), ETH_MPLS, uapi.DROP_TTL, 11, 0,
                 "192.0.0.8")
        equal([label for label, _, _ in p.stack], [100, 7000], "stack")
        told("k1", switched, ETH_MPLS, uapi.DROP_TTL, 11, 0, "203.0.113.1", "k2")
        sh("ip -n pe addr del 203.0.113.1/32 dev lo")
        told("k1", switched, ETH_MPLS, uapi.DROP_TTL, 11, 0, "192.0.0.8", "k2")
    finally:
        sh("ip -n pe addr replace 203.0.113.1/32 dev lo; ip -n pe addr replace 10.1.0.1/24 dev blue1; "
           "ip -n pe addr replace 192.0.2.1/30 dev core1; ip -n pe addr replace 192.0.2.5/30 dev core2")
        net.neighbours()


@test("IPv6: an address of another port of the VRF, else of the router itself, never of another VRF")
def source6():
    sh("ip -n pe addr del 2001:db8:1::1/64 dev red1; ip -n pe addr add 2001:db8:3::1/64 dev red2 nodad")
    expired = labels([(300, 0, 1)], ipv6("2001:db8:2::1", "2001:db8:2::2", udp(1, 2)))
    switched = labels([(400, 0, 1), (77, 0, 9)], ipv6("2001:db8:2::1", "2001:db8:1::2", udp(1, 2)))
    try:
        told("k1", expired, ETH_MPLS, uapi.DROP_TTL, 3, 0, "2001:db8:3::1")
        sh("ip -n pe addr del 2001:db8:3::1/64 dev red2")
        told("k1", expired, ETH_MPLS, uapi.DROP_TTL, 3, 0, "2001:db8:ff::1")
        sh("ip -n pe addr del 2001:db8:ff::1/128 dev lo")
        told("k1", expired, ETH_MPLS, uapi.DROP_TTL, 3, 0, "2001:db8:c::1")
        told("k1", switched, ETH_MPLS, uapi.DROP_TTL, 3, 0, "2001:db8:c::1", "k2")
        sh("ip -n pe addr del 2001:db8:c::1/64 dev core1")
        silent("k1", expired, ETH_MPLS, "k1", (labels([(300, 0, 9)], ipv4("10.2.0.1", "10.2.0.2", udp(1, 1, b"sentinel"))),
                                              ETH_MPLS))
    finally:
        sh("ip -n pe addr replace 2001:db8:ff::1/128 dev lo; ip -n pe addr replace 2001:db8:1::1/64 dev red1 nodad; "
           "ip -n pe addr replace 2001:db8:c::1/64 dev core1 nodad")
        net.neighbours()


# ---- labelled packets that are too big

def core_mtu(mtu, port="core2"):
    sh(f"ip -n pe link set {port} mtu {mtu}")


@test("switched, too big, DF or IPv6: told the MTU less all labels, along the path, with the stack")
def swap_told():
    core_mtu(1400)
    for label, other in ((400, 8), (401, 4)):
        big = ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, bytes(1400 - other - 28 + 1)), df=True)
        p = told("k1", labels([(label, 5, 50), (77, 3, 12)], big), ETH_MPLS, uapi.DROP_MTU, 3, 4, "192.0.2.1", "k2")
        equal(struct.unpack("!H", p.payload[6:8])[0], 1400 - other, "MTU")
        equal([entry for entry, _, _ in p.stack], [500, 77] if label == 400 else [77], "stack")
        equal({ttl for _, _, ttl in p.stack}, {255}, "TTLs")
        equal(p.payload[-8:], struct.pack("!II", label << 12 | 5 << 9 | 50, 77 << 12 | 3 << 9 | 256 | 12), "RFC 4950")
        big6 = ipv6("2001:db8:2::1", "2001:db8:1::2", udp(1, 2, bytes(1400 - other - 48 + 1)))
        p = told("k1", labels([(label, 5, 50), (77, 3, 12)], big6), ETH_MPLS, uapi.DROP_MTU, 2, 0, "2001:db8:c::1", "k2")
        equal(struct.unpack("!I", p.payload[4:8])[0], 1400 - other, "MTU")
    core_mtu(1500)


def pieces(out, ident, n):
    """{offset: packet} of the pieces of a packet that is @n octets long."""
    found, have = {}, 0
    while have < n:
        p = down(out, lambda p: p.version == 4 and struct.unpack("!H", p.ip[4:6])[0] == ident, "piece")
        found[(p.frag & 0x1fff) * 8] = p
        have += len(p.payload)
    return found


@test("switched, too big, IPv4 without DF: cut, with the stack on every piece (RFC 3032 section 3.4)")
def swap_cut():
    data = udp(1, 2, bytes(i * 7 & 255 for i in range(1300)))
    for mtu in (600, 700):
        core_mtu(mtu)
        for label, stack, wanted, ttl in ((400, [(77, 3, 12)], [(500, 5, 49), (77, 3, 12)], 9), (400, [], [(500, 5, 49)], 9),
                                          (401, [(77, 3, 255)], [(77, 3, 49)], 9), (401, [], [], 49)):
            up("k1", labels([(label, 5, 50)] + stack, ipv4("10.2.0.1", "10.1.0.2", data, ident=4711, ttl=max(ttl, 9))),
               ETH_MPLS)
            found = pieces("k2", 4711, len(data))
            assert len(found) > 1, "one piece"
            for p in found.values():
                equal((p.stack, p.ttl, len(p.l3) <= mtu), (wanted, ttl, True), f"label {label} over {stack}: {p}")
            equal(b"".join(p.payload for _, p in sorted(found.items())), data, "put together again")
    core_mtu(1500)


@test("options that belong into the first piece are in no other, at the ingress and where packets are switched")
def cut_options():
    data = udp(1, 2, bytes(1440))
    for proto, wire, out, port, make in (
            (ETH_IP, "r1", "k1", "core1", lambda p: p),
            (ETH_MPLS, "k1", "k2", "core2", lambda p: labels([(400, 5, 50), (77, 3, 12)], p))):
        core_mtu(900, port)
        # record route (not copied), then router alert (copied)
        packet = ipv4("10.1.0.2", "10.2.0.5", data, ident=4712, options=b"\x07\x07\x04\0\0\0\0\x94\x04\0\0\0")
        up(wire, make(packet), proto)
        found = sorted(pieces(out, 4712, len(data)).items())
        assert len(found) > 1, "one piece"
        equal(found[0][1].ip[20:32], b"\x07\x07\x04\0\0\0\0\x94\x04\0\0\0", "first piece")
        for _, p in found[1:]:
            equal(p.ip[20:32], b"\x01" * 7 + b"\x94\x04\0\0\0", "another piece")
        core_mtu(1500, port)


@test("an error that would not fit its own path is made shorter")
def short_error():
    core_mtu(400)
    p = told("k1", labels([(400, 0, 1), (77, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 2, bytes(900)))), ETH_MPLS,
             uapi.DROP_TTL, 11, 0, "192.0.2.1", "k2")
    assert 300 < len(p.l3) <= 400, f"{len(p.l3)} octets"
    core_mtu(1500)


# ---- options (RFC 6178)

@test("IPv4 options change nothing about the labels, nor about the errors")
def options():
    for option in (b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0\0", b"\x44\x08\x05\0\0\0\0\0"):
        net.flush()
        up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, b"option"), ttl=9, options=option))
        p = down("k1", lambda p: p.payload is not None and b"option" in p.payload, "packet")
        equal((p.stack, p.ip[20:20 + len(option)]), ([(100, 0, 8), (5000, 0, 8)], option), "packet")
        orig = ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, b"option"), ttl=1, options=option)
        p = told("r1", orig, ETH_IP, uapi.DROP_TTL, 11, 0, "10.1.0.1")
        equal(p.payload[8:], orig, "quotation")


# ---- rates

def answers(wire, n, source):
    """How many errors come back at @wire for @n packets, and how long that took."""
    net.flush()
    start = time.monotonic()
    for i in range(n):
        up(wire, ipv4(source(i), "10.2.0.5", udp(1, 2), ttl=1))
    taken = time.monotonic() - start
    up(wire, ipv4("10.1.0.2", "10.2.0.9", udp(1, 1, b"sentinel")))
    down("k1", lambda p: p.payload is not None and b"sentinel" in p.payload, "sentinel")
    got = 0
    while net.wire[wire].read(is_icmp, 0)[0]:
        got += 1
    return got, taken


@test("rates: one source gets its burst; all sources of a VRF together the VRF's; another VRF has its own")
def rates():
    time.sleep(1)           # buckets fill: this is a test of time itself
    got, taken = answers("r1", 300, lambda i: "10.1.0.2")
    assert 50 <= got <= 51 + 100 * taken, f"one source: {got} in {taken:.3f} s"
    nl.route_add(RED, [prefix4("10.128.0.0/9", CE_R2)])
    time.sleep(1)
    before = nl.drops().get(uapi.DROP_TTL, 0)
    got, taken = answers("r1", 1500, lambda i: f"10.1.{i // 250}.{2 + i % 250}")
    equal(nl.drops()[uapi.DROP_TTL] - before, 1500, "drops")
    assert got <= 201 + 1000 * taken, f"many sources: {got} in {taken:.3f} s"
    got, _ = answers("b1", 5, lambda i: "10.1.0.2")
    assert got >= 1, "the other VRF hears nothing"
    nl.route_del(RED, [prefix4("10.128.0.0/9", 0)])


# ---- to our own sockets

def errors_of(s):
    try:
        _, ancillary, _, sender = s.recvmsg(512, 512, MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    for _, kind, data in ancillary:
        if kind == IP_RECVERR:
            _, _, icmp_type, code = struct.unpack_from("=IBBB", data)
            return icmp_type, code, socket.inet_ntoa(data[20:24])
    return None


@test("a socket of the VRF hears of its packets from P routers, whose addresses the VRF does not know")
def local_errors():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"RED")
    s.setsockopt(socket.SOL_IP, IP_RECVERR, 1)
    s.setblocking(False)
    s.bind(("10.1.0.1", 40000))
    net.flush()
    s.sendto(b"probe", ("10.2.0.5", 33434))
    sent = down("k1", lambda p: p.payload is not None and b"probe" in p.payload, "the probe")

    def exceeded(source, quoted):
        body = b"\x0b\0\0\0\0\0\0\0" + quoted
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        return labels([(300, 0, 9)], ipv4(source, "10.1.0.1", body, proto=ICMP))
    for source in ("10.1.0.1", "203.0.113.1"):
        before = nl.drops().get(uapi.DROP_MARTIAN, 0)
        up("k1", exceeded(source, sent.ip), ETH_MPLS)
        wait(lambda b=before: nl.drops().get(uapi.DROP_MARTIAN, 0) == b + 1, f"drop of an error from {source}")
    equal(errors_of(s), None, "nothing heard from ourselves")
    up("k1", exceeded("198.51.100.77", sent.ip), ETH_MPLS)
    equal(wait(lambda: errors_of(s), "an error"), (11, 0, "198.51.100.77"), "error")
    before = nl.drops().get(uapi.DROP_MARTIAN, 0)
    up("k1", labels([(300, 0, 9)], ipv4("198.51.100.77", "10.1.0.1", echo(b"x"), proto=ICMP)), ETH_MPLS)
    wait(lambda: nl.drops().get(uapi.DROP_MARTIAN, 0) == before + 1, "a question from there is dropped")
    s.close()


program()
net.flush()
tap.main()
