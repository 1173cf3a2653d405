# SPDX-License-Identifier: GPL-2.0
"""The uapi header, read: every constant of its enums and #defines, by name, and its structs' sizes.

Tests take their numbers from here, so that a test and the header cannot disagree in silence.
"""
import os
import re

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
HEADER = os.path.join(TOP, "uapi/linux/l3vpn.h")


def _strip_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def _value(expr, known):
    expr = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", expr.strip())
    return eval(expr, {"__builtins__": {}}, known)  # numbers and names of the header alone


def parse(path=HEADER):
    """(constants, enums): name to value, and a list of (enum's name or None, [names in order])."""
    with open(path, encoding="utf-8") as f:
        text = _strip_comments(f.read())
    constants, enums = {}, []
    for match in re.finditer(r"#define[ \t]+(L3VPN_\w+)[ \t]+([^\n]+)|enum\s*(\w+)?\s*\{(.*?)\};", text, re.S):
        name, expr, enum, body = match.groups()
        if name:
            if expr.strip().startswith('"'):
                constants[name] = expr.strip().strip('"')
            else:
                constants[name] = _value(expr, constants)
            continue
        names, value = [], -1
        for item in body.split(","):
            item = item.strip()
            if not item:
                continue
            key, _, expr = (part.strip() for part in item.partition("="))
            value = _value(expr, constants) if expr else value + 1
            constants[key] = value
            names.append(key)
        enums.append((enum, names))
    return constants, enums


CONSTANTS, ENUMS = parse()


def __getattr__(name):
    """uapi.VRF_ID is L3VPN_VRF_ID."""
    try:
        return CONSTANTS["L3VPN_" + name]
    except KeyError:
        raise AttributeError(name) from None
