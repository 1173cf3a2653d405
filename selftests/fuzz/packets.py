#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Fuzzed packets: frames made by packet_fuzz.ko from a seed, into and out of every kind of object. In a guest:

    packets.py [--packets N] [--seed S] [--first N] [--batch N]       (L3VPN_PACKETS, L3VPN_SECONDS, L3VPN_SEED serve too)

               family A                            |      family B: the same addresses and prefixes
    a0 10.1.0.1/24 2001:db8:1::1/64  RED           |      b0  BLUE
    a1 10.2.0.1/24 2001:db8:2::1/64  GREEN, small  |      b1  PINK
    RED and GREEN leak into each other             |      BLUE and PINK likewise
        ------------------------------------------------------------------
    core: c0 192.0.2.1/30, c1 192.0.2.5/30 (MTU 600, no offloads), c2 192.0.2.9/30 (MTU 9000)
    global: g0 198.51.100.1/24, no port; 203.0.113.1 on lo, reached from the VRFs through next hop HOST; there and at
    2001:db8:cb::1 tunnels over UDP and GRE end

10.64.0.0/16 .. and 2001:db8:40::/48 .. each lead to another kind of next hop. The judge inside the kernel (judge.c
says what it looks at) counts violations; here the network is made, the counts are read, and every fate that a packet
can have must have been met.
"""
import argparse
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

from l3vpn_nl import L3vpn, label_record, prefix4, prefix6      # noqa: E402
from tap import wait                                            # noqa: E402
from wire import Netns, sh                                      # noqa: E402
import uapi                                                     # noqa: E402

PARAMETERS = "/sys/module/packet_fuzz/parameters/"
NS = "pe"
VRFS = {"RED": 1, "GREEN": 2, "BLUE": 3, "PINK": 4}
OTHER = {"RED": "GREEN", "GREEN": "RED", "BLUE": "PINK", "PINK": "BLUE"}
VPN = {"RED": 65536, "GREEN": 65536 + 1000, "BLUE": 131072, "PINK": 131072 + 1000}
PORT = {"RED": "a0", "GREEN": "a1", "BLUE": "b0", "PINK": "b1"}
DEVICES = {  # name: (VRF id or None for core, MTU, addresses, neighbours)
    "a0": (1, 1500, ["10.1.0.1/24", "2001:db8:1::1/64"], ["10.1.0.2", "2001:db8:1::2"]),
    "a1": (2, 1280, ["10.2.0.1/24", "2001:db8:2::1/64"], ["10.2.0.2", "2001:db8:2::2"]),
    "b0": (3, 1500, ["10.1.0.1/24", "2001:db8:1::1/64"], ["10.1.0.2", "2001:db8:1::2"]),
    "b1": (4, 1280, ["10.2.0.1/24", "2001:db8:2::1/64"], ["10.2.0.2", "2001:db8:2::2"]),
    "c0": (None, 1500, ["192.0.2.1/30", "2001:db8:c::1/64"], ["192.0.2.2", "2001:db8:c::2"]),
    "c1": (None, 600, ["192.0.2.5/30"], ["192.0.2.6"]),
    "c2": (None, 9000, ["192.0.2.9/30"], ["192.0.2.10"]),
    "g0": (0, 1500, ["198.51.100.1/24", "2001:db8:99::1/64"], ["198.51.100.2", "2001:db8:99::2"]),
}
END = ("203.0.113.1", "2001:db8:cb::1")      # of tunnels
NH = {}     # name: id


def nh(name):
    """The id of a next hop by name."""
    return NH.setdefault(name, len(NH) + 1)


def next_hops(nl):
    """All kinds, for all VRFs."""
    for name, dev, gateway in (("c0", "c0", "192.0.2.2"), ("c0v6", "c0", "2001:db8:c::2"), ("c1", "c1", "192.0.2.6"),
                               ("c2", "c2", "192.0.2.10"), ("silent", "c0", "2001:db8:c::dead")):
        nl.nh_adjacency(nh(name), dev, gateway)
    nl.nh_group(nh("core"), [(nh("c0"), 3), (nh("c2"), 1), (nh("c1"), 2)])
    nl.nh_group(nh("saved"), [(nh("silent"), 1), (nh("c2"), 1, 1)])
    for name, via, labels in (("lsp0", "c0", [100]), ("lsp6", "c0v6", [101]), ("lsp1", "c1", [102, 103]), ("lsp2", "c2", [104]),
                              ("deep", "c0", list(range(110, 118))), ("spread", "core", [105]),
                              ("explicit", "c0", [0]), ("implicit", "c0", []), ("saved", "saved", [106]),
                              ("mute", "silent", [107])):
        nl.nh_labelled(nh("path " + name), nh(via), labels)
    nl.nh_group(nh("pes"), [(nh("path lsp0"), 1), (nh("path lsp1"), 1), (nh("path deep"), 2)])
    for name, encap, local, remote in (("udp4", uapi.ENCAP_UDP, END[0], "192.0.2.2"), ("gre4", uapi.ENCAP_GRE, END[0], "192.0.2.2"),
                                       ("udp6", uapi.ENCAP_UDP, END[1], "2001:db8:c::2"),
                                       ("gre6", uapi.ENCAP_GRE, END[1], "2001:db8:c::2")):
        nl.nh_tunnel(nh(name), encap, local, remote)
        nl.endpoint_new(encap, local, sources=["198.51.100.0/24" if local == END[0] else "2001:db8:99::/64"],
                        **({"checksum": 0} if encap == uapi.ENCAP_UDP else {}))
    nl.nh_labelled(nh("path gre6"), nh("gre6"), [108, 109])
    nl.nh_group(nh("pes saved"), [(nh("path mute"), 1), (nh("path lsp2"), 1, 1), (nh("path lsp1"), 1, 1)])
    for name, kind in (("blackhole", uapi.NH_KIND_BLACKHOLE), ("unreachable", uapi.NH_KIND_UNREACHABLE),
                       ("receive", uapi.NH_KIND_RECEIVE), ("host", uapi.NH_KIND_HOST)):
        nl.nh_new(nh(name), kind)
    for vrf, number in VRFS.items():
        nl.nh_new(nh("vrf " + vrf), uapi.NH_KIND_VRF, [(uapi.NH_VRF, number.to_bytes(4, sys.byteorder))])
    for dev, (number, _, _, neighbours) in DEVICES.items():
        if number:
            subnet = neighbours[0].rsplit(".", 1)[0]
            for name, gateway in (("", neighbours[0]), (" v6", neighbours[1]), (" silent", subnet + ".77")):
                nl.nh_adjacency(nh("ce " + dev + name), dev, gateway)
            nl.nh_group(nh("ces " + dev), [(nh("ce " + dev), 1), (nh("ce " + dev + " v6"), 1), (nh("ce " + dev + " silent"), 1, 1)])


def routes_of(vrf):
    """What 10.64.0.0/16 and 2001:db8:40::/48 and those after them lead to: (next hop, VPN label or None)."""
    port, other, base = PORT[vrf], OTHER[vrf], VPN[vrf]
    ways = [("path lsp0", 1), ("path lsp6", 2), ("path lsp1", 3), ("path lsp2", 4), ("path deep", 5), ("path spread", 6),
            ("path explicit", 7), ("path implicit", 8), ("path saved", 9), ("pes", 10), ("pes saved", 11),
            ("ce " + port, None), ("ces " + port, None), ("ce " + port + " silent", None), ("vrf " + other, None),
            ("blackhole", None), ("unreachable", None), ("receive", None), ("c0", None), ("ce " + port, 12), ("udp4", 13),
            ("gre4", 14), ("udp6", 15), ("path gre6", 16)]
    return [(nh(name), None if label is None else base + label) for name, label in ways]


def routes(nl):
    """Each VRF's."""
    for vrf, number in VRFS.items():
        four, six = [], []
        for i, (hop, label) in enumerate(routes_of(vrf)):
            four.append(prefix4(f"10.{64 + i}.0.0/16", hop, label))
            six.append(prefix6(f"2001:db8:{0x40 + i:x}::/48", hop, label))
        # 10.78.0.0/16 goes to the other VRF, half of which comes back, and so on until there are too many of them
        there, back = (nh("vrf " + OTHER[vrf]), None), (nh("path lsp0"), VPN[vrf] + 20)
        four += [prefix4("10.78.0.0/17", *(back if vrf in ("GREEN", "PINK") else there)),
                 prefix4("203.0.113.0/24", nh("host")), prefix4("192.0.2.128/25", *back),
                 prefix4("10.3.0.0/16", *back)]
        six += [prefix6("2001:db8:4e:8000::/49", *(back if vrf in ("GREEN", "PINK") else there)),
                prefix6("2001:db8:cb::/48", nh("host"))]
        nl.route_add(number, four, six)


