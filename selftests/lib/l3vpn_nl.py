# SPDX-License-Identifier: GPL-2.0
"""A client of the generic netlink family "l3vpn", for tests: messages packed by hand over AF_NETLINK.

    nl = L3vpn()                                    in the caller's network namespace
    nl.vrf_new("RED", id=7)                         one method for each command that takes typed values
    nl.do(cmd, [(attr, bytes), ...], flags)         any message, malformed ones too
    nl.dump(cmd, attrs)                             all answers of a dump
A refusal raises NlError: errno, text, attribute, offset and cookie, as the kernel's extended acknowledgement tells.
"""
import ctypes
import errno
import ipaddress
import os
import socket
import struct

import uapi

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 1, 10, 11, 12
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_ECHO, NLM_F_DUMP_INTR = 1, 2, 4, 8, 16
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_DUMP = 0x100, 0x200, 0x400, 0x300
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3fff
GENL_ID_CTRL = 0x10
CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY = 3, 10
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7
CTRL_ATTR_POLICY, CTRL_ATTR_OP_POLICY, CTRL_ATTR_OP = 8, 9, 10
CTRL_ATTR_MCAST_GRP_NAME, CTRL_ATTR_MCAST_GRP_ID = 1, 2


class NlError(OSError):
    """A refusal, with all that the extended acknowledgement says."""

    def __init__(self, code, text="", offset=None, cookie=None, missing=None):
        super().__init__(code, f"{errno.errorcode.get(code, code)}: {text or 'no text'}")
        self.code, self.text, self.offset, self.cookie, self.missing = code, text, offset, cookie, missing


def u8(value):
    """One octet."""
    return struct.pack("=B", value)


def u16(value):
    """Two octets, host order."""
    return struct.pack("=H", value)


def be16(value):
    """Two octets, network order."""
    return struct.pack("!H", value)


def u32(value):
    """Four octets, host order."""
    return struct.pack("=I", value)


def s32(value):
    """Four octets, host order, signed."""
    return struct.pack("=i", value)


def u64(value):
    """Eight octets, host order."""
    return struct.pack("=Q", value)


def text(value):
    """A string with its NUL."""
    return value.encode() + b"\0"


def get(data):
    """The number in 1, 2, 4 or 8 octets, host order."""
    return int.from_bytes(data, "little" if struct.pack("=H", 1)[0] else "big")


def attr(kind, data):
    """One attribute, padded."""
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def parse_attrs(data):
    """[(type, value), ...]"""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4 or at + length > len(data):
            raise ValueError("attribute of impossible length")
        found.append((kind & NLA_TYPE_MASK, data[at + 4:at + length]))
        at += (length + 3) & ~3
    return found


def attrs_dict(data):
    """Attributes by type, the last of each."""
    return dict(parse_attrs(data))


def prefix4(prefix, nh, label=None, flags=0, reserved=0):
    """A struct l3vpn_route4. @prefix: "10.0.0.0/8", or (address as number, length)."""
    if isinstance(prefix, str):
        net = ipaddress.IPv4Network(prefix)
        prefix = (int(net.network_address), net.prefixlen)
    return struct.pack("!I", prefix[0]) + struct.pack(
        "=IIBBH", nh, uapi.LABEL_NONE if label is None else label, prefix[1], flags, reserved)


def prefix6(prefix, nh, label=None, flags=0, reserved=0):
    """A struct l3vpn_route6."""
    if isinstance(prefix, str):
        net = ipaddress.IPv6Network(prefix)
        prefix = (int(net.network_address), net.prefixlen)
    return prefix[0].to_bytes(16, "big") + struct.pack(
        "=IIBBH", nh, uapi.LABEL_NONE if label is None else label, prefix[1], flags, reserved)


