"""This machine as a target: some tools choose for it alone."""

from __future__ import annotations

import platform
import sys

import pytest

from crossdeps.target.model import ARCHITECTURES, Target

needs_a_host_target = pytest.mark.skipif(
    platform.machine() not in ARCHITECTURES or platform.libc_ver()[0] != "glibc",
    reason="this machine isn't one that crossdeps has a target for",
)


def host_target() -> Target:
    """This Python on this machine."""
    python = ".".join(map(str, sys.version_info[:3]))
    return Target(python=python, arch=platform.machine(), glibc=platform.libc_ver()[1])
