"""Builds of earlier runs are written again: the same bytes and words, whatever was damaged."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from crossdeps.bundle import write
from crossdeps.bundle.write import write_zip_layout
from crossdeps.pipeline.build import build as run_build
from crossdeps.pipeline.request import Lock, Settings
from crossdeps.target.model import Target
from crossdeps.target.runtimes import provided_projects
from tests.support.command import REPOSITORY
from tests.support.command_line import TARGET, CommandLine, Told
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from crossdeps.bundle.staging import Written
    from crossdeps.bundle.zip_layout import ZipLayout

INTEL = Target(python="3.12", arch="x86_64")
OUTPUTS = ("out.zip", "out")


def read(path: Path) -> dict[str, tuple[int, bytes]]:
    """Modes and bytes of a file, or of all files below a directory."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {
        each.relative_to(path).as_posix(): (each.stat().st_mode, each.read_bytes())
        for each in files
    }


def build(
    run: CommandLine, output: str, *arguments: str | Path
) -> tuple[Told, dict[str, tuple[int, bytes]], str]:
    """Build where nothing is; see :func:`rebuild`."""
    path = run.folder / output
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return rebuild(run, output, *arguments)


def rebuild(
    run: CommandLine, output: str, *arguments: str | Path
) -> tuple[Told, dict[str, tuple[int, bytes]], str]:
    """Build with every form of output: what was told, what was written, and the report file."""
    told = run.build(*arguments, "--output", output, "--json", "--report", "report.json")
    files = read(run.folder / output) if (run.folder / output).exists() else {}
    return told, files, (run.folder / "report.json").read_text()


def check_again(
    run: CommandLine, made: list[str], output: str, *arguments: str | Path
) -> tuple[Told, dict[str, tuple[int, bytes]], str]:
    """Build anew, with an empty cache, and from memory: all three are the same to the letter."""
    anew = build(run, output, *arguments, "--no-cache")
    assert build(run, output, *arguments) == anew
    made.clear()
    remembered = build(run, output, *arguments)
    assert remembered == anew
    assert made == []
    return remembered


@pytest.fixture
def filled(run: CommandLine) -> CommandLine:
    """An index with what the options below leave out or move, and a source."""
    run.index.add(
        make_wheel(
            "tool",
            "1.0",
            requires=["pure<2"],
            files={
                "tool/__init__.py": "def main(): ...\n",
                "tool/tests/test_tool.py": "1\n",
                "tool/data.txt": "x" * 3000,
                "tool/stub.pyi": "",
                "tool-1.0.data/scripts/old": "#!python\n",
            },
            entry_points={"console_scripts": {"new": "tool:main"}},
        )
    )
    version = str(provided_projects("python3.12")[canonicalize_name("boto3")].version)
    run.index.add(make_wheel("boto3", version, requires=["pure"]))
    run.write("src/app.py", "import tool\n\n\ndef handler(event, context):\n    import absent\n")
    run.write("src/lib/helper.py", "x = 1\n")
    run.write("src/ignored.txt", "")
    run.write("src/.gitignore", "ignored.txt\n")
    return run


