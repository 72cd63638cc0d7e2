"""Resolutions to locks (PEP 751), and locks to what a target takes."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.errors import InputError, IntegrityError, NoCandidateError, ResolutionError
from crossdeps.report.lock import find_divergences
from crossdeps.requirements.pylock import read_pylock
from crossdeps.resolution.lock.selection import select
from crossdeps.resolution.lock.writer import dump, to_pylock
from crossdeps.resolution.model import Choice, Policy, Resolution
from crossdeps.resolution.rejections import Reason, SkippedVersion
from crossdeps.target.model import Target
from tests.resolution.memory import LINUX, ROOT, TARGETS, Case, sha
from tests.support.toml import load_toml

if TYPE_CHECKING:
    from pathlib import Path

ARM = "manylinux_2_17_aarch64.manylinux2014_aarch64"
INDEX: dict[str, dict[str, Any]] = {
    "app": {"1.0": ["native>=1", "pure", 'arm-only; platform_machine == "aarch64"']},
    "native": {
        "2.0": {"wheels": ["cp312-cp312-manylinux_2_28_x86_64", f"cp312-cp312-{ARM}"]},
        "1.0": {"wheels": [f"cp312-cp312-{LINUX}", f"cp312-cp312-{ARM}", f"cp39-cp39-{LINUX}"]},
    },
    "pure": {"3.0": {"uploaded": "2024-01-02T03:04:05+00:00", "python": ">=3.8"}},
    "arm-only": {"1.0": []},
}
CASE = Case(id="", index=INDEX, ask=("app",))


def resolved(target: str = "3.12", case: Case = CASE) -> Resolution:
    return dataclasses.replace(case, target=target).resolve()


def reread(lock: Pylock, folder: Path) -> Pylock:
    """The lock as someone else would read it."""
    path = folder / "pylock.toml"
    path.write_text(dump(lock), encoding="utf-8")
    Pylock.from_dict(load_toml(path))
    return read_pylock(path)


def taken(lock: Pylock, target: str) -> dict[str, str]:
    return {each.name: each.file.filename for each in select(lock, TARGETS[target]) if each.file}


def test_a_lock_says_what_a_target_takes(tmp_path: Path) -> None:
    """Wheels of the target alone, with hashes and sizes, in the order of names (I111, I112)."""
    lock = reread(to_pylock(resolved()), tmp_path)
    assert [(package.name, str(package.version)) for package in lock.packages] == [
        ("app", "1.0"),
        ("native", "1.0"),
        ("pure", "3.0"),
    ]
    app, native, pure = lock.packages
    assert app.dependencies == [{"name": "native"}, {"name": "pure"}]
    assert native.index == ROOT
    wheel = (native.wheels or [])[0]
    assert wheel.name == f"native-1.0-cp312-cp312-{LINUX}.whl"
    assert wheel.hashes == {"sha256": sha(wheel.name)}
    assert wheel.size == 1000
    assert str((pure.wheels or [])[0].upload_time) == "2024-01-02 03:04:05+00:00"
    assert str(pure.requires_python) == ">=3.8"
    assert lock.created_by == "crossdeps"
    assert str(lock.requires_python) == "==3.12.*"


def test_what_was_skipped_is_not_in_the_lock() -> None:
    """It would change the lock with every release that nobody installs."""
    lock = to_pylock(resolved())
    assert [package.tool for package in lock.packages] == [None, None, None]


def test_the_order_of_the_targets_does_not_matter() -> None:
    targets = ("3.12", "3.9", "3.12-arm64")
    texts = {
        dump(to_pylock([resolved(target) for target in order]))
        for order in itertools.permutations(targets)
    }
    assert len(texts) == 1


def test_a_lock_comes_back_as_it_went(tmp_path: Path) -> None:
    lock = to_pylock([resolved(), resolved("3.12-arm64")])
    assert dump(reread(lock, tmp_path)) == dump(lock)


def test_the_same_resolution_gives_the_same_text() -> None:
    assert dump(to_pylock(resolved())) == dump(to_pylock(resolved()))


def test_what_is_selected_is_what_was_resolved(tmp_path: Path) -> None:
    for target in ("3.12", "3.12-arm64", "3.12-glibc2.28", "3.9"):
        resolution = resolved(target)
        selected = taken(reread(to_pylock(resolution), tmp_path), target)
        assert selected == {
            name: choice.candidate.file.filename
            for name, choice in resolution.choices.items()
            if choice.candidate
        }


def test_two_architectures_share_a_lock(tmp_path: Path) -> None:
    """What only one of them has, or has in another version, carries a marker."""
    lock = reread(to_pylock([resolved(), resolved("3.12-arm64")]), tmp_path)
    assert [
        (package.name, str(package.version), str(package.marker or "")) for package in lock.packages
    ] == [
        ("app", "1.0", ""),
        ("arm-only", "1.0", 'platform_machine == "aarch64"'),
        ("native", "1.0", 'platform_machine == "x86_64"'),
        ("native", "2.0", 'platform_machine == "aarch64"'),
        ("pure", "3.0", ""),
    ]
    assert taken(lock, "3.12")["native"] == f"native-1.0-cp312-cp312-{LINUX}.whl"
    assert taken(lock, "3.12-arm64")["native"] == f"native-2.0-cp312-cp312-{ARM}.whl"
    assert "arm-only" in taken(lock, "3.12-arm64")
    assert "arm-only" not in taken(lock, "3.12")


def test_a_dependency_in_several_versions_is_named_with_its_version() -> None:
    """A name alone would be ambiguous (PEP 751, "packages.dependencies")."""
    lock = to_pylock([resolved(), resolved("3.12-arm64")])
    assert lock.packages[0].dependencies == [
        {"name": "arm-only"},
        {"name": "native", "version": "1.0"},
        {"name": "native", "version": "2.0"},
        {"name": "pure"},
    ]
    assert to_pylock(resolved()).packages[0].dependencies == [{"name": "native"}, {"name": "pure"}]


def test_one_version_lists_the_wheel_of_each_target(tmp_path: Path) -> None:
    case = dataclasses.replace(CASE, ask=("native==1.0",))
    answers = [resolved(target, case) for target in ("3.12", "3.12-arm64")]
    lock = reread(to_pylock(answers), tmp_path)
    (native,) = lock.packages
    assert native.marker is None
    assert [wheel.name for wheel in native.wheels or ()] == [
        f"native-1.0-cp312-cp312-{ARM}.whl",
        f"native-1.0-cp312-cp312-{LINUX}.whl",
    ]


def test_two_pythons_share_a_lock(tmp_path: Path) -> None:
    lock = reread(to_pylock([resolved("3.12-glibc2.28"), resolved("3.9")]), tmp_path)
    assert str(lock.requires_python) == "<3.13,>=3.9"
    markers = {str(package.version): str(package.marker) for package in lock.packages[1:3]}
    assert markers == {"1.0": 'python_version == "3.9"', "2.0": 'python_version == "3.12"'}
    assert taken(lock, "3.9")["native"] == f"native-1.0-cp39-cp39-{LINUX}.whl"


def test_python_and_architecture_together_tell_targets_apart(tmp_path: Path) -> None:
    index = {"a": {"2": {"wheels": [f"cp312-cp312-{ARM}"]}, "1": []}}
    case = Case(id="", index=index, ask=("a",))
    answers = [resolved(target, case) for target in ("3.12", "3.12-arm64", "3.9", "3.9-arm64")]
    lock = reread(to_pylock(answers), tmp_path)
    assert taken(lock, "3.12-arm64") == {"a": f"a-2-cp312-cp312-{ARM}.whl"}
    for other in ("3.12", "3.9", "3.9-arm64"):
        assert taken(lock, other) == {"a": "a-1-py3-none-any.whl"}


def test_c_libraries_alone_can_not_tell_versions_apart() -> None:
    with pytest.raises(ResolutionError) as caught:
        to_pylock([resolved("3.12"), resolved("3.12-glibc2.28")])
    assert "native" in caught.value.message
    assert caught.value.hint == "write one lock for each of them"


def test_a_file_without_a_hash_is_refused_unless_it_was_computed() -> None:
    resolution = resolved(case=dataclasses.replace(CASE, hashes=False))
    with pytest.raises(IntegrityError) as caught:
        dump(to_pylock(resolution))
    assert "app-1.0-py3-none-any.whl" in caught.value.context
    urls = [choice.candidate.file.url for choice in resolution.choices.values() if choice.candidate]
    computed = {url: {"sha256": sha(url)} for url in urls}
    assert sha(urls[0]) in dump(to_pylock(resolution, computed_hashes=computed))


def test_sources_stand_in_the_lock(tmp_path: Path) -> None:
    wheel = "https://example.org/b-5-py3-none-any.whl"
    case = Case(
        id="",
        index={"a": {"2": {"sdist": True}}},
        ask=(f"b @ {wheel}", "a"),
        policy=Policy(allow_sdist=frozenset({"a"})),  # type: ignore[arg-type]
        builds={
            wheel: ("b-5-py3-none-any.whl", "", ()),
            "a-2.tar.gz": ("a-2-py3-none-any.whl", "", ()),
        },
    )
    lock = reread(to_pylock(case.resolve()), tmp_path)
    sdist, direct = select(lock, TARGETS["3.12"])
    assert sdist.file is not None
    assert sdist.file.filename == "a-2.tar.gz"
    assert direct.source is not None
    assert direct.source.location == wheel
    assert direct.source.kind == "wheel"
    assert direct.hashes == {f"sha256:{sha('b-5-py3-none-any.whl')}"}


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("3.12-arm64", "x86_64, not aarch64"),
        ("3.9", "Python 3.12"),
        ("musl", "glibc 2.17, not musl 1.2"),
    ],
)
def test_a_lock_for_another_target_is_refused(other: str, difference: str, tmp_path: Path) -> None:
    """With the difference (I112)."""
    lock = reread(to_pylock(resolved()), tmp_path)
    with pytest.raises(InputError) as caught:
        select(lock, TARGETS[other])
    assert difference in caught.value.message
    assert caught.value.rule == "lock-target"
    assert "crossdeps lock" in (caught.value.hint or "")


def test_a_lock_for_an_older_glibc_runs_on_a_newer_one(tmp_path: Path) -> None:
    lock = reread(to_pylock(resolved()), tmp_path)
    assert taken(lock, "3.12-glibc2.28") == taken(lock, "3.12")


def test_a_lock_for_a_newer_glibc_is_refused(tmp_path: Path) -> None:
    lock = reread(to_pylock(resolved("3.12-glibc2.28")), tmp_path)
    with pytest.raises(InputError) as caught:
        select(lock, TARGETS["3.12"])
    assert "glibc 2.28, not glibc 2.17" in caught.value.message


def test_the_free_threaded_build_is_another_target(tmp_path: Path) -> None:
    case = Case(id="", index={"a": {"1": []}}, ask=("a",), target="3.13t")
    lock = reread(to_pylock(case.resolve()), tmp_path)
    with pytest.raises(InputError) as caught:
        select(lock, Target(python="3.13", arch="x86_64"))
    assert "ABI cp313t, not cp313" in caught.value.message


def _foreign(**changes: object) -> Pylock:
    """A lock that another tool made."""
    document: dict[str, Any] = {
        "lock-version": "1.0",
        "created-by": "another tool",
        "packages": [
            {
                "name": "a",
                "version": "1",
                "wheels": [
                    {
                        "url": "https://example.org/a-1-cp312-cp312-win_amd64.whl",
                        "hashes": {"sha256": "0"},
                    }
                ],
            }
        ],
    }
    return Pylock.from_dict({**document, **changes})


def test_another_tools_lock_without_a_wheel_for_the_target() -> None:
    with pytest.raises(NoCandidateError) as caught:
        select(_foreign(), TARGETS["3.12"])
    assert "no wheel of a" in caught.value.message
    assert "a-1-cp312-cp312-win_amd64.whl" in caught.value.context


@pytest.mark.parametrize(
    "changes",
    [{"environments": ["sys_platform == 'win32'"]}, {"requires-python": ">=3.13"}],
)
def test_another_tools_lock_for_another_environment(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        select(_foreign(**changes), TARGETS["3.12"])
    assert caught.value.rule == "lock-target"
    assert any("win32" in line or "3.13" in line for line in caught.value.context)


def test_another_tools_ambiguous_lock() -> None:
    package = _foreign().to_dict()["packages"][0]
    with pytest.raises(InputError) as caught:
        select(_foreign(packages=[package, package]), TARGETS["3.12"])
    assert "ambiguous" in caught.value.message


def test_paths_of_a_lock_start_from_its_folder(tmp_path: Path) -> None:
    path = "wheels/a-1-py3-none-any.whl"
    packages = [
        {"name": "a", "version": "1", "wheels": [{"path": path, "hashes": {"sha256": "0"}}]},
        {"name": "b", "directory": {"path": "b"}},
    ]
    first, second = select(_foreign(packages=packages), TARGETS["3.12"], root=tmp_path)
    assert first.file is not None
    assert first.file.url == (tmp_path / path).as_uri()
    assert second.source is not None
    assert second.source.location == str(tmp_path / "b")


@pytest.mark.usefixtures("poisoned_host")
def test_the_host_does_not_matter(tmp_path: Path) -> None:
    lock = to_pylock([resolved("3.12"), resolved("3.12-arm64")])
    assert sha(dump(lock)) == sha(dump(reread(lock, tmp_path)))
    assert taken(lock, "3.12-arm64")["native"] == f"native-2.0-cp312-cp312-{ARM}.whl"


def test_a_version_that_the_lock_keeps_out_is_not_told_as_skipped() -> None:
    """The newer one is another target's; that it was not considered explains nothing."""
    name = canonicalize_name("split")

    def resolve(version: str, *skipped: SkippedVersion) -> Resolution:
        choice = Choice(
            name=name,
            version=Version(version),
            candidate=None,
            required_by=(),
            dependencies=(),
            skipped_versions=skipped,
        )
        return Resolution(target=TARGETS["3.12"], requirements=(), choices={name: choice})

    kept = SkippedVersion(Version("2"), Reason.KEPT, "1")
    (divergence,) = find_divergences([resolve("1", kept), resolve("2")])
    assert (divergence.versions, divergence.reason) == ((("1", (0,)), ("2", (1,))), "")
    old = SkippedVersion(Version("2"), Reason.REQUIRES_PYTHON, ">=3.13")
    (divergence,) = find_divergences([resolve("1", old), resolve("2")])
    assert divergence.reason == "it requires Python >=3.13"
