"""Where each member of a wheel goes.

Source: the binary distribution format, "Installing a wheel 'distribution-1.0-py32-none-any.whl'"
and "The .data directory". Like ``pip install --target``, one folder takes purelib, platlib and
data alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossdeps.bundle.content import read_content
from crossdeps.bundle.launchers import launchers, portable_script
from crossdeps.bundle.model import InlineContent, WheelContent
from crossdeps.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.wheels.model import Member, Wheel

SCRIPTS = "bin/"
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_REWRITTEN = ("RECORD", "INSTALLER")
_BYTECODE = re.compile(r"(^|/)__pycache__/|\.py[co]$")
_LARGEST_SCRIPT = 1 << 20

Leftover = Literal["bytecode", "headers", "scripts", "signature", "rewritten"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A file of a wheel and where it goes.

    :param path: relative to the layout's prefix
    :param leftover: why it isn't laid out; None where it is
    """

    path: str
    content: WheelContent | InlineContent
    executable: bool = False
    leftover: Leftover | None = None


def is_bytecode(path: str) -> bool:
    """Whether the path is that of compiled Python, which is of the machine that compiled it."""
    return _BYTECODE.search(path) is not None


def place(wheel: Wheel, *, scripts: bool) -> Iterator[Placed]:
    """Every file of *wheel* and the launchers of its entry points, in no particular order.

    :param scripts: whether scripts are laid out
    :raises WheelError: if a scheme of the .data directory is unknown, or entry points are unsafe
    """
    data_directory = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
    for member in wheel.members:
        if member.path.startswith(data_directory):
            yield _place_data(wheel, member, member.path[len(data_directory) :], scripts=scripts)
        else:
            yield _place_root(wheel, member, member.path)
    if wheel.entry_points and scripts:
        for launcher in launchers(wheel):
            content = InlineContent(data=launcher.data)
            yield Placed(path=SCRIPTS + launcher.name, content=content, executable=True)


def _place_root(wheel: Wheel, member: Member, path: str) -> Placed:
    leftover: Leftover | None = None
    directory, _, name = path.rpartition("/")
    if directory == wheel.dist_info and name in _SIGNATURES:
        leftover = "signature"
    elif directory == wheel.dist_info and name in _REWRITTEN:
        leftover = "rewritten"
    elif is_bytecode(path):
        leftover = "bytecode"
    return Placed(
        path=path,
        content=WheelContent(wheel=wheel, member=member),
        executable=member.executable,
        leftover=leftover,
    )


def _place_data(wheel: Wheel, member: Member, path: str, *, scripts: bool) -> Placed:
    scheme, _, rest = path.partition("/")
    if rest and scheme in {"purelib", "platlib", "data"}:
        return _place_root(wheel, member, rest)
    content = WheelContent(wheel=wheel, member=member)
    if rest and scheme == "headers":
        return Placed(path=rest, content=content, leftover="headers")
    if rest and scheme == "scripts":
        return _place_script(content, rest, scripts=scripts)
    raise WheelError(
        f"{scheme!r} isn't a scheme of the .data directory",
        context=(wheel.filename, member.path),
        hint="purelib, platlib, scripts, data and headers are",
        rule="unknown-data-scheme",
    )


def _place_script(content: WheelContent, name: str, *, scripts: bool) -> Placed:
    path = SCRIPTS + name
    if not scripts:
        return Placed(path=path, content=content, leftover="scripts")
    if is_bytecode(path):
        return Placed(path=path, content=content, leftover="bytecode")
    if content.member.binary is None and content.member.size <= _LARGEST_SCRIPT:
        portable = portable_script(read_content(content))
        if portable is not None:
            return Placed(path=path, content=InlineContent(data=portable), executable=True)
    return Placed(path=path, content=content, executable=True)
