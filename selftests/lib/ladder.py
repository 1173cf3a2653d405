# SPDX-License-Identifier: GPL-2.0
"""A ladder of six routers that speak LDP, each ours or FRR's, and customers at its ends.

    ce1 -- r1 ----- r3 ----- r5        rails r1 r3 r5 and r2 r4 r6, rungs r1 r2, r3 r4, r5 r6
           |        |        |
    ce2 -- r2 ----- r4 ----- r6 -- ce6

Router N is 10.0.0.N and fd00:a::N; the device of the link from N to M is toM in N, its addresses 10.1.NM.0/31 and
fd00:a:NM::/64 (N the lesser). r1, r2 and r6 are PEs of VRF RED, with full mesh of BGP; site N is 172.16.N.0/24 and
2001:db8:N::/48. A router of kind "ours" has l3vpnd for LDP and VPNs and FRR's zebra and IGP beside it in the same
namespace; a router of kind "frr" has FRR and stock Linux alone.
"""
import concurrent.futures
import re
import time

from topology import Failed, Frr, L3vpnd, Topology, labels, run, wait_for

LINKS = ((1, 3), (3, 5), (2, 4), (4, 6), (1, 2), (3, 4), (5, 6))
PES = (1, 2, 6)
AS = 65000
ADDRESSES = 64                  # of each site
IMPLICIT, EXPLICIT = 3, 0       # labels
RT = "65000:1"


def loopback(n):
    return "10.0.0.%d" % n


def loopback6(n):
    return "fd00:a::%d" % n


def neighbours(n):
    return [b if a == n else a for a, b in LINKS if n in (a, b)]


def address(n, peer):
    """Of router n on the link to peer."""
    return "10.1.%d%d.%d" % (min(n, peer), max(n, peer), int(n > peer))


def address6(n, peer):
    return "fd00:a:%d%d::%d" % (min(n, peer), max(n, peer), 1 + int(n > peer))


def site(n):
    return "172.16.%d.1" % n


def site6(n):
    return "2001:db8:%d::1" % n


