#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""TTL and traffic class between labels and IP packets, octet by octet; MPLS MTU; what a qdisc sees. In a guest:
scripts/vm -- selftests/forward/qos.py [WORD...]

topology.py draws the network. What each model asks is written here from RFC 3270 section 2.6 and RFC 3443, not from
the module: @imposed and @exposed say it.
"""
import os
import random
import re
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import (L3vpn, NlError, attrs_dict, enter_netns, get, label_record, prefix4, prefix6, s32,  # noqa: E402
                      text, u8, u32)
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import ETH_IP, ETH_IPV6, ETH_MPLS, ICMP, ICMP6, eth, ipv4, ipv6, labels, sh, udp  # noqa: E402

RED, BLUE = 1, 2
CORE1, CORE2, LSP, CE_R2 = range(10, 14)
UNIFORM, PIPE, SHORT_PIPE = uapi.MODEL_UNIFORM, uapi.MODEL_PIPE, uapi.MODEL_SHORT_PIPE
DSCP_TC = [dscp >> 3 for dscp in range(64)]
TC_DSCP = [tc << 3 for tc in range(8)]
seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
rng = random.Random(seed)
print(f"# SEED={seed}")

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE")):
        nl.vrf_new(name, id=vrf)
    nl.port_new("red1", RED)
    nl.port_new("red2", RED)
    nl.port_new("blue1", BLUE)
    nl.port_new("core1")
    nl.port_new("core2")
    net.address()
    nl.nh_adjacency(CORE1, "core1", "192.0.2.2")
    nl.nh_adjacency(CORE2, "core2", "192.0.2.6")
    nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
    nl.nh_labelled(LSP, CORE1, [100])
    for vrf, label in ((RED, 5000), (BLUE, 7000)):
        nl.route_add(vrf, [prefix4("10.2.0.0/16", LSP, label)], [prefix6("2001:db8:2::/48", LSP, label)])
    nl.label_add([label_record(300, uapi.LABEL_ACTION_POP_VRF, vrf=RED),
                  label_record(301, uapi.LABEL_ACTION_POP_VRF, vrf=BLUE),
                  label_record(302, uapi.LABEL_ACTION_POP_NH, vrf=RED, nh=CE_R2),
                  label_record(400, uapi.LABEL_ACTION_SWAP, nh=CORE2, out_label=500),
                  label_record(401, uapi.LABEL_ACTION_SWAP, nh=CORE2, out_label=3),
                  label_record(402, uapi.LABEL_ACTION_SWAP, nh=CORE2, out_label=0)])


def model(ttl=UNIFORM, tc=SHORT_PIPE, dscp_tc=DSCP_TC, tc_dscp=TC_DSCP, vrf="RED"):
    nl.vrf_new(vrf, ttl_model=u8(ttl), tc_model=u8(tc), dscp_tc=bytes(dscp_tc), tc_dscp=bytes(tc_dscp))


def settings(vrf=RED):
    v = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(vrf))])[0]
    return (get(v[uapi.VRF_TTL_MODEL]), get(v[uapi.VRF_TC_MODEL]), list(v[uapi.VRF_DSCP_TC]), list(v[uapi.VRF_TC_DSCP]))


counter = 0


def mark():
    global counter
    counter += 1
    return b"mark%06d" % counter


def put(wire, l3, proto):
    w = net.wire[wire]
    w.send(eth(net.mac[net.peer[wire]], w.mac, proto, l3))


def take(wire, m):
    got, before = net.wire[wire].read(lambda p: p.payload is not None and m in p.payload)
    if got is None:
        raise AssertionError(f"does not come out at {wire}; seen: {before[:5]}; drops {nl.drops()}")
    return got


def packet(version, to_site, m, ttl, tos):
    """Between the customer's sites: @to_site 1 is here, 2 behind the core."""
    if version == 4:
        ends = ("10.1.0.2", "10.2.0.5") if to_site == 2 else ("10.2.0.5", "10.1.0.2")
        return ipv4(*ends, udp(1, 2, m), ttl=ttl, tos=tos), ETH_IP
    ends = ("2001:db8:1::2", "2001:db8:2::5") if to_site == 2 else ("2001:db8:2::5", "2001:db8:1::2")
    return ipv6(*ends, udp(1, 2, m), ttl=ttl, tclass=tos), ETH_IPV6


