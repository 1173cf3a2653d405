# SPDX-License-Identifier: GPL-2.0
"""Sites on two PEs: several paths at once, backups in forwarding, best external; a PE and a CE's link lost under a flood.

    ce-a --+-- pe1 (l3vpnd) ---+                       A: 10.1.0.0/16, on pe1 and pe2
           +-- pe2 (FRR) ------+-- p (stock Linux) -- pe3 (l3vpnd) -- ce-c: 10.3.0.0/16
    ce-d --+-- pe1 (l3vpnd)    |                       D: 10.4.0.0/16, on pe1 (preferred) and pe4
           +-- pe4 (l3vpnd) ---+

The PEs speak iBGP with each other, without a reflector. Label 1000 + N leads to pe N; p pops it. Every PE has a route
distinguisher of its own unless a test says otherwise. Among ours VPNv6 goes over the same sessions (6VPE over an IPv4 core, RFC
4659): sites c and d are 2001:db8:3::/48 and 2001:db8:4::/48 too.
"""
import json
import socket
import struct
import threading
import time

import pytest

from topology import Bird, Frr, L3vpnd, Topology, labels, run, wait_for

PES = (1, 2, 3, 4)
OURS = (1, 3, 4)
SITES = {"a": (1, 2), "c": (3,), "d": (1, 4)}
NETS = {"a": "10.1", "c": "10.3", "d": "10.4"}
NETS6 = {"c": "2001:db8:3:", "d": "2001:db8:4:"}
MULTIPATH = "router bgp 65000\nvrf RED\naddress-family ipv%d unicast\n%smaximum-paths ibgp%s"


def ce_link(site, n, side):
    """Of PE n (side 1) with the CE of a site."""
    return "10.255.%d%d.%d" % (n, ord(site) - ord("a"), side)


def ce_link6(site, n, side):
    return "2001:db8:ff:%d%d::%d" % (n, ord(site) - ord("a"), side)


def core(n, side):
    return "198.51.100.%d" % (2 * n + side)


def pe_config(n):
    text = "hostname PE%d\nvrf RED\n rd 65000:%d\n" % (n, n)
    for v in "46":
        text += " address-family ipv%s unicast\n  import route-target 65000:1\n  export route-target 65000:1\n !\n" % v
    text += "!\n"
    for site, homes in SITES.items():
        if n in homes:
            text += ("interface to-%s\n vrf RED\n ipv4 address %s/30\n ipv6 address %s/64\n!\n"
                     % (site, ce_link(site, n, 1), ce_link6(site, n, 1)))
    text += "interface core\n mpls\n ipv4 address %s/31\n!\ninterface lo\n ipv4 address 192.0.2.%d/32\n!\nmpls\n" % (core(n, 0), n)
    others = [o for o in PES if o != n]
    for o in others:
        text += " static lsp 192.0.2.%d/32\n  path %s out-label %d\n !\n" % (o, core(n, 1), 1000 + o)
    text += "!\nrouter static\n vrf RED\n"
    for site in ("a", "c"):
        if n in SITES[site]:
            text += "  route %s.0.0/16\n   next-hop %s\n  !\n" % (NETS[site], ce_link(site, n, 2))
    for site, net in NETS6.items():
        if n in SITES[site]:
            text += "  route %s:/48\n   next-hop %s\n  !\n" % (net, ce_link6(site, n, 2))
    text += " !\n!\nbfd\n"
    text += "".join(" remote-pe 192.0.2.%d\n  source 192.0.2.%d\n  minimum-interval 50\n !\n" % (o, n)
                    for o in others if o in OURS)
    text += "!\nrouter bgp 65000\n router-id 192.0.2.%d\n bgp unsafe-ebgp-policy\n" % n
    for o in others:
        text += (" neighbor 192.0.2.%d\n  remote-as 65000\n  update-source 192.0.2.%d\n  timers connect-retry 1\n"
                 "  address-family vpnv4 unicast\n  !\n%s !\n"
                 % (o, n, "  address-family vpnv6 unicast\n  !\n" if o in OURS else ""))
    text += " vrf RED\n  address-family ipv6 unicast\n   redistribute static\n  !\n  address-family ipv4 unicast\n   redistribute static\n"
    text += "   advertise best-external\n  !\n" if n == 4 else "  !\n"
    if n in SITES["d"]:
        text += ("  neighbor %s\n   remote-as 65104\n   timers connect-retry 1\n   address-family ipv4 unicast\n   !\n  !\n"
                 % ce_link("d", n, 2))
    return text + " !\n!\n"


