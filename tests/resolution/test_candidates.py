from __future__ import annotations

from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.index.model import ProjectFile
from crossdeps.index.pages.columns import FileTable, ProjectFiles
from crossdeps.resolution.candidates import CandidateEvaluator
from crossdeps.resolution.file_rules import FileRules
from crossdeps.target.model import Target

TARGET = Target(python="3.12", arch="x86_64")
NAMES = [
    "demo-1.0-py3-none-any.whl",
    "demo-1.0.tar.gz",
    "demo-2.0-cp312-cp312-win_amd64.whl",
    "demo-2.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "demo-2.0.tar.gz",
    "demo-3.0rc1-cp313-cp313-manylinux_2_17_x86_64.whl",
    "demo-what-py3-none-any.whl",
    "demo.exe",
]


def _files(made: list[str]) -> ProjectFiles:
    def build(place: int) -> ProjectFile:
        made.append(NAMES[place])
        return ProjectFile(filename=NAMES[place], url=f"https://x.example/{place}", hashes={})

    return ProjectFiles(lambda: FileTable(filenames=NAMES, create=build))


def test_only_files_whose_names_fit_are_made() -> None:
    """Of a large page the names are read, and the files that may be candidates made."""
    made: list[str] = []
    evaluation = CandidateEvaluator(TARGET).evaluate(
        canonicalize_name("demo"), _files(made), FileRules()
    )
    assert [found.file.filename for found in evaluation.candidates] == ["demo-1.0-py3-none-any.whl"]
    assert made == ["demo-1.0-py3-none-any.whl"]


def test_no_file_is_made_to_say_why_newer_versions_were_skipped() -> None:
    """The reason of a version is that of its file nearest to fitting."""
    made: list[str] = []
    evaluation = CandidateEvaluator(TARGET).evaluate(
        canonicalize_name("demo"), _files(made), FileRules()
    )
    made.clear()
    newer = list(evaluation.newer_than(Version("1.0")))
    assert made == []
    assert [(str(version), evaluation.state(row).reason) for version, row in newer] == [  # type: ignore[union-attr]
        ("3.0rc1", "python-tag"),
        ("2.0", "glibc"),
    ]
    assert made == []


def test_all_rejections_are_there_in_page_order() -> None:
    evaluation = CandidateEvaluator(TARGET).evaluate(
        canonicalize_name("demo"), _files([]), FileRules()
    )
    assert [each.file.filename for each in evaluation.rejections] == NAMES[1:]
    assert len(evaluation.rejections) == 7
    assert evaluation.rejections[-1].reason == "not-a-distribution"
    assert evaluation.rejections[5].reason == "bad-filename"


def test_a_plain_sequence_of_files_is_evaluated_alike() -> None:
    """An index need not know its file names beforehand."""
    evaluator = CandidateEvaluator(TARGET)
    lazy = evaluator.evaluate(canonicalize_name("demo"), _files([]), FileRules())
    plain = evaluator.evaluate(canonicalize_name("demo"), tuple(_files([])), FileRules())
    assert plain.candidates == lazy.candidates
    assert tuple(plain.rejections) == tuple(lazy.rejections)
