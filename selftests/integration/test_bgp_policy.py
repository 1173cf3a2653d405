# SPDX-License-Identifier: GPL-2.0
"""Route policies beside FRR's route-maps: the same VPN routes through a policy of ours and through one of FRR that says the
same; what either reflects is compared route by route, attribute by attribute.

    source 10.1.0.2, sink 10.1.0.3 -- 10.1.0.1 l3vpnd          the same addresses -- FRR

All are of one AS; source and sink are clients. Routes are random (L3VPN_SEED, said when something differs).
"""
import os
import random
import struct

import pytest

import bgp_check
from speaker import VPNV4, Speaker, as_path, attribute, end_of_rib, local_pref, mp_reach, origin, route_target, update, vpn_nlri
from topology import Frr, L3vpnd, Topology, wait_for

pytestmark = [pytest.mark.interop("BGP: route policies, the same result", peers=("FRR",))]

AS, ROUTER, SOURCE, SINK = 65000, "10.1.0.1", "10.1.0.2", "10.1.0.3"
HOPS = (SOURCE, "10.1.0.4", "10.1.0.5")
SEED = int(os.environ.get("L3VPN_SEED") or random.randrange(1 << 30))
ROUTES = 400

OURS = """
prefix-set DROPPED
 prefix 20.9.0.0/16 ge 20 le 28
 prefix 20.8.0.0/16
!
prefix-set HOPS
 prefix 10.1.0.4/31 ge 32
!
as-path-set FROM-64700
 ios-regex _64700$
!
as-path-set LONG
 ios-regex ^65010_(64[0-9]+_)+65011
!
community-set LOW
 community 65010:[1..9]
!
community-set BOTH
 community 65010:3
 community 65010:20
!
community-set TAG
 community 65000:77
 community no-export
!
extcommunity-set GREEN
 rt 65010:5
!
large-community-set OURS
 large-community 65010:1:*
!
large-community-set MARK
 large-community 65000:9:9
!
route-policy MANY
 statement 10
  match prefix-set DROPPED
  action reject
 !
 statement 20
  match as-path-set FROM-64700
  set local-preference 300
  set community add TAG
  action accept
 !
 statement 30
  match community matches-every BOTH
  set community replace TAG
  set med 7
  action accept
 !
 statement 40
  match community matches-any LOW
  set med +10
  set community delete LOW
  action accept
 !
 statement 50
  match extcommunity matches-any GREEN
  set as-path prepend 65009 3
  action accept
 !
 statement 60
  match large-community matches-any OURS
  match origin egp
  set large-community delete OURS
  set origin incomplete
  action accept
 !
 statement 70
  match next-hop HOPS
  match med eq 100
  set local-preference 50
  set large-community add MARK
  action accept
 !
 statement 80
  match as-path-set LONG
  action reject
 !
 statement 90
  match local-preference eq 200
  set community delete all
  set med 0
  action next
 !
 statement 100
  set large-community add MARK
  action accept
 !
!
"""

FRR = """
ip prefix-list DROPPED permit 20.9.0.0/16 ge 20 le 28
ip prefix-list DROPPED permit 20.8.0.0/16
ip prefix-list HOPS permit 10.1.0.4/31 ge 32
bgp as-path access-list FROM-64700 permit _64700$
bgp as-path access-list LONG permit ^65010_(64[0-9]+_)+65011
bgp community-list expanded LOW permit _65010:[1-9]_
bgp community-list standard BOTH permit 65010:3 65010:20
bgp extcommunity-list standard GREEN permit rt 65010:5
bgp large-community-list expanded OURS permit 65010:1:.*
route-map MANY deny 10
 match ip address prefix-list DROPPED
exit
route-map MANY permit 20
 match as-path FROM-64700
 set local-preference 300
 set community 65000:77 no-export additive
exit
route-map MANY permit 30
 match community BOTH
 set community 65000:77 no-export
 set metric 7
exit
route-map MANY permit 40
 match community LOW
 set metric +10
 set comm-list LOW delete
exit
route-map MANY permit 50
 match extcommunity GREEN
 set as-path prepend 65009 65009 65009
exit
route-map MANY permit 60
 match large-community OURS
 match origin egp
 set large-comm-list OURS delete
 set origin incomplete
exit
route-map MANY permit 70
 match ip next-hop prefix-list HOPS
 match metric 100
 set local-preference 50
 set large-community 65000:9:9 additive
exit
route-map MANY deny 80
 match as-path LONG
exit
route-map MANY permit 90
 match local-preference 200
 set community none
 set metric 0
 on-match next
exit
route-map MANY permit 100
 set large-community 65000:9:9 additive
exit
"""


def attributes(rng):
    """One random set, but for the next hop."""
    path = [65010] + rng.choices((64512, 64700, 64999, 65011, 7), k=rng.randrange(4))
    text = origin(rng.randrange(3)) + as_path(*path) + local_pref(rng.choice((100, 200, 100)))
    if rng.random() < 0.6:
        text += attribute(0x80, 4, struct.pack("!I", rng.choice((0, 5, 100))))
    some = rng.sample((1, 3, 9, 10, 20, 33), rng.randrange(4))
    if some:
        text += attribute(0xc0, 8, b"".join(struct.pack("!HH", 65010, c) for c in sorted(some)))
    targets = ["65010:%d" % t for t in sorted(rng.sample((1, 5, 50), rng.randrange(1, 3)))]
    text += attribute(0xc0, 16, b"".join(route_target(t) for t in targets))
    large = rng.sample(((65010, 1, 1), (65010, 1, 22), (65010, 2, 1)), rng.randrange(3))
    if large:
        text += attribute(0xc0, 32, b"".join(struct.pack("!III", *c) for c in sorted(large)))
    return text


