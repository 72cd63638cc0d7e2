"""build(): from requirements or a lock to a directory or zip.

What an earlier run made of the same inputs is written again; everything that makes it anew is
imported only then.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.pipeline.artifact import apply_layout, check_output
from crossdeps.pipeline.remembered import make_key
from crossdeps.pipeline.remembered_build import recall_build
from crossdeps.pipeline.request import RequirementsLike, Settings, read_request
from crossdeps.pipeline.session import open_session
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from crossdeps.report.model import Report
    from crossdeps.target.model import Target

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def build(
    requirements: RequirementsLike,
    target: Target,
    output: str | os.PathLike[str] = "package",
    *,
    source: Paths = (),
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Build a directory, or a zip if *output* ends in ``.zip``, that runs on *target*.

    :param requirements: the path of a requirements file, project or lock; or requirement strings.
        A lock is built without resolving
    :param source: your own code: files, and directories whose content goes to the root
    :raises FindingsError: if the artifact would fail on the target; nothing is written
    :raises CrossdepsError: see :mod:`crossdeps.errors`; nothing is written
    """
    request = read_request(requirements)
    settings = apply_layout(settings or Settings(), Path(output), source, target)
    with open_session(request, settings, progress or Progress()) as session:
        key = make_key(session, [target], "build")
        recalled = recall_build(session, target, key)
        if recalled is not None:
            return recalled
        checked = check_output(settings)
        _ = session.inputs  # what is wrong with them is told before anything more is loaded
        from crossdeps.pipeline.assemble import assemble  # noqa: PLC0415 - see the module

        return assemble(session, target, checked, key)
