# SPDX-License-Identifier: GPL-2.0
"""BGP's extensions on the wire: with a speaker whose every octet the test chooses, and beside FRR, BIRD and GoBGP.

    ce 10.1.0.2 -- (red) pe (l3vpnd) -- far: the speaker at .1 and a second one at .3, both of our AS
                          |  |  |
                         frr | gobgp      PEs of our AS without customers: each announces one VPN route
                            bird

The link to each is 198.51.N.0/24, ours is .2.
"""
import socket
import struct
import time

import pytest

from speaker import (VPNV4, Speaker, as_path, attribute, capabilities, capability, end_of_rib, ext_communities, local_pref,
                     message, mp_reach, mp_unreach, origin, refresh, update, vpn_nlri, vpn_updates, with_id)
from topology import Bird, Frr, Gobgp, L3vpnd, Topology, wait_for

AS = 65000
FAR, FRR, BIRD, GOBGP = 100, 101, 102, 103
PEERS = {FAR: (1, 3), FRR: (1,), BIRD: (1,), GOBGP: (1,)}
OWN = "10.1.0.0/24"
ROUTES = {FRR: "20.101.0.0/16", BIRD: "20.102.0.0/16", GOBGP: "20.103.0.0/16"}
GR = capability(64, struct.pack("!H", 120))
GR_KEPT = capability(64, struct.pack("!HHBB", 120, *VPNV4, 0x80))   # forwarding state was kept
ENHANCED_REFRESH = capability(70)
HEAD = origin() + as_path() + local_pref() + ext_communities("65000:1")


def address(n, host):
    return "198.51.%d.%d" % (n, host)


def neighbor(n, host):
    return (" neighbor %s\n  remote-as %d\n  timers connect-retry 2\n%s  address-family vpnv4 unicast\n"
            "   additional-paths receive\n%s  !\n !\n" % (address(n, host), AS, "  passive\n" if n == FAR else "",
                                                          "   route-reflector-client\n" if host == 3 else ""))


def pe_config():
    text = "vrf RED\n rd 65000:1\n address-family ipv4 unicast\n  import route-target 65000:1\n  export route-target 65000:1\n !\n!\n"
    text += "interface red\n vrf RED\n ipv4 address 10.1.0.1/24\n!\n"
    for n in PEERS:
        text += "interface n%d\n mpls\n ipv4 address %s/24\n!\n" % (n, address(n, 2))
    text += "mpls\n"
    for n, hosts in PEERS.items():
        for host in hosts:
            text += " static lsp %s/32\n  path %s out-label implicit-null\n !\n" % (address(n, host), address(n, host))
    text += "!\nrouter bgp %d\n router-id 192.0.2.1\n" % AS
    text += "".join(neighbor(n, host) for n, hosts in PEERS.items() for host in hosts)
    return text + " vrf RED\n  address-family ipv4 unicast\n   redistribute connected\n  !\n !\n!\n"


def frr_config():
    ours = address(FRR, 2)
    return ("hostname FRR\nlog stdout\nrouter bgp %d\n bgp router-id 192.0.2.101\n no bgp default ipv4-unicast\n bgp log-neighbor-changes\n"
            " neighbor %s remote-as %d\n neighbor %s timers connect 2\n"
            " address-family ipv4 vpn\n  neighbor %s activate\n  neighbor %s route-map RT out\n"
            "  neighbor %s addpath-tx-all-paths\n"
            "  network %s rd 65000:101 label 1101\n exit-address-family\nexit\n"
            "route-map RT permit 1\n set extcommunity rt 65000:1\nexit\n"
            % (AS, ours, AS, ours, ours, ours, ours, ROUTES[FRR]))


