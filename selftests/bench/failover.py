#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A failed next hop under few and under many routes: how soon the backup carries the packets, and how many are lost.
Run by scripts/bench failover, in a guest.

                                           +-- a0  192.0.2.1/30   primary: path of label 100
    l3vpn_failover.ko --> in0 [VRF SMALL] -+
                                           +-- b0  192.0.2.5/30   backup: path of label 101
    likewise in1, a1, b1 and VRF LARGE

All devices are dummies of one namespace, with permanent neighbours. A packet comes in every PERIOD nanoseconds, to one
of 1,024 destinations (SMALL) or 65,536 (LARGE) in turn. Both VRFs fail in turn in every round, so that the machine's
moods hit both alike. Clock, taps and counts are the module's, by ktime: the time is taken before the system call that
fails the primary, so it has that call in it, and up to one PERIOD until the next packet comes.

Triggers:
    carrier     the primary's device loses its carrier: no message
    message     NH_STATE says that the primary's adjacency is down
    neighbour   rtnetlink says that the primary's neighbour has failed
"""
import argparse
import ctypes
import json
import os
import random
import socket
import statistics
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

import uapi                                                             # noqa: E402
from l3vpn_nl import NLM_F_REQUEST, L3vpn, attr, enter_netns, get, ifindex, prefix4, u8, u32  # noqa: E402
from wire import ETH_IP, eth, ipv4, mac_of, sh, udp                     # noqa: E402

PARAMETERS = "/sys/module/l3vpn_failover/parameters/"
SINK = "02:00:00:00:00:02"
BACKUP = uapi.MEMBER_FLAG_BACKUP
FIRST = 20 << 24                        # the first /24 of the routes
RTM_NEWNEIGH, NLM_F_REPLACE, NUD_PERMANENT, NUD_FAILED = 28, 0x100, 0x80, 0x20
_libc = ctypes.CDLL(None, use_errno=True)


class Side:
    """A VRF with its three devices, its group and its routes."""

    def __init__(self, nl, i, routes):
        self.nl, self.routes, self.i = nl, routes, i
        self.vrf = 1 + i
        self.dev = {role: f"{role}{i}" for role in "iab"}
        self.dev["i"] = f"in{i}"
        for name in self.dev.values():
            sh(f"ip -n pe link add {name} type dummy; ip -n pe link set {name} up")
        nl.vrf_new(f"RED{i}", id=self.vrf)
        sh(f"ip -n pe link set RED{i} up")
        nl.port_new(self.dev["i"], self.vrf)
        sh(f"ip -n pe addr add 10.1.0.1/24 dev {self.dev['i']}")
        self.nh = {}
        for n, (role, label) in enumerate((("a", 100), ("b", 101))):
            net = f"192.0.{2 + i}."
            nl.port_new(self.dev[role])
            sh(f"ip -n pe addr add {net}{1 + 4 * n}/30 dev {self.dev[role]}; "
               f"ip -n pe neigh add {net}{2 + 4 * n} lladdr {SINK} dev {self.dev[role]} nud permanent")
            self.nh[role] = 100 * (i + 1) + n
            nl.nh_adjacency(self.nh[role], self.dev[role], f"{net}{2 + 4 * n}")
            nl.nh_labelled(self.nh[role] + 10, self.nh[role], [label])
        self.gateway = socket.inet_aton(f"192.0.{2 + i}.2")
        self.group = 100 * (i + 1) + 50
        nl.nh_group(self.group, [(self.nh["a"] + 10, 1, 0), (self.nh["b"] + 10, 1, BACKUP)])
        for at in range(0, routes, 4000):
            nl.route_add(self.vrf, [prefix4((FIRST + (n << 8), 24), self.group, 5000)
                                    for n in range(at, min(at + 4000, routes))])
        self.spread = min(1 << (routes.bit_length() - 1), 65536)
        packet = ipv4("10.1.0.2", "20.0.0.1", udp(1000, 2000, bytes(18)))
        self.frame = eth(mac_of("pe", self.dev["i"]), SINK, ETH_IP, packet).hex()

    def in_use(self):
        """Which member takes the flows."""
        return get(self.nl.nh_get(self.group)[uapi.NH_IN_USE])


class Triggers:
    """For each: what fails the primary of a side in one system call, and what brings it back."""

    def __init__(self, sides):
        self.genl = L3vpn()
        self.rt = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.rt.bind((0, 0))
        self.carriers = {}
        os.makedirs("/tmp/failover-sys", exist_ok=True)
        if _libc.mount(b"sysfs", b"/tmp/failover-sys", b"sysfs", 0, None):      # of this namespace
            raise OSError(ctypes.get_errno(), "mount")
        for s in sides:
            self.carriers[s.i] = os.open(f"/tmp/failover-sys/class/net/{s.dev['a']}/carrier", os.O_WRONLY)

    def carrier(self, side, fails):
        """The carrier of the primary's device."""
        fd, data = self.carriers[side.i], b"0" if fails else b"1"
        return lambda: os.write(fd, data)

    def message(self, side, fails):
        """NH_STATE, as bytes."""
        body = struct.pack("=BBH", uapi.CMD_NH_STATE, 1, 0) + attr(uapi.NH_ID, u32(side.nh["a"])) + \
            attr(uapi.NH_DOWN, u8(fails))
        data = struct.pack("=IHHII", len(body) + 16, self.genl.family, NLM_F_REQUEST, 1, 0) + body
        fd = self.genl.sock.fileno()
        return lambda: os.write(fd, data)

    def neighbour(self, side, fails):
        """RTM_NEWNEIGH, as bytes."""
        body = struct.pack("=BBHiHBB", socket.AF_INET, 0, 0, ifindex(side.dev["a"]), NUD_FAILED if fails else NUD_PERMANENT,
                           0, 0) + attr(1, side.gateway)
        if not fails:
            body += attr(2, bytes.fromhex(SINK.replace(":", "")))
        data = struct.pack("=IHHII", len(body) + 16, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_REPLACE, 1, 0) + body
        fd = self.rt.fileno()
        return lambda: os.write(fd, data)


