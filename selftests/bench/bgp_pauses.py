#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What a million routes that load do to everything else. Run by scripts/bench pauses, as root.

    a --announces--> l3vpnd: reflects to b, imports into 1,000 VRFs --BFD 3 x 50 ms, BGP--> another l3vpnd
                       |
    idle: a session of hold time 3 s that is told nothing; a client that asks `show version` again and again

Told are the worst of each, while a million routes are announced and then withdrawn: the longest turn of the main thread's
loop, wall clock and CPU (show system); the longest silence on the idle session, whose keepalives come every second; whether
the BFD session went down; the longest answer, over the management socket, and by the shell (a process for each).
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time

import bgp
import bgp_pe
from load import AS, Failure, Load, usage

OTHER = bgp.client(0)                   # the router with BFD; the first address there, which BFD sends from
A, B, IDLE = [bgp.client(n) for n in (1, 2, 3)]


def neighbor(address, *lines):
    return " neighbor %s\n  remote-as %d\n  update-source %s\n%s !\n" % (
        address, AS, bgp.REFLECTOR, "".join("  %s\n" % line for line in lines))


BFD = ["bfd fast-detect", "bfd minimum-interval 50", "bfd multiplier 3", "bfd single-hop", "address-family vpnv6 unicast", "!"]


def config(vrfs):
    """A reflector that is a PE too."""
    text = "".join(bgp_pe.vrf(n) for n in range(vrfs))
    text += "router bgp %d\n router-id %s\n" % (AS, bgp.REFLECTOR)
    for address in (A, B):
        text += neighbor(address, "passive", "address-family vpnv4 unicast", " route-reflector-client", "!")
    text += neighbor(IDLE, "passive", "address-family vpnv4 unicast", " route-reflector-client", "!",
                     "address-family ipv4 rt-filter", "!")
    return text + neighbor(OTHER, *BFD) + "!\n"


OTHER_CONFIG = ("router bgp %d\n router-id %s\n neighbor %s\n  remote-as %d\n  update-source %s\n  passive\n%s !\n!\n" % (
    AS, OTHER, bgp.REFLECTOR, AS, OTHER, "".join("  %s\n" % line for line in BFD)))


class Daemon:
    def __init__(self, space, place, name, text):
        self.space, self.place, self.name = space, place, name
        self.socket = os.path.join(space.dir, name + ".sock")
        self.process = space.start([os.path.join(bgp.BUILD, "l3vpnd"), "--provider", "none", "--foreground", "--config",
                                    space.write(name + ".conf", text), "--socket", self.socket, "--state",
                                    os.path.join(space.dir, name)], name + ".log", place)

    def sh(self, command):
        return subprocess.run([os.path.join(bgp.BUILD, "l3vpnsh"), "--socket", self.socket, "-c", command], check=True,
                              text=True, stdout=subprocess.PIPE).stdout

    def json(self, command):
        return json.loads(self.sh(command + " | json") or "[]")

    def wait(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except subprocess.CalledProcessError:
                pass
            if time.monotonic() > deadline:
                raise Failure("not within %d s: %s\n%s" % (seconds, what, self.space.log(self.name + ".log")))
            time.sleep(0.1)


class Asker(threading.Thread):
    """Asks `show version` 50 times a second over the management socket, or by the shell; keeps the longest answer."""

    def __init__(self, daemon, by_shell):
        super().__init__(daemon=True)
        self.daemon_, self.by_shell = daemon, by_shell
        self.ended = threading.Event()
        self.longest = self.answers = 0
        self.failure = None

    def socket_answer(self):
        self.socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"show-version"}\n')
        line = b""
        while not line.endswith(b"\n"):
            data = self.socket.recv(65536)
            if not data:
                raise Failure("the management socket was closed")
            line += data
        if b'"result"' not in line:
            raise Failure("no answer: %r" % line)

    def run(self):
        try:
            if not self.by_shell:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.daemon_.socket)
            while not self.ended.wait(0.02):
                begin = time.monotonic()
                if self.by_shell:
                    self.daemon_.sh("show version")
                else:
                    self.socket_answer()
                self.longest = max(self.longest, time.monotonic() - begin)
                self.answers += 1
        except (OSError, Failure, subprocess.CalledProcessError) as failure:
            self.failure = str(failure)

    def end(self):
        self.ended.set()
        self.join()
        if self.failure or not self.answers:
            raise Failure("show version: %s" % self.failure)
        return round(self.longest * 1000, 1)


