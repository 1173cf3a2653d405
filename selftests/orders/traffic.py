# SPDX-License-Identifier: GPL-2.0
"""Packets that never stop, and witnesses of where they go: at the customers' hosts, and of labels on every core link."""
import collections
import select
import socket
import struct
import threading
import time

from network import CUSTOMERS, PES, ROUTERS, loopback, neighbours, site, static_label

PORT = 7000
ETH_P_ALL, ETH_P_MPLS_UC = 3, 0x8847
PACKET_OUTGOING = 4
PAUSE = 0.1


def leads_to(pe, label, meaning):
    """A transport label that leads to @pe, by what the label's owner says that it is for."""
    return (meaning == "static" and label == static_label(pe)) or loopback(pe) + "/32" in meaning


class Traffic:
    """Every site sends to the other site of its customer; what is delivered and seen is counted."""

    def __init__(self, net):
        self.net = net
        self.sent = 0
        self.delivered = collections.Counter()      # flow (customer, from, to)
        self.wrong = []                             # in words
        self.seen = collections.Counter()           # (router that got it, labels, destination, customer)
        self.stop = threading.Event()
        self.senders, self.receivers, self.taps = [], {}, {}
        for pe in PES:
            for customer in CUSTOMERS:
                self._host(customer, pe)
        for router in ROUTERS:
            for other in neighbours(router):
                self._tap(router, other)
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._watch)]
        for thread in self.threads:
            thread.start()

    def _host(self, customer, pe):
        def sockets():
            out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            into = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            into.bind(("0.0.0.0", PORT))
            out.bind((site(pe), 0))
            return out, into
        out, into = self.net["ce-%s%d" % (customer, ROUTERS[pe])].inside(sockets)
        self.senders.append((out, customer, pe))
        self.receivers[into] = (customer, pe)

    def _tap(self, router, other):
        def tap():
            # of all protocols: only those sockets see frames before the module takes them
            s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            s.bind((other, ETH_P_ALL))
            return s
        self.taps[self.net[router].inside(tap)] = router

    def _send(self):
        while not self.stop.wait(PAUSE):
            for out, customer, pe in self.senders:
                for to in PES:
                    if to != pe:
                        try:
                            out.sendto(("%s %s %s" % (customer, pe, to)).encode(), (site(to), PORT))
                            self.sent += 1
                        except OSError:
                            pass    # the host has heard that it is unreachable

    def _watch(self):
        sockets = list(self.receivers) + list(self.taps)
        while not self.stop.is_set():
            for s in select.select(sockets, [], [], 0.5)[0]:
                try:
                    data, address = s.recvfrom(200)
                except OSError:
                    continue    # a device that went down says so once
                if s in self.receivers:
                    self._delivery(data.decode().split(" "), *self.receivers[s])
                else:
                    self._labelled(self.taps[s], data, address)

    def _delivery(self, told, customer, pe):
        if told[0] != customer or told[2] != pe:
            self.wrong.append("%s's host at %s got a packet of %s from %s to %s" % (customer, pe, *told))
        self.delivered[tuple(told)] += 1

    def _labelled(self, router, data, address):
        if address[1] != ETH_P_MPLS_UC or address[2] == PACKET_OUTGOING:
            return
        labels, at, bottom = [], 0, False
        while not bottom and at + 4 <= len(data):
            (entry,) = struct.unpack_from("!I", data, at)
            labels.append(entry >> 12)
            bottom = entry >> 8 & 1
            at += 4
        packet = data[at:]
        if len(packet) > 28 and packet[9] == socket.IPPROTO_UDP:
            told = packet[28:].decode(errors="replace").split(" ")
            self.seen[router, tuple(labels), told[0], told[2]] += 1

    def judge(self, meanings):
        """Adds to @wrong every label on the wire that did not mean to its receiver what its sender meant."""
        for (router, labels, customer, to), count in self.seen.items():
            vpn = "vrf %s" % customer.upper() == meanings[to].get(labels[-1])
            if router == to:
                right = vpn and len(labels) == 1
            else:
                right = vpn and len(labels) == 2 and leads_to(to, labels[0], meanings[router].get(labels[0], "nobody"))
            if not right:
                self.wrong.append("%d packets of %s to %s reached %s under %s, which are there for %s, and at %s for %s" % (
                    count, customer, to, router, labels, [meanings[router].get(label) for label in labels],
                    to, meanings[to].get(labels[-1])))

    def flowing(self, seconds):
        """True when every flow is delivered within @seconds from now."""
        before, end = dict(self.delivered), time.monotonic() + seconds
        flows = [(c, a, b) for c in CUSTOMERS for a in PES for b in PES if a != b]
        while time.monotonic() < end:
            if all(self.delivered[flow] > before.get(flow, 0) for flow in flows):
                return True
            time.sleep(PAUSE)
        return False

    def close(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for s in [out for out, _, _ in self.senders] + list(self.receivers) + list(self.taps):
            s.close()