class Flow:
    """One flow of echoes, one a millisecond; gaps tell how long it was interrupted."""

    def __init__(self, node, destination, source):
        self.node, self.argv = node, ["ping", "-n", "-D", "-i", "0.001", "-I", source, destination]

    def __enter__(self):
        self.process = self.node.start(*self.argv, log="%s-flow-%d.log" % (self.node.name, time.monotonic_ns()))
        wait_for("the flow runs", lambda: len(self.replies()) > 20, 20, 0.05)
        return self

    def text(self):
        with open(self.process.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def replies(self):
        """[(time, sequence)] of the answers so far."""
        return [(float(t), int(s)) for t, s in re.findall(r"^\[([0-9.]+)\] .*bytes from .*icmp_seq=(\d+) .*time=", self.text(), re.M)]

    def resumed(self, event, timeout=60):
        """Until, after event, answers come without a pause."""
        def steady():
            replies = [r for r in self.replies() if r[0] > event]
            return len(replies) > 50 and time.time() - replies[0][0] > 0.3 and \
                replies[-1][0] - replies[-51][0] < 0.5 and time.time() - replies[-1][0] < 0.2
        wait_for("the flow goes on", steady, timeout, 0.1)

    def __exit__(self, *_exc):
        self.process.send_signal(2)
        self.process.wait(10)
        self.sent, self.received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", self.text()).groups())

    def lost(self):
        """The one that was under way when ping was stopped is not lost."""
        return max(0, self.sent - self.received - 1)

    def outage(self, event):
        """Milliseconds from event to the last answer that came behind a missing one, 0 where none was missing. Answers are
        numbered modulo 65536."""
        end, before = 0.0, None
        for when, number in self.replies():
            if before is not None and when > event and (number - before) & 0xffff != 1 and (number - before) & 0xffff < 0x8000:
                end = max(end, when - event)
            before = number
        return round(end * 1000)


class Ladder(Topology):
    """kinds: "ours" or "frr" for each router, e.g. {1: "ours", ...}. igp: "ospf" or "isis". families: of the core; LDP
    runs in each of them. options: further lines of LDP's configuration, {router: text} (in the words of its kind)."""

    def __init__(self, kinds, igp="ospf", families=("ipv4",), options=None):
        super().__init__()
        self.kinds, self.igp, self.families = kinds, igp, families
        self.options = options or {}
        self.frr, self.pe = {}, {}

    def router(self, n):
        return self["r%d" % n]

    # ---- what is made

    def build(self):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth"], check=False)
        self.add(*["r%d" % n for n in range(1, 7)], *["ce%d" % n for n in PES])
        ends = []
        for a, b in LINKS:
            ends += ["r%d:to%d" % (a, b), "r%d:to%d" % (b, a)]
        for n in PES:
            ends += ["ce%d:pe" % n, "r%d:red" % n]
        self.link(*ends)
        for n in range(1, 7):
            self._router(n)
        for n in PES:
            self._ce(n)
        return self

    def _router(self, n):
        node = self.router(n)
        settings = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.default.rp_filter=0", "net.ipv4.fib_multipath_hash_policy=1"]
        lines = ["addr add %s/32 dev lo" % loopback(n)]
        if "ipv6" in self.families:
            lines.append("addr add %s/128 dev lo nodad" % loopback6(n))
        if self.kinds[n] == "frr":
            settings += ["net.mpls.platform_labels=1048575", "net.ipv4.tcp_l3mdev_accept=0"]
        for peer in neighbours(n):
            lines.append("addr add %s/31 dev to%d" % (address(n, peer), peer))
            if "ipv6" in self.families:
                lines.append("addr add %s/64 dev to%d nodad" % (address6(n, peer), peer))
            settings.append("net.ipv4.conf.to%d.rp_filter=0" % peer)
            if self.kinds[n] == "frr":
                settings.append("net.mpls.conf.to%d.input=1" % peer)
        if self.kinds[n] == "frr" and n in PES:
            lines += ["link add RED type vrf table 101", "link set RED up",
                      "route add table 101 unreachable default metric 4278198272", "link set red master RED",
                      "addr add 172.31.%d.1/30 dev red" % n, "addr add 2001:db8:ff:%d::1/64 dev red nodad" % n]
        node.sysctl(*settings)
        node.ip(*lines)

    def _ce(self, n):
        self["ce%d" % n].ip("addr add 172.31.%d.2/30 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                            *["addr add 172.16.%d.%d/32 dev lo" % (n, k) for k in range(1, ADDRESSES + 1)],
                            "addr add %s/128 dev lo nodad" % site6(n),
                            "route add default via 172.31.%d.1" % n, "route add ::/0 via 2001:db8:ff:%d::1" % n)

    # ---- FRR's configuration

    def _igp(self, n):
        text = ""
        for peer in neighbours(n) + [0]:
            text += "interface %s\n" % ("to%d" % peer if peer else "lo")
            if self.igp == "ospf":
                text += " ip ospf area 0\n"
                text += " ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf dead-interval 3\n" if peer else ""
            else:
                text += "".join(" %s router isis core\n" % {"ipv4": "ip", "ipv6": "ipv6"}[f] for f in self.families)
                text += " isis network point-to-point\n isis hello-interval 1\n isis hello-multiplier 3\n" if peer else " isis passive\n"
            text += "exit\n"
        if self.igp == "ospf":
            return text + "router ospf\n ospf router-id %s\n timers throttle spf 0 50 500\n timers throttle lsa all 50\n timers lsa min-arrival 50\nexit\n" % loopback(n)
        return text + ("router isis core\n net 49.0001.0000.0000.000%d.00\n is-type level-2-only\n metric-style wide\n"
                       " lsp-gen-interval 1\n spf-interval 1\n"
                       " spf-delay-ietf init-delay 0 short-delay 50 long-delay 500 holddown 1000 time-to-learn 500\nexit\n" % n)

    def _frr_ldp(self, n):
        text = "mpls ldp\n router-id %s\n%s" % (loopback(n), self.options.get(n, ""))
        for family in self.families:
            text += " address-family %s\n  discovery transport-address %s\n" % (family, loopback(n) if family == "ipv4" else loopback6(n))
            text += "".join("  interface to%d\n   discovery hello interval 1\n   discovery hello holdtime 3\n  exit\n" % p
                            for p in neighbours(n))
            text += " exit-address-family\n"
        return text + "exit\n"

    def _frr_bgp(self, n):
        text = "vrf RED\n ip route 172.16.%d.0/24 172.31.%d.2\n ipv6 route 2001:db8:%d::/48 2001:db8:ff:%d::2\nexit-vrf\n" % (n, n, n, n)
        text += "router bgp %d\n bgp router-id %s\n no bgp default ipv4-unicast\n" % (AS, loopback(n))
        for other in PES:
            for peer, own, family in self._sessions(n, other):
                text += (" neighbor %s remote-as %d\n neighbor %s update-source %s\n neighbor %s timers connect 1\n"
                         " address-family %s vpn\n  neighbor %s activate\n exit-address-family\n"
                         % (peer, AS, peer, own, peer, family, peer)) if other != n else ""
        text += "exit\nrouter bgp %d vrf RED\n bgp router-id %s\n" % (AS, loopback(n))
        for family in self.families:
            text += (" address-family %s unicast\n  redistribute connected\n  redistribute static\n  label vpn export auto\n"
                     "  rd vpn export %d:%d\n  rt vpn both %s\n  export vpn\n  import vpn\n exit-address-family\n" % (family, AS, n, RT))
        return text + "exit\n"

    def _sessions(self, n, other):
        """(peer, own address, family) of each session: VPNv4 over IPv4, VPNv6 over IPv6."""
        found = [(loopback(other), loopback(n), "ipv4")]
        if "ipv6" in self.families:
            found.append((loopback6(other), loopback6(n), "ipv6"))
        return found

    # ---- ours

    def ours(self, n):
        text = "hostname R%d\n" % n
        if n in PES:
            text += "vrf RED\n rd %d:%d\n" % (AS, n)
            text += "".join(" address-family %s unicast\n  import route-target %s\n  export route-target %s\n !\n" % (f, RT, RT)
                            for f in ("ipv4", "ipv6"))
            text += "!\ninterface red\n vrf RED\n ipv4 address 172.31.%d.1/30\n ipv6 address 2001:db8:ff:%d::1/64\n!\n" % (n, n)
        for peer in neighbours(n):
            text += "interface to%d\n mpls\n ipv4 address %s/31\n" % (peer, address(n, peer))
            text += " ipv6 address %s/64\n" % address6(n, peer) if "ipv6" in self.families else ""
            text += "!\n"
        text += "interface lo\n ipv4 address %s/32\n" % loopback(n)
        text += " ipv6 address %s/128\n" % loopback6(n) if "ipv6" in self.families else ""
        text += "!\nmpls\n ldp\n  router-id %s\n  discovery hello interval 1\n  discovery hello holdtime 3\n%s" % (
            loopback(n), self.options.get(n, ""))
        for family in self.families:
            text += "  address-family %s\n   discovery transport-address %s\n  !\n" % (
                family, loopback(n) if family == "ipv4" else loopback6(n))
        text += "".join("  interface to%d\n  !\n" % p for p in neighbours(n)) + " !\n!\n"
        return text + (self._our_bgp(n) if n in PES else "")

    def _our_bgp(self, n):
        text = "router static\n vrf RED\n  route 172.16.%d.0/24\n   next-hop 172.31.%d.2\n  !\n" % (n, n)
        text += "  route 2001:db8:%d::/48\n   next-hop 2001:db8:ff:%d::2\n  !\n !\n!\n" % (n, n)
        text += "router bgp %d\n router-id %s\n" % (AS, loopback(n))
        for other in PES:
            if other == n:
                continue
            for peer, own, family in self._sessions(n, other):
                families = [family]
                if "ipv6" not in self.families and self.kinds[other] == "ours":
                    families.append("ipv6")          # 6VPE: FRR on stock Linux cannot
                text += " neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 1\n" % (peer, AS, own)
                text += "".join("  address-family vpn%s unicast\n  !\n" % f.replace("ip", "") for f in families) + " !\n"
        text += " vrf RED\n"
        for af in ("ipv4", "ipv6"):
            text += "  address-family %s unicast\n   redistribute connected\n   redistribute static\n  !\n" % af
        return text + " !\n!\n"

    # ---- life

    def _start(self, n):
        daemons = ["zebra", self.igp + "d"]
        # zebra 8.4 forgets that the kernel took a member off a group of next hops when its link went, and uses the group again
        text = "hostname R%d\nlog stdout\nno zebra nexthop kernel enable\n" % n + self._igp(n)
        if self.kinds[n] == "frr":
            daemons.append("ldpd")
            text += self._frr_ldp(n)
            if n in PES:
                daemons += ["staticd", "bgpd"]
                text += self._frr_bgp(n)
        self.frr[n] = Frr(self.router(n), text, daemons).start()
        if self.kinds[n] == "ours":
            self.pe[n] = L3vpnd(self.router(n), self.ours(n)).start()

    def start(self, converge=True):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(self._start, range(1, 7)))
        if converge:
            self.converged()
        return self

    def sessions(self, n):
        """{LSR Id} of the neighbours whose session is up."""
        if self.kinds[n] == "frr":
            told = self.frr[n].json("show mpls ldp neighbor")
            return {x["neighborId"] for x in told.get("neighbors", []) if x["state"] == "OPERATIONAL"}
        return {x["neighbor"] for x in self.pe[n].json("show mpls ldp neighbor") if x["state"] == "operational"}

    def bindings(self, n):
        """({FEC: label given out}, {(FEC, LSR Id): label received}) as numbers, implicit null 3."""
        names = {"imp-null": 3, "exp-null": 0, "implicit-null": 3, "explicit-null": 0}
        local, remote = {}, {}
        if self.kinds[n] == "frr":
            for x in self.frr[n].json("show mpls ldp binding").get("bindings", []):
                for key, where, label in ((x["prefix"], local, x["localLabel"]),
                                          ((x["prefix"], x["neighborId"]), remote, x["remoteLabel"])):
                    if label not in ("-", ""):
                        where[key] = names[label] if label in names else int(label)
            return local, remote
        for x in self.pe[n].json("show mpls ldp bindings"):
            label = names[x["label"]] if x["label"] in names else int(x["label"])
            if x["side"] == "local":
                local[x["fec"]] = label
            else:
                remote[x["fec"], x["neighbor"]] = label
        return local, remote

    def all_sessions(self):
        missing = ["r%d to %s" % (n, ", ".join(sorted({loopback(p) for p in neighbours(n)} - self.sessions(n)))) for n in range(1, 7)
                   if not self.sessions(n) >= {loopback(p) for p in neighbours(n)}]
        if missing:
            raise Failed("no session: " + "; ".join(missing))
        return True

    def reaches(self, one, other, v6=False):
        place = site6 if v6 else site
        return self["ce%d" % one].ping(place(other), source=place(one), count=1, timeout=1)

    def pairs(self):
        """((from, to, over IPv6) of what must reach each other."""
        for one, other in ((1, 6), (1, 2), (2, 6)):
            yield one, other, False
            frr = "frr" in (self.kinds[one], self.kinds[other])
            if "ipv6" in self.families or not frr:
                yield one, other, True

    def converged(self, timeout=90):
        wait_for("all LDP sessions", self.all_sessions, timeout)
        for one, other, v6 in self.pairs():
            wait_for("site %d reaches site %d%s" % (one, other, " over IPv6" if v6 else ""),
                     lambda one=one, other=other, v6=v6: self.reaches(one, other, v6), timeout)

    def set_links(self, up, *links):
        """Carrier of links (pairs), from the first router's side; all at once. The time at which it was done."""
        word = "up" if up else "down"
        for a in sorted({a for a, _b in links}):
            self.router(a).ip(*["link set dev to%d %s" % (b, word) for x, b in links if x == a])
        return time.time()

    def next_hops(self, n, other):
        """How many ways router n's kernel has to another's address."""
        return self.router(n).run("ip", "route", "show", loopback(other)).count("via ")

    def sent(self, n, peer):
        """Packets that router n has sent to peer."""
        def read():
            with open("/proc/thread-self/net/dev", encoding="ascii") as f:
                return sum(int(line.split(":")[1].split()[9]) for line in f if line.strip().startswith("to%d:" % peer))
        return self.router(n).inside(read)

    def ways(self, one, other):
        """The routers by which the one running flow between two PEs' sites goes, and by which its answers come."""
        links = [(n, p) for n in range(1, 7) for p in neighbours(n)]
        before = {link: self.sent(*link) for link in links}
        wait_for("120 packets", lambda: max(self.sent(one, p) - before[one, p] for p in neighbours(one)) > 120, 10, 0.03)
        used = {link for link in links if self.sent(*link) - before[link] > 60}

        def walk(way, end):
            if way[-1] == end:
                return way
            found = [walk(way + [p], end) for p in neighbours(way[-1]) if (way[-1], p) in used and p not in way]
            return min((f for f in found if f), key=len, default=None)
        return walk([one], other), walk([other], one)

    def flow(self, way, back=None):
        """A flow between the sites at the ends of way that goes this way, and whose answers come back by it or by another:
        of the many addresses there are. To be closed."""
        for k in range(1, ADDRESSES + 1):
            flow = Flow(self["ce%d" % way[0]], "172.16.%d.%d" % (way[-1], k), site(way[0])).__enter__()
            if self.ways(way[0], way[-1]) == (way, back or way[::-1]):
                return flow
            flow.__exit__()
        raise AssertionError("no flow goes by %s" % way)


