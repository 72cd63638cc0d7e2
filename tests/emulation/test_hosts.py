from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.hosts import Host

pytestmark = [pytest.mark.emulation, pytest.mark.timeout(600)]

TARGET = ("--runtime", "python3.9", "--arch", "x86_64")


def test_a_target_is_the_same_from_every_host(
    native_hosts: tuple[Host, ...], emulated_host: Host
) -> None:
    """Tags and markers for x86_64 are the same from each CPython, and from an arm64 machine."""
    answers = {}
    for host in (*native_hosts, emulated_host):
        done = host.crossdeps("tags", *TARGET)
        assert done.returncode == 0, (host.name, done.stderr)
        answers[host.name] = done.stdout
    assert len(answers) > 1
    assert len(set(answers.values())) == 1
