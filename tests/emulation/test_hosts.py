"""The host does not matter: what comes out depends on the target alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
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
charset-normalizer
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


SHAPES = {
    "function": ("--source", "{folder}/src", "--source", "{folder}/settings.json"),
    "trimmed layer": ("--layer", "--slim", "--exclude", "tests/", "--source", "{folder}/src"),
    "layer for one Python, with scripts": ("--versioned-layer", "--scripts"),
}


@dataclass(frozen=True, kw_only=True)
class RuntimeContext:
    """What a build could depend on, and must not.

    :param odd: another umask, time zone, locale, hash seed and working directory
    :param cache: of wheels and pages, cold or warm; None for none
    """

    odd: bool
    cache: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PYTHONHASHSEED": "4711" if self.odd else "0",
            "TZ": "Pacific/Chatham" if self.odd else "UTC",
            "LC_ALL": "C" if self.odd else "C.UTF-8",
        }


@pytest.mark.network
@pytest.mark.parametrize("shape", SHAPES)
def test_a_zip_has_the_same_bytes_from_every_host(
    shape: str, native_hosts: tuple[Host, ...], emulated_host: Host, tmp_path: Path
) -> None:
    """Each CPython, an arm64 machine, two of all surroundings, cold and warm store: one hash."""
    _write_project(tmp_path)
    hosts = (*native_hosts, emulated_host)
    warm = tmp_path / "cache"
    runs = [(hosts[0], RuntimeContext(odd=odd, cache=warm)) for odd in (False, True)]
    runs += [
        (host, RuntimeContext(odd=bool(number % 2), cache=warm if number % 3 else None))
        for number, host in enumerate(hosts)
    ]
    options = [option.format(folder=tmp_path) for option in SHAPES[shape]]
    digests = {}
    for number, (host, runtime_context) in enumerate(runs):
        output = tmp_path / f"{number}.zip"
        digests[f"{host.name}, {runtime_context}"] = _digest(host, runtime_context, output, options)
    assert len(digests) == len(hosts) + 2
    assert len(set(digests.values())) == 1, digests


def _write_project(folder: Path) -> None:
    """Requirements, and source of several kinds, some of which must stay behind."""
    (folder / "elsewhere").mkdir()
    files = {
        "requirements.txt": REQUIREMENTS,
        "settings.json": "{}",
        "src/app.py": (EXAMPLE / "app.py").read_text(encoding="utf-8"),
        "src/run.sh": "#!/bin/sh\n",
        "src/data/\u00fcber.txt": "text",
        "src/tests/test_app.py": "",
        "src/__pycache__/app.cpython-312.pyc": "",
        "src/debug.log": "",
        "src/.gitignore": "*.log\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "src/run.sh").chmod(0o755)


def _digest(host: Host, runtime_context: RuntimeContext, output: Path, options: list[str]) -> str:
    """Build on *host* in *runtime_context*, and hash the zip."""
    folder = output.parent
    cache = (
        ("--cache-dir", str(runtime_context.cache)) if runtime_context.cache else ("--no-cache",)
    )
    done = host.crossdeps(
        *("build", "-r", str(folder / "requirements.txt"), *TARGET, *options, *cache),
        *("-o", str(output)),
        environment=runtime_context.environment,
        cwd=folder / "elsewhere" if runtime_context.odd else folder,
        umask=0o077 if runtime_context.odd else 0o022,
    )
    assert done.returncode == 0, (host.name, done.stderr)
    return hashlib.sha256(output.read_bytes()).hexdigest()
