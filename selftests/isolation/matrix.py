#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Isolation as a matrix: whatever a RED customer sends, nothing of it appears in BLUE or globally.

    ce-red ----(red)--- pe ---(blue)---- ce-blue        RED and BLUE: 10.9.0.0/16 and 2001:db8:9::/48 in both,
    ce-red2 --(red2)--/  | \\                           10.2.0.0/16 and 2001:db8:2::/48 in BLUE only
                         |  `---(mgmt)--- noc          global: the operator's own network
                       (core)
                         |
                         p                             global: the MPLS core

{IPv4, IPv6} x {transit, the PE's own address, another VRF's address, a global address, link-local,
multicast, options and extension headers, fragments, ICMP errors} x {untagged, unknown VLAN tag,
priority tag, another host's MAC} x {0, 1, 2 labels}: every frame carries a marker of its own, and
is sent by ce-red as a raw frame. Every BLUE and global interface, on the PE and beyond, is
captured: a marker seen there is a leak, and so is anything received by the PE's global sockets, or
an answer to RED from an address that is not RED's. A frame with an unknown tag, for another host, or
with labels is nobody's: it may not go on inside RED either, nor be answered. A control frame of each
kind proves that the captures can see. Output: TAP, one line a cell; the matrix goes to $L3VPN_RESULTS/isolation.txt.
"""
import os
import re
import select
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from topology import L3vpnd, Topology, wait_for  # noqa: E402

import logging  # noqa: E402
logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption, fragment  # noqa: E402
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6PacketTooBig,  # noqa: E402
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN, RouterAlert)
from scapy.layers.l2 import Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

CONFIG = """hostname PE
vrf RED
 rd 65000:1
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
 address-family ipv6 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
!
vrf BLUE
 rd 65000:2
 address-family ipv4 unicast
  import route-target 65000:2
  export route-target 65000:2
 !
 address-family ipv6 unicast
  import route-target 65000:2
  export route-target 65000:2
 !
 loopback ipv4 address 10.77.0.1/32
 loopback ipv6 address 2001:db8:77::1/128
!
interface red
 vrf RED
 ipv4 address 10.255.1.1/24
 ipv6 address 2001:db8:ff:1::1/64
!
interface red2
 vrf RED
 ipv4 address 10.255.2.1/24
 ipv6 address 2001:db8:ff:2::1/64
!
interface blue
 vrf BLUE
 ipv4 address 10.255.3.1/24
 ipv6 address 2001:db8:ff:3::1/64
!
interface core
 mpls
 ipv4 address 198.51.100.0/31
 ipv6 address 2001:db8:c0::1/64
!
interface lo
 ipv4 address 192.0.2.1/32
 ipv6 address 2001:db8:10::1/128
!
mpls
 static lsp 192.0.2.2/32
  path 198.51.100.1 out-label 1002
 !
!
router static
 vrf RED
  route 10.9.0.0/16
   next-hop 10.255.2.2
  !
  route 2001:db8:9::/48
   next-hop 2001:db8:ff:2::2
  !
 !
 vrf BLUE
  route 10.9.0.0/16
   next-hop 10.255.3.2
  !
  route 10.2.0.0/16
   next-hop 10.255.3.2
  !
  route 2001:db8:9::/48
   next-hop 2001:db8:ff:3::2
  !
  route 2001:db8:2::/48
   next-hop 2001:db8:ff:3::2
  !
 !
!
router bgp 65000
 router-id 192.0.2.1
 vrf RED
  address-family ipv4 unicast
   redistribute connected
   redistribute static
  !
  address-family ipv6 unicast
   redistribute connected
   redistribute static
  !
 !
 vrf BLUE
  address-family ipv4 unicast
   redistribute connected
   redistribute static
  !
  address-family ipv6 unicast
   redistribute connected
   redistribute static
  !
 !
!
"""

SRC4, SRC6 = "10.255.1.2", "2001:db8:ff:1::2"
MARK = b"L3VPN-ISO-"
TAGS = ("untagged", "vlan", "priority", "othermac")
LABELS = (0, 1, 2)
PORTS = (22, 179, 7777)


def marker(number):
    return MARK + b"%06d" % number


def udp4(dst, data, **ip):
    return IP(src=SRC4, dst=dst, ttl=64, **ip) / UDP(sport=1234, dport=7777) / Raw(data)


def udp6(dst, data):
    return IPv6(src=SRC6, dst=dst, hlim=64) / UDP(sport=1234, dport=7777) / Raw(data)


def every4(dst, data):
    """UDP, echo request, and TCP SYN to each served port."""
    return [udp4(dst, data), IP(src=SRC4, dst=dst) / ICMP() / Raw(data)] + [
        IP(src=SRC4, dst=dst) / TCP(sport=4000, dport=port, flags="S", seq=1) / Raw(data) for port in PORTS]


def every6(dst, data):
    return [udp6(dst, data), IPv6(src=SRC6, dst=dst) / ICMPv6EchoRequest(data=data)] + [
        IPv6(src=SRC6, dst=dst) / TCP(sport=4000, dport=port, flags="S", seq=1) / Raw(data) for port in PORTS]


BLUE4 = ("10.2.0.1", "10.255.3.2")
BLUE6 = ("2001:db8:2::1", "2001:db8:ff:3::2")
OWN_BLUE4 = ("10.255.3.1", "10.77.0.1")
OWN_BLUE6 = ("2001:db8:ff:3::1", "2001:db8:77::1")
GLOBAL4 = ("192.0.2.1", "198.51.100.0", "198.51.100.1", "203.0.113.1", "203.0.113.2", "127.0.0.1", "127.9.9.9", "0.0.0.0")
GLOBAL6 = ("2001:db8:10::1", "2001:db8:c0::1", "2001:db8:c0::2", "2001:db8:aaaa::1", "2001:db8:aaaa::2", "::1",
           "::ffff:192.0.2.1", "::")


def kinds4(net, data):
    """{category: function that makes its IPv4 packets}"""
    quoted = IP(src="10.2.0.1", dst="10.9.0.1") / UDP(sport=7777, dport=7777) / Raw(data)
    session = IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=179, dport=179) / Raw(data)
    lsrr = IPOption(b"\x83\x07\x04" + socket.inet_aton("10.2.0.1"))
    record = IPOption(b"\x07\x0b\x04" + bytes(8))
    alert = IPOption(b"\x94\x04\x00\x00")
    stamp = IPOption(b"\x44\x0c\x05\x00" + bytes(8))
    big = IP(src=SRC4, dst="10.2.0.1", id=77) / UDP(sport=1234, dport=7777) / Raw(data * 8)
    biglocal = IP(src=SRC4, dst="192.0.2.1", id=78) / UDP(sport=1234, dport=7777) / Raw(data * 8)
    return {
        "transit": lambda: [p for d in BLUE4 + ("10.9.0.1", "10.3.3.3") for p in every4(d, data)]
                   + [IP(src="10.255.3.2", dst="10.2.0.1") / UDP() / Raw(data)],
        "own address": lambda: every4("10.255.1.1", data) + every4("10.255.2.1", data) + every4("10.255.1.255", data),
        "other VRF's address": lambda: [p for d in OWN_BLUE4 for p in every4(d, data)],
        "global address": lambda: [p for d in GLOBAL4 for p in every4(d, data)],
        "link-local": lambda: [p for d in ("169.254.1.1", "169.254.255.255") for p in every4(d, data)],
        "multicast": lambda: [p for d in ("224.0.0.1", "224.0.0.2", "224.0.0.5", "224.0.0.9", "224.0.0.251", "239.1.1.1",
                                  "255.255.255.255", "240.0.0.1") for p in every4(d, data)],
        "options": lambda: [udp4(d, data, options=[o]) for d in ("10.2.0.1", "10.77.0.1", "192.0.2.1", "10.255.1.1", "203.0.113.2")
                    for o in (lsrr, record, alert, stamp)],
        "fragments": lambda: fragment(big, 64) + fragment(biglocal, 64)
                     + [IP(src=SRC4, dst="10.2.0.1", frag=200, flags="MF") / Raw(data * 2)],
        "ICMP errors": lambda: [IP(src=SRC4, dst=d) / ICMP(type=t, code=c) / q for d in ("10.2.0.1", "10.77.0.1", "192.0.2.1")
                        for t, c in ((3, 1), (3, 4), (11, 0), (5, 1)) for q in (quoted, session)],
    }


def kinds6(net, data):
    quoted = IPv6(src="2001:db8:2::1", dst="2001:db8:9::1") / UDP(sport=7777, dport=7777) / Raw(data)
    session = IPv6(src="2001:db8:10::1", dst="2001:db8:10::2") / TCP(sport=179, dport=179) / Raw(data)
    lldata = [net.lladdr[i] for i in ("blue", "core", "mgmt", "lo-none") if i in net.lladdr]

    def headers(d):
        payload = UDP(sport=1234, dport=7777) / Raw(data)
        return [IPv6(src=SRC6, dst=d) / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / payload,
                IPv6(src=SRC6, dst=d) / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / payload,
                IPv6(src=SRC6, dst="2001:db8:ff:1::1") / IPv6ExtHdrRouting(type=0, addresses=[d]) / payload,
                IPv6(src=SRC6, dst="2001:db8:ff:1::1") / IPv6ExtHdrRouting(type=2, addresses=[d]) / payload,
                IPv6(src=SRC6, dst="2001:db8:ff:1::1") / IPv6ExtHdrRouting(type=4, addresses=[d]) / payload]

    def fragments(d):
        return [IPv6(src=SRC6, dst=d) / IPv6ExtHdrFragment(nh=17, offset=0, m=1, id=9) / Raw(b"\4\xd2\x1e\x61\0\x30\0\0" + data * 2),
                IPv6(src=SRC6, dst=d) / IPv6ExtHdrFragment(nh=17, offset=5, m=0, id=9) / Raw(data)]
    return {
        "transit": lambda: [p for d in BLUE6 + ("2001:db8:9::1", "2001:db8:3::3") for p in every6(d, data)]
                   + [IPv6(src="2001:db8:ff:3::2", dst="2001:db8:2::1") / UDP() / Raw(data)],
        "own address": lambda: every6("2001:db8:ff:1::1", data) + every6("2001:db8:ff:2::1", data) + every6("2001:db8:ff:1::", data),
        "other VRF's address": lambda: [p for d in OWN_BLUE6 for p in every6(d, data)],
        "global address": lambda: [p for d in GLOBAL6 for p in every6(d, data)],
        "link-local": lambda: [p for d in lldata + ["fe80::1"] for p in every6(d, data)]
                      + [IPv6(src="fe80::2", dst=d) / UDP(sport=1, dport=7777) / Raw(data) for d in ("2001:db8:2::1", "2001:db8:10::1")],
        "multicast": lambda: [p for d in ("ff02::1", "ff02::2", "ff02::5", "ff02::9", "ff02::1:ff00:1", "ff05::2", "ff0e::1", "ff01::1")
                      for p in every6(d, data)],
        "options": lambda: [p for d in ("2001:db8:2::1", "2001:db8:77::1", "2001:db8:10::1", "2001:db8:aaaa::2") for p in headers(d)],
        "fragments": lambda: [p for d in ("2001:db8:2::1", "2001:db8:10::1") for p in fragments(d)],
        "ICMP errors": lambda: [IPv6(src=SRC6, dst=d) / e / q for d in ("2001:db8:2::1", "2001:db8:77::1", "2001:db8:10::1")
                        for e in (ICMPv6DestUnreach(), ICMPv6PacketTooBig(mtu=1280)) for q in (quoted, session)],
    }


class Sniffer(threading.Thread):
    """All frames of one interface in one namespace that pass take()."""

    def __init__(self, node, interface, take):
        super().__init__(daemon=True)
        self.where = "%s:%s" % (node.name, interface)
        self.take, self.frames, self.running = take, [], True
        self.socket = node.inside(lambda: packet_socket(interface))
        self.start()

    def run(self):
        while self.running:
            if select.select([self.socket], [], [], 0.2)[0]:
                frame = self.socket.recv(65535)
                if self.take(frame):
                    self.frames.append(frame)

    def stop(self):
        self.running = False
        self.join()
        self.socket.close()


def packet_socket(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    s.bind((interface, 0))
    return s


class Servers:
    """What a PE may run in the default VRF: TCP and UDP, on every address."""

    def __init__(self, node):
        self.sockets = node.inside(self._open)

    @staticmethod
    def _open():
        sockets = []
        for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for port in (22, 7777):
                    s = socket.socket(family, kind)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if family == socket.AF_INET6:
                        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    s.bind((any_address, port))
                    if kind == socket.SOCK_STREAM:
                        s.listen(64)
                    s.setblocking(False)
                    sockets.append(s)
        return sockets

    def heard(self):
        """How many connections or datagrams arrived since asked last."""
        count = 0
        for s in self.sockets:
            while True:
                try:
                    if s.type == socket.SOCK_STREAM:
                        s.accept()[0].close()
                    else:
                        s.recv(65535)
                    count += 1
                except BlockingIOError:
                    break
        return count


def frames_of(packet, tag, stack, mac, other):
    """The frame(s) of one cell for one packet."""
    family = 0x0800 if isinstance(packet, IP) else 0x86dd
    inner = packet
    if stack:
        for depth, label in enumerate(reversed(stack)):
            inner = MPLS(label=label, s=1 if depth == 0 else 0, ttl=64) / inner
        family = 0x8847
    dst = other if tag == "othermac" else mac
    head = Ether(dst=dst, src="02:00:00:00:0a:01", type=family)
    if tag in ("vlan", "priority"):
        head = Ether(dst=dst, src="02:00:00:00:0a:01", type=0x8100) / Dot1Q(vlan=77 if tag == "vlan" else 0, prio=5, type=family)
    return bytes(head / inner)


def mac_of(node, interface):
    return re.search(r"link/ether (\S+)", node.run("ip", "link", "show", "dev", interface)).group(1)


class Isolation(Topology):
    def build(self):
        self.add("pe", "ce-red", "ce-red2", "ce-blue", "noc", "p")
        self.link("ce-red:pe", "pe:red", "ce-red2:pe", "pe:red2", "ce-blue:pe", "pe:blue",
                  "noc:pe", "pe:mgmt", "p:pe", "pe:core")
        for name, n in (("ce-red", 1), ("ce-red2", 2), ("ce-blue", 3)):
            self[name].ip("addr add 10.255.%d.2/24 dev pe" % n, "addr add 2001:db8:ff:%d::2/64 dev pe nodad" % n,
                          "route add default via 10.255.%d.1" % n, "route add ::/0 via 2001:db8:ff:%d::1" % n)
        self["noc"].ip("addr add 203.0.113.2/24 dev pe", "addr add 2001:db8:aaaa::2/64 dev pe nodad",
                       "route add default via 203.0.113.1")
        self["p"].ip("addr add 198.51.100.1/31 dev pe", "addr add 2001:db8:c0::2/64 dev pe nodad",
                     "route add default via 198.51.100.0")
        self["pe"].ip("addr add 203.0.113.1/24 dev mgmt", "addr add 2001:db8:aaaa::1/64 dev mgmt nodad")
        self["pe"].sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.pe = L3vpnd(self["pe"], CONFIG).start()
        wait_for("RED and BLUE forward", lambda: all(
            self["ce-red"].ping(a, count=1, source=SRC4 if "." in a else SRC6) for a in ("10.255.2.2", "2001:db8:ff:2::2"))
            and all(self["ce-blue"].ping(a, count=1) for a in ("10.255.3.1", "2001:db8:ff:3::1")), 60)
        self.lladdr = {}
        for line in self["pe"].run("ip", "-6", "-o", "addr", "show", "scope", "link").splitlines():
            words = line.split()
            self.lladdr[words[1]] = words[3].split("/")[0]
        return self

    def blue_label(self):
        rows = self.pe.json("show forwarding labels")
        text = [row for row in rows if "BLUE" in str(row)]
        assert text, "BLUE has a label: %s" % rows
        return int(text[0]["label"])


def strange(frame):
    """On a RED port: an answer from an address that is not RED's."""
    packet = Ether(frame)
    if packet.src == "02:00:00:00:0a:01":
        return False
    if IP in packet:
        source = packet[IP].src
        return not source.startswith("10.255.1.") and not source.startswith("10.255.2.") and not source.startswith("10.9.") \
            and source != "192.0.0.8"
    if IPv6 in packet:
        source = packet[IPv6].src
        return not source.startswith(("2001:db8:ff:1:", "2001:db8:ff:2:", "2001:db8:9:", "fe80:"))
    return False


def main():
    with Isolation() as net:
        net.build()
        mac = mac_of(net["pe"], "red")
        blue = net.blue_label()
        stacks = {0: [None], 1: [[blue], [0], [2]], 2: [[blue, blue], [0, blue], [1002, blue]]}
        servers = Servers(net["pe"])
        marked = lambda frame: MARK in frame  # noqa: E731
        watched = [(net["pe"], i) for i in ("blue", "core", "mgmt", "BLUE", "lo")] + [
            (net["ce-blue"], "pe"), (net["noc"], "pe"), (net["p"], "pe")]
        sniffers = [Sniffer(node, interface, marked) for node, interface in watched]
        red = Sniffer(net["ce-red"], "pe", strange)
        own = bytes.fromhex(mac.replace(":", ""))
        inside = [Sniffer(net["pe"], "red2", marked), Sniffer(net["ce-red2"], "pe", marked),
                  Sniffer(net["ce-red"], "pe", lambda frame: frame[6:12] == own and MARK in frame)]
        inject = net["ce-red"].inside(lambda: packet_socket("pe"))

        cells, number = [], 0
        for family, kinds in (("IPv4", kinds4), ("IPv6", kinds6)):
            for category in kinds(net, marker(0)):
                for tag in TAGS:
                    for depth in LABELS:
                        cells.append((number, family, category, tag, depth))
                        data = marker(number)
                        for packet in kinds(net, data)[category]():
                            for stack in stacks[depth]:
                                inject.send(frames_of(packet, tag, stack, mac, "02:00:00:00:0b:99"))
                        number += 1
        # Controls: the same marker where it may be, seen by the same captures.
        control = marker(999999)
        net["ce-blue"].inside(lambda: packet_socket("pe")).send(
            bytes(Ether(dst=mac_of(net["pe"], "blue"), src=mac_of(net["ce-blue"], "pe")) / IP(src="10.255.3.2", dst="10.2.0.1")
                  / UDP() / Raw(control)))
        net["noc"].run("python3", "-c", "import socket;socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(%r,('203.0.113.1',7777))" % control)
        net["p"].run("python3", "-c", "import socket;socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(%r,('192.0.2.1',7777))" % control)

        def controls():
            return all(any(control in f for f in s.frames) for s in sniffers
                       if s.where in ("pe:blue", "ce-blue:pe", "pe:mgmt", "noc:pe", "pe:core", "p:pe"))
        wait_for("every capture saw its control", controls, 20)
        time.sleep(1)  # what still travels may arrive
        for sniffer in sniffers + inside + [red]:
            sniffer.stop()
        report(cells, sniffers, inside, red, servers.heard())
    return 0 if report.passed else 1


def seen_where(sniffers):
    """{cell: where its marker was captured}"""
    found = {}
    for sniffer in sniffers:
        for frame in sniffer.frames:
            for number in re.findall(MARK + rb"([0-9]{6})", frame):
                found.setdefault(int(number), set()).add(sniffer.where)
    return found


def report(cells, sniffers, inside, red, heard):
    leaks, served = seen_where(sniffers), seen_where(inside)
    results = os.environ.get("L3VPN_RESULTS")
    out = open(os.path.join(results, "isolation.txt"), "w", encoding="utf-8") if results else None
    print("TAP version 13\n1..%d" % (len(cells) + 3))
    failures = 0
    for index, (number, family, category, tag, depth) in enumerate(cells, 1):
        seen = leaks.get(number, set())
        if tag in ("vlan", "othermac") or depth:
            seen = seen | served.get(number, set())
        failures += bool(seen)
        line = "%s, %s, %s, %d labels" % (family, category, tag, depth)
        print("%s %d - %s%s" % ("not ok" if seen else "ok", index, line, "" if not seen else ": leaked to " + ", ".join(sorted(seen))))
        if out:
            out.write("%-60s %s\n" % (line, "LEAK " + ",".join(sorted(seen)) if seen else "nothing leaked"))
    # the two controls reach the servers: each once
    print("%s %d - the PE's global sockets heard the two controls alone (%d)" % ("ok" if heard == 2 else "not ok", len(cells) + 1, heard))
    strangers = sorted({Ether(frame).summary() for frame in red.frames})
    print("%s %d - RED got no answer from an address that is not RED's" % ("not ok" if strangers else "ok", len(cells) + 2))
    for line in strangers[:20]:
        print("#   " + line)
    # the captures inside RED can see: what RED may do, each of the three saw
    plain = [served.get(number, set()) for number, _, category, tag, depth in cells
             if tag in ("untagged", "priority") and not depth and category in ("transit", "own address")]
    able = set().union(*plain) == {s.where for s in inside} and all(plain)
    print("%s %d - RED's own traffic goes on and is answered, plain and with a priority tag" % ("ok" if able else "not ok",
                                                                                               len(cells) + 3))
    failures += (heard != 2) + bool(strangers) + (not able)
    report.passed = failures == 0
    if out:
        out.close()


report.passed = False

if __name__ == "__main__":
    sys.exit(main())
