# SPDX-License-Identifier: GPL-2.0
"""The provider of the demo and of the integration tests: one topology, real parts.

    ce-red1 --+                                             +-- ce-red2
              pe1 (l3vpnd) ---- p (stock Linux) ---- pe2 (FRR)
    ce-blue1 -+                  |        |                 +-- ce-blue2
                                 |        |
                       rr (GoBGP)+        +- pe3 (l3vpnd) --+-- ce-red3
                                                            +-- ce-blue3

RED and BLUE use the same addresses: site N is 10.N.0.0/16 and 2001:db8:N::/48, the link between
CE and PE N is 10.255.N.0/30 and 2001:db8:ff:N::/64. RED's CEs speak eBGP (BIRD) to pe1 and pe3,
everything else is static. The core has two addresses for each router: 192.0.2.N and fd00:c0::N
(p 10, rr 9). VPNv4 goes over IPv4 sessions with the reflector, VPNv6 over IPv6 sessions: FRR on
stock Linux cannot forward to the IPv4-mapped next hop of a 6VPE ("IPv6 routes can not use an IPv4
nexthop", says the kernel). Transport is static: label 1000 + N leads to pe N; p pops it
(penultimate hop).
"""
from topology import Bird, Frr, Gobgp, L3vpnd, Topology, run, wait_for

PES = {1: "pe1", 2: "pe2", 3: "pe3"}
CUSTOMERS = {"red": 1, "blue": 2}
RR = "192.0.2.9"
RR6 = "fd00:c0::9"
AS = 65000


def loopback(n):
    return "192.0.2.%d" % n


def loopback6(n):
    return "fd00:c0::%d" % n


def core_link(n):
    """(PE's address, P's address) of the link between PE n and P, as /31."""
    return "198.51.100.%d" % (2 * n), "198.51.100.%d" % (2 * n + 1)


def core_link6(n):
    return "fd00:c0:%d::1" % n, "fd00:c0:%d::2" % n


def site4(n):
    return "10.%d.0.1" % n


def site6(n):
    return "2001:db8:%d::1" % n


def ce_as(customer, n):
    return 64600 + CUSTOMERS[customer] * 10 + n


def vrf_config(customer):
    rt = "%d:%d" % (AS, CUSTOMERS[customer])
    family = "".join(" address-family %s unicast\n  import route-target %s\n  export route-target %s\n !\n"
                     % (af, rt, rt) for af in ("ipv4", "ipv6"))
    return family


def pe_config(n):
    """Configuration text of PE n, ours."""
    pe, p = core_link(n)
    text = "hostname PE%d\n" % n
    for customer, index in CUSTOMERS.items():
        text += "vrf %s\n rd %d:%d%d\n%s!\n" % (customer.upper(), AS, index, n, vrf_config(customer))
    for customer in CUSTOMERS:
        text += ("interface %s\n vrf %s\n ipv4 address 10.255.%d.1/30\n ipv6 address 2001:db8:ff:%d::1/64\n!\n"
                 % (customer, customer.upper(), n, n))
    text += "interface core\n mpls\n ipv4 address %s/31\n ipv6 address %s/64\n!\n" % (pe, core_link6(n)[0])
    text += "interface lo\n ipv4 address %s/32\n ipv6 address %s/128\n!\n" % (loopback(n), loopback6(n))
    text += "mpls\n"
    for other in PES:
        if other != n:
            for fec in (loopback(other) + "/32", loopback6(other) + "/128"):
                text += " static lsp %s\n  path %s out-label %d\n !\n" % (fec, p, 1000 + other)
    text += "!\nrouter static\n vrf BLUE\n"
    text += "  route 10.%d.0.0/16\n   next-hop 10.255.%d.2\n  !\n" % (n, n)
    text += "  route 2001:db8:%d::/48\n   next-hop 2001:db8:ff:%d::2\n  !\n !\n!\n" % (n, n)
    text += "route-policy ALL\n statement 10\n  action accept\n !\n!\n"
    text += "router bgp %d\n router-id %s\n" % (AS, loopback(n))
    for rr, own, family in ((RR, loopback(n), "vpnv4"), (RR6, loopback6(n), "vpnv6")):
        text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 2\n"
                 "  address-family %s unicast\n  !\n !\n" % (rr, AS, own, family))
    for customer in CUSTOMERS:
        text += " vrf %s\n" % customer.upper()
        for af in ("ipv4", "ipv6"):
            text += "  address-family %s unicast\n   redistribute connected\n   redistribute static\n  !\n" % af
        if customer == "red":
            for af, address in (("ipv4", "10.255.%d.2" % n), ("ipv6", "2001:db8:ff:%d::2" % n)):
                text += ("  neighbor %s\n   remote-as %d\n   timers connect-retry 2\n   address-family %s unicast\n"
                         "    route-policy in ALL\n    route-policy out ALL\n   !\n  !\n" % (address, ce_as(customer, n), af))
        text += " !\n"
    return text + "!\n"