def bird_config():
    return ("log stderr all;\nrouter id 192.0.2.102;\nvpn4 table vt;\nprotocol device { }\n"
            "protocol static { vpn4 { table vt; };\n"
            "  route 65000:102 %s via %s mpls 1102 { bgp_ext_community.add((rt, 65000, 1)); }; }\n"
            "protocol bgp ours { local %s as %d; neighbor %s as %d; connect retry time 2; error wait time 1,5;\n"
            "  enable extended messages on;\n"
            "  vpn4 mpls { table vt; import all; export where source = RTS_STATIC; add paths on; next hop self; }; }\n"
            % (ROUTES[BIRD], address(BIRD, 2), address(BIRD, 1), AS, address(BIRD, 2), AS))


def gobgp_config():
    return ("[global.config]\n  as = %d\n  router-id = \"192.0.2.103\"\n"
            "[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"%s\"\n    peer-as = %d\n"
            "  [neighbors.timers.config]\n    connect-retry = 2\n"
            "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"l3vpn-ipv4-unicast\"\n"
            "    [neighbors.afi-safis.add-paths.config]\n      receive = true\n      send-max = 8\n" % (AS, address(GOBGP, 2), AS))


class Lab(Topology):
    def build(self):
        self.add("ce", "pe", "far", "frr", "bird", "gobgp")
        ends = ["ce:pe", "pe:red"]
        for n, node in self.peers().items():
            ends += ["pe:n%d" % n, node + ":pe"]
        self.link(*ends)
        self["ce"].ip("addr add 10.1.0.2/24 dev pe")
        for n, node in self.peers().items():
            self[node].ip(*["addr add %s/24 dev pe" % address(n, host) for host in PEERS[n]])
        self.frr = Frr(self["frr"], frr_config()).start()
        self.bird = Bird(self["bird"], bird_config()).start()
        self.gobgp = Gobgp(self["gobgp"], gobgp_config()).start()
        self.gobgp.cli("global", "rib", "add", "-a", "vpnv4", ROUTES[GOBGP], "label", "1103", "rd", "65000:103",
                       "rt", "65000:1")
        self.pe = L3vpnd(self["pe"], pe_config(), args=("--log-level", "debug")).start()
        for prefix in ROUTES.values():
            wait_for(prefix, lambda prefix=prefix: prefix in self.table(), 60)
        return self

    @staticmethod
    def peers():
        return {FAR: "far", FRR: "frr", BIRD: "bird", GOBGP: "gobgp"}

    def table(self):
        return self.pe.sh("show bgp vpnv4 unicast")

    def log(self):
        return self.pe.sh("show log")

    def speaker(self, host=1, **how):
        return Speaker(self["far"], address(FAR, 2), AS, "192.0.2.%d" % (200 + host), source=address(FAR, host),
                       families=how.pop("families", (VPNV4,)), **how).connect()

    def refreshes(self, n):
        """ROUTE-REFRESH messages that came and went."""
        return [int(word.split()[0]) for word in self.items(address(n, 1))["ROUTE-REFRESH"].split(", ")]

    def items(self, peer):
        return {row["item"]: row["value"] for row in self.pe.json("show bgp neighbors") if row["neighbor"] == peer}


@pytest.fixture(scope="module")
def lab():
    with Lab() as net:
        yield net.build()


@pytest.fixture()
def speaker(lab):
    """A speaker of the test's making: call it. Closed at the end."""
    made = []

    def make(**how):
        made.append(lab.speaker(**how))
        return made[-1]
    yield make
    for one in made:
        one.close()
    assert lab.pe.process.poll() is None, "the daemon lives"


def routes(n, label=500, rd="65000:9"):
    return [(rd, "30.%d.0.0/16" % i, label) for i in range(n)]


def has_end(updates):
    """Is the End-of-RIB of VPNv4 among these bodies? Its MP_UNREACH_NLRI has a length of one octet or two."""
    return any(len(body) in (10, 11) and body.endswith(b"\3\0\1\x80") for body in updates)


# ---- RFC 7313: enhanced route refresh ----

