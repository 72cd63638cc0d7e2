"""Hash what crossdeps makes: ``python -m benchmarks.outputs [--python PATH] [--compare FILE]``.

Prints ``sha256  case`` for each case. Only the command line of the given interpreter is used, so
that any two commits can be compared. ``--exclude-newer`` keeps what is chosen the same from day
to day. Locks and documents also list the newer versions that were passed over, which grow in number
with every release: they are only hashed in the cases that ``--today`` adds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import FailedError, clean_environment
from benchmarks.sets import SETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CUT_OFF = "2026-10-01"

_SOURCE = {
    "app.py": "import helper\n\n\ndef handler(event, context):\n    return helper.answer()\n",
    "helper/__init__.py": "def answer():\n    return 42\n",
    "helper/data.json": '{"answer": 42}\n',
}
_TEN_TARGETS = (
    *(text for minor in range(10, 15) for text in ("--runtime", f"python3.{minor}")),
    *("--arch", "x86_64", "--arch", "arm64"),
)
_LAMBDA = ("--runtime", "python3.12", "--arch", "arm64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One command, run in a folder that has what earlier cases made.

    :param output: file or directory that the command makes; None takes its standard output
    :param of_today: whether newer versions that were passed over count, so that a release of one of
        the projects changes the hash
    :param codes: exit codes that are fine; ``check`` and ``diff --exit-code`` say 1 for a finding
    """

    name: str
    command: tuple[str, ...]
    output: str | None = None
    codes: tuple[int, ...] = (0,)
    of_today: bool = False


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outputs", description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter that has crossdeps")
    parser.add_argument("--cache-dir", type=Path, help="default: a temporary one")
    parser.add_argument("--exclude-newer", default=CUT_OFF, help=f"default: {CUT_OFF}")
    parser.add_argument("--index-url", help="default: PyPI")
    parser.add_argument("--today", action="store_true", help="hash what is told of newer versions")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="what an earlier run printed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="new directory for the outputs")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossdeps-outputs-") as temporary:
        folder = (said.keep or Path(temporary) / "work").absolute()
        folder.mkdir(parents=True)
        cache = (said.cache_dir or Path(temporary) / "cache").absolute()
        index = ("--cache-dir", str(cache), "--isolated", "-q")
        index += ("--index-url", said.index_url) if said.index_url else ()
        runner = Runner(said.python, folder, index, ("--exclude-newer", said.exclude_newer))
        wanted = list(cases(today=said.today))
        found = _hash_all(wanted, runner)
    differences = _compare(said.compare, wanted, found) if said.compare else []
    for difference in differences:
        print(difference, file=sys.stderr)
    return 1 if differences or len(found) < len(wanted) else 0


class Runner:
    """Runs the command line of one interpreter in one folder.

    :param index: options of the verbs that ask an index
    :param cut_off: options of those that choose versions
    """

    def __init__(
        self, python: str, folder: Path, index: tuple[str, ...], cut_off: tuple[str, ...]
    ) -> None:
        self._python = os.path.abspath(python)  # noqa: PTH100 - links lead to another environment
        self._folder = folder
        self._index = index
        self._cut_off = cut_off
        self._environment = clean_environment({"COLUMNS": "100", "NO_COLOR": "1"})
        self._environment.pop("PYTHONPATH", None)  # it could put another crossdeps first
        for name, text in _SOURCE.items():
            path = folder / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "asked.txt").write_text("pydantic\nrequests\n")

    def digest(self, case: Case) -> str:
        """Run *case*; the hash of what it made.

        :raises FailedError: if it ends with another code than it should
        """
        verb, *arguments = case.command
        more: tuple[str, ...] = ()
        if verb in ("build", "lock", "why"):
            is_of_lock = arguments[0] == "pylock.toml"
            more = self._index if is_of_lock else (*self._index, *self._cut_off)
        done = subprocess.run(
            (self._python, "-m", "crossdeps", verb, *arguments, *more),
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            check=False,
        )
        if done.returncode not in case.codes:
            said = done.stderr.decode(errors="replace").strip()
            raise FailedError(f"{case.name}: exit code {done.returncode}\n{said}")
        path = self._folder / (case.output or "")
        if case.output and path.is_dir():
            return _hash_directory(path)
        made = path.read_bytes() if case.output else done.stdout
        if path.suffix != ".zip":
            text = made.decode().replace(str(self._folder), "FOLDER")
            made = (text if case.of_today else _without_passed_over(text)).encode()
        return _sha256(made)


