# SPDX-License-Identifier: GPL-2.0
"""RT-Constrain (RFC 4684): with GoBGP as a client of our reflector; FRR and BIRD do not have it."""
import pytest

from mesh import BIRD, FRR, GOBGP, NAMES, PE1, PE3, RR, loopback, route_of
from topology import wait_for

EXTRA = ("65000:75", "20.77.0.0/16")    # of GoBGP, 65000:77
BLUE1, BLUE3 = ("65000:21", "10.1.0.0/16"), ("65000:23", "10.3.0.0/16")


def has(mesh, n, route):
    """Does this router of ours have the route from a neighbor?"""
    return any(r[:2] == route and r[4][0].isdigit() for r in mesh.rows(n))


def blue_imports(mesh, n, target, wanted):
    mesh.router(n).configure("vrf BLUE\n address-family ipv4 unicast\n  %simport route-target %s\n !\n!" % ("" if wanted else "no ", target))


@pytest.fixture()
def extra(mesh):
    """A route of GoBGP that no VRF imports."""
    gobgp = mesh.client(GOBGP)
    route = ("-a", "vpnv4", EXTRA[1], "label", "1177", "rd", EXTRA[0], "rt", "65000:77", "nexthop", loopback(GOBGP))
    gobgp.cli("global", "rib", "add", *route)
    yield gobgp
    gobgp.cli("global", "rib", "del", *route)


@pytest.mark.interop("BGP: RT-Constrain, client of our reflector", peers=("GoBGP",))
def test_client_hears_of_its_targets(mesh):
    mesh.client(GOBGP)
    # memberships of our PEs that it has reflected before it does not withdraw when the best one is from our reflector
    times = mesh.items(RR, loopback(GOBGP))["established"]
    mesh.router(RR).sh("clear bgp %s" % loopback(GOBGP))
    wait_for("a new session", lambda: mesh.items(RR, loopback(GOBGP))["established"] != times, 40)
    gobgp = mesh.client(GOBGP)
    assert mesh.items(RR, loopback(GOBGP))["ipv4 rt-filter"].startswith("negotiated")
    wait_for("RED comes", lambda: route_of(mesh, GOBGP, 4, "65000:11", "10.1.0.0/16"), 30)
    wait_for("BLUE is at our reflector", lambda: has(mesh, RR, BLUE1) and has(mesh, RR, BLUE3), 30)
    assert not route_of(mesh, GOBGP, 4, *BLUE1) and not route_of(mesh, GOBGP, 4, *BLUE3)
    # one target more, and less again, in the session that runs
    gobgp.cli("vrf", "add", "blue", "rd", "65000:25", "rt", "both", "65000:2")
    wait_for("BLUE comes", lambda: route_of(mesh, GOBGP, 4, *BLUE1) and route_of(mesh, GOBGP, 4, *BLUE3), 30)
    gobgp.cli("vrf", "del", "blue")
    wait_for("BLUE goes", lambda: not route_of(mesh, GOBGP, 4, *BLUE1) and not route_of(mesh, GOBGP, 4, *BLUE3), 30)
    assert route_of(mesh, GOBGP, 4, "65000:11", "10.1.0.0/16"), "RED stays"


@pytest.mark.interop("BGP: RT-Constrain, client of our reflector", peers=("GoBGP",))
def test_client_tells_what_is_wanted(mesh, extra):
    """GoBGP's route of a target goes to the PE that imports it, from when it does and until it does not."""
    assert not has(mesh, PE1, EXTRA) and not has(mesh, PE3, EXTRA)
    blue_imports(mesh, PE1, "65000:77", True)
    wait_for("it comes to PE1", lambda: has(mesh, PE1, EXTRA), 30)
    assert EXTRA[1] in mesh.router(PE1).sh("show bgp vrf BLUE ipv4")
    assert not has(mesh, PE3, EXTRA), "PE3 does not import it"
    blue_imports(mesh, PE1, "65000:77", False)
    wait_for("it goes from PE1", lambda: not has(mesh, PE1, EXTRA), 30)


@pytest.mark.interop("BGP: RT-Constrain, client of our reflector", lacks="does not have it")
@pytest.mark.parametrize("n", (FRR, BIRD), ids=(NAMES[FRR], NAMES[BIRD]))
def test_peers_without(mesh, n):
    """It is offered and not taken; they are told everything."""
    mesh.client(n)
    assert mesh.items(RR, loopback(n))["ipv4 rt-filter"].startswith("not negotiated")
    wait_for("BLUE, which it imports nowhere", lambda: route_of(mesh, n, 4, *BLUE1), 30)
