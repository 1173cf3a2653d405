# SPDX-License-Identifier: GPL-2.0
"""Graceful restart (RFC 4724, 4781, 8538) with FRR, BIRD and GoBGP, who reflect between our PEs: who is killed with SIGKILL,
and starts again, finds its routes and packets where they were; and what NOTIFICATIONs do. The network is that of lib/mesh.py."""
import contextlib

import pytest

from mesh import AS, BIRD, FRR, GOBGP, NAMES, OTHERS, PE1, PE3, ROUTES, loopback, loopback6, route_of, site
from test_restart import Flood, summary
from topology import wait_for

EVERY = 0.01        # seconds between packets
EXTRA = "10.77.0.0/16"
OUR_ROUTE = {4: ("65000:11", "10.1.0.0/16"), 6: ("65000:11", "2001:db8:1::/48")}
VPN = {4: ("vpnv4 unicast", loopback), 6: ("vpnv6 unicast", loopback6)}
ROW = "graceful restart: "
NOTES = {"FRR": "says that it kept forwarding state, but its VPN labels leave Linux's MPLS table when bgpd is killed, so that its own "
                "customers are cut off meanwhile",
         "GoBGP": "does not say that it kept forwarding state when its session returns after a NOTIFICATION, so that we tell and use "
                  "its routes anew"}


@pytest.fixture(scope="module", params=OTHERS, ids=[NAMES[n] for n in OTHERS])
def peer(request, mesh):
    """It reflects between our PEs."""
    n = request.param
    mesh.client(n)
    mesh.use(n)
    for ce, to, source in ((1, site(3), site(1)), (3, "2001:db8:1::1", "2001:db8:3::1")) + ((2, site(1), site(2)),) * (n == FRR):
        wait_for("packets from site %d" % ce, lambda ce=ce, to=to, source=source: mesh["ce-red%d" % ce].ping(
            to, source=source, count=1, timeout=1), 40)
    return n


@contextlib.contextmanager
def nothing_lost(mesh, *ways):
    """(site, to, from) each."""
    floods = [Flood(mesh["ce-red%d" % ce], to, source, EVERY) for ce, to, source in ways]
    with contextlib.ExitStack() as stack:
        for flood in floods:
            stack.enter_context(flood)
        yield
        for flood in floods:
            flood.last(20)
    for flood in floods:
        assert flood.sent > 50 and not flood.lost(), "%d of %d lost to %s" % (flood.lost(), flood.sent, flood.address)


def told(mesh, here, n):
    """{(rd, prefix, next hop): is it stale?} that router `here` of ours has from n."""
    return {(row["rd"], row["prefix"], row["next-hop"]): "stale" in row
            for family, address in VPN.values()
            for row in mesh.router(here).json("show bgp " + family) if row["from"] == address(n)}


def has_lost(mesh, n, *pes):
    return all(not {loopback(n), loopback6(n)} & mesh.established(pe) for pe in pes)


def extra_route(mesh, there):
    """One more of RED at PE3."""
    mesh.router(PE3).configure("router static\n vrf RED\n  %sroute %s\n%s !\n!" % (
        "" if there else "no ", EXTRA, "   next-hop 10.255.3.2\n  !\n" if there else ""))


def keeps(mesh, n):
    """Our PE1's routes are stale there, in both families."""
    if n == BIRD:
        return all("Neighbor graceful restart active" in mesh.router(n).cli("show protocols all pe1_%d" % v) for v in VPN)
    return all((route_of(mesh, n, v, *OUR_ROUTE[v]) or {}).get("stale") for v in VPN)


@pytest.mark.interop(ROW + "it is killed", packets=True, notes={"FRR": NOTES["FRR"]})
def test_it_restarts(mesh, peer):
    """Its routes are stale and used; what it tells again is not stale any more, the rest goes at its End-of-RIB."""
    extra_route(mesh, True)
    wait_for("one route more", lambda: EXTRA in mesh.router(PE1).sh("show forwarding vrf RED"), 20)
    before = {pe: told(mesh, pe, peer) for pe in (PE1, PE3)}
    assert all(len(found) >= 8 and not any(found.values()) for found in before.values())
    # GoBGP keeps its own nowhere; of another one it is a client of our reflector, which tells them again
    lost = (EXTRA, *ROUTES[GOBGP][1:3] * (peer == GOBGP))
    gone = {key for found in before.values() for key in found if key[1] in lost}
    with contextlib.ExitStack() as stack:
        stack.enter_context(nothing_lost(mesh, (1, site(3), site(1)), (3, "2001:db8:1::1", "2001:db8:3::1")))
        mesh.kill(peer)
        wait_for("it is missed", lambda: has_lost(mesh, peer, PE1, PE3), 30)
        extra_route(mesh, False)
        for pe, found in before.items():
            assert told(mesh, pe, peer) == dict.fromkeys(found, True)
        assert EXTRA in mesh.router(PE1).sh("show forwarding vrf RED")
        if peer == FRR:
            # it says End-of-RIB before it has heard of all routes: packets are lost then
            stack.close()
        mesh.back(peer)
        for pe, found in before.items():
            now = {key: False for key in found if key not in gone}
            wait_for("fresh routes at %s" % NAMES[pe], lambda pe=pe, now=now: told(mesh, pe, peer) == now, 60)
    assert EXTRA not in mesh.router(PE1).sh("show forwarding vrf RED")
    if peer == GOBGP:
        mesh.gobgp_routes(mesh.router(GOBGP))


