"""File names of extension modules: which module, for which Python.

Source: PEP 3149 (ABI version tagged .so files) and PEP 425 for Windows' ``.pyd``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossdeps.target import Target

_NAME = re.compile(r"(?P<module>[A-Za-z_]\w*)(?:\.(?P<tag>[A-Za-z0-9_-]+))?\.(?:so|pyd)")
_TAG = re.compile(
    r"""abi3t?
      | (?P<implementation>cpython|pypy|graalpy)-?(?P<python>\d+[a-z]*)(?:-(?P<platform>.+))?
      | cp(?P<windows>\d+[a-z]*)-(?P<windows_platform>win\w+)
    """,
    re.VERBOSE,
)
_GNU = "linux-gnu"
_MUSL = "linux-musl"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionName:
    """What the file name of an extension module says.

    :param module: the module's own name
    :param tag: ``abi3``, ``cpython-311-x86_64-linux-gnu``, or empty for a bare ``.so``
    :param python: ``311``, ``313t``; empty where the tag names none
    :param platform: ``x86_64-linux-gnu``, ``darwin``; empty where the tag names none
    """

    module: str
    tag: str = ""
    implementation: str = ""
    python: str = ""
    platform: str = ""

    def importable_by(self, target: Target) -> bool:
        """Whether the target's import system looks for a file of this name.

        Every CPython on Linux looks for its own tag, for ``abi3`` (which a free-threaded one
        doesn't have) and for the bare suffix.
        """
        if not self.tag:
            return True
        if self.tag == "abi3":
            return not target.free_threaded
        if self.tag == "abi3t":
            return target.python_version >= (3, 15)
        return (
            self.implementation == "cpython"
            and self.python == target.abi.removeprefix("cp")
            and self.platform in _platforms(target)
        )

    @property
    def describe(self) -> str:
        """What the name says it is for, such as ``CPython 3.11 on x86_64-linux-gnu``."""
        if self.tag in {"abi3", "abi3t"}:
            return f"the stable ABI ({self.tag})"
        spelled = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
        digits = re.fullmatch(r"(\d)(\d+)([a-z]*)", self.python)
        version = f" {digits[1]}.{digits[2]}{digits[3]}" if digits else ""
        name = f"{spelled.get(self.implementation, 'another Python')}{version}"
        return f"{name} on {self.platform}" if self.platform else name


def _platforms(target: Target) -> tuple[str, ...]:
    gnu = f"{target.arch}-{_GNU}"
    if target.libc.kind == "glibc":
        return (gnu,)
    # CPython called musl "gnu" too before its build told the two apart.
    return (f"{target.arch}-{_MUSL}", gnu)


def parse_extension_name(filename: str) -> ExtensionName | None:
    """What *filename* says, or None where no import statement could mean it.

    :param filename: without folders
    """
    match = _NAME.fullmatch(filename)
    if match is None:
        return None
    if match["tag"] is None:
        return ExtensionName(module=match["module"])
    tag = _TAG.fullmatch(match["tag"])
    if tag is None:
        return None
    return ExtensionName(
        module=match["module"],
        tag=match["tag"],
        implementation=tag["implementation"] or ("cpython" if tag["windows"] else ""),
        python=tag["python"] or tag["windows"] or "",
        platform=tag["platform"] or tag["windows_platform"] or "",
    )
