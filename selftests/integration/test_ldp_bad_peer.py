# SPDX-License-Identifier: GPL-2.0
"""What a bad LDP peer sends, and the status code that it gets for it on the wire (RFC 5036 sections 3.5.1 and 3.9): fatal ones
end its session, others do not; another peer's session is untouched, and the daemon lives.

    pe 192.0.2.1 (l3vpnd) (core)--- far: a good speaker at 198.51.100.3 and a bad one at .1
"""
import os
import random
import struct
import time

import pytest

from ldp_speaker import (ABORT, ADDRESS, CAPABILITY, INIT, KEEPALIVE, MAPPING, NOTIFICATION, RELEASE, REQUEST, WITHDRAW, LdpSpeaker,
                         addresses, fec, label, message, pdu, prefix, session_parameters, tlv)
from topology import L3vpnd, Topology, wait_for

BAD, GOOD, PE = "198.51.100.1", "198.51.100.3", "192.0.2.1"
CONFIG = """interface core
 mpls
 ipv4 address 198.51.100.2/24
!
interface lo
 ipv4 address 192.0.2.1/32
!
mpls
 ldp
  router-id 192.0.2.1
  discovery hello interval 1
  interface core
  !
 !
!
"""
FEC = fec(prefix("20.1.0.0/16"))
MAP = message(MAPPING, FEC + label(500), 7)
NUMBER = 7                              # the bad message's id

# name: (octets of a PDU, status): the session ends. RFC 5036: sections 3.5.1.2.1 (PDU and message) and 3.5.1.2.2 (TLV)
FATAL = {
    "version 2": (pdu(BAD, MAP, version=2), 0x02),
    "PDU longer than negotiated": (pdu(BAD, MAP, length=4097), 0x03),
    "PDU shorter than its head": (pdu(BAD, length=5), 0x03),
    "another LDP Identifier": (pdu("198.51.100.7", MAP), 0x01),
    "another label space": (pdu(BAD, MAP, space=1), 0x01),
    "message beyond the PDU": (pdu(BAD, message(MAPPING, FEC + label(500), NUMBER, length=200)), 0x05),
    "message of 3 octets": (pdu(BAD, message(KEEPALIVE, b"", NUMBER, length=3)), 0x05),
    "TLV beyond its message": (pdu(BAD, message(MAPPING, FEC + tlv(0x0200, b"\0\0\1\xf4", length=40), NUMBER)), 0x07),
    "label TLV of 3 octets": (pdu(BAD, message(MAPPING, FEC + tlv(0x0200, b"\0\0\1"), NUMBER)), 0x08),
    "status TLV of 4 octets": (pdu(BAD, message(NOTIFICATION, tlv(0x0300, b"\0\0\0\x0a"), NUMBER)), 0x08),
    "a label of 21 bits": (pdu(BAD, message(MAPPING, FEC + label(1 << 20), NUMBER)), 0x08),
    "IPv4 prefix of 33 bits": (pdu(BAD, message(MAPPING, fec(prefix("20.1.0.0/32", bits=33)) + label(500), NUMBER)), 0x08),
    "FEC element cut off": (pdu(BAD, message(MAPPING, fec(b"\2\0\1\x20\x14\1") + label(500), NUMBER)), 0x08),
    "address of 3 octets": (pdu(BAD, message(ADDRESS, tlv(0x0101, b"\0\1\x0a\0\0"), NUMBER)), 0x08),
}
# name: (message, status): told, and no more
ADVISORY = {
    "message of unknown type": (message(0x0777, b"", NUMBER), 0x04),
    "TLV of unknown type": (message(MAPPING, FEC + label(500) + tlv(0x0777, b"\1\2"), NUMBER), 0x06),
    "mapping without a label": (message(MAPPING, FEC, NUMBER), 0x16),
    "mapping without a FEC": (message(MAPPING, label(500), NUMBER), 0x16),
    "withdraw without a FEC": (message(WITHDRAW, label(500), NUMBER), 0x16),
    "release without a FEC": (message(RELEASE, label(500), NUMBER), 0x16),
    "request without a FEC": (message(REQUEST, b"", NUMBER), 0x16),
    "abort without a request": (message(ABORT, FEC, NUMBER), 0x16),
    "address message without addresses": (message(ADDRESS, b"", NUMBER), 0x16),
    "notification without a status": (message(NOTIFICATION, b"", NUMBER), 0x16),
    "FEC element of unknown type": (message(MAPPING, fec(b"\x77\0\0") + label(500), NUMBER), 0x0c),
    "FEC of an unknown family": (message(MAPPING, fec(prefix("20.1.0.0/16", family=9)) + label(500), NUMBER), 0x17),
    "addresses of an unknown family": (message(ADDRESS, addresses("10.0.0.1", family=9), NUMBER), 0x17),
    "request for a FEC that has no route": (message(REQUEST, FEC, NUMBER), 0x0d),
    "capability that is unknown and must not be": (message(CAPABILITY, tlv(0x0777, b"\x80"), NUMBER), 0x2e),
}
# name: (Initialization message, status): no session comes of it
REJECTED = {
    "for another receiver": (message(INIT, session_parameters("192.0.2.9"), NUMBER), 0x10),
    "KeepAlive time 0": (message(INIT, session_parameters(PE, keepalive=0), NUMBER), 0x18),
    "parameters of 13 octets": (message(INIT, tlv(0x0500, b"\0" * 13), NUMBER), 0x08),
    "version 2 of the protocol": (message(INIT, session_parameters(PE, version=2), NUMBER), 0x02),
}


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        net.add("pe", "far")
        net.link("pe:core", "far:pe")
        net["far"].ip("addr add %s/24 dev pe" % GOOD, "addr add %s/24 dev pe" % BAD, "route add 192.0.2.1/32 via 198.51.100.2")
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        net.good = LdpSpeaker(net["far"], "pe", GOOD, PE).connect()
        net["pe"].ip("route add 20.3.0.0/16 via %s" % GOOD)
        net.good.send(message(ADDRESS, addresses(GOOD), 2), message(MAPPING, fec(prefix("20.3.0.0/16")) + label(300), 3))
        wait_for("the good peer's label", lambda: untouched(net), 20)
        net.bad = LdpSpeaker(net["far"], "pe", BAD, PE)
        yield net
        net.bad.close()
        net.good.close()


