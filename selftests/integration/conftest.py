# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the integration tests: whole networks of namespaces, inside a guest (scripts/vm)."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop  # noqa: E402
from mesh import Mesh  # noqa: E402
from provider import Provider  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--interop-cases", metavar="FILE", help="write there what the tests declare for Documentation/interop.rst")


def pytest_configure(config):
    config.addinivalue_line("markers", "interop(what, ...): what the test shows beside others' routers (lib/interop.py)")


def pytest_sessionstart(session):
    if not session.config.option.collectonly:
        interop.begin()


def pytest_collection_finish(session):
    path = session.config.getoption("--interop-cases")
    if path:
        with open(path, "w", encoding="utf-8") as out:
            json.dump([case for test in session.items for case in interop.cases(test)], out)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.passed:
        interop.record(item)


@pytest.fixture(scope="module")
def net():
    """The provider of lib/provider.py, converged, with the configuration as start-up file."""
    with Provider() as provider:
        provider.build()
        provider.start_peers()
        provider.start_pes()
        provider.converged()
        yield provider


@pytest.fixture(scope="session")
def mesh():
    """lib/mesh.py; its routers start when they are asked for, and stay."""
    with Mesh() as network:
        yield network.build()
