# SPDX-License-Identifier: GPL-2.0
"""Networks of namespaces for tests: nodes, links, and the routers that run in them.

A Topology makes namespaces, veth links between them, and starts real routers in them: l3vpnd,
FRR, BIRD, GoBGP. Everything it made is gone after close(), whatever happened before. Nothing
here sleeps for a fixed time: wait_for() polls a condition until a deadline.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("L3VPN_BUILD", os.path.join(REPO, "build", "userspace"))


CLONE_NEWNET = 0x40000000


class Failed(Exception):
    """A command failed, or a condition did not come true in time."""


def run(argv, check=True, stdin=None, timeout=60, env=None):
    """Run argv; return its standard output. Raise Failed with all it said if it fails."""
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout, env=env)
    if check and done.returncode != 0:
        raise Failed("%s: exit %d\n%s%s" % (" ".join(argv), done.returncode,
                                            done.stdout[-4000:], done.stderr[-4000:]))
    return done.stdout


def wait_for(what, condition, timeout=60, interval=0.2):
    """Poll until condition() is true, and return what it returned."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (Failed, OSError, subprocess.TimeoutExpired, ValueError) as error:
            last = error
        if time.monotonic() > deadline:
            raise Failed("not within %d s: %s (last: %s)" % (timeout, what, last))
        time.sleep(interval)


