#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What guards ports and tables: reverse path, options, labels per core port, limits of routes.

Run in a guest: scripts/vm -- selftests/forward/guard.py [WORD...]. topology.py draws the network; VRF RED's
way back to its customers is, by prefix (and 2001:db8:N:: for 10.N):

    10.1 connected at red1      10.4  CE at r2         10.5 blackhole      10.42 into BLUE, there the CE at r1
    10.3 connected at red2      10.40 CE at r1         10.6 unreachable    10.43 into BLUE, there the CE at b1
    10.2 an LSP by core1        10.41 CE at r2,        10.30 RED, GREEN and RED again, without end
    10.44 the global table            backup CE at r1  10.9.9.9 RED itself

"Nothing comes out" is told by a packet that does come out after it: no test waits for a clock, but those about
packets in a second.
"""
import os
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import (L3vpn, NlError, attrs_dict, enter_netns, get, ifindex, label_record, prefix4,  # noqa: E402
                      prefix6, s32, stats, u32)
from tap import equal, test, wait                                       # noqa: E402
from topology import Network                                            # noqa: E402
from wire import (ETH_IP, ETH_IPV6, ETH_MPLS, ICMP6, checksum, echo6, eth, ipv4, ipv6, labels, mac, sh, udp)  # noqa: E402

RED, BLUE, GREEN = 1, 2, 3
CORE1, CORE2, LSP, CE_R1, CE_R2, CE_B1, BOTH, BLACKHOLE, UNREACHABLE, INTO_RED, INTO_BLUE, INTO_GREEN, HOST = range(10, 23)
SIX1, SIX2, SIXB, SIXBOTH = range(30, 34)
POP_VRF, SWAP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_SWAP
OFF, STRICT, LOOSE = uapi.RPF_OFF, uapi.RPF_STRICT, uapi.RPF_LOOSE
STRICT_DEFAULT, LOOSE_DEFAULT = uapi.RPF_STRICT_DEFAULT, uapi.RPF_LOOSE_DEFAULT
TRANSPORT, VPN = 0, 1                                                   # scopes of labels here
ALL = (1 << 64) - 1

net = Network()
enter_netns("pe")
nl = L3vpn()


def program():
    for vrf, name in ((RED, "RED"), (BLUE, "BLUE"), (GREEN, "GREEN")):
        nl.vrf_new(name, id=vrf)
        sh(f"ip -n pe link set {name} up")
    nl.port_new("red1", RED)
    nl.port_new("red2", RED)
    nl.port_new("blue1", BLUE)
    nl.port_new("core1")
    nl.port_new("core2")
    net.address()
    sh("ip -n pe addr add 2001:db8:3::1/64 dev red2 nodad; ip -n pe addr add 10.9.9.9/32 dev RED; "
       "ip -n pe addr add 2001:db8:9::9/128 dev RED nodad; "
       f"ip -n pe neigh replace 2001:db8:3::2 lladdr {net.mac['r2']} dev red2 nud permanent")
    for nh, dev, gateway in ((CORE1, "core1", "192.0.2.2"), (CORE2, "core2", "192.0.2.6"), (CE_R1, "red1", "10.1.0.2"),
                             (CE_R2, "red2", "10.3.0.2"), (CE_B1, "blue1", "10.1.0.2"), (SIX1, "red1", "2001:db8:1::2"),
                             (SIX2, "red2", "2001:db8:3::2"), (SIXB, "blue1", "2001:db8:1::2")):
        nl.nh_adjacency(nh, dev, gateway)
    nl.nh_labelled(LSP, CORE1, [100])
    for nh, best, second in ((BOTH, CE_R2, CE_R1), (SIXBOTH, SIX2, SIX1)):
        nl.nh_group(nh, [(best, 1, 0), (second, 1, uapi.MEMBER_FLAG_BACKUP)])
    for nh, kind in ((BLACKHOLE, uapi.NH_KIND_BLACKHOLE), (UNREACHABLE, uapi.NH_KIND_UNREACHABLE), (HOST, uapi.NH_KIND_HOST)):
        nl.nh_new(nh, kind)
    for nh, vrf in ((INTO_RED, RED), (INTO_BLUE, BLUE), (INTO_GREEN, GREEN)):
        nl.nh_new(nh, uapi.NH_KIND_VRF, [(uapi.NH_VRF, struct.pack("=I", vrf))])

    def both(vrf, number, nh, nh6, label=None):
        nl.route_add(vrf, [prefix4(f"10.{number}.0.0/16", nh, label)], [prefix6(f"2001:db8:{number}::/48", nh6, label)])
    both(RED, 2, LSP, LSP, 5000)
    both(RED, 4, CE_R2, SIX2)
    both(RED, 40, CE_R1, SIX1)
    both(RED, 41, BOTH, SIXBOTH)
    both(RED, 5, BLACKHOLE, BLACKHOLE)
    both(RED, 6, UNREACHABLE, UNREACHABLE)
    both(RED, 42, INTO_BLUE, INTO_BLUE)
    both(RED, 43, INTO_BLUE, INTO_BLUE)
    both(RED, 30, INTO_GREEN, INTO_GREEN)
    both(RED, 44, HOST, HOST)
    both(BLUE, 42, CE_R1, SIX1)
    both(BLUE, 43, CE_B1, SIXB)
    both(BLUE, 4, CE_B1, SIXB)
    both(GREEN, 30, INTO_RED, INTO_RED)
    nl.label_add([label_record(300, POP_VRF, vrf=RED, scope=VPN), label_record(400, SWAP, nh=CORE2, out_label=500)])


# ---- sending and looking

COUNT = 0


def mark():
    """Content that no other packet has."""
    global COUNT                                                        # pylint: disable=global-statement
    COUNT += 1
    return b"guard%06d" % COUNT


def up(wire, l3, proto=ETH_IP, dst=None):
    """A packet from the lab's end @wire to the router, or to MAC address @dst."""
    w = net.wire[wire]
    w.send(eth(dst or net.mac[net.peer[wire]], w.mac, proto, l3))