def ce_bird(n):
    """BIRD of RED's CE at site n: announces its site to the PE over IPv4 and IPv6."""
    text = "router id 10.%d.0.1;\nprotocol device { scan time 1; }\nprotocol direct { ipv4; ipv6; }\n" % n
    for af, site, own, pe in (("ipv4", "10.%d.0.0/16" % n, "10.255.%d.2" % n, "10.255.%d.1" % n),
                              ("ipv6", "2001:db8:%d::/48" % n, "2001:db8:ff:%d::2" % n, "2001:db8:ff:%d::1" % n)):
        text += "protocol static site_%s { %s; route %s blackhole; }\n" % (af, af, site)
        text += ("protocol kernel kernel_%s { %s { export where source = RTS_BGP; import none; }; }\n" % (af, af))
        text += ("protocol bgp pe_%s { local %s as %d; neighbor %s as %d; connect retry time 2; error wait time 1,5;\n"
                 "  %s { import all; export where source = RTS_STATIC; }; }\n"
                 % (af, own, ce_as("red", n), pe, AS, af))
    return text


def rr_gobgp():
    text = "[global.config]\n  as = %d\n  router-id = \"%s\"\n" % (AS, RR)
    for n in PES:
        for peer, own, family in ((loopback(n), RR, "l3vpn-ipv4-unicast"), (loopback6(n), RR6, "l3vpn-ipv6-unicast")):
            text += ("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = %d\n"
                     "  [neighbors.timers.config]\n    connect-retry = 2\n"
                     "  [neighbors.transport.config]\n    local-address = \"%s\"\n"
                     "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                     "    route-reflector-cluster-id = \"%s\"\n"
                     "  [neighbors.graceful-restart.config]\n    enabled = true\n    restart-time = 120\n"
                     "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"%s\"\n"
                     "    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n"
                     % (peer, AS, own, RR, family))
    return text


def pe2_frr():
    """FRR as PE 2: stock VRFs, static labelled transport, VPNv4 and VPNv6 to the reflector."""
    n = 2
    _pe, p = core_link(n)
    _pe6, p6 = core_link6(n)
    text = "hostname PE2\nlog stdout\n"
    for other in (1, 3):
        text += "ip route %s/32 %s label %d\n" % (loopback(other), p, 1000 + other)
        text += "ipv6 route %s/128 %s label %d\n" % (loopback6(other), p6, 1000 + other)
    text += "ip route %s/32 %s\nipv6 route %s/128 %s\n" % (RR, p, RR6, p6)
    for customer in CUSTOMERS:
        text += ("vrf %s\n ip route 10.%d.0.0/16 10.255.%d.2\n ipv6 route 2001:db8:%d::/48 2001:db8:ff:%d::2\nexit-vrf\n"
                 % (customer.upper(), n, n, n, n))
    text += ("router bgp %d\n bgp router-id %s\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n"
             " bgp graceful-restart\n" % (AS, loopback(n)))
    for rr, own, af in ((RR, loopback(n), "ipv4"), (RR6, loopback6(n), "ipv6")):
        text += (" neighbor %s remote-as %d\n neighbor %s update-source %s\n neighbor %s timers connect 2\n"
                 " address-family %s vpn\n  neighbor %s activate\n exit-address-family\n"
                 % (rr, AS, rr, own, rr, af, rr))
    text += "exit\n"
    for customer, index in CUSTOMERS.items():
        text += "router bgp %d vrf %s\n bgp router-id %s\n" % (AS, customer.upper(), loopback(n))
        for af in ("ipv4", "ipv6"):
            text += (" address-family %s unicast\n  redistribute connected\n  redistribute static\n"
                     "  label vpn export auto\n  rd vpn export %d:%d%d\n  rt vpn both %d:%d\n"
                     "  export vpn\n  import vpn\n exit-address-family\n" % (af, AS, index, n, AS, index))
        text += "exit\n"
    return text


