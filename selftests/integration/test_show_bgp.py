# SPDX-License-Identifier: GPL-2.0
"""Looking at BGP: every filter of `show bgp`, routes in full, what was refused, told and not told, and the story of the events.

    pe (l3vpnd, reflector) (core)--- far: three speakers of our AS, at .1, .3 and .5
                           (red)---- ce: a speaker of AS 65001 in VRF RED
"""
import re
import socket
import struct

import pytest

from speaker import (VPNV4, Speaker, as_path, attribute, capability, end_of_rib, ext_communities, local_pref, mp_reach, origin,
                     update, vpn_nlri)
from topology import Failed, L3vpnd, Topology, wait_for

RTC, IPV4 = (1, 132), (1, 1)
CONFIG = """vrf BLUE
 rd 65000:2
 address-family ipv4 unicast
  import route-target 65000:2
 !
!
vrf RED
 rd 65000:1
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
!
interface core
 mpls
 ipv4 address 198.51.100.2/24
!
interface red
 vrf RED
 ipv4 address 10.1.0.1/24
!
mpls
 static lsp 198.51.100.1/32
  path 198.51.100.1 out-label implicit-null
 !
!
prefix-set BAD
 prefix 66.0.0.0/8 le 32
!
route-policy ALL
 statement 10
  action accept
 !
!
route-policy FROM-CE
 statement 10
  match prefix-set BAD
  action reject
 !
 statement 20
  action accept
 !
!
router bgp 65000
 router-id 192.0.2.1
""" + "".join(""" neighbor 198.51.100.%d
  remote-as 65000
  passive
  address-family vpnv4 unicast
   route-reflector-client
  !
%s !
""" % (n, "  address-family ipv4 rt-filter\n  !\n" if n == 5 else "") for n in (1, 3, 5)) + """ vrf RED
  neighbor 10.1.0.2
   remote-as 65001
   passive
   address-family ipv4 unicast
    route-policy in FROM-CE
    route-policy out ALL
   !
  !
 !
!
"""


def communities(*values):
    return attribute(0xc0, 8, b"".join(struct.pack("!HH", *value) for value in values))


def large(*values):
    return attribute(0xc0, 32, b"".join(struct.pack("!III", *value) for value in values))


def told(distinguisher, prefix, label, asns=(), targets=("65000:1",), more=b""):
    return update(origin() + as_path(*asns) + local_pref() + more + ext_communities(*targets) +
                  mp_reach(VPNV4, "198.51.100.1", vpn_nlri(distinguisher, prefix, label)))


ROUTES = (
    told("65000:7", "20.1.0.0/16", 501, (65010, 65020), more=communities((65000, 1), (0xffff, 0xff01))),
    told("65000:7", "20.1.1.0/24", 502, (65010, 165020), more=large((65000, 7, 8)) +
         communities((0xffff, 0xff01))),
    told("65000:8", "20.1.0.0/16", 503, (65030,), ("65000:1", "65000:2")),
    told("65000:8", "20.2.0.0/16", 504, (), ("65000:2",), attribute(0x80, 4, struct.pack("!I", 77)) +
         attribute(0xc0, 7, struct.pack("!I4s", 65010, socket.inet_aton("192.0.2.77"))) + attribute(0xe0, 199, b"\xca\xfe")),
)


