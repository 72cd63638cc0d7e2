"""Results of earlier runs: used while all is the same, and never when anything differs."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
import pathlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

import crossdeps
from crossdeps.index import cache
from crossdeps.pipeline import remembered
from crossdeps.pipeline.lock import lock as run_lock
from crossdeps.pipeline.lock import plan_lock
from crossdeps.pipeline.request import Settings
from crossdeps.pipeline.resolve import resolve
from crossdeps.resolution import root_requirements
from crossdeps.target.model import Target
from tests.support import faults
from tests.support.command_line import TARGET, CommandLine, Told
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.index_server import IndexServer

INTEL = Target(python="3.12", arch="x86_64")
ARM = Target(python="3.12", arch="aarch64")


def lock(run: CommandLine, *arguments: str | Path) -> Told:
    """``crossdeps lock`` to standard output."""
    return run("lock", *arguments, "--output", "-", *TARGET)


def check_like_anew(run: CommandLine, told: Told, *arguments: str | Path) -> None:
    """*told* is what a run without a cache says, to the letter."""
    anew = lock(run, *arguments, "--no-cache")
    assert (told.code, told.out, told.err) == (anew.code, anew.out, anew.err)


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """Whatever a run may read, to be changed between two runs."""

    run: CommandLine
    patch: pytest.MonkeyPatch

    def write(self, name: str, text: str) -> None:
        self.run.write(name, text)

    def replace(self, name: str, *, requires: list[str]) -> None:
        self.run.index.remove(name)
        self.run.index.add(make_wheel(name, "1.0", requires=requires))

    def add(self, version: str, **about: object) -> None:
        self.run.index.add(make_wheel("pure", version), **about)  # type: ignore[arg-type]


ARGUMENTS = ("-r", "requirements.txt", "--override", "override.txt", "--group", "dev")


@pytest.fixture
def world(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> World:
    """Requirements that are spread over files, variables, configuration and the index."""
    run.write("requirements.txt", "-r sub/more.txt\n-c limits.txt\ntree\nnative${MOST}\n")
    run.write("sub/more.txt", "--find-links wheels\nleaf\nlocal\n")
    run.write("wheels/README", "")
    run.write("limits.txt", "pure<3\n")
    run.write("override.txt", "pure>=1\n")
    run.write("pip.conf", "[global]\nconstraint = pip-limits.txt\n")
    run.write("pip-limits.txt", "pure!=1.5\n")
    run.write("pyproject.toml", '[dependency-groups]\ndev = ["pure<2.5"]\n')
    local = make_wheel("local", "1.0")
    run.write(f"wheels/{local.filename}", local.content)
    monkeypatch.setenv("MOST", "<2")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(run.folder / "pip.conf"))
    return World(run=run, patch=monkeypatch)


def replace_in_place(world: World) -> None:
    """Another wheel of the same size and times under the same name."""
    one = world.run.folder / "wheels/local-1.0-py3-none-any.whl"
    before = one.stat()
    other = make_wheel("local", "1.0", files={"local/__init__.py": b"x = 2\n"}).content
    same = make_wheel("local", "1.0", files={"local/__init__.py": b"x = 1\n"}).content
    assert len(same) == len(other)
    assert one.read_bytes() != other
    one.write_bytes(other)
    os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))


def add_local(world: World) -> None:
    wheel = make_wheel("local", "2.0")
    world.run.write(f"wheels/{wheel.filename}", wheel.content)


CHANGES: dict[str, Callable[[World], object]] = {
    "requirements": lambda w: w.write("requirements.txt", "pure<2\n"),
    "included requirements": lambda w: w.write("sub/more.txt", "pure<2\n"),
    "included constraints": lambda w: w.write("limits.txt", "pure<2\n"),
    "overrides": lambda w: w.write("override.txt", "pure<1.1\n"),
    "constraints of pip's configuration": lambda w: w.write("pip-limits.txt", "pure<2\n"),
    "pip's configuration": lambda w: w.write("pip.conf", "[global]\npre = true\n"),
    "a dependency group": lambda w: w.write(
        "pyproject.toml", '[dependency-groups]\ndev = ["pure<2"]\n'
    ),
    "options of the project": lambda w: w.write(
        "pyproject.toml",
        '[tool.crossdeps]\nexclude-newer = "2023-01-01"\n[dependency-groups]\ndev = ["pure<2.5"]\n',
    ),
    "a project's index": lambda w: w.write(
        "pyproject.toml",
        f'[tool.crossdeps.project-index]\npure = "{w.run.index.url}"\n'
        '[dependency-groups]\ndev = ["pure<2.5"]\n',
    ),
    "an environment variable": lambda w: w.patch.setenv("MOST", "<1.1"),
    "an environment variable that is unset": lambda w: w.patch.delenv("MOST"),
    "a variable of pip": lambda w: w.patch.setenv("PIP_PRE", "1"),
    "a missing CA bundle": lambda w: w.patch.setenv("REQUESTS_CA_BUNDLE", "missing.pem"),
    "a new version on a page": lambda w: w.add("2.1"),
    "a yanked version on a page": lambda w: w.add("2.1", yanked="bad"),
    "another hash on a page": lambda w: w.replace("leaf", requires=["pure<2", "native"]),
    "a removed project": lambda w: w.run.index.remove("leaf"),
    "a page that fails": lambda w: w.run.index.script(
        "/simple/leaf/", [faults.status(403)], repeat=True
    ),
    "a wheel in a directory": add_local,
    "a wheel replaced in place": replace_in_place,
    "no wheels": lambda w: (w.run.folder / "wheels/local-1.0-py3-none-any.whl").unlink(),
    "no file": lambda w: (w.run.folder / "limits.txt").unlink(),
    "a directory nearer to the file": lambda w: w.write("sub/wheels/README", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_what_was_read_is_noticed(
    world: World, made: list[str], change: Callable[[World], object]
) -> None:
    first = lock(world.run, *ARGUMENTS)
    assert (first.code, made) == (0, ["search"])
    made.clear()
    assert lock(world.run, *ARGUMENTS) == first
    assert made == []
    change(world)
    told = lock(world.run, *ARGUMENTS)
    assert (told.code, made) != (0, [])
    check_like_anew(world.run, told, *ARGUMENTS)


class TestPages:
    def test_fresh_pages_are_not_requested(self, run: CommandLine, made: list[str]) -> None:
        run.index.configure(cache_control="max-age=600")
        first = lock(run, "tree")
        run.index.forget_requests()
        made.clear()
        run.index.add(make_wheel("pure", "1.2"))
        assert lock(run, "tree") == first
        assert (made, run.index.requests) == ([], ())

    def test_a_page_is_requested_again_when_it_is_stale(
        self, run: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.index.configure(cache_control="max-age=600")
        first = lock(run, "tree")
        later = time.time() + 601
        monkeypatch.setattr(time, "time", lambda: later)
        made.clear()
        run.index.forget_requests()
        assert lock(run, "tree") == first
        assert made == []
        assert {request.status for request in run.index.requests} == {304}
        run.index.forget_requests()
        assert lock(run, "tree") == first
        assert run.index.requests == ()
        run.index.add(make_wheel("pure", "1.2"))
        monkeypatch.setattr(time, "time", lambda: later + 601)
        told = lock(run, "tree")
        assert "pure-1.2" in told.out
        check_like_anew(run, told, "tree")

    def test_a_page_without_validators_is_compared(self, run: CommandLine, made: list[str]) -> None:
        run.index.configure(etags=False)
        first = lock(run, "tree")
        made.clear()
        assert lock(run, "tree") == first
        assert made == []
        run.index.add(make_wheel("pure", "1.2"))
        check_like_anew(run, lock(run, "tree"), "tree")
        assert "search" in made

    def test_what_may_not_be_stored_is_searched_again(
        self, run: CommandLine, made: list[str]
    ) -> None:
        run.index.configure(cache_control="no-store")
        first = lock(run, "tree")
        assert lock(run, "tree") == first
        assert made == ["search", "search"]

    def test_a_page_may_vanish_and_come_back(
        self, run: CommandLine, made: list[str], make_index: Callable[..., IndexServer]
    ) -> None:
        other = make_index(run.index.settings)
        arguments = ("tree", "--extra-index-url", other.url, "--index-strategy", "first")
        first = lock(run, *arguments)
        assert (first.code, lock(run, *arguments)) == (0, first)
        run.index.script("/simple/pure/", [faults.status(404)], repeat=True)
        gone = lock(run, *arguments)
        assert gone.code == 3
        check_like_anew(run, gone, *arguments)
        run.index.script("/simple/pure/", [])
        made.clear()
        assert lock(run, *arguments) == first
        assert made == []
        other.add(make_wheel("leaf", "3.0"))
        check_like_anew(run, lock(run, *arguments), *arguments)
        assert "search" in made

    def test_an_index_that_is_gone_is_an_error(self, run: CommandLine) -> None:
        arguments = ("tree", "--retries", "0")
        assert lock(run, *arguments).code == 0
        run.index.close()
        told = lock(run, *arguments)
        assert told.code == 4
        check_like_anew(run, told, *arguments)

    def test_without_a_network_pages_may_be_old(self, run: CommandLine, made: list[str]) -> None:
        first = lock(run, "tree")
        run.index.close()
        made.clear()
        assert lock(run, "tree", "--offline") == first
        assert made == []
        assert lock(run, "windowed", "--offline").code == 4

    def test_what_was_chosen_without_a_network_is_compared_with_the_index(
        self, run: CommandLine, made: list[str]
    ) -> None:
        first = lock(run, "tree")
        run("cache", "prune")
        assert lock(run, "tree", "--offline") == first
        run.index.add(make_wheel("pure", "1.2"))
        assert lock(run, "tree", "--offline") == first
        assert "pure-1.2" in lock(run, "tree").out
        assert made == ["search", "search"]

    def test_an_index_and_a_page_of_links_may_have_one_url(
        self, run: CommandLine, make_index: Callable[..., IndexServer]
    ) -> None:
        page = '<a href="pure/">pure</a><a href="/files/pure-{}-py3-none-any.whl">pure</a>'
        run.index.serve("/simple/", page.format("1.0").encode())
        arguments = ("pure", "--find-links", run.index.url, "--no-deps", "--pre")
        first = lock(run, *arguments)
        assert first.code == 0
        assert lock(run, *arguments) == first
        wheel = make_wheel("pure", "7.0")
        server = make_index()
        url = server.add(wheel)
        run.index.serve("/simple/", f'<a href="{url}#sha256={wheel.sha256}">7</a>'.encode())
        told = lock(run, *arguments)
        assert "pure-7.0" in told.out
        check_like_anew(run, told, *arguments)
        run.index.add(make_wheel("pure", "8.0"))
        assert "pure-8.0" in lock(run, *arguments).out


class TestSettings:
    @pytest.mark.parametrize(
        "more",
        [
            ("--pre",),
            ("--exclude-newer", "2023-06-01"),
            ("--no-deps",),
            ("--require-hashes",),
            ("--index-strategy", "first"),
            ("--allow-sdist", "pure"),
            ("--extra-index-url", "http://127.0.0.1:1/simple/", "--retries", "0"),
            ("--no-index",),
            ("--isolated", "--no-index"),
            ("--find-links", "."),
            ("--find-links", "missing"),
            ("--cert", "missing.pem"),
            ("--platform", "manylinux_2_28_x86_64"),
            ("--arch", "aarch64"),
            ("--provided", "--runtime", "python3.12"),
            ("-c", "limits.txt"),
        ],
        ids=" ".join,
    )
    def test_another_setting_is_another_result(
        self, run: CommandLine, made: list[str], more: tuple[str, ...]
    ) -> None:
        run.index.configure(cache_control="max-age=600")
        run.write("limits.txt", "pure<1.1\n")
        assert lock(run, "tree").code == 0
        made.clear()
        told = lock(run, "tree", *more)
        assert (told.code, made) != (0, [])
        check_like_anew(run, told, "tree", *more)
        again = lock(run, "tree", *more)
        assert again == told

    @pytest.mark.parametrize(
        "more",
        [("--retries", "1"), ("--timeout", "9"), ("--dry-run",), ("--offline",)],
        ids=" ".join,
    )
    def test_how_it_is_done_is_no_other_result(
        self, run: CommandLine, made: list[str], more: tuple[str, ...]
    ) -> None:
        first = lock(run, "tree")
        made.clear()
        assert lock(run, "tree", *more) == first
        assert made == []

    def test_a_certificate_that_is_gone_is_an_error(self, run: CommandLine) -> None:
        run.index.configure(cache_control="max-age=600")
        pem = run.write("client.pem", "")
        arguments = ("tree", "--client-cert", pem)
        assert lock(run, *arguments).code == 0
        pem.unlink()
        told = lock(run, *arguments)
        assert told.code == 2
        check_like_anew(run, told, *arguments)

    def test_warnings_about_the_connection_are_those_of_the_run(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = lock(run, "tree")
        monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")
        warned = lock(run, "tree")
        assert "SSL_CERT_FILE names missing.pem" in warned.err
        assert lock(run, "tree") == warned
        monkeypatch.delenv("SSL_CERT_FILE")
        assert lock(run, "tree") == plain

    def test_relative_paths_belong_to_a_directory(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.write("requirements.txt", "tree\n")
        run.write("other/requirements.txt", "pure\n")
        lock(run)
        monkeypatch.chdir(run.folder / "other")
        told = lock(run)
        check_like_anew(run, told)
        assert "tree" not in told.out

    def test_a_tilde_is_the_home_of_the_run(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(run.folder / "cache"))
        run.write("requirements.txt", "--find-links ~/wheels\nlocal\n")
        for version in ("1.0", "2.0"):
            wheel = make_wheel("local", version)
            run.write(f"home{version}/wheels/{wheel.filename}", wheel.content)
            monkeypatch.setenv("HOME", str(run.folder / f"home{version}"))
            told = lock(run)
            assert f'version = "{version}"' in told.out
            check_like_anew(run, told)

    def test_two_targets_are_remembered_together(self, run: CommandLine, made: list[str]) -> None:
        both = ("tree", "--arch", "aarch64")
        first = lock(run, *both)
        assert len(made) > 1
        made.clear()
        assert lock(run, *both) == first
        assert made == []
        check_like_anew(run, first, *both)

    def test_each_resolution_of_a_lock_serves_by_itself(
        self, run: CommandLine, made: list[str]
    ) -> None:
        lock(run, "tree", "--arch", "aarch64")
        made.clear()
        told = run.build("tree", "--output", "out.zip")
        assert made == ["build"]
        assert told.code == 0

    def test_without_a_cache_everything_is_made_anew(
        self, run: CommandLine, made: list[str]
    ) -> None:
        lock(run, "tree")
        lock(run, "tree", "--no-cache")
        assert made == ["search", "search"]

    def test_a_refreshed_result_replaces_the_remembered_one(
        self, run: CommandLine, made: list[str]
    ) -> None:
        run.index.configure(cache_control="max-age=600")
        assert "pure-1.1" in lock(run, "tree").out
        run.index.add(make_wheel("pure", "1.2"))
        assert "pure-1.1" in lock(run, "tree").out
        refreshed = lock(run, "tree", "--refresh")
        assert "pure-1.2" in refreshed.out
        made.clear()
        assert lock(run, "tree") == refreshed
        assert made == []

    def test_a_date_that_moves_is_never_the_same(self, run: CommandLine, made: list[str]) -> None:
        first = lock(run, "tree", "--exclude-newer", "7 days")
        assert lock(run, "tree", "--exclude-newer", "7 days") == first
        assert made == ["search", "search"]


class TestInputs:
    def test_standard_input_is_read_by_every_run(
        self, run: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for text in ("tree", "tree", "pure"):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
            told = lock(run, "-r", "-")
            assert f'name = "{text}"' in told.out
        assert made == ["search"] * 3

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
    @pytest.mark.timeout(30)
    @pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml"])
    def test_a_pipe_is_read_once(self, run: CommandLine, made: list[str], name: str) -> None:
        text = "pure\n" if name == "requirements.txt" else lock(run, "pure").out
        made.clear()
        for _ in range(2):
            pipe = run.folder / name
            os.mkfifo(pipe)
            writer = threading.Thread(target=pipe.write_text, args=(text,))
            writer.start()
            told = run.build("-r", name, "--output", "out.zip")
            writer.join()
            assert told.code == 0
            pipe.unlink()
        assert made.count("build") == 2

    def test_a_link_to_another_file_is_noticed(self, run: CommandLine) -> None:
        run.write("one.txt", "pure<2\n")
        run.write("two.txt", "pure\n")
        link = run.folder / "requirements.txt"
        for name in ("one.txt", "two.txt", "one.txt"):
            link.unlink(missing_ok=True)
            link.symlink_to(name)
            check_like_anew(run, lock(run))

    def test_a_file_that_changes_while_it_is_read_is_not_remembered(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.write("requirements.txt", "pure\n")
        read = root_requirements.read_root_requirements

        def disturbed(*arguments: Any) -> object:  # noqa: ANN401 - whatever it takes
            run.write("requirements.txt", "pure<2\n")
            return read(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr("crossdeps.resolution.resolver.read_root_requirements", disturbed)
            assert "pure-2.0" in lock(run).out
        told = lock(run)
        assert "pure-1.1" in told.out
        check_like_anew(run, told)

    @pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not UTF-8")
    def test_a_path_that_is_not_utf_8_is_no_error(
        self, run: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = os.fsdecode(b"\xff")
        run.write(f"{name}.txt", "pure\n")
        first = lock(run, "-r", f"{name}.txt")
        assert first.code == 0
        assert lock(run, "-r", f"{name}.txt") == first
        run.write(f"{name}/requirements.txt", "pure\n")
        monkeypatch.chdir(run.folder / name)
        told = lock(run)
        assert (told.code, lock(run)) == (0, told)

    def test_what_was_built_is_built_again(self, run: CommandLine, made: list[str]) -> None:
        run.write("src/pyproject.toml", '[project]\nname = "mine"\nversion = "1"\n')
        wheel = make_wheel("mine", "1.0")
        run.write(wheel.filename, wheel.content)
        for _ in range(2):
            assert lock(run, f"./{wheel.filename}").code == 0
        assert made == ["search", "search"]

    def test_files_without_hashes_are_read_again(self, run: CommandLine, made: list[str]) -> None:
        run.index.configure(hashes=False, sizes=False, metadata_keys="none")
        for more in ((), ("--no-deps",)):
            made.clear()
            first = lock(run, "leaf", *more)
            assert lock(run, "leaf", *more) == first
            assert made == ["search", "search"]
        before = lock(run, "leaf", "--no-deps")
        run.index.remove("leaf")
        run.index.add(make_wheel("leaf", "1.0", files={"leaf/__init__.py": "x = 1\n"}))
        told = lock(run, "leaf", "--no-deps")
        assert told != before
        check_like_anew(run, told, "leaf", "--no-deps")

    @pytest.mark.parametrize("kind", ["a URL", "a page in a file"])
    def test_a_link_without_a_hash_is_read_again(self, run: CommandLine, kind: str) -> None:
        told = []
        for text in ("x = 1\n", "x = 2\n"):
            wheel = make_wheel("solo", "1.0", files={"solo/__init__.py": text})
            url = run.index.serve(f"/wheels/{wheel.filename}", wheel.content, "application/zip")
            run.write(f"wheels/{wheel.filename}", wheel.content)
            run.write("page/links.html", f'<a href="../wheels/{wheel.filename}">solo</a>')
            links = url if kind == "a URL" else "page/links.html"
            arguments = ("solo", "--no-index", "--find-links", links, "--no-deps")
            told.append(lock(run, *arguments))
            assert told[-1].code == 0
            check_like_anew(run, told[-1], *arguments)
        assert told[0] != told[1]

    def test_each_extra_is_another_result(self, run: CommandLine, made: list[str]) -> None:
        run.write(
            "pyproject.toml",
            '[project]\nname = "x"\nversion = "1"\ndependencies = ["leaf"]\n'
            '[project.optional-dependencies]\na = ["native"]\nb = ["pure<1.1"]\n',
        )
        extras = ((), ("--extra", "a"), ("--extra", "b"), ("--extra", "a", "--extra", "b"))
        locks = {more: lock(run, "-r", "pyproject.toml", *more) for more in extras}
        assert len({told.out for told in locks.values()}) == 4
        made.clear()
        for more, told in locks.items():
            assert lock(run, "-r", "pyproject.toml", *more) == told
        assert made == []
        for more, told in locks.items():
            check_like_anew(run, told, "-r", "pyproject.toml", *more)

    def test_another_password_is_another_result(self, run: CommandLine) -> None:
        run.index.configure(credentials=("user", "right"))
        for password, code in (("right", 0), ("wrong", 4), ("right", 0)):
            url = run.index.url.replace("http://", f"http://user:{password}@")
            told = lock(run, "tree", "--index-url", url)
            assert told.code == code
            check_like_anew(run, told, "tree", "--index-url", url)


class TestPreviousLock:
    def relock(self, run: CommandLine, *more: str) -> tuple[Told, str]:
        told = run("lock", "tree", *TARGET, *more)
        return told, (run.folder / "pylock.toml").read_text()

    def test_an_unchanged_lock_is_written_again(self, run: CommandLine, made: list[str]) -> None:
        first = self.relock(run)
        made.clear()
        second = self.relock(run)
        assert made == []
        assert second == (first[0], first[1])
        assert self.relock(run) == second
        assert made == []
        for more in (("--json",), ("--check",), ("--dry-run",)):
            told = run("lock", "tree", *TARGET, *more)
            anew = run("lock", "tree", *TARGET, *more, "--no-cache")
            assert (told.code, told.out, told.err) == (anew.code, anew.out, anew.err)

    def test_a_lock_changed_by_hand_is_noticed(self, run: CommandLine, made: list[str]) -> None:
        self.relock(run)
        _, text = self.relock(run)
        run.index.add(make_wheel("pure", "1.2"))
        assert "pure-1.1" in self.relock(run)[1]
        path = run.write("pylock.toml", text.replace("1.1", "1.0"))
        made.clear()
        _, changed = self.relock(run)
        assert "search" in made
        assert "pure-1.0" in changed
        path.write_text("not a lock")
        assert "all versions are chosen again" in self.relock(run)[0].err
        assert "pure-1.2" in path.read_text()

    def test_an_upgraded_lock_is_written_again(self, run: CommandLine, made: list[str]) -> None:
        """The first run after a change has nothing to search either."""
        self.relock(run)
        run.index.add(make_wheel("pure", "1.2"))
        told, text = self.relock(run, "--upgrade", "--refresh")
        assert "changed pure 1.1 -> 1.2" in told.err
        made.clear()
        again, same = self.relock(run)
        assert (same, made) == (text, [])
        assert "changed" not in again.err
        anew = run("lock", "tree", *TARGET, "--no-cache")
        assert (again.code, again.out, again.err) == (anew.code, anew.out, anew.err)

    def test_an_upgrade_is_another_result(self, run: CommandLine) -> None:
        self.relock(run)
        self.relock(run)
        run.index.add(make_wheel("pure", "1.2"))
        assert "pure-1.1" in self.relock(run)[1]
        assert "pure-1.2" in self.relock(run, "--upgrade")[1]

    def test_each_form_of_a_lock_is_remembered(self, run: CommandLine, made: list[str]) -> None:
        texts = []
        for name in ("pylock.toml", "requirements.lock.txt"):
            first = run("lock", "tree", *TARGET, "--output", name)
            texts.append((run.folder / name).read_text())
            (run.folder / name).unlink()
            made.clear()
            again = run("lock", "tree", *TARGET, "--output", name)
            assert (again.out, again.err, made) == (first.out, first.err, [])
            assert (run.folder / name).read_text() == texts[-1]
        assert texts[0] != texts[1]


class TestLibrary:
    @pytest.fixture
    def settings(self, run: CommandLine) -> Settings:
        return Settings(cache=run.folder / "cache")

    def test_a_lock_is_equal_to_the_one_that_was_made(
        self, settings: Settings, made: list[str]
    ) -> None:
        first = run_lock(["tree"], (INTEL, ARM), settings=settings)
        made.clear()
        again = run_lock(["tree"], (INTEL, ARM), settings=settings)
        assert (again == first, made) == (True, [])

    @pytest.mark.parametrize("form", ["pylock", "requirements"])
    def test_every_form_has_a_lock(
        self, settings: Settings, made: list[str], form: Literal["pylock", "requirements"]
    ) -> None:
        first = plan_lock(["tree"], [INTEL], settings=settings, form=form)
        made.clear()
        again = plan_lock(["tree"], [INTEL], settings=settings, form=form)
        assert (again.content, made) == (first.content, [])
        assert again.read_lock() == first.read_lock()

    def test_a_resolution_is_equal_to_the_one_that_was_searched(
        self, settings: Settings, made: list[str]
    ) -> None:
        first = resolve(["tree", "pure"], INTEL, settings=settings)
        made.clear()
        again = resolve(["tree", "pure"], INTEL, settings=settings)
        assert (again, made) == (first, [])

    def test_preferences_are_part_of_the_key(self, settings: Settings) -> None:
        for version in ("1.0", "1.1", "1.0"):
            lock = run_lock(
                ["leaf"],
                INTEL,
                settings=settings,
                preferences={canonicalize_name("pure"): Version(version)},
            )
            assert [str(each.version) for each in lock.packages] == ["1.0", version]


class TestCode:
    @pytest.fixture(autouse=True)
    def _forgotten(self) -> Iterator[None]:
        yield
        remembered._identify_code.cache_clear()

    def lock_after(self, run: CommandLine, made: list[str], change: Callable[[], object]) -> None:
        first = lock(run, "tree")
        made.clear()
        change()
        remembered._identify_code.cache_clear()
        assert lock(run, "tree") == first
        assert made == ["search"]

    @pytest.mark.parametrize("name", ["new.py", "provided.toml"])
    def test_other_code_is_another_key(
        self,
        run: CommandLine,
        made: list[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        code = tmp_path / "crossdeps"
        (code / "pipeline").mkdir(parents=True)
        monkeypatch.setattr(remembered, "__file__", str(code / "pipeline/remembered.py"))
        remembered._identify_code.cache_clear()
        self.lock_after(run, made, lambda: (code / "pipeline" / name).write_text(""))

    def test_an_installed_dependency_is_another_key(
        self,
        run: CommandLine,
        made: list[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        packages = tmp_path / "site-packages"
        packages.mkdir()
        monkeypatch.syspath_prepend(packages)
        remembered._identify_code.cache_clear()
        self.lock_after(run, made, (packages / "packaging").mkdir)

    def test_code_in_an_archive_remembers_nothing(
        self, run: CommandLine, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = tmp_path / "crossdeps.pyz"
        archive.touch()
        monkeypatch.setattr(remembered, "__file__", str(archive / "pipeline/remembered.py"))
        remembered._identify_code.cache_clear()
        for _ in range(2):
            assert lock(run, "tree").code == 0
        assert made == ["search", "search"]


class TestCacheDirectory:
    def test_of_another_user(
        self, run: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = lock(run, "tree", "--cache-dir", "cache")
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        os.chown("cache", 12345, 12345)
        made.clear()
        told = lock(run, "tree", "--cache-dir", "cache")
        assert "belongs to another user" in told.err
        assert (told.out, made) == (first.out, ["search"])

    def test_that_cannot_be_written_is_no_part_of_a_result(
        self, run: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_self: object, *_arguments: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        with monkeypatch.context() as patch:
            patch.setattr(cache, "atomic_write", fail)
            warned = lock(run, "tree")
        assert "cannot be written" in warned.err
        made.clear()
        plain = lock(run, "tree")
        assert made == ["search"]
        assert "warning" not in plain.err
        run.index.add(make_wheel("windowed", "2.0"))
        run.index.configure(etags=False)
        with monkeypatch.context() as patch:
            patch.setattr(cache, "atomic_write", fail)
            assert lock(run, "tree") == warned

    def test_holds_no_secrets(
        self, run: CommandLine, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.index.configure(credentials=("user", "s3cr3t-w0rd"))
        secret = run.index.url.replace("http://", "http://user:s3cr3t-w0rd@")
        monkeypatch.setenv("SECRET", "s3cr3t-w0rd")
        monkeypatch.setenv("PIP_INDEX_URL", secret)
        address = run.index.url.removeprefix("http://")
        run.write(
            "requirements.txt", f"--extra-index-url http://user:${{SECRET}}@{address}a/\ntree\n"
        )
        for arguments in ((), ("--index-url", secret)):
            first = lock(run, *arguments, "--cache-dir", "cache")
            assert first.code == 0
            made.clear()
            assert lock(run, *arguments, "--cache-dir", "cache") == first
            assert made == []
            assert run.build("--output", "o.zip", *arguments, "--cache-dir", "cache").code == 0
        files = [path for path in (run.folder / "cache").rglob("*") if path.is_file()]
        assert len(files) > 8
        assert not [path for path in files if b"s3cr3t-w0rd" in path.read_bytes()]
        assert (run.folder / "cache").stat().st_mode & 0o77 == 0

    def test_what_was_remembered_is_counted_and_removed(
        self, run: CommandLine, made: list[str]
    ) -> None:
        lock(run, "tree")
        assert run("cache", "info", "--json").document["contents"]["derived"]["count"] > 0
        run("cache", "clear")
        assert run("cache", "info", "--json").document["contents"]["derived"]["count"] == 0
        lock(run, "tree")
        assert made == ["search", "search"]

    @pytest.mark.subprocess
    def test_processes_share_it(self, run: CommandLine) -> None:
        program = (sys.executable, "-m", "crossdeps", "lock", "tree", "--output", "-", *TARGET)
        folder = pathlib.Path(crossdeps.__file__).parents[1]
        environment = {**os.environ, "PYTHONPATH": str(folder)}
        started = [
            subprocess.Popen(program, stdout=subprocess.PIPE, env=environment) for _ in range(4)
        ]
        texts = {process.communicate()[0].decode() for process in started}
        assert texts == {lock(run, "tree").out}


class TestMessages:
    def test_what_an_index_was_warned_about_is_told_again(
        self, run: CommandLine, made: list[str]
    ) -> None:
        run.index.add(make_wheel("told", "1.0"), metadata=b"")
        first = lock(run, "told")
        assert "that does not exist" in first.err
        made.clear()
        assert lock(run, "told") == first
        assert made == []

    @pytest.mark.parametrize("name", ["pure", "leaf", "native", "missing"])
    def test_why_says_the_same(self, run: CommandLine, made: list[str], name: str) -> None:
        run.write("requirements.txt", "tree\npure<2 ; python_version > '3'\n")
        first = run("why", name, *TARGET)
        made.clear()
        assert run("why", name, *TARGET) == first
        assert made == []
        anew = run("why", name, *TARGET, "--no-cache")
        assert (anew.code, anew.out, anew.err) == (first.code, first.out, first.err)

    def test_every_warning_is_repeated(self, run: CommandLine, made: list[str]) -> None:
        run.index.add(make_wheel("pure", "9.0"), yanked="it is bad")
        run.write("empty.txt", "# nothing\n")
        run.write("requirements.txt", "-r empty.txt\npure==9.0 --global-option=x\n")
        run.write("more.txt", "")
        arguments = (
            "-r",
            "requirements.txt",
            "-r",
            "more.txt",
            "--no-index",
            "-f",
            run.index.links_url,
        )
        first = lock(run, *arguments)
        assert first.err.count("warning") >= 3
        made.clear()
        assert lock(run, *arguments) == first
        assert made == []
        check_like_anew(run, first, *arguments)
