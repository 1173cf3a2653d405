# SPDX-License-Identifier: GPL-2.0
"""What a customer's traceroute, tracepath and ping see of the way through the provider.

    cea 10.1.0.2 ---- pe1 ---- p1 ---- p2 ---- pe2 ---- ceb 10.2.0.2
        2001:db8:1::2    link 1   link 2   link 3           2001:db8:2::2

Four routers of ours, programmed over netlink. Towards either PE the first P router swaps the transport label and
the second one is the penultimate hop and pops it. Core link N has 198.51.100.(4 N + 1) on the left and (4 N + 2) on
the right, fd00:c:N::1 and ::2. The same network with stock Linux as p1 shows what our P router is compared to.
"""
import re

import pytest

import uapi
from l3vpn_nl import L3vpn, get, label_record, prefix4, prefix6, u32
from topology import Topology, run, wait_for

RED = 1
CHAIN = ("pe1", "p1", "p2", "pe2")
POP_VRF, POP_NH, SWAP, PHP = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_POP_NH, uapi.LABEL_ACTION_SWAP, 3
TO_PE1, TO_PE2 = {"pe2": 2001, "p2": 1001}, {"pe1": 1002, "p1": 2002}   # who sends which transport label


def core4(link, side):
    return "198.51.100.%d" % (4 * link + side)


def core6(link, side):
    return "fd00:c:%d::%d" % (link, side)


class Path(Topology):
    """The network of the drawing. @stock: p1 is stock Linux. @per_ce: VPN labels lead to the CE without a look-up."""

    def build(self, stock=False, per_ce=False):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "veth"], check=False)
        self.add("cea", "ceb", *CHAIN)
        self.link("cea:pe", "pe1:ce", "pe1:right", "p1:left", "p1:right", "p2:left", "p2:right", "pe2:left",
                  "pe2:ce", "ceb:pe")
        for ce, pe, site in (("cea", "pe1", 1), ("ceb", "pe2", 2)):
            self[ce].sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                            "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
            self[ce].ip("addr add 10.%d.0.2/24 dev pe" % site, "addr add 2001:db8:%d::2/64 dev pe nodad" % site,
                        "route add default via 10.%d.0.1" % site, "route add default via 2001:db8:%d::1" % site)
        for link, (left, right) in enumerate(zip(CHAIN, CHAIN[1:]), 1):
            for node, dev, side in ((left, "right", 1), (right, "left", 2)):
                self[node].ip("addr add %s/30 dev %s" % (core4(link, side), dev),
                              "addr add %s/64 dev %s nodad" % (core6(link, side), dev))
        self.nl = {}
        self._pe("pe1", "right", core4(1, 2), TO_PE2["pe1"], 1, 2, per_ce)
        self._pe("pe2", "left", core4(3, 1), TO_PE1["pe2"], 2, 1, per_ce)
        if stock:
            self._stock_p1()
        else:
            self._p("p1", 1, TO_PE2["pe1"], TO_PE2["p1"], TO_PE1["p2"], PHP)
        self._p("p2", 2, TO_PE2["p1"], PHP, TO_PE1["pe2"], TO_PE1["p2"])
        wait_for("a way through", lambda: self["cea"].ping("10.2.0.2") and self["cea"].ping("2001:db8:2::2"), 20)
        return self

    def _pe(self, name, core, p, transport, site, remote, per_ce):
        node = self[name]
        nl = self.nl[name] = node.inside(L3vpn)

        def program():
            nl.vrf_new("RED", id=RED)
            table = get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_TABLE])
            node.ip("link set RED up", "route add default dev RED table %d" % table,
                    "route add ::/0 dev RED table %d" % table)
            nl.port_new("ce", RED)
            nl.port_new(core)
            node.ip("addr replace 10.%d.0.1/24 dev ce" % site, "addr replace 2001:db8:%d::1/64 dev ce nodad" % site)
            nl.nh_adjacency(1, core, p)
            nl.nh_labelled(2, 1, [transport])
            nl.nh_adjacency(3, "ce", "10.%d.0.2" % site)
            nl.route_add(RED, [prefix4("10.%d.0.0/16" % remote, 2, 300 + remote)],
                         [prefix6("2001:db8:%d::/48" % remote, 2, 300 + remote)])
            nl.label_add([label_record(300 + site, POP_NH, vrf=RED, nh=3) if per_ce else
                          label_record(300 + site, POP_VRF, vrf=RED)])
        node.inside(program)

    def _p(self, name, link, right_in, right_out, left_in, left_out):
        node = self[name]
        nl = self.nl[name] = node.inside(L3vpn)

        def program():
            nl.port_new("left")
            nl.port_new("right")
            nl.nh_adjacency(1, "left", core4(link, 1))
            nl.nh_adjacency(2, "right", core4(link + 1, 2))
            nl.label_add([label_record(right_in, SWAP, nh=2, out_label=right_out),
                          label_record(left_in, SWAP, nh=1, out_label=left_out)])
        node.inside(program)

    def _stock_p1(self):
        p1 = self["p1"]
        p1.sysctl("net.mpls.platform_labels=3000", "net.mpls.conf.left.input=1", "net.mpls.conf.right.input=1",
                  "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        p1.run("ip", "-f", "mpls", "route", "add", str(TO_PE2["pe1"]), "as", str(TO_PE2["p1"]), "via", "inet",
               core4(2, 2), "dev", "right")
        p1.run("ip", "-f", "mpls", "route", "add", str(TO_PE1["p2"]), "via", "inet", core4(1, 1), "dev", "left")

    def mtu(self, link, value):
        """Of both ends of core link @link; 4: of the link to ceb, 0: to cea."""
        ends = {0: ("cea:pe", "pe1:ce"), 4: ("pe2:ce", "ceb:pe")}.get(
            link) or ("%s:right" % CHAIN[link - 1], "%s:left" % CHAIN[link])
        for end in ends:
            node, dev = end.split(":")
            self[node].ip("link set %s mtu %d" % (dev, value))

    def forget(self):
        """The CEs forget the path MTUs that they learnt."""
        for ce in ("cea", "ceb"):
            self[ce].run("ip", "route", "flush", "cache")
            self[ce].run("ip", "-6", "route", "flush", "cache")


