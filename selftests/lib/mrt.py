# SPDX-License-Identifier: GPL-2.0
"""BGP messages out of MRT files (RFC 6396), and where real ones are looked for.

None are part of the project. L3VPN_DATA names a folder with files such as RIPE RIS publishes (updates.*.gz under
https://data.ris.ripe.net); without it there are none.
"""
import glob
import gzip
import ipaddress
import os
import struct

BGP4MP, BGP4MP_ET = 16, 17
MESSAGE, MESSAGE_AS4 = 1, 4
UPDATE = 2


class Record:
    """A message that a peer sent to a collector. as4: AS paths of four octets."""

    def __init__(self, peer_as, peer, as4, message):
        self.peer_as, self.peer, self.as4, self.message = peer_as, peer, as4, message

    @property
    def kind(self):
        return self.message[18]

    @property
    def body(self):
        return self.message[19:]


def read(path):
    """The Records of a file, in its order."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        data = f.read()
    at = 0
    while at + 12 <= len(data):
        kind, subtype, length = struct.unpack("!HHI", data[at + 4:at + 12])
        value = data[at + 12:at + 12 + length]
        at += 12 + length
        if kind not in (BGP4MP, BGP4MP_ET) or subtype not in (MESSAGE, MESSAGE_AS4):
            continue
        value = value[4:] if kind == BGP4MP_ET else value
        head = "!IIHH" if subtype == MESSAGE_AS4 else "!HHHH"
        peer_as, _, _, afi = struct.unpack_from(head, value)
        start, size = struct.calcsize(head), 4 if afi == 1 else 16
        peer = ipaddress.ip_address(value[start:start + size])
        message = value[start + 2 * size:]
        if len(message) >= 19 and int.from_bytes(message[16:18], "big") == len(message):
            yield Record(peer_as, peer, subtype == MESSAGE_AS4, message)


def files():
    """MRT files of UPDATEs that are there."""
    folder = os.environ.get("L3VPN_DATA")
    return sorted(glob.glob(os.path.join(folder, "*updates*.gz"))) if folder else []


def bodies(most=4000):
    """Bodies of real UPDATEs, to be mutated."""
    found = []
    for path in files():
        found += [record.body for record in read(path) if record.kind == UPDATE][:most - len(found)]
    return found
