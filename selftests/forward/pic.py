#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Backups in groups: every way to fail, and back again without loss, counted under a flood. Run in a guest:
scripts/vm -- selftests/forward/pic.py [WORD...]

topology.py draws the network. The group PRIMARY has core1 and, as a backup, core2; EDGE has a path to one PE by either
core port, and as a backup a path to another PE with a VPN label of its own.
"""
import os
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, get, label_record, prefix4     # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from topology import ADDRESSES, Network                                 # noqa: E402
from wire import (ETH_ARP, ETH_IP, ETH_MPLS, ICMP, arp, eth, ipv4, labels, sh, udp)  # noqa: E402

RED, BLUE = 1, 2
CORE1, CORE2, CE1, CE2, CEB, PRIMARY, BOTH, PE_A, PE_B, EDGE, INTO_RED = range(10, 21)
LSP_A1, LSP_A2, WAY_A, WAY_B = range(21, 25)
CE_FIRST, CE_THREE, HUB, EG_A, EG_B, TWO_PES, CE_ONWARD, CE_ELSE, SPREAD, SHARED = range(30, 40)
BACKUP = uapi.MEMBER_FLAG_BACKUP
ONWARD = BACKUP | uapi.MEMBER_FLAG_ONWARD
SO_RCVBUFFORCE = 33
MAGIC = b"flood"

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    """The tables that all tests share."""
    nl.vrf_new("RED", RED)
    nl.vrf_new("BLUE", BLUE)
    for dev, vrf in (("red1", RED), ("red2", RED), ("blue1", BLUE), ("core1", None), ("core2", None)):
        nl.port_new(dev, vrf)
    net.address()
    for nh, dev, gateway in ((CORE1, "core1", "192.0.2.2"), (CORE2, "core2", "192.0.2.6"), (CE1, "red1", "10.1.0.2"),
                             (CE2, "red2", "10.3.0.2"), (CEB, "blue1", "10.1.0.2")):
        nl.nh_adjacency(nh, dev, gateway)
    nl.nh_group(PRIMARY, [(CORE1, 1, 0), (CORE2, 1, BACKUP)])
    nl.nh_group(BOTH, [(CORE1, 1, 0), (CORE2, 1, BACKUP)])
    nl.nh_labelled(PE_A, BOTH, [100, 5001])
    nl.nh_labelled(PE_B, CORE2, [200, 5002])
    nl.nh_group(EDGE, [(PE_A, 1, 0), (PE_B, 1, BACKUP)])
    nl.nh_group(CE_FIRST, [(CE2, 1, 0), (PE_B, 1, BACKUP)])
    nl.nh_group(CE_THREE, [(CE2, 1, 0), (PE_B, 1, BACKUP), (CE1, 1, BACKUP)])
    nl.nh_group(HUB, [(PE_A, 1, 0), (PE_B, 1, BACKUP)])
    nl.nh_labelled(LSP_A1, CORE1, [100])
    nl.nh_labelled(LSP_A2, CORE2, [110])
    nl.nh_group(WAY_A, [(LSP_A1, 1, 0), (LSP_A2, 1, BACKUP)])
    nl.nh_labelled(WAY_B, CORE2, [200])
    nl.nh_egress(EG_A, WAY_A, 5001)
    nl.nh_egress(EG_B, WAY_B, 5002)
    nl.nh_group(TWO_PES, [(EG_A, 1, 0), (EG_B, 1, BACKUP)])
    nl.nh_group(SPREAD, [(EG_A, 1, 0), (EG_B, 1, 0)])
    nl.nh_group(SHARED, [(CE2, 1, 0), (EG_A, 3, uapi.MEMBER_FLAG_LOCAL)])
    nl.nh_group(CE_ONWARD, [(CE2, 1, 0), (EG_B, 1, ONWARD)])
    nl.nh_new(INTO_RED, uapi.NH_KIND_VRF, [(uapi.NH_VRF, struct.pack("=I", RED))])
    nl.route_add(RED, [prefix4("10.20.0.0/16", PRIMARY, 6000), prefix4("10.21.0.0/16", EDGE),
                       prefix4("10.22.0.0/16", CE_FIRST), prefix4("10.23.0.0/16", CE_THREE),
                       prefix4("10.24.0.0/16", HUB), prefix4("10.4.0.0/16", CE2), prefix4("10.25.0.0/16", TWO_PES),
                       prefix4("10.26.0.0/16", CE_ONWARD), prefix4("10.27.0.0/16", SPREAD),
                       prefix4("10.28.0.0/16", TWO_PES, 77), prefix4("10.29.0.0/16", SHARED)])
    nl.nh_group(CE_ELSE, [(CE2, 1, 0), (INTO_RED, 1, BACKUP)])
    nl.route_add(BLUE, [prefix4("10.22.0.0/16", INTO_RED)])
    nl.label_add([label_record(300, uapi.LABEL_ACTION_POP_VRF, vrf=RED),
                  label_record(301, uapi.LABEL_ACTION_POP_VRF, vrf=BLUE),
                  label_record(302, uapi.LABEL_ACTION_POP_NH, vrf=RED, nh=CE_FIRST),
                  label_record(303, uapi.LABEL_ACTION_POP_NH, vrf=RED, nh=CE_ELSE),
                  label_record(401, uapi.LABEL_ACTION_SWAP, nh=TWO_PES, out_label=501),
                  label_record(400, uapi.LABEL_ACTION_SWAP, nh=PRIMARY, out_label=500)])
    for w in net.wire.values():
        w.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)


def frames(wire):
    """All frames that wait at a wire."""
    sock = net.wire[wire].sock
    sock.setblocking(False)
    found = []
    while True:
        try:
            found.append(sock.recv(65535))
        except BlockingIOError:
            break
        except OSError:         # told once when a test takes the link down
            continue
    sock.setblocking(True)
    return found


def number(frame):
    """Which packet of the flood this is; None: of no flood."""
    at = frame.find(MAGIC)
    return struct.unpack("!I", frame[at + 5:at + 9])[0] if at > 0 else None


def arp_requests(seen, address):
    """Requests for @address among frames."""
    return [f for f in seen if f[12:14] == struct.pack("!H", ETH_ARP) and f[14 + 7] == 1 and
            f[14 + 24:14 + 28] == socket.inet_aton(address)]


class Flood:
    """with Flood() as f: numbered packets from a CE, without an end; then f.at: {wire: set of numbers}, f.sent."""

    def __init__(self, wire="r1", make=None):
        self.wire = net.wire[wire]
        self.head = net.mac[net.peer[wire]], self.wire.mac
        self.make = make or (lambda data, i: ipv4("10.1.0.2", f"10.20.{i >> 8 & 255}.{i & 255}", udp(1, i & 65535, data)))
        self.sent, self.stop, self.seen = 0, False, {name: [] for name in net.wire}
        self.at = {}
        self.thread = threading.Thread(target=self.run)

    def run(self):
        """Send, ten each millisecond or as many as it can be."""
        while not self.stop:
            for _ in range(10):
                packet = self.make(MAGIC + struct.pack("!I", self.sent), self.sent)
                self.wire.send(eth(*self.head, ETH_IP, packet))
                self.sent += 1
            time.sleep(0.001)

    def __enter__(self):
        net.flush()
        self.thread.start()
        self.goes_on()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.look()

    def look(self):
        """Take what has arrived."""
        for name, seen in self.seen.items():
            new = frames(name)
            seen += new
            self.at.setdefault(name, set()).update(i for i in map(number, new) if i is not None)

    def goes_on(self, packets=200):
        """Wait until that many more have been sent."""
        until = self.sent + packets
        wait(lambda: self.sent >= until, "the flood")

    def only_at(self, wire):
        """From now on, all come out at @wire."""
        self.look()
        sizes = {name: len(seen) for name, seen in self.at.items() if name != wire}
        before = len(self.at[wire])
        self.goes_on()
        self.look()
        equal({name: len(seen) for name, seen in self.at.items() if name != wire}, sizes, f"packets elsewhere than {wire}")
        assert len(self.at[wire]) > before, f"nothing at {wire}"

    def lost(self):
        """How many came out nowhere."""
        return self.sent - len(set().union(*self.at.values()))


def forget(dev, address):
    """No neighbour entry any more."""
    sh(f"ip -n pe neigh del {address} dev {dev}", check=False)


def answer(wire, address, seen=()):
    """Answer ARP for @address at @wire: the request among @seen, or the next one."""
    w = net.wire[wire]
    asked = wait(lambda: arp_requests(list(seen) + frames(wire), address), f"ARP for {address}")[0]
    w.send(eth(asked[6:12].hex(":"), w.mac, ETH_ARP, arp(2, w.mac, address, asked[22:28].hex(":"),
                                                         socket.inet_ntoa(asked[28:32]))))


def answer_at(flood, wire, address):
    """Likewise while a flood is on, which keeps what has arrived."""
    def asked():
        flood.look()
        return arp_requests(flood.seen[wire], address)

    flood.look()
    flood.seen[wire].clear()
    request = wait(asked, f"ARP for {address}")[0]
    w = net.wire[wire]
    w.send(eth(request[6:12].hex(":"), w.mac, ETH_ARP, arp(2, w.mac, address, request[22:28].hex(":"),
                                                           socket.inet_ntoa(request[28:32]))))


def carrier(dev):
    """Does the router see a carrier there?"""
    return "LOWER_UP" in sh(f"ip -n pe link show {dev}").stdout


def in_use(group):
    """The members that take flows."""
    return get(nl.nh_get(group)[uapi.NH_IN_USE])


def out(wire, l3, proto=ETH_IP):
    """{where: labels} of what becomes of one packet; ICMP back to the sender counts."""
    net.flush()
    w = net.wire[wire]
    data = MAGIC + struct.pack("!I", 4711)
    w.send(eth(net.mac[net.peer[wire]], w.mac, proto, l3(data)))
    # a packet that always passes, in the same direction
    last = MAGIC + struct.pack("!I", 4712)
    if proto == ETH_IP:
        w.send(eth(net.mac[net.peer[wire]], w.mac, ETH_IP, ipv4("10.1.0.2", "10.1.0.2", udp(9, 9, last))))
    else:
        w.send(eth(net.mac[net.peer[wire]], w.mac, proto, labels([(300, 0, 64)], ipv4("10.9.0.1", "10.1.0.2", udp(9, 9, last)))))
    p, before = net.wire["r1"].read(lambda p: p.payload and last in p.payload)
    assert p, f"the last packet does not come out; drops {nl.drops()}"
    found = {"r1": before}
    for name in net.wire:
        if name != "r1":
            _, found[name] = net.wire[name].read(lambda p: False, 0)
    return {name: [label for label, _, _ in p.stack] for name, packets in found.items() for p in packets
            if p.payload and (data in p.payload or p.ip_proto == ICMP)}


# ---- ways to fail

@test("one netlink message: thirty times down and up under a flood, nothing is lost")
def message():
    with Flood() as f:
        f.only_at("k1")
        for _ in range(30):
            nl.nh_state(CORE1, True)
            f.goes_on(30)
            nl.nh_state(CORE1, False)
            f.goes_on(30)
        nl.nh_state(CORE1, True)
        f.only_at("k2")
        nl.nh_state(CORE1, False)
        f.only_at("k1")
    equal(f.lost(), 0, "lost")
    assert len(f.at["k2"]) > 200, "the backup was hardly used"


@test("carrier: lost, the backup has the next packet; back, nothing is lost while the neighbour is not resolved")
def carrier_loss():
    with Flood() as f:
        f.only_at("k1")
        sh("ip -n lab link set k1 down")
        f.only_at("k2")
        f.look()
        seen = f.at["k1"] | f.at["k2"]
        print(f"# packets lost with the carrier: {sum(i not in seen for i in range(max(seen)))}")
        forget("core1", "192.0.2.2")
        equal(in_use(PRIMARY), 0b10)
        sh("ip -n lab link set k1 up")
        wait(lambda: carrier("core1"), "carrier of core1")
        begin = f.sent
        f.only_at("k2")         # the neighbour is asked for, and has not answered
        equal(in_use(PRIMARY), 0b10)
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(PRIMARY) == 0b01, "the primary")
        f.only_at("k1")
    lost = [i for i in range(begin, f.sent) if i not in f.at["k1"] | f.at["k2"]]
    equal(lost, [], "lost while it came back")
    net.neighbours()


@test("neighbour: failed, the backup has the next packet; it is asked for, and has its packets when it answers")
def neighbour_failed():
    with Flood() as f:
        sh(f"ip -n pe neigh replace 192.0.2.2 lladdr {net.mac['k1']} dev core1 nud reachable")
        f.only_at("k1")
        sh("ip -n pe neigh change 192.0.2.2 dev core1 nud failed")
        f.only_at("k2")
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(PRIMARY) == 0b01, "the primary")
        f.only_at("k1")
        forget("core1", "192.0.2.2")
        f.only_at("k2")
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(PRIMARY) == 0b01, "the primary")
        f.only_at("k1")
    equal(f.lost(), 0, "lost")
    net.neighbours()


@test("neighbour: one that falls silent is probed and given up in the time that its sysctls say")
def neighbour_silent():
    dirs = "/proc/sys/net/ipv4/neigh/core1/"
    values = {"delay_first_probe_time": "1", "retrans_time_ms": "100", "ucast_solicit": "3", "mcast_solicit": "3"}
    before = {}
    for name, value in values.items():
        with open(dirs + name, encoding="utf-8") as file:
            before[name] = file.read()
        with open(dirs + name, "w", encoding="utf-8") as file:
            file.write(value)
    with Flood() as f:
        sh(f"ip -n pe neigh replace 192.0.2.2 lladdr {net.mac['k1']} dev core1 nud stale")
        begin = time.monotonic()
        f.goes_on()             # probes are sent, nobody answers
        wait(lambda: in_use(PRIMARY) == 0b10, "the backup")
        took = time.monotonic() - begin
        f.only_at("k2")
        print(f"# stale, delay 1 s, three probes 100 ms apart: given up after {took:.2f} s")
        assert 1.0 < took < 2.5, took
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(PRIMARY) == 0b01, "the primary")
        f.only_at("k1")
    equal(f.lost(), 0, "lost by the router itself")
    for name, value in before.items():
        with open(dirs + name, "w", encoding="utf-8") as file:
            file.write(value)
    net.neighbours()


@test("device set down, and up again without loss")
def device_down():
    with Flood() as f:
        f.only_at("k1")
        sh("ip -n pe link set core1 down")
        f.only_at("k2")
        begin = f.sent
        sh("ip -n pe link set core1 up")
        wait(lambda: carrier("core1"), "carrier of core1")
        f.only_at("k2")
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(PRIMARY) == 0b01, "the primary")
        f.only_at("k1")
    equal([i for i in range(begin, f.sent) if i not in f.at["k1"] | f.at["k2"]], [], "lost while it came back")
    for a in ADDRESSES["core1"]:
        sh(f"ip -n pe addr replace {a} dev core1{' nodad' if ':' in a else ''}")
    net.neighbours()


@test("a VLAN loses its carrier with the device below, without waiting for the kernel's work")
def vlan():
    sh("ip -n pe link add link core1 name core1.7 type vlan id 7; ip -n pe addr add 192.0.2.17/30 dev core1.7; "
       "ip -n pe link set core1.7 up")
    nl.port_new("core1.7")
    sh(f"ip -n pe neigh replace 192.0.2.18 lladdr {net.mac['k1']} dev core1.7 nud permanent")
    nl.nh_adjacency(90, "core1.7", "192.0.2.18")
    nl.nh_group(91, [(90, 1, 0), (CORE2, 1, BACKUP)])
    equal(in_use(91), 0b01)
    sh("ip -n lab link set k1 down")
    equal(in_use(91), 0b10, "at once")
    sh("ip -n lab link set k1 up")
    wait(lambda: carrier("core1") and carrier("core1.7"), "carriers")
    sh("ip -n pe link del core1.7")
    equal(in_use(91), 0b10, "deleted")
    nl.nh_del(91)
    nl.nh_del(90)
    net.neighbours()


@test("a port is unbound, moved to another VRF, its device deleted: backups take over")
def unbound():
    group = 92
    nl.nh_group(group, [(CE2, 1, 0), (CE1, 1, BACKUP)])
    nl.route_add(RED, [prefix4("10.30.0.0/16", group)])
    for change, back in (("ip -n pe link set red2 nomaster", lambda: nl.port_new("red2", RED)),
                         ("ip -n pe link set red2 master BLUE", lambda: nl.port_new("red2", RED))):
        equal(set(out("r1", lambda data: ipv4("10.1.0.2", "10.30.0.1", udp(1, 1, data)))), {"r2"}, "primary")
        sh(change)
        equal(set(out("r1", lambda data: ipv4("10.1.0.2", "10.30.0.1", udp(1, 1, data)))), {"r1"}, change)
        back()
        for a in ADDRESSES["red2"]:
            sh(f"ip -n pe addr replace {a} dev red2")
        sh("ip -n pe link set red2 up")
        net.neighbours()
        nl.nh_adjacency(CE2, "red2", "10.3.0.2")
        wait(lambda: in_use(group) == 0b01, "the primary")
    sh("ip -n lab link add k3 type veth peer name core3 netns pe; ip -n lab link set k3 up; ip -n pe link set core3 up; "
       "ip -n pe addr add 192.0.2.9/30 dev core3; "
       "ip -n pe neigh replace 192.0.2.10 lladdr 02:00:00:00:00:33 dev core3 nud permanent")
    nl.port_new("core3")
    nl.nh_adjacency(93, "core3", "192.0.2.10")
    nl.nh_group(94, [(93, 1, 0), (CORE2, 1, BACKUP)])
    nl.route_add(RED, [prefix4("10.31.0.0/16", 94, 7000)])
    equal(out("r1", lambda data: ipv4("10.1.0.2", "10.31.0.1", udp(1, 1, data))), {}, "primary, where nobody looks")
    sh("ip -n pe link del core3")
    equal(out("r1", lambda data: ipv4("10.1.0.2", "10.31.0.1", udp(1, 1, data))), {"k2": [7000]}, "deleted")
    nl.route_del(RED, [prefix4("10.30.0.0/16", group), prefix4("10.31.0.0/16", 94)])
    for nh in (94, 93, group):
        nl.nh_del(nh)


@test("a new group whose primary is not resolved yet: the backup serves; none resolved: packets wait for the primary")
def unresolved():
    forget("core1", "192.0.2.2")
    nl.nh_adjacency(95, "core1", "192.0.2.2")
    nl.nh_group(96, [(95, 1, 0), (CORE2, 1, BACKUP)])
    nl.route_add(RED, [prefix4("10.32.0.0/16", 96, 7000)])
    with Flood(make=lambda data, i: ipv4("10.1.0.2", f"10.32.0.{i & 255}", udp(1, 1, data))) as f:
        f.only_at("k2")
        answer_at(f, "k1", "192.0.2.2")
        wait(lambda: in_use(96) == 0b01, "the primary")
        f.only_at("k1")
    equal(f.lost(), 0, "lost")
    nl.route_del(RED, [prefix4("10.32.0.0/16", 96)])
    nl.nh_del(96)
    nl.nh_del(95)
    # none resolved: two neighbours that were never heard of
    net.neighbours()
    net.flush()
    sh("ip -n pe addr add 198.51.100.1/24 dev core2")
    nl.nh_adjacency(95, "core2", "198.51.100.2")
    nl.nh_adjacency(97, "core2", "198.51.100.3")
    nl.nh_group(96, [(95, 1, 0), (97, 1, BACKUP)])
    nl.route_add(RED, [prefix4("10.32.0.0/16", 96, 7000)])
    w = net.wire["r1"]
    for i in range(3):
        w.send(eth(net.mac["red1"], w.mac, ETH_IP, ipv4("10.1.0.2", "10.32.0.1", udp(1, 1, MAGIC + struct.pack("!I", i)))))
    answer("k2", "198.51.100.2")
    got = set()
    wait(lambda: got.update(map(number, frames("k2"))) or got >= {0, 1, 2}, "the packets that waited")
    nl.route_del(RED, [prefix4("10.32.0.0/16", 96)])
    for nh in (96, 95, 97):
        nl.nh_del(nh)
    sh("ip -n pe addr del 198.51.100.1/24 dev core2")


# ---- core and edge

@test("PIC core and edge: the other link to the PE, then the other PE under its own label; and back")
def core_edge():
    def way():
        return out("r1", lambda data: ipv4("10.1.0.2", "10.21.0.1", udp(1, 1, data)))

    equal(way(), {"k1": [100, 5001]})
    nl.nh_state(CORE1, True)
    equal(way(), {"k2": [100, 5001]}, "a link fails")
    nl.nh_state(CORE1, False)
    for nh in (PE_A, BOTH):
        nl.nh_state(nh, True)
        equal(way(), {"k2": [200, 5002]}, f"the PE fails, said of {nh}")
        nl.nh_state(nh, False)
        equal(way(), {"k1": [100, 5001]}, "back")
    nl.nh_state(CORE1, True)
    nl.nh_state(CORE2, True)
    equal(way(), {"k1": [100, 5001]}, "all said to be down: what there is is used")
    nl.nh_state(CORE2, False)
    nl.nh_state(PE_A, True)
    equal(way(), {"k2": [200, 5002]})
    for nh in (CORE1, PE_A):
        nl.nh_state(nh, False)
    equal(way(), {"k1": [100, 5001]})


@test("egresses: each member under its own VPN label; the way to the PE changes as one object, and lost, the other takes over")
def egresses():
    def way(dst="10.25.0.1", sport=1):
        return out("r1", lambda data: ipv4("10.1.0.2", dst, udp(sport, 1, data)))

    equal(way(), {"k1": [100, 5001]})
    nl.nh_state(CORE1, True)
    equal(way(), {"k2": [110, 5001]}, "the PE's other path")
    nl.nh_state(CORE1, False)
    for nh in (EG_A, WAY_A):
        nl.nh_state(nh, True)
        equal(way(), {"k2": [200, 5002]}, f"the PE fails, said of {nh}")
        nl.nh_state(nh, False)
        equal(way(), {"k1": [100, 5001]}, "back")
    nl.nh_new(WAY_A, uapi.NH_KIND_UNREACHABLE)
    equal(way(), {"k2": [200, 5002]}, "no way to the PE")
    nl.nh_state(EG_B, True)
    equal(way(), {"k2": [200, 5002]}, "none, and the other is said to be down: what there is is used")
    nl.nh_state(EG_B, False)
    nl.nh_labelled(WAY_A, CORE1, [120])
    equal(way(), {"k1": [120, 5001]}, "another way to it")
    nl.nh_group(WAY_A, [(LSP_A1, 1, 0), (LSP_A2, 1, BACKUP)])
    ends = [way("10.27.0.1", sport) for sport in range(1, 40)]
    equal({str(e) for e in ends}, {str({"k1": [100, 5001]}), str({"k2": [200, 5002]})}, "flows take both")
    before = nl.nh_tally(EG_B)[0], nl.nh_tally(EG_A)[0]
    equal(way(), {"k1": [100, 5001]})
    equal((nl.nh_tally(EG_B)[0], nl.nh_tally(EG_A)[0]), (before[0], before[1] + 1), "counted")
    drops = nl.drops().get(uapi.DROP_UNREACHABLE, 0)
    equal(way("10.28.0.1"), {"r1": []}, "a route with a label of its own: the sender is told")
    out("k1", lambda data: labels([(401, 0, 64)], ipv4("10.9.0.1", "10.25.0.1", udp(1, 1, data))), ETH_MPLS)
    equal(nl.drops().get(uapi.DROP_UNREACHABLE, 0) - drops, 2, "dropped: the route's, the swapped one")


@test("egresses: a PE's way is lost and comes back under a flood: nothing is lost")
def egress_flood():
    with Flood(make=lambda data, i: ipv4("10.1.0.2", f"10.25.{i >> 8 & 255}.{i & 255}", udp(1, i & 65535, data))) as f:
        f.only_at("k1")
        for _ in range(30):
            nl.nh_new(WAY_A, uapi.NH_KIND_UNREACHABLE)
            f.goes_on(30)
            nl.nh_group(WAY_A, [(LSP_A1, 1, 0), (LSP_A2, 1, BACKUP)])
            f.goes_on(30)
        nl.nh_state(WAY_A, True)
        f.only_at("k2")
        nl.nh_state(WAY_A, False)
        f.only_at("k1")
    equal(f.lost(), 0, "lost")
    assert len(f.at["k2"]) > 200, "the backup was hardly used"


@test("from the core: onward to the PE that does not send it back; a CE's label falls back on the VRF's table")
def onward():
    def labelled(label, dst):
        return lambda data: labels([(label, 0, 64)], ipv4("10.9.0.1", dst, udp(1, 1, data)))

    for label, dst in ((300, "10.26.0.1"), (303, "10.26.0.1"), (303, "10.22.0.1")):
        equal(out("k1", labelled(label, dst), ETH_MPLS), {"r2": []}, "the CE")
    for lost in (lambda: nl.nh_state(CE2, True), lambda: nl.nh_new(CE2, uapi.NH_KIND_UNREACHABLE)):
        lost()
        equal(out("k1", labelled(300, "10.26.0.1"), ETH_MPLS), {"k2": [200, 5002]}, "a VRF's label")
        equal(out("k1", labelled(303, "10.26.0.1"), ETH_MPLS), {"k2": [200, 5002]}, "the CE's label")
        equal(out("r1", lambda data: ipv4("10.1.0.2", "10.26.0.1", udp(1, 1, data))), {"k2": [200, 5002]}, "a customer")
    dropped("k1", labelled(303, "10.22.0.1"), ETH_MPLS)
    dropped("k1", labelled(300, "10.29.0.1"), ETH_MPLS)
    equal(out("r1", lambda data: ipv4("10.1.0.2", "10.29.0.1", udp(1, 1, data))), {"k1": [100, 5001]}, "a customer")
    nl.nh_adjacency(CE2, "red2", "10.3.0.2")
    nl.nh_state(CE2, False)
    net.neighbours()
    equal(out("k1", labelled(303, "10.22.0.1"), ETH_MPLS), {"r2": []}, "back")
    # a site that we share with another PE: what came from the core is for our CE, whatever its flow
    for sport in range(1, 30):
        equal(out("k1", lambda d, s=sport: labels([(300, 0, 64)], ipv4("10.9.0.1", "10.29.0.1", udp(s, 1, d))), ETH_MPLS),
              {"r2": []}, sport)
    ends = {str(out("r1", lambda d, s=sport: ipv4("10.1.0.2", "10.29.0.1", udp(s, 1, d)))) for sport in range(1, 40)}
    equal(ends, {str({"k1": [100, 5001]}), str({"r2": []})}, "a customer's flows take both")


def dropped(wire, l3, proto=ETH_IP):
    """It is dropped as a loop through the core, and nobody but the sender hears of it."""
    before = nl.drops().get(uapi.DROP_CORE_LOOP, 0)
    found = out(wire, l3, proto)
    equal(nl.drops().get(uapi.DROP_CORE_LOOP, 0) - before, 1, f"drops ({found})")
    return found


@test("from the core: no backup into the core, for routes, for labels of a CE, through another VRF")
def core_loop():
    def labelled(label, dst):
        return lambda data: labels([(label, 0, 64)], ipv4("10.9.0.1", dst, udp(1, 1, data)))

    def plain(dst):
        return lambda data: ipv4("10.1.0.2", dst, udp(1, 1, data))

    ways = [labelled(300, "10.22.0.1"), labelled(302, "10.99.0.1"), labelled(301, "10.22.0.1")]
    for l3 in ways:
        equal(out("k1", l3, ETH_MPLS), {"r2": []}, "primary")
    nl.nh_state(CE2, True)
    equal(out("r1", plain("10.22.0.1")), {"k2": [200, 5002]}, "said to be down: a customer's packet takes the backup")
    for l3 in ways:
        equal(out("k1", l3, ETH_MPLS), {"r2": []}, "said to be down, and no choice")
    nl.nh_state(CE2, False)
    sh("ip -n lab link set r2 down")
    for l3 in ways:
        dropped("k1", l3, ETH_MPLS)
        dropped("k2", l3, ETH_MPLS)
    equal(out("r1", plain("10.22.0.1")), {"k2": [200, 5002]}, "a customer's packet takes the backup")
    equal(out("k1", labelled(300, "10.23.0.1"), ETH_MPLS), {"r1": []}, "of two backups the one that is no loop")
    sh("ip -n lab link set r2 up")
    wait(lambda: carrier("red2"), "carrier of red2")
    net.neighbours()
    # the neighbour fails instead: the same, and while it is asked for, packets wait for it, and do not loop
    forget("red2", "10.3.0.2")
    net.flush()
    w = net.wire["k1"]
    data = MAGIC + struct.pack("!I", 1)
    w.send(eth(net.mac["core1"], w.mac, ETH_MPLS, labelled(300, "10.22.0.1")(data)))
    answer("r2", "10.3.0.2")
    wait(lambda: any(data in f for f in frames("r2")), "the packet that waited")
    equal([f for k in ("k1", "k2") for f in frames(k) if data in f], [], "sent into the core")
    net.neighbours()


@test("from the core into the core where the configuration says so: a hub's primary and its links, swapped labels")
def core_to_core():
    def hub(data):
        return labels([(300, 0, 64)], ipv4("10.9.0.1", "10.24.0.1", udp(1, 1, data)))

    def swapped(data):
        return labels([(400, 0, 64)], ipv4("10.9.0.1", "10.24.0.1", udp(1, 1, data)))

    def one_pe(data):
        return labels([(300, 0, 64)], ipv4("10.9.0.1", "10.20.0.1", udp(1, 1, data)))

    equal(out("k1", hub, ETH_MPLS), {"k1": [100, 5001]}, "primary")
    equal(out("k1", one_pe, ETH_MPLS), {"k1": [6000]}, "primary")
    equal(out("k1", swapped, ETH_MPLS), {"k1": [500]}, "swap")
    nl.nh_state(CORE1, True)
    equal(out("k1", hub, ETH_MPLS), {"k2": [100, 5001]}, "the other link to the same PE")
    equal(out("k1", one_pe, ETH_MPLS), {"k2": [6000]}, "the backup towards the PE that gave the route's label")
    equal(out("k1", swapped, ETH_MPLS), {"k2": [500]}, "swap, by the backup")
    nl.nh_state(CORE1, False)
    nl.nh_labelled(PE_A, CORE1, [100, 5001])
    sh("ip -n lab link set k1 down")
    dropped("k2", hub, ETH_MPLS)
    sh("ip -n lab link set k1 up")
    wait(lambda: carrier("core1"), "carrier of core1")
    nl.nh_labelled(PE_A, BOTH, [100, 5001])
    net.neighbours()


program()
net.flush()
tap.main()
