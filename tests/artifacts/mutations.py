"""Changes one file of a good artifact, and asks the real interpreter what then still imports.

``python -m tests.artifacts.mutations --seed 7 --count 500`` runs as many changes as one likes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.pipeline.build import build
from crossdeps.pipeline.check import check
from crossdeps.pipeline.request import Settings
from crossdeps.resolution.model import Policy
from crossdeps.target.model import Target
from tests.artifacts.artifact_factory import update_records
from tests.support.arm64 import find_arm64_python
from tests.support.built_once import CACHE_ROOT, IS_ROOT
from tests.support.lambda_python import emulated_lambda_python, find_lambda_python

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from crossdeps.finding import Finding
    from tests.support.lambda_python import LambdaPython

# Later releases must not change these tests.
CUT_OFF = datetime(2026, 11, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Application:
    """What an artifact holds: its Python, its requirements, and the source of its handler."""

    python: str
    requirements: tuple[str, ...]
    source: str
    arch: str = "x86_64"


_USERS_PACKAGE = {
    "shop/__init__.py": "from shop.prices import total\n",
    "shop/prices.py": "import json\n\ndef total(items):\n    return json.dumps(sum(items))\n",
    "tools.py": "from shop import total\n\nRATE = 2\n",
}
_HANDLER = "\nimport shop.prices\nfrom tools import RATE\n\ndef handler(event, context):\n    ...\n"

APPLICATIONS = {
    "crypto": Application(
        python="3.9",
        requirements=("pycryptodome", "bcrypt", "cryptography"),
        source="from Crypto.Cipher import AES\nfrom cryptography.fernet import Fernet\n",
    ),
    "web": Application(
        python="3.12",
        requirements=("pydantic", "requests", "jinja2", "pyyaml", "orjson"),
        source="import requests, yaml, orjson\nfrom jinja2 import Template\nimport pydantic\n",
    ),
    "data": Application(
        python="3.13",
        requirements=("numpy", "pillow", "lxml"),
        source="import numpy.linalg\nfrom PIL import Image\nfrom lxml import etree\n",
    ),
    "arm64": Application(
        python="3.11",
        requirements=("pycryptodome", "markupsafe", "orjson"),
        source="from Crypto.Cipher import AES\nimport markupsafe, orjson\n",
        arch="aarch64",
    ),
}


def create_application(name: str, folder: Path) -> tuple[Path, Target]:
    """Build the application *name* into a directory, for an interpreter of this machine."""
    application = APPLICATIONS[name]
    source = folder / "source"
    for path, text in {**_USERS_PACKAGE, "app.py": application.source + _HANDLER}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
    target = Target(python=application.python, arch=application.arch, glibc="2.28")
    settings = Settings(
        isolated=True, cache=CACHE_ROOT / "artifacts", policy=Policy(exclude_newer=CUT_OFF)
    )
    output = folder / "package"
    build(application.requirements, target, output, settings=settings, source=[source])
    return output, target


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A change of one file or folder.

    :param paths: what it touches, relative to the artifact
    :param recorded: whether the RECORDs agree with the change, as in a wheel that was made so
    """

    kind: str
    paths: tuple[str, ...]
    recorded: bool

    def __str__(self) -> str:
        """Such as ``swap a.py b.py, recorded``."""
        return f"{self.kind} {' '.join(self.paths)}{', recorded' if self.recorded else ''}"


KINDS = ("remove", "empty", "swap", "move", "rename", "close", "text")


def choose_mutation(files: list[str], chance: random.Random) -> Mutation:
    """Choose a change: half of them concern binaries, most others Python source."""
    binaries = [path for path in files if ".so" in path]
    sources = [path for path in files if path.endswith(".py")]
    pool = chance.choice([binaries, binaries, sources, sources, files])
    kind = chance.choice(KINDS)
    path = chance.choice(pool or files)
    paths = [path]
    if kind == "swap":
        suffix = Path(path).suffix
        paths.append(chance.choice([other for other in files if other.endswith(suffix)]))
    elif kind == "move":
        folders = sorted({str(Path(other).parent) for other in files})
        paths.append(f"{chance.choice(folders)}/{Path(path).name}".removeprefix("./"))
    elif kind == "rename":
        name = Path(path).name
        stem, _, rest = name.partition(".")
        names = [f"x{name}", f"{stem}_x.{rest}", name.replace("cpython-3", "cpython-2")]
        new = chance.choice(names)
        paths.append(str(Path(path).with_name(new)))
    elif kind == "close" and chance.random() < 0.5 and "/" in path:
        paths = [str(Path(path).parent)]
    is_record = any(path.endswith("/RECORD") for path in paths)
    recorded = chance.random() < 0.5 and not is_record
    return Mutation(kind=kind, paths=tuple(paths), recorded=recorded)


