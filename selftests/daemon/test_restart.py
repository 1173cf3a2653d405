# SPDX-License-Identifier: GPL-2.0
"""The daemon dies, is started twice, starts without the module; the module is reloaded; state is tampered with."""
import os
import re
import subprocess

from conftest import START, unload
from topology import BUILD, wait_for


class Pings:
    """100 pings a second from ce1 to ce2, until the end of the block."""

    def __init__(self, site):
        self.site = site

    def __enter__(self):
        self.process = self.site["ce1"].start("ping", "-n", "-q", "-i", "0.01", "-I", "10.1.0.1", "10.2.0.1",
                                              log="pings.log")
        return self

    def __exit__(self, *_exc):
        self.process.send_signal(2)
        self.process.wait(10)
        text = open(self.process.log, encoding="utf-8").read()
        self.sent, self.received = map(int, re.findall(r"(\d+) packets transmitted, (\d+) received", text)[-1])


def test_sigkill_loses_nothing(site):
    with Pings(site) as pings:
        for _ in range(2):
            before = site.genl("print(nl.tables())")
            site.daemon.kill()
            assert site["ce1"].ping("10.2.0.1", source="10.1.0.1", count=5)
            site.daemon.start()
            site.settled()
            assert site.genl("print(nl.tables())") == before, "the restart changed what the module holds"
    assert pings.sent > 200
    assert pings.sent - pings.received <= 1, "%d of %d lost" % (pings.sent - pings.received, pings.sent)


def test_what_changed_while_it_was_away(site):
    site.daemon.kill()
    text = START.replace("  route 2001:db8:1::/48\n   next-hop 2001:db8:ff:1::2\n  !\n", "")
    site["pe"].topology.write("pe.conf", text)
    site.daemon.start()
    site.settled()
    assert "2001:db8:1::/48" not in site.daemon.sh("show forwarding vrf RED")
    assert int(site.summary()[0]["swept"]) >= 1
    site["pe"].topology.write("pe.conf", START)
    site.daemon.process.send_signal(1)
    wait_for("SIGHUP brings the route back",
             lambda: "2001:db8:1::/48" in site.daemon.sh("show forwarding vrf RED"), 20)
    site.settled()


def test_a_clean_stop_leaves_forwarding(site):
    with Pings(site) as pings:
        site.daemon.stop()
        assert site.daemon.process.returncode == 0
        assert site["ce1"].ping("10.2.0.1", source="10.1.0.1", count=5)
        site.daemon.start()
        site.settled()
    assert pings.sent - pings.received <= 1


def test_clear_on_exit(site):
    site.daemon.stop()
    site.daemon.args.append("--clear-on-exit")
    site.daemon.start()
    site.settled()
    site.daemon.stop()
    assert site.daemon.process.returncode == 0
    assert "RED" not in site["pe"].run("ip", "-br", "link")
    rules = site["pe"].run("ip", "rule", "show")
    assert rules.startswith("0:") and "32765" not in rules, rules
    site.daemon.args.remove("--clear-on-exit")
    site.daemon.start()
    site.settled()


def test_deleted_route_is_mended(site):
    before = int(site.summary()[0]["mended"])
    site.genl("import ipaddress\n"
              "red = [n.get(v[uapi.VRF_ID]) for v in nl.dump(uapi.CMD_VRF_GET) if v[uapi.VRF_NAME] == b'RED\\0'][0]\n"
              "nl.route_del(red, [n.prefix4('10.2.0.0/16', 0)])\n")
    wait_for("the audit mends it", lambda: int(site.summary()[0]["mended"]) == before + 1, 30)
    site.settled()
    assert int(site.summary()[0]["mended"]) == before + 1, "more was touched than the difference"


def test_deleted_vrf_device_comes_back(site):
    site["pe"].ip("link del BLUE")
    wait_for("BLUE forwards again", lambda: site["ce3"].ping("10.255.1.1", count=1, timeout=1), 60)
    site.settled()


def test_module_reload(site, module):
    unload()
    assert site.daemon.process.poll() is None
    wait_for("the daemon tells", lambda: site.summary()[0]["present"] == "no", 20)
    subprocess.run(["insmod", module], check=True)
    site.settled()
    assert int(site.summary()[0]["reloads"]) >= 1
    assert site["ce3"].ping("10.255.1.1")


