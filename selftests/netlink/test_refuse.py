#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Malformed messages of every class, to every command: errno and extack are right, and nothing changes.

Before and after each of them the tables' counts and digests, the objects and the epoch are compared.

    a0 --- a1      b0 --- b1        veth pairs; a0 customer port of RED, b0 core port, c0 --- c1 no ports
"""
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import tap  # noqa: E402
import uapi  # noqa: E402
from tap import equal  # noqa: E402

RED, BLUE = 7, 8
# The kernel hands the start of a dump an extack since Linux 6.7; before, its refusals have an errno alone.
DUMP_EXTACK = tuple(map(int, os.uname().release.split("-")[0].split("+")[0].split(".")[:2])) >= (6, 7)
EPERM, ENOENT, EBUSY, EEXIST, ENODEV, EINVAL, ERANGE, EOPNOTSUPP, ESTALE = 1, 2, 16, 17, 19, 22, 34, 95, 116


def ip(*commands):
    """Run ip commands."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands).encode(), check=True)


def build():
    """A namespace with something of everything in it."""
    nl = n.L3vpn()
    ip("link add a0 type veth peer name a1", "link add b0 type veth peer name b1", "link add c0 type veth peer name c1",
       "link set a0 up", "link set a1 up", "link set b0 up", "link set b1 up")
    nl.vrf_new("RED", RED)
    nl.vrf_new("BLUE", BLUE)
    nl.port_new("a0", RED)
    nl.port_new("b0")
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_labelled(2, 1, [100])
    nl.nh_group(3, [(2, 1, 0)])
    nl.nh_new(4, uapi.NH_KIND_BLACKHOLE)
    nl.route_add(RED, [n.prefix4("10.0.0.0/8", 3, 55)], [n.prefix6("2001:db8::/32", 3, 55)])
    nl.label_add([n.label_record(100, uapi.LABEL_ACTION_POP_VRF, RED)])
    nl.endpoint_new(uapi.ENCAP_GRE, "192.0.2.77")
    return nl


NL = None


def state():
    """All that a refused message could have changed."""
    info = NL.info()
    vrfs = [(v[uapi.VRF_NAME], v[uapi.VRF_LIMIT4], v[uapi.VRF_LIMIT6], v[uapi.VRF_WARN4], v[uapi.VRF_WARN6])
            for v in NL.dump(uapi.CMD_VRF_GET)]
    guards = [[p.get(key) for key in (uapi.PORT_RPF4, uapi.PORT_RPF6, uapi.PORT_OPTIONS, uapi.PORT_SCOPES)]
              for p in NL.dump(uapi.CMD_PORT_GET)]
    return NL.tables(), info, vrfs, NL.ports(), guards


def refuse(code, text, cmd, attrs=(), flags=0, payload=None, nl=None, bad=None, missing=None):
    """The message is refused with @code, extack has @text in it, points to attribute @bad or names @missing."""
    before = state()
    if payload is None:
        payload = b"".join(n.attr(kind, data) for kind, data in attrs)
    try:
        (nl or NL).raw(cmd, payload, flags)
    except n.NlError as error:
        what = f"command {cmd} {attrs!r}: {error}"
        equal(error.code, code, what)
        if not error.text and (code == EOPNOTSUPP or flags & n.NLM_F_DUMP == n.NLM_F_DUMP and not DUMP_EXTACK):
            text = ""
        elif not error.text:
            raise AssertionError(what + ": extack has no text") from None
        if text not in error.text:
            raise AssertionError(f"{what}: {text!r} is not in it") from None
        if missing is not None:
            equal(error.missing, missing, what + ": missing attribute")
        if bad is not None:
            at = 20
            for kind, data in attrs[:bad]:
                at += len(n.attr(kind, data))
            equal(error.offset, at, what + ": offset of the bad attribute")
    else:
        raise AssertionError(f"command {cmd} {attrs!r} was not refused")
    equal(state(), before, f"command {cmd} {attrs!r} changed something")


def records4(*records):
    """ROUTE_RECORDS4 for RED."""
    return [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS4, b"".join(records))]


def nh(kind, *more, id=20):  # pylint: disable=redefined-builtin
    """NH_NEW's attributes."""
    return [(uapi.NH_ID, n.u32(id)), (uapi.NH_KIND, n.u8(kind))] + list(more)


def dev(name):
    """A device's index as s32."""
    return n.s32(n.ifindex(name))


ADJACENCY, LABELLED, GROUP, INTO_VRF = range(uapi.NH_KIND_ADJACENCY, uapi.NH_KIND_VRF + 1)
TUNNEL = uapi.NH_KIND_TUNNEL
KNOWN = bytes([192, 0, 2, 77])      # of the endpoint that is there