OPTIONS = {
    "nothing": (),
    "a source": ("--source", "src"),
    "a file": ("--source", "src/app.py"),
    "a handler": ("--source", "src", "--handler", "app.handler"),
    "an ignored finding": ("--source", "src", "--ignore", "missing-later-import"),
    "exclude": ("--source", "src", "--exclude", "lib/*", "--exclude", "tool/data.txt"),
    "include": ("--source", "src", "--include", "ignored.txt"),
    "slim": ("--slim",),
    "slim, but": ("--slim", "--include", "tool/tests/*"),
    "scripts": ("--scripts",),
    "a layer": ("--layer",),
    "a versioned layer": ("--versioned-layer", "--source", "src"),
    "without a project": ("--exclude-project", "pure"),
    "without dependencies": ("--no-deps",),
    "provided": ("boto3", "--provided", "--runtime", "python3.12"),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_build_is_the_same_anew_and_remembered(
    filled: CommandLine, made: list[str], output: str
) -> None:
    """Each option is another build, and what is remembered of one is no other's."""
    builds = {}
    for name, options in OPTIONS.items():
        made.clear()
        builds[name] = build(filled, output, "tool", *options)
        assert builds[name][0].code == 0, name
        assert "build" in made, name
    for name, options in OPTIONS.items():
        made.clear()
        assert build(filled, output, "tool", *options) == builds[name], name
        assert made == [], name
    for name, options in OPTIONS.items():
        assert build(filled, output, "tool", *options, "--no-cache") == builds[name], name


def test_versions_of_the_runtime_are_part_of_a_build(filled: CommandLine, made: list[str]) -> None:
    arguments = ("boto3", "--provided", "--runtime", "python3.12")
    before = check_again(filled, made, "out.zip", *arguments)
    table = '[tool.crossdeps.provided-versions]\nboto3 = "{}"\n'
    for version in ("unknown", "absent", "1.0"):
        filled.write("pyproject.toml", table.format(version))
        told = build(filled, "out.zip", *arguments)
        assert told != before
        assert build(filled, "out.zip", *arguments, "--no-cache") == told
    (filled.folder / "pyproject.toml").unlink()
    made.clear()
    assert build(filled, "out.zip", *arguments)[1:] == before[1:]
    assert made == []


@pytest.mark.parametrize("output", OUTPUTS)
def test_findings_fail_again(filled: CommandLine, made: list[str], output: str) -> None:
    arguments = ("tool", "--source", "src", "--handler", "app.handler")
    told, _, _ = check_again(filled, made, output, *arguments)
    assert "missing-later-import" in {each["rule"] for each in told.document["findings"]}
    strict = build(filled, output, *arguments, "--strict")
    assert strict[0].code == 7
    assert build(filled, output, *arguments, "--strict") == strict
    filled.write("src/app.py", "import absent\n")
    assert build(filled, output, *arguments)[0].code == 7


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("with_source", [False, True], ids=["alone", "with source"])
def test_a_lock_is_built_the_same(
    filled: CommandLine, made: list[str], output: str, with_source: bool
) -> None:
    assert filled("lock", "tool", *TARGET).code == 0
    source = ("--source", "src") if with_source else ()
    check_again(filled, made, output, "pylock.toml", *source)
    lock = filled.folder / "pylock.toml"
    filled("lock", "leaf", *TARGET, "--output", "pylock.other.toml")
    lock.write_bytes((filled.folder / "pylock.other.toml").read_bytes())
    told, files, _ = check_again(filled, made, output, "pylock.toml", *source)
    assert {each["name"] for each in told.document["packages"]} == {"leaf", "pure"}
    assert files
    lock.write_text("not = 'a lock'")
    failed = rebuild(filled, output, "pylock.toml", *source)
    assert (failed[0].code, failed[1]) == (2, files)


def test_a_lock_with_other_hashes_only(filled: CommandLine, made: list[str]) -> None:
    wheel = make_wheel("pure", "1.0")
    digest = hashlib.sha512(wheel.content).hexdigest()
    filled("lock", "pure==1.0", *TARGET)
    lock = filled.folder / "pylock.toml"
    lock.write_text(lock.read_text().replace(f'sha256 = "{wheel.sha256}"', f'sha512 = "{digest}"'))
    assert digest in lock.read_text()
    check_again(filled, made, "out.zip", "pylock.toml")
    lock.write_text(lock.read_text().replace(digest[:8], "00000000"))
    assert build(filled, "out.zip", "pylock.toml")[0].code == 5


def link_to(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def ignore_above(src: Path) -> None:
    (src.parent / ".git").mkdir()
    (src.parent / ".gitignore").write_text("app.py\n")


SOURCE_CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda src: (src / "app.py").write_text("import tool  # changed\n"),
    "the same size": lambda src: (src / "lib/helper.py").write_text("x = 2\n"),
    "mode": lambda src: (src / "app.py").chmod(0o755),
    "another file": lambda src: (src / "more.py").write_text(""),
    "no file": lambda src: (src / "lib/helper.py").unlink(),
    "a name": lambda src: (src / "app.py").rename(src / "app2.py"),
    "gitignore": lambda src: (src / ".gitignore").write_text("*.txt\nlib\n"),
    "gitignore of the repository": ignore_above,
    "a link": lambda src: link_to(src / "lib/helper.py", src / "app.py"),
    "a broken link": lambda src: link_to(src / "lib/helper.py", src / "nothing"),
    "an earlier artifact": lambda src: shutil.copy(src.parent / "out.zip", src / "old.zip"),
    "a virtual environment": lambda src: (src / "lib/pyvenv.cfg").touch(),
}


@pytest.mark.parametrize("change", SOURCE_CHANGES.values(), ids=SOURCE_CHANGES)
def test_a_change_of_the_source_is_noticed(
    filled: CommandLine, made: list[str], change: Callable[[Path], object]
) -> None:
    before = check_again(filled, made, "out.zip", "tool", "--source", "src")
    change(filled.folder / "src")
    told = build(filled, "out.zip", "tool", "--source", "src")
    assert "build" in made
    assert told != before
    assert build(filled, "out.zip", "tool", "--source", "src", "--no-cache") == told


@pytest.mark.parametrize("output", ["src/out.zip", "src/out"])
def test_the_output_within_the_source_is_no_part_of_it(
    filled: CommandLine, made: list[str], output: str
) -> None:
    check_again(filled, made, output, "tool", "--source", "src")
    made.clear()
    other = output.replace("out", "other")
    first = build(filled, other, "tool", "--source", "src")
    assert "is a package that crossdeps made: excluded" in first[0].err
    assert build(filled, other, "tool", "--source", "src") == first
    assert made == ["build"]


def test_a_source_that_was_moved_is_read_where_it_is(filled: CommandLine, made: list[str]) -> None:
    link = filled.folder / "link"
    link.symlink_to("src")
    before = build(filled, "out.zip", "tool", "--source", "link")
    (filled.folder / "src").rename(filled.folder / "elsewhere")
    link.unlink()
    link.symlink_to("elsewhere")
    for _ in range(2):
        made.clear()
        told, files, report = build(filled, "out.zip", "tool", "--source", "link")
        assert (told.code, told.out, files, report) == (0, before[0].out, *before[1:])
    assert made == []


def test_a_file_of_the_user_is_not_replaced(filled: CommandLine) -> None:
    for output in OUTPUTS:
        build(filled, output, "tool")
        kept = "mine" if output.endswith(".zip") else "mine.txt"
        path = filled.folder / output
        if path.is_dir():
            path = path / kept
        path.write_text("mine")
        told, _, _ = rebuild(filled, output, "tool")
        assert told.code == 2
        assert path.read_text() == "mine"
        forced, files, _ = rebuild(filled, output, "tool", "--force")
        assert forced.code == 0
        assert build(filled, output, "tool", "--no-cache")[1] == files


def test_a_dry_run_writes_nothing(filled: CommandLine) -> None:
    build(filled, "out.zip", "tool")
    (filled.folder / "out.zip").unlink()
    told = build(filled, "out.zip", "tool", "--dry-run")
    assert (told[0].code, told[1]) == (0, {})
    assert told == build(filled, "out.zip", "tool", "--dry-run")


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 0x55
    path.chmod(0o644)
    path.write_bytes(data)


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def swap(path: Path) -> None:
    """Put another file of the kind in the place of this one; any other if it is the only one."""
    own = path.read_bytes()
    others = [
        each.read_bytes()
        for folder in (path.parents[1], path.parents[2])
        for each in sorted(folder.rglob(f"*{path.suffix}"))
        if each.is_file()
    ]
    overwrite(path, next(other for other in others if other != own))


def to_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: overwrite(path, b""),
    "cut": lambda path: overwrite(path, path.read_bytes()[:-1]),
    "halved": lambda path: overwrite(path, path.read_bytes()[: path.stat().st_size // 2]),
    "longer": lambda path: overwrite(path, path.read_bytes() + b"\0"),
    "flipped at the start": lambda path: flip(path, 0),
    "flipped at the end": lambda path: flip(path, -1),
    "swapped": swap,
    "a broken link": lambda path: link_to(path, path.with_name("nothing")),
    "flipped at 40": lambda path: flip(path, 40),
    "flipped at 90": lambda path: flip(path, 90),
    "flipped at 333": lambda path: flip(path, 333),
}


def files_of(cache: Path, pattern: str) -> list[Path]:
    return sorted(path for path in cache.rglob(pattern) if path.is_file())


@pytest.mark.parametrize(
    ("output", "suffix"),
    [("out.zip", "whl"), ("out.zip", "facts*"), ("out", "whl"), ("out", "facts*")],
)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_store_changes_no_output(
    filled: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    suffix: str,
    damage: Callable[[Path], object],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(filled.folder / ".cache"))
    arguments = ("leaf", "--quiet")
    before = build(filled, output, *arguments)
    wheels = files_of(filled.folder / ".cache/crossdeps/wheels", f"*.{suffix}")
    assert len(wheels) == 2
    kept = {path: path.read_bytes() for path in wheels}
    for path in wheels:
        damage(path)
        after = build(filled, output, *arguments)
        assert (after[0].code, after[1:]) == (0, before[1:]), path
        assert after[0].out == before[0].out
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        path.write_bytes(kept[path])
    assert build(filled, output, *arguments)[1:] == before[1:]


def test_a_wheel_that_matters_is_fetched_again(
    filled: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(filled.folder / ".cache"))
    before = build(filled, "out.zip", "pure")
    (wheel,) = files_of(filled.folder / ".cache/crossdeps/wheels", "*.whl")
    content = wheel.read_bytes()
    for damaged in (content[:60], make_wheel("leaf", "1.0").content, b""):
        overwrite(wheel, damaged)
        made.clear()
        assert build(filled, "out.zip", "pure")[1:] == before[1:]
        assert made == ["build"]
        assert wheel.read_bytes() == content
    made.clear()
    assert build(filled, "out.zip", "pure")[1:] == before[1:]
    assert made == []


def test_a_wheel_that_cannot_be_read_is_no_error(
    filled: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(filled, "out.zip", "pure")

    failures = [True]

    def fail(layout: ZipLayout, paths: Sequence[Path], *others: Any, **named: Any) -> Written:  # noqa: ANN401 - as given
        missing = [path.with_name("missing") for path in paths]
        given = missing if failures.pop() else paths
        failures.append(False)
        return write_zip_layout(layout, given, *others, **named)

    monkeypatch.setattr(write, "write_zip_layout", fail)
    made.clear()
    assert build(filled, "out.zip", "pure") == before
    assert made == ["build"]


def leave_half(path: Path) -> None:
    """What a process leaves that is killed while it writes."""
    path.with_name(f".{path.name}.0a1b2c3d.tmp").write_bytes(path.read_bytes()[:50])
    path.unlink()


ENTRY_DAMAGES: dict[str, Callable[[Path], object]] = {
    **{
        name: DAMAGES[name] for name in ("removed", "emptied", "cut", "halved", "longer", "swapped")
    },
    **{name: DAMAGES[name] for name in ("flipped at the start", "flipped at 40", "flipped at 90")},
    "of another version": lambda path: overwrite(
        path, path.read_bytes().replace(b"crossdeps-derived-", b"crossdeps-derived_", 1)
    ),
    "half written": leave_half,
    "a directory": to_directory,
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("damage", ENTRY_DAMAGES.values(), ids=ENTRY_DAMAGES)
def test_damage_of_what_is_kept_changes_no_output(
    filled: CommandLine,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    damage: Callable[[Path], object],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(filled.folder / ".cache"))
    arguments = ("tool", "--source", "src", "--quiet")
    build(filled, output, "leaf", "--source", "src")  # other entries, to be swapped with
    before = build(filled, output, *arguments)
    entries = files_of(filled.folder / ".cache/crossdeps/derived", "*")
    ours = [path for path in entries if path.parts[-3].startswith(("builds", "resolutions"))]
    assert len(ours) == 4
    for path in ours:
        kept = path.read_bytes()
        damage(path)
        after = build(filled, output, *arguments)
        assert (after[0].code, after[0].out, after[0].err) == (0, before[0].out, before[0].err), (
            path
        )
        assert after[1:] == before[1:], path
        if path.is_dir():
            path.rmdir()
        overwrite(path, kept) if path.exists() else path.write_bytes(kept)
    for path in entries:
        damage(path)
    after = build(filled, output, *arguments)
    assert (after[0].out, after[1:]) == (before[0].out, before[1:])
    made.clear()
    assert build(filled, output, *arguments)[1:] == before[1:]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("locked", [False, True], ids=["requirements", "lock"])
def test_the_report_is_equal_for_the_library(
    filled: CommandLine, made: list[str], output: str, locked: bool
) -> None:
    settings = Settings(cache=filled.folder / "cache")
    lock = filled.folder / "pylock.toml"
    if locked:
        assert filled("lock", "tool", "pure<2", *TARGET).code == 0
    request = lock if locked else ["tool", "pure<2"]
    reports = []
    for _ in range(2):
        made.clear()
        reports.append(
            run_build(request, INTEL, output, source=filled.folder / "src", settings=settings)
        )
    assert made == []
    if locked:
        lock.write_text("changed after the build")
    first, second = (
        {name: getattr(each, name) for name in each.__struct_fields__ if name != "read_lock"}
        for each in reports
    )
    assert second == first
    assert reports[1].lock == reports[0].lock


def test_a_lock_that_changes_while_it_is_built_is_not_remembered(
    filled: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pure", "leaf"):
        filled("lock", name, *TARGET, "--output", f"pylock.{name}.toml")
    lock = filled.folder / "pylock.toml"
    texts = {name: (filled.folder / f"pylock.{name}.toml").read_text() for name in ("pure", "leaf")}
    lock.write_text(texts["pure"])

    read_lock = Lock.read

    def disturbed(self: Lock) -> object:
        found = read_lock(self)
        lock.write_text(texts["leaf"])
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Lock, "read", disturbed)
        told, _, _ = build(filled, "out.zip", "pylock.toml")
        assert [each["name"] for each in told.document["packages"]] == ["pure"]
    made.clear()
    told, _, _ = build(filled, "out.zip", "pylock.toml")
    assert [each["name"] for each in told.document["packages"]] == ["leaf", "pure"]


@pytest.mark.subprocess
def test_processes_build_the_same_at_once(filled: CommandLine) -> None:
    before = build(filled, "out.zip", "tool")
    for path in files_of(pathlib.Path(os.environ["XDG_CACHE_HOME"]), "*.whl")[:1]:
        path.unlink()
    program = (sys.executable, "-m", "crossdeps", "build", "tool", "--output", "out.zip", *TARGET)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    started = [subprocess.Popen(program, env=environment) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    assert read(filled.folder / "out.zip") == before[1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not UTF-8")
@pytest.mark.parametrize("output", OUTPUTS)
def test_paths_that_are_not_utf_8_are_no_error(filled: CommandLine, output: str) -> None:
    name = os.fsdecode(b"\xff")
    (filled.folder / "src").rename(filled.folder / name)
    (filled.folder / name / "broken").symlink_to("nothing")
    for folder in (".", name):
        told, files, _ = build(filled, f"{folder}/{output}", "tool", "--source", name)
        assert (told.code, len(files) > 0) == (0, True)
        assert "broken symbolic link" in told.err
        assert build(filled, f"{folder}/{output}", "tool", "--source", name)[1] == files


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_that_was_changed_is_written_again(filled: CommandLine, output: str) -> None:
    before = build(filled, output, "tool")
    path = filled.folder / output
    file = path / "tool/data.txt" if path.is_dir() else path
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    for position in (100, -30, None):
        file.unlink() if position is None else flip(file, position)
        if file.exists():
            os.utime(file, ns=times)
        assert rebuild(filled, output, "tool", "--force") == before
    assert rebuild(filled, output, "tool") == before