@pytest.mark.interop(ROW + "we are killed", packets=True)
def test_we_restart(mesh, peer):
    """The peer and the PE behind it lose nothing; FRR forwards to us itself."""
    before = told(mesh, PE3, peer)
    with nothing_lost(mesh, (3, site(1), site(3)), (3, "2001:db8:1::1", "2001:db8:3::1"), *((2, site(1), site(2)),) * (peer == FRR)):
        mesh.kill(PE1)
        wait_for("stale there", lambda: keeps(mesh, peer), 30)
        assert told(mesh, PE3, peer) == before
        mesh.back(PE1)
        wait_for("PE1 is back", lambda: not has_lost(mesh, peer, PE1) and not keeps(mesh, peer), 40)
        wait_for("what nobody wants is swept", lambda: summary(mesh.router(PE1))["sweep"] == "done", 60)
        wait_for("all is fresh", lambda: (route_of(mesh, peer, 6, *OUR_ROUTE[6]) or {}).get("stale") is False, 20)
        assert told(mesh, PE3, peer) == before
    assert all(row["equal"] for row in summary(mesh.router(PE1))["rows"])


@pytest.mark.interop(ROW + "NOTIFICATIONs (RFC 8538)", packets=("FRR",), notes={"GoBGP": NOTES["GoBGP"]},
                     lacks={"BIRD": "does not have RFC 8538, a NOTIFICATION ends it all"})
@pytest.mark.parametrize("peer", (FRR, GOBGP), ids=(NAMES[FRR], NAMES[GOBGP]), indirect=True)
def test_notifications(mesh, peer):
    """Who resets a session gracefully is kept by the other side; who shuts it down (Hard Reset) is not."""
    before, pe = told(mesh, PE3, peer), mesh.router(PE1)

    def times():
        return mesh.items(PE1, loopback(peer))["established"]

    def kept():
        return pe.sh("show bgp events").count("its routes are kept")
    assert "notification" in mesh.items(PE1, loopback(peer))["capabilities"]
    with nothing_lost(mesh, *((3, site(1), site(3)), (2, site(1), site(2))) * (peer == FRR)):
        since = times()
        pe.sh("clear bgp %s graceful" % loopback(peer), "clear bgp %s graceful" % loopback6(peer))
        if peer == GOBGP:
            # it stays away for five seconds
            wait_for("stale there", lambda: keeps(mesh, peer), 5)
        assert told(mesh, PE3, peer) == before
        wait_for("up again", lambda: times() != since and not has_lost(mesh, peer, PE1) and not keeps(mesh, peer), 60)
        assert told(mesh, PE3, peer) == before
    count, since = kept(), times()
    if peer == FRR:
        mesh.router(FRR).vtysh("clear bgp ipv4 vpn %s" % loopback(PE1))
    else:
        mesh.router(GOBGP).cli("neighbor", loopback(PE1), "reset")
    wait_for("we keep its routes", lambda: kept() > count, 20)
    assert "received Cease/Administrative Reset" in mesh.items(PE1, loopback(peer))["last reset"]
    wait_for("up again", lambda: times() != since and not has_lost(mesh, peer, PE1), 90)
    wait_for("all is there", lambda: told(mesh, PE3, peer) == before, 30)

    text = "router bgp %d\n neighbor %s\n  %sshutdown\n !\n!"
    pe.configure(text % (AS, loopback(peer), ""))
    wait_for("gone at the peer", lambda: not route_of(mesh, peer, 4, *OUR_ROUTE[4]), 20)
    wait_for("gone behind it", lambda: not any(key[:2] == OUR_ROUTE[4] for key in told(mesh, PE3, peer)), 20)
    pe.configure(text % (AS, loopback(peer), "no "))
    wait_for("all is there", lambda: told(mesh, PE3, peer) == before, 60)
