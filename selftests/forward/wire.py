# SPDX-License-Identifier: GPL-2.0
"""Frames, made and read by hand, and the wires they go over: packet sockets in a network namespace."""
import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import time

ETH_IP, ETH_ARP, ETH_IPV6, ETH_MPLS, ETH_VLAN = 0x0800, 0x0806, 0x86dd, 0x8847, 0x8100
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
_libc = ctypes.CDLL(None, use_errno=True)


class Netns:
    """with Netns(name): this thread is in that namespace."""

    def __init__(self, name):
        self.path = "/run/netns/" + name

    def __enter__(self):
        self.back = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        try:
            self._set(there)
        finally:
            os.close(there)

    def __exit__(self, *_):
        self._set(self.back)
        os.close(self.back)

    @staticmethod
    def _set(fd):
        if _libc.setns(fd, 0):
            raise OSError(ctypes.get_errno(), "setns")


def sh(command, check=True):
    r = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and r.returncode:
        raise RuntimeError(f"{command}: {r.returncode}: {r.stdout}")
    return r


def mac_of(netns, name):
    return json.loads(sh(f"ip -n {netns} -j link show {name}").stdout)[0]["address"]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def eth(dst, src, proto, payload, vlan=None):
    tag = struct.pack("!HH", ETH_VLAN, vlan) if vlan is not None else b""
    return mac(dst) + mac(src) + tag + struct.pack("!H", proto) + payload


def ipv4(src, dst, payload=b"", proto=UDP, ttl=64, tos=0, df=False, ident=1, offset=0, more=False, options=b""):
    ihl = 5 + len(options) // 4
    frag = (0x4000 if df else 0) | (0x2000 if more else 0) | offset // 8

    def header(check):
        return struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, tos, ihl * 4 + len(payload), ident, frag, ttl, proto, check,
                           socket.inet_aton(src), socket.inet_aton(dst)) + options
    return header(checksum(header(0))) + payload


def ipv6(src, dst, payload=b"", proto=UDP, ttl=64, tclass=0, flow=0):
    return struct.pack("!IHBB16s16s", 6 << 28 | tclass << 20 | flow, len(payload), proto, ttl,
                       socket.inet_pton(socket.AF_INET6, src), socket.inet_pton(socket.AF_INET6, dst)) + payload


def udp(sport, dport, data=b""):
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def echo(data, type=8, ident=7, seq=1):
    def message(check):
        return struct.pack("!BBHHH", type, 0, check, ident, seq) + data
    return message(checksum(message(0)))


def echo6(src, dst, data, type=128, ident=7, seq=1):
    def message(check):
        return struct.pack("!BBHHH", type, 0, check, ident, seq) + data
    pseudo = socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + \
        struct.pack("!II", len(message(0)), ICMP6)
    return message(checksum(pseudo + message(0)))


def fragment6(message, start, end, proto=ICMP6, ident=7):
    """The part of @message from octet @start to @end (None: its last), behind a fragment header."""
    return struct.pack("!BBHI", proto, 0, start | (end is not None), ident) + message[start:end]


def labels(stack, payload):
    """stack: (label, tc, ttl), outermost first; the last one gets the S bit."""
    out = b""
    for i, (label, tc, ttl) in enumerate(stack):
        out += struct.pack("!I", label << 12 | tc << 9 | (i == len(stack) - 1) << 8 | ttl)
    return out + payload


def arp(op, sha, spa, tha, tpa):
    return struct.pack("!HHBBH6s4s6s4s", 1, ETH_IP, 6, 4, op, mac(sha), socket.inet_aton(spa), mac(tha),
                       socket.inet_aton(tpa))


class Packet:
    """A frame taken apart as far as it goes. Every checksum that is there must be right."""

    def __init__(self, frame):
        self.frame = frame
        self.dst, self.src = frame[:6].hex(":"), frame[6:12].hex(":")
        self.proto, = struct.unpack("!H", frame[12:14])
        self.l3 = frame[14:]
        self.stack = []
        self.version = self.ttl = self.tos = self.ip_proto = self.payload = None
        self.saddr = self.daddr = self.frag = self.ip = None
        at = 0
        if self.proto == ETH_MPLS:
            while True:
                lse, = struct.unpack("!I", self.l3[at:at + 4])
                self.stack.append((lse >> 12, lse >> 9 & 7, lse & 255))
                at += 4
                if lse & 256:
                    break
        if self.proto in (ETH_MPLS, ETH_IP, ETH_IPV6):
            self._ip(self.l3[at:])

    def _ip(self, data):
        self.version = data[0] >> 4
        if self.version == 4:
            ihl = (data[0] & 15) * 4
            length, = struct.unpack("!H", data[2:4])
            assert checksum(data[:ihl]) == 0, "IPv4 header checksum"
            self.tos, self.ttl, self.ip_proto = data[1], data[8], data[9]
            self.frag, = struct.unpack("!H", data[6:8])
            self.saddr, self.daddr = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
            self.ip, self.payload = data[:length], data[ihl:length]
            if self.ip_proto == ICMP and not self.frag & 0x3fff:
                assert checksum(self.payload) == 0, "ICMP checksum"
        elif self.version == 6:
            length, = struct.unpack("!H", data[4:6])
            self.tos = struct.unpack("!H", data[:2])[0] >> 4 & 255
            self.ip_proto, self.ttl = data[6], data[7]
            self.saddr = socket.inet_ntop(socket.AF_INET6, data[8:24])
            self.daddr = socket.inet_ntop(socket.AF_INET6, data[24:40])
            self.ip, self.payload = data[:40 + length], data[40:40 + length]
            if self.ip_proto == ICMP6:
                pseudo = data[8:40] + struct.pack("!II", length, ICMP6)
                assert checksum(pseudo + self.payload) == 0, "ICMPv6 checksum"

    @property
    def data(self):
        return self.payload[8:] if self.payload else b""

    def __repr__(self):
        what = f"{self.src} > {self.dst} {self.proto:04x}"
        for label, tc, ttl in self.stack:
            what += f" [{label} tc {tc} ttl {ttl}]"
        if self.version:
            what += f" IPv{self.version} {self.saddr} > {self.daddr} ttl {self.ttl} proto {self.ip_proto} " \
                    f"{self.payload[:24].hex()}"
        return what


class Wire:
    """One end of a link, in a namespace without addresses: what we send the other end receives."""

    def __init__(self, netns, name):
        self.name = name
        with Netns(netns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.sock.bind((name, 0))
        self.mac = mac_of(netns, name)

    def send(self, frame):
        self.sock.send(frame.ljust(60, b"\0"))

    def flush(self):
        while select.select([self.sock], [], [], 0)[0]:
            try:
                self.sock.recv(65535)
            except OSError as e:
                if e.errno != errno.ENETDOWN:   # reported once, when a test takes the link down
                    raise

    def read(self, wanted, timeout=3.0):
        """The first packet for which wanted(packet) holds, and all that came before it."""
        before, end = [], time.monotonic() + timeout
        while True:
            left = max(0, end - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                return None, before
            p = Packet(self.sock.recv(65535))
            if wanted(p):
                return p, before
            before.append(p)
