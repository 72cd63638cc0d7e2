"""Why a version wasn't taken, as part of a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.target import RUNTIMES

if TYPE_CHECKING:
    from crossdeps.resolution import PassedOver


def describe_reason(item: PassedOver) -> str:
    """What stood against a version that was passed over, in words.

    :returns: such as ``its wheels need glibc 2.28; python3.12 and later have it``
    """
    if item.reason == "glibc":
        return f"its wheels need glibc {item.detail}{_runtimes_with(item.detail)}"
    words = _WORDS.get(item.reason, f"{item.reason} {{}}").format(item.detail)
    return words.removesuffix(" ()").removesuffix(": ").rstrip()


_WORDS = {
    "requires-python": "it requires Python {}",
    "sdist": "it has no wheels, only a source distribution",
    "python-tag": "its wheels are for other Pythons ({})",
    "abi-tag": "its wheels are for other Pythons ({})",
    "platform-tag": "its wheels are for other platforms ({})",
    "yanked": "it was yanked: {}",
    "hash": "its files have none of the hashes allowed",
    "too-new": "it was uploaded too late ({})",
    "no-upload-time": "the index doesn't say when it was uploaded",
    "pre-release": "it is a pre-release",
    "specifier": "{}",
    "metadata": "its metadata can't be used: {}",
    "backtracked": "it doesn't go with {}",
    "bad-filename": "its files have no valid name ({})",
    "other-project": "its files are of another project ({})",
    "not-a-distribution": "it has no wheels ({})",
}


def _runtimes_with(glibc: str) -> str:
    try:
        major, minor = (int(part) for part in glibc.split("."))
    except ValueError:
        return ""
    fitting = [r.name for r in RUNTIMES.values() if r.libc.version >= (major, minor)]
    return f"; {fitting[0]} and later have it" if fitting else "; no Lambda runtime has it"
