#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Objects of the netlink family: made, replaced, dumped, deleted; references, digests, epochs, events.

    a0 --- a1      b0 --- b1        veth pairs in one namespace; a0 customer port of RED, b0 core port
"""
import ipaddress
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import tap  # noqa: E402
import uapi  # noqa: E402
from tap import equal, wait  # noqa: E402

RED, BLUE = 7, 8


def ip(*commands):
    """Run ip commands."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands).encode(), check=True)


def clean():
    """Back to an empty namespace."""
    for cmd in ("link del a0", "link del b0", "link del RED", "link del BLUE", "link del GREEN"):
        subprocess.run(["ip"] + cmd.split(), check=False, stderr=subprocess.DEVNULL)
    nl = n.L3vpn()
    nl.epoch_sweep(nl.epoch_begin())
    info = nl.info()
    for name in ("vrfs", "ports", "nhs", "routes4", "routes6", "labels", "endpoints"):
        equal(info[name], 0, "left over: " + name)
    nl.close()


def start(ports=True):
    """Two VRFs and, if asked, a customer and a core port."""
    nl = n.L3vpn()
    nl.vrf_new("RED", RED)
    nl.vrf_new("BLUE", BLUE)
    if ports:
        ip("link add a0 type veth peer name a1", "link add b0 type veth peer name b1",
           "link set a0 up", "link set a1 up", "link set b0 up", "link set b1 up")
        nl.port_new("a0", RED)
        nl.port_new("b0")
    return nl


def refused(code, text, function, *args, **kwargs):
    """@function is refused with this errno, and a text that has @text in it."""
    try:
        function(*args, **kwargs)
    except n.NlError as error:
        equal(error.code, code, "errno of " + str(error))
        if text not in error.text:
            raise AssertionError(f"extack says {error.text!r}, not {text!r}") from None
        return error
    raise AssertionError("not refused")


@tap.test("VRF: made by netlink and by ip link, changed, got, dumped, deleted")
def vrf():
    nl = start(False)
    equal(nl.vrf_new("RED", RED, limit4=5, limit6=6), RED)
    got = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, n.u32(RED))])[0]
    equal(got[uapi.VRF_NAME], b"RED\0")
    equal(n.get(got[uapi.VRF_LIMIT4]), 5)
    equal(n.get(got[uapi.VRF_LIMIT6]), 6)
    equal(n.get(got[uapi.VRF_IFINDEX]), n.ifindex("RED"))
    equal(n.get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_NAME, n.text("BLUE"))])[0][uapi.VRF_ID]), BLUE)
    ip("link add GREEN type l3vpn")
    names = {n.get(v[uapi.VRF_ID]): v[uapi.VRF_NAME] for v in nl.dump(uapi.CMD_VRF_GET)}
    equal(sorted(names.values()), [b"BLUE\0", b"GREEN\0", b"RED\0"])
    equal(nl.tables()[(uapi.OBJECT_VRF, None)][0], 3)
    refused(17, "name exists", nl.vrf_new, "RED", RED, flags=n.NLM_F_CREATE | n.NLM_F_EXCL)
    refused(2, "no such VRF", nl.vrf_new, "NONE", flags=n.NLM_F_REPLACE)
    refused(17, "table", nl.vrf_new, "OTHER", table=0x4c000000 + RED)
    equal(nl.vrf_new("OTHER", 9, table=0x4c000000 + 10), 9)
    refused(17, "table", nl.vrf_new, "TENTH", 10)
    nl.vrf_del("OTHER")
    nl.vrf_del("GREEN")
    ip("link del BLUE")
    equal(nl.info()["vrfs"], 1)


@tap.test("port: moved from one VRF to another, its addresses are never in the global tables")
def move():
    nl = start()
    ip("addr add 10.66.0.1/24 dev a0", "addr add 2001:db8:66::1/64 dev a0 nodad")
    with subprocess.Popen(["ip", "monitor", "route"], stdout=subprocess.PIPE, text=True) as monitor:
        ip("link add c0 type dummy", "link set c0 up")
        for i, vrf in enumerate((BLUE, RED, BLUE)):
            nl.port_new("a0", vrf)
            equal(nl.ports()["a0"], (uapi.PORT_KIND_CUSTOMER, vrf))
            ip(f"addr add 10.67.{i}.1/24 dev c0")
        seen = []
        for line in monitor.stdout:
            seen.append(line.strip())
            if "10.67.2.0/24" in line:
                break
        monitor.terminate()
    ip("link del c0")
    moved = [line for line in seen if "dev a0" in line and ("10.66." in line or ":66:" in line)]
    equal([line for line in moved if " table " not in line or "table local" in line], [], "in global tables")
    table = n.get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, n.u32(BLUE))])[0][uapi.VRF_TABLE])
    for family, prefix in (("-4", "10.66.0.0/24"), ("-6", "2001:db8:66::/64")):
        equal(prefix in subprocess.check_output(["ip", family, "route", "show", "table", str(table)], text=True), True,
              prefix + " in the new VRF's table")


@tap.test("port: customer and core, the same by netlink and by master, moved, refused, unbound")
def port():
    nl = start()
    equal(nl.ports(), {"a0": (uapi.PORT_KIND_CUSTOMER, RED), "b0": (uapi.PORT_KIND_CORE, None)})
    with open("/sys/class/net/a0/master/ifindex", encoding="ascii") as f:
        equal(int(f.read()), n.ifindex("RED"), "master")
    ip("link set a0 nomaster")
    equal(nl.ports(), {"b0": (uapi.PORT_KIND_CORE, None)})
    ip("link set a0 master BLUE")
    equal(nl.ports()["a0"], (uapi.PORT_KIND_CUSTOMER, BLUE))
    nl.port_new("a0", RED)
    equal(nl.ports()["a0"], (uapi.PORT_KIND_CUSTOMER, RED))
    ip("link set a0 master BLUE")
    equal(nl.ports()["a0"], (uapi.PORT_KIND_CUSTOMER, BLUE))
    only = nl.dump(uapi.CMD_PORT_GET, [(uapi.PORT_VRF, n.u32(BLUE))])
    equal([p[uapi.PORT_NAME] for p in only], [b"a0\0"])
    equal(nl.dump(uapi.CMD_PORT_GET, [(uapi.PORT_VRF, n.u32(RED))]), [])
    refused(16, "other kind", nl.port_new, "a0")
    refused(17, "already", nl.port_new, "a0", BLUE, flags=n.NLM_F_CREATE | n.NLM_F_EXCL)
    refused(16, "refer to the VRF", nl.vrf_del, "BLUE")
    ip("link set a0 down", "link set a0 name a9", "link set a9 up")
    equal(nl.ports()["a9"], (uapi.PORT_KIND_CUSTOMER, BLUE))
    ip("link set a9 down", "link set a9 name a0")
    nl.port_del("a0")
    ip("link del b0")
    equal(nl.ports(), {})