def bfd_downs(daemon):
    rows = daemon.json("show bfd session")
    return sum(row["downs"] for row in rows), [row["state"] for row in rows]


def during(daemon, load, what, go):
    """The worst of everything while go() lasts."""
    downs, _states = bfd_downs(daemon)
    daemon.sh("clear system")
    load.say("mark")
    askers = [Asker(daemon, False), Asker(daemon, True)]
    for asker in askers:
        asker.start()
    seconds = go()
    answer_ms, shell_ms = [asker.end() for asker in askers]
    load.say("idle", 1.2)
    gap = load.right(load.say("stats", "idle"))["gap"]
    system = daemon.json("show system")
    after, states = bfd_downs(daemon)
    return {"case": what, "seconds": round(seconds, 3), "turn_ms": system["turn-longest"] / 1000,
            "turn_cpu_ms": system["turn-longest-cpu"] / 1000, "turns_slow": system["turns-slow"], "job": system["job-longest-name"],
            "job_ms": system["job-longest"] / 1000, "keepalive_gap_s": round(gap, 3), "bfd_downs": after - downs,
            "bfd_state": states, "answer_ms": answer_ms, "shell_ms": shell_ms}


def settled(process):
    """Until the daemon has nothing to do any more."""
    before = -1
    while True:
        spent = usage(process.pid)[1]
        if spent - before < 0.02:
            return
        before = spent
        time.sleep(0.5)


def once(args):
    space, load = bgp.Space(4), None
    try:
        daemon = Daemon(space, "speaker", "l3vpnd", config(args.vrfs))
        other = Daemon(space, "clients", "other", OTHER_CONFIG)
        load = Load(space.inside("clients"), args.routes, args.per_set, args.vrfs)
        load.session("a", A, bgp.REFLECTOR, "client")
        load.session("b", B, bgp.REFLECTOR, "client")
        load.session("idle", IDLE, bgp.REFLECTOR, "client", "rtc", hold=3)
        load.up()
        load.say("rtc", "idle", 0, 0)
        other.wait("the other router's answers", lambda: other.sh("show version"))
        daemon.wait("BFD is up", lambda: bfd_downs(daemon)[1] == ["up"])
        settled(daemon.process)

        def announce():
            load.say("announce", "a", 0, args.routes)
            told = load.have("b", args.routes, 600)
            settled(daemon.process)
            return told["last"] - load.say("stats", "a")["sent_first"]

        def withdraw():
            load.say("withdraw", "a", 0, args.routes)
            told = load.have("b", 0, 600)
            settled(daemon.process)
            return told["last"] - load.say("stats", "a")["sent_first"]
        head = {"bench": "pauses", "routes": args.routes, "vrfs": args.vrfs}
        for what, go in (("announce", announce), ("withdraw", withdraw)):
            print(json.dumps({**head, **during(daemon, load, what, go)}), flush=True)
    finally:
        if load:
            load.close()
        space.close()


def main():
    p = argparse.ArgumentParser(prog="scripts/bench pauses")
    p.add_argument("--routes", type=int, default=1000000)
    p.add_argument("--vrfs", type=int, default=1000)
    p.add_argument("--per-set", type=int, default=100, help="routes for each attribute set")
    p.add_argument("--rounds", type=int, default=1)
    args = p.parse_args()
    bgp.clean_up_when_told()
    for _round in range(args.rounds):
        once(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