def came(out, m):
    """The packet with mark @m at the lab's end @out, and what came out there before it."""
    got, before = net.wire[out].read(lambda p: p.payload is not None and m in p.payload)
    if got is None:
        raise AssertionError(f"{m} does not come out at {out}; seen {before[:5]}; drops {nl.drops()}")
    return got, before


def crosses(wire, l3, out, m, proto=ETH_IP):
    """@l3 with mark @m comes out at @out."""
    up(wire, l3, proto)
    return came(out, m)[0]


SENTINELS = {"r1": ("r2", ETH_IP, lambda m: ipv4("10.1.0.2", "10.4.0.1", udp(1, 1, m))),
             "r2": ("r1", ETH_IP, lambda m: ipv4("10.3.0.2", "10.40.0.1", udp(1, 1, m))),
             "k1": ("k2", ETH_MPLS, lambda m: labels([(400, 0, 9)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))))}


def is_dropped(reason, wire, l3, proto=ETH_IP, times=1):
    """@l3, sent @times, is dropped for @reason, and nothing at all comes out anywhere."""
    before = nl.drops().get(reason, 0)
    for w in net.wire.values():
        w.flush()
    for _ in range(times):
        up(wire, l3, proto)
    out, proto, make = SENTINELS[wire]
    m = mark()
    up(wire, make(m), proto)
    _, seen = came(out, m)
    for name, w in net.wire.items():
        while name != out:
            got, _ = w.read(lambda p: True, 0)
            if got is None:
                break
            seen.append(got)
    equal([p for p in seen if p.daddr not in ("ff02::16", "ff02::2")], [], "came out")
    equal(nl.drops().get(reason, 0) - before, times, f"drops for reason {reason}, of {nl.drops()}")


def guard(dev, **settings):
    """Set guards of a port and leave all else."""
    port = port_of(dev)
    nl.port_new(dev, get(port[uapi.PORT_VRF]) if uapi.PORT_VRF in port else None, **settings)


