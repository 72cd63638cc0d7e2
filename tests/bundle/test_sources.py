from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.model import Layout
from crossdeps.bundle.sources import Sources, read_sources
from crossdeps.errors import InputError, UsageError
from tests.support.closed import close_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def fill(root: Path, *names: str, **contents: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    for name, text in contents.items():
        (root / name.replace("__", "/").replace("_", ".")).write_text(text)
    return root


def names(root: Path, **layout: tuple[str, ...]) -> list[str]:
    found = read_sources(Layout(sources=(root,), **layout))  # type: ignore[arg-type]
    return sorted(entry.path for entry in found.entries)


def test_what_is_never_deployed_is_left_out(tmp_path: Path) -> None:
    fill(
        tmp_path,
        ".git/config", ".venv/x.py", "env/pyvenv.cfg", "env/lib/x.py", "node_modules/x/i.js",
        "pkg/__pycache__/m.cpython-312.pyc", "pkg/m.pyc", "pkg/m.py", ".DS_Store",
        ".mypy_cache/x", ".env", "data.json", ".out.0123abcd.crossdeps-tmp/x",
        ".crossdeps/RECORD",
    )  # fmt: skip
    assert names(tmp_path) == ["data.json", "pkg/m.py"]


ALL = ["a.log", "keep.py", "sub/a.log", "sub/deep/x.txt", "sub/x.txt"]
GITIGNORE: list[tuple[Mapping[str, str], list[str]]] = [
    ({".gitignore": "*.log"}, ["keep.py", "sub/deep/x.txt", "sub/x.txt"]),
    ({".gitignore": "sub/"}, ["a.log", "keep.py"]),
    ({".gitignore": "/x.txt\n/keep.py"}, ["a.log", "sub/a.log", "sub/deep/x.txt", "sub/x.txt"]),
    ({".gitignore": "*.txt\n!deep/\n!x.txt"}, ALL),
    ({".gitignore": "*.log", "sub/.gitignore": "!a.log"}, ALL[1:]),
    ({"sub/.gitignore": "*"}, ["a.log", "keep.py"]),
    ({"sub/.gitignore": "/x.txt"}, ["a.log", "keep.py", "sub/a.log", "sub/deep/x.txt"]),
    ({".gitignore": "sub\n!sub/x.txt"}, ["a.log", "keep.py"]),
    ({".gitignore": "\ufeff# comment\n\n  \n"}, ALL),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), GITIGNORE)
def test_what_git_ignores_is_left_out(
    tmp_path: Path, files: Mapping[str, str], expected: list[str]
) -> None:
    """Nearer files over farther, later lines over earlier, nothing below an ignored folder."""
    fill(tmp_path, "keep.py", "a.log", "sub/a.log", "sub/x.txt", "sub/deep/x.txt")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert names(tmp_path) == expected


def test_gitignore_of_the_repository_above_counts(tmp_path: Path) -> None:
    fill(tmp_path, ".git/HEAD", "src/app.py", "src/app.log", "src/gen/x.py")
    (tmp_path / ".gitignore").write_text("*.log\n/src/gen\n")
    assert names(tmp_path / "src") == ["app.py"]


def test_gitignore_above_without_a_repository_does_not(tmp_path: Path) -> None:
    fill(tmp_path, "src/app.py")
    (tmp_path / ".gitignore").write_text("*\n")
    assert names(tmp_path / "src") == ["app.py"]


def test_globs_leave_out_and_bring_back(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "gen/model.bin", "gen/other", "tests/t.py", "node_modules/a.js",
         "pkg/__pycache__/x.cpython-312.pyc")  # fmt: skip
    back = ["app.py", "gen/model.bin", "node_modules/a.js"]
    (tmp_path / ".gitignore").write_text("gen/\n")
    assert names(tmp_path, exclude=("tests/",)) == ["app.py"]
    assert (
        names(tmp_path, exclude=("tests/",), include=("gen/*.bin", "node_modules/", "*.pyc"))
        == back
    )


def test_the_output_is_never_part_of_itself(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "package/old.py", "out.zip")
    for output in ("package", "out.zip"):
        found = read_sources(Layout(sources=(tmp_path,), output=tmp_path / output, include=("*",)))
        assert not [entry for entry in found.entries if entry.path.startswith(output)]


