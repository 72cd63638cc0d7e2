"""Wheels with any number of files, of which only the facts exist."""

from __future__ import annotations

from pathlib import Path

from crossdeps.requirements.requires_dist import ProjectMetadata
from crossdeps.wheels.facts import plan_installation
from crossdeps.wheels.model import Member, Wheel


def large_wheel(name: str, size: int) -> Wheel:
    """A wheel whose *size* files of one byte are in up to 300 directories."""
    dist_info = f"{name}-1.0.dist-info"
    members = tuple(
        Member(
            path=f"{name}/d{number % 300}/f{number}.py",
            offset=number,
            compressed_size=1,
            size=1,
            crc32=number,
            sha256=f"{number:064x}",
            method=0,
            executable=False,
        )
        for number in range(size)
    )
    return Wheel(
        sha256=f"{hash(name) % 2**64:064x}",
        size=size,
        dist_info=dist_info,
        members=members,
        metadata=b"",
        project=ProjectMetadata(
            name=name,
            version="1.0",
            public_version="1.0",
            requires=(),
            requires_python=None,
            provides_extras=(),
        ),
        entry_points="",
        wheel_tags=("py3-none-any",),
        expanded_tags=("py3-none-any",),
        root_is_purelib=True,
        warnings=(),
        installation=plan_installation(dist_info, members),
        file=Path(f"{name}.whl"),
        filename=f"{name}-1.0-py3-none-any.whl",
        tags=("py3-none-any",),
    )
