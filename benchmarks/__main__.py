"""Measure crossdeps against uv, pip and pex, on a package index of its own on loopback.

``python -m benchmarks fill`` fills the index from a real one, once; ``python -m benchmarks``
measures; ``python -m benchmarks serve`` starts the index alone, to measure by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import index_process
from benchmarks.bench import bench
from benchmarks.fill import fill
from benchmarks.measure import FailedError
from benchmarks.rows import ROWS
from benchmarks.sets import ARCHITECTURES, SETS
from benchmarks.tools import find_tools


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    index_process.add_options(parser)
    _add_selection(parser)
    names = tuple(row.name for row in ROWS)
    parser.add_argument("--row", nargs="+", choices=names, default=names, help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where tools write")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write what was measured as JSON")
    parser.add_argument(
        "--add", action="store_true", help="keep other sets that the file of --save has"
    )
    parser.add_argument("--load", type=Path, metavar="FILE", help="show that instead of measuring")
    parser.add_argument(
        "--write-docs", action="store_true", help="update docs/explanation/performance.md"
    )
    parser.set_defaults(run=bench)
    verbs = parser.add_subparsers(metavar="serve | fill")
    serving = verbs.add_parser("serve", help="start the index alone")
    index_process.add_options(serving)
    serving.add_argument("--port", type=int, default=0, help="also takes the next (default: free)")
    serving.add_argument("--fill", action="store_true", help="fetch what is missing")
    serving.add_argument("--upstream", metavar="URL", help="default: pip's index")
    serving.set_defaults(run=index_process.serve)
    filling = verbs.add_parser("fill", help="fill the index from a real one")
    index_process.add_options(filling)
    _add_selection(filling)
    filling.add_argument("--upstream", metavar="URL", help="default: pip's index")
    filling.set_defaults(run=fill)
    said = parser.parse_args()
    if said.run is bench and said.add and not said.save:
        parser.error("--add needs --save")
    try:
        return int(said.run(said))
    except FailedError as error:
        print(error, file=sys.stderr)
        return 1


def _add_selection(parser: argparse.ArgumentParser) -> None:
    tools = find_tools()
    parser.add_argument("--set", nargs="+", choices=SETS, default=tuple(SETS), help="default: all")
    parser.add_argument("--arch", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--tool", nargs="+", choices=tools, default=tools, help="default: all")


if __name__ == "__main__":
    sys.exit(main())