def label_record(label, action, vrf=0, nh=0, out_label=None, flags=0, reserved=0, scope=0):
    """A struct l3vpn_label."""
    return struct.pack("=IBBBBIII", label, action, flags, scope, reserved, vrf, nh,
                       uapi.LABEL_NONE if out_label is None else out_label)


def member(nh, weight=1, flags=0):
    """A struct l3vpn_nh_member."""
    return struct.pack("=IHH", nh, weight, flags)


def source(prefix):
    """A struct l3vpn_source."""
    net = ipaddress.ip_network(prefix)
    return struct.pack("=16sB3x", net.network_address.packed, net.prefixlen)


class Step:
    """A struct l3vpn_trace_step."""
    FORMAT = "=BBBBIIIIi16s"
    SIZE = struct.calcsize(FORMAT)

    def __init__(self, data=bytes(40)):
        (self.kind, self.family, self.plen, self.detail, self.vrf, self.nh, self.label, self.out_label, self.ifindex,
         self.prefix) = struct.unpack(self.FORMAT, data)

    def pack(self):
        """Octets."""
        return struct.pack(self.FORMAT, self.kind, self.family, self.plen, self.detail, self.vrf, self.nh, self.label,
                           self.out_label, self.ifindex, self.prefix)

    @classmethod
    def unpack(cls, data):
        """All of an array."""
        return [cls(data[at:at + cls.SIZE]) for at in range(0, len(data), cls.SIZE)]


def unpack_routes(data, v6):
    """[(prefix as text, nh, label or None), ...]"""
    size, found = 28 if v6 else 16, []
    for at in range(0, len(data), size):
        addr = data[at:at + (16 if v6 else 4)]
        nh, label, plen, _, _ = struct.unpack_from("=IIBBH", data, at + len(addr))
        found.append((f"{ipaddress.ip_address(addr)}/{plen}", nh, None if label == uapi.LABEL_NONE else label))
    return found


def stats(data):
    """A nest of L3VPN_STATS_*, by name."""
    names = ("RX_PACKETS", "RX_BYTES", "TX_PACKETS", "TX_BYTES", "DROPS")
    nest = attrs_dict(data)
    return {name.lower(): get(nest[getattr(uapi, "STATS_" + name)]) for name in names}


class Netlink:
    """A generic netlink socket."""

    def __init__(self, strict=True):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        if strict:
            self.sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.settimeout(60)
        self.seq = 0

    def close(self):
        """Close the socket."""
        self.sock.close()

    def send(self, family, cmd, payload, flags, version=1):
        """Send one message; its sequence number."""
        self.seq += 1
        data = struct.pack("=BBH", cmd, version, 0) + payload
        self.sock.send(struct.pack("=IHHII", len(data) + 16, family, NLM_F_REQUEST | flags, self.seq, 0) + data)
        return self.seq

    @staticmethod
    def _error(body, flags):
        code = -struct.unpack_from("=i", body)[0]
        found = {}
        if flags & NLM_F_ACK_TLVS:
            length = 16 if flags & NLM_F_CAPPED else struct.unpack_from("=I", body, 4)[0]
            found = attrs_dict(body[4 + ((length + 3) & ~3):])
        return NlError(code, found.get(1, b"\0").rstrip(b"\0").decode(),
                       get(found[2]) if 2 in found else None, found.get(3),
                       get(found[5]) if 5 in found else None)

    def receive(self, seq):
        """Answers to @seq until acknowledged or done: [(cmd, payload), ...]; NlError for a refusal."""
        answers = []
        while True:
            data = self.sock.recv(1 << 20)
            at = 0
            while at + 16 <= len(data):
                length, kind, flags, got, _ = struct.unpack_from("=IHHII", data, at)
                body = data[at + 16:at + length]
                at += (length + 3) & ~3
                if got != seq:
                    continue
                if kind == NLMSG_ERROR:
                    error = self._error(body, flags)
                    if error.code:
                        raise error
                    self.last_ack = error
                    return answers
                if kind == NLMSG_DONE:
                    code = struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                    if code < 0:
                        raise NlError(-code, "in a dump")
                    return answers
                answers.append((body[0], body[4:]))

    def events(self, seconds=5.0):
        """Multicast messages as they come: (cmd, payload); ends after @seconds without one."""
        self.sock.settimeout(seconds)
        while True:
            try:
                data = self.sock.recv(1 << 16)
            except (TimeoutError, BlockingIOError):
                return
            at = 0
            while at + 16 <= len(data):
                length = struct.unpack_from("=I", data, at)[0]
                yield data[at + 16], data[at + 20:at + length]
                at += (length + 3) & ~3