class Node:
    """One namespace."""

    def __init__(self, topology, name):
        self.topology = topology
        self.name = name
        self.netns = topology.prefix + name
        self.daemons = []

    def argv(self, argv):
        return ["nsenter", "--net=/run/netns/" + self.netns, "--"] + list(argv)

    def run(self, *argv, **kwargs):
        return run(self.argv(argv), **kwargs)

    def ok(self, *argv, **kwargs):
        """True if the command succeeds."""
        try:
            self.run(*argv, **kwargs)
            return True
        except (Failed, subprocess.TimeoutExpired):
            return False

    def inside(self, function):
        """What function() returns, run in this namespace by this thread alone: for sockets."""
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open("/run/netns/" + self.netns, os.O_RDONLY)
        try:
            if libc.setns(there, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns " + self.netns)
            return function()
        finally:
            libc.setns(own, CLONE_NEWNET)
            os.close(own)
            os.close(there)

    def ip(self, *lines):
        """Run lines of iproute2's batch language."""
        run(["ip", "-n", self.netns, "-batch", "-"], stdin="\n".join(lines) + "\n")

    def sysctl(self, *settings):
        script = "".join("echo %s > /proc/sys/%s\n" % (value, name.replace(".", "/"))
                         for name, value in (s.split("=", 1) for s in settings))
        self.run("sh", "-ec", script)

    def start(self, *argv, log=None, env=None):
        """Start a process in the foreground of its own session; it is ended with the topology."""
        path = os.path.join(self.topology.dir, log or "%s-%s.log" % (self.name, os.path.basename(argv[0])))
        with open(path, "ab") as out:
            process = subprocess.Popen(self.argv(argv), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, start_new_session=True, env=env)
        process.log = path
        self.daemons.append(process)
        return process

    def ping(self, address, count=2, timeout=3, source=None, size=None, deadline=None, extra=()):
        """True if at least one echo came back."""
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", "0.2", "-W", str(timeout)]
        if source:
            argv += ["-I", source]
        if size:
            argv += ["-s", str(size)]
        if deadline:
            argv += ["-w", str(deadline)]
        return self.ok(*argv, *extra, address)

    def tcpdump(self, interface, *expression, count=None):
        return Capture(self, interface, expression, count)


class Capture:
    """tcpdump on one interface, as a context; packets() gives its lines."""

    def __init__(self, node, interface, expression, count):
        self.argv = node.argv(["tcpdump", "-i", interface, "-nn", "-e", "-v", "-l", "-U"]
                              + (["-c", str(count)] if count else []) + list(expression))
        self.path = os.path.join(node.topology.dir, "%s-%s-%d.cap" % (node.name, interface, time.monotonic_ns()))

    def __enter__(self):
        self.out = open(self.path, "w+", encoding="utf-8")
        self.err = open(self.path + ".err", "w+", encoding="utf-8")
        self.process = subprocess.Popen(self.argv, stdout=self.out, stderr=self.err)
        wait_for("tcpdump listens", lambda: "listening on" in open(self.path + ".err", encoding="utf-8").read(), 20)
        return self

    def text(self):
        return open(self.path, encoding="utf-8").read()

    def frames(self):
        """What tcpdump says of each frame, its lines joined."""
        return [re.sub(r"\n\s+", " ", frame) for frame in re.split(r"\n(?=\S)", self.text()) if frame.strip()]

    def __exit__(self, *_exc):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.out.close()
        self.err.close()


class Topology:
    def __init__(self, prefix="", keep=False):
        self.prefix = prefix
        self.keep = keep
        self.nodes = {}
        self.dir = tempfile.mkdtemp(prefix="l3vpn-")

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is not None:
            self.show_logs()
        self.close()

    def add(self, *names):
        """Make namespaces, with loopback up."""
        for name in names:
            node = Node(self, name)
            run(["ip", "netns", "add", node.netns])
            self.nodes[name] = node
            node.ip("link set lo up")
        return [self.nodes[name] for name in names]

    def __getitem__(self, name):
        return self.nodes[name]

    def link(self, *ends):
        """Link "node:interface" pairs: link("ce1:pe", "pe1:red", "pe1:core", "p:pe1")."""
        lines = []
        for one, other in zip(ends[::2], ends[1::2]):
            (node, device), (peer, peer_device) = one.split(":"), other.split(":")
            lines.append("link add %s netns %s type veth peer name %s netns %s" %
                         (device, self[node].netns, peer_device, self[peer].netns))
        run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
        for end in ends:
            node, device = end.split(":")
            self[node].ip("link set dev %s up" % device)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def show_logs(self, lines=40):
        for node in self.nodes.values():
            for process in node.daemons:
                if os.path.exists(process.log):
                    with open(process.log, encoding="utf-8", errors="replace") as log:
                        tail = log.readlines()[-lines:]
                    print("# --- %s (exit %s)" % (process.log, process.poll()))
                    print("".join("# " + line for line in tail), end="")

    def close(self):
        processes = [p for node in self.nodes.values() for p in node.daemons]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        for node in self.nodes.values():
            subprocess.run(["ip", "netns", "del", node.netns], check=False)
        self.nodes = {}
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


class L3vpnd:
    """One l3vpnd in a node; its state and socket live in the topology's folder."""

    def __init__(self, node, config=None, args=()):
        self.node = node
        self.state = node.topology.path("state-" + node.name)
        self.socket = node.topology.path(node.name + ".sock")
        self.config = node.topology.path(node.name + ".conf")
        self.args = ["--state", self.state, "--socket", self.socket, "--config", self.config, "--foreground"]
        if config is not None:
            node.topology.write(node.name + ".conf", config)
        self.args += list(args)
        os.makedirs(self.state, exist_ok=True)

    def start(self, timeout=30):
        self.process = self.node.start(os.path.join(BUILD, "l3vpnd"), *self.args,
                                       log=self.node.name + "-l3vpnd.log")

        def answers():
            if self.process.poll() is not None:
                with open(self.process.log, encoding="utf-8", errors="replace") as log:
                    raise AssertionError("l3vpnd on %s left with %d:\n%s" % (
                        self.node.name, self.process.returncode, log.read()[-3000:]))
            return self.sh("show version")
        wait_for("l3vpnd answers on " + self.node.name, answers, timeout)
        return self

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait(5)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def sh(self, *commands, check=True):
        """Run commands of the shell; return what they print."""
        argv = [os.path.join(BUILD, "l3vpnsh"), "--socket", self.socket]
        for command in commands:
            argv += ["-c", command]
        return self.node.run(*argv, check=check)

    def configure(self, text):
        """Commit lines of configuration on top of what runs."""
        path = self.node.topology.write("%s-%d.cmd" % (self.node.name, time.monotonic_ns()),
                                        "configure\n" + text + "\ncommit\nend\n")
        return self.node.run(os.path.join(BUILD, "l3vpnsh"), "--socket", self.socket, "-f", path)

    def json(self, command):
        """Rows of a show command."""
        text = self.sh(command + " | json").strip()
        told = json.loads(text) if text else []
        # a command that tells facts beside its rows has them in one object
        return told.get("rows", told) if isinstance(told, dict) else told


class Frr:
    """zebra, staticd and bgpd, or other daemons, in a node."""

    DIR = "/usr/lib/frr"

    def __init__(self, node, config, daemons=("zebra", "staticd", "bgpd")):
        self.node = node
        self.dir = node.topology.path("frr-" + node.name)
        os.makedirs(self.dir, exist_ok=True)
        shutil.chown(self.dir, "frr", "frr")  # FRR drops to its own user
        os.chmod(node.topology.dir, 0o755)
        self.daemons = daemons
        self.processes = {}
        self.config = node.topology.write("frr-%s.conf" % node.name, config)

    def start(self):
        for daemon in self.daemons:
            self.start_daemon(daemon)
        return self.configure()

    def start_daemon(self, daemon, config=""):
        """config: what it shall know from the beginning."""
        socket = os.path.join(self.dir, daemon + ".vty")
        if os.path.exists(socket):
            os.unlink(socket)
        argv = [os.path.join(self.DIR, daemon), "-f", self.node.topology.write("%s-%s.conf" % (daemon, self.node.name), "log stdout\n" + config),
                "-i", os.path.join(self.dir, daemon + ".pid"), "-z", os.path.join(self.dir, "zserv.api"),
                "--vty_socket", self.dir, "--log", "stdout", "--log-level", "informational"]
        if daemon == "zebra":
            argv += ["-s", "8388608"]
        elif daemon == "ldpd":
            argv += ["--ctl_socket", self.dir]
        self.processes[daemon] = self.node.start(*argv, log="%s-%s.log" % (self.node.name, daemon))
        wait_for("%s on %s" % (daemon, self.node.name), lambda: os.path.exists(socket), 30)

    def kill(self, daemon):
        """SIGKILL, as a crash."""
        self.processes[daemon].kill()
        self.processes[daemon].wait(5)

    def configure(self):
        # staticd refuses labels until zebra has told it that the kernel has MPLS
        wait_for("FRR takes its configuration",
                 lambda: "failed" not in self.node.run("vtysh", "--vty_socket", self.dir, "-f", self.config), 20)
        return self

    def vtysh(self, *commands):
        argv = ["vtysh", "--vty_socket", self.dir]
        for command in commands:
            argv += ["-c", command]
        return self.node.run(*argv)

    def json(self, command):
        return json.loads(self.vtysh(command + " json") or "{}")


class Gobgp:
    """gobgpd in a node; config is its TOML."""

    def __init__(self, node, config):
        self.node = node
        self.config = node.topology.write("gobgp-%s.toml" % node.name, config)

    def start(self, *more):
        self.process = self.node.start("gobgpd", "-f", self.config, "-t", "toml", "-p", "--api-hosts", "127.0.0.1:50051", *more,
                                       log=self.node.name + "-gobgpd.log")
        wait_for("gobgpd answers", lambda: self.node.ok("gobgp", "neighbor"), 60)
        return self

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait(5)

    def cli(self, *argv):
        return self.node.run("gobgp", *argv)

    def rib(self, family):
        """{prefix (with RD): [path...]} of a family such as vpnv4."""
        text = self.cli("global", "rib", "-a", family, "-j")
        return json.loads(text) if text.strip() else {}

    def established(self):
        return [line.split()[0] for line in self.cli("neighbor").splitlines()[1:] if "Establ" in line]


class Bird:
    """bird in a node."""

    def __init__(self, node, config):
        self.node = node
        self.config = node.topology.write("bird-%s.conf" % node.name, config)
        self.ctl = node.topology.path("bird-%s.ctl" % node.name)

    def start(self, *more):
        self.process = self.node.start("bird", "-f", "-c", self.config, "-s", self.ctl, *more,
                                       log=self.node.name + "-bird.log")
        wait_for("bird answers", lambda: self.cli("show status"), 30)
        return self

    def kill(self):
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait(5)

    def cli(self, command):
        return self.node.run("birdc", "-s", self.ctl, command)


LABEL = re.compile(r"\blabel (\d+)")


def labels(line):
    """Labels of a frame, as tcpdump says it, outermost first."""
    return [int(label) for label in LABEL.findall(line)]