def counts(fd):
    """Nanoseconds to the first packet of the backup, packets by the primary, by the backup, fed, lost on the way."""
    return [int(x) for x in os.pread(fd, 200, 0).split()]


def until(condition, what):
    """Wait for it."""
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"failover: {what}: not within 10 s")
        time.sleep(0.0005)


def one(side, make, mark, period):
    """One failure and the return: (ns, late packets of the primary, lost meanwhile, lost at the return)."""
    with open(PARAMETERS + "feed", "w", encoding="ascii") as f:
        f.write(f"{side.dev['i']} {side.dev['a']} {side.dev['b']} {period} {side.spread} {side.frame}\n")
    fail, heal = make(side, True), make(side, False)
    os.write(mark, b"1")
    until(lambda: counts(mark)[1] > 20, "packets by the primary")
    # at any point between two packets, not always soon after the timer that woke us
    end = time.perf_counter_ns() + random.randrange(2 * period)
    while time.perf_counter_ns() < end:
        pass
    os.write(mark, b"1")
    fail()
    until(lambda: counts(mark)[2] > 20, "packets by the backup")
    ns, late, _, _, nowhere = counts(mark)
    heal()
    until(lambda: side.in_use() == 1, "the primary back")
    os.write(mark, b"1")
    until(lambda: counts(mark)[1] > 20, "packets by the primary again")
    _, _, _, _, back = counts(mark)
    with open(PARAMETERS + "feed", "w", encoding="ascii") as f:
        f.write("stop\n")
    return ns, late, nowhere, back


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--routes", type=int, default=1000000, help="of VRF LARGE")
    p.add_argument("--rounds", type=int, default=101)
    p.add_argument("--period", type=int, default=100000, help="nanoseconds between packets")
    o = p.parse_args()
    sh(f"insmod {os.environ['L3VPN_MODULES']}/l3vpn_failover.ko")
    sh("ip netns add pe; ip -n pe link set lo up; ip netns exec pe sysctl -qw net.ipv6.conf.all.disable_ipv6=1 "
       "net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
       "net.ipv4.ip_forward=1")
    enter_netns("pe")
    nl = L3vpn()
    sides = [Side(nl, 0, 1000), Side(nl, 1, o.routes)]
    triggers = Triggers(sides)
    mark = os.open(PARAMETERS + "mark", os.O_RDWR)
    for name in ("carrier", "message", "neighbour"):
        found = {s.i: [] for s in sides}
        for n in range(o.rounds + 3):
            for s in sides if n % 2 else reversed(sides):
                result = one(s, getattr(triggers, name), mark, o.period)
                if n >= 3:              # the first ones warm up
                    found[s.i].append(result)
        medians = {}
        for s in sides:
            us = sorted(r[0] / 1000 for r in found[s.i])
            medians[s.i] = statistics.median(us)
            print(json.dumps({
                "failover": name, "routes": s.routes, "rounds": o.rounds, "us_median": round(medians[s.i], 1),
                "us_p99": round(us[int(len(us) * 0.99)], 1), "us_max": round(us[-1], 1),
                "lost_median": statistics.median(r[1] + r[2] for r in found[s.i]),
                "lost_max": max(r[1] + r[2] for r in found[s.i]),
                "lost_at_return_max": max(r[3] for r in found[s.i]), "period_ns": o.period}), flush=True)
        print(json.dumps({"failover": name, "ratio": round(medians[1] / medians[0], 3),
                          "of_routes": [sides[1].routes, sides[0].routes]}), flush=True)


main()