class Net(Topology):
    def build(self):
        self.add("pe", "far", "ce")
        self.link("pe:core", "far:pe")
        self.link("pe:red", "ce:pe")
        self["far"].ip(*["addr add 198.51.100.%d/24 dev pe" % n for n in (1, 3, 5)])
        self["ce"].ip("addr add 10.1.0.2/24 dev pe")
        self.pe = L3vpnd(self["pe"], CONFIG).start()
        self.one = self.speaker(1, capabilities=capability(64, struct.pack("!H", 120)))
        self.one.send(*ROUTES, end_of_rib(VPNV4))
        self.two = self.speaker(3)
        self.two.send(told("65000:7", "20.1.0.0/16", 601, (65010, 65020, 65040)), end_of_rib(VPNV4))
        wait_for("the routes", lambda: len(self.rows("show bgp vpnv4 unicast neighbor 198.51.100.1")) == 4, 30)
        wait_for("the other's", lambda: self.rows("show bgp vpnv4 unicast neighbor 198.51.100.3"), 30)
        self.customer = Speaker(self["ce"], "10.1.0.1", 65001, "192.0.2.50", source="10.1.0.2", families=(IPV4,)).connect()
        head = origin() + as_path(65001) + attribute(0x40, 3, socket.inet_aton("10.1.0.2"))
        self.customer.send(update(head, nlri=b"\x10\x1e\x01" + b"\x10\x42\x01"),
                           update(origin() + as_path(65001, 65000) + attribute(0x40, 3, socket.inet_aton("10.1.0.2")),
                                  nlri=b"\x10\x1e\x02"), end_of_rib(IPV4))
        wait_for("the customer's route", lambda: self.rows("show bgp vrf RED ipv4 30.1.0.0/16"), 30)
        return self

    def speaker(self, n, **how):
        return Speaker(self["far"], "198.51.100.2", 65000, "192.0.2.%d" % (100 + n), source="198.51.100.%d" % n,
                       families=how.pop("families", (VPNV4,)), **how).connect()

    def rows(self, command):
        return self.pe.json(command)

    def items(self, command):
        """[(path, item, value)]"""
        return [(row.get("path"), row["item"], row["value"]) for row in self.rows(command)]

    def story(self, what=""):
        return [row["event"] for row in self.rows("show bgp events " + what)]


@pytest.fixture(scope="module")
def net():
    with Net() as made:
        yield made.build()


VPN = "show bgp vpnv4 unicast "


def labels(net, command):
    return sorted(row["label"] for row in net.rows(command))


@pytest.mark.parametrize("words, expected", (
    ("20.1.0.0/16", [501, 503, 601]),
    ("20.1.0.0/16 rd 65000:7", [501, 601]),
    ("20.1.0.0/16 longer-prefixes rd 65000:7", [501, 502, 601]),
    ("20.0.0.0/8 longer-prefixes", [501, 502, 503, 504, 601]),
    ("20.1.1.0/25 longer-prefixes", []),
    ("rd 65000:8", [503, 504]),
    ("route-target 65000:2", [503, 504]),
    ("route-target 65000:2 rd 65000:8 20.1.0.0/16", [503]),
    ("route-target 65000:9", []),
    ("neighbor 198.51.100.3", [601]),
    ("neighbor 198.51.100.1 20.1.0.0/16", [501, 503]),
    ("neighbor 198.51.100.1 route-target 65000:1", [501, 502, 503]),
    ("community 65000:1", [501]),
    ("community no-export", [501, 502]),
    ("community 65000:[2..9]", []),
    ("large-community 65000:*:8", [502]),
    ("regexp _65020_", [501, 601]),
    ("regexp _65020$", [501]),
    ("regexp ^65010_[0-9]+$", [501, 502]),
    ("regexp ^$ rd 65000:8", [504]),
    ("regexp _65010_ neighbor 198.51.100.3 community 65000:1", []),
))
def test_filters(net, words, expected):
    rows = net.rows(VPN + words)
    assert sorted(row["label"] for row in rows if row.get("from", "").startswith("198.51.100.")) == expected


def test_filters_of_a_vrf(net):
    red = "show bgp vrf RED ipv4 unicast "
    assert labels(net, red + "20.0.0.0/8 longer-prefixes") == [501, 502, 503]
    assert labels(net, red + "neighbor 198.51.100.1 community 65000:1") == [501]
    assert labels(net, red + "20.1.1.9") == [502], "an address stands for the longest match"
    assert labels(net, red + "route-target 65000:2") == [503]
    assert [row["prefix"] for row in net.rows(red + "neighbor 10.1.0.2")] == ["30.1.0.0/16"]


