"""What a page means for a target is kept, and is the same as evaluating it again."""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.derived import DerivedCache
from crossdeps.index.model import ProjectFile, ProjectPage
from crossdeps.index.pages.columns import (
    Columns,
    FileTable,
    ParsedPage,
    ProjectFiles,
    join_pages,
    open_table,
)
from crossdeps.resolution.candidates import CandidateEvaluator
from crossdeps.resolution.evaluation_table import decode_table
from crossdeps.resolution.file_rules import FileRules
from crossdeps.resolution.rejections import Mismatch, Rejection
from crossdeps.target.model import Target
from tests.support.growth import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crossdeps.resolution.evaluations import Evaluation

DEMO = canonicalize_name("demo")
TARGET = Target(python="3.12", arch="x86_64")
ARM = Target(python="3.12", arch="aarch64")
INDEX = "https://index.example/simple"
OTHER = "https://other.example/simple"

_tags = st.sampled_from(
    [
        *("py3-none-any", "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        *("cp312-cp312-manylinux_2_34_x86_64", "cp312-cp312-win_amd64", "cp39-cp39-win32"),
        *("cp37-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64", "py2-none-any", "x-y"),
    ]
)
_version = st.sampled_from(["1.0", "1.0.0", "1", "2.0", "2.0rc1", "2.0+local", "3.dev1", "what"])
_filename = st.one_of(
    st.builds(lambda v, tags: f"demo-{v}-{tags}.whl", _version, _tags),
    st.builds(lambda v, b, tags: f"demo-{v}-{b}-{tags}.whl", _version, st.just("2a"), _tags),
    st.builds(lambda v, end: f"demo-{v}{end}", _version, st.sampled_from([".tar.gz", ".zip"])),
    st.sampled_from(["demo-1.0.egg", "other-1.0-py3-none-any.whl", "demo.whl", "Demo-1.0.tar.gz"]),
)


def _columns(names: Sequence[str], draw: st.DrawFn) -> Columns:
    def column(values: st.SearchStrategy[str]) -> list[str]:
        return [draw(values) for _ in names]

    return Columns(
        filenames=list(names),
        urls=[f"https://files.example/{i}/{name}" for i, name in enumerate(names)],
        sha256=[hashlib.sha256(name.encode()).hexdigest() for name in names],
        sizes=[draw(st.sampled_from([-1, 0, 7])) for _ in names],
        requires_python=column(st.sampled_from(["", ">=3.8", "<3.9", "not valid"])),
        upload_times=column(st.sampled_from(["", "2024-05-06T07:08:09Z", "2025-05-06T07:08:09Z"])),
        metadata_sha256=column(st.sampled_from(["", "ab" * 32])),
        yanked={i: "broken" for i in range(len(names)) if draw(st.booleans())},
        hashes={},
        metadata_hashes={},
        warnings=[],
    )


@st.composite
def _pages(draw: st.DrawFn) -> ProjectPage:
    """A project's page of one index or two."""
    indexes = draw(st.sampled_from([(INDEX,), (INDEX, OTHER), (OTHER, INDEX)]))
    pages = []
    for index in indexes:
        columns = _columns(draw(st.lists(_filename, max_size=12, unique=True)), draw)
        digest = hashlib.sha256(repr((index, columns)).encode()).hexdigest()
        table = open_table(columns, index, digest)
        pages.append(
            ParsedPage(files=ProjectFiles(lambda table=table: table), digest=digest)  # type: ignore[misc]
        )
    joined = join_pages(pages)
    return ProjectPage(
        project=DEMO,
        files=joined.files,
        searched=indexes,
        found_on=indexes,
        digest=joined.digest,
    )


_rules = st.builds(
    lambda sdist, newer, hashed, pinned: {
        "allow_sdist": sdist,
        "exclude_newer": newer,
        "hashes": hashed,
        "pinned": frozenset(map(Version, pinned)),
    },
    st.booleans(),
    st.sampled_from([None, datetime.datetime(2024, 12, 1, tzinfo=datetime.timezone.utc)]),
    st.sampled_from([None, frozenset(), frozenset({f"sha256:{'00' * 32}"}), frozenset({"md5:00"})]),
    st.lists(st.sampled_from(["1.0", "2.0"]), max_size=1),
)


def _describe(evaluation: Evaluation) -> object:
    """Everything that an evaluation says."""
    newer = []
    for version, row in evaluation.newer_than(Version("0")):
        state = evaluation.state(row)
        newer.append((str(version), state if isinstance(state, Mismatch) else state.file))
    return [
        newer,
        list(evaluation.candidates),
        [str(each.version) for each in evaluation.candidates],
        list(evaluation.versions),
        list(evaluation.rejections),
        evaluation.own_versions() if len(evaluation.table.indexes) > 1 else {},
        evaluation.table.untimed,
    ]


@given(page=_pages(), rules=_rules, target=st.sampled_from([TARGET, ARM]))
def test_a_kept_evaluation_is_that_of_the_page(
    tmp_path_factory: pytest.TempPathFactory,
    page: ProjectPage,
    rules: dict[str, Any],
    target: Target,
) -> None:
    """Candidates, versions, reasons and rejections; from columns and from files."""
    file_rules = FileRules(**rules, indexes=page.found_on)
    root = tmp_path_factory.mktemp("cache")
    plain = CandidateEvaluator(target).evaluate(DEMO, list(page.files), file_rules)
    first = CandidateEvaluator(target, DerivedCache(root)).evaluate_page(page, file_rules)
    kept = CandidateEvaluator(target, DerivedCache(root)).evaluate_page(page, file_rules)
    assert kept.table.files
    assert not plain.table.files
    assert _describe(plain) == _describe(first) == _describe(kept)


@given(page=_pages(), rules=_rules)
def test_a_version_is_skipped_for_the_file_nearest_to_fitting(
    page: ProjectPage, rules: dict[str, Any]
) -> None:
    """The same as looking at every rejection of a newer version."""
    file_rules = FileRules(**rules, indexes=page.found_on)
    evaluation = CandidateEvaluator(TARGET).evaluate_page(page, file_rules)
    rejected: dict[Version, list[Rejection]] = {}
    for rejection in evaluation.rejections:
        if rejection.version is not None:
            rejected.setdefault(rejection.version, []).append(rejection)
    candidates = {found.version: found for found in reversed(evaluation.candidates)}
    for bound in ("0", "1.0", "2.0rc1"):
        newer = dict(evaluation.newer_than(Version(bound)))
        assert list(newer) == sorted(
            (version for version in {*candidates, *rejected} if version > Version(bound)),
            reverse=True,
        )
        for version, row in newer.items():
            state = evaluation.state(row)
            if version in candidates:
                assert state == candidates[version]
                continue
            nearest = min(rejected[version], key=Rejection.rank)
            assert state == Mismatch(nearest.reason, nearest.detail)
            written = next(each for each in rejected if each == version)
            assert str(version) == str(written)


def _page(count: int, digest: str = "d") -> ProjectPage:
    names = [
        f"demo-1.{i}-{tags}.whl"
        for i in range(count)
        for tags in ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-win_amd64")
    ]
    files = [
        ProjectFile(filename=name, url=f"https://files.example/{name}", hashes={}, index=INDEX)
        for name in names
    ]
    table = FileTable(filenames=names, create=files.__getitem__, digest=digest)
    return ProjectPage(
        project=DEMO,
        files=ProjectFiles(lambda: table),
        searched=(INDEX,),
        found_on=(INDEX,),
        digest=digest,
    )


RULES = FileRules(indexes=(INDEX,))


def test_a_kept_evaluation_needs_no_page(tmp_path: Path) -> None:
    CandidateEvaluator(TARGET, DerivedCache(tmp_path)).evaluate_page(_page(20), RULES)

    def load() -> FileTable:
        raise AssertionError("the page is read")

    page = ProjectPage(
        project=DEMO, files=ProjectFiles(load), searched=(INDEX,), found_on=(INDEX,), digest="d"
    )
    kept = CandidateEvaluator(TARGET, DerivedCache(tmp_path)).evaluate_page(page, RULES)
    assert [str(found.version) for found in kept.versions][:2] == ["1.19", "1.18"]
    assert kept.versions[12].file.filename == "demo-1.7-cp312-cp312-manylinux_2_17_x86_64.whl"
    with pytest.raises(AssertionError, match="the page is read"):
        len(kept.rejections)


@pytest.mark.parametrize(
    "change",
    [
        {"target": ARM},
        {"target": Target(python="3.12.1", arch="x86_64")},
        {"target": Target(python="3.12", arch="x86_64", glibc="2.28")},
        {"rules": FileRules(indexes=(INDEX,), allow_sdist=True)},
        {"rules": FileRules(indexes=(INDEX,), hashes=frozenset())},
        {"rules": FileRules(indexes=(INDEX,), pinned=frozenset({Version("1.0")}))},
        {
            "rules": FileRules(
                indexes=(INDEX,), exclude_newer=datetime.datetime.now(tz=datetime.timezone.utc)
            )
        },
        {"rules": FileRules(indexes=(OTHER,))},
        {"page": _page(3, "e")},
    ],
)
def test_an_evaluation_is_kept_under_all_that_it_depends_on(
    tmp_path: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    evaluate = CandidateEvaluator.evaluate

    def record(self: CandidateEvaluator, *arguments: object) -> Evaluation:
        calls.append("")
        return evaluate(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CandidateEvaluator, "evaluate", record)
    same = {"target": TARGET, "rules": RULES, "page": _page(3)}
    for each in (same, {**same, **change}, same, {**same, **change}):
        evaluator = CandidateEvaluator(each["target"], DerivedCache(tmp_path))  # type: ignore[arg-type]
        evaluator.evaluate_page(each["page"], each["rules"])  # type: ignore[arg-type]
    assert len(calls) == 2


def test_a_page_of_unknown_digest_is_not_kept(tmp_path: Path) -> None:
    CandidateEvaluator(TARGET, DerivedCache(tmp_path)).evaluate_page(_page(3, ""), RULES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["flipped", "cut", "emptied", "swapped", "other version", "killed"])
def test_damage_of_a_kept_evaluation_changes_nothing(tmp_path: Path, how: str) -> None:
    def evaluate(count: int, digest: str) -> object:
        evaluator = CandidateEvaluator(TARGET, DerivedCache(tmp_path))
        return _describe(evaluator.evaluate_page(_page(count, digest), RULES))

    expected = evaluate(3, "d")
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    evaluate(5, "e")
    [other] = [each for each in tmp_path.rglob("*") if each.is_file() and each != path]
    data = path.read_bytes()
    path.write_bytes(
        {
            "flipped": data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
            "cut": data[:-1],
            "emptied": b"",
            "swapped": other.read_bytes(),
            "other version": data.replace(b"derived-1", b"derived-0"),
            "killed": data[: len(data) // 2],
        }[how]
    )
    assert evaluate(3, "d") == expected
    assert path.read_bytes() == data


def test_what_is_no_table_is_none() -> None:
    assert decode_table(b"") is None
    assert decode_table(b"\x90") is None


def test_the_work_grows_with_the_files(tmp_path: Path) -> None:
    def work(page: ProjectPage) -> None:
        evaluator = CandidateEvaluator(TARGET, DerivedCache(tmp_path))
        evaluator.evaluate_page(page, RULES)

    def make(count: int) -> ProjectPage:
        columns = Columns(
            filenames=[f"demo-1.{i}-cp312-cp312-win_amd64.whl" for i in range(count)],
            urls=[""] * count,
            sha256=[""] * count,
            sizes=[-1] * count,
            requires_python=[""] * count,
            upload_times=[""] * count,
            metadata_sha256=[""] * count,
            yanked={},
            hashes={},
            metadata_hashes={},
            warnings=[],
        )
        table = open_table(columns, INDEX)
        files = ProjectFiles(lambda: table)
        return ProjectPage(project=DEMO, files=files, searched=(INDEX,), found_on=(INDEX,))

    assert growth(work, make, 8000) < LINEAR