def push(version, ttl, tos, wire="r1"):
    m = mark()
    put(wire, *packet(version, 2, m, ttl, tos))
    return take("k1", m)


def pop(version, stack, ttl, tos, wire="r1"):
    """@stack: (label, TC, TTL); the packet below as it comes out at the customer's."""
    m = mark()
    l3, _ = packet(version, 1, m, ttl, tos)
    put("k1", labels(stack, l3), ETH_MPLS)
    p = take(wire, m)
    equal((p.proto, p.stack), (ETH_IP if version == 4 else ETH_IPV6, []), "frame")
    return p


def imposed(ttl_model, dscp_tc, ttl, tos):
    """(TTL of each label, TC of each label, TTL and TOS of the packet) after imposition."""
    return 255 if ttl_model == PIPE else ttl - 1, dscp_tc[tos >> 2], ttl - 1, tos


def exposed(ttl_model, tc_model, dscp_tc, tc_dscp, stack, ttl, tos):
    """(TTL, TOS) of the packet when it has left the egress; labels never raise a TTL (RFC 3032 section 2.4.2)."""
    if ttl_model == UNIFORM:
        ttl = min([ttl] + [label_ttl for _, _, label_ttl in stack])
    tc = stack[0][1]
    if tc_model == UNIFORM and dscp_tc[tos >> 2] != tc:
        tos = tc_dscp[tc] << 2 | tos & 3
    return ttl - 1, tos


# ---- the models

@test("a new VRF: TTL uniform, TC of the DSCP's top bits, DSCP untouched by labels")
def default():
    equal(settings(), (UNIFORM, SHORT_PIPE, DSCP_TC, TC_DSCP), "what VRF_GET tells")
    for version in (4, 6):
        p = push(version, 40, 0xb9)
        equal((p.stack, p.ttl, p.tos), ([(100, 5, 39), (5000, 5, 39)], 39, 0xb9), "in")
        p = pop(version, [(300, 7, 20)], 40, 0x2a)
        equal((p.ttl, p.tos), (19, 0x2a), "out")


@test("imposition: TTL and TC of both labels, TTL and TOS of the packet, in every model, IPv4 and IPv6")
def imposition():
    for ttl_model in (UNIFORM, PIPE):
        for tc_model in (UNIFORM, PIPE, SHORT_PIPE):
            model(ttl_model, tc_model)
            for version in (4, 6):
                for ttl, tos in ((2, 0), (64, 0xb9), (255, 0xff), (33, 0x2b), (128, 3)):
                    label_ttl, tc, ip_ttl, ip_tos = imposed(ttl_model, DSCP_TC, ttl, tos)
                    p = push(version, ttl, tos)
                    equal((p.stack, p.ttl, p.tos), ([(100, tc, label_ttl), (5000, tc, label_ttl)], ip_ttl, ip_tos),
                          f"TTL model {ttl_model}, TC model {tc_model}, IPv{version}, TTL {ttl}, TOS {tos:#x}")


STACKS = [[(300, 5, 9)], [(300, 2, 255)], [(0, 6, 30), (300, 1, 200)], [(2, 4, 200), (300, 3, 30)],
          [(0, 7, 90), (0, 0, 80), (300, 5, 70)], [(302, 3, 12)], [(0, 4, 12), (302, 0, 255)]]


@test("disposition: TTL and TOS in every model: VPN label alone, below explicit nulls, without look-up; IPv4 and IPv6")
def disposition():
    for ttl_model in (UNIFORM, PIPE):
        for tc_model in (UNIFORM, PIPE, SHORT_PIPE):
            model(ttl_model, tc_model)
            for stack in STACKS:
                out, versions = ("r2", (4,)) if stack[-1][0] == 302 else ("r1", (4, 6))
                for version in versions:
                    for ttl, tos in ((64, 0xb9), (2, 0x03), (255, 0xfe), (64, stack[0][1] << 5 | 0x1d)):
                        p = pop(version, stack, ttl, tos, out)
                        equal((p.ttl, p.tos), exposed(ttl_model, tc_model, DSCP_TC, TC_DSCP, stack, ttl, tos),
                              f"TTL model {ttl_model}, TC model {tc_model}, IPv{version}, {stack}, {ttl}, {tos:#x}")


