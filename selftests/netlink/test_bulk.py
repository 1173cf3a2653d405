#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Many of everything: 100,000 routes of each family, labels, VRFs; counts, digests, dumps, sweep; time printed.

Debug kernels and emulated processors get fewer (L3VPN_KERNEL, or L3VPN_ROUTES and L3VPN_VRFS by hand).
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import tap  # noqa: E402
import uapi  # noqa: E402
from tap import equal  # noqa: E402

FAST = os.environ.get("L3VPN_KERNEL", "") in ("uml", "host")
ROUTES = int(os.environ.get("L3VPN_ROUTES", 100000 if FAST else 10000))
VRFS = int(os.environ.get("L3VPN_VRFS", 200 if FAST else 20))
RED = 7
PER_MESSAGE = 65531 // 16
NL = n.L3vpn()


def timed(what, count, function):
    """Run it, and print how fast it was."""
    start = time.monotonic()
    result = function()
    seconds = time.monotonic() - start
    print(f"# {what}: {count} in {seconds:.3f} s, {count / max(seconds, 1e-6):.0f} a second", flush=True)
    return result


def messages(records, size):
    """The records, as many together as a message takes."""
    per = 65531 // size
    return [b"".join(records[at:at + per]) for at in range(0, len(records), per)]


def send(cmd, attr, packed):
    """One message of ROUTE_ADD or ROUTE_DEL after the other."""
    for data in packed:
        NL.do(cmd, [(uapi.ROUTE_VRF, n.u32(RED)), (attr, data)])


def tell(kind):
    """(count, digest) of RED's table."""
    return NL.tables()[(kind, RED)]


