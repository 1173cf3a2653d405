# SPDX-License-Identifier: GPL-2.0
"""Beside FRR 8.4 as PE and GoBGP as reflector, VPNv4 and VPNv6: tables, forwarding, labels on the wire."""
import itertools
import json
import re

import pytest

from provider import AS, CUSTOMERS, PES, loopback, loopback6, site4, site6
from topology import labels, wait_for

pytestmark = [pytest.mark.interop("BGP: VPNv4 and VPNv6, PE beside ours", peers=("FRR",), packets=True),
              pytest.mark.interop("BGP: VPNv4 and VPNv6, reflector of our PEs", peers=("GoBGP",), packets=True),
              pytest.mark.interop("BGP with CEs: eBGP, IPv4 and IPv6", peers=("BIRD",), packets=True),
              pytest.mark.interop("transport: P that pops the label", peers=("Linux",), tables=False, packets=True)]

OURS = (1, 3)


def rib_lines(net, family):
    """{(rd, prefix): (label, next hop)} at the reflector."""
    found = {}
    for line in net.rr.cli("global", "rib", "-a", family).splitlines():
        match = re.match(r"\*>?\s+(\d+:\d+):(\S+)\s+\[(\d+)\]\s+(\S+)", line)
        if match:
            found[match.group(1), match.group(2)] = (int(match.group(3)), match.group(4))
    return found


@pytest.mark.parametrize("n", OURS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_our_routes_at_the_reflector(net, n, customer):
    rd = "%d:%d%d" % (AS, CUSTOMERS[customer], n)
    v4, v6 = rib_lines(net, "vpnv4"), rib_lines(net, "vpnv6")
    label, next_hop = v4[rd, "10.%d.0.0/16" % n]
    assert label >= 16 and next_hop == loopback(n)
    label, next_hop = v6[rd, "2001:db8:%d::/48" % n]
    assert label >= 16 and next_hop == loopback6(n)
    assert (rd, "10.255.%d.0/30" % n) in v4, "connected is redistributed"


def test_route_targets_at_the_reflector(net):
    for family in ("vpnv4", "vpnv6"):
        for line in net.rr.cli("global", "rib", "-a", family).splitlines():
            match = re.match(r"\*>?\s+%d:(\d)\d:" % AS, line)
            if match:
                assert "Extcomms: [%d:%s]" % (AS, match.group(1)) in line


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_our_routes_in_frr(net, customer):
    vrf = customer.upper()
    for n in OURS:
        v4 = wait_for("FRR has site %d" % n, lambda n=n: json.loads(
            net.frr.vtysh("show ip route vrf %s 10.%d.0.0/16 json" % (vrf, n))).get("10.%d.0.0/16" % n), 20)
        assert v4[0]["protocol"] == "bgp" and v4[0]["installed"]
        hop = [h for h in v4[0]["nexthops"] if h.get("fib")][0]
        label = rib_lines(net, "vpnv4")["%d:%d%d" % (AS, CUSTOMERS[customer], n), "10.%d.0.0/16" % n][0]
        assert hop["labels"] == [1000 + n, label]
        v6 = json.loads(net.frr.vtysh("show ipv6 route vrf %s 2001:db8:%d::/48 json" % (vrf, n)))["2001:db8:%d::/48" % n]
        assert v6[0]["protocol"] == "bgp" and v6[0]["installed"]


@pytest.mark.parametrize("n", OURS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_frr_routes_in_ours(net, n, customer):
    vrf = customer.upper()
    text = net.pe[n].sh("show bgp vrf %s ipv4" % vrf) + net.pe[n].sh("show bgp vrf %s ipv6" % vrf)
    assert "10.2.0.0/16" in text and "2001:db8:2::/48" in text


@pytest.mark.parametrize("one,other", list(itertools.permutations(PES, 2)))
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_sites_reach_each_other(net, customer, one, other):
    ce = net["ce-%s%d" % (customer, one)]
    assert ce.ping(site4(other), source=site4(one), deadline=10)
    assert ce.ping(site6(other), source=site6(one), deadline=10)


@pytest.mark.parametrize("n", OURS)
def test_pe_reaches_ce_and_remote_ce(net, n):
    pe = net["pe%d" % n]
    for address in ("10.255.%d.2" % n, "2001:db8:ff:%d::2" % n, site4(2), site6(2)):
        assert pe.ping(address, extra=("-I", "RED"), deadline=10), address


@pytest.mark.parametrize("version", (4, 6))
def test_labels_on_the_wire(net, version):
    """PE1 pushes the transport label of PE2 and the VPN label FRR gave; P pops one; and back."""
    family, prefix = ("vpnv4", "10.%d.0.0/16") if version == 4 else ("vpnv6", "2001:db8:%d::/48")
    rib = rib_lines(net, family)
    there, back = rib["%d:12" % AS, prefix % 2][0], rib["%d:11" % AS, prefix % 1][0]
    site = site4 if version == 4 else site6
    with net["pe1"].tcpdump("core", "mpls") as capture, net["p"].tcpdump("pe2", "mpls") as far:
        assert net["ce-red1"].ping(site(2), source=site(1), deadline=10)
        wait_for("captured", lambda: "echo reply" in capture.text() and "echo request" in far.text(), 10)
    requests = [f for f in capture.frames() if "echo request" in f]
    replies = [f for f in capture.frames() if "echo reply" in f]
    assert requests and replies
    assert all(labels(f) == [1002, there] for f in requests)
    assert all(labels(f) == [back] for f in replies), "P popped the transport label"
    assert all(labels(f) == [there] for f in far.frames() if "echo request" in f)


def test_explain_names_every_step(net):
    text = net.pe[1].sh("explain vrf RED prefix 10.2.0.0/16")
    for word in ("1002", loopback(2), "65000:1"):
        assert word in text, text


def test_digests_agree(net):
    for n in OURS:
        rows = json.loads(net.pe[n].sh("show forwarding summary | json"))["rows"]
        assert rows and all(row["equal"] for row in rows), rows


def test_vpn_routes_are_not_in_the_kernels_tables(net):
    for n in OURS:
        pe = net["pe%d" % n]
        text = pe.run("ip", "route", "show", "table", "all") + pe.run("ip", "-6", "route", "show", "table", "all")
        for other in PES:
            assert "10.%d.0.0/16" % other not in text and "2001:db8:%d::/48" % other not in text


def test_customers_do_not_reach_each_other(net):
    net["ce-blue2"].ip("addr add 10.2.77.77/32 dev lo")
    assert net["ce-blue1"].ping("10.2.77.77", source=site4(1), deadline=10)
    assert not net["ce-red1"].ping("10.2.77.77", source=site4(1), timeout=1)