def labels(nl):
    """Those of A from 1000, of B from 2000, and those that are switched from 3000."""
    pop_vrf, pop_nh, swap = uapi.LABEL_ACTION_POP_VRF, uapi.LABEL_ACTION_POP_NH, uapi.LABEL_ACTION_SWAP
    records = []
    for base, vrfs in ((1000, ("RED", "GREEN")), (2000, ("BLUE", "PINK"))):
        for i, vrf in enumerate(vrfs):
            port, number = PORT[vrf], VRFS[vrf]
            records += [label_record(base + i, pop_vrf, number)]
            for j, name in enumerate(("ce " + port, "ces " + port, "ce " + port + " silent", "vrf " + OTHER[vrf], "blackhole",
                                      "unreachable", "receive", "c0")):
                records.append(label_record(base + 2 + 2 * j + i, pop_nh, number, nh(name)))
    for i, (name, out) in enumerate((("c0", 500), ("core", 501), ("c0", 3), ("path lsp1", 502), ("c0", 0), ("c2", 2), ("c1", 3),
                                     ("core", 3), ("path deep", 503), ("saved", 504), ("silent", 505), ("blackhole", 506),
                                     ("unreachable", 507), ("c1", 508), ("path implicit", 509), ("path lsp2", 3), ("udp4", 510), ("gre6", 3),
                                     ("path gre6", 511))):
        records.append(label_record(3000 + i, swap, 0, nh(name), out))
    nl.label_add(records)


