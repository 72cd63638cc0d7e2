"""A file of a lock is trusted for a hash of SHA-256 or stronger, or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import TARGET
from tests.support.wheel_factory import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.command_line import CommandLine
    from tests.support.index_server import IndexServer
    from tests.support.wheel_factory import SdistFile, WheelFile

WHEEL = make_wheel("thing", "1.0")
SDIST = make_sdist("thing", "1.0")
ENTRIES = {
    "wheel": ("wheels = [{{path = {name!r}, hashes = {hashes}}}]", WHEEL.filename),
    "sdist": ("sdist = {{path = {name!r}, hashes = {hashes}}}", SDIST.filename),
    "archive of a wheel": ("archive = {{path = {name!r}, hashes = {hashes}}}", WHEEL.filename),
    "archive of an sdist": ("archive = {{path = {name!r}, hashes = {hashes}}}", SDIST.filename),
}


def write_lock(run: CommandLine, kind: str, *, size: str = "", **hashes: str) -> str:
    """Make a lock of one entry beside its file; gives the file's name."""
    form, name = ENTRIES[kind]
    table = "{" + ", ".join(f'{key} = "{digest}"' for key, digest in hashes.items()) + "}"
    table += f", size = {size}" if size else ""
    run.write(name, WHEEL.content if name == WHEEL.filename else SDIST.content)
    run.write(
        "pylock.toml",
        'lock-version = "1.0"\ncreated-by = "a test"\n'
        '[[packages]]\nname = "thing"\nversion = "1.0"\n' + form.format(name=name, hashes=table),
    )
    return name


@pytest.mark.parametrize("kind", ENTRIES)
@pytest.mark.parametrize("algorithm", ["blake9", "md5", "sha1", "sha224", "shake_256"])
def test_a_weak_or_unknown_hash_alone_is_refused(
    run: CommandLine, kind: str, algorithm: str
) -> None:
    is_known = algorithm in ("md5", "sha1", "sha224")
    content = WHEEL.content if ENTRIES[kind][1] == WHEEL.filename else SDIST.content
    digest = hashlib.new(algorithm, content).hexdigest() if is_known else "00"
    name = write_lock(run, kind, **{algorithm: digest})
    told = run.build("pylock.toml", "-o", "out.zip")
    assert (told.code, "out.zip" in told.left) == (2, False)
    assert f"pylock.toml has no hash of {name} that is SHA-256 or stronger" in told.err
    assert f"  pylock.toml: thing 1.0: {name}\n" in told.err
    assert "hint: make the lock again with `crossdeps lock`" in told.err


@pytest.mark.parametrize("kind", ["wheel", "archive of a wheel"])
@pytest.mark.parametrize(
    "algorithm",
    [
        *("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"),
        *("blake2b", "blake2s"),
    ],
)
def test_any_strong_hash_is_checked(run: CommandLine, kind: str, algorithm: str) -> None:
    digest = hashlib.new(algorithm, WHEEL.content).hexdigest()
    wrong = "0" * len(digest)
    write_lock(run, kind, **{algorithm: wrong, "blake9": "00", "shake_256": "00"})
    assert run.build("pylock.toml", "-o", "out.zip").code == 5
    write_lock(run, kind, **{algorithm: digest, "blake9": "00", "shake_256": "00"})
    assert run.build("pylock.toml", "-o", "out.zip").code == 0


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_right_weak_hash_does_not_excuse_a_wrong_strong_one(run: CommandLine, kind: str) -> None:
    content = WHEEL.content if ENTRIES[kind][1] == WHEEL.filename else SDIST.content
    write_lock(run, kind, sha256="0" * 64, md5=hashlib.md5(content).hexdigest())  # noqa: S324
    assert run.build("pylock.toml", "-o", "out.zip").code == 5


@pytest.mark.parametrize("kind", ENTRIES)
@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        *(("sha256", text) for text in ("", "00", " " + "0" * 64, "z" * 64, "0" * 65)),
        ("md5", "00"),
        ("blake2b", "0" * 64),
    ],
)
def test_a_malformed_hash_is_unreadable_input(
    run: CommandLine, kind: str, algorithm: str, digest: str
) -> None:
    """Where it is, and how long it should be; not a hash that differs, nor a crash."""
    write_lock(run, kind, **{"sha512": "0" * 128, algorithm: digest})
    told = run.build("pylock.toml", "-o", "out.zip")
    assert (told.code, "out.zip" in told.left) == (2, False)
    key = "wheels[0]" if kind == "wheel" else kind.split(maxsplit=1)[0]
    assert f"a {algorithm} hash has" in told.err
    assert f"  pylock.toml (packages[0].{key}.hashes.{algorithm})\n" in told.err


