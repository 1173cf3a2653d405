#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Things end while packets pass: the module, a namespace, a VRF, a port; each many times, and nothing is left.

    ns ce1: c1 (10.1.0.2) --- a0 (10.1.0.1) [RED] PE [RED] b0 (10.2.0.1) --- c2 (10.2.0.2) :ns ce2
                                             PE core port k0 --- k1 (labelled frames come in here)

The PE is a namespace of its own or, for the tests of a whole namespace's end, is made and deleted each time. Senders
in ce1 and on k1 never stop. L3VPN_ROUNDS sets how often (fewer where the processor is emulated or the kernel checks itself).
"""
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import tap  # noqa: E402
import uapi  # noqa: E402
from tap import equal, wait  # noqa: E402

FAST = os.environ.get("L3VPN_KERNEL", "") in ("uml", "host")
ROUNDS = int(os.environ.get("L3VPN_ROUNDS", 20 if FAST else 5))
KO = os.environ["L3VPN_KO"]
RED, BLUE = 7, 8
SENDERS = []


def ip(*commands, netns=None):
    """Run ip commands, in a namespace if named."""
    subprocess.run(["ip"] + (["-n", netns] if netns else []) + ["-batch", "-"], input="\n".join(commands).encode(),
                   check=True)


def quiet(command):
    """Run what may fail."""
    return subprocess.run(command.split(), check=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode


def module(load):
    """Load or unload; a module that cannot be unloaded is a failure."""
    subprocess.run(["insmod", KO] if load else ["rmmod", "l3vpn"], check=True)


def links():
    """The three namespaces and their cables; the PE has no VRF yet."""
    ip("netns add ce1", "netns add ce2", "netns add pe", "netns add core")
    ip("link add a0 type veth peer name c1 netns ce1", "link add b0 type veth peer name c2 netns ce2",
       "link add k0 type veth peer name k1 netns core", "addr add 10.1.0.1/24 dev a0", "addr add 10.2.0.1/24 dev b0",
       "link set a0 up", "link set b0 up", "link set k0 up", "link set lo up", netns="pe")
    for ce, dev, net in (("ce1", "c1", 1), ("ce2", "c2", 2)):
        ip(f"addr add 10.{net}.0.2/24 dev {dev}", f"link set {dev} up", f"route add default via 10.{net}.0.1", netns=ce)
    ip("link set k1 up", netns="core")


def unlink():
    """All of it away."""
    stop_senders()
    for name in ("ce1", "ce2", "pe", "core"):
        quiet(f"ip netns del {name}")


def in_pe(function):
    """Run in the PE's namespace, in a child; fails as it fails."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            n.enter_netns("pe")
            function()
            code = 0
        except Exception as error:  # pylint: disable=broad-except
            print(f"# {error!r}", flush=True)
        os._exit(code)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "in the PE")


def program():
    """RED with both customer ports, the core port, a route and labels by the core."""
    nl = n.L3vpn()
    nl.vrf_new("RED", RED)
    nl.port_new("a0", RED)
    nl.port_new("b0", RED)
    nl.port_new("k0")
    nl.nh_adjacency(1, "b0", "10.2.0.2")
    nl.nh_adjacency(2, "k0", "192.0.2.2")
    nl.nh_labelled(3, 2, [300])
    nl.route_add(RED, [n.prefix4("10.3.0.0/16", 1), n.prefix4("10.4.0.0/16", 3, 400)])
    nl.label_add([n.label_record(100, uapi.LABEL_ACTION_POP_VRF, RED),
                  n.label_record(101, uapi.LABEL_ACTION_POP_NH, RED, 1)])


def udp_sender():
    """From ce1, without end: to b0's CE, to a remote site, to the PE itself, to nowhere."""
    n.enter_netns("ce1")
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to = [("10.2.0.2", 9), ("10.3.0.1", 9), ("10.4.0.1", 9), ("10.1.0.1", 9), ("10.2.0.1", 9), ("10.99.0.1", 9)]
    while True:
        for where in to:
            try:
                sock.sendto(b"x" * 64, where)
            except OSError:
                pass
        time.sleep(0.0005)


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def mpls_sender():
    """On k1, without end: labels that are known, and one that is not."""
    n.enter_netns("core")
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind(("k1", 0x8847))
    with open("/sys/class/net/k1/address", encoding="ascii") as f:
        source = bytes.fromhex(f.read().strip().replace(":", ""))
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 48, 0, 0, 64, 17, 0, bytes([10, 9, 0, 1]), bytes([10, 2, 0, 2]))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    packet = head + struct.pack("!HHHH", 9, 9, 28, 0) + b"y" * 20
    while True:
        for label in (100, 101, 777):
            frame = b"\xff" * 6 + source + b"\x88\x47" + struct.pack("!I", label << 12 | 0x140) + packet
            try:
                sock.send(frame)
            except OSError:
                pass
        time.sleep(0.0005)


