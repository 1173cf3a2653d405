#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sessions that send valid and mutated UPDATEs to a daemon under AddressSanitizer and UBSan, beside sessions that must not feel it.

    mutate.py [--seconds N] [--seed S] [--cycle N]            run by scripts/soak bgp-mutate, as root

    mutators (.21 ...) --+
    witness a (.11) -----+-- l3vpnd: PE and reflector, --provider none
    witness b (.12) -----+
    BIRD (.13) ----------+

a announces VPNv4 and VPNv6 routes that never change. b is told everything, and takes each UPDATE apart strictly
(lib/bgp_check.py): what the daemon hands on of what it was sent must be well formed, and a's routes must always be what a
announced. BIRD is told everything too, and ends its session where it does not like what it reads. Neither of the three
sessions may fall.

Every mutator has other families and capabilities: VPN, labelled unicast, RT-Constrain, several paths, AS numbers of two octets,
another AS, a CE in a VRF. Mutations: bits and octets, lengths, attributes doubled, left out, in another order, cut off, made long,
taken from another UPDATE. What is mutated are UPDATEs made here, the seeds of the fuzzers (userspace/bgp/fuzz/seeds) and, where
L3VPN_DATA has some, real ones.

Every --cycle seconds all mutators go: then b has a's routes and no others, and the daemon as many attribute sets as before and not
more memory than after the first cycle. In the end a withdraws, all tables are empty, and LeakSanitizer has nothing to say.
"""
import argparse
import ipaddress
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import bgp_check  # noqa: E402
import mrt  # noqa: E402
from speaker import (REFRESH, UPDATE, VPNV4, VPNV6, Speaker, as_path, attribute, capability, end_of_rib,  # noqa: E402
                     ext_communities, local_pref, message, mp_unreach, origin, rd, update, vpn_nlri, vpn_updates, with_id)
from topology import Bird, Failed, L3vpnd, Topology, wait_for  # noqa: E402

AS, OTHER_AS, CE_AS = 65000, 65010, 65020
IPV4, IPV6, LU4, LU6, RTC = (1, 1), (2, 1), (1, 4), (2, 4), (1, 132)
CORE = (VPNV4, VPNV6, LU4, LU6)
PE, PE_IN_VRF = "10.9.0.1", "2001:db8:8::1"
WITNESS = "65000:7777"
ROUTES = 200        # of witness a, in each family
REMEMBERED = 2048   # attribute sets that update groups looked at last and hold, 256 each (bgp/group.h)
# octets that the daemon's resident memory, under AddressSanitizer, may grow after the first cycle: the log's ring fills, 2.3 MB
SLACK = 12 << 20


def address(n):
    return "10.9.0.%d" % n


def add_path(families):
    return capability(69, b"".join(struct.pack("!HBB", *family, 2) for family in families))


class Kind:
    """A mutator: its number (address), AS, families, and what its OPEN says more."""

    def __init__(self, name, n, asn=AS, families=CORE, paths=False, as4=True, config="", vrf=None):
        self.name, self.n, self.asn, self.families, self.paths, self.as4 = name, n, asn, families, paths, as4
        self.config, self.vrf = config, vrf
        self.address = "2001:db8:8::%d" % n if vrf else address(n)


KINDS = [
    Kind("vpn", 21, families=(VPNV4, VPNV6)),
    Kind("labelled", 22, families=(LU4, LU6)),
    Kind("paths", 23, paths=True),
    Kind("rt-filter", 24, families=(VPNV4, VPNV6, RTC)),
    Kind("two-octet AS", 25, as4=False),
    Kind("another AS", 26, asn=OTHER_AS),
    # over IPv6: without VRF devices two listening sockets of one family have no room beside each other
    Kind("CE", 2, asn=CE_AS, families=(IPV6,), vrf="RED"),
    Kind("CE, both families", 3, asn=CE_AS, families=(IPV4, IPV6), vrf="RED", paths=True),
    Kind("CE, two-octet AS", 4, asn=CE_AS, families=(IPV4, IPV6), vrf="RED", as4=False),
]

FAMILY_WORDS = {VPNV4: "vpnv4 unicast", VPNV6: "vpnv6 unicast", LU4: "ipv4 labeled-unicast", LU6: "ipv6 labeled-unicast",
                RTC: "ipv4 rt-filter", IPV4: "ipv4 unicast", IPV6: "ipv6 unicast"}


def neighbor(addr, asn, families, paths=False, indent=" "):
    text = "%sneighbor %s\n%s remote-as %d\n%s passive\n" % (indent, addr, indent, asn, indent)
    for family in families:
        text += "%s address-family %s\n" % (indent, FAMILY_WORDS[family])
        if asn == AS and family != RTC:
            text += indent + "  route-reflector-client\n"
        if paths and family != RTC:
            text += indent + "  additional-paths receive\n"
        text += indent + " !\n"
    return text + indent + "!\n"


def config():
    text = "vrf RED\n rd %d:1\n" % AS
    text += "".join(" address-family %s unicast\n  import route-target %d:1\n  export route-target %d:1\n !\n" % (f, AS, AS)
                    for f in ("ipv4", "ipv6"))
    text += "!\ninterface red\n vrf RED\n ipv4 address 10.8.0.1/24\n ipv6 address 2001:db8:8::1/64\n!\n"
    text += "interface core\n mpls\n ipv4 address %s/24\n!\nrouter bgp %d\n router-id 192.0.2.1\n" % (PE, AS)
    text += " bgp unsafe-ebgp-policy\n address-family ipv4 labeled-unicast\n  allocate-label all\n !\n"
    text += "".join(" address-family vpnv%d unicast\n  retain route-target all\n !\n" % v for v in (4, 6))
    for n in (11, 12, 13):
        text += neighbor(address(n), AS, (VPNV4,) if n == 13 else CORE)
    for kind in KINDS:
        if not kind.vrf:
            text += neighbor(kind.address, kind.asn, kind.families, kind.paths)
    text += " vrf RED\n  address-family ipv4 unicast\n   redistribute connected\n  !\n  address-family ipv6 unicast\n  !\n"
    for kind in KINDS:
        if kind.vrf:
            text += neighbor(kind.address, kind.asn, kind.families, kind.paths, "  ")
    return text + " !\n!\n"


BIRD = """router id %(own)s;
log stderr { warning, error, fatal, bug, remote };
protocol device { scan time 60; }
protocol direct { ipv4; }
vpn4 table v4;
protocol bgp witness { local %(own)s as %(asn)d; neighbor %(pe)s as %(asn)d; multihop;
 vpn4 mpls { table v4; import all; export none; };
}
"""


# ---- mutations ----

def parts(body):
    """(withdrawn, [attribute octets], nlri) of a valid UPDATE's body, as far as it goes."""
    gone = int.from_bytes(body[:2], "big")
    length = int.from_bytes(body[2 + gone:4 + gone], "big")
    octets, found, at = body[4 + gone:4 + gone + length], [], 0
    while at + 3 <= len(octets):
        head = 4 if octets[at] & 0x10 else 3
        size = head + int.from_bytes(octets[at + 2:at + head], "big")
        found.append(bytes(octets[at:at + size]))
        at += size
    return body[2:2 + gone], found, body[4 + gone + length:]


