#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A thousand sessions of a route reflector come and go: the tables are right in the end, and the memory is what it was.

    flap.py [--seconds N] [--seed S] [--sessions N] [--routes N] [--rounds N]   run by scripts/soak bgp-flap

The sessions are one process (bgp_flap.c, which says what they do); the reflector is l3vpnd with --provider none. First all
are up, then none. Three times (--rounds) all come and go at random, for so many seconds together, then half of them stay: the table of a
receiver that was there all the time must be what follows from those; then all are up again, as in the beginning, and none.
Attribute sets are compared between the same states before and after. Resident memory is compared after the first time and
after the last: what the allocator has once had for the worst moment it keeps, so that it is more than at the start. In simulated time (scripts/vm --time-travel)
the waiting costs nothing; with a daemon under AddressSanitizer its exit tells of leaks.
"""
import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from topology import Failed, L3vpnd, Topology, wait_for  # noqa: E402

AS, REFLECTOR = 65000, "10.255.0.1"
SETTLE = 300        # seconds: restart time, hold time and the pause after falls are in it
SLACK = 1.1, 8 << 20
REMEMBERED = 512    # attribute sets that update groups looked at last and hold, 256 each (bgp/group.h)


def client(n):
    return "10.0.%d.%d" % (n // 250, 1 + n % 250)


def config(sessions):
    text = "router bgp %d\n router-id %s\n graceful-restart selection-deferral-time 1\n" % (AS, REFLECTOR)
    for n in range(sessions + 1):
        text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  passive\n  address-family vpnv4 unicast\n"
                 "   route-reflector-client\n  !\n  address-family ipv4 rt-filter\n   route-reflector-client\n  !\n !\n" % (
                     client(n), AS, REFLECTOR))
    return text + "!\n"


class Lab(Topology):
    def build(self, args):
        self.add("rr", "far")
        self.link("rr:core", "far:rr")
        self["rr"].ip("addr add %s/24 dev core" % REFLECTOR, "route add 10.0.0.0/16 via 10.255.0.2")
        # the whole network is local there
        self["far"].ip("addr add 10.255.0.2/24 dev rr", "addr add 10.0.0.1/16 dev lo")
        env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=8:detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        start = self["rr"].start
        self["rr"].start = lambda *argv, **more: start(*argv, env=env, **more)
        self.rr = L3vpnd(self["rr"], config(args.sessions), ["--provider", "none"]).start(120)
        self.rr.sh("clear system")      # taking over a configuration of a thousand neighbors is one turn
        with open(self.path("flap.log"), "ab") as log:
            self.flap = subprocess.Popen(self["far"].argv([args.program, REFLECTOR, str(args.sessions), str(args.routes), str(args.seed)]),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)

    def close(self):
        if hasattr(self, "flap"):
            self.flap.kill()
            self.flap.wait()
        super().close()

    def say(self, *words):
        self.flap.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.flap.stdin.flush()
        line = self.flap.stdout.readline()
        assert line, "the sessions' process has ended: " + open(self.path("flap.log"), encoding="utf-8").read()
        told = json.loads(line)
        assert self.rr.process.poll() is None, "the daemon has ended"
        assert not told["wrong"], told
        return told

    def settle(self, count):
        told = self.say("settle", count, SETTLE)
        assert not told["timeout"], "not settled: %s" % told
        return told

    def system(self):
        rows = self.rr.json("show system")
        return rows[0] if isinstance(rows, list) else rows


def tell(words, told, system):
    print("# %s: %d of %d sessions up, %d routes; %d attribute sets, %.1f MB resident" % (
        words, told["up"], told["wanted"], told["routes"], system["attribute-sets"], system["memory"] / 1e6), flush=True)


def compare(what, before, after):
    assert abs(after["attribute-sets"] - before["attribute-sets"]) <= REMEMBERED, "%s: %s attribute sets, now %s" % (
        what, before["attribute-sets"], after["attribute-sets"])


def state(lab, words, count, wanted=None):
    """So many sessions up, the table right; what the daemon needs then: once stale routes are gone, @wanted attribute sets."""
    told = lab.settle(count)
    if wanted is not None:
        try:
            wait_for("", lambda: lab.system()["attribute-sets"] <= wanted + REMEMBERED, 60, 1)
        except Failed:
            raise AssertionError("%s: %d attribute sets instead of %d" % (words, lab.system()["attribute-sets"], wanted)) from None
    system = lab.system()
    tell(words, told, system)
    return told, system


def one_round(lab, args, full, empty):
    """What the daemon needs after it, when all are up again and when none is."""
    told = lab.say("flap", args.seconds // args.rounds)
    print("# %d s of coming and going: %s" % (args.seconds // args.rounds, json.dumps(told)), flush=True)
    came = told["ups"]
    told, _ = state(lab, "half of them stay", args.sessions // 2)
    assert told["routes"], "no routes"
    assert came > args.sessions * 1.2, "hardly any session came back"
    assert all(told[end] for end in ("closed", "reset", "ceased", "silent", "hold_expired")), "an end that did not happen"
    _, again = state(lab, "all again", args.sessions, full["attribute-sets"])
    compare("all", full, again)
    _, after = state(lab, "none again", 0, 0)
    compare("none", empty, after)
    return again, after


def soak(lab, args):
    lab.build(args)
    _, full = state(lab, "all for the first time", args.sessions)
    _, empty = state(lab, "none", 0, 0)
    rounds = [one_round(lab, args, full, empty) for _ in range(args.rounds)]
    for n, what in enumerate(("all", "none")):
        before, after = rounds[0][n]["memory"], rounds[-1][n]["memory"]
        assert after <= before * SLACK[0] + SLACK[1], "%s: %d octets after the first time, now %d" % (what, before, after)
    after = rounds[-1][1]
    assert not lab.rr.json("show bgp vpnv4 unicast"), "routes are left"
    print("# turns of the main thread: longest %.1f ms, %d over 50 ms" % (after["turn-longest"] / 1e3, after["turns-slow"]))
    lab.flap.stdin.close()
    lab.flap.wait(30)
    lab.rr.process.terminate()
    lab.rr.process.wait(60)
    with open(lab.rr.process.log, encoding="utf-8", errors="replace") as log:
        trouble = re.search(r"(runtime error|AddressSanitizer|LeakSanitizer).*", log.read(), re.S)
    assert not trouble, trouble.group(0)[:6000]
    assert lab.rr.process.returncode == 0, "exit status %d" % lab.rr.process.returncode


def main():
    p = argparse.ArgumentParser(prog="scripts/soak bgp-flap")
    p.add_argument("--seconds", type=int, default=int(os.environ.get("L3VPN_SECONDS", "60")))
    p.add_argument("--seed", default=os.environ.get("L3VPN_SEED", "1"))
    p.add_argument("--sessions", type=int, default=1000)
    p.add_argument("--routes", type=int, default=24, help="of each session")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--program", default=os.path.join(TOP, "build/soak/bgp_flap"))
    args = p.parse_args()
    print("# seed %s, %d s, %d sessions of %d routes" % (args.seed, args.seconds, args.sessions, args.routes), flush=True)
    try:
        with Lab(prefix="flap%d-" % os.getpid()) as lab:
            soak(lab, args)
    except (AssertionError, Failed, subprocess.TimeoutExpired) as error:
        print("not ok 1 bgp-flap, seed %s\n# %s" % (args.seed, str(error).replace("\n", "\n# ")))
        return 1
    print("ok 1 bgp-flap, seed %s" % args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
