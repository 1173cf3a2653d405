# SPDX-License-Identifier: GPL-2.0
"""UPDATEs of many peers replayed through sessions into l3vpnd and into BIRD: the tables are compared route by route.

    peer1 .. peerN --- pe (l3vpnd): a VRF for each --- rr: a speaker that is told the VPN routes, with all their attributes
                       pe, VRF ALL --+
    lan: all peers' addresses -------+
                       bird ---------+ (another link)

Every peer speaks three times: into a VRF of its own, into VRF ALL, where l3vpnd has to choose, and into BIRD. UPDATEs are real
ones where L3VPN_DATA has an MRT file (lib/mrt.py), and in any case some that are made here from a seed, AS paths of two
octets with AS4_PATH, AS_SETs, aggregators and all communities among them.
"""
import ipaddress
import os
import random
import re
import struct

import pytest

import bgp_check
import mrt
from speaker import UPDATE, VPNV4, VPNV6, Speaker, attribute, end_of_rib, message
from topology import Bird, L3vpnd, Topology, wait_for

AS = 65000
IPV4, IPV6 = (1, 1), (2, 1)
OWN = {IPV4: "198.18.0.254", IPV6: "2001:db8:18::fe"}
LENGTH = {IPV4: 24, IPV6: 64}


class Peer:
    """What it says: the bodies of UPDATEs, in order."""

    def __init__(self, n, asn, address, as4, bodies, family=IPV4):
        self.n, self.asn, self.address, self.as4, self.bodies, self.family = n, asn, str(address), as4, bodies, family

    @property
    def vrf(self):
        return "P%d" % self.n


# ---- what is replayed ----

def real():
    """The peers of the first MRT file; their next hops are put onto one network, which is all that is changed."""
    peers = {}
    for record in mrt.read(mrt.files()[0]):
        if record.kind == mrt.UPDATE and record.peer.version == 4:
            peers.setdefault((record.peer, record.peer_as, record.as4), []).append(record.body)
    return [Peer(n, asn, "198.18.0.%d" % n, as4, [on_link(body, n) for body in bodies])
            for n, ((_, asn, as4), bodies) in enumerate(sorted(peers.items(), key=lambda item: int(item[0][0])), 1)]


def on_link(body, n):
    """The same with the peer's address as NEXT_HOP."""
    gone = int.from_bytes(body[:2], "big")
    at = 4 + gone
    end = at + int.from_bytes(body[at - 2:at], "big")
    out = bytearray(body)
    while at < end:
        head = 4 if body[at] & 0x10 else 3
        if body[at + 1] == bgp_check.NEXT_HOP:
            out[at + head:at + head + 4] = bytes((198, 18, 0, n))
        at += head + int.from_bytes(body[at + 2:at + head], "big")
    return bytes(out)


def made_path(rng, asn, as4):
    size = "!I" if as4 else "!H"
    ases = [asn] + [rng.choice((174, 3356, 64512, 65535 if as4 else 23456, 196608 if as4 else 23456)) for _ in range(rng.randrange(5))]
    octets = struct.pack("!BB", 2, len(ases)) + b"".join(struct.pack(size, a) for a in ases)
    if rng.random() < 0.2:
        octets += struct.pack("!BB", 1, 2) + struct.pack(size, 1916) + struct.pack(size, 22548)
    attrs = [attribute(0x40, 2, octets)]
    if not as4 and 23456 in ases[1:] and rng.random() < 0.8:
        four = [196608 + rng.randrange(9) if a == 23456 else a for a in ases[1:]]
        attrs.append(attribute(0xc0, 17, struct.pack("!BB", 2, len(four)) + b"".join(struct.pack("!I", a) for a in four)))
    return attrs


def made_attributes(rng, asn, as4):
    attrs = [attribute(0x40, 1, bytes((rng.randrange(3),)))] + made_path(rng, asn, as4)
    if rng.random() < 0.4:
        attrs.append(attribute(0x80, 4, struct.pack("!I", rng.choice((0, 5, 4294967295)))))
    if rng.random() < 0.2:
        attrs.append(attribute(0x40, 6, b""))
    if rng.random() < 0.3:
        attrs.append(attribute(0xc0, 7, struct.pack("!I" if as4 else "!H", 3356) + b"\1\2\3\4"))
    if rng.random() < 0.5:
        attrs.append(attribute(0xc0, 8, b"".join(struct.pack("!HH", 65001, rng.randrange(99)) for _ in range(rng.randrange(1, 20)))))
    if rng.random() < 0.3:
        attrs.append(attribute(0xc0, 16, struct.pack("!BBHI", 0, rng.choice((2, 3)), 64999, rng.randrange(9))))
    if rng.random() < 0.3:
        attrs.append(attribute(0xc0, 32, struct.pack("!III", 4200000000, 7, rng.randrange(9))))
    rng.shuffle(attrs)
    return attrs


