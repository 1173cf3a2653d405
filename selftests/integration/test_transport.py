# SPDX-License-Identifier: GPL-2.0
"""Which transport carries a VPN's packets: preference, fallback, load sharing, by VRF and by PE; under a flood.

    ce1 -- pe1 (l3vpnd) ---- p (stock Linux: labels and plain IP) ---- pe3 (l3vpnd) -- ce3

Between pe1 and pe3 there are static label-switched paths (label 1003 and 1013 lead to pe3, 1001 to pe1; p pops), and tunnels
over UDP and GRE. VRF RED names the tunnel policy ORDER.
"""
import collections
import re
import time

import pytest

from softcore import SoftCore, link, router, site, transport
from topology import run, wait_for

CORE = 4
TO = {1: (1001,), 3: (1003, 1013)}


def lsp(to):
    """Static paths to PE @to, as text under `mpls` of the other one."""
    near = 4 - to
    hop = link(near, CORE)[1]
    return " static lsp %s/32\n  path %s out-label %d\n !\n" % (router(to, CORE), hop, TO[to][0])


def order(*kinds, extra=""):
    return " tunnel-policy ORDER\n%s%s !\n" % ("".join("  transport %s\n" % k for k in kinds), extra)


@pytest.fixture(scope="module")
def net():
    with SoftCore() as topology:
        topology.build("udp", CORE, stock=False)
        p = topology["p"]
        p.sysctl("net.mpls.platform_labels=2000", "net.mpls.conf.pe1.input=1", "net.mpls.conf.pe3.input=1")
        for n, labels in TO.items():
            for label in labels:
                p.run("ip", "-f", "mpls", "route", "add", str(label), "via", "inet", link(n, CORE)[0], "dev", "pe%d" % n)
        topology.start(lambda n: lsp(4 - n) + transport("udp", n, CORE) + transport("gre", n, CORE) +
                       order("static", "udp", "gre"), port="mpls")
        for n in (1, 3):
            topology.pe[n].configure("vrf RED\n tunnel-policy ORDER\n!")
        for version in (4, 6):
            topology.reach(1, 3, version)
        yield topology


class Flood:
    """ping, 1,000 a second, until stopped; lost() is how many did not come back."""

    def __init__(self, net, near=1, far=3, version=4):
        self.node, self.address = net["ce%d" % near], site(far, version)

    def __enter__(self):
        self.process = self.node.start("ping", "-n", "-q", "-i", "0.001", self.address,
                                       log="%s-flood-%d.log" % (self.node.name, time.monotonic_ns()))
        return self

    def __exit__(self, *_exc):
        self.process.send_signal(2)
        self.process.wait(10)
        text = open(self.process.log, encoding="utf-8").read()
        self.sent, self.received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", text).groups())

    def lost(self):
        # the one that was under way when ping was stopped is not lost
        return max(0, self.sent - self.received - 1)


def kind_of(frame):
    if re.search(r"\.6635: ", frame):
        return "udp"
    return "gre" if "GREv0" in frame else "static" if "ethertype MPLS" in frame else None


def mac(net, n):
    return re.search(r"link/ether (\S+)", net["pe%d" % n].run("ip", "link", "show", "core")).group(1)


def on_the_wire(net, near=1, packets=40):
    """{kind: frames} of what leaves PE @near for the other one, while something flows."""
    # mpls last: behind it libpcap looks for everything under labels
    with net["p"].tcpdump("pe%d" % near, "ether src %s and (udp port 6635 or proto gre or mpls)" % mac(net, near),
                          count=packets) as capture:
        capture.process.wait(20)
        kinds = collections.Counter(kind_of(f) for f in capture.frames())
    return dict(kinds)


def carries(net, kind, near=1):
    wait_for("%s carries" % kind, lambda: set(on_the_wire(net, near)) == {kind}, 20)


def states(net):
    return {r["kind"]: r["state"] for r in net.pe[1].json("show mpls transport")
            if r["pe"] == router(3, CORE) and r["policy"] == "ORDER"}


def set_order(net, *kinds, extra=""):
    """As the policy of both PEs, in one commit."""
    for n in (1, 3):
        net.pe[n].configure("mpls\n no tunnel-policy ORDER\n%s!\nvrf RED\n tunnel-policy ORDER\n!" % order(*kinds, extra=extra))


def test_preference_moves_without_loss(net):
    """Another order in the policy: what carries changes from one packet to the next."""
    set_order(net, "static", "udp", "gre")
    with Flood(net) as four, Flood(net, 3, 1, 6) as six:
        carries(net, "static")
        assert states(net) == {"static": "carries", "udp": "backup", "gre": "not needed"}
        for kinds in (("udp", "gre", "static"), ("gre", "static"), ("static", "gre"), ("udp",), ("gre",), ("static", "udp", "gre")):
            set_order(net, *kinds)
            carries(net, kinds[0])
            carries(net, kinds[0], near=3)
    print("IPv4: %d sent, %d lost; IPv6: %d sent, %d lost" % (four.sent, four.lost(), six.sent, six.lost()))
    assert four.sent > 1000 and six.sent > 1000
    assert four.lost() == 0 and six.lost() == 0