def body_of(withdrawn, attrs, nlri):
    octets = b"".join(attrs)
    return struct.pack("!H", len(withdrawn) & 0xffff) + withdrawn + struct.pack("!H", len(octets) & 0xffff) + octets + nlri


def bits(rng, octets):
    octets = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if octets:
            octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    return bytes(octets)


def one_attribute(rng, attr):
    """Another one of the same or nearly so: its value, length, flags, code."""
    head = 4 if attr[0] & 0x10 else 3
    flags, code, value = attr[0], attr[1], attr[head:]
    what = rng.randrange(8)
    if what == 0:
        return bits(rng, attr)
    if what == 1:
        return attr[:head] + bits(rng, value)
    if what == 2:                   # its length says something else
        return attr[:head - 1] + bytes((rng.randrange(256),)) + value
    if what == 3:                   # shorter, and says so
        return attribute(flags & ~0x10, code, value[:rng.randrange(len(value) + 1)])
    if what == 4:                   # longer, and says so
        return attribute(flags & ~0x10, code, value + rng.randbytes(rng.choice((1, 2, 3, 4, 8, 40))))
    if what == 5:
        return attribute(flags & ~0x10, code, ((value or b"\0") * rng.choice((2, 3, 20, 300)))[:3900])
    if what == 6:
        return bytes((flags ^ 1 << rng.randrange(8),)) + attr[1:]
    # another code; well-known ones that nobody knows end a session (RFC 4271 6.3), which is seen often enough
    return bytes((flags | rng.choice((0x80,) * 9 + (0,)), rng.choice((code ^ 1, rng.randrange(1, 41), rng.randrange(256))))) + attr[2:]


