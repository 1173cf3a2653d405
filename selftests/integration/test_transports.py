# SPDX-License-Identifier: GPL-2.0
"""The same VPN over each kind of transport: IPv4 and IPv6 customers, traceroute, path MTU.

    ce1 -- pe1 (l3vpnd) ---- p ---- pe3 (l3vpnd) -- ce3

p: static paths, LDP and labelled unicast: l3vpnd, a P router without VRFs; UDP and GRE: plain IP, stock Linux. What FRR and stock Linux do
as P router and as the far PE is in test_interop.py and test_path.py (static), and in test_soft.py (UDP, GRE).
"""
import re

import pytest

from softcore import AS, OVERHEAD, SoftCore, link, router, site, transport
from topology import L3vpnd, wait_for

CORE = 4
KINDS = ("static", "ldp", "bgp", "udp", "gre")


def mpls(kind, n):
    """What stands under `mpls` of PE @n."""
    if kind == "static":
        return " static lsp %s/32\n  path %s out-label %d\n !\n" % (router(4 - n, CORE), link(n, CORE)[1], 1000 + 4 - n)
    if kind == "ldp":
        return " ldp\n  router-id %s\n  discovery hello interval 1\n  interface core\n !\n" % router(n, CORE)
    return "" if kind == "bgp" else transport(kind, n, CORE)


def bgp(kind, n):
    """What stands in BGP of PE @n besides its session with the reflector: with labelled unicast, one with p."""
    if kind != "bgp":
        return ""
    return (" address-family ipv4 labeled-unicast\n  network %s/32\n !\n neighbor %s\n  remote-as %d\n  passive\n"
            "  address-family ipv4 labeled-unicast\n  !\n !\n" % (router(n, CORE), link(n, CORE)[1], AS))


P_PORTS = "hostname P\n" + "".join("interface pe%d\n mpls\n!\n" % n for n in (1, 3))
P = {
    "static": P_PORTS + "mpls\n" + "".join(
        " static cross-connect %d\n  next-hop %s\n  out-label implicit-null\n !\n" % (1000 + n, link(n, CORE)[0])
        for n in (1, 3)) + "!\n",
    "ldp": P_PORTS + "mpls\n ldp\n  router-id 192.0.2.9\n  discovery hello interval 1\n  interface pe1\n  interface pe3\n !\n!\n",
    # beside GoBGP, which has the port
    "bgp": P_PORTS + "router bgp %d\n router-id 192.0.2.9\n listen-port 1179\n"
           " address-family ipv4 labeled-unicast\n  allocate-label all\n !\n" % AS + "".join(
               " neighbor %s\n  remote-as %d\n  timers connect-retry 1\n  address-family ipv4 labeled-unicast\n"
               "   next-hop-self\n   route-reflector-client\n  !\n !\n" % (link(n, CORE)[0], AS) for n in (1, 3)) + "!\n",
}


@pytest.fixture(scope="module", params=KINDS)
def net(request):
    with SoftCore() as topology:
        topology.kind = request.param
        topology.build("udp", CORE, stock=False)
        if topology.kind in P:
            topology.p = L3vpnd(topology["p"], P[topology.kind]).start()
        port = "mpls" if topology.kind in P else "core"
        topology.start(lambda n: mpls(topology.kind, n), port, lambda n: bgp(topology.kind, n))
        yield topology


@pytest.mark.parametrize("version", (4, 6))
def test_carries(net, version):
    net.reach(1, 3, version)
    net.reach(3, 1, version)
    rows = [r for r in net.pe[1].json("show mpls transport") if r["pe"] == router(3, CORE)]
    assert [(r["kind"], r["state"]) for r in rows] == [(net.kind, "carries")], rows


@pytest.mark.parametrize("version", (4, 6))
def test_traceroute(net, version):
    net.reach(1, 3, version)
    text = net["ce1"].run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "6", site(3, version))
    hops = [line.split()[1] for line in text.splitlines()[1:]]
    ends = [site(1, version, 1), site(3, version, 1), site(3, version)]
    if net.kind in ("udp", "gre"):      # a tunnel is one hop
        assert hops == ends, text
    else:
        assert len(hops) == 4 and hops[:1] + hops[2:] == ends, text
    if net.kind in P and version == 4:  # the P router answers; it has no IPv6 address of wider than link scope
        assert hops[1] == link(1, CORE)[1], text


def room(net, mtu):
    """Of an IP packet on a first core link of @mtu."""
    return mtu - (8 if net.kind in P else OVERHEAD[net.kind, CORE] + 4)


@pytest.mark.parametrize("mtu", (1500, 1400))
@pytest.mark.parametrize("version", (4, 6))
def test_path_mtu(net, version, mtu):
    net.reach(1, 3, version)
    fits = room(net, mtu)
    for node, dev in (("pe1", "core"), ("p", "pe1")):
        net[node].ip("link set %s mtu %d" % (dev, mtu))
    try:
        net.forget()

        def passes(octets):
            return net["ce1"].ok("ping", "-n", "-q", "-c", "1", "-W", "1", "-M", "do", "-s",
                                 str(octets - (28 if version == 4 else 48)), site(3, version))

        def told():
            assert not passes(fits + 1), "one octet too many passes"
            return "mtu %d" % fits in net["ce1"].run("ip", "route", "get", site(3, version))
        wait_for("the sender knows the path MTU %d" % fits, told, 15)
        wait_for("the largest packet passes", lambda: passes(fits), 10)
        if version == 4:                # what may be cut is, before it is labelled
            assert net["ce1"].ok("ping", "-n", "-q", "-c", "2", "-i", "0.2", "-W", "2", "-M", "dont", "-s", "3000",
                                 site(3, 4))
    finally:
        for node, dev in (("pe1", "core"), ("p", "pe1")):
            net[node].ip("link set %s mtu 1500" % dev)


def test_transport_lost_and_found(net):
    """Without transport the route is held back, and says why; it comes back by itself."""
    lost = "no route to its far end" if net.kind in ("udp", "gre") else "no label-switched path"
    near, hop = net["pe1"], link(1, CORE)[1]
    session = "router bgp %d\n neighbor %s\n  %%s\n !\n!" % (AS, hop)
    if net.kind == "static":
        net.pe[1].configure("mpls\n no static lsp %s/32\n!" % router(3, CORE))
    elif net.kind == "bgp":
        net.pe[1].configure(session % "shutdown")
    else:
        near.ip("route del %s via %s dev core" % (router(3, CORE), hop))

    def held_back():
        said = net.pe[1].sh("explain vrf RED prefix 10.3.0.0/24")
        return re.search("transport +failed", said) and lost in said and \
            "10.3.0.0/24" not in net.pe[1].sh("show forwarding vrf RED")
    wait_for("the route is held back: %s" % lost, held_back, 20)
    if net.kind == "static":
        net.pe[1].configure("mpls\n%s!" % mpls("static", 1))
    elif net.kind == "bgp":
        net.pe[1].configure(session % "no shutdown")
    else:
        near.ip("route add %s via %s dev core onlink" % (router(3, CORE), hop))
    for version in (4, 6):
        net.reach(1, 3, version)