def port_of(dev):
    return nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(ifindex(dev)))])[0]


def guards_of(dev):
    port = port_of(dev)
    return {name: get(port[getattr(uapi, "PORT_" + name.upper())]) for name in ("rpf4", "rpf6", "options", "scopes")
            if getattr(uapi, "PORT_" + name.upper()) in port}


def refused(code, text, call, *args, **more):
    """A netlink request is refused with @code and these words, and nothing changes."""
    try:
        call(*args, **more)
    except NlError as e:
        equal((e.errno, text in (e.text or "")), (code, True), f"{e.text}")
        return
    raise AssertionError("not refused")


def source(v6, number, host=7):
    return f"2001:db8:{number}::{host}" if v6 else f"10.{number}.0.{host}"


def packet(v6, src, m, number=4):
    """From @src to what is behind r2."""
    if v6:
        return ipv6(src, f"2001:db8:{number}::1", udp(1, 2, m))
    return ipv4(src, f"10.{number}.0.1", udp(1, 2, m))


def check_sources(v6, passes, fails, wire="r1", out="r2", to=4):
    """Packets from these sources cross, those from others are dropped by the reverse path check."""
    proto = ETH_IPV6 if v6 else ETH_IP
    for src in passes:
        m = mark()
        crosses(wire, packet(v6, src, m, to), out, m, proto)
    for src in fails:
        is_dropped(uapi.DROP_RPF, wire, packet(v6, src, mark(), to), proto)


def sources(v6, *numbers):
    return [source(v6, number) for number in numbers]


UNKNOWN = {False: "172.31.0.1", True: "2001:db8:ffff::1"}
OURS = {False: ["10.1.0.1", "10.9.9.9"], True: ["2001:db8:1::1", "2001:db8:9::9"]}


# ---- reverse path

@test("rpf off: a new port checks nothing")
def rpf_off():
    equal(guards_of("red1"), {"rpf4": OFF, "rpf6": OFF, "options": uapi.OPTIONS_UNLIMITED}, "red1")
    equal(guards_of("core1"), {"scopes": ALL}, "core1")
    for v6 in (False, True):
        check_sources(v6, sources(v6, 1, 2, 4, 5, 6, 40, 43) + [UNKNOWN[v6]], [])


def strict(v6):
    guard("red1", **{"rpf6" if v6 else "rpf4": STRICT})
    check_sources(v6, sources(v6, 1, 40, 41, 42), sources(v6, 2, 3, 4, 5, 6, 30, 43, 44) + OURS[v6] + [UNKNOWN[v6]])
    # the group's first member leads there as well
    guard("red2", **{"rpf6" if v6 else "rpf4": STRICT})
    check_sources(v6, sources(v6, 3, 4, 41), sources(v6, 1, 40, 42), "r2", "r1", 40)


@test("rpf strict, IPv4: connected, by a CE, by a backup, behind another VRF; nothing else")
def rpf_strict4():
    strict(False)


@test("rpf strict, IPv6")
def rpf_strict6():
    strict(True)


@test("rpf loose: any way out of the VRF or on from it; no blackhole, unreachable, own address, endless leak")
def rpf_loose():
    guard("red1", rpf4=LOOSE, rpf6=LOOSE)
    for v6 in (False, True):
        check_sources(v6, sources(v6, 1, 2, 3, 4, 40, 41, 42, 43, 44),
                      sources(v6, 5, 6, 30) + OURS[v6] + [UNKNOWN[v6]])


