# SPDX-License-Identifier: GPL-2.0
"""LDP in the ladder of lib/ladder.py: ours and FRR's routers mixed, over FRR's OSPF.

    ce1 -- r1 ours -- r3 ours -- r5 FRR
            |          |          |
    ce2 -- r2 FRR --- r4 FRR --- r6 ours -- ce6

Times are printed as "measured: ..."; scripts/bench ldp --ladder has them for FRR alone and for ours alone.
"""
import re
import subprocess
import time

import pytest

from ladder import EXPLICIT, IMPLICIT, Ladder, born, ldp, loopback, measure, neighbours, settled, site, vpn_label, wire
from topology import labels, wait_for

MIXED = {1: "ours", 2: "frr", 3: "ours", 4: "frr", 5: "frr", 6: "ours"}


@pytest.fixture(scope="module")
def net():
    with Ladder(MIXED, "ospf", options={n: "  graceful-restart\n" for n in (1, 3)}) as ladder:
        yield born(ladder, "OSPF")


def frr_ldp(net, n, *commands):
    net.frr[n].vtysh("configure terminal", "mpls ldp", *commands)


def test_sessions_and_bindings(net):
    settled(net, ("ipv4",))


def test_labels_on_the_wire(net):
    """Imposition, swap and penultimate pop; each label is the one that the next router gave out for r6."""
    fec = loopback(6) + "/32"
    flow = net.flow([1, 3, 5, 6])
    destination = flow.argv[-1]
    stacks = {}
    for n, peer in ((1, 3), (3, 5), (5, 6)):
        with net.router(n).tcpdump("to%d" % peer, "-Q", "out", "mpls", count=20) as capture:
            wait_for("packets on r%d" % n, lambda c=capture: c.text().count("echo request") >= 5, 10)
        stacks[n] = {tuple(labels(f)) for f in capture.frames() if "echo request" in f and "> " + destination in f}
    flow.__exit__()
    vpn = vpn_label(net, 6)
    assert stacks == {1: {(net.bindings(3)[0][fec], vpn)}, 3: {(net.bindings(5)[0][fec], vpn)}, 5: {(vpn,)}}
    assert flow.lost() == 0


def test_every_vpn_site_reaches_every_other(net):
    for one, other, v6 in net.pairs():
        wait_for("%d %d %s" % (one, other, v6), lambda o=one, p=other, v=v6: net.reaches(o, p, v), 10)


def test_ecmp(net):
    """Flows from r1 to r6 go by both rails, each packet once."""
    before = {p: net.sent(1, p) for p in neighbours(1)}
    ce = net["ce1"]
    ce.run("sh", "-c", "for k in $(seq 1 48); do ping -n -q -c 5 -i 0.01 -W 1 -I %s 172.16.6.$k >/dev/null & done; wait" % site(1))
    more = {p: net.sent(1, p) - before[p] for p in before}
    assert min(more.values()) >= 40 and 235 <= sum(more.values()) <= 300, more


def test_explicit_null(net):
    """Ours asks FRR for it and takes it; FRR asks ours and gets it (and drops it: Linux's MPLS table has no label 0). Then
    implicit null again."""
    net.pe[6].configure(ldp("address-family ipv4\n label local advertise explicit-null"))
    frr_ldp(net, 2, "address-family ipv4", "label local advertise explicit-null")
    at_frr, at_ours = (loopback(6) + "/32", loopback(6)), (loopback(2) + "/32", loopback(2))
    wait_for("FRR has explicit null", lambda: net.bindings(4)[1].get(at_frr) == net.bindings(5)[1].get(at_frr) == EXPLICIT, 20)
    wait_for("ours has explicit null", lambda: net.bindings(1)[1].get(at_ours) == EXPLICIT, 20)
    wait_for("r1 pushes it", lambda: [s[0] for s in wire(net, 1, 2, 1, 2)] == [EXPLICIT], 20)
    frr_ldp(net, 2, "address-family ipv4", "no label local advertise explicit-null")
    wait_for("ours has implicit null", lambda: net.bindings(1)[1].get(at_ours) == IMPLICIT, 20)
    # 0 in front of the VPN label
    wait_for("RED forwards", lambda: net.reaches(1, 2) and net.reaches(2, 6), 20)
    assert wire(net, 4, 6, 2, 6) == {(EXPLICIT, vpn_label(net, 6))}
    net.pe[6].configure(ldp("address-family ipv4\n no label local advertise explicit-null"))
    wait_for("FRR has implicit null", lambda: net.bindings(4)[1].get(at_frr) == net.bindings(5)[1].get(at_frr) == IMPLICIT, 20)
    wait_for("RED forwards", lambda: net.reaches(1, 2) and net.reaches(2, 6), 10)
    assert wire(net, 4, 6, 2, 6) == {(vpn_label(net, 6),)}


