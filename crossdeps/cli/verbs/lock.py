"""``crossdeps lock``: requirements to pylock.toml, for one target or several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.settings import request_of, settings_of
from crossdeps.cli.target import choose_targets
from crossdeps.errors import OutputError
from crossdeps.pipeline import lock
from crossdeps.resolution import dump

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration

DEFAULT_LOCK = "pylock.toml"


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Write the lock, or print it where the output is ``-``."""
    targets = choose_targets(options, console)
    with console.progress() as progress:
        plan = lock(
            request_of(options.ask),
            targets,
            settings=settings_of(options, project),
            progress=progress,
        )
    text = dump(plan)
    output = options.output.output or DEFAULT_LOCK
    if output == "-":
        console.data(text)
        return 0
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output} can't be written: {error.strerror or error}") from error
    console.say(f"{output}: {len(plan.packages)} packages for")
    for target in targets:
        console.say(f"  {target.describe()}")
    return 0
