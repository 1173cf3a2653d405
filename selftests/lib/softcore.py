# SPDX-License-Identifier: GPL-2.0
"""A core of plain IP routers, and PEs that tunnel through it.

    ce1 10.1.0.2 -- pe1 (l3vpnd) --+
                                   p (plain IP: stock Linux, no MPLS; GoBGP as reflector)
    ce2 10.2.0.2 -- pe2 (FRR,  ----+        |
                    stock Linux)            +---- pe3 (l3vpnd) -- ce3 10.3.0.2

Site N is 10.N.0.0/24 and 2001:db8:N::/64 in VRF RED of PE N. PE N is 192.0.2.N in a core of IPv4 and fd00:c0::N in one
of IPv6, p is 9; VPNv4 and VPNv6 both go over sessions of the core's family.

What stock Linux has for MPLS in UDP: bareudp where the kernel was built with it, otherwise foreign-over-UDP with the IP
protocol number of MPLS, which is the same on the wire. FRR takes VPN routes whose next hop is reached by a GRE device, so
there is one for each PE; with UDP what leaves it is led into the UDP device. Tunnelled packets bear a mark and take
another table, where the PEs are not behind the tunnels.
"""
from topology import Frr, Gobgp, L3vpnd, Topology, run, wait_for

AS = 65000
OVERHEAD = {("udp", 4): 20 + 8, ("udp", 6): 40 + 8, ("gre", 4): 20 + 4, ("gre", 6): 40 + 4}
MARK, UNDERLAY = 7, 77


def site(n, version, host=2):
    return "10.%d.0.%d" % (n, host) if version == 4 else "2001:db8:%d::%d" % (n, host)


def router(n, core):
    return "192.0.2.%d" % n if core == 4 else "fd00:c0::%d" % n


def link(n, core):
    """(PE's address, p's address, prefix length)"""
    if core == 4:
        return "198.51.100.%d" % (2 * n), "198.51.100.%d" % (2 * n + 1), 31
    return "fd00:c0:%d::1" % n, "fd00:c0:%d::2" % n, 64


def host_length(core):
    return 32 if core == 4 else 128


def networks(core):
    return "192.0.2.0/24" if core == 4 else "fd00:c0::/64"


def transport(encap, n, core):
    return " transport %s\n  source %s\n  destination %s\n !\n" % (encap, router(n, core), networks(core))


def pe_config(n, core, mpls, port="core", bgp=""):
    """Configuration of our PE @n; @mpls, @bgp: what stands under `mpls` and in BGP; @port: what the core interface is."""
    af = "".join(" address-family %s unicast\n  import route-target 65000:1\n  export route-target 65000:1\n !\n" % f
                 for f in ("ipv4", "ipv6"))
    family = "ipv4" if core == 4 else "ipv6"
    own, _, length = link(n, core)
    text = "hostname PE%d\nvrf RED\n rd 65000:%d\n%s!\n" % (n, n, af)
    text += "interface red\n vrf RED\n ipv4 address %s/24\n ipv6 address %s/64\n!\n" % (site(n, 4, 1), site(n, 6, 1))
    text += "interface core\n %s\n %s address %s/%d\n!\n" % (port, family, own, length)
    text += "interface lo\n %s address %s/%d\n!\n" % (family, router(n, core), host_length(core))
    text += "mpls\n%s!\nrouter bgp %d\n router-id 192.0.2.%d\n%s" % (mpls, AS, n, bgp)
    text += (" neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 2\n"
             "  address-family vpnv4 unicast\n  !\n  address-family vpnv6 unicast\n  !\n !\n vrf RED\n"
             % (router(9, core), AS, router(n, core)))
    for f in ("ipv4", "ipv6"):
        text += "  address-family %s unicast\n   redistribute connected\n  !\n" % f
    return text + " !\n!\n"


def reflector(core, pes):
    text = "[global.config]\n  as = %d\n  router-id = \"192.0.2.9\"\n" % AS
    for n in pes:
        text += ("[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = %d\n"
                 "  [neighbors.transport.config]\n    local-address = \"%s\"\n"
                 "  [neighbors.timers.config]\n    connect-retry = 2\n"
                 "  [neighbors.route-reflector.config]\n    route-reflector-client = true\n"
                 "    route-reflector-cluster-id = \"192.0.2.9\"\n" % (router(n, core), AS, router(9, core)))
        for af in ("l3vpn-ipv4-unicast", "l3vpn-ipv6-unicast"):
            text += "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"%s\"\n" % af
    return text