@pytest.fixture(scope="module")
def path():
    with Path() as topology:
        yield topology.build()


def far(version):
    return "10.2.0.2" if version == 4 else "2001:db8:2::2"


def hops_of(version, first="pe1"):
    """Who answers on the way from cea to ceb: by the port that the probe came in by."""
    core = core4 if version == 4 else core6
    site = "10.%d.0.1" if version == 4 else "2001:db8:%d::1"
    hops = [site % 1, core(1, 2), core(2, 2), site % 2, far(version)]
    return hops if first == "pe1" else hops[1:]


def traceroute(node, address, *options):
    """[(who answered or '*', labels in the answer)] for each hop."""
    text = node.run("traceroute", "-n", "-e", "-q", "1", "-w", "3", "-m", "8", *options, address)
    print(text)
    found = []
    for line in text.splitlines()[1:]:
        who = line.split()[1]
        found.append((who, [int(label) for label in re.findall(r"L=(\d+)", line)]))
    return found


PROBES = {"udp": (), "icmp": ("-I",), "tcp": ("-T", "-p", "179")}


@pytest.mark.parametrize("version", (4, 6))
@pytest.mark.parametrize("probe", ("udp", "icmp", "tcp"))
def test_every_hop_answers(path, version, probe):
    found = traceroute(path["cea"], far(version), *PROBES[probe])
    assert [who for who, _ in found] == hops_of(version)
    assert [labels for _, labels in found] == [[], [1002, 302], [2002, 302], [302], []]


@pytest.mark.parametrize("version", (4, 6))
def test_every_hop_answers_a_socket_of_the_vrf(path, version):
    found = traceroute(path["pe1"], far(version), "-i", "RED")
    assert [who for who, _ in found] == hops_of(version, "p1")


@pytest.mark.parametrize("version", (4, 6))
def test_mtr(path, version):
    text = path["cea"].run("mtr", "-n", "-r", "-c", "1", far(version))
    assert re.findall(r"\|-- (\S+)", text) == hops_of(version)


def passes(path, version, octets, *options):
    return path["cea"].ok("ping", "-n", "-q", "-c", "1", "-W", "3", "-M", "do", "-s",
                          str(octets - (28 if version == 4 else 48)), *options, far(version))


# where a link is narrow, its MTU there, and what is left of it under the labels
NARROW = {"nowhere": (2, 1500, 1492), "link 1": (1, 1400, 1392), "link 2": (2, 1400, 1392), "link 3": (3, 1390, 1386),
          "the far CE's link": (4, 1370, 1370), "IPv6's least": (2, 1288, 1280)}