@test("rpf and the default route: no match, unless it is allowed; strict asks where it leads")
def rpf_default():
    for v6 in (False, True):
        rpf = "rpf6" if v6 else "rpf4"
        for nh, here in ((LSP, False), (SIX1 if v6 else CE_R1, True)):
            default = ([], [prefix6("::/0", nh)]) if v6 else ([prefix4("0.0.0.0/0", nh)], [])
            nl.route_add(RED, *default)
            for mode, ok in ((STRICT, False), (STRICT_DEFAULT, here), (LOOSE, False), (LOOSE_DEFAULT, True)):
                guard("red1", **{rpf: mode})
                check_sources(v6, *([[UNKNOWN[v6]], []] if ok else [[], [UNKNOWN[v6]]]))
                check_sources(v6, sources(v6, 1), sources(v6, 5))
            nl.route_del(RED, *default)
        guard("red1", **{rpf: OFF})


@test("rpf: each family by itself, each port by itself")
def rpf_families():
    guard("red1", rpf4=STRICT, rpf6=OFF)
    check_sources(False, [], sources(False, 4))
    check_sources(True, sources(True, 4), [])
    guard("red1", rpf4=OFF, rpf6=STRICT)
    check_sources(False, sources(False, 4), [])
    check_sources(True, [], sources(True, 4))
    guard("red2", rpf4=OFF, rpf6=OFF)
    check_sources(False, sources(False, 1), [], "r2", "r1", 40)


def multicast_mac(address):
    return "33:33:" + ":".join(f"{b:02x}" for b in socket.inet_pton(socket.AF_INET6, address)[-4:])


def solicit(src, target, dst, option=True):
    """A neighbour solicitation (RFC 4861) from @src for @target."""
    body = struct.pack("!BBHI", 135, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, target)
    if option:
        body += bytes([1, 1]) + mac(net.mac["r1"])
    pseudo = (socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) +
              struct.pack("!II", len(body), ICMP6))
    return ipv6(src, dst, body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:], proto=ICMP6, ttl=255)


@test("rpf strict leaves neighbour discovery, duplicate address detection and link-local traffic alone")
def rpf_link():
    guard("red1", rpf4=STRICT, rpf6=STRICT)
    sh(f"ip -n pe neigh replace fe80::2 lladdr {net.mac['r1']} dev red1 nud permanent")
    node = "ff02::1:ff00:1"
    for src, option in (("fe80::2", True), ("2001:db8:1::2", True), ("::", False)):
        net.flush()
        up("r1", solicit(src, "2001:db8:1::1", node, option), ETH_IPV6, multicast_mac(node))
        got, seen = net.wire["r1"].read(lambda p: p.payload is not None and p.payload[:1] == b"\x88")
        equal(got is not None, True, f"advertisement for {src}; seen {seen}; drops {nl.drops()}")
    sh(f"ip -n pe neigh replace fe80::2 lladdr {net.mac['r2']} dev red2 nud permanent")
    guard("red2", rpf6=STRICT)
    for dev in ("red1", "red2"):
        wait(lambda: "tentative" not in sh(f"ip -n pe -6 addr show dev {dev} scope link").stdout and
             sh(f"ip -n pe -6 route get fe80::2 oif {dev} from 2001:db8:9::9", check=False).returncode == 0,
             f"link-local address of {dev}")
    for wire in ("r1", "r2"):   # the source is of its link, whichever port has the address
        for dst in ("2001:db8:9::9", "2001:db8:1::1", "2001:db8:3::1"):
            m = mark()
            up(wire, ipv6("fe80::2", dst, echo6("fe80::2", dst, m), proto=ICMP6), ETH_IPV6)
            equal(came(wire, m)[0].saddr, dst, "echo reply to a link-local source")
    guard("red2", rpf6=OFF)
    own = [line.split()[3].split("/")[0] for line in
           sh("ip -n pe -6 -o addr show dev red1 scope link").stdout.splitlines()][0]
    m = mark()
    up("r1", ipv6("2001:db8:1::2", own, echo6("2001:db8:1::2", own, m), proto=ICMP6), ETH_IPV6)
    equal(came("r1", m)[0].saddr, own, "echo reply from the link-local address")
    is_dropped(uapi.DROP_RPF, "r1", ipv6("2001:db8:4::1", own, echo6("2001:db8:4::1", own, mark()), proto=ICMP6), ETH_IPV6)
    is_dropped(uapi.DROP_MARTIAN, "r1", ipv4("0.0.0.0", "10.9.9.9", udp(68, 67, mark())))


