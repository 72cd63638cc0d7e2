"""A login is given to the server that the user meant, and to no other."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from crossdeps.config.credentials import Credentials, Login
from crossdeps.errors import InputError
from tests.support.closed import close_folder

if TYPE_CHECKING:
    from pathlib import Path

INDEX = "https://me:s%3Acret@index.example/simple/"
NETRC = "machine index.example login me password from-netrc\ndefault login any password thing\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def credentials(*urls: str, home: Path | None = None, **options: str) -> Credentials:
    environment = {"HOME": str(home)} if home else {}
    return Credentials(urls, environment | options)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://index.example/simple/foo/", ("me", "s:cret")),
        ("https://INDEX.example:443/files/foo.whl", ("me", "s:cret")),
        ("https://you:other@index.example/x", ("you", "other")),
        ("http://index.example/simple/foo/", None),
        ("https://index.example:8443/simple/foo/", None),
        ("https://files.example/foo.whl", None),
        ("https://you:other@elsewhere.example/x", None),
        ("https://index.example.evil.example/", None),
        ("https://evil.example/?https://index.example/", None),
        ("https://index.example@evil.example/", None),
        ("https://index.example:nonsense/", None),
        ("file:///index.example/", None),
        ("", None),
    ],
)
def test_the_login_of_a_url_is_for_its_origin_only(url: str, found: tuple[str, str] | None) -> None:
    """RFC 6454: scheme, host and port; of two URLs that name one server, each keeps its own."""
    assert credentials(INDEX).find(url) == found


def test_of_two_indexes_on_one_server_the_nearer_path_decides() -> None:
    found = credentials("https://a:1@x.example/one/simple", "https://b:2@x.example/two/simple")
    assert found.find("https://x.example/one/simple/foo/") == ("a", "1")
    assert found.find("https://x.example/two/simple/foo/") == ("b", "2")
    assert found.find("https://x.example/files/foo.whl") == ("a", "1")


def test_a_name_alone_is_a_token() -> None:
    assert credentials("https://t0ken@x.example/").find("https://x.example/a") == ("t0ken", "")
    assert credentials("https://:pw@x.example/").find("https://x.example/a") == ("", "pw")


def test_netrc_is_read_for_servers_that_the_user_named(home: Path) -> None:
    (home / ".netrc").write_text(NETRC)
    found = credentials("https://index.example/simple/", "https://x.example/", home=home)
    assert found.find("https://index.example/simple/foo/") == ("me", "from-netrc")
    assert found.find("https://x.example/") == ("any", "thing")
    assert found.find("https://files.example/foo.whl") is None


def test_the_url_beats_netrc_and_a_name_must_agree(home: Path) -> None:
    (home / "_netrc").write_text(NETRC)
    assert credentials(INDEX, home=home).find(INDEX) == ("me", "s:cret")
    mine = credentials("https://me@index.example/", home=home)
    assert mine.find("https://index.example/") == ("me", "from-netrc")
    other = credentials("https://you@index.example/", home=home)
    assert other.find("https://index.example/") == ("you", "")


def test_netrc_may_be_named(home: Path) -> None:
    (home / "secrets").write_text(NETRC)
    (home / ".netrc").write_text("machine index.example login no password no\n")
    found = credentials("https://index.example/", home=home, NETRC=str(home / "secrets"))
    assert found.find("https://index.example/") == ("me", "from-netrc")


def test_isolated_leaves_netrc_unread(home: Path) -> None:
    (home / ".netrc").write_text("garbage")
    found = Credentials(["https://x.example/"], {"HOME": str(home)}, isolated=True)
    assert found.find("https://x.example/") is None


def test_a_broken_netrc_names_file_and_line_but_nothing_of_its_content(home: Path) -> None:
    (home / ".netrc").write_text("machine x.example\nlogin me\nsecret hunter2\n")
    with pytest.raises(InputError, match="netrc cannot be read") as caught:
        credentials("https://x.example/", home=home).find("https://x.example/")
    assert caught.value.context[0].startswith(f"{home / '.netrc'}:")
    assert "hunter2" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "No such file"), (b"machine \xff\xfe", "netrc")]
)
def test_a_named_netrc_must_be_readable(home: Path, content: bytes | None, problem: str) -> None:
    path = home / "secrets"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        credentials("https://x.example/", NETRC=str(path)).find("https://x.example/")
    assert str(path) in caught.value.context[0]


def test_no_netrc_is_fine(home: Path) -> None:
    assert credentials("https://x.example/", home=home).find("https://x.example/") is None


def test_passwords_stay_out_of_repr() -> None:
    found = credentials(INDEX).find_login("https://index.example/")
    assert found == Login(user="me", password="s:cret")
    assert "cret" not in repr(found)
    assert "cret" not in repr(credentials(INDEX))


def make_keyring(folder: Path, body: str) -> dict[str, str]:
    program = folder / "keyring"
    program.write_text(f"#!{sys.executable}\nimport sys, os, pathlib\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(folder), "HOME": str(folder)}


@pytest.mark.subprocess
def test_keyring_is_asked_once_for_the_index_and_then_its_host(tmp_path: Path) -> None:
    body = (
        "log = pathlib.Path(os.environ['HOME'], 'log')\n"
        "log.open('a').write(repr(sys.argv[1:]) + chr(10))\n"
        "print('from-keyring') if sys.argv[2] == 'x.example:8080' else sys.exit(1)"
    )
    environment = make_keyring(tmp_path, body)
    url = "https://me@x.example:8080/simple/"
    found = Credentials([url], environment, keyring="subprocess")
    for _ in range(2):
        assert found.find("https://x.example:8080/simple/foo/") == ("me", "from-keyring")
    assert (tmp_path / "log").read_text().splitlines() == [
        "['get', 'https://x.example:8080/simple/', 'me']",
        "['get', 'x.example:8080', 'me']",
    ]


@pytest.mark.subprocess
def test_a_keyring_that_knows_nothing_leaves_the_name(tmp_path: Path) -> None:
    environment = make_keyring(tmp_path, "sys.exit(1)")
    found = Credentials(["https://me@x.example/"], environment, keyring="subprocess")
    assert found.find("https://x.example/") == ("me", "")


def test_a_keyring_that_is_missing_is_an_error(tmp_path: Path) -> None:
    found = Credentials(
        ["https://me:@x.example/", "https://me@y.example/"],
        {"PATH": str(tmp_path)},
        keyring="subprocess",
    )
    assert found.find("https://x.example/") == ("me", "")
    with pytest.raises(InputError, match="cannot be started") as caught:
        found.find("https://y.example/")
    assert "pipx install keyring" in (caught.value.hint or "")


@pytest.mark.parametrize("url", ["https://x.example/", "https://-m@x.example/"])
def test_a_keyring_is_not_asked_without_a_name_or_with_an_option_as_one(url: str) -> None:
    """No program may be started in this test: a look-up would fail it."""
    found = Credentials([url], {"PATH": os.defpath}, keyring="subprocess")
    assert found.find("https://x.example/") in {None, ("-m", "")}


def test_a_keyring_is_not_asked_unless_wanted() -> None:
    assert credentials("https://me@x.example/").find("https://x.example/") == ("me", "")


def test_a_home_that_may_not_be_entered_has_no_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_folder(tmp_path, monkeypatch)
    found = Credentials(["https://index.example/"], {"HOME": str(tmp_path / "home")})
    assert found.find("https://index.example/") is None
