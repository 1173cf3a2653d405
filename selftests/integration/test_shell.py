# SPDX-License-Identifier: GPL-2.0
"""The shell on a real PE: programs in a VRF, explain, facts that only the module knows.

    ce-red1 -- pe1 (l3vpnd) -- p -- pe3 (l3vpnd) -- ce-red3        (lib/provider.py)
"""
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from topology import BUILD, Failed, wait_for


def test_ping_in_a_vrf(net):
    """The PE reaches its CE, and the remote CE, from within RED."""
    text = net.pe[1].sh("ping vrf RED 10.255.1.2 count 2")
    assert " 0% packet loss" in text
    text = net.pe[1].sh("ping vrf RED 2001:db8:ff:1::2 count 2")
    assert " 0% packet loss" in text


def test_exec_binds_sockets(net):
    """A program that knows nothing of VRFs has its sockets bound to RED's device."""
    text = net.pe[1].sh("exec vrf RED -- python3 -c \"import socket; "
                        "print([socket.socket(f, t).getsockopt(socket.SOL_SOCKET, 25, 16).rstrip(bytes(1)).decode() "
                        "for f in (socket.AF_INET, socket.AF_INET6) "
                        "for t in (socket.SOCK_STREAM, socket.SOCK_DGRAM)])\"")
    assert text.strip() == "['RED', 'RED', 'RED', 'RED']"


def test_exec_reaches_the_ce(net):
    """ping without -I, run by exec, goes out in RED."""
    text = net.pe[1].sh("exec vrf RED -- ping -c 1 -W 2 10.255.1.2")
    assert " 0% packet loss" in text


def test_a_program_that_fails_is_an_error(net):
    with pytest.raises(Failed):
        net.pe[1].sh("exec vrf RED -- false")
    with pytest.raises(Failed):
        net.pe[1].sh("exec vrf NOSUCH -- true")


def test_explain_and_exact_route_agree(net):
    wait_for("RED's remote site", lambda: "10.3.0.0/16" in net.pe[1].sh("show forwarding vrf RED"), 30)
    assert net.pe[1].json("explain vrf RED prefix 10.3.0.0/16")
    assert "10.3.0.0/16" in net.pe[1].sh("show forwarding exact-route RED 10.3.0.1")


def monitored(net, command, traffic):
    """Rows that `monitor packets` tells of @traffic, which is sent until it has told enough."""
    with ThreadPoolExecutor(1) as pool:
        rows = pool.submit(net.pe[1].json, command)
        wait_for("the packets are told", lambda: traffic() or rows.done(), 30)
        return rows.result()


def test_monitor_packets_tells_each_step(net):
    """A packet to the remote site: where it came in, route, chain of next hops, labels, and how it left."""
    wait_for("RED's remote site", lambda: "10.3.0.0/16" in net.pe[1].sh("show forwarding vrf RED"), 30)
    rows = monitored(net, "monitor packets vrf RED interface red source 10.1.0.0/16 destination 10.3.0.0/16 "
                     "protocol 1 count 2",
                     lambda: net["ce-red1"].ok("ping", "-c", "1", "-W", "1", "-I", "10.1.0.1", "10.3.0.1") and False)
    assert {row["packet"] for row in rows} == {1, 2}
    first = [row for row in rows if row["packet"] == 1]
    steps = [row["step"] for row in first]
    assert steps[:2] == ["received", "lookup"] and steps[-2:] == ["send", "sent"], first
    assert "next-hop" in steps
    detail = {row["step"]: row.get("detail", "") for row in first}
    assert detail["received"].startswith("red: 10.1.0.1 > 10.3.0.1, protocol 1 type 8 code 0, TTL 64"), first
    assert detail["lookup"].startswith("10.3.0.0/16, next hop "), first
    label = detail["lookup"].split("VPN label ")[1]
    assert detail["send"].startswith("core: labels "), first
    assert " %s (TC 0, TTL 63), 10.1.0.1 > " % label in detail["send"], first
    assert next(row for row in first if row["step"] == "lookup")["vrf"] == "RED"


LOST = "monitor packets destination 198.18.0.0/15 count 1"


def lose(net):
    """A packet from RED's CE to where RED has no route."""
    net["ce-red1"].run("ip", "route", "replace", "198.18.0.0/15", "via", "10.255.1.1")
    net["ce-red1"].ok("ping", "-c", "1", "-W", "1", "198.18.0.1")
    return False


def test_monitor_packets_tells_why_one_is_dropped(net):
    rows = monitored(net, LOST, lambda: lose(net))
    assert [row["step"] for row in rows] == ["received", "lookup", "icmp", "dropped"], rows
    assert rows[-1]["detail"] == "no-route" and rows[1]["detail"] == "no match", rows


def test_monitor_packets_one_session_at_a_time(net):
    """Another session is refused while one listens; what is not there is refused too."""
    for command in ("monitor packets interface nosuch", "monitor packets vrf NOSUCH",
                    "monitor packets source 10.0.0.0/8 destination 2001:db8::/32", "monitor packets interface core0"):
        with pytest.raises(Failed):
            net.pe[1].sh(command)
    first = net.pe[1].node.start(os.path.join(BUILD, "l3vpnsh"), "--socket", net.pe[1].socket, "-c",
                                 "monitor packets protocol 253", log="monitor.log")

    def third():
        try:
            return monitored(net, LOST, lambda: lose(net))
        except Failed as failed:
            assert "another session" in str(failed)
            return None

    def second():
        return third() is None
    wait_for("the second is refused", second, 30)
    first.terminate()
    first.wait(10)
    wait_for("the third is served", third, 30)


def test_counters_of_next_hops(net):
    """What left by next hops: the way to the remote site carries its pings."""
    def sent():
        rows = net.pe[1].json("show forwarding next-hops")
        return sum(row.get("packets", 0) for row in rows if row["kind"] == "labelled")
    before = sent()
    net["ce-red1"].run("ping", "-c", "5", "-i", "0.05", "-I", "10.1.0.1", "10.3.0.1")
    assert sent() >= before + 5
    rows = net.pe[1].json("show counters next-hop")
    assert rows and all(row["object"] == "next-hop" for row in rows)
    assert sum(row["tx-packets"] for row in rows) >= before + 5
    net.pe[1].sh("clear counters next-hop")
    assert sent() < before + 5