@tap.test("devices that cannot be a port are refused with the reason")
def bad_devices():
    nl = start()
    ip("link add br0 type bridge", "link add c0 type veth peer name c1", "link set c0 master br0",
       "link add c2 link c1 type macvlan", "link add bond9 type bond")
    try:
        refused(16, "bridge", nl.port_new, "c0", RED)
        refused(16, "bridge", nl.port_new, "c0")
        refused(16, "macvlan", nl.port_new, "c1", RED)
        refused(22, "loopback", nl.port_new, "lo", RED)
        refused(22, "VRF device", nl.port_new, "BLUE", RED)
        equal(len(nl.ports()), 2)
        text = subprocess.run("ip link set c1 master RED".split(), check=False, stderr=subprocess.PIPE).stderr
        if b"macvlan" not in text:
            raise AssertionError(text)
        nl.port_new("bond9", RED)
        # and a port is taken: nobody else gets it
        for cmd in ("ip link set b0 master br0", "ip link add c3 link a0 type macvlan"):
            if subprocess.run(cmd.split(), check=False, stderr=subprocess.DEVNULL).returncode == 0:
                raise AssertionError(cmd + " was allowed")
    finally:
        ip("link del br0", "link del c0", "link del bond9")


@tap.test("VLAN devices and several addresses: ports and entries")
def vlan():
    nl = start()
    ip("link add link b0 name b0.5 type vlan id 5", "link set b0.5 up",
       "addr add 10.5.0.1/31 dev b0.5", "addr add 10.6.0.1/24 dev b0.5", "addr add 10.6.0.2/24 dev b0.5",
       "addr add 10.7.0.9/32 dev b0.5")
    nl.port_new("b0.5", RED)
    equal({p for p, _, _ in nl.route_dump(RED, kernel=True)},
          {"10.5.0.1/32", "10.5.0.0/31", "10.6.0.0/24", "10.6.0.255/32", "10.6.0.1/32",
           "10.6.0.2/32", "10.7.0.9/32"})
    ip("link del b0.5")
    equal(nl.route_dump(RED, kernel=True), [])


@tap.test("connected and local entries follow the addresses of ports and VRF devices, IPv4 and IPv6")
def addresses():
    nl = start()
    ip("addr add 10.1.0.1/24 dev a0", "addr add 2001:db8:1::1/64 dev a0", "addr add 10.255.0.1/32 dev RED",
       "addr add 2001:db8:ff::1/128 dev RED")
    connected = uapi.NH_ID_CONNECTED + n.ifindex("a0")
    receive = uapi.NH_ID_RECEIVE
    want4 = {("10.1.0.0/24", connected, None), ("10.1.0.1/32", receive, None),
             ("10.1.0.255/32", receive, None), ("10.255.0.1/32", receive, None)}
    want6 = {("2001:db8:1::/64", connected, None), ("2001:db8:1::1/128", receive, None),
             ("2001:db8:1::/128", receive, None), ("2001:db8:ff::1/128", receive, None)}
    equal(set(nl.route_dump(RED, kernel=True)), want4)
    wait(lambda: set(nl.route_dump(RED, True, True)) == want6, "IPv6 entries")
    equal(nl.info()["routes4"], 0, "the module's own entries count as user space's")
    # the connected prefix goes with the link, the address stays
    ip("link set a0 down")
    if ("10.1.0.0/24", connected, None) in nl.route_dump(RED, kernel=True):
        raise AssertionError("connected prefix of a device that is down")
    ip("link set a0 up", "addr replace 2001:db8:1::1/64 dev a0")
    equal(set(nl.route_dump(RED, kernel=True)), want4)
    wait(lambda: set(nl.route_dump(RED, True, True)) == want6, "IPv6 entries again")
    # to another VRF and back, with all its addresses
    nl.port_new("a0", BLUE)
    equal({r[0] for r in nl.route_dump(RED, kernel=True)}, {"10.255.0.1/32"})
    equal(len(nl.route_dump(BLUE, kernel=True)), 3)
    equal(len(nl.route_dump(BLUE, True, True)), 3)
    ip("addr del 10.1.0.1/24 dev a0", "addr del 2001:db8:1::1/64 dev a0")
    equal(nl.route_dump(BLUE, kernel=True), [])
    wait(lambda: not nl.route_dump(BLUE, True, True), "IPv6 entries gone")
    ip("addr del 10.255.0.1/32 dev RED")
    equal(nl.route_dump(RED, kernel=True), [])


@tap.test("a route of user space survives in the shadow of a connected prefix")
def shadow():
    nl = start()
    nl.nh_new(1, uapi.NH_KIND_BLACKHOLE)
    nl.route_add(RED, [n.prefix4("10.1.0.0/24", 1, 77)])
    table = nl.tables()[(uapi.OBJECT_ROUTE4, RED)]
    equal(table, (1, n.digest_route(RED, "10.1.0.0/24", 1, 77)))
    ip("addr add 10.1.0.1/24 dev a0")
    equal(nl.tables()[(uapi.OBJECT_ROUTE4, RED)], table)
    equal(nl.route_dump(RED), [("10.1.0.0/24", 1, 77)])
    equal(len(nl.route_dump(RED, kernel=True)), 3)
    nl.nh_new(2, uapi.NH_KIND_UNREACHABLE)
    nl.route_add(RED, [n.prefix4("10.1.0.0/24", 2), n.prefix4("10.1.0.1/32", 2, 5)])
    equal(nl.tables()[(uapi.OBJECT_ROUTE4, RED)][0], 2)
    nl.nh_del(1)
    nl.route_del(RED, [n.prefix4("10.1.0.1/32", 0)])
    refused(2, "record 0: no such route", nl.route_del, RED, [n.prefix4("10.1.0.1/32", 0)])
    ip("addr del 10.1.0.1/24 dev a0")
    equal(nl.route_dump(RED), [("10.1.0.0/24", 2, None)])
    equal(nl.route_dump(RED, kernel=True), [])
    got = nl.do(uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, n.u32(RED)), (uapi.ROUTE_DST4, bytes([10, 1, 0, 9]))])[0]
    equal(n.unpack_routes(got[uapi.ROUTE_RECORDS4], False), [("10.1.0.0/24", 2, None)])


