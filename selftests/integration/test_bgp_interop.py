# SPDX-License-Identifier: GPL-2.0
"""VPN routes, several paths and labelled unicast with FRR, BIRD and GoBGP: as clients of our reflector, and as reflectors of
our PEs. The network is that of lib/mesh.py."""
import pytest

from mesh import (BIRD, FRR, GOBGP, LABELED, NAMES, OTHERS, PE1, PE3, ROUTES, RR, SHARED, SHARED_RD, loopback, loopback6,
                  route_of, routes_of, site)
from topology import labels, wait_for

CLUSTER = {RR: "9.9.9.9", FRR: "2.2.2.2", BIRD: "4.4.4.4", GOBGP: "5.5.5.5"}
OWN = {4: {FRR: ("65000:12", "10.2.0.0/16"), BIRD: ROUTES[BIRD][0:2], GOBGP: ROUTES[GOBGP][0:2]},
       6: {FRR: ("65000:12", "2001:db8:2::/48"), BIRD: ROUTES[BIRD][0:3:2], GOBGP: ROUTES[GOBGP][0:3:2]}}
NAME = dict(argvalues=OTHERS, ids=[NAMES[n] for n in OTHERS])


def ours(v, n=PE1):
    return ("65000:1%d" % n, "10.%d.0.0/16" % n if v == 4 else "2001:db8:%d::/48" % n)


def own_label(mesh, n, v, rd, prefix):
    """What router n of ours gave its own route."""
    return {(r[0], r[1]): r[3] for r in mesh.rows(n, "vpnv%d unicast" % v) if r[4] in ("RED", "BLUE", "GREEN")}[rd, prefix]


def both_ways(mesh, one, other):
    """Customers of two PEs reach each other, IPv4 and IPv6."""
    for a, b in ((one, other), (other, one)):
        assert mesh["ce-red%d" % a].ping(site(b), source=site(a), deadline=20)
        assert mesh["ce-red%d" % a].ping("2001:db8:%d::1" % b, source="2001:db8:%d::1" % a, deadline=20)


@pytest.mark.interop("BGP: VPNv{v}, client of our reflector", packets=("FRR",), notes={
    "BIRD": "announces VPN and labelled routes of its own with implicit null where the session is not of the route's own link; no VRF "
            "imports them"})
@pytest.mark.parametrize("v", (4, 6))
@pytest.mark.parametrize("n", **NAME)
def test_client_of_ours(mesh, n, v):
    """Our PE's routes at the client and the client's at our PE: next hop and label as they came, ORIGINATOR_ID, CLUSTER_LIST."""
    mesh.client(n)
    address = loopback if v == 4 else loopback6
    rd, prefix = ours(v)
    there = wait_for("our route at %s" % NAMES[n], lambda: route_of(mesh, n, v, rd, prefix), 40)
    assert there["next hop"] == address(PE1)
    assert there["label"] == own_label(mesh, PE1, v, rd, prefix)
    assert there["originator"] == loopback(PE1) and there["clusters"] == [CLUSTER[RR]]
    assert there["targets"] == ["65000:1"]
    rd, prefix = OWN[v][n]
    rows = wait_for("its route at PE1", lambda: [r for r in mesh.rows(PE1, "vpnv%d unicast" % v) if r[:2] == (rd, prefix)], 40)
    label = route_of(mesh, n, v, rd, prefix)["label"]
    if n == BIRD:
        # its static label does not go out where the session is not of the route's own link
        assert rows[0][3] == 3
        assert prefix not in mesh.router(PE1).sh("show forwarding vrf RED")
    else:
        assert rows[0][3] == label
    assert rows[0][2] == "pe " + address(n) and rows[0][4] == address(RR)
    if n == FRR:
        wait_for("ping", lambda: mesh["ce-red1"].ping(site(2), source=site(1), count=1, timeout=1), 30)
        both_ways(mesh, PE1, FRR)
        both_ways(mesh, PE3, FRR)


@pytest.mark.interop("BGP: VPNv4, client of our reflector", peers=("FRR",), packets=True)
def test_labels_on_the_wire(mesh):
    """The VPN label that FRR gave is the one on the packets, below FRR's transport label; and back."""
    mesh.client(FRR)
    there = route_of(mesh, FRR, 4, *OWN[4][FRR])["label"]
    back = own_label(mesh, PE1, 4, *ours(4))
    with mesh["pe1"].tcpdump("core", "mpls") as capture:
        assert mesh["ce-red1"].ping(site(2), source=site(1), deadline=10)
        wait_for("captured", lambda: "echo reply" in capture.text(), 10)
    assert [labels(f) for f in capture.frames() if "echo request" in f][0] == [1002, there]
    assert [labels(f) for f in capture.frames() if "echo reply" in f][0] == [back]


