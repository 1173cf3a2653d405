# SPDX-License-Identifier: GPL-2.0
"""100,000 VPN routes from a peer reach the module; 4,000 VRFs are made, used and removed. Prints time and memory.

    pe (l3vpnd) (core)--- far: a BGP speaker
"""
import ipaddress
import json
import re
import time

import pytest

from speaker import VPNV4, Speaker, end_of_rib, vpn_updates
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
 ipv4 address 198.51.100.0/31
!
mpls
 static lsp 198.51.100.1/32
  path 198.51.100.1 out-label implicit-null
 !
!
router bgp 65000
 router-id 192.0.2.1
 neighbor 198.51.100.1
  remote-as 65000
  passive
  address-family vpnv4 unicast
  !
 !
!
"""
ROUTES = 100000
VRFS = 4000


@pytest.fixture()
def lab():
    with Topology() as net:
        net.add("pe", "far")
        net.link("pe:core", "far:pe")
        net["far"].ip("addr add 198.51.100.1/31 dev pe")
        net.pe = L3vpnd(net["pe"], CONFIG).start()
        yield net


def memory_mb(process):
    text = open("/proc/%d/status" % process.pid, encoding="ascii").read()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) / 1024


def slab_mb():
    text = open("/proc/meminfo", encoding="ascii").read()
    return int(re.search(r"Slab:\s+(\d+)", text).group(1)) / 1024


def routes_in_module(net):
    rows = json.loads(net.pe.sh("show forwarding summary | json"))["rows"]
    return sum(int(row["entries"]) for row in rows if row["table"] == "ipv4-route")


def test_routes(lab, capsys):
    base = int(ipaddress.ip_address("20.0.0.0"))
    routes = [("65000:9", "%s/32" % ipaddress.ip_address(base + i), 100 + i % 500) for i in range(ROUTES)]
    updates = list(vpn_updates(VPNV4, "198.51.100.1", ["65000:1"], routes))
    slab = slab_mb()
    speaker = Speaker(lab["far"], "198.51.100.0", 65000, "192.0.2.9", families=(VPNV4,)).connect()
    begin = time.monotonic()
    speaker.send(*updates, end_of_rib(VPNV4))
    wait_for("all routes in the module", lambda: routes_in_module(lab) >= ROUTES, 200, 0.5)
    seconds = time.monotonic() - begin
    with capsys.disabled():
        print("\n" + json.dumps({"case": "vpn_routes_to_module", "routes": ROUTES, "seconds": round(seconds, 2),
                                 "peak_mb": round(memory_mb(lab.pe.process), 1), "slab_mb": round(slab_mb() - slab, 1)}))
    speaker.close()
    wait_for("all routes gone with the session", lambda: routes_in_module(lab) == 0, 200, 0.5)


def test_vrfs(lab, capsys):
    slab = slab_mb()
    text = "".join("vrf V%d\n rd 65000:%d\n address-family ipv4 unicast\n  import route-target 65000:1\n !\n!\n" % (i, i + 10)
                   for i in range(VRFS))
    begin = time.monotonic()
    lab.pe.configure(text)
    wait_for("all VRFs", lambda: lab["pe"].run("ip", "-o", "link", "show").count("V") >= VRFS, 400, 1)
    made = time.monotonic() - begin
    speaker = Speaker(lab["far"], "198.51.100.0", 65000, "192.0.2.9", families=(VPNV4,)).connect()
    speaker.send(*vpn_updates(VPNV4, "198.51.100.1", ["65000:1"], [("65000:9", "20.1.0.0/16", 500)]))
    wait_for("a route in the last VRF", lambda: "20.1.0.0/16" in lab.pe.sh("show forwarding vrf V%d" % (VRFS - 1)), 200, 0.5)
    grown = slab_mb() - slab
    begin = time.monotonic()
    lab.pe.configure("".join("no vrf V%d\n" % i for i in range(VRFS)))
    wait_for("all VRFs gone", lambda: lab["pe"].run("ip", "-o", "link", "show").count(": V") == 0, 400, 1)
    with capsys.disabled():
        print("\n" + json.dumps({"case": "vrfs", "vrfs": VRFS, "made_seconds": round(made, 2),
                                 "removed_seconds": round(time.monotonic() - begin, 2),
                                 "peak_mb": round(memory_mb(lab.pe.process), 1), "slab_mb": round(grown, 1)}))
