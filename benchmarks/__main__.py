"""Measure crossdeps against uv, pip and pex, on a package index of its own on loopback.

``python -m benchmarks fill`` fills the index from a real one, once; ``python -m benchmarks``
measures; ``python -m benchmarks serve`` starts the index alone, to measure by hand.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import index_process
from benchmarks.fill import fill
from benchmarks.sets import SETS
from benchmarks.tools import find_tools

ARCHITECTURES = ("x86_64", "aarch64")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(required=True)
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
    return int(said.run(said))


def _add_selection(parser: argparse.ArgumentParser) -> None:
    tools = find_tools()
    parser.add_argument("--set", nargs="+", choices=SETS, default=tuple(SETS), help="default: all")
    parser.add_argument("--arch", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--tool", nargs="+", choices=tools, default=tools, help="default: all")


if __name__ == "__main__":
    sys.exit(main())