def test_a_file_goes_to_the_root(tmp_path: Path) -> None:
    fill(tmp_path, "deep/app.py")
    (tmp_path / "deep/app.py").chmod(0o700)
    (entry,) = read_sources(Layout(sources=(tmp_path / "deep/app.py",), prefix="python/")).entries
    assert (entry.path, entry.mode, entry.size) == ("python/app.py", 0o755, 0)


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, "app.py", "sub/x.py", "shared/lib.py")
    (root / "to_file").symlink_to("app.py")
    (root / "to_folder").symlink_to("shared")
    (root / "shared/again").symlink_to("../shared")
    (root / "sub/up").symlink_to("..")
    (root / "broken").symlink_to("nothing")
    found = read_sources(Layout(sources=(root,)))
    assert sorted(entry.path for entry in found.entries) == [
        "app.py", "shared/lib.py", "sub/x.py", "to_file", "to_folder/lib.py",
    ]  # fmt: skip
    assert len(found.warnings) == 4


def test_links_out_of_the_sources_are_left_out_unless_included(tmp_path: Path) -> None:
    """Another source isn't outside: what is there is packaged anyway."""
    root = tmp_path / "root"
    fill(root, "app.py")
    fill(tmp_path, "shared/lib.py", "outside.py", "other/o.py")
    (root / "file.py").symlink_to("../outside.py")
    (root / "folder").symlink_to("../shared")
    (root / "other").symlink_to("../other")
    (tmp_path / "shared/all").symlink_to("/")
    sources = (root, tmp_path / "other")
    found = read_sources(Layout(sources=sources))
    assert [entry.path for entry in found.entries] == ["app.py", "other/o.py", "o.py"]
    assert found.left_out == (("links", "file.py"), ("links", "folder/"))
    (warning,) = found.warnings
    assert "2 symbolic links point out of the source, and" in warning
    assert "file.py, folder/ (--include '/file.py' includes the first)" in warning
    included = read_sources(Layout(sources=sources, include=("/file.py", "other/", "nothing/*.x")))
    assert [entry.path for entry in included.entries][:3] == ["app.py", "file.py", "other/o.py"]
    assert included.left_out == (("links", "folder/"),)
    (tmp_path / "shared/all").unlink()
    assert "folder/lib.py" in names(root, include=("/folder/",))
    assert names(root, exclude=("file.py", "folder", "other")) == ["app.py"]
    assert not read_sources(Layout(sources=(root,), exclude=("f*", "other"))).warnings


KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIE\n-----END {}PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n"
SECRETS = {
    ".env": "", ".env.production": "", ".envrc": "", "sub/.env.local": "",
    "id_rsa": "", "keys/id_ed25519": "", "server.pem": KEY.format("", ""),
    "chain.crt": CERTIFICATE + KEY.format("RSA ", "RSA "),
    "locked.pem": KEY.format("ENCRYPTED ", "ENCRYPTED "),
    "raw.key": "\0\1", "a.p12": "", "b.PFX": "", "putty.ppk": "", "apple.p8": KEY.format("", ""),
    "pgp.asc": "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "terraform.tfstate": "", "x.tfstate.backup": "", "prod.auto.tfvars": "",
    ".npmrc": "", ".pypirc": "", ".netrc": "", ".git-credentials": "",
    "google.json": '{"type": "service_account", "project_id": "x"}',
    "firebase.json": '{"private_key" : "-----BEGIN PRIVATE KEY-----"}',
    "client_secret_1.json": "{}", "application_default_credentials.json": "{}",
}  # fmt: skip
PUBLIC = {
    "cacert.pem": CERTIFICATE * 3, "public.key": "-----BEGIN PUBLIC KEY-----", "id_rsa.pub": "",
    "ca.crt": CERTIFICATE, "env": "", "environment.json": '{"type": "account"}', "env.py": "",
    "data.json": "not JSON", "terraform.py": "", "key.py": KEY.format("", ""), "big.json": "[]",
}  # fmt: skip


def test_secrets_are_left_out_and_named(tmp_path: Path) -> None:
    fill(tmp_path, *SECRETS, *PUBLIC)
    for name, text in {**SECRETS, **PUBLIC}.items():
        (tmp_path / name).write_text(text)
    fill(tmp_path, ".aws/credentials", ".ssh/known_hosts", ".env.d/a")
    found = read_sources(Layout(sources=(tmp_path,)))
    assert {entry.path for entry in found.entries} == set(PUBLIC)
    folders = {".aws/", ".ssh/", ".env.d/"}
    assert set(found.left_out) == {("secrets", path) for path in {*SECRETS, *folders}}
    (note,) = found.notes
    assert note.startswith("left out of the source: .aws/, ")
    assert f"and {len(found.left_out) - 6} more (may hold secrets)" in note
    assert note.endswith("; --include '/.aws/' includes the first")
    assert not found.warnings


def test_what_deploy_tools_made_is_left_out_and_named(tmp_path: Path) -> None:
    folders = ("cdk.out", ".chalice", ".github", ".aws-sam", ".serverless", ".terraform",
               "node_modules", "web/node_modules", ".vscode")  # fmt: skip
    fill(tmp_path, "app.py", "cdk.json", *(f"{folder}/x.py" for folder in folders), "sub/cdk.out")
    found = read_sources(Layout(sources=(tmp_path,)))
    assert [entry.path for entry in found.entries] == ["app.py", "cdk.json", "sub/cdk.out"]
    assert {path for reason, path in found.left_out if reason == "tools"} == {
        f"{folder}/" for folder in folders
    }
    assert "(of other tools)" in found.notes[0]