def cases(*, today: bool) -> Iterator[Case]:
    """Every case; later ones read what earlier ones made."""
    yield from _artifacts()
    yield from _layouts()
    yield from _locks()
    yield from _documents()
    if today:
        yield from _today()


def _artifacts() -> Iterator[Case]:
    """Sets of requirements on two architectures, and targets that are not Lambda's."""
    for arch in ("x86_64", "aarch64"):
        for name in ("S", "M", "D"):
            yield _build(f"set {name}", f"{name}-{arch}.zip", *_ask(name, arch))
    for name, platform in (
        ("musl", "musllinux_1_2_x86_64"),
        ("glibc 2.28", "manylinux_2_28_x86_64"),
    ):
        asked = ("numpy", "cryptography", "--python", "3.13", "--platform", platform)
        yield _build(name, f"{platform}.zip", *asked)
    free = ("--python", "3.14", "--abi", "cp314t", "--arch", "aarch64")
    yield _build("free-threaded", "free-threaded.zip", "pyyaml", "markupsafe", *free)


def _layouts() -> Iterator[Case]:
    """Options that decide what goes where, and what is left out."""
    small = ("pydantic", "requests", *_LAMBDA)
    yield _build("layer", "layer.zip", *small, "--layer")
    yield _build("versioned layer", "versioned.zip", *small, "--versioned-layer")
    yield _build("source", "source.zip", *small, "--source", "source", "--handler", "app.handler")
    yield _build("source", "function", *small, "--source", "source")
    yield _build("exclude", "exclude.zip", *small, "--exclude", "*.pyi", "--include", "idna/*.pyi")
    yield _build("scripts", "scripts", "httpx", "uvicorn", *_LAMBDA, "--scripts")
    slim = ("numpy", "pandas", *_LAMBDA, "--slim")
    yield _build("slim", "slim.zip", *slim)
    yield _build("slim", "slim", *slim)
    yield _build(
        "provided", "provided.zip", "boto3", "aws-lambda-powertools", *_LAMBDA, "--provided"
    )


def _locks() -> Iterator[Case]:
    """Locks for one and for ten targets, and what is built from them."""
    web = SETS["M"].requirements
    yield _lock("ten targets", "pylock.toml", *web, *_TEN_TARGETS)
    yield _lock("one target", "pylock.data.toml", *SETS["D"].requirements, *_LAMBDA)
    yield _lock("requirements with hashes", "locked.txt", *web, *_LAMBDA)
    for arch in ("x86_64", "arm64"):
        target = ("--runtime", "python3.12", "--arch", arch)
        yield _build("lock", f"lock-{arch}.zip", "pylock.toml", *target)
    yield _build("requirements with hashes", "hashes.zip", "-r", "locked.txt", *_LAMBDA)