def pe2_frr(rd="65000:2"):
    text = "hostname PE2\nlog stdout\n"
    for o in OURS:
        text += "ip route 192.0.2.%d/32 %s label %d\n" % (o, core(2, 1), 1000 + o)
    text += "vrf RED\n ip route 10.1.0.0/16 %s\nexit-vrf\n" % ce_link("a", 2, 2)
    text += "router bgp 65000\n bgp router-id 192.0.2.2\n no bgp default ipv4-unicast\n"
    for o in OURS:
        text += (" neighbor 192.0.2.%d remote-as 65000\n neighbor 192.0.2.%d update-source 192.0.2.2\n"
                 " neighbor 192.0.2.%d timers connect 1\n address-family ipv4 vpn\n  neighbor 192.0.2.%d activate\n"
                 " exit-address-family\n" % (o, o, o, o))
    return text + ("exit\nrouter bgp 65000 vrf RED\n bgp router-id 192.0.2.2\n address-family ipv4 unicast\n"
                   "  redistribute static\n  label vpn export auto\n  rd vpn export %s\n  rt vpn both 65000:1\n"
                   "  export vpn\n  import vpn\n exit-address-family\nexit\n" % rd)


def ce_d_bird():
    """To pe4 with a longer path: pe1 is preferred by all."""
    text = "router id 10.4.0.1;\nprotocol device { }\nprotocol static { ipv4; route 10.4.0.0/16 blackhole; }\n"
    for n, more in ((1, ""), (4, "bgp_path.prepend(65104); ")):
        text += ("protocol bgp pe%d { local %s as 65104; neighbor %s as 65000; connect retry time 1; error wait time 1,2;\n"
                 " ipv4 { import all; export filter { if source = RTS_STATIC then { %saccept; } reject; }; }; }\n"
                 % (n, ce_link("d", n, 2), ce_link("d", n, 1), more))
    return text


class Network(Topology):
    def build(self):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth"], check=False)
        self.add("p", *("pe%d" % n for n in PES), *("ce-" + s for s in SITES))
        ends = []
        for n in PES:
            ends += ["pe%d:core" % n, "p:pe%d" % n]
        for site, homes in SITES.items():
            for n in homes:
                ends += ["ce-%s:pe%d" % (site, n), "pe%d:to-%s" % (n, site)]
        self.link(*ends)
        p = self["p"]
        p.sysctl("net.mpls.platform_labels=2000", "net.ipv4.ip_forward=1", *("net.mpls.conf.pe%d.input=1" % n for n in PES))
        for n in PES:
            p.ip("addr add %s/31 dev pe%d" % (core(n, 1), n), "route add 192.0.2.%d via %s" % (n, core(n, 0)))
            p.run("ip", "-f", "mpls", "route", "add", str(1000 + n), "via", "inet", core(n, 0), "dev", "pe%d" % n)
        for n in OURS:
            self["pe%d" % n].ip(*("route add 192.0.2.%d via %s dev core onlink" % (o, core(n, 1)) for o in PES if o != n))
        pe2 = self["pe2"]
        pe2.sysctl("net.mpls.platform_labels=1048575", "net.mpls.conf.core.input=1", "net.ipv4.ip_forward=1",
                   "net.ipv4.tcp_l3mdev_accept=0")
        pe2.ip("addr add 192.0.2.2/32 dev lo", "addr add %s/31 dev core" % core(2, 0), "link add RED type vrf table 101",
               "link set RED up", "route add table 101 unreachable default metric 4278198272", "link set dev to-a master RED",
               "addr add %s/30 dev to-a" % ce_link("a", 2, 1))
        for site, homes in SITES.items():
            ce = self["ce-" + site]
            ce.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
            ce.ip("addr add %s.0.1/16 dev lo" % NETS[site],
                  *("addr add %s/30 dev pe%d" % (ce_link(site, n, 2), n) for n in homes),
                  "route add default via %s" % ce_link(site, homes[-1], 1))
            if site in NETS6:
                ce.ip("addr add %s:1/48 dev lo nodad" % NETS6[site],
                      *("addr add %s/64 dev pe%d nodad" % (ce_link6(site, n, 2), n) for n in homes),
                      "route add ::/0 via %s" % ce_link6(site, homes[-1], 1))
        return self

    def start(self):
        self.frr = Frr(self["pe2"], pe2_frr()).start()
        self.bird = Bird(self["ce-d"], ce_d_bird()).start()
        self.pe = {n: L3vpnd(self["pe%d" % n], pe_config(n)).start() for n in OURS}
        wait_for("all of it at pe3", lambda: len(self.rows(3, "10.1.0.0/16")) == 2 and len(self.rows(3, "10.4.0.0/16")) == 2, 90)
        wait_for("the way back", lambda: all(self.rows(n, "10.3.0.0/16") for n in OURS), 30)
        return self

    def rows(self, n, prefix):
        return [row for row in self.pe[n].json("show route vrf RED") if row["prefix"] == prefix]

    def roles(self, n, prefix):
        """{next hop: yes, multipath, backup}"""
        return {row["next-hop"].split()[-1]: row["best"].split(":")[0] for row in self.rows(n, prefix)}

    def members(self, n, prefix):
        """What forwarding is told of it."""
        return self.pe[n].sh("explain vrf RED prefix %s" % prefix)