@pytest.mark.interop("BGP: VPNv4 and VPNv6, reflector of our PEs", packets=True)
@pytest.mark.parametrize("n", **NAME)
def test_reflector_of_ours(mesh, n):
    """It reflects between our PEs: their tables have each other's routes as they were, packets go by the labels of those."""
    mesh.use(n)
    for v, address in ((4, loopback), (6, loopback6)):
        for here, far in ((PE1, PE3), (PE3, PE1)):
            rd, prefix = ours(v, far)
            rows = wait_for("the other PE's route", lambda here=here, rd=rd, prefix=prefix, v=v: [
                r for r in mesh.rows(here, "vpnv%d unicast" % v) if r[:2] == (rd, prefix)], 40)
            assert rows[0][2] == "pe " + address(far) and rows[0][4] == address(n)
            assert rows[0][3] == own_label(mesh, far, v, rd, prefix)
    wait_for("ping", lambda: mesh["ce-red1"].ping(site(3), source=site(1), count=1, timeout=1), 30)
    both_ways(mesh, PE1, PE3)


@pytest.mark.interop("BGP: several paths (add-path), it sends")
@pytest.mark.parametrize("n", **NAME)
def test_several_paths_from_it(mesh, n):
    """RFC 7911: GREEN's two paths of one RD, of both PEs, come from the peer to our reflector, which is no client of it."""
    mesh.client(n)
    assert "additional paths received" in mesh.items(RR, loopback(n))["vpnv4 unicast"]
    if n == BIRD:
        # it has two of its own
        rd, prefix = ROUTES[BIRD][0:2]
        wait_for("both paths", lambda: [r[:3] for r in mesh.rows(RR) if r[4] == loopback(n)] == [
            (rd, prefix, "pe " + loopback(n))] * 2, 30)
    else:
        mesh.use(n)
        wait_for("both paths", lambda: sorted(
            r[2] for r in mesh.rows(RR) if r[:2] == (SHARED_RD, SHARED) and r[4] == loopback(n)) == [
                "pe " + loopback(PE1), "pe " + loopback(PE3)], 30)


@pytest.mark.interop("BGP: several paths (add-path), we send")
@pytest.mark.parametrize("n", **NAME)
def test_several_paths_to_it(mesh, n):
    """... and from our reflector to the peer; when one goes, that one is withdrawn."""
    mesh.client(n)
    if n == GOBGP:
        mesh.router(n).cli("vrf", "add", "green", "rd", "65000:35", "rt", "both", "65000:3")

    def paths():
        return sorted(r["next hop"] for r in routes_of(mesh, n, 4, SHARED_RD, SHARED))
    wait_for("both paths", lambda: paths() == [loopback(PE1), loopback(PE3)], 30)
    mesh.router(PE3).configure("router static\n vrf GREEN\n  no route %s\n !\n!" % SHARED)
    wait_for("one path", lambda: paths() == [loopback(PE1)], 30)
    mesh.router(PE3).configure("router static\n vrf GREEN\n  route %s\n   discard\n  !\n !\n!" % SHARED)
    wait_for("both again", lambda: paths() == [loopback(PE1), loopback(PE3)], 30)
    if n == GOBGP:
        mesh.router(n).cli("vrf", "del", "green")


@pytest.mark.interop("labelled unicast: client of our reflector")
@pytest.mark.parametrize("n", **NAME)
def test_labelled_unicast(mesh, n):
    """Reflected between the three with next hop and label as they came (forwarding: test_lu.py)."""
    other = BIRD if n == GOBGP else GOBGP
    mesh.client(other)
    mesh.client(n)
    rows = wait_for("its route", lambda: [r for r in mesh.rows(RR, "ipv6 labeled-unicast") if r[1] == LABELED[n]], 30)
    assert rows[0][2] == "router " + loopback6(n) and rows[0][4] == loopback6(n)
    there = wait_for("at another client", lambda: route_of(mesh, other, "lu", "", LABELED[n]), 30)
    assert there["next hop"] == loopback6(n) and there["label"] == rows[0][3]
    assert there["originator"] == loopback(n) and there["clusters"] == [CLUSTER[RR]]
    here = wait_for("another's at it", lambda: route_of(mesh, n, "lu", "", LABELED[other]), 30)
    assert here["next hop"] == loopback6(other)
