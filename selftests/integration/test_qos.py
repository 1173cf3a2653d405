# SPDX-License-Identifier: GPL-2.0
"""TTL, traffic class and MPLS MTU by configuration: single packets, looked at on the core and at the customer's.

    ce1 ---(ce) pe1 (core)=======(core) pe2 (ce)--- ce2        RED: ceN has 10.255.N.2 and 2001:db8:ff:N::2
         l3vpnd      198.51.100.N      l3vpnd                  paths end in an explicit null or in none
"""
import os
import select
import socket
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "forward"))

import uapi  # noqa: E402
from l3vpn_nl import L3vpn, attrs_dict, get, ifindex, s32, text, u8  # noqa: E402
from topology import Failed, L3vpnd, Topology, wait_for  # noqa: E402
from wire import Packet  # noqa: E402

IGNORE_OUTGOING = (263, 23)
MAY_BE_CUT = (10, 0)        # IP_MTU_DISCOVER: IP_PMTUDISC_DONT
DSCP_TC = [dscp >> 3 for dscp in range(64)]
TC_DSCP = [tc << 3 for tc in range(8)]


def config(n, null="explicit-null"):
    other = 3 - n
    families = "".join(" address-family %s unicast\n  import route-target 65000:1\n  export route-target 65000:1\n !\n"
                       % af for af in ("ipv4", "ipv6"))
    connected = "".join("  address-family %s unicast\n   redistribute connected\n  !\n" % af for af in ("ipv4", "ipv6"))
    return ("vrf RED\n rd 65000:%d\n%s!\n" % (n, families)
            + "interface ce\n vrf RED\n ipv4 address 10.255.%d.1/30\n ipv6 address 2001:db8:ff:%d::1/64\n!\n" % (n, n)
            + "interface core\n mpls\n ipv4 address 198.51.100.%d/24\n!\n" % n
            + "interface lo\n ipv4 address 192.0.2.%d/32\n!\n" % n
            + "mpls\n static lsp 192.0.2.%d/32\n  path 198.51.100.%d out-label %s\n !\n!\n" % (other, other, null)
            + "router bgp 65000\n router-id 192.0.2.%d\n neighbor 192.0.2.%d\n  remote-as 65000\n"
              "  update-source 192.0.2.%d\n  timers connect-retry 2\n  address-family vpnv4 unicast\n  !\n"
              "  address-family vpnv6 unicast\n  !\n !\n vrf RED\n%s !\n!\n" % (n, other, n, connected))


def core_only(n, null):
    """The path of PE n to the other, anew."""
    return ("mpls\n static lsp 192.0.2.%d/32\n  no path 198.51.100.%d\n  path 198.51.100.%d out-label %s\n !\n!\n"
            % (3 - n, 3 - n, 3 - n, null))


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        net.add("ce1", "pe1", "pe2", "ce2")
        for node in net.nodes.values():
            node.sysctl("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        net.link("ce1:pe", "pe1:ce", "pe1:core", "pe2:core", "ce2:pe", "pe2:ce")
        net.pe = {}
        for n in (1, 2):
            net["ce%d" % n].ip("addr add 10.255.%d.2/30 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                               "route add default via 10.255.%d.1" % n,
                               "route add default via 2001:db8:ff:%d::1" % n)
            net.pe[n] = L3vpnd(net["pe%d" % n], config(n), ["--audit", "1"]).start()
        for n in (1, 2):
            wait_for("the core", lambda n=n: net["pe%d" % n].ping("198.51.100.%d" % (3 - n), count=1), 30)
            net["pe%d" % n].ip("route add 192.0.2.%d via 198.51.100.%d" % (3 - n, 3 - n))
        for address in ("10.255.2.2", "2001:db8:ff:2::2"):
            wait_for("the VPN", lambda address=address: net["ce1"].ping(address, count=1, timeout=1), 60)
        yield net


def listen(node, device):
    """Frames that come in at a device."""
    def opened():
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(*IGNORE_OUTGOING, 1)
        s.bind((device, 0))
        return s
    return node.inside(opened)


def read(sock, wanted, what):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
            break
        packet = Packet(sock.recv(65535))
        if packet.payload and wanted in packet.payload:
            return packet
    raise AssertionError("%s: not seen" % what)


COUNT = [0]


def probe(net, version, ttl, tos, size=0):
    """A datagram from ce1 to ce2: (as pe2 gets it from the core, as ce2 gets it)."""
    COUNT[0] += 1
    mark = b"probe%06d" % COUNT[0]
    core, customer = listen(net["pe2"], "core"), listen(net["ce2"], "pe")
    try:
        def sent():
            family = socket.AF_INET if version == 4 else socket.AF_INET6
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                if version == 4:
                    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
                    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
                    s.setsockopt(socket.IPPROTO_IP, *MAY_BE_CUT)
                else:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
                s.sendto(mark.ljust(size or len(mark)), ("10.255.2.2" if version == 4 else "2001:db8:ff:2::2", 9))
        net["ce1"].inside(sent)
        return read(core, mark, "on the core"), read(customer, mark, "at ce2")
    finally:
        core.close()
        customer.close()


def held(net, n):
    """Of RED in the module of PE n: TTL model, TC model, maps."""
    def asked():
        nl = L3vpn()
        found = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_NAME, text("RED"))])[0]
        nl.close()
        return (get(found[uapi.VRF_TTL_MODEL]), get(found[uapi.VRF_TC_MODEL]), list(found[uapi.VRF_DSCP_TC]),
                list(found[uapi.VRF_TC_DSCP]))
    return net["pe%d" % n].inside(asked)


