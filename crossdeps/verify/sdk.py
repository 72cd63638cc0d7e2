"""An SDK that comes from the package by half, and by half from the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.model import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.verify.scene import Scene

SPLIT_SDK = Rule(
    id="split-sdk",
    severity="warning",
    title="parts of the SDK come from the package, and others from the runtime",
    symptom=(
        "`ImportError: cannot import name 'DEFAULT_CIPHERS' from 'urllib3.util.ssl_'`, or a"
        " `TypeError` deep in botocore, often after an update of the runtime."
    ),
    cause=(
        "The package's folder comes first on the import path, so the runtime's boto3 uses the"
        " package's urllib3, botocore or s3transfer, which were never tested with it; and the"
        " runtime is updated without notice."
    ),
    remedy=(
        "Package boto3 too (build without `--provided`, and name boto3 in the requirements), as AWS"
        " advises; or leave the shared projects out."
    ),
)

# What boto3 is sensitive to; its other dependencies have been stable for many years.
_SENSITIVE = ("botocore", "s3transfer", "urllib3")
_SDK = frozenset({"boto3", "botocore"})


def check_split_sdk(scene: Scene) -> Iterator[Finding]:
    """Where the runtime's boto3 is used, what it sits on is the runtime's too."""
    if not scene.provided:
        return
    used = _SDK & scene.surroundings.left_out
    if not used and scene.surroundings.handler is not None:
        used = _SDK & {
            one.module.partition(".")[0] for file in scene.sources for one in file.imports
        }
    packaged = scene.projects.keys() | scene.layered.keys()
    if not used or "boto3" in packaged:
        return
    own = [name for name in _SENSITIVE if name in packaged]
    if "botocore" in own and used == {"botocore"}:
        return
    for name in own:
        project = scene.projects.get(name) or scene.layered[name]
        yield SPLIT_SDK.finding(
            f"the runtime's boto3 will use the package's {name} {project.version}",
            path=project.dist_info if name in scene.projects else "",
            owner=name,
            hint="package boto3 too, without --provided; AWS updates its own without notice",
        )
