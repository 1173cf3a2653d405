#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What an operator sees of packets: counters of next hops and labels. topology.py draws the network. In a guest:
scripts/vm -- selftests/forward/see.py [WORD...]
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, enter_netns, label_record, prefix4, prefix6, stats, u32  # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import ETH_IP, ETH_IPV6, ETH_MPLS, eth, ipv4, ipv6, labels, sh, udp  # noqa: E402

RED, BLUE = 1, 2
CORE1, CORE2, LSP1, LSP2, ECMP, BACKUP, CE_R2, CE_B1, INTO_BLUE, BLACKHOLE, PATH = range(10, 21)
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


program()
net.flush()
tap.main()
