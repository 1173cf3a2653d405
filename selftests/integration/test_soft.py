# SPDX-License-Identifier: GPL-2.0
"""L3VPN through a core that knows no labels: MPLS over UDP (RFC 7510) and over GRE (RFC 4023), IPv4 and IPv6.

The network is that of lib/softcore.py: stock Linux with FRR at site 2, our own PE at site 3, plain IP in between.
"""
import collections
import re
import socket
import struct

import pytest
from scapy.all import GRE, IP, UDP, Ether, IPv6, Raw

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
    return net["ce1"].ok("ping", "-n", "-q", "-c", "1", "-W", "1", "-M", "do", "-s",
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


def tunnelled(net, source, label, mark):
    """What a PE would send to PE 1, from @source: an IPv4 packet for site 1 under @label."""
    outer = (IP if net.core == 4 else IPv6)(src=source, dst=router(1, net.core))
    outer /= UDP(sport=50000, dport=6635) if net.encap == "udp" else GRE(proto=0x8847)
    return outer / Raw(labelled(label, mark))


def labelled(label, mark):
    inner = IP(src=site(3, 4), dst=site(1, 4)) / UDP(sport=7, dport=4242) / Raw(mark.encode())
    return struct.pack("!I", label << 12 | 0x100 | 64) + bytes(inner)


def send(net, node, dev, to, payload, **fields):
    """A frame out of @dev of @node to PE 1's interface @to."""
    mac = re.search(r"link/ether (\S+)", net["pe1"].run("ip", "link", "show", to)).group(1)
    sock = net[node].inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
    with sock:
        sock.bind((dev, 0))
        sock.send(bytes(Ether(dst=mac, **fields) / payload))


def vpn_label(net):
    label, = [r["label"] for r in net.pe[1].json("show labels") if "RED" in r["for"]]
    return int(label)


def counters(net):
    row, = net.pe[1].json("show mpls endpoints")
    return int(row["rx-packets"]), int(row["drops"])


def drops(net):
    return collections.Counter({r["reason"]: int(r["packets"]) for r in net.pe[1].json("show drops")})


def test_who_is_taken_in(net):
    """A tunnelled packet reaches a site only from a source within `destination`, by the core, and with a label of a VPN."""
    label, listed, before = vpn_label(net), router(77, net.core), drops(net)
    stranger = "203.0.113.5" if net.core == 4 else "2001:db8:bad::5"
    with net["ce1"].tcpdump("pe", "-A", "udp port 4242") as capture:
        taken, dropped = counters(net)
        send(net, "p", "pe1", "core", tunnelled(net, stranger, label, "unlisted"))
        wait_for("the stranger's packet is dropped", lambda: counters(net)[1] > dropped, 10)
        send(net, "ce1", "pe", "red", tunnelled(net, listed, label, "customer"))
        send(net, "p", "pe1", "core", tunnelled(net, listed, 17, "unknown"))
        send(net, "p", "pe1", "core", tunnelled(net, listed, label, "listed"))
        wait_for("the listed one arrives", lambda: "listed" in capture.text().replace("unlisted", ""), 10)
        text = capture.text()
    assert not re.search("unlisted|customer|unknown", text), text
    # the one with the unknown label was opened too; the customer's was not
    assert counters(net)[0] - taken == 2
    more = drops(net) - before
    assert more["tunnel-source"] == 1 and more["label-unknown"] == 1, more


def test_no_native_labels(net):
    """An interface with `core` alone takes in no labelled frame."""
    before = drops(net)["label-scope"]
    send(net, "p", "pe1", "core", Raw(labelled(vpn_label(net), "native")), type=0x8847)
    wait_for("it is dropped", lambda: drops(net)["label-scope"] == before + 1, 10)
