#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The YNL spec, the uapi header and the policies in the loaded module say the same.

The module is asked by CTRL_CMD_GETPOLICY for the policy of every command, attribute by attribute: type, range,
length and mask. Where the schema of YNL is at hand (L3VPN_YNL_SCHEMA names its directory), the spec is held to it.
"""
import os
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import l3vpn_nl as n  # noqa: E402
import tap  # noqa: E402
import uapi  # noqa: E402
from tap import equal  # noqa: E402

SPEC = os.path.join(uapi.TOP, "Documentation/netlink/specs/l3vpn.yaml")
with open(SPEC, encoding="utf-8") as spec_file:
    spec = yaml.safe_load(spec_file)
SETS = {s["name"]: s for s in spec["attribute-sets"]}
DEFINITIONS = {d["name"]: d for d in spec["definitions"]}
# NL_ATTR_TYPE_* and NL_POLICY_TYPE_ATTR_* of linux/netlink.h
TYPES = {"u8": 2, "u16": 3, "u32": 4, "u64": 5, "s32": 8, "binary": 10, "string": 12, "nest": 13}
P_TYPE, P_MIN_S, P_MAX_S, P_MIN_U, P_MAX_U, P_MIN_LEN, P_MAX_LEN, P_MASK = 1, 2, 3, 4, 5, 6, 7, 12
U32_MAX = (1 << 32) - 1


def constant(prefix, name):
    """A constant of the header by the spec's words."""
    return uapi.CONSTANTS[(prefix + name).upper().replace("-", "_")]


def number(value):
    """A number, or a constant's name."""
    return DEFINITIONS[value]["value"] if isinstance(value, str) else value


@tap.test("name, version and constants")
def constants():
    equal(spec["name"], uapi.GENL_NAME)
    equal(constant("", spec["c-family-name"]), uapi.GENL_NAME)
    equal(constant("", spec["c-version-name"]), uapi.GENL_VERSION)
    for name, definition in DEFINITIONS.items():
        if definition["type"] == "const":
            equal(definition["value"], constant("l3vpn-", name), name)
    equal([g["name"] for g in spec["mcast-groups"]["list"]], [uapi.MCGRP_EVENTS, uapi.MCGRP_DROPS, uapi.MCGRP_PACKETS])


@tap.test("enums: every entry of the header is in the spec, with its value")
def enums():
    for definition in DEFINITIONS.values():
        if definition["type"] != "enum":
            continue
        value = definition["value-start"]
        words = set()
        for entry in definition["entries"]:
            equal(value, constant(definition["name-prefix"], entry["name"]), entry["name"])
            words.add((definition["name-prefix"] + entry["name"]).upper().replace("-", "_"))
            value += 1
        header = [set(names) for enum, names in uapi.ENUMS if enum and words & set(names)]
        equal(len(header), 1, definition["name"])
        rest = {w for w in header[0] - words if not w.startswith("__") and not w.endswith("_UNSPEC")}
        equal(rest, set(), "entries of the header that the spec lacks")
    flags = {"route-flags": "l3vpn-route-flag-", "label-flags": "l3vpn-label-flag-"}
    for name, prefix in flags.items():
        for entry in DEFINITIONS[name]["entries"]:
            equal(1 << entry["value"], constant(prefix, entry["name"]), entry["name"])


@tap.test("structs: members in order, with the sizes that the client packs")
def structs():
    sizes = {"u8": 1, "u16": 2, "u32": 4, "s32": 4}
    want = {"nh-member": n.member(1), "route4": n.prefix4("0.0.0.0/0", 1), "route6": n.prefix6("::/0", 1),
            "label": n.label_record(16, 1), "trace-step": n.Step().pack(), "source": n.source("::/0")}
    for name, packed in want.items():
        members = DEFINITIONS[name]["members"]
        equal(sum(m["len"] if m["type"] == "binary" else sizes[m["type"]] for m in members), len(packed), name)
        with open(uapi.HEADER, encoding="utf-8") as f:
            body = f.read().split("struct l3vpn_%s {" % name.replace("-", "_"), 1)[1].split("};", 1)[0]
        names = [line.split(";")[0].split()[-1].split("[")[0] for line in body.splitlines() if ";" in line.split("/*")[0]]
        equal([m["name"].replace("-", "_") for m in members], names, name)


@tap.test("attributes: all of the header's, with their numbers")
def attributes():
    for attribute_set in SETS.values():
        prefix = attribute_set["name-prefix"]
        for value, attribute in enumerate(attribute_set["attributes"], 1):
            equal(value, constant(prefix, attribute["name"]), prefix + attribute["name"])
        first = (prefix + attribute_set["attributes"][0]["name"]).upper().replace("-", "_")
        header = [names for _, names in uapi.ENUMS if first in names][0]
        equal(len([name for name in header if not name.startswith("__")]) - 1, len(attribute_set["attributes"]), prefix)


@tap.test("operations: all of the header's, with their numbers, and attributes that exist")
def operations():
    found = set()
    for op in spec["operations"]["list"]:
        equal(op["value"], constant(spec["operations"]["name-prefix"], op["name"]), op["name"])
        found.add(op["value"])
        names = {a["name"] for a in SETS[op["attribute-set"]]["attributes"]}
        for side in ("do", "dump"):
            for part in op.get(side, {}).values():
                equal(set(part["attributes"]) - names, set(), op["name"])
        if "event" in op:
            equal(set(op["event"]["attributes"]) - names, set(), op["name"])
    equal(found, set(range(1, uapi.CMD_MAX + 1)))


