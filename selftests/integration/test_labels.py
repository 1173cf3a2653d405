# SPDX-License-Identifier: GPL-2.0
"""Label modes: what the reflector sees, and that each label leads to the right CE.

    ce-a --+
           sw (bridge) ---(lan) pe (l3vpnd) (core)--- far: GoBGP, and a PE of stock Linux
    ce-b --+

Two CEs on one port: 10.1/16 and 10.11/16 behind ce-a, 10.2/16 behind ce-b. far sends with the label
that it is told, or with a wrong one on purpose.
"""
import re

import pytest

from topology import Gobgp, L3vpnd, Topology, run, wait_for

pytestmark = [pytest.mark.interop("BGP: labels of every mode, RD type 1", peers=("GoBGP",), packets=True)]

CONFIG = """vrf RED
 rd 192.0.2.1:7
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
  export route-target 70000:9
 !
!
interface lan
 vrf RED
 ipv4 address 10.255.1.1/24
!
interface core
 mpls
 ipv4 address 198.51.100.0/31
!
interface lo
 ipv4 address 192.0.2.1/32
!
mpls
 label hold-down 5
 static lsp 192.0.2.9/32
  path 198.51.100.1 out-label implicit-null
 !
!
router static
 vrf RED
  route 10.1.0.0/16
   next-hop 10.255.1.2
  !
  route 10.11.0.0/16
   next-hop 10.255.1.2
  !
  route 10.2.0.0/16
   next-hop 10.255.1.3
  !
 !
!
router bgp 65000
 router-id 192.0.2.1
 neighbor 198.51.100.1
  remote-as 65000
  timers connect-retry 2
  address-family vpnv4 unicast
  !
 !
 vrf RED
  address-family ipv4 unicast
   redistribute connected
   redistribute static
   aggregate-address 10.0.0.0/8
  !
 !
!
"""

GOBGP = """[global.config]
  as = 65000
  router-id = "192.0.2.9"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "198.51.100.0"
    peer-as = 65000
  [neighbors.transport.config]
    passive-mode = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "l3vpn-ipv4-unicast"
"""

STATIC = ("10.1.0.0/16", "10.11.0.0/16", "10.2.0.0/16")
CONNECTED, AGGREGATE = "10.255.1.0/24", "10.0.0.0/8"


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "bridge"], check=False)
        net.add("pe", "far", "sw", "ce-a", "ce-b")
        net.link("pe:lan", "sw:pe", "ce-a:pe", "sw:a", "ce-b:pe", "sw:b", "pe:core", "far:pe")
        net["sw"].ip("link add name lan0 type bridge", "link set dev lan0 up", *["link set dev %s master lan0" % i for i in ("pe", "a", "b")])
        for name, last, sites in (("ce-a", 2, ("10.1.0.1/16", "10.11.0.1/16", "10.2.0.9/32")), ("ce-b", 3, ("10.2.0.1/16",))):
            net[name].ip("addr add 10.255.1.%d/24 dev pe" % last, "route add default via 10.255.1.1",
                         *["addr add %s dev lo" % site for site in sites])
        far = net["far"]
        far.sysctl("net.mpls.platform_labels=1000", "net.mpls.conf.pe.input=1", "net.ipv4.conf.all.rp_filter=0",
                   "net.ipv4.conf.pe.rp_filter=0")
        far.ip("addr add 198.51.100.1/31 dev pe", "addr add 192.0.2.9/32 dev lo", "addr add 10.99.0.1/32 dev lo")
        far.run("ip", "-f", "mpls", "route", "add", "500", "dev", "lo")
        net.rr = Gobgp(far, GOBGP).start()
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        wait_for("the session", net.rr.established, 60)
        far.run("gobgp", "global", "rib", "add", "-a", "vpnv4", "10.99.0.1/32", "label", "500", "rd", "65000:99",
                "rt", "65000:1", "nexthop", "192.0.2.9")
        yield net


def rib(net):
    """{prefix: label} as the reflector shows it."""
    found = {}
    for line in net.rr.cli("global", "rib", "-a", "vpnv4").splitlines():
        match = re.match(r"\*>?\s+192\.0\.2\.1:7:(\S+)\s+\[(\d+)\]", line)
        if match:
            found[match.group(1)] = int(match.group(2))
    return found


def set_mode(net, mode):
    net.pe.configure("vrf RED\n label mode %s\n" % mode)


def settled(net, want):
    """Wait until the labels at the reflector are as want(labels) says."""
    return wait_for("labels", lambda: (lambda l: want(l) and l)(rib(net)), 30)


