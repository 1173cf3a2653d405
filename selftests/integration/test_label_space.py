# SPDX-License-Identifier: GPL-2.0
"""The label space: ranges by owner, what the operator reserves, what Linux's own MPLS table holds."""
import pytest

from topology import L3vpnd, Topology, run, wait_for

CONFIG = """vrf RED
 rd 65000:1
 address-family ipv4 unicast
  export route-target 65000:1
 !
!
interface lan
 vrf RED
 ipv4 address 10.1.0.1/24
!
interface core
 mpls
 ipv4 address 198.51.100.0/31
!
mpls
 label range owner vpn 20000 20009
 label range owner static 300 309
 label reserve other 20000 20001
!
router bgp 65000
 router-id 192.0.2.1
 vrf RED
  address-family ipv4 unicast
   redistribute connected
  !
 !
!
"""


@pytest.fixture(scope="module")
def pe():
    with Topology() as net:
        run(["modprobe", "mpls_router"])
        net.add("pe", "ce", "p")
        net.link("pe:lan", "ce:pe", "pe:core", "p:pe")
        net["pe"].sysctl("net.mpls.platform_labels=100000")
        # held before the daemon starts
        net["pe"].run("ip", "-f", "mpls", "route", "add", "20002", "dev", "lo")
        pe = L3vpnd(net["pe"], CONFIG).start()
        pe.host = net["pe"]
        yield pe


def label_of(pe, what):
    return next((row["label"] for row in pe.json("show labels") if row["for"] == what and row["state"] == "programmed"), None)


def ranges(pe):
    return {row["owner"]: row for row in pe.json("show mpls label-range")}


def test_neither_reserved_nor_the_kernels(pe):
    assert wait_for("the VRF's label", lambda: label_of(pe, "vrf RED"), 20) == 20003
    rows = ranges(pe)
    assert (rows["vpn"]["minimum"], rows["vpn"]["maximum"], rows["vpn"]["taken"]) == (20000, 20009, 4)
    assert (rows["static"]["minimum"], rows["static"]["taken"]) == (300, 0)
    assert (rows["reserved for other"]["minimum"], rows["reserved for other"]["maximum"]) == (20000, 20001)
    assert rows["reserved for kernel"]["minimum"] == 20002


def test_the_kernels_table_is_followed(pe):
    pe.host.run("ip", "-f", "mpls", "route", "add", "301", "dev", "lo")
    wait_for("301", lambda: any(r["minimum"] == 301 for r in pe.json("show mpls label-range")), 10)
    pe.configure("mpls\n static cross-connect 301\n  next-hop 198.51.100.1\n  out-label 900\n")
    assert wait_for("the refusal", lambda: "label 301 is reserved for kernel" in pe.sh("show log"), 10)
    assert label_of(pe, "static") is None
    pe.host.run("ip", "-f", "mpls", "route", "del", "301")
    assert wait_for("the cross-connect", lambda: label_of(pe, "static"), 10) == 301
    assert "reserved for kernel" not in [row["owner"] for row in pe.json("show mpls label-range") if row["minimum"] == 301]


def test_ranges_do_not_overlap(pe):
    with pytest.raises(Exception, match="overlap"):
        pe.configure("mpls\n label range owner static 300 20005\n")
    with pytest.raises(Exception, match="another owner's range"):
        pe.configure("mpls\n static cross-connect 20004\n  next-hop 198.51.100.1\n  out-label 900\n")
    with pytest.raises(Exception, match="outside the static range"):
        pe.configure("mpls\n static cross-connect 500\n  next-hop 198.51.100.1\n  out-label 900\n")
    with pytest.raises(Exception, match="overlaps the dynamic one"):
        pe.configure("mpls\n label range owner vpn 20000 100005\n")
    assert ranges(pe)["static"]["minimum"] == 300