def born(ladder, name):
    began = time.time()
    ladder.build().start()
    print("measured: %s: from nothing to all sites reach each other: %.1f s" % (name, time.time() - began))
    return ladder


def ldp(text):
    """Lines below "mpls ldp" of ours."""
    return "mpls\n ldp\n" + "".join("  %s\n" % line for line in text.splitlines())


def agree(net, families):
    """Each label that a router has from a neighbour is the one that this neighbour gives out, and there is one for each
    FEC of its neighbours; own addresses are implicit null."""
    told = {n: net.bindings(n) for n in range(1, 7)}
    loopbacks = {loopback(n) + "/32" for n in range(1, 7)} if "ipv4" in families else set()
    loopbacks |= {loopback6(n) + "/128" for n in range(1, 7)} if "ipv6" in families else set()
    for n in range(1, 7):
        local, remote = told[n]
        assert loopbacks <= set(local), (n, loopbacks - set(local))
        assert local.get(loopback(n) + "/32", IMPLICIT) == IMPLICIT
        others = [label for label in local.values() if label > 15]
        assert len(others) == len(set(others)), "r%d gives a label out twice: %s" % (n, local)
        for peer in neighbours(n):
            have = {fec: label for (fec, lsr), label in remote.items() if lsr == loopback(peer)}
            # FRR keeps the labels of FECs that are gone for a while
            given = {fec: label for fec, label in told[peer][0].items() if fec in local or fec in have}
            assert have == given, "r%d of r%d: %s" % (n, peer, sorted(set(have.items()) ^ set(given.items())))
    return True


