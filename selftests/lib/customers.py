# SPDX-License-Identifier: GPL-2.0
"""A provider and the routers of its customers, who are FRR; so is the core.

    ce1 --(red1)+                                                   +(red2)-- ce2
                pe1 (l3vpnd) -- p (stock Linux, FRR reflects) -- pe2 (l3vpnd)
    ce4 --(red4)+                                                   +(red3)-- ce3

All are in VRF RED. ce1, ce2 and ce3 have one AS, 65010, ce4 has 65014; site N is 10.N.0.0/16, the link to its CE
10.255.N.0/30. pe1 and pe2 are 192.0.2.1 and .2, the reflector is .9; label 100N leads to PE N, p pops it.
"""
import contextlib

from topology import Frr, L3vpnd, Topology, run, wait_for

AS = 65000
REFLECTOR = "192.0.2.9"
PE_OF = {1: 1, 4: 1, 2: 2, 3: 2}
AS_OF = {1: 65010, 2: 65010, 3: 65010, 4: 65014}
ALL = "route-policy in ALL", "route-policy out ALL"


def loopback(n):
    return "192.0.2.%d" % n


def ce(n):
    return "10.255.%d.2" % n


def pe_side(n):
    return "10.255.%d.1" % n


def site(n):
    return "10.%d.0.0/16" % n


def host(n):
    return "10.%d.0.1" % n


def core(n):
    """(PE n's address, p's) on their link, /31."""
    return "198.51.100.%d" % (2 * n), "198.51.100.%d" % (2 * n + 1)


def family(n, *lines):
    """Lines in the address family of CE n."""
    return ("router bgp %d\n vrf RED\n  neighbor %s\n   address-family ipv4 unicast\n" % (AS, ce(n))
            + "".join("    %s\n" % line for line in lines))


def pe_config(n):
    other, (own, gateway) = 3 - n, core(n)
    text = ("hostname PE%d\nvrf RED\n rd %d:%d\n address-family ipv4 unicast\n  import route-target %d:1\n"
            "  export route-target %d:1\n !\n!\n" % (n, AS, n, AS, AS))
    for number, pe in PE_OF.items():
        if pe == n:
            text += "interface red%d\n vrf RED\n ipv4 address %s/30\n!\n" % (number, pe_side(number))
    text += "interface core\n mpls\n ipv4 address %s/31\n!\ninterface lo\n ipv4 address %s/32\n!\n" % (own, loopback(n))
    text += "mpls\n static lsp %s/32\n  path %s out-label %d\n !\n!\n" % (loopback(other), gateway, 1000 + other)
    text += "route-policy ALL\n statement 10\n  action accept\n !\n!\nroute-policy NOTHING\n!\n"
    text += ("router bgp %d\n router-id %s\n neighbor %s\n  remote-as %d\n  update-source %s\n  timers connect-retry 1\n"
             "  address-family vpnv4 unicast\n  !\n !\n" % (AS, loopback(n), REFLECTOR, AS, loopback(n)))
    text += " neighbor-group CE\n  timers connect-retry 1\n  address-family ipv4 unicast\n   as-override\n"
    text += "".join("   %s\n" % line for line in ALL) + "  !\n !\n"
    text += " vrf RED\n  address-family ipv4 unicast\n   redistribute connected\n  !\n"
    for number, pe in PE_OF.items():
        if pe == n:
            text += "  neighbor %s\n   use neighbor-group CE\n   remote-as %d\n  !\n" % (ce(number), AS_OF[number])
    return text + " !\n!\n"


def ce_frr(n):
    return ("hostname CE%d\nlog stdout\nrouter bgp %d\n bgp router-id %s\n no bgp ebgp-requires-policy\n"
            " no bgp network import-check\n neighbor %s remote-as %d\n neighbor %s timers connect 1\n"
            " address-family ipv4 unicast\n  network %s\n exit-address-family\nexit\n"
            % (n, AS_OF[n], ce(n), pe_side(n), AS, pe_side(n), site(n)))


def reflector_frr():
    text = ("hostname P\nlog stdout\nrouter bgp %d\n bgp router-id %s\n no bgp default ipv4-unicast\n" % (AS, REFLECTOR))
    for n in (1, 2):
        text += (" neighbor {p} remote-as {a}\n neighbor {p} update-source {o}\n neighbor {p} timers connect 1\n"
                 ).format(p=loopback(n), a=AS, o=REFLECTOR)
    text += " address-family ipv4 vpn\n"
    for n in (1, 2):
        # what a customer brings back to us is passed on (allowas-in)
        text += "  neighbor {p} activate\n  neighbor {p} route-reflector-client\n  neighbor {p} allowas-in 1\n".format(p=loopback(n))
    return text + " exit-address-family\nexit\n"