def stock_address(n, core, side):
    """Of the tunnel device to PE @n, ours and the far side's."""
    return "169.254.%d.%d" % (n, side) if core == 4 else "fd00:ff:%d::%d" % (n, side)


def frr_config(core):
    """FRR as PE 2. Of VPN routes it takes those whose next hop stock Linux can forward to: of the core's family."""
    n, family = 2, "ip" if core == 4 else "ipv6"
    text = "hostname PE2\nlog stdout\n"
    for other in (1, 3):
        text += "%s route %s/%d %s tun%d\n" % (
            family, router(other, core), host_length(core), stock_address(other, core, 2), other)
    text += "%s route %s/%d %s\n" % (family, router(9, core), host_length(core), link(n, core)[1])
    af = "ipv4" if core == 4 else "ipv6"
    text += ("router bgp %d\n bgp router-id 192.0.2.2\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n"
             " neighbor %s remote-as %d\n neighbor %s update-source %s\n neighbor %s timers connect 2\n"
             " address-family %s vpn\n  neighbor %s activate\n  neighbor %s route-map TUNNEL in\n exit-address-family\nexit\n"
             "route-map TUNNEL permit 1\n set l3vpn next-hop encapsulation gre\nexit\n"
             % (AS, router(9, core), AS, router(9, core), router(n, core), router(9, core), af, router(9, core),
                router(9, core)))
    return text + ("router bgp %d vrf RED\n bgp router-id 192.0.2.2\n address-family %s unicast\n"
                   "  redistribute connected\n  label vpn export auto\n  rd vpn export 65000:2\n  rt vpn both 65000:1\n"
                   "  export vpn\n  import vpn\n exit-address-family\nexit\n" % (AS, af))


