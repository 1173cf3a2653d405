# SPDX-License-Identifier: GPL-2.0
"""Which test shows what beside whom: the matrix in Documentation/interop.rst (scripts/gen-interop).

A test declares what it shows by a marker; when it has passed, that is recorded in L3VPN_RESULTS:

    @pytest.mark.interop("BGP: VPNv{v}, client of our reflector", packets=("FRR",))

The text may have parameters of the test in it. peers: whom it shows it beside; without, the one whose name is a part of
the test's id. tables and packets: control plane and forwarding; True, or those peers alone.
lacks: {peer: why}: what a peer does not have, so that there is no such case; with one reason alone, the test itself shows
that. notes: {peer: what else there is to say}. A cell of the matrix is there when all tests that declare it have passed.
"""
import functools
import json
import os
import re
import subprocess

PEERS = ("FRR", "BIRD", "GoBGP", "Linux")
# rows are in the order of these, then in that of their tests
SUBJECTS = ("BGP", "graceful restart", "MD5", "labelled unicast", "BGP with CEs", "transport", "BFD")
VERSION_OF = {"FRR": ["/usr/lib/frr/bgpd", "--version"], "BIRD": ["bird", "--version"], "GoBGP": ["gobgpd", "--version"],
              "Linux": ["uname", "-r"]}


class Unclear(Exception):
    """A marker that says nothing that could be shown."""


@functools.lru_cache
def version(peer):
    told = subprocess.run(VERSION_OF[peer], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    return re.search(r"\d+\.\d+(\.\d+)?" if peer != "Linux" else r"\d+\.\d+", told)[0]


def _peer_of(test):
    params = test.nodeid.partition("[")[2].rstrip("]").split("-")
    found = [peer for peer in PEERS if peer.lower() in params]
    if len(found) != 1:
        raise Unclear("%s: beside whom? Its id names %s" % (test.nodeid, found or "nobody"))
    return found


def _cells(test, what, peers=(), tables=True, packets=False, lacks=(), notes=()):
    params = test.callspec.params if hasattr(test, "callspec") else {}
    what = what.format(**params)
    if what.partition(":")[0] not in SUBJECTS:
        raise Unclear("%s: %s begins with none of: %s" % (test.nodeid, what, ", ".join(SUBJECTS)))
    for peer in peers or _peer_of(test):
        yield {"what": what, "peer": peer, "tables": tables is True or bool(tables and peer in tables),
               "packets": packets is True or bool(packets and peer in packets),
               "lacks": lacks if isinstance(lacks, str) else "", "note": dict(notes).get(peer, ""), "test": test.nodeid}
    for peer, why in () if isinstance(lacks, str) else dict(lacks).items():
        yield {"what": what, "peer": peer, "tables": False, "packets": False, "lacks": why, "note": "", "test": test.nodeid}


def cases(test):
    """What a collected test declares, as a list of dicts."""
    found = []
    for mark in test.iter_markers("interop"):
        for cell in _cells(test, *mark.args, **mark.kwargs):
            if cell["peer"] not in PEERS or not (cell["lacks"] or cell["tables"] or cell["packets"]):
                raise Unclear("%s: %s" % (test.nodeid, cell))
            path, _, name = cell["test"].partition("::")
            found.append(dict(cell, test="%s::%s" % (os.path.basename(path), name)))
    return found


def _records():
    folder = os.environ.get("L3VPN_RESULTS")
    return folder and os.path.join(folder, "interop.jsonl")


def begin():
    """Tests are about to run: what earlier ones have recorded is no more."""
    if _records() and os.path.exists(_records()):
        os.unlink(_records())


def record(test):
    """It passed."""
    found = cases(test)
    if not found or not _records():
        return
    with open(_records(), "a", encoding="utf-8") as out:
        for case in found:
            json.dump(dict(case, version=version(case["peer"])), out)
            out.write("\n")
