#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Real TCP through two of our routers, with and without the links' offloads. In a guest:
scripts/vm -- selftests/forward/offload.py

    cea 10.1.0.2, 2001:db8:1::2 --- pe1 ======= pe2 --- ceb 10.2.0.2, 2001:db8:2::2
                                    RED   MPLS  RED
Every segment carries a transport label and a VPN label over the core. What arrives is compared with what was sent.
"""
import hashlib
import json
import os
import select
import socket
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, get, ifindex, label_record, prefix4, prefix6, s32, stats, u32    # noqa: E402
from tap import equal, test                                             # noqa: E402
from wire import Netns, sh                                              # noqa: E402

RED, TRANSPORT = 1, {"pe1": 100, "pe2": 200}
VPN = {"pe1": 301, "pe2": 302}
OCTETS = 8 << 20
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
NODES = ("cea", "pe1", "pe2", "ceb")


def link(a, dev_a, b, dev_b, addresses):
    sh(f"ip -n {a} link add {dev_a} type veth peer name {dev_b} netns {b}; "
       f"ip -n {a} link set {dev_a} up; ip -n {b} link set {dev_b} up")
    for node, dev, addr in addresses:
        sh(f"ip -n {node} addr add {addr} dev {dev}{' nodad' if ':' in addr else ''}")


def router(pe, other, customer, core, site, remote):
    with Netns(pe):
        nl = L3vpn()
        nl.vrf_new("RED", id=RED)
        table = get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_TABLE])
        sh(f"ip -n {pe} link set RED up; ip -n {pe} route add default dev RED table {table}; "
           f"ip -n {pe} -6 route add default dev RED table {table}")
        nl.port_new(customer, RED)
        nl.port_new(core)
        for addr in (f"10.{site}.0.1/24", f"2001:db8:{site}::1/64"):
            sh(f"ip -n {pe} addr replace {addr} dev {customer}{' nodad' if ':' in addr else ''}")
        nl.nh_adjacency(1, core, "192.0.2.2" if pe == "pe1" else "192.0.2.1")
        # the transport label of the other end is an explicit null at its end: it pops two labels
        nl.nh_labelled(2, 1, [0])
        nl.route_add(RED, [prefix4(f"10.{remote}.0.0/16", 2, VPN[other])],
                     [prefix6(f"2001:db8:{remote}::/48", 2, VPN[other])])
        nl.label_add([label_record(VPN[pe], uapi.LABEL_ACTION_POP_VRF, vrf=RED)])
    return nl


def build():
    for n in NODES:
        sh(f"ip netns add {n}; ip -n {n} link set lo up; "
           f"ip netns exec {n} sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    link("cea", "eth0", "pe1", "ce", [("cea", "eth0", "10.1.0.2/24"), ("cea", "eth0", "2001:db8:1::2/64")])
    link("pe1", "core", "pe2", "core", [("pe1", "core", "192.0.2.1/24"), ("pe2", "core", "192.0.2.2/24")])
    link("ceb", "eth0", "pe2", "ce", [("ceb", "eth0", "10.2.0.2/24"), ("ceb", "eth0", "2001:db8:2::2/64")])
    for n, site in (("cea", 1), ("ceb", 2)):
        sh(f"ip -n {n} route add default via 10.{site}.0.1; ip -n {n} -6 route add default via 2001:db8:{site}::1")
    return router("pe1", "pe2", "ce", "core", 1, 2), router("pe2", "pe1", "ce", "core", 2, 1)


def core_octets():
    tx = json.loads(sh("ip -n pe1 -s -j link show core").stdout)[0]["stats64"]["tx"]
    return tx["packets"], tx["bytes"]


def listener(node, family, address, device=None):
    with Netns(node):
        s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    s.bind((address, 5001))
    s.listen(1)
    s.settimeout(30)
    return s


def transfer(client, server, family, address, device=None, client_device=None):
    """OCTETS from @client to a socket of @server; the mean size of the frames on the core."""
    data = os.urandom(1 << 16) * (OCTETS >> 16)
    got = hashlib.sha256()
    length = 0
    listening = listener(server, family, address, device)
    with Netns(client):
        s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(30)
    if client_device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, client_device)
    before = core_octets()
    s.connect((address, 5001))
    conn, _ = listening.accept()
    conn.settimeout(30)

    def send():
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    while True:
        piece = conn.recv(1 << 18)
        if not piece:
            break
        got.update(piece)
        length += len(piece)
    sender.join()
    for x in (s, conn, listening):
        x.close()
    equal((length, got.hexdigest()), (OCTETS, hashlib.sha256(data).hexdigest()), "what arrived")
    after = core_octets()
    return (after[1] - before[1]) / max(1, after[0] - before[0])


def port_stats(nl, node, dev):
    with Netns(node):
        index = ifindex(dev)
    return stats(nl.do(uapi.CMD_PORT_GET, [(uapi.PORT_IFINDEX, s32(index))])[0][uapi.PORT_STATS])


def offloads(state):
    for n, dev in (("cea", "eth0"), ("pe1", "ce"), ("pe1", "core"), ("pe2", "core"), ("pe2", "ce"), ("ceb", "eth0")):
        sh(f"ip netns exec {n} ethtool -K {dev} tso {state} gso {state} gro {state} tx {state}", check=False)


def core_mtu(mtu):
    sh(f"ip -n pe1 link set core mtu {mtu}; ip -n pe2 link set core mtu {mtu}")


pes = build()


@test("TCP with all offloads, a core with room for labels: IPv4 and IPv6")
def wide():
    offloads("on")
    core_mtu(1600)
    for family, address in ((socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2")):
        print(f"# mean frame on the core: {transfer('cea', 'ceb', family, address):.0f} octets")


@test("TCP over a core without room for labels: the sender learns the path MTU")
def narrow():
    core_mtu(1500)
    for family, address in ((socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2")):
        transfer("cea", "ceb", family, address)
    cached = sh("ip -n cea route get 10.2.0.2; ip -n cea -6 route get 2001:db8:2::2").stdout
    equal(cached.count("mtu 1492"), 2, f"path MTU at the sender: {cached}")


@test("TCP where the core's links segment nothing, and the customers' do")
def mixed():
    core_mtu(1600)
    for n in ("pe1", "pe2"):
        sh(f"ip netns exec {n} ethtool -K core tso off gso off gro off tx off")
    for family, address in ((socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2")):
        mean = transfer("cea", "ceb", family, address)
        assert mean < 1614, f"mean frame on the core: {mean:.0f} octets"
    offloads("on")


@test("TCP with all offloads under an MPLS MTU: no frame on the core is larger, labels included")
def mpls_mtu():
    core_mtu(1600)
    for nl, node in zip(pes, ("pe1", "pe2")):
        with Netns(node):
            nl.port_new("core", mpls_mtu=1300)
    with Netns("pe2"):
        tap_ = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap_.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    tap_.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    tap_.bind(("core", 0))
    for family, address, header in ((socket.AF_INET, "10.2.0.2", 20), (socket.AF_INET6, "2001:db8:2::2", 40)):
        transfer("cea", "ceb", family, address)
        seen = 0
        while select.select([tap_], [], [], 0)[0]:
            frame = tap_.recv(1 << 17)
            if frame[22:24] != b"\x88\x47":
                continue
            gso_size, = struct.unpack("=H", frame[4:6])
            # TCP's header with timestamps; a GSO packet goes over the wire in segments of that size
            length = 8 + header + 32 + gso_size if frame[1] else len(frame) - 10 - 14
            assert length <= 1300, f"{length} octets, GSO type {frame[1]}"
            seen += length > 1200
        assert seen, "no full segment was seen"
    cached = sh("ip -n cea route get 10.2.0.2; ip -n cea -6 route get 2001:db8:2::2").stdout
    equal(cached.count("mtu 1292"), 2, f"path MTU at the sender: {cached}")
    for nl, node in zip(pes, ("pe1", "pe2")):
        with Netns(node):
            nl.port_new("core", mpls_mtu=0)
    tap_.close()
    sh("ip -n cea route flush cache; ip -n cea -6 route flush cache; "
       "ip -n ceb route flush cache; ip -n ceb -6 route flush cache")


@test("TCP without any offload")
def plain():
    offloads("off")
    core_mtu(1600)
    for family, address in ((socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2")):
        transfer("cea", "ceb", family, address)
    offloads("on")


@test("TCP to a socket of the VRF, from the port and from the remote site")
def local():
    core_mtu(1500)
    for family, address in ((socket.AF_INET, "10.1.0.1"), (socket.AF_INET6, "2001:db8:1::1")):
        transfer("cea", "pe1", family, address, b"RED")
        transfer("ceb", "pe1", family, address, b"RED")


@test("TCP from a socket of the VRF to both sites: it learns that labels take room")
def local_out():
    core_mtu(1500)
    for family, here, there in ((socket.AF_INET, "10.1.0.2", "10.2.0.2"),
                                (socket.AF_INET6, "2001:db8:1::2", "2001:db8:2::2")):
        transfer("pe1", "cea", family, here, None, b"RED")
        transfer("pe1", "ceb", family, there, None, b"RED")


@test("counters: of every segment of TCP, at next hop, label, port and VRF alike")
def counted():
    core_mtu(1600)
    n1, n2 = pes
    segments = {}
    for state in ("on", "off"):
        offloads(state)
        for nl in pes:
            nl.do(uapi.CMD_STATS_CLEAR)
        transfer("cea", "ceb", socket.AF_INET, "10.2.0.2")
        tap.wait(lambda: n1.nh_tally(1)[0] == n2.label_tally(VPN["pe2"])[0], "the last segment")
        out, vrf = port_stats(n1, "pe1", "core"), stats(n1.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_STATS])
        equal(n1.nh_tally(1), (out["tx_packets"], out["tx_bytes"]), "adjacency and port")
        equal(n1.nh_tally(2), n1.nh_tally(1), "path and adjacency")
        back = n1.label_tally(VPN["pe1"])
        to_ce = port_stats(n1, "pe1", "ce")
        equal(vrf["tx_packets"], out["tx_packets"] + to_ce["tx_packets"], "VRF and ports")
        equal(back[0], to_ce["tx_packets"], "what came back")
        segments[state] = out["tx_packets"]
    offloads("on")
    assert segments["on"] > OCTETS // 1500, f"GSO packets count by segments: {segments}"


tap.main()