def test_refresh_is_marked(lab, speaker):
    """Asked again, we tell all between the marks; a speaker without the capability gets no marks."""
    one = speaker(capabilities=ENHANCED_REFRESH)
    wait_for("End-of-RIB", lambda: has_end(one.received), 20)
    assert any(b"\x0a\x01\x00" in body for body in one.received)
    before = len(one.received)
    one.send(refresh(VPNV4))
    wait_for("both marks", lambda: len(one.refreshes) == 2, 20)
    (begin, end), told = one.refreshes, one.received[before:]
    assert begin == (1, 128, 1, before) and end == (1, 128, 2, len(one.received))
    assert any(b"\x0a\x01\x00" in body for body in told)
    assert not has_end(told), "End-of-RIB is not for refreshes"
    plain = speaker(host=3)
    wait_for("End-of-RIB", lambda: has_end(plain.received), 20)
    before = len(plain.received)
    plain.send(refresh(VPNV4))
    wait_for("told again", lambda: len(plain.received) > before, 20)
    time.sleep(0.5)
    assert not plain.refreshes


def test_refresh_before_end_of_rib(lab, speaker):
    """The marks wait for End-of-RIB (RFC 7313 section 4)."""
    one = speaker(capabilities=ENHANCED_REFRESH + GR)
    one.send(refresh(VPNV4))
    wait_for("both marks", lambda: len(one.refreshes) == 2, 20)
    assert has_end(one.received[:one.refreshes[0][3]])


def test_what_a_refresh_does_not_mention_goes(lab, speaker):
    one = speaker(capabilities=ENHANCED_REFRESH)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(3)), end_of_rib(VPNV4))
    wait_for("three routes", lambda: "30.2.0.0/16" in lab.table(), 20)
    # an end without a beginning means nothing
    one.send(refresh(VPNV4, 2))
    one.send(refresh(VPNV4, 1), *vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)))
    wait_for("the beginning is seen", lambda: "refresh under way" in lab.items(address(FAR, 1))["vpnv4 unicast"], 20)
    assert all("30.%d.0.0/16" % i in lab.table() for i in range(3)), "nothing goes before the end"
    # beginning anew keeps what came
    one.send(refresh(VPNV4, 1), *vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(2)[1:]), refresh(VPNV4, 2))
    wait_for("the third is gone", lambda: "30.2.0.0/16" not in lab.table(), 20)
    assert "30.0.0.0/16" in lab.table() and "30.1.0.0/16" in lab.table()
    assert not one.closed.is_set()


def test_beginning_before_end_of_rib_is_ignored(lab, speaker):
    """... when graceful restart is agreed on, so that one mark does not end the other's time."""
    one = speaker(capabilities=ENHANCED_REFRESH + GR)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(2)))
    one.send(refresh(VPNV4, 1), refresh(VPNV4, 2))
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], [("65000:9", "30.7.0.0/16", 7)]))
    wait_for("what came behind", lambda: "30.7.0.0/16" in lab.table(), 20)
    assert "30.1.0.0/16" in lab.table()
    assert "End-of-RIB did not come yet" in lab.log()


def test_refresh_that_never_ends(lab, speaker):
    lab.pe.configure("router bgp 65000\n graceful-restart stale-path-time 2")
    one = speaker(capabilities=ENHANCED_REFRESH)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(2)), end_of_rib(VPNV4))
    wait_for("routes", lambda: "30.1.0.0/16" in lab.table(), 20)
    one.send(refresh(VPNV4, 1), *vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)))
    wait_for("what was not told again is gone", lambda: "30.1.0.0/16" not in lab.table(), 20)
    assert "30.0.0.0/16" in lab.table() and not one.closed.is_set()
    lab.pe.configure("router bgp 65000\n no graceful-restart stale-path-time")


@pytest.mark.parametrize("n", (FRR, BIRD))
def test_refresh_by_others(lab, n):
    """We ask, they mark what they tell again: FRR and BIRD both know RFC 7313."""
    before = lab.refreshes(n)
    lab.pe.sh("clear bgp %s soft in" % address(n, 1))
    wait_for("both marks came", lambda: lab.refreshes(n)[0] == before[0] + 2, 20)
    assert lab.refreshes(n)[1] == before[1] + 1
    assert "refresh under way" not in lab.items(address(n, 1))["vpnv4 unicast"]
    assert ROUTES[n] in lab.table()


