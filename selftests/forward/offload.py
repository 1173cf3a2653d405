#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Real TCP and UDP through three of our routers: every kind of device, with and without offloads. In a guest:
scripts/vm --with selftests/forward/complete -- selftests/forward/offload.py [WORD...]

    cea 10.1.0.2, 2001:db8:1::2 --- pe1 ===== p ===== pe2 --- ceb 10.2.0.2, 2001:db8:2::2
                                    RED     MPLS      RED
Every packet carries a transport label, which p swaps for an explicit null, and a VPN label over the core. What arrives
is compared with what was sent, octet by octet; of datagrams the TTL too. The links are of one kind at a time:

    veth     the devices of a pair              bond     a bond above each of them
    vlan     a VLAN device above each of them   bridge   a bridge above each of them
    tap      taps with the header of virtio, whose frames a process carries, offloads included (as a virtual machine's)
    virtio   network devices of the guest itself, in pairs (scripts/vm --nics 8)

In tunnels the VPN label travels in UDP (RFC 7510) or GRE (RFC 4023) from pe1 to pe2, and p routes what it does not understand.
"""
import array
import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../lib")]

import tap                                                              # noqa: E402
import uapi                                                             # noqa: E402
from l3vpn_nl import L3vpn, get, label_record, prefix4, prefix6, u32    # noqa: E402
from tap import equal, test, wait                                       # noqa: E402
from wire import Netns, sh                                              # noqa: E402

RED, TO_PE1, TO_PE2 = 1, 100, 200
VPN = {"pe1": 301, "pe2": 302}
NODES = ("cea", "pe1", "p", "pe2", "ceb")
# (node, its device) at both ends of every link
LINKS = ((("cea", "eth0"), ("pe1", "ce")), (("pe1", "core"), ("p", "left")), (("p", "right"), ("pe2", "core")),
         (("pe2", "ce"), ("ceb", "eth0")))
CUSTOMER, CORE = (LINKS[0], LINKS[3]), (LINKS[1], LINKS[2])
FAR4, FAR6 = (socket.AF_INET, "10.2.0.2"), (socket.AF_INET6, "2001:db8:2::2")
OCTETS, DATAGRAM, DATAGRAMS, PER_CALL = 1 << 20, 1300, 200, 40
UDP_SEGMENT, SO_RCVBUFFORCE, IP_RECVTTL, IPV6_RECVHOPLIMIT = 103, 33, 12, 51
TUNSETIFF, TUNSETOFFLOAD, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 0x400454d0, 2, 0x1000, 0x4000
TUN_F_CSUM_TSO = 1 | 2 | 4


# ---- links

def veth(one, other, suffix=""):
    (a, dev_a), (b, dev_b) = one, other
    sh(f"ip -n {a} link add {dev_a}{suffix} type veth peer name {dev_b}{suffix} netns {b}; "
       f"ip -n {a} link set {dev_a}{suffix} mtu 2000 up; ip -n {b} link set {dev_b}{suffix} mtu 2000 up")


def above(kind):
    """A device of another kind above each end of a veth pair."""
    def make(one, other):
        veth(one, other, "-low")
        for node, dev in (one, other):
            low = f"{dev}-low"
            sh({"vlan": f"ip -n {node} link add link {low} name {dev} type vlan id 7",
                "bridge": f"ip -n {node} link add {dev} type bridge; ip -n {node} link set {low} master {dev}",
                "bond": f"ip -n {node} link add {dev} type bond mode active-backup miimon 100; "
                        f"ip -n {node} link set {low} down; ip -n {node} link set {low} master {dev}; "
                        f"ip -n {node} link set {low} up"}[kind])
            sh(f"ip -n {node} link set {dev} mtu 1600 up")
        for node, dev in (one, other):
            wait(lambda n=node, d=dev: "LOWER_UP" in sh(f"ip -n {n} link show {d}").stdout, f"carrier of {dev}")
    return make


def new_tap(node, dev):
    """A tap in @node, as a virtual machine's: its descriptor takes and gives GSO packets."""
    with Netns(node):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", dev.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM_TSO)
    sh(f"ip -n {node} link set {dev} mtu 1600 up")
    os.set_blocking(fd, False)
    return fd


carriers = []


def taps(one, other):
    """A pair of taps, and a process that carries frames between them."""
    a, b = new_tap(*one), new_tap(*other)
    child = os.fork()
    if not child:
        try:
            other_end = {a: b, b: a}
            while True:
                for fd in select.select([a, b], [], [])[0]:
                    os.write(other_end[fd], os.read(fd, 1 << 17))
        finally:
            os._exit(1)
    carriers.append((child, a, b))


def virtio():
    """Two network devices of the guest a link, in the order that scripts/vm --nics pairs them."""
    found = sorted(d for d in os.listdir("/sys/class/net")
                   if os.path.realpath(f"/sys/class/net/{d}/device/driver").endswith("/virtio_net"))

    def address(d):
        with open(f"/sys/class/net/{d}/address") as f:
            return f.read()
    nics = iter(sorted(found, key=address))

    def make(one, other):
        for node, dev in (one, other):
            sh(f"ip link set {next(nics)} netns {node} name {dev}; ip -n {node} link set {dev} mtu 1500 up")
    return make


KINDS = {"veth": veth, "vlan": above("vlan"), "bond": above("bond"), "bridge": above("bridge"), "tap": taps}


# ---- routers

def provider_edge(name, p, transport, site, remote):
    other = "pe2" if name == "pe1" else "pe1"
    with Netns(name):
        nl = L3vpn()
        nl.vrf_new("RED", id=RED)
        table = get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, u32(RED))])[0][uapi.VRF_TABLE])
        sh(f"ip -n {name} link set RED up; ip -n {name} route add default dev RED table {table}; "
           f"ip -n {name} -6 route add default dev RED table {table}")
        nl.port_new("ce", RED)
        nl.port_new("core")
        for addr in (f"10.{site}.0.1/24", f"2001:db8:{site}::1/64"):
            sh(f"ip -n {name} addr replace {addr} dev ce{' nodad' if ':' in addr else ''}")
        nl.nh_adjacency(1, "core", p)
        nl.nh_labelled(2, 1, [transport])
        nl.route_add(RED, [prefix4(f"10.{remote}.0.0/16", 2, VPN[other])],
                     [prefix6(f"2001:db8:{remote}::/48", 2, VPN[other])])
        nl.label_add([label_record(VPN[name], uapi.LABEL_ACTION_POP_VRF, vrf=RED)])
    return nl


