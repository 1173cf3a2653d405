# SPDX-License-Identifier: GPL-2.0
"""What a BGP speaker may send, strictly: an UPDATE is taken apart, and whatever is not as the RFCs want it is an error.

A daemon that takes in what others got wrong must not hand it on. RFC 4271 4.3 and 6.3, 4456, 4760, 6793, 7606, 7911,
8092, 8277, 4364, 4659, 4684.
"""
import struct

WELL_KNOWN, OPTIONAL, TRANSITIVE, PARTIAL, EXTENDED = 0x40, 0x80, 0x40, 0x20, 0x10
(ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, ATOMIC, AGGREGATOR, COMMUNITIES, ORIGINATOR_ID, CLUSTER_LIST, MP_REACH, MP_UNREACH,
 EXT_COMMUNITIES, AS4_PATH, AS4_AGGREGATOR, LARGE) = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32)
# code: (optional, transitive, the value's length: a number, or what it is a multiple of)
KNOWN = {
    ORIGIN: (0, 1, 1), NEXT_HOP: (0, 1, 4), MED: (1, 0, 4), LOCAL_PREF: (0, 1, 4), ATOMIC: (0, 1, 0), ORIGINATOR_ID: (1, 0, 4),
    AGGREGATOR: (1, 1, 8), AS4_AGGREGATOR: (1, 1, 8), COMMUNITIES: (1, 1, "4"), CLUSTER_LIST: (1, 0, "4"), EXT_COMMUNITIES: (1, 1, "8"),
    LARGE: (1, 1, "12"), AS_PATH: (0, 1, None), AS4_PATH: (1, 1, None), MP_REACH: (1, 0, None), MP_UNREACH: (1, 0, None),
}


class Malformed(Exception):
    """The message says what is wrong."""


def want(condition, words, *more):
    if not condition:
        raise Malformed(words % more if more else words)


def attributes(octets, as4=True):
    """[(flags, code, value)] in their order."""
    found, at = [], 0
    while at < len(octets):
        want(len(octets) - at >= 3, "an attribute's header is cut off")
        flags, code = octets[at], octets[at + 1]
        if flags & EXTENDED:
            want(len(octets) - at >= 4, "an attribute's header is cut off")
            length, at = struct.unpack("!H", octets[at + 2:at + 4])[0], at + 4
        else:
            length, at = octets[at + 2], at + 3
        want(len(octets) - at >= length, "attribute %d runs over the end", code)
        found.append((flags, code, octets[at:at + length]))
        at += length
        check_attribute(*found[-1], as4)
    codes = [code for _, code, _ in found]
    want(len(set(codes)) == len(codes), "an attribute twice: %s", codes)
    return found


def check_attribute(flags, code, value, as4):
    want(not flags & 0x0f, "attribute %d: flags %#x", code, flags)
    if code not in KNOWN:
        want(flags & OPTIONAL and flags & TRANSITIVE, "unknown attribute %d is handed on with flags %#x", code, flags)
        want(flags & PARTIAL, "unknown attribute %d is handed on without the partial bit", code)
        return
    optional, transitive, length = KNOWN[code]
    want((flags & 0xc0) == optional << 7 | transitive << 6, "attribute %d: flags %#x", code, flags)
    want(not flags & PARTIAL or optional and transitive, "attribute %d is partial", code)
    if code == AGGREGATOR and not as4:
        length = 6
    if isinstance(length, int):
        want(len(value) == length, "attribute %d has %d octets", code, len(value))
    elif length:
        want(value and len(value) % int(length) == 0, "attribute %d has %d octets", code, len(value))
    if code == ORIGIN:
        want(value[0] <= 2, "ORIGIN %d", value[0])
    if code in (AS_PATH, AS4_PATH):
        as_path(value, 4 if as4 or code == AS4_PATH else 2)


def as_path(value, size=4):
    """[(kind, [AS...])]"""
    found, at = [], 0
    while at < len(value):
        want(len(value) - at >= 2, "an AS path's segment is cut off")
        kind, n = value[at], value[at + 1]
        want(1 <= kind <= 4 and n, "a segment of kind %d with %d ASes", kind, n)
        want(len(value) - at - 2 >= n * size, "a segment of %d ASes runs over the end", n)
        found.append((kind, [int.from_bytes(value[at + 2 + i * size:at + 2 + (i + 1) * size], "big") for i in range(n)]))
        want(0 not in found[-1][1], "AS 0 in the path (RFC 7607)")
        at += 2 + n * size
    return found