def everywhere(net, lines):
    for pe in net.pe.values():
        pe.configure(lines)


def until_held(net, want):
    for n in (1, 2):
        wait_for("PE %d has it" % n, lambda n=n: held(net, n) == want, 10)


def check(net, version, ttl, tos, label_ttl, tc, ttl_out, tos_out, labels):
    core, customer = probe(net, version, ttl, tos)
    assert [(label_tc, left) for _, label_tc, left in core.stack] == [(tc, label_ttl)] * labels, str(core)
    assert (core.ttl, core.tos) == (ttl - 1, tos), "under the labels: %s" % core
    assert (customer.ttl, customer.tos) == (ttl_out, tos_out), "at the customer's: %s" % customer


@pytest.mark.parametrize("null", ("explicit-null", "implicit-null"))
def test_models(lab, null):
    labels = 2 if null == "explicit-null" else 1
    for n, pe in lab.pe.items():
        pe.configure(core_only(n, null))
    wait_for("the path", lambda: len(probe(lab, 4, 64, 0)[0].stack) == labels, 20)
    uniform, pipe, short_pipe = uapi.MODEL_UNIFORM, uapi.MODEL_PIPE, uapi.MODEL_SHORT_PIPE
    for lines, want in (("vrf RED\n no mpls tunnel-model\n", (uniform, short_pipe)),
                        ("vrf RED\n mpls tunnel-model uniform\n", (uniform, uniform)),
                        ("vrf RED\n mpls tunnel-model pipe\n", (pipe, pipe)),
                        ("vrf RED\n mpls tunnel-model short-pipe\n", (pipe, short_pipe)),
                        ("vrf RED\n mpls ttl-propagate true\n", (uniform, short_pipe))):
        everywhere(lab, lines)
        until_held(lab, want + (DSCP_TC, TC_DSCP))
        for version in (4, 6):
            # one hop for each PE; nothing in the core changed the class, so that uniform leaves DSCP alone
            check(lab, version, 40, 0xb9, 255 if want[0] == pipe else 39, 5, 38, 0xb9, labels)
    everywhere(lab, "vrf RED\n no mpls tunnel-model\n no mpls ttl-propagate\n")
    until_held(lab, (uniform, short_pipe, DSCP_TC, TC_DSCP))


def test_maps_of_all_and_of_one(lab):
    everywhere(lab, "mpls\n tunnel-model pipe\n dscp-to-tc 46 3\n dscp-to-tc 10 1\n!\n"
                    "vrf RED\n mpls dscp-to-tc 46 6\n mpls tc-to-dscp 6 48\n!\n")
    want = list(DSCP_TC)
    want[46], want[10] = 6, 1
    back = list(TC_DSCP)
    back[6] = 48
    until_held(lab, (uapi.MODEL_PIPE, uapi.MODEL_PIPE, want, back))
    assert [tc for _, tc, _ in probe(lab, 4, 64, 46 << 2)[0].stack][0] == 6
    assert [tc for _, tc, _ in probe(lab, 6, 64, 10 << 2)[0].stack][0] == 1
    row, = lab.pe[1].json("show vrf RED")
    assert (row["ttl"], row["traffic-class"], row["dscp-to-tc"]) == ("pipe", "pipe", "46:6"), row
    assert "mpls dscp-to-tc 46 6" in lab.pe[1].sh("show running-config")
    # the egress sets DSCP anew where it does not belong to the class: ingress and egress disagree on purpose
    lab.pe[2].configure("vrf RED\n mpls tunnel-model uniform\n no mpls dscp-to-tc 46\n")
    wait_for("PE 2 has it", lambda: held(lab, 2)[1] == uapi.MODEL_UNIFORM, 10)
    for version in (4, 6):
        core, customer = probe(lab, version, 64, 46 << 2 | 1)
        assert (core.stack[0][1], customer.tos) == (6, 48 << 2 | 1), str(customer)
    everywhere(lab, "mpls\n no tunnel-model\n no dscp-to-tc 46\n no dscp-to-tc 10\n!\nvrf RED\n no mpls\n!\n")
    until_held(lab, (uapi.MODEL_UNIFORM, uapi.MODEL_SHORT_PIPE, DSCP_TC, TC_DSCP))


