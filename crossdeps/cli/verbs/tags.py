"""``crossdeps tags``: the target's wheel tags, best first, and its markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.cli.documents import write_json
from crossdeps.cli.target import choose_target
from crossdeps.version import __version__

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Print the tags and markers of the target."""
    del project  # already in the options
    target = choose_target(options, console)
    tags = [str(tag) for tag in target.tags]
    if options.tell.json:
        document = {
            "version": 1,
            "crossdeps": __version__,
            "target": target.describe(),
            "tags": tags,
            "environment": dict(target.environment),
        }
        write_json(document, console)
        return 0
    markers = [f'{name} == "{value}"' for name, value in sorted(target.environment.items())]
    lines = [f"# {target.describe()}", "# tags, best first", *tags, "# markers", *markers]
    console.data("\n".join(lines) + "\n")
    return 0
