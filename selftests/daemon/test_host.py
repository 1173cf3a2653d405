# SPDX-License-Identifier: GPL-2.0
"""What the daemon does to the host: addresses, neighbours, links, VRF devices, rules; and only what differs."""
import json

from topology import wait_for


def test_addresses(site):
    assert site.addresses("red1") == {"10.255.1.1/30", "2001:db8:ff:1::1/64"}
    assert site.addresses("red2") == {"10.255.2.0/31"}
    assert site.addresses("core") == {"198.51.100.2/31"}
    # the same address in two VRFs, each its own
    assert site["ce3"].ping("10.255.1.1")
    assert site["ce1"].ping("10.255.1.1")
    assert site["ce2"].ping("10.255.2.0")


def test_loopback_of_a_vrf(site):
    assert site.addresses("RED") == {"10.255.255.1/32", "2001:db8:ff::1/128"}
    assert site["ce1"].ping("10.255.255.1", source="10.1.0.1")
    wait_for("over IPv6", lambda: site["ce1"].ping("2001:db8:ff::1", source="2001:db8:1::1"), 20)
    assert not site["ce3"].ping("10.255.255.1", count=1, timeout=1), "BLUE reaches RED's loopback"


def test_tables_end_in_unreachable(site):
    links = json.loads(site["pe"].run("ip", "-j", "-d", "link", "show", "RED"))
    assert links[0]["flags"].count("UP")
    routes = site["pe"].run("ip", "-4", "route", "show", "table", "all")
    assert routes.count("default dev RED") == 1
    assert routes.count("unreachable default") >= 2
    assert "default dev RED" in site["pe"].run("ip", "-6", "route", "show", "table", "all")


def test_local_rule_is_behind_the_vrfs(site):
    for family in ("-4", "-6"):
        rules = site["pe"].run("ip", family, "rule", "show").splitlines()
        order = [line.split(":")[0] for line in rules if "lookup local" in line]
        assert order == ["32765"], rules
        assert any(line.startswith("1000:") for line in rules)


def test_commit_touches_only_what_differs(site):
    with open(site.path("monitor.log"), "w", encoding="utf-8") as log:
        import subprocess
        monitor = subprocess.Popen(site["pe"].argv(["ip", "-o", "monitor", "link", "address", "route"]), stdout=log)
    try:
        site.daemon.configure("interface red2\n ipv4 address 192.0.2.129/25\n ipv4 address 192.0.2.5/32\n")
        wait_for("the addresses are there", lambda: site.addresses("red2") == {
            "10.255.2.0/31", "192.0.2.129/25", "192.0.2.5/32"}, 20)
        site.daemon.configure("interface red2\n no ipv4 address 192.0.2.129/25\n no ipv4 address 192.0.2.5/32\n")
        wait_for("they are gone", lambda: site.addresses("red2") == {"10.255.2.0/31"}, 20)
    finally:
        monitor.terminate()
        monitor.wait(5)
    text = open(site.path("monitor.log"), encoding="utf-8").read()
    assert "192.0.2.129" in text
    for other in ("red1", "blue1", "core", "10.255.2.0"):
        assert other not in text, "%s was touched:\n%s" % (other, text)


def test_static_neighbours(site):
    pe = site["pe"]
    site.daemon.configure("interface red1\n arp 10.255.1.2 02:00:00:00:00:42\n"
                          " ipv6 neighbor 2001:db8:ff:1::77 02:00:00:00:00:77\n")
    wait_for("the ARP entry", lambda: "02:00:00:00:00:42 PERMANENT" in pe.run("ip", "neigh", "show", "10.255.1.2"), 20)
    wait_for("the ND entry", lambda: "02:00:00:00:00:77 PERMANENT" in pe.run("ip", "-6", "neigh", "show"), 20)
    assert not site["ce1"].ping("10.2.0.1", source="10.1.0.1", count=1, timeout=1), "the static MAC is not used"
    # deleted behind the daemon's back: it comes again
    pe.ip("neigh del 10.255.1.2 dev red1")
    wait_for("it is back", lambda: "02:00:00:00:00:42 PERMANENT" in pe.run("ip", "neigh", "show", "10.255.1.2"), 20)
    site.daemon.configure("interface red1\n no arp 10.255.1.2\n no ipv6 neighbor 2001:db8:ff:1::77\n")
    wait_for("both are gone", lambda: "PERMANENT" not in pe.run("ip", "neigh", "show"), 20)
    site.settled()


def test_shutdown_and_back(site):
    site.daemon.configure("interface red2\n shutdown\n")
    wait_for("the link is down", lambda: "UP" not in site["pe"].run("ip", "-br", "link", "show", "red2").split()[2:3]
             and "state DOWN" in site["pe"].run("ip", "link", "show", "red2"), 20)
    assert not site["ce1"].ping("10.2.0.1", source="10.1.0.1", count=1, timeout=1)
    site.daemon.configure("interface red2\n no shutdown\n")
    site.settled()
    assert site.addresses("red2") == {"10.255.2.0/31"}


def test_renamed_is_unbound_and_comes_back(site):
    pe = site["pe"]
    pe.ip("link set red2 down", "link set red2 name other", "link set other up")
    wait_for("no port of that device", lambda: "other" not in site.daemon.sh("show ports"), 20)
    assert not site["ce1"].ping("10.2.0.1", source="10.1.0.1", count=1, timeout=1)
    pe.ip("link set other down", "link set other name red2", "link set red2 up")
    site.settled()


def test_deleted_and_made_again_binds_by_itself(site):
    site["pe"].ip("link del red2")
    wait_for("it is gone", lambda: "red2" not in site.daemon.sh("show ports"), 20)
    site.link("pe:red2", "ce2:pe")
    site["ce2"].ip("addr add 10.255.2.1/31 dev pe", "route replace default via 10.255.2.0")
    site.settled()
    assert site.addresses("red2") == {"10.255.2.0/31"}


def test_moved_to_another_vrf_and_back(site):
    site.daemon.configure("no router static vrf RED route 10.2.0.0/16\ninterface red2\n vrf BLUE\n")
    wait_for("it is BLUE's", lambda: any(p["name"] == "red2" and p["vrf"] == "BLUE"
                                         for p in site.daemon.json("show ports")), 20)
    assert not site["ce1"].ping("10.255.2.1", source="10.1.0.1", count=1, timeout=1)
    site.daemon.configure("interface red2\n vrf RED\n!\nrouter static\n vrf RED\n  route 10.2.0.0/16\n   next-hop 10.255.2.1\n")
    site.settled()


def test_refused_addresses(site):
    for line, reason in (("ipv4 address 10.9.0.0/16", "network"), ("ipv4 address 10.9.255.255/16", "broadcast"),
                         ("ipv4 address 224.0.0.1/24", "can have"), ("ipv4 address 10.255.1.1/30", "already")):
        try:
            site.daemon.configure("interface red2\n %s\n" % line)
        except Exception as error:  # pylint: disable=broad-except
            assert reason in str(error), error
        else:
            raise AssertionError(line + " was taken")
    assert site.addresses("red2") == {"10.255.2.0/31"}
