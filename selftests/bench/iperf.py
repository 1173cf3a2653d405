#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Throughput of TCP between customers, ours and stock Linux. Run by scripts/bench iperf, in a guest.

Twice the same network in one kernel, of veth pairs with every offload on:

    cea 10.1.0.2 --- pe1 === p === pe2 --- ceb 10.2.0.2      two labels from pe1 to p, which pops the outer one

ours: the three routers are l3vpn.ko. stock: VRF devices, "encap mpls" routes and net/mpls. One round runs every case on
both, in turns which come first, so that the machine's moods hit both alike; medians count. Before the rounds, and after
them, random octets cross both networks and are compared. The counters of the VRF at pe2 prove the way that was taken.
"""
import argparse
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

from l3vpn_nl import L3vpn, label_record, prefix4, prefix6, stats, u32  # noqa: E402
from wire import Netns, sh                                              # noqa: E402
import uapi                                                             # noqa: E402

RED, NODES = 1, ("cea", "pe1", "p", "pe2", "ceb")
TRANSPORT, VPN = {"pe1": 200, "pe2": 100}, {"pe1": 301, "pe2": 302}
FAR = {4: "10.2.0.2", 6: "2001:db8:2::2"}
CASES = {"tcp4": (4, 1), "tcp6": (6, 1), "tcp4_streams4": (4, 4)}
OCTETS = 32 << 20


def link(kind, a, dev_a, b, dev_b, net4, net6, mtu):
    """net4, net6: what stands before .1 and .2, ::1 and ::2."""
    sh(f"ip -n {kind}-{a} link add {dev_a} type veth peer name {dev_b} netns {kind}-{b}")
    for node, dev, host in ((a, dev_a, 1), (b, dev_b, 2)):
        sh(f"ip -n {kind}-{node} link set {dev} mtu {mtu} up; ip -n {kind}-{node} addr add {net4}.{host}/24 dev {dev}; "
           f"ip -n {kind}-{node} addr add {net6}::{host}/64 dev {dev} nodad")


def build(kind):
    for n in NODES:
        sh(f"ip netns add {kind}-{n}; ip -n {kind}-{n} link set lo up; ip netns exec {kind}-{n} sysctl -qw "
           f"net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.ip_forward=1 "
           f"net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    link(kind, "pe1", "ce", "cea", "eth0", "10.1.0", "2001:db8:1", 1500)
    link(kind, "pe1", "core", "p", "left", "192.0.2", "fd00:1", 1600)
    link(kind, "p", "right", "pe2", "core", "198.51.100", "fd00:2", 1600)
    link(kind, "pe2", "ce", "ceb", "eth0", "10.2.0", "2001:db8:2", 1500)
    for ce, site in (("cea", 1), ("ceb", 2)):
        sh(f"ip -n {kind}-{ce} route add default via 10.{site}.0.1; "
           f"ip -n {kind}-{ce} -6 route add default via 2001:db8:{site}::1")


# who is who for each PE: its P router's address, its site, the remote one
EDGES = {"pe1": ("192.0.2.2", "fd00:1::2", 1, 2, "pe2"), "pe2": ("198.51.100.1", "fd00:2::1", 2, 1, "pe1")}


def ours():
    build("ours")
    control = {}
    for pe, (p4, _p6, site, remote, other) in EDGES.items():
        with Netns(f"ours-{pe}"):
            nl = control[pe] = L3vpn()
            nl.vrf_new("RED", id=RED)
            sh(f"ip -n ours-{pe} link set RED up")
            nl.port_new("ce", RED)
            nl.port_new("core")
            for address in (f"10.{site}.0.1/24", f"2001:db8:{site}::1/64"):
                sh(f"ip -n ours-{pe} addr replace {address} dev ce{' nodad' if ':' in address else ''}")
            nl.nh_adjacency(1, "core", p4)
            nl.nh_labelled(2, 1, [TRANSPORT[pe]])
            nl.route_add(RED, [prefix4(f"10.{remote}.0.0/16", 2, VPN[other])],
                         [prefix6(f"2001:db8:{remote}::/48", 2, VPN[other])])
            nl.label_add([label_record(VPN[pe], uapi.LABEL_ACTION_POP_VRF, vrf=RED)])
    with Netns("ours-p"):
        nl = control["p"] = L3vpn()
        nl.port_new("left")
        nl.port_new("right")
        nl.nh_adjacency(1, "left", "192.0.2.1")
        nl.nh_adjacency(2, "right", "198.51.100.2")
        nl.label_add([label_record(TRANSPORT["pe1"], uapi.LABEL_ACTION_SWAP, nh=2, out_label=3),
                      label_record(TRANSPORT["pe2"], uapi.LABEL_ACTION_SWAP, nh=1, out_label=3)])
    return control


def stock():
    build("stock")
    for node in ("pe1", "p", "pe2"):
        sh(f"ip netns exec stock-{node} sysctl -qw net.mpls.platform_labels=1000")
        for dev in ("core",) if node != "p" else ("left", "right"):
            sh(f"ip netns exec stock-{node} sysctl -qw net.mpls.conf.{dev}.input=1")
    for pe, (p4, p6, site, remote, other) in EDGES.items():
        sh(f"ip -n stock-{pe} link add RED type vrf table 10; ip -n stock-{pe} link set RED up; "
           f"ip -n stock-{pe} link set ce master RED")
        stack = f"{TRANSPORT[pe]}/{VPN[other]}"
        sh(f"ip -n stock-{pe} -6 addr replace 2001:db8:{site}::1/64 dev ce nodad; "
           f"ip -n stock-{pe} route add 10.{remote}.0.0/16 table 10 encap mpls {stack} via {p4} dev core; "
           f"ip -n stock-{pe} -6 route add 2001:db8:{remote}::/48 table 10 encap mpls {stack} via {p6} dev core; "
           f"ip -n stock-{pe} -f mpls route add {VPN[pe]} dev RED")
    sh(f"ip -n stock-p -f mpls route add {TRANSPORT['pe1']} via inet 198.51.100.2 dev right; "
       f"ip -n stock-p -f mpls route add {TRANSPORT['pe2']} via inet 192.0.2.1 dev left")


def iperf(kind, version, streams, seconds):
    """Gbit/s that arrived."""
    server = subprocess.Popen(["ip", "netns", "exec", f"{kind}-ceb", "iperf3", "-s", "-1", "-p", "5201"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        client = None
        for _ in range(50):         # until the server listens
            client = subprocess.run(["ip", "netns", "exec", f"{kind}-cea", "iperf3", "-c", FAR[version], "-t", str(seconds),
                                     "-P", str(streams), "-J"], stdout=subprocess.PIPE, text=True)
            if "refused" not in client.stdout:
                break
            time.sleep(0.05)
        told = json.loads(client.stdout)
        if "error" in told:
            raise RuntimeError(f"{kind}: {told['error']}")
        return told["end"]["sum_received"]["bits_per_second"] / 1e9
    finally:
        server.terminate()
        server.wait()


def verified(kind, version):
    """Random octets cross: fails unless they arrive as they were sent."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    data = os.urandom(1 << 20) * (OCTETS >> 20)
    with Netns(f"{kind}-ceb"):
        listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((FAR[version], 5001))
    listening.listen(1)
    with Netns(f"{kind}-cea"):
        s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(60)
    s.connect((FAR[version], 5001))
    conn, _ = listening.accept()
    sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
    sender.start()
    got, length = hashlib.sha256(), 0
    while piece := conn.recv(1 << 18):
        got.update(piece)
        length += len(piece)
    sender.join()
    for x in (s, conn, listening):
        x.close()
    if (length, got.digest()) != (OCTETS, hashlib.sha256(data).digest()):
        raise RuntimeError(f"{kind}, IPv{version}: {length} of {OCTETS} octets arrived, or others than were sent")