@test("maps: each DSCP to its TC, each TC to its DSCP, a DSCP of that TC stays; ECN untouched; IPv4 and IPv6")
def maps():
    dscp_tc = [rng.randrange(8) for _ in range(64)]
    tc_dscp = rng.sample(range(64), 8)
    for tc in (3, 6):       # without a DSCP that leads back to it
        dscp_tc[tc_dscp[tc]] = (tc + 1) % 8
    model(UNIFORM, UNIFORM, dscp_tc, tc_dscp)
    equal(settings(), (UNIFORM, UNIFORM, dscp_tc, tc_dscp), "what VRF_GET tells")
    for dscp in range(64):
        version, ecn = rng.choice((4, 6)), rng.randrange(4)
        p = push(version, 64, dscp << 2 | ecn)
        equal(({tc for _, tc, _ in p.stack}, p.tos), ({dscp_tc[dscp]}, dscp << 2 | ecn), f"DSCP {dscp}")
    for version in (4, 6):
        for tc in range(8):
            for dscp in rng.sample(range(64), 3) + [dscp_tc.index(tc) if tc in dscp_tc else 0]:
                ecn, stack = rng.randrange(4), [(300, tc, 77)]
                p = pop(version, stack, 64, dscp << 2 | ecn)
                equal((p.ttl, p.tos), exposed(UNIFORM, UNIFORM, dscp_tc, tc_dscp, stack, 64, dscp << 2 | ecn),
                      f"TC {tc}, DSCP {dscp}, IPv{version}")
    model()
    equal(settings(), (UNIFORM, SHORT_PIPE, DSCP_TC, TC_DSCP), "back")


@test("one attribute changes nothing else; another VRF has its own")
def apart():
    model(PIPE, UNIFORM, [7] * 64, [63] * 8)
    for name, value, at in (("ttl_model", u8(UNIFORM), 0), ("tc_model", u8(PIPE), 1), ("dscp_tc", bytes(64), 2),
                            ("tc_dscp", bytes(8), 3)):
        want = list(settings())
        want[at] = list(value) if at > 1 else get(value)
        nl.vrf_new("RED", **{name: value})
        equal(settings(), tuple(want), name)
    before = settings()
    nl.vrf_new("RED", limit4=0)
    equal(settings(), before, "limits alone")
    equal(settings(BLUE), (UNIFORM, SHORT_PIPE, DSCP_TC, TC_DSCP), "BLUE")
    model(PIPE, UNIFORM, [7] * 64, [63] * 8)
    p = push(4, 64, 0xb8, "b1")
    equal(p.stack, [(100, 5, 63), (7000, 5, 63)], "BLUE, in")
    p = pop(4, [(301, 1, 9)], 64, 0xb8, "b1")
    equal((p.ttl, p.tos), (8, 0xb8), "BLUE, out")
    model()