def mutate(rng, body, other):
    """Another body, most often one whose attributes are as long as it says."""
    withdrawn, attrs, nlri = parts(body)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        # what is behind the attributes ends the session most of the time
        what = rng.randrange(10) if rng.random() < 0.97 else rng.randrange(10, 12)
        at = rng.randrange(len(attrs)) if attrs else 0
        if what < 5 and attrs:
            attrs[at] = one_attribute(rng, attrs[at])
        elif what == 5 and attrs:
            attrs.insert(rng.randrange(len(attrs) + 1), attrs[at])
        elif what == 6 and attrs:
            del attrs[at]
        elif what == 7:
            rng.shuffle(attrs)
        elif what == 8:
            attrs += rng.sample(parts(other)[1], 1) if parts(other)[1] else []
        elif what == 9:
            attrs.append(attribute(rng.choice((0xc0, 0x80, 0xe0) * 5 + (0x40,)), rng.randrange(256),
                                   rng.randbytes(rng.choice((0, 1, 4, 255, 256, 3000)))))
        elif what == 10:
            nlri = rng.choice((bits(rng, nlri), nlri + rng.randbytes(rng.randrange(1, 6)), nlri[:-1], parts(other)[2]))
        else:
            withdrawn = rng.choice((bits(rng, withdrawn), nlri, withdrawn + b"\x18\x0a\1\1", withdrawn[:-1]))
    out = body_of(withdrawn, attrs, nlri)
    what = rng.randrange(150)
    if what == 0:
        out = bits(rng, out)
    elif what == 1:
        out = out[:rng.randrange(len(out) + 1)]
    return out[:4077]