def untouched(net):
    """The good peer's session and what it gave forward as before."""
    return not net.good.closed.is_set() and any(
        row["fec"] == "20.3.0.0/16" and row["out-label"] == "300" for row in net.pe.json("show mpls ldp forwarding"))


@pytest.fixture()
def peer(lab):
    """An operational session of the bad peer; an operator's clear takes away what its last fall has left to wait for."""
    yield lab.bad.connect()
    lab.bad.drop()
    after(lab)


def after(lab):
    assert lab.pe.process.poll() is None, "the daemon lives"
    assert untouched(lab)


def bindings(lab, lsr=BAD):
    return {row["fec"]: row["label"] for row in lab.pe.json("show mpls ldp bindings")
            if row["side"] == "remote" and row["neighbor"] == lsr}


@pytest.mark.parametrize("name", FATAL)
def test_fatal(lab, peer, name):
    octets, status = FATAL[name]
    peer.raw(octets)
    peer.wait(NOTIFICATION)
    assert peer.closed.wait(10), "the session ends"
    code, fatal, _number, _kind = peer.statuses()[-1]
    assert (code, fatal) == (status, True), peer.statuses()
    assert BAD in lab.pe.sh("show log"), "the log names the peer"


@pytest.mark.parametrize("name", ADVISORY)
def test_advisory(lab, peer, name):
    octets, status = ADVISORY[name]
    peer.send(octets)
    peer.wait(NOTIFICATION)
    assert peer.statuses() == [(status, False, NUMBER, struct.unpack("!H", octets[:2])[0])]
    # the session goes on, and nothing of the bad message was taken
    peer.send(message(MAPPING, fec(prefix("20.2.0.0/16")) + label(600), 8))
    wait_for("the next mapping", lambda: bindings(lab) == {"20.2.0.0/16": "600"}, 10)
    assert not peer.closed.is_set()


def test_ignored_when_the_u_bit_says_so(lab, peer):
    """Unknown message and unknown TLV with the U bit: not a word (sections 3.4 and 3.5)."""
    peer.send(message(0x8777, b"\1\2\3", 5), message(MAPPING, FEC + label(500) + tlv(0x8777, b"\1"), 6))
    wait_for("the mapping", lambda: bindings(lab) == {"20.1.0.0/16": "500"}, 10)
    assert not peer.statuses() and not peer.closed.is_set()