def test_filters(net):
    """Labels are given out and taken as the filters say, at once."""
    fecs = set(net.bindings(1)[0])
    narrow = {f for f in fecs if f.startswith("10.0.0.")}
    assert narrow and narrow != fecs

    def at(n, lsr):
        return {fec for fec, who in net.bindings(n)[1] if who == lsr}

    assert at(2, loopback(1)) == fecs
    net.pe[1].configure(ldp("address-family ipv4\n label local advertise for 10.0.0.0/24"))
    wait_for("FRR has the loopbacks alone", lambda: at(2, loopback(1)) == narrow, 20)
    net.pe[1].configure(ldp("address-family ipv4\n no label local advertise for 10.0.0.0/24"))
    wait_for("FRR has all again", lambda: at(2, loopback(1)) == fecs, 20)
    net.pe[1].configure(ldp("neighbor 10.0.0.2\n label local advertise for 10.0.0.4/32"))
    wait_for("one neighbour has one FEC", lambda: at(2, loopback(1)) == {"10.0.0.4/32"} and at(3, loopback(1)) == fecs, 20)
    net.pe[1].configure(ldp("no neighbor 10.0.0.2"))
    wait_for("FRR has all again", lambda: at(2, loopback(1)) == fecs, 20)
    net.pe[1].configure(ldp("address-family ipv4\n label remote accept for 10.0.0.6/32"))
    wait_for("ours takes one", lambda: at(1, loopback(2)) == at(1, loopback(3)) == {"10.0.0.6/32"}, 20)
    net.pe[1].configure(ldp("address-family ipv4\n no label remote accept for 10.0.0.6/32"))
    wait_for("ours asks for the others again", lambda: at(1, loopback(2)) == at(1, loopback(3)) == fecs, 20)
    net.pe[1].configure(ldp("address-family ipv4\n label local allocate for host-routes"))
    wait_for("host routes alone", lambda: set(net.bindings(1)[0]) == at(2, loopback(1)) == narrow, 20)
    net.pe[1].configure(ldp("address-family ipv4\n no label local allocate for host-routes"))
    wait_for("all", lambda: at(2, loopback(1)) == fecs, 20)
    # and FRR's filter at ours
    frr_ldp(net, 2, "address-family ipv4", "label local allocate host-routes")
    wait_for("ours has FRR's host routes", lambda: at(1, loopback(2)) == narrow, 20)
    frr_ldp(net, 2, "address-family ipv4", "no label local allocate host-routes")
    wait_for("ours has all of FRR's", lambda: at(1, loopback(2)) == fecs, 20)
    wait_for("RED forwards", lambda: net.reaches(1, 2) and net.reaches(1, 6), 20)


def tshark(path, *fields):
    """Rows of fields of LDP's messages in a capture; each a list of texts."""
    argv = ["tshark", "-n", "-r", path, "-Y", "ldp", "-T", "fields", "-E", "separator=;", "-E", "occurrence=a"]
    for field in fields:
        argv += ["-e", field]
    text = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return [line.split(";") for line in text.splitlines()]


def test_mapping_withdraw_release_on_the_wire(net):
    """A new address of r6 comes and goes. On the link from ours to FRR, both ways: mapping, withdraw, release, the same
    label in each."""
    fec, path = "10.0.0.66", net.path("ldp.pcap")
    capture = net.router(1).start("tcpdump", "-i", "to2", "-U", "-w", path, "tcp", "port", "646", log="ldp-capture.log")
    wait_for("tcpdump listens", lambda: "listening on" in open(capture.log, encoding="utf-8").read(), 10)
    net.router(6).ip("addr add %s/32 dev lo" % fec)
    wait_for("the FEC at both", lambda: all((fec + "/32", loopback(3 - n)) in net.bindings(n)[1] for n in (1, 2)), 20)
    ours, theirs = (net.bindings(n)[0][fec + "/32"] for n in (1, 2))
    net.router(6).ip("addr del %s/32 dev lo" % fec)
    wait_for("gone at ours", lambda: fec not in str(net.bindings(1)), 20)
    wait_for("gone at FRR's", lambda: fec not in str(net.bindings(2)[1]), 20)
    capture.send_signal(2)
    capture.wait(10)
    seen = set()
    for source, kinds, fecs, numbers in tshark(path, "ip.src", "ldp.msg.type", "ldp.msg.tlv.fec.pfval", "ldp.msg.tlv.generic.label"):
        if fec not in fecs:
            continue
        for kind in kinds.split(","):
            seen |= {(source, int(kind, 0), int(number, 0)) for number in numbers.split(",") if number}
    for giver, taker, label in ((loopback(1), loopback(2), ours), (loopback(2), loopback(1), theirs)):
        for who, kind, what in ((giver, 0x400, "mapping"), (giver, 0x402, "withdraw"), (taker, 0x403, "release")):
            assert (who, kind, label) in seen, "%s of %d by %s: %s" % (what, label, who, seen)


