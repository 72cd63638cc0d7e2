"""Where to look for projects, and how to connect: every source of such options, merged.

The command line is above requirements files, these above pip's configuration, and that above the
defaults. As with pip, options that can be repeated add up, and an ``--index-url`` in a requirements
file replaces every index that the configuration names.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the types of fields
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from crossdeps.config.configuration import (
    LOCATIONS,
    ConfiguredOptions,
    read_configured_options,
    resolve_location,
)
from crossdeps.config.options import OPTIONS
from crossdeps.config.pip_config import read_pip_configuration, read_system_network
from crossdeps.errors import InputError
from crossdeps.fs import current_directory
from crossdeps.requirements.model import FileOptions
from crossdeps.text import HIDDEN, escape, redact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from crossdeps.config.options import Options
    from crossdeps.config.pip_config import SystemNetwork

KeyringProvider = Literal["disabled", "subprocess"]

DEFAULT_INDEX_URL = "https://pypi.org/simple/"


class ConnectionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach an index; ``None`` means "not specified".

    :param cert: path of a CA bundle
    :param client_cert: path of a PEM file with certificate and key
    :param proxy: URL, for every request
    :param timeout: seconds without a connection or a byte
    :param retries: further attempts after the first
    :param keyring: whether passwords are looked up with the ``keyring`` program
    """

    cert: str | None = None
    client_cert: str | None = None
    proxy: str | None = None
    timeout: float | None = None
    retries: int | None = None
    keyring: KeyringProvider | None = None

    def __repr__(self) -> str:
        values = msgspec.structs.asdict(self) | {"proxy": self.proxy and HIDDEN}
        return f"ConnectionOptions({', '.join(f'{k}={v!r}' for k, v in values.items())})"


_Given = TypeVar("_Given", FileOptions, ConnectionOptions)


class IndexOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look for projects, and how to connect. Its ``repr`` hides credentials.

    :param index_url: the first index, with credentials where the user wrote them
    :param extra_index_urls: the others, those nearest to the user first
    :param find_links: URLs and absolute paths of directories, archives and pages of links
    :param no_index: use no index, only *find_links*
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate is not verified
    :param cert: path of a CA bundle; None: the one that comes with the HTTP library
    :param client_cert: path of a PEM file with certificate and key
    :param proxies: URL scheme -> proxy URL
    :param no_proxy: hosts and domains reached without a proxy
    :param timeout: seconds without a connection or a byte; None: the default
    :param retries: further attempts after the first; None: the default
    :param keyring: whether passwords are looked up with the ``keyring`` program
    :param warnings: what the user should know, one sentence each
    """

    index_url: str = DEFAULT_INDEX_URL
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxies: Mapping[str, str] = msgspec.field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int | None = None
    keyring: KeyringProvider = "disabled"
    warnings: tuple[str, ...] = ()

    @property
    def index_urls(self) -> tuple[str, ...]:
        """Every index to ask, in order; none with *no_index*."""
        return () if self.no_index else (self.index_url, *self.extra_index_urls)

    def __repr__(self) -> str:
        urls = ", ".join(redact(url) for url in (*self.index_urls, *self.find_links))
        return f"IndexOptions({urls})"


def gather_index_options(
    environment: Mapping[str, str],
    *,
    command_line: FileOptions | None = None,
    connection: ConnectionOptions | None = None,
    files: FileOptions | None = None,
    configured: ConfiguredOptions | None = None,
    isolated: bool = False,
    directory: Path | None = None,
) -> IndexOptions:
    """Read pip's configuration and the environment, and merge them with the options given.

    :param environment: the environment variables
    :param command_line: options given as arguments
    :param connection: the same, about how to reach an index
    :param files: options in requirements files
    :param configured: pip's configuration, where it has been read already
    :param isolated: ignore pip's configuration; proxies and certificates of the environment still
        count, since they decide whether an answer arrives and never which
    :param directory: what relative paths are relative to, the current directory by default
    :raises InputError: if a value is not valid, or a file is missing
    """
    here = current_directory() if directory is None else directory.absolute()
    network = read_system_network(environment, here)
    if isolated:
        configured = ConfiguredOptions()
    elif configured is None:
        configured = read_configured_options(read_pip_configuration(environment), here)
    return merge_index_options(
        command_line=_resolve_locations(command_line or FileOptions(), here),
        connection=_resolve_locations(connection or ConnectionOptions(), here),
        files=files or FileOptions(),
        configured=configured,
        network=network,
    )


def merge_index_options(
    *,
    command_line: FileOptions,
    connection: ConnectionOptions,
    files: FileOptions,
    configured: ConfiguredOptions,
    network: SystemNetwork,
) -> IndexOptions:
    """Merge all sources. Pure: locations are absolute already."""
    pip = configured.options
    extras = (*command_line.extra_index_urls, *files.extra_index_urls)
    if command_line.index_url is not None or files.index_url is None:
        extras += pip.extra_index_urls
    index_url = command_line.index_url or files.index_url or pip.index_url or DEFAULT_INDEX_URL
    proxy = connection.proxy or pip.proxy
    keyring = connection.keyring or pip.keyring
    layers = (command_line, files, pip)
    return IndexOptions(
        index_url=index_url,
        extra_index_urls=_distinct(extras, without=index_url),
        find_links=_distinct(path for each in layers for path in each.find_links),
        no_index=any(each.no_index for each in layers),
        trusted_hosts=_distinct(host for each in layers for host in each.trusted_hosts),
        cert=connection.cert or pip.cert or network.cert,
        client_cert=connection.client_cert or pip.client_cert,
        proxies={"http": proxy, "https": proxy} if proxy else network.proxies,
        no_proxy=() if proxy else network.no_proxy,
        timeout=pip.timeout if connection.timeout is None else connection.timeout,
        retries=pip.retries if connection.retries is None else connection.retries,
        keyring="subprocess" if keyring == "subprocess" else "disabled",
        warnings=(*configured.warnings, *network.warnings, *_warn_no_index(layers)),
    )


def merge_selection_options(
    *, command_line: FileOptions, files: FileOptions, configured: Options
) -> FileOptions:
    """Merge the options that select releases and files; those of indexes are left out.

    On a project, the strongest source that names it decides; ``:all:`` also undoes what weaker
    sources specify.
    """
    layers = (configured, files, command_line)
    only_binary, no_binary = _fold((each.only_binary, each.no_binary) for each in layers)
    all_releases, only_final = _fold((each.all_releases, each.only_final) for each in layers)
    return FileOptions(
        pre=any(each.pre for each in layers),
        require_hashes=any(each.require_hashes for each in layers),
        only_binary=only_binary,
        no_binary=no_binary,
        all_releases=all_releases,
        only_final=only_final,
    )


def _fold(
    layers: Iterable[tuple[tuple[str, ...], tuple[str, ...]]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Merge pairs of opposite lists, the weakest first."""
    left: dict[str, None] = {}
    right: dict[str, None] = {}
    for pair in layers:
        if any(":all:" in names for names in pair):
            left.clear()
            right.clear()
        for names, mine, theirs in ((pair[0], left, right), (pair[1], right, left)):
            for name in names:
                theirs.pop(name, None)
                mine[name] = None
    return tuple(left), tuple(right)


