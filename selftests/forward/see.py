#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What an operator sees of packets: counters of next hops and labels, traces of packets, tracepoints. topology.py
draws the network. In a guest:
scripts/vm -- selftests/forward/see.py [WORD...]
"""
import errno
import ipaddress
import os
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import (L3vpn, NlError, Step, attrs_dict, enter_netns, get, ifindex, label_record, prefix4,  # noqa: E402
                      prefix6, s32, stats, u32, u8)
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import ETH_IP, ETH_IPV6, ETH_MPLS, echo, eth, ipv4, ipv6, labels, sh, udp  # noqa: E402

RED, BLUE = 1, 2
CORE1, CORE2, LSP1, LSP2, ECMP, BACKUP, CE_R2, CE_B1, INTO_BLUE, BLACKHOLE, PATH = range(10, 21)
NH = "the connected next hop"
POP_VRF, POP_NH, SWAP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_POP_NH, uapi.LABEL_ACTION_SWAP

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE")):
        nl.vrf_new(name, id=vrf)
    for port, vrf in (("red1", RED), ("red2", RED), ("blue1", BLUE), ("core1", None), ("core2", None)):
        nl.port_new(port, vrf)
    net.address()
    nl.nh_adjacency(CORE1, "core1", "192.0.2.2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
    nl.nh_adjacency(CE_B1, "blue1", "10.1.0.2")
    nl.nh_labelled(LSP1, CORE1, [100])
    nl.nh_labelled(LSP2, CORE2, [200])
    nl.nh_group(ECMP, [(LSP1, 1, 0), (LSP2, 1, 0)])
    nl.nh_group(BACKUP, [(LSP1, 1, 0), (LSP2, 1, uapi.MEMBER_FLAG_BACKUP)])
    nl.nh_labelled(PATH, CORE1, [101])
    nl.nh_new(INTO_BLUE, uapi.NH_KIND_VRF, [(uapi.NH_VRF, u32(BLUE))])
    nl.nh_new(BLACKHOLE, uapi.NH_KIND_BLACKHOLE)
    nl.route_add(RED, [prefix4("10.2.0.0/16", LSP1, 5000), prefix4("10.2.4.0/24", ECMP, 5004),
                       prefix4("10.2.5.0/24", BACKUP, 5005), prefix4("10.4.0.0/16", CE_R2),
                       prefix4("10.5.0.0/16", BLACKHOLE), prefix4("10.7.0.0/16", INTO_BLUE)],
                 [prefix6("2001:db8:2::/48", LSP1, 6000)])
    nl.route_add(BLUE, [prefix4("10.7.0.0/16", CE_B1)])
    nl.label_add([label_record(300, POP_VRF, vrf=RED), label_record(302, POP_NH, vrf=RED, nh=CE_R2),
                  label_record(400, SWAP, nh=CORE2, out_label=500), label_record(401, SWAP, nh=CORE2, out_label=3)])


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
    got, seen = net.wire[wire].read(lambda p: p.payload is not None and m in p.payload)
    if got is None:
        raise AssertionError(f"does not come out at {wire}; seen: {seen[:5]}; drops {nl.drops()}")
    return got


def crosses(wire, make, out, proto=ETH_IP):
    """The octets of layer 3 that come out at @out when @make(mark) goes in at @wire."""
    m = mark()
    up(wire, make(m), proto)
    return len(down(out, m).l3)


def v4(dst, src="10.1.0.2", sport=1, size=40):
    return lambda m: ipv4(src, dst, udp(sport, 2, m.ljust(size)))


class Tallies:
    """What next hops and labels count between start and look."""

    def __init__(self, nhs=(), taken=()):
        self.nhs, self.taken = nhs, taken
        self.before = self.read()

    def read(self):
        return [nl.nh_tally(nh) for nh in self.nhs] + [nl.label_tally(label) for label in self.taken]

    def equal(self, *wanted):
        """(packets, octets) of each."""
        wait(lambda: [tuple(a - b for a, b in zip(x, y)) for x, y in zip(self.read(), self.before)] == list(wanted),
             f"{list(wanted)} more than {self.before}")


# ---- next hops

@test("next hops: path and adjacency, octets with labels; IPv4 and IPv6")
def nh_path():
    t = Tallies((LSP1, CORE1, LSP2, CORE2))
    octets = crosses("r1", v4("10.2.0.5"), "k1")
    octets += crosses("r1", lambda m: ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, m)), "k1", ETH_IPV6)
    t.equal((2, octets), (2, octets), (0, 0), (0, 0))


@test("next hops: plain, pop with and without a look-up, swap, penultimate hop")
def nh_kinds():
    t = Tallies((CE_R2, CORE2), (302, 400, 401))
    plain = crosses("r1", v4("10.4.0.5"), "r2")
    inner = v4("10.4.0.9", "10.2.0.1")
    popped = crosses("k1", lambda m: labels([(302, 0, 9)], inner(m)), "r2", ETH_MPLS)
    swapped = crosses("k1", lambda m: labels([(400, 0, 9)], inner(m)), "k2", ETH_MPLS)
    php = crosses("k1", lambda m: labels([(401, 0, 9)], inner(m)), "k2", ETH_MPLS)
    t.equal((2, plain + popped), (2, swapped + php), (1, popped + 4), (1, swapped), (1, php + 4))


@test("next hops: the members of a group count what they carry, all of it and no more")
def nh_ecmp():
    t = Tallies((LSP1, LSP2, CORE1, CORE2))
    before = t.read()
    sent = [mark() for _ in range(40)]
    for i, m in enumerate(sent):
        up("r1", v4("10.2.4.5", sport=1000 + i)(m))
    wait(lambda: sum(a[0] - b[0] for a, b in zip(t.read(), before)) == 80, "40 packets, counted twice")
    seen = {}
    for wire in ("k1", "k2"):
        seen[wire] = 0
        while True:
            got, _ = net.wire[wire].read(lambda p: p.payload is not None and any(m in p.payload for m in sent), 0)
            if got is None:
                break
            seen[wire] += 1
    after = t.read()
    equal([a[0] - b[0] for a, b in zip(after, before)], [seen["k1"], seen["k2"]] * 2, "packets")
    assert min(seen.values()) > 0, seen
    equal(uapi.NH_STATS in nl.nh_get(ECMP), False, "a group has no counter of its own")


@test("next hops: a backup counts from the moment that it takes over")
def nh_backup():
    t = Tallies((LSP1, LSP2))
    first = crosses("r1", v4("10.2.5.5"), "k1")
    sh("ip -n lab link set k1 down")
    wait(lambda: "NO-CARRIER" in sh("ip -n pe link show core1").stdout, "no carrier")
    second = crosses("r1", v4("10.2.5.5"), "k2")
    t.equal((1, first), (1, second))
    sh("ip -n lab link set k1 up")
    wait(lambda: "LOWER_UP" in sh("ip -n pe link show core1").stdout, "carrier")
    net.neighbours()
    net.flush()


@test("next hops: into another VRF, and into the blackhole; VRF counters agree")
def nh_leak():
    def vrf(i):
        s = stats(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(i))])[0][uapi.VRF_STATS])
        return [s[k] for k in ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops")]
    t = Tallies((INTO_BLUE, CE_B1, BLACKHOLE))
    red, blue = vrf(RED), vrf(BLUE)
    leaked = crosses("r1", v4("10.7.0.9"), "b1")
    up("r1", lost := v4("10.5.0.9", size=60)(mark()))
    t.equal((1, leaked), (1, leaked), (1, len(lost)))
    equal([a - b for a, b in zip(vrf(BLUE), blue)], [1, leaked, 1, leaked, 0], "BLUE")
    equal([a - b for a, b in zip(vrf(RED), red)], [2, leaked + len(lost), 1, leaked, 1], "RED")


@test("next hops: fragments count one by one; what does not leave is not counted")
def nh_fragments():
    t = Tallies((LSP1, CORE1))
    m = mark()
    up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m.ljust(1472)), df=False))
    pieces = []
    net.wire["k1"].read(lambda p: pieces.append(len(p.l3)) or len(pieces) == 2)
    equal(len(pieces), 2, "pieces")
    t.equal((2, sum(pieces)), (2, sum(pieces)))
    before = nl.drops().get(uapi.DROP_MTU, 0)
    up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m.ljust(1472)), df=True))
    up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m), ttl=1))
    wait(lambda: nl.drops().get(uapi.DROP_MTU, 0) - before == 1, "the drop")
    t.equal((2, sum(pieces)), (2, sum(pieces)))


@test("next hops: counters stay when the next hop is replaced, also by another kind; they are cleared alone")
def nh_replace():
    nl.route_add(RED, [prefix4("10.9.0.0/16", PATH, 5009)])
    t = Tallies((PATH,))
    octets = crosses("r1", v4("10.9.0.1"), "k1")
    nl.nh_labelled(PATH, CORE2, [102, 103])
    octets += crosses("r1", v4("10.9.0.1"), "k2")
    nl.route_add(RED, [prefix4("10.9.0.0/16", PATH)])
    nl.nh_adjacency(PATH, "red2", "10.3.0.2")
    octets += crosses("r1", v4("10.9.0.1"), "r2")
    t.equal((3, octets))
    port = nl.label_tally(400)
    nl.do(uapi.CMD_STATS_CLEAR, [(uapi.CLEAR_KINDS, u32(1 << uapi.OBJECT_NH))])
    equal((nl.nh_tally(PATH), nl.nh_tally(CORE1)), ((0, 0), (0, 0)), "cleared")
    equal(nl.label_tally(400), port, "labels are not")
    octets = crosses("r1", v4("10.9.0.1"), "r2")
    equal(nl.nh_tally(PATH), (1, octets), "since then")
    nl.route_del(RED, [prefix4("10.9.0.0/16", PATH)])


# ---- labels

@test("labels: count from the first packet on, over replacement before and after it, and from zero when made anew")
def label_first():
    inner = v4("10.4.0.9", "10.2.0.1")
    swap = label_record(600, SWAP, nh=CORE2, out_label=601)
    nl.label_add([swap])
    equal(nl.label_tally(600), (0, 0), "before")
    nl.label_add([label_record(600, POP_NH, vrf=RED, nh=CE_R2)])
    octets = crosses("k1", lambda m: labels([(600, 0, 9)], inner(m)), "r2", ETH_MPLS) + 4
    equal(nl.label_tally(600), (1, octets), "after the first")
    nl.label_add([swap])
    octets += crosses("k1", lambda m: labels([(600, 0, 9)], inner(m)), "k2", ETH_MPLS)
    equal(nl.label_tally(600), (2, octets), "replaced")
    nl.do(uapi.CMD_STATS_CLEAR, [(uapi.CLEAR_KINDS, u32(1 << uapi.OBJECT_LABEL))])
    equal(nl.label_tally(600), (0, 0), "cleared")
    octets = crosses("k1", lambda m: labels([(600, 0, 9)], inner(m)), "k2", ETH_MPLS)
    equal(nl.label_tally(600), (1, octets), "since then")
    nl.label_del([swap])
    nl.label_add([swap])
    equal(nl.label_tally(600), (0, 0), "made anew")
    crosses("k1", lambda m: labels([(600, 0, 9)], inner(m)), "k2", ETH_MPLS)
    equal(nl.label_tally(600)[0], 1, "made anew and used")
    nl.label_del([swap])


@test("labels: 5,000 used for the first time one after the other, none goes uncounted")
def label_many():
    taken = range(10000, 15000)
    nl.label_add([label_record(i, POP_NH, vrf=RED, nh=BLACKHOLE) for i in taken[:2500]])
    nl.label_add([label_record(i, POP_NH, vrf=RED, nh=BLACKHOLE) for i in taken[2500:]])
    before = nl.drops().get(uapi.DROP_BLACKHOLE, 0)
    packet = ipv4("10.2.0.1", "10.4.0.9", udp(1, 2, bytes(20)))
    for done, label in enumerate(taken, 1):
        up("k1", labels([(label, 0, 9)], packet), ETH_MPLS)
        if not done % 500:
            wait(lambda n=done: nl.drops().get(uapi.DROP_BLACKHOLE, 0) - before == n, "the packets")
    uncounted = struct.unpack("=Q", nl.do(uapi.CMD_INFO_GET)[0][uapi.INFO_LABELS_UNCOUNTED])[0]
    counted = sum(stats(d[uapi.LABEL_STATS])["rx_packets"] for d in nl.dump(uapi.CMD_LABEL_GET)
                  if int.from_bytes(d[uapi.LABEL_LABEL], sys.byteorder) in taken)
    equal((counted, uncounted), (5000, 0), "counted, uncounted")
    nl.label_del([label_record(i, POP_NH, vrf=RED, nh=BLACKHOLE) for i in taken[:2500]])
    nl.label_del([label_record(i, POP_NH, vrf=RED, nh=BLACKHOLE) for i in taken[2500:]])


# ---- drops

@test("drops: a frame to another station's address has a reason, at the port and in the table")
def drop_other_host():
    def port(name):
        a = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(ifindex(name)))])[0]
        return stats(a[uapi.PORT_STATS])["drops"]
    before = nl.drops().get(uapi.DROP_OTHER_HOST, 0), port("red1"), port("core1")
    for wire, l3, proto in (("r1", v4("10.4.0.5")(mark()), ETH_IP), ("k1", labels([(300, 0, 9)], b""), ETH_MPLS)):
        net.wire[wire].send(eth("02:00:00:00:be:ef", net.wire[wire].mac, proto, l3))
    wait(lambda: (nl.drops().get(uapi.DROP_OTHER_HOST, 0), port("red1"), port("core1")) ==
         (before[0] + 2, before[1] + 1, before[2] + 1), "the drops")


# ---- traces

def armed(**how):
    """A socket that has armed a trace and hears it."""
    tracer = L3vpn()
    tracer.join(uapi.MCGRP_PACKETS)
    tracer.do(uapi.CMD_TRACE_SET, trace_filter(**how))
    return tracer


def trace_filter(vrf=None, port=None, src=None, dst=None, protocol=None, count=None):
    attrs = []
    if vrf is not None:
        attrs.append((uapi.TRACE_VRF, u32(vrf)))
    if port is not None:
        attrs.append((uapi.TRACE_IFINDEX, s32(ifindex(port))))
    for prefix, kind, plen in ((src, uapi.TRACE_SRC, uapi.TRACE_SRC_PLEN), (dst, uapi.TRACE_DST, uapi.TRACE_DST_PLEN)):
        if prefix is not None:
            network = ipaddress.ip_network(prefix)
            attrs += [(kind, network.network_address.packed), (plen, u8(network.prefixlen))]
    if protocol is not None:
        attrs.append((uapi.TRACE_PROTOCOL, u8(protocol)))
    if count is not None:
        attrs.append((uapi.TRACE_COUNT, u32(count)))
    return attrs


class Told:
    """A TRACE_PACKET."""

    def __init__(self, body):
        a = attrs_dict(body)
        self.ifindex = int.from_bytes(a[uapi.TRACE_IFINDEX], sys.byteorder, signed=True)
        self.vrf, self.verdict = get(a[uapi.TRACE_VRF]), get(a[uapi.TRACE_VERDICT])
        self.packet, self.length = a[uapi.TRACE_PACKET], get(a[uapi.TRACE_LENGTH])
        self.reason = get(a[uapi.TRACE_REASON]) if uapi.TRACE_REASON in a else None
        self.sent = get(a[uapi.TRACE_SENT]) if uapi.TRACE_SENT in a else 0
        self.out, self.out_length = a.get(uapi.TRACE_OUT_PACKET), get(a.get(uapi.TRACE_OUT_LENGTH, b""))
        self.left = get(a[uapi.TRACE_LEFT]) if uapi.TRACE_LEFT in a else None
        self.lost = get(a[uapi.TRACE_LOST])
        self.steps = [self.step(s) for s in Step.unpack(a[uapi.TRACE_STEPS])]

    @staticmethod
    def step(s):
        label = None if s.label == uapi.LABEL_NONE else s.label
        out_label = None if s.out_label == uapi.LABEL_NONE else s.out_label
        if s.kind == uapi.STEP_LABEL:
            return "label", s.vrf, s.label, s.detail, s.nh, out_label
        if s.kind == uapi.STEP_LOOKUP:
            addr = s.prefix[:4 if s.family == socket.AF_INET else 16]
            return "lookup", s.vrf, f"{ipaddress.ip_address(addr)}/{s.plen}", s.nh, label
        if s.kind == uapi.STEP_NH:
            return "nh", s.nh, s.detail
        if s.kind == uapi.STEP_SEND:
            return "send", socket.if_indextoname(s.ifindex)
        return "icmp", s.vrf, s.detail, s.plen


def told(tracer):
    for cmd, body in tracer.events(3):
        equal(cmd, uapi.CMD_TRACE_PACKET, "message")
        return Told(body)
    raise AssertionError("nothing is told")


@test("trace: a packet under two labels: port, VRF, route, chain of next hops, how it came and how it left")
def trace_push():
    tracer = armed(vrf=RED, dst="10.2.0.0/16", protocol=17)
    m = mark()
    up("r1", l3 := ipv4("10.1.0.2", "10.2.4.5", udp(1, 2, m.ljust(40)), ttl=33))
    p = told(tracer)
    out = "k1" if ("nh", CORE1, uapi.NH_KIND_ADJACENCY) in p.steps else "k2"
    got = down(out, m)
    lsp, core = (LSP1, CORE1) if out == "k1" else (LSP2, CORE2)
    equal(p.steps, [("lookup", RED, "10.2.4.0/24", ECMP, 5004), ("nh", ECMP, uapi.NH_KIND_GROUP),
                    ("nh", lsp, uapi.NH_KIND_LABELLED), ("nh", core, uapi.NH_KIND_ADJACENCY),
                    ("send", net.peer[out])], "steps")
    equal((p.ifindex, p.vrf, p.packet, p.length), (ifindex("red1"), RED, l3, len(l3)), "in")
    equal((p.verdict, p.reason, p.sent, p.out, p.out_length),
          (uapi.VERDICT_SENT, None, 1, got.l3[:len(l3) + 8], len(l3) + 8), "out")
    equal((p.left, p.lost), (None, 0), "left, lost")
    tracer.close()


@test("trace: labels in, swap, pop with and without look-up; the filter looks below them")
def trace_labels():
    inner = v4("10.1.0.2", "10.2.0.1")
    for label, out, steps in (
            (300, "r1", [("label", RED, 300, POP_VRF, 0, None), ("lookup", RED, "10.1.0.0/24", NH, None),
                         ("nh", NH, uapi.NH_KIND_ADJACENCY), ("send", "red1")]),
            (302, "r2", [("label", RED, 302, POP_NH, CE_R2, None), ("nh", CE_R2, uapi.NH_KIND_ADJACENCY),
                         ("send", "red2")]),
            (400, "k2", [("label", 0, 400, SWAP, CORE2, 500), ("nh", CORE2, uapi.NH_KIND_ADJACENCY),
                         ("send", "core2")])):
        tracer = armed(port="core1", src="10.2.0.1/32", dst="10.1.0.2/32")
        crosses("k1", lambda m, i=label: labels([(i, 0, 9)], inner(m)), out, ETH_MPLS)
        p = told(tracer)
        connected = uapi.NH_ID_CONNECTED + ifindex("red1")
        equal(p.steps, [tuple(connected if x is NH else x for x in step) for step in steps], f"label {label}")
        equal((p.verdict, p.vrf, p.ifindex), (uapi.VERDICT_SENT, 0, ifindex("core1")), f"label {label}")
        tracer.close()


@test("trace: drops with their reason and the ICMP that is made; leaks through two VRFs; to the stack")
def trace_verdicts():
    tracer = armed(vrf=RED, protocol=17)      # the ICMP error is a packet of its own
    up("r1", ipv4("10.1.0.2", "10.99.0.1", udp(1, 2, bytes(30))))
    p = told(tracer)
    equal(p.steps, [("lookup", RED, "0.0.0.0/0", 0, None), ("icmp", RED, 3, 0)], "no route")
    equal((p.verdict, p.reason, p.sent), (uapi.VERDICT_DROPPED, uapi.DROP_NO_ROUTE, 0), "no route")
    tracer.close()
    tracer = armed(vrf=BLUE, dst="10.7.0.0/16")
    crosses("r1", v4("10.7.0.9"), "b1")
    p = told(tracer)
    equal([s for s in p.steps if s[0] == "lookup"],
          [("lookup", RED, "10.7.0.0/16", INTO_BLUE, None), ("lookup", BLUE, "10.7.0.0/16", CE_B1, None)], "leak")
    equal(p.vrf, RED, "came in by RED")
    tracer.close()
    tracer = armed(port="red1", protocol=1)
    up("r1", ipv4("10.1.0.2", "10.1.0.1", echo(mark()), proto=1))
    p = told(tracer)
    equal((p.verdict, p.steps[-1]), (uapi.VERDICT_STACK, ("nh", uapi.NH_ID_RECEIVE, uapi.NH_KIND_RECEIVE)), "to us")
    tracer.close()


@test("trace: fragments are one packet that left as two")
def trace_fragments():
    tracer = armed(dst="10.2.0.5/32")
    up("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, mark().ljust(1472))))
    p = told(tracer)
    equal((p.verdict, p.sent, p.length), (uapi.VERDICT_SENT, 2, 1500), "fragments")
    tracer.close()


@test("trace: what does not match is not told; it ends after its count, with its socket, and by TRACE_DEL")
def trace_ends():
    tracer = armed(vrf=RED, port="red1", src="10.1.0.0/24", dst="10.4.0.0/16", protocol=17, count=2)
    crosses("b1", lambda m: ipv4("10.1.0.2", "10.7.0.9", udp(1, 2, m.ljust(40))), "b1")     # BLUE
    crosses("r2", lambda m: ipv4("10.3.0.2", "10.1.0.2", udp(1, 2, m.ljust(40))), "r1")     # port, addresses
    crosses("r1", v4("10.2.0.5"), "k1")                                                     # destination
    up("r1", ipv4("10.1.0.2", "10.4.0.5", echo(b"x" * 40), proto=1))                        # protocol
    for wanted in (1, 0):
        crosses("r1", v4("10.4.0.5"), "r2")
        p = told(tracer)
        equal((p.left, p.packet[9], p.steps[0][2]), (wanted, 17, "10.4.0.0/16"), "told")
    other = L3vpn()
    wait(lambda: gone(other), "the end after the count")
    tracer.do(uapi.CMD_TRACE_SET, [])
    refused(errno.EBUSY, "another trace is armed", other.do, uapi.CMD_TRACE_SET, [])
    tracer.do(uapi.CMD_TRACE_SET, trace_filter(vrf=BLUE))        # its own may be changed
    other.do(uapi.CMD_TRACE_DEL)
    tracer.do(uapi.CMD_TRACE_SET, [])
    tracer.close()
    wait(lambda: gone(other), "the end with its socket")
    other.close()


def gone(client):
    """No trace is armed: who asks to end it is refused."""
    try:
        client.do(uapi.CMD_TRACE_SET, [])
    except NlError as error:
        equal(error.code, errno.EBUSY)
        return False
    client.do(uapi.CMD_TRACE_DEL)
    return True


def refused(code, text, function, *args):
    try:
        function(*args)
    except NlError as error:
        equal((error.code, text in error.text), (code, True), str(error))
    else:
        raise AssertionError(f"not refused: {text}")


@test("trace: refusals")
def trace_refusals():
    def prefix(octets, plen, kind=uapi.TRACE_SRC, kind_plen=uapi.TRACE_SRC_PLEN):
        return [(kind, bytes(octets)), (kind_plen, u8(plen))]
    for code, text, attrs in (
            (errno.ENOENT, "no such VRF", [(uapi.TRACE_VRF, u32(77))]),
            (errno.ENODEV, "not a port", [(uapi.TRACE_IFINDEX, s32(ifindex("lo")))]),
            (errno.EINVAL, "4 or 16 octets", prefix([1] * 5, 8)),
            (errno.EINVAL, "not zero", prefix([10, 1, 0, 1], 24)),
            (errno.EINVAL, "more than 32", prefix([10, 1, 0, 1], 33)),
            (errno.EINVAL, "two families", prefix([10, 0, 0, 0], 8) +
             prefix([0x20] + [0] * 15, 8, uapi.TRACE_DST, uapi.TRACE_DST_PLEN)),
            (errno.EINVAL, "without its prefix", [(uapi.TRACE_DST_PLEN, u8(8))]),
            (errno.EINVAL, "length of the prefix is missing", [(uapi.TRACE_DST, bytes(4))]),
            (errno.ERANGE, "", [(uapi.TRACE_COUNT, u32(0))]),
            (errno.ERANGE, "", [(uapi.TRACE_IFINDEX, s32(0))]),
            (errno.EINVAL, "", [(uapi.TRACE_LOST, u32(0))])):
        refused(code, text, nl.do, uapi.CMD_TRACE_SET, attrs)
    refused(errno.ENOENT, "no trace", nl.do, uapi.CMD_TRACE_DEL)


@test("trace: at most 100 packets a second are told, and how many were not")
def trace_rate():
    tracer = armed(dst="10.5.0.0/16")
    frame = ipv4("10.1.0.2", "10.5.0.1", udp(1, 2, bytes(30)))
    before = nl.drops().get(uapi.DROP_BLACKHOLE, 0)
    for _ in range(1000):
        up("r1", frame)
    wait(lambda: nl.drops()[uapi.DROP_BLACKHOLE] - before == 1000, "the packets")
    seen, lost, more, end = 0, 0, 0, time.monotonic() + 20
    while seen + lost < 1000 and time.monotonic() < end:
        up("r1", frame)         # tells, as soon as it may, how many were not told before it
        more += 1
        for _, body in tracer.events(0.1):
            p = Told(body)
            seen, lost = seen + 1, lost + p.lost
            equal((p.verdict, p.reason), (uapi.VERDICT_DROPPED, uapi.DROP_BLACKHOLE), "packet")
    assert 1000 <= seen + lost <= 1000 + more and lost > 0, (seen, lost, more)
    tracer.close()


# ---- tracepoints

@test("tracepoints: fire for a packet that is sent, one that is switched, one that is dropped")
def tracepoints():
    where = "/run/l3vpn-tracefs"
    os.makedirs(where, exist_ok=True)
    if subprocess.run(["mount", "-t", "tracefs", "none", where], check=False, stderr=subprocess.DEVNULL).returncode:
        print("# this kernel has no tracefs: nothing to test")
        return
    try:
        events = sorted(d for d in os.listdir(where + "/events/l3vpn") if d.startswith("l3vpn_"))
        equal(events, ["l3vpn_drop", "l3vpn_icmp", "l3vpn_label", "l3vpn_receive", "l3vpn_route", "l3vpn_send",
                       "l3vpn_way"], "events")

        def put(name, text):
            with open(f"{where}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        put("trace", "")
        put("events/l3vpn/enable", "1")
        crosses("r1", v4("10.2.0.5"), "k1")
        crosses("k1", lambda m: labels([(400, 0, 9)], v4("10.4.0.9", "10.2.0.1")(m)), "k2", ETH_MPLS)
        before = nl.drops().get(uapi.DROP_NO_ROUTE, 0)
        up("r1", v4("10.99.0.1")(mark()))
        wait(lambda: nl.drops().get(uapi.DROP_NO_ROUTE, 0) - before == 1, "the drop")
        put("events/l3vpn/enable", "0")
        with open(where + "/trace", encoding="ascii") as f:
            log = f.read()
        for line in (f"l3vpn_receive: ifindex={ifindex('red1')} vrf={RED} protocol=0x0800",
                     f"l3vpn_route: vrf={RED} plen=16 nh={LSP1} label=5000",
                     f"l3vpn_way: nh={LSP1} last={CORE1} kind={uapi.NH_KIND_ADJACENCY} labels=1",
                     f"l3vpn_send: ifindex={ifindex('core1')} vrf={RED} protocol=0x8847",
                     f"l3vpn_label: label=400 action={SWAP} vrf=0 nh={CORE2} out_label=500",
                     f"l3vpn_send: ifindex={ifindex('core2')} vrf=0 protocol=0x8847",
                     f"l3vpn_icmp: vrf={RED} type=3 code=0",
                     f"l3vpn_drop: reason={uapi.DROP_NO_ROUTE} vrf={RED} ifindex={ifindex('red1')}"):
            assert line in log, f"{line} not in {log}"
        put("trace", "")
        crosses("r1", v4("10.2.0.5"), "k1")
        with open(where + "/trace", encoding="ascii") as f:
            equal("l3vpn_" in f.read(), False, "fired when off")
    finally:
        subprocess.run(["umount", where], check=True)


program()
net.flush()
tap.main()