def test_refresh_for_others(lab):
    """They ask and we mark: their tables keep what we told."""
    before = {n: lab.refreshes(n)[1] for n in (FRR, BIRD)}
    lab.frr.vtysh("clear bgp ipv4 vpn %s soft in" % address(FRR, 2))
    lab.bird.cli("reload in ours")
    for n in (FRR, BIRD):
        wait_for("two marks to %d" % n, lambda n=n: lab.refreshes(n)[1] == before[n] + 2, 30)
    time.sleep(1)
    assert OWN in lab.frr.vtysh("show bgp ipv4 vpn")
    assert OWN in lab.bird.cli("show route table vt")


# ---- RFC 4724: graceful restart ----

def test_second_restart(lab, speaker):
    """What was stale already when the peer goes again is not kept (RFC 4724 section 4.2)."""
    one = speaker(capabilities=GR_KEPT)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(2)), end_of_rib(VPNV4))
    wait_for("routes", lambda: "30.1.0.0/16" in lab.table(), 20)
    one.close()
    wait_for("down", lambda: lab.items(address(FAR, 1))["state"] != "established", 20)
    assert "30.0.0.0/16" in lab.table() and "30.1.0.0/16" in lab.table()
    one = speaker(capabilities=GR_KEPT)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(2, label=555)[1:]))
    wait_for("one is told again", lambda: "555" in lab.table(), 20)
    one.close()
    wait_for("the other one goes", lambda: "30.0.0.0/16" not in lab.table(), 20)
    assert "30.1.0.0/16" in lab.table()
    one = speaker(capabilities=GR_KEPT)
    one.send(end_of_rib(VPNV4))
    wait_for("nothing is left", lambda: "30.1.0.0/16" not in lab.table(), 20)


# ---- RFC 4486, 8538, 9003: how sessions end ----

GR_NOTIFY = capability(64, struct.pack("!HHBB", 0x4000 | 120, *VPNV4, 0x80))


def last_reset(net, n, host=1):
    return net.items(address(n, host))["last reset"]


def test_shutdown_with_a_reason(lab, speaker):
    one = speaker()
    lab.pe.configure("router bgp %d\n neighbor %s\n  shutdown\n  shutdown-reason \"back at six\"" % (AS, address(FAR, 1)))
    assert one.closed.wait(20)
    assert one.notification == (6, 2, b"\x0bback at six")
    # while it is shut down it hears why not
    with socket_to(lab, 1) as again:
        assert again.recv(64) == b"\xff" * 16 + struct.pack("!HBBB", 21, 3, 6, 5)
    lab.pe.configure("router bgp %d\n neighbor %s\n  no shutdown\n  no shutdown-reason" % (AS, address(FAR, 1)))
    one = speaker()
    lab.pe.configure("router bgp %d\n neighbor %s\n  shutdown" % (AS, address(FAR, 1)))
    assert one.closed.wait(20) and one.notification == (6, 2, b"")
    lab.pe.configure("router bgp %d\n neighbor %s\n  no shutdown" % (AS, address(FAR, 1)))


def socket_to(lab, host):
    return lab["far"].inside(lambda: socket.create_connection((address(FAR, 2), 179), timeout=10,
                                                              source_address=(address(FAR, host), 0)))


def test_who_is_no_neighbor_hears_so(lab):
    lab["far"].ip("addr add %s/24 dev pe" % address(FAR, 77))
    with socket_to(lab, 77) as stranger:
        assert stranger.recv(64) == b"\xff" * 16 + struct.pack("!HBBB", 21, 3, 6, 5)
        assert stranger.recv(64) == b""


@pytest.mark.parametrize("how,told", (
    ("", (6, 9, b"\6\4")), ("graceful", (6, 4, b"")), ('reason "new cable"', (6, 9, b"\6\4\x09new cable")),
    ('graceful reason "new cable"', (6, 4, b"\x09new cable"))))
