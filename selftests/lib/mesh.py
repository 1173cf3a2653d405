# SPDX-License-Identifier: GPL-2.0
"""Our PEs and our reflector among FRR, BIRD and GoBGP: each of those is a client of our reflector, and a reflector of our PEs.

    ce-red1, ce-blue1 -- pe1 (l3vpnd)      rr (l3vpnd --provider none)
                            \\             /
                              p (stock Linux: pops)  --- bird, gobgp: control plane alone
                            /             \\
    ce-red3, ce-blue3 -- pe3 (l3vpnd)      frr: PE on stock Linux -- ce-red2

A router's number N gives its loopbacks 192.0.2.N and fd00:c0::N, its link to p, and the label 1000 + N that leads to it. IPv4
sessions carry VPNv4, labelled unicast and memberships, IPv6 ones VPNv6 (why: provider.py). Sessions with our reflector bear MD5
signatures, a password for each peer. Those of our PEs are configured with everyone, and up with one reflector at a time: use().

RED is 65000:1, BLUE 65000:2. Site N is 10.N.0.0/16 in both. GREEN (65000:3) has one RD and one prefix at both PEs of ours.
What bird and gobgp announce is in ROUTES. Routers start when they are asked for.
"""
import ipaddress
import re

from provider import core_link, core_link6, loopback, loopback6
from topology import Bird, Frr, Gobgp, L3vpnd, Topology, run, wait_for

AS = 65000
PE1, FRR, PE3, BIRD, GOBGP, RR, P = 1, 2, 3, 4, 5, 9, 10
NAMES = {PE1: "pe1", FRR: "frr", PE3: "pe3", BIRD: "bird", GOBGP: "gobgp", RR: "rr"}
OTHERS = (FRR, BIRD, GOBGP)
CUSTOMERS = {"red": 1, "blue": 2}
CES = (("red", 1), ("blue", 1), ("red", 3), ("blue", 3), ("red", 2))
SHARED_RD, SHARED = "65000:30", "10.30.0.0/16"
ROUTES = {BIRD: ("65000:14", "20.4.0.0/16", "2001:db8:a4::/48", 1104), GOBGP: ("65000:15", "20.5.0.0/16", "2001:db8:a5::/48", 1105)}
LABELED = {FRR: "2001:db8:b2::/48", BIRD: "2001:db8:b4::/48", GOBGP: "2001:db8:b5::/48"}
RESTART = 60


SPEAKER = "192.0.2.10"      # at p


def password(n):
    return "between-us-and-%s" % NAMES[n]


def site(n):
    return "10.%d.0.1" % n


def neighbor(own, peer, version, client, extra=""):
    """Lines of a neighbor of ours."""
    address = loopback if version == 4 else loopback6
    families = ["vpnv%d unicast" % version]
    if version == 4:
        families += ["ipv4 rt-filter"]
    elif client:
        families += ["ipv6 labeled-unicast"]
    text = (" neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 2\n%s"
            % (address(peer), AS, address(own), extra))
    for family in families:
        text += "  address-family %s\n" % family
        if client:
            text += "   route-reflector-client\n"
        if family.startswith("vpn"):
            text += "   additional-paths receive\n" + ("   additional-paths send\n" if client else "")
        text += "  !\n"
    return text + " !\n"


def vrf(name, distinguisher, target):
    family = "".join(" address-family ipv%s unicast\n  import route-target %s\n  export route-target %s\n !\n"
                     % (v, target, target) for v in "46")
    return "vrf %s\n rd %s\n%s!\n" % (name, distinguisher, family)


def core(n):
    return ("interface core\n mpls\n ipv4 address %s/31\n ipv6 address %s/64\n!\ninterface lo\n ipv4 address %s/32\n"
            " ipv6 address %s/128\n!\n" % (core_link(n)[0], core_link6(n)[0], loopback(n), loopback6(n)))


