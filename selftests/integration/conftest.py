# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the integration tests: whole networks of namespaces, inside a guest (scripts/vm)."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from mesh import Mesh  # noqa: E402
from provider import Provider  # noqa: E402


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
