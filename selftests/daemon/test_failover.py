# SPDX-License-Identifier: GPL-2.0
"""Backups by configuration: a static route with a next hop in reserve; the operator takes a next hop out of use."""
import pytest

from topology import wait_for

ROUTE = """router static
 vrf RED
  route 10.3.0.0/16
   next-hop 10.255.2.1
   next-hop 10.255.1.2 backup
"""


# the gateway of the next hop that the data path takes
GATEWAY = """import socket, struct
red, = [v[uapi.VRF_ID] for v in nl.dump(uapi.CMD_VRF_GET) if v[uapi.VRF_NAME] == b"RED\\0"]
way = nl.do(uapi.CMD_ROUTE_GET, [(uapi.ROUTE_VRF, red), (uapi.ROUTE_DST4, socket.inet_aton("10.3.0.1"))])[0]
print(socket.inet_ntoa(nl.nh_get(n.get(way[uapi.ROUTE_MEMBER]))[uapi.NH_GATEWAY]))
"""


def rows(site):
    """show forwarding next-hops, by id."""
    return {row["id"]: row for row in site.daemon.json("show forwarding next-hops")}


def taken(site):
    """The next hop that a flow takes, as the data path sees it."""
    words = site.daemon.sh("show forwarding exact-route RED 10.3.0.1 source 10.1.0.1 protocol 17").split()
    return int(words[words.index("member") + 1])


def test_backup(site):
    site.daemon.configure(ROUTE)
    site.settled()
    group = next(i for i, row in rows(site).items() if row["kind"] == "group")
    wait_for("the primary is in use", lambda: "10.255.2.1" in rows(site)[taken(site)]["path"], 20)
    primary = taken(site)
    assert rows(site)[group]["in-use"] == str(primary)

    site.daemon.sh("forwarding next-hop %d down" % primary)
    backup = taken(site)
    assert "10.255.1.2" in rows(site)[backup]["path"]
    assert rows(site)[primary]["state"] == "down" and rows(site)[backup]["state"] == "up"
    assert rows(site)[group]["in-use"] == str(backup) and taken(site) == backup
    site.daemon.sh("forwarding next-hop %d up" % primary)
    assert rows(site)[group]["in-use"] == str(primary) and taken(site) == primary

    # a new daemon knows nothing of what the old one said
    site.daemon.sh("forwarding next-hop %d down" % primary)
    site.daemon.kill()
    site.daemon.start()
    site.daemon.configure(ROUTE)
    site.settled()
    wait_for("the state has been swept", lambda: "10.255.2.1" in rows(site)[taken(site)]["path"], 60)
    assert {row["state"] for row in rows(site).values() if row["kind"] == "adjacency"} == {"up"}

    # the link goes, and comes back
    site["ce2"].ip("link set pe down")
    assert site.genl(GATEWAY).strip() == "10.255.1.2"
    site["ce2"].ip("link set pe up", "route replace default via 10.255.2.0")
    site.settled()
    wait_for("the primary again", lambda: "10.255.2.1" in rows(site)[taken(site)]["path"], 20)

    for words, what in (("999999 down", "no such next hop"), ("%d sideways" % primary, "sideways")):
        with pytest.raises(Exception, match=what):
            site.daemon.sh("forwarding next-hop " + words)
    site.daemon.configure("router static\n vrf RED\n  no route 10.3.0.0/16\n")
    site.settled()
    assert not [row for row in rows(site).values() if row["kind"] == "group"]