def tunnel(encap, *more, local=bytes([192, 0, 2, 1]), remote=bytes([192, 0, 2, 9])):
    """NH_NEW's attributes for a tunnel; the one that is wrong comes last."""
    ends = [(uapi.NH_ENCAP, n.u8(encap)), (uapi.NH_LOCAL, local), (uapi.NH_REMOTE, remote)]
    return nh(TUNNEL, *ends, *more)


def endpoint(encap, *more, address=bytes([192, 0, 2, 1])):
    """ENDPOINT_NEW's attributes."""
    return [(uapi.ENDPOINT_ENCAP, n.u8(encap)), (uapi.ENDPOINT_ADDRESS, address), *more]


@tap.test("missing attributes are named")
def missing():
    for cmd, attrs, attr in (
            (uapi.CMD_VRF_NEW, [], uapi.VRF_NAME),
            (uapi.CMD_VRF_NEW, [(uapi.VRF_ID, n.u32(3))], uapi.VRF_NAME),
            (uapi.CMD_VRF_DEL, [], uapi.VRF_ID),
            (uapi.CMD_VRF_GET, [], uapi.VRF_ID),
            (uapi.CMD_PORT_NEW, [], uapi.PORT_IFINDEX),
            (uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("c0"))], uapi.PORT_KIND),
            (uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(1))], uapi.PORT_VRF),
            (uapi.CMD_PORT_DEL, [], uapi.PORT_IFINDEX),
            (uapi.CMD_PORT_GET, [], uapi.PORT_IFINDEX),
            (uapi.CMD_NH_NEW, [], uapi.NH_ID),
            (uapi.CMD_NH_NEW, [(uapi.NH_ID, n.u32(20))], uapi.NH_KIND),
            (uapi.CMD_NH_NEW, nh(ADJACENCY), uapi.NH_IFINDEX),
            (uapi.CMD_NH_NEW, nh(LABELLED), uapi.NH_VIA),
            (uapi.CMD_NH_NEW, nh(LABELLED, (uapi.NH_VIA, n.u32(1))), uapi.NH_LABELS),
            (uapi.CMD_NH_NEW, nh(GROUP), uapi.NH_MEMBERS),
            (uapi.CMD_NH_NEW, nh(INTO_VRF), uapi.NH_VRF),
            (uapi.CMD_NH_NEW, nh(TUNNEL), uapi.NH_ENCAP),
            (uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP)[:4], uapi.NH_REMOTE),
            (uapi.CMD_ENDPOINT_NEW, [], uapi.ENDPOINT_ENCAP),
            (uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE)[:1], uapi.ENDPOINT_ADDRESS),
            (uapi.CMD_ENDPOINT_DEL, [], uapi.ENDPOINT_ENCAP),
            (uapi.CMD_ENDPOINT_GET, endpoint(uapi.ENCAP_UDP)[:1], uapi.ENDPOINT_ADDRESS),
            (uapi.CMD_NH_DEL, [], uapi.NH_ID),
            (uapi.CMD_NH_GET, [], uapi.NH_ID),
            (uapi.CMD_ROUTE_ADD, [], uapi.ROUTE_VRF),
            (uapi.CMD_ROUTE_ADD, [(uapi.ROUTE_VRF, n.u32(RED))], uapi.ROUTE_RECORDS4),
            (uapi.CMD_ROUTE_DEL, [], uapi.ROUTE_VRF),
            (uapi.CMD_ROUTE_DEL, [(uapi.ROUTE_VRF, n.u32(RED))], uapi.ROUTE_RECORDS4),
            (uapi.CMD_ROUTE_GET, [], uapi.ROUTE_VRF),
            (uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED))], uapi.ROUTE_DST4),
            (uapi.CMD_LABEL_ADD, [], uapi.LABEL_RECORDS),
            (uapi.CMD_LABEL_DEL, [], uapi.LABEL_RECORDS),
            (uapi.CMD_LABEL_GET, [], uapi.LABEL_LABEL),
            (uapi.CMD_EPOCH_SWEEP, [], uapi.EPOCH_EPOCH)):
        refuse(EINVAL, "missing", cmd, attrs, missing=attr)
    refuse(EINVAL, "VRF and family", uapi.CMD_ROUTE_GET, [], n.NLM_F_DUMP)


