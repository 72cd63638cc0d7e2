"""File names of extension modules: which Python and platform they are for, and who looks for them.

Sources: PEP 3149 (ABI version tagged .so files); PEP 425 for the ``.pyd`` files of Windows;
``importlib.machinery.EXTENSION_SUFFIXES``, and ``FileFinder``, which tries them in this order, and
before those of source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from crossdeps.target.model import Target

# Patterns are text: ``re`` compiles them on first use, which a bundle without binaries never has.
_FILENAME = r"(?P<module>[A-Za-z_]\w*)(?:\.(?P<tag>[A-Za-z0-9_-]+))?\.(?:so|pyd)"
_TAG = (
    r"abi3t?"
    r"|(?P<implementation>cpython|pypy|graalpy)-?(?P<python>\d+[a-z]*)(?:-(?P<platform>.+))?"
    r"|cp(?P<windows>\d+[a-z]*)-(?P<windows_platform>win\w+)"
)
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class ExtensionName(msgspec.Struct, frozen=True, kw_only=True):
    """The parsed file name of an extension module.

    :param module: name of the module
    :param tag: ``abi3``, ``cpython-311-x86_64-linux-gnu``; empty for a bare ``.so``
    :param python: ``311``, ``313t``; empty if the tag names none
    :param platform: ``x86_64-linux-gnu``, ``darwin``; empty if the tag names none
    """

    module: str
    tag: str = ""
    implementation: str = ""
    python: str = ""
    platform: str = ""

    def is_importable_by(self, target: Target) -> bool:
        """Whether the target's import system looks for a file of this name.

        CPython on Linux looks for its own tag, for ``abi3`` (not in the free-threaded build) and
        for the bare suffix.
        """
        if not self.tag:
            return True
        if self.tag == "abi3":
            return not target.free_threaded
        if self.tag == "abi3t":
            return target.python_version >= (3, 15)
        platforms = {f"{target.arch}-linux-gnu"}
        if target.libc.kind == "musl":
            # CPython also used "gnu" for musl before its build distinguished the two.
            platforms.add(f"{target.arch}-linux-musl")
        return (
            self.implementation == "cpython"
            and self.python == target.abi.removeprefix("cp")
            and self.platform in platforms
        )

    @property
    def rank(self) -> int:
        """Position of the suffix in ``importlib.machinery.EXTENSION_SUFFIXES``, where it is one."""
        if not self.tag:
            return 2
        return 1 if self.tag in {"abi3", "abi3t"} else 0

    def describe(self) -> str:
        """Describe what the module was built for, such as ``CPython 3.11 on x86_64-linux-gnu``."""
        if self.tag in {"abi3", "abi3t"}:
            return f"the stable ABI ({self.tag})"
        digits = re.fullmatch(r"(\d)(\d+)([a-z]*)", self.python)
        version = f" {digits[1]}.{digits[2]}{digits[3]}" if digits else ""
        name = f"{_IMPLEMENTATIONS.get(self.implementation, 'another Python')}{version}"
        return f"{name} on {self.platform}" if self.platform else name


def parse_extension_name(filename: str) -> ExtensionName | None:
    """Parse *filename*, given without folders; None if it isn't the name of an extension module."""
    match = re.fullmatch(_FILENAME, filename)
    if match is None:
        return None
    if match["tag"] is None:
        return ExtensionName(module=match["module"])
    tag = re.fullmatch(_TAG, match["tag"])
    if tag is None:
        return None
    return ExtensionName(
        module=match["module"],
        tag=match["tag"],
        implementation=tag["implementation"] or ("cpython" if tag["windows"] else ""),
        python=tag["python"] or tag["windows"] or "",
        platform=tag["platform"] or tag["windows_platform"] or "",
    )
