"""Sizes for people."""

from __future__ import annotations


def human_size(size: int) -> str:
    """*size* bytes in the decimal unit that reads best.

    >>> human_size(999), human_size(1_460_000), human_size(262_144_000)
    ('999 B', '1.5 MB', '262.1 MB')
    """
    if size < 1_000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB"):
        value /= 1_000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1_000:.1f} GB"