@tap.test("short and long attributes are refused")
def length():
    for code, cmd, attrs in (
            (EINVAL, uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_ID, n.u16(3))]),
            (EINVAL, uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_LIMIT4, n.u64(3))]),
            (EINVAL, uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("X" * 16))]),
            (EINVAL, uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, b"GREEN")]),
            (EINVAL, uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, b"")]),
            (EINVAL, uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, n.u16(3)), (uapi.PORT_KIND, n.u8(2))]),
            (EINVAL, uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u32(2))]),
            (ERANGE, uapi.CMD_NH_NEW, nh(ADJACENCY, (uapi.NH_IFINDEX, dev("b0")), (uapi.NH_GATEWAY, b"\x01" * 17))),
            (ERANGE, uapi.CMD_NH_NEW, nh(LABELLED, (uapi.NH_VIA, n.u32(1)), (uapi.NH_LABELS, n.u32(5) * 9))),
            (ERANGE, uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1) * 65))),
            (ERANGE, uapi.CMD_ROUTE_ADD, records4(b"\0" * 15)),
            (ERANGE, uapi.CMD_ROUTE_ADD, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, b"\0" * 27)]),
            (ERANGE, uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_DST6, b"\0" * 15)]),
            (ERANGE, uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, b"\0" * 19)]),
            (EINVAL, uapi.CMD_EPOCH_SWEEP, [(uapi.EPOCH_EPOCH, n.u64(1))])):
        refuse(code, "", cmd, attrs)
    for cmd, attrs, text in (
            (uapi.CMD_NH_NEW, nh(ADJACENCY, (uapi.NH_IFINDEX, dev("b0")), (uapi.NH_GATEWAY, b"\x01" * 5)), "4 or 16"),
            (uapi.CMD_NH_NEW, nh(ADJACENCY, (uapi.NH_IFINDEX, dev("b0")), (uapi.NH_GATEWAY, b"")), "4 or 16"),
            (uapi.CMD_NH_NEW, nh(LABELLED, (uapi.NH_VIA, n.u32(1)), (uapi.NH_LABELS, b"\0" * 6)), "4 octets"),
            (uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, b"")), "8 octets"),
            (uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1) + b"\0")), "8 octets"),
            (uapi.CMD_ROUTE_ADD, records4(n.prefix4("10.0.0.0/8", 3), b"\0"), "16 octets each"),
            (uapi.CMD_ROUTE_DEL, records4(n.prefix4("10.0.0.0/8", 3), b"\0" * 15), "16 octets each"),
            (uapi.CMD_ROUTE_ADD, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, b"\0" * 29)], "28 octets each"),
            (uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE, (uapi.ENDPOINT_SOURCES, bytes(19))), "20 octets each"),
            (uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE, address=bytes(5)), "4 or 16"),
            (uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, remote=bytes(3)), "4 or 16"),
            (uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, b"\0" * 21)], "20 octets each")):
        refuse(EINVAL, text, cmd, attrs, bad=len(attrs) - 1)


