#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""BGP speakers as reflectors of VPN routes, ours beside others', in turn, in one run. Run by scripts/bench bgp, as root.

    client 10.0.1.1 --announces--> reflector 10.0.0.1 --reflects--> client 10.0.1.2 (and more)

Each speaker has a network namespace of its own; the clients are one process in another (bgp_load.c), which verifies every route
that it receives: prefix, label, route targets, other attributes, next hop, ORIGINATOR_ID, CLUSTER_LIST. A wrong one, or one that
is missing, is a failure, and there is no figure. Times are from the first octet that is announced (withdrawn) to the last
route that the receiver has (has lost). Memory is the peak resident set (VmHWM) of the speaker's processes, added up; CPU
theirs, user and system.

Case reflect: 1,000,000 VPNv4 routes of 1,000 RDs, 10, 100 and 1,000 routes for each attribute set (AS path, communities, route
targets), one client that announces and one that receives.
Case clients: 100,000 routes, 100 clients that announce 1,000 each and are told those of 8 of 256 sets of route targets, by
RT-Constrain (RFC 4684) where the speaker has it; the others tell each client everything, as their operators live with.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from load import AS, Failure, Load, usage                                # noqa: E402

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("L3VPN_BUILD") or os.path.join(TOP, "build/userspace")
REFLECTOR = "10.0.0.1"


