# SPDX-License-Identifier: GPL-2.0
"""Labelled unicast over LDP, and of a route of the main table: no router of the core but abr knows of pe2.

    ce1 --- pe1 ------- p ------- abr ------- pe2 --- ce2        all but the customers: l3vpnd
            |----- LDP -----------|
            |----- labelled unicast ----------|                  abr announces pe2's address for it

    pe1 sends: LDP's label of abr / abr's label of pe2 / VPN label; p pops the first one, abr the second.
"""
import pytest

from topology import L3vpnd, Topology, labels, run, wait_for

ROUTERS = {"pe1": 1, "p": 3, "abr": 4, "pe2": 2}
LINKS = (("pe1", "p"), ("p", "abr"), ("abr", "pe2"))


def loopback(name):
    return "192.0.2.%d" % ROUTERS[name]


def neighbor(address, families, more=()):
    return " neighbor %s\n  remote-as 65000\n  timers connect-retry 2\n%s%s !\n" % (
        address, "".join("  %s\n" % line for line in more),
        "".join("  address-family %s\n%s  !\n" % (f, "   next-hop-self\n   route-reflector-client\n" if own else "") for f, own in families))


def config(name):
    text = "interface lo\n ipv4 address %s/32\n!\n" % loopback(name)
    ports = []
    for link, pair in enumerate(LINKS):
        if name in pair:
            ports.append(("right", "left")[pair.index(name)])
            text += "interface %s\n mpls\n ipv4 address 198.51.100.%d/31\n!\n" % (ports[-1], 2 * link + pair.index(name))
    if name != "pe2":
        ports = ports if name != "abr" else ["left"]
        text += "mpls\n ldp\n  router-id %s\n%s !\n!\n" % (loopback(name), "".join("  interface %s\n  !\n" % p for p in ports))
    if name == "p":
        return text
    number = ROUTERS[name]
    if name != "abr":
        text += ("vrf RED\n rd 65000:%d\n address-family ipv4 unicast\n  import route-target 65000:1\n  export route-target 65000:1\n !\n!\n"
                 "interface red\n vrf RED\n ipv4 address 10.255.%d.1/30\n!\n"
                 "router static\n vrf RED\n  route 10.%d.0.0/16\n   next-hop 10.255.%d.2\n  !\n !\n!\n" % (number, number, number, number))
    text += "router bgp 65000\n router-id %s\n" % loopback(name)
    source = ("update-source " + loopback(name),)
    if name == "abr":
        text += " address-family ipv4 labeled-unicast\n  network 192.0.2.2/32\n  allocate-label all\n !\n"
        text += neighbor(loopback("pe1"), [("ipv4 labeled-unicast", True)], source)
        return text + neighbor("198.51.100.5", [("ipv4 labeled-unicast", True)]) + "!\n"
    if name == "pe1":
        text += " address-family ipv4 labeled-unicast\n  network 192.0.2.1/32\n !\n"
    other = "pe2" if name == "pe1" else "pe1"
    text += neighbor(loopback("abr") if name == "pe1" else "198.51.100.4", [("ipv4 labeled-unicast", False)], source if name == "pe1" else ())
    text += neighbor(loopback(other), [("vpnv4 unicast", False)], source)
    return text + " vrf RED\n  address-family ipv4 unicast\n   redistribute static\n  !\n !\n!\n"


def routes(net):
    """An interior protocol's, by hand. For the session between the PEs pe1 and p have an aggregate that covers pe2: no host
    route, which LDP would make a path of that ends at abr."""
    for at, link, there in (("pe1", (0, 1, "right"), ("p", "abr", "pe2")), ("p", (1, 1, "right"), ("abr", "pe2")),
                            ("abr", (2, 1, "right"), ("pe2",)), ("pe2", (2, 0, "left"), ("abr", "p", "pe1")),
                            ("abr", (1, 0, "left"), ("p", "pe1")), ("p", (0, 0, "left"), ("pe1",))):
        number, side, dev = link
        net[at].ip(*["route add %s via 198.51.100.%d dev %s onlink" % (
            "192.0.2.2/31" if n == "pe2" and at != "abr" else loopback(n), 2 * number + side, dev) for n in there])