def test_reset(lab, speaker, how, told):
    """Graceful, both keep routes; otherwise it is a Hard Reset (RFC 8538)."""
    one = speaker(capabilities=GR_NOTIFY)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)), end_of_rib(VPNV4))
    wait_for("the route", lambda: "30.0.0.0/16" in lab.table(), 20)
    lab.pe.sh("clear bgp %s %s" % (address(FAR, 1), how))
    assert one.closed.wait(20) and one.notification == told
    if "graceful" in how:
        assert "30.0.0.0/16" in lab.table()
        one = speaker(capabilities=GR_NOTIFY)
        one.send(end_of_rib(VPNV4))
    wait_for("the route goes", lambda: "30.0.0.0/16" not in lab.table(), 20)


@pytest.mark.parametrize("body,kept", ((b"\6\4", True), (b"\4\0", True), (b"\6\x09\6\4\x03why", False)))
def test_reset_by_the_peer(lab, speaker, body, kept):
    one = speaker(capabilities=GR_NOTIFY)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)), end_of_rib(VPNV4))
    wait_for("the route", lambda: "30.0.0.0/16" in lab.table(), 20)
    one.send(message(3, body))
    wait_for("down", lambda: lab.items(address(FAR, 1))["state"] != "established", 20)
    if kept:
        assert "30.0.0.0/16" in lab.table()
        one = speaker(capabilities=GR_NOTIFY)
        one.send(end_of_rib(VPNV4))
    else:
        assert last_reset(lab, FAR) == 'received Cease/Hard Reset, Cease/Administrative Reset: "why"'
    wait_for("the route goes", lambda: "30.0.0.0/16" not in lab.table(), 20)


def test_without_the_n_bit_a_notification_is_for_good(lab, speaker):
    one = speaker(capabilities=GR_KEPT)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)), end_of_rib(VPNV4))
    wait_for("the route", lambda: "30.0.0.0/16" in lab.table(), 20)
    one.send(message(3, b"\4\0"))
    wait_for("the route goes", lambda: "30.0.0.0/16" not in lab.table(), 20)


def test_reasons_are_cleaned(lab, speaker):
    """What a peer says may not play with the operator's terminal."""
    one = speaker()
    one.send(message(3, b"\6\2" + bytes((9,)) + b"a\x1b]0;\xff\xc3\xa4b"))
    wait_for("down", lambda: "Shutdown" in last_reset(lab, FAR), 20)
    assert last_reset(lab, FAR) == 'received Cease/Administrative Shutdown: "a?]0;?\u00e4b"'
    assert '"a?]0;???b"' in lab.log(), "the log is plain ASCII"


def test_reasons_of_others(lab):
    """FRR's, BIRD's and GoBGP's operators say why."""
    for n, say, undo in (
            (FRR, lambda: lab.frr.vtysh("configure terminal", "router bgp %d" % AS,
                                        "neighbor %s shutdown message frr says so" % address(FRR, 2)),
             lambda: lab.frr.vtysh("configure terminal", "router bgp %d" % AS, "no neighbor %s shutdown" % address(FRR, 2))),
            (BIRD, lambda: lab.bird.cli('disable ours "bird says so"'), lambda: lab.bird.cli("enable ours")),
            (GOBGP, lambda: lab.gobgp.cli("neighbor", address(GOBGP, 2), "shutdown", "--reason", "gobgp says so"),
             lambda: lab.gobgp.cli("neighbor", address(GOBGP, 2), "enable"))):
        say()
        wait_for("%d's reason" % n, lambda n=n: "says so" in last_reset(lab, n), 30)
        assert "Administrative Shutdown: \"" in last_reset(lab, n)
        undo()
    for n, prefix in ROUTES.items():
        wait_for("%s again" % prefix, lambda prefix=prefix: prefix in lab.table(), 60)