@test("rpf: drops count at the port and at the VRF; sockets of the VRF are behind it as well")
def rpf_counts():
    guard("red1", rpf4=STRICT, rpf6=STRICT)

    def drops():
        vrf = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0]
        return stats(port_of("red1")[uapi.PORT_STATS])["drops"], stats(vrf[uapi.VRF_STATS])["drops"]
    before = drops()
    is_dropped(uapi.DROP_RPF, "r1", ipv4("10.4.0.7", "10.9.9.9", udp(1, 2, mark())), times=3)
    equal(tuple(b - a for a, b in zip(before, drops())), (3, 3), "drops of port and VRF")


@test("rpf follows what changes: a route that moves to the port, the port that moves to another VRF")
def rpf_changes():
    guard("red1", rpf4=STRICT)
    check_sources(False, [], sources(False, 4))
    nl.route_add(RED, [prefix4("10.4.0.0/24", BOTH)])
    check_sources(False, sources(False, 4), [])
    nl.route_del(RED, [prefix4("10.4.0.0/24", BOTH)])
    check_sources(False, [], sources(False, 4))
    nl.port_new("red2", BLUE)
    try:
        equal(get(port_of("red2")[uapi.PORT_VRF]), BLUE, "moved")
        nl.port_new("red2", BLUE, rpf4=STRICT)
        nl.port_new("red2", RED)
        equal(guards_of("red2")["rpf4"], STRICT, "kept on the way")
        nl.port_new("red2", RED, rpf4=OFF)
    finally:
        nl.port_new("red2", RED)
        nl.nh_adjacency(CE_R2, "red2", "10.3.0.2")
        nl.nh_adjacency(SIX2, "red2", "2001:db8:3::2")
        net.neighbours()
        sh(f"ip -n pe neigh replace 2001:db8:3::2 lladdr {net.mac['r2']} dev red2 nud permanent")


@test("guards by netlink: absent is as it was, a change is an event, the wrong kind of port is refused")
def guards_netlink():
    guard("red1", rpf4=LOOSE, rpf6=STRICT, options=77)
    nl.port_new("red1", RED)
    want = {"rpf4": LOOSE, "rpf6": STRICT, "options": 77}
    equal(guards_of("red1"), want, "kept")
    guard("core1", scopes=1 << 63 | 1)
    nl.port_new("core1")
    equal(guards_of("core1"), {"scopes": 1 << 63 | 1}, "kept")
    listener = L3vpn()
    listener.join("events")
    nl.port_new("red1", RED)                        # no change, no event
    guard("red1", rpf4=STRICT)
    for _, body in listener.events():
        event = attrs_dict(body)
        if get(event[uapi.EVENT_OBJECT]) == uapi.OBJECT_PORT:
            port = attrs_dict(event[uapi.EVENT_PORT])
            equal((get(port[uapi.PORT_IFINDEX]), get(port[uapi.PORT_RPF4])), (ifindex("red1"), STRICT), "first event")
            break
    else:
        raise AssertionError("no event of the port")
    for settings in ({"rpf4": STRICT}, {"rpf6": OFF}, {"options": 1}):
        refused(22, "only a customer port", nl.port_new, "core1", **settings)
    refused(22, "accepts no labels", nl.port_new, "red1", RED, scopes=1)
    refused(34, "", nl.port_new, "red1", RED, rpf4=uapi.RPF_MAX + 1)
    refused(22, "scope out of range", nl.label_add, [label_record(301, POP_VRF, vrf=RED, scope=64)])
    refused(22, "reserved", nl.label_add, [label_record(301, POP_VRF, vrf=RED, reserved=1)])
    equal(guards_of("red1"), {"rpf4": STRICT, "rpf6": STRICT, "options": 77}, "unchanged by refusals")


# ---- options