@tap.test("next hops of every kind: digests, replaced in place, references, loops")
def nexthops():
    nl = start()
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_adjacency(2, "b0", "2001:db8::2")
    nl.nh_adjacency(3, "a0")
    nl.nh_labelled(4, 1, [100, 200])
    nl.nh_labelled(5, 2, [])
    nl.nh_group(6, [(4, 3, 0), (1, 1, uapi.MEMBER_FLAG_BACKUP), (5, 2, 0)])
    nl.nh_group(7, [(1, 1, 0), (2, 1, 0)])
    nl.nh_labelled(8, 7, [300])
    nl.nh_new(9, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    for nh, kind in ((10, uapi.NH_KIND_RECEIVE), (11, uapi.NH_KIND_HOST), (12, uapi.NH_KIND_BLACKHOLE),
                     (13, uapi.NH_KIND_UNREACHABLE)):
        nl.nh_new(nh, kind)
    adjacency, labelled, group = uapi.NH_KIND_ADJACENCY, uapi.NH_KIND_LABELLED, uapi.NH_KIND_GROUP
    v4, v6 = [4, 0xc0000202], [16, 0x20010db8, 0, 0, 2]
    want = [n.digest_nh(1, adjacency, [n.ifindex("b0")] + v4), n.digest_nh(2, adjacency, [n.ifindex("b0")] + v6),
            n.digest_nh(3, adjacency, [n.ifindex("a0"), 0]), n.digest_nh(4, labelled, [1, 2, 100, 200]),
            n.digest_nh(5, labelled, [2, 0]), n.digest_nh(6, group, [4, 3, 0, 1, 1, 1, 5, 2, 0]),
            n.digest_nh(7, group, [1, 1, 0, 2, 1, 0]), n.digest_nh(8, labelled, [7, 1, 300]),
            n.digest_nh(9, uapi.NH_KIND_VRF, [BLUE])] + [n.digest_nh(10 + i, uapi.NH_KIND_RECEIVE + i) for i in range(4)]
    equal(nl.tables()[(uapi.OBJECT_NH, None)], (13, sum(want) & n.MASK))
    equal(n.get(nl.nh_get(1)[uapi.NH_REFS]), 3, "references of next hop 1")
    equal(nl.nh_get(6)[uapi.NH_MEMBERS], n.member(4, 3) + n.member(1, 1, 1) + n.member(5, 2))
    equal([n.get(h[uapi.NH_ID]) for h in nl.dump(uapi.CMD_NH_GET)], list(range(1, 14)))

    nl.nh_adjacency(14, "b0", "192.0.2.14")
    nl.nh_group(15, [(14, 1, 0)])
    refused(40, "back to itself", nl.nh_labelled, 14, 15, [1])
    nl.nh_del(15)
    nl.nh_del(14)
    before = nl.tables()
    refused(16, "refer to it", nl.nh_del, 1)
    refused(40, "back to itself", nl.nh_labelled, 4, 4, [1])
    refused(40, "itself", nl.nh_group, 6, [(6, 1, 0)])
    refused(22, "but paths lead", nl.nh_group, 7, [(4, 1, 0)])
    refused(40, "but paths lead", nl.nh_group, 7, [(8, 1, 0)])
    refused(16, "path 4 leads here", nl.nh_labelled, 1, 7, [1])
    refused(16, "group 6", nl.nh_new, 4, uapi.NH_KIND_BLACKHOLE)
    refused(16, "does not allow", nl.nh_new, 1, uapi.NH_KIND_BLACKHOLE)
    refused(16, "path 4 leads here", nl.nh_labelled, 1, 2, [1])
    refused(22, "neither an adjacency", nl.nh_labelled, 20, 9, [1])
    refused(22, "neither an adjacency", nl.nh_labelled, 20, 6, [1])
    refused(22, "member 0: of a kind", nl.nh_group, 20, [(7, 1, 0)])
    refused(22, "same next hop", nl.nh_group, 20, [(1, 1, 0), (1, 2, 0)])
    refused(22, "all are backups", nl.nh_group, 20, [(1, 1, 1)])
    refused(2, "member 1: no next hop 99", nl.nh_group, 20, [(1, 1, 0), (99, 1, 0)])
    refused(16, "next hops still", nl.port_del, "b0")
    refused(16, "refer to the VRF", nl.vrf_del, "BLUE")
    equal(nl.tables(), before, "a refusal changed something")

    nl.nh_adjacency(1, "b0", "192.0.2.9")
    nl.nh_group(6, [(5, 2, 0)])
    nl.nh_new(12, uapi.NH_KIND_UNREACHABLE)
    equal(n.get(nl.nh_get(4)[uapi.NH_REFS]), 0)
    nl.nh_del(4)
    equal(nl.nh_get(1)[uapi.NH_GATEWAY], bytes([192, 0, 2, 9]))
    equal(len(nl.dump(uapi.CMD_NH_GET)), 12)


@tap.test("egresses: digests, what may be behind them and in their groups, kinds of the way to a PE that change")
def egresses():
    nl = start()
    egress, group, unreachable = uapi.NH_KIND_EGRESS, uapi.NH_KIND_GROUP, uapi.NH_KIND_UNREACHABLE
    backup, onward = uapi.MEMBER_FLAG_BACKUP, uapi.MEMBER_FLAG_BACKUP | uapi.MEMBER_FLAG_ONWARD
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_adjacency(2, "a0", "10.1.0.2")
    nl.nh_labelled(3, 1, [100])
    nl.nh_labelled(4, 1, [101])
    nl.nh_group(5, [(3, 1, 0), (4, 1, 0)])
    nl.nh_egress(6, 5, 700)
    nl.nh_egress(7, 3, 701)
    nl.nh_new(8, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    nl.nh_new(9, unreachable)
    nl.nh_group(10, [(2, 1, 0), (6, 1, onward), (7, 1, backup), (8, 1, backup), (9, 1, backup)])
    nl.nh_egress(11, 9, 702)
    nl.nh_group(12, [(2, 1, 0), (7, 1, uapi.MEMBER_FLAG_LOCAL)])
    equal(nl.nh_get(12)[uapi.NH_MEMBERS], n.member(2) + n.member(7, 1, 4))
    nl.nh_del(12)
    words = [2, 1, 0, 6, 1, 3, 7, 1, 1, 8, 1, 1, 9, 1, 1]
    table = nl.tables()[(uapi.OBJECT_NH, None)]
    nl.nh_del(11)
    equal(table[1] - nl.tables()[(uapi.OBJECT_NH, None)][1] & n.MASK, n.digest_nh(11, egress, [9, 1, 702]))
    equal(nl.nh_get(10)[uapi.NH_MEMBERS], n.member(2) + n.member(6, 1, 3) + n.member(7, 1, 1) + n.member(8, 1, 1) +
          n.member(9, 1, 1))
    table = nl.tables()[(uapi.OBJECT_NH, None)]
    nl.nh_group(12, [(6, 1, 0)])
    nl.nh_del(12)
    equal(nl.tables()[(uapi.OBJECT_NH, None)], table)
    nl.route_add(RED, [n.prefix4("10.9.0.0/16", 10)])
    nl.route_del(RED, [n.prefix4("10.9.0.0/16", 0)])
    before = nl.tables()
    refused(22, "one label", nl.nh_new, 20, egress, [(uapi.NH_VIA, n.u32(3)), (uapi.NH_LABELS, b"")])
    refused(22, "one label", nl.nh_new, 20, egress, [(uapi.NH_VIA, n.u32(3)), (uapi.NH_LABELS, n.u32(16) * 2)])
    refused(22, "cannot be pushed", nl.nh_egress, 20, 3, 3)
    refused(22, "no way to a PE", nl.nh_egress, 20, 6, 16)
    refused(22, "no way to a PE", nl.nh_egress, 20, 8, 16)
    refused(22, "no way to a PE", nl.nh_egress, 20, 10, 16)
    refused(40, "back to itself", nl.nh_egress, 6, 6, 16)
    refused(40, "back to itself", nl.nh_egress, 6, 10, 16)
    refused(40, "but egresses lead", nl.nh_group, 5, [(6, 1, 0)])
    refused(22, "but egresses lead", nl.nh_group, 5, [(7, 1, 0)])
    refused(22, "but egresses lead", nl.nh_group, 5, [(8, 1, 0)])
    refused(22, "neither an adjacency", nl.nh_labelled, 20, 6, [16])
    refused(22, "neither an adjacency", nl.nh_labelled, 20, 9, [16])
    refused(16, "egresses lead here", nl.nh_new, 5, uapi.NH_KIND_BLACKHOLE)
    refused(16, "egresses lead here", nl.nh_new, 5, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    refused(16, "group 5", nl.nh_egress, 4, 3, 16)
    refused(16, "group 10", nl.nh_new, 2, uapi.NH_KIND_BLACKHOLE)
    refused(22, "onward", nl.nh_group, 20, [(6, 1, uapi.MEMBER_FLAG_ONWARD)])
    refused(22, "onward", nl.nh_group, 20, [(2, 1, 0), (6, 1, onward | uapi.MEMBER_FLAG_LOCAL)])
    equal(nl.tables(), before, "a refusal changed something")

    # the PE is lost and comes back, by one path or two; so does the CE
    nl.nh_new(5, unreachable)
    equal(n.get(nl.nh_get(10)[uapi.NH_IN_USE]), 0b1000 if not n.get(nl.nh_get(2)[uapi.NH_RESOLVED]) else 1)
    nl.nh_labelled(5, 1, [100])
    nl.nh_group(5, [(3, 1, 0), (9, 1, 0)])
    nl.nh_new(2, unreachable)
    nl.nh_adjacency(2, "a0", "10.1.0.2")
    nl.nh_state(6, True)
    equal(n.get(nl.nh_get(6)[uapi.NH_DOWN]), 1)
    refused(16, "refer to it", nl.nh_del, 5)
    for nh in (10, 6, 7, 5):
        nl.nh_del(nh)
    equal(n.get(nl.nh_get(3)[uapi.NH_REFS]), 0)
    nl.nh_adjacency(14, "b0", "192.0.2.14")
    nl.nh_group(5, [(14, 1, 0)])
    nl.nh_labelled(6, 5, [100])
    refused(22, "but paths lead", nl.nh_group, 5, [(9, 1, 0)])
    refused(16, "group 5", nl.nh_new, 14, unreachable)


@tap.test("tunnels: digests, defaults, references, kinds that change, resolved by the global table alone")
def tunnels():
    nl = start()
    udp, gre, kind = uapi.ENCAP_UDP, uapi.ENCAP_GRE, uapi.NH_KIND_TUNNEL
    ends4, ends6 = ("192.0.2.1", "198.51.100.1"), ("2001:db8::1", "2001:db8:9::1")
    nl.nh_tunnel(1, udp, *ends4)
    nl.nh_tunnel(2, udp, *ends6)
    nl.nh_tunnel(3, gre, *ends4)
    nl.nh_tunnel(4, gre, *ends6)
    nl.nh_tunnel(5, udp, *ends6, 7777, 0)
    nl.nh_tunnel(6, udp, *ends4, checksum=1)
    nl.nh_labelled(7, 1, [100])
    nl.nh_group(8, [(1, 1, 0), (3, 1, uapi.MEMBER_FLAG_BACKUP)])
    nl.nh_labelled(9, 8, [200])
    want = [n.digest_nh(1, kind, n.tunnel_words(udp, *ends4)), n.digest_nh(2, kind, n.tunnel_words(udp, *ends6, 6635, 1)),
            n.digest_nh(3, kind, n.tunnel_words(gre, *ends4, 0)), n.digest_nh(4, kind, n.tunnel_words(gre, *ends6, 0)),
            n.digest_nh(5, kind, n.tunnel_words(udp, *ends6, 7777)), n.digest_nh(6, kind, n.tunnel_words(udp, *ends4, 6635, 1)),
            n.digest_nh(7, uapi.NH_KIND_LABELLED, [1, 1, 100]), n.digest_nh(8, uapi.NH_KIND_GROUP, [1, 1, 0, 3, 1, 1]),
            n.digest_nh(9, uapi.NH_KIND_LABELLED, [8, 1, 200])]
    equal(nl.tables()[(uapi.OBJECT_NH, None)], (9, sum(want) & n.MASK))
    got = nl.nh_get(2)
    equal((n.get(got[uapi.NH_ENCAP]), n.get(got[uapi.NH_DPORT]), n.get(got[uapi.NH_CHECKSUM])), (udp, 6635, 1))
    equal(got[uapi.NH_REMOTE], ipaddress.ip_address(ends6[1]).packed)
    equal({uapi.NH_DPORT, uapi.NH_CHECKSUM} & set(nl.nh_get(3)), set(), "of GRE")
    equal(n.get(nl.nh_get(1)[uapi.NH_REFS]), 2)
    refused(16, "refer to it", nl.nh_del, 1)
    refused(16, "does not allow", nl.nh_new, 1, uapi.NH_KIND_BLACKHOLE)
    refused(22, "member 0: of a kind", nl.nh_group, 20, [(8, 1, 0)])
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_tunnel(1, gre, *ends4)
    nl.nh_state(1, 1)
    equal(n.get(nl.nh_get(1)[uapi.NH_DOWN]), 1)

    def resolved(nh):
        return n.get(nl.nh_get(nh)[uapi.NH_RESOLVED])

    equal([resolved(i) for i in range(1, 10)], [0] * 9, "without addresses")
    ip("addr add 192.0.2.1/24 dev b0", "route add 198.51.100.0/24 via 192.0.2.9",
       "addr add 2001:db8::1/64 dev b0 nodad", "route add 2001:db8:9::/48 via 2001:db8::9")
    equal([resolved(i) for i in range(1, 10)], [1] * 9, "by a core port")
    equal(n.get(nl.nh_get(3)[uapi.NH_PATH_MTU]), 1500)
    ip("link set b0 mtu 1400")
    equal(n.get(nl.nh_get(4)[uapi.NH_PATH_MTU]), 1400)
    ip("route del 198.51.100.0/24")
    equal(resolved(3), 0, "without a route")
    ip("addr add 10.1.0.1/24 dev a0", "route add 198.51.100.0/24 dev a0")
    equal(resolved(3), 0, "by a customer port")
    ip("route del 198.51.100.0/24", "route add 198.51.100.0/24 dev lo")
    equal(resolved(3), 0, "by the loopback")
    ip("route del 198.51.100.0/24", "link add c0 type veth peer name c1", "link set c0 up", "link set c1 up",
       "route add 198.51.100.0/24 dev c0")
    equal(resolved(3), 1, "by a device that is no port")
    nl.port_new("c0", BLUE)
    equal(resolved(3), 0, "by a device that has become a customer's")
    ip("link del c0", "addr del 192.0.2.1/24 dev b0", "addr add 192.0.2.1/32 dev a0", "route add 198.51.100.0/24 dev b0")
    equal(resolved(3), 0, "from an address of a VRF")


@tap.test("endpoints: digests, defaults, replaced, counters, swept, told; local by the global table alone")
def endpoints():
    nl = start()
    udp, gre = uapi.ENCAP_UDP, uapi.ENCAP_GRE
    listener = n.L3vpn()
    listener.join("events")
    answer = nl.endpoint_new(udp, "192.0.2.1", flags=n.NLM_F_ECHO)[0]
    equal((n.get(answer[uapi.ENDPOINT_DPORT]), n.get(answer[uapi.ENDPOINT_CHECKSUM]), n.get(answer[uapi.ENDPOINT_PEERS]),
           n.get(answer[uapi.ENDPOINT_SCOPES]), answer[uapi.ENDPOINT_SOURCES]), (6635, 0, 1, n.MASK, b""))
    nl.endpoint_new(udp, "192.0.2.1", 7777, scopes=1 << 63, peers=0, sources=["10.0.0.0/8", "192.0.2.7/32"])
    nl.endpoint_new(gre, "192.0.2.1")
    nl.endpoint_new(udp, "2001:db8::1", sources=["2001:db8::/32"])
    nl.endpoint_new(gre, "2001:db8::1", scopes=5)
    want = [n.digest_endpoint(udp, "192.0.2.1"),
            n.digest_endpoint(udp, "192.0.2.1", 7777, 0, 1 << 63, 0, ["10.0.0.0/8", "192.0.2.7/32"]),
            n.digest_endpoint(gre, "192.0.2.1", 0),
            n.digest_endpoint(udp, "2001:db8::1", 6635, 1, sources=["2001:db8::/32"]),
            n.digest_endpoint(gre, "2001:db8::1", 0, 0, 5)]
    equal(nl.tables()[(uapi.OBJECT_ENDPOINT, None)], (5, sum(want) & n.MASK))
    equal(nl.info()["endpoints"], 5)
    equal([(n.get(e[uapi.ENDPOINT_ENCAP]), len(e[uapi.ENDPOINT_ADDRESS])) for e in nl.dump(uapi.CMD_ENDPOINT_GET)],
          [(udp, 4), (udp, 4), (gre, 4), (udp, 16), (gre, 16)])
    refused(17, "exists", nl.endpoint_new, gre, "192.0.2.1", flags=n.NLM_F_CREATE | n.NLM_F_EXCL)
    refused(2, "no such endpoint", nl.endpoint_new, gre, "192.0.2.2", flags=n.NLM_F_REPLACE)
    refused(2, "no such endpoint", nl.endpoint_del, udp, "192.0.2.1", 7778)
    refused(2, "no such endpoint", nl.endpoint_get, gre, "192.0.2.9")
    nl.endpoint_new(udp, "2001:db8::1", checksum=0)
    want[3] = n.digest_endpoint(udp, "2001:db8::1")
    equal(nl.tables()[(uapi.OBJECT_ENDPOINT, None)], (5, sum(want) & n.MASK), "replaced: what is not given is as new")
    told = [n.attrs_dict(body) for _, body in listener.events(0.3)]
    equal([(n.get(e[uapi.EVENT_WHAT]), n.get(e[uapi.EVENT_OBJECT])) for e in told if uapi.EVENT_ENDPOINT in e],
          [(uapi.EVENT_NEW, uapi.OBJECT_ENDPOINT)] * 5 + [(uapi.EVENT_CHANGE, uapi.OBJECT_ENDPOINT)])

    def local(address):
        return n.get(nl.endpoint_get(gre, address)[uapi.ENDPOINT_LOCAL])

    equal((local("192.0.2.1"), local("2001:db8::1")), (0, 0))
    ip("addr add 192.0.2.1/32 dev RED", "addr add 2001:db8::1/128 dev RED")
    equal((local("192.0.2.1"), local("2001:db8::1")), (0, 0), "of a VRF")
    ip("addr add 192.0.2.1/32 dev lo", "addr add 2001:db8::1/128 dev lo")
    equal((local("192.0.2.1"), local("2001:db8::1")), (1, 1))
    ip("addr del 192.0.2.1/32 dev lo", "addr del 2001:db8::1/128 dev lo")
    equal((local("192.0.2.1"), local("2001:db8::1")), (0, 0), "gone again")
    nl.endpoint_del(udp, "192.0.2.1", 7777)
    epoch = nl.epoch_begin()
    nl.endpoint_new(gre, "192.0.2.1")
    equal(nl.epoch_sweep(epoch, 1 << uapi.OBJECT_ENDPOINT), 3)
    equal(nl.tables()[(uapi.OBJECT_ENDPOINT, None)], (1, want[2]))


@tap.test("a port or VRF that goes away by force kills its next hops and labels, and nothing else")
def forced():
    nl = start()
    nl.nh_adjacency(1, "a0", "10.1.0.2")
    nl.nh_new(2, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    nl.nh_labelled(3, 1, [9])
    nl.route_add(RED, [n.prefix4("10.9.0.0/16", 1)])
    nl.label_add([n.label_record(100, uapi.LABEL_ACTION_POP_VRF, BLUE), n.label_record(101, uapi.LABEL_ACTION_POP_VRF, RED),
                  n.label_record(102, uapi.LABEL_ACTION_POP_NH, BLUE, 1)])
    before = nl.tables()[(uapi.OBJECT_NH, None)]
    ip("link set a0 nomaster")
    equal(n.get(nl.nh_get(1)[uapi.NH_RESOLVED]), 0)
    ip("link del BLUE")
    equal(nl.tables()[(uapi.OBJECT_NH, None)], before, "the configuration of next hops")
    equal(nl.tables()[(uapi.OBJECT_LABEL, None)],
          (1, n.digest_label(101, uapi.LABEL_ACTION_POP_VRF, RED)))
    equal(n.get(nl.nh_get(2)[uapi.NH_RESOLVED]), 0)
    # programmed again, they live again
    nl.vrf_new("BLUE", BLUE)
    nl.nh_new(2, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    equal(n.get(nl.nh_get(2)[uapi.NH_RESOLVED]), 1)
    nl.port_new("a0", RED)
    nl.nh_adjacency(1, "a0")
    wait(lambda: n.get(nl.nh_get(3)[uapi.NH_RESOLVED]) == 1, "path over a0")
    ip("link del a0")
    equal(n.get(nl.nh_get(3)[uapi.NH_RESOLVED]), 0)


@tap.test("labels: digests, replaced, deleted, counters in the answer")
def labels():
    nl = start()
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    want = [(16, uapi.LABEL_ACTION_POP_VRF, RED, 0, None), (500, uapi.LABEL_ACTION_POP_NH, RED, 1, None),
            (1048575, uapi.LABEL_ACTION_SWAP, 0, 1, 3), (70000, uapi.LABEL_ACTION_SWAP, 0, 1, 1048575)]
    nl.label_add([n.label_record(*w) for w in want])
    equal(nl.tables()[(uapi.OBJECT_LABEL, None)], (4, sum(n.digest_label(*w) for w in want) & n.MASK))
    equal([n.get(x[uapi.LABEL_LABEL]) for x in nl.dump(uapi.CMD_LABEL_GET)], [16, 500, 70000, 1048575])
    nl.label_add([n.label_record(500, uapi.LABEL_ACTION_SWAP, 0, 1, 77)])
    got = nl.do(uapi.CMD_LABEL_GET, [(uapi.LABEL_LABEL, n.u32(500))])[0]
    equal(got[uapi.LABEL_RECORDS], n.label_record(500, uapi.LABEL_ACTION_SWAP, 0, 1, 77))
    equal(n.stats(got[uapi.LABEL_STATS])["rx_packets"], 0)
    equal(n.get(nl.nh_get(1)[uapi.NH_REFS]), 3)
    refused(2, "record 1: no such label", nl.label_del, [n.label_record(16, 0), n.label_record(17, 0)])
    equal(nl.info()["labels"], 4)
    nl.label_del([n.label_record(16, 0), n.label_record(17, 0)], uapi.LABEL_FLAG_IDEMPOTENT)
    equal(nl.info()["labels"], 3)


@tap.test("flags: CREATE, EXCL, REPLACE, ECHO")
def flags():
    nl = start(False)
    nl.nh_new(1, uapi.NH_KIND_BLACKHOLE)
    exclusive, replace = n.NLM_F_CREATE | n.NLM_F_EXCL, n.NLM_F_REPLACE
    refused(17, "in use", nl.nh_new, 1, uapi.NH_KIND_BLACKHOLE, flags=exclusive)
    refused(2, "no such next hop", nl.nh_new, 2, uapi.NH_KIND_BLACKHOLE, flags=replace)
    nl.nh_new(2, uapi.NH_KIND_BLACKHOLE, flags=exclusive)
    nl.nh_new(2, uapi.NH_KIND_UNREACHABLE, flags=replace)
    one, two = n.prefix4("10.0.0.0/8", 1), n.prefix4("11.0.0.0/8", 1)
    answer = nl.route_add(RED, [one], flags=exclusive | n.NLM_F_ECHO)
    equal(n.get(answer[0][uapi.ROUTE_DONE]), 1)
    refused(17, "record 1: route exists", nl.route_add, RED, [two, one], flags=exclusive)
    refused(2, "record 1: no route to replace", nl.route_add, RED, [one, two], flags=replace)
    equal(nl.info()["routes4"], 1)
    nl.route_add(RED, [one, two], flags=n.NLM_F_CREATE | n.NLM_F_REPLACE)
    swap = n.label_record(20, uapi.LABEL_ACTION_SWAP, 0, 1, 30)
    refused(2, "record 0", nl.label_add, [swap], flags=replace)
    nl.label_add([swap], flags=exclusive)
    refused(17, "record 0: label is in use", nl.label_add, [swap], flags=exclusive)
    answer = nl.labels(uapi.CMD_LABEL_DEL, [swap], n.NLM_F_ECHO)
    equal(n.get(answer[0][uapi.LABEL_DONE]), 1)


@tap.test("limit of a VRF: K of M records are in, and the cookie says K")
def limit():
    nl = start(False)
    nl.vrf_new("RED", RED, limit4=3, limit6=1)
    nl.nh_new(1, uapi.NH_KIND_BLACKHOLE)
    four = [n.prefix4((0x0a000000 + (i << 8), 24), 1) for i in range(5)]
    error = refused(28, "3 of 5 records are in", nl.route_add, RED, four)
    equal(n.get(error.cookie), 3)
    equal(nl.info()["routes4"], 3)
    nl.route_add(RED, four[:3])
    six = [n.prefix6((0x20010db8 << 96 | i << 64, 64), 1) for i in range(2)]
    error = refused(28, "4 of 5 records are in", nl.route_add, RED, four[:3], six)
    equal(n.get(error.cookie), 4)
    nl.vrf_new("RED", RED, limit4=0)
    nl.route_add(RED, four)
    equal((nl.info()["routes4"], nl.info()["routes6"]), (5, 1))


@tap.test("epochs: what was not programmed again is swept, in the order that references allow")
def epochs():
    nl = start()
    ip("link add GREEN type l3vpn")
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_labelled(2, 1, [5])
    nl.nh_group(3, [(2, 1, 0)])
    nl.nh_new(4, uapi.NH_KIND_BLACKHOLE)
    nl.route_add(RED, [n.prefix4("10.0.0.0/8", 3), n.prefix4("10.1.0.0/16", 4)], [n.prefix6("2001:db8::/32", 3)])
    nl.route_add(BLUE, [n.prefix4("10.0.0.0/8", 3)])
    nl.label_add([n.label_record(100, uapi.LABEL_ACTION_POP_VRF, RED), n.label_record(200, uapi.LABEL_ACTION_POP_VRF, BLUE)])
    ip("addr add 10.77.0.1/24 dev a0")
    old = nl.info()["epoch"]
    epoch = nl.epoch_begin()
    equal(epoch, old + 1)
    refused(116, f"current epoch is {epoch}", nl.epoch_sweep, old)
    equal(nl.epoch_sweep(epoch, 1 << uapi.OBJECT_LABEL), 2)
    nl.vrf_new("RED", RED)
    nl.port_new("a0", RED)
    nl.nh_new(4, uapi.NH_KIND_BLACKHOLE)
    nl.route_add(RED, [n.prefix4("10.1.0.0/16", 4)])
    # swept: two routes of RED, one of BLUE, next hops 3 2 1, port b0, VRF BLUE
    equal(nl.epoch_sweep(epoch), 8)
    equal(nl.route_dump(RED), [("10.1.0.0/16", 4, None)])
    equal(len(nl.route_dump(RED, kernel=True)), 3)
    equal(nl.ports(), {"a0": (uapi.PORT_KIND_CUSTOMER, RED)})
    equal(sorted(v[uapi.VRF_NAME] for v in nl.dump(uapi.CMD_VRF_GET)), [b"GREEN\0", b"RED\0"])
    equal([n.get(h[uapi.NH_ID]) for h in nl.dump(uapi.CMD_NH_GET)], [4])
    equal(nl.epoch_sweep(epoch), 0)


@tap.test("NH_STATE: groups pass over what is down, digests do not know it, an epoch that does not repeat it ends it")
def states():
    nl = start()
    ip("addr add 192.0.2.1/24 dev b0", "neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev b0 nud permanent",
       "neigh add 192.0.2.3 lladdr 02:00:00:00:00:03 dev b0 nud permanent",
       "neigh add 192.0.2.4 lladdr 02:00:00:00:00:04 dev b0 nud permanent")
    for i in (2, 3, 4):
        nl.nh_adjacency(i, "b0", f"192.0.2.{i}")
    nl.nh_labelled(12, 2, [100])
    nl.nh_labelled(13, 3, [100])
    nl.nh_group(20, [(12, 1, 0), (4, 1, uapi.MEMBER_FLAG_BACKUP), (13, 1, 0)])
    nl.nh_group(21, [(2, 1, 0), (3, 1, 0)])
    nl.nh_labelled(14, 21, [100])
    nl.nh_group(22, [(14, 1, 0), (4, 1, uapi.MEMBER_FLAG_BACKUP)])
    nl.nh_new(30, uapi.NH_KIND_BLACKHOLE)
    digest = nl.tables()[(uapi.OBJECT_NH, None)]

    def in_use(group):
        return n.get(nl.nh_get(group)[uapi.NH_IN_USE])

    def down(*nhs):
        for nh in (2, 3, 4, 12, 13, 14, 20, 21):
            nl.nh_state(nh, nh in nhs)
            equal(n.get(nl.nh_get(nh)[uapi.NH_DOWN]), int(nh in nhs))
        equal(nl.tables()[(uapi.OBJECT_NH, None)], digest, "digest with some down")
        return in_use(20), in_use(22)

    equal(down(), (0b101, 0b01))
    equal(down(12), (0b100, 0b01), "a path")
    equal(down(2), (0b100, 0b01), "the adjacency behind a path")
    equal(down(2, 3), (0b010, 0b10), "both, and both of a group behind a path")
    equal(down(21), (0b101, 0b10), "the group behind a path")
    equal(down(2, 3, 4), (0b101, 0b01), "all: what is left is used")
    equal(down(20), (0b101, 0b01), "a group that nothing has a choice about")
    # programmed again and replaced: the state stays
    nl.nh_state(2, True)
    nl.nh_adjacency(2, "b0", "192.0.2.2")
    equal(in_use(20), 0b100)
    nl.nh_adjacency(2, "b0", "192.0.2.9")
    equal(n.get(nl.nh_get(2)[uapi.NH_DOWN]), 1)
    nl.nh_adjacency(2, "b0", "192.0.2.2")
    # events for changes, and for nothing else
    ear = n.L3vpn()
    ear.join(uapi.MCGRP_EVENTS)
    nl.nh_state(2, True)
    nl.nh_state(3, True)
    nl.nh_state(3, True)
    nl.nh_state(2, False)
    seen = []
    for _, body in ear.events():
        event = n.attrs_dict(body)
        if uapi.EVENT_NH in event:
            nest = n.attrs_dict(event[uapi.EVENT_NH])
            seen.append((n.get(event[uapi.EVENT_WHAT]), n.get(nest[uapi.NH_ID]), n.get(nest[uapi.NH_DOWN])))
        if len(seen) == 2:
            break
    equal(seen, [(uapi.EVENT_CHANGE, 3, 1), (uapi.EVENT_CHANGE, 2, 0)])
    ear.close()
    # a daemon that is gone said that 3 and 4 are down; the next one repeats it of 4
    nl.nh_state(4, True)
    epoch = nl.epoch_begin()
    equal(n.get(nl.nh_get(3)[uapi.NH_DOWN]), 1, "nothing changes before the sweep")
    nl.nh_state(4, True)
    for i in (2, 3, 4):
        nl.nh_adjacency(i, "b0", f"192.0.2.{i}")
    nl.nh_labelled(12, 2, [100])
    nl.nh_group(20, [(12, 1, 0), (4, 1, uapi.MEMBER_FLAG_BACKUP), (13, 1, 0)])
    nl.epoch_sweep(epoch, 1 << uapi.OBJECT_ROUTE4)
    equal(n.get(nl.nh_get(3)[uapi.NH_DOWN]), 1, "a sweep of routes")
    nl.epoch_sweep(epoch)
    equal([n.get(nl.nh_get(i)[uapi.NH_DOWN]) for i in (2, 3, 4)], [0, 0, 1], "after the sweep")
    nl.nh_new(30, uapi.NH_KIND_BLACKHOLE)
    refused(2, "no such next hop", nl.nh_state, 99, True)
    refused(22, "cannot be down", nl.nh_state, 30, True)
    refused(34, "", nl.nh_state, 2, 2)
    refused(22, "state", nl.do, uapi.CMD_NH_STATE, [(uapi.NH_ID, n.u32(2))])
    refused(22, "next hop id", nl.do, uapi.CMD_NH_STATE, [(uapi.NH_DOWN, n.u8(1))])
    refused(22, "", nl.do, uapi.CMD_NH_NEW, [(uapi.NH_ID, n.u32(40)), (uapi.NH_KIND, n.u8(uapi.NH_KIND_BLACKHOLE)),
                                             (uapi.NH_DOWN, n.u8(1))])
    nl.close()


@tap.test("ROUTE_GET: longest match, behind VRF next hops, and the member that a flow takes")
def route_get():
    nl = start()
    nl.nh_adjacency(1, "b0", "192.0.2.2")
    nl.nh_adjacency(2, "b0", "192.0.2.3")
    nl.nh_group(3, [(1, 1, 0), (2, 1, 0)])
    nl.nh_new(4, uapi.NH_KIND_VRF, [(uapi.NH_VRF, n.u32(BLUE))])
    nl.route_add(RED, [n.prefix4("0.0.0.0/0", 4), n.prefix4("10.0.0.0/8", 1, 16)], [n.prefix6("2001:db8::/32", 2)])
    nl.route_add(BLUE, [n.prefix4("20.0.0.0/8", 3, 17)])

    def ask(dst, **more):
        kind = uapi.ROUTE_DST4 if len(dst) == 4 else uapi.ROUTE_DST6
        attrs = [(uapi.ROUTE_VRF, n.u32(RED)), (kind, dst)]
        attrs += [(getattr(uapi, "ROUTE_" + k.upper()), v) for k, v in more.items()]
        return nl.do(uapi.CMD_ROUTE_GET, attrs)[0]

    got = ask(bytes([10, 1, 2, 3]))
    equal(n.unpack_routes(got[uapi.ROUTE_RECORDS4], False), [("10.0.0.0/8", 1, 16)])
    equal(n.get(got[uapi.ROUTE_MEMBER]), 1)
    equal(n.get(got[uapi.ROUTE_MATCH_VRF]), RED)
    members = set()
    for sport in range(64):
        got = ask(bytes([20, 1, 2, 3]), src4=bytes([10, 0, 0, 1]), proto=n.u8(17), sport=n.be16(1024 + sport),
                  dport=n.be16(53))
        equal(n.unpack_routes(got[uapi.ROUTE_RECORDS4], False), [("20.0.0.0/8", 3, 17)])
        equal(n.get(got[uapi.ROUTE_MATCH_VRF]), BLUE)
        members.add(n.get(got[uapi.ROUTE_MEMBER]))
    equal(members, {1, 2}, "members that 64 flows take")
    got = ask(bytes.fromhex("20010db8000000000000000000000001"))
    equal(n.unpack_routes(got[uapi.ROUTE_RECORDS6], True), [("2001:db8::/32", 2, None)])
    refused(101, "no route", ask, bytes([30, 0, 0, 1]))
    nl.route_add(BLUE, [n.prefix4("0.0.0.0/0", 3)])
    equal(n.unpack_routes(ask(bytes([30, 0, 0, 1]))[uapi.ROUTE_RECORDS4], False), [("0.0.0.0/0", 3, None)])


@tap.test("events: VRF, port, next hop, address and neighbour")
def events():
    listener = n.L3vpn()
    listener.join("events")
    nl = start()
    ip("addr add 10.1.0.1/24 dev a0")
    nl.nh_adjacency(1, "a0", "10.1.0.2")
    ip("neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev a0 nud permanent", "link set a1 down",
       "link set a0 down", "link set a0 name a9", "link set a9 name a0", "link set a0 up")
    nl.nh_del(1)
    ip("link del a0", "link del BLUE")
    seen = set()
    want = {("VRF", "NEW"), ("VRF", "DEL"), ("PORT", "NEW"), ("PORT", "CHANGE"), ("PORT", "DEL"), ("NH", "NEW"),
            ("NH", "DEL"), ("ADDR", "NEW"), ("NEIGH", "CHANGE")}
    whats = {uapi.EVENT_NEW: "NEW", uapi.EVENT_CHANGE: "CHANGE", uapi.EVENT_DEL: "DEL"}
    objects = {getattr(uapi, "OBJECT_" + o): o for o in ("VRF", "PORT", "NH", "ADDR", "NEIGH")}
    for cmd, body in listener.events(2):
        equal(cmd, uapi.CMD_EVENT)
        event = n.attrs_dict(body)
        kind = objects[n.get(event[uapi.EVENT_OBJECT])]
        seen.add((kind, whats[n.get(event[uapi.EVENT_WHAT])]))
        if kind == "PORT":
            port_name = n.attrs_dict(event[uapi.EVENT_PORT])[uapi.PORT_NAME]
            if port_name not in (b"a0\0", b"a9\0", b"b0\0"):
                raise AssertionError(port_name)
        if kind == "NEIGH" and event[uapi.EVENT_ADDRESS] == bytes([10, 1, 0, 2]):
            equal(n.get(event[uapi.EVENT_IFINDEX]) > 0, True)
        if seen >= want:
            return
    raise AssertionError(f"never came: {sorted(want - seen)}")


@tap.test("counters: cleared by a base, drop reasons dumped whole")
def counters():
    nl = start()
    ip("addr add 10.1.0.1/24 dev a0")
    equal([n.get(d[uapi.DROP_REASON]) for d in nl.dump(uapi.CMD_DROP_GET)], list(range(1, uapi.DROP_REASON_MAX + 1)))

    def red():
        got = nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, n.u32(RED))])[0]
        return n.stats(got[uapi.VRF_STATS])

    # a local socket's packet that meets no route of the VRF
    table = n.get(nl.do(uapi.CMD_VRF_GET, [(uapi.VRF_ID, n.u32(RED))])[0][uapi.VRF_TABLE])
    ip(f"route add default dev RED table {table}")
    subprocess.run("ping -c 1 -W 1 -I RED 10.99.0.1".split(), check=False, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    if not red()["drops"] or not nl.drops().get(uapi.DROP_NO_ROUTE):
        raise AssertionError(f"no drop was counted: {red()} {nl.drops()}")
    nl.do(uapi.CMD_STATS_CLEAR)
    equal(set(red().values()), {0})
    equal(nl.drops(), {})
    refused(22, "reserved bit", nl.do, uapi.CMD_STATS_CLEAR, [(uapi.CLEAR_KINDS, n.u32(1 << 20))])


@tap.test("random routes: dump, count and digest against a model")
def churn():
    seed = int(os.environ.get("L3VPN_SEED", random.randrange(1 << 30)))
    print(f"# seed {seed}", flush=True)
    rand = random.Random(seed)
    nl = start(False)
    for nh in range(1, 9):
        nl.nh_new(nh, uapi.NH_KIND_BLACKHOLE)
    model = {0: {}, 1: {}}
    for _ in range(60):
        v6 = rand.randrange(2)
        width = 128 if v6 else 32
        base = (0x20010db8 << 96) if v6 else (10 << 24)

        def some():
            plen = rand.choice((0, 1, 8, 12, 16, 24, 28, 31, 32) + ((48, 64, 65, 127, 128) if v6 else ()))
            addr = base | rand.getrandbits(width // 2 if rand.random() < .5 else 12)
            return addr >> (width - plen) << (width - plen), plen

        pack = n.prefix6 if v6 else n.prefix4
        keys = {some() for _ in range(rand.randrange(1, 200))}
        if rand.random() < .6:
            new = {k: (rand.randrange(1, 9), rand.choice((None, 0, 16, 1048575))) for k in keys}
            records = [pack(k, *v) for k, v in new.items()]
            nl.route_add(RED, *([(), records] if v6 else [records, ()]))
            model[v6].update(new)
        else:
            keys |= set(rand.sample(sorted(model[v6]), min(len(model[v6]), 50)))
            records = [pack(k, 0) for k in keys]
            nl.route_del(RED, *([(), records] if v6 else [records, ()]), route_flags=uapi.ROUTE_FLAG_IDEMPOTENT)
            for key in keys:
                model[v6].pop(key, None)
        for family in (0, 1):
            words = 4 if family else 1
            total = 0
            for (addr, plen), (nh, label) in model[family].items():
                total += n.fold(uapi.OBJECT_ROUTE6 if family else uapi.OBJECT_ROUTE4,
                                [RED] + [addr >> (32 * (words - 1 - i)) & 0xffffffff for i in range(words)] +
                                [plen, nh, uapi.LABEL_NONE if label is None else label])
            equal(nl.tables()[(uapi.OBJECT_ROUTE6 if family else uapi.OBJECT_ROUTE4, RED)],
                  (len(model[family]), total & n.MASK), f"table, IPv{6 if family else 4}")
    for family in (0, 1):
        kind = ipaddress.IPv6Address if family else ipaddress.IPv4Address
        want = sorted((addr, plen, nh, label if label is not None else -1)
                      for (addr, plen), (nh, label) in model[family].items())
        got = [(int(kind(p.split("/")[0])), int(p.split("/")[1]), nh, label if label is not None else -1)
               for p, nh, label in nl.route_dump(RED, bool(family))]
        equal(got, want, "dump, sorted")


tap.main(clean)