@tap.test("routes of both families by the thousand: count, digest, dump, replaced, deleted")
def routes():
    NL.vrf_new("RED", RED)
    for nh in (1, 2):
        NL.nh_new(nh, uapi.NH_KIND_BLACKHOLE)
    four = [struct.pack("!I", 0x0a000000 + (i << 4)) + struct.pack("=IIBBH", 1, 16 + i, 28, 0, 0) for i in range(ROUTES)]
    six = [struct.pack("!IIII", 0x20010db8, i, 0, 0) + struct.pack("=IIBBH", 1, 16 + i, 64, 0, 0) for i in range(ROUTES)]
    timed("IPv4 routes added", ROUTES, lambda: send(uapi.CMD_ROUTE_ADD, uapi.ROUTE_RECORDS4, messages(four, 16)))
    timed("IPv6 routes added", ROUTES, lambda: send(uapi.CMD_ROUTE_ADD, uapi.ROUTE_RECORDS6, messages(six, 28)))
    want4 = sum(n.fold(uapi.OBJECT_ROUTE4, (RED, 0x0a000000 + (i << 4), 28, 1, 16 + i)) for i in range(ROUTES)) & n.MASK
    want6 = sum(n.fold(uapi.OBJECT_ROUTE6, (RED, 0x20010db8, i, 0, 0, 64, 1, 16 + i)) for i in range(ROUTES)) & n.MASK
    equal(tell(uapi.OBJECT_ROUTE4), (ROUTES, want4))
    equal(tell(uapi.OBJECT_ROUTE6), (ROUTES, want6))

    def dump(v6):
        pages = NL.dump(uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_FAMILY, n.u8(10 if v6 else 2))])
        return b"".join(p[uapi.ROUTE_RECORDS6 if v6 else uapi.ROUTE_RECORDS4] for p in pages
                        if not n.get(p[uapi.ROUTE_KERNEL]))

    equal(timed("IPv4 routes dumped", ROUTES, lambda: dump(False)) == b"".join(four), True, "dump, IPv4")
    equal(timed("IPv6 routes dumped", ROUTES, lambda: dump(True)) == b"".join(six), True, "dump, IPv6")
    again = messages(four, 16)
    timed("IPv4 routes programmed again", ROUTES, lambda: send(uapi.CMD_ROUTE_ADD, uapi.ROUTE_RECORDS4, again))
    equal(tell(uapi.OBJECT_ROUTE4), (ROUTES, want4))
    # the first half goes
    half = messages(four[:ROUTES // 2], 16)
    timed("IPv4 routes deleted", ROUTES // 2, lambda: send(uapi.CMD_ROUTE_DEL, uapi.ROUTE_RECORDS4, half))
    equal(tell(uapi.OBJECT_ROUTE4)[0], ROUTES - ROUTES // 2)
    try:
        send(uapi.CMD_ROUTE_DEL, uapi.ROUTE_RECORDS4, half[:1])
    except n.NlError as error:
        equal((error.code, "record 0" in error.text), (2, True))
    else:
        raise AssertionError("deleted twice")


@tap.test("a bad record at the end of a full message refuses all before it")
def atomic():
    before = NL.tables()
    good = [struct.pack("!I", 0x14000000 + (i << 8)) + struct.pack("=IIBBH", 1, 16, 24, 0, 0)
            for i in range(PER_MESSAGE - 1)]
    bad = struct.pack("!I", 0x14000001) + struct.pack("=IIBBH", 1, 16, 24, 0, 0)
    try:
        send(uapi.CMD_ROUTE_ADD, uapi.ROUTE_RECORDS4, [b"".join(good) + bad])
    except n.NlError as error:
        equal(error.text, f"record {PER_MESSAGE - 1}: host bits are set")
    else:
        raise AssertionError("not refused")
    equal(NL.tables(), before)


@tap.test("labels by the thousand: count, digest, dump")
def labels():
    count = min(ROUTES, 100000) // 2
    records = [n.label_record(16 + i * 3, uapi.LABEL_ACTION_SWAP, 0, 1 + i % 2, 1000 + i) for i in range(count)]

    def add():
        for data in messages(records, 20):
            NL.do(uapi.CMD_LABEL_ADD, [(uapi.LABEL_RECORDS, data)])

    timed("labels added", count, add)
    want = sum(n.digest_label(16 + i * 3, uapi.LABEL_ACTION_SWAP, 0, 1 + i % 2, 1000 + i) for i in range(count)) & n.MASK
    equal(NL.tables()[(uapi.OBJECT_LABEL, None)], (count, want))
    got = timed("labels dumped", count, lambda: NL.dump(uapi.CMD_LABEL_GET))
    equal([d[uapi.LABEL_RECORDS] for d in got] == records, True, "dump")


@tap.test("a dump goes on while routes come and go: what stays is told exactly once")
def moving_dump():
    other = n.L3vpn()
    seq = NL.send(NL.family, uapi.CMD_ROUTE_GET, n.attr(uapi.ROUTE_VRF, n.u32(RED)) + n.attr(uapi.ROUTE_FAMILY, n.u8(10)),
                  n.NLM_F_DUMP)
    told = []
    done = False
    while not done:
        data = NL.sock.recv(1 << 20)
        at = 0
        while at + 16 <= len(data):
            length, kind, _, got, _ = struct.unpack_from("=IHHII", data, at)
            if got == seq and kind == n.NLMSG_DONE:
                done = True
            elif got == seq:
                page = n.attrs_dict(data[at + 20:at + length])
                raw = page[uapi.ROUTE_RECORDS6]
                told += [struct.unpack_from("!I", raw, i + 4)[0] for i in range(0, len(raw), 28)]
            at += (length + 3) & ~3
        # meanwhile: every even one behind the tenth part goes, new ones come
        if len(told) < ROUTES // 10:
            gone = [struct.pack("!IIII", 0x20010db8, i, 0, 0) + struct.pack("=IIBBH", 0, 0, 64, 0, 0)
                    for i in range(ROUTES // 2, ROUTES // 2 + 200, 2)]
            other.do(uapi.CMD_ROUTE_DEL, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_RECORDS6, b"".join(gone)),
                                          (uapi.ROUTE_FLAGS, n.u32(1))])
    want = set(range(ROUTES)) - set(range(ROUTES // 2, ROUTES // 2 + 200, 2))
    equal(len(told), len(set(told)), "told twice")
    equal(want - set(told), set(), "never told")


@tap.test("an epoch sweeps all that was not touched")
def sweep():
    epoch = NL.epoch_begin()
    NL.vrf_new("RED", RED)
    info = NL.info()
    want = info["routes4"] + info["routes6"] + info["labels"] + info["nhs"]
    equal(timed("objects swept", want, lambda: NL.epoch_sweep(epoch)), want)
    equal(tell(uapi.OBJECT_ROUTE4), (0, 0))
    equal(tell(uapi.OBJECT_ROUTE6), (0, 0))


@tap.test("a route that was not touched is swept, however many epochs have begun since; one that was stays")
def epochs():
    old, new = n.prefix4("10.0.0.0/8", 1, 100), n.prefix4("10.1.0.0/16", 1, 101)
    for begun in range(1, 10):
        NL.nh_new(1, uapi.NH_KIND_BLACKHOLE)
        NL.vrf_new("RED", RED)
        NL.route_add(RED, [old, new])
        for _ in range(begun):
            epoch = NL.epoch_begin()
            if begun % 2:
                NL.route_add(RED, [new])
        NL.route_add(RED, [new])
        equal((begun, NL.epoch_sweep(epoch, 1 << uapi.OBJECT_ROUTE4)), (begun, 1))
        equal((begun, NL.info()["routes4"]), (begun, 1))
        epoch = NL.epoch_begin()
        NL.epoch_sweep(epoch)
        equal((begun, NL.info()["routes4"]), (begun, 0))
    NL.vrf_new("RED", RED)


@tap.test("many VRFs: made, filled, removed by a sweep")
def vrfs():
    NL.nh_new(1, uapi.NH_KIND_BLACKHOLE)

    def make():
        for i in range(VRFS):
            vrf = NL.vrf_new(f"v{i}", 1000 + i)
            NL.route_add(vrf, [n.prefix4((0x0a000000 + (j << 16), 16), 1, 100 + j) for j in range(10)])

    timed("VRFs of ten routes made", VRFS, make)
    equal(NL.info()["vrfs"], VRFS + 1)
    equal(len(NL.tables()), 5 + 2 * (VRFS + 1))
    epoch = NL.epoch_begin()
    timed("VRFs swept", VRFS, lambda: NL.epoch_sweep(epoch))
    equal((NL.info()["vrfs"], NL.info()["routes4"], NL.info()["nhs"]), (0, 0, 0))


tap.main()
