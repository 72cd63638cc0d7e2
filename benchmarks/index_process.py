"""The index in a process of its own, so that no tool's time includes it."""

from __future__ import annotations

import argparse
import contextlib
import json
import ssl
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from benchmarks.index_server import Counters, IndexServer, make_certificate
from benchmarks.index_store import Store, find_upstream
from benchmarks.measure import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_DATA = Path(platformdirs.user_cache_dir("crossdeps-benchmarks"))


@dataclass(frozen=True, kw_only=True)
class Index:
    """A running index.

    :param ca: the certificate to trust; None if it speaks plain HTTP
    """

    url: str
    counters_url: str
    ca: Path | None

    def counters(self) -> Counters:
        """What was served so far."""
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        with urllib.request.urlopen(self.counters_url, context=context) as response:  # noqa: S310
            return Counters(**json.load(response))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say how the index behaves, and where its store is."""
    yes_or_no = argparse.BooleanOptionalAction
    parser.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, help="the store's folder (default: %(default)s)"
    )
    parser.add_argument(
        "--rtt", type=float, default=20.0, metavar="MS", help="a round trip (default: 20)"
    )
    parser.add_argument("--tls", action=yes_or_no, default=True, help="default: yes")
    parser.add_argument("--metadata", action=yes_or_no, default=True, help="PEP 658; default: yes")
    parser.add_argument(
        "--relative-urls", action="store_true", help="URLs of files are relative to their page"
    )


def serve(said: argparse.Namespace) -> int:
    """Serve until interrupted; says where, as one line of JSON."""
    upstream = (said.upstream or find_upstream()) if said.fill else None
    tls, ca = make_certificate(said.data) if said.tls else (None, None)
    server = IndexServer(
        Store(said.data, upstream=upstream),
        rtt=said.rtt / 1000,
        tls=tls,
        metadata=said.metadata,
        relative_urls=said.relative_urls,
        port=said.port,
    )
    with server, contextlib.suppress(KeyboardInterrupt):
        told = {"url": server.url, "counters_url": server.counters_url, "ca": ca and str(ca)}
        print(json.dumps(told), flush=True)
        threading.Event().wait()
    return 0


@contextlib.contextmanager
def started(said: argparse.Namespace, *, fill: bool = False, rtt: float = 0.0) -> Iterator[Index]:
    """Run ``python -m benchmarks serve`` with the options of :func:`add_options`.

    :param rtt: in milliseconds
    :raises FailedError: if it does not start
    """
    command = [
        *(sys.executable, "-m", "benchmarks", "serve", "--data", str(said.data)),
        *("--rtt", str(rtt), "--tls" if said.tls else "--no-tls"),
        "--metadata" if said.metadata else "--no-metadata",
        *(("--relative-urls",) if said.relative_urls else ()),
        *(("--fill",) if fill else ()),
        *(("--upstream", said.upstream) if fill and said.upstream else ()),
    ]
    here = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=here) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise FailedError("the index did not start")
            told = json.loads(line)
            ca = told.pop("ca")
            yield Index(**told, ca=None if ca is None else Path(ca))
        finally:
            process.terminate()