@test("over P routers and back: uniform counts them, pipe does not; with and without explicit null")
def whole_path():
    for ttl_model, tc_model in ((UNIFORM, UNIFORM), (PIPE, PIPE), (PIPE, SHORT_PIPE)):
        model(ttl_model, tc_model)
        for version in (4, 6):
            for last in (401, 402):     # pop as penultimate hop, or explicit null
                p = push(version, 64, 0x68)
                # a P router swaps and marks down to TC 1 (RFC 3270 section 2.6: only the outermost label)
                stack = [(400, 1, p.stack[0][2])] + p.stack[1:]
                m = mark()
                put("k1", labels(stack, packet(version, 1, m, p.ttl, p.tos)[0]), ETH_MPLS)
                q = take("k2", m)
                equal(q.stack, [(500, 1, stack[0][2] - 1)] + stack[1:], "swapped: TC copied, TTL less one")
                stack = [(last, 1, q.stack[0][2]), (300,) + q.stack[1][1:]]
                m = mark()
                put("k1", labels(stack, packet(version, 1, m, p.ttl, p.tos)[0]), ETH_MPLS)
                q = take("k2", m)
                want = [(300, 3, stack[0][2] - 1 if ttl_model == UNIFORM else min(stack[1][2], stack[0][2] - 1))]
                if last == 402:
                    want = [(0, 1, stack[0][2] - 1), (300, 3, stack[1][2])]
                equal(q.stack, want, "at the penultimate hop")
                out = pop(version, q.stack, p.ttl, p.tos)
                # P, P, PE: three hops behind the ingress PE, or none of the core's
                equal(out.ttl, 64 - 1 - 3 if ttl_model == UNIFORM else 64 - 2, "TTL at the customer's")
                marked_down = tc_model == UNIFORM and last == 402
                equal(out.tos, 1 << 5 if marked_down else 0x68, "TOS at the customer's")
    model()


@test("TTL: in the pipe model a label's TTL of 1 delivers, and a packet's of 1 expires, in both directions")
def expiry():
    model(PIPE, PIPE)
    equal(pop(4, [(300, 0, 1)], 64, 0).ttl, 63, "label TTL 1")
    for wire, l3, proto in (("r1", *packet(4, 2, b"x" * 20, 1, 0)),
                            ("k1", labels([(300, 0, 200)], packet(4, 1, b"x" * 20, 1, 0)[0]), ETH_MPLS)):
        before = nl.drops().get(uapi.DROP_TTL, 0)
        put(wire, l3, proto)
        got, _ = net.wire[wire].read(lambda p: p.ip_proto == ICMP and p.payload[0] == 11)
        equal(got is None, False, f"time exceeded at {wire}")
        equal(nl.drops().get(uapi.DROP_TTL, 0) - before, 1, "drops")
        if wire == "k1":
            equal(got.stack, [(100, 6, 255), (5000, 6, 255)], "the answer's labels")
    model()


@test("local sockets: labels take the packet's TTL, or 255; delivery under every model")
def local():
    sh("ip -n pe route replace default dev RED table "
       f"{get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_TABLE])}")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"RED")
    s.bind(("10.1.0.1", 4000))
    s.settimeout(5)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 77)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x48)
    for ttl_model, tc_model in ((UNIFORM, UNIFORM), (PIPE, PIPE)):
        model(ttl_model, tc_model)
        m = mark()
        s.sendto(m, ("10.2.0.5", 9))
        p = take("k1", m)
        label_ttl = 255 if ttl_model == PIPE else 77
        equal((p.stack, p.ttl, p.tos), ([(100, 2, label_ttl), (5000, 2, label_ttl)], 77, 0x48), "out of a socket")
        m = mark()
        put("k1", labels([(300, 5, 9)], ipv4("10.2.0.5", "10.1.0.1", udp(9, 4000, m), ttl=64, tos=1)), ETH_MPLS)
        equal(s.recv(100), m, "into a socket")
    s.close()
    model()


@test("models and maps change under traffic: nothing is lost, every packet has an old or a new value")
def under_traffic():
    sets = [(UNIFORM, SHORT_PIPE, [3] * 64, TC_DSCP), (PIPE, PIPE, [4] * 64, TC_DSCP)]
    sent, seen, combinations = 0, set(), set()
    net.flush()
    for turn in range(24):
        model(*sets[turn % 2])
        for _ in range(10):
            put("r1", *packet(4, 2, b"flood%06d" % sent, 64, 0xb8))
            sent += 1
            if sent % 5 == 0:
                nl.vrf_new("RED", tc_dscp=bytes([turn % 64] * 8))
        while len(seen) < sent:
            got, _ = net.wire["k1"].read(lambda p: p.payload is not None and b"flood" in p.payload)
            assert got is not None, f"{sent - len(seen)} of {sent} packets were lost; drops {nl.drops()}"
            seen.add(got.data)
            combinations.add(tuple((tc, ttl) for _, tc, ttl in got.stack))
    assert combinations <= {((tc, ttl),) * 2 for tc in (3, 4) for ttl in (63, 255)}, combinations
    assert len(combinations) > 1, combinations
    model()


