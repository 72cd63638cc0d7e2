"""The direct upload of a zip: whether it may be as large, and what would make it smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report import human_size

if TYPE_CHECKING:
    from crossdeps.bundle import Bundle
    from crossdeps.report import Artifact
    from crossdeps.target import Target


def upload_remarks(bundle: Bundle, artifact: Artifact, target: Target) -> tuple[str, ...]:
    """Say what to do with a zip that is too large to be uploaded directly.

    A layer helps where the rest fits, and the layer too: each is uploaded by itself.
    """
    facts = target.runtime_facts
    if facts is None or artifact.kind != "zip" or artifact.size <= facts.limits.direct_upload:
        return ()
    limit = facts.limits.direct_upload
    over = artifact.size - limit
    moved: list[str] = []
    size = 0
    for project in sorted(bundle.projects, key=lambda one: (-one.compressed, one.name)):
        if size >= over:
            break
        moved.append(project.name)
        size += project.compressed
    text = (
        f"{human_size(artifact.size)} zipped can't be uploaded directly"
        f" (the limit is {human_size(limit)}): upload it through S3"
    )
    if not bundle.prefix and over <= size <= limit and len(moved) < len(bundle.projects):
        text += f", or move {', '.join(moved)} into a layer ({human_size(size)} zipped)"
    return (text,)
