"""An S3 on loopback: moto's server, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.built_once import MACHINE_ENVIRONMENT
from tests.support.foreign_wheels import foreign_site

if TYPE_CHECKING:
    from collections.abc import Iterator

# What its server needs for S3; the extra of that name brings all of AWS.
REQUIREMENTS = ("moto[s3]==5.2.*", "flask", "flask-cors")
SERVE = """
import sys, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@contextmanager
def serve_s3() -> Iterator[str]:
    """Start a server that knows no bucket yet; gives the URL of its endpoint."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    site = foreign_site(*REQUIREMENTS, python=version, machine=platform.machine())
    with subprocess.Popen(
        [sys.executable, "-c", SERVE],
        env={**MACHINE_ENVIRONMENT, "PYTHONPATH": str(site), "AWS_DEFAULT_REGION": "eu-central-1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http:"), "the server did not start"
            yield url
        finally:
            process.stdin.close()  # which is what it waits for
