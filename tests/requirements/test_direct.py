from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crossdeps.errors import InputError
from crossdeps.requirements.model import Origin
from crossdeps.requirements.parser import parse_requirement
from tests.requirements.reading import write

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.requirements.model import Requirement

DIGEST = "ab" * 32
WHEEL = "My_Pkg-1.0-py3-none-any.whl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            WHEEL: "",
            "renamed.whl": "",
            "project-1.0.tar.gz": "",
            "notes.txt": "",
            "named/pyproject.toml": '[project]\nname = "Its.Name"\n',
            "legacy/setup.py": "",
            "broken/pyproject.toml": "[",
            "empty/readme": "",
            "a b/pyproject.toml": "",
        },
    )
    return tmp_path


def parse(text: str, folder: Path, **options: object) -> Requirement:
    return parse_requirement(
        text,
        origin=Origin(),
        directories=(folder,),
        **options,  # type: ignore[arg-type] # of parse_requirement
    )


@pytest.mark.parametrize(
    ("text", "kind", "name", "file"),
    [
        (WHEEL, "wheel", "my-pkg", WHEEL),
        (f"./{WHEEL}", "wheel", "my-pkg", WHEEL),
        (f"my.pkg @ {WHEEL}", "wheel", "my-pkg", WHEEL),
        ("./named", "directory", "its-name", "named"),
        ("named/", "directory", "its-name", "named"),
        ("other @ ./legacy", "directory", "other", "legacy"),
        ("legacy/.", "directory", "", "legacy"),
        ("./broken", "directory", "", "broken"),
        ("project-1.0.tar.gz", "archive", "", "project-1.0.tar.gz"),
        ("named @ project-1.0.tar.gz", "archive", "named", "project-1.0.tar.gz"),
        ("./a b", "directory", "", "a b"),
    ],
)
def test_local_things_are_found(text: str, kind: str, name: str, file: str, folder: Path) -> None:
    requirement = parse(text, folder)
    assert requirement.source is not None
    assert requirement.source.kind == kind
    assert requirement.source.location == str(folder / file)
    assert requirement.source.is_local
    assert requirement.name == name


def test_file_urls_are_paths(folder: Path) -> None:
    for url in (
        (folder / "a b").as_uri(),
        f"file://localhost{(folder / 'a b').as_uri().removeprefix('file://')}",
    ):
        requirement = parse(f"pkg @ {url}#subdirectory=sub", folder)
        assert requirement.source is not None
        assert requirement.source.location == str(folder / "a b")
        assert requirement.source.subdirectory == "sub"


def test_a_path_may_have_extras_and_a_marker(folder: Path) -> None:
    requirement = parse("./named[one, Two_2] ; python_version < '4'", folder)
    assert requirement.extras == {"one", "two-2"}
    assert str(requirement.marker) == 'python_version < "4"'


@pytest.mark.parametrize(
    ("text", "kind", "name", "location", "subdirectory", "extras"),
    [
        (
            f"https://h.example/{WHEEL}#sha256={DIGEST}",
            *("wheel", "my-pkg", f"https://h.example/{WHEEL}", None, []),
        ),
        (
            "pkg[x] @ https://h.example/p-1.tar.gz ; os_name == 'posix'",
            *("archive", "pkg", "https://h.example/p-1.tar.gz", None, ["x"]),
        ),
        (
            "pkg@https://h.example/zipball/main",
            *("archive", "pkg", "https://h.example/zipball/main", None, []),
        ),
        (
            "git+https://h.example/p.git@v1#egg=Pkg[x]&subdirectory=src/p",
            *("vcs", "pkg", "git+https://h.example/p.git@v1", "src/p", ["x"]),
        ),
        (
            "pkg @ git+ssh://git@h.example/p.git@main",
            *("vcs", "pkg", "git+ssh://git@h.example/p.git@main", None, []),
        ),
        ("git+file:///srv/p.git", "vcs", "", "git+file:///srv/p.git", None, []),
        (
            "https://h.example/pkg-1.0%2Blocal-py3-none-any.whl",
            *("wheel", "pkg", "https://h.example/pkg-1.0%2Blocal-py3-none-any.whl", None, []),
        ),
    ],
)
def test_urls_are_read(
    text: str,
    kind: str,
    name: str,
    location: str,
    subdirectory: str | None,
    extras: list[str],
    tmp_path: Path,
) -> None:
    requirement = parse(text, tmp_path)
    assert requirement.source is not None
    assert (requirement.source.kind, requirement.source.location) == (kind, location)
    assert requirement.source.subdirectory == subdirectory
    assert not requirement.source.is_local
    assert requirement.name == name
    assert sorted(requirement.extras) == extras


