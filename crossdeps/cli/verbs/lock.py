"""``crossdeps lock``: requirements to pylock.toml, for one target or several."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.files import write_aside
from crossdeps.cli.settings import request_of, settings_of
from crossdeps.cli.target import choose_targets
from crossdeps.errors import InputError, OutputError
from crossdeps.inputs import is_pylock, read_pylock
from crossdeps.pipeline import lock
from crossdeps.resolution import dump

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration

DEFAULT_LOCK = "pylock.toml"


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Write the lock, or print it where the output is ``-``.

    :raises OutputError: if it can't be written, or a file that isn't a lock has its name
    """
    output = options.output.output or DEFAULT_LOCK
    if output != "-":
        _check_output(Path(output))
    targets = choose_targets(options, console)
    with console.progress() as progress:
        plan = lock(
            request_of(options.ask),
            targets,
            settings=settings_of(options, project),
            progress=progress,
        )
    text = dump(plan)
    if output == "-":
        console.data(text)
        return 0
    write_aside(Path(output), text, what="the lock")
    console.say(f"{output}: {len(plan.packages)} packages for")
    for target in targets:
        console.say(f"  {target.describe()}")
    return 0


def _check_output(path: Path) -> None:
    """Refuse to write over a file of the user's: one that is no lock by name or content.

    :raises OutputError: if it is one
    """
    if is_pylock(path) or not os.path.isfile(path):  # noqa: PTH113 - never raises
        return
    try:
        read_pylock(path)
    except InputError as error:
        raise OutputError(
            f"{path} is there, and isn't a lock",
            hint=f"write to {DEFAULT_LOCK} or pylock.NAME.toml, or remove it first",
        ) from error