def made_nlri(rng, family):
    length = rng.randrange(8, 29) if family == IPV4 else rng.randrange(20, 65)
    net = (0x14 << 24 | rng.randrange(4) << 20) if family == IPV4 else (0x20010db8 << 96 | rng.randrange(16) << 80)
    bits = 32 if family == IPV4 else 128
    net = net >> (bits - length) << (bits - length)
    octets = net.to_bytes(bits // 8, "big")[:(length + 7) // 8]
    return bytes((length,)) + octets


def made_body(rng, n, asn, as4, family):
    routes = b"".join({made_nlri(rng, family) for _ in range(rng.choice((1, 1, 2, 8, 40)))})
    gone = rng.random() < 0.25
    if gone and family == IPV4:
        return struct.pack("!H", len(routes)) + routes + b"\0\0"
    if gone:
        attrs = attribute(0x80, 15, struct.pack("!HB", *family) + routes)
        routes = b""
    elif family == IPV4:
        attrs = b"".join(made_attributes(rng, asn, as4)) + attribute(0x40, 3, bytes((198, 18, 0, n)))
    else:
        hop = ipaddress.ip_address("2001:db8:18::%d" % n).packed
        attrs = attribute(0x80, 14, struct.pack("!HBB", *family, 16) + hop + b"\0" + routes)
        attrs, routes = attrs + b"".join(made_attributes(rng, asn, as4)), b""
    return b"\0\0" + struct.pack("!H", len(attrs)) + attrs + routes


def made(family):
    rng = random.Random(os.environ.get("SEED", "5"))
    found = []
    for n, (asn, as4) in enumerate(((64601, True), (64602, False), (64603, True), (64601, True), (64604, False)), 1):
        address = "198.18.0.%d" % n if family == IPV4 else "2001:db8:18::%d" % n
        found.append(Peer(n, asn, address, as4, [made_body(rng, n, asn, as4, family) for _ in range(400)], family))
    return found


SOURCES = {"made, IPv4": lambda: made(IPV4), "made, IPv6": lambda: made(IPV6)}
if mrt.files():
    SOURCES["real, IPv4"] = real


# ---- the network ----

def words(family):
    return "ipv4" if family == IPV4 else "ipv6"


def pe_config(peers, family):
    text = "interface core\n mpls\n ipv4 address 10.255.0.1/24\n!\n"
    for n, vrf in [(p.n, p.vrf) for p in peers] + [(99, "ALL")]:
        text += "vrf %s\n rd %d:%d\n address-family %s unicast\n  export route-target %d:%d\n !\n!\n" % (
            vrf, AS, n, words(family), AS, n)
        text += "interface p%d\n vrf %s\n %s address %s/%d\n!\n" % (n, vrf, words(family), OWN[family], LENGTH[family])
    text += "router bgp %d\n router-id 192.0.2.1\n bgp unsafe-ebgp-policy\n" % AS
    text += (" neighbor 10.255.0.2\n  remote-as %d\n  passive\n  address-family vpn%s unicast\n  !\n !\n" % (AS, words(family)[2:]))
    for vrf, some in [(p.vrf, [p]) for p in peers] + [("ALL", peers)]:
        text += " vrf %s\n  address-family %s unicast\n  !\n" % (vrf, words(family))
        for p in some:
            text += "  neighbor %s\n   remote-as %d\n   passive\n   address-family %s unicast\n   !\n  !\n" % (
                p.address, p.asn, words(family))
        text += " !\n"
    return text + "!\n"


def bird_config(peers, family):
    text = ("router id 192.0.2.9;\nlog stderr { warning, error, fatal, bug, remote };\nprotocol device {}\nprotocol direct { %s; }\n"
            % words(family))
    for p in peers:
        text += ("protocol bgp p%d { local %s as %d; neighbor %s as %d; passive; default bgp_local_pref 100; med metric off;\n"
                 " %s { import all; export none; }; }\n" % (p.n, OWN[family], AS, p.address, p.asn, words(family)))
    return text


class Network(Topology):
    def build(self, peers):
        self.peers, self.family = peers, peers[0].family
        self.add("pe", "rr", "bird", "lan", "lan2", *["peer%d" % p.n for p in peers])
        self.link("pe:core", "rr:pe", "pe:p99", "lan:eth", "bird:eth", "lan2:eth")
        for p in peers:
            self.link("pe:p%d" % p.n, "peer%d:eth" % p.n)
            for node in ("peer%d" % p.n, "lan", "lan2"):
                self[node].ip("addr add %s/%d dev eth%s" % (p.address, LENGTH[self.family], " nodad" if self.family == IPV6 else ""))
        self["rr"].ip("addr add 10.255.0.2/24 dev pe")
        self["bird"].ip("addr add %s/%d dev eth%s" % (OWN[self.family], LENGTH[self.family], " nodad" if self.family == IPV6 else ""))
        self.pe = L3vpnd(self["pe"], pe_config(peers, self.family)).start(120)
        self.bird = Bird(self["bird"], bird_config(peers, self.family)).start()
        self.receiver = Speaker(self["rr"], "10.255.0.1", AS, "192.0.2.7", source="10.255.0.2",
                                families=(VPNV4 if self.family == IPV4 else VPNV6,)).connect()
        self.speakers = []
        for p in peers:
            for node in ("peer%d" % p.n, "lan", "lan2"):
                speaker = Speaker(self[node], OWN[self.family], p.asn, "198.18.0.%d" % p.n, source=p.address, families=(self.family,),
                                  as4=p.as4)
                self.speakers.append(speaker.connect())
        return self

    def replay(self):
        for i, speaker in enumerate(self.speakers):
            p = self.peers[i // 3]
            for at in range(0, len(p.bodies), 50):
                speaker.send(*[message(UPDATE, body) for body in p.bodies[at:at + 50]])
            speaker.send(end_of_rib(self.family))


# ---- the tables, as {prefix: {attribute: text}} ----

def path_text(value, size=4):
    return " ".join(("{%s}" if kind == 1 else "%s") % " ".join(str(a) for a in (sorted(ases) if kind == 1 else ases))
                    for kind, ases in bgp_check.as_path(value, size))


def numbers(value, size, form):
    """A set: each once."""
    return sorted({form % struct.unpack(size, value[at:at + struct.calcsize(size)])
                   for at in range(0, len(value), struct.calcsize(size))})


def decoded(attributes):
    """Those of an UPDATE to us, as text."""
    found = {"origin": ("IGP", "EGP", "Incomplete")[attributes[1][0]], "as_path": path_text(attributes[2])}
    if 4 in attributes:
        found["med"] = str(int.from_bytes(attributes[4], "big"))
    if 6 in attributes:
        found["atomic_aggr"] = ""
    if 7 in attributes:
        found["aggregator"] = "%s AS%d" % (ipaddress.ip_address(attributes[7][4:]), int.from_bytes(attributes[7][:4], "big"))
    if 8 in attributes:
        found["community"] = numbers(attributes[8], "!HH", "(%d,%d)")
    found["ext_community"] = [c for c in numbers(attributes.get(16, b""), "!HHI", "(%d, %d, %d)") if not c.startswith("(2,")]
    if 32 in attributes:
        found["large_community"] = numbers(attributes[32], "!III", "(%d, %d, %d)")
    return found


def told(network):
    """{peer's number: {prefix: attributes}} of what the receiver has been told."""
    table = {}
    family = VPNV4 if network.family == IPV4 else VPNV6
    for body in list(network.receiver.received):
        update = bgp_check.Update(body)
        for key in update.unreach.get(family, {}):
            table.pop(key, None)
        for key in update.reach.get(family, {}):
            table[key] = update.attributes
    found = {p.n: {} for p in network.peers}
    for (_, bits, value), attributes in table.items():
        n = int.from_bytes(value[4:8], "big")
        octets = value[8:].ljust(4 if family == VPNV4 else 16, b"\0")
        if n in found:
            found[n]["%s/%d" % (ipaddress.ip_address(octets), bits - 64)] = decoded(attributes)
    return found


SEPARATED = re.compile(r"\([^)]*\)")


def bird_attribute(name, value):
    if name in ("community", "large_community"):
        return sorted(set(SEPARATED.findall(value)))
    if name == "ext_community":
        return sorted({c.replace("(ro", "(3") for c in SEPARATED.findall(value) if not c.startswith("(rt")})
    if name == "as_path":
        return re.sub(r"\{([^}]*)\}", lambda m: "{%s}" % " ".join(sorted(m[1].split(), key=int)), value)
    return value


def bird_table(network):
    """({peer's number: {prefix: attributes}}, {prefix: number of the best})"""
    found, best, prefix, now = {p.n: {} for p in network.peers}, {}, None, None
    for line in network.bird.cli("show route all").splitlines():
        m = re.match(r"(\S*)\s+unicast \[(\S+) ", line)
        if m:
            prefix = m[1] or prefix
            if m[2].startswith("direct"):
                now = None
                continue
            now = found[int(m[2][1:])].setdefault(prefix, {})
            if " * " in line:
                best[prefix] = int(m[2][1:])
            continue
        m = re.match(r"\s+BGP\.(\w+): ?(.*)", line)
        if m and now is not None:
            now[m[1]] = bird_attribute(m[1], m[2].strip())
    return found, best


KEYS = ("origin", "as_path", "med", "atomic_aggr", "aggregator", "community", "ext_community", "large_community")


def differences(ours, theirs):
    found = []
    for prefix in sorted(set(ours) | set(theirs)):
        one, other = ours.get(prefix), theirs.get(prefix)
        if one is None or other is None:
            found.append("%s: %s" % (prefix, "l3vpnd has it not" if one is None else "BIRD has it not"))
            continue
        found += ["%s %s: %r, BIRD has %r" % (prefix, key, one.get(key), other.get(key)) for key in KEYS
                  if one.get(key, []) != other.get(key, [])]
    return found


@pytest.fixture(scope="module", params=sorted(SOURCES))
def network(request):
    peers = SOURCES[request.param]()
    with Network() as net:
        net.build(peers)
        net.replay()
        wait_for("everything is read", lambda: settled(net), 120, 1)
        yield net


def settled(net):
    """Nothing moves any more: two looks, the same."""
    rows = net.pe.json("show bgp summary")
    now = (sum(r.get("messages-in", 0) for r in rows), len(net.receiver.received), net.bird.cli("show route count"))
    was, net.seen = getattr(net, "seen", None), now
    sent = sum(len(p.bodies) for p in net.peers) * 2
    return now == was and now[0] > sent and all(r["queued-out"] == 0 for r in rows)


def test_every_route_with_its_attributes(network):
    ours, (theirs, _) = told(network), bird_table(network)
    for p in network.peers:
        assert theirs[p.n], "BIRD has nothing from %s" % p.address
        found = differences(ours[p.n], theirs[p.n])
        print("peer %s AS %d: %d UPDATEs, %d routes" % (p.address, p.asn, len(p.bodies), len(ours[p.n])))
        assert not found, "%d differences:\n%s" % (len(found), "\n".join(found[:20]))


def test_every_path_and_the_best(network):
    """VRF ALL has every peer's path with its next hop, and prefers one that BIRD's rules prefer as well."""
    theirs, best = bird_table(network)
    ours, ours_best = {p.n: {} for p in network.peers}, {}
    numbers_of = {p.address: p.n for p in network.peers}
    for row in network.pe.json("show bgp vrf ALL %s" % words(network.family)):
        n = numbers_of.get(row.get("from", "").split()[-1])       # "ALL 198.18.0.1"
        if n is None:
            continue
        ours[n][row["prefix"]] = row
        if row.get("best") == "yes":
            ours_best[row["prefix"]] = n
    for p in network.peers:
        assert set(ours[p.n]) == set(theirs[p.n]), sorted(set(ours[p.n]) ^ set(theirs[p.n]))[:10]
        for prefix, row in ours[p.n].items():
            assert row["next-hop"].split()[-1] == p.address, row
            assert theirs[p.n][prefix]["next_hop"].split()[0] == p.address
    assert set(ours_best) == set(best)
    wrong = [prefix for prefix in best if rank(theirs[ours_best[prefix]][prefix]) != rank(theirs[best[prefix]][prefix])]
    assert not wrong, [(prefix, ours_best[prefix], best[prefix]) for prefix in wrong[:10]]


def rank(attributes):
    """RFC 4271 9.1.2.2 a, b; a set counts once. MED says something between paths of one neighbour only: left out."""
    path = re.sub(r"\{[^}]*\}", "0", attributes["as_path"]).split()
    return len(path), ("IGP", "EGP", "Incomplete").index(attributes["origin"])
