# SPDX-License-Identifier: GPL-2.0
"""The shell on a real PE: programs in a VRF, explain, facts that only the module knows.

    ce-red1 -- pe1 (l3vpnd) -- p -- pe3 (l3vpnd) -- ce-red3        (lib/provider.py)
"""
import pytest

from topology import Failed, wait_for


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
