# SPDX-License-Identifier: GPL-2.0
"""The network of the forwarding tests.

             namespace lab (no addresses)   |   namespace pe: the router under test
                                            |
    CE of RED   10.1.0.2, 2001:db8:1::2  r1 === red1   10.1.0.1/24 2001:db8:1::1/64   VRF RED
    CE of RED   10.3.0.2                 r2 === red2   10.3.0.1/24                    VRF RED
    CE of BLUE  10.1.0.2, 2001:db8:1::2  b1 === blue1  10.1.0.1/24 2001:db8:1::1/64   VRF BLUE
    P router    192.0.2.2                k1 === core1  192.0.2.1/30  2001:db8:c::1/64  core
    P router    192.0.2.6                k2 === core2  192.0.2.5/30                    core

The lab's ends are packet sockets: tests say what goes in, and look at every octet that comes out. Neighbours
are permanent entries with the MAC addresses of the lab's ends, but where a test is about neighbours.
"""
from wire import Wire, mac_of, sh

LINKS = [("r1", "red1"), ("r2", "red2"), ("b1", "blue1"), ("k1", "core1"), ("k2", "core2")]
ADDRESSES = {"red1": ["10.1.0.1/24", "2001:db8:1::1/64"], "red2": ["10.3.0.1/24"],
             "blue1": ["10.1.0.1/24", "2001:db8:1::1/64"],
             "core1": ["192.0.2.1/30", "2001:db8:c::1/64"], "core2": ["192.0.2.5/30"]}
NEIGHBOURS = [("red1", "10.1.0.2", "r1"), ("red1", "2001:db8:1::2", "r1"), ("red2", "10.3.0.2", "r2"),
              ("blue1", "10.1.0.2", "b1"), ("blue1", "2001:db8:1::2", "b1"),
              ("core1", "192.0.2.2", "k1"), ("core1", "2001:db8:c::2", "k1"), ("core2", "192.0.2.6", "k2")]


class Network:
    def __init__(self):
        for ns in ("lab", "pe"):
            sh(f"ip netns add {ns}; ip -n {ns} link set lo up")
        sh("ip netns exec lab sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        # no address is duplicate here: do not wait to find out
        sh("ip netns exec pe sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
           "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for lab, pe in LINKS:
            sh(f"ip -n lab link add {lab} type veth peer name {pe} netns pe; "
               f"ip -n lab link set {lab} up; ip -n pe link set {pe} up")
            for name, ns in ((lab, "lab"), (pe, "pe")):
                sh(f"ip netns exec {ns} ethtool -K {name} tx off gro off tso off gso off 2>/dev/null", check=False)
        self.wire = {lab: Wire("lab", lab) for lab, _ in LINKS}
        self.mac = {lab: self.wire[lab].mac for lab, _ in LINKS}
        self.mac.update((pe, mac_of("pe", pe)) for _, pe in LINKS)
        self.peer = dict(LINKS)

    def address(self):
        for name, addresses in ADDRESSES.items():
            for a in addresses:
                sh(f"ip -n pe addr add {a} dev {name}{' nodad' if ':' in a else ''}")
        self.neighbours()

    def neighbours(self):
        for dev, address, lab in NEIGHBOURS:
            sh(f"ip -n pe neigh replace {address} lladdr {self.mac[lab]} dev {dev} nud permanent")

    def flush(self):
        for w in self.wire.values():
            w.flush()

    @staticmethod
    def remove():
        sh("ip netns del lab; ip netns del pe", check=False)