def nlri(family, octets, add_path=False, withdrawn=False):
    """{key: label stack}; the key is all but the label: path id, prefix length without labels, RD, prefix."""
    found, at = {}, 0
    afi, safi = family
    while at < len(octets):
        path_id = b""
        if add_path:
            want(len(octets) - at >= 4, "a path identifier is cut off")
            path_id, at = octets[at:at + 4], at + 4
        want(len(octets) > at, "an NLRI is cut off")
        bits = octets[at]
        size = (bits + 7) // 8
        value = octets[at + 1:at + 1 + size]
        want(len(value) == size, "an NLRI of %d bits runs over the end", bits)
        at += 1 + size
        label = b""
        if safi in (4, 128):
            want(bits >= 24, "an NLRI without a label: %d bits", bits)
            want(withdrawn or value[2] & 1, "a stack of labels")
            label, value, bits = value[:3], value[3:], bits - 24
        head = 64 if safi == 128 else 0
        limit = 96 if safi == 132 else head + (32 if afi == 1 else 128)
        want(head <= bits <= limit, "an NLRI of %d bits in %s", bits, family)
        if bits % 8:
            want(not value[-1] & (0xff >> bits % 8), "bits behind the prefix in %s: %s/%d", family, value.hex(), bits)
        found[path_id, bits, value] = label
    return found


def next_hop(family, value):
    afi, safi = family
    rd = 8 if safi == 128 else 0
    allowed = [rd + 4, rd + 16, 2 * (rd + 16)]
    want(len(value) in allowed, "a next hop of %d octets in %s", len(value), family)
    want(not rd or not any(value[:8]), "a next hop's RD is not 0")
    want(any(value[rd:]), "the next hop is 0")
    if afi == 2 and safi in (1, 4, 128):
        want(len(value) != rd + 4, "an IPv4 next hop of IPv6")


class Update:
    """An UPDATE's body, taken apart; raises Malformed. reach and unreach: {family: {key: label}}."""

    def __init__(self, body, add_path=(), as4=True, internal=True):
        want(len(body) >= 4, "an UPDATE of %d octets", len(body))
        gone = struct.unpack("!H", body[:2])[0]
        want(len(body) >= 4 + gone, "withdrawn routes run over the end")
        length = struct.unpack("!H", body[2 + gone:4 + gone])[0]
        want(len(body) >= 4 + gone + length, "attributes run over the end")
        self.list = attributes(body[4 + gone:4 + gone + length], as4)
        self.attributes = {code: value for _, code, value in self.list}
        self.reach, self.unreach, self.hops = {}, {}, {}
        if gone:
            self.unreach[1, 1] = nlri((1, 1), body[2:2 + gone], (1, 1) in add_path, True)
        rest = body[4 + gone + length:]
        if rest:
            want(NEXT_HOP in self.attributes, "no NEXT_HOP")
            self.reach[1, 1] = nlri((1, 1), rest, (1, 1) in add_path)
            self.hops[1, 1] = self.attributes[NEXT_HOP]
        self._multiprotocol(add_path)
        if self.reach:
            for code in [ORIGIN, AS_PATH] + ([LOCAL_PREF] if internal else []):
                want(code in self.attributes, "no attribute %d", code)

    def _multiprotocol(self, add_path):
        if MP_REACH in self.attributes:
            value = self.attributes[MP_REACH]
            want(len(value) >= 5 and len(value) >= 5 + value[3], "MP_REACH_NLRI is cut off")
            family, size = (struct.unpack("!H", value[:2])[0], value[2]), value[3]
            next_hop(family, value[4:4 + size])
            self.hops[family] = value[4:4 + size]
            self.reach[family] = nlri(family, value[5 + size:], family in add_path)
            want(self.reach[family], "MP_REACH_NLRI without routes")
        if MP_UNREACH in self.attributes:
            value = self.attributes[MP_UNREACH]
            want(len(value) >= 3, "MP_UNREACH_NLRI is cut off")
            family = (struct.unpack("!H", value[:2])[0], value[2])
            self.unreach[family] = nlri(family, value[3:], family in add_path, True)