@contextmanager
def mutated(root: Path, mutation: Mutation) -> Iterator[None]:
    """Apply *mutation* to the artifact, and undo it at the end."""
    kept = Path(tempfile.mkdtemp(prefix="kept-", dir=root.parent))
    records = [*root.glob("*.dist-info/RECORD")]
    first, *others = (root / path for path in mutation.paths)
    mode = first.stat().st_mode
    touched = {*records, *(path for path in (first, *others) if path.is_file())}
    copies = {path: kept / str(number) for number, path in enumerate(sorted(touched))}
    for path, copy in copies.items():
        shutil.copy2(path, copy)
    try:
        _apply(mutation.kind, first, *others)
        if mutation.recorded and mutation.kind != "close":
            update_records(root)
        yield
    finally:
        if first.exists():
            first.chmod(mode)
        for path in others:
            path.unlink(missing_ok=True)
        for path, copy in copies.items():
            path.unlink(missing_ok=True)
            shutil.copy2(copy, path)
        shutil.rmtree(kept)


def _apply(kind: str, path: Path, *others: Path) -> None:
    if kind == "remove":
        path.unlink()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    elif kind == "close":
        path.chmod(0o700 if path.is_dir() else 0o600)
    elif kind == "swap":
        (other,) = others
        data = path.read_bytes()
        path.write_bytes(other.read_bytes())
        other.write_bytes(data)
    else:
        (other,) = others
        if other != path:
            other.unlink(missing_ok=True)
            path.rename(other)


_IMPORTER = """
import ctypes, importlib, json, sys, warnings
root, names = sys.argv[1], json.load(sys.stdin)
warnings.simplefilter("ignore")
sys.path.insert(0, root)
failures = {}
for name in names:
    try:
        ctypes.CDLL(f"{root}/{name}") if name.endswith(".so") else importlib.import_module(name)
    except BaseException as error:
        failures[name] = type(error).__name__ + ": " + str(error)[:200]
print("\\n" + json.dumps(failures))
"""


def import_modules(python: LambdaPython, root: Path, names: Collection[str]) -> dict[str, str]:
    """Import *names* in one process, as a user who owns no file of the artifact.

    :param names: modules, and paths of libraries, which are loaded as :mod:`ctypes` does
    :returns: name -> error
    """
    searched = map(str, python.libraries)
    done = subprocess.run(
        [*python.command, "-I", "-S", "-B", "-c", _IMPORTER, root],
        input=json.dumps(sorted(names)),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd="/",
        env={"LD_LIBRARY_PATH": os.pathsep.join(searched), "HOME": "/nonexistent"},
        user="nobody" if IS_ROOT else None,
        group="nogroup" if IS_ROOT else None,
        extra_groups=() if IS_ROOT else None,
    )
    try:
        failures: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return dict.fromkeys(names, f"the interpreter ended with {done.returncode}")
    return failures


def top_level_modules(files: Collection[str]) -> set[str]:
    """The names that an importer finds at the root of an artifact with *files*."""
    names = set()
    for path in files:
        first, _, rest = path.partition("/")
        if rest and first.isidentifier() and (rest == "__init__.py"):
            names.add(first)
        elif not rest and first.endswith((".py", ".so")) and "." in first:
            names.add(first.split(".")[0])
    return names