def test_targeted(net):
    """r1 with FRR's r4, two hops away: ours seeks and FRR accepts; FRR seeks and ours accepts; gone when nobody seeks."""
    bye = lambda n, lsr: lsr not in net.sessions(n)  # noqa: E731
    frr_ldp(net, 4, "address-family ipv4", "discovery targeted-hello accept")
    net.pe[1].configure(ldp("discovery targeted-hello interval 1\ndiscovery targeted-hello holdtime 3\n"
                            "address-family ipv4\n neighbor 10.0.0.4 targeted"))
    wait_for("ours seeks", lambda: loopback(4) in net.sessions(1) and loopback(1) in net.sessions(4), 60)
    wait_for("labels of both", lambda: all((loopback(6) + "/32", loopback(5 - n)) in net.bindings(n)[1] for n in (1, 4)), 20)
    rows = [r for r in net.pe[1].json("show mpls ldp discovery") if r["kind"] == "targeted"]
    assert [(r["neighbor"], r["state"]) for r in rows] == [(loopback(4), "up")], rows
    assert net.reaches(1, 6), "labels of a router that is no next hop are kept and not used"
    net.pe[1].configure(ldp("address-family ipv4\n no neighbor 10.0.0.4"))
    frr_ldp(net, 4, "address-family ipv4", "no discovery targeted-hello accept")
    wait_for("nobody seeks", lambda: bye(1, loopback(4)) and bye(4, loopback(1)), 100)
    net.pe[1].configure(ldp("address-family ipv4\n discovery targeted-hello accept from 10.0.0.4/32"))
    frr_ldp(net, 4, "address-family ipv4", "discovery targeted-hello interval 1", "discovery targeted-hello holdtime 3",
            "neighbor 10.0.0.1 targeted")
    wait_for("FRR seeks", lambda: loopback(4) in net.sessions(1) and loopback(1) in net.sessions(4), 60)
    frr_ldp(net, 4, "address-family ipv4", "no neighbor 10.0.0.1 targeted")
    net.pe[1].configure(ldp("address-family ipv4\n no discovery targeted-hello accept from 10.0.0.4/32"))
    wait_for("nobody seeks", lambda: bye(1, loopback(4)) and bye(4, loopback(1)), 100)


def test_gtsm(net):
    """Both offer it: segments have TTL 255, and Hellos the flag. FRR without: the session is one without. Ours insists: none."""
    with net.router(1).tcpdump("to2", "port", "646") as capture:
        net.pe[1].sh("clear mpls ldp neighbor 10.0.0.2")
        wait_for("a new session", lambda: capture.text().count("Initialization") >= 2, 60)
    ttls = {int(t) for f in capture.frames() if "TCP" in f for t in re.findall(r"ttl (\d+)", f)}
    assert ttls == {255}, ttls
    wait_for("all", net.all_sessions, 60)
    assert "GTSM" in net.pe[1].sh("show mpls ldp neighbor detail 10.0.0.2")
    frr_ldp(net, 2, "address-family ipv4", "ttl-security disable")
    wait_for("a session without GTSM", lambda: loopback(2) in net.sessions(1)
             and "GTSM" not in net.pe[1].sh("show mpls ldp neighbor detail 10.0.0.2"), 60)
    frr_ldp(net, 2, "address-family ipv4", "no ttl-security disable")
    wait_for("a session with GTSM", lambda: loopback(2) in net.sessions(1)
             and "GTSM" in net.pe[1].sh("show mpls ldp neighbor detail 10.0.0.2"), 60)
    wait_for("all", net.all_sessions, 60)