def test_reasons_to_others(lab):
    for n in (FRR, BIRD, GOBGP):
        lab.pe.sh('clear bgp %s reason "we say so"' % address(n, 1))
    for n, told in (("frr", "bgpd"), ("bird", "bird"), ("gobgp", "gobgpd")):
        def logged(n=n, told=told):
            with open(lab.path("%s-%s.log" % (n, told)), encoding="utf-8", errors="replace") as log:
                return "we say so" in log.read()
        wait_for("%s logs it" % n, logged, 30)
    for prefix in ROUTES.values():
        wait_for("%s again" % prefix, lambda prefix=prefix: prefix in lab.table(), 60)


def test_graceful_maintenance(lab, speaker):
    """RFC 8326: both sides' routes become the last to be used while the session lasts."""
    pref = attribute(0x40, 5, struct.pack("!I", 0))
    mark = b"\xff\xff\0\0"
    one = speaker()
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)), end_of_rib(VPNV4))
    wait_for("the route", lambda: "30.0.0.0/16" in lab.table(), 20)
    wait_for("ours", lambda: any(b"\x0a\x01\x00" in body for body in one.received), 20)
    assert not any(mark in body and b"\x0a\x01\x00" in body for body in one.received)
    lab.pe.configure("router bgp %d\n neighbor %s\n  graceful-maintenance" % (AS, address(FAR, 1)))
    wait_for("marked", lambda: any(mark in body and pref in body and b"\x0a\x01\x00" in body for body in one.received), 20)
    wait_for("asked again", lambda: (1, 128, 0) in [refreshed[:3] for refreshed in one.refreshes], 20)
    one.send(*vpn_updates(VPNV4, address(FAR, 1), ["65000:1"], routes(1)))
    wait_for("lowered", lambda: [row.get("local-preference") for row in lab.pe.json("show bgp vpnv4 unicast 30.0.0.0/16")] == [0], 20)
    before = len(one.received)
    lab.pe.configure("router bgp %d\n neighbor %s\n  no graceful-maintenance" % (AS, address(FAR, 1)))
    wait_for("as before", lambda: any(mark not in body and b"\x0a\x01\x00" in body for body in one.received[before:]), 20)
    assert not one.closed.is_set()


def test_malformed_update_is_dumped(lab, speaker):
    """Whole, at level debug (RFC 7606 section 6)."""
    bad = update(origin(7) + as_path() + local_pref() + ext_communities("65000:1") + attribute(0xc0, 99, bytes(500)) +
                 mp_reach(VPNV4, address(FAR, 1), vpn_nlri("65000:9", "30.1.0.0/16", 500)))
    one = speaker()
    one.send(bad, bad)
    wait_for("dumped", lambda: "part 4 of 4" in lab.log(), 20)
    parts = [line.split(": ")[-1] for line in lab.log().splitlines() if "malformed UPDATE, part" in line]
    assert len(parts) == 4, "once in a while"
    assert bytes.fromhex("".join(parts)) == bad
    assert not one.closed.is_set()


# ---- RFC 7911: several paths ----

def test_paths_of_one_neighbor(lab, speaker):
    """Each identifier is a route of its own; a withdrawal takes the one it names."""
    one = speaker(capabilities=capability(69, struct.pack("!HBB", *VPNV4, 2)))
    assert struct.pack("!HBB", *VPNV4, 1) in capabilities(one.peer_open)[69]
    paths = [with_id(i, vpn_nlri("65000:9", "30.1.0.0/16", 500 + i % 9)) for i in (1, 2, 0xffffffff)]
    one.send(update(HEAD + mp_reach(VPNV4, address(FAR, 1), b"".join(paths))))

    def labels():
        return sorted(row["label"] for row in lab.pe.json("show bgp vpnv4 unicast 30.1.0.0/16"))

    wait_for("three paths", lambda: len(labels()) == 3, 20)
    assert "additional paths received, End-of-RIB sent: 3 received" in lab.items(address(FAR, 1))["vpnv4 unicast"]
    one.send(update(mp_unreach(VPNV4, paths[1])))
    wait_for("one is gone", lambda: len(labels()) == 2, 20)
    assert 502 not in labels()
    # the same identifier again: in place of the path before
    one.send(update(HEAD + mp_reach(VPNV4, address(FAR, 1), with_id(1, vpn_nlri("65000:9", "30.1.0.0/16", 777)))))
    wait_for("replaced", lambda: 777 in labels(), 20)
    assert len(labels()) == 2
    one.close()
    wait_for("all go with the session", lambda: "30.1.0.0/16" not in lab.table(), 20)