def updates():
    rng = random.Random(SEED)
    for i in range(ROUTES):
        length = rng.choice((16, 19, 20, 24, 28, 29))
        prefix = "20.%d.%d.0/%d" % (rng.choice((8, 9, 9, 10)), 0 if length < 17 else i % 8 * 32, length)
        yield update(attributes(rng) + mp_reach(VPNV4, rng.choice(HOPS), vpn_nlri("65010:%d" % i, prefix, 100 + i)))


def ours_config(direction):
    text = "hostname OURS\ninterface far\n ipv4 address %s/24\n!\n%srouter bgp %d\n router-id 192.0.2.1\n" % (ROUTER, OURS, AS)
    for peer, which in ((SOURCE, "in"), (SINK, "out")):
        text += (" neighbor %s\n  remote-as %d\n  passive\n  address-family vpnv4 unicast\n   route-reflector-client\n%s  !\n !\n"
                 % (peer, AS, "   route-policy %s MANY\n" % which if which == direction else ""))
    return text + "!\n"


def frr_config(direction):
    text = ("hostname FRR\n%srouter bgp %d\n bgp router-id 192.0.2.1\n no bgp default ipv4-unicast\n"
            " bgp route-reflector allow-outbound-policy\n" % (FRR, AS))
    for peer in (SOURCE, SINK):
        text += " neighbor %s remote-as %d\n neighbor %s passive\n" % (peer, AS, peer)
    text += " address-family ipv4 vpn\n"
    for peer, which in ((SOURCE, "in"), (SINK, "out")):
        text += "  neighbor %s activate\n  neighbor %s route-reflector-client\n" % (peer, peer)
        if which == direction:
            text += "  neighbor %s route-map MANY %s\n" % (peer, which)
    return text + " exit-address-family\nexit\n"


def facts(told):
    """What an UPDATE says of its routes, in words that can be compared."""
    def several(code, size):
        value = told.attributes.get(code, b"")
        return sorted(value[i:i + size].hex() for i in range(0, len(value), size))
    a = bgp_check
    return {"origin": told.attributes[a.ORIGIN][0], "path": a.as_path(told.attributes[a.AS_PATH]),
            # FRR says 0 where there is none, which is the same (RFC 4271 section 9.1.2.2)
            "med": int.from_bytes(told.attributes.get(a.MED, b""), "big"), "local preference": told.attributes[a.LOCAL_PREF], "communities": several(a.COMMUNITIES, 4),
            "extended": several(a.EXT_COMMUNITIES, 8), "large": several(a.LARGE, 12), "next hop": told.hops[VPNV4],
            "originator": told.attributes[a.ORIGINATOR_ID]}


def reflected(node):
    """{route: facts} that the sink hears of what the source says."""
    source = Speaker(node, ROUTER, AS, "192.0.2.2", source=SOURCE, families=(VPNV4,)).connect()
    sink = Speaker(node, ROUTER, AS, "192.0.2.3", source=SINK, families=(VPNV4,)).connect()
    source.send(*updates(), end_of_rib(VPNV4))
    found = {}

    def heard():
        found.clear()
        for body in list(sink.received):
            told = bgp_check.Update(body)
            for key in told.unreach.get(VPNV4, {}):
                found.pop(key, None)
            for key, label in told.reach.get(VPNV4, {}).items():
                # FRR sets bits of the traffic class
                found[key] = dict(facts(told), label=int.from_bytes(label, "big") >> 4)
        return len(found)
    counts = [0]

    def settled():
        counts.append(heard())
        return len(counts) > 4 and counts[-1] and len(set(counts[-4:])) == 1
    wait_for("routes come no more", settled, 60, interval=0.5)
    assert not sink.closed.is_set() and not source.closed.is_set()
    source.close()
    sink.close()
    return found


class Lab(Topology):
    def build(self, direction):
        self.add("ours", "far-ours", "frr", "far-frr")
        self.link("ours:far", "far-ours:up", "frr:far", "far-frr:up")
        for node in ("far-ours", "far-frr"):
            self[node].ip("addr add %s/24 dev up" % SOURCE, "addr add %s/24 dev up" % SINK)
        self["frr"].ip("addr add %s/24 dev far" % ROUTER)
        self.ours = L3vpnd(self["ours"], ours_config(direction), args=("--provider", "none")).start()
        self.frr = Frr(self["frr"], frr_config(direction), daemons=("zebra", "bgpd")).start()
        return self


@pytest.mark.parametrize("direction", ("in", "out"))
def test_many(direction):
    with Lab() as lab:
        lab.build(direction)
        ours, frrs = reflected(lab["far-ours"]), reflected(lab["far-frr"])
    # every statement has had its share
    assert ROUTES / 4 < len(ours) < ROUTES
    changed = [route for route in ours if ours[route] != frrs.get(route)]
    text = "\n".join("%s: %s, FRR: %s" % (route, ours[route], frrs.get(route)) for route in changed[:5])
    assert not changed, "seed %d: %d of %d differ\n%s" % (SEED, len(changed), len(ours), text)
    assert not frrs.keys() - ours.keys(), "seed %d" % SEED