def _distinct(values: Iterable[str], without: str = "") -> tuple[str, ...]:
    """The values in order, each once; a slash at the end makes no difference."""
    kept: dict[str, str] = {}
    for value in values:
        kept.setdefault(value.rstrip("/"), value)
    kept.pop(without.rstrip("/"), None)
    return tuple(kept.values())


def _warn_no_index(layers: Iterable[FileOptions | Options]) -> tuple[str, ...]:
    layers = tuple(layers)
    named = any(each.index_url or each.extra_index_urls for each in layers)
    if not (named and any(each.no_index for each in layers)):
        return ()
    return ("--no-index is given: the indexes that are configured are not used",)


def _resolve_locations(given: _Given, directory: Path) -> _Given:
    """Make the locations of the command line absolute.

    :raises InputError: if one is malformed or does not exist; it names the option
    """
    values = {name: getattr(given, name) for name in type(given).__annotations__}
    for name, value in values.items():
        texts = value if isinstance(value, tuple) else (value,)
        if name not in LOCATIONS or not value:
            continue
        option = OPTIONS[name].flag
        found = []
        for text in texts:
            try:
                location = resolve_location(name, text, directory)
            except InputError as error:
                error.within(option)
                raise
            if location is None:
                raise InputError(
                    f"there is no file or directory {escape(text)}",
                    context=(option,),
                    hint=f"create it, or correct {option}",
                )
            found.append(location)
        values[name] = tuple(found) if isinstance(value, tuple) else found[0]
    return type(given)(**values)


def pip_variables(options: IndexOptions, *, offline: bool) -> dict[str, str]:
    """The indexes of this run as pip's own variables, for the requirements of builds."""
    settings = {
        "PIP_INDEX_URL": options.index_url,
        "PIP_EXTRA_INDEX_URL": " ".join(options.extra_index_urls),
        "PIP_FIND_LINKS": " ".join(
            location for location in options.find_links if not (offline and "://" in location)
        ),
        "PIP_TRUSTED_HOST": " ".join(options.trusted_hosts),
        "PIP_CERT": options.cert or "",
        "PIP_CLIENT_CERT": options.client_cert or "",
        "PIP_NO_INDEX": "1" if options.no_index or offline else "",
        "PIP_PROXY": options.proxies.get("https", ""),
    }
    return {name: value for name, value in settings.items() if value}
