# SPDX-License-Identifier: GPL-2.0
"""One PE with two sites of RED and one of BLUE, all static: what the daemon does to host and module.

    ce1 (10.1.0.1) --- red1 +----+ red2 --- ce2 (10.2.0.1)
       10.255.1.0/30        | pe |    10.255.2.0/31
                  blue1 ----+    +---- core (a dummy core port)
    ce3 (10.1.0.1 as well) -+

Each test leaves the PE as it found it: configuration START, everything programmed.
"""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from topology import L3vpnd, Topology, run, wait_for  # noqa: E402

START = """hostname PE
vrf RED
 address-family ipv4 unicast
 !
 address-family ipv6 unicast
 !
 loopback ipv4 address 10.255.255.1/32
 loopback ipv6 address 2001:db8:ff::1/128
!
vrf BLUE
 address-family ipv4 unicast
 !
!
interface red1
 vrf RED
 ipv4 address 10.255.1.1/30
 ipv6 address 2001:db8:ff:1::1/64
!
interface red2
 vrf RED
 ipv4 address 10.255.2.0/31
!
interface blue1
 vrf BLUE
 ipv4 address 10.255.1.1/30
!
interface core
 mpls
 ipv4 address 198.51.100.2/31
!
router static
 vrf RED
  route 10.1.0.0/16
   next-hop 10.255.1.2
  !
  route 10.2.0.0/16
   next-hop 10.255.2.1
  !
  route 2001:db8:1::/48
   next-hop 2001:db8:ff:1::2
  !
 !
 vrf BLUE
  route 10.1.0.0/16
   next-hop 10.255.1.2
  !
 !
!
"""


class Site(Topology):
    """The network, and the daemon on pe."""

    def build(self):
        self.add("pe", "ce1", "ce2", "ce3")
        self.link("pe:red1", "ce1:pe", "pe:red2", "ce2:pe", "pe:blue1", "ce3:pe")
        self["pe"].ip("link add core type dummy", "link set core up")
        for ce, own, gateway in (("ce1", "10.255.1.2/30", "10.255.1.1"), ("ce3", "10.255.1.2/30", "10.255.1.1"),
                                 ("ce2", "10.255.2.1/31", "10.255.2.0")):
            self[ce].ip("addr add %s dev pe" % own, "addr add 10.%s.0.1/16 dev lo" % ("2" if ce == "ce2" else "1"),
                        "route add default via " + gateway)
        self["ce1"].ip("addr add 2001:db8:ff:1::2/64 dev pe nodad", "addr add 2001:db8:1::1/48 dev lo nodad",
                       "route add ::/0 via 2001:db8:ff:1::1")
        self["pe"].sysctl("net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.red1.accept_dad=0")
        self.daemon = L3vpnd(self["pe"], START, args=["--audit", "2"]).start()
        self.settled()
        return self

    def summary(self):
        """(facts, tables) of show forwarding summary."""
        text = self.daemon.sh("show forwarding summary")
        facts = {}
        for line in text.splitlines():
            word, _blank, value = line.partition(" ")
            if word.islower():
                facts[word] = value.strip()
        return facts, self.daemon.json("show forwarding summary")

    def equal(self):
        facts, tables = self.summary()
        return (facts["waiting"] == "0" and facts["failed"] == "0" and facts["sweep"] == "done"
                and all(t["equal"] for t in tables if isinstance(t, dict) and "equal" in t))

    def settled(self, timeout=60):
        """Everything is programmed, and the module forwards."""
        wait_for("the sites of RED see each other",
                 lambda: self["ce1"].ping("10.2.0.1", source="10.1.0.1", count=1, timeout=1), timeout)
        wait_for("the module holds what the daemon wants", self.equal, timeout)

    def genl(self, code):
        """Run Python on the netlink family in pe's namespace; nl is the socket."""
        script = ("import sys; sys.path.insert(0, %r)\nimport l3vpn_nl as n, uapi\nnl = n.L3vpn()\n%s"
                  % (os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"), code))
        return self["pe"].run("python3", "-c", script)

    def addresses(self, device):
        import json
        text = self["pe"].run("ip", "-j", "addr", "show", "dev", device)
        return {"%s/%d" % (a["local"], a["prefixlen"]) for link in json.loads(text)
                for a in link.get("addr_info", ()) if a["scope"] == "global"}


@pytest.fixture(scope="session")
def site():
    with Site() as topology:
        topology.build()
        yield topology


@pytest.fixture
def module():
    """The module's file; tests that unload it put it back by themselves."""
    path = os.environ["L3VPN_KO"]
    yield path
    if "l3vpn " not in open("/proc/modules", encoding="ascii").read():
        subprocess.run(["insmod", path], check=True)


def unload():
    run(["rmmod", "l3vpn"])
