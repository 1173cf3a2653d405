# SPDX-License-Identifier: GPL-2.0
"""kselftest's TAP output for tests in Python: plan, ok and not ok lines, exit status.

    @tap.test("what it proves")
    def anything(): ...             # fails by an exception

    tap.main(__name__)
"""
import os
import sys
import time
import traceback

TESTS = []


def test(title):
    """Register a function as a test; they run in the order in which they were registered."""
    def register(function):
        TESTS.append((title, function))
        return function
    return register


def wait(condition, what, seconds=10.0):
    """Wait until @condition() is true; its value. What never comes is a failure that names @what."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def short(value):
    """Its text, of a length that can be read."""
    text = repr(value)
    return text if len(text) < 600 else f"{text[:600]}... ({len(text)} characters)"


def equal(got, want, what=""):
    """Fail unless both are the same."""
    if got != want:
        raise AssertionError(f"{what}: got {short(got)}, want {short(want)}")


def main(cleanup=None):
    """Run what was registered, those whose title has a word of the command line in it, if any. Exits."""
    words = sys.argv[1:]
    tests = [t for t in TESTS if not words or any(w in t[0] for w in words)]
    print("TAP version 13")
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, (title, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} {title}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print(f"not ok {number} {title}", flush=True)
        if cleanup:
            cleanup()
    print(f"# Totals: pass:{len(tests) - failed} fail:{failed} xfail:0 xpass:0 skip:0 error:0", flush=True)
    sys.stdout.flush()
    os._exit(1 if failed else 0)