def report(name, figures):
    print("measured: OSPF, ours and FRR's mixed: %s: %s" % (name, figures))
    for figure, value in figures.items():
        assert value < 30000, (name, figure, value)


def test_failures(net):
    """Link and node fail and return under a flow of 1,000 packets a second."""
    measure(net, report)
    settled(net, ("ipv4",))


def restart_column(net, n, lsr):
    return {r["neighbor"]: r.get("graceful-restart") for r in net.pe[n].json("show mpls ldp neighbor")}.get(lsr)


def test_graceful_restart_of_ours(net):
    """r3's daemon is killed; r1 keeps its labels, r3's module forwards. The answers come by r4 and r2: FRR 8.4 does not do
    RFC 3478, and forgets r3's labels at once."""
    wait_for("r1 would help r3", lambda: restart_column(net, 1, loopback(3)) == "helper" and net.all_sessions(), 60)
    wait_for("RED forwards", lambda: net.reaches(1, 6), 20)
    flow = net.flow([1, 3, 5, 6], [6, 4, 2, 1])
    net.pe[3].kill()
    wait_for("r3's labels are stale at r1", lambda: restart_column(net, 1, loopback(3)) == "stale", 20)
    assert net.bindings(1)[1][loopback(6) + "/32", loopback(3)]
    net.pe[3].start()
    wait_for("r3 is back", net.all_sessions, 60)
    wait_for("r1 has them anew", lambda: restart_column(net, 1, loopback(3)) == "helper", 60)
    settled(net, ("ipv4",))
    flow.__exit__()
    print("measured: kill -9 of l3vpnd, r1 helps: %d of %d packets lost" % (flow.lost(), flow.sent))
    assert flow.sent > 1000 and flow.lost() == 0


def test_restart_of_frr(net):
    """r5's ldpd is killed: it has not offered RFC 3478, so its labels go at once, and traffic takes r4."""
    assert restart_column(net, 3, loopback(5)) == "no"
    flow = net.flow([1, 3, 5, 6])
    event = time.time()
    net.frr[5].kill("ldpd")
    wait_for("r3 forgets r5's labels", lambda: not any(lsr == loopback(5) for _f, lsr in net.bindings(3)[1]), 20)
    flow.resumed(event)
    print("measured: kill -9 of FRR's ldpd, no helper: %d ms until r4 carries" % flow.outage(event))
    assert flow.outage(event) < 5000
    net.frr[5].start_daemon("ldpd")
    net.frr[5].configure()
    wait_for("r5 is back", net.all_sessions, 60)
    flow.resumed(event)
    flow.__exit__()
    settled(net, ("ipv4",))


def counter(net, n, name):
    """A counter of the node's TCP (/proc/net/netstat)."""
    def read():
        with open("/proc/thread-self/net/netstat", encoding="ascii") as f:
            lines = [line.split() for line in f]
        return {k: int(v) for keys, values in zip(lines[::2], lines[1::2]) for k, v in zip(keys[1:], values[1:])}[name]
    return net.router(n).inside(read)


def test_md5(net):
    """With one password; with two, and with one on one side alone there is no session. The last test: r1 and r2 stay apart."""
    with net.router(1).tcpdump("to2", "tcp", "port", "646") as capture:
        net.pe[1].configure(ldp("neighbor 10.0.0.2\n password sesame"))
        frr_ldp(net, 2, "neighbor 10.0.0.1 password sesame")
        wait_for("a session by password", lambda: loopback(2) in net.sessions(1) and loopback(1) in net.sessions(2), 60)
        wait_for("signed segments", lambda: "md5" in capture.text(), 40)
    before = counter(net, 1, "TCPMD5Failure") + counter(net, 2, "TCPMD5Failure")
    net.pe[1].configure(ldp("neighbor 10.0.0.2\n password another"))
    wait_for("segments refused", lambda: counter(net, 1, "TCPMD5Failure") + counter(net, 2, "TCPMD5Failure") > before, 40)
    assert loopback(2) not in net.sessions(1)
    before = counter(net, 2, "TCPMD5NotFound")
    net.pe[1].configure(ldp("neighbor 10.0.0.2\n no password"))
    wait_for("segments without signature refused", lambda: counter(net, 1, "TCPMD5Unexpected") + counter(net, 2, "TCPMD5NotFound") > before, 40)
    assert loopback(2) not in net.sessions(1)
