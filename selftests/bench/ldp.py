#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""LDP of l3vpnd beside that of FRR's ldpd, in turn, in one run. Run by scripts/bench ldp, in a guest.

    dut 192.0.2.1 (core) 198.51.100.2 ---- 198.51.100.1 (pe) far: a speaker that is the same for both

The dut has N host routes towards far in the kernel's main table. Times:
    advertised_ms  from the first route that is added, the session being up, until far has a label for the last
    forwarding_ms  from the first mapping that far sends until a labelled packet for every FEC comes back under far's label
Packets are real: far sends them with the label that it was given, and the dut (the module, or Linux's MPLS table, filled by
zebra) swaps it. Memory is the daemons' peak resident set (VmHWM) and their proportional set (Pss) at the end. For FRR the sum of
ldpd's three processes; zebra, which puts the labels into the kernel, is told apart.

--ladder: the failures of lib/ladder.py, all six routers FRR's, all ours, and mixed; medians of the rounds.
"""
import argparse
import json
import os
import re
import select
import socket
import statistics
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from ladder import Ladder, measure                                      # noqa: E402
from ldp_speaker import ADDRESS, MAPPING, LdpSpeaker, addresses, fec, label, message, pdu, prefix  # noqa: E402
from topology import Frr, L3vpnd, Topology, run, wait_for               # noqa: E402

FAR, PE, CORE = "198.51.100.1", "192.0.2.1", "198.51.100.2"
FIRST = 500000                          # far's label of the first FEC
ETH_MPLS, OUTGOING, SO_RCVBUFFORCE = 0x8847, 4, 33
OURS = """interface core
 mpls
 ipv4 address %s/24
!
interface lo
 ipv4 address %s/32
!
mpls
 ldp
  router-id %s
  discovery hello interval 1
  interface core
  !
 !
!
""" % (CORE, PE, PE)
FRR = """log stdout
mpls ldp
 router-id %s
 address-family ipv4
  discovery transport-address %s
  interface core
   discovery hello interval 1
  exit
 exit-address-family
exit
""" % (PE, PE)


def host(i):
    return "20.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)


class Probe:
    """Labelled packets out of far's device, and those that come back."""

    def __init__(self, node, dut_mac):
        def make():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_MPLS))
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            s.bind(("pe", ETH_MPLS))
            return s, s.getsockname()[4]
        self.socket, own = node.inside(make)
        self.head = dut_mac + own + struct.pack("!H", ETH_MPLS)

    def send(self, value, destination):
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, socket.inet_aton(FAR), socket.inet_aton(destination))
        total = sum(struct.unpack("!10H", ip))
        total = (total & 0xffff) + (total >> 16)
        ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + ip[12:]
        self.socket.send(self.head + struct.pack("!I", value << 12 | 1 << 8 | 64) + ip + struct.pack("!HHHH", 1, 9, 8, 0))

    def answers(self, wait):
        """{far's label} of what has come back, after at most so many seconds without anything."""
        found = set()
        while select.select([self.socket], [], [], wait)[0]:
            frame, address = self.socket.recvfrom(2048)
            if address[2] != OUTGOING:
                found.add(struct.unpack("!I", frame[14:18])[0] >> 12)
            wait = 0
        return found


def memory(pids):
    peak = pss = 0
    for pid in pids:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            peak += int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
        with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
            pss += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return peak, pss


def family(pid):
    """The process and its children."""
    pids = [pid]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with open("/proc/%s/stat" % entry, encoding="ascii") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    pids.append(int(entry))
    return pids


def mappings(messages):
    """{FEC's address: label} of a speaker's messages, of host routes in 20.0.0.0/8."""
    found = {}
    for kind, _number, body in messages:
        if kind == MAPPING and body[4:9] == b"\2\0\1\x20\x14":
            found[socket.inet_ntoa(body[8:12])] = struct.unpack("!I", body[16:20])[0]
    return found


def wait(condition, what, seconds=300.0):
    wait_for(what, condition, seconds, 0.002)


