# SPDX-License-Identifier: GPL-2.0
"""Guards by configuration: sources, options, labels of a core port, limits of routes.

    ce1 (10.1.0.1, and in its name 10.2.0.66) --- c1 pe c2 --- ce2 (10.2.0.1)       VRF RED
                                                     k1 --- p  192.0.2.2            core

p forges labelled packets with RED's label.
"""
import json
import socket
import struct

import pytest

import uapi
from l3vpn_nl import L3vpn, get
from topology import Failed, L3vpnd, Topology, wait_for

CONFIG = """vrf RED
 rd 65000:1
 address-family ipv4 unicast
  export route-target 65000:1
 !
!
interface c1
 vrf RED
 ipv4 address 10.255.1.1/24
!
interface c2
 vrf RED
 ipv4 address 10.255.2.1/24
!
interface k1
 mpls
 ipv4 address 192.0.2.1/24
!
mpls
 static cross-connect 500
  next-hop 192.0.2.2
  out-label 600
 !
!
router static
 vrf RED
  route 10.1.0.0/16
   next-hop 10.255.1.2
  !
  route 10.2.0.0/16
   next-hop 10.255.2.2
  !
 !
!
router bgp 65000
 router-id 192.0.2.1
 vrf RED
  address-family ipv4 unicast
   redistribute static
  !
 !
!
"""
SPOOFED = "10.2.0.66"


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        net.add("pe", "ce1", "ce2", "p")
        net.link("ce1:pe", "pe:c1", "ce2:pe", "pe:c2", "p:pe", "pe:k1")
        for n in (1, 2):
            net[f"ce{n}"].ip("link set lo up", f"addr add 10.255.{n}.2/24 dev pe", f"addr add 10.{n}.0.1/16 dev lo",
                             f"route add default via 10.255.{n}.1")
        net["ce1"].ip(f"addr add {SPOOFED}/32 dev lo")
        net["p"].ip("addr add 192.0.2.2/24 dev pe")
        net["p"].sysctl("net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.pe.rp_filter=0")
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        wait_for("RED forwards", lambda: net["ce1"].ping("10.2.0.1", count=1, source="10.1.0.1"), 30)
        yield net


def drops(lab, reason):
    """Packets dropped for @reason."""
    return sum(row["packets"] for row in lab.pe.json("show drops") if row["reason"] == reason)


def port(lab, name):
    """Its row in show ports."""
    return [row for row in lab.pe.json("show ports") if row["name"] == name][0]


def wait_port(lab, name, **columns):
    wait_for(f"{name} has {columns}", lambda: all(port(lab, name).get(k) == v for k, v in columns.items()), 10)


def spoof_arrives(lab):
    """Does ce2 hear a packet of ce1 in ce2's own name? Sent until it does, or it is counted as dropped."""
    before = drops(lab, "rpf")
    with lab["ce2"].tcpdump("pe", "icmp", "and", "src", SPOOFED) as watch:
        def verdict():
            lab["ce1"].ping("10.2.0.1", count=1, timeout=0.2, source=SPOOFED)
            return "heard" if "echo request" in watch.text() else "dropped" if drops(lab, "rpf") > before else ""
        return wait_for("the packet goes one way or the other", verdict, 20) == "heard"


def test_sources(lab):
    assert spoof_arrives(lab), "nothing is checked by itself"
    lab.pe.configure("interface c1\n ipv4 verify unicast source reachable-via rx\n")
    wait_port(lab, "c1", **{"verify-ipv4": "rx"})
    assert not spoof_arrives(lab)
    assert lab["ce1"].ping("10.2.0.1", count=1, source="10.1.0.1"), "its own sources pass"
    assert lab["ce1"].ping("10.255.1.1", count=1), "the port itself answers"
    lab.pe.configure("interface c1\n ipv4 verify unicast source reachable-via any allow-default\n")
    wait_port(lab, "c1", **{"verify-ipv4": "any allow-default"})
    assert spoof_arrives(lab), "there is a route to it"
    assert "ipv4 verify unicast source reachable-via any allow-default" in lab.pe.sh("show configuration running")
    lab.pe.configure("router static\n vrf RED\n  no route 10.2.0.0/16\n!\n!\n")
    with lab["ce1"].tcpdump("pe", "icmp"):
        before = drops(lab, "rpf")
        wait_for("no route, no way in", lambda: not lab["ce1"].ping("10.255.1.1", count=1, timeout=0.2, source=SPOOFED)
                 and drops(lab, "rpf") > before, 20)
    lab.pe.configure("router static\n vrf RED\n  route 10.2.0.0/16\n   next-hop 10.255.2.2\n")
    lab.pe.configure("interface c1\n no ipv4 verify unicast source reachable-via\n")
    wait_for("off again", lambda: "verify-ipv4" not in port(lab, "c1"), 10)
    wait_for("as before", lambda: spoof_arrives(lab), 20)