@tap.test("values out of range are refused")
def ranges():
    one = n.prefix4("10.1.0.0/16", 3)
    for code, text, cmd, attrs in (
            (ERANGE, "", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_ID, n.u32(0))]),
            (ERANGE, "", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_ID, n.u32(1 << 20))]),
            (ERANGE, "", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_TABLE, n.u32(0))]),
            (EINVAL, "kernel's own", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_TABLE, n.u32(254))]),
            (EINVAL, "device name", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("a/b"))]),
            (EINVAL, "device name", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text(".."))]),
            (ERANGE, "", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, n.s32(0)), (uapi.PORT_KIND, n.u8(2))]),
            (ERANGE, "", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, n.s32(-1)), (uapi.PORT_KIND, n.u8(2))]),
            (ERANGE, "", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(3))]),
            (ERANGE, "", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(0))]),
            (ERANGE, "", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, dev("a0")), (uapi.PORT_KIND, n.u8(1)),
                                             (uapi.PORT_VRF, n.u32(RED)), (uapi.PORT_RPF6, n.u8(5))]),
            (ERANGE, "", uapi.CMD_NH_NEW, nh(0)),
            (ERANGE, "", uapi.CMD_NH_NEW, nh(uapi.NH_KIND_MAX + 1)),
            (ERANGE, "", uapi.CMD_NH_NEW, nh(uapi.NH_KIND_BLACKHOLE, id=0)),
            (ERANGE, "", uapi.CMD_NH_NEW, nh(uapi.NH_KIND_BLACKHOLE, id=1 << 31)),
            (EINVAL, "cannot be pushed", uapi.CMD_NH_NEW, nh(LABELLED, (uapi.NH_VIA, n.u32(1)), (uapi.NH_LABELS, n.u32(3)))),
            (EINVAL, "label 1", uapi.CMD_NH_NEW,
             nh(LABELLED, (uapi.NH_VIA, n.u32(1)), (uapi.NH_LABELS, n.u32(16) + n.u32(1 << 20)))),
            (EINVAL, "member 0: weight", uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1, 0)))),
            (EINVAL, "member 0: unknown flag", uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1, 1, 8)))),
            (EINVAL, "member 1: next hop id", uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1) + n.member(0)))),
            (EINVAL, "record 1: prefix length", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4((0, 33), 3))),
            (EINVAL, "record 1: host bits", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4((0x0a000001, 24), 3))),
            (EINVAL, "record 1: host bits", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4((1, 0), 3))),
            (EINVAL, "record 1: label", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 3, 3))),
            (EINVAL, "record 1: label", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 3, 1 << 20))),
            (EINVAL, "record 1: flags", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 3, flags=1))),
            (EINVAL, "record 1: flags", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 3, reserved=1))),
            (EINVAL, "record 1: next hop id", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 0))),
            (EINVAL, "record 1: next hop id", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 1 << 31))),
            (EINVAL, "record 0: host bits", uapi.CMD_ROUTE_DEL, records4(n.prefix4((0x0a000001, 8), 0))),
            (EINVAL, "record 0: prefix length", uapi.CMD_ROUTE_ADD,
             [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, n.prefix6((0, 129), 3))]),
            (EINVAL, "record 0: host bits", uapi.CMD_ROUTE_ADD,
             [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, n.prefix6((1 << 64 | 1, 64), 3))]),
            (EINVAL, "record 0: host bits", uapi.CMD_ROUTE_ADD,
             [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, n.prefix6((1 << 64, 63), 3))]),
            (EINVAL, "record 0: label out", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(15, 1, RED))]),
            (EINVAL, "record 0: label out", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(1 << 20, 1, RED))]),
            (EINVAL, "unknown action", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 0, RED))]),
            (EINVAL, "unknown action", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 4, RED))]),
            (EINVAL, "flags", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, flags=1))]),
            (EINVAL, "flags", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, reserved=1))]),
            (EINVAL, "VRF id", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, 0))]),
            (EINVAL, "scope", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, scope=64))]),
            (EINVAL, "scope", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, scope=255))]),
            (EINVAL, "takes no next hop", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, 1))]),
            (EINVAL, "only a swap", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED, 0, 5))]),
            (EINVAL, "next hop id", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 2, RED, 0))]),
            (EINVAL, "has no VRF", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 3, RED, 1, 5))]),
            (EINVAL, "outgoing label", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 3, 0, 1))]),
            (EINVAL, "gateway", uapi.CMD_NH_NEW,
             nh(ADJACENCY, (uapi.NH_IFINDEX, dev("b0")), (uapi.NH_GATEWAY, bytes([224, 0, 0, 1])))),
            (EINVAL, "gateway", uapi.CMD_NH_NEW,
             nh(ADJACENCY, (uapi.NH_IFINDEX, dev("b0")), (uapi.NH_GATEWAY, bytes(16)))),
            (ERANGE, "", uapi.CMD_NH_NEW, tunnel(0)),
            (ERANGE, "", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_MAX + 1)),
            (ERANGE, "", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, (uapi.NH_DPORT, n.u16(0)))),
            (ERANGE, "", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, (uapi.NH_CHECKSUM, n.u8(2)))),
            (EINVAL, "neither ports", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, (uapi.NH_DPORT, n.u16(1)))),
            (EINVAL, "neither ports", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, (uapi.NH_CHECKSUM, n.u8(0)))),
            (EINVAL, "two families", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, remote=b"\x20" * 16)),
            (EINVAL, "are the same", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, remote=bytes([192, 0, 2, 1]))),
            (EINVAL, "no unicast", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, remote=bytes([224, 0, 0, 1]))),
            (EINVAL, "no unicast", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_GRE, local=bytes([127, 0, 0, 1]))),
            (EINVAL, "no unicast", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, remote=b"\xfe\x80" + bytes(13) + b"\1")),
            (EINVAL, "has no encapsulation", uapi.CMD_NH_NEW,
             nh(uapi.NH_KIND_BLACKHOLE, (uapi.NH_ENCAP, n.u8(uapi.ENCAP_GRE)))),
            (EINVAL, "has no via", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, (uapi.NH_VIA, n.u32(1)))),
            (ERANGE, "", uapi.CMD_ENDPOINT_NEW, endpoint(0)),
            (ERANGE, "", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_MAX + 1)),
            (ERANGE, "", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_DPORT, n.u16(0)))),
            (ERANGE, "", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_PEERS, n.u8(2)))),
            (ERANGE, "", uapi.CMD_ENDPOINT_NEW,
             endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_SOURCES, n.source("10.0.0.0/8") * (uapi.SOURCES_MAX + 1)))),
            (EINVAL, "neither ports", uapi.CMD_ENDPOINT_DEL, endpoint(uapi.ENCAP_GRE, (uapi.ENDPOINT_DPORT, n.u16(1)))),
            (EINVAL, "neither ports", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE, (uapi.ENDPOINT_CHECKSUM, n.u8(1)))),
            (EINVAL, "no unicast", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE, address=bytes(16))),
            (EINVAL, "source 1: host bits", uapi.CMD_ENDPOINT_NEW,
             endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_SOURCES, n.source("10.0.0.0/8") + bytes([10, 1] + [0] * 14 + [8, 0, 0, 0])))),
            (EINVAL, "source 0: prefix length", uapi.CMD_ENDPOINT_NEW,
             endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_SOURCES, bytes([10] + [0] * 15 + [33, 0, 0, 0])))),
            (EINVAL, "source 0: reserved", uapi.CMD_ENDPOINT_NEW,
             endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_SOURCES, bytes([10] + [0] * 15 + [8, 0, 1, 0])))),
            (EINVAL, "nothing would be accepted", uapi.CMD_ENDPOINT_NEW,
             endpoint(uapi.ENCAP_UDP, (uapi.ENDPOINT_PEERS, n.u8(0)))),
            (EINVAL, "reserved bit", uapi.CMD_ROUTE_DEL,
             records4(n.prefix4("10.0.0.0/8", 0)) + [(uapi.ROUTE_FLAGS, n.u32(2))]),
            (EINVAL, "reserved bit", uapi.CMD_EPOCH_SWEEP,
             [(uapi.EPOCH_EPOCH, n.u32(NL.info()["epoch"])), (uapi.EPOCH_KINDS, n.u32(1 << 7))])):
        refuse(code, text, cmd, attrs)
    refuse(ERANGE, "", uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_FAMILY, n.u8(11))], n.NLM_F_DUMP)
    refuse(EINVAL, "neither IPv4", uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_FAMILY, n.u8(3))],
           n.NLM_F_DUMP)