def pe_config(n):
    p, p6 = core_link(n)[1], core_link6(n)[1]
    text = "hostname PE%d\n" % n
    for customer, index in CUSTOMERS.items():
        text += vrf(customer.upper(), "%d:%d%d" % (AS, index, n), "%d:%d" % (AS, index))
        text += ("interface %s\n vrf %s\n ipv4 address 10.255.%d.1/30\n ipv6 address 2001:db8:ff:%d::1/64\n!\n"
                 % (customer, customer.upper(), n, n))
    text += vrf("GREEN", SHARED_RD, "%d:3" % AS) + core(n) + "mpls\n"
    for other in NAMES:
        if other not in (n, RR):
            text += " static lsp %s/32\n  path %s out-label %d\n !\n" % (loopback(other), p, 1000 + other)
            text += " static lsp %s/128\n  path %s out-label %d\n !\n" % (loopback6(other), p6, 1000 + other)
    text += "!\nrouter static\n"
    for customer in CUSTOMERS:
        text += " vrf %s\n  route 10.%d.0.0/16\n   next-hop 10.255.%d.2\n  !\n" % (customer.upper(), n, n)
        text += "  route 2001:db8:%d::/48\n   next-hop 2001:db8:ff:%d::2\n  !\n !\n" % (n, n)
    text += " vrf GREEN\n  route %s\n   discard\n  !\n !\n!\n" % SHARED
    text += "router bgp %d\n router-id %s\n graceful-restart restart-time %d\n" % (AS, loopback(n), RESTART)
    for peer in (RR,) + OTHERS:
        for version in (4, 6):
            text += neighbor(n, peer, version, False, extra="" if peer == RR else "  shutdown\n")
    for name in ("RED", "BLUE", "GREEN"):
        text += " vrf %s\n" % name
        for v in "46":
            text += "  address-family ipv%s unicast\n   redistribute connected\n   redistribute static\n  !\n" % v
        text += " !\n"
    return text + "!\n"


def rr_config():
    text = "hostname RR\n" + core(RR) + "router bgp %d\n router-id %s\n bgp cluster-id 9.9.9.9\n" % (AS, loopback(RR))
    text += " graceful-restart restart-time %d\n" % RESTART
    for peer in NAMES:
        if peer != RR:
            for version in (4, 6):
                text += neighbor(RR, peer, version, True, extra="  password %s\n" % password(peer) if peer in OTHERS else "")
    return text + "!\n"


def frr_config():
    p, p6 = core_link(FRR)[1], core_link6(FRR)[1]
    text = "hostname FRR\nlog stdout\n"
    for other in (PE1, PE3):
        text += "ip route %s/32 %s label %d\n" % (loopback(other), p, 1000 + other)
        text += "ipv6 route %s/128 %s label %d\n" % (loopback6(other), p6, 1000 + other)
    for other in (BIRD, GOBGP, RR):
        text += "ip route %s/32 %s\nipv6 route %s/128 %s\n" % (loopback(other), p, loopback6(other), p6)
    text += "ipv6 route %s blackhole\n" % LABELED[FRR]
    text += "vrf RED\n ip route 10.2.0.0/16 10.255.2.2\n ipv6 route 2001:db8:2::/48 2001:db8:ff:2::2\nexit-vrf\n"
    return text + frr_bgp_config()


def frr_bgp_config():
    text = ("router bgp %d\n bgp router-id %s\n bgp cluster-id 2.2.2.2\n no bgp ebgp-requires-policy\n"
            " no bgp default ipv4-unicast\n bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n"
            " bgp graceful-restart restart-time %d\n bgp graceful-restart select-defer-time 0\n bgp graceful-restart notification\n"
            " no bgp hard-administrative-reset\n" % (AS, loopback(FRR), RESTART))
    for version, address in ((4, loopback), (6, loopback6)):
        for peer in (RR, PE1, PE3):
            text += (" neighbor %s remote-as %d\n neighbor %s update-source %s\n neighbor %s timers connect 2\n"
                     % (address(peer), AS, address(peer), address(FRR), address(peer)))
        text += " neighbor %s password %s\n" % (address(RR), password(FRR))
        text += " address-family ipv%d vpn\n" % version
        for peer in (RR, PE1, PE3):
            text += "  neighbor %s activate\n" % address(peer)
            text += "  neighbor %s %s\n" % (address(peer), "addpath-tx-all-paths" if peer == RR else "route-reflector-client")
        text += " exit-address-family\n"
    text += (" address-family ipv6 unicast\n  network %s\n exit-address-family\n"
             " address-family ipv6 labeled-unicast\n  neighbor %s activate\n exit-address-family\nexit\n"
             % (LABELED[FRR], loopback6(RR)))
    text += "router bgp %d vrf RED\n bgp router-id %s\n" % (AS, loopback(FRR))
    for v in "46":
        text += (" address-family ipv%s unicast\n  redistribute connected\n  redistribute static\n"
                 "  label vpn export auto\n  rd vpn export 65000:12\n  rt vpn both 65000:1\n"
                 "  export vpn\n  import vpn\n exit-address-family\n" % v)
    return text + "exit\n"


