#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The order of events never matters: random orders of the same events, in simulated time, end in the same forwarding.

    orders.py [--orders N] [--seed S] [--first N] [--transport ldp|static|lu]

Every order is a network of its own (network.py). Events: the pieces of each router's configuration (ports, transport, VRFs,
BGP), its interior routes, its death by SIGKILL and its return, a link's loss and return; some at once, some seconds
apart. First everything comes up so, then everything is restarted and disturbed. Packets of all customers run all the time.
After both, every flow must be delivered and what the forwarders do together be the same as after the orderly start; no
host may have got another's packet, and no packet may have been on a wire with a label that did not mean to the receiver
what it meant to the sender.
"""
import argparse
import hashlib
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forwarding import Forwarder, Forwarders, L3vpn, uapi  # noqa: E402
from network import LINKS, PES, ROUTERS, Failed, Network, piece_ldp, site  # noqa: E402
from traffic import Traffic  # noqa: E402

PIECES = ("core", "transport", "vrf", "bgp")
PAUSES = (0, 0, 0.05, 0.5, 2, 10)
SETTLED = 400       # seconds of simulated time
QUIET = 40


class Run:
    """One order of events."""

    def __init__(self, transport):
        self.net = Network(transport)
        self.traffic = None
        self.began = time.monotonic()
        self.history = {router: {} for router in ROUTERS}

    def __enter__(self):
        self.net.build()
        self.traffic = Traffic(self.net)
        return self

    def __exit__(self, *_exc):
        self.traffic.close()
        self.net.close()

    def remember(self):
        """What labels mean now, and that none means something else than before."""
        for router, daemon in self.net.daemons.items():
            if not self.net.running(router):
                continue
            for row in daemon.json("show labels"):
                was = self.history[router].setdefault(row["label"], row["for"])
                if was != row["for"]:
                    self.traffic.wrong.append("%s: label %d was for %s, now for %s" % (router, row["label"], was, row["for"]))

    def state(self):
        self.remember()
        tables = {router: self.net[router].inside(Forwarder) for router in ROUTERS}
        return Forwarders(tables).canonical(self.history)

    def drops(self):
        """Why routers dropped packets, for those who look for what went wrong."""
        names = next(names for enum, names in uapi.ENUMS if enum == "l3vpn_drop")
        return ["%s dropped: %s" % (router, {names[reason][11:].lower(): n for reason, n in
                                             self.net[router].inside(lambda: L3vpn().drops()).items()})
                for router in ROUTERS]

    def settle(self, wanted):
        """The state when it is @wanted, or, without, when it has been complete and the same for a while."""
        end, last, since = time.monotonic() + SETTLED, None, 0
        while time.monotonic() < end:
            state = self.state()
            if wanted is not None and state == wanted:
                return state
            if state != last:
                last, since = state, time.monotonic()
            elif wanted is None and time.monotonic() - since > QUIET:
                return state
            time.sleep(2)
        return last


def insert_pair(rng, found, first, second):
    """Both at random places, @second not before @first."""
    one, other = sorted((rng.randrange(len(found) + 1), rng.randrange(len(found) + 1)))
    found.insert(other, second)
    found.insert(one, first)


def link_pairs(net):
    return [(("%s-%s down" % (a, b), lambda a=a, b=b: net.set_link(a, b, False)),
             ("%s-%s up" % (a, b), lambda a=a, b=b: net.set_link(a, b, True))) for a, b in LINKS]


def restart_pairs(net):
    return [(("%s killed" % r, lambda r=r: net.kill(r)), ("%s back" % r, lambda r=r: net.start(r))) for r in ROUTERS]


def beginnings(rng, net):
    """Everything comes for the first time, while links fail and daemons die: (words, function) in random order."""
    found = []
    for router in ROUTERS:
        pieces = PIECES if router in PES else PIECES[:2]
        found += [("%s %s" % (router, piece), lambda r=router, p=piece: net.configure(r, p)) for piece in pieces]
        found.append((router + " igp", lambda r=router: net.igp_on(r)))
    rng.shuffle(found)
    for pair in rng.sample(link_pairs(net) + restart_pairs(net), 4):
        insert_pair(rng, found, *pair)
    return found


def disturbances(rng, net):
    """What runs is restarted, all of it, links are lost, interior routes and LDP taken away: all of it comes back."""
    found = []
    pairs = restart_pairs(net) + rng.sample(link_pairs(net), 2)
    pairs += [(("%s without igp" % r, lambda r=r: net.igp_off(r)), ("%s igp" % r, lambda r=r: net.igp_on(r)))
              for r in rng.sample(sorted(ROUTERS), 1)]
    pairs += [(("%s without LDP" % r, lambda r=r: net.without_ldp(r)),
               ("%s transport" % r, lambda r=r: net.configure(r, "transport")))
              for r in rng.sample(sorted(ROUTERS), 1) if net.transport is piece_ldp]
    rng.shuffle(pairs)
    for pair in pairs:
        insert_pair(rng, found, *pair)
    return found


def orderly(transport):
    """The state after an orderly start."""
    with Run(transport) as order:
        for router in ROUTERS:
            order.net.igp_on(router)
            for piece in PIECES if router in PES else PIECES[:2]:
                order.net.configure(router, piece)
        state = order.settle(None)
        # BGP chooses one of equal routes
        ways = ("p1",) if transport == "lu" else ("p1", "p2")
        assert order.traffic.flowing(20), "the orderly start leads to no traffic: %s" % state
        for customer in ("RED", "BLUE"):
            for here, there in (PES, PES[::-1]):
                prefix = site(there).rsplit(".", 2)[0] + ".0.0/16"
                want = "%s %s %s: %s" % (here, customer, prefix, ", ".join(
                    "%s > %s > %s %s" % (here, p, there, customer) for p in ways))
                assert want in state, "%r is not in\n%s" % (want, "\n".join(state))
        order.traffic.judge(order.history)
        assert not order.traffic.wrong, order.traffic.wrong
        return state


def play(order, rng, events, log):
    """The events, one after the other or at once; then every daemon runs."""
    for words, function in events:
        log.append("%.2f %s" % (time.monotonic() - order.began, words))
        function()
        order.remember()
        time.sleep(rng.choice(PAUSES))
    for router in ROUTERS:
        order.net.start(router)
    log.append("%.2f all there" % (time.monotonic() - order.began))


def judge(order, wanted, log):
    """What is wrong with the state in which it ends, in words, and its digest."""
    state = order.settle(wanted)
    log.append("%.2f settled" % (time.monotonic() - order.began))
    trouble = ["missing: " + line for line in wanted if line not in state]
    trouble += ["too much: " + line for line in state if line not in wanted]
    if not order.traffic.flowing(20):
        trouble.append("not every flow arrives: %s" % dict(order.traffic.delivered))
    return trouble, hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]


def one(rng, transport, wanted):
    """One random order; what is wrong with it, in words, and what it was."""
    log, trouble, digests = [], [], []
    with Run(transport) as order:
        for make in (beginnings, disturbances):
            play(order, rng, make(rng, order.net), log)
            found, digest = judge(order, wanted, log)
            trouble += found
            digests.append(digest)
        order.traffic.judge(order.history)
        trouble += order.traffic.wrong
        if trouble:
            trouble += order.drops()
            order.net.show_logs(400)
        packets = "%d sent, %d delivered, %d labelled seen" % (
            order.traffic.sent, sum(order.traffic.delivered.values()), sum(order.traffic.seen.values()))
    return trouble, log, " ".join(digests), packets


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--orders", type=int, default=int(os.environ.get("L3VPN_ORDERS", "5")))
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("L3VPN_SEED", "1")))
    parser.add_argument("--transport", choices=("ldp", "static", "lu"), default="ldp")
    opt = parser.parse_args()
    print("TAP version 13\n1..%d" % opt.orders)
    wanted = orderly(opt.transport)
    print("# seed %d; the orderly start ends in:\n#   %s" % (opt.seed, "\n#   ".join(wanted)), flush=True)
    bad = 0
    for number in range(opt.first, opt.first + opt.orders):
        try:
            trouble, log, digest, packets = one(random.Random(opt.seed * 1000003 + number), opt.transport, wanted)
        except (Failed, AssertionError, OSError) as error:
            trouble, log, digest, packets = [str(error)], [], "?", ""
        bad += bool(trouble)
        print("%s %d order %d: digest %s, %s" % ("not ok" if trouble else "ok", number - opt.first + 1, number, digest, packets))
        for line in trouble + (log if trouble else []):
            print("#   " + line)
        sys.stdout.flush()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