def whole(labels):
    return set(STATIC + (CONNECTED, AGGREGATE)) <= set(labels)


def send(net, destination, label):
    """One echo from far with this label: True if it was answered."""
    net["far"].ip("route replace %s/32 encap mpls %d via inet 198.51.100.0 src 10.99.0.1" % (destination, label))
    try:
        return net["far"].ping(destination, source="10.99.0.1", deadline=6)
    finally:
        net["far"].ip("route del %s/32" % destination)


def delivered_to(net, destination, label):
    """Which CEs see a packet to destination that far sends with label."""
    with net["ce-a"].tcpdump("pe", "icmp", "and", "dst", destination) as a, \
            net["ce-b"].tcpdump("pe", "icmp", "and", "dst", destination) as b:
        send(net, destination, label)
    return {name for name, capture in (("ce-a", a), ("ce-b", b)) if "echo request" in capture.text()}


def test_per_vrf(lab):
    labels = settled(lab, lambda l: whole(l) and len(set(l.values())) == 1)
    for destination in ("10.1.0.1", "10.2.0.1", "10.11.0.1", "10.255.1.2"):
        assert send(lab, destination, labels["10.1.0.0/16"]), destination


def test_both_route_targets_and_rd_type_1(lab):
    text = lab.rr.cli("global", "rib", "-a", "vpnv4")
    assert "192.0.2.1:7:10.1.0.0/16" in text
    # GoBGP writes an AS number of four octets as two: 70000 is 1.4464
    one, two = r"\[?65000:1\]?", r"\[?(?:70000|1\.4464):9\]?"
    assert re.search(r"Extcomms: (?:%s, %s|%s, %s)" % (one, two, two, one), text), text


def test_per_ce(lab):
    set_mode(lab, "per-ce")
    labels = settled(lab, lambda l: whole(l) and len({l[p] for p in STATIC}) == 2)
    assert labels["10.1.0.0/16"] == labels["10.11.0.0/16"] != labels["10.2.0.0/16"]
    assert labels[CONNECTED] == labels[AGGREGATE] not in (labels["10.1.0.0/16"], labels["10.2.0.0/16"])
    for destination, prefix in (("10.1.0.1", "10.1.0.0/16"), ("10.2.0.1", "10.2.0.0/16")):
        assert send(lab, destination, labels[prefix])
    # no IP lookup: ce-a's label leads to ce-a, whatever the destination
    assert delivered_to(lab, "10.2.0.1", labels["10.1.0.0/16"]) == {"ce-a"}
    assert delivered_to(lab, "10.1.0.1", labels["10.2.0.0/16"]) == {"ce-b"}
    # connected and aggregate need one
    assert delivered_to(lab, "10.255.1.3", labels[CONNECTED]) == {"ce-b"}
    assert delivered_to(lab, "10.2.0.1", labels[AGGREGATE]) == {"ce-b"}


def test_per_prefix(lab):
    set_mode(lab, "per-prefix")
    labels = settled(lab, lambda l: whole(l) and len({l[p] for p in STATIC}) == 3)
    assert labels[CONNECTED] not in {labels[p] for p in STATIC}
    for destination, prefix, ce in (("10.1.0.1", "10.1.0.0/16", "ce-a"), ("10.2.0.1", "10.2.0.0/16", "ce-b"),
                                    ("10.11.0.1", "10.11.0.0/16", "ce-a"), ("10.255.1.2", CONNECTED, "ce-a")):
        assert delivered_to(lab, destination, labels[prefix]) == {ce}


def test_released_labels_rest(lab):
    """A label that is given back is not another's while it rests."""
    before = rib(lab)
    lab.pe.configure("router static\n vrf RED\n  no route 10.11.0.0/16\n  route 10.12.0.0/16\n   next-hop 10.255.1.3\n")
    after = settled(lab, lambda l: "10.12.0.0/16" in l and "10.11.0.0/16" not in l)
    assert after["10.12.0.0/16"] not in before.values()


def test_nothing_is_programmed_for_what_is_not_exported(lab):
    lab.pe.configure("router bgp 65000\n vrf RED\n  address-family ipv4 unicast\n   no redistribute static\n"
                     "   no redistribute connected\n   no aggregate-address 10.0.0.0/8\n")
    wait_for("withdrawn at the reflector", lambda: not rib(lab), 30)
    wait_for("no label in the module", lambda: not lab.pe.json("show forwarding labels"), 90)
