# SPDX-License-Identifier: GPL-2.0
"""The daemon dies, comes back; someone deletes a route behind its back; the module is reloaded."""
import json
import os
import re
import time

import pytest

from l3vpn_nl import L3vpn, prefix4
from provider import site4, site6
from topology import run, wait_for


class Flood:
    """ping, one each interval (seconds), until stopped; lost() is how many did not come back."""

    def __init__(self, node, address, source, interval=0.001):
        self.node, self.address, self.source, self.interval = node, address, source, interval

    def __enter__(self):
        self.process = self.node.start("ping", "-n", "-q", "-i", str(self.interval), "-I", self.source, self.address,
                                       log="%s-flood-%d.log" % (self.node.name, time.monotonic_ns()))
        self.log = self.process.log
        return self

    def _sent(self):
        with open("/proc/thread-self/net/dev", encoding="ascii") as f:
            return sum(int(line.split(":")[1].split()[8]) for line in f if ":" in line)

    def last(self, packets):
        """Until so many more have left the node."""
        enough = self.node.inside(self._sent) + packets
        wait_for("%d packets from %s" % (packets, self.node.name), lambda: self.node.inside(self._sent) >= enough, 120)

    def __exit__(self, *_exc):
        self.process.send_signal(2)
        self.process.wait(10)
        text = open(self.log, encoding="utf-8").read()
        self.sent, self.received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", text).groups())

    def lost(self):
        # the one that was under way when ping was stopped is not lost
        return max(0, self.sent - self.received - 1)


def established(net):
    return {line.split()[0] for line in net.rr.cli("neighbor").splitlines()[1:] if "Establ" in line}


def summary(pe):
    """Facts and rows of show forwarding summary."""
    return json.loads(pe.sh("show forwarding summary | json"))


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
            wait_for("what nobody wants any more is swept", lambda: summary(pe)["sweep"] == "done", 200)
            time.sleep(2)  # what a sweep might break, it would break now
            forth.last(3000)  # a loaded machine may be slower than the flood
            back.last(3000)
    return forth, back, updates.text()


@pytest.mark.interop("graceful restart: we are killed", peers=("GoBGP",), packets=True)
def test_sigkill_loses_nothing(net):
    forth, back, updates = kill_and_restart(net)
    assert forth.sent > 3000 and back.sent > 3000
    assert forth.lost() == 0, "%d of %d lost" % (forth.lost(), forth.sent)
    assert back.lost() == 0, "%d of %d lost" % (back.lost(), back.sent)
    assert "withdrawn" not in updates.lower(), "FRR saw withdrawals"
    assert "Unfeasible" not in updates


def test_digests_agree_afterwards(net):
    assert all(row["equal"] for row in summary(net.pe[1])["rows"])


def test_deleted_route_is_mended(net):
    """Someone deletes a route in the module: the audit finds it and puts it back."""
    before = summary(net.pe[1])
    red = [row for row in net.pe[1].json("show vrf") if row["name"] == "RED"][0]
    nl = net["pe1"].inside(L3vpn)
    nl.route_del(int(red["id"]), [prefix4("10.2.0.0/16", 0)])
    # an audit may come before any command could show the gap: what it counts tells that there was one
    wait_for("mended", lambda: summary(net.pe[1])["mended"] > before["mended"], 120)
    wait_for("it is there again", lambda: "10.2.0.0/16" in net.pe[1].sh("show forwarding vrf RED"), 30)
    assert net["ce-red1"].ping(site4(2), source=site4(1), deadline=10)


def test_module_reloaded_under_the_daemon(net):
    """rmmod and insmod: everything is programmed anew."""
    run(["rmmod", "l3vpn"])
    assert not net["ce-red1"].ping(site4(2), source=site4(1), timeout=1)
    run(["insmod", os.environ["L3VPN_KO"]])
    for one, other in ((1, 2), (1, 3), (3, 2)):
        wait_for("site %d reaches site %d again" % (one, other),
                 lambda one=one, other=other: net["ce-red%d" % one].ping(site4(other), source=site4(one), count=1, timeout=1), 120)
        wait_for("and over IPv6",
                 lambda one=one, other=other: net["ce-red%d" % one].ping(site6(other), source=site6(one), count=1, timeout=1), 60)
    for pe in net.pe.values():
        wait_for("digests agree", lambda pe=pe: all(row["equal"] for row in summary(pe)["rows"]), 30)