@tap.test("unknown commands, attributes and flags are refused")
def unknown():
    refuse(EOPNOTSUPP, "", 0)
    refuse(EOPNOTSUPP, "", uapi.CMD_MAX + 1)
    refuse(EOPNOTSUPP, "", uapi.CMD_EVENT)
    refuse(EOPNOTSUPP, "", uapi.CMD_DROP_SAMPLE)
    refuse(EOPNOTSUPP, "", uapi.CMD_TABLE_GET)
    refuse(EOPNOTSUPP, "", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN"))], n.NLM_F_EXCL | n.NLM_F_REPLACE)
    valid = {
        uapi.CMD_INFO_GET: [], uapi.CMD_VRF_NEW: [(uapi.VRF_NAME, n.text("GREEN"))],
        uapi.CMD_VRF_DEL: [(uapi.VRF_NAME, n.text("BLUE"))], uapi.CMD_VRF_GET: [(uapi.VRF_NAME, n.text("BLUE"))],
        uapi.CMD_PORT_NEW: [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(2))],
        uapi.CMD_PORT_DEL: [(uapi.PORT_IFINDEX, dev("a0"))], uapi.CMD_PORT_GET: [(uapi.PORT_IFINDEX, dev("a0"))],
        uapi.CMD_NH_NEW: nh(uapi.NH_KIND_BLACKHOLE), uapi.CMD_NH_DEL: [(uapi.NH_ID, n.u32(4))],
        uapi.CMD_NH_GET: [(uapi.NH_ID, n.u32(4))], uapi.CMD_ROUTE_ADD: records4(n.prefix4("20.0.0.0/8", 4)),
        uapi.CMD_ROUTE_DEL: records4(n.prefix4("10.0.0.0/8", 4)),
        uapi.CMD_ROUTE_GET: [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_DST4, bytes([10, 0, 0, 1]))],
        uapi.CMD_LABEL_ADD: [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED))],
        uapi.CMD_LABEL_DEL: [(uapi.LABEL_RECORDS, n.label_record(100, 1, RED))],
        uapi.CMD_LABEL_GET: [(uapi.LABEL_LABEL, n.u32(100))], uapi.CMD_EPOCH_BEGIN: [],
        uapi.CMD_EPOCH_SWEEP: [(uapi.EPOCH_EPOCH, n.u32(NL.info()["epoch"]))], uapi.CMD_STATS_CLEAR: [],
        uapi.CMD_ENDPOINT_NEW: endpoint(uapi.ENCAP_UDP), uapi.CMD_ENDPOINT_GET: endpoint(uapi.ENCAP_GRE, address=KNOWN),
        uapi.CMD_ENDPOINT_DEL: endpoint(uapi.ENCAP_GRE, address=KNOWN)}
    for cmd, attrs in valid.items():
        refuse(EINVAL, "", cmd, attrs + [(60, n.u32(1))])
        refuse(EINVAL, "", cmd, attrs + [(16000, b"")])
        refuse(EINVAL, "flags", cmd, attrs, 0x800)
        refuse(EINVAL, "flags", cmd, attrs, n.NLM_F_MULTI)
        if attrs:
            refuse(EINVAL, "twice", cmd, attrs + attrs[:1])
            refuse(EINVAL, "", cmd, payload=b"".join(n.attr(k, d) for k, d in attrs) + b"\0\0\0\1")
            refuse(EINVAL, "", cmd, payload=struct.pack("=HH", 40, attrs[0][0]) + b"\0" * 8)
            # an attribute of an answer has no place in a request
    refuse(EINVAL, "", uapi.CMD_VRF_NEW, valid[uapi.CMD_VRF_NEW] + [(uapi.VRF_IFINDEX, n.s32(1))])
    refuse(EINVAL, "", uapi.CMD_PORT_NEW, valid[uapi.CMD_PORT_NEW] + [(uapi.PORT_CARRIER, n.u8(1))])
    refuse(EINVAL, "", uapi.CMD_NH_NEW, valid[uapi.CMD_NH_NEW] + [(uapi.NH_REFS, n.u32(1))])
    refuse(EINVAL, "", uapi.CMD_NH_NEW, tunnel(uapi.ENCAP_UDP, (uapi.NH_PATH_MTU, n.u32(1500))))
    refuse(EINVAL, "", uapi.CMD_ENDPOINT_NEW, valid[uapi.CMD_ENDPOINT_NEW] + [(uapi.ENDPOINT_LOCAL, n.u8(1))])
    refuse(EINVAL, "", uapi.CMD_ENDPOINT_DEL, valid[uapi.CMD_ENDPOINT_DEL] + [(uapi.ENDPOINT_SCOPES, n.u64(1))])
    refuse(EINVAL, "no attributes", uapi.CMD_ENDPOINT_GET, valid[uapi.CMD_ENDPOINT_GET], n.NLM_F_DUMP)
    refuse(EINVAL, "", uapi.CMD_ROUTE_ADD, valid[uapi.CMD_ROUTE_ADD] + [(uapi.ROUTE_DONE, n.u32(1))])
    refuse(EINVAL, "for deleting", uapi.CMD_ROUTE_ADD, valid[uapi.CMD_ROUTE_ADD] + [(uapi.ROUTE_FLAGS, n.u32(1))])
    refuse(EINVAL, "for deleting", uapi.CMD_LABEL_ADD, valid[uapi.CMD_LABEL_ADD] + [(uapi.LABEL_FLAGS, n.u32(1))])
    for guard in ((uapi.PORT_RPF4, n.u8(1)), (uapi.PORT_RPF6, n.u8(0)), (uapi.PORT_OPTIONS, n.u32(1))):
        refuse(EINVAL, "only a customer port", uapi.CMD_PORT_NEW, valid[uapi.CMD_PORT_NEW] + [guard], bad=2)
    refuse(EINVAL, "accepts no labels", uapi.CMD_PORT_NEW,
           [(uapi.PORT_IFINDEX, dev("a0")), (uapi.PORT_KIND, n.u8(1)), (uapi.PORT_VRF, n.u32(RED)),
            (uapi.PORT_SCOPES, n.u64(1))], bad=3)
    refuse(EINVAL, "core port has no VRF", uapi.CMD_PORT_NEW, valid[uapi.CMD_PORT_NEW] + [(uapi.PORT_VRF, n.u32(RED))])
    refuse(EINVAL, "has no gateway", uapi.CMD_NH_NEW, valid[uapi.CMD_NH_NEW] + [(uapi.NH_GATEWAY, bytes(4))])
    refuse(EINVAL, "has no labels", uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(1)), (uapi.NH_LABELS, b"")))
    refuse(EINVAL, "one request", uapi.CMD_ROUTE_GET, valid[uapi.CMD_ROUTE_GET] + [(uapi.ROUTE_SRC6, bytes(16))])
    refuse(EINVAL, "not for a dump", uapi.CMD_ROUTE_GET,
           valid[uapi.CMD_ROUTE_GET] + [(uapi.ROUTE_FAMILY, n.u8(2))], n.NLM_F_DUMP)


