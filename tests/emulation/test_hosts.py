"""The host does not matter: what comes out depends on the target alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.artifacts import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.hosts import Host

pytestmark = [pytest.mark.emulation, pytest.mark.timeout(900)]

TARGET = ("--python", "3.9", "--arch", "x86_64")
REQUIREMENTS = """\
pycryptodome
iniconfig; platform_machine == "aarch64"
six; platform_machine == "x86_64"
tomli; python_version < "3.10"
"""


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


@pytest.mark.network
def test_a_zip_has_the_same_bytes_from_every_host(
    native_hosts: tuple[Host, ...], emulated_host: Host, tmp_path: Path
) -> None:
    """Each CPython, an arm64 machine, two umasks, time zones and hash seeds: one SHA-256."""
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    hosts = (*native_hosts, emulated_host)
    digests = {}
    for number, host in enumerate(hosts):
        for odd in (False, True) if number == 0 else (bool(number % 2),):
            name = f"{host.name}, {'odd' if odd else 'plain'} surroundings"
            digests[name] = _digest(host, tmp_path, tmp_path / f"{number}-{odd}.zip", odd=odd)
    assert len(digests) > len(hosts)
    assert len(set(digests.values())) == 1, digests


def _digest(host: Host, folder: Path, output: Path, *, odd: bool) -> str:
    """Build on *host*, without a cache and in surroundings of two kinds, and hash the zip."""
    surroundings = {
        "PYTHONHASHSEED": "4711" if odd else "0",
        "TZ": "Pacific/Chatham" if odd else "UTC",
        "LC_ALL": "C" if odd else "C.UTF-8",
    }
    done = host.crossdeps(
        *("build", "-r", "requirements.txt", *TARGET),
        *("--source", str(EXAMPLE / "app.py"), "--no-cache", "-o", str(output)),
        environment=surroundings,
        cwd=folder,
        umask=0o077 if odd else 0o022,
    )
    assert done.returncode == 0, (host.name, done.stderr)
    return hashlib.sha256(output.read_bytes()).hexdigest()
