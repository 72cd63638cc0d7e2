"""The command line in this process, in an empty directory, asking an index on loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crossdeps.cli.main import main
from tests.support.json_schema import name_document, validate
from tests.support.wheel_factory import make_elf, make_sdist, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.index_server import IndexServer

TARGET = ("--python", "3.12", "--arch", "x86_64")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a command ended with, and what it left in its directory."""

    arguments: tuple[str, ...] = field(compare=False)
    code: int
    out: str
    err: str
    left: tuple[str, ...]

    @property
    def document(self) -> Any:  # noqa: ANN401 - any JSON
        """Standard output as one JSON document, which follows the schema if it is one of ours."""
        document = json.loads(self.out)
        if "crossdeps" in document:
            validate(document, name_document(self.arguments, document))
        return document


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """Runs ``crossdeps`` in *folder*; without a target among the arguments use :attr:`build`."""

    folder: Path
    index: IndexServer
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Told:
        self.capture.readouterr()
        texts = tuple(map(str, arguments))
        code = main(texts)
        streams = self.capture.readouterr()
        left = sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file()
        )
        return Told(arguments=texts, code=code, out=streams.out, err=streams.err, left=tuple(left))

    def build(self, *arguments: str | Path) -> Told:
        """``crossdeps build`` for CPython 3.12 on x86_64."""
        return self("build", *arguments, *TARGET)

    def write(self, name: str, text: str | bytes) -> Path:
        """Make a file in the directory of the command."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


def open_command_line(
    folder: Path,
    index: IndexServer,
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[str],
) -> CommandLine:
    """The command line in *folder*, which is made, before *index*, which is filled."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    fill(index)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    return CommandLine(folder=folder, index=index, capture=capture)


def fill(index: IndexServer) -> None:
    """Offer pure projects, a tree of them, native ones, one for Windows only, and an sdist."""
    for version in ("1.0", "1.1", "2.0"):
        index.add(make_wheel("pure", version))
    index.add(make_wheel("leaf", "1.0", requires=["pure<2"]))
    index.add(make_wheel("tree", "1.0", requires=["leaf", "native; sys_platform == 'linux'"]))
    for machine in ("x86_64", "aarch64"):
        for version, glibc in (("1.0", "2_17"), ("1.1", "2_28")):
            tag = f"cp312-cp312-manylinux_{glibc}_{machine}"
            binary = make_elf(machine=machine)
            files = {f"native/_native.cpython-312-{machine}-linux-gnu.so": binary}
            index.add(make_wheel("native", version, tag=tag, files=files))
    index.add(make_wheel("windowed", "1.0", tag="cp312-cp312-win_amd64"))
    index.add(make_sdist("sourced", "1.0"))
