#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A cable is pulled where our end of it does not notice: how soon the backup carries the packets. Run by scripts/bench bfd,
in a guest.

    ce 10.1.0.2 --- red [VRF RED] pe (l3vpnd) core1 --- sw (bridge) --x-- p1 (BIRD)    label 1002, primary
                                              core2 ------------------- p2 (BIRD)    label 2002, backup

    p2 is a BGP speaker as well and announces the VPN routes, all by PE 192.0.2.9.

ce sends RATE packets a second, each with a number, to destinations all over the routes. The taps at p1 and p2 have the
kernel's time of arrival; the clock is read just before the system call that takes the port of sw to p1 down. What neither
tap saw is lost. While the routes are loaded it is counted how often a session falls.
"""
import argparse
import fcntl
import ipaddress
import json
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib")]

from speaker import VPNV4, Speaker, end_of_rib, vpn_updates             # noqa: E402
from topology import Bird, L3vpnd, Topology, wait_for                   # noqa: E402

FIRST = int(ipaddress.ip_address("20.0.0.0"))
PRIMARY, BACKUP, VPN = 1002, 2002, 500

CONFIG = """vrf RED
 rd 65000:1
 address-family ipv4 unicast
  import route-target 65000:1
 !
!
interface red
 vrf RED
 ipv4 address 10.1.0.1/24
!
interface lo
 ipv4 address 192.0.2.1/32
!
mpls
 static lsp 192.0.2.9/32
  path 198.51.100.1 out-label %d
  path 198.51.100.3 out-label %d backup
 !
!
router bgp 65000
 router-id 192.0.2.1
 neighbor 192.0.2.12
  remote-as 65000
  update-source 192.0.2.1
  passive
  address-family vpnv4 unicast
  !
 !