class L3vpn(Netlink):
    """The family."""

    def __init__(self, strict=True):
        super().__init__(strict)
        seq = self.send(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attr(CTRL_ATTR_FAMILY_NAME, text(uapi.GENL_NAME)),
                        NLM_F_ACK)
        family = attrs_dict(self.receive(seq)[0][1])
        self.family = get(family[CTRL_ATTR_FAMILY_ID])
        self.groups = {}
        for _, group in parse_attrs(family[CTRL_ATTR_MCAST_GROUPS]):
            found = attrs_dict(group)
            name = found[CTRL_ATTR_MCAST_GRP_NAME].rstrip(b"\0").decode()
            self.groups[name] = get(found[CTRL_ATTR_MCAST_GRP_ID])

    def join(self, group):
        """Listen to a multicast group by name."""
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def raw(self, cmd, payload, flags=0):
        """A message with this payload, acknowledged: answers as (cmd, payload)."""
        return self.receive(self.send(self.family, cmd, payload, flags | NLM_F_ACK))

    def do(self, cmd, attrs=(), flags=0):
        """A message; its answers as dictionaries of attributes."""
        payload = b"".join(attr(kind, data) for kind, data in attrs)
        return [attrs_dict(body) for _, body in self.raw(cmd, payload, flags)]

    def dump(self, cmd, attrs=()):
        """A dump; its answers as dictionaries."""
        payload = b"".join(attr(kind, data) for kind, data in attrs)
        seq = self.send(self.family, cmd, payload, NLM_F_DUMP)
        return [attrs_dict(body) for _, body in self.receive(seq)]

    # Commands with typed values

    def info(self):
        """INFO_GET by name, lower case."""
        found = self.do(uapi.CMD_INFO_GET)[0]
        names = ("INSTANCE", "EPOCH", "VRFS", "PORTS", "NHS", "ROUTES4", "ROUTES6", "LABELS", "ENDPOINTS")
        return {name.lower(): get(found[getattr(uapi, "INFO_" + name)]) for name in names}

    def vrf_new(self, name, id=None, flags=0, **more):  # pylint: disable=redefined-builtin
        """Create or change; the VRF's id."""
        attrs = [(uapi.VRF_NAME, text(name))]
        if id is not None:
            attrs.append((uapi.VRF_ID, u32(id)))
        attrs += [(getattr(uapi, "VRF_" + key.upper()), value if isinstance(value, bytes) else u32(value))
                  for key, value in more.items()]
        return get(self.do(uapi.CMD_VRF_NEW, attrs, flags | NLM_F_ECHO)[0][uapi.VRF_ID])

    def vrf_del(self, name):
        """Delete by name."""
        self.do(uapi.CMD_VRF_DEL, [(uapi.VRF_NAME, text(name))])

    def port_new(self, dev, vrf=None, flags=0, **guards):
        """Bind a customer port to VRF id @vrf, or a core port. @guards: rpf4, rpf6, options, scopes, mpls_mtu."""
        attrs = [(uapi.PORT_IFINDEX, s32(ifindex(dev))),
                 (uapi.PORT_KIND, u8(uapi.PORT_KIND_CORE if vrf is None else uapi.PORT_KIND_CUSTOMER))]
        if vrf is not None:
            attrs.append((uapi.PORT_VRF, u32(vrf)))
        pack = {"rpf4": u8, "rpf6": u8, "options": u32, "scopes": u64, "mpls_mtu": u32}
        attrs += [(getattr(uapi, "PORT_" + key.upper()), pack[key](value)) for key, value in guards.items()]
        self.do(uapi.CMD_PORT_NEW, attrs, flags)

    def port_del(self, dev):
        """Unbind."""
        self.do(uapi.CMD_PORT_DEL, [(uapi.PORT_IFINDEX, s32(ifindex(dev)))])

    def ports(self):
        """{name: (kind, vrf id or None)}"""
        return {p[uapi.PORT_NAME].rstrip(b"\0").decode():
                (get(p[uapi.PORT_KIND]), get(p[uapi.PORT_VRF]) if uapi.PORT_VRF in p else None)
                for p in self.dump(uapi.CMD_PORT_GET)}

    def nh_new(self, nh, kind, attrs=(), flags=0):
        """Create or replace."""
        self.do(uapi.CMD_NH_NEW, [(uapi.NH_ID, u32(nh)), (uapi.NH_KIND, u8(kind))] + list(attrs), flags)

    def nh_adjacency(self, nh, dev, gateway=None, flags=0):
        """An adjacency; @gateway as text."""
        attrs = [(uapi.NH_IFINDEX, s32(ifindex(dev)))]
        if gateway:
            attrs.append((uapi.NH_GATEWAY, ipaddress.ip_address(gateway).packed))
        self.nh_new(nh, uapi.NH_KIND_ADJACENCY, attrs, flags)

    def nh_labelled(self, nh, via, labels, flags=0):
        """A labelled path."""
        self.nh_new(nh, uapi.NH_KIND_LABELLED,
                    [(uapi.NH_VIA, u32(via)), (uapi.NH_LABELS, b"".join(map(u32, labels)))], flags)

    def nh_egress(self, nh, via, label, flags=0):
        """A VPN label to the PE that @via leads to."""
        self.nh_new(nh, uapi.NH_KIND_EGRESS, [(uapi.NH_VIA, u32(via)), (uapi.NH_LABELS, u32(label))], flags)

    def nh_group(self, nh, members, flags=0):
        """A group of (nh, weight, flags)."""
        self.nh_new(nh, uapi.NH_KIND_GROUP, [(uapi.NH_MEMBERS, b"".join(member(*m) for m in members))], flags)

    def nh_tunnel(self, nh, encap, local, remote, dport=None, checksum=None, flags=0):
        """A tunnel; addresses as text."""
        attrs = [(uapi.NH_ENCAP, u8(encap)), (uapi.NH_LOCAL, ipaddress.ip_address(local).packed),
                 (uapi.NH_REMOTE, ipaddress.ip_address(remote).packed)]
        if dport is not None:
            attrs.append((uapi.NH_DPORT, u16(dport)))
        if checksum is not None:
            attrs.append((uapi.NH_CHECKSUM, u8(checksum)))
        self.nh_new(nh, uapi.NH_KIND_TUNNEL, attrs, flags)

    @staticmethod
    def endpoint_key(encap, address, dport=None):
        """The attributes that tell endpoints apart."""
        attrs = [(uapi.ENDPOINT_ENCAP, u8(encap)), (uapi.ENDPOINT_ADDRESS, ipaddress.ip_address(address).packed)]
        return attrs + ([] if dport is None else [(uapi.ENDPOINT_DPORT, u16(dport))])

    def endpoint_new(self, encap, address, dport=None, flags=0, sources=None, **more):
        """Create or replace. @sources: prefixes as text. @more: checksum, scopes, peers. The answer, with ECHO."""
        attrs = self.endpoint_key(encap, address, dport)
        if sources is not None:
            attrs.append((uapi.ENDPOINT_SOURCES, b"".join(map(source, sources))))
        attrs += [(getattr(uapi, "ENDPOINT_" + key.upper()), u64(value) if key == "scopes" else u8(value))
                  for key, value in more.items()]
        return self.do(uapi.CMD_ENDPOINT_NEW, attrs, flags)

    def endpoint_del(self, encap, address, dport=None):
        """Delete."""
        self.do(uapi.CMD_ENDPOINT_DEL, self.endpoint_key(encap, address, dport))

    def endpoint_get(self, encap, address, dport=None):
        """Attributes."""
        return self.do(uapi.CMD_ENDPOINT_GET, self.endpoint_key(encap, address, dport))[0]

    def nh_del(self, nh):
        """Delete."""
        self.do(uapi.CMD_NH_DEL, [(uapi.NH_ID, u32(nh))])

    def nh_state(self, nh, down):
        """Said to be down, or up again."""
        self.do(uapi.CMD_NH_STATE, [(uapi.NH_ID, u32(nh)), (uapi.NH_DOWN, u8(down))])

    def nh_tally(self, nh):
        """(packets, octets) that left by it."""
        found = stats(self.nh_get(nh)[uapi.NH_STATS])
        return found["tx_packets"], found["tx_bytes"]

    def label_tally(self, label):
        """(packets, octets) that came with it."""
        found = stats(self.do(uapi.CMD_LABEL_GET, [(uapi.LABEL_LABEL, u32(label))])[0][uapi.LABEL_STATS])
        return found["rx_packets"], found["rx_bytes"]

    def nh_get(self, nh):
        """Attributes."""
        return self.do(uapi.CMD_NH_GET, [(uapi.NH_ID, u32(nh))])[0]

    def routes(self, cmd, vrf, records4=(), records6=(), flags=0, route_flags=None):
        """ROUTE_ADD or ROUTE_DEL of packed records."""
        attrs = [(uapi.ROUTE_VRF, u32(vrf))]
        if records4:
            attrs.append((uapi.ROUTE_RECORDS4, b"".join(records4)))
        if records6:
            attrs.append((uapi.ROUTE_RECORDS6, b"".join(records6)))
        if route_flags is not None:
            attrs.append((uapi.ROUTE_FLAGS, u32(route_flags)))
        return self.do(cmd, attrs, flags)

    def route_add(self, vrf, records4=(), records6=(), flags=0):
        """Add."""
        return self.routes(uapi.CMD_ROUTE_ADD, vrf, records4, records6, flags)

    def route_del(self, vrf, records4=(), records6=(), route_flags=None):
        """Delete."""
        return self.routes(uapi.CMD_ROUTE_DEL, vrf, records4, records6, 0, route_flags)

    def route_dump(self, vrf, v6=False, kernel=False):
        """[(prefix, nh, label), ...] of user space, or of the module itself."""
        found = []
        for page in self.dump(uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, u32(vrf)),
                                                   (uapi.ROUTE_FAMILY, u8(socket.AF_INET6 if v6 else socket.AF_INET))]):
            if bool(get(page[uapi.ROUTE_KERNEL])) == kernel:
                found += unpack_routes(page[uapi.ROUTE_RECORDS6 if v6 else uapi.ROUTE_RECORDS4], v6)
        return found

    def labels(self, cmd, records, flags=0, label_flags=None):
        """LABEL_ADD or LABEL_DEL of packed records."""
        attrs = [(uapi.LABEL_RECORDS, b"".join(records))]
        if label_flags is not None:
            attrs.append((uapi.LABEL_FLAGS, u32(label_flags)))
        return self.do(cmd, attrs, flags)

    def label_add(self, records, flags=0):
        """Add."""
        return self.labels(uapi.CMD_LABEL_ADD, records, flags)

    def label_del(self, records, label_flags=None):
        """Delete."""
        return self.labels(uapi.CMD_LABEL_DEL, records, 0, label_flags)

    def epoch_begin(self):
        """The new epoch."""
        return get(self.do(uapi.CMD_EPOCH_BEGIN)[0][uapi.EPOCH_EPOCH])

    def epoch_sweep(self, epoch, kinds=None):
        """The number of objects swept."""
        attrs = [(uapi.EPOCH_EPOCH, u32(epoch))]
        if kinds is not None:
            attrs.append((uapi.EPOCH_KINDS, u32(kinds)))
        return get(self.do(uapi.CMD_EPOCH_SWEEP, attrs)[0][uapi.EPOCH_SWEPT])

    def tables(self):
        """{(kind, vrf or None): (count, digest or None)}"""
        return {(get(t[uapi.TABLE_KIND]), get(t[uapi.TABLE_VRF]) if uapi.TABLE_VRF in t else None):
                (get(t[uapi.TABLE_COUNT]), get(t[uapi.TABLE_DIGEST]) if uapi.TABLE_DIGEST in t else None)
                for t in self.dump(uapi.CMD_TABLE_GET)}

    def drops(self):
        """{reason: packets}, those that are not zero."""
        found = {get(d[uapi.DROP_REASON]): get(d[uapi.DROP_PACKETS]) for d in self.dump(uapi.CMD_DROP_GET)}
        return {reason: n for reason, n in found.items() if n}