def asked(op):
    """The attributes that a command takes: {number: attribute}, of do and dump together."""
    names = set()
    for side in ("do", "dump"):
        names |= set(op.get(side, {}).get("request", {}).get("attributes", []))
    return {value: a for value, a in enumerate(SETS[op["attribute-set"]]["attributes"], 1) if a["name"] in names}


def want_policy(attribute):
    """What the module should say of an attribute."""
    checks = attribute.get("checks", {})
    want = {P_TYPE: TYPES[attribute["type"]]}
    if attribute["type"] in ("u8", "u16", "u32"):
        if "flags-mask" in checks:
            return {P_TYPE: TYPES[attribute["type"]],
                    P_MASK: sum(1 << e["value"] for e in DEFINITIONS[checks["flags-mask"]]["entries"])}
        want[P_MIN_U] = number(checks.get("min", 0))
        want[P_MAX_U] = number(checks.get("max", (1 << 8 * int(attribute["type"][1:]) // 8) - 1))
    elif attribute["type"] == "u64":
        want[P_MIN_U], want[P_MAX_U] = 0, (1 << 64) - 1
    elif attribute["type"] == "s32":
        want[P_MIN_S] = number(checks.get("min", -(1 << 31)))
        want[P_MAX_S] = number(checks.get("max", (1 << 31) - 1))
    else:
        for key, name in ((P_MIN_LEN, "min-len"), (P_MAX_LEN, "max-len")):
            value = checks.get("exact-len", checks.get(name))
            if value is not None:
                want[key] = number(value)
    return want


def policies(nl):
    """{(command, "do" or "dump"): {attribute: policy}} as the module tells them."""
    payload = n.attr(n.CTRL_ATTR_FAMILY_ID, n.u16(nl.family))
    seq = nl.send(n.GENL_ID_CTRL, n.CTRL_CMD_GETPOLICY, payload, n.NLM_F_DUMP)
    tables, ops = {}, {}
    for _, body in nl.receive(seq):
        for kind, data in n.parse_attrs(body):
            if kind == n.CTRL_ATTR_OP_POLICY:
                for cmd, nest in n.parse_attrs(data):
                    for side, index in n.parse_attrs(nest):
                        ops[(cmd, {1: "do", 2: "dump"}[side])] = n.get(index)
            elif kind == n.CTRL_ATTR_POLICY:
                for index, nest in n.parse_attrs(data):
                    for attribute, policy in n.parse_attrs(nest):
                        tables.setdefault(index, {})[attribute] = {k: v for k, v in n.parse_attrs(policy)}
    return {key: tables.get(index, {}) for key, index in ops.items()}


def tell_short(nl, op, attribute, length):
    """An attribute of @length octets is out of range."""
    try:
        nl.do(op["value"], [(attribute, bytes(length))])
    except n.NlError as error:
        equal(error.code, 34, f"{op['name']}: {error}")
    else:
        raise AssertionError(f"{op['name']}: attribute {attribute} of {length} octets was taken")


@tap.test("policies of the module: for every command the attributes, types, ranges, lengths and masks of the spec")
def policy():
    nl = n.L3vpn()
    module = policies(nl)
    for op in spec["operations"]["list"]:
        for side in ("do", "dump"):
            if side not in op:
                equal((op["value"], side) in module, False, f"{op['name']} {side}")
                continue
            want = asked(op)
            got = module.get((op["value"], side), {})
            got = {number_: p for number_, p in got.items() if n.get(p.get(P_TYPE, b"\0")) != 0}
            equal(set(got), set(want), f"attributes of {op['name']} {side}")
            for value, attribute in want.items():
                wanted = want_policy(attribute)
                if P_MIN_LEN in wanted and P_MAX_LEN not in wanted:
                    # The kernel does not tell a lower bound alone: try it.
                    tell_short(nl, op, value, wanted.pop(P_MIN_LEN) - 1)
                for key, expected in wanted.items():
                    data = got[value].get(key)
                    if data is None:
                        raise AssertionError(f"{op['name']} {attribute['name']}: the module tells no {key}")
                    has = n.get(data)
                    if key in (P_MIN_S, P_MAX_S):
                        has = int.from_bytes(data, sys.byteorder, signed=True)
                    equal(has, expected, f"{op['name']} {attribute['name']}: policy attribute {key}")


@tap.test("privilege: commands that the spec flags are refused without it, and only those")
def privilege():
    flagged = {op["value"] for op in spec["operations"]["list"] if "uns-admin-perm" in op.get("flags", [])}
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        refused = []
        os.setgid(65534)
        os.setuid(65534)
        nl = n.L3vpn()
        for op in spec["operations"]["list"]:
            if "do" not in op:
                continue
            try:
                nl.do(op["value"], [])
            except n.NlError as error:
                if error.code == 1:
                    refused.append(op["value"])
        os.write(write, " ".join(map(str, refused)).encode())
        os._exit(0)
    os.close(write)
    got = {int(word) for word in os.read(read, 4096).split()}
    os.close(read)
    os.waitpid(pid, 0)
    equal(got, flagged)


@tap.test("schema: the spec is what YNL expects")
def schema():
    where = os.environ.get("L3VPN_YNL_SCHEMA")
    if not where:
        for op in spec["operations"]["list"]:
            equal(bool({"do", "dump", "event"} & set(op)), True, op["name"])
        return
    import jsonschema  # pylint: disable=import-outside-toplevel
    with open(os.path.join(where, spec["protocol"] + ".yaml"), encoding="utf-8") as f:
        jsonschema.Draft7Validator(yaml.safe_load(f)).validate(spec)


tap.main()
