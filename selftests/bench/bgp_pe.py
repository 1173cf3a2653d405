#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""l3vpnd as PE: 1,000,000 routes from a reflector into 1,000 VRFs and into the module. Run by scripts/bench pe, in a guest.

    pe (l3vpnd, l3vpn.ko) 198.51.100.0 core ---- 198.51.100.1 far: the load tool as reflector, 100 PEs behind it

load: from the first octet that is announced until the module holds the last route, whose count it tells itself; CPU by
thread, user and system: the system's part of the main thread is netlink and the module's own work. Memory of the daemon by
kind (show memory), and of the kernel (slab, vmalloc, per-CPU). Then all are withdrawn.
"""
import argparse
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from l3vpn_nl import L3vpn                                              # noqa: E402
from load import AS, Failure, Load, threads, usage                      # noqa: E402
from topology import L3vpnd, Topology, run, wait_for                    # noqa: E402

PE, FAR, PES = "198.51.100.0", "198.51.100.1", 100


def hop(n):
    return "10.9.0.%d" % (1 + n)


def vrf(n, *more):
    return ("vrf V%d\n rd %d:%d\n address-family ipv4 unicast\n%s !\n!\n" % (
        n, AS, 100000 + n, "".join("  import route-target %d:%d\n" % (AS, rt) for rt in (1 + n, *more))))


def config(vrfs):
    text = "".join(vrf(n) for n in range(vrfs))
    text += "interface core\n mpls\n ipv4 address %s/31\n!\nmpls\n" % PE
    text += "".join(" static lsp %s/32\n  path %s out-label %d\n !\n" % (hop(n), FAR, 1000 + n) for n in range(PES))
    return text + ("!\nrouter bgp %d\n router-id 192.0.2.1\n neighbor %s\n  remote-as %d\n  passive\n"
                   "  address-family vpnv4 unicast\n  !\n !\n!\n" % (AS, FAR, AS))


def kernel_mb():
    text = open("/proc/meminfo", encoding="ascii").read()
    return {name.lower(): int(re.search(name + r":\s+(\d+)", text)[1]) / 1024
            for name in ("Slab", "VmallocUsed", "Percpu", "MemAvailable")}


class Pe:
    """The network, its PE and its reflector, without routes."""

    def __init__(self, net, args):
        net.add("pe", "far")
        net.link("pe:core", "far:pe")
        net["far"].ip("addr add %s/31 dev pe" % FAR)
        self.net, self.args = net, args
        self.daemon = L3vpnd(net["pe"], config(args.vrfs))
        begin = time.monotonic()
        self.daemon.start(300)
        wait_for("all VRFs", lambda: self.info()["vrfs"] >= args.vrfs, 300, 0.1)
        self.vrfs_s = time.monotonic() - begin
        self.load = Load(net["far"].argv([]), args.routes, args.per_set, args.vrfs)
        self.load.say("nexthops", hop(0), PES)
        self.load.session("rr", FAR, PE)
        self.load.up()
        self.base = self.info()["routes4"]
        self.pid = self.daemon.process.pid

    def info(self):
        if not hasattr(self, "module"):
            self.module = self.net["pe"].inside(L3vpn)
        return self.module.info()

    def routes(self, count, seconds=600):
        """When the module came to hold so many routes of VPNs."""
        deadline = time.monotonic() + seconds
        while self.info()["routes4"] != self.base + count:
            now = time.monotonic()
            if now > deadline:
                raise Failure("the module has %d routes, not %d" % (self.info()["routes4"] - self.base, count))
            time.sleep(0.02)
        return time.monotonic()

    def close(self):
        self.load.close()


def spent(before, after):
    """{thread: {user, system}} by name and order, of those that did something."""
    told, names = {}, {}
    for tid in sorted(after):
        name, user, system = after[tid]
        names[name] = names.get(name, 0) + 1
        _name, user0, system0 = before.get(tid, (name, 0, 0))
        if user - user0 or system - system0:
            told["%s/%d" % (name, names[name])] = {"user": round(user - user0, 2), "system": round(system - system0, 2)}
    return told


def load(args):
    with Topology() as net:
        pe = Pe(net, args)
        kernel = kernel_mb()
        before = threads(pe.pid)
        idle = usage(pe.pid)[0] / 1024
        pe.daemon.sh("clear system")
        pe.load.say("mark")
        pe.load.say("announce", "rr", 0, args.routes)
        pe.load.say("sent", "rr", 600)
        done = pe.routes(args.routes)
        sent = pe.load.right(pe.load.say("stats", "rr"))
        after = threads(pe.pid)
        told = {"bench": "pe", "case": "load", "routes": args.routes, "vrfs": args.vrfs, "per_set": args.per_set,
                "vrfs_s": round(pe.vrfs_s, 2), "load_s": round(done - sent["sent_first"], 3),
                "read_s": round(sent["sent_last"] - sent["sent_first"], 3), "cpu_s": spent(before, after),
                "idle_mb": round(idle, 1), "memory_mb": round(usage(pe.pid)[0] / 1024, 1),
                "kernel_mb": {k: round(v - kernel[k], 1) for k, v in kernel_mb().items()}}
        told["system"] = json.loads(pe.daemon.sh("show system | json"))
        pe.load.say("mark")
        pe.load.say("withdraw", "rr", 0, args.routes)
        pe.load.say("sent", "rr", 600)
        done = pe.routes(0)
        told["withdraw_s"] = round(done - pe.load.right(pe.load.say("stats", "rr"))["sent_first"], 3)
        told["withdraw_cpu_s"] = spent(after, threads(pe.pid))
        told["withdraw_system"] = json.loads(pe.daemon.sh("show system | json"))
        time.sleep(70)                  # what is free goes back to the kernel once a minute
        with open("/proc/%d/status" % pe.pid, encoding="ascii") as f:
            told["memory_after_mb"] = round(int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024, 1)
        print(json.dumps(told), flush=True)
        pe.close()


def main():
    p = argparse.ArgumentParser(prog="scripts/bench pe")
    p.add_argument("--routes", type=int, default=1000000)
    p.add_argument("--vrfs", type=int, default=1000)
    p.add_argument("--per-set", type=int, default=100, help="routes for each attribute set")
    p.add_argument("--rounds", type=int, default=1)
    args = p.parse_args()
    run(["modprobe", "-a", "veth"], check=False)
    for _round in range(args.rounds):
        load(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