@tap.test("what does not exist, is in use, exists already or comes in the wrong order is refused")
def references():
    one = n.prefix4("10.1.0.0/16", 3)
    for code, text, cmd, attrs, flags in (
            (ENOENT, "no such VRF", uapi.CMD_VRF_DEL, [(uapi.VRF_ID, n.u32(99))], 0),
            (ENOENT, "no such VRF", uapi.CMD_VRF_DEL, [(uapi.VRF_NAME, n.text("lo"))], 0),
            (ENOENT, "another name", uapi.CMD_VRF_DEL, [(uapi.VRF_ID, n.u32(RED)), (uapi.VRF_NAME, n.text("BLUE"))], 0),
            (EEXIST, "id is in use", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_ID, n.u32(RED))], 0),
            (EEXIST, "has id 7", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("RED")), (uapi.VRF_ID, n.u32(9))], 0),
            (EEXIST, "has table", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("RED")), (uapi.VRF_TABLE, n.u32(9))], 0),
            (EEXIST, "this table", uapi.CMD_VRF_NEW,
             [(uapi.VRF_NAME, n.text("GREEN")), (uapi.VRF_TABLE, n.u32(0x4c000000 + RED))], 0),
            (EEXIST, "another kind", uapi.CMD_VRF_NEW, [(uapi.VRF_NAME, n.text("a1"))], 0),
            (EBUSY, "refer to the VRF", uapi.CMD_VRF_DEL, [(uapi.VRF_ID, n.u32(RED))], 0),
            (ENODEV, "no such device", uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, n.s32(9999)), (uapi.PORT_KIND, n.u8(2))], 0),
            (ENOENT, "no such VRF", uapi.CMD_PORT_NEW,
             [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(1)), (uapi.PORT_VRF, n.u32(99))], 0),
            (ENOENT, "is no port", uapi.CMD_PORT_NEW,
             [(uapi.PORT_IFINDEX, dev("c0")), (uapi.PORT_KIND, n.u8(2))], n.NLM_F_REPLACE),
            (EEXIST, "port already", uapi.CMD_PORT_NEW,
             [(uapi.PORT_IFINDEX, dev("b0")), (uapi.PORT_KIND, n.u8(2))], n.NLM_F_CREATE | n.NLM_F_EXCL),
            (ENOENT, "no such port", uapi.CMD_PORT_DEL, [(uapi.PORT_IFINDEX, dev("c0"))], 0),
            (EBUSY, "still refer", uapi.CMD_PORT_DEL, [(uapi.PORT_IFINDEX, dev("b0"))], 0),
            (ENODEV, "not a port", uapi.CMD_NH_NEW, nh(ADJACENCY, (uapi.NH_IFINDEX, dev("c0"))), 0),
            (ENOENT, "no such next hop", uapi.CMD_NH_NEW, nh(LABELLED, (uapi.NH_VIA, n.u32(99)), (uapi.NH_LABELS, b"")), 0),
            (ENOENT, "no next hop 99", uapi.CMD_NH_NEW, nh(GROUP, (uapi.NH_MEMBERS, n.member(99))), 0),
            (ENOENT, "no such VRF", uapi.CMD_NH_NEW, nh(INTO_VRF, (uapi.NH_VRF, n.u32(99))), 0),
            (ENOENT, "no such next hop", uapi.CMD_NH_DEL, [(uapi.NH_ID, n.u32(99))], 0),
            (EBUSY, "still refer", uapi.CMD_NH_DEL, [(uapi.NH_ID, n.u32(3))], 0),
            (EBUSY, "still refer", uapi.CMD_NH_DEL, [(uapi.NH_ID, n.u32(1))], 0),
            (ENOENT, "no such endpoint", uapi.CMD_ENDPOINT_DEL, endpoint(uapi.ENCAP_GRE), 0),
            (ENOENT, "no such endpoint", uapi.CMD_ENDPOINT_GET, endpoint(uapi.ENCAP_UDP, address=KNOWN), 0),
            (ENOENT, "to replace", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_UDP), n.NLM_F_REPLACE),
            (EEXIST, "exists", uapi.CMD_ENDPOINT_NEW, endpoint(uapi.ENCAP_GRE, address=KNOWN), n.NLM_F_EXCL),
            (ENOENT, "no such VRF", uapi.CMD_ROUTE_ADD, [(uapi.ROUTE_VRF, n.u32(99)), (uapi.ROUTE_RECORDS4, one)], 0),
            (ENOENT, "record 1: no such next hop", uapi.CMD_ROUTE_ADD, records4(one, n.prefix4("10.2.0.0/16", 99)), 0),
            (ENOENT, "record 1: no such route", uapi.CMD_ROUTE_DEL,
             records4(n.prefix4("10.0.0.0/8", 0), n.prefix4("10.2.0.0/16", 0)), 0),
            (EEXIST, "record 0: route exists", uapi.CMD_ROUTE_ADD, records4(n.prefix4("10.0.0.0/8", 3)),
             n.NLM_F_CREATE | n.NLM_F_EXCL),
            (ENOENT, "record 0: no such VRF", uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, n.label_record(101, 1, 99))], 0),
            (ENOENT, "record 1: no such next hop", uapi.CMD_LABEL_ADD,
             [(uapi.LABEL_RECORDS, n.label_record(101, 1, RED) + n.label_record(102, 3, 0, 99, 3))], 0),
            (ENOENT, "record 0: no such label", uapi.CMD_LABEL_DEL, [(uapi.LABEL_RECORDS, n.label_record(101, 0))], 0),
            (ENOENT, "no such label", uapi.CMD_LABEL_GET, [(uapi.LABEL_LABEL, n.u32(101))], 0),
            (ESTALE, "current epoch", uapi.CMD_EPOCH_SWEEP, [(uapi.EPOCH_EPOCH, n.u32(NL.info()["epoch"] + 1))], 0)):
        refuse(code, text, cmd, attrs, flags)
    # one bad record of the second attribute refuses the first attribute's records too
    refuse(EINVAL, "record 0: prefix length", uapi.CMD_ROUTE_ADD,
           records4(one) + [(uapi.ROUTE_RECORDS6, n.prefix6((0, 200), 3))], bad=2)