def test_withdraw_is_answered_by_release(lab, peer):
    """Section 3.5.10: of one FEC, and of all by the wildcard."""
    peer.send(MAP, message(MAPPING, fec(prefix("20.2.0.0/16")) + label(600), 8))
    wait_for("two mappings", lambda: len(bindings(lab)) == 2, 10)
    peer.send(message(WITHDRAW, FEC + label(500), 9))
    assert peer.wait(RELEASE) == FEC + label(500)
    wait_for("one is left", lambda: bindings(lab) == {"20.2.0.0/16": "600"}, 10)
    peer.send(message(WITHDRAW, fec(b"\1"), 10))
    peer.wait(RELEASE, good=lambda body: body != FEC + label(500))
    wait_for("none is left", lambda: not bindings(lab), 10)


@pytest.mark.parametrize("name", REJECTED)
def test_rejected_initialization(lab, name):
    octets, status = REJECTED[name]
    # the pause after a refused session is longer each time
    lab.pe.sh("clear mpls ldp neighbor " + BAD, check=False)
    lab.bad.open()
    lab.bad.send(octets)
    lab.bad.wait(NOTIFICATION)
    assert lab.bad.statuses()[-1][:2] == (status, True), lab.bad.statuses()
    assert lab.bad.closed.wait(10)
    lab.bad.drop()
    after(lab)


def test_no_hello(lab):
    """A connection and an Initialization of somebody who was never heard (section 2.5.3)."""
    lab["far"].ip("addr add 198.51.100.8/24 dev pe")
    stranger = LdpSpeaker(lab["far"], "pe", "198.51.100.8", PE)
    stranger.quiet.set()
    stranger.hellos.join(5)
    stranger.lsr = "198.51.100.9"
    lab["far"].ip("addr add 198.51.100.9/24 dev pe")
    try:
        stranger.open()
        stranger.send(message(INIT, session_parameters(PE), 1))
    except OSError:
        pass                            # closed at once
    assert stranger.closed.wait(20)
    if stranger.statuses():
        assert stranger.statuses()[-1][:2] == (0x10, True)
    stranger.drop()
    after(lab)


def test_keepalive_runs_out(lab):
    lab.pe.sh("clear mpls ldp neighbor " + BAD, check=False)
    lab.bad.connect(keepalive=3)
    lab.bad.mute.set()
    assert lab.bad.closed.wait(20)
    assert lab.bad.statuses()[-1][:2] == (0x14, True), lab.bad.statuses()
    lab.bad.drop()
    after(lab)


def test_cleared_by_the_operator(lab, peer):
    lab.pe.sh("clear mpls ldp neighbor " + BAD)
    assert peer.closed.wait(20)
    assert peer.statuses()[-1][:2] == (0x0a, True), peer.statuses()


def test_mutated_messages(lab):
    """Valid messages with random octets changed: no crash, the other session untouched."""
    seed = int(os.environ.get("SEED", "20261201"))
    print("seed", seed)
    rng = random.Random(seed)
    models = [MAP, *[m for m, _status in ADVISORY.values()], message(ADDRESS, addresses("10.0.0.1", "10.0.0.2"), 4),
              message(WITHDRAW, fec(b"\1"), 5), message(REQUEST, fec(b"\5\2\2\0\1"), 6), message(INIT, session_parameters(PE), 7)]
    end = time.monotonic() + float(os.environ.get("SECONDS_MUTATED", "6"))
    sent, speaker = 0, lab.bad.connect()
    while time.monotonic() < end or sent <= 50 and time.monotonic() < end + 60:
        octets = bytearray(pdu(BAD, *[rng.choice(models) for _ in range(rng.randint(1, 3))]))
        for _ in range(rng.randint(1, 4)):
            octets[rng.randrange(4, len(octets))] = rng.randrange(256)
        try:
            speaker.raw(bytes(octets))
            sent += 1
        except OSError:
            pass
        if speaker.closed.wait(0.01):
            speaker.drop()
            lab.pe.sh("clear mpls ldp neighbor " + BAD, check=False)
            speaker.connect()
    speaker.drop()
    assert sent > 50, sent
    after(lab)


def test_hello_runs_out(lab):
    """The last Hello's hold time passes: the adjacency ends, and with it the session (section 2.5.5)."""
    lab.pe.sh("clear mpls ldp neighbor " + BAD, check=False)
    lab.bad.connect()
    lab.bad.quiet.set()
    assert lab.bad.closed.wait(20)
    assert lab.bad.statuses()[-1][:2] == (0x09, True), lab.bad.statuses()
    after(lab)