def one(kind, n):
    """One round of one kind: its figures."""
    with Topology() as net:
        net.add("dut", "far")
        net.link("dut:core", "far:pe")
        net["far"].ip("addr add %s/24 dev pe" % FAR, "route add %s/32 via %s" % (PE, CORE))
        dut = net["dut"]
        dut.sysctl("net.ipv4.ip_forward=1")
        if kind == "frr":
            dut.sysctl("net.mpls.platform_labels=1048575", "net.mpls.conf.core.input=1")
            dut.ip("addr add %s/24 dev core" % CORE, "addr add %s/32 dev lo" % PE)
            frr = Frr(dut, FRR, ("zebra", "ldpd")).start()
            daemon, zebra = frr.processes["ldpd"], frr.processes["zebra"]
        else:
            daemon, zebra = L3vpnd(dut, OURS).start().process, None
        mac = bytes.fromhex(json.loads(run(["ip", "-n", dut.netns, "-j", "link", "show", "core"]))[0]["address"].replace(":", ""))
        idle = memory(family(daemon.pid))
        probe = Probe(net["far"], mac)
        speaker = LdpSpeaker(net["far"], "pe", FAR, PE, hold=15).connect(keepalive=180)
        speaker.send(message(ADDRESS, addresses(FAR), 2))
        routes = "".join("route add %s/32 via %s dev core\n" % (host(i), FAR) for i in range(n))
        begun = time.monotonic()
        run(["ip", "-n", dut.netns, "-batch", "-"], stdin=routes, timeout=300)
        added = time.monotonic() - begun
        wait(lambda: len(speaker.messages) >= n and len(mappings(speaker.messages)) == n, "labels of the dut")
        advertised = time.monotonic() - begun
        given = mappings(speaker.messages)
        octets = b"".join(pdu(FAR, *[message(MAPPING, fec(prefix(host(i) + "/32")) + label(FIRST + i), i + 10)
                                     for i in range(at, min(at + 120, n))]) for at in range(0, n, 120))
        begun = time.monotonic()
        speaker.raw(octets)
        # one packet in 5 ms for the last one; when it comes back, one for each
        while FIRST + n - 1 not in probe.answers(0.005):
            probe.send(given[host(n - 1)], host(n - 1))
            assert time.monotonic() - begun < 300, "the last FEC does not forward"
        last = time.monotonic() - begun
        left = set(range(n))
        while left:
            for i in sorted(left)[:1000]:
                probe.send(given[host(i)], host(i))
            left -= {value - FIRST for value in probe.answers(0.05)}
            assert time.monotonic() - begun < 300, "%d FECs do not forward" % len(left)
        forwarding = time.monotonic() - begun
        peak, pss = memory(family(daemon.pid))
        figures = {"routes_ms": added * 1000, "advertised_ms": advertised * 1000, "last_ms": last * 1000,
                   "forwarding_ms": forwarding * 1000, "peak_kb": peak, "pss_kb": pss, "idle_peak_kb": idle[0]}
        if zebra:
            figures["zebra_peak_kb"], figures["zebra_pss_kb"] = memory([zebra.pid])
        speaker.close()
        return figures


def fecs(n, rounds):
    found = {"frr": [], "ours": []}
    for r in range(rounds):
        for kind in ("ours", "frr") if r % 2 else ("frr", "ours"):
            figures = one(kind, n)
            found[kind].append(figures)
            print(json.dumps({"ldp": kind, "fecs": n, "round": r, **{k: round(v, 1) for k, v in figures.items()}}), flush=True)
    middle = {kind: {k: statistics.median(f[k] for f in figures) for k in figures[0]} for kind, figures in found.items()}
    print(json.dumps({"ldp": "ratio of ours to FRR's ldpd, medians", "fecs": n, "rounds": rounds, **{
        k: round(middle["ours"][k] / middle["frr"][k], 3) for k in ("advertised_ms", "last_ms", "forwarding_ms", "peak_kb", "pss_kb")},
        "peak_kb_to_ldpd_and_zebra": round(middle["ours"]["peak_kb"] / (middle["frr"]["peak_kb"] + middle["frr"]["zebra_peak_kb"]), 3)}),
          flush=True)


def ladder(rounds):
    kinds = {"frr": ["frr"] * 6, "ours": ["ours"] * 6, "mixed": ["ours", "frr", "ours", "frr", "frr", "ours"]}
    found = {}
    for _round in range(rounds):
        for name, each in kinds.items():
            with Ladder(dict(zip(range(1, 7), each))) as net:
                begun = time.time()
                net.build().start()
                found.setdefault((name, "start", "all_sites_ms"), []).append(round((time.time() - begun) * 1000))

                def report(event, figures, name=name):
                    for figure, value in figures.items():
                        found.setdefault((name, event, figure), []).append(value)
                measure(net, report)
    for (name, event, figure), values in found.items():
        print(json.dumps({"ladder": name, "event": event, figure: statistics.median(values), "rounds": values}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fecs", type=int, default=10000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--ladder", action="store_true", help="failures in a ladder of six routers instead")
    o = p.parse_args()
    run(["modprobe", "-a", "mpls_router", "veth"], check=False)
    if o.ladder:
        ladder(o.rounds)
    else:
        fecs(o.fecs, o.rounds)


main()
