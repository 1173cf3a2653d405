# SPDX-License-Identifier: GPL-2.0
"""What a bad peer sends, and what comes of it (RFC 7606): the named action, other sessions untouched, never a crash.

    pe (l3vpnd) (core)--- far: a good speaker at .3 and a bad one at .1
"""
import os
import random
import re
import struct
import time

import pytest

from speaker import (VPNV4, VPNV6, Speaker, as_path, attribute, end_of_rib, ext_communities, local_pref, message, mp_reach,
                     mp_unreach, origin, update, vpn_nlri, vpn_updates)
from topology import L3vpnd, Topology, wait_for

CONFIG = """vrf RED
 rd 65000:1
 address-family ipv4 unicast
  import route-target 65000:1
  export route-target 65000:1
 !
!
interface core
 mpls
 ipv4 address 198.51.100.2/24
!
mpls
 static lsp 198.51.100.1/32
  path 198.51.100.1 out-label implicit-null
 !
 static lsp 198.51.100.3/32
  path 198.51.100.3 out-label implicit-null
 !
!
router bgp 65000
 router-id 192.0.2.1
""" + "".join(""" neighbor 198.51.100.%d
  remote-as 65000
  passive
  address-family vpnv4 unicast
  !
  address-family vpnv6 unicast
  !
 !
""" % n for n in (1, 3)) + "!\n"

NLRI = vpn_nlri("65000:9", "20.1.0.0/16", 500)
GOOD = origin() + as_path() + local_pref() + ext_communities("65000:1")
REACH = mp_reach(VPNV4, "198.51.100.1", NLRI)

# name: UPDATE whose routes must be treated as withdrawn, the session kept (RFC 7606 section 7)
WITHDRAW = {
    "ORIGIN of 2 octets": attribute(0x40, 1, b"\0\0") + as_path() + local_pref() + ext_communities("65000:1") + REACH,
    "ORIGIN 7": origin(7) + as_path() + local_pref() + ext_communities("65000:1") + REACH,
    "ORIGIN with wrong flags": attribute(0xc0, 1, b"\0") + as_path() + local_pref() + ext_communities("65000:1") + REACH,
    "no ORIGIN": as_path() + local_pref() + ext_communities("65000:1") + REACH,
    "no AS_PATH": origin() + local_pref() + ext_communities("65000:1") + REACH,
    "no LOCAL_PREF from iBGP": origin() + as_path() + ext_communities("65000:1") + REACH,
    "AS_PATH segment overruns": origin() + attribute(0x40, 2, b"\2\5\0\0\0\1") + local_pref() + ext_communities("65000:1") + REACH,
    "AS_PATH segment of unknown type": origin() + attribute(0x40, 2, b"\x09\1\0\0\0\1") + local_pref() + ext_communities("65000:1") + REACH,
    "LOCAL_PREF of 3 octets": origin() + as_path() + attribute(0x40, 5, b"\0\0\1") + ext_communities("65000:1") + REACH,
    "MED of 3 octets": GOOD + attribute(0x80, 4, b"\0\0\1") + REACH,
    "COMMUNITIES of 5 octets": GOOD + attribute(0xc0, 8, b"\0\0\0\0\1") + REACH,
    "EXT COMMUNITIES of 7 octets": origin() + as_path() + local_pref() + attribute(0xc0, 16, b"\0\2\0\0\0\0\1") + REACH,
    "CLUSTER_LIST of 3 octets": GOOD + attribute(0x80, 10, b"\0\0\1") + REACH,
    "ORIGINATOR_ID of 3 octets": GOOD + attribute(0x80, 9, b"\0\0\1") + REACH,
    "attribute runs over the end": REACH + GOOD + b"\x40\x05\x08\0\0",
}
# attributes that are dropped alone: the route stays
DISCARD = {
    "AGGREGATOR of 3 octets": GOOD + attribute(0xc0, 7, b"\0\0\1") + REACH,
    "ATOMIC_AGGREGATE of 1 octet": GOOD + attribute(0x40, 6, b"\0") + REACH,
}
# name: (message, NOTIFICATION code, subcode): the session ends
RESET = {
    "two MP_REACH_NLRI": (update(GOOD + REACH + REACH), 3, None),
    "marker not all ones": (b"\0" * 16 + struct.pack("!HB", 19, 4), 1, 1),
    "length 18": (b"\xff" * 16 + struct.pack("!HB", 18, 4), 1, 2),
    "OPEN of 5000 octets": (b"\xff" * 16 + struct.pack("!HB", 5000, 1), 1, 2),
    "type 9": (message(9), 1, 3),
    "KEEPALIVE with a body": (message(4, b"\0"), 1, 2),
    "OPEN when established": (message(1, b"\4\0\1\0\x5a\1\1\1\1\0"), 5, None),
    "attribute lengths beyond the message": (message(2, b"\0\0\0\xff\x40\1\1\0"), 3, 1),
    "withdrawn length beyond the message": (message(2, b"\1\0\0\0"), 3, 1),
}