def _documents() -> Iterator[Case]:
    """What is told, as text and as documents."""
    lambda_zip = ("lock-arm64.zip", *_LAMBDA)
    build = ("build", *("pydantic", "requests", *_LAMBDA))
    yield Case(name="build --json", command=(*build, "-o", "told.zip", "--json"))
    told = (*build, "-o", "told.zip", "--report", "told.json")
    yield Case(name="build --report", command=told, output="told.json")
    lock = ("lock", "pydantic", *_LAMBDA, "-o", "pylock.told.toml", "--json")
    yield Case(name="lock --json", command=lock)
    yield Case(name="tags", command=("tags", *_LAMBDA))
    yield Case(name="tags --json", command=("tags", *_LAMBDA, "--json"))
    yield Case(name="check --json", command=("check", *lambda_zip, "--json"), codes=(0, 1, 7))
    for form in ("text", "json", "sbom", "html", "licences"):
        yield Case(name=f"report {form}", command=("report", *lambda_zip, "--format", form))
    with_lock = ("report", *lambda_zip, "--format", "sbom", "--lock", "pylock.toml")
    yield Case(name="report sbom --lock", command=with_lock)
    for first, second in (
        ("lock-x86_64.zip", "lock-arm64.zip"),
        ("layer.zip", "source.zip"),
        ("pylock.toml", "pylock.data.toml"),
    ):
        for more in ((), ("--json",), ("--markdown",)):
            name = " ".join(("diff", first, second, *more))
            yield Case(name=name, command=("diff", first, second, *more))


def _today() -> Iterator[Case]:
    """What is told of newer versions."""
    why = ("why", "pydantic-core", "-r", "asked.txt", *_LAMBDA)
    asked = ("-r", "asked.txt", *_LAMBDA)
    lock = ("lock", *asked, "-o", "pylock.today.toml")
    for command, output in (
        (why, None),
        ((*why, "--json"), None),
        (("build", *asked, "-o", "today.zip", "--json"), None),
        (lock, "pylock.today.toml"),
    ):
        name = " ".join(("today:", command[0], *(text for text in command if text == "--json")))
        yield Case(name=name, command=command, output=output, of_today=True)


def _ask(name: str, arch: str) -> tuple[str, ...]:
    wanted = SETS[name]
    platform = ("--platform", f"manylinux2014_{arch}")
    return (*wanted.requirements, "--python", wanted.python, "--arch", arch, *platform)


def _build(name: str, output: str, *arguments: str) -> Case:
    command = ("build", *arguments, "-o", output)
    return Case(name=f"build {name}: {output}", command=command, output=output)


def _lock(name: str, output: str, *arguments: str) -> Case:
    command = ("lock", *arguments, "-o", output)
    return Case(name=f"lock {name}: {output}", command=command, output=output)


def _hash_all(wanted: Sequence[Case], runner: Runner) -> dict[str, str]:
    """The hash of each case that could be run."""
    found: dict[str, str] = {}
    for case in wanted:
        digest = _try(runner, case)
        if digest:
            found[case.name] = digest
            print(f"{digest}  {case.name}", flush=True)
    return found


def _try(runner: Runner, case: Case) -> str | None:
    try:
        return runner.digest(case)
    except FailedError as error:
        print(error, file=sys.stderr)
        return None


def _compare(path: Path, wanted: Sequence[Case], found: dict[str, str]) -> list[str]:
    """What differs from the hashes in *path*; ``today:`` only counts where it was asked for."""
    lines = path.read_text(encoding="utf-8").splitlines()
    earlier = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    names = {case.name for case in wanted}
    earlier = {name: earlier[name] for name in earlier if name in names or "today:" not in name}
    return [
        f"{_kind(earlier.get(name), found.get(name))}: {name}"
        for name in dict.fromkeys((*earlier, *found))
        if earlier.get(name) != found.get(name)
    ]


def _kind(earlier: str | None, found: str | None) -> str:
    if found is None:
        return "missing"
    return "differs" if earlier else "new"


def _hash_directory(root: Path) -> str:
    """A hash of every path under *root* with its mode, and content or link target."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        if path.is_symlink():
            content = str(path.readlink()).encode()
        else:
            content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.relative_to(root).as_posix()}\0{mode:o}\0".encode())
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _without_passed_over(text: str) -> str:
    if not text.startswith("{"):
        return text
    document = json.loads(text)
    for package in document.get("packages", ()):
        package.pop("passed_over", None)
    return json.dumps(document)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
