# SPDX-License-Identifier: GPL-2.0
"""What the forwarders of a network do together, with no label and no id in it: so that two states can be compared.

Every VRF's route and every label entry is followed through the tables of all routers to where its packets end.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import l3vpn_nl  # noqa: E402
from l3vpn_nl import L3vpn  # noqa: E402
import uapi  # noqa: E402

FAR = 12        # next hops and labels that a packet may meet
PAYLOAD = -1    # what stands under a transport label


def number(found, attribute):
    return l3vpn_nl.get(found[attribute]) if attribute in found else None


class Forwarder:
    """Dump of one namespace's tables."""

    def __init__(self):
        nl = L3vpn()
        try:
            self.nhs = {number(n, uapi.NH_ID): n for n in nl.dump(uapi.CMD_NH_GET)}
            self.labels = {}
            for page in nl.dump(uapi.CMD_LABEL_GET):
                data = page[uapi.LABEL_RECORDS]
                for at in range(0, len(data), 20):
                    label, action, _flags, _scope, _zero, vrf, nh, out = struct.unpack_from("=IBBBBIII", data, at)
                    self.labels[label] = (action, vrf, nh, out)
            self.vrfs = {number(v, uapi.VRF_ID): v[uapi.VRF_NAME].rstrip(b"\0").decode()
                         for v in nl.dump(uapi.CMD_VRF_GET)}
            self.routes = {(self.vrfs[vrf], prefix): (nh, label)
                           for vrf in self.vrfs for prefix, nh, label in nl.route_dump(vrf)}
            self.devices = dict(l3vpn_nl.socket.if_nameindex())
        finally:
            nl.close()


class Forwarders:
    """All of a network: {router: Forwarder}; @cores: names of devices that lead to the router of that name."""

    def __init__(self, tables):
        self.tables = tables

    def _adjacency(self, router, nh, stack, far):
        device = self.tables[router].devices.get(number(nh, uapi.NH_IFINDEX), "gone")
        if device not in self.tables:
            return {"%s to %s%s" % (router, device, " LABELLED" if stack else "")}
        if not number(nh, uapi.NH_RESOLVED):
            return {"%s cannot reach %s" % (router, device)}
        ends = self._receive(device, stack, far - 1) if stack else {"%s without a label" % device}
        return {"%s > %s" % (router, end) for end in ends}

    def _receive(self, router, stack, far):
        label, rest = stack[0], stack[1:]
        if label == PAYLOAD:
            return {"%s payload" % router}
        entry = self.tables[router].labels.get(label)
        if label in (0, 2):
            return self._receive(router, rest, far) if rest else {"%s without a label" % router}
        if entry is None:
            return {"%s UNKNOWN LABEL" % router}
        action, vrf, nh, out = entry
        if action == uapi.LABEL_ACTION_POP_VRF:
            return {"%s %s%s" % (router, self.tables[router].vrfs.get(vrf, "no VRF"), " LABELLED" if rest else "")}
        if action == uapi.LABEL_ACTION_POP_NH or out == 3:
            return self.follow(router, nh, rest, far)
        return self.follow(router, nh, [out] + rest, far)

    def follow(self, router, nh, stack, far=FAR):
        """Where packets end that next hop @nh of @router is given under @stack: a set of words."""
        found = self.tables[router].nhs.get(nh)
        if found is None or not far:
            return {"%s LOOP" % router if found else "%s next hop %d is not there" % (router, nh)}
        kind = number(found, uapi.NH_KIND)
        if kind == uapi.NH_KIND_ADJACENCY:
            return self._adjacency(router, found, stack, far)
        if kind in (uapi.NH_KIND_LABELLED, uapi.NH_KIND_EGRESS):
            data = found.get(uapi.NH_LABELS, b"")
            return self.follow(router, number(found, uapi.NH_VIA),
                               list(struct.unpack("=%dI" % (len(data) // 4), data)) + stack, far - 1)
        if kind == uapi.NH_KIND_GROUP:
            ends = set()
            for member, _weight, flags in struct.iter_unpack("=IHH", found[uapi.NH_MEMBERS]):
                ends |= {("backup: " if flags & 1 else "") + end
                         for end in self.follow(router, member, stack, far - 1)}
            return ends
        return {"%s next hop of kind %d" % (router, kind)}

    def route(self, router, vrf, prefix):
        """Of one route; an empty set: there is none."""
        if (vrf, prefix) not in self.tables[router].routes:
            return set()
        nh, label = self.tables[router].routes[vrf, prefix]
        return self.follow(router, nh, [] if label is None else [label])

    def canonical(self, meanings):
        """All of it as sorted lines; @meanings: {router: {label: what it is for}}."""
        lines = []
        for router, table in self.tables.items():
            for vrf, prefix in table.routes:
                lines.append("%s %s %s: %s" % (router, vrf, prefix, ", ".join(sorted(self.route(router, vrf, prefix)))))
            for label in table.labels:
                what = meanings[router].get(label, "NOBODY'S LABEL")
                stack = [label] if table.labels[label][0] == uapi.LABEL_ACTION_POP_VRF else [label, PAYLOAD]
                lines.append("%s label for %s: %s" % (router, what, ", ".join(sorted(self._receive(router, stack, FAR)))))
        return sorted(lines)