!
""" % (PRIMARY, BACKUP)

# number after number, at the given rate, to one of so many networks each time, until ended
SENDER = """import random, socket, struct, sys, time
first, routes, rate = map(int, sys.argv[1:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
where = [(socket.inet_ntoa(struct.pack("!I", first + (random.randrange(routes) << 8) + 1)), 9) for _ in range(8192)]
begin, n = time.monotonic(), 0
while True:
    s.sendto(struct.pack("!Q", n), where[n & 8191])
    n += 1
    wait = begin + n / rate - time.monotonic()
    if wait > 0:
        time.sleep(wait)
"""


def core(interval):
    """Both interfaces of the core, with BFD."""
    return "".join("interface core%d\n mpls\n ipv4 address 198.51.100.%d/31\n bfd fast-detect\n bfd minimum-interval %d\n"
                   " bfd multiplier 3\n!\n" % (n, 2 * n - 2, interval) for n in (1, 2))


def bird(n, interval):
    return ("router id 192.0.2.1%d;\nprotocol device { scan time 1; }\nprotocol bfd { interface \"pe\" { min rx interval %d ms; "
            "min tx interval %d ms; idle tx interval 1 s; multiplier 3; };\n neighbor 198.51.100.%d dev \"pe\" local 198.51.100.%d;\n}\n"
            % (n, interval, interval, 2 * n - 2, 2 * n - 1))


def urgent(pid):
    """All threads of a process before others: the neighbours are not what is measured."""
    for thread in os.listdir("/proc/%d/task" % pid):
        os.sched_setscheduler(int(thread), os.SCHED_RR, os.sched_param(1))


class Net(Topology):
    def build(self, interval):
        self.add("ce", "pe", "sw", "p1", "p2")
        self.link("ce:pe", "pe:red", "pe:core1", "sw:pe", "p1:pe", "sw:p1", "p2:pe", "pe:core2")
        self["sw"].ip("link add name br0 type bridge", "link set dev br0 up", "link set pe master br0", "link set p1 master br0")
        self["ce"].ip("addr add 10.1.0.2/24 dev pe", "route add default via 10.1.0.1")
        for n in (1, 2):
            self["p%d" % n].ip("addr add 198.51.100.%d/31 dev pe" % (2 * n - 1))
        self["p2"].ip("addr add 192.0.2.12/32 dev lo", "route add 192.0.2.1 via 198.51.100.2")
        self["pe"].sysctl("net.ipv4.ip_forward=1")
        self["pe"].ip("route add 192.0.2.12 via 198.51.100.3 dev core2 onlink")
        self.birds = [Bird(self["p%d" % n], bird(n, interval)).start() for n in (1, 2)]
        for b in self.birds:
            urgent(b.process.pid)
        self.pe = L3vpnd(self["pe"], CONFIG + core(interval)).start()
        wait_for("both sessions", lambda: self.up() == 2, 60)
        self.speaker = Speaker(self["p2"], "192.0.2.1", 65000, "192.0.2.12", source="192.0.2.12", families=(VPNV4,)).connect()
        self.taps = {n: Tap(self["p%d" % n], label) for n, label in ((1, PRIMARY), (2, BACKUP))}
        self.port = self["sw"].inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        return self

    def sessions(self):
        return self.pe.json("show bfd session")

    def up(self):
        return sum(s["state"] == "up" and s["interval"] < 1000 for s in self.sessions())

    def downs(self):
        """How often sessions fell because (we heard nothing, the neighbour heard nothing)."""
        with open(self.pe.process.log, encoding="utf-8") as log:
            text = log.read()
        return text.count(": down: control detection time expired"), text.count(": down: neighbor signaled session down")

    def announce(self, begin, end):
        routes = [("65000:9", "%s/24" % ipaddress.ip_address(FIRST + (n << 8)), VPN) for n in range(begin, end)]
        updates = list(vpn_updates(VPNV4, "192.0.2.9", ["65000:1"], routes)) + [end_of_rib(VPNV4)]
        start = time.monotonic()
        self.speaker.send(*updates)
        wait_for("%d routes in the module" % end, lambda: self.routes() >= end, 1200, 0.5)
        return time.monotonic() - start

    def routes(self):
        rows = json.loads(self.pe.sh("show forwarding summary | json"))["rows"]
        return sum(int(row["entries"]) for row in rows if row["table"] == "ipv4-route" and row.get("vrf", "RED") == "RED")

    def cable(self, up):
        """One system call: the port of the switch to p1."""
        request = struct.pack("16sh14x", b"p1", 0x1043 if up else 0x1002)
        fcntl.ioctl(self.port, 0x8914, request)          # SIOCSIFFLAGS


class Tap:
    """Numbers of the packets under a label that came to a node, with the times."""

    def __init__(self, node, label):
        def make():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x8847))
            s.setsockopt(socket.SOL_SOCKET, 35, 1)      # SO_TIMESTAMPNS
            s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)        # SO_RCVBUFFORCE
            s.bind(("pe", 0x8847))
            s.setblocking(False)
            return s
        self.socket, self.label = node.inside(make), label

    def packets(self):
        """{number: nanoseconds} of what came since the last call."""
        found = {}
        while True:
            try:
                data, control, _flags, _from = self.socket.recvmsg(256, 256)
            except BlockingIOError:
                return found
            outer, inner = struct.unpack("!II", data[14:22])
            if (outer >> 12, inner >> 12) != (self.label, VPN):
                sys.exit("bfd: labels %d, %d out of the interface for %d" % (outer >> 12, inner >> 12, self.label))
            seconds, nanoseconds = struct.unpack("qq", control[0][2])
            found[struct.unpack("!Q", data[22 + 28:22 + 36])[0]] = seconds * 1000000000 + nanoseconds


def one(net):
    """One failure and the return: (milliseconds, packets lost)."""
    seen = {1: {}, 2: {}}

    def look(n, more):
        def enough():
            seen[n].update(net.taps[n].packets())
            return len(seen[n]) >= more
        wait_for("packets at p%d" % n, enough, 60, 0.01)
    for n in (1, 2):
        net.taps[n].packets()
    look(1, 50)
    time.sleep(random.uniform(0, 0.1))                   # at any point between two packets of BFD
    cut = time.time_ns()
    net.cable(False)
    look(2, 100)
    seen[1].update(net.taps[1].packets())
    first = min(seen[2].values())
    last = max(seen[2])
    numbers = range(min(seen[1]), last + 1)
    lost = sum(n not in seen[1] and n not in seen[2] for n in numbers)
    net.cable(True)
    wait_for("both sessions", lambda: net.up() == 2, 60, 0.1)
    seen[1].clear()
    look(1, 50)
    return (first - cut) / 1e6, lost


def series(net, o, routes):
    sender = subprocess.Popen(net["ce"].argv([sys.executable, "-c", SENDER, str(FIRST), str(routes), str(o.rate)]))
    try:
        found = [one(net) for _ in range(o.rounds)]
    finally:
        sender.terminate()
        sender.wait(10)
    ms = [f[0] for f in found]
    print(json.dumps({"bfd": "cable", "routes": routes, "rounds": o.rounds, "interval_ms": o.interval, "multiplier": 3,
                      "ms_median": round(statistics.median(ms), 1), "ms_max": round(max(ms), 1), "ms_min": round(min(ms), 1),
                      "lost_median": statistics.median(f[1] for f in found), "lost_max": max(f[1] for f in found),
                      "packets_per_second": o.rate}), flush=True)
    return statistics.median(ms)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--routes", type=int, default=1000000)
    p.add_argument("--rounds", type=int, default=21)
    p.add_argument("--rate", type=int, default=1000, help="packets a second")
    p.add_argument("--interval", type=int, default=50, help="of BFD, milliseconds")
    o = p.parse_args()
    with Net() as net:
        net.build(o.interval)
        net.announce(0, 1)
        few = series(net, o, 1)
        before = net.downs()
        seconds = net.announce(1, o.routes)
        print(json.dumps({"bfd": "load", "routes": o.routes, "seconds": round(seconds, 1), "sessions": 2,
                          **dict(zip(("fell_here", "fell_there"), (b - a for a, b in zip(before, net.downs()))))}), flush=True)
        many = series(net, o, o.routes)
        print(json.dumps({"bfd": "cable", "ratio": round(many / few, 3), "of_routes": [o.routes, 1]}), flush=True)


main()