@tap.test("another network namespace has its own objects, and cannot reach those here")
def namespace():
    ip("netns add away")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            index = n.ifindex("c0")
            n.enter_netns("away")
            nl = n.L3vpn()
            equal(nl.info()["vrfs"], 0)
            equal(nl.dump(uapi.CMD_VRF_GET), [])
            for cmd, attrs, want in (
                    (uapi.CMD_VRF_DEL, [(uapi.VRF_ID, n.u32(RED))], ENOENT),
                    (uapi.CMD_PORT_NEW, [(uapi.PORT_IFINDEX, n.s32(index + 1000)), (uapi.PORT_KIND, n.u8(2))], ENODEV),
                    (uapi.CMD_NH_DEL, [(uapi.NH_ID, n.u32(4))], ENOENT),
                    (uapi.CMD_ROUTE_DEL, records4(n.prefix4("10.0.0.0/8", 0)), ENOENT)):
                try:
                    nl.do(cmd, attrs)
                except n.NlError as error:
                    equal(error.code, want, str(error))
                else:
                    raise AssertionError(f"command {cmd} reached over")
            nl.vrf_new("RED", RED)
            nl.nh_new(1, uapi.NH_KIND_BLACKHOLE)
            nl.route_add(RED, [n.prefix4("10.0.0.0/8", 1)])
            code = 0
        except Exception as error:  # pylint: disable=broad-except
            print("#", error, flush=True)
        os._exit(code)
    before = state()
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "the other namespace")
    equal(state(), before)
    ip("netns del away")


