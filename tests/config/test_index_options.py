"""Options of every source are merged: the nearest to the user is the strongest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from crossdeps.config.configuration import ConfiguredOptions
from crossdeps.config.index_options import (
    DEFAULT_INDEX_URL,
    ConnectionOptions,
    IndexOptions,
    gather_index_options,
    merge_index_options,
    merge_selection_options,
)
from crossdeps.config.options import Options
from crossdeps.config.pip_config import SystemNetwork, read_system_network
from crossdeps.errors import InputError
from crossdeps.requirements.model import DirectSource, FileOptions

NOBODY = {"HOME": "/nonexistent", "PIP_CONFIG_FILE": "/dev/null"}
HERE = Path("/nonexistent")


def merge(
    command_line: FileOptions | None = None,
    files: FileOptions | None = None,
    configured: FileOptions | None = None,
) -> IndexOptions:
    return merge_index_options(
        command_line=command_line or FileOptions(),
        connection=ConnectionOptions(),
        files=files or FileOptions(),
        configured=ConfiguredOptions(options=as_options(configured or FileOptions())),
        network=SystemNetwork(),
    )


def as_options(options: FileOptions) -> Options:
    """The same, as pip's configuration is read."""
    return Options("", **{name: getattr(options, name) for name in FileOptions.__annotations__})


def named(place: str) -> FileOptions:
    return FileOptions(
        index_url=f"https://{place}.example/simple/",
        extra_index_urls=(f"https://{place}.example/extra/",),
        find_links=(f"/{place}",),
        trusted_hosts=(f"{place}.example",),
    )


def test_nothing_said_means_the_python_package_index() -> None:
    options = gather_index_options(NOBODY, directory=HERE)
    assert options == IndexOptions()
    assert options.index_urls == (DEFAULT_INDEX_URL,)


def test_the_command_line_is_above_files_and_these_above_configuration() -> None:
    """An index of a requirements file counts, unless the command line names one (C44)."""
    cli, file, pip = named("cli"), named("file"), named("pip")
    assert merge(cli, file, pip).index_url == cli.index_url
    assert merge(None, file, pip).index_url == file.index_url
    assert merge(None, None, pip).index_url == pip.index_url


def test_what_can_be_repeated_adds_up_with_the_nearest_first() -> None:
    options = merge(named("cli"), named("file"), named("pip"))
    places = ("cli", "file", "pip")
    assert options.extra_index_urls == tuple(f"https://{each}.example/extra/" for each in places)
    assert options.find_links == ("/cli", "/file", "/pip")
    assert options.trusted_hosts == ("cli.example", "file.example", "pip.example")


def test_an_index_of_a_requirements_file_replaces_all_configured_ones() -> None:
    """As with pip, where it takes the place of the whole list."""
    options = merge(None, FileOptions(index_url="https://file.example/"), named("pip"))
    assert options.index_urls == ("https://file.example/",)
    assert options.find_links == ("/pip",)


def test_the_same_index_is_asked_once() -> None:
    options = merge(
        FileOptions(index_url="https://a.example/simple"),
        FileOptions(extra_index_urls=("https://a.example/simple/", "https://b.example/")),
        FileOptions(extra_index_urls=("https://b.example",)),
    )
    assert options.index_urls == ("https://a.example/simple", "https://b.example/")


@pytest.mark.parametrize("place", range(3))
def test_no_index_from_anywhere_means_no_index(place: int) -> None:
    layers: list[FileOptions | None] = [None, None, None]
    layers[place] = FileOptions(no_index=True, extra_index_urls=("https://a.example/",))
    options = merge(*layers)
    assert options.index_urls == ()
    assert options.warnings == (
        "--no-index is given: the indexes that are configured are not used",
    )


def test_every_source_counts_at_once(tmp_path: Path) -> None:
    environment = {**NOBODY, "PIP_EXTRA_INDEX_URL": "https://pip.example/", "PIP_TIMEOUT": "3"}
    options = gather_index_options(
        environment,
        command_line=FileOptions(index_url="https://cli.example/"),
        connection=ConnectionOptions(retries=0),
        files=FileOptions(find_links=(str(tmp_path),)),
        directory=tmp_path,
    )
    assert options.index_urls == ("https://cli.example/", "https://pip.example/")
    assert options.find_links == (str(tmp_path),)
    assert (options.timeout, options.retries) == (3.0, 0)


def test_isolated_leaves_only_the_way_to_the_network(tmp_path: Path) -> None:
    """Proxies and certificates decide whether an answer arrives, never which."""
    (tmp_path / "ca.pem").touch()
    environment = {
        "HOME": str(tmp_path),
        "PIP_INDEX_URL": "https://pip.example/",
        "PIP_TIMEOUT": "nonsense",
        "https_proxy": "http://p.example",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
    }
    options = gather_index_options(environment, isolated=True, directory=tmp_path)
    assert options.proxies == {"https": "http://p.example"}
    assert options.cert == str(tmp_path / "ca.pem")
    assert msgspec.structs.replace(options, proxies={}, cert=None) == IndexOptions()


