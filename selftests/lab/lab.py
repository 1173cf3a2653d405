#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Proves that scripts/vm notices trouble, and that it is quiet where there is none. TAP. Needs no l3vpn.ko.

    selftests/lab/lab.py [KERNEL...]        only the cases on these kernels (default: all)
"""
import os
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
OURS, OTHER = "l3vpn_trouble", "stranger"


def load(what, module=OURS, then=""):
    return f"insmod $L3VPN_MODULES/{module}.ko what={what} {then}".strip()


# kernel, options, command, expected exit status, words that must be shown
CASES = [
    ("uml", "", "true", 0, []),
    ("uml", "", "exit 7", 7, []),
    ("uml", "", "sleep 1000 & echo the command ends", 0, ["the command ends"]),
    ("uml", "--timeout 5", "sleep 1000", 124, ["out of time"]),
    ("uml", "--time-travel --timeout 60", "sleep 1000", 0, []),
    ("uml", "", load("nothing"), 0, []),
    ("uml", "", load("warn"), 99, ["a warning, as asked"]),
    ("uml", "", load("oops"), 98, ["the guest died while running the command", "Kernel mode fault", "trouble_init"]),
    ("uml", "--time-travel", load("device", then="&& (rmmod l3vpn_trouble & sleep 15)"), 99,
     ["unregister_netdevice: waiting for leaked0"]),
    ("uml", "", "echo c > /proc/sysrq-trigger", 98, ["sysrq triggered crash"]),
    ("uml", "", "test -w $L3VPN_RESULTS && ! touch /run/l3vpn/../../proc/1/x && touch /etc/written", 0, []),
    ("6.1", "", load("nothing", then="&& nproc"), 0, ["2"]),
    ("6.1", "", load("warn"), 99, ["a warning, as asked"]),
    ("6.1", "", load("oops"), 98, ["NULL pointer dereference", "make_oops"]),
    ("6.1", "", "modprobe -a vrf mpls_router mpls_iptunnel mpls_gso veth dummy 8021q bridge bonding macvlan tun "
     "sch_netem sch_htb cls_flower act_mirred nf_tables vxlan && test -e /sys/class/net/lo", 0, []),
    ("6.12", "", load("nothing", then="&& uname -r"), 0, ["6.12"]),
    ("6.12", "", load("oops"), 98, ["NULL pointer dereference", "make_oops"]),
    ("x86-debug", "", load("nothing"), 0, []),
    ("x86-debug", "", load("uaf"), 99, ["KASAN: ", "use-after-free", "make_uaf"]),
    ("x86-debug", "", load("lockdep"), 99, ["possible circular locking dependency", "make_lockdep"]),
    ("x86-debug", "", load("sleep"), 99, ["make_sleep"]),
    ("x86-debug", "", load("oops"), 98, ["make_oops"]),
    ("uml-debug", "", load("nothing"), 0, []),
    ("uml-debug", "", load("uaf"), 99, ["KASAN: ", "make_uaf"]),
    ("uml-debug", "", load("lockdep"), 99, ["possible circular locking dependency"]),
    ("uml-debug", "--kmemleak", load("leak"), 99, ["unreferenced object", "make_leak"]),
    ("uml-debug", "--kmemleak", load("leak", OTHER), 0, []),
    ("x86-kcsan", "", load("nothing"), 0, []),
    ("x86-kcsan", "", load("race", then="&& sleep 8"), 99, ["BUG: KCSAN: data-race in racer", "l3vpn_trouble"]),
    ("x86-kcsan", "", load("race", OTHER, then="&& sleep 8"), 0, []),
]


def run(kernel, options, command):
    args = ["scripts/vm", "--timeout", "120", "--kernel", kernel, "--no-module", "--with", "selftests/lab"] + options.split()
    r = subprocess.run(args + ["--", "sh", "-c", command], cwd=TOP, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return r.returncode, r.stdout


def main():
    cases = [c for c in CASES if not sys.argv[1:] or c[0] in sys.argv[1:]]
    print(f"TAP version 13\n1..{len(cases)}", flush=True)
    bad = 0
    for i, (kernel, options, command, expected, words) in enumerate(cases, 1):
        status, text = run(kernel, options, command)
        missing = [w for w in words if w not in text]
        good = status == expected and not missing
        bad += not good
        said = command.replace("$L3VPN_MODULES/", "").replace("#", "")
        print(f"{'' if good else 'not '}ok {i} {kernel} {options + ' ' if options else ''}{said[:70]}: exit {expected}",
              flush=True)
        if not good:
            print(f"# exit status {status}, missing: {missing}")
            print("\n".join("# " + line for line in text.splitlines()[-60:]), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
