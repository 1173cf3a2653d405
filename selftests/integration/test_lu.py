# SPDX-License-Identifier: GPL-2.0
"""Labelled unicast (RFC 8277) as transport between two autonomous systems (RFC 4364, 10c), IPv4 and IPv6.

         AS 65001                                                    AS 65002
    ce1 --- pe1 ------ p1 ------- abr1 -------- asbr1 === eBGP === asbr2 ------- pe2 --- ce2
          l3vpnd   stock Linux,  l3vpnd          FRR               l3vpnd        FRR
                     GoBGP:      reflects     stock Linux                    stock Linux
                    reflector
            |- static LSPs 1001, 1005 -|
            |------ labelled unicast: iBGP, iBGP, iBGP, eBGP, iBGP ---------------|
            |------ VPN routes: eBGP over several hops ---------------------------|

    pe1 sends three labels: 1005, which p1 pops, abr1's label of pe2, and the VPN's. abr1, asbr1 and asbr2 swap the upper
    one, the last of them pops it. FRR 8.4 puts no label into Linux's table that leads to a route over another labelled
    one, and takes no route whose next hop is its own prefix: so its neighbors are adjacent.
"""
import os
import re

import pytest

from test_restart import Flood
from topology import Frr, Gobgp, L3vpnd, Topology, labels, run, wait_for

pytestmark = [pytest.mark.interop("labelled unicast: VPN over it between two AS", peers=("FRR", "GoBGP", "Linux"), tables=("FRR", "GoBGP"), packets=("FRR", "Linux"))]

# (left, right) of each link; the ends have .2N and .2N+1 of 198.51.100/24, ::1 and ::2 of fd00:c:N::/64
LINKS = (("pe1", "p1"), ("p1", "abr1"), ("abr1", "asbr1"), ("asbr1", "asbr2"), ("asbr2", "pe2"))
NUMBER = {"pe1": 1, "pe2": 2, "asbr1": 3, "asbr2": 4, "abr1": 5, "p1": 10}
OURS = ("pe1", "abr1", "asbr2")
VERSIONS = (4, 6)


def loopback(name, version=4):
    return "192.0.2.%d" % NUMBER[name] if version == 4 else "fd00::%d" % NUMBER[name]


def host(name, version=4):
    return loopback(name, version) + ("/32" if version == 4 else "/128")


def end(link, side, version=4):
    return "198.51.100.%d" % (2 * link + side) if version == 4 else "fd00:c:%d::%d" % (link, side + 1)


def site(n, version=4):
    return "10.%d.0.1" % n if version == 4 else "2001:db8:%d::1" % n


PE1 = """hostname PE1
vrf RED
 rd 65001:1
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
 address-family ipv6 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
!
interface red
 vrf RED
 ipv4 address 10.255.1.1/30
 ipv6 address 2001:db8:ff:1::1/64
!
interface right
 mpls
 ipv4 address 198.51.100.0/31
 ipv6 address fd00:c:0::1/64
!
interface lo
 ipv4 address 192.0.2.1/32
 ipv6 address fd00::1/128
!
mpls
 static lsp 192.0.2.5/32
  path 198.51.100.1 out-label 1005
 !
 static lsp fd00::5/128
  path fd00:c:0::2 out-label 1005
 !
!
router static
 vrf RED
  route 10.1.0.0/16
   next-hop 10.255.1.2
  !
  route 2001:db8:1::/48
   next-hop 2001:db8:ff:1::2
  !
 !
!
router bgp 65001
 router-id 192.0.2.1
 bgp unsafe-ebgp-policy
 address-family ipv4 labeled-unicast
  explicit-null
  network 192.0.2.1/32
 !
 address-family ipv6 labeled-unicast
  network fd00::1/128
 !
 neighbor 192.0.2.10
  remote-as 65001
  update-source 192.0.2.1
  timers connect-retry 2
  address-family ipv4 labeled-unicast
  !
 !
 neighbor fd00::10
  remote-as 65001
  update-source fd00::1
  timers connect-retry 2
  address-family ipv6 labeled-unicast
  !
 !
 neighbor 192.0.2.2
  remote-as 65002
  update-source 192.0.2.1
  ebgp-multihop 10
  timers connect-retry 2
  address-family vpnv4 unicast
  !
 !
 neighbor fd00::2
  remote-as 65002
  update-source fd00::1
  ebgp-multihop 10
  timers connect-retry 2
  address-family vpnv6 unicast
  !
 !
 vrf RED
  address-family ipv4 unicast
   redistribute connected
   redistribute static
  !
  address-family ipv6 unicast
   redistribute connected
   redistribute static
  !
 !
!
"""