# ---- what queueing sees

def classes(dev, parent="1:"):
    """{class: packets}"""
    shown = sh(f"tc -n pe -s class show dev {dev}").stdout
    found = re.findall(rf"class \w+ ({parent}\w+) .*\n Sent \d+ bytes (\d+) pkt", shown)
    return {handle: int(n) for handle, n in found if int(n)}


def core_classes(kind):
    """A class for each TC at core1: 1:1 is that of TC 0."""
    if kind == "prio":
        sh("tc -n pe qdisc add dev core1 root handle 1: prio bands 8 priomap 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7")
    else:
        sh("tc -n pe qdisc add dev core1 root handle 1: htb default 8")
        for c in range(1, 9):
            sh(f"tc -n pe class add dev core1 parent 1: classid 1:{c} htb rate 100mbit")
    for tc in range(7):
        sh(f"tc -n pe filter add dev core1 parent 1: protocol mpls_uc prio {tc + 1} flower mpls_tc {tc} "
           f"classid 1:{tc + 1}")


@test("DSCP to TC to class: flower's mpls_tc at the core port sees what the map says, taps see every frame")
def flower():
    dscp_tc = [(dscp * 5 + 1) % 8 for dscp in range(64)]
    for kind in ["prio"] + (["htb"] if os.environ.get("L3VPN_KERNEL") in ("6.1", "6.12") else []):
        core_classes(kind)
        tapped = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        tapped.bind(("core1", 0))
        tapped.settimeout(5)
        try:
            for mapping in (DSCP_TC, dscp_tc) if kind == "prio" else (dscp_tc,):
                model(PIPE, PIPE, mapping)
                want = {}
                before = classes("core1")
                for dscp in list(range(64)) + [46] * 10:
                    version = rng.choice((4, 6))
                    p = push(version, 64, dscp << 2)
                    while tapped.recv(2048) != p.frame:
                        pass
                    handle = f"1:{mapping[dscp] + 1}"
                    want[handle] = want.get(handle, 0) + 1
                after = classes("core1")
                equal({h: n - before.get(h, 0) for h, n in after.items()}, want, f"packets by class, {kind}")
        finally:
            tapped.close()
            sh("tc -n pe qdisc del dev core1 root")
    model()


@test("egress treatment: skb->priority is the outermost TC in pipe and uniform, untouched in short pipe")
def egress_class():
    # band TC for priority TC: class 1:1 is band 0
    sh("tc -n pe qdisc add dev red1 root handle 1: prio bands 8 priomap 0 1 2 3 4 5 6 7 0 0 0 0 0 0 0 0")
    try:
        for tc_model in (PIPE, UNIFORM, SHORT_PIPE):
            model(PIPE, tc_model)
            for version in (4, 6):
                for stack in ([(300, 5, 9)], [(0, 3, 30), (300, 1, 200)], [(300, 0, 20)]):
                    before = classes("red1")
                    pop(version, stack, 64, 0xb8)
                    band = 0 if tc_model == SHORT_PIPE else stack[0][1]
                    after = classes("red1")
                    # 1:8 has what the kernel asks its neighbours, at any time (TC_PRIO_CONTROL)
                    equal({h: n - before.get(h, 0) for h, n in after.items() if n != before.get(h, 0) and h != "1:8"},
                          {f"1:{band + 1}": 1}, f"TC model {tc_model}, {stack}")
        # short pipe: the customer's own DSCP is there for a filter
        model(PIPE, SHORT_PIPE)
        sh("tc -n pe filter add dev red1 parent 1: protocol ip prio 1 flower ip_tos 0xb8/0xfc classid 1:8")
        before = classes("red1").get("1:8", 0)
        pop(4, [(300, 2, 9)], 64, 0xb8)
        pop(4, [(300, 5, 9)], 64, 0x00)
        equal(classes("red1")["1:8"] - before, 1, "by DSCP")
    finally:
        sh("tc -n pe qdisc del dev red1 root")
        model()