def test_second_daemon_says_so_and_leaves(site):
    done = subprocess.run(site["pe"].argv([os.path.join(BUILD, "l3vpnd"), "--state", site.daemon.state, "--socket",
                                           site.path("second.sock"), "--foreground"]),
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "another l3vpnd (process %d)" % site.daemon.process.pid in done.stderr
    assert site.daemon.process.poll() is None
    site.settled()


def test_module_absent(site, module):
    site.daemon.stop()
    unload()
    done = subprocess.run(site["pe"].argv([os.path.join(BUILD, "l3vpnd"), *site.daemon.args]),
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "module l3vpn is not loaded: modprobe l3vpn" in done.stderr
    subprocess.run(["insmod", module], check=True)
    site.daemon.start()
    site.settled()


def test_bad_start_up_file_is_refused_as_a_whole(site):
    path = site["pe"].topology.write("bad.conf", START + "interface red1\n ipv4 address 300.1.1.1/24\n!\n")
    done = subprocess.run(site["pe"].argv([os.path.join(BUILD, "l3vpnd"), "--state", site.path("bad-state"), "--socket",
                                           site.path("bad.sock"), "--config", path, "--provider", "none",
                                           "--foreground"]),
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert done.returncode == 1
    line = START.count("\n") + 2
    assert "bad.conf:%d:" % line in done.stderr, done.stderr


def test_show(site):
    assert site["ce1"].ping("10.2.0.1", source="10.1.0.1")
    routes = {r["prefix"]: r for r in site.daemon.json("show forwarding vrf RED")}
    assert routes["10.2.0.0/16"]["path"] == "10.255.2.1 dev red2"
    assert routes["10.2.0.0/16"]["origin"] == "daemon"
    assert routes["10.255.1.1/32"]["origin"] == "kernel"
    only = site.daemon.json("show forwarding vrf RED 10.1.0.0/16")
    assert [r["prefix"] for r in only] == ["10.1.0.0/16"]
    exact = site.daemon.sh("show forwarding exact-route RED 10.2.3.4")
    assert "10.2.0.0/16" in exact and "10.255.2.1 dev red2" in exact
    ports = {p["name"]: p for p in site.daemon.json("show ports")}
    assert set(ports) == {"red1", "red2", "blue1", "core"}
    assert ports["red1"]["rx-packets"] > 0
    interfaces = {i["name"]: i for i in site.daemon.json("show interfaces")}
    assert interfaces["red1"]["port"] == "bound" and interfaces["red1"]["vrf"] == "RED"
    site.daemon.sh("clear counters")
    assert {p["name"]: p for p in site.daemon.json("show ports")}["red2"]["tx-packets"] == 0


def test_monitor_drops(site):
    monitor = site["pe"].start(os.path.join(BUILD, "l3vpnsh"), "--socket", site.daemon.socket, "-c", "monitor drops",
                               log="drops.log")
    try:
        wait_for("a dropped packet is shown", lambda: not site["ce1"].ping("10.77.0.1", count=1, timeout=1)
                 and "no-route" in open(monitor.log, encoding="utf-8").read(), 30)
    finally:
        monitor.terminate()
        monitor.wait(5)
    assert "no-route" in site.daemon.sh("show drops")


def test_a_full_table_takes_what_fits(site):
    routes = "".join("  route 10.66.%d.0/24\n   next-hop 10.255.2.1\n  !\n" % i for i in range(8))
    site.daemon.configure("vrf RED\n address-family ipv4 unicast\n  maximum prefix 5\n  !\n !\n!\n"
                          "router static\n vrf RED\n" + routes + " !\n!\n")

    def refused():
        facts, tables = site.summary()
        row = [t for t in tables if isinstance(t, dict) and t.get("table") == "ipv4-route" and t.get("vrf") == "RED"][0]
        return facts["waiting"] == "0" and row["entries"] == 5 and row["refused"] == 5 and row["equal"]
    wait_for("five are in, and it is told of five that are not", refused, 30)
    assert "No space" in site.summary()[0]["last-refusal"] or "limit" in site.summary()[0]["last-refusal"]
    site.daemon.configure("vrf RED\n address-family ipv4 unicast\n  no maximum prefix\n")
    wait_for("all are in", lambda: site.summary()[0]["failed"] == "0" and len(
        [r for r in site.daemon.json("show forwarding vrf RED") if r["prefix"].startswith("10.66.")]) == 8, 60)
    site.daemon.configure("router static\n vrf RED\n" + "".join("  no route 10.66.%d.0/24\n" % i for i in range(8)))
    site.settled()
