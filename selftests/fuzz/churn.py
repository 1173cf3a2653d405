#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Everything comes and goes while packets run. In a guest with two CPUs and packet_fuzz.ko:

    churn.py [--seconds N] [--seed S]                  (L3VPN_SECONDS, L3VPN_SEED serve too)

    traffic     CPU 0: fuzzed packets into whatever devices there are, in the namespaces "pe" and "x"
    control     CPU 1: routes in bulk, next hops replaced and deleted, groups with backups, labels; tunnels, their ends and
                the routes and addresses that these need; ports bound, moved, unbound; devices made, renamed, taken down, deleted; addresses, neighbours, MTUs; VRFs made and deleted
    namespaces  "x" is made, filled and deleted again and again
    readers     dumps of all kinds, /proc/net, ip link and statistics

packets.py draws the network; a device stays in its family, so what the judge says of isolation holds all the time. In the
end all must be removable, no packet and no object is left, the slab is back, and each namespace and the module can go:
what holds a device or a packet shows there. scripts/vm reads the kernel's log.
"""
import argparse
import ctypes
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../lib"), os.path.join(HERE, "../forward")]

from l3vpn_nl import L3vpn, NlError, enter_netns, label_record, prefix4, prefix6    # noqa: E402
from tap import wait                                                                # noqa: E402
from wire import Netns, sh                                                          # noqa: E402
import packets                                                                      # noqa: E402
import uapi                                                                         # noqa: E402

FAMILY = {"a": ("RED", "GREEN"), "b": ("BLUE", "PINK")}
PORTS = ("a0", "a1", "a3", "b0", "b1", "b3", "c0", "c1", "c2", "c3")
FIRST_OF = {"a": 1000, "b": 2000}
# what becomes a tunnel, and nothing else: encapsulation, local and remote address
TUNNELS = {"udp4": (uapi.ENCAP_UDP, "203.0.113.1", "192.0.2.2"), "gre4": (uapi.ENCAP_GRE, "203.0.113.1", "192.0.2.2"),
           "udp6": (uapi.ENCAP_UDP, "2001:db8:cb::1", "2001:db8:c::2"),
           "gre6": (uapi.ENCAP_GRE, "2001:db8:cb::1", "2001:db8:c::2")}


def slab():
    """KiB, with all caches shrunk."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("3")
    for cache in os.scandir("/sys/kernel/slab") if os.path.isdir("/sys/kernel/slab") else ():
        try:
            with open(cache.path + "/shrink", "w", encoding="ascii") as f:
                f.write("1")
        except OSError:
            pass
    with open("/proc/meminfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("SUnreclaim"))


class Control:
    """Changes at random, most of them right."""

    def __init__(self, ns, seed):
        self.ns, self.rand = ns, random.Random(seed)
        enter_netns(ns)
        self.nl = L3vpn()
        self.done = self.refused = 0
        self.ip = None

    def command(self, text):
        """One for ip."""
        if self.ip is None or self.ip.poll() is not None:
            self.ip = subprocess.Popen(["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, text=True)
        try:
            self.ip.stdin.write(text + "\n")
            self.ip.stdin.flush()
        except BrokenPipeError:
            self.ip = None          # some errors end ip, whatever -force says

    def family(self):
        """Of VRFs and devices: the letter."""
        return self.rand.choice("ab")

    def next_hop(self):
        """One of packets.py's, replaced by something of its own family and kind of use."""
        r, letter = self.rand, self.family()
        port = r.choice([p for p in PORTS if p[0] == letter])
        core = r.choice(("c0", "c1", "c2"))
        nh, gateway = packets.nh, {"c0": "192.0.2.2", "c1": "192.0.2.6", "c2": "192.0.2.10"}[core]
        do = r.randrange(8)
        if do == 0:
            self.nl.nh_adjacency(nh(core), core, r.choice((gateway, gateway, "2001:db8:c::2")))
        elif do == 1:
            self.nl.nh_adjacency(nh("ce " + port), port, r.choice(("10.1.0.2", "10.2.0.2", "10.1.0.99", "2001:db8:1::2")))
        elif do == 2:
            self.nl.nh_group(nh("core"), [(nh(c), r.randrange(1, 9), r.randrange(2)) for c in r.sample(("c0", "c1", "c2"), 2)])
        elif do == 3:
            members = r.sample(("path lsp0", "path lsp1", "path lsp2", "path deep", "path mute"), r.randrange(1, 5))
            self.nl.nh_group(nh(r.choice(("pes", "pes saved"))), [(nh(m), r.randrange(1, 9), r.randrange(2)) for m in members])
        elif do == 4:
            self.nl.nh_labelled(nh(r.choice(("path lsp0", "path lsp1", "path lsp2", "path saved"))), nh(r.choice(("c0", "c1", "core"))),
                                [r.randrange(100, 120) for _ in range(r.randrange(0, 9))])
        elif do == 5:
            self.nl.nh_group(nh("ces " + port[0] + "0"), [(nh("ce " + port[0] + "0"), 1, 0), (nh("ce " + port), 1, 1)])
        elif do == 6:
            self.nl.nh_new(nh("vrf " + r.choice(FAMILY[letter])), uapi.NH_KIND_VRF,
                           [(uapi.NH_VRF, packets.VRFS[r.choice(FAMILY[letter])].to_bytes(4, sys.byteorder))])
        else:
            self.nl.nh_del(r.randrange(1, len(packets.NH) + 1))

    def tunnel(self):
        """Made, replaced, said to be down; ends come and go, and what a tunnel needs of the global table."""
        r, name = self.rand, self.rand.choice(list(TUNNELS))
        encap, local, remote = TUNNELS[name]
        do = r.randrange(9)
        if do < 3:
            self.nl.nh_tunnel(packets.nh(name), encap, local, remote, None, r.randrange(2) if encap == uapi.ENCAP_UDP else None)
        elif do == 3:
            self.nl.nh_state(packets.nh(name), r.randrange(2))
        elif do == 4:
            members = r.sample(list(TUNNELS), r.randrange(1, 4))
            self.nl.nh_group(packets.nh("tunnels"), [(packets.nh(m), 1, int(i > 0 and r.randrange(2))) for i, m in enumerate(members)])
        elif do == 5:
            self.nl.nh_labelled(packets.nh("path tunnels"), packets.nh(r.choice(("tunnels", name, "c0"))), [r.randrange(100, 120)])
        elif do == 6:
            self.nl.endpoint_new(encap, local, scopes=r.choice((1, (1 << 64) - 1)),
                                 sources=r.choice((None, ["198.51.100.0/24"] if local[0:3] == "203" else ["2001:db8:99::/64"])))
        elif do == 7:
            self.nl.endpoint_del(encap, local)
        else:
            self.command(r.choice(("addr del 203.0.113.1/24 dev lo", "addr replace 203.0.113.1/24 dev lo",
                                   "addr del 2001:db8:cb::1/64 dev lo", "addr replace 2001:db8:cb::1/64 dev lo nodad",
                                   f"route replace 192.0.2.2/32 dev {r.choice(PORTS)}", "route del 192.0.2.2/32",
                                   "route replace unreachable 192.0.2.2/32", "route replace 2001:db8:c::2/128 dev c0",
                                   "route del 2001:db8:c::2/128")))

    def routes(self):
        """Many at once, in or out."""
        r = self.rand
        vrf = r.choice(list(packets.VRFS))
        way = packets.VPN[vrf] + 30
        ways = packets.routes_of(vrf) + [(packets.nh(r.choice(list(TUNNELS))), way), (packets.nh("path tunnels"), way),
                                         (packets.nh("tunnels"), way)]
        four = [prefix4(((10 << 24) + (r.randrange(64, 90) << 16) + (r.getrandbits(8) << 8), 24), *r.choice(ways))
                for _ in range(r.choice((1, 10, 200)))]
        six = [prefix6(((0x20010db8 << 96) + (r.randrange(64, 90) << 80) + (r.getrandbits(12) << 64), 64), *r.choice(ways))
               for _ in range(r.choice((0, 1, 50)))]
        if r.random() < .6:
            self.nl.route_add(packets.VRFS[vrf], four, six)
        else:
            self.nl.route_del(packets.VRFS[vrf], four, six, uapi.ROUTE_FLAG_IDEMPOTENT)

    def labels(self):
        """Of each action, in or out."""
        r, records = self.rand, []
        for _ in range(r.choice((1, 3, 20))):
            letter = self.family()
            vrf = r.choice(FAMILY[letter])
            label = FIRST_OF[letter] + r.randrange(24)
            records.append(r.choice((
                label_record(label, uapi.LABEL_ACTION_POP_VRF, packets.VRFS[vrf]),
                label_record(label, uapi.LABEL_ACTION_POP_NH, packets.VRFS[vrf], packets.nh("ce " + packets.PORT[vrf])),
                label_record(3000 + r.randrange(24), uapi.LABEL_ACTION_SWAP, 0, packets.nh(r.choice(("c0", "core", "path lsp1"))),
                             r.choice((3, 0, 500))))))
        if r.random() < .7:
            self.nl.label_add(records)
        else:
            self.nl.label_del(records, uapi.LABEL_FLAG_IDEMPOTENT)

    def port(self):
        """Bound, moved, unbound."""
        r, dev = self.rand, self.rand.choice(PORTS)
        if r.random() < .25:
            self.nl.port_del(dev)
        elif dev[0] == "c":
            self.nl.port_new(dev)
        else:
            self.nl.port_new(dev, packets.VRFS[r.choice(FAMILY[dev[0]])])

    def device(self):
        """Made and deleted, up and down, renamed, addressed, with neighbours."""
        r, dev = self.rand, self.rand.choice(PORTS)
        subnet = r.choice(("10.1.0", "10.2.0", "192.0.2"))
        self.command(r.choice((
            f"link add {dev} type fuzzport", f"link set {dev} up", f"link set {dev} up", f"link set {dev} down",
            f"link set {dev} mtu {r.choice((600, 1280, 1500, 9000))}", f"addr replace {subnet}.1/24 dev {dev}",
            f"addr replace 2001:db8:{r.randrange(1, 3)}::1/64 dev {dev} nodad", f"addr flush dev {dev}",
            f"link set {dev} carrier off", f"link set {dev} carrier on",
            f"neigh replace {subnet}.2 lladdr 06:00:00:00:61:30 dev {dev} nud {r.choice(('permanent', 'stale', 'reachable'))}",
            f"neigh del {subnet}.2 dev {dev}", f"neigh flush dev {dev}", f"link set {dev} nomaster",
            f"link set {dev} master {r.choice(FAMILY.get(dev[0], ('RED',)))}" if dev[0] != "c" else "link show",
            f"link set {dev} name {dev[0]}9", f"link set {dev[0]}9 name {dev}")
            + ((f"link del {dev}", f"link del {dev[0]}9") if r.random() < .15 else ())))

    def vrf_by_link(self, name):
        """The module gives it the first free number. If that is the other family's, what is programmed by number would come to it."""
        sh(f"ip link add {name} type l3vpn", check=False)
        made = {attrs[uapi.VRF_NAME].rstrip(b"\0").decode(): int.from_bytes(attrs[uapi.VRF_ID], sys.byteorder)
                for attrs in self.nl.dump(uapi.CMD_VRF_GET)}
        kin = [packets.VRFS[n] for names in FAMILY.values() if name in names for n in names]
        if made.get(name) not in kin:
            sh(f"ip link del {name}", check=False)

    def vrf(self):
        """Made and deleted, by either way of doing it."""
        r, name = self.rand, self.rand.choice(list(packets.VRFS))
        do = r.randrange(6)
        if do == 0:
            self.command(f"link del {name}")
        elif do == 1:
            self.nl.vrf_del(name)
        elif do == 2:
            self.vrf_by_link(name)
        else:
            self.nl.vrf_new(name, id=packets.VRFS[name], table=100 + packets.VRFS[name], limit4=r.choice((0, 0, 500)))
        self.command(f"link set {name} up")
        self.command(f"route replace default dev {name} table {100 + packets.VRFS[name]}")
        self.command(f"addr replace 10.9.9.{packets.VRFS[name]}/32 dev {name}")

    def sweep(self):
        """An epoch of which only a part was programmed."""
        epoch = self.nl.epoch_begin()
        self.nl.epoch_sweep(epoch, 1 << self.rand.choice((uapi.OBJECT_ROUTE4, uapi.OBJECT_ROUTE6, uapi.OBJECT_LABEL,
                                                           uapi.OBJECT_ENDPOINT)))

    def refill(self):
        """What packets.py makes, as far as it can be had now."""
        for part in (packets.next_hops, packets.routes, packets.labels):
            try:
                part(self.nl)
            except (NlError, OSError):
                self.refused += 1

    def one(self):
        """One change."""
        do = self.rand.choices((self.next_hop, self.tunnel, self.routes, self.labels, self.port, self.device, self.vrf, self.sweep,
                                self.refill), (20, 12, 25, 12, 10, 25, 2, 1, 4))[0]
        self.done += 1
        try:
            do()
        except (NlError, OSError):
            self.refused += 1


def control(seed, end):
    """In "pe"."""
    c = Control("pe", seed)
    while time.monotonic() < end:
        if c.done % 50 == 0:    # packets are put aside or not, from the next change of routes on
            with open("/sys/module/l3vpn/parameters/burst_routes", "w", encoding="ascii") as f:
                f.write("0" if c.done % 100 else "1000000")
        c.one()
    if c.ip:
        c.ip.stdin.close()
        c.ip.wait()
    print(f"# control: {c.done} changes, {c.refused} refused", flush=True)


def traffic(seed, end):
    """Into both namespaces, small batches, so that devices can go in between."""
    at = 0
    while time.monotonic() < end:
        for ns in ("pe", "x"):
            try:
                with Netns(ns), open(packets.PARAMETERS + "run", "w", encoding="ascii") as f:
                    f.write(f"{seed} {at} 200\n")
                at += 200
            except OSError:
                time.sleep(.01)     # it is not there now, or has no devices


def namespaces(seed, end):
    """Whole ones."""
    rand, n = random.Random(seed), 0
    while time.monotonic() < end:
        n += 1
        sh("ip netns add x", check=False)
        lines = []
        for vrf, (port, number) in {"RED": ("a0", 1), "BLUE": ("b0", 3)}.items():
            lines += [f"link add {vrf} type l3vpn", f"link set {vrf} up", f"link add {port} type fuzzport",
                      f"link set {port} master {vrf}", f"link set {port} up", f"addr add 10.1.0.1/24 dev {port}",
                      f"addr add 2001:db8:1::1/64 dev {port} nodad",
                      f"neigh replace 10.1.0.2 lladdr 06:00:00:00:61:30 dev {port} nud permanent"]
        lines += ["link set lo up", "link add c0 type fuzzport", "link set c0 up", "addr add 192.0.2.1/30 dev c0",
                  "neigh replace 192.0.2.2 lladdr 06:00:00:00:63:30 dev c0 nud permanent"]
        subprocess.run(["ip", "-n", "x", "-force", "-batch", "-"], input="\n".join(lines), text=True, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with Netns("x"):
                nl = L3vpn()
                nl.port_new("c0")
                nl.nh_adjacency(1, "c0", "192.0.2.2")
                nl.nh_labelled(2, 1, [100])
                for number, base in ((nl.vrf_new("RED"), 65536), (nl.vrf_new("BLUE"), 131072)):
                    nl.route_add(number, [prefix4(f"10.{64 + i}.0.0/16", 2, base + i) for i in range(20)],
                                 [prefix6(f"2001:db8:{0x40 + i:x}::/48", 2, base + i) for i in range(20)])
                    nl.label_add([label_record(1000 if base == 65536 else 2000, uapi.LABEL_ACTION_POP_VRF, number)])
                nl.label_add([label_record(3000, uapi.LABEL_ACTION_SWAP, 0, 1, 500)])
                # routes of the kernel's, that tunnels hold while the namespace goes
                sh("ip -n x addr add 203.0.113.1/24 dev lo; ip -n x addr add 2001:db8:cb::1/64 dev lo nodad; "
                   "ip -n x addr add 2001:db8:c::1/64 dev c0 nodad", check=False)
                for i, (encap, near, far) in enumerate(TUNNELS.values()):
                    nl.nh_tunnel(10 + i, encap, near, far)
                    nl.endpoint_new(encap, near)
                    nl.route_add(1, [prefix4(f"10.{64 + i}.0.0/16", 10 + i, 65536 + i)])    # the first VRF, RED
                if rand.random() < .5:
                    nl.close()
        except (NlError, OSError) as error:
            print(f"# x: {error}", flush=True)
        until = min(end, time.monotonic() + rand.random() * 3)
        while time.monotonic() < until:
            time.sleep(.05)
        sh("ip netns del x", check=False)
    print(f"# namespaces: {n}", flush=True)


def readers(seed, end):
    """All that can be read, and whatever comes of it."""
    enter_netns("pe")
    rand, nl, n = random.Random(seed), L3vpn(), 0
    events = L3vpn()
    events.join("events")
    while time.monotonic() < end:
        n += 1
        try:
            do = rand.randrange(8)
            if do < 5:
                nl.dump(rand.choice((uapi.CMD_VRF_GET, uapi.CMD_PORT_GET, uapi.CMD_NH_GET, uapi.CMD_LABEL_GET, uapi.CMD_TABLE_GET,
                                     uapi.CMD_DROP_GET, uapi.CMD_ENDPOINT_GET)))
                nl.route_dump(rand.choice(list(packets.VRFS.values())), rand.random() < .5, rand.random() < .5)
                nl.do(uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, rand.randrange(1, 5).to_bytes(4, sys.byteorder)),
                                           (uapi.ROUTE_DST4, bytes((10, rand.randrange(60, 90), 1, 1)))])
            elif do == 5:
                for name in ("dev", "route", "arp", "fib_triestat", "if_inet6", "ptype"):
                    with open("/proc/self/net/" + name, "rb") as f:
                        f.read()
            elif do == 6:
                sh("ip -s link; ip route show table all", check=False)
            else:
                sh(f"ethtool -k {rand.choice(PORTS)}; ethtool -i RED", check=False)
        except (NlError, OSError):
            pass
    print(f"# readers: {n}", flush=True)


def start(function, cpu, seed, end):
    """In a process of its own, on that CPU if there is one; its pid."""
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.sched_setaffinity(0, {cpu % os.cpu_count()})
    code = 1
    try:
        function(seed, end)
        code = 0
    except Exception as error:  # pylint: disable=broad-except
        print(f"# {function.__name__}: {error!r}", flush=True)
    os._exit(code)


def main():
    """All of it at once, then nothing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("L3VPN_SECONDS") or 30))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("L3VPN_SEED") or random.randrange(1 << 30)))
    o = parser.parse_args()
    print(f"TAP version 13\n1..6\n# seed {o.seed}, {o.seconds:.0f} s, {os.cpu_count()} CPUs", flush=True)
    sh(f"insmod {os.environ['L3VPN_MODULES']}/packet_fuzz.ko")
    with open(packets.PARAMETERS + "strict", "w", encoding="ascii") as f:
        f.write("0")
    failed = 0

    def tell(number, good, title, why=""):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} {title}" + (f"\n{why}" if not good else ""), flush=True)

    # once before the slab is measured: what the kernel makes at first use is not a leak
    packets.build().close()
    packets.feed(o.seed, 0, 200)
    sh("ip netns del pe")
    wait(lambda: not packets.counts()["outstanding"], "packets of the first round", 60)
    before = slab()
    nl = packets.build()
    sh("ip netns exec pe sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")   # what is no port now is no router
    packets.batch([line for dev in ("a3", "b3", "c3") for line in (f"link add {dev} type fuzzport", f"link set {dev} up")])
    print("# begins", flush=True)
    end = time.monotonic() + o.seconds
    pids = [start(traffic, 0, o.seed, end), start(control, 1, o.seed + 1, end), start(namespaces, 1, o.seed + 2, end),
            start(readers, 0, o.seed + 3, end)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    found = packets.counts()
    print(f"# {found}", flush=True)
    tell(1, not any(codes), "all ran to the end", f"# {codes}")
    tell(2, not found["violations"], f"{found['fed']} packets: no violation", packets.report())
    missed = [name for name in ("sent_customer", "sent_core", "to_port", "dropped") if not found[name]]
    tell(3, not missed, "packets went everywhere", f"# none of {missed}")
    gone = list(packets.VRFS) + list(PORTS) + ["a9", "b9", "c9"]
    subprocess.run(["ip", "-n", "pe", "-force", "-batch", "-"], input="".join(f"link del {name}\n" for name in gone), text=True,
                   check=False, stderr=subprocess.DEVNULL)
    nl.epoch_sweep(nl.epoch_begin())
    info = nl.info()
    left = {key: info[key] for key in ("vrfs", "ports", "nhs", "routes4", "routes6", "labels", "endpoints") if info[key]}
    tell(4, not left, "all of it could be removed", f"# {left}")
    nl.close()
    sh("ip netns del x", check=False)
    sh("ip netns del pe")
    try:
        wait(lambda: not packets.counts()["outstanding"], "packets that wait", 60)
        # namespaces are taken down in the background; the modules can go when the last is gone
        wait(lambda: not subprocess.run(["rmmod", "packet_fuzz"], check=False, stderr=subprocess.DEVNULL).returncode,
             "the generator unloads", 60)
        wait(lambda: not subprocess.run(["rmmod", "l3vpn"], check=False, stderr=subprocess.DEVNULL).returncode,
             "the module unloads", 60)
        tell(5, True, "no packet, no device, no module is held")
    except AssertionError as error:
        tell(5, False, "no packet, no device, no module is held", f"# {error}, {packets.counts()}")
    after = slab()
    # KASAN's quarantine and the kernel's own caches (namespaces, /proc, sysfs) are in it too
    tell(6, after < before + max(4096, before // 10), f"slab: {before} KiB before, {after} KiB after")
    sys.exit(1 if failed else 0)


main()