# ---- MPLS MTU

def too_big(wire, l3, proto):
    """The MTU that the ICMP error tells, which comes back at @wire."""
    before = nl.drops().get(uapi.DROP_MTU, 0)
    net.wire[wire].flush()
    put(wire, l3, proto)
    got, _ = net.wire[wire].read(lambda p: p.ip_proto in (ICMP, ICMP6) and p.payload[0] in (3, 2))
    assert got is not None, f"no ICMP error at {wire}; drops {nl.drops()}"
    equal(nl.drops().get(uapi.DROP_MTU, 0) - before, 1, "drops")
    equal(got.payload[:2], bytes((3, 4)) if got.version == 4 else bytes((2, 0)), "type and code")
    return struct.unpack("!H", got.payload[6:8])[0] if got.version == 4 else struct.unpack("!I", got.payload[4:8])[0]


def sized(version, room, dst="10.2.0.5", df=True):
    m = mark()
    if version == 4:
        return m, ipv4("10.1.0.2", dst, udp(1, 2, m.ljust(room - 28)), df=df, ident=counter), ETH_IP
    return m, ipv6("2001:db8:1::2", "2001:db8:2::5", udp(1, 2, m.ljust(room - 48))), ETH_IPV6


@test("MPLS MTU: room to the octet for packets, labels included; ICMP tells it; the device's MTU holds too")
def mpls_mtu():
    for mtu in (0, 1400, 1300, 1499, 9000):
        nl.port_new("core1", mpls_mtu=mtu)
        port = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(socket.if_nametoindex("core1")))])[0]
        equal(get(port[uapi.PORT_MPLS_MTU]), mtu, "as PORT_GET tells")
        room = min(mtu or 1500, 1500) - 8
        for version in (4, 6):
            m, l3, proto = sized(version, room)
            put("r1", l3, proto)
            equal(len(take("k1", m).l3), room + 8, f"MPLS MTU {mtu}, IPv{version}")
            equal(too_big("r1", *sized(version, room + 1)[1:]), room, f"MPLS MTU {mtu}, IPv{version}: told")
    nl.port_new("core1")
    port = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(socket.if_nametoindex("core1")))])[0]
    equal(get(port[uapi.PORT_MPLS_MTU]), 9000, "PORT_NEW without it leaves it")
    nl.port_new("core1", mpls_mtu=0)