ALERT, RECORD, STAMP = b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0\0", b"\x44\x0c\x05\0" + bytes(8)


@test("RFC 6178: options change neither label nor way, and come out as they went in")
def options_forwarded():
    for options in (b"", ALERT, RECORD, STAMP, b"\x01" * 40):
        m = mark()
        p = crosses("r1", ipv4("10.1.0.2", "10.2.0.5", udp(1, 2, m), options=options), "k1", m)
        equal([e[0] for e in p.stack], [100, 5000], f"labels with options {options.hex()}")
        equal(p.ip[20:20 + len(options)], options, "options")


@test("options: router alert to elsewhere reaches no socket that asks for it")
def options_alert():
    hear = []
    for dev in (None, b"RED", b"red1"):
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 46)
        s.setsockopt(socket.IPPROTO_IP, 5, 1)       # IP_ROUTER_ALERT
        if dev:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev)
        s.setblocking(False)
        hear.append(s)
    m = mark()
    crosses("r1", ipv4("10.1.0.2", "10.4.0.9", m.ljust(40), proto=46, options=ALERT), "r2", m)
    m = mark()
    crosses("r1", ipv4("10.1.0.2", "10.2.0.9", m.ljust(40), proto=46, options=ALERT), "k1", m)
    for s in hear:
        try:
            raise AssertionError(f"heard {s.recv(2000)!r}")
        except BlockingIOError:
            s.close()