def bird_config():
    distinguisher, v4, v6, label = ROUTES[BIRD]
    target = "bgp_ext_community.add((rt, 65000, 1)); bgp_med = 4;"
    text = ("router id %s;\ngraceful restart wait %d;\nvpn4 table vt4;\nvpn6 table vt6;\nipv6 table lu6;\nprotocol device { }\n"
            "protocol static igp4 { ipv4; route 192.0.2.0/24 via %s; }\nprotocol static igp6 { ipv6; route fd00:c0::/64 via %s; }\n"
            % (loopback(BIRD), RESTART, core_link(BIRD)[1], core_link6(BIRD)[1]))
    text += ("protocol static own4 { vpn4 { table vt4; };\n  route %s %s via %s mpls %d { %s }; }\n"
             "protocol static more4 { vpn4 { table vt4; };\n  route %s %s via %s mpls %d { bgp_ext_community.add((rt, 65000, 1)); "
             "bgp_med = 5; }; }\n"
             "protocol static own6 { vpn6 { table vt6; };\n  route %s %s via %s mpls %d { %s }; }\n"
             "protocol static lu { ipv6 { table lu6; };\n  route %s via %s mpls %d; }\n"
             % (distinguisher, v4, core_link(BIRD)[1], label, target, distinguisher, v4, core_link(BIRD)[1], label, distinguisher, v6, core_link6(BIRD)[1], label, target,
                LABELED[BIRD], core_link6(BIRD)[1], label))
    text += "template bgp any { graceful restart on; graceful restart time %d; connect retry time 2; error wait time 1,5; connect delay time 1; multihop; }\n" % RESTART
    for version, address in ((4, loopback), (6, loopback6)):
        for peer in (RR, PE1, PE3):
            text += ("protocol bgp %s_%d from any { local %s as %d; neighbor %s as %d;\n"
                     % (NAMES[peer], version, address(BIRD), AS, address(peer), AS))
            if peer == RR:
                text += '  password "%s";\n' % password(BIRD)
                more = "add paths on; next hop self; export where source = RTS_STATIC;"
            else:
                text += "  rr client; rr cluster id 4.4.4.4;\n"
                more = "export where source = RTS_BGP;"
            text += "  vpn%d mpls { table vt%d; igp table master%d; import all; %s };\n" % (version, version, version, more)
            if peer == RR and version == 6:
                text += "  ipv6 mpls { table lu6; igp table master6; import all; next hop self; export where source = RTS_STATIC; };\n"
            text += "}\n"
    return text


def gobgp_config():
    text = "[global.config]\n  as = %d\n  router-id = \"%s\"\n" % (AS, loopback(GOBGP))
    for version, address in ((4, loopback), (6, loopback6)):
        for peer in (RR, PE1, PE3):
            text += ("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = %d\n%s"
                     "  [neighbors.timers.config]\n    connect-retry = 2\n    idle-hold-time-after-reset = 3\n"
                     "  [neighbors.transport.config]\n    local-address = \"%s\"\n"
                     "  [neighbors.graceful-restart.config]\n    enabled = true\n    restart-time = %d\n"
                     "    notification-enabled = true\n    deferral-time = 20\n"
                     % (address(peer), AS, "    auth-password = \"%s\"\n" % password(GOBGP) if peer == RR else "",
                        address(GOBGP), RESTART))
            if peer != RR:
                text += ("  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                         "    route-reflector-cluster-id = \"5.5.5.5\"\n")
            families = ["l3vpn-ipv%d-unicast" % version]
            if version == 4:
                families += ["rtc"]
            elif peer == RR:
                # not beside rtc: what has no route target is not sent there
                families += ["ipv6-labelled-unicast"]
            for family in families:
                text += ("  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"%s\"\n"
                         "    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n" % family)
                if family.startswith("l3vpn"):
                    text += "    [neighbors.afi-safis.add-paths.config]\n      receive = true\n      send-max = 8\n"
    return text