ABR1 = """hostname ABR1
interface left
 mpls
 ipv4 address 198.51.100.3/31
 ipv6 address fd00:c:1::2/64
!
interface right
 mpls
 ipv4 address 198.51.100.4/31
 ipv6 address fd00:c:2::1/64
!
interface lo
 ipv4 address 192.0.2.5/32
 ipv6 address fd00::5/128
!
mpls
 static lsp 192.0.2.1/32
  path 198.51.100.2 out-label 1001
 !
 static lsp fd00::1/128
  path fd00:c:1::1 out-label 1001
 !
!
router bgp 65001
 router-id 192.0.2.5
 address-family ipv4 labeled-unicast
  allocate-label all
 !
 address-family ipv6 labeled-unicast
  allocate-label within fd00::/64
 !
""" + "".join(""" neighbor %s
  remote-as 65001
  update-source %s
  timers connect-retry 2
  address-family ipv%d labeled-unicast
   next-hop-self
  !
 !
 neighbor %s
  remote-as 65001
  timers connect-retry 2
  address-family ipv%d labeled-unicast
   next-hop-self
   route-reflector-client
  !
 !
""" % (loopback("p1", v), loopback("abr1", v), v, end(2, 1, v), v) for v in VERSIONS) + "!\n"

ASBR2 = """hostname ASBR2
interface left
 mpls
 label accept transport
 ipv4 address 198.51.100.7/31
 ipv6 address fd00:c:3::2/64
!
interface right
 mpls
 ipv4 address 198.51.100.8/31
 ipv6 address fd00:c:4::1/64
!
router bgp 65002
 router-id 192.0.2.4
 bgp unsafe-ebgp-policy
 address-family ipv4 labeled-unicast
  allocate-label all
 !
 address-family ipv6 labeled-unicast
  allocate-label all
 !
""" + "".join(""" neighbor %s
  remote-as 65001
  timers connect-retry 2
  address-family ipv%d labeled-unicast
  !
 !
 neighbor %s
  remote-as 65002
  timers connect-retry 2
  address-family ipv%d labeled-unicast
   next-hop-self
  !
 !
""" % (end(3, 0, v), v, end(4, 1, v), v) for v in VERSIONS) + "!\n"


def gobgp():
    text = "[global.config]\n  as = 65001\n  router-id = \"192.0.2.10\"\n"
    for v in VERSIONS:
        for peer in (loopback("pe1", v), loopback("abr1", v)):
            text += ("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = 65001\n"
                     "  [neighbors.timers.config]\n    connect-retry = 2\n"
                     "  [neighbors.transport.config]\n    local-address = \"%s\"\n"
                     "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                     "    route-reflector-cluster-id = \"192.0.2.10\"\n"
                     "  [neighbors.graceful-restart.config]\n    enabled = true\n    restart-time = 60\n"
                     "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n"
                     "      afi-safi-name = \"ipv%d-labelled-unicast\"\n"
                     "    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n" % (peer, loopback("p1", v), v))
    return text


def frr_head(name, asn):
    return ("hostname %s\nlog stdout\nrouter bgp %d\n bgp router-id %s\n no bgp ebgp-requires-policy\n"
            " no bgp default ipv4-unicast\n bgp graceful-restart\n" % (name.upper(), asn, loopback(name)))


def asbr1_frr():
    text = frr_head("asbr1", 65001)
    for v in VERSIONS:
        text += (" neighbor {abr} remote-as 65001\n neighbor {abr} timers connect 2\n"
                 " neighbor {far} remote-as 65002\n neighbor {far} timers connect 2\n"
                 " address-family ipv{v} labeled-unicast\n  neighbor {abr} activate\n  neighbor {abr} next-hop-self\n"
                 "  neighbor {far} activate\n exit-address-family\n").format(abr=end(2, 0, v), far=end(3, 1, v), v=v)
    return text + "exit\n"


