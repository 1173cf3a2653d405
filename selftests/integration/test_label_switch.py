# SPDX-License-Identifier: GPL-2.0
"""The label mode is changed under traffic from FRR: nothing is lost (make before break)."""
import pytest

from provider import site4, site6
from test_restart import Flood
from topology import wait_for


def labels_of_site1(net):
    text = net.rr.cli("global", "rib", "-a", "vpnv4") + net.rr.cli("global", "rib", "-a", "vpnv6")
    return sorted(line.split("[")[1].split("]")[0] for line in text.splitlines() if "65000:11:" in line)


@pytest.mark.parametrize("mode", ("per-ce", "per-prefix", "per-vrf"))
def test_switch_loses_nothing(net, mode):
    before = labels_of_site1(net)
    with Flood(net["ce-red2"], site4(1), site4(2)) as four, Flood(net["ce-red2"], site6(1), site6(2)) as six:
        net.pe[1].configure("vrf RED\n label mode %s\n" % mode)
        wait_for("new labels at the reflector", lambda: labels_of_site1(net) != before, 30)
        wait_for("FRR still forwards", lambda: net["ce-red2"].ping(site4(1), source=site4(2)), 10)
    assert four.sent > 100 and four.lost() == 0, "%d of %d lost" % (four.lost(), four.sent)
    assert six.sent > 100 and six.lost() == 0, "%d of %d lost" % (six.lost(), six.sent)