class Mesh(Topology):
    def build(self):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth"], check=False)
        self.add("p", *NAMES.values(), *("ce-%s%d" % ce for ce in CES))
        ends = []
        for name in NAMES.values():
            ends += [name + ":core", "p:" + name]
        for customer, n in CES:
            ends += ["ce-%s%d:pe" % (customer, n), "%s:%s" % (NAMES[n], customer)]
        self.link(*ends)
        self._p()
        for n in NAMES:
            self._router(n)
        for customer, n in CES:
            self["ce-%s%d" % (customer, n)].ip(
                "addr add 10.255.%d.2/30 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                "addr add %s/32 dev lo" % site(n), "addr add 2001:db8:%d::1/128 dev lo nodad" % n,
                "route add default via 10.255.%d.1" % n, "route add ::/0 via 2001:db8:ff:%d::1" % n)
        self.running = {}
        self.used = RR
        return self

    def _p(self):
        p, lines, settings = self["p"], [], ["net.mpls.platform_labels=2000", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
        for n, name in NAMES.items():
            lines += ["addr add %s/31 dev %s" % (core_link(n)[1], name), "addr add %s/64 dev %s nodad" % (core_link6(n)[1], name),
                      "route add %s via %s" % (loopback(n), core_link(n)[0]), "route add %s via %s" % (loopback6(n), core_link6(n)[0])]
            settings.append("net.mpls.conf.%s.input=1" % name)
        p.sysctl(*settings)
        p.ip("addr add %s/32 dev lo" % SPEAKER, *lines)
        for n, name in NAMES.items():
            p.run("ip", "-f", "mpls", "route", "add", str(1000 + n), "via", "inet", core_link(n)[0], "dev", name)

    def _router(self, n):
        node = self[NAMES[n]]
        node.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        if n not in (PE1, PE3):
            node.ip("addr add %s/32 dev lo" % loopback(n), "addr add %s/128 dev lo nodad" % loopback6(n),
                    "addr add %s/31 dev core" % core_link(n)[0], "addr add %s/64 dev core nodad" % core_link6(n)[0])
        if n == FRR:
            node.sysctl("net.mpls.platform_labels=1048575", "net.mpls.conf.core.input=1", "net.ipv4.tcp_l3mdev_accept=0")
            node.ip("link add RED type vrf table 101", "link set RED up",
                    "route add table 101 unreachable default metric 4278198272", "link set red master RED",
                    "addr add 10.255.2.1/30 dev red", "addr add 2001:db8:ff:2::1/64 dev red nodad")
            return
        for other in NAMES:
            if other != n:
                node.ip("route add %s via %s dev core onlink" % (loopback(other), core_link(n)[1]),
                        "route add %s via %s dev core onlink" % (loopback6(other), core_link6(n)[1]))
        node.ip("route add %s via %s dev core onlink" % (SPEAKER, core_link(n)[1]))

    # ---- routers, when they are asked for ----

    def _make(self, n):
        node = self[NAMES[n]]
        if n in (PE1, PE3):
            return L3vpnd(node, pe_config(n)).start()
        if n == RR:
            return L3vpnd(node, rr_config(), args=("--provider", "none")).start()
        if n == FRR:
            return Frr(node, frr_config()).start()
        if n == BIRD:
            return Bird(node, bird_config()).start()
        gobgp = Gobgp(node, gobgp_config()).start()
        self.gobgp_routes(gobgp)
        return gobgp

    def kill(self, n):
        """SIGKILL to what speaks BGP there."""
        self.router(n).kill(*(["bgpd"] if n == FRR else []))

    def back(self, n):
        """What was killed starts again, and says so where it can."""
        router = self.router(n)
        if n == FRR:
            router.start_daemon("bgpd", frr_bgp_config())
        elif n in (BIRD, GOBGP):
            router.start("-R" if n == BIRD else "-r")
        else:
            router.start()
        return router

    @staticmethod
    def gobgp_routes(gobgp):
        """What GoBGP keeps nowhere: to be said again after a restart."""
        distinguisher, v4, v6, label = ROUTES[GOBGP]
        gobgp.cli("vrf", "add", "red", "rd", distinguisher, "rt", "both", "65000:1")
        for family, prefix, hop in (("vpnv4", v4, loopback(GOBGP)), ("vpnv6", v6, loopback6(GOBGP))):
            gobgp.cli("global", "rib", "add", "-a", family, prefix, "label", str(label), "rd", distinguisher, "rt", "65000:1",
                      "nexthop", hop)
        gobgp.cli("global", "rib", "add", "-a", "ipv6-mpls", LABELED[GOBGP], str(label), "nexthop", loopback6(GOBGP))

    def router(self, n):
        if n not in self.running:
            self.running[n] = self._make(n)
        return self.running[n]

    def ours(self):
        return [self.router(n) for n in (RR, PE1, PE3)]

    def use(self, reflector):
        """Our PEs have sessions with this reflector alone, and those are up."""
        self.router(reflector)
        for n in (PE1, PE3):
            pe = self.router(n)
            if reflector != self.used:
                lines = "router bgp %d\n" % AS
                for address in (loopback, loopback6):
                    lines += " neighbor %s\n  shutdown\n !\n neighbor %s\n  no shutdown\n !\n" % (address(self.used), address(reflector))
                pe.configure(lines + "!")
        self.used = reflector
        for n in (PE1, PE3):
            wait_for("%s with %s" % (NAMES[n], NAMES[reflector]),
                     lambda n=n: {loopback(reflector), loopback6(reflector)} <= self.established(n), 60)
        return self.router(reflector)

    def client(self, n):
        """Router n as a client of our reflector, as our PEs are."""
        self.router(RR)
        self.use(RR)
        router = self.router(n)
        wait_for("%s with our reflector" % NAMES[n], lambda: {loopback(n), loopback6(n)} <= self.established(RR), 60)
        return router

    def established(self, n):
        return {row["neighbor"] for row in self.router(n).json("show bgp summary") if row["state"] == "Established"}

    def items(self, n, address):
        return {row["item"]: row["value"] for row in self.router(n).json("show bgp neighbors %s" % address)}

    def rows(self, n, family="vpnv4 unicast"):
        """[(rd, prefix, next hop, label, from)] of a table of one of ours."""
        return [(row.get("rd", ""), row["prefix"], row["next-hop"], row["label"], row["from"])
                for row in self.router(n).json("show bgp " + family)]

    def log(self, n):
        return self.router(n).sh("show log")


# ---- what a peer has of a route ----

def _frr(router, v, rd, prefix):
    told = router.json("show bgp %s %s" % ({4: "ipv4 vpn", 6: "ipv6 vpn", "lu": "ipv6 labeled-unicast"}[v], prefix))
    for path in (told if v == "lu" else told.get(rd, {})).get("paths", []):
        yield {"next hop": path["nexthops"][0]["ip"], "label": path.get("remoteLabel"), "originator": path.get("originatorId"),
               "clusters": path.get("clusterList", {}).get("list", []), "best": "bestpath" in path, "stale": path.get("stale", False),
               "targets": re.findall(r"RT:(\S+)", path.get("extendedCommunity", {}).get("string", ""))}


def _bird(router, v, rd, prefix):
    table, inside = {4: "vt4", 6: "vt6", "lu": "lu6"}[v], False
    for path in re.split(r"\n(?=\S|\s{4,}unicast|\s{4,}unreachable)", router.cli("show route table %s all" % table)):
        first = path.split("\n")[0]
        if first and not first[0].isspace():
            inside = first.split()[:2] == [rd, prefix] if rd else first.split()[:1] == [prefix]
        if not inside:
            continue
        facts = dict(re.findall(r"\n\s+BGP\.(\w+): *(.*)", path))
        via = re.search(r"\bmpls (\d+)", path)
        label = facts.get("mpls_label_stack", via[1] if via else "").split()
        yield {"next hop": facts.get("next_hop", "").split(" ")[0], "label": int(label[-1]) if label else None,
               "originator": facts.get("originator_id"), "clusters": facts.get("cluster_list", "").split(),
               "targets": ["%s:%s" % t for t in re.findall(r"\(rt, (\d+), (\d+)\)", facts.get("ext_community", ""))],
               "best": "] * (" in first, "stale": False}


def _gobgp(router, v, rd, prefix):
    family = {4: "vpnv4", 6: "vpnv6", "lu": "ipv6-mpls"}[v]
    for path in router.rib(family).get(rd + ":" + prefix if rd else prefix, []):
        attrs = {a["type"]: a for a in path["attrs"]}
        yield {"next hop": attrs[14]["nexthop"], "label": path["nlri"]["labels"][0], "originator": attrs.get(9, {}).get("value"),
               "clusters": attrs.get(10, {}).get("value", []), "best": path.get("best", False), "stale": path.get("stale", False),
               "targets": [c["value"] for c in attrs.get(16, {}).get("value", []) if c.get("subtype") == 2]}


def routes_of(mesh, n, v, rd, prefix):
    """Paths of a route at FRR, BIRD or GoBGP; v: 4 and 6 are VPN tables, "lu" labelled IPv6 unicast (rd "")."""
    assert ipaddress.ip_network(prefix)
    return list({FRR: _frr, BIRD: _bird, GOBGP: _gobgp}[n](mesh.router(n), v, rd, prefix))


def route_of(mesh, n, v, rd, prefix):
    """The first of them, or None."""
    return next(iter(routes_of(mesh, n, v, rd, prefix)), None)