def pe2_frr():
    text = "vrf RED\n ip route 10.2.0.0/16 10.255.2.2\n ipv6 route 2001:db8:2::/48 2001:db8:ff:2::2\nexit-vrf\n"
    text += frr_head("pe2", 65002)
    for v in VERSIONS:
        text += (" neighbor {lu} remote-as 65002\n neighbor {lu} timers connect 2\n"
                 " neighbor {vpn} remote-as 65001\n neighbor {vpn} update-source {own}\n neighbor {vpn} ebgp-multihop 10\n"
                 " neighbor {vpn} timers connect 2\n"
                 " address-family ipv{v} unicast\n  network {net}\n exit-address-family\n"
                 " address-family ipv{v} labeled-unicast\n  neighbor {lu} activate\n exit-address-family\n"
                 " address-family ipv{v} vpn\n  neighbor {vpn} activate\n exit-address-family\n"
                 ).format(lu=end(4, 0, v), vpn=loopback("pe1", v), own=loopback("pe2", v), net=host("pe2", v), v=v)
    text += "exit\nrouter bgp 65002 vrf RED\n bgp router-id 192.0.2.2\n"
    for v in VERSIONS:
        text += (" address-family ipv%d unicast\n  redistribute connected\n  redistribute static\n  label vpn export auto\n"
                 "  rd vpn export 65002:2\n  rt vpn both 65000:1\n  export vpn\n  import vpn\n exit-address-family\n" % v)
    return text + "exit\n"


class Net(Topology):
    def build(self):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth"], check=False)
        self.add("ce1", "ce2", *NUMBER)
        self.link("ce1:pe", "pe1:red", "ce2:pe", "pe2:red",
                  *[e for left, right in LINKS for e in (left + ":right", right + ":left")])
        for name in NUMBER:
            self[name].sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0")
        for name in ("p1", "asbr1", "pe2"):
            self[name].sysctl("net.mpls.platform_labels=1048575")
            self[name].ip(*["addr add %s dev lo%s" % (host(name, v), " nodad" if v == 6 else "") for v in VERSIONS])
        for link, pair in enumerate(LINKS):
            for side, name in enumerate(pair):
                dev = ("right", "left")[side]
                if name in OURS:
                    continue
                self[name].sysctl("net.mpls.conf.%s.input=1" % dev)
                self[name].ip("addr add %s/31 dev %s" % (end(link, side), dev), "addr add %s/64 dev %s nodad" % (end(link, side, 6), dev))
        self._igp()
        self._customers()
        return self

    def _igp(self):
        """What an IGP of AS 65001 would bring, and the way of the sessions between the PEs up to asbr1."""
        for v in VERSIONS:
            self["pe1"].ip(*["route add %s via %s dev right onlink" % (host(n, v), end(0, 1, v)) for n in ("p1", "abr1", "pe2")])
            self["p1"].ip("route add %s via %s" % (host("pe1", v), end(0, 0, v)),
                          *["route add %s via %s" % (host(n, v), end(1, 1, v)) for n in ("abr1", "pe2")])
            self["abr1"].ip(*["route add %s via %s dev left onlink" % (host(n, v), end(1, 0, v)) for n in ("p1", "pe1")],
                            "route add %s via %s dev right onlink" % (host("pe2", v), end(2, 1, v)))
        for label, link, side, dev in ((1001, 0, 0, "left"), (1005, 1, 1, "right")):
            self["p1"].run("ip", "-f", "mpls", "route", "add", str(label), "via", "inet", end(link, side), "dev", dev)

    def _customers(self):
        self["pe2"].sysctl("net.ipv4.tcp_l3mdev_accept=0")
        self["pe2"].ip("link add RED type vrf table 101", "link set RED up",
                       "route add table 101 unreachable default metric 4278198272", "link set red master RED",
                       "addr add 10.255.2.1/30 dev red", "addr add 2001:db8:ff:2::1/64 dev red nodad")
        for n in (1, 2):
            self["ce%d" % n].ip("addr add 10.255.%d.2/30 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                                "addr add %s/32 dev lo" % site(n), "addr add %s/128 dev lo nodad" % site(n, 6),
                                "route add default via 10.255.%d.1" % n, "route add ::/0 via 2001:db8:ff:%d::1" % n)

    def start(self):
        self.rr = Gobgp(self["p1"], gobgp()).start()
        self.asbr1 = Frr(self["asbr1"], asbr1_frr()).start()
        self.frr = Frr(self["pe2"], pe2_frr()).start()
        self.asbr2 = L3vpnd(self["asbr2"], ASBR2).start()
        self.abr1 = L3vpnd(self["abr1"], ABR1).start()
        self.pe1 = L3vpnd(self["pe1"], PE1).start()
        return self

    def reach(self, timeout=60):
        for v in VERSIONS:
            wait_for("site 2 answers site 1, IPv%d" % v, lambda v=v: self["ce1"].ping(site(2, v), source=site(1, v), count=1, timeout=1), timeout)