@pytest.mark.parametrize("words, reason", (
    ("20.1.0.0/99", "is no prefix"), ("rd x", "is no route distinguisher"), ("route-target 1", "is no route target"),
    ("regexp (", "regexp"), ("regexp (1)\\1", "refers back"), ("community 70000:1", "community"), ("longer-prefixes", "longer than"),
    ("neighbor here", "is no address")))
def test_refused_words(net, words, reason):
    with pytest.raises(Failed, match=reason):
        net.pe.sh(VPN + words)


def test_detail(net):
    told_of = net.items(VPN + "20.1.0.0/16 rd 65000:7 detail")
    assert (None, "paths", "2") in told_of
    assert (None, "imported into", "1: RED") in told_of
    assert (None, "advertised to", "1: 198.51.100.3") in told_of
    assert (None, "not advertised", "1: the best path is its own: 198.51.100.1") in told_of
    assert (1, "best", "yes") in told_of and (1, "from", "198.51.100.1 (192.0.2.101), internal") in told_of
    assert (1, "communities", "65000:1 no-export") in told_of and (1, "AS path", "65010 65020") in told_of
    assert (2, "best", "longer AS path") in told_of and (2, "label", "601") in told_of
    other = net.items(VPN + "detail 20.2.0.0/16")
    assert (None, "imported into", "1: BLUE") in other
    assert (1, "MED", "77") in other and (1, "aggregator", "AS 65010, 192.0.2.77") in other
    assert (1, "unknown attribute", "type 199, flags 0xf0, 2 octets: cafe") in other
    red = net.items("show bgp vrf RED ipv4 unicast 30.1.0.0/16 detail")
    assert (1, "from", "RED 10.1.0.2 (192.0.2.50), external") in red
    assert [value for path, item, value in red if item == "not advertised"] == ["1: the best path is its own: 10.1.0.2"]


def test_detail_through_an_index(net):
    """An index leads to routes one by one: the paths alone are told."""
    told_of = net.items(VPN + "route-target 65000:2 detail")
    assert {value for path, item, value in told_of if item == "label"} == {"503", "504"}
    assert all(path for path, _, _ in told_of)


# ---- neighbours ----

CE = "show bgp neighbors 10.1.0.2 "


def test_refused_routes(net):
    """What is not taken, with the reason; what is taken; what is told, in IOS-XR's order of words."""
    assert [(row["prefix"], row["reason"]) for row in net.rows(CE + "vrf RED refused-routes")] == [
        ("30.2.0.0/16", "our AS is in its path"), ("66.1.0.0/16", "rejected by policy")]
    assert [row["prefix"] for row in net.rows(CE + "vrf RED received-routes")] == ["30.1.0.0/16"]
    told_to = {row["prefix"]: row for row in net.rows(CE + "vrf RED advertised-routes")}
    assert set(told_to) == {"20.1.0.0/16"} and "label" not in told_to["20.1.0.0/16"]
    why = net.items("show bgp vrf RED ipv4 20.1.1.0/24 detail")
    assert [value for _, item, value in why if item == "not advertised"] == ["1: its community forbids it: 10.1.0.2"]


def test_neighbor(net):
    items = {row["item"]: row["value"] for row in net.rows("show bgp neighbors 198.51.100.1")}
    assert items["state"] == "Established" and "graceful-restart 120 s" in items["capabilities"]
    assert "enhanced-refresh" in items["capabilities sent"] and "enhanced-refresh" not in items["capabilities agreed"]
    assert "family vpnv4 unicast" in items["capabilities agreed"]
    items = {(row["item"], row["value"]) for row in net.rows("show bgp neighbors 10.1.0.2 vrf RED")}
    assert ("policy", "ipv4 unicast: in FROM-CE, out ALL") in items
    assert ("refused", "ipv4 unicast: 1: rejected by policy") in items
    assert [row["st-pfxrcd"] for row in net.rows("show bgp summary") if row["neighbor"] == "198.51.100.1"] == ["4"]


