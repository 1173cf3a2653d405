# SPDX-License-Identifier: GPL-2.0
"""Ports under traffic: moved between VRFs, renamed, deleted and made again; devices that cannot be ports.

    ce-x ---(x) pe (red)--- ce-red       10.9.0.1 is at ce-red in RED, and at ce-blue in BLUE
                   (blue)-- ce-blue
"""
import pytest

from topology import Failed, L3vpnd, Topology, run, wait_for

VRFS = "".join("vrf %s\n rd 65000:%d\n!\n" % v for v in (("RED", 1), ("BLUE", 2)))
CONFIG = VRFS + """interface red
 vrf RED
 ipv4 address 10.255.1.1/24
!
interface blue
 vrf BLUE
 ipv4 address 10.255.1.1/24
!
interface x
 vrf RED
 ipv4 address 10.255.3.1/24
!
router static
 vrf RED
  route 10.9.0.0/16
   next-hop 10.255.1.2
  !
 !
 vrf BLUE
  route 10.9.0.0/16
   next-hop 10.255.1.2
  !
 !
!
"""


@pytest.fixture()
def lab():
    with Topology() as net:
        run(["modprobe", "-a", "bridge", "bonding", "macvlan", "8021q"], check=False)
        net.add("pe", "ce-x", "ce-red", "ce-blue")
        net.link("ce-x:pe", "pe:x", "ce-red:pe", "pe:red", "ce-blue:pe", "pe:blue")
        for name, address in (("ce-red", "10.255.1.2/24"), ("ce-blue", "10.255.1.2/24"), ("ce-x", "10.255.3.2/24")):
            net[name].ip("addr add %s dev pe" % address, "route add default via %s" % address.replace("2/24", "1"))
        for name in ("ce-red", "ce-blue"):
            net[name].ip("addr add 10.9.0.1/16 dev lo")
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        wait_for("RED forwards", lambda: net["ce-x"].ping("10.9.0.1", count=1, source="10.255.3.2"), 30)
        yield net


class Watch:
    """Requests from ce-x that arrive at each customer's site."""

    def __init__(self, net):
        self.captures = {name: net[name].tcpdump("pe", "icmp", "and", "src", "10.255.3.2") for name in ("ce-red", "ce-blue")}

    def __enter__(self):
        for capture in self.captures.values():
            capture.__enter__()
        return self

    def __exit__(self, *exc):
        for capture in self.captures.values():
            capture.__exit__(*exc)

    def count(self, name):
        return self.captures[name].text().count("echo request")


def test_moved_between_vrfs(lab):
    with Watch(lab) as watch:
        lab["ce-x"].start("ping", "-n", "-q", "-i", "0.01", "10.9.0.1")
        wait_for("RED's site hears", lambda: watch.count("ce-red") > 10, 20)
        assert watch.count("ce-blue") == 0
        lab.pe.configure("interface x\n vrf BLUE\n")
        wait_for("BLUE's site hears", lambda: watch.count("ce-blue") > 10, 20)
        red = watch.count("ce-red")
        wait_for("BLUE's site goes on", lambda: watch.count("ce-blue") > 60, 20)
        assert watch.count("ce-red") == red, "RED's site hears no more once the port is BLUE's"


def test_renamed_leaves_its_vrf_and_comes_back(lab):
    lab["pe"].ip("link set x down", "link set x name y", "link set y up")
    wait_for("the port is unbound", lambda: not any(
        row.get("name") == "y" and row.get("vrf") for row in lab.pe.json("show interfaces")), 20)
    assert not lab["ce-x"].ping("10.9.0.1", timeout=1)
    lab["pe"].ip("link set y down", "link set y name x", "link set x up")
    wait_for("it binds again", lambda: lab["ce-x"].ping("10.9.0.1", count=1, timeout=1), 30)


def test_deleted_and_made_again(lab):
    with Watch(lab) as watch:
        for _ in range(3):
            lab["pe"].ip("link del x")
            lab.link("ce-x:pe", "pe:x")
            lab["ce-x"].ip("addr add 10.255.3.2/24 dev pe", "route add default via 10.255.3.1")
            wait_for("it binds by itself", lambda: lab["ce-x"].ping("10.9.0.1", count=1, timeout=1), 30)
        assert watch.count("ce-blue") == 0


@pytest.mark.parametrize("what,lines", (
    ("member of a bridge", ("link add br0 type bridge", "link add c type dummy", "link set c master br0")),
    ("member of a bond", ("link add bo type bond", "link add c type dummy", "link set c down", "link set c master bo")),
    ("parent of macvlan", ("link add c type dummy", "link add mv link c type macvlan")),
))
def test_device_that_cannot_be_a_port(lab, what, lines):
    lab["pe"].ip(*lines)
    try:
        said = lab.pe.configure("interface c\n vrf RED\n")
    except Failed as error:
        said = str(error)
    text = said + str(wait_for("the reason is told", lambda: [
        row for row in lab.pe.json("show interfaces") if row.get("name") == "c"], 10)) + lab.pe.sh("show log")
    assert any(word in text.lower() for word in ("bridge", "bond", "macvlan", "rx_handler", "busy", "handler")), text


def test_vlan_ports_of_one_device_are_two_customers(lab):
    """eth x.10 in RED, x.20 in BLUE: the tag decides, nothing crosses."""
    lab.pe.configure("no interface x\ninterface x.10\n vrf RED\n ipv4 address 10.255.4.1/24\n!\n"
                     "interface x.20\n vrf BLUE\n ipv4 address 10.255.4.1/24\n!\n")
    lab["pe"].ip("link add link x name x.10 type vlan id 10", "link add link x name x.20 type vlan id 20",
                 "link set x up", "link set x.10 up", "link set x.20 up")
    lab["ce-x"].ip("link add link pe name pe.10 type vlan id 10", "link set pe.10 up", "addr add 10.255.4.2/24 dev pe.10",
                   "route replace default via 10.255.4.1 dev pe.10")
    with lab["ce-red"].tcpdump("pe", "icmp") as red, lab["ce-blue"].tcpdump("pe", "icmp") as blue:
        wait_for("tag 10 is RED", lambda: lab["ce-x"].ping("10.9.0.1", count=1, source="10.255.4.2", timeout=1), 30)
        wait_for("RED's site heard it", lambda: "echo request" in red.text(), 10)
    assert "echo request" not in blue.text()
    lab["ce-x"].ip("link del pe.10", "link add link pe name pe.20 type vlan id 20", "link set pe.20 up",
                   "addr add 10.255.4.2/24 dev pe.20", "route replace default via 10.255.4.1 dev pe.20")
    with lab["ce-red"].tcpdump("pe", "icmp") as red, lab["ce-blue"].tcpdump("pe", "icmp") as blue:
        wait_for("tag 20 is BLUE", lambda: lab["ce-x"].ping("10.9.0.1", count=1, source="10.255.4.2", timeout=1), 30)
        wait_for("BLUE's site heard it", lambda: "echo request" in blue.text(), 10)
    assert "echo request" not in red.text()