@pytest.mark.parametrize("version", (4, 6))
@pytest.mark.parametrize("where", NARROW)
def test_path_mtu(path, where, version):
    link, mtu, room = NARROW[where]
    path.mtu(link, mtu)
    path.forget()
    try:
        def told():
            assert not passes(path, version, room + 1), "one octet too many passes"
            return "mtu %d" % room in path["cea"].run("ip", "route", "get", far(version))
        wait_for("the sender knows the path MTU", told, 10)

        # one more try for the answer, which may meet less room on its own way and is cut then by ceb
        assert passes(path, version, room) or passes(path, version, room), "the largest packet does not pass"
        path.forget()
        text = path["cea"].run("tracepath", "-n", "-m", "8", far(version))
        print(text)
        assert "Resume: pmtu %d" % room in text, text
        # each hop answers, and none says "no reply"
        found = [m[1] for m in re.finditer(r"(?m)^ *\d+: +(\S+) +[\d.]+ms", text)]
        assert "no reply" not in text and [h for i, h in enumerate(found) if h not in found[:i]] == hops_of(version), text
    finally:
        path.mtu(link, 1500)
        path.forget()


def reassembled(node):
    with_names = [line.split() for line in node.run("cat", "/proc/net/snmp").splitlines() if line.startswith("Ip:")]
    return int(dict(zip(*with_names))["ReasmOKs"])


@pytest.mark.parametrize("where", NARROW)
def test_without_df_arrives(path, where):
    link, mtu, _room = NARROW[where]
    path.mtu(link, mtu)
    path.forget()
    try:
        for size in (1472, 4000):
            before = {ce: reassembled(path[ce]) for ce in ("cea", "ceb")}
            text = path["cea"].run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "3", "-M", "dont", "-s", str(size),
                                   "-p", "a55a3c", far(4))
            assert "2 received" in text and "wrong data" not in text, text
            for ce, count in before.items():
                assert reassembled(path[ce]) - count == 2, ce
    finally:
        path.mtu(link, 1500)


@pytest.mark.parametrize("version", (4, 6))
def test_unreachable_behind_the_provider(path, version):
    """The far PE has no route, or no port any more: the sender is told, through the core."""
    nowhere = "10.2.99.1" if version == 4 else "2001:db8:2:99::1"
    text = path["cea"].run("ping", "-n", "-c", "1", "-W", "3", nowhere, check=False)
    pe2 = hops_of(version)[3]
    assert re.search(r"From %s.*(Net Unreachable|No route)" % pe2, text), text
    path["ceb"].ip("link set pe down")
    try:
        wait_for("carrier is gone", lambda: "LOWER_UP" not in path["pe2"].run("ip", "link", "show", "ce"), 10)
        text = path["cea"].run("ping", "-n", "-c", "1", "-W", "3", far(version), check=False)
        assert re.search(r"From %s.*(Host Unreachable|Address unreachable)" % pe2, text), text
    finally:
        site, family = "2001:db8:2", "2001:db8:2::1"
        path["ceb"].ip("link set pe up", "addr replace %s::2/64 dev pe nodad" % site, "route replace default via 10.2.0.1",
                       "route replace default via %s" % family)
        wait_for("the way is there again", lambda: path["cea"].ping(far(4)) and path["cea"].ping(far(6)), 20)


def test_per_ce_labels():
    """Errors of P routers go to the CE that the label leads to, and come back from there."""
    with Path(prefix="ce-") as topology:
        topology.build(per_ce=True)
        for version in (4, 6):
            found = traceroute(topology["cea"], far(version))
            assert [who for who, _ in found] == hops_of(version)
            topology.mtu(2, 1400)
            topology.forget()
            assert not passes(topology, version, 1393)
            assert passes(topology, version, 1392)
            topology.mtu(2, 1500)


def test_stock_linux_as_p():
    """What p1 is compared to: stock Linux is silent about expired and oversized labelled packets."""
    with Path(prefix="stock-") as topology:
        topology.build(stock=True)
        for version in (4, 6):
            found = traceroute(topology["cea"], far(version), "-w", "1")
            silent = [who for who, _ in found]
            assert silent[0] == hops_of(version)[0] and silent[2:] == hops_of(version)[2:], silent
            print("hop 2, stock Linux, IPv%d: %s" % (version, silent[1]))
            topology.mtu(2, 1400)
            topology.forget()
            passed = passes(topology, version, 1393)
            told = "mtu 1392" in topology["cea"].run("ip", "route", "get", far(version))
            print("one octet too many, stock Linux, IPv%d: passed %s, told %s" % (version, passed, told))
            assert not passed
            topology.mtu(2, 1500)