def entered(control):
    """Octets that entered the VRF at our pe2."""
    return stats(control["pe2"].do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_STATS])["rx_bytes"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=11)
    p.add_argument("--seconds", type=int, default=1)
    p.add_argument("--case", choices=CASES, action="append", help="this case, not all")
    p.add_argument("--only", choices=("ours", "stock"), help="one of them, to be profiled")
    o = p.parse_args()
    sh("modprobe -a veth vrf mpls_router mpls_iptunnel mpls_gso", check=False)
    control = ours()
    stock()
    cases = {name: CASES[name] for name in o.case or CASES}
    kinds = [o.only] if o.only else ["ours", "stock"]
    rates = {(kind, case): [] for kind in kinds for case in cases}
    for kind in kinds:
        for version in (4, 6):
            verified(kind, version)
    before = entered(control)
    for n in range(o.rounds):
        for case, (version, streams) in cases.items():
            for kind in kinds[::1 if n % 2 else -1]:
                rates[kind, case].append(iperf(kind, version, streams, o.seconds))
    crossed = sum(sum(r) * o.seconds for (kind, _), r in rates.items() if kind == "ours") * 1e9 / 8
    if "ours" in kinds and entered(control) - before < crossed * 0.9:
        raise RuntimeError(f"{entered(control) - before} octets entered the VRF, {crossed:.0f} arrived")
    for kind in kinds:
        for version in (4, 6):
            verified(kind, version)
    for case in cases:
        row = {"case": case}
        for kind in kinds:
            row[kind + "_gbps"] = round(statistics.median(rates[kind, case]), 2)
        if not o.only:
            # of each round, so that what the machine did meanwhile is in both
            row["vs_stock"] = round(statistics.median(a / b for a, b in zip(rates["ours", case], rates["stock", case])), 3)
        row["rounds"] = o.rounds
        row["verified"] = True
        print(json.dumps(row), flush=True)


main()