@pytest.mark.parametrize("kind", ["wheel", "archive of a wheel"])
def test_hashes_in_upper_case_are_the_same(run: CommandLine, kind: str) -> None:
    write_lock(run, kind, SHA256=WHEEL.sha256.upper())
    assert run.build("pylock.toml", "-o", "out.zip").code == 0


@pytest.mark.parametrize("size", ["-1", "1.5", "true", '"12"', "1" + "0" * 30])
def test_a_malformed_size_is_unreadable_input(run: CommandLine, size: str) -> None:
    write_lock(run, "wheel", size=size, sha256=WHEEL.sha256)
    told = run.build("pylock.toml", "-o", "out.zip")
    assert (told.code, "out.zip" in told.left) == (2, False)
    assert "  pylock.toml (packages[0].wheels[0].size)\n" in told.err


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.subprocess if "sdist" in kind else ())
        for kind in ENTRIES
    ],
)
def test_a_wrong_size_is_an_error(run: CommandLine, kind: str) -> None:
    """Also of a file that an earlier run has stored or built."""
    file = WHEEL if ENTRIES[kind][1] == WHEEL.filename else SDIST
    name = write_lock(run, kind, size=str(len(file.content)), sha256=file.sha256)
    assert run.build("pylock.toml", "-o", "out.zip").code == 0
    before = (run.folder / "out.zip").read_bytes()
    write_lock(run, kind, size=str(len(file.content) + 1), sha256=file.sha256)
    told = run.build("pylock.toml", "-o", "out.zip", "--force")
    assert told.code == 5
    assert name in told.err
    assert f"has {len(file.content):,} bytes, and the lock states" in told.err
    assert (run.folder / "out.zip").read_bytes() == before


def test_a_wrong_size_on_a_page_is_advice(
    run: CommandLine, make_index: Callable[..., IndexServer]
) -> None:
    """What an index states of the size of a file is not what decides about the file."""
    index = make_index()
    index.add(WHEEL, size=WHEEL.size + 1)
    assert run.build("thing", "--index-url", index.url, "-o", "out.zip").code == 0


@pytest.mark.parametrize("commit", ["main", "0" * 39, "0" * 12, "HEAD"])
def test_a_git_entry_names_a_commit(run: CommandLine, commit: str) -> None:
    """A branch could have other content tomorrow (PEP 751, "packages.vcs.commit-id")."""
    run.write(
        "pylock.toml",
        'lock-version = "1.0"\ncreated-by = "a test"\n[[packages]]\nname = "thing"\n'
        f'vcs = {{type = "git", url = "https://git.example/t.git", commit-id = "{commit}"}}\n',
    )
    told = run.build("pylock.toml", "-o", "out.zip")
    assert told.code == 2
    assert "  pylock.toml (packages[0].vcs.commit-id)\n" in told.err


def test_a_file_that_another_target_takes_is_not_looked_at(run: CommandLine) -> None:
    write_lock(run, "wheel", sha256=WHEEL.sha256)
    lock = (run.folder / "pylock.toml").read_text()
    other = 'sdist = {path = "thing-1.0.tar.gz", hashes = {md5 = "' + "0" * 32 + '"}}\n'
    run.write("pylock.toml", f"{lock}\n{other}")
    assert run.build("pylock.toml", "-o", "out.zip").code == 0


@pytest.mark.parametrize("file", [WHEEL, pytest.param(SDIST, marks=pytest.mark.subprocess)])
def test_an_index_with_weak_hashes_can_be_locked(
    run: CommandLine, make_index: Callable[..., IndexServer], file: WheelFile | SdistFile
) -> None:
    """As one without hashes: SHA-256 is computed, so that the lock can be built."""
    index = make_index()
    index.add(file, hashes={"md5": hashlib.md5(file.content).hexdigest()})  # noqa: S324
    told = run("lock", "thing", "--allow-sdist", "thing", "--index-url", index.url, *TARGET)
    assert told.code == 0, told.err
    assert f'sha256 = "{file.sha256}"' in (run.folder / "pylock.toml").read_text()
    assert run.build("pylock.toml", "-o", "out.zip").code == 0