def settled(net, families):
    """Bindings that change while they are asked for do not agree; at rest they do."""
    def same():
        try:
            return agree(net, families)
        except AssertionError as error:
            raise ValueError(str(error)) from error
    return wait_for("bindings agree", same, 20, 0.5)


def wire(net, n, peer, one, other, v6=False):
    """Label stacks of echo requests that r(n) sends to r(peer), one flow from site one to site other: a set of tuples."""
    place, source = (site6(other), site6(one)) if v6 else (site(other), site(one))
    with net.router(n).tcpdump("to%d" % peer, "-Q", "out", "mpls") as capture:
        net["ce%d" % one].run("ping", "-n", "-q", "-c", "3", "-i", "0.05", "-W", "1", "-I", source, place, check=False)
        wait_for("echo requests on r%d to r%d" % (n, peer), lambda: capture.text().count("echo request") >= 3, 10)
    return {tuple(labels(f)) for f in capture.frames() if "echo request" in f}


def vpn_label(net, n):
    """What router n, ours, has for RED."""
    return [int(row["label"]) for row in net.pe[n].json("show labels") if row["for"] == "vrf RED"][0]


def measure(net, report, nodes=True):
    """What failures cost a flow by r1 r3 r5 r6; report(name, {figure: value}) for each: of a link and, if asked for, of nodes.
    The network is whole afterwards."""
    way = [1, 3, 5, 6]

    def fails(name, links):
        """At the first packets after it; then, until both ends know."""
        flow = net.flow(way)
        event = net.set_links(False, *links)
        flow.resumed(event)
        report(name + " fails", {"outage_ms": flow.outage(event)})
        wait_for("sessions end", lambda: not any(loopback(a) in net.sessions(b) or loopback(b) in net.sessions(a) for a, b in links), 60)
        return flow

    def returns(name, links, flow):
        """Until all sessions are up and the IGP uses the links."""
        event = net.set_links(True, *links)
        wait_for("all LDP sessions", net.all_sessions, 60)
        wait_for("all ways", lambda: [net.next_hops(*pair) for pair in ((1, 6), (3, 6), (6, 1), (5, 2))] == [2, 2, 2, 2], 20)
        flow.resumed(event)
        report(name + " returns", {"outage_ms": flow.outage(event)})
        flow.__exit__()

    for name, links in (("link r3 r5", [(3, 5)]), ("node r3", [(3, p) for p in neighbours(3)])):
        returns(name, links, fails(name, links))
        if not nodes:
            return
    # r1 alone, and back: nothing is known at either side
    links = [(1, p) for p in neighbours(1)]
    flow = net.flow(way)
    net.set_links(False, *links)
    wait_for("r1 is alone", lambda: not net.sessions(1), 60)
    event = net.set_links(True, *links)
    wait_for("a session of r1", lambda: net.sessions(1), 60, 0.03)
    session = time.time() - event
    flow.resumed(event)
    first = [t for t, _s in flow.replies() if t > event][0] - event
    report("r1 was alone", {"session_ms": round(session * 1000), "forwarding_ms": round(first * 1000)})
    flow.__exit__()
    wait_for("all LDP sessions", net.all_sessions, 60)