def requests(pe):
    told = pe.sh("show forwarding summary")
    return int([line.split()[-1] for line in told.splitlines() if line.strip().startswith("requests")][0])


def test_commit_programs_what_differs(lab):
    pe = lab.pe[1]
    wait_for("PE 1 rests", lambda: requests(pe) == requests(pe), 10)
    before = requests(pe)
    pe.configure("vrf RED\n mpls tunnel-model uniform\n mpls tc-to-dscp 1 9\n")
    wait_for("it is in", lambda: held(lab, 1)[1] == uapi.MODEL_UNIFORM, 10)
    assert requests(pe) == before + 1
    pe.configure("vrf RED\n no mpls\n")
    wait_for("it is out", lambda: held(lab, 1)[1] == uapi.MODEL_SHORT_PIPE, 10)
    assert requests(pe) == before + 2


def port_mtu(net, n):
    def asked():
        nl = L3vpn()
        found = nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(ifindex("core")))])[0]
        nl.close()
        return get(found[uapi.PORT_MPLS_MTU])
    return net["pe%d" % n].inside(asked)


def test_mpls_mtu(lab):
    pe = lab.pe[1]
    pe.configure("interface core\n mpls mtu 1300\n")
    wait_for("the module has it", lambda: port_mtu(lab, 1) == 1300, 10)
    shown = {row["name"]: row for row in pe.json("show ports")}
    assert shown["core"]["mpls-mtu"] == 1300 and "mpls-mtu" not in shown["ce"], shown
    # IPv4 without DF is cut: the first piece fills the MTU (both labels, or the one)
    core, _ = probe(lab, 4, 64, 0, size=1400)
    assert 1290 <= len(core.l3) <= 1300, str(core)
    lab["ce1"].ip("route flush cache")
    assert not lab["ce1"].ping("10.255.2.2", count=1, size=1300, extra=("-M", "do")), "larger than the path"
    told = lab["ce1"].run("ip", "route", "get", "10.255.2.2")
    assert "mtu %d" % (1300 - 4 * len(core.stack)) in told, told
    pe.configure("interface core\n mpls mtu 9000\n")
    wait_for("the module has it", lambda: port_mtu(lab, 1) == 9000, 10)
    assert {row["name"]: row for row in pe.json("show ports")}["core"]["mpls-mtu"] == 1500, "the device's MTU holds"
    pe.configure("interface core\n no mpls mtu\n")
    wait_for("the module has it", lambda: port_mtu(lab, 1) == 0, 10)
    for lines, why in (("interface ce\n mpls mtu 1400\n", "only an interface of the core"),
                       ("interface core\n mpls mtu 103\n", "mpls-mtu"),
                       ("vrf RED\n mpls dscp-to-tc 64 1\n", "dscp"), ("vrf RED\n mpls tc-to-dscp 8 1\n", "tc")):
        with pytest.raises(Failed) as refused:
            pe.configure(lines)
        assert why in str(refused.value), refused.value


def test_audit_mends_what_others_change(lab):
    pe = lab.pe[1]
    pe.configure("interface core\n mpls mtu 1400\n!\nvrf RED\n mpls tunnel-model pipe\n")
    wait_for("it is in", lambda: held(lab, 1)[:2] == (uapi.MODEL_PIPE, uapi.MODEL_PIPE) and port_mtu(lab, 1) == 1400, 10)

    def spoil():
        nl = L3vpn()
        nl.vrf_new("RED", tc_model=u8(uapi.MODEL_UNIFORM), dscp_tc=bytes([7] * 64))
        nl.port_new("core", mpls_mtu=1111)
        nl.close()
    lab["pe1"].inside(spoil)
    wait_for("both are mended", lambda: port_mtu(lab, 1) == 1400 and held(lab, 1) == (
        uapi.MODEL_PIPE, uapi.MODEL_PIPE, DSCP_TC, TC_DSCP), 60)
    pe.configure("interface core\n no mpls mtu\n!\nvrf RED\n no mpls\n")


def test_restart_keeps_the_model(lab):
    """A new daemon programs what the module has already: at no moment another model."""
    pe = lab.pe[1]
    pe.configure("vrf RED\n mpls tunnel-model pipe\n")
    wait_for("it is in", lambda: held(lab, 1)[0] == uapi.MODEL_PIPE, 10)
    listener = lab["pe1"].inside(L3vpn)
    listener.join(uapi.MCGRP_EVENTS)
    pe.kill()
    pe.start()
    wait_for("all is programmed again", lambda: "done" in [
        line.split()[-1] for line in pe.sh("show forwarding summary").splitlines() if line.strip().startswith("sweep")], 60)
    models = set()
    for _, body in listener.events(0.5):
        event = attrs_dict(body)
        if uapi.EVENT_VRF in event:
            models.add(get(attrs_dict(event[uapi.EVENT_VRF])[uapi.VRF_TTL_MODEL]))
    listener.close()
    assert models == {uapi.MODEL_PIPE}, models
    pe.configure("vrf RED\n no mpls\n")