def test_better_one_comes_and_goes_without_loss(net):
    """Fallback: the static path is taken out of the configuration, then UDP; and they come back."""
    set_order(net, "static", "udp", "gre")
    with Flood(net) as flood:
        carries(net, "static")
        net.pe[1].configure("mpls\n no static lsp %s/32\n!" % router(3, CORE))
        carries(net, "udp")
        assert states(net) == {"udp": "carries", "gre": "backup"}
        # pe1 may no longer send by UDP, but goes on taking it in
        net.pe[1].configure("mpls\n transport udp\n  no destination 192.0.2.0/24\n  destination 192.0.2.99/32\n  source-check any\n !\n!")
        carries(net, "gre")
        net.pe[1].configure("mpls\n transport udp\n  no destination 192.0.2.99/32\n  destination 192.0.2.0/24\n  no source-check\n !\n!")
        carries(net, "udp")
        net.pe[1].configure("mpls\n%s!" % lsp(3))
        carries(net, "static")
    print("%d sent, %d lost" % (flood.sent, flood.lost()))
    assert flood.sent > 1000 and flood.lost() == 0


def test_tunnel_without_a_route_falls_back(net):
    """The main table loses the route to the PE: the module itself goes over to the next kind."""
    set_order(net, "udp", "static")
    with Flood(net) as flood:
        carries(net, "udp")
        net["pe1"].ip("route del %s via %s dev core" % (router(3, CORE), link(1, CORE)[1]))
        carries(net, "static")
        assert states(net)["udp"] == "the tunnel has no route to its far end"
        net["pe1"].ip("route add %s via %s dev core onlink" % (router(3, CORE), link(1, CORE)[1]))
        carries(net, "udp")
    print("%d sent, %d lost" % (flood.sent, flood.lost()))
    assert flood.lost() <= 5


def test_missing_transport_holds_the_route_back(net):
    """A policy whose kinds are not there: the route is not in forwarding, and says why; the other VRF policies go on."""
    set_order(net, "ldp")
    try:
        wait_for("the route is held back",
                 lambda: site(3, 4, 0) + "/24" not in net.pe[1].sh("show forwarding vrf RED"), 10)
        said = net.pe[1].sh("explain vrf RED prefix 10.3.0.0/24")
        assert "no path of a kind that the transport policy names" in said, said
        assert set(states(net).values()) == {"not named by the policy"}
        text = net["ce1"].run("ping", "-n", "-c", "1", "-W", "3", site(3, 4), check=False)
        assert "Unreachable" in text, text
    finally:
        set_order(net, "static", "udp", "gre")
    net.reach(1, 3, 4)


def test_by_peer(net):
    """For one PE another order than for the others."""
    set_order(net, "static", "udp", extra="  peer %s transport gre\n" % router(3, CORE))
    with Flood(net):
        carries(net, "gre")
    assert states(net) == {"static": "not named by the policy", "udp": "not named by the policy", "gre": "carries"}
    set_order(net, "static", "udp", extra="  peer 192.0.2.77 transport gre\n")
    with Flood(net):
        carries(net, "static")


def flows(net, n=32):
    """{outermost label: packets} of @n flows from ce1."""
    with net["p"].tcpdump("pe1", "ether src %s and mpls" % mac(net, 1), count=n) as capture:
        net["ce1"].run("python3", "-c", "import socket\nfor port in range(30000, %d):\n"
                       "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    s.bind(('', port))\n"
                       "    s.sendto(b'x', ('%s', 9))\n" % (30000 + n, site(3, 4)))
        wait_for("%d packets" % n, lambda: len(capture.frames()) >= n, 20)
        return collections.Counter(re.search(r"label (\d+)", f).group(1) for f in capture.frames())


def test_load_sharing_and_its_limit(net):
    """Two paths of one kind share the flows; with maximum-paths 1 one of them carries all."""
    net.pe[1].configure("mpls\n%s!" % lsp(3))
    set_order(net, "static")
    # the same neighbour under another name: a second path of the same FEC
    net["p"].ip("addr add 198.51.100.253/32 dev pe1")
    net.pe[1].configure("mpls\n static lsp %s/32\n  path 198.51.100.253 interface core\n  path 198.51.100.253 out-label %d\n !\n!"
                        % (router(3, CORE), TO[3][1]))
    try:
        wait_for("both are there", lambda: len([r for r in net.pe[1].json("show mpls lsp") if r["state"] == "up"]) == 2, 10)
        wait_for("both carry", lambda: set(flows(net)) == {"1003", "1013"}, 20)
        set_order(net, "static", extra="  maximum-paths 1\n")
        wait_for("one carries", lambda: len(flows(net)) == 1, 20)
    finally:
        net.pe[1].configure("mpls\n static lsp %s/32\n  no path 198.51.100.253\n !\n!" % router(3, CORE))
        set_order(net, "static", "udp", "gre")