@tap.test("without CAP_NET_ADMIN: what changes is refused, what reads is served, samples are not")
def privilege():
    before = state()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = ""
        try:
            os.setgid(65534)
            os.setuid(65534)
            nl = n.L3vpn()
            for cmd in (uapi.CMD_VRF_NEW, uapi.CMD_VRF_DEL, uapi.CMD_PORT_NEW, uapi.CMD_PORT_DEL, uapi.CMD_NH_NEW,
                        uapi.CMD_NH_DEL, uapi.CMD_ROUTE_ADD, uapi.CMD_ROUTE_DEL, uapi.CMD_LABEL_ADD,
                        uapi.CMD_LABEL_DEL, uapi.CMD_EPOCH_BEGIN, uapi.CMD_EPOCH_SWEEP, uapi.CMD_STATS_CLEAR):
                try:
                    nl.do(cmd, [])
                    text += f"command {cmd} was allowed; "
                except n.NlError as error:
                    if error.code != EPERM:
                        text += f"command {cmd}: {error}; "
            equal(len(nl.dump(uapi.CMD_VRF_GET)), 2)
            equal(nl.info()["vrfs"], 2)
            equal(nl.route_dump(RED), [("10.0.0.0/8", 3, 55)])
            nl.join("events")
            try:
                nl.join("drops")
                text += "joined drops; "
            except PermissionError:
                pass
        except Exception as error:  # pylint: disable=broad-except
            text += repr(error)
        os.write(write, text.encode() or b"fine")
        os._exit(0)
    os.close(write)
    answer = os.read(read, 65536)
    os.close(read)
    os.waitpid(pid, 0)
    equal(answer, b"fine")
    equal(state(), before)


@tap.test("a user namespace's root rules in its own network namespace")
def user_namespace():
    script = ("import sys; sys.path.insert(0, %r); import l3vpn_nl as n, uapi; nl = n.L3vpn(); nl.vrf_new('RED', 7); "
              "nl.nh_new(1, uapi.NH_KIND_BLACKHOLE); nl.route_add(7, [n.prefix4('10.0.0.0/8', 1)]); "
              "print(nl.info()['routes4'])") % os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib")
    done = subprocess.run(["unshare", "-U", "-r", "-n", sys.executable, "-c", script], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.stdout.strip(), b"1")


@tap.test("and after all that everything can be removed")
def remove():
    ip("link del a0", "link del b0", "link del c0")
    NL.epoch_sweep(NL.epoch_begin())
    info = NL.info()
    equal({k: info[k] for k in ("vrfs", "ports", "nhs", "routes4", "routes6", "labels")},
          {"vrfs": 0, "ports": 0, "nhs": 0, "routes4": 0, "routes6": 0, "labels": 0})


NL = build()
tap.main()