def test_what_somebody_else_changes_is_put_back(lab):
    lab.pe.configure("interface c1\n ipv4 verify unicast source reachable-via rx\n")
    wait_port(lab, "c1", **{"verify-ipv4": "rx"})
    nl = lab["pe"].inside(L3vpn)
    try:
        index = lab["pe"].inside(lambda: socket.if_nametoindex("c1"))
        vrf = [get(v[uapi.VRF_ID]) for v in nl.dump(uapi.CMD_VRF_GET)][0]
        nl.port_new(index, vrf, rpf4=uapi.RPF_OFF)
        wait_port(lab, "c1", **{"verify-ipv4": "rx"})
        nl.vrf_new("RED", vrf, limit4=1, warn6=7)
        wait_for("RED has no limits again", lambda: [[get(v[key]) for key in (uapi.VRF_LIMIT4, uapi.VRF_WARN6)]
                                                     for v in nl.dump(uapi.CMD_VRF_GET)] == [[0, 0]], 10)
    finally:
        nl.close()
        lab.pe.configure("interface c1\n no ipv4 verify unicast source reachable-via\n")


def test_options(lab):
    def echo():
        return lab["ce1"].ping("10.2.0.1", count=1, timeout=1, source="10.1.0.1", extra=("-T", "tsonly"))
    assert wait_for("options are carried", echo, 20)
    lab.pe.configure("interface c1\n ipv4 options limit 0\n")
    wait_port(lab, "c1", **{"options-limit": 0})
    before = drops(lab, "options")
    assert not echo()
    assert drops(lab, "options") == before + 1
    assert lab["ce1"].ping("10.2.0.1", count=1, source="10.1.0.1")
    lab.pe.configure("interface c1\n ipv4 options limit 50\n")
    wait_for("some are", echo, 20)
    lab.pe.configure("interface c1\n no ipv4 options limit\n")


def forged(lab, label, ttl=64):
    """A UDP packet to ce1 under @label, as p would send it."""
    mac, own = (json.loads(lab[node].run("ip", "-j", "link", "show", dev))[0]["address"]
                for node, dev in (("pe", "k1"), ("p", "pe")))
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0, socket.inet_aton("10.9.0.1"),
                         socket.inet_aton("10.1.0.1"))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + header[12:]
    return bytes.fromhex((mac + own).replace(":", "")) + struct.pack("!HI", 0x8847, label << 12 | 1 << 8 | ttl) + \
        header + struct.pack("!HHHH", 7777, 7777, 8, 0)


def test_labels_of_a_core_port(lab):
    def vpn():
        return [row for row in lab.pe.json("show labels") if row["for"] == "vrf RED" and row["state"] == "programmed"]
    label = wait_for("RED has a label", vpn, 30)[0]
    assert label["scope"] == "vpn"
    assert [row["scope"] for row in lab.pe.json("show labels") if row["label"] == 500] == ["transport"]

    def sender():
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(("pe", 0))
        return s
    wire = lab["p"].inside(sender)

    def outcome(what, node, *expression):
        """Sent until it is heard, or dropped for its label's scope."""
        before = drops(lab, "label-scope")
        with lab[node].tcpdump("pe", *expression) as watch:
            def verdict():
                wire.send(forged(lab, what))
                return "heard" if "UDP" in watch.text() else "dropped" if drops(lab, "label-scope") > before else ""
            return wait_for("the packet goes one way or the other", verdict, 20)

    def at_ce1():
        return outcome(label["label"], "ce1", "udp", "port", "7777")
    assert at_ce1() == "heard"
    lab.pe.configure("interface k1\n label accept transport\n")
    wait_port(lab, "k1", labels="transport")
    at_port = port(lab, "k1")["drops"]
    assert at_ce1() == "dropped"
    assert port(lab, "k1")["drops"] > at_port
    assert outcome(500, "p", "mpls", "600") == "heard", "the cross-connect is transport"
    lab.pe.configure("interface k1\n no label accept transport\n label accept vpn\n")
    wait_port(lab, "k1", labels="vpn")
    assert outcome(500, "p", "mpls", "600") == "dropped"
    assert at_ce1() == "heard"
    lab.pe.kill()
    lab.pe.start()
    wait_port(lab, "k1", labels="vpn")
    lab.pe.configure("interface k1\n no label accept vpn\n")
    wait_port(lab, "k1", labels="all but ldp")
    assert at_ce1() == "heard"