def start_senders():
    """Two processes that never stop sending."""
    for function in (udp_sender, mpls_sender):
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)      # dies with its parent
            try:
                function()
            finally:
                os._exit(1)
        SENDERS.append(pid)


def stop_senders():
    """End them."""
    for pid in SENDERS:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    SENDERS.clear()


def forwarded():
    """Packets that RED has sent on."""
    nl = n.L3vpn()
    got = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, n.u32(RED))])[0]
    return n.stats(got[uapi.VRF_STATS])["tx_packets"]


def traffic():
    """Packets really pass by the VRF now."""
    start = forwarded()
    wait(lambda: forwarded() > start + 3, "packets forwarded by RED")


@tap.test("the module is unloaded and loaded while packets pass")
def unload():
    links()
    start_senders()
    for _ in range(ROUNDS):
        in_pe(program)
        in_pe(traffic)
        module(False)
        module(True)


@tap.test("a port is unbound, bound, moved between VRFs and by master, while packets pass")
def move():
    links()
    in_pe(program)
    start_senders()
    in_pe(traffic)

    def moves():
        nl = n.L3vpn()
        nl.vrf_new("BLUE", BLUE)
        for _ in range(ROUNDS):
            nl.port_new("a0", BLUE)
            equal(nl.ports()["a0"][1], BLUE)
            nl.port_del("a0")
            equal("a0" in nl.ports(), False)
            ip("link set a0 master RED")
            equal(nl.ports()["a0"][1], RED)
        ip("link set a0 nomaster")
        nl.port_new("a0", RED)

    in_pe(moves)
    in_pe(traffic)


@tap.test("a VRF is deleted and made again while packets pass")
def vrf():
    links()
    start_senders()
    for _ in range(ROUNDS):
        in_pe(program)
        in_pe(traffic)
        ip("link del RED", netns="pe")
        in_pe(lambda: equal(n.L3vpn().ports(), {"k0": (uapi.PORT_KIND_CORE, None)}))
        in_pe(lambda: n.L3vpn().epoch_sweep(n.L3vpn().epoch_begin()))


@tap.test("a port's device is deleted and made again while packets pass")
def device():
    links()
    start_senders()
    for _ in range(ROUNDS):
        in_pe(program)
        in_pe(traffic)
        ip("link del b0", netns="pe")
        in_pe(lambda: equal(set(n.L3vpn().ports()), {"a0", "k0"}))
        in_pe(lambda: equal(n.get(n.L3vpn().nh_get(1)[uapi.NH_RESOLVED]), 0))
        ip("link add b0 type veth peer name c2 netns ce2", "addr add 10.2.0.1/24 dev b0", "link set b0 up", netns="pe")
        ip("addr add 10.2.0.2/24 dev c2", "link set c2 up", "route add default via 10.2.0.1", netns="ce2")


@tap.test("a port's device moves to another namespace: it is a port no more")
def away():
    links()
    in_pe(program)
    start_senders()
    in_pe(traffic)
    ip("link set b0 netns core", netns="pe")
    in_pe(lambda: equal(set(n.L3vpn().ports()), {"a0", "k0"}))


@tap.test("the PE's namespace ends while packets pass")
def namespace():
    for _ in range(max(ROUNDS // 4, 2)):
        links()
        in_pe(program)
        start_senders()
        in_pe(traffic)
        unlink_pe = subprocess.run(["ip", "netns", "del", "pe"], check=False)
        equal(unlink_pe.returncode, 0)
        unlink()


@tap.test("with all gone the module is unloaded: no object is left")
def nothing_left():
    module(False)
    with open("/dev/kmsg", "rb", buffering=0) as log:
        os.set_blocking(log.fileno(), False)
        lines = []
        while True:
            try:
                lines.append(log.read(8192))
            except (BlockingIOError, BrokenPipeError):
                break
            if lines[-1] is None:
                break
    text = b"".join(line for line in lines if line).decode(errors="replace")
    equal([line for line in text.splitlines() if "left at unload" in line], [])
    module(True)


tap.main(unlink)
