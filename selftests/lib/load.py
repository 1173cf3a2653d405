# SPDX-License-Identifier: GPL-2.0
"""The load of VPN routes of selftests/bench/bgp_load.c, for benchmarks and tests; and what a router costs meanwhile."""
import json
import os
import re
import subprocess
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOAD = os.path.join(REPO, "build/bench/bgp_load")
AS = 65000                              # of all routes' RDs and route targets


class Failure(Exception):
    """What was measured is not right; the message says what."""


class Load:
    """The load tool: say() a command, get its answer. @prefix: what starts a program where it has to run."""

    def __init__(self, prefix, routes, per_set, rds=1000, rts=0, rd_base=0):
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen([*prefix, LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=self.errors)
        self.say("plan", routes, per_set, rds, rts, rd_base)

    def say(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise Failure("the load tool has ended: " + self.errors.read())
        return json.loads(line)

    def session(self, name, local, peer, *more, hold=90, asn=AS):
        self.say("session", name, local, peer, 179, asn, hold, *more)

    def up(self, seconds=60):
        if self.say("up", seconds)["timeout"]:
            raise Failure("not all sessions came up")

    def have(self, name, count, seconds, *variant):
        """Its statistics once it has so many routes, all of them right."""
        told = self.say("have", name, count, seconds, *variant)
        if told["timeout"]:
            raise Failure("%s has %d routes instead of %d after %d s (%s)" % (name, told["routes"], count, seconds,
                                                                            told["closed"]))
        return self.right(told)

    def right(self, told):
        if told["wrong"] or not told["established"] or told["downs"]:
            raise Failure("%s: %d wrong, first: %s; sessions lost: %d %s" % (
                told["session"], told["wrong"], told["failure"], told["downs"], told["closed"]))
        return told

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        self.errors.close()


def family(pid):
    """The process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry, encoding="ascii") as f:
                    parents[int(entry)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    found = [pid]
    for one in found:
        found += [p for p, parent in parents.items() if parent == one]
    return found


def usage(pid):
    """(peak resident set in kB, CPU seconds) of a process and all below it."""
    peak = ticks = 0
    for one in family(pid):
        with open("/proc/%d/status" % one, encoding="ascii") as f:
            peak += int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
        with open("/proc/%d/stat" % one, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return peak, ticks / os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """CPU seconds of all threads of a process, as the scheduler counts them: not in ticks."""
    total = 0
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, tid), encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def threads(pid):
    """{thread: (name, user, system)} of a process, CPU seconds."""
    told = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, tid), encoding="ascii") as f:
            head, rest = f.read().rsplit(")", 1)
        fields, tick = rest.split(), os.sysconf("SC_CLK_TCK")
        told[int(tid)] = (head.split("(", 1)[1], int(fields[11]) / tick, int(fields[12]) / tick)
    return told
