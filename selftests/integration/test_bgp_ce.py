# SPDX-License-Identifier: GPL-2.0
"""Customers' routers that are FRR, over a core whose reflector is FRR (lib/customers.py): what each feature does to
tables, and to packets."""
import pytest

from customers import AS, AS_OF, Customers, ce, pe_side, site
from topology import wait_for

pytestmark = [pytest.mark.interop("BGP with CEs: paths, communities, limits", peers=("FRR",), packets=True)]


@pytest.fixture(scope="module")
def net():
    with Customers() as topology:
        yield topology.build().start()


def test_everybody_reaches_everybody(net):
    for one in (1, 2, 3, 4):
        for other in (1, 2, 3, 4):
            if one != other:
                net.pings(one, other)


def test_as_override(net):
    net.has(2, site(1), "65000 65000")
    net.has(2, site(4), "65000 65014")
    with net.said(2, "as-override false"):
        # FRR finds its own AS in the path
        net.lacks(2, site(1))
        net.has(2, site(4), "65000 65014")
        net.does_not_ping(2, 1)
    net.has(2, site(1), "65000 65000")
    net.pings(2, 1)


def test_site_of_origin(net):
    with net.said(1, "site-of-origin 65000:1"), net.said(3, "site-of-origin 65000:1"), net.said(2, "site-of-origin 65000:2"):
        net.lacks(3, site(1))
        net.lacks(1, site(3))
        net.has(2, site(1), "65000 65000")
        net.pings(2, 1)
        net.pings(2, 3)
        # kept through the VPN
        assert "SoO:65000:1" in net.p.vtysh("show bgp ipv4 vpn " + site(1))
        net.does_not_ping(3, 1)
    net.has(3, site(1))
    net.pings(3, 1)
    wait_for("the reflector has it without", lambda: "SoO" not in net.p.vtysh("show bgp ipv4 vpn " + site(1)), 20)


def test_allowas_in(net):
    with net.tags(2, "set as-path prepend 65000"):
        net.lacks(1, site(2))
        assert any("our AS is in its path" in value for value in net.items(2, "refused"))
        net.does_not_ping(1, 2)
        with net.said(2, "allowas-in 1"):
            wait_for("pe2 takes it", lambda: site(2) in net.pe[2].sh("show forwarding vrf RED"), 20)
            assert net.as_path(1, site(2)) is None
            core = "router bgp %d\n neighbor 192.0.2.9\n  address-family vpnv4 unicast\n   " % AS
            net.pe[1].configure(core + "allowas-in 1")
            net.has(1, site(2), "65000 65000 65000")
            net.pings(1, 2)
            net.pe[1].configure(core + "no allowas-in")
            net.lacks(1, site(2))
    net.has(1, site(2), "65000 65000")
    net.pings(1, 2)


def know_us_by(net, n, number):
    """CE n takes another AS for ours."""
    bgp = "configure terminal", "router bgp %d" % AS_OF[n]
    net.ce[n].vtysh(*bgp, "no neighbor %s" % pe_side(n))
    net.ce[n].vtysh(*bgp, "neighbor %s remote-as %d" % (pe_side(n), number), "neighbor %s timers connect 1" % pe_side(n))


def test_another_as_of_ours(net):
    session = "router bgp %d\n vrf RED\n  neighbor %s\n   " % (AS, ce(2))
    net.pe[2].configure(session + "local-as 64999")
    know_us_by(net, 2, 64999)
    net.has(2, site(4), "64999 65000 65014")
    net.has(4, site(2), "65000 64999 65010")
    net.pings(2, 4)
    net.pe[2].configure(session + "local-as 64999 no-prepend\n   local-as replace-as")
    net.has(2, site(4), "64999 65014")
    net.has(4, site(2), "65000 65010")
    net.pings(4, 2)
    # either is right: the session finds it out
    net.pe[2].configure(session + "local-as dual-as")
    net.has(2, site(4), "64999 65014")
    know_us_by(net, 2, 65000)
    net.has(2, site(4), "65000 65014")
    net.pings(2, 4)
    net.pe[2].configure(session + "no local-as")
    net.has(2, site(4), "65000 65014")