class Provider(Topology):
    """The whole network. start() brings everything up but our PEs' configuration."""

    def build(self):
        # built in on our own kernels; the sysctls of p tell if one is missing
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth"], check=False)
        ces = ["ce-%s%d" % (c, n) for c in CUSTOMERS for n in PES]
        self.add("p", "rr", *PES.values(), *ces)
        ends = ["rr:core", "p:rr"]
        for n, pe in PES.items():
            ends += [pe + ":core", "p:" + pe]
            for customer in CUSTOMERS:
                ends += ["ce-%s%d:pe" % (customer, n), "%s:%s" % (pe, customer)]
        self.link(*ends)
        self._p()
        self._rr()
        self._pe2()
        for n in PES:
            for customer in CUSTOMERS:
                self._ce(customer, n)
        for n in (1, 3):
            self._main_routes(n)
        return self

    def _p(self):
        p = self["p"]
        lines = ["addr add 192.0.2.10/32 dev lo", "addr add 198.51.100.1/31 dev rr", "addr add fd00:c0:9::2/64 dev rr nodad"]
        settings = ["net.mpls.platform_labels=2000", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
        for n, pe in PES.items():
            lines += ["addr add %s/31 dev %s" % (core_link(n)[1], pe),
                      "addr add %s/64 dev %s nodad" % (core_link6(n)[1], pe),
                      "route add %s via %s" % (loopback(n), core_link(n)[0]),
                      "route add %s via %s" % (loopback6(n), core_link6(n)[0])]
            settings.append("net.mpls.conf.%s.input=1" % pe)
        lines += ["route add %s via 198.51.100.0" % RR, "route add %s via fd00:c0:9::1" % RR6]
        p.sysctl(*settings)
        p.ip(*lines)
        for n, pe in PES.items():
            p.run("ip", "-f", "mpls", "route", "add", str(1000 + n), "via", "inet", core_link(n)[0], "dev", pe)

    def _rr(self):
        self["rr"].ip("addr add 198.51.100.0/31 dev core", "addr add %s/32 dev lo" % RR,
                      "addr add fd00:c0:9::1/64 dev core nodad", "addr add %s/128 dev lo nodad" % RR6,
                      "route add 192.0.2.0/24 via 198.51.100.1", "route add fd00:c0::/64 via fd00:c0:9::2")

    def _main_routes(self, n):
        """What an IGP would bring: the other routers' addresses, in the kernel's main table."""
        pe, p = self["pe%d" % n], core_link(n)[1]
        pe.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        pe.ip(*["route add %s via %s dev core onlink" % (address, p)
                for address in [RR, "192.0.2.10"] + [loopback(o) for o in PES if o != n]])
        pe.ip(*["route add %s via %s dev core onlink" % (address, core_link6(n)[1])
                for address in [RR6] + [loopback6(o) for o in PES if o != n]])

    def _pe2(self):
        pe2 = self["pe2"]
        pe2.sysctl("net.mpls.platform_labels=1048575", "net.mpls.conf.core.input=1",
                   "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.tcp_l3mdev_accept=0")
        lines = ["addr add %s/32 dev lo" % loopback(2), "addr add %s/128 dev lo nodad" % loopback6(2), "addr add %s/31 dev core" % core_link(2)[0],
                 "addr add %s/64 dev core nodad" % core_link6(2)[0]]
        for customer, index in CUSTOMERS.items():
            vrf = customer.upper()
            lines += ["link add %s type vrf table %d" % (vrf, 100 + index), "link set %s up" % vrf,
                      "route add table %d unreachable default metric 4278198272" % (100 + index),
                      "link set %s master %s" % (customer, vrf),
                      "addr add 10.255.2.1/30 dev %s" % customer,
                      "addr add 2001:db8:ff:2::1/64 dev %s nodad" % customer]
        pe2.ip(*lines)

    def _ce(self, customer, n):
        ce = self["ce-%s%d" % (customer, n)]
        ce.sysctl("net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1")
        lines = ["addr add 10.255.%d.2/30 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                 "addr add %s/32 dev lo" % site4(n), "addr add %s/128 dev lo nodad" % site6(n)]
        if customer == "blue" or n == 2:
            lines += ["route add default via 10.255.%d.1" % n,
                      "route add ::/0 via 2001:db8:ff:%d::1" % n]
        ce.ip(*lines)

    def start_peers(self):
        self.rr = Gobgp(self["rr"], rr_gobgp()).start()
        self.frr = Frr(self["pe2"], pe2_frr()).start()
        self.birds = {n: Bird(self["ce-red%d" % n], ce_bird(n)).start() for n in (1, 3)}

    def start_pes(self, config=None):
        """Start our PEs, with their configuration as start-up file unless config is False."""
        self.pe = {n: L3vpnd(self["pe%d" % n], pe_config(n) if config is None else None).start()
                   for n in (1, 3)}
        return self.pe

    def converged(self, timeout=90):
        """All PEs at the reflector, and every site known in every VRF of ours."""
        def sessions():
            return len(self.rr.established()) == 2 * len(PES)
        wait_for("six sessions at the reflector", sessions, timeout)

        def routes():
            for n, pe in self.pe.items():
                for customer in CUSTOMERS:
                    text = pe.sh("show forwarding vrf %s" % customer.upper())
                    for other in PES:
                        if "10.%d.0.0/16" % other not in text or "2001:db8:%d::/48" % other not in text:
                            return False
            return True
        wait_for("every site in every VRF", routes, timeout)
