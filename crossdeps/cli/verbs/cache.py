"""``crossdeps cache``: where the cache is, how large, and making it smaller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.cli.documents import write_json
from crossdeps.pipeline import cache_directory
from crossdeps.report import human_size
from crossdeps.version import __version__
from crossdeps.wheels import clear_store, prune_store, store_info

if TYPE_CHECKING:
    from crossdeps.cli.console import Console
    from crossdeps.cli.options import Options
    from crossdeps.inputs import ProjectConfiguration

UNUSED_DAYS = 30.0


def run(options: Options, project: ProjectConfiguration, console: Console) -> int:
    """Do what the action says."""
    del project  # the same for every verb; the cache is the user's, not the project's
    given = options.index.cache_dir
    root = cache_directory(Path(given) if given else None)
    if options.subject == "dir":
        console.data(f"{root}\n")
    elif options.subject == "info":
        _info(root, options, console)
    elif options.subject == "prune":
        freed = prune_store(root, unused_days=UNUSED_DAYS)
        console.say(f"freed {human_size(freed)}: files unused for {UNUSED_DAYS:.0f} days")
    else:
        console.say(f"freed {human_size(clear_store(root))}")
    return 0


def _info(root: Path, options: Options, console: Console) -> None:
    info = store_info(root)
    if options.tell.json:
        document = {
            "version": 1,
            "crossdeps": __version__,
            "path": str(root),
            "wheels": info.wheels,
            "size": info.size,
        }
        write_json(document, console)
    else:
        console.data(f"{root}\n{info.wheels} wheels, {human_size(info.size)}\n")