def test_private_as_numbers(net):
    with net.tags(4, "set as-path prepend 64700 7 64701"):
        net.has(2, site(4), "65000 65014 64700 7 64701")
        with net.said(2, "remove-private-as leading"):
            net.has(2, site(4), "65000 7 64701")
        with net.said(2, "remove-private-as all"):
            net.has(2, site(4), "65000 7")
            net.pings(2, 4)
    net.has(2, site(4), "65000 65014")


def test_default_route(net):
    with net.said(2, "default-originate", "route-policy out NOTHING"):
        net.has(2, "0.0.0.0/0", "65000")
        net.lacks(2, site(1))
        assert "0.0.0.0/0" not in net.pe[2].sh("show forwarding vrf RED")
        wait_for("the CE has no other route", lambda: "10.1.0.0/16" not in net["ce2"].run("ip", "route"), 20)
        net.pings(2, 1)
    net.lacks(2, "0.0.0.0/0")
    net.has(2, site(1))
    net.pings(2, 1)


def test_communities(net):
    def told():
        return net.ce[2].vtysh("show bgp ipv4 unicast " + site(1))

    with net.tags(1, "set community 65010:7", "set large-community 65010:1:2"):
        wait_for("the core has it", lambda: "65010:7" in net.p.vtysh("show bgp ipv4 vpn " + site(1)), 30)
        net.has(2, site(1))
        assert "65010:7" not in told() and "65010:1:2" not in told()
        with net.said(2, "send-community-ebgp"):
            wait_for("communities", lambda: "65010:7" in told() and "65010:1:2" in told(), 30)
            assert "RT:" not in told()
        with net.said(2, "send-extended-community-ebgp"):
            wait_for("extended communities", lambda: "RT:65000:1" in told(), 30)
        wait_for("none again", lambda: "65010:7" not in told() and "RT:" not in told(), 30)


def test_without_policy_nothing(net):
    # a neighbor that has no group
    plain = "router bgp %d\n vrf RED\n  neighbor %s\n   " % (AS, ce(2))
    net.pe[2].configure(plain + "no use neighbor-group\n   timers connect-retry 1\n   address-family ipv4 unicast\n    as-override\n")
    net.lacks(2, site(1))
    net.lacks(1, site(2))
    net.does_not_ping(1, 2)
    assert any("missing: nothing is taken" in value and "missing: nothing is told" in value for value in net.items(2, "policy"))
    assert any("there is no policy" in value for value in net.items(2, "refused"))
    assert "RFC 8212" in net.pe[2].sh("show log last 200")
    net.pe[2].configure("router bgp %d\n bgp unsafe-ebgp-policy\n" % AS)
    net.has(1, site(2))
    net.has(2, site(1))
    net.pings(1, 2)
    net.pe[2].configure("router bgp %d\n no bgp unsafe-ebgp-policy\n" % AS)
    net.lacks(1, site(2))
    net.lacks(2, site(1))
    net.does_not_ping(1, 2)
    net.pe[2].configure(plain + "use neighbor-group CE\n   no timers connect-retry\n   no address-family ipv4 unicast\n")
    net.has(1, site(2))
    net.has(2, site(1))
    net.pings(1, 2)


def test_maximum_prefix(net):
    def state():
        return [row["state"] for row in net.pe[1].json("show bgp summary") if row["neighbor"] == ce(1)][0]

    extra = ["10.1%d.0.0/16" % i for i in range(1, 6)]
    with net.said(1, "maximum-prefix 3"):
        net.pings(2, 1)
        for prefix in extra:
            net.network(1, prefix)
        wait_for("the session ends", lambda: state() == "Idle (maximum prefixes)", 20)
        told = net.ce[1].json("show bgp neighbors " + pe_side(1))[pe_side(1)]
        assert "Maximum Number of Prefixes" in told["lastNotificationReason"]
        net.lacks(2, site(1))
        net.does_not_ping(2, 1)
        for prefix in extra:
            net.network(1, prefix, False)
        assert state() == "Idle (maximum prefixes)"
        net.pe[1].sh("clear bgp %s vrf RED" % ce(1))
        net.has(2, site(1))
        net.pings(2, 1)
    with net.said(1, "maximum-prefix 3", "maximum-prefix discard-extra"):
        for prefix in extra:
            net.network(1, prefix)
        wait_for("what is more is refused", lambda: any("the maximum of routes is reached" in v for v in net.items(1, "refused")), 20)
        net.pings(2, 1)
        for prefix in extra:
            net.network(1, prefix, False)