def test_limit_of_routes(lab):
    def vrf():
        return lab.pe.json("show vrf RED")[0]

    def routes(first, last, no=""):
        return "router static\n vrf RED\n" + "".join(
            f"  no route 10.66.{i}.0/24\n" if no else f"  route 10.66.{i}.0/24\n   next-hop 10.255.2.2\n  !\n"
            for i in range(first, last)) + " !\n!\n"

    def log(words):
        return any(words in row for row in lab.pe.sh("show log").splitlines())
    there = int(vrf()["forwarding-ipv4"].split()[0])
    lab.pe.configure(f"vrf RED\n address-family ipv4 unicast\n  maximum prefix {there + 10} 50\n")
    half = (there + 10 + 1) // 2
    assert vrf()["maximum-ipv4"] == f"{there + 10}, warning at {half}"
    lab.pe.configure(routes(0, 9))
    wait_for("the warning is logged", lambda: log(f"IPv4 routes are in: the warning is at {half}, the limit at {there + 10}"), 20)
    assert vrf()["forwarding-ipv4"] == f"{there + 9} in, 0 refused, warning"
    lab.pe.configure(routes(9, 15))
    wait_for("five are refused", lambda: vrf()["forwarding-ipv4"] == f"{there + 10} in, 5 refused, full", 20)
    wait_for("the limit is logged", lambda: log(f"vrf RED: the limit of {there + 10} IPv4 routes is reached"), 20)
    said = [lab.pe.sh(f"explain vrf RED prefix 10.66.{i}.0/24") for i in range(15)]
    assert sum("limit is reached" in text for text in said) == 5, said
    # what does not forward is not announced
    wait_for("it is withdrawn", lambda: sum("no room" in str(row["exported"]) for row in lab.pe.json("show route vrf RED")
                                            if "exported" in row) == 5, 10)
    assert sum("limit is reached" in row.get("problem", "") for row in lab.pe.json("show route vrf RED")) == 5
    # room: a route that goes lets another in, soon
    lab.pe.configure(routes(0, 3, "no"))
    wait_for("as many as there is room for", lambda: vrf()["forwarding-ipv4"] in
             (f"{there + 10} in, 2 refused, full", f"{there + 10} in, 3 refused, full",
              f"{there + 10} in, 4 refused, full"), 10)
    lab.pe.configure(f"vrf RED\n address-family ipv4 unicast\n  maximum prefix {there + 30} 100\n")
    wait_for("all are in", lambda: vrf()["forwarding-ipv4"] == f"{there + 12} in, 0 refused, normal", 10)
    wait_for("that is logged", lambda: log("below warning"), 20)
    assert not any("no room" in str(row.get("exported")) for row in lab.pe.json("show route vrf RED"))
    lab.pe.configure(routes(3, 15, "no") + "vrf RED\n address-family ipv4 unicast\n  no maximum prefix\n")
    wait_for("no limit", lambda: "maximum-ipv4" not in vrf() and vrf()["forwarding-ipv4"] == f"{there} in, 0 refused, normal", 20)


@pytest.mark.parametrize("lines,words", (
    ("interface c1\n label accept vpn\n", "only an interface of the core"),
    ("interface k1\n ipv4 verify unicast source reachable-via rx\n", "only a customer's interface"),
    ("interface k1\n ipv6 verify unicast source reachable-via any\n", "only a customer's interface"),
    ("interface k1\n ipv4 options limit 5\n", "only a customer's interface"),
    ("interface c1\n ipv4 verify unicast source reachable-via allow-default\n", "allow-default"),
    ("vrf RED\n address-family ipv4 unicast\n  maximum prefix 5 101\n", "101"),
))
def test_refused_with_the_reason(lab, lines, words):
    with pytest.raises(Failed) as error:
        lab.pe.configure(lines)
    assert words in str(error.value)
