"""pip's configuration is found where pip finds it, and its last word is the one that counts."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.config import pip_config
from crossdeps.config.configuration import ConfiguredOptions, read_configured_options
from crossdeps.config.pip_config import (
    PipConfiguration,
    locate_config_files,
    read_pip_configuration,
)
from crossdeps.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Places:
    """A home, a system and a virtual environment of a test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            "HOME": str(root / "home"),
            "XDG_CONFIG_HOME": str(root / "home" / "config"),
            "XDG_CONFIG_DIRS": str(root / "xdg"),
            "VIRTUAL_ENV": str(root / "venv"),
        }
        self.files = {
            "global": root / "xdg" / "pip" / "pip.conf",
            "legacy": root / "home" / ".pip" / "pip.conf",
            "user": root / "home" / "config" / "pip" / "pip.conf",
            "site": root / "venv" / "pip.conf",
            "named": root / "named.conf",
        }

    def write(self, place: str, text: str | bytes) -> Path:
        path = self.files[place]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def read(self, **variables: str) -> PipConfiguration:
        return read_pip_configuration(self.environment | variables)

    def options(self, **variables: str) -> ConfiguredOptions:
        return read_configured_options(self.read(**variables), self.root)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(pip_config, "SHARED_FILES", ())  # those of the machine that tests
    return Places(tmp_path)


def values(configuration: PipConfiguration) -> dict[str, str]:
    return {name: setting.value for name, setting in configuration.settings.items()}


def test_nothing_configured_is_nothing_said(places: Places) -> None:
    assert places.options() == ConfiguredOptions()


@pytest.mark.parametrize("count", range(1, 5))
def test_files_weigh_more_the_nearer_they_are(places: Places, count: int) -> None:
    """Global < user (the old place, then the new one) < virtual environment."""
    order = ["global", "legacy", "user", "site"][:count]
    for place in order:
        places.write(place, f"[global]\nindex-url = https://{place}.example/\n")
    setting = places.read().settings["index-url"]
    assert setting.value == f"https://{order[-1]}.example/"
    assert str(setting.origin) == f"{places.files[order[-1]]}:2 ([global])"


def test_the_named_file_replaces_the_users(places: Places) -> None:
    for place in ("global", "user", "site", "named"):
        places.write(place, f"[global]\n{place}-seen = 1\nproxy = {place}\n")
    seen = values(places.read(PIP_CONFIG_FILE=str(places.files["named"])))
    assert "user-seen" not in seen
    assert {"global-seen", "site-seen", "named-seen"} < seen.keys()
    assert seen["proxy"] == "named"


def test_the_null_device_means_no_files_but_variables_count(places: Places) -> None:
    for place in ("global", "user", "site"):
        places.write(place, "[global]\ntimeout = 5\n")
    read = places.read(PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="7")
    assert read.files == ()
    assert values(read).get("timeout") is None
    assert values(read)["retries"] == "7"


def test_a_named_file_that_is_missing_is_told(places: Places) -> None:
    places.write("user", "[global]\ntimeout = 5\n")
    read = places.read(PIP_CONFIG_FILE="/missing/pip.conf")
    assert read.warnings == (
        "PIP_CONFIG_FILE names /missing/pip.conf, which does not exist; it is ignored",
    )
    assert values(read)["timeout"] == "5"


def test_sections_of_a_command_beat_global_wherever_they_stand(places: Places) -> None:
    places.write("global", "[install]\ntimeout = 3\n[download]\ntimeout = 2\nretries = 2\n")
    places.write("site", "[global]\ntimeout = 1\nretries = 1\n[freeze]\ntimeout = 9\n")
    assert values(places.read()) == {"timeout": "3", "retries": "2"}


def test_variables_beat_files(places: Places) -> None:
    places.write("site", "[install]\ntimeout = 3\n")
    setting = places.read(PIP_TIMEOUT="4").settings["timeout"]
    assert (setting.value, str(setting.origin)) == ("4", "environment (PIP_TIMEOUT)")


def test_names_are_told_alike_however_they_are_written(places: Places) -> None:
    places.write(
        "user", "[global]\nTRUSTED_HOST: a.example\n--proxy=p.example\ndefault-timeout = 9\n"
    )
    assert values(places.read()) == {
        "trusted-host": "a.example",
        "proxy": "p.example",
        "timeout": "9",
    }


def test_empty_values_say_nothing(places: Places) -> None:
    places.write("user", "[global]\nindex-url =\nproxy = p.example\n")
    assert values(places.read(PIP_PROXY="", PIP_INDEX_URL=" ")) == {"proxy": "p.example"}


def test_lists_are_split_by_blanks_and_lines(places: Places) -> None:
    places.write(
        "user",
        "[global]\nextra-index-url =\n    https://a.example/\n    # not this\n"
        "    https://b.example/ https://a.example/\ntrusted-host = a.example b.example:81\n",
    )
    options = places.options().options
    assert options.extra_index_urls == ("https://a.example/", "https://b.example/")
    assert options.trusted_hosts == ("a.example", "b.example:81")