class Customers(Topology):
    """The drawing above."""

    def build(self):
        run(["modprobe", "-a", "mpls_router", "mpls_iptunnel", "veth"], check=False)
        self.add("p", "pe1", "pe2", "ce1", "ce2", "ce3", "ce4")
        ends = ["pe1:core", "p:pe1", "pe2:core", "p:pe2"]
        for n, pe in PE_OF.items():
            ends += ["ce%d:pe" % n, "pe%d:red%d" % (pe, n)]
        self.link(*ends)
        p = self["p"]
        p.sysctl("net.mpls.platform_labels=2000", "net.mpls.conf.pe1.input=1", "net.mpls.conf.pe2.input=1", "net.ipv4.ip_forward=1")
        p.ip("addr add %s/32 dev lo" % REFLECTOR)
        for n in (1, 2):
            own, gateway = core(n)
            p.ip("addr add %s/31 dev pe%d" % (gateway, n), "route add %s via %s" % (loopback(n), own))
            p.run("ip", "-f", "mpls", "route", "add", str(1000 + n), "via", "inet", own, "dev", "pe%d" % n)
            self["pe%d" % n].sysctl("net.ipv4.ip_forward=1")
            self["pe%d" % n].ip(*["route add %s via %s dev core onlink" % (a, gateway) for a in (REFLECTOR, loopback(3 - n))])
        for n in PE_OF:
            node = self["ce%d" % n]
            node.sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
            node.ip("addr add %s/30 dev pe" % ce(n), "addr add %s/32 dev lo" % host(n))
        return self

    def start(self):
        self.p = Frr(self["p"], reflector_frr()).start()
        self.ce = {n: Frr(self["ce%d" % n], ce_frr(n)).start() for n in PE_OF}
        self.pe = {n: L3vpnd(self["pe%d" % n], pe_config(n)).start() for n in (1, 2)}
        for one in PE_OF:
            for other in PE_OF:
                if one != other:
                    self.has(one, site(other))
        return self

    def pe_of(self, n):
        return self.pe[PE_OF[n]]

    def as_path(self, n, prefix):
        """AS path of what CE n was told, None without."""
        paths = self.ce[n].json("show bgp ipv4 unicast %s" % prefix).get("paths") or []
        return paths[0]["aspath"]["string"] if paths else None

    def has(self, n, prefix, path=None):
        return wait_for("CE %d has %s%s" % (n, prefix, " by " + path if path else ""),
                        lambda: self.as_path(n, prefix) == path if path else self.as_path(n, prefix) is not None, 40)

    def lacks(self, n, prefix):
        return wait_for("CE %d lacks %s" % (n, prefix), lambda: self.as_path(n, prefix) is None, 40)

    def reaches(self, one, other, address=None):
        return self["ce%d" % one].ping(address or host(other), source=host(one))

    def pings(self, one, other, address=None):
        return wait_for("CE %d reaches CE %d" % (one, other), lambda: self.reaches(one, other, address), 30)

    def does_not_ping(self, one, other, address=None):
        return wait_for("CE %d does not reach CE %d" % (one, other), lambda: not self.reaches(one, other, address), 30)

    @contextlib.contextmanager
    def said(self, n, *lines):
        """Lines of the address family of CE n, for a while."""
        self.pe_of(n).configure(family(n, *lines))
        try:
            yield
        finally:
            self.pe_of(n).configure(family(n, *["no " + line for line in lines]))

    @contextlib.contextmanager
    def tags(self, n, *lines):
        """CE n announces with a route map that does this."""
        bgp = "configure terminal", "router bgp %d" % AS_OF[n], "address-family ipv4 unicast"
        self.ce[n].vtysh("configure terminal", "route-map OUT permit 10", *lines)
        self.ce[n].vtysh(*bgp, "neighbor %s route-map OUT out" % pe_side(n))
        try:
            yield
        finally:
            self.ce[n].vtysh(*bgp, "no neighbor %s route-map OUT out" % pe_side(n))
            self.ce[n].vtysh("configure terminal", "no route-map OUT")

    def network(self, n, prefix, there=True):
        self.ce[n].vtysh("configure terminal", "router bgp %d" % AS_OF[n], "address-family ipv4 unicast",
                         ("" if there else "no ") + "network " + prefix)

    def items(self, n, item):
        """Values that PE tells of CE n under that name."""
        return [row["value"] for row in self.pe_of(n).json("show bgp neighbors %s vrf RED" % ce(n)) if row["item"] == item]

    def established(self):
        """How often each session came up, at the PEs."""
        return {(pe, row["neighbor"]): row["value"] for pe, daemon in self.pe.items()
                for row in daemon.json("show bgp neighbors") if row["item"] == "established"}