@test("options limit: none, so many in a second, all; packets without options are never counted")
def options_limit():
    with_option = ipv4("10.1.0.2", "10.4.0.9", udp(1, 2), options=ALERT)
    guard("red1", options=0)
    is_dropped(uapi.DROP_OPTIONS, "r1", with_option, times=3)
    m = mark()
    crosses("r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2, m)), "r2", m)
    is_dropped(uapi.DROP_HEADER, "r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2), options=b"\x83\x07\x04\x0a\x04\0\x01\0"))
    guard("red1", options=5)
    before = nl.drops().get(uapi.DROP_OPTIONS, 0)

    def burst():
        """Of 200 packets in less than a second some pass: at most 5, or 10 when the second changes among them."""
        net.flush()
        for _ in range(200):
            up("r1", with_option)
        m = mark()
        up("r1", ipv4("10.1.0.2", "10.4.0.9", udp(1, 2, m)))
        return sum(p.daddr == "10.4.0.9" for p in came("r2", m)[1])
    passed = burst()
    equal((passed > 0, passed <= 15, passed + nl.drops()[uapi.DROP_OPTIONS] - before), (True, True, 200), f"{passed} passed")
    wait(lambda: burst() > 0, "the next second lets some pass again")
    guard("red1", options=uapi.OPTIONS_UNLIMITED)
    equal(burst(), 200, "no limit")


# ---- labels per core port

@test("labels: a core port that accepts transport alone drops a VPN label, counts it, and switches the rest")
def scopes_refuse():
    forged = labels([(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, mark())))
    m = mark()
    crosses("k1", labels([(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), "r1", m, ETH_MPLS)
    guard("core1", scopes=1 << TRANSPORT)

    def counts():
        label = nl.do(uapi.CMD_LABEL_GET, [(uapi.LABEL_LABEL, u32(300))])[0]
        return stats(port_of("core1")[uapi.PORT_STATS])["drops"], stats(label[uapi.LABEL_STATS])["rx_packets"]
    before = counts()
    is_dropped(uapi.DROP_LABEL_SCOPE, "k1", forged, ETH_MPLS, times=2)
    for nulls in ([(0, 0, 64)], [(0, 0, 64), (2, 0, 64)]):
        is_dropped(uapi.DROP_LABEL_SCOPE, "k1", labels(nulls + [(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1))), ETH_MPLS)
    equal(tuple(b - a for a, b in zip(before, counts())), (4, 0), "drops of the port, packets of the label")
    # by the other core port it is welcome
    m = mark()
    crosses("k2", labels([(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), "r1", m, ETH_MPLS)
    # what is behind a label that is swapped is somebody else's to judge
    m = mark()
    p = crosses("k1", labels([(400, 0, 64), (300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), "k2", m, ETH_MPLS)
    equal([e[0] for e in p.stack], [500, 300], "swapped")


@test("labels: none accepted, the highest scope, a label that changes its scope in place")
def scopes_change():
    guard("core1", scopes=0)
    m = mark()
    before = nl.drops().get(uapi.DROP_LABEL_SCOPE, 0)
    up("k1", labels([(400, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), ETH_MPLS)
    wait(lambda: nl.drops().get(uapi.DROP_LABEL_SCOPE, 0) == before + 1, "the drop")
    guard("core1", scopes=1 << 63 | 1)
    nl.label_add([label_record(300, POP_VRF, vrf=RED, scope=63)])
    m = mark()
    crosses("k1", labels([(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1, m))), "r1", m, ETH_MPLS)
    digest = nl.tables()[(uapi.OBJECT_LABEL, None)]
    nl.label_add([label_record(300, POP_VRF, vrf=RED, scope=62)])
    is_dropped(uapi.DROP_LABEL_SCOPE, "k1", labels([(300, 0, 64)], ipv4("10.2.0.1", "10.1.0.2", udp(1, 1))), ETH_MPLS)
    equal(nl.tables()[(uapi.OBJECT_LABEL, None)] == digest, False, "digest without the scope")
    nl.label_add([label_record(300, POP_VRF, vrf=RED, scope=VPN)])


# ---- limits of routes

def routes(v6, first, count):
    """Arguments of route_add and route_del: @count routes."""
    if v6:
        return (), [prefix6(f"2001:db8:{i:x}::/48", BLACKHOLE) for i in range(first, first + count)]
    return [prefix4(f"10.{i >> 8}.{i & 255}.0/24", BLACKHOLE) for i in range(first, first + count)], ()


def levels(listener):
    """[(family, level, routes), ...] of the events that @listener has had so far, in order."""
    name = f"END{mark().decode()[-6:]}"
    nl.vrf_new(name, 900)                           # an event that comes after all of them
    nl.vrf_del(name)
    found = []
    for _, body in listener.events():
        event = attrs_dict(body)
        if get(event[uapi.EVENT_OBJECT]) != uapi.OBJECT_VRF:
            continue
        vrf = attrs_dict(event[uapi.EVENT_VRF])
        if get(vrf[uapi.VRF_ID]) == 900 and get(event[uapi.EVENT_WHAT]) == uapi.EVENT_DEL:
            return found
        if get(event[uapi.EVENT_WHAT]) == uapi.EVENT_LEVEL:
            v6 = get(event[uapi.EVENT_FAMILY]) == socket.AF_INET6
            found.append((6 if v6 else 4, get(vrf[uapi.VRF_LEVEL6 if v6 else uapi.VRF_LEVEL4]),
                          get(vrf[uapi.VRF_ROUTES6 if v6 else uapi.VRF_ROUTES4])))
    raise AssertionError("events end before the last one")


@test("limits: an event when the warning and the limit are reached, once; re-armed late; told by VRF_GET")
def limit_events():
    normal, warning, full = uapi.LEVEL_NORMAL, uapi.LEVEL_WARNING, uapi.LEVEL_FULL
    for v6 in (False, True):
        family, key = (6, "6") if v6 else (4, "4")
        nl.vrf_new("LIMITED", 50, **{"limit" + key: 100, "warn" + key: 80})
        listener = L3vpn()
        listener.join("events")

        def level():
            vrf = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(50))])[0]
            return tuple(get(vrf[getattr(uapi, f"VRF_{name}{key}")]) for name in ("LEVEL", "ROUTES", "LIMIT", "WARN"))  # pylint: disable=cell-var-from-loop
        nl.route_add(50, *routes(v6, 0, 79))
        equal((levels(listener), level()), ([], (normal, 79, 100, 80)), "one below the warning")
        nl.route_add(50, *routes(v6, 79, 1))
        equal((levels(listener), level()), ([(family, warning, 80)], (warning, 80, 100, 80)), "the warning")
        for _ in range(20):                         # it flaps: told once
            nl.route_del(50, *routes(v6, 79, 1))
            nl.route_add(50, *routes(v6, 79, 1))
        nl.route_add(50, *routes(v6, 80, 19))
        equal((levels(listener), level()), ([], (warning, 99, 100, 80)), "one below the limit")
        refused(28, "1 of 3 records are in", nl.route_add, 50, *routes(v6, 99, 3))
        equal((levels(listener), level()), ([(family, full, 100)], (full, 100, 100, 80)), "the limit, by a batch that does not fit")
        for _ in range(20):
            refused(28, "0 of 1", nl.route_add, 50, *routes(v6, 200, 1))
            nl.route_del(50, *routes(v6, 99, 1))
            nl.route_add(50, *routes(v6, 200, 1))
            nl.route_del(50, *routes(v6, 200, 1))
            nl.route_add(50, *routes(v6, 99, 1))
        nl.route_del(50, *routes(v6, 94, 6))
        equal((levels(listener), level()), ([], (full, 94, 100, 80)), "a sixteenth below the limit: not left yet")
        nl.route_del(50, *routes(v6, 93, 1))
        equal((levels(listener), level()), ([(family, warning, 93)], (warning, 93, 100, 80)), "left")
        nl.route_add(50, *routes(v6, 93, 7))
        equal(levels(listener), [(family, full, 100)], "and reached again")
        nl.vrf_new("LIMITED", 50, **{"limit" + key: 101})
        equal((levels(listener), level()), ([(family, warning, 100)], (warning, 100, 101, 80)), "a higher limit")
        nl.vrf_new("LIMITED", 50, **{"limit" + key: 50})
        equal((levels(listener), level()), ([(family, full, 100)], (full, 100, 50, 80)), "a limit below what is there")
        refused(28, "0 of 1", nl.route_add, 50, *routes(v6, 200, 1))
        nl.route_add(50, *routes(v6, 0, 100))       # what is there may be replaced
        nl.vrf_new("LIMITED", 50, **{"limit" + key: 0, "warn" + key: 0})
        equal((levels(listener), level()), ([(family, normal, 100)], (normal, 100, 0, 0)), "no limit")
        nl.vrf_new("LIMITED", 50, **{"warn" + key: 100})
        equal(levels(listener), [(family, warning, 100)], "a warning without limit")
        nl.route_del(50, *routes(v6, 0, 100))
        equal(levels(listener), [(family, normal, 0)], "empty")
        nl.vrf_del("LIMITED")


@test("limits: a sweep that makes room is an event; a limit of one route")
def limit_sweep():
    nl.vrf_new("LIMITED", 50, limit4=10)
    nl.route_add(50, *routes(False, 0, 10))
    listener = L3vpn()
    listener.join("events")
    epoch = nl.epoch_begin()
    nl.route_add(50, *routes(False, 0, 2))
    nl.epoch_sweep(epoch, 1 << uapi.OBJECT_ROUTE4)
    equal(levels(listener), [(4, uapi.LEVEL_NORMAL, 2)], "swept")
    nl.route_del(50, *routes(False, 0, 2))
    nl.vrf_new("LIMITED", 50, limit4=1)
    nl.route_add(50, *routes(False, 0, 1))
    nl.route_del(50, *routes(False, 0, 1))
    equal(levels(listener), [(4, uapi.LEVEL_FULL, 1), (4, uapi.LEVEL_NORMAL, 0)], "one route")
    nl.vrf_del("LIMITED")


def reset():
    """After each test: nothing is guarded."""
    for dev in ("red1", "red2"):
        guard(dev, rpf4=OFF, rpf6=OFF, options=uapi.OPTIONS_UNLIMITED)
    for dev in ("core1", "core2"):
        guard(dev, scopes=ALL)


program()
net.flush()
tap.main(reset)
