# SPDX-License-Identifier: GPL-2.0
"""LDP for IPv4 and IPv6 (RFC 7552) in the ladder of lib/ladder.py, over FRR's IS-IS.

    ce1 -- r1 ours -- r3 FRR --- r5 ours
            |          |          |
    ce2 -- r2 FRR --- r4 ours -- r6 ours -- ce6
"""
import pytest

from ladder import EXPLICIT, Ladder, born, ldp, loopback, loopback6, measure, neighbours, settled, vpn_label, wire
from topology import wait_for

KINDS = {1: "ours", 2: "frr", 3: "frr", 4: "ours", 5: "ours", 6: "ours"}


@pytest.fixture(scope="module")
def dual():
    with Ladder(KINDS, "isis", ("ipv4", "ipv6")) as ladder:
        yield born(ladder, "IS-IS")


def test_dual_stack(dual):
    """One session for both families, over IPv6; labels of both."""
    settled(dual, ("ipv4", "ipv6"))
    for n in dual.pe:
        rows = {r["neighbor"]: r for r in dual.pe[n].json("show mpls ldp neighbor")}
        assert {r["transport"] for r in rows.values()} == {loopback6(p) for p in neighbours(n)}, rows
        seen = {(r["neighbor"], r["family"]) for r in dual.pe[n].json("show mpls ldp discovery") if r["state"] == "up"}
        assert seen == {(loopback(p), f) for p in neighbours(n) for f in ("ipv4", "ipv6")}, seen


def test_ipv6_paths_forward(dual):
    """VPNv6 over an IPv6 path, ours and FRR at the ends; labels on the wire are those of the IPv6 FEC."""
    for one, other, v6 in dual.pairs():
        wait_for("%d %d %s" % (one, other, v6), lambda o=one, p=other, v=v6: dual.reaches(o, p, v), 10)
    fec = loopback6(6) + "/128"
    stacks = wire(dual, 2, 4, 2, 6, v6=True)
    assert stacks == {(dual.bindings(4)[0][fec], vpn_label(dual, 6))}, stacks
    assert wire(dual, 4, 6, 2, 6, v6=True) == {(vpn_label(dual, 6),)}


def test_explicit_null_of_ipv6(dual):
    """Label 2."""
    dual.pe[6].configure(ldp("address-family ipv6\n label local advertise explicit-null"))
    wait_for("r4 has it", lambda: dual.bindings(4)[1].get((loopback6(6) + "/128", loopback(6))) in (2, EXPLICIT), 20)
    wait_for("RED forwards", lambda: dual.reaches(2, 6, True), 20)
    assert wire(dual, 4, 6, 2, 6, v6=True) == {(2, vpn_label(dual, 6))}


def test_link_failure_over_isis(dual):
    measure(dual, lambda name, figures: print("measured: IS-IS, ours and FRR's mixed: %s: %s" % (name, figures)), nodes=False)
    settled(dual, ("ipv4", "ipv6"))
