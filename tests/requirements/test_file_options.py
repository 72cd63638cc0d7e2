from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.requirements.reading import read, refusal, write

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.requirements.model import FileOptions


def options(folder: Path, content: str) -> FileOptions:
    return read(folder, f"pkg\n{content}").options


def test_options_of_all_files_are_gathered(tmp_path: Path) -> None:
    write(tmp_path, {"more.txt": "--extra-index-url https://b.example/simple\n--no-index\n"})
    found = options(
        tmp_path,
        "--extra-index-url https://a.example/simple\n-r more.txt\n--pre\n--require-hashes\n"
        "--prefer-binary\n--trusted-host a.example --trusted-host [::1]:8080\n",
    )
    assert found.extra_index_urls == ("https://a.example/simple", "https://b.example/simple")
    assert (found.no_index, found.pre, found.require_hashes) == (True, True, True)
    assert found.trusted_hosts == ("a.example", "[::1]:8080")
    assert found.index_url is None


def test_an_index_url_counts_for_all_files_and_may_be_said_again(tmp_path: Path) -> None:
    """Wherever it stands (C44)."""
    write(tmp_path, {"more.txt": "-i https://b.example/\n"})
    found = options(tmp_path, "-i https://b.example/\n-i https://b.example/\n-r more.txt")
    assert found.index_url == "https://b.example/"


def test_two_index_urls_are_refused(tmp_path: Path) -> None:
    """Which one was meant is not guessed, and no login is told (C44)."""
    write(tmp_path, {"more.txt": "\n-i https://b.example/\n"})
    error = refusal(tmp_path, "pkg\n-i https://u:s3cret@a.example/\n-r more.txt")
    assert error.message == (
        "--index-url was already given as https://****@a.example/ (requirements.txt:2)"
    )
    assert error.context == ("more.txt:2: -i https://b.example/",)
    assert error.hint == "keep one of them; give a second index by --extra-index-url"


@pytest.mark.parametrize(
    ("content", "only_binary", "no_binary"),
    [
        ("--only-binary=:all:", [":all:"], []),
        ("--only-binary=:all:\n--no-binary=A_b,c", [":all:"], ["a-b", "c"]),
        ("--no-binary=a\n--only-binary=a", ["a"], []),
        ("--no-binary=a\n--only-binary=:all:", [":all:"], []),
        ("--no-binary=a,b\n--no-binary=:none:", [], []),
        ("--no-binary=:all:\n--only-binary=a", ["a"], [":all:"]),
        ("--only-binary a --only-binary b", ["a", "b"], []),
    ],
)
def test_the_latest_word_on_a_project_counts(
    content: str, only_binary: list[str], no_binary: list[str], tmp_path: Path
) -> None:
    found = options(tmp_path, content)
    assert (list(found.only_binary), list(found.no_binary)) == (only_binary, no_binary)


def test_pre_releases_by_project(tmp_path: Path) -> None:
    found = options(tmp_path, "--all-releases=a,b\n--only-final=b")
    assert (found.all_releases, found.only_final) == (("a",), ("b",))


def test_find_links_are_beside_the_file_or_in_the_working_directory(tmp_path: Path) -> None:
    write(tmp_path, {"sub/wheels/x": "", "wheels/x": "", "other/x": "", "sub/r.txt": ""})
    (tmp_path / "sub/r.txt").write_text("-f wheels\n-f other\n-f https://h.example/links\n")
    found = options(tmp_path, "-r sub/r.txt\n-f wheels")
    assert found.find_links == (
        str(tmp_path / "sub/wheels"),
        str(tmp_path / "other"),
        "https://h.example/links",
        str(tmp_path / "wheels"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("-i index.example/simple", "is neither a URL nor a directory"),
        ("--extra-index-url ftp://h.example", "is not a valid index URL"),
        ("-f ./missing", "no such file or directory:"),
        ("--trusted-host https://h.example", "is not a valid host"),
        ("--no-binary=a,,b", "is not a valid project name"),
        ("--only-binary=:al:", "is not a valid project name"),
    ],
)
def test_malformed_values_are_refused(content: str, message: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, content)
    assert message in error.message
    assert error.context == (f"requirements.txt:1: {content}",)