def module_name(path: str) -> str | None:
    """The module that *path* is, if an importer of Python or C modules would name it."""
    if not path.endswith((".py", ".so")) or ".libs/" in path:
        return None
    folder, _, name = path.rpartition("/")
    parts = [*folder.split("/"), name.split(".")[0]] if folder else [name.split(".")[0]]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a mutation did: what no longer imports, and what ``check`` says."""

    mutation: Mutation
    failures: dict[str, str]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """The mutation, then each failure and finding on a line."""
        lines = [f"import {name}: {error}" for name, error in self.failures.items()]
        lines += [f"{item.severity} {item.rule}: {item.message}" for item in self.findings]
        return "\n    ".join([str(self.mutation), *lines])

    @property
    def agrees(self) -> bool:
        """Whether something fails exactly if ``check`` has an error."""
        return bool(self.failures) == bool(self._rules("error"))

    def _rules(self, severity: str) -> set[str]:
        return {finding.rule for finding in self.findings if finding.severity == severity}

    def explain(self) -> str | None:
        """Return why both are right though they do not agree; None if one of them is wrong."""
        errors, warnings = self._rules("error"), self._rules("warning")
        if errors:
            # Whoever reads the file will fail; the imports that were tried do not.
            return "mode" if errors <= {"unreadable-mode"} else None
        if warnings & {"record-missing", "record-changed", "record-unlisted"}:
            # Packages are trimmed in many ways, most of them harmless.
            return "warned"
        touched = {*self.mutation.paths, *map(module_name, self.mutation.paths)}
        if self.failures.keys() <= touched:
            # A wheel may well be without the file, or have another one: nothing else imports it.
            return "only itself"
        others = {name: error for name, error in self.failures.items() if name not in touched}
        # What fails below is often a consequence.
        tops = [error for name, error in others.items() if name.isidentifier()]
        errors_of_others = tops or list(others.values())
        if all(_is_about_content(error) for error in errors_of_others):
            return "content"
        is_gone = self.mutation.kind in {"remove", "rename", "move"}
        if is_gone and all(error.startswith("OSError") for error in errors_of_others):
            # Code opens it by a name that it makes when it runs.
            return "opened"
        return None


def _is_about_content(error: str) -> bool:
    """Whether a module is there and runs, but is not what another one expects of it.

    What the modules of projects define is not compared with what others import of them: it can
    come from native code, or be made when the module runs. The same is true of the symbols of
    libraries.
    """
    return not error.startswith(("ModuleNotFoundError", "SyntaxError", "OSError")) and (
        "cannot import name" in error
        or "undefined symbol" in error
        or not error.startswith("ImportError")
    )


def _find_python(application: Application) -> LambdaPython:
    if application.arch == "aarch64":
        return emulated_lambda_python(find_arm64_python())
    return find_lambda_python(application.python)


class Laboratory:
    """An application, and its interpreter."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.root, self.target = create_application(name, folder)
        for path in (folder, self.root):
            path.chmod(0o755)
        self.python = _find_python(APPLICATIONS[name])
        self.files = sorted(
            str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()
        )
        self.modules = top_level_modules(self.files) | {"app"}
        names = {n for path in self.files if (n := module_name(path))}
        libraries = {path for path in self.files if path.endswith(".so")}
        possible = self.modules | names | libraries
        self.importable = possible - import_modules(self.python, self.root, possible).keys()
        self._native = libraries | {n for path in libraries if (n := module_name(path))}

    def check(self) -> tuple[Finding, ...]:
        """What ``check`` finds, with the handler."""
        return check(self.root, self.target, settings=Settings(handler="app.handler"))

    def run(self, mutation: Mutation) -> Outcome:
        """Apply *mutation*, check the artifact, import top-level modules and what it touched."""
        with mutated(self.root, mutation):
            findings = self.check()
            named = {module_name(path) for path in mutation.paths}
            if any(".so" in path for path in mutation.paths):
                named |= self._native
            names = {*self.modules, *(name for name in named if name)} & self.importable
            failures = import_modules(self.python, self.root, names)
        return Outcome(mutation=mutation, failures=failures, findings=findings)

    def mutations(self, seed: int, count: int) -> Iterator[Mutation]:
        """Yield *count* mutations, the same for the same *seed*."""
        chance = random.Random(f"{self.name} {seed}")  # noqa: S311 - repeatable
        for _ in range(count):
            yield choose_mutation(self.files, chance)


def main() -> None:
    """Run many mutations and print those on which the two differ."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("applications", nargs="*", default=list(APPLICATIONS))
    options = parser.parse_args()
    for name in options.applications:
        with tempfile.TemporaryDirectory() as folder:
            laboratory = Laboratory(name, Path(folder))
            counts: Counter[str] = Counter()
            for mutation in laboratory.mutations(options.seed, options.count):
                outcome = laboratory.run(mutation)
                reason = "agree" if outcome.agrees else outcome.explain() or "UNEXPLAINED"
                counts[reason] += 1
                if reason == "UNEXPLAINED" or options.verbose:
                    sys.stdout.write(f"{reason}: {outcome}\n")
            sys.stdout.write(f"{name}: {dict(counts)}\n")


if __name__ == "__main__":
    main()
