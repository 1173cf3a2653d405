# SPDX-License-Identifier: GPL-2.0
"""An LDP speaker for tests: Hellos, one session, and whatever octets it is told; it keeps what it receives.

It runs in the namespace of a Node (by threads, with setns), connects actively (its transport address must be the higher
one), answers KeepAlives by itself, and never interprets. RFC 5036 section 3.
"""
import select
import socket
import struct
import threading
import time

NOTIFICATION, HELLO, INIT, KEEPALIVE, CAPABILITY = 0x0001, 0x0100, 0x0200, 0x0201, 0x0202
ADDRESS, ADDRESS_WITHDRAW = 0x0300, 0x0301
MAPPING, REQUEST, WITHDRAW, RELEASE, ABORT = 0x0400, 0x0401, 0x0402, 0x0403, 0x0404
PORT, ALL_ROUTERS = 646, "224.0.0.2"


def tlv(kind, value=b"", length=None):
    return struct.pack("!HH", kind, len(value) if length is None else length) + value


def message(kind, body=b"", number=1, length=None):
    return struct.pack("!HHI", kind, len(body) + 4 if length is None else length, number) + body


def pdu(lsr, *messages, version=1, length=None, space=0):
    body = b"".join(messages)
    return struct.pack("!HH4sH", version, len(body) + 6 if length is None else length, socket.inet_aton(lsr), space) + body


def prefix(text, family=1, bits=None):
    """A Prefix FEC element."""
    address, length = text.split("/")
    octets = socket.inet_aton(address)[:(int(length) + 7) // 8]
    return struct.pack("!BHB", 2, family, int(length) if bits is None else bits) + octets


def fec(*elements):
    return tlv(0x0100, b"".join(elements))


def label(value):
    return tlv(0x0200, struct.pack("!I", value))


def addresses(*texts, family=1):
    return tlv(0x0101, struct.pack("!H", family) + b"".join(socket.inet_aton(t) for t in texts))


def session_parameters(receiver, keepalive=30, version=1, flags=0, max_pdu=4096, space=0):
    return tlv(0x0500, struct.pack("!HHBBH4sH", version, keepalive, flags, 0, max_pdu, socket.inet_aton(receiver), space))


class LdpSpeaker:
    """Hellos from lsr (which is its transport address too) on a device; connect() makes the session with peer."""

    def __init__(self, node, device, lsr, peer, hold=3):
        self.node, self.device, self.lsr, self.peer, self.hold = node, device, lsr, peer, hold
        self.messages, self.closed = [], threading.Event()
        self.quiet, self.mute = threading.Event(), threading.Event()
        self.socket = None
        self.lock = threading.Lock()
        self.hellos = threading.Thread(target=self._hello, daemon=True)
        self.hellos.start()

    def hello_message(self):
        return message(HELLO, tlv(0x0400, struct.pack("!HH", self.hold, 0)) + tlv(0x0401, socket.inet_aton(self.lsr)))

    def _udp(self):
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        out.bind(("", PORT))
        return out

    def _hello(self):
        out = self.node.inside(self._udp)
        while not self.quiet.is_set():
            out.sendto(pdu(self.lsr, self.hello_message()), (ALL_ROUTERS, PORT))
            self.quiet.wait(0.5)
        out.close()

    def tcp(self, timeout=30):
        """A connection from lsr to peer, as soon as it is taken."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.node.inside(lambda: socket.create_connection((self.peer, PORT), timeout=5, source_address=(self.lsr, 0)))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def open(self, timeout=30):
        """Connected, and read from; nothing is sent."""
        self.socket, self.messages = self.tcp(timeout), []
        self.closed = threading.Event()
        self.mute.clear()
        threading.Thread(target=self._run, args=(self.socket, self.messages, self.closed), daemon=True).start()
        return self

    def connect(self, timeout=40, **parameters):
        """Until operational: Initialization and KeepAlive have gone both ways."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.open()
                self.send(message(INIT, session_parameters(self.peer, **parameters)))
                self.wait(INIT, 5)
                self.send(message(KEEPALIVE))
                self.wait(KEEPALIVE, 5)
                return self
            except (OSError, AssertionError):
                self.drop()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    def _run(self, sock, messages, closed):
        pending = b""
        while True:
            try:
                if select.select([sock], [], [], 1)[0]:
                    data = sock.recv(65536)
                    if not data:
                        break
                    pending += data
            except (OSError, ValueError):
                break
            while len(pending) >= 4 and len(pending) >= 4 + struct.unpack("!H", pending[2:4])[0]:
                end = 4 + struct.unpack("!H", pending[2:4])[0]
                self._messages(pending[10:end], messages)
                pending = pending[end:]
        closed.set()

    def _messages(self, body, messages):
        while len(body) >= 8:
            kind, length, number = struct.unpack("!HHI", body[:8])
            messages.append((kind & 0x7fff, number, body[8:4 + length]))
            body = body[4 + length:]
            if kind == KEEPALIVE and not self.mute.is_set():
                try:
                    self.send(message(KEEPALIVE))
                except OSError:
                    pass

    def wait(self, kind, timeout=20, good=lambda body: True):
        """The first message of this kind for whose body good() is true."""
        deadline = time.monotonic() + timeout
        while True:
            for got, _number, body in list(self.messages):
                if got == kind and good(body):
                    return body
            if time.monotonic() > deadline or (self.closed.is_set() and not any(m[0] == kind for m in self.messages)):
                raise AssertionError("no message %#x: %s" % (kind, [(hex(m[0]), m[2][:24].hex()) for m in self.messages]))
            time.sleep(0.02)

    def statuses(self):
        """[(status code, fatal, id of the message it is about, its type)] of the Notifications so far."""
        found = []
        for kind, _number, body in list(self.messages):
            if kind == NOTIFICATION:
                code, number, about = struct.unpack("!IIH", body[4:14])
                found.append((code & 0x3fffffff, bool(code & 0x80000000), number, about))
        return found

    def send(self, *messages):
        self.raw(pdu(self.lsr, *messages))

    def raw(self, octets):
        with self.lock:
            self.socket.sendall(octets)

    def drop(self):
        if self.socket:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.socket.close()

    def close(self):
        self.quiet.set()
        self.drop()
        self.hellos.join(5)