def test_the_hash_of_a_url_is_a_hash_of_the_requirement(tmp_path: Path) -> None:
    url = f"https://h.example/{WHEEL}#sha256={DIGEST.upper()}"
    assert parse(url, tmp_path).hashes == {f"sha256:{DIGEST}"}
    both = frozenset({f"sha256:{DIGEST}", "sha256:" + "0" * 64})
    assert parse(url, tmp_path, hashes=both).hashes == {f"sha256:{DIGEST}"}
    with pytest.raises(InputError, match="is not among"):
        parse(url, tmp_path, hashes=frozenset({"sha256:" + "0" * 64}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("./missing", "no such file or directory: ./missing"),
        ("missing-1.0-py3-none-any.whl", "no such file or directory:"),
        ("renamed.whl", "is not a valid wheel file name"),
        ("./notes.txt", "neither a wheel nor a source archive"),
        ("./empty", "is not a Python project"),
        ("./\0", "no such file"),
        (f"other @ {WHEEL}", "other is required, but the file or directory is that of my-pkg"),
        (f"other @ https://h.example/{WHEEL}", "other is required"),
        ("./named[a b]", "is not a valid extra name"),
        ("./named ; nope", "unknown variable in the marker: nope"),
        ("https://h.example/a%2Fb-1.0-py3-none-any.whl", "is not a valid wheel file name"),
        ("https:///x.whl", "has no host"),
        ("https://h.example:99999/x.whl", "is not a valid URL"),
        ("https://[::1/x.whl", "is not a valid URL"),
        ("ftp://h.example/x.whl", "has an unsupported scheme"),
        ("git://h.example/x.git", "has an unsupported scheme"),
        ("git+git@h.example:org/x.git", "is not a URL"),
        ("git+https://h.example/p.git@--upload-pack=x", "cannot start with a dash"),
        ("git+https://h.example/p#egg=pkg==1.0", "is not a valid project name"),
        ("git+https://h.example/p#subdirectory=../x", "#subdirectory is outside the source"),
        ("file://other.example/x", "cannot refer to another host: other.example"),
        ("https://h.example/p-1.tar.gz#md5=abc", "md5 is too weak"),
        ("https://h.example/p-1.tar.gz#sha256=abc", "64 hexadecimal digits"),
    ],
)
def test_locations_that_cannot_be_packaged_are_refused(
    text: str, message: str, folder: Path
) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, folder)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WHEEL, "is not a directory"),
        ("https://h.example/x.tar.gz", "only directories and repositories"),
        ("name", "no such file or directory:"),
    ],
)
def test_only_directories_and_repositories_are_editable(
    text: str, message: str, folder: Path
) -> None:
    with pytest.raises(InputError, match=message):
        parse(text, folder, editable=True)
    requirement = parse("./named", folder, editable=True)
    assert requirement.source is not None
    assert requirement.source.editable


def test_the_first_directory_that_has_a_path_is_taken(tmp_path: Path) -> None:
    write(tmp_path, {"b/x/setup.py": "", "c/x/setup.py": ""})
    directories = tuple(tmp_path / name for name in "abc")
    requirement = parse_requirement("./x", origin=Origin(), directories=directories)
    assert requirement.source is not None
    assert requirement.source.location == str(tmp_path / "b/x")
