"""One sentence for each project that the target keeps on an older version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report.reasons import describe_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossdeps.resolution import PassedOver


def describe_downgrade(name: str, version: str, passed_over: Sequence[PassedOver]) -> str:
    """Say which newer version exists and what it would take, or nothing where none was forced.

    :returns: such as ``numpy 2.2.6, not 2.5.5: its wheels need glibc 2.28; python3.12 and later
        have it``; where another reason stands first, the newest version that a newer C library
        would give is told as well
    """
    forced = next((item for item in passed_over if item.forced_by_target), None)
    if forced is None:
        return ""
    told = f"{name} {version}, not {forced.version}: {describe_reason(forced)}"
    newer_glibc = next((item for item in passed_over if item.reason == "glibc"), None)
    if newer_glibc is None or forced.reason == "glibc":
        return told
    # The newest often drops old Pythons; what a newer C library alone would give is news, too.
    return f"{told}; nor {newer_glibc.version}: {describe_reason(newer_glibc)}"
