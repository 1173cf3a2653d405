#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Fuzz of the netlink family: seeded messages, right, nearly right and garbage, by several processes at once.

    fuzz.py [--seconds N] [--messages N] [--seed S] [--processes P]     (L3VPN_SECONDS, L3VPN_MESSAGES, L3VPN_SEED too)

What a message carries beside what is written here is taken from the uapi header: the attributes of its command's
object with the types that the header's comments give them, so that new ones are covered by themselves. Messages are kept
and sent again, as they were or bent, for making them costs more than sending them.

The module must survive (scripts/vm reads the kernel's log), each answer must be well formed, and at the end counts
and digests of the tables must be those of what a dump tells, and all must be removable.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import uapi  # noqa: E402

DEVICES = ("f0", "f1", "f2", "f3", "lo", "f2.7")
VRFS = (1, 2, 3, 4, 99, 0, 1 << 20)
COMMANDS = list(range(uapi.CMD_MAX + 2))
# Devices are slow (each end of one waits for readers): few of those.
WEIGHTS = {uapi.CMD_VRF_NEW: 4, uapi.CMD_VRF_DEL: .5, uapi.CMD_PORT_NEW: 1, uapi.CMD_PORT_DEL: .3, uapi.CMD_NH_NEW: 40,
           uapi.CMD_NH_DEL: 3, uapi.CMD_ROUTE_ADD: 25, uapi.CMD_ROUTE_DEL: 10, uapi.CMD_LABEL_ADD: 15,
           uapi.CMD_LABEL_DEL: 5}


POOL = 600
TYPES = ("u8", "u16", "u32", "u64", "s32", "be16", "be32", "string", "binary", "nest")
SIZES = {"u8": (1,), "u16": (2,), "u32": (4,), "u64": (8,), "s32": (4,), "be16": (2,), "be32": (4,), "string": (2, 5, 16, 17),
         "binary": (0, 4, 8, 16, 28, 60), "nest": (0, 8, 12)}


def described():
    """{attribute's name without L3VPN_: its type}, from the header's comments."""
    with open(uapi.HEADER, encoding="utf-8") as f:
        return dict(re.findall(r"^\tL3VPN_(\w+),\s*/\* (%s)\b" % "|".join(TYPES), f.read(), re.M))


def attributes():
    """{command: [(attribute, type), ...]}: of the object that its name begins with."""
    types, found = described(), {}
    for name, number in uapi.CONSTANTS.items():
        word = re.match(r"L3VPN_CMD_(?:STATS_)?([A-Z]+)_?", name)
        if not word or number > uapi.CMD_MAX:
            continue
        names = [attr for _, members in uapi.ENUMS for attr in members
                 if members[0] == f"L3VPN_{word[1]}_UNSPEC" and attr[6:] in types]
        found[number] = [(uapi.CONSTANTS[attr], types[attr[6:]]) for attr in names]
    return found


class Fuzz:
    """One process's stream of messages."""

    def __init__(self, seed):
        self.rand = random.Random(seed)
        self.attributes = attributes()
        self.pool = []
        self.nl = n.L3vpn(strict=self.rand.random() < .5)
        self.sent = self.refused = 0

    def u32(self, *usual):
        """A number: mostly a usual one."""
        r = self.rand
        return n.u32(r.choice(usual) if r.random() < .9 else r.choice((0, 1, 0xffffffff, 1 << 31, r.getrandbits(32))))

    def nh_id(self):
        """A next hop's id, often one in use."""
        return self.rand.randrange(1, 24)

    def records(self, v6):
        """Route records, mostly right."""
        r, found = self.rand, []
        for _ in range(r.choice((1, 1, 1, 2, 2, 5, 40)) if r.random() < .99 else 400):
            width = 128 if v6 else 32
            plen = r.choice((0, 8, 16, 24, width, width // 2)) if r.random() < .97 else r.getrandbits(8)
            addr = r.getrandbits(12) << (width - 16) | r.getrandbits(4)
            if plen <= width and r.random() < .99:
                addr = addr >> (width - plen) << (width - plen)
            pack = n.prefix6 if v6 else n.prefix4
            label = r.choice((None, None, 16, 17, 100, 1048575)) if r.random() < .99 else r.getrandbits(32)
            found.append(pack((addr & ((1 << width) - 1), plen), self.nh_id() if r.random() < .99 else r.getrandbits(32), label))
        return b"".join(found)

    def labels(self):
        """Label records, mostly right."""
        r, found = self.rand, []
        for _ in range(r.choice((1, 1, 2, 30))):
            action = r.choice((1, 2, 3)) if r.random() < .97 else r.getrandbits(8)
            swap = action == uapi.LABEL_ACTION_SWAP
            found.append(n.label_record(r.choice((16, 17, 100, 5000, 1048575)) + r.randrange(4) * (r.random() < .9) - 1,
                                        action, 0 if swap else r.randrange(1, 5),
                                        0 if action == 1 else self.nh_id(), r.choice((3, 0, 500)) if swap else None,
                                        scope=r.choice((0, 0, 1, 63)) if r.random() < .98 else r.getrandbits(8)))
        return b"".join(found)

    def ifindex(self):
        """A device's index, if it is there now."""
        try:
            return n.s32(n.ifindex(self.rand.choice(DEVICES)))
        except OSError:
            return n.s32(self.rand.choice((0, -1, 1, 77)))

    def next_hop(self):
        """NH_NEW's attributes."""
        r = self.rand
        kind = r.randrange(1, uapi.NH_KIND_MAX + 1) if r.random() < .97 else r.getrandbits(8)
        attrs = [(uapi.NH_ID, n.u32(self.nh_id())), (uapi.NH_KIND, n.u8(kind))]
        if kind == uapi.NH_KIND_ADJACENCY:
            attrs.append((uapi.NH_IFINDEX, self.ifindex()))
            if r.random() < .8:
                attrs.append((uapi.NH_GATEWAY, r.choice((bytes([10, 0, r.randrange(4), r.randrange(1, 5)]),
                                                        bytes.fromhex("fe80" + "00" * 13 + "02"), r.randbytes(16)))))
        elif kind == uapi.NH_KIND_LABELLED:
            attrs += [(uapi.NH_VIA, n.u32(self.nh_id())),
                      (uapi.NH_LABELS, b"".join(n.u32(r.choice((16, 99, 1048575))) for _ in range(r.randrange(10))))]
        elif kind == uapi.NH_KIND_EGRESS:
            attrs += [(uapi.NH_VIA, n.u32(self.nh_id())),
                      (uapi.NH_LABELS, n.u32(r.choice((16, 1048575))) * r.choice((1, 1, 1, 0, 2)))]
        elif kind == uapi.NH_KIND_GROUP:
            attrs.append((uapi.NH_MEMBERS, b"".join(n.member(self.nh_id(), r.randrange(5), r.choice((0, 0, 0, 0, 1, 3, 2, 4, 5)))
                                                    for _ in range(r.choice((1, 2, 3, 8, 64))))))
        elif kind == uapi.NH_KIND_VRF:
            attrs.append((uapi.NH_VRF, self.u32(*VRFS)))
        return attrs

    def attrs(self, cmd):
        """Attributes that mostly fit the command."""
        r = self.rand
        if cmd in (uapi.CMD_VRF_NEW, uapi.CMD_VRF_DEL, uapi.CMD_VRF_GET):
            vrf = r.randrange(1, 5)
            attrs = [(uapi.VRF_NAME, n.text(f"v{vrf}")), (uapi.VRF_ID, n.u32(vrf))][:r.choice((1, 2, 2))]
            if cmd == uapi.CMD_VRF_NEW and r.random() < .3:
                attrs.append((uapi.VRF_LIMIT4, n.u32(r.choice((0, 5, 50)))))
                attrs.append((uapi.VRF_WARN4, n.u32(r.choice((0, 3, 40)))))
            if cmd == uapi.CMD_VRF_NEW and r.random() < .3:
                attrs += r.sample([(uapi.VRF_TTL_MODEL, n.u8(r.randrange(4))), (uapi.VRF_TC_MODEL, n.u8(r.randrange(5))),
                                   (uapi.VRF_DSCP_TC, bytes(r.choices(range(8), k=r.choice((64, 64, 63))))),
                                   (uapi.VRF_TC_DSCP, bytes(r.choices(range(65), k=8)))], r.randrange(1, 5))
            return attrs
        if cmd in (uapi.CMD_PORT_NEW, uapi.CMD_PORT_DEL, uapi.CMD_PORT_GET):
            attrs = [(uapi.PORT_IFINDEX, self.ifindex())]
            if cmd == uapi.CMD_PORT_NEW:
                kind = r.choice((1, 1, 2, r.getrandbits(8)))
                attrs += [(uapi.PORT_KIND, n.u8(kind))] + ([(uapi.PORT_VRF, self.u32(*VRFS))] if kind != 2 else [])
                if r.random() < .3:
                    attrs.append(r.choice(((uapi.PORT_RPF4, n.u8(r.randrange(6))), (uapi.PORT_RPF6, n.u8(r.randrange(6))),
                                           (uapi.PORT_OPTIONS, self.u32(0, 9)), (uapi.PORT_SCOPES, r.randbytes(8)))))
                if kind == 2 and r.random() < .5:
                    attrs.append((uapi.PORT_MPLS_MTU, self.u32(0, 104, 1300, 9000)))
            return attrs
        if cmd == uapi.CMD_NH_NEW:
            return self.next_hop()
        if cmd in (uapi.CMD_NH_DEL, uapi.CMD_NH_GET):
            return [(uapi.NH_ID, n.u32(self.nh_id()))]
        if cmd in (uapi.CMD_ROUTE_ADD, uapi.CMD_ROUTE_DEL):
            attrs = [(uapi.ROUTE_VRF, n.u32(r.randrange(1, 5)))]
            if r.random() < .8:
                attrs.append((uapi.ROUTE_RECORDS4, self.records(False)))
            if r.random() < .5:
                attrs.append((uapi.ROUTE_RECORDS6, self.records(True)))
            if cmd == uapi.CMD_ROUTE_DEL:
                attrs.append((uapi.ROUTE_FLAGS, n.u32(1)))
            return attrs
        if cmd == uapi.CMD_ROUTE_GET:
            return [(uapi.ROUTE_VRF, n.u32(r.randrange(1, 5)))] + r.choice((
                [(uapi.ROUTE_DST4, r.randbytes(4))], [(uapi.ROUTE_DST6, r.randbytes(16))],
                [(uapi.ROUTE_FAMILY, n.u8(r.choice((2, 10))))]))
        if cmd in (uapi.CMD_LABEL_ADD, uapi.CMD_LABEL_DEL):
            return [(uapi.LABEL_RECORDS, self.labels())] + \
                ([(uapi.LABEL_FLAGS, n.u32(1))] if cmd == uapi.CMD_LABEL_DEL else [])
        if cmd == uapi.CMD_EPOCH_SWEEP and r.random() < .2:
            return [(uapi.EPOCH_EPOCH, n.u32(self.nl.info()["epoch"])),
                    (uapi.EPOCH_KINDS, n.u32(1 << r.randrange(1, 7)))]
        if cmd == uapi.CMD_TABLE_GET:
            return r.choice(([], [(uapi.TABLE_KIND, n.u8(r.randrange(9)))]))
        return []

    def more(self, cmd):
        """Attributes of the command's object, by type alone."""
        r, known = self.rand, self.attributes.get(cmd)
        if not known:
            return []
        found = []
        for kind, what in r.sample(known, min(len(known), r.choice((1, 1, 2, 4)))):
            size = r.choice(SIZES[what])
            usual = r.choice((0, 1, 2, 3, 16, 255, 1500, (1 << 8 * size) - 1)) & ((1 << 8 * size) - 1)
            if what == "nest":
                data = n.attr(r.randrange(6), r.randbytes(max(0, size - 4)))
            elif what == "string" or r.random() < .4:
                data = r.randbytes(size)
            else:
                data = usual.to_bytes(size, "big" if what.startswith("be") else sys.byteorder)
            found.append((kind, data))
        return found

    def message(self):
        """A command and what it carries: a new one, or one that was sent before."""
        r = self.rand
        if self.pool and r.random() < .9:
            return r.choice(self.pool)
        cmd = r.choices(list(WEIGHTS), WEIGHTS.values())[0] if r.random() < .9 else r.choice(COMMANDS)
        attrs = self.attrs(cmd)
        if r.random() < .25:
            attrs = attrs[:r.randrange(len(attrs) + 1)] if r.random() < .2 else attrs
            more = self.more(cmd)
            attrs = attrs + more if r.random() < .5 else more + attrs
        made = (cmd, b"".join(n.attr(k, d) for k, d in attrs))
        if len(self.pool) < POOL:
            self.pool.append(made)
        else:
            self.pool[r.randrange(POOL)] = made
        return made

    def damage(self, payload):
        """Bend a message: bits, length, repetition, garbage."""
        r, payload = self.rand, bytearray(payload)
        how = r.randrange(6)
        if how == 0 and payload:
            for _ in range(r.randrange(1, 8)):
                payload[r.randrange(len(payload))] ^= 1 << r.randrange(8)
        elif how == 1:
            del payload[r.randrange(len(payload) + 1):]
        elif how == 2:
            payload += payload[:r.randrange(len(payload) + 1)]
        elif how == 3:
            payload += r.randbytes(r.randrange(64))
        elif how == 4:
            at = r.randrange(len(payload) + 1)
            payload[at:at] = n.attr(r.randrange(20) | r.choice((0, 0x8000, 0x4000)), r.randbytes(r.randrange(40)))
        else:
            payload = bytearray(r.randbytes(r.randrange(200)))
        return bytes(payload)

    def one(self):
        """One message and its answers."""
        r = self.rand
        cmd, payload = self.message()
        if r.random() < .15:
            payload = self.damage(payload)
        flags = r.choice((0,) * 12 + (n.NLM_F_ECHO, n.NLM_F_CREATE, n.NLM_F_REPLACE, n.NLM_F_CREATE | n.NLM_F_EXCL,
                          n.NLM_F_DUMP, r.getrandbits(16) & 0xff00))
        if flags & n.NLM_F_DUMP == n.NLM_F_DUMP:
            flags &= ~n.NLM_F_ACK
        else:
            flags |= n.NLM_F_ACK
        self.sent += 1
        try:
            for _, body in self.nl.receive(self.nl.send(self.nl.family, cmd, payload, flags)):
                n.parse_attrs(body)
        except n.NlError:
            self.refused += 1


def devices(rand):
    """Devices come, go, and change, beside the messages."""
    name = rand.choice(("f0", "f2"))
    peer = {"f0": "f1", "f2": "f3"}[name]
    command = rand.choice((
        f"link add {name} type veth peer name {peer}", f"link set {name} up", f"link set {peer} up", f"link set {name} down",
        f"addr add 10.0.{rand.randrange(4)}.1/{rand.choice((24, 31, 32))} dev {name}",
        f"addr add 2001:db8:{rand.randrange(4)}::1/64 dev {name}", f"addr flush dev {name}",
        f"link set {name} master v{rand.randrange(1, 5)}", f"link set {name} nomaster",
        "link add link f2 name f2.7 type vlan id 7", "link set f2.7 up", f"link del v{rand.randrange(1, 5)}",
        f"addr add 10.255.0.{rand.randrange(1, 5)}/32 dev v{rand.randrange(1, 5)}") + (f"link del {name}",) * (rand.random() < .3))
    subprocess.run(["ip"] + command.split(), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def digest_of_dump(nl):
    """{(kind, vrf): (count, digest)} of routes and labels, from the dumps alone."""
    found = {}
    for vrf in [n.get(v[uapi.VRF_ID]) for v in nl.dump(uapi.CMD_VRF_GET)]:
        for v6, kind in ((False, uapi.OBJECT_ROUTE4), (True, uapi.OBJECT_ROUTE6)):
            routes = nl.route_dump(vrf, v6)
            found[(kind, vrf)] = (len(routes), sum(n.digest_route(vrf, p, nh, label) for p, nh, label in routes) & n.MASK)
    total = count = 0
    for entry in nl.dump(uapi.CMD_LABEL_GET):
        label, action, _, scope, _, vrf, nh, out = n.struct.unpack("=IBBBBIII", entry[uapi.LABEL_RECORDS])
        total += n.digest_label(label, action, vrf, nh, None if out == uapi.LABEL_NONE else out, scope)
        count += 1
    found[(uapi.OBJECT_LABEL, None)] = (count, total & n.MASK)
    return found


def worker(number, seed, end, messages):
    """Send until @end, or so many; exit status 0 unless an answer was malformed."""
    fuzz = Fuzz(seed * 1000 + number)
    rand = random.Random(seed * 1000 + 500 + number)
    while fuzz.sent < messages if messages else time.monotonic() < end:
        for _ in range(300):
            fuzz.one()
            if fuzz.sent == messages if messages else time.monotonic() > end:
                break
        if number == 0:
            devices(rand)
    print(f"# process {number}: {fuzz.sent} messages, {fuzz.refused} refused", flush=True)


def main():
    """Fuzz, then compare and clear away."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("L3VPN_SECONDS", 10)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("L3VPN_SEED", random.randrange(1 << 30))))
    parser.add_argument("--messages", type=int, default=int(os.environ.get("L3VPN_MESSAGES") or 0),
                        help="how many, of all processes together; 0: as many as there is time for")
    parser.add_argument("--processes", type=int, default=3)
    args = parser.parse_args()
    print(f"TAP version 13\n1..3\n# seed {args.seed}, {args.seconds} s, {args.processes} processes", flush=True)
    first = n.L3vpn()
    for vrf in range(1, 5):
        first.vrf_new(f"v{vrf}", vrf)
    for nh in range(1, 24):
        first.nh_new(nh, uapi.NH_KIND_UNREACHABLE)
    first.close()
    end = time.monotonic() + args.seconds
    pids = []
    for number in range(args.processes):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                worker(number, args.seed, end, -(-args.messages // args.processes))
                code = 0
            except Exception as error:  # pylint: disable=broad-except
                print(f"# process {number}: {error!r}", flush=True)
            os._exit(code)
        pids.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    failed = 0

    def tell(number, good, title, why=""):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} {title}" + (f"\n# {why}" if not good else ""), flush=True)

    tell(1, not any(codes), "every answer was well formed", codes)
    nl = n.L3vpn()
    tables, dumped = nl.tables(), digest_of_dump(nl)
    wrong = {key: (tables.get(key), value) for key, value in dumped.items() if tables.get(key) != value}
    tell(2, not wrong, "counts and digests are those of the dumps", wrong)
    for name in ("f0", "f2", "v1", "v2", "v3", "v4"):
        subprocess.run(["ip", "link", "del", name], check=False, stderr=subprocess.DEVNULL)
    nl.epoch_sweep(nl.epoch_begin())
    info = nl.info()
    left = {key: info[key] for key in ("vrfs", "ports", "nhs", "routes4", "routes6", "labels") if info[key]}
    tell(3, not left, "all of it could be removed", left)
    sys.exit(1 if failed else 0)


main()