def client(n):
    return "10.0.%d.%d" % (1 + n // 250, 1 + n % 250)


class Space:
    """Two network namespaces with a cable between, and a folder: the speaker's, with a /run of its own, and the clients'."""

    def __init__(self, clients):
        self.dir = tempfile.mkdtemp(prefix="l3vpn-bench-")
        os.chmod(self.dir, 0o755)
        self.processes, self.holders = [], {}
        for place in ("speaker", "clients"):
            self.holders[place] = subprocess.Popen(
                ["unshare", "-n", "-m", "sh", "-c", "mount -t tmpfs run /run && mkdir -p /run/openbgpd &&"
                 "ip link set lo up && echo ready && exec sleep 100000"], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, text=True)
            if self.holders[place].stdout.readline() != "ready\n":
                raise Failure("no network namespace could be made: root is needed")
        self.ip("speaker", "link add core type veth peer name core netns %d" % self.holders["clients"].pid,
                "link set core up", "addr add %s/16 dev core" % REFLECTOR)
        self.ip("clients", "link set core up", *["addr add %s/16 dev core" % client(n) for n in range(clients)])

    def ip(self, place, *lines):
        subprocess.run([*self.inside(place), "ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)

    def inside(self, place):
        return ["nsenter", "-t", str(self.holders[place].pid), "-n", "-m", "--"]

    def start(self, argv, log, place="speaker", **more):
        with open(os.path.join(self.dir, log), "ab") as out:
            process = subprocess.Popen([*self.inside(place), *argv], stderr=out,
                                       **{"stdout": out, "stdin": subprocess.DEVNULL, **more})
        self.processes.append(process)
        return process

    def load(self):
        """How the load tool is started."""
        return self.inside("clients")

    def run(self, *argv):
        return subprocess.run([*self.inside("speaker"), *argv], check=True, text=True, stdout=subprocess.PIPE).stdout

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, 0o600)
        return path

    def log(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    def close(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
            holder.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- the speakers ----

class Other:
    rtc = False                         # RT-Constrain
    echoes = False                      # tells a client its own routes too, when there are others of its kind
    withdraws = True                    # else routes are withdrawn by the end of the session


class Ours(Other):
    name, program = "l3vpnd", os.path.join(BUILD, "l3vpnd")
    rtc = True

    def version(self):
        return subprocess.run([self.program, "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[1]

    def start(self, space, clients, rtc=False):
        text = "router bgp %d\n router-id %s\n" % (AS, REFLECTOR)
        for address in clients:
            text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  passive\n  address-family vpnv4 unicast\n"
                     "   route-reflector-client\n  !\n%s !\n" % (
                         address, AS, REFLECTOR, "  address-family ipv4 rt-filter\n  !\n" if rtc else ""))
        return space.start([self.program, "--provider", "none", "--foreground", "--config",
                            space.write("l3vpnd.conf", text + "!\n"), "--socket", os.path.join(space.dir, "sock"),
                            "--state", os.path.join(space.dir, "state")], "speaker.log")


class OursAll(Ours):
    """Ours without RT-Constrain: what the others have to do, for comparison."""
    name, rtc = "l3vpnd-all", False


class Openbgpd(Other):
    name, program = "openbgpd", "/usr/sbin/bgpd"
    withdraws = False                   # 7.7 takes no notice of a withdrawn VPN route, whatever its label

    def version(self):
        text = subprocess.run([self.program, "-V"], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
        return re.search(r"[0-9.]+", text)[0]

    def start(self, space, clients, rtc=False):
        # no decision has to be repeated for a second best path, nothing goes into a kernel's table
        text = ("AS %d\nrouter-id %s\nfib-update no\nnexthop qualify via default\nsocket \"%s\"\nlisten on %s\n"
                "rde evaluate default\n"
                "group clients {\n remote-as %d\n local-address %s\n route-reflector\n passive\n announce IPv4 none\n"
                " announce IPv4 vpn\n" % (AS, REFLECTOR, os.path.join(space.dir, "sock"), REFLECTOR, AS, REFLECTOR))
        text += "".join(" neighbor %s\n" % c for c in clients) + "}\nallow from any\nallow to any\n"
        return space.start([self.program, "-d", "-f", space.write("bgpd.conf", text)], "speaker.log")


class Bird(Other):
    name, program = "bird", "/usr/sbin/bird"

    def version(self):
        return subprocess.run([self.program, "--version"], check=False, text=True, stderr=subprocess.PIPE).stderr.split()[-1]

    def start(self, space, clients, rtc=False):
        # neither import nor export tables: routes are kept once
        text = ("router id %s;\nlog stderr { warning, error, fatal, bug };\nprotocol device { scan time 60; }\n"
                "protocol direct { ipv4; interface \"lo\"; }\nvpn4 table vpntab;\n"
                "template bgp reflected { local %s as %d; rr client; rr cluster id %s; passive; multihop;\n"
                " vpn4 mpls { table vpntab; import all; export all; gateway recursive; import table off; export table off; };\n"
                "}\n" % (REFLECTOR, REFLECTOR, AS, REFLECTOR))
        for n, address in enumerate(clients):
            text += "protocol bgp c%d from reflected { neighbor %s as %d; }\n" % (n, address, AS)
        return space.start([self.program, "-f", "-c", space.write("bird.conf", text), "-s",
                            os.path.join(space.dir, "ctl")], "speaker.log")


class Frr(Other):
    name, program = "frr", "/usr/lib/frr/bgpd"
    echoes = True

    def version(self):
        text = subprocess.run([self.program, "--version"], check=False, text=True, stdout=subprocess.PIPE).stdout
        return re.search(r"version ([0-9.]+)", text)[1]

    def start(self, space, clients, rtc=False):
        text = ("log stdout errors\nrouter bgp %d\n bgp router-id %s\n bgp cluster-id %s\n no bgp default ipv4-unicast\n"
                " neighbor C peer-group\n neighbor C remote-as %d\n neighbor C update-source %s\n neighbor C passive\n"
                % (AS, REFLECTOR, REFLECTOR, AS, REFLECTOR))
        text += "".join(" neighbor %s peer-group C\n" % c for c in clients)
        text += (" address-family ipv4 vpn\n  neighbor C activate\n  neighbor C route-reflector-client\n"
                 " exit-address-family\nexit\n")
        run = os.path.join(space.dir, "frr")
        os.makedirs(run)
        shutil.chown(run, "frr", "frr")
        conf = space.write("frr.conf", text)
        shutil.chown(conf, "frr", "frr")
        # alone, without zebra: next hops need no resolution to be reflected
        return space.start([self.program, "-Z", "-f", conf, "-i", os.path.join(run, "pid"), "--vty_socket", run,
                            "-l", REFLECTOR, "--log", "stdout"], "speaker.log")


class Gobgp(Other):
    name, program = "gobgp", "/usr/bin/gobgpd"
    rtc = True

    def version(self):
        return subprocess.run([self.program, "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[-1]

    def start(self, space, clients, rtc=False):
        text = ("[global.config]\n  as = %d\n  router-id = \"%s\"\n  local-address-list = [\"%s\"]\n" %
                (AS, REFLECTOR, REFLECTOR))
        for address in clients:
            text += ("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = %d\n"
                     "  [neighbors.transport.config]\n    local-address = \"%s\"\n    passive-mode = true\n"
                     "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                     "    route-reflector-cluster-id = \"%s\"\n" % (address, AS, REFLECTOR, REFLECTOR))
            for family in ["l3vpn-ipv4-unicast"] + (["rtc"] if rtc else []):
                text += "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"%s\"\n" % family
        return space.start([self.program, "-f", space.write("gobgpd.toml", text), "-t", "toml", "-l", "error",
                            "--api-hosts", "127.0.0.1:50051"], "speaker.log")


SPEAKERS = [Ours(), OursAll(), Openbgpd(), Bird(), Frr(), Gobgp()]


# ---- what is measured ----

def reflect(speaker, args):
    """One round: its figures."""
    space, load = Space(2), None
    try:
        process = speaker.start(space, [client(0), client(1)])
        load = Load(space.load(), args.routes, args.per_set)
        load.session("a", client(0), REFLECTOR, "client")
        load.session("b", client(1), REFLECTOR, "client")
        load.up()
        _peak, cpu0 = usage(process.pid)
        load.say("mark")
        load.say("announce", "a", 0, args.routes)
        got = load.have("b", args.routes, args.timeout)
        sent = load.right(load.say("stats", "a"))
        _peak, cpu1 = usage(process.pid)
        told = {"announce_s": got["last"] - sent["sent_first"], "read_s": sent["sent_last"] - sent["sent_first"],
                "announce_cpu_s": cpu1 - cpu0, "updates": got["updates"], "octets": got["octets"], "again": got["again"]}
        load.say("idle", 1)
        load.say("mark")
        if speaker.withdraws:
            load.say("withdraw", "a", 0, args.routes)
        else:
            load.say("forget", "a")
            ended = load.say("end", "a")["time"]
        got = load.have("b", 0, args.timeout)
        if speaker.withdraws:
            ended = load.right(load.say("stats", "a"))["sent_first"]
        peak, cpu2 = usage(process.pid)
        told.update(withdraw_s=got["last"] - ended, withdraw_cpu_s=cpu2 - cpu1,
                    withdraw_updates=got["updates"], memory_mb=peak / 1024)
        return told
    except Failure as failure:
        raise Failure("%s: %s\n%s" % (speaker.name, failure, space.log("speaker.log"))) from None
    finally:
        if load:
            load.close()
        space.close()


CLIENTS, RTS, WANTED = 100, 256, 8      # sets of route targets, and of how many of them each client is a member


def wants(n):
    """The sets of route targets of client n: first, count."""
    return n * WANTED % RTS, WANTED


def share(n, routes, per_set, speaker):
    """How many routes client n is to be told: those of its targets, or all; not its own."""
    own = range(n * (routes // CLIENTS), (n + 1) * (routes // CLIENTS))
    if speaker.echoes:
        return routes
    if not speaker.rtc:
        return routes - len(own)
    first, count = wants(n)
    return sum(1 for i in range(routes) if first <= i // per_set % RTS < first + count and i not in own)


def everyone(load, expected, seconds):
    """When the last client had its last route, and UPDATEs that all of them got."""
    last = updates = 0
    deadline = time.monotonic() + seconds
    for n, count in enumerate(expected):
        told = load.have("c%d" % n, count, max(1, int(deadline - time.monotonic())))
        last = max(last, told["last"])
        updates += told["updates"]
    return last, updates


def clients(speaker, args):
    """One round: its figures."""
    space, load = Space(CLIENTS), None
    names = ["c%d" % n for n in range(CLIENTS)]
    each = args.routes // CLIENTS
    try:
        process = speaker.start(space, [client(n) for n in range(CLIENTS)], speaker.rtc)
        load = Load(space.load(), args.routes, args.per_set, 1000, RTS)
        for n, name in enumerate(names):
            load.session(name, client(n), REFLECTOR, "client", *(["rtc"] if speaker.rtc else []))
        load.up()
        for n, name in enumerate(names):
            if speaker.rtc:
                load.say("rtc", name, *wants(n))
        load.say("idle", 2)
        told = {}
        for what in ("announce", "withdraw"):
            expected = [0] * CLIENTS
            if what == "announce":
                expected = [share(n, args.routes, args.per_set, speaker) for n in range(CLIENTS)]
            _peak, cpu = usage(process.pid)
            load.say("mark")
            for n, name in enumerate(names):
                if what == "withdraw" and not speaker.withdraws:
                    return told
                load.say(what, name, n * each, each)
            last, updates = everyone(load, expected, args.timeout)
            begin = min(load.say("stats", name)["sent_first"] for name in names)
            peak, cpu1 = usage(process.pid)
            told.update({what + "_s": last - begin, what + "_cpu_s": cpu1 - cpu, what + "_updates": updates,
                         "memory_mb": peak / 1024})
            load.say("idle", 1)
        return told
    except Failure as failure:
        raise Failure("%s: %s\n%s" % (speaker.name, failure, space.log("speaker.log"))) from None
    finally:
        if load:
            load.close()
        space.close()


def clean_up_when_told():
    """SIGTERM ends a round as any failure does: nothing of it stays behind."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))


def medians(rounds):
    return {key: round(statistics.median(r[key] for r in rounds), 3) for key in rounds[0]}


def tell(case, results, extra):
    """One object a speaker, then ours in relation to the best of the others."""
    for name, (version, figures) in results.items():
        print(json.dumps({"bench": "bgp", "case": case, "speaker": name, "version": version, **extra, **figures}), flush=True)
    others = {name: f for name, (_v, f) in results.items() if not name.startswith("l3vpnd") and "failure" not in f}
    ours = results.get("l3vpnd", (None, {"failure": ""}))[1]
    if not others or "failure" in ours:
        return
    ratio = {}
    for key in [k for k in ours if k.endswith("_s") and not k.endswith("cpu_s") and k != "read_s"] + ["memory_mb"]:
        best = min((o[key], name) for name, o in others.items() if key in o)
        ratio["vs_best_" + key] = round(ours[key] / best[0], 3)
        ratio["best_" + key] = best[1]
    print(json.dumps({"bench": "bgp", "case": case, **extra, **ratio}), flush=True)


def interleaved(case, speakers, args, extra, measure):
    rounds = {s.name: [] for s in speakers}
    failed = {}
    for n in range(args.rounds):
        for speaker in speakers:
            if speaker.name in failed:
                continue
            try:
                rounds[speaker.name].append(measure(speaker, args))
                print("# round %d %s %s" % (n, speaker.name, rounds[speaker.name][-1]), file=sys.stderr, flush=True)
            except Failure as failure:
                print("# " + str(failure).replace("\n", "\n# "), file=sys.stderr, flush=True)
                failed[speaker.name] = str(failure).split("\n", 1)[0]
    tell(case, {s.name: (s.version(), {"failure": failed[s.name]} if s.name in failed else medians(rounds[s.name]))
                for s in speakers}, extra)
    return not failed


def main():
    p = argparse.ArgumentParser(prog="scripts/bench bgp")
    p.add_argument("--case", default="reflect,clients", help="reflect, clients, or both")
    p.add_argument("--routes", type=int, help="1,000,000; case clients: 100,000")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--per-set", help="routes for each attribute set: 10,100,1000; case clients: 10")
    p.add_argument("--only", help="speakers, with commas between: " + ", ".join(s.name for s in SPEAKERS))
    p.add_argument("--timeout", type=int, default=900, help="seconds that a speaker has for each step")
    args = p.parse_args()
    clean_up_when_told()
    if args.only and not set(args.only.split(",")) <= {s.name for s in SPEAKERS}:
        p.error("no speaker of that name")
    right = True
    for case in args.case.split(","):
        speakers = [s for s in SPEAKERS if (not args.only or s.name in args.only.split(",")) and
                    (case == "clients" or not isinstance(s, OursAll))]
        measure, routes, sets = {"reflect": (reflect, 1000000, "10,100,1000"), "clients": (clients, 100000, "10")}[case]
        for per_set in [int(n) for n in (args.per_set or sets).split(",")]:
            this = argparse.Namespace(**{**vars(args), "routes": args.routes or routes, "per_set": per_set})
            extra = {"routes": this.routes, "per_set": per_set, "rounds": args.rounds}
            right &= interleaved(case, speakers, this, extra, measure)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