@pytest.fixture(scope="module")
def lab():
    with Topology() as net:
        net.add("pe", "far")
        net.link("pe:core", "far:pe")
        net["far"].ip("addr add 198.51.100.1/24 dev pe", "addr add 198.51.100.3/24 dev pe")
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        net.good = Speaker(net["far"], "198.51.100.2", 65000, "192.0.2.3", source="198.51.100.3").connect()
        net.good.send(*vpn_updates(VPNV4, "198.51.100.3", ["65000:1"], [("65000:3", "20.3.0.0/16", 300)]), end_of_rib(VPNV4))
        wait_for("the good peer's route", lambda: "20.3.0.0/16" in table(net), 30)
        yield net


def table(net):
    return net.pe.sh("show bgp vpnv4 unicast")


def bad(net):
    return Speaker(net["far"], "198.51.100.2", 65000, "192.0.2.1".replace(".1", ".4"), source="198.51.100.1").connect()


@pytest.fixture()
def peer(lab):
    speaker = bad(lab)
    yield speaker
    speaker.close()
    assert lab.pe.process.poll() is None, "the daemon lives"
    assert not lab.good.closed.is_set(), "the good peer's session is untouched"
    assert "20.3.0.0/16" in table(lab)


def has(net):
    return "20.1.0.0/16" in table(net)


@pytest.mark.parametrize("name", WITHDRAW)
def test_treated_as_withdraw(lab, peer, name):
    peer.send(update(GOOD + REACH))
    wait_for("the route", lambda: has(lab), 20)
    peer.send(update(WITHDRAW[name]))
    wait_for("withdrawn", lambda: not has(lab), 20)
    assert not peer.closed.is_set(), "session kept"
    assert "198.51.100.1" in lab.pe.sh("show log"), "the log names the peer"
    peer.send(update(GOOD + REACH))
    wait_for("the session still works", lambda: has(lab), 20)


@pytest.mark.parametrize("name", DISCARD)
def test_attribute_discarded(lab, peer, name):
    peer.send(update(DISCARD[name]))
    wait_for("the route is there without the attribute", lambda: has(lab), 20)
    assert not peer.closed.is_set()


@pytest.mark.parametrize("name", RESET)
def test_session_reset(lab, peer, name):
    octets, code, subcode = RESET[name]
    peer.send(octets)
    assert peer.closed.wait(20), "session ended"
    assert peer.notification and peer.notification[0] == code, peer.notification
    if subcode is not None:
        assert peer.notification[1] == subcode, peer.notification


def test_mutated_updates(lab):
    """Valid UPDATEs with random octets changed: no crash, the other session untouched."""
    seed = int(os.environ.get("SEED", "20261122"))
    print("seed", seed)
    rng = random.Random(seed)
    models = [update(GOOD + REACH), update(GOOD + mp_reach(VPNV6, "198.51.100.1", vpn_nlri("192.0.2.1:5", "2001:db8:7::/48", 77))),
              update(mp_unreach(VPNV4, NLRI)), *[update(a) for a in WITHDRAW.values()]]
    speaker = bad(lab)
    end = time.monotonic() + float(os.environ.get("SECONDS_MUTATED", "10"))
    sent = 0
    # every fall makes the daemon pause longer before the next session: an operator's "clear" starts that anew
    while time.monotonic() < end or sent <= 50 and time.monotonic() < end + 110:
        body = bytearray(rng.choice(models)[19:])
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        try:
            speaker.send(message(2, bytes(body)))
            sent += 1
        except OSError:
            pass
        if speaker.closed.is_set():
            speaker.close()
            lab.pe.sh("clear bgp 198.51.100.1")
            speaker = bad(lab)
    speaker.close()
    assert sent > 50, sent
    assert lab.pe.process.poll() is None
    assert not lab.good.closed.is_set()
    assert "20.3.0.0/16" in table(lab)
    assert not re.search(r"runtime error|AddressSanitizer", open(lab.pe.process.log, encoding="utf-8", errors="replace").read())