def test_every_setting_becomes_a_value_with_its_origin(places: Places) -> None:
    (places.root / "ca.pem").touch()
    (places.root / "links").mkdir()
    path = places.write(
        "user",
        "[global]\nindex-url = https://me:secret@a.example/simple\nno-index = no\ncert = ca.pem\n"
        "client-cert = ca.pem\nproxy = p.example:3128\ntimeout = 2.5\nretries = 0\npre = yes\n"
        "find-links = links\nonly-binary = Foo.Bar,:all:\nno-binary = :none:\n"
        "require-hashes = true\nkeyring-provider = subprocess\nconstraint = c.txt\n",
    )
    read = places.options()
    assert read.options.index_url == "https://me:secret@a.example/simple"
    assert read.options.find_links == (str(places.root / "links"),)
    assert (read.options.no_index, read.options.pre, read.options.require_hashes) == (
        False,
        True,
        True,
    )
    assert (read.options.only_binary, read.options.no_binary) == (("foo-bar", ":all:"), ())
    assert read.options.cert == read.options.client_cert == str(places.root / "ca.pem")
    assert read.options.proxy == "http://p.example:3128"
    assert (read.options.timeout, read.options.retries) == (2.5, 0)
    assert read.options.keyring == "subprocess"
    assert read.options.constraint_files == ("c.txt",)
    settings = places.read().settings
    assert str(settings["index-url"].origin) == f"{path}:2 ([global])"
    assert str(settings["find-links"].origin) == f"{path}:10 ([global])"
    assert "secret" not in repr(settings)
    assert "secret" not in repr(read)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PIP_TIMEOUT", "soon", "must be a number of seconds greater than 0, not 'soon'"),
        ("PIP_TIMEOUT", "0", "must be a number of seconds greater than 0, not '0'"),
        ("PIP_TIMEOUT", "nan", "must be a number of seconds greater than 0, not 'nan'"),
        ("PIP_RETRIES", "-1", "must be a non-negative integer, not '-1'"),
        ("PIP_RETRIES", "٣", "must be a non-negative integer, not '"),
        ("PIP_NO_INDEX", "maybe", "must be true or false, not 'maybe'"),
        ("PIP_INDEX_URL", "ftp://a.example/", "ftp://a.example/ is not a valid index URL"),
        ("PIP_INDEX_URL", "missing/dir", "missing/dir is neither a URL nor a directory"),
        ("PIP_INDEX_URL", "https://", "https:// has no host"),
        ("PIP_INDEX_URL", "https://a.example:port/", "https://a.example:port/ is not a valid URL"),
        ("PIP_EXTRA_INDEX_URL", "xx://me:secret@a", "xx://****@a is not a valid index URL"),
        ("PIP_CERT", "missing.pem", "there is no file missing.pem"),
        ("PIP_KEYRING_PROVIDER", "magic", "must be one of disabled, subprocess, not 'magic'"),
    ],
)
def test_a_wrong_value_names_its_place(
    places: Places, variable: str, value: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        places.options(**{variable: value})
    rule = message.startswith("must ")
    name = variable.removeprefix("PIP_").lower().replace("_", "-")
    expected = f"invalid value for {name}: {message}" if rule else message
    assert caught.value.message.startswith(expected)
    assert caught.value.context[0].startswith(f"environment ({variable}): ")
    assert "secret" not in str(caught.value)


def test_a_local_index_may_be_a_directory(places: Places) -> None:
    (places.root / "mirror dir").mkdir()
    options = places.options(PIP_INDEX_URL="mirror dir").options
    assert options.index_url == (places.root / "mirror dir").as_uri()


def test_find_links_that_are_missing_are_left_out_and_told(places: Places) -> None:
    """As with pip: configuration for all projects must not break one that doesn't need it."""
    read = places.options(PIP_FIND_LINKS="/missing/wheels https://a.example/links")
    assert read.options.find_links == ("https://a.example/links",)
    assert read.warnings == (
        (
            "environment (PIP_FIND_LINKS): find-links names /missing/wheels, which does not"
            " exist; it is ignored"
        ),
    )


def test_an_imported_keyring_is_refused_with_a_warning(places: Places) -> None:
    read = places.options(PIP_KEYRING_PROVIDER="import")
    assert read.options.keyring == "disabled"
    assert "use subprocess" in read.warnings[0]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b"timeout = 5\n", 1, "a setting precedes the first section, such as [global]"),
        (b"[global]\n\npassword secret\n", 3, "this line is neither a section nor a setting"),
        (b"[global]\ntimeout = 5\nTimeout = 6\n", 3, "timeout occurs twice in [global]"),
        (b"[global]\n[global]\n", 2, "the section [global] occurs twice"),
        (b"[global]\nindex-url = \xe4\n", 2, "byte 21 is not UTF-8"),
    ],
)
def test_a_broken_file_is_an_error_that_names_the_line(
    places: Places, content: bytes, line: int, problem: str
) -> None:
    path = places.write("user", content)
    with pytest.raises(InputError) as caught:
        places.read()
    assert caught.value.message == f"pip's configuration cannot be read: {problem}"
    assert caught.value.context == (f"{path}:{line}",)
    assert "secret" not in str(caught.value)