def load_seeds():
    """What the fuzzers start from: bodies of UPDATEs, without the two octets that say what the session agreed on."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(TOP, "userspace/bgp/fuzz/seeds"), "fuzz_bgp_update", folder], check=True)
        found = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as f:
                found.append(f.read()[2:])
        return found


def random_attributes(rng, kind):
    """Good ones, of many kinds."""
    size = "!I" if kind.as4 else "!H"
    ases = [kind.asn] if kind.asn != AS else []
    ases += [rng.choice((64512, 64999, 3356, 174, 23456)) for _ in range(rng.randrange(4))]
    path = struct.pack("!BB", 2, len(ases)) + b"".join(struct.pack(size, a) for a in ases) if ases else b""
    attrs = [origin(rng.randrange(3)), attribute(0x40, 2, path)]
    if kind.asn == AS:
        attrs.append(local_pref(rng.choice((100, 100, 200))))
    if rng.random() < 0.3:
        attrs.append(attribute(0x80, 4, struct.pack("!I", rng.randrange(5))))
    if rng.random() < 0.3:
        attrs.append(attribute(0xc0, 8, struct.pack("!HH", 65000, rng.randrange(50)) * rng.randrange(1, 4)))
    if rng.random() < 0.2:
        attrs.append(attribute(0xc0, 32, struct.pack("!III", 65000, 1, rng.randrange(50))))
    if rng.random() < 0.2:
        attrs.append(attribute(0xc0, 7, struct.pack(size, 3356) + b"\1\2\3\4"))
    if rng.random() < 0.1:
        attrs.append(attribute(0xe0, 200 + rng.randrange(4), rng.randbytes(12)))
    if not kind.as4 and rng.random() < 0.5:
        attrs.append(attribute(0xc0, 17, struct.pack("!BBII", 2, 2, 4200000000, 65536 + rng.randrange(9))))
    if kind.asn == AS and rng.random() < 0.2:
        attrs.append(attribute(0x80, 9, b"\1\1\1\1") + attribute(0x80, 10, b"\2\2\2\2\3\3\3\3"))
    attrs.append(ext_communities("%d:%d" % (AS, rng.randrange(1, 4))))
    return attrs


def random_nlri(rng, kind, family):
    afi, safi = family
    if safi == 132:
        octets = bytes((96,)) + struct.pack("!I", AS) + b"\0\2" + struct.pack("!HI", AS, rng.randrange(1, 6))
    else:
        length = rng.randrange(8, 33) if afi == 1 else rng.randrange(16, 129)
        prefix = bytearray((b"\x14" + rng.randbytes(3)) if afi == 1 else b"\x20\x01\x0d\xb8" + rng.randbytes(12))
        octets = prefix[:(length + 7) // 8]
        if length % 8:
            octets[-1] &= 0xff00 >> length % 8 & 0xff
        label = struct.pack("!I", (rng.randrange(16, 1 << 20) << 4 | 1) << 8)[:3] if safi in (4, 128) else b""
        distinguisher = rd("%d:%d" % (AS, rng.randrange(1, 9))) if safi == 128 else b""
        octets = bytes((length + 8 * len(label + distinguisher),)) + label + distinguisher + bytes(octets)
    return with_id(rng.randrange(3), octets) if kind.paths and safi != 132 else octets


def hop(kind, family):
    afi, safi = family
    if kind.vrf and afi == 1:
        return bytes((10, 8, 0, kind.n))
    own = ipaddress.ip_address(kind.address).packed
    if afi == 2 and len(own) == 4:
        own = b"\0" * 10 + b"\xff\xff" + own
    return (b"\0" * 8 if safi == 128 else b"") + own


def valid(rng, kind):
    """The body of a valid UPDATE of a mutator."""
    family = rng.choice(kind.families)
    routes = b"".join(random_nlri(rng, kind, family) for _ in range(rng.choice((1, 2, 5, 30))))
    if rng.random() < 0.15:
        if family == IPV4:
            return body_of(routes, [], b"")
        return body_of(b"", [mp_unreach(family, routes)], b"")
    attrs = random_attributes(rng, kind)
    if family == IPV4:
        return body_of(b"", attrs + [attribute(0x40, 3, hop(kind, family))], routes)
    value = hop(kind, family)
    reach = attribute(0x80, 14, struct.pack("!HBB", *family, len(value)) + value + b"\0" + routes)
    return body_of(b"", attrs + [reach], b"")


class Mutator(threading.Thread):
    """One kind, in a thread: sends until it is told to stop; comes back when its session fell."""

    def __init__(self, lab, kind, seed, models):
        super().__init__(daemon=True)
        self.lab, self.kind, self.models = lab, kind, models
        self.rng = random.Random("%s %s" % (seed, kind.name))
        self.stop_at, self.sent, self.mutated, self.falls, self.trouble = 0, 0, 0, 0, None

    def connect(self):
        kind = self.kind
        node = self.lab["ce" if kind.vrf else "far"]
        speaker = Speaker(node, PE_IN_VRF if kind.vrf else PE, kind.asn, "192.0.2.%d" % (100 + kind.n), source=kind.address,
                          families=kind.families, capabilities=add_path(kind.families) if kind.paths else b"", as4=kind.as4)
        speaker.received = Ignored()
        return speaker.connect(20)

    def clear(self):
        """`clear bgp`: the pause after a fall, which grows, is over."""
        params = {"neighbor": self.kind.address, **({"vrf": self.kind.vrf} if self.kind.vrf else {})}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(self.lab.pe.socket)
            s.sendall((json.dumps({"jsonrpc": "2.0", "id": 1, "method": "clear-bgp", "params": params}) + "\n").encode())
            answer = s.makefile().readline()
        assert '"result"' in answer, answer

    def some(self):
        rng = self.rng
        if rng.random() < 0.02:
            family = rng.choice(self.kind.families)
            body = struct.pack("!HBB", family[0], rng.choice((0, 0, 1, 2, 7)), family[1])
            return message(REFRESH, body if rng.random() < 0.9 else bits(rng, body))
        body = valid(rng, self.kind) if rng.random() < 0.7 else rng.choice(self.models)
        if rng.random() < 0.5:
            self.mutated += 1
            body = mutate(rng, body, rng.choice(self.models))
        return message(UPDATE, body)

    def run(self):
        speaker = None
        try:
            while time.monotonic() < self.stop_at:
                if speaker is None:
                    self.clear()
                    speaker = self.connect()
                try:
                    messages = [self.some() for _ in range(20)]
                    for one in messages:
                        speaker.send(one)
                        self.sent += 1
                        if speaker.closed.is_set():
                            break
                except OSError:
                    speaker.closed.wait(5)
                if speaker.closed.is_set():
                    self.falls += 1
                    speaker.close()
                    speaker = None
        except Exception as error:      # pylint: disable=broad-except
            self.trouble = "%s: %r" % (self.kind.name, error)
        if speaker:
            speaker.close()


class Ignored:
    """Where UPDATEs go that nobody asks for."""

    def append(self, _body):
        pass

    def __len__(self):
        return 0


class Judge:
    """What witness b was told. Its append() takes an UPDATE's body."""

    def __init__(self, wanted):
        self.wanted, self.table, self.updates, self.wrong = wanted, {}, 0, []

    def append(self, body):
        self.updates += 1
        try:
            told = bgp_check.Update(body)
        except bgp_check.Malformed as error:
            self.wrong.append("%s in %s" % (error, body.hex()))
            return
        for family, routes in told.unreach.items():
            for key in routes:
                self.table.pop((family, key), None)
        for family, routes in told.reach.items():
            for key, label in routes.items():
                self.table[family, key] = True
                self.compare(family, key, (label, told.hops[family], self.essence(told)))

    @staticmethod
    def essence(told):
        return {code: value for code, value in told.attributes.items() if code not in (14, 15)}

    def compare(self, family, key, got):
        want = self.wanted.get((family, key))
        if want is not None and want != got:
            self.wrong.append("witness a's route %s %s came as %s" % (family, key, got))

    def __len__(self):
        return self.updates