@pytest.fixture(scope="module")
def net():
    with Topology() as topology:
        run(["modprobe", "-a", "mpls_router", "veth"], check=False)
        topology.add("ce1", "ce2", *ROUTERS)
        topology.link("ce1:pe", "pe1:red", "ce2:pe", "pe2:red",
                      *[e for left, right in LINKS for e in (left + ":right", right + ":left")])
        for n in (1, 2):
            topology["ce%d" % n].ip("addr add 10.255.%d.2/30 dev pe" % n, "addr add 10.%d.0.1/32 dev lo" % n,
                                    "route add default via 10.255.%d.1" % n)
        for name in ROUTERS:
            topology[name].sysctl("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
        topology.daemons = {name: L3vpnd(topology[name], config(name)).start() for name in ROUTERS}
        routes(topology)
        yield topology


def reach(net, timeout=60):
    wait_for("site 2 answers site 1", lambda: net["ce1"].ping("10.2.0.1", source="10.1.0.1", count=1, timeout=1), timeout)


def lu(net, name):
    return {row["prefix"]: row for row in net.daemons[name].json("show bgp ipv4 labeled-unicast") if row["best"] == "yes"}


def test_labels_on_the_wire(net):
    reach(net)
    to_pe2, to_pe1 = (int(lu(net, "abr")[n + "/32"]["local-label"]) for n in ("192.0.2.2", "192.0.2.1"))
    ldp = {name: {row["for"]: row["label"] for row in net.daemons["p"].json("show labels")}["ldp fec %s/32" % loopback(name)]
           for name in ("abr", "pe1")}
    assert lu(net, "abr")["192.0.2.2/32"]["from"] == "network" and lu(net, "pe1")["192.0.2.2/32"]["label"] == to_pe2
    there = ("pe1", "p", "abr")
    captures = [net[name].tcpdump("right", "mpls") for name in there]
    for capture in captures:
        capture.__enter__()
    try:
        assert net["ce1"].ping("10.2.0.1", source="10.1.0.1", count=3)
        stacks = {}
        for name, capture in zip(there, captures):
            for what in ("request", "reply"):
                found = wait_for("%s behind %s" % (what, name), lambda c=capture, w=what: [f for f in c.frames() if "echo " + w in f], 10)
                stacks[name, what] = labels(found[0])
    finally:
        for capture in captures:
            capture.__exit__()
    vpn2, vpn1 = stacks["abr", "request"][-1], stacks["pe1", "reply"][-1]
    assert stacks == {("pe1", "request"): [ldp["abr"], to_pe2, vpn2], ("p", "request"): [to_pe2, vpn2], ("abr", "request"): [vpn2],
                      ("abr", "reply"): [to_pe1, vpn1], ("p", "reply"): [ldp["pe1"], vpn1], ("pe1", "reply"): [vpn1]}


def test_traceroute(net):
    reach(net)
    text = net["ce1"].run("traceroute", "-n", "-q", "1", "-w", "2", "-m", "8", "-s", "10.1.0.1", "10.2.0.1")
    assert [line.split()[1] for line in text.splitlines()[1:]] == [
        "10.255.1.1", "198.51.100.1", "198.51.100.3", "10.255.2.1", "10.2.0.1"], text


def test_without_ldp(net):
    """LDP leaves p: what led over it is not used, and says so; then it is back."""
    reach(net)
    net.daemons["p"].configure("mpls\n no ldp\n")
    wait_for("held back", lambda: "10.2.0.0/16" not in net.daemons["pe1"].sh("show forwarding vrf RED"), 30)
    text = net.daemons["pe1"].sh("explain vrf RED prefix 10.2.0.0/16")
    assert "from 192.0.2.4, router 192.0.2.4: no label-switched path" in text and "no label-switched path to 192.0.2.2/32" in text, text
    ldp = config("p")
    net.daemons["p"].configure(ldp[ldp.index("mpls\n ldp"):])
    reach(net)