# ---- RFC 8654: extended messages ----

def test_extended_messages_are_taken(lab, speaker):
    """4,000 routes in one message; and routes with 60,000 octets of communities."""
    one = speaker(capabilities=capability(6))
    assert 6 in capabilities(one.peer_open)
    many = b"".join(vpn_nlri("65000:9", "31.%d.%d.0/24" % (i >> 8, i & 255), 600) for i in range(4000))
    one.send(update(HEAD + mp_reach(VPNV4, address(FAR, 1), many)))
    long = HEAD + attribute(0xc0, 8, struct.pack("!HH", 65000, 0) * 15000)
    one.send(update(long + mp_reach(VPNV4, address(FAR, 1), vpn_nlri("65000:9", "30.1.0.0/16", 500))))
    wait_for("all of them", lambda: "4001 received" in lab.items(address(FAR, 1))["vpnv4 unicast"], 30)
    assert "30.1.0.0/16" in lab.table()
    assert "extended-message" in lab.items(address(FAR, 1))["capabilities"]
    # withdrawn likewise
    one.send(update(mp_unreach(VPNV4, many)))
    wait_for("one is left", lambda: "1 received" in lab.items(address(FAR, 1))["vpnv4 unicast"], 30)
    assert not one.closed.is_set()


def test_extended_messages_are_sent(lab, speaker):
    """To who can take them; to who cannot, what does not fit is withdrawn."""
    nlri = vpn_nlri("65000:9", "30.1.0.0/16", 500)
    long = HEAD + attribute(0xc0, 8, b"".join(struct.pack("!HH", 65000, i) for i in range(5000)))
    one = speaker(capabilities=capability(6))
    client = speaker(host=3, capabilities=capability(6))
    one.send(update(HEAD + mp_reach(VPNV4, address(FAR, 1), nlri)))
    wait_for("reflected", lambda: any(nlri in body for body in client.received), 20)
    one.send(update(long + mp_reach(VPNV4, address(FAR, 1), nlri)))
    wait_for("reflected whole", lambda: any(len(body) > 20000 and nlri in body for body in client.received), 20)
    client.close()
    client = speaker(host=3)
    wait_for("End-of-RIB", lambda: has_end(client.received), 20)
    gone = vpn_nlri("65000:9", "30.1.0.0/16", 0)[4:]
    assert not any(nlri in body for body in client.received)
    one.send(update(HEAD + mp_reach(VPNV4, address(FAR, 1), nlri)))
    wait_for("short enough", lambda: any(nlri in body for body in client.received), 20)
    before = len(client.received)
    one.send(update(long + mp_reach(VPNV4, address(FAR, 1), nlri)))
    wait_for("withdrawn", lambda: any(b"\x80\0\0" + gone in body for body in client.received[before:]), 20)
    assert "their attributes exceed a message" in lab.log()


@pytest.mark.parametrize("n", (FRR, BIRD))
def test_extended_messages_are_agreed_on(lab, n):
    assert "extended-message" in lab.items(address(n, 1))["capabilities"]


@pytest.mark.parametrize("n", (FRR, BIRD, GOBGP))
def test_paths_from_others(lab, n):
    assert "additional paths received" in lab.items(address(n, 1))["vpnv4 unicast"]
    label, = {row["label"] for row in lab.pe.json("show bgp vpnv4 unicast %s" % ROUTES[n])}
    # BIRD with its own address as next hop has no label of its own and says implicit null, under which nothing is imported
    assert label == (3 if n == BIRD else 1000 + n)
    assert (ROUTES[n] in lab.pe.sh("show bgp vrf RED ipv4")) == (n != BIRD)