# Digests, written from the header's words and not from the module's code

MASK = (1 << 64) - 1


def fold(kind, words):
    """The digest of one object."""
    h = 0x6c3376706e000000 + kind
    for word in words:
        h ^= word & 0xffffffff
        h = (h + 0x9e3779b97f4a7c15) & MASK
        h = ((h ^ (h >> 30)) * 0xbf58476d1ce4e5b9) & MASK
        h = ((h ^ (h >> 27)) * 0x94d049bb133111eb) & MASK
        h ^= h >> 31
    return h


def address_words(packed):
    """An address as big-endian words."""
    return list(struct.unpack(f"!{len(packed) // 4}I", packed))


def digest_route(vrf, prefix, nh, label=None):
    """Of one route; the family follows from the prefix."""
    net = ipaddress.ip_network(prefix)
    kind = uapi.OBJECT_ROUTE4 if net.version == 4 else uapi.OBJECT_ROUTE6
    return fold(kind, [vrf] + address_words(net.network_address.packed) +
                [net.prefixlen, nh, uapi.LABEL_NONE if label is None else label])


def digest_label(label, action, vrf=0, nh=0, out_label=None, scope=0):
    """Of one label entry."""
    return fold(uapi.OBJECT_LABEL,
                [label, action, vrf, nh, uapi.LABEL_NONE if out_label is None else out_label, scope])


def digest_nh(nh, kind, words=()):
    """Of one next hop; @words as the header lists them for its kind."""
    return fold(uapi.OBJECT_NH, [nh, kind] + list(words))


def tunnel_words(encap, local, remote, dport=6635, checksum=0):
    """What the header lists for the digest of a tunnel."""
    local, remote = ipaddress.ip_address(local).packed, ipaddress.ip_address(remote).packed
    return [encap, len(local)] + address_words(local) + address_words(remote) + [dport, checksum]


def digest_endpoint(encap, address, dport=6635, checksum=0, scopes=MASK, peers=1, sources=()):
    """Of one endpoint."""
    packed = ipaddress.ip_address(address).packed
    words = [encap, len(packed)] + address_words(packed) + [dport, checksum, scopes >> 32, scopes & 0xffffffff, peers,
                                                            len(sources)]
    for prefix in map(ipaddress.ip_network, sources):
        words += address_words(prefix.network_address.packed) + [prefix.prefixlen]
    return fold(uapi.OBJECT_ENDPOINT, words)


# Devices and namespaces

def ifindex(dev):
    """A device's index; a number is one already."""
    return dev if isinstance(dev, int) else socket.if_nametoindex(dev)


def enter_netns(name):
    """The calling thread moves into a named network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)