def test_paths_of_the_command_line_are_made_absolute(tmp_path: Path) -> None:
    for name in ("wheels", "mirror"):
        (tmp_path / name).mkdir()
    (tmp_path / "ca.pem").touch()
    options = gather_index_options(
        NOBODY,
        command_line=FileOptions(find_links=("wheels", "file:///w"), index_url="mirror"),
        connection=ConnectionOptions(cert="ca.pem", proxy="me:secret@p.example:1"),
        directory=tmp_path,
    )
    assert options.find_links == (str(tmp_path / "wheels"), "file:///w")
    assert options.index_url == (tmp_path / "mirror").as_uri()
    assert options.cert == str(tmp_path / "ca.pem")
    assert options.proxies == dict.fromkeys(("http", "https"), "http://me:secret@p.example:1")


@pytest.mark.parametrize(
    ("options", "connection", "context"),
    [
        (FileOptions(index_url="pypi"), ConnectionOptions(), "--index-url"),
        (
            FileOptions(extra_index_urls=("git+https://x",)),
            ConnectionOptions(),
            "--extra-index-url",
        ),
        (FileOptions(find_links=("missing",)), ConnectionOptions(), "--find-links"),
        (FileOptions(find_links=("\0",)), ConnectionOptions(), "--find-links"),
        (FileOptions(find_links=("s3://bucket",)), ConnectionOptions(), "--find-links"),
        (FileOptions(), ConnectionOptions(cert="missing.pem"), "--cert"),
        (FileOptions(), ConnectionOptions(client_cert="missing.pem"), "--client-cert"),
    ],
)
def test_a_wrong_argument_names_its_option(
    options: FileOptions, connection: ConnectionOptions, context: str
) -> None:
    with pytest.raises(InputError) as caught:
        gather_index_options(NOBODY, command_line=options, connection=connection, directory=HERE)
    assert caught.value.context == (context,)


def test_repr_hides_credentials() -> None:
    options = merge(
        FileOptions(index_url="https://me:secret@a.example/", find_links=("https://k3y@b.example",))
    )
    assert repr(options) == "IndexOptions(https://****@a.example/, https://****@b.example)"


def test_the_strongest_word_on_a_project_decides() -> None:
    merged = merge_selection_options(
        configured=Options(only_binary=(":all:",), no_binary=("a",), pre=True),
        files=FileOptions(no_binary=("b",), all_releases=("x",)),
        command_line=FileOptions(only_binary=("b",), only_final=(":all:",), require_hashes=True),
    )
    assert merged == FileOptions(
        only_binary=(":all:", "b"),
        no_binary=("a",),
        only_final=(":all:",),
        pre=True,
        require_hashes=True,
    )


@pytest.mark.parametrize(
    ("environment", "proxies"),
    [
        ({}, {}),
        ({"https_proxy": "p:1"}, {"https": "http://p:1"}),
        ({"HTTPS_PROXY": "http://p"}, {"https": "http://p"}),
        ({"https_proxy": "", "HTTPS_PROXY": "http://p"}, {}),
        ({"ALL_PROXY": "http://p"}, {"http": "http://p", "https": "http://p"}),
        (
            {"all_proxy": "http://p", "http_proxy": "http://q"},
            {"http": "http://q", "https": "http://p"},
        ),
        ({"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}, {}),
    ],
)
def test_proxies_of_the_environment(environment: dict[str, str], proxies: dict[str, str]) -> None:
    assert read_system_network(environment, HERE).proxies == proxies


def test_a_proxy_that_was_asked_for_is_used_for_every_host() -> None:
    """As with pip, whose ``--proxy`` takes the place of the environment's, ``NO_PROXY`` too."""
    environment = {**NOBODY, "https_proxy": "http://p", "no_proxy": "a.example, .b.example"}
    options = gather_index_options(environment, directory=HERE)
    assert options.no_proxy == ("a.example", ".b.example")
    asked = gather_index_options({**environment, "PIP_PROXY": "q.example"}, directory=HERE)
    assert asked.proxies == dict.fromkeys(("http", "https"), "http://q.example")
    assert asked.no_proxy == ()


def test_certificates_of_the_environment(tmp_path: Path) -> None:
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).touch()
    environment = {
        **NOBODY,
        "REQUESTS_CA_BUNDLE": "/missing.pem",
        "CURL_CA_BUNDLE": str(tmp_path / "a.pem"),
        "SSL_CERT_FILE": str(tmp_path / "b.pem"),
    }
    options = gather_index_options(environment, directory=tmp_path)
    assert options.cert == str(tmp_path / "a.pem")
    assert options.warnings == (
        "REQUESTS_CA_BUNDLE names /missing.pem, which does not exist; it is ignored",
    )
    configured = {**environment, "PIP_CERT": str(tmp_path / "b.pem")}
    assert gather_index_options(configured, directory=tmp_path).cert == str(tmp_path / "b.pem")


def test_the_repr_of_what_was_given_hides_credentials() -> None:
    given = FileOptions(
        index_url="https://me:s3cret@a.example/simple",
        extra_index_urls=("https://you:s3cret@b.example/simple", "https://c.example/simple"),
    )
    source = DirectSource(kind="vcs", location="git+https://me:s3cret@a.example/x.git")
    for text in (repr(given), repr(source)):
        assert "s3cret" not in text
        assert "a.example" in text
    assert "c.example" in repr(given)