def witness_routes():
    v4 = [(WITNESS, "10.%d.%d.0/24" % (100 + n // 256, n % 256), 1000 + n) for n in range(ROUTES)]
    v6 = [(WITNESS, "2001:db8:%x::/48" % (0x7000 + n), 5000 + n) for n in range(ROUTES)]
    return v4, v6


def wanted_routes():
    """{(family, key): (label, next hop, attributes)} as b has to see them."""
    own = bytes(int(x) for x in address(11).split("."))
    attrs = {1: b"\0", 2: b"", 5: struct.pack("!I", 100), 9: bytes((192, 0, 2, 11)), 10: bytes((192, 0, 2, 1)),
             16: ext_communities("65000:700")[3:]}
    found = {}
    for family, routes, value in ((VPNV4, witness_routes()[0], own), (VPNV6, witness_routes()[1], b"\0" * 10 + b"\xff\xff" + own)):
        for route in routes:
            (key, label), = bgp_check.nlri(family, vpn_nlri(*route)).items()
            found[family, key] = (label, b"\0" * 8 + value, attrs)
    return found


class Lab(Topology):
    def build(self):
        self.add("pe", "far", "ce")
        # host/ makes no VRF devices without the module: a bridge of that name is what sockets are bound to
        self["pe"].ip("link add RED type bridge", "link set RED up")
        self.link("pe:core", "far:pe", "pe:red", "ce:pe")
        self["pe"].ip("addr add %s/24 dev core" % PE, "link set red master RED", "addr add 10.8.0.1/24 dev RED",
                      "addr add %s/64 dev RED nodad" % PE_IN_VRF)
        self["far"].ip(*["addr add %s/24 dev pe" % address(n) for n in [11, 12, 13] + [k.n for k in KINDS if not k.vrf]])
        self["ce"].ip(*["addr add %s/64 dev pe nodad" % k.address for k in KINDS if k.vrf])
        return self

    def start(self):
        env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=8:malloc_context_size=12:detect_leaks=1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        start = self["pe"].start
        self["pe"].start = lambda *argv, **more: start(*argv, env=env, **more)
        self.pe = L3vpnd(self["pe"], config(), ["--provider", "none"]).start(120)
        self.a = self.witness(11)
        v4, v6 = witness_routes()
        self.a.send(*vpn_updates(VPNV4, address(11), ["65000:700"], v4), *vpn_updates(VPNV6, address(11), ["65000:700"], v6),
                    end_of_rib(VPNV4), end_of_rib(VPNV6))
        self.b = self.witness(12)
        self.b.received = self.judge = Judge(wanted_routes())
        self.b.connect()
        self.bird = Bird(self["far"], BIRD % {"own": address(13), "asn": AS, "pe": PE}).start()
        wait_for("witness b has the routes", lambda: set(self.judge.wanted) <= set(self.judge.table), 60)
        time.sleep(3)
        self.base = set(self.judge.table)       # with those that are the PE's own

    def witness(self, n):
        speaker = Speaker(self["far"], PE, AS, "192.0.2.%d" % n, source=address(n), families=CORE)
        if n == 11:
            speaker.received = Ignored()
            speaker.connect()
        return speaker

    def bird_routes(self):
        return sum(int(n) for n in re.findall(r"(\d+) of \d+ routes for", self.bird.cli("show route count")))

    def at_rest(self):
        return set(self.judge.table) == self.base

    def untouched(self):
        """What a bad session has done to the others: words."""
        found = list(self.judge.wrong)
        if self.pe.process.poll() is not None:
            found.append("the daemon has ended: %s" % self.pe.process.poll())
        for name, speaker in (("a", self.a), ("b", self.b)):
            if speaker.closed.is_set():
                found.append("witness %s lost its session: %s" % (name, speaker.notification))
        with open(self.bird.process.log, encoding="utf-8", errors="replace") as log:
            found += ["BIRD: " + line.strip() for line in log if "witness:" in line and "Invalid route" not in line]
        return found

    def system(self):
        rows = self.pe.json("show system")
        return rows[0] if isinstance(rows, list) else rows


def cycle(lab, args, n, models, seconds):
    """All mutators for so many seconds, then none; what they did."""
    mutators = [Mutator(lab, kind, "%s %d" % (args.seed, n), models) for kind in KINDS]
    end = time.monotonic() + seconds
    for one in mutators:
        one.stop_at = end
        one.start()
    while any(one.is_alive() for one in mutators) and time.monotonic() < end + 120:
        time.sleep(0.5)
        if lab.untouched():
            break
    assert not lab.untouched(), "\n".join(lab.untouched()[:10])
    trouble = [one.trouble for one in mutators if one.trouble] + [one.kind.name + " hangs" for one in mutators if one.is_alive()]
    assert not trouble, trouble
    wait_for("the tables of the witnesses have their routes alone", lab.at_rest, 120)
    assert not lab.untouched(), "\n".join(lab.untouched()[:10])
    return mutators


def attribute_sets(lab, wanted):
    end = time.monotonic() + 30
    while (now := lab.system()["attribute-sets"]) > wanted + REMEMBERED:
        assert time.monotonic() < end, "%d attribute sets, before there were %d" % (now, wanted)
        time.sleep(1)


def tables_empty(lab):
    """But for what the PE has by itself."""
    return not any(row for table in ("vpnv4 unicast", "vpnv6 unicast", "ipv4 labeled-unicast", "ipv6 labeled-unicast")
                   for row in lab.pe.json("show bgp " + table) if re.match(r"[0-9a-f]+[.:]", row.get("from", "")))


def soak(lab, args, models):
    lab.build()
    lab.start()
    before = lab.system()
    print("# before: %d attribute sets, %.1f MB" % (before["attribute-sets"], before["memory"] / 1e6), flush=True)
    memory, left, n, totals = [], args.seconds, 0, {}
    while left > 0:
        seconds = min(args.cycle, left)
        mutators = cycle(lab, args, n, models, seconds)
        left, n = left - seconds, n + 1
        attribute_sets(lab, before["attribute-sets"])
        memory.append(lab.system()["memory"])
        for one in mutators:
            was = totals.get(one.kind.name, (0, 0, 0))
            totals[one.kind.name] = (was[0] + one.sent, was[1] + one.mutated, was[2] + one.falls)
        print("# cycle %d, %d s: %d sent, %d sessions fell, witness b was told %d UPDATEs, %.1f MB" % (
            n, seconds, sum(m.sent for m in mutators), sum(m.falls for m in mutators), lab.judge.updates, memory[-1] / 1e6), flush=True)
    for name, (sent, mutated, falls) in totals.items():
        print("# %-18s %d sent, %d of them mutated, fell %d times" % (name, sent, mutated, falls))
        assert sent > 10 * n, "%s hardly sent anything" % name
    assert memory[-1] <= memory[0] + SLACK, "memory grows: %s" % memory
    rows = lab.pe.json("show bgp neighbors")
    print("# malformed: %s" % sorted({(r["neighbor"], r["value"]) for r in rows if r["item"] == "malformed"}))
    assert any(r["item"] == "malformed" and "withdraw" in r["value"] for r in rows), "nothing was treated as withdrawn"
    lab.a.send(*[update(mp_unreach(f, b"".join(vpn_nlri(*r) for r in routes[at:at + 100])))
                 for f, routes in zip((VPNV4, VPNV6), witness_routes()) for at in range(0, ROUTES, 100)])
    wait_for("witness b has nothing but the PE's own", lambda: set(lab.judge.table) == lab.base - set(lab.judge.wanted), 30)
    wait_for("the tables are empty", lambda: tables_empty(lab), 30)
    lab.pe.process.terminate()
    lab.pe.process.wait(60)
    with open(lab.pe.process.log, encoding="utf-8", errors="replace") as log:
        text = log.read()
    trouble = re.search(r"(runtime error|AddressSanitizer|LeakSanitizer).*", text, re.S)
    assert not trouble, trouble.group(0)[:6000]
    assert lab.pe.process.returncode == 0, "exit status %d" % lab.pe.process.returncode


def main():
    p = argparse.ArgumentParser(prog="scripts/soak bgp-mutate")
    p.add_argument("--seconds", type=int, default=int(os.environ.get("L3VPN_SECONDS", "60")))
    p.add_argument("--seed", default=os.environ.get("L3VPN_SEED", "1"))
    p.add_argument("--cycle", type=int, default=60, help="seconds until all mutators go and come again")
    p.add_argument("--keep", action="store_true", help="the folder with the logs")
    args = p.parse_args()
    models = load_seeds() + mrt.bodies()
    print("# seed %s, %d s, %d models" % (args.seed, args.seconds, len(models)), flush=True)
    try:
        with Lab(prefix="mut%d-" % os.getpid(), keep=args.keep) as lab:
            soak(lab, args, models)
    except (AssertionError, Failed, subprocess.TimeoutExpired) as error:
        print("not ok 1 bgp-mutate, seed %s\n# %s" % (args.seed, str(error).replace("\n", "\n# ")))
        return 1
    print("ok 1 bgp-mutate, seed %s" % args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