@pytest.fixture(scope="module", name="net")
def network():
    with Network() as topology:
        yield topology.build().start()


RECEIVE = """import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind(("0.0.0.0", 7000)); s.settimeout(2)
got = set()
print("ready", flush=True)
while True:
    try:
        n = struct.unpack("!I", s.recv(64))[0]
    except socket.timeout:
        continue
    if n == 0xffffffff:
        break
    got.add(n)
print(" ".join(map(str, sorted(got))), flush=True)
"""


class Numbers:
    """with Numbers(net, "10.1.0.1", "ce-a") as f: numbered packets of many flows from ce-c; then f.lost."""

    def __init__(self, net, to, at, rate=500):
        self.net, self.to, self.rate, self.sent, self.stop = net, to, rate, 0, False
        self.receiver = net[at].start("python3", "-c", RECEIVE, log="numbers-%d.log" % time.monotonic_ns())
        wait_for("the receiver", lambda: "ready" in open(self.receiver.log, encoding="utf-8").read(), 10)

    def run(self):
        socks = self.net["ce-c"].inside(lambda: [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(64)])
        for s in socks:
            s.bind(("10.3.0.1", 0))
        begin = time.monotonic()
        while not self.stop:
            socks[self.sent % 64].sendto(struct.pack("!I", self.sent), (self.to, 7000))
            self.sent += 1
            time.sleep(max(0, begin + self.sent / self.rate - time.monotonic()))
        time.sleep(0.3)
        for s in socks:         # whichever way one takes: it has to arrive
            s.sendto(struct.pack("!I", 0xffffffff), (self.to, 7000))

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.goes_on(0.5)
        return self

    def goes_on(self, seconds):
        time.sleep(seconds)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.receiver.wait(10)
        got = {int(n) for line in open(self.receiver.log, encoding="utf-8") if line[:1].isdigit() for n in line.split()}
        self.lost = self.sent - len(got)


def vpn_labels(net, prefix, seconds=3):
    """Label stacks under which packets of many flows leave pe3; errors that quote them come in, and do not count."""
    with net["pe3"].tcpdump("core", "mpls") as capture:
        with Numbers(net, prefix, "ce-a" if prefix.startswith("10.1") else "ce-d", 200):
            time.sleep(seconds)
    return {tuple(labels(f)) for f in capture.frames() if "> %s.7000:" % prefix in f and "ICMP" not in f}


@pytest.mark.interop("BGP: a site on two PEs, of which it is one", peers=("FRR",), packets=True)
@pytest.mark.parametrize("rd", ("65000:2", "65000:1"))
def test_both_pes_at_once(net, rd):
    """One route distinguisher for each PE, and one for both: flows take both PEs, each under the label that it gave."""
    net.frr.vtysh("configure terminal", "router bgp 65000 vrf RED", "address-family ipv4 unicast", "rd vpn export " + rd)
    wait_for("pe3 has both", lambda: sorted(net.roles(3, "10.1.0.0/16").values()) == ["backup", "yes"], 30)
    net.pe[3].configure(MULTIPATH % (4, "", " 2"))
    wait_for("both carry", lambda: sorted(net.roles(3, "10.1.0.0/16").values()) == ["multipath", "yes"], 10)
    want = {(1000 + int(row["next-hop"].rsplit(".", 1)[1]), row["label"]) for row in net.rows(3, "10.1.0.0/16")}
    assert vpn_labels(net, "10.1.0.1") == want
    net.pe[3].configure(MULTIPATH % (4, "no ", ""))
    wait_for("one carries", lambda: sorted(net.roles(3, "10.1.0.0/16").values()) == ["backup", "yes"], 10)
    assert len(vpn_labels(net, "10.1.0.1", 1)) == 1
    net.frr.vtysh("configure terminal", "router bgp 65000 vrf RED", "address-family ipv4 unicast", "rd vpn export 65000:2")


