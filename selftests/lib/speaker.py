# SPDX-License-Identifier: GPL-2.0
"""A BGP speaker for tests: sends what it is told, well formed or not, and keeps what it receives.

It runs in the namespace of a Node (in a thread, by setns), answers keepalives by itself, and never
interprets: tests build UPDATEs from the pieces below, or from raw octets.
"""
import ipaddress
import select
import socket
import struct
import threading
import time

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = 1, 2, 3, 4, 5
MARKER = b"\xff" * 16
VPNV4, VPNV6 = (1, 128), (2, 128)


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def capability(code, value=b""):
    return bytes((code, len(value))) + value


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack("!BBH", flags | 0x10, code, len(value)) + value
    return struct.pack("!BBB", flags, code, len(value)) + value


def refresh(family, subtype=0):
    """ROUTE-REFRESH; 1 and 2 are the marks of RFC 7313."""
    return message(REFRESH, struct.pack("!HBB", family[0], subtype, family[1]))


def with_id(path_id, nlri):
    """RFC 7911."""
    return struct.pack("!I", path_id) + nlri


def capabilities(body):
    """{code: [value, ...]} of an OPEN's body."""
    found, at = {}, 10
    while at < len(body):
        kind, length = body[at], body[at + 1]
        value, at = body[at + 2:at + 2 + length], at + 2 + length
        while kind == 2 and value:
            found.setdefault(value[0], []).append(value[2:2 + value[1]])
            value = value[2 + value[1]:]
    return found


def rd(text):
    """RFC 4364 4.2, types 0, 1 and 2."""
    left, right = text.split(":")
    if "." in left:
        return struct.pack("!H4sH", 1, socket.inet_aton(left), int(right))
    if int(left) > 65535:
        return struct.pack("!HIH", 2, int(left), int(right))
    return struct.pack("!HHI", 0, int(left), int(right))


def route_target(text):
    left, right = text.split(":")
    if "." in left:
        return struct.pack("!BB4sH", 1, 2, socket.inet_aton(left), int(right))
    if int(left) > 65535:
        return struct.pack("!BBIH", 2, 2, int(left), int(right))
    return struct.pack("!BBHI", 0, 2, int(left), int(right))


def vpn_nlri(distinguisher, prefix, label):
    """One VPN-IPv4 or VPN-IPv6 NLRI under one label (RFC 8277, RFC 4364)."""
    net = ipaddress.ip_network(prefix)
    octets = net.network_address.packed[:(net.prefixlen + 7) // 8]
    return bytes((24 + 64 + net.prefixlen,)) + struct.pack("!I", (label << 4 | 1) << 8)[:3] + rd(distinguisher) + octets


def next_hop(family, address):
    """RD 0, then the address: 12 or 24 octets."""
    packed = ipaddress.ip_address(address).packed
    if family == VPNV6 and len(packed) == 4:
        packed = b"\0" * 10 + b"\xff\xff" + packed
    return b"\0" * 8 + packed


def mp_reach(family, address, nlri):
    hop = next_hop(family, address)
    return attribute(0x80, 14, struct.pack("!HBB", *family, len(hop)) + hop + b"\0" + nlri)


def mp_unreach(family, nlri):
    return attribute(0x80, 15, struct.pack("!HB", *family) + nlri)


def origin(value=0):
    return attribute(0x40, 1, bytes((value,)))


def as_path(*asns):
    return attribute(0x40, 2, bytes((2, len(asns))) + b"".join(struct.pack("!I", a) for a in asns) if asns else b"")


def local_pref(value=100):
    return attribute(0x40, 5, struct.pack("!I", value))


def ext_communities(*targets):
    return attribute(0xc0, 16, b"".join(route_target(t) for t in targets))


def update(attributes, withdrawn=b"", nlri=b""):
    return message(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(attributes)) + attributes + nlri)


def vpn_updates(family, address, targets, routes, asns=()):
    """UPDATEs, full to 4,096 octets, for routes [(rd, prefix, label)] of one attribute set."""
    head = origin() + as_path(*asns) + local_pref() + ext_communities(*targets)
    room = 4096 - 23 - len(head) - 40
    nlri = b""
    for route in routes:
        one = vpn_nlri(*route)
        if len(nlri) + len(one) > room:
            yield update(head + mp_reach(family, address, nlri))
            nlri = b""
        nlri += one
    if nlri:
        yield update(head + mp_reach(family, address, nlri))


def end_of_rib(family):
    return update(attribute(0x80, 15, struct.pack("!HB", *family)))


class Speaker:
    """One session to peer, from a node's namespace."""

    def __init__(self, node, peer, asn, router_id, source=None, families=(VPNV4, VPNV6), hold=90, capabilities=b"", port=179,
                 as4=True):
        self.node, self.peer, self.asn, self.router_id = node, peer, asn, router_id
        self.source, self.families, self.hold, self.port = source, families, hold, port
        self.capabilities, self.as4 = capabilities, as4
        self.received, self.notification, self.closed = [], None, threading.Event()
        self.refreshes = []     # (AFI, SAFI, subtype, UPDATEs that had come before)
        self.peer_open = b""    # body of its OPEN
        self.lock = threading.Lock()

    def _socket(self):
        return self.node.inside(lambda: socket.create_connection(
            (self.peer, self.port), timeout=10, source_address=(self.source, 0) if self.source else None))

    def open_message(self):
        caps = b"".join(capability(1, struct.pack("!HBB", afi, 0, safi)) for afi, safi in self.families)
        caps += capability(2) + (capability(65, struct.pack("!I", self.asn)) if self.as4 else b"") + self.capabilities
        params = bytes((2, len(caps))) + caps
        return message(OPEN, struct.pack("!BHH4sB", 4, self.asn if self.asn < 65536 else 23456, self.hold,
                                         socket.inet_aton(self.router_id), len(params)) + params)

    def connect(self, timeout=30):
        """Until established: OPEN and KEEPALIVE have been exchanged."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.socket = self._socket()
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(self.open_message())
                self.buffer = b""
                kind, self.peer_open = self._read(10)
                kinds = [kind]
                self.socket.sendall(message(KEEPALIVE))
                kinds.append(self._read(10)[0])
                if kinds == [OPEN, KEEPALIVE]:
                    break
                self.socket.close()
            except (OSError, EOFError):
                pass
            if time.monotonic() > deadline:
                raise AssertionError("no session with %s" % self.peer)
            time.sleep(0.3)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _read(self, timeout):
        """(kind, body) of the next message."""
        while True:
            if len(self.buffer) >= 19:
                length = struct.unpack("!H", self.buffer[16:18])[0]
                if len(self.buffer) >= length:
                    kind, body = self.buffer[18], self.buffer[19:length]
                    self.buffer = self.buffer[length:]
                    return kind, body
            if not select.select([self.socket], [], [], timeout)[0]:
                raise TimeoutError
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data

    def _run(self):
        while True:
            try:
                kind, body = self._read(self.hold / 3)
                if kind == NOTIFICATION:
                    self.notification = (body[0], body[1], body[2:])
                elif kind == UPDATE:
                    self.received.append(body)
                elif kind == REFRESH:
                    afi, subtype, safi = struct.unpack("!HBB", body)
                    self.refreshes.append((afi, safi, subtype, len(self.received)))
                elif kind == KEEPALIVE:
                    self.send(message(KEEPALIVE))
            except TimeoutError:
                self.send(message(KEEPALIVE))
            except (EOFError, OSError):
                self.closed.set()
                return

    def send(self, *messages):
        with self.lock:
            self.socket.settimeout(60)
            self.socket.sendall(b"".join(messages))

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
