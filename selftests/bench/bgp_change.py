#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The same change under a small table and under a large one. Run by scripts/bench change, as root.

A PE with 1,000 VRFs and 200 clients of a reflector, each in its own network namespaces; 10,000 routes, then 1,000,000. What
changes has the same size each time: 1,000 routes of one RD by a second neighbor, or 50 of one client. Costs that go
with the change give a ratio near 1.

    rt          a VRF imports one route target more (1,000 routes), and one less
    policy      the policy of the neighbor with 1,000 routes sets another local preference
    igp         the path to the next hop of 1,000 routes gets another label
    neighbor    one client of 200, that announces 50 routes and is a member of the target of 50, is reset and comes back

Told are CPU seconds of the daemon's threads, as the scheduler counts them, and the wall clock from the change until the daemon
has nothing to do any more. The commit of a configuration is a part of both.
"""
import argparse
import json
import statistics
import sys
import time

import bgp
import bgp_pe
from bgp_pauses import Daemon
from load import AS, Failure, Load, cpu_s

BIG, SMALL, HOP = bgp.client(0), bgp.client(1), "10.9.1.1"
EXTRA, EXTRA_RT = 1000, 50001           # routes of the second neighbor, and their route target
CLIENTS, EACH = 200, 50
IDLE_S, STEP_S, NOISE_S = 0.5, 0.005, 0.0005


def quiet(pid):
    """(CPU seconds, moment of the last work) once nothing has been done for half a second."""
    spent, last = cpu_s(pid), time.monotonic()
    while time.monotonic() - last < IDLE_S:
        time.sleep(STEP_S)
        now = cpu_s(pid)
        if now - spent > NOISE_S:
            last = time.monotonic()
            spent = now
    return cpu_s(pid), last


def cost(pid, change):
    quiet(pid)
    before, begin = cpu_s(pid), time.monotonic()
    change()
    after, end = quiet(pid)
    return {"cpu_ms": round((after - before) * 1000, 2), "wall_ms": round((end - begin) * 1000, 1)}


def pe_config(vrfs):
    text = "".join(bgp_pe.vrf(n, *([EXTRA_RT] if n == 1 else [])) for n in range(vrfs))
    text += "interface core\n mpls\n!\nmpls\n"
    for hop, label in [(bgp_pe.hop(n), 1000 + n) for n in range(bgp_pe.PES)] + [(HOP, 2000)]:
        text += " static lsp %s/32\n  path %s out-label %d\n !\n" % (hop, BIG, label)
    text += "!\nroute-policy P\n statement 10\n  set local-preference 100\n  action accept\n !\n!\n"
    text += "router bgp %d\n router-id %s\n" % (AS, bgp.REFLECTOR)
    for address, more in ((BIG, ""), (SMALL, "   route-policy in P\n")):
        text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  passive\n  address-family vpnv4 unicast\n%s  !\n !\n"
                 % (address, AS, bgp.REFLECTOR, more))
    return text + "!\n"


def commit(daemon, text):
    path = daemon.space.write("change", "configure\n" + text + "\ncommit\nend\n")
    daemon.space.run(bgp.BUILD + "/l3vpnsh", "--socket", daemon.socket, "-f", path)



def expect(what, is_so):
    if not is_so:
        raise Failure("after the change: " + what)


def pe(args, routes):
    """{change: cost} of a PE."""
    space, loads = bgp.Space(2), []
    try:
        daemon = Daemon(space, "speaker", "l3vpnd", pe_config(args.vrfs))
        pid = daemon.process.pid
        big = Load(space.load(), routes, 100, args.vrfs)
        small = Load(space.load(), EXTRA, 100, 1, 0, EXTRA_RT - 1)
        loads = [big, small]
        big.say("nexthops", bgp_pe.hop(0), bgp_pe.PES)
        small.say("nexthops", HOP, 1)
        for load, address, count in ((big, BIG, routes), (small, SMALL, EXTRA)):
            load.session("rr", address, bgp.REFLECTOR)
            load.up()
            load.say("announce", "rr", 0, count)
            load.say("sent", "rr", 600)
        quiet(pid)
        before = len(daemon.json("show route vrf V0"))
        told = {}

        def rt(word):
            commit(daemon, "vrf V0\n address-family ipv4 unicast\n  %simport route-target %d:%d\n !\n!" % (word, AS, EXTRA_RT))
        told["rt"] = cost(pid, lambda: rt(""))
        expect("V0 has %d routes more" % EXTRA, len(daemon.json("show route vrf V0")) == before + EXTRA)
        told["rt_back"] = cost(pid, lambda: rt("no "))
        expect("V0 has its routes of before", len(daemon.json("show route vrf V0")) == before)
        told["policy"] = cost(pid, lambda: commit(daemon, "route-policy P\n statement 10\n  set local-preference 200\n !\n!"))
        expect("local preference 200", daemon.sh("show bgp vpnv4 unicast rd %d:%d" % (AS, EXTRA_RT)).count(" 200 ") >= EXTRA)
        told["igp"] = cost(pid, lambda: commit(
            daemon, "mpls\n static lsp %s/32\n  no path %s\n  path %s out-label 2001\n !\n!" % (HOP, BIG, BIG)))
        expect("label 2001", "2001" in daemon.sh("show mpls lsp"))
        return told
    finally:
        for load in loads:
            load.close()
        space.close()


def neighbor(args, routes):
    """{change: cost} of a reflector of 200 clients: the set of routes n has target n, and client n is told those of n - 1."""
    space, load = bgp.Space(CLIENTS), None
    try:
        process = bgp.Ours().start(space, [bgp.client(n) for n in range(CLIENTS)], True)
        load = Load(space.load(), routes, EACH, 1000, routes // EACH)
        for n in range(CLIENTS):
            load.session("c%d" % n, bgp.client(n), bgp.REFLECTOR, "client", "rtc")
        load.up()
        load.say("rtc", "c0", 1, 1)
        load.say("rtc", "c1", 0, 1)
        for n in range(2, CLIENTS):
            load.say("rtc", "c%d" % n, 0, 0)
        load.say("announce", "c0", 0, EACH)
        load.say("announce", "c1", EACH, EACH)
        share = (routes - 2 * EACH) // (CLIENTS - 2)
        for n in range(2, CLIENTS):
            load.say("announce", "c%d" % n, 2 * EACH + (n - 2) * share, share)
        for n in range(CLIENTS):
            load.say("sent", "c%d" % n, 300)
        load.have("c0", EACH, 60)
        load.have("c1", EACH, 60)
        quiet(process.pid)

        def reset():
            load.say("end", "c0")
            load.have("c1", 0, 60)
            load.up()
            load.say("have", "c0", EACH, 60)
            load.have("c1", EACH, 60)
        return {"neighbor": cost(process.pid, reset)}
    finally:
        if load:
            load.close()
        space.close()


def main():
    p = argparse.ArgumentParser(prog="scripts/bench change")
    p.add_argument("--small", type=int, default=10000)
    p.add_argument("--routes", type=int, default=1000000)
    p.add_argument("--vrfs", type=int, default=1000)
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    bgp.clean_up_when_told()
    rounds = {args.small: [], args.routes: []}
    for _round in range(args.rounds):
        for routes, found in rounds.items():
            found.append({**pe(args, routes), **neighbor(args, routes)})
            print("# %d routes: %s" % (routes, found[-1]), file=sys.stderr, flush=True)
    for change in rounds[args.small][0]:
        told = {"bench": "change", "change": change, "rounds": args.rounds}
        for key in ("cpu_ms", "wall_ms"):
            small, large = [statistics.median(r[change][key] for r in rounds[n]) for n in (args.small, args.routes)]
            told.update({"%s_%d" % (key, args.small): small, "%s_%d" % (key, args.routes): large,
                         key.split("_", maxsplit=1)[0] + "_ratio": round(large / small, 2) if small else None})
        print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
