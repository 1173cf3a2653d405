#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The documents against the tree: the folder picture of architecture.rst names the folders that git tracks, interop.rst has what
the tests declare, and what the operator's guide shows is taken by the daemon and the shell. Run from the top of the tree, as
root; output: TAP."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

GUIDE = "Documentation/operator-guide.rst"
BUILD = "build/userspace"
results = []


def check(ok, name, why=""):
    results.append(ok)
    print("%s %d - %s" % ("ok" if ok else "not ok", len(results), name), flush=True)
    if not ok:
        print("".join("# %s\n" % line for line in why.splitlines()), end="", flush=True)


def folders():
    """Of git and of the picture; the picture has top folders at 4 columns, those of userspace at 6."""
    files = subprocess.run(["git", "ls-files"], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    real = {f.split("/")[0] for f in files if "/" in f and not f.startswith(".")}
    real |= {"userspace/" + f.split("/")[1] for f in files if f.startswith("userspace/") and f.count("/") > 1}
    text = open("Documentation/architecture.rst", encoding="utf-8").read()
    shown, top = set(), ""
    for line in text.split("The folders\n", 1)[1].split("Objects in the module\n")[0].splitlines():
        match = re.match(r"    ([A-Za-z]+)/", line)
        if match:
            top = match[1]
            shown.add(top)
        elif top == "userspace" and re.match(r"      \S", line):
            words = re.split(r"\s{3,}", line.strip())[0].split()
            shown |= {"userspace/" + word for word in words}
    check(real == shown, "architecture.rst names the folders that exist",
          "not in the picture: %s\nnot in the tree: %s" % (sorted(real - shown), sorted(shown - real)))


def blocks(kind):
    """[(line, text)] of the guide's code blocks of this kind."""
    found, inside, lines = [], False, []
    for number, line in enumerate(open(GUIDE, encoding="utf-8").read().splitlines() + ["."], 1):
        if inside and line and not line.startswith("    "):
            found.append((start, "\n".join(lines).strip("\n") + "\n"))
            inside = False
        if inside:
            lines.append(line[4:])
        if line == ".. code-block:: " + kind:
            inside, lines, start = True, [], number
    return found


class Daemon:
    """l3vpnd in its own network namespace, without a forwarder, with this configuration."""

    def __init__(self, config):
        self.dir = tempfile.mkdtemp(prefix="l3vpn-docs-")
        self.socket = self.dir + "/s"
        with open(self.dir + "/conf", "w", encoding="utf-8") as f:
            f.write(config)
        self.log = open(self.dir + "/log", "w+", encoding="utf-8")
        self.proc = subprocess.Popen(
            ["unshare", "-n", BUILD + "/l3vpnd", "--provider", "none", "--config", self.dir + "/conf",
             "--state", self.dir + "/state", "--socket", self.socket, "--foreground"],
            stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.proc.kill()
        self.proc.wait()
        self.log.close()
        shutil.rmtree(self.dir)

    def runs(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.proc.poll() is None:
            if os.path.exists(self.socket):
                return True
            time.sleep(0.02)
        return False

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def shell(self, commands):
        argv = [BUILD + "/l3vpnsh", "--socket", self.socket]
        for command in commands:
            argv += ["-c", command]
        try:
            return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=20)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 124, "", "no end within 20 s")


def matrix():
    """The table of interop.rst against what the tests declare; nothing is run."""
    done = subprocess.run(["scripts/gen-interop", "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, "interop.rst has the cases that the tests declare", done.stdout)


def main():
    folders()
    matrix()
    configs, sessions = blocks("l3vpn"), blocks("l3vpnsh")
    check(len(configs) >= 5 and len(sessions) >= 2, "the guide has configurations and sessions")
    for line, text in configs:
        with Daemon(text) as daemon:
            check(daemon.runs(), "%s:%d is a configuration" % (GUIDE, line), daemon.said())
    with Daemon("vrf RED\n rd 65000:11\n!\nrouter bgp 65000\n router-id 192.0.2.1\n!\n") as daemon:
        check(daemon.runs(), "a daemon for the sessions", daemon.said())
        wrong = daemon.shell(["show nothing-of-this-name"])
        check(wrong.returncode != 0, "a word that is unknown is refused", wrong.stdout)
        for line, text in sessions:
            commands = text.split("\n")[:-1]
            for group in [commands] if commands[0] == "configure" else [[c] for c in commands]:
                done = daemon.shell(group)
                # without a forwarder that question is taken, and truly answered so
                nothing = group[0].startswith("show forwarding exact-route ") and "no route in forwarding" in done.stderr
                check(done.returncode == 0 or nothing, "%s:%d %s" % (GUIDE, line, "; ".join(group)), done.stderr)
    print("1..%d" % len(results))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
