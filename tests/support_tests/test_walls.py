"""The walls around every test hold, and the marks open them."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import packaging.markers
import packaging.tags
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from tests.support.guards import OutsideWorldError, clear_environment
from tests.support.poison import HostAskedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.index_server import IndexServer
    from tests.support.interpreters import Interpreter


@pytest.mark.parametrize("host", ["pypi.org", "192.0.2.1", "::ffff:192.0.2.1"])
def test_a_test_reaches_nothing_but_loopback(host: str) -> None:
    with pytest.raises(OutsideWorldError, match="only loopback is allowed"):
        socket.create_connection((host, 80), timeout=1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        pytest.raises(OutsideWorldError),
    ):
        udp.sendto(b"x", (host, 53))


def test_the_wall_stops_requests_too() -> None:
    with pytest.raises(OutsideWorldError):
        requests.get("https://files.example/", timeout=1)


def test_invalid_names_do_not_exist() -> None:
    """RFC 6761 reserves .invalid: a test of an index that isn't there needs no network."""
    with pytest.raises(requests.ConnectionError, match="Name or service not known"):
        requests.get("http://index.invalid/simple/", timeout=1)


def test_loopback_is_open(plain_index: IndexServer) -> None:
    address = plain_index.origin.rpartition(":")
    socket.create_connection(("localhost", int(address[2])), timeout=1).close()


def test_a_test_starts_no_program() -> None:
    with pytest.raises(OutsideWorldError, match="mark it `subprocess`"):
        subprocess.run([sys.executable, "--version"], check=False)
    with pytest.raises(OutsideWorldError):
        os.system("true")  # noqa: S605


@pytest.mark.subprocess
def test_the_subprocess_mark_allows_programs() -> None:
    done = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True)
    assert done.stdout.strip() == b"1"


def test_the_environment_is_nobodys() -> None:
    assert [name for name in os.environ if name.startswith("PIP_")] == ["PIP_CONFIG_FILE"]
    assert os.environ["PIP_CONFIG_FILE"] == os.devnull
    removed = {"NO_COLOR", "NETRC", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE"}
    assert not removed & set(os.environ)
    assert list(Path.home().iterdir()) == []
    assert Path(os.environ["XDG_CACHE_HOME"]).is_relative_to(Path.home())


@pytest.mark.parametrize("keep", [False, True])
def test_index_settings_stay_only_where_the_index_is_asked(tmp_path: Path, keep: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PIP_INDEX_URL", "https_proxy", "SSL_CERT_FILE", "NO_COLOR", "AWS_REGION"):
            patch.setenv(name, "x")
        clear_environment(patch, tmp_path / "other", keep_index=keep)
        left = {"PIP_INDEX_URL", "https_proxy", "SSL_CERT_FILE", "NO_COLOR", "AWS_REGION"}
        left &= set(os.environ)
        moved = os.environ["HOME"] == str(tmp_path / "other")
    assert left == ({"PIP_INDEX_URL", "https_proxy", "SSL_CERT_FILE"} if keep else set())
    assert moved is not keep


@given(st.integers())
def test_walls_and_properties_go_together(number: int) -> None:
    with pytest.raises(OutsideWorldError):
        subprocess.Popen([str(number)])


def test_a_poisoned_host_never_answers_truly(poisoned_host: str) -> None:
    asked: dict[str, Callable[[], object]] = {
        "machine": platform.machine,
        "system": platform.system,
        "platform": sysconfig.get_platform,
        "tags": packaging.tags.platform_tags,
        "sys_tags": packaging.tags.sys_tags,
        "interpreter": packaging.tags.interpreter_name,
    }
    for ask in asked.values():
        if poisoned_host == "raising":
            with pytest.raises(HostAskedError, match="never the host"):
                ask()
        else:
            assert "linux" not in str(ask()).lower()
    assert sys.platform not in {"linux", "darwin", "win32"}
    assert packaging.markers.default_environment()["python_version"] in {"3.7", "99.0"}


def test_a_partial_environment_is_filled_with_poison(poisoned_host: str) -> None:
    """That is the trap: ``Marker.evaluate`` fills what is missing from the host."""
    marker = Marker("sys_platform == 'linux'")
    assert not marker.evaluate({"python_version": "3.9"}), poisoned_host
    assert marker.evaluate({"sys_platform": "linux"})


def test_poisons_end_with_the_test() -> None:
    assert packaging.markers.default_environment()["sys_platform"] == sys.platform


@pytest.mark.subprocess
def test_interpreters_are_real_and_distinct(python_interpreters: tuple[Interpreter, ...]) -> None:
    versions = [each.version[:2] for each in python_interpreters]
    assert versions == sorted(set(versions))
    assert versions[0] >= (3, 10)
    for each in python_interpreters:
        question = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run(
            [each.executable, "-c", question], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == each.minor