def test_a_byte_order_mark_is_accepted(places: Places) -> None:
    places.write("user", b"\xef\xbb\xbf[global]\r\ntimeout = 5\r\n")
    assert values(places.read()) == {"timeout": "5"}


def test_a_directory_in_the_place_of_a_file_is_an_error(places: Places) -> None:
    places.files["user"].mkdir(parents=True)
    with pytest.raises(InputError, match="Is a directory"):
        places.read()


def test_percent_signs_are_just_percent_signs(places: Places) -> None:
    places.write("user", "[global]\nindex-url = https://me:a%40b@a.example/\n")
    assert places.options().options.index_url == "https://me:a%40b@a.example/"


def test_windows_has_its_own_places() -> None:
    environment = {"PROGRAMDATA": "/pd", "APPDATA": "/ad", "USERPROFILE": "/me"}
    found = locate_config_files(environment, prefix=Path("/venv"), windows=True)
    assert found == tuple(
        Path(each)
        for each in ("/pd/pip/pip.ini", "/me/pip/pip.ini", "/ad/pip/pip.ini", "/venv/pip.ini")
    )


def test_without_a_home_there_are_no_user_files() -> None:
    found = locate_config_files({}, prefix=Path("/venv"), windows=False)
    assert Path("/etc/pip.conf") in found
    assert not any("home" in str(each) for each in found)


@given(st.binary(max_size=200))
def test_any_content_is_read_or_refused(content: bytes) -> None:
    """Bad bytes are an InputError, never anything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda _: b"[global]\n" + content)
        with contextlib.suppress(InputError):
            read_pip_configuration({"HOME": "/home/me"}, prefix=Path("/venv"))


PIP_SAYS = """
import json
from pip._internal.commands import create_command
options, _ = create_command("install").parser.parse_args([])
names = "index_url extra_index_urls find_links no_index trusted_hosts timeout retries pre".split()
print(json.dumps({name: getattr(options, name) for name in names}))
"""

FILES_AND_VARIABLES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    (
        {
            "global": "[install]\ntimeout = 3\n[global]\nretries = 8\npre = on",
            "site": "[global]\ntimeout=1",
        },
        {"PIP_EXTRA_INDEX_URL": "https://a.example https://b.example"},
    ),
    (
        {
            "legacy": "[global]\nindex_url = https://legacy.example",
            "user": "[global]\nINDEX-URL: https://user.example\ntrusted-host =\n  a.example\n  b",
        },
        {"PIP_DEFAULT_TIMEOUT": "9", "PIP_NO_INDEX": "0", "PIP_RETRIES": ""},
    ),
    (
        {
            "user": "[global]\nindex-url = https://user.example",
            "named": "[global]\nextra-index-url = https://named.example\nno-index = true",
        },
        {"PIP_CONFIG_FILE": "named"},
    ),
    ({"user": "[global]\ntimeout = 4"}, {"PIP_CONFIG_FILE": os.devnull, "PIP_PRE": "y"}),
    ({"global": "[global]\nproxy = x\ntimeout = 5", "user": "[global]\ntimeout ="}, {}),
]


@pytest.mark.subprocess
@pytest.mark.parametrize(("files", "variables"), FILES_AND_VARIABLES)
def test_pip_says_the_same(
    tmp_path: Path, files: Mapping[str, str], variables: dict[str, str]
) -> None:
    """The oracle is pip's own option parser, under the same files and variables."""
    places = Places(tmp_path)
    for place, text in files.items():
        places.write(place, text)
    if variables.get("PIP_CONFIG_FILE") == "named":
        variables = variables | {"PIP_CONFIG_FILE": str(places.files["named"])}
    site = places.files["site"].parent
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.prefix = {str(site)!r}\n{PIP_SAYS}"],
        env=places.environment | variables,
        capture_output=True,
        check=True,
    )
    pip = json.loads(done.stdout)
    read = places.options(**variables)
    assert {
        "index_url": read.options.index_url or "https://pypi.org/simple",
        "extra_index_urls": list(read.options.extra_index_urls),
        "find_links": list(read.options.find_links),
        "no_index": read.options.no_index,
        "trusted_hosts": list(read.options.trusted_hosts),
        "timeout": 15 if read.options.timeout is None else read.options.timeout,
        "retries": 5 if read.options.retries is None else read.options.retries,
        "pre": read.options.pre,
    } == {**pip, "no_index": bool(pip["no_index"]), "pre": bool(pip["pre"])}
