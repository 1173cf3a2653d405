# SPDX-License-Identifier: GPL-2.0
"""The network whose events come in any order: l3vpnd everywhere, two ways through the core.

    ce-red1 --+                +---- p1 ----+                +-- ce-red2
              pe1 ------------ |            | ------------ pe2
    ce-blue1 -+                +---- p2 ----+                +-- ce-blue2

RED and BLUE have the same addresses (site N is 10.N.0.0/16). Loopbacks are 192.0.2.N. What the configuration of a router
consists of comes in pieces, and the interior routes are put into the kernel's main table by the test, which is the
interior protocol here: shortest paths over the links that are up, all of them.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from topology import Failed, L3vpnd, Topology, run  # noqa: E402,F401

ROUTERS = {"pe1": 1, "pe2": 2, "p1": 11, "p2": 12}
PES = ("pe1", "pe2")
LINKS = (("pe1", "p1"), ("pe1", "p2"), ("pe2", "p1"), ("pe2", "p2"))
CUSTOMERS = {"red": 1, "blue": 2}
AS = 65000
# labels never serve something else within a run: what was on the wire is judged at its end
BASE = "mpls\n label hold-down 86400\n!\n"


def loopback(router):
    return "192.0.2.%d" % ROUTERS[router]


def link_address(router, other):
    """Of @router on its link to @other."""
    index = next(i for i, link in enumerate(LINKS) if router in link and other in link)
    return "198.51.100.%d" % (2 * index + (0 if router == LINKS[index][0] else 1))


def neighbours(router):
    return [b if router == a else a for a, b in LINKS if router in (a, b)]


def static_label(pe):
    return 1000 + ROUTERS[pe]


def site(router):
    return "10.%d.0.1" % ROUTERS[router]


# ---- the pieces of a configuration ----

def piece_core(router):
    text = "interface lo\n ipv4 address %s/32\n!\n" % loopback(router)
    for other in neighbours(router):
        text += "interface %s\n mpls\n ipv4 address %s/31\n!\n" % (other, link_address(router, other))
    return text


def piece_static(router):
    """Static label-switched paths: 1000 + N leads to PE N, the P routers pop it."""
    text = "mpls\n"
    for pe in PES:
        if router in PES and pe != router:
            text += " static lsp %s/32\n" % loopback(pe)
            for p in neighbours(router):
                text += "  path %s out-label %d\n" % (link_address(p, router), static_label(pe))
            text += " !\n"
        elif router not in PES:
            text += (" static cross-connect %d\n  next-hop %s\n  out-label implicit-null\n !\n"
                     % (static_label(pe), link_address(pe, router)))
    return text + "!\n"


def piece_ldp(router):
    ports = "".join("interface %s\n mpls\n!\n" % other for other in neighbours(router))
    return ports + "mpls\n ldp\n  router-id %s\n%s !\n!\n" % (
        loopback(router), "".join("  interface %s\n  !\n" % other for other in neighbours(router)))


def piece_lu(router):
    """Labelled unicast on every link: the P routers reflect, with their own address and label."""
    text = "router bgp %d\n router-id %s\n address-family ipv4 labeled-unicast\n  %s\n !\n" % (
        AS, loopback(router), "network %s/32" % loopback(router) if router in PES else "allocate-label all")
    for other in neighbours(router):
        text += (" neighbor %s\n  remote-as %d\n  timers connect-retry 2\n  address-family ipv4 labeled-unicast\n%s  !\n !\n"
                 % (link_address(other, router), AS,
                    "" if router in PES else "   next-hop-self\n   route-reflector-client\n"))
    return text + "!\n"


def piece_vrf(router):
    text = ""
    for customer, index in CUSTOMERS.items():
        text += ("vrf %s\n rd %d:%d%d\n address-family ipv4 unicast\n  import route-target %d:%d\n"
                 "  export route-target %d:%d\n !\n!\n"
                 % (customer.upper(), AS, index, ROUTERS[router], AS, index, AS, index))
    for customer in CUSTOMERS:
        text += ("interface %s\n vrf %s\n ipv4 address 10.255.%d.1/30\n!\n"
                 % (customer, customer.upper(), ROUTERS[router]))
    text += "router static\n"
    for customer in CUSTOMERS:
        text += (" vrf %s\n  route 10.%d.0.0/16\n   next-hop 10.255.%d.2\n  !\n !\n"
                 % (customer.upper(), ROUTERS[router], ROUTERS[router]))
    return text + "!\n"


def piece_bgp(router):
    text = "router bgp %d\n router-id %s\n" % (AS, loopback(router))
    for pe in PES:
        if pe != router:
            text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 2\n"
                     "  address-family vpnv4 unicast\n  !\n !\n" % (loopback(pe), AS, loopback(router)))
    return text + "!\n"


def piece_vpn(_router):
    """Needs the pieces vrf and bgp."""
    text = "router bgp %d\n" % AS
    for customer in CUSTOMERS:
        text += " vrf %s\n  address-family ipv4 unicast\n   redistribute static\n  !\n !\n" % customer.upper()
    return text + "!\n"


class Network(Topology):
    """The boxes, and what is on in each."""

    def __init__(self, transport):
        super().__init__()
        self.transport = {"ldp": piece_ldp, "static": piece_static, "lu": piece_lu}[transport]
        self.daemons = {}
        self.pieces = {router: set() for router in ROUTERS}
        self.igp = set()
        self.down = set()

    def build(self):
        self.add(*ROUTERS)
        for pe in PES:
            self.add(*("ce-%s%d" % (customer, ROUTERS[pe]) for customer in CUSTOMERS))
        ends = []
        for a, b in LINKS:
            ends += ["%s:%s" % (a, b), "%s:%s" % (b, a)]
        for pe in PES:
            for customer in CUSTOMERS:
                ends += ["%s:%s" % (pe, customer), "ce-%s%d:pe" % (customer, ROUTERS[pe])]
        self.link(*ends)
        for router in ROUTERS:
            self[router].sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
            self.daemons[router] = L3vpnd(self[router], BASE)
        for pe in PES:
            for customer in CUSTOMERS:
                n = ROUTERS[pe]
                self["ce-%s%d" % (customer, n)].ip(
                    "addr add 10.255.%d.2/30 dev pe" % n, "addr add %s/32 dev lo" % site(pe),
                    "route add default via 10.255.%d.1" % n)
        return self

    # ---- events ----

    def running(self, router):
        daemon = self.daemons[router]
        return getattr(daemon, "process", None) is not None and daemon.process.poll() is None

    def start(self, router):
        if not self.running(router):
            self.daemons[router].start()

    def kill(self, router):
        if self.running(router):
            self.daemons[router].kill()

    def _commit(self, router, name, text):
        self.daemons[router].configure(text)
        self.pieces[router].add(name)

    def configure(self, router, name):
        """Commit one piece; the piece vpn follows as soon as what it needs is there."""
        self.start(router)
        make = {"core": piece_core, "transport": self.transport, "vrf": piece_vrf, "bgp": piece_bgp}[name]
        self._commit(router, name, make(router))
        if {"vrf", "bgp"} <= self.pieces[router] and "vpn" not in self.pieces[router]:
            self._commit(router, "vpn", piece_vpn(router))
        if name == "core":
            self.routes()

    def without_ldp(self, router):
        self.start(router)
        self.daemons[router].configure("mpls\n no ldp\n!")
        self.pieces[router].discard("transport")

    def igp_off(self, router):
        self.igp.discard(router)
        run(["ip", "-n", self[router].netns, "route", "flush", "proto", "188"])

    def igp_on(self, router):
        self.igp.add(router)
        self.routes()

    def set_link(self, a, b, up):
        (self.down.discard if up else self.down.add)((a, b))
        self[a].ip("link set dev %s %s" % (b, "up" if up else "down"))
        self.routes()

    # ---- the interior protocol ----

    def _distances(self, target):
        distance, todo = {target: 0}, [target]
        while todo:
            at = todo.pop(0)
            for a, b in LINKS:
                if (a, b) not in self.down and at in (a, b):
                    other = b if at == a else a
                    if other not in distance:
                        distance[other] = distance[at] + 1
                        todo.append(other)
        return distance

    def _up(self, a, b):
        return (a, b) not in self.down and (b, a) not in self.down

    def routes(self):
        """Shortest paths into the main tables; addresses that are not there yet are no reason to fail."""
        for router in self.igp:
            lines = []
            for target in ROUTERS:
                if target == router:
                    continue
                distance = self._distances(target)
                hops = [n for n in neighbours(router)
                        if self._up(router, n) and distance.get(n, 99) < distance.get(router, -1)]
                if hops:
                    lines.append("route replace %s/32 proto 188 %s" % (loopback(target), " ".join(
                        "nexthop via %s dev %s" % (link_address(n, router), n) for n in hops)))
                else:
                    lines.append("route del %s/32 proto 188" % loopback(target))
            run(["ip", "-n", self[router].netns, "-force", "-batch", "-"], stdin="\n".join(lines) + "\n", check=False)
