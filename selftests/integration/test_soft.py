# SPDX-License-Identifier: GPL-2.0
"""L3VPN through a core that knows no labels: MPLS over UDP (RFC 7510) and over GRE (RFC 4023), IPv4 and IPv6.

The network is that of lib/softcore.py: stock Linux with FRR at site 2, our own PE at site 3, plain IP in between.
"""
import re

import pytest

from softcore import OVERHEAD, SoftCore, link, router, site
from topology import wait_for

KINDS = [(encap, core) for encap in ("udp", "gre") for core in (4, 6)]


@pytest.fixture(scope="module", params=KINDS, ids=lambda k: "%s%d" % k)
def net(request):
    encap, core = request.param
    with SoftCore() as topology:
        topology.build(encap, core).start()
        print("PE 2 by", topology.stock_by)
        yield topology


def customers(net, far):
    """IP versions of customers that the PE at site @far can serve: stock Linux only those of the core's."""
    return (4, 6) if far != 2 else (net.core,)


@pytest.mark.parametrize("far", (2, 3))
def test_sites_reach_each_other(net, far):
    for version in customers(net, far):
        net.reach(1, far, version)
        net.reach(far, 1, version)
    rows = [r for r in net.pe[1].json("show mpls transport") if r["pe"] == router(far, net.core)]
    assert [(r["kind"], r["state"]) for r in rows] == [(net.encap, "carries")]
    assert router(1, net.core) in rows[0]["path"] and link(1, net.core)[1] in rows[0]["path"]


def outer(frame):
    """(what carries the labels, UDP source port or None) of a frame, as tcpdump says it."""
    if re.search(r"\.6635: ", frame):
        return "udp", int(re.search(r"\.(\d+) > \S+\.6635: ", frame).group(1))
    return ("gre", None) if "GREv0" in frame else (None, None)


def test_on_the_wire(net):
    """What p sees: the PEs' addresses, one VPN label; each flow has a source port of its own in UDP."""
    net.reach(1, 3, net.core)
    near, far = router(1, net.core), router(3, net.core)
    sent = re.compile(r"%s(\.\d+)? > %s" % (re.escape(near), re.escape(far)))
    with net["p"].tcpdump("pe1", "src host %s and dst host %s and not port 179" % (near, far)) as capture:
        for port in range(20000, 20016):
            net["ce1"].run("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET%s, socket.SOCK_DGRAM)\n"
                           "s.bind(('', %d))\ns.sendto(b'x' * 10, ('%s', 9))"
                           % ("6" if net.core == 6 else "", port, site(3, net.core)))
        wait_for("sixteen datagrams", lambda: len([f for f in capture.frames() if sent.search(f)]) >= 16, 10)
        frames = [f for f in capture.frames() if sent.search(f)]
    assert {outer(f)[0] for f in frames} == {net.encap}, frames[0]
    if net.encap == "udp":
        ports = {outer(f)[1] for f in frames}
        assert len(ports) > 8 and min(ports) >= 49152, ports
    else:
        assert "MPLS" in frames[0], frames[0]


def traceroute(node, address):
    text = node.run("traceroute", "-n", "-q", "1", "-w", "3", "-m", "8", address)
    print(text)
    return [line.split()[1] for line in text.splitlines()[1:]]


@pytest.mark.parametrize("far", (2, 3))
def test_traceroute(net, far):
    """The tunnel is one hop: the PEs and the far host answer."""
    for version in customers(net, far):
        net.reach(1, far, version)
        hops = traceroute(net["ce1"], site(far, version))
        assert len(hops) == 3 and hops[0] == site(1, version, 1) and hops[2] == site(far, version), hops
        if far == 3:
            assert hops[1] == site(3, version, 1), hops
        back = traceroute(net["ce%d" % far], site(1, version))
        assert back[-2:] == [site(1, version, 1), site(1, version)], back


def passes(net, version, far, octets):
    return net["ce1"].ok("ping", "-n", "-q", "-c", "1", "-W", "3", "-M", "do", "-s",
                         str(octets - (28 if version == 4 else 48)), site(far, version))


@pytest.mark.parametrize("far", (2, 3))
@pytest.mark.parametrize("narrow", (False, True), ids=("first link", "behind p"))
def test_path_mtu(net, far, narrow):
    """The sender learns what is left under the tunnel's headers and the VPN label, also where the core is narrower."""
    mtu = 1500
    name = "pe%d" % far
    if narrow:
        mtu = 1400
        net["p"].ip("link set %s mtu %d" % (name, mtu))
        net[name].ip("link set core mtu %d" % mtu)
    room = mtu - OVERHEAD[net.encap, net.core] - 4
    try:
        for version in customers(net, far):
            net.reach(1, far, version)
            net.forget()

            def told(version=version):
                assert not passes(net, version, far, room + 1), "one octet too many passes"
                return "mtu %d" % room in net["ce1"].run("ip", "route", "get", site(far, version))
            wait_for("the sender knows the path MTU %d" % room, told, 15)
            wait_for("the largest packet passes", lambda v=version: passes(net, v, far, room), 10)
            net.forget()
            text = net["ce1"].run("tracepath", "-n", "-m", "8", site(far, version))
            assert "Resume: pmtu %d" % room in text, text
    finally:
        if narrow:
            net["p"].ip("link set %s mtu 1500" % name)
            net[name].ip("link set core mtu 1500")
            net.forget()