@test("MPLS MTU: IPv4 without DF is cut to it before the labels go on")
def mpls_mtu_fragments():
    nl.port_new("core1", mpls_mtu=1000)
    data = bytes(i * 7 & 255 for i in range(2900))
    sh("ip -n lab link set r1 mtu 4000; ip -n pe link set red1 mtu 4000")
    put("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, data), ident=4711), ETH_IP)
    whole, more = {}, True
    while more:
        p, _ = net.wire["k1"].read(lambda p: p.version == 4 and struct.unpack("!H", p.ip[4:6])[0] == 4711)
        assert p is not None, f"pieces at {sorted(whole)} and no more; drops {nl.drops()}"
        assert len(p.l3) <= 1000 and len(p.stack) == 2, str(p)
        whole[(p.frag & 0x1fff) * 8] = p.payload
        more = p.frag & 0x2000
    equal(b"".join(v for _, v in sorted(whole.items())), udp(1, 2, data), "put together again")
    equal([len(v) for _, v in sorted(whole.items())], [968, 968, 972], "all pieces as large as can be")
    sh("ip -n lab link set r1 mtu 1500; ip -n pe link set red1 mtu 1500")
    net.neighbours()
    nl.port_new("core1", mpls_mtu=0)


@test("MPLS MTU: on a switched path, but not for what a penultimate hop has freed of its last label")
def mpls_mtu_swap():
    nl.port_new("core2", mpls_mtu=1200)

    def through(stack, ip_length):
        m = mark()
        put("k1", labels(stack, ipv4("10.2.0.5", "10.1.0.2", udp(1, 2, m.ljust(ip_length - 28)), df=True)), ETH_MPLS)
        got, _ = net.wire["k2"].read(lambda p: p.ip_proto == ICMP or m in (p.payload or b""))
        assert got is not None, f"{stack}, {ip_length} octets: nothing comes out; drops {nl.drops()}"
        if got.ip_proto == ICMP:        # goes on along the path (RFC 3032 section 2.3.2)
            equal(got.payload[:2], b"\x03\x04", "type and code")
            return struct.unpack("!H", got.payload[6:8])[0]
        return 0

    equal(through([(400, 0, 9)], 1196), 0, "one label, fits")
    equal(through([(400, 0, 9)], 1197), 1196, "one label, too big")
    equal(through([(401, 0, 9), (77, 0, 9)], 1196), 0, "a label left, fits")
    equal(through([(401, 0, 9), (77, 0, 9)], 1197), 1196, "a label left, too big")
    equal(through([(401, 0, 9)], 1400), 0, "no label left")
    nl.port_new("core2", mpls_mtu=0)


# ---- the family

def refused(code, words, function, *args, **more):
    try:
        function(*args, **more)
    except NlError as error:
        equal(error.code, code, str(error))
        assert words in error.text, f"{words!r} not in {error.text!r}"
    else:
        raise AssertionError("was taken")


@test("refusals: values out of range, wrong lengths, an MPLS MTU on a customer port; nothing changes")
def refusals():
    model(PIPE, UNIFORM, [1] * 64, [9] * 8)
    before = settings()
    for name, value in (("ttl_model", u8(0)), ("ttl_model", u8(SHORT_PIPE)), ("tc_model", u8(4)),
                        ("dscp_tc", bytes(63)), ("dscp_tc", bytes(65)), ("tc_dscp", bytes(7)), ("tc_dscp", b"")):
        refused(34, "", nl.vrf_new, "RED", **{name: value})
    refused(22, "DSCP 46: TC 8 is above 7", nl.vrf_new, "RED", ttl_model=u8(UNIFORM),
            dscp_tc=bytes([0] * 46 + [8] + [0] * 17))
    refused(22, "TC 7: DSCP 64 is above 63", nl.vrf_new, "NEW", tc_dscp=bytes([0] * 7 + [64]))
    equal(settings(), before, "settings")
    equal("NEW" in [v[uapi.VRF_NAME].rstrip(b"\0").decode() for v in nl.dump(uapi.CMD_VRF_GET)], False, "VRF NEW")
    for mtu in (1, 103, 65536, 0xffffffff):
        refused(34, "104 to 65535", nl.port_new, "core1", mpls_mtu=mtu)
    refused(22, "carries no labels", nl.port_new, "red1", RED, mpls_mtu=1400)
    port = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(socket.if_nametoindex("core1")))])[0]
    equal(get(port[uapi.PORT_MPLS_MTU]), 0, "MPLS MTU")
    port = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(socket.if_nametoindex("red1")))])[0]
    equal(uapi.PORT_MPLS_MTU in port, False, "a customer port tells none")
    model()


@test("events tell of models and of an MPLS MTU that changed")
def events():
    listener = L3vpn()
    listener.join(uapi.MCGRP_EVENTS)
    nl.vrf_new("RED", tc_model=u8(PIPE))
    nl.port_new("core1", mpls_mtu=1234)
    nl.port_new("core1", mpls_mtu=1234)     # the same again is no news
    nl.port_new("core1", mpls_mtu=0)
    found = []
    for _, body in listener.events():
        event = attrs_dict(body)
        if uapi.EVENT_VRF in event:
            found.append(get(attrs_dict(event[uapi.EVENT_VRF])[uapi.VRF_TC_MODEL]))
        elif uapi.EVENT_PORT in event:
            found.append(get(attrs_dict(event[uapi.EVENT_PORT])[uapi.PORT_MPLS_MTU]))
        if found[-1:] == [0]:
            break
    equal(found, [PIPE, 1234, 0], "events")
    listener.close()
    model()


program()
net.flush()
tap.main()
