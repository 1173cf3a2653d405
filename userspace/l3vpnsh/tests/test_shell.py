#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""l3vpnsh against a real daemon's management: scripts with -c and -f, and a terminal (a pty).

    test_shell.py (python, pty)  <-- terminal -->  l3vpnsh  <-- Unix socket -->  server (conf + mgmt)

Run by `make -C userspace test-shell`. L3VPN_BUILD names another build directory.
"""
import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
BUILD = os.environ.get("L3VPN_BUILD", os.path.join(TOP, "build/userspace"))
SHELL = os.path.join(BUILD, "l3vpnsh")
SERVER = os.path.join(BUILD, "shell-test-server")
TIMEOUT = 20

PE = """hostname PE1
vrf RED
 description "Customer RED"
 rd 65000:1
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
!
vrf BLUE
 rd 65000:2
!
interface eth1
 vrf RED
 ipv4 address 10.0.0.1/30
!
router bgp 65000
 router-id 192.0.2.1
 neighbor 192.0.2.9
  remote-as 65000
  address-family vpnv4 unicast
  !
 !
!
"""


class Daemon:
    """The server, in a directory of its own."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="l3vpnsh-")
        self.socket = self.path("sock")
        self.startup = self.path("startup.conf")
        os.mkdir(self.path("state"))
        self.process = None
        self.start()

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([SERVER, self.socket, self.path("state"), self.startup], stderr=log)
        deadline = time.monotonic() + TIMEOUT
        while not self.answers():
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "no socket"
            select.select([], [], [], 0.01)

    def answers(self):
        """The socket's file is there a moment before somebody listens."""
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.socket) == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        return status

    def close(self):
        status = self.stop()
        self.dir.cleanup()
        assert status == 0, "the server ended with %d" % status

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def run(self, *argv, stdin=""):
        return subprocess.run([SHELL, "--socket", self.socket, *argv], input=stdin, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def sh(self, *commands):
        argv = []
        for command in commands:
            argv += ["-c", command]
        return self.run(*argv)

    def configure(self, text):
        done = self.run("-f", self.write("configure.cmd", "configure\n" + text + "\ncommit\nend\n"))
        assert done.returncode == 0, done.stderr
        return done


class Terminal:
    """l3vpnsh on a pty."""

    def __init__(self, daemon, rows=50, cols=132):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "vt100"
            os.execv(SHELL, [SHELL, "--socket", daemon.socket])
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.seen = ""
        self.status = None

    def send(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, timeout=TIMEOUT):
        """Waits for the pattern in what was not yet consumed; returns all up to its end."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.seen)
            if found:
                text, self.seen = self.seen[:found.end()], self.seen[found.end():]
                return text
            left = deadline - time.monotonic()
            ready = select.select([self.fd], [], [], max(left, 0))[0]
            if not ready:
                raise AssertionError("no %r in %r" % (pattern, self.seen))
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError("end before %r: %r" % (pattern, self.seen))
            self.seen += data.decode(errors="replace")
            # what is erased was not seen
            while re.search(r"[^\x08]\x08", self.seen):
                self.seen = re.sub(r"[^\x08]\x08", "", self.seen)
            self.seen = self.seen.replace("\x08", "").replace("\a", "")

    def command(self, line, prompt=r"[\w.-]+(\([\w-]+\))?# $"):
        self.send(line + "\r")
        return self.expect(re.escape(line) + r"\r\n") and self.expect(prompt)

    def end(self):
        """Waits until the shell ends by itself; its exit status."""
        with contextlib.suppress(OSError):
            while os.read(self.fd, 65536):
                pass
        self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def close(self):
        """Ends the shell as a hang-up does, if it has not ended."""
        os.close(self.fd)
        if self.status is None:
            self.status = os.waitpid(self.pid, 0)[1]


class Case(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)

    def good(self, *commands):
        done = self.daemon.sh(*commands)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def bad(self, *commands):
        done = self.daemon.sh(*commands)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr


class Scripts(Case):
    def test_configure_commit_show(self):
        self.daemon.configure(PE)
        text = self.good("show running-config")
        self.assertIn("vrf RED\n", text)
        self.assertIn(' description "Customer RED"\n', text)
        again = self.daemon.write("again", text)
        self.good("configure", "load %s override" % again, "show differences", "commit", "end")
        self.assertEqual(self.good("show running-config"), text)

    def test_one_line_goes_through_modes(self):
        self.good("configure", "vrf RED rd 65000:1", "vrf RED address-family ipv4 unicast import route-target 1:1", "commit", "end")
        text = self.good("show running-config")
        self.assertIn(" rd 65000:1\n", text)
        self.assertIn("  import route-target 1:1\n", text)

    def test_modes_are_left_by_lines_of_those_around(self):
        self.good("configure", "vrf RED", "address-family ipv4 unicast", "export route-target 1:1", "rd 1:1", "interface eth0", "vrf RED", "commit", "end")
        self.assertIn("interface eth0\n vrf RED\n", self.good("show running-config"))

    def test_no(self):
        self.daemon.configure(PE)
        self.good("configure", "no vrf BLUE", "vrf RED", "no description", "commit", "end")
        text = self.good("show running-config")
        self.assertNotIn("BLUE", text)
        self.assertNotIn("description", text)

    def test_words_may_be_shortened(self):
        self.good("conf", "vrf RED", "addr ipv4 uni", "imp route 1:1", "root", "commi comm first", "end")
        self.assertIn("import route-target 1:1", self.good("sh run"))
        self.assertIn("first", self.good("show configuration history"))

    def test_errors_name_line_and_path(self):
        script = self.daemon.write("bad.cmd", "configure\nvrf RED\n rd nonsense\n!\ncommit\n")
        done = self.daemon.run("-f", script)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"bad\.cmd:3: /l3vpn:vrf/rd: .*nonsense")
        self.assertRegex(self.bad("configure", "vfr RED"), r"command:2: unknown word 'vfr'")
        self.assertRegex(self.bad("shwo version"), r"command:1: unknown word 'shwo'")
        self.assertRegex(self.bad("show versoin"), r"command:1: unknown word 'versoin'")
        self.assertRegex(self.bad("show version | frobnicate"), r"command:1: unknown after \|")

    def test_a_refused_commit_changes_nothing(self):
        self.daemon.configure(PE)
        before = self.good("show running-config")
        error = self.bad("configure", "interface eth1 mpls", "commit")
        self.assertIn("interface", error)
        self.assertIn("not both", error)
        self.assertEqual(self.good("show running-config"), before)

    def test_uncommitted_changes_are_an_error(self):
        self.assertIn("uncommitted", self.bad("configure", "vrf RED", "end"))
        self.assertIn("uncommitted", self.bad("configure", "vrf RED"))
        self.good("configure", "vrf RED", "abort")
        self.assertEqual(self.good("show running-config").strip(), "")

    def test_rollback(self):
        self.daemon.configure(PE)
        before = self.good("show running-config")
        self.good("configure", "no router bgp", "commit", "end")
        self.assertIn("-router bgp 65000", self.good("show configuration differences 1").replace("- ", "-"))
        self.good("configure", "rollback 1", "commit", "end")
        self.assertEqual(self.good("show running-config"), before)

    def test_commit_confirmed_rolls_back(self):
        self.daemon.configure(PE)
        before = self.good("show running-config")
        self.good("configure", "no router bgp", "commit confirmed 1", "end")
        deadline = time.monotonic() + TIMEOUT
        while self.good("show running-config") != before:
            self.assertLess(time.monotonic(), deadline)
        self.good("configure", "no router bgp", "commit confirmed 60", "commit confirm", "end")
        self.assertNotIn("router bgp", self.good("show running-config"))

    def test_load_tells_file_and_line(self):
        bad = self.daemon.write("bad.conf", "vrf RED\n rd 1:1\n nonsense 3\n!\n")
        self.assertRegex(self.bad("configure", "load " + bad), r"bad\.conf:3: .*nonsense")
        bad = self.daemon.write("bad.json", '{\n "l3vpn:hostname": }\n')
        self.assertRegex(self.bad("configure", "load " + bad), r"bad\.json:2: ")
        good = self.daemon.write("good.json", '{"l3vpn:hostname": "PE7"}')
        self.good("configure", "load " + good, "commit", "end")
        self.assertIn("hostname PE7", self.good("show running-config"))
        self.assertIn("No such file", self.bad("configure", "load /nonexistent"))

    def test_show_in_a_mode(self):
        self.daemon.configure(PE)
        text = self.good("configure", "vrf RED", "rd 65000:7", "show", "abort")
        self.assertIn("rd 65000:7", text)
        self.assertNotIn("BLUE", text)
        text = self.good("configure", "vrf RED", "rd 65000:7", "show configuration diff", "abort")
        self.assertRegex(text, r"(?m)^\+ .*rd 65000:7$")
        self.assertRegex(text, r"(?m)^- .*rd 65000:1$")

    def test_pipes(self):
        self.daemon.configure(PE)
        self.assertEqual(self.good("show running-config | include ^vrf"), "vrf BLUE\nvrf RED\n")
        self.assertEqual(self.good("show running-config | include ^vrf | count"), "2\n")
        self.assertEqual(self.good("show running-config | begin ^interface | include ^interface|^vrf".replace("|^vrf", "\\|^vrf")),
                         "")
        self.assertEqual(self.good('show running-config | begin ^interface | include "^interface|^vrf"'), "interface eth1\n")
        rows = json.loads(self.good("show configuration history | json"))
        self.assertEqual(rows[0]["back"], 0)
        saved = self.daemon.path("saved")
        self.assertEqual(self.good("show running-config | save " + saved), "")
        with open(saved, encoding="utf-8") as f:
            self.assertEqual(f.read(), self.good("show running-config"))
        facts = json.loads(self.good("show version | json"))
        self.assertEqual(facts["pid"], self.daemon.process.pid)

    def test_do_and_show_while_configuring(self):
        self.assertIn("pid", self.good("configure", "do show version", "show version", "abort"))

    def test_standard_input_is_a_script(self):
        done = self.daemon.run(stdin="show version\nshow nonsense\nshow version\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("(standard input):2: ", done.stderr)
        self.assertEqual(done.stdout.count("libyang"), 1)

    def test_comments(self):
        done = self.daemon.run("-f", self.daemon.write("c.cmd", "! it's | a comment\n# another \"\n\nshow version\n"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_no_daemon(self):
        done = subprocess.run([SHELL, "--socket", "/nonexistent/sock", "-c", "show version"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/sock", done.stderr)

    def test_wrong_usage(self):
        self.assertEqual(self.daemon.run("--nonsense").returncode, 2)
        self.assertEqual(self.daemon.run("show", "version").returncode, 2)

    def test_tech_support_collects(self):
        self.daemon.configure(PE)
        text = self.good("show tech-support")
        for command in ("show version", "show running-config", "show log", "show configuration history"):
            self.assertIn("----- %s -----" % command, text)
        self.assertIn("router bgp 65000", text)

    def test_programs(self):
        self.assertIn("exec", self.bad("exec vrf RED"))
        error = self.bad("exec vrf nosuch -- true")
        self.assertIn("nosuch", error)

    def test_a_long_script(self):
        lines = ["configure"]
        for n in range(500):
            lines += ["vrf V%d" % n, " rd 65000:%d" % n, " address-family ipv4 unicast", "  import route-target 65000:%d" % n, " !", "!"]
        script = self.daemon.write("long.cmd", "\n".join(lines + ["commit", "end", ""]))
        done = self.daemon.run("-f", script)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.good("show running-config | include ^vrf | count"), "500\n")


class Interactive(Case):
    def setUp(self):
        super().setUp()
        self.daemon.configure(PE)
        self.terminal = Terminal(self.daemon)
        self.addCleanup(self.terminal.close)
        self.terminal.expect(r"PE1# $")

    def test_modes_and_prompts(self):
        t = self.terminal
        t.command("configure", r"PE1\(config\)# $")
        t.command("vrf RED", r"PE1\(config-vrf\)# $")
        t.command("address-family ipv4 unicast", r"PE1\(config-vrf-af\)# $")
        t.command("exit", r"PE1\(config-vrf\)# $")
        t.command("router bgp 65000", r"PE1\(config-bgp\)# $")
        t.command("root", r"PE1\(config\)# $")
        t.command("hostname PE9", r"PE1\(config\)# $")
        t.command("commit", r"PE9\(config\)# $")
        t.command("end", r"PE9# $")

    def test_completion(self):
        t = self.terminal
        t.send("conf\t")
        t.expect("configure $")
        t.send("\r")
        t.expect(r"\(config\)# $")
        t.send("vrf R\t")
        t.expect("vrf RED $")
        t.send("\r")
        t.expect(r"\(config-vrf\)# $")
        t.send("label mode \t")
        t.expect("per-$")
        t.send("v\t")
        t.expect("per-vrf $")
        t.send("\r")
        t.expect(r"\(config-vrf\)# $")
        t.command("root", r"\(config\)# $")
        t.send("interface eth1 vrf \t\t")
        text = t.expect(r"# interface eth1 vrf $")
        self.assertIn("BLUE", text)
        self.assertIn("RED", text)
        t.send("\x15router bgp 65000 neighbor \t")
        t.expect(r"neighbor 192\.0\.2\.9 $")

    def test_help(self):
        t = self.terminal
        t.send("show ?")
        text = t.expect(r"PE1# show $")
        self.assertRegex(text, r"\r\n  version +What runs here\.\r\n")
        self.assertRegex(text, r"\r\n  log +The newest lines of the daemon's log\.\r\n")
        t.send("\x15configure ?")
        text = t.expect(r"PE1# configure $")
        self.assertIn("exclusive", text)
        self.assertIn("  <cr>", text)
        t.send("\r")
        t.expect(r"\(config\)# $")
        t.send("no vrf ?")
        text = t.expect(r"\(config\)# no vrf $")
        self.assertIn("<name>", text)
        self.assertRegex(text, r"\r\n  BLUE\r\n")
        self.assertRegex(text, r"\r\n  RED\r\n")

    def test_errors_do_not_end_it(self):
        t = self.terminal
        self.assertIn("% unknown word 'nonsense'", t.command("nonsense"))
        self.assertIn("% unknown word 'nonsense'", t.command("show nonsense"))
        t.command("configure", r"\(config\)# $")
        self.assertIn("% /l3vpn:vrf/rd: ", t.command("vrf RED rd x"))
        self.assertIn("% unknown word 'nonsense'", t.command("nonsense"))
        self.assertIn("expected", t.command("show version | nonsense"))

    def test_pasted_configuration(self):
        t = self.terminal
        t.command("configure", r"\(config\)# $")
        t.send(PE.replace("PE1", "PE5").replace("RED", "GREEN"))
        t.send("commit\n")
        t.expect(r"PE5\(config\)# $")
        text = t.command("show | include ^vrf")
        self.assertIn("vrf GREEN", text)
        t.command("end", r"PE5# $")
        self.assertIn("vrf GREEN\n", self.good("show running-config"))

    def test_leaving_asks(self):
        t = self.terminal
        t.command("configure", r"\(config\)# $")
        t.command("vrf GREEN", r"\(config-vrf\)# $")
        t.send("end\r")
        t.expect(r"forget them\? \[y/n\] $")
        t.send("n")
        t.expect(r"\(config-vrf\)# $")
        t.send("end\r")
        t.expect(r"forget them\? \[y/n\] $")
        t.send("y")
        t.expect(r"PE1# $")
        self.assertNotIn("GREEN", self.good("show running-config"))

    def test_control_z_keeps_the_session(self):
        t = self.terminal
        t.command("configure", r"\(config\)# $")
        t.command("vrf GREEN", r"\(config-vrf\)# $")
        t.send("\x1a")
        t.expect(r"PE1# $")
        self.assertIn("kept", t.command("show version", r"PE1# $"))
        t.command("configure", r"\(config\)# $")
        t.command("commit", r"\(config\)# $")
        self.assertIn("GREEN", self.good("show running-config"))

    def test_pager(self):
        t = self.terminal
        self.daemon.configure("\n".join("vrf V%d" % n for n in range(200)))
        t.command("terminal length 10")
        t.send("show running-config\r")
        text = t.expect(r"--More--$")
        self.assertEqual(text.split("show running-config\r\n", 1)[1].count("\r\n"), 9)
        t.send(" ")
        self.assertEqual(t.expect(r"--More--$").count("\r\n"), 9)
        t.send("\r")
        self.assertEqual(t.expect(r"--More--$").count("\r\n"), 1)
        t.send("q")
        self.assertNotIn("vrf V", t.expect(r"PE1# $"))
        t.command("terminal length 0")
        self.assertGreater(t.command("show running-config").count("vrf V"), 199)
        self.assertIn("libyang", t.command("show version"))

    def test_interrupt_ends_a_topic(self):
        t = self.terminal
        t.send("monitor log\r")
        t.expect(r"monitor log\r\n")
        self.daemon.configure("hostname PE2")
        t.expect(r"\r\n", TIMEOUT)
        t.send("\x03")
        t.expect(r"PE1# $")
        self.assertIn("libyang", t.command("show version"))

    def test_the_daemon_goes_and_comes(self):
        t = self.terminal
        t.command("configure", r"\(config\)# $")
        t.command("vrf GREEN", r"\(config-vrf\)# $")
        self.daemon.stop()
        self.assertIn("lost", t.command("rd 1:1", r"PE1# $"))
        self.daemon.start()
        self.assertIn("libyang", t.command("show version"))

    def test_exit_ends(self):
        self.terminal.send("exit\r")
        self.assertEqual(self.terminal.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