@pytest.fixture(scope="module")
def net():
    with Net() as topology:
        topology.build().start()
        yield topology


def lu_routes(daemon, version):
    return {row["prefix"]: row for row in daemon.json("show bgp ipv%d labeled-unicast" % version) if row["best"] == "yes"}


@pytest.mark.parametrize("version", VERSIONS)
def test_routes(net, version):
    """pe1 hears of pe2 with abr1's label and address; abr1 and asbr2 of both PEs, and give labels of their own."""
    row = wait_for("pe1 has the way to pe2", lambda: lu_routes(net.pe1, version).get(host("pe2", version)), 60)
    assert row["label"] >= 16 and row["as-path"] == "65002" and row["next-hop"] == "router " + loopback("abr1", version)
    for daemon in (net.abr1, net.asbr2):
        routes = wait_for("both", lambda d=daemon: (lambda r: r if {host("pe1", version), host("pe2", version)} <= set(r) else None)(
            lu_routes(d, version)), 30)
        assert all(int(routes[host(n, version)]["local-label"]) >= 16 for n in ("pe1", "pe2"))
    assert row["label"] == int(lu_routes(net.abr1, version)[host("pe2", version)]["local-label"])
    assert lu_routes(net.asbr2, version)[host("pe2", version)]["label"] == 3
    own = lu_routes(net.pe1, version)[host("pe1", version)]
    assert own["from"] == "network" and own["local-label"] == ("explicit-null" if version == 4 else "implicit-null")
    assert lu_routes(net.abr1, version)[host("pe1", version)]["label"] == (0 if version == 4 else 3)


def test_vpn_works(net):
    net.reach()


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_on_the_wire(net, version):
    net.reach()
    routes = {"abr1": lu_routes(net.abr1, version), "asbr2": lu_routes(net.asbr2, version)}
    own = {(name, n): int(routes[name][host(n, version)]["local-label"]) for name in routes for n in ("pe1", "pe2")}
    frr = {n: routes["abr1" if n == "pe2" else "asbr2"][host(n, version)]["label"] for n in ("pe1", "pe2")}
    there = ("pe1", "p1", "abr1", "asbr1", "asbr2")
    captures = [net[name].tcpdump("right", "mpls") for name in there]
    for capture in captures:
        capture.__enter__()
    try:
        assert net["ce1"].ping(site(2, version), source=site(1, version), count=3)
        stacks = {}
        for name, capture in zip(there, captures):
            wait_for("frames behind " + name, lambda c=capture: [f for f in c.frames() if "reply" in f], 10)
            for what in ("request", "reply"):
                found = {tuple(labels(f)) for f in capture.frames() if "echo " + what in f}
                assert len(found) == 1, (name, what, found)
                stacks[name, what] = list(found.pop())
    finally:
        for capture in captures:
            capture.__exit__()
    vpn2, vpn1 = stacks["asbr2", "request"][-1], stacks["pe1", "reply"][-1]
    null = [0] if version == 4 else []
    assert stacks == {
        ("pe1", "request"): [1005, own["abr1", "pe2"], vpn2], ("p1", "request"): [own["abr1", "pe2"], vpn2],
        ("abr1", "request"): [frr["pe2"], vpn2], ("asbr1", "request"): [own["asbr2", "pe2"], vpn2],
        ("asbr2", "request"): [vpn2], ("asbr2", "reply"): [own["asbr2", "pe1"], vpn1],
        ("asbr1", "reply"): [frr["pe1"], vpn1], ("abr1", "reply"): [own["abr1", "pe1"], vpn1],
        ("p1", "reply"): [1001] + null + [vpn1], ("pe1", "reply"): null + [vpn1],
    }