def test_what_is_included_or_excluded_is_not_named(tmp_path: Path) -> None:
    """Nor what git ignores: its user has said so."""
    fill(tmp_path, "app.py", ".env", "id_rsa", "cdk.out/x", "a.tfstate")
    (tmp_path / ".gitignore").write_text("cdk.out\n")
    layout = Layout(sources=(tmp_path,), include=("/.env",), exclude=("*.tfstate",))
    found = read_sources(layout)
    assert [entry.path for entry in found.entries] == [".env", "app.py"]
    assert found.left_out == (("secrets", "id_rsa"),)
    assert found.notes == (
        "left out of the source: id_rsa (may hold secrets); --include '/id_rsa' includes it",
    )


def test_the_pattern_that_is_suggested_includes_it(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "[a]*?.p12", "aa.p12")
    (note,) = read_sources(Layout(sources=(tmp_path,), exclude=("/aa.p12",))).notes
    pattern = note.split("'")[1]
    assert names(tmp_path, include=(pattern,)) == ["[a]*?.p12", "app.py"]


def test_a_link_to_a_secret_is_one(tmp_path: Path) -> None:
    fill(tmp_path, ".env", "app.py", ".aws/credentials")
    (tmp_path / "settings").symlink_to(".env")
    (tmp_path / "cloud").symlink_to(".aws")
    assert names(tmp_path) == ["app.py"]
    assert names(tmp_path, include=("settings",)) == ["app.py", "settings"]


def test_a_secret_that_is_given_itself_is_included(tmp_path: Path) -> None:
    fill(tmp_path, ".env")
    assert names(tmp_path / ".env") == [".env"]


@pytest.mark.parametrize("name", ["pipe", "pipe.pem", "pipe.json"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    found = read_sources(Layout(sources=(tmp_path,)))
    assert found.entries == ()
    assert len(found.warnings) == 1
    with pytest.raises(InputError, match="neither a directory nor a file"):
        read_sources(Layout(sources=(tmp_path / name,)))


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing cannot be read: No such file"):
        read_sources(Layout(sources=(tmp_path / "nothing",)))


@pytest.mark.parametrize("name", [b"caf\xe9.py", b"back\\slash.py"])
def test_names_that_a_zip_cannot_hold_are_errors(tmp_path: Path, name: bytes) -> None:
    try:
        (tmp_path / os.fsdecode(name)).write_text("")
    except OSError:
        pytest.skip("this file system refuses the name itself")
    with pytest.raises(InputError, match="has a name that a zip cannot hold"):
        read_sources(Layout(sources=(tmp_path,)))


def test_a_glob_that_means_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="invalid pattern: "):
        read_sources(Layout(sources=(tmp_path,), exclude=("!",)))


def test_a_closed_folder_is_named_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a file in it that crossdeps looked for and the user never heard of."""
    (tmp_path / "src" / "closed").mkdir(parents=True)
    close_folder(tmp_path / "src" / "closed", monkeypatch)
    assert read_sources(Layout(sources=(tmp_path / "src",))) == Sources()


def test_packages_of_earlier_runs_are_left_out_and_named(tmp_path: Path) -> None:
    """`--source .` twice, to two outputs, doesn't pack the first into the second."""
    fill(tmp_path, "app.py", "package/pkg/m.py", "vendor/pkg/m.py")
    for folder, installer in (("package", "crossdeps\n"), ("vendor", "pip\n")):
        mark = tmp_path / folder / "pkg-1.0.dist-info"
        mark.mkdir()
        (mark / "INSTALLER").write_text(installer)
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("pkg-1.0.dist-info/INSTALLER", "crossdeps\n")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("data.txt", "mine")
    (tmp_path / "broken.zip").write_text("no zip")
    kept = ["app.py", "broken.zip", "data.zip"]
    vendored = ["vendor/pkg-1.0.dist-info/INSTALLER", "vendor/pkg/m.py"]
    assert names(tmp_path) == [*kept, *vendored]
    warnings = read_sources(Layout(sources=(tmp_path,))).warnings
    assert [warning.split(" is a package")[0] for warning in warnings] == [
        str(tmp_path / "old.zip"),
        str(tmp_path / "package"),
    ]
    assert "package/pkg/m.py" in names(tmp_path, include=("package/",))


def test_a_directory_named_gitignore_is_no_list(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", ".gitignore/x")
    assert names(tmp_path) == ["app.py"]
