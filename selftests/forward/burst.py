#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Bursts: packets that are put aside and looked up together (kernel/burst.h). Run in a guest:
scripts/vm -- selftests/forward/burst.py [WORD...]

topology.py draws the network. RED and BLUE have the same 400 prefixes of each family; each of the 1,600 routes pushes a
label of its own, so that a packet that was given another one's answer is seen. A queueing discipline at the lab's ends
(netem with slots) keeps what is sent and lets it go at once, many packets in one pass of the network's softirq.
"""
import os
import random
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, label_record, prefix4, prefix6  # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import (ETH_IP, ETH_IPV6, ETH_MPLS, ICMP, ICMP6, Packet, echo, echo6, eth, ipv4, ipv6,  # noqa: E402
                  labels, sh, udp)

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
PARAMETER = "/sys/module/l3vpn/parameters/burst_routes"
RED, BLUE = 1, 2
CORE, LSP, CE_R1, CE_R2, CE_B1, SIX_R1, SIX_B1 = range(10, 17)
POP = {RED: 300, BLUE: 301}
PREFIXES = 400
FIRST = {(RED, 4): 10000, (BLUE, 4): 20000, (RED, 6): 30000, (BLUE, 6): 40000}   # labels of the routes
SLOT_MS = 100
SO_RCVBUFFORCE = 33

rng = random.Random(SEED)
print(f"# seed {SEED}")
with open(PARAMETER, "w", encoding="ascii") as f:
    f.write("0")
net = Network()
enter_netns("pe")
nl = L3vpn()


def prefix(family, n):
    """A destination within route number @n."""
    return f"10.{64 + n // 256}.{n % 256}.9" if family == 4 else f"2001:db8:{0x4000 + n:x}::9"


def program():
    for vrf, name, ports in ((RED, "RED", ("red1", "red2")), (BLUE, "BLUE", ("blue1",))):
        nl.vrf_new(name, id=vrf)
        sh(f"ip -n pe link set {name} up")
        for port in ports:
            nl.port_new(port, vrf)
    nl.port_new("core1")
    net.address()
    for nh, dev, gateway in ((CORE, "core1", "192.0.2.2"), (CE_R1, "red1", "10.1.0.2"), (CE_R2, "red2", "10.3.0.2"),
                             (CE_B1, "blue1", "10.1.0.2"), (SIX_R1, "red1", "2001:db8:1::2"), (SIX_B1, "blue1", "2001:db8:1::2")):
        nl.nh_adjacency(nh, dev, gateway)
    nl.nh_labelled(LSP, CORE, [100])
    for vrf in (RED, BLUE):
        for at in range(0, PREFIXES, 100):
            some = range(at, at + 100)
            nl.route_add(vrf, [prefix4(f"10.{64 + n // 256}.{n % 256}.0/24", LSP, FIRST[vrf, 4] + n) for n in some],
                         [prefix6(f"2001:db8:{0x4000 + n:x}::/48", LSP, FIRST[vrf, 6] + n) for n in some])
    nl.route_add(RED, [prefix4("10.4.0.0/16", CE_R2), prefix4("10.5.0.0/16", CE_R1)], [prefix6("2001:db8:5::/48", SIX_R1)])
    nl.route_add(BLUE, [prefix4("10.5.0.0/16", CE_B1)], [prefix6("2001:db8:5::/48", SIX_B1)])
    nl.label_add([label_record(label, uapi.LABEL_ACTION_POP_VRF, vrf=vrf) for vrf, label in POP.items()])
    for lab in ("r1", "b1", "k1"):
        sh(f"tc -n lab qdisc add dev {lab} root netem limit 10000 slot {SLOT_MS}ms {SLOT_MS}ms")
    for w in net.wire.values():
        w.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)


def ip(family, src, dst, number):
    """A datagram that says which it is."""
    data = udp(number % 50000, 7, b"burst%06d" % number)
    return ipv4(src, dst, data) if family == 4 else ipv6(src, dst, data)


def send(wire, l3, family, label=None):
    w = net.wire[wire]
    proto = ETH_MPLS if label else ETH_IP if family == 4 else ETH_IPV6
    w.send(eth(net.mac[net.peer[wire]], w.mac, proto, labels([(label, 0, 60)], l3) if label else l3))


def numbers(wire, count):
    """The datagrams of ours that come out at @wire, in that order: {number: packet}; waits for @count of them, no longer."""
    found = {}
    sock = net.wire[wire].sock
    end = time.monotonic() + 5
    while len(found) < count and time.monotonic() < end:
        sock.settimeout(max(0.01, end - time.monotonic()))
        try:
            p = Packet(sock.recv(65535))
        except TimeoutError:
            break
        if p.payload and p.payload[8:13] == b"burst":
            number = int(p.payload[13:19])
            equal(number in found, False, f"datagram {number} at {wire} once")
            found[number] = p
    sock.settimeout(None)
    return found


def source(vrf, family):
    return "10.1.0.2" if family == 4 else "2001:db8:1::2"


@test("1,000 packets of two VRFs and families: each under the label of its own route, each wire's in order")
def own_label():
    net.flush()
    want = {}
    for number in range(1000):
        vrf, family, n = rng.choice((RED, BLUE)), rng.choice((4, 6)), rng.randrange(PREFIXES)
        want[number] = (vrf, FIRST[vrf, family] + n)
        send("r1" if vrf == RED else "b1", ip(family, source(vrf, family), prefix(family, n), number), family)
    found = numbers("k1", 1000)
    equal({n: [label for label, _, _ in p.stack] for n, p in found.items()}, {n: [100, label] for n, (_, label) in want.items()},
          "stacks")
    for vrf in (RED, BLUE):
        order = [n for n in found if want[n][0] == vrf]
        equal(order, sorted(order), "order")


@test("labels of two VRFs, mixed: each to its own VRF's port, between customers' packets to the core")
def from_core():
    net.flush()
    want = {}
    for number in range(600):
        vrf, family = rng.choice((RED, BLUE)), rng.choice((4, 6))
        want[number] = vrf
        dst = f"10.5.0.{number % 250 + 1}" if family == 4 else f"2001:db8:5::{number % 250 + 1:x}"
        send("k1", ip(family, "10.99.0.1" if family == 4 else "2001:db8:99::1", dst, number), family, POP[vrf])
        if number % 3 == 0:
            send("r1", ip(4, source(RED, 4), prefix(4, number % PREFIXES), 5000 + number), 4)
    for wire, vrf in (("r1", RED), ("b1", BLUE)):
        mine = [n for n in want if want[n] == vrf]
        equal(list(numbers(wire, len(mine))), mine, f"what comes out at {wire}")
    equal(len(numbers("k1", 200)), 200, "to the core")


@test("packets for the box and without a route among the others: answered once each, taps see each once")
def for_the_box():
    net.flush()
    tap_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap_socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    tap_socket.bind(("red1", 0))
    before = nl.drops().get(uapi.DROP_NO_ROUTE, 0)
    asked = 60
    for i in range(asked):
        send("r1", ip(4, source(RED, 4), prefix(4, i), i), 4)
        send("r1", ipv4("10.1.0.2", "10.1.0.1", echo(b"ask%05d" % i, seq=i), proto=ICMP), 4)
        send("r1", ipv6("2001:db8:1::2", "2001:db8:1::1", echo6("2001:db8:1::2", "2001:db8:1::1", b"ask%05d" % i, seq=i),
                        proto=ICMP6), 6)
        send("r1", ipv4("10.1.0.2", "203.0.113.1", udp(1, 2, b"none")), 4)
    equal(len(numbers("k1", asked)), asked, "to the core")
    wait(lambda: nl.drops().get(uapi.DROP_NO_ROUTE, 0) - before == asked, "no route")
    answers, heard = [], []
    end = time.monotonic() + 3
    net.wire["r1"].sock.settimeout(0.3)
    while time.monotonic() < end:
        try:
            p = Packet(net.wire["r1"].sock.recv(65535))
        except TimeoutError:
            break
        if p.payload and p.payload[8:11] == b"ask":
            answers.append((p.version, p.payload[8:16]))
    net.wire["r1"].sock.settimeout(None)
    equal(sorted(answers), sorted((v, b"ask%05d" % i) for v in (4, 6) for i in range(asked)), "answers")
    tap_socket.setblocking(False)
    while True:
        try:
            frame, address = tap_socket.recvfrom(65535)
        except BlockingIOError:
            break
        p = Packet(frame)
        if address[2] != socket.PACKET_OUTGOING and p.payload and p.payload[8:11] == b"ask":
            heard.append((p.version, p.payload[8:16]))
    tap_socket.close()
    equal(sorted(heard), sorted(answers), "what a tap at red1 heard")


@test("a port that moves to another VRF while packets come: none by the routes of the one that it left")
def moves():
    net.flush()
    nl.route_del(BLUE, [prefix4(f"10.64.{n}.0/24", LSP) for n in range(100)])    # RED alone has these
    try:
        for turn in range(10):
            for i in range(50):
                send("r1", ip(4, source(RED, 4), prefix(4, i), 1000 * turn + i), 4)
            time.sleep(rng.random() * SLOT_MS / 500)
            nl.port_new("red1", BLUE if turn % 2 == 0 else RED)
            if turn % 2 == 0:
                net.flush()
                for i in range(50):
                    send("r1", ip(4, source(RED, 4), prefix(4, i), 100000 + 1000 * turn + i), 4)
                send("b1", ip(4, source(BLUE, 4), prefix(4, 300), 900000 + turn), 4)
                seen = {}
                wait(lambda: seen.update(numbers("k1", 1)) or 900000 + turn in seen, "BLUE's own")
                equal([n for n in seen if 100000 <= n < 900000], [], "by RED's routes from BLUE")
    finally:
        nl.port_new("red1", RED)


@test("bursts off again: the next packets go their way at once, and counters agree")
def off():
    with open(PARAMETER, "w", encoding="ascii") as f:
        f.write("1000000")
    time.sleep(3 * SLOT_MS / 1000)      # what still waits at the lab's ends
    nl.route_add(RED, [prefix4("10.250.0.0/16", LSP, 9999)])
    net.flush()
    for i in range(100):
        send("r1", ip(4, source(RED, 4), "10.250.0.1", i), 4)
    found = numbers("k1", 100)
    equal((list(found), {p.stack[1][0] for p in found.values()}), (list(range(100)), {9999}), "packets")


program()
tap.main()
