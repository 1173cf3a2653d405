# SPDX-License-Identifier: GPL-2.0
"""TCP MD5 signatures (RFC 2385) with FRR, BIRD and GoBGP: in the core (lib/mesh.py), and with CEs that have one address in two
VRFs, and a password each.

    ce-red 10.255.0.2 -- (red) pe (l3vpnd) (blue) -- 10.255.0.2 ce-blue
"""
import re
import time

import pytest

from mesh import AS, NAMES, OTHERS, RR, loopback, password
from topology import Bird, Frr, Gobgp, L3vpnd, Topology, run, wait_for

PEER = dict(argvalues=OTHERS, ids=[NAMES[n] for n in OTHERS])
VRFS = {"RED": 1, "BLUE": 2}
PE_SIDE, CE_SIDE, CE_AS = "10.255.0.1", "10.255.0.2", 65010


def all_signed(capture):
    """All segments but resets, of which there are some."""
    found = [f for f in capture.frames() if "Flags" in f and "Flags [R" not in f]
    return found and all("md5" in f for f in found)


@pytest.mark.interop("MD5: in the core")
@pytest.mark.parametrize("n", **PEER)
def test_core(mesh, n):
    """Segments are signed; with another password there is no session, with the right one there is."""
    mesh.client(n)
    text = "router bgp %d\n neighbor %s\n  password %s\n !\n!"
    with mesh["rr"].tcpdump("core", "tcp port 179 and host %s" % loopback(n)) as capture:
        mesh.router(RR).configure(text % (AS, loopback(n), "not-the-one"))
        wait_for("down", lambda: loopback(n) not in mesh.established(RR), 30)
        time.sleep(3)
        assert loopback(n) not in mesh.established(RR)
        mesh.router(RR).configure(text % (AS, loopback(n), password(n)))
        wait_for("up again", lambda: loopback(n) in mesh.established(RR), 60)
    assert all_signed(capture)


# ---- in VRFs ----

def secret(vrf):
    return "between-us-and-%s" % vrf


def site(vrf):
    return "10.%d.0.0/16" % VRFS[vrf]


def neighbor(vrf, word):
    return ("router bgp %d\n vrf %s\n  neighbor %s\n   remote-as %d\n   password %s\n   timers connect-retry 1\n"
            "   address-family ipv4 unicast\n    route-policy in ALL\n    route-policy out ALL\n   !\n  !\n !\n!\n"
            % (AS, vrf, CE_SIDE, CE_AS, word))


def pe_config():
    text = "hostname PE\nroute-policy ALL\n statement 10\n  action accept\n !\n!\n"
    for vrf, index in VRFS.items():
        target = "%d:%d" % (AS, index)
        text += ("vrf %s\n rd %s\n address-family ipv4 unicast\n  import route-target %s\n  export route-target %s\n !\n!\n"
                 "interface %s\n vrf %s\n ipv4 address %s/30\n!\n" % (vrf, target, target, target, vrf.lower(), vrf, PE_SIDE))
    return text + "router bgp %d\n router-id 192.0.2.1\n!\n" % AS + "".join(neighbor(vrf, secret(vrf)) for vrf in VRFS)


def frr(node, vrf):
    text = ("router bgp %d\n bgp router-id %s\n no bgp ebgp-requires-policy\n no bgp network import-check\n neighbor %s remote-as %d\n"
            " neighbor %s password %s\n neighbor %s timers connect 1\n address-family ipv4 unicast\n  network %s\n"
            % (CE_AS, CE_SIDE, PE_SIDE, AS, PE_SIDE, secret(vrf), PE_SIDE, site(vrf)))
    return Frr(node, text, daemons=("zebra", "bgpd"))


def bird(node, vrf):
    return Bird(node, "router id %s;\nprotocol device { }\nprotocol static { ipv4; route %s blackhole; }\n"
                "protocol bgp ours { local %s as %d; neighbor %s as %d; password \"%s\"; connect retry time 1; connect delay time 1;\n"
                "  error wait time 1,2; ipv4 { import all; export where source = RTS_STATIC; }; }\n"
                % (CE_SIDE, site(vrf), CE_SIDE, CE_AS, PE_SIDE, AS, secret(vrf)))


def gobgp(node, vrf):
    return Gobgp(node, "[global.config]\n  as = %d\n  router-id = \"%s\"\n[[neighbors]]\n  [neighbors.config]\n"
                 "    neighbor-address = \"%s\"\n    peer-as = %d\n    auth-password = \"%s\"\n  [neighbors.timers.config]\n"
                 "    connect-retry = 1\n" % (CE_AS, CE_SIDE, PE_SIDE, AS, secret(vrf)))


MAKE = dict(zip(OTHERS, (frr, bird, gobgp)))


class Vrfs(Topology):
    def build(self):
        run(["modprobe", "veth"], check=False)
        self.add("pe", "ce-red", "ce-blue")
        self.link("ce-red:pe", "pe:red", "ce-blue:pe", "pe:blue")
        for vrf in VRFS:
            self["ce-" + vrf.lower()].ip("addr add %s/30 dev pe" % CE_SIDE)
        self.pe = L3vpnd(self["pe"], pe_config()).start()
        return self

    def start(self, n):
        for vrf in VRFS:
            router = MAKE[n](self["ce-" + vrf.lower()], vrf).start()
            if n == OTHERS[-1]:
                router.cli("global", "rib", "add", site(vrf))

    def end(self):
        for vrf in VRFS:
            daemons = self["ce-" + vrf.lower()].daemons
            for process in daemons:
                process.kill()
                process.wait(5)
            daemons.clear()

    def known(self):
        """VRFs whose CE has told its route."""
        return {vrf for vrf in VRFS if site(vrf) in self.pe.sh("show bgp vrf %s ipv4" % vrf)}

    def complaints(self, vrf):
        return len(re.findall("%s %s: no session, and .* wrong MD5 signature: is the password the same" % (vrf, CE_SIDE),
                              self.pe.sh("show log last 400")))


@pytest.fixture(scope="module")
def vrfs():
    with Vrfs() as network:
        yield network.build()


@pytest.mark.interop("MD5: two VRFs, one address, two passwords")
@pytest.mark.parametrize("n", **PEER)
def test_vrfs(vrfs, n):
    """Each has its own password; with the one of the other VRF there is no session, and the log says why it may be."""
    with vrfs["pe"].tcpdump("red", "tcp port 179") as red, vrfs["pe"].tcpdump("blue", "tcp port 179") as blue:
        vrfs.start(n)
        wait_for("both sessions", lambda: vrfs.known() == set(VRFS), 60)
    assert all_signed(red) and all_signed(blue)
    assert site("BLUE") not in vrfs.pe.sh("show bgp vrf RED ipv4") and site("RED") not in vrfs.pe.sh("show bgp vrf BLUE ipv4")
    told, blue_told = vrfs.complaints("RED"), vrfs.complaints("BLUE")
    vrfs.pe.configure(neighbor("RED", secret("BLUE")))
    wait_for("the log", lambda: vrfs.complaints("RED") > told, 20)
    assert vrfs.known() == {"BLUE"} and vrfs.complaints("BLUE") == blue_told
    vrfs.pe.configure(neighbor("RED", secret("RED")))
    wait_for("both again", lambda: vrfs.known() == set(VRFS), 60)
    vrfs.end()
    wait_for("both gone", lambda: not vrfs.known(), 20)
