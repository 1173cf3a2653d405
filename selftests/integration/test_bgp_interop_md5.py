# SPDX-License-Identifier: GPL-2.0
"""TCP MD5 signatures (RFC 2385) with FRR, BIRD and GoBGP, in the core."""
import time

import pytest

from mesh import AS, NAMES, OTHERS, RR, loopback, password
from topology import wait_for


@pytest.mark.parametrize("n", OTHERS, ids=[NAMES[n] for n in OTHERS])
def test_core(mesh, n):
    """Segments are signed; with another password there is no session, with the right one there is."""
    mesh.client(n)
    text = "router bgp %d\n neighbor %s\n  password %s\n !\n!"
    with mesh["rr"].tcpdump("core", "tcp port 179 and host %s" % loopback(n)) as capture:
        mesh.router(RR).configure(text % (AS, loopback(n), "not-the-one"))
        wait_for("down", lambda: loopback(n) not in mesh.established(RR), 30)
        time.sleep(5)
        assert loopback(n) not in mesh.established(RR)
        mesh.router(RR).configure(text % (AS, loopback(n), password(n)))
        wait_for("up again", lambda: loopback(n) in mesh.established(RR), 60)
    signed = [f for f in capture.frames() if "Flags" in f and "Flags [R" not in f]
    assert signed and all("md5" in f for f in signed)