def batch(lines):
    """Commands for ip in the namespace, in one process: starting one is what is slow in a guest."""
    subprocess.run(["ip", "-n", NS, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def neighbours():
    """Those that answer are permanent."""
    batch([f"neigh replace {address} lladdr 06:00:00:00:{ord(dev[0]):02x}:{ord(dev[1]):02x} dev {dev} nud permanent"
           for dev, (_, _, _, found) in DEVICES.items() for address in found])


def build():
    """The network; its netlink client."""
    sh(f"ip netns add {NS}; ip netns exec {NS} sysctl -qw net.ipv4.ip_forward=1 "
       "net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
       "net.ipv6.conf.default.router_solicitations=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
       "net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000")
    with Netns(NS):
        nl = L3vpn()
    for name, number in VRFS.items():
        nl.vrf_new(name, id=number, table=100 + number)
    batch(["link set lo up", "addr add 203.0.113.1/24 dev lo", "addr add 2001:db8:cb::1/64 dev lo nodad"] +
          [line for name, number in VRFS.items() for line in (
              f"link set {name} address 02:00:00:00:01:{number:02x} up", f"route add default dev {name} table {100 + number}",
              f"route add ::/0 dev {name} table {100 + number}")] +
          [line for name, (_, mtu, _, _) in DEVICES.items() for line in (
              f"link add {name} type fuzzport", f"link set {name} mtu {mtu} up")])
    with Netns(NS):
        for name, (number, _, _, _) in DEVICES.items():
            if number != 0:
                nl.port_new(name, number)
    batch([f"addr add {address} dev {name}" + (" nodad" if ":" in address else "")
           for name, (_, _, addresses, _) in DEVICES.items() for address in addresses])
    neighbours()
    with Netns(NS):
        next_hops(nl)
    routes(nl)
    labels(nl)
    return nl


def counts():
    """What the judge counted, by name."""
    with open(PARAMETERS + "counts", encoding="ascii") as f:
        return {name: int(n) for name, n in (line.split() for line in f)}


def report():
    """The first violations, as comments."""
    with open(PARAMETERS + "report", encoding="ascii") as f:
        return "".join("# " + line for line in f).rstrip()


def feed(seed, first, count):
    """Packets into the namespace."""
    with Netns(NS), open(PARAMETERS + "run", "w", encoding="ascii") as f:
        f.write(f"{seed} {first} {count}\n")


REASON = {value: name[len("L3VPN_DROP_"):] for name, value in uapi.CONSTANTS.items()
          if name in next(names for enum, names in uapi.ENUMS if enum == "l3vpn_drop")}
# What these packets must meet; there is no memory to run out of, no port to go down.
EXPECTED = ("NO_ROUTE", "UNREACHABLE", "BLACKHOLE", "TTL", "MTU", "HEADER", "MARTIAN", "NOT_FOR_HOST", "LABEL_ON_CUSTOMER",
            "LABEL_UNKNOWN", "LABEL_STACK", "LABEL_PAYLOAD", "VLAN", "PROTOCOL", "NEIGHBOUR", "VRF_LOOP", "MULTICAST",
            "TUNNEL_HEADER", "TUNNEL_CHECKSUM", "TUNNEL_SOURCE", "TUNNEL_PAYLOAD", "TUNNEL_ECN")


def main():
    """Feed, then ask the judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packets", type=int, default=int(os.environ.get("L3VPN_PACKETS") or 0),
                        help="how many; 0: as many as there is time for")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("L3VPN_SECONDS") or 20))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("L3VPN_SEED") or random.randrange(1 << 30)))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--batch", type=int, default=5000)
    o = parser.parse_args()
    print(f"TAP version 13\n1..4\n# seed {o.seed}, from packet {o.first} on", flush=True)
    sh(f"insmod {os.environ['L3VPN_MODULES']}/packet_fuzz.ko")
    nl = build()
    start, at, told = time.monotonic(), o.first, 0
    while not counts()["violations"]:
        elapsed = time.monotonic() - start
        if at - o.first >= o.packets if o.packets else elapsed > o.seconds:
            break
        count = min(o.batch, o.packets - (at - o.first)) if o.packets else o.batch
        feed(o.seed, at, count)
        at += count
        if elapsed > told + 30:
            told = elapsed
            print(f"# {at - o.first} packets in {elapsed:.0f} s", flush=True)
        if at // o.batch % 16 == 0:
            neighbours()    # fuzzed ARP and neighbour discovery may have moved them, or had them forgotten
            drops = {REASON[k]: v for k, v in nl.drops().items()}
    failed = 0

    def tell(number, good, title, why=""):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} {title}" + (f"\n{why}" if not good else ""), flush=True)

    drops = {REASON[k]: v for k, v in nl.drops().items()}
    found = counts()
    seconds = time.monotonic() - start
    print(f"# {at - o.first} packets in {seconds:.0f} s\n# {found}\n# drops {drops}", flush=True)
    tell(1, not found["violations"], f"{at - o.first} packets: no violation", report())
    unmet = [reason for reason in EXPECTED if not drops.get(reason)] + \
        [name for name in ("sent_customer", "sent_core", "sent_global", "errors", "fragments", "gso", "compared", "to_port",
                           "to_vrf", "to_host", "dropped", "waited", "others", "clones") if not found[name]]
    tell(2, not unmet, "every fate was met", f"# none of {unmet}")
    sh(f"ip netns del {NS}")
    try:
        wait(lambda: not counts()["outstanding"], "packets that wait", 60)
        left = 0
    except AssertionError:
        left = counts()["outstanding"]
    tell(3, not left, "no packet is left", f"# {left}")
    gone = subprocess.run(["rmmod", "packet_fuzz"], check=False, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True)
    tell(4, not gone.returncode, "the generator goes", "# " + gone.stdout)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
