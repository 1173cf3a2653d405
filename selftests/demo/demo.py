#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The demo: two customers with the same addresses over one core, on real parts.

Run in a guest by scripts/demo. Shows the configuration being typed and committed, the tables,
what crosses the wire, and that nothing crosses between the customers. Ends with a summary of
checks; the exit status says whether all passed. --shell leaves the network up and opens l3vpnsh.
"""
import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from provider import CUSTOMERS, PES, Provider, pe_config, site4, site6  # noqa: E402
from topology import BUILD, Failed, L3vpnd, labels, wait_for  # noqa: E402

RESULTS = []


def title(text):
    print("\n=== %s" % text, flush=True)


def show(text, limit=40):
    lines = text.rstrip("\n").splitlines()
    for line in lines[:limit]:
        print("    " + line)
    if len(lines) > limit:
        print("    ... %d more lines" % (len(lines) - limit))
    sys.stdout.flush()


def check(name, passed):
    RESULTS.append((name, bool(passed)))
    print("  [%s] %s" % ("ok" if passed else "FAILED", name), flush=True)


def type_configuration(pe, n):
    """Type the configuration of PE n in its shell, and commit it."""
    text = pe_config(n)
    if n == 1:
        title("PE1: the configuration is typed in l3vpnsh, and committed")
        show(text, 200)
    pe.configure(text)


def tables(net):
    title("PE1: what it knows")
    for command in ("show vrf", "show interfaces", "show bgp summary", "show bgp vpnv4 unicast",
                    "show route vrf RED", "show mpls lsp", "show labels", "show forwarding vrf RED",
                    "show forwarding summary"):
        print("  PE1# " + command)
        show(net.pe[1].sh(command))
    print("  PE1# explain vrf RED prefix 10.2.0.0/16")
    show(net.pe[1].sh("explain vrf RED prefix 10.2.0.0/16"))
    title("The reflector (GoBGP)")
    show(net.rr.cli("global", "rib", "-a", "vpnv4"))
    title("PE2 (FRR)")
    show(net.frr.vtysh("show ip route vrf RED"))


def reach(net):
    title("Inside each VPN: every site reaches every other, IPv4 and IPv6")
    for customer in CUSTOMERS:
        for one in PES:
            for other in PES:
                if one == other:
                    continue
                ce = net["ce-%s%d" % (customer, one)]
                check("%s site %d -> site %d IPv4" % (customer.upper(), one, other),
                      ce.ping(site4(other), source=site4(one), deadline=10))
                check("%s site %d -> site %d IPv6" % (customer.upper(), one, other),
                      ce.ping(site6(other), source=site6(one), deadline=10))


def isolation(net):
    title("RED cannot reach BLUE, though both use the same addresses")
    net["ce-blue2"].ip("addr add 10.2.77.77/32 dev lo", "addr add 2001:db8:2::77/128 dev lo nodad")
    check("BLUE has 10.2.77.77: BLUE site 1 reaches it", net["ce-blue1"].ping("10.2.77.77", source=site4(1), deadline=10))
    check("BLUE has 2001:db8:2::77: BLUE site 1 reaches it", net["ce-blue1"].ping("2001:db8:2::77", source=site6(1), deadline=10))
    heard = net["ce-blue2"].tcpdump("pe", "host", "10.2.77.77", "or", "host", "2001:db8:2::77")
    with heard:
        check("RED gets no answer from 10.2.77.77", not net["ce-red1"].ping("10.2.77.77", source=site4(1), timeout=1))
        check("RED gets no answer from 2001:db8:2::77", not net["ce-red1"].ping("2001:db8:2::77", source=site6(1), timeout=1))
    check("nothing of it arrived at BLUE's site", heard.text().strip() == "")
    check("a CE cannot reach a core address", not net["ce-red1"].ping("192.0.2.1", timeout=1))
    check("a CE cannot reach the reflector", not net["ce-red1"].ping("192.0.2.9", timeout=1))


def wire(net):
    title("On the wire between PE1 and P: two labels")
    with net["pe1"].tcpdump("core", "mpls") as capture:
        net["ce-red1"].ping(site4(2), source=site4(1), count=2)
        net["ce-red1"].ping(site6(2), source=site6(1), count=2)
        wait_for("both requests captured", lambda: capture.text().count("echo request") >= 2, 10)
    frames = capture.frames()
    show("\n".join(frame.split("ethertype ")[1] for frame in frames if "echo request" in frame), 6)
    out = [labels(frame) for frame in frames if "echo request" in frame]
    check("requests carry transport label 1002 and a VPN label", out and all(len(s) == 2 and s[0] == 1002 and s[1] >= 16 for s in out))
    vpn = {stack[-1] for stack in out}
    rib = net.rr.cli("global", "rib", "-a", "vpnv4") + net.rr.cli("global", "rib", "-a", "vpnv6")
    check("and the VPN labels are those that the reflector shows", vpn and all("[%d]" % label in rib for label in vpn))


def counters(net):
    title("PE1: counters and drops")
    for command in ("show counters", "show drops"):
        print("  PE1# " + command)
        show(net.pe[1].sh(command))
    rows = net.pe[1].json("show counters")
    check("the counters of PE1 moved", any(int(value) > 0 for row in rows for key, value in row.items()
                                           if "packets" in key))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shell", action="store_true", help="leave the network up and open l3vpnsh on PE1")
    args = parser.parse_args()
    begin = time.monotonic()
    with Provider() as net:
        title("Building the network of namespaces")
        print(__import__("provider").__doc__.split("\n\n")[1])
        net.build()
        net.start_peers()
        net.pe = {n: L3vpnd(net["pe%d" % n]).start() for n in (1, 3)}
        for n, pe in net.pe.items():
            type_configuration(pe, n)
        title("Waiting for BGP and forwarding")
        try:
            net.converged()
            check("three PEs at the reflector, every site in every VRF", True)
        except Failed as error:
            print("    " + str(error))
            check("three PEs at the reflector, every site in every VRF", False)
        for part in (tables, reach, isolation, wire, counters):
            try:
                part(net)
            except (Failed, AssertionError, OSError, subprocess.TimeoutExpired, ValueError) as error:
                print("    " + str(error))
                check("%s ran to its end" % part.__name__, False)
        failed = [name for name, passed in RESULTS if not passed]
        title("Summary: %d s" % (time.monotonic() - begin))
        for name in failed:
            print("  FAILED: " + name)
        print("%d passed, %d failed, 0 skipped" % (len(RESULTS) - len(failed), len(failed)), flush=True)
        if failed:
            net.show_logs(25)
        if args.shell:
            print("\nThe network is up. This is l3vpnsh on PE1; 'exit' ends it all.", flush=True)
            subprocess.run(net["pe1"].argv([os.path.join(BUILD, "l3vpnsh"), "--socket", net.pe[1].socket]), check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
