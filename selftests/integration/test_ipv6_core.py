# SPDX-License-Identifier: GPL-2.0
"""A core without IPv4: VPN-IPv6 next hops of 24 octets (RFC 4659), VPN-IPv4 over IPv6 next hops (RFC 8950), and a
CE that peers over link-local addresses.

    ce1 (BIRD, fe80::2) --- pe1 (l3vpnd) --- p (stock Linux, GoBGP) --- pe2 (l3vpnd) --- ce2
"""
import re

import pytest

from topology import Bird, Gobgp, L3vpnd, Topology, run, wait_for

pytestmark = [pytest.mark.interop("BGP: VPNv4 over IPv6 next hops, VPNv6", peers=("GoBGP",), packets=True)]


ASDOT = "64086.59905"  # as GoBGP writes AS 4200000001 in an RD of type 2


def pe_config(n):
    other = 3 - n
    text = """hostname PE%d
vrf RED
 rd 4200000001:%d
 address-family ipv4 unicast
  import route-target 4200000001:1
  export route-target 4200000001:1
 !
 address-family ipv6 unicast
  import route-target 4200000001:1
  export route-target 4200000001:1
 !
!
interface red
 vrf RED
 ipv4 address 10.255.%d.1/30
 ipv6 address 2001:db8:ff:%d::1/64
!
interface core
 mpls
 ipv6 address fd00:%d::1/64
!
interface lo
 ipv6 address fd00::%d/128
!
mpls
 static lsp fd00::%d/128
  path fd00:%d::2 out-label %d
 !
!
router static
 vrf RED
  route 10.%d.0.0/16
   next-hop 10.255.%d.2
  !
""" % (n, n, n, n, n, n, other, n, 1000 + other, n, n)
    if n == 1:
        text = text.replace(" ipv6 address 2001:db8:ff:1::1/64\n", " ipv6 address 2001:db8:ff:1::1/64\n ipv6 address fe80::1/64\n")
    if n == 2:
        text += "  route 2001:db8:2::/48\n   next-hop 2001:db8:ff:2::2\n  !\n"
    text += " !\n!\nrouter bgp 4200000001\n router-id 192.0.2.%d\n bgp unsafe-ebgp-policy\n" % n
    text += (" neighbor fd00::9\n  remote-as 4200000001\n  update-source fd00::%d\n  timers connect-retry 2\n"
             "  address-family vpnv4 unicast\n  !\n  address-family vpnv6 unicast\n  !\n !\n" % n)
    text += " vrf RED\n"
    for af in ("ipv4", "ipv6"):
        text += "  address-family %s unicast\n   redistribute connected\n   redistribute static\n  !\n" % af
    if n == 1:
        text += "  neighbor fe80::2%red\n   remote-as 64601\n   timers connect-retry 2\n   address-family ipv6 unicast\n   !\n  !\n"
    return text + " !\n!\n"


GOBGP = """[global.config]
  as = 4200000001
  router-id = "192.0.2.9"
""" + "".join("""[[neighbors]]
  [neighbors.config]
    neighbor-address = "fd00::%d"
    peer-as = 4200000001
  [neighbors.transport.config]
    local-address = "fd00::9"
  [neighbors.timers.config]
    connect-retry = 2
  [neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "192.0.2.9"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "l3vpn-ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "l3vpn-ipv6-unicast"
""" % n for n in (1, 2))

BIRD = """router id 10.1.0.1;
protocol device { scan time 1; }
protocol direct { ipv6; }
protocol static { ipv6; route 2001:db8:1::/48 blackhole; }
protocol kernel { ipv6 { export where source = RTS_BGP; import none; }; }
protocol bgp provider { local fe80::2 as 64601; neighbor fe80::1 as 4200000001; interface "pe"; connect retry time 2;
  ipv6 { import all; export where source = RTS_STATIC; next hop self; }; }
"""


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel"], check=False)
        net.add("pe1", "pe2", "p", "ce1", "ce2")
        net.link("ce1:pe", "pe1:red", "ce2:pe", "pe2:red", "pe1:core", "p:pe1", "pe2:core", "p:pe2")
        p = net["p"]
        p.sysctl("net.mpls.platform_labels=2000", "net.mpls.conf.pe1.input=1", "net.mpls.conf.pe2.input=1",
                 "net.ipv6.conf.all.forwarding=1")
        p.ip("addr add fd00::9/128 dev lo nodad")
        for n in (1, 2):
            p.ip("addr add fd00:%d::2/64 dev pe%d nodad" % (n, n), "route add fd00::%d via fd00:%d::1" % (n, n))
            p.run("ip", "-f", "mpls", "route", "add", str(1000 + n), "via", "inet6", "fd00:%d::1" % n, "dev", "pe%d" % n)
            pe = net["pe%d" % n]
            pe.sysctl("net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1")
            pe.ip("route add fd00::9 via fd00:%d::2 dev core onlink" % n, "route add fd00::%d via fd00:%d::2 dev core onlink" % (3 - n, n))
            ce = net["ce%d" % n]
            ce.ip("addr add 10.255.%d.2/30 dev pe" % n, "addr add 10.%d.0.1/32 dev lo" % n, "addr add 2001:db8:%d::1/128 dev lo nodad" % n,
                  "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n, "route add default via 10.255.%d.1" % n)
        net["ce1"].ip("addr flush dev pe scope link", "addr add fe80::2/64 dev pe nodad")
        net["ce2"].ip("route add ::/0 via 2001:db8:ff:2::1")
        net.rr = Gobgp(p, GOBGP).start()
        net.bird = Bird(net["ce1"], BIRD).start()
        net.pe = {n: L3vpnd(net["pe%d" % n], pe_config(n)).start() for n in (1, 2)}
        wait_for("both PEs at the reflector", lambda: len(net.rr.established()) == 2, 90)
        yield net


def test_next_hops_at_the_reflector(lab):
    for family, prefix in (("vpnv4", "10.%d.0.0/16"), ("vpnv6", "2001:db8:%d::/48")):
        for n in (1, 2):
            def line(family=family, prefix=prefix, n=n):
                return [l for l in lab.rr.cli("global", "rib", "-a", family).splitlines() if "%s:%d:%s" % (ASDOT, n, prefix % n) in l]
            found = wait_for("%s of PE%d" % (family, n), line, 60)
            assert re.search(r"\sfd00::%d\s" % n, found[0]), found


@pytest.mark.interop("BGP with CEs: eBGP over link-local addresses", peers=("BIRD",))
def test_link_local_ce(lab):
    wait_for("the CE's session", lambda: "Established" in lab.bird.cli("show protocols provider"), 60)
    wait_for("the CE has the far site", lambda: "2001:db8:2::/48" in lab.bird.cli("show route"), 30)
    via = lab.bird.cli("show route 2001:db8:2::/48")
    assert "fe80::1" in via, via


@pytest.mark.parametrize("address,source", (("10.2.0.1", "10.1.0.1"), ("2001:db8:2::1", "2001:db8:1::1")))
def test_forwarding_over_the_ipv6_core(lab, address, source):
    wait_for("far site answers", lambda: lab["ce1"].ping(address, source=source, count=1, timeout=1), 60)
    with lab["pe1"].tcpdump("core", "mpls") as capture:
        assert lab["ce1"].ping(address, source=source, deadline=10)
        wait_for("captured", lambda: "label 1002" in capture.text(), 10)