class SoftCore(Topology):
    """The network of the drawing. @encap: what PEs tunnel with; @core: its IP version."""

    def build(self, encap, core, stock=True):
        self.encap, self.core = encap, core
        self.pes = (1, 2, 3) if stock else (1, 3)
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "vrf", "veth", "fou", "fou6", "ip_gre", "ip6_gre", "ipip",
             "ip6_tunnel", "tunnel4", "bareudp", "dummy"], check=False)
        self.add("p", *["pe%d" % n for n in self.pes], *["ce%d" % n for n in self.pes])
        for n in self.pes:
            self.link("ce%d:pe" % n, "pe%d:red" % n, "pe%d:core" % n, "p:pe%d" % n)
            self._ce(n)
        self._p()
        if stock:
            self._stock()
        for n in (1, 3):
            self[self.name(n)].sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
            self.main_routes(n)
        return self

    @staticmethod
    def name(n):
        return "pe%d" % n

    def _ce(self, n):
        ce = self["ce%d" % n]
        ce.sysctl("net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        ce.ip("addr add %s/24 dev pe" % site(n, 4), "addr add %s/64 dev pe nodad" % site(n, 6),
              "route add default via %s" % site(n, 4, 1), "route add ::/0 via %s" % site(n, 6, 1))

    def _p(self):
        p = self["p"]
        p.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0")
        lines = ["addr add %s/%d dev lo" % (router(9, self.core), host_length(self.core))]
        for n in self.pes:
            own, there, length = link(n, self.core)
            lines += ["addr add %s/%d dev pe%d%s" % (there, length, n, " nodad" if self.core == 6 else ""),
                      "route add %s via %s" % (router(n, self.core), own)]
        p.ip(*lines)

    def main_routes(self, n, action="add"):
        """What an IGP would bring to PE @n of ours: the other routers, in the main table."""
        self[self.name(n)].ip(*["route %s %s via %s dev core onlink" % (action, router(o, self.core), link(n, self.core)[1])
                                for o in (*self.pes, 9) if o != n])

    def _stock(self):
        pe, core = self["pe2"], self.core
        own, there, length = link(2, core)
        nodad = " nodad" if core == 6 else ""
        pe.sysctl("net.mpls.platform_labels=1048575", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                  "net.ipv4.conf.all.rp_filter=0", "net.ipv4.tcp_l3mdev_accept=0", "net.ipv4.icmp_ratelimit=0",
                  "net.ipv6.icmp.ratelimit=0")
        pe.ip("addr add %s/%d dev lo%s" % (router(2, core), host_length(core), nodad),
              "addr add %s/%d dev core%s" % (own, length, nodad),
              "link add RED type vrf table 101", "link set RED up",
              "route add table 101 unreachable default metric 4278198272",
              "route add table 101 unreachable ::/0 metric 4278198272",
              "link set red master RED", "addr add %s/24 dev red" % site(2, 4, 1), "addr add %s/64 dev red nodad" % site(2, 6, 1),
              "route add %s via %s table %d" % ("default" if core == 4 else "::/0", there, UNDERLAY))
        run(["ip", "-n", pe.netns, "-%d" % core, "rule", "add", "fwmark", str(MARK), "table", str(UNDERLAY)])
        self.stock_by = self._stock_tunnels(pe)

    def _stock_tunnels(self, pe):
        """Devices tun1 and tun3, GRE for FRR's sake; returns what tunnels."""
        core, ends = self.core, {n: "local %s remote %s" % (router(2, self.core), router(n, self.core)) for n in (1, 3)}
        gre, limit, length = ("gre", "ttl 64", 30) if core == 4 else ("ip6gre", "encaplimit none", 64)
        for n in (1, 3):
            pe.ip("link add tun%d type %s %s %s fwmark %d" % (n, gre, ends[n], limit, MARK), "link set tun%d up" % n,
                  "addr add %s/%d dev tun%d%s" % (stock_address(n, core, 1), length, n, " nodad" if core == 6 else ""))
            pe.sysctl("net.mpls.conf.tun%d.input=1" % n)
        if self.encap == "gre":
            return "gre"
        by = self._bareudp(pe) or self._fou(pe, ends, limit)
        return by

    def _led(self, pe, n, device, *actions):
        """What leaves tun@n leaves by @device."""
        pe.run("tc", "qdisc", "add", "dev", "tun%d" % n, "clsact")
        pe.run("tc", "filter", "add", "dev", "tun%d" % n, "egress", "protocol", "mpls_uc", "matchall", *actions,
               "action", "mirred", "egress", "redirect", "dev", device)

    def _bareudp(self, pe):
        if not pe.ok("ip", "link", "add", "udp0", "type", "bareudp", "dstport", "6635", "ethertype", "mpls_uc"):
            return None
        pe.ip("link set udp0 up")
        pe.sysctl("net.mpls.conf.udp0.input=1")
        for n in (1, 3):
            self._led(pe, n, "udp0", "action", "skbedit", "mark", str(MARK), "pipe", "action", "tunnel_key", "set",
                      "src_ip", router(2, self.core), "dst_ip", router(n, self.core), "id", "0", "pipe")
        return "bareudp"

    def _fou(self, pe, ends, limit):
        kind = "ipip mode mplsip" if self.core == 4 else "ip6tnl mode any"
        pe.run("ip", "fou", "add", "port", "6635", "ipproto", "137", *(["-6"] if self.core == 6 else []))
        for n in (1, 3):
            pe.ip("link add udp%d type %s %s %s fwmark %d encap fou encap-sport auto encap-dport 6635" %
                  (n, kind, ends[n], limit, MARK), "link set udp%d up" % n)
            pe.sysctl("net.mpls.conf.udp%d.input=1" % n)
            self._led(pe, n, "udp%d" % n)
            # the GRE device's own MTU knows nothing of UDP
            pe.ip("link set tun%d mtu %d" % (n, 1500 - OVERHEAD["udp", self.core]))
        return "fou"

    def start(self, mpls=None, port="core", bgp=lambda n: ""):
        """Start the reflector, FRR and our PEs; @mpls(n), @bgp(n): what stands under `mpls` and in BGP of PE @n."""
        self.rr = Gobgp(self["p"], reflector(self.core, self.pes)).start()
        if 2 in self.pes:
            self.frr = Frr(self["pe2"], frr_config(self.core)).start()
        mpls = mpls or (lambda n: transport(self.encap, n, self.core))
        self.pe = {n: L3vpnd(self["pe%d" % n], pe_config(n, self.core, mpls(n), port, bgp(n))).start() for n in (1, 3)}
        wait_for("all PEs at the reflector", lambda: len(self.rr.established()) == len(self.pes), 60)
        return self

    def reach(self, near, far, version, timeout=30):
        wait_for("site %d reaches site %d over IPv%d" % (near, far, version),
                 lambda: self["ce%d" % near].ping(site(far, version), count=1, timeout=1), timeout)

    def forget(self):
        """The CEs forget the path MTUs that they learnt."""
        for n in self.pes:
            for family in ("-4", "-6"):
                self["ce%d" % n].run("ip", family, "route", "flush", "cache")