def test_both_pes_at_once_ipv6(net):
    """6VPE over the IPv4 core: next hops are IPv4-mapped; flows take both PEs, each under its label, and arrive by both."""
    prefix, there = NETS6["d"] + ":/48", NETS6["d"] + ":1"
    wait_for("pe3 has both", lambda: sorted(net.roles(3, prefix).values()) == ["backup", "yes"], 30)
    told = {row["next-hop"]: row["label"] for row in net.pe[3].json("show bgp vpnv6 unicast") if row["prefix"] == prefix}
    assert len(told) == 2, told
    net.pe[3].configure(MULTIPATH % (6, "", " 2"))
    wait_for("both carry", lambda: sorted(net.roles(3, prefix).values()) == ["multipath", "yes"], 10)
    want = {(1000 + int(row["next-hop"].rsplit(".", 1)[1]), row["label"]) for row in net.rows(3, prefix)}
    assert {stack[0] for stack in want} == {1001, 1004}
    with net["pe3"].tcpdump("core", "mpls") as capture, net["ce-d"].tcpdump("pe1", "ip6 and udp") as by_1, \
            net["ce-d"].tcpdump("pe4", "ip6 and udp") as by_4:
        for _ in range(64):
            with net["ce-c"].inside(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as flow:
                flow.bind((NETS6["c"] + ":1", 0))
                flow.sendto(b"6", (there, 7000))
            time.sleep(0.01)
        wait_for("arrived by both", lambda: "> %s.7000" % there in by_1.text() and "> %s.7000" % there in by_4.text(), 10)
    assert {tuple(labels(f)) for f in capture.frames() if "> %s.7000" % there in f and "ICMP" not in f} == want
    assert net["ce-c"].ping(there, source=NETS6["c"] + ":1", deadline=10)
    net.pe[3].configure(MULTIPATH % (6, "no ", ""))
    wait_for("one carries", lambda: sorted(net.roles(3, prefix).values()) == ["backup", "yes"], 10)


def test_best_external_is_the_backup(net):
    """pe1 is preferred, pe4 announces its own way all the same, by a label of the CE; and what show and explain say."""
    assert net.roles(3, "10.4.0.0/16") == {"192.0.2.1": "yes", "192.0.2.4": "backup"}
    rows = {row["next-hop"]: row for row in net.rows(4, "10.4.0.0/16")}
    own = [row for hop, row in rows.items() if "via" in hop][0]
    assert "best external" in own["exported"] and own["best"].startswith("backup"), own
    label = int(own["exported"].split()[0])
    assert [row["label"] for row in net.rows(3, "10.4.0.0/16") if row["next-hop"].endswith("192.0.2.4")] == [label]
    text = net.members(3, "10.4.0.0/16")
    assert "takes over in forwarding" in text and "192.0.2.4" in text, text


def test_digests_agree(net):
    for n in OURS:
        rows = json.loads(net.pe[n].sh("show forwarding summary | json"))["rows"]
        assert rows and all(row["equal"] for row in rows), rows


def rt(net, no, target):
    net.pe[3].configure("vrf RED\naddress-family ipv4 unicast\n%simport route-target %s" % (no, target))


def kept(net):
    """{(prefix, PE)} of the VPN routes that pe3 has from others."""
    return {(row["prefix"], row["from"]) for row in net.pe[3].json("show bgp vpnv4 unicast")
            if row["from"].startswith("192.0.2.")}


def test_what_nobody_imports_is_not_kept(net):
    """pe3's VRF ceases to import, and begins again: FRR and our PEs tell their routes once more, without a new session."""
    def established():
        return [row["value"] for n in (1, 2, 4) for row in net.pe[3].json("show bgp neighbors 192.0.2.%d" % n)
                if row["item"] == "established"]
    wait_for("all of it", lambda: len(net.rows(3, "10.1.0.0/16")) == 2 and len(net.rows(3, "10.4.0.0/16")) == 2, 30)
    before, sessions = kept(net), established()
    assert {("10.1.0.0/16", "192.0.2.2"), ("10.4.0.0/16", "192.0.2.4")} <= before, before
    rt(net, "no ", "65000:1")
    wait_for("nothing is kept", lambda: not kept(net), 20)
    assert not net.rows(3, "10.1.0.0/16")
    text = net.pe[3].sh("show bgp neighbors 192.0.2.2")
    assert "its route targets are imported nowhere" in text and "those that a VRF imports" in text, text
    assert "or with route targets that no VRF imports" in net.members(3, "10.1.0.0/16")
    rt(net, "", "65000:1")
    wait_for("they are told again", lambda: kept(net) == before, 30)
    wait_for("and imported", lambda: len(net.rows(3, "10.1.0.0/16")) == 2, 20)
    assert established() == sessions
    with Numbers(net, "10.1.0.1", "ce-a") as packets:
        packets.goes_on(1)
    assert not packets.lost


def test_maximum_of_prefixes(net):
    """One prefix of two has room; when it is raised, the other one comes."""
    def vrf():
        return net.pe[3].json("show vrf RED")[0]
    rt(net, "no ", "65000:1")
    wait_for("own ones alone", lambda: not net.rows(3, "10.1.0.0/16") and not net.rows(3, "10.4.0.0/16"), 20)
    own = vrf()["prefixes-ipv4"]
    net.pe[3].configure("vrf RED\naddress-family ipv4 unicast\nmaximum prefix %d" % (own + 1))
    rt(net, "", "65000:1")
    wait_for("one of them", lambda: vrf().get("not-imported-ipv4"), 30)
    time.sleep(6)       # those that are asked for again have come
    there = [p for p in ("10.1.0.0/16", "10.4.0.0/16") if net.rows(3, p)]
    assert vrf()["prefixes-ipv4"] == own + 1 and len(there) == 1, vrf()
    other = ({"10.1.0.0/16", "10.4.0.0/16"} - set(there)).pop()
    assert "it waits for room" in net.members(3, other), net.members(3, other)
    assert "the maximum of %d IPv4 prefixes is reached" % (own + 1) in net.pe[3].sh("show log")
    net.pe[3].configure("vrf RED\naddress-family ipv4 unicast\nno maximum prefix")
    wait_for("all of it", lambda: len(net.rows(3, "10.1.0.0/16")) == 2 and len(net.rows(3, "10.4.0.0/16")) == 2, 20)
    assert "not-imported-ipv4" not in vrf()
    assert "all is imported again" in net.pe[3].sh("show log")


def test_ce_link_lost_under_a_flood(net):
    """pe1's port to the site goes down: what comes from the core goes on to pe4, before anybody else has heard of it."""
    with Numbers(net, "10.4.0.1", "ce-d") as flood:
        flood.goes_on(1)
        net["ce-d"].ip("link set pe1 down")
        wait_for("pe3 by pe4", lambda: net.roles(3, "10.4.0.0/16") == {"192.0.2.4": "yes"}, 20)
        flood.goes_on(1)
    print("# a CE's link lost: %d of %d packets" % (flood.lost, flood.sent))
    assert flood.lost <= 50, flood.lost
    net["ce-d"].ip("link set pe1 up")
    wait_for("pe1 again", lambda: net.roles(3, "10.4.0.0/16").get("192.0.2.1") == "yes", 60)


def test_pe_lost_under_a_flood(net):
    """pe1 is cut off, and BFD says so: pe3's packets take pe4, while BGP still waits."""
    with Numbers(net, "10.4.0.1", "ce-d") as flood:
        flood.goes_on(1)
        net["p"].ip("link set pe1 down")
        wait_for("pe3 by pe4", lambda: net.roles(3, "10.4.0.0/16").get("192.0.2.4") == "yes", 20)
        flood.goes_on(1)
    print("# a PE lost, BFD 3 x 50 ms: %d of %d packets at 500 a second" % (flood.lost, flood.sent))
    assert flood.lost < 500, flood.lost
    net["p"].ip("link set pe1 up", "route replace 192.0.2.1 via %s" % core(1, 0))
    net["p"].run("ip", "-f", "mpls", "route", "replace", "1001", "via", "inet", core(1, 0), "dev", "pe1")
    wait_for("pe1 again", lambda: net.roles(3, "10.4.0.0/16").get("192.0.2.1") == "yes", 60)
