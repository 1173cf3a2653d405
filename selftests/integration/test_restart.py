# SPDX-License-Identifier: GPL-2.0
"""The daemon dies, comes back; someone deletes a route behind its back; the module is reloaded."""
import re
import time

from provider import site4, site6
from topology import wait_for


class Flood:
    """ping, 1,000 a second, until stopped; lost() is how many did not come back."""

    def __init__(self, node, address, source):
        self.node, self.address, self.source = node, address, source

    def __enter__(self):
        self.process = self.node.start("ping", "-n", "-q", "-i", "0.001", "-I", self.source, self.address,
                                       log="%s-flood-%d.log" % (self.node.name, time.monotonic_ns()))
        self.log = self.process.log
        return self

    def __exit__(self, *_exc):
        self.process.send_signal(2)
        self.process.wait(10)
        text = open(self.log, encoding="utf-8").read()
        self.sent, self.received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", text).groups())

    def lost(self):
        # the one that was under way when ping was stopped is not lost
        return max(0, self.sent - self.received - 1)


def frr_events(net):
    """How often FRR's routes of site 1 changed: their ages must only grow."""
    return net.frr.json("show ip route vrf RED 10.1.0.0/16"), net.frr.json("show bgp ipv4 vpn summary")


def established(net):
    return {line.split()[0] for line in net.rr.cli("neighbor").splitlines()[1:] if "Establ" in line}


def rib_versions(net):
    return net.rr.cli("global", "rib", "-a", "vpnv4")


def kill_and_restart(net):
    pe = net.pe[1]
    with net["p"].tcpdump("pe2", "tcp", "port", "179") as updates:
        with Flood(net["ce-red1"], site4(2), site4(1)) as forth, Flood(net["ce-red2"], site6(1), site6(2)) as back:
            time.sleep(1)  # a second of traffic before
            pe.kill()
            wait_for("the reflector lost PE1", lambda: "192.0.2.1" not in established(net), 30)
            time.sleep(3)  # and three without a daemon
            pe.start()
            wait_for("PE1 is back at the reflector",
                     lambda: {"192.0.2.1", "fd00:c0::1"} <= established(net), 60)
            net.converged()
            wait_for("graceful restart is over", lambda: "complete" in pe.sh("show forwarding summary").lower()
                     or "sweep" in pe.sh("show forwarding summary").lower(), 60)
            time.sleep(2)  # what a sweep might break, it would break now
    return forth, back, updates.text()


def test_sigkill_loses_nothing(net):
    forth, back, updates = kill_and_restart(net)
    assert forth.sent > 3000 and back.sent > 3000
    assert forth.lost() == 0, "%d of %d lost" % (forth.lost(), forth.sent)
    assert back.lost() == 0, "%d of %d lost" % (back.lost(), back.sent)
    assert "withdrawn" not in updates.lower(), "FRR saw withdrawals"
    assert "Unfeasible" not in updates


def test_digests_agree_afterwards(net):
    text = net.pe[1].sh("show forwarding summary")
    assert "mismatch" not in text.lower() and "differs" not in text.lower(), text