def hops(node, version, source, destination):
    """[(who answered or '*', labels in the answer)]"""
    text = node.run("traceroute", "-n", "-e", "-q", "1", "-w", "1", "-m", "9", "-s", source, destination)
    print(text)
    return [(line.split()[1], [int(n) for n in re.findall(r"L=(\d+)", line)]) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("version", VERSIONS)
def test_traceroute(net, version):
    """Ours answer, with the labels that they got; stock Linux is silent about labelled packets, and hands no TTL down to
    the label under the one that it pops: on the way forth abr1 seems to be as far as p1."""
    net.reach()
    own = {name: int(lu_routes(getattr(net, name), version)[host(n, version)]["local-label"])
           for name, n in (("asbr2", "pe2"), ("abr1", "pe1"))}
    forth = hops(net["ce1"], version, site(1, version), site(2, version))
    assert [who for who, _ in forth[:4]] == ["10.255.1.1" if version == 4 else "2001:db8:ff:1::1", "*", "*", end(3, 1, version)]
    assert forth[3][1][0] == own["asbr2"] and forth[-1][0] == site(2, version)
    back = hops(net["ce2"], version, site(2, version), site(1, version))
    assert back[1][0] == end(4, 0, version) and back[2][0] == "*" and back[3][0] == end(2, 0, version)
    assert back[3][1][0] == own["abr1"] and back[-1][0] == site(1, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("link,mtu,room", ((0, 1400, 1388), (2, 1400, 1392), (4, 1400, 1396)))
def test_path_mtu(net, version, link, mtu, room):
    """As many labels as there are on that link leave less room: three, two, and the VPN label alone. What arrives at ce2
    counts: the answer meets other labels, and stock Linux, which tells nobody."""
    left, right = LINKS[link]
    ends = ((left, "right"), (right, "left"))
    size = room - (28 if version == 4 else 48)
    net.reach()
    for name, dev in ends:
        net[name].ip("link set %s mtu %d" % (dev, mtu))

    def send(octets):
        net["ce1"].ok("ping", "-n", "-q", "-c", "1", "-W", "1", "-M", "do", "-s", str(octets), "-I", site(1, version), site(2, version))

    def told():
        send(size + 1)
        return "mtu %d" % room in net["ce1"].run("ip", "route", "get", site(2, version), "from", site(1, version))
    try:
        with net["ce2"].tcpdump("pe", "icmp or icmp6") as capture:
            wait_for("the sender knows the path MTU", told, 10)
            send(size)
            # ICMP's header is eight octets
            wait_for("it arrives", lambda: re.search(r"length:? %d\b" % (size + 8), capture.text()), 5)
            assert not re.search(r"length:? %d\b" % (size + 9), capture.text()), "one octet too many passes"
    finally:
        for name, dev in ends:
            net[name].ip("link set %s mtu 1500" % dev)
        for family in ("-4", "-6"):
            net["ce1"].run("ip", family, "route", "flush", "cache")


def explained(net, prefix):
    return net.pe1.sh("explain vrf RED prefix " + prefix)


@pytest.mark.parametrize("version,prefix", ((4, "10.2.0.0/16"), (6, "2001:db8:2::/48")))
def test_lower_path_gone(net, version, prefix):
    """Without a path to abr1 the route to pe2 makes no path, nor are VPN routes behind it used, and all of it is told."""
    net.reach()
    assert "forwarded" in explained(net, prefix)
    lsp = host("abr1", version)
    net.pe1.configure("mpls\n no static lsp " + lsp)
    try:
        wait_for("held back", lambda: prefix not in net.pe1.sh("show forwarding vrf RED"), 10)
        text = explained(net, prefix)
        assert "no label-switched path to " + host("pe2", version) in text, text
        assert re.search(r"labeled unicast +- +from %s, router %s: no label-switched path" % (
            loopback("p1", version), loopback("abr1", version)), text), text
        row = [r for r in net.pe1.json("show bgp ipv%d labeled-unicast" % version) if r["prefix"] == host("pe2", version)][0]
        # an IP route leads to abr1: enough to reflect the route, not to send packets by it
        assert row["best"] == "yes" and row["next-hop-state"] == "no label-switched path", row
        assert host("pe2", version) not in [r["fec"].split("/")[0] for r in net.pe1.json("show mpls lsp")]
    finally:
        net.pe1.configure("mpls\n static lsp %s\n  path %s out-label 1005\n" % (lsp, end(0, 1, version)))
    net.reach(20)


def test_label_follows_the_route(net):
    """pe2's route goes and comes: asbr2 withdraws it, its label lingers, and is the same afterwards."""
    net.reach()
    before = lu_routes(net.asbr2, 4)[host("pe2")]["local-label"]
    net.frr.vtysh("configure", "router bgp 65002", "address-family ipv4 unicast", "no network 192.0.2.2/32")
    wait_for("gone at pe1", lambda: host("pe2") not in lu_routes(net.pe1, 4), 20)
    states = {row["for"]: row["state"] for row in net.asbr2.json("show labels")}
    assert states["labeled-unicast " + host("pe2")] == "lingering"
    net.frr.vtysh("configure", "router bgp 65002", "address-family ipv4 unicast", "network 192.0.2.2/32")
    wait_for("back at pe1", lambda: host("pe2") in lu_routes(net.pe1, 4), 20)
    assert lu_routes(net.asbr2, 4)[host("pe2")]["local-label"] == before
    net.reach(30)


@pytest.mark.parametrize("name", ("asbr2", "abr1"))
def test_our_restart(net, name):
    """The daemon dies and comes back: forwarding stands meanwhile, and the labels are the same. FRR 8.4 keeps no routes of
    labelled unicast over a restart of its neighbor (it does of other families), so packets stop for as long as that lasts."""
    net.reach()
    daemon = getattr(net, name)
    before = {v: lu_routes(daemon, v)[host("pe2", v)]["local-label"] for v in VERSIONS}
    daemon.kill()
    daemon.start()
    for v in VERSIONS:
        wait_for("the same label", lambda v=v: lu_routes(daemon, v).get(host("pe2", v), {}).get("local-label") == before[v], 30)
    net.reach(30)


def echoes(node, version):
    """Echo requests that a host got."""
    if version == 6:
        return int(re.search(r"Icmp6InEchos\s+(\d+)", node.run("cat", "/proc/net/snmp6"))[1])
    names, values = [line.split() for line in node.run("cat", "/proc/net/snmp").splitlines() if line.startswith("Icmp:")]
    return int(dict(zip(names, values))["InEchos"])


def test_pe_restart(net):
    """pe1's daemon dies and comes back: nothing that it sends is lost. The answers are not judged: bgpd takes the routes of a
    neighbor that restarted out of Linux's table and puts them back."""
    net.reach()
    before = {v: echoes(net["ce2"], v) for v in VERSIONS}
    with Flood(net["ce1"], site(2), site(1)) as four, Flood(net["ce1"], site(2, 6), site(1, 6)) as six:
        net.pe1.kill()
        net.pe1.start()
        wait_for("all sessions", lambda: [r["state"] for r in net.pe1.json("show bgp summary")] == ["Established"] * 4, 30)
        wait_for("the restart's end", lambda: "graceful restart is over" in net.pe1.sh("show log"), 60)
        for v in VERSIONS:
            wait_for("pe2", lambda v=v: lu_routes(net.pe1, v).get(host("pe2", v)), 10)
    for v, flood in zip(VERSIONS, (four, six)):
        assert flood.sent > 100
        wait_for("all %d packets" % flood.sent, lambda v=v, f=flood: echoes(net["ce2"], v) - before[v] == f.sent, 5)


def test_frr_restarts(net):
    """asbr1's bgpd dies and comes back, with labels of its own choice."""
    bgpd = [d for d in net["asbr1"].daemons if d.log.endswith("asbr1-bgpd.log")][-1]
    bgpd.kill()
    bgpd.wait(5)
    os.remove(os.path.join(net.asbr1.dir, "bgpd.vty"))
    net.asbr1.daemons = ("bgpd",)
    net.asbr1.start()
    for version in VERSIONS:
        wait_for("pe1 has the way to pe2", lambda v=version: lu_routes(net.pe1, v).get(host("pe2", v)), 60)
    net.reach()