def provider_core():
    with Netns("p"):
        nl = L3vpn()
        nl.port_new("left")
        nl.port_new("right")
        nl.nh_adjacency(1, "left", "192.0.2.1")
        nl.nh_adjacency(2, "right", "192.0.2.6")
        nl.label_add([label_record(TO_PE2, uapi.LABEL_ACTION_SWAP, nh=2, out_label=0),
                      label_record(TO_PE1, uapi.LABEL_ACTION_SWAP, nh=1, out_label=0)])
    return nl


class Network:
    """The network of the drawing, of one kind of links."""

    def __init__(self, kind):
        self.kind = kind
        make = KINDS[kind] if kind in KINDS else virtio()
        for n in NODES:
            sh(f"ip netns add {n}; ip -n {n} link set lo up; "
               f"ip netns exec {n} sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
        for one, other in LINKS:
            make(one, other)
        for node, dev, site in (("cea", "eth0", 1), ("ceb", "eth0", 2)):
            sh(f"ip -n {node} addr add 10.{site}.0.2/24 dev {dev}; "
               f"ip -n {node} addr add 2001:db8:{site}::2/64 dev {dev} nodad; ip -n {node} link set {dev} mtu 1500; "
               f"ip -n {node} route add default via 10.{site}.0.1; "
               f"ip -n {node} -6 route add default via 2001:db8:{site}::1")
        for node, dev, addr in (("pe1", "core", 1), ("p", "left", 2), ("p", "right", 5), ("pe2", "core", 6)):
            sh(f"ip -n {node} addr add 192.0.2.{addr}/30 dev {dev}")
        self.nl = {"pe1": provider_edge("pe1", "192.0.2.2", TO_PE2, 1, 2), "p": provider_core(),
                   "pe2": provider_edge("pe2", "192.0.2.5", TO_PE1, 2, 1)}
        self.core_mtu(1500 if kind == "virtio" else 1600)
        wait(lambda: all(sh(f"ip netns exec cea ping -n -q -c 1 -W 1 {a}", check=False).returncode == 0
                         for _, a in (FAR4, FAR6)), f"a way through over {kind}", 30)

    @staticmethod
    def core_mtu(mtu):
        for link in CORE:
            for node, dev in link:
                sh(f"ip -n {node} link set {dev} mtu {mtu}")

    def offloads(self, links, *settings):
        """ethtool -K for both ends of @links, and for the devices below them. What a device lacks is passed over."""
        for link in links:
            for node, dev in link:
                sh("; ".join(f"nsenter --net=/run/netns/{node} ethtool -K {name} {' '.join(settings)}"
                             for name in (dev, f"{dev}-low")), check=False)

    def tunnels(self, encap, version):
        """Between the PEs from now on, in place of the transport label."""
        ends = {"pe1": ("192.0.2.1", "fd00:c0:1::1"), "pe2": ("192.0.2.6", "fd00:c0:2::1")}
        for node, dev, addr in (("pe1", "core", "1::1"), ("p", "left", "1::2"), ("p", "right", "2::2"), ("pe2", "core", "2::1")):
            sh(f"ip -n {node} addr replace fd00:c0:{addr}/64 dev {dev} nodad")
        sh("ip netns exec p sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
           "ip -n pe1 route replace 192.0.2.4/30 via 192.0.2.2; ip -n pe2 route replace 192.0.2.0/30 via 192.0.2.5; "
           "ip -n pe1 -6 route replace fd00:c0:2::/64 via fd00:c0:1::2; "
           "ip -n pe2 -6 route replace fd00:c0:1::/64 via fd00:c0:2::2")
        for node, other in (("pe1", "pe2"), ("pe2", "pe1")):
            local, remote = (ends[n][version == 6] for n in (node, other))
            self.nl[node].endpoint_new(encap, local)
            self.nl[node].nh_tunnel(2, encap, local, remote)
        for node in ends:
            wait(lambda n=node: get(self.nl[n].nh_get(2)[uapi.NH_RESOLVED]) == 1, f"the tunnel of {node}")

    def switched(self):
        """By labels again."""
        for node, transport in (("pe1", TO_PE2), ("pe2", TO_PE1)):
            self.nl[node].nh_labelled(2, 1, [transport])

    def close(self):
        for nl in self.nl.values():
            nl.close()
        for child, a, b in carriers:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(a)
            os.close(b)
        carriers.clear()
        for n in NODES:
            sh(f"ip netns del {n}")


ALL = ("sg on", "rx on", "tx on", "tso on", "gso on", "gro on", "rxvlan on", "txvlan on", "tx-udp-segmentation on")
NONE = ("tso off", "tx-udp-segmentation off", "gso off", "gro off", "rxvlan off", "txvlan off", "tx off", "rx off", "sg off")


# ---- transfers

def bound(node, family, kind, device=None):
    with Netns(node):
        s = socket.socket(family, kind)
    s.settimeout(60)
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    return s


def core_octets():
    tx = json.loads(sh("ip -n pe1 -s -j link show core").stdout)[0]["stats64"]["tx"]
    return tx["packets"], tx["bytes"]


def forget_mtu():
    """At both ends: one that knows a path MTU tells it to the other in its SYN, which then learns nothing."""
    sh("; ".join(f"ip -n {node} {family} route flush cache" for node in ("cea", "ceb") for family in ("-4", "-6")))


def tcp(client, server, far, device=None, client_device=None):
    """OCTETS from @client to a socket of @server; the mean size of the frames on the core."""
    family, address = far
    data = os.urandom(1 << 16) * (OCTETS >> 16)
    got = hashlib.sha256()
    length = 0
    listening = bound(server, family, socket.SOCK_STREAM, device)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((address, 5001))
    listening.listen(1)
    s = bound(client, family, socket.SOCK_STREAM, client_device)
    before = core_octets()
    s.connect((address, 5001))
    conn, _ = listening.accept()
    conn.settimeout(60)

    def send():
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    while True:
        piece = conn.recv(1 << 18)
        if not piece:
            break
        got.update(piece)
        length += len(piece)
    sender.join()
    for x in (s, conn, listening):
        x.close()
    equal((length, got.hexdigest()), (OCTETS, hashlib.sha256(data).hexdigest()), "what arrived")
    after = core_octets()
    return (after[1] - before[1]) / max(1, after[0] - before[0])


def udp(client, server, far, segment=True, hops=3):
    """DATAGRAMS from @client to @server, by UDP GSO if @segment; every one arrives whole, its TTL decreased."""
    family, address = far
    receiver = bound(server, family, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    level, option = (socket.SOL_IP, IP_RECVTTL) if family == socket.AF_INET else (socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT)
    receiver.setsockopt(level, option, 1)
    receiver.bind((address, 5002))
    sender = bound(client, family, socket.SOCK_DGRAM)
    sender.connect((address, 5002))
    if segment:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, DATAGRAM)
    data = os.urandom(DATAGRAM - 4)
    per_call = PER_CALL if segment else 1
    seen, ttls = set(), set()
    for first in range(0, DATAGRAMS, PER_CALL):
        for at in range(first, first + PER_CALL, per_call):
            sender.send(b"".join(struct.pack("!I", i) + data for i in range(at, at + per_call)))
        for _ in range(PER_CALL):       # no more under way than every queue has room for
            got, ancillary, _, _ = receiver.recvmsg(65535, 256)
            equal(got[4:] == data, True, f"payload of datagram {got[:4]}, {len(got)} octets")
            seen.add(struct.unpack("!I", got[:4])[0])
            ttls.update(array.array("i", value)[0] for _, _, value in ancillary)
    sender.close()
    receiver.close()
    equal((len(seen), ttls), (DATAGRAMS, {64 - hops}), "datagrams and their TTLs")


def sums_up():
    """Does the sender's device do checksums? No socket may ask for UDP GSO where it does not."""
    return "tx-checksumming: on" in sh("ip netns exec cea ethtool -k eth0").stdout


def both(network, what, segments=False, hops=3):
    """TCP and UDP by IPv4 and IPv6; @segments: the core's links do not segment, so what goes over them is segments."""
    gso = sums_up()
    for far in (FAR4, FAR6):
        mean = tcp("cea", "ceb", far)
        if gso:
            udp("cea", "ceb", far, hops=hops)
        udp("cea", "ceb", far, segment=False, hops=hops)
        print(f"# {network.kind}, {what}, {'IPv4' if far is FAR4 else 'IPv6'}: mean TCP frame on the core {mean:.0f} octets")
        assert not segments or mean < 1614, f"mean frame on a core that does not segment: {mean:.0f} octets"


net = None


def on(kind):
    global net
    if net is None or net.kind != kind:
        if net:
            net.close()
            net = None
        net = Network(kind)
    return net


def add_kind(kind):
    @test(f"{kind}: TCP and UDP, IPv4 and IPv6, all offloads on")
    def all_on():
        n = on(kind)
        n.offloads(LINKS, *ALL)
        both(n, "all offloads")

    @test(f"{kind}: no offload at all")
    def all_off():
        n = on(kind)
        n.offloads(LINKS, *NONE)
        both(n, "no offload", True)

    @test(f"{kind}: the customers' links have every offload, the core's none, and the other way round")
    def mixed():
        n = on(kind)
        for here, there in ((CUSTOMER, CORE), (CORE, CUSTOMER)):
            n.offloads(here, *ALL)
            n.offloads(there, *NONE)
            both(n, "offloads of " + ("the customers" if here is CUSTOMER else "the core"), here is CUSTOMER)

    @test(f"{kind}: senders segment, ports gather (GRO), as streams and as lists of packets")
    def gathered():
        n = on(kind)
        n.offloads(LINKS, *ALL)
        for link in CUSTOMER:
            for node, dev in link:
                if node.startswith("ce"):
                    sh("; ".join(f"ip netns exec {node} ethtool -K {name} tso off gso off tx-udp-segmentation off"
                                 for name in (dev, f"{dev}-low")), check=False)
        for settings in (("rx-udp-gro-forwarding on", "rx-gro-list off"), ("rx-udp-gro-forwarding off", "rx-gro-list on")):
            n.offloads(LINKS, *settings)
            both(n, settings[1])
        n.offloads(LINKS, "rx-gro-list off")


if "--virtio" in sys.argv:
    sys.argv.remove("--virtio")
    add_kind("virtio")
else:
    for name in KINDS:
        add_kind(name)

    @test("TCP over a core without room for labels: the sender learns the path MTU")
    def narrow():
        n = on("veth")
        n.offloads(LINKS, *ALL)
        n.core_mtu(1500)
        for far in (FAR4, FAR6):
            tcp("cea", "ceb", far)
        cached = sh("ip -n cea route get 10.2.0.2; ip -n cea -6 route get 2001:db8:2::2").stdout
        equal(cached.count("mtu 1492"), 2, f"path MTU at the sender: {cached}")

    def add_tunnel(encap, version, name):
        @test(f"tunnels over {name}, IPv{version}: with every offload and with none; the sender learns the path MTU")
        def tunnelled():
            n = on("veth")
            n.core_mtu(1600)
            n.tunnels(encap, version)
            try:
                for settings in (ALL, NONE):
                    n.offloads(LINKS, *settings)
                    both(n, f"in {name} over IPv{version}, {'all offloads' if settings is ALL else 'no offload'}", True, 2)
                n.offloads(LINKS, *ALL)
                n.core_mtu(1500)
                forget_mtu()
                for far in (FAR4, FAR6):
                    tcp("cea", "ceb", far)
                room = 1500 - (20 if version == 4 else 40) - (8 if encap == uapi.ENCAP_UDP else 4) - 4
                cached = sh("ip -n cea route get 10.2.0.2; ip -n cea -6 route get 2001:db8:2::2").stdout
                equal(cached.count(f"mtu {room}"), 2, f"path MTU at the sender: {cached}")
            finally:
                n.switched()
                forget_mtu()

    for encap_, name_ in ((uapi.ENCAP_UDP, "UDP"), (uapi.ENCAP_GRE, "GRE")):
        for version_ in (4, 6):
            add_tunnel(encap_, version_, name_)

    @test("counters: GSO packets count as their segments, at next hops, labels and over the whole way alike")
    def counted():
        n = on("veth")
        n.core_mtu(1600)
        for settings in (ALL, NONE):
            n.offloads(LINKS, *settings)
            for nl in n.nl.values():
                nl.do(uapi.CMD_STATS_CLEAR)
            tcp("cea", "ceb", FAR4)
            one, p, two = n.nl["pe1"], n.nl["p"], n.nl["pe2"]
            wait(lambda: one.nh_tally(2)[0] == two.label_tally(VPN["pe2"])[0], "the last segment")
            packets, octets = one.nh_tally(1)
            equal(one.nh_tally(2), (packets, octets), "path and adjacency")
            equal((p.label_tally(TO_PE2), p.nh_tally(2)), ((packets, octets), (packets, octets)), "P router")
            popped = octets - two.label_tally(VPN["pe2"])[1]    # explicit null; a GSO packet has its headers once
            assert popped == 4 * packets if settings is NONE else 4 <= popped < 4 * packets, (popped, packets)
            assert packets > OCTETS // 1500, f"{packets} segments"

    @test("TCP to a socket of the VRF, from the port and from the remote site")
    def local():
        on("veth").core_mtu(1500)
        for far in ((socket.AF_INET, "10.1.0.1"), (socket.AF_INET6, "2001:db8:1::1")):
            tcp("cea", "pe1", far, b"RED")
            tcp("ceb", "pe1", far, b"RED")

    @test("TCP from a socket of the VRF to both sites: it learns that labels take room")
    def local_out():
        on("veth").core_mtu(1500)
        for near, far in (((socket.AF_INET, "10.1.0.2"), FAR4), ((socket.AF_INET6, "2001:db8:1::2"), FAR6)):
            tcp("pe1", "cea", near, None, b"RED")
            tcp("pe1", "ceb", far, None, b"RED")

    @test("CHECKSUM_COMPLETE from every port: forwarded, switched, and delivered to sockets of the VRF")
    def complete():
        n = on("veth")
        n.offloads(LINKS, *NONE)
        n.core_mtu(1600)
        sh(f"insmod {os.environ['L3VPN_MODULES']}/l3vpn_complete.ko")
        try:
            both(n, "CHECKSUM_COMPLETE", True)
            for far in ((socket.AF_INET, "10.1.0.1"), (socket.AF_INET6, "2001:db8:1::1")):
                tcp("cea", "pe1", far, b"RED")
                tcp("ceb", "pe1", far, b"RED")
            with open("/sys/module/l3vpn_complete/parameters/packets") as f:
                seen = int(f.read())
            assert seen > 3000, f"only {seen} packets had a complete checksum"
        finally:
            sh("rmmod l3vpn_complete")
        equal([line for line in sh("dmesg").stdout.splitlines() if "csum failure" in line], [], "checksum faults")

sh("modprobe -a tun bonding bridge 8021q veth virtio_net 2>/dev/null", check=False)
tap.main()