def test_update_groups(net):
    groups = {row["family"]: row for row in net.rows("show bgp update-group") if row["members"] > 1}
    assert groups["vpnv4 unicast"]["neighbors"] == "198.51.100.1 198.51.100.3"
    assert groups["vpnv4 unicast"]["kind"] == "internal client next-hop-unchanged"
    assert [row["policy"] for row in net.rows("show bgp update-group 10.1.0.2")] == ["ALL"]


def test_memberships(net):
    """RT-Constrain: who wants what, and why another is not told."""
    three = net.speaker(5, families=(VPNV4, RTC))
    wants = struct.pack("!BI", 96, 65000) + b"\0\2" + struct.pack("!HI", 65000, 2)
    three.send(update(origin() + as_path() + local_pref() +
                      attribute(0x80, 14, struct.pack("!HBB4sB", *RTC, 4, socket.inet_aton("198.51.100.5"), 0) + wants)),
               end_of_rib(RTC), end_of_rib(VPNV4))
    wait_for("its membership", lambda: net.rows("show bgp ipv4 rt-filter neighbor 198.51.100.5"), 20)
    row = net.rows("show bgp ipv4 rt-filter neighbor 198.51.100.5")[0]
    assert (row["origin-as"], row["route-target"], row["bits"], row["from"]) == ("65000", "65000:2", 96, "198.51.100.5")
    assert {row["from"] for row in net.rows("show bgp ipv4 rt-filter route-target 65000:2")} == {"198.51.100.5", "vrf imports"}
    wait_for("only what it wants", lambda: {row["prefix"] for row in net.rows(
        "show bgp neighbors 198.51.100.5 advertised-routes")} == {"20.1.0.0/16", "20.2.0.0/16"}, 20)
    wait_for("why not", lambda: (None, "not advertised", "1: it asked for none of its route targets: 198.51.100.5") in
             net.items(VPN + "20.1.1.0/24 detail"), 20)
    three.close()


# ---- events ----

def test_story(net):
    """Up, a malformed UPDATE again and again, a NOTIFICATION, down, and kept: in order, with neighbour and VRF."""
    mark = len(net.rows("show bgp events neighbor 198.51.100.3"))
    for _ in range(5):
        net.two.send(update(origin(7) + as_path() + local_pref() + ext_communities("65000:1") +
                            mp_reach(VPNV4, "198.51.100.3", vpn_nlri("65000:7", "20.9.0.0/16", 7))))
    net.pe.sh("clear bgp 198.51.100.3")
    wait_for("down", lambda: net.two.closed.is_set(), 20)
    wait_for("the story", lambda: any("down:" in event for event in net.story("neighbor 198.51.100.3")[mark:]), 20)
    rows = net.rows("show bgp events neighbor 198.51.100.3")[mark:]
    story = [row["event"] for row in rows]
    assert re.match("malformed UPDATE: ORIGIN", story[0]), story
    assert "clear bgp" in story and any(re.match("sending NOTIFICATION 6/4", event) for event in story)
    assert story.index("clear bgp") < [i for i, event in enumerate(story) if event.startswith("down:")][0]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$", row["time"]) for row in rows)
    clocks = [float(row["clock"]) for row in rows]
    assert clocks == sorted(clocks)
    assert net.story("vrf RED")[0] == "established"
    assert {row["neighbor"] for row in net.rows("show bgp events vrf RED")} == {"10.1.0.2"}
    assert len(net.story("last 3")) == 3
    begun = net.story("neighbor 198.51.100.1")
    assert begun[0] == "established" and "End-of-RIB of vpnv4 unicast" in begun and "End-of-RIB of vpnv4 unicast sent" in begun


def test_pages_for_the_guide(net):
    """The pages of the operator's guide, as they look: printed, and each has what it is there for."""
    for command, has in (("show bgp summary", "ST-PFXRCD"), (VPN + "20.1.0.0/16", "65010 65020"),
                         (VPN + "20.1.0.0/16 rd 65000:7 detail", "imported into"), (CE + "vrf RED refused-routes", "rejected by policy"),
                         ("show bgp update-group", "client"), ("show bgp events last 12", "established")):
        text = net.pe.sh(command)
        print("PE# %s\n%s" % (command, text))
        assert has in text
