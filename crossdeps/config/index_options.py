"""Where to look for projects, and how to get there: every source of such options, merged.

The command line is above requirements files, these above pip's configuration, and that above the
defaults. As with pip, what can be said many times adds up, and an ``--index-url`` in a requirements
file takes the place of every index that the configuration names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from crossdeps.config.pip_config import SystemNetwork, read_pip_configuration, read_system_network
from crossdeps.config.pip_options import (
    ConfiguredOptions,
    ConnectionOptions,
    KeyringProvider,
    proxy_url,
    read_configured_options,
)
from crossdeps.errors import InputError
from crossdeps.requirements.locations import find_links_location, find_path, index_location
from crossdeps.requirements.model import FileOptions, Origin
from crossdeps.text import escape, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_INDEX_URL = "https://pypi.org/simple/"
COMMAND_LINE = Origin()
REQUIREMENTS_FILES = Origin(file="requirements files")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class IndexOptions:
    """Where to look for projects, and how to get there. Its ``repr`` hides credentials.

    :param index_url: the first index, with credentials where the user wrote them
    :param extra_index_urls: the others, those nearest to the user first
    :param find_links: URLs and absolute paths of folders, archives and pages of links
    :param no_index: ask no index, only *find_links*
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate isn't checked
    :param cert: path of a CA bundle; None: the one that comes with the HTTP library
    :param client_cert: path of a PEM file with certificate and key
    :param proxies: URL scheme -> proxy URL
    :param no_proxy: hosts and domains reached without a proxy
    :param timeout: seconds without a connection or a byte; None: the default
    :param retries: further attempts after the first; None: the default
    :param keyring: whether the ``keyring`` program is asked for passwords
    :param origins: a location above, or the name of an option -> where it was said
    :param warnings: what the user should know, one sentence each
    """

    index_url: str = DEFAULT_INDEX_URL
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    cert: str | None = None
    client_cert: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int | None = None
    keyring: KeyringProvider = "disabled"
    origins: Mapping[str, Origin] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def index_urls(self) -> tuple[str, ...]:
        """Every index to ask, in order; none with *no_index*."""
        return () if self.no_index else (self.index_url, *self.extra_index_urls)

    def origin_of(self, said: str) -> Origin | None:
        """Where a location or an option was said; None if it is a default."""
        return self.origins.get(said)

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
    """Read pip's configuration and the environment, and merge them with what was said here.

    :param environment: the environment variables
    :param command_line: options given as arguments
    :param connection: the same, about how to reach an index
    :param files: options that stand in requirements files
    :param configured: what pip's configuration says, where it has been read already
    :param isolated: read nothing of pip's; proxies and certificates of the environment still
        count, since they decide whether an answer arrives and never which
    :param directory: what relative paths are relative to, the current directory by default
    :raises InputError: if a value can't be understood, or a file is missing
    """
    here = Path.cwd() if directory is None else directory.absolute()
    network = read_system_network(environment, here)
    if isolated:
        configured = ConfiguredOptions()
    elif configured is None:
        configured = read_configured_options(read_pip_configuration(environment), here)
    return merge_index_options(
        command_line=_made_absolute(command_line or FileOptions(), here),
        connection=_checked(connection or ConnectionOptions(), here),
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
    """Merge what each source says. Pure: locations are absolute already."""
    said = configured.options
    layers = [(command_line, COMMAND_LINE), (files, REQUIREMENTS_FILES)]
    replaced = files.index_url is not None and command_line.index_url is None
    extras = (*command_line.extra_index_urls, *files.extra_index_urls)
    if not replaced:
        extras += said.extra_index_urls
    index_url = command_line.index_url or files.index_url or said.index_url or DEFAULT_INDEX_URL
    reached = configured.connection
    proxy = connection.proxy or reached.proxy
    return IndexOptions(
        index_url=index_url,
        extra_index_urls=_distinct(extras, without=index_url),
        find_links=_distinct((*command_line.find_links, *files.find_links, *said.find_links)),
        no_index=command_line.no_index or files.no_index or said.no_index,
        trusted_hosts=_distinct(
            (*command_line.trusted_hosts, *files.trusted_hosts, *said.trusted_hosts)
        ),
        cert=connection.cert or reached.cert or network.cert,
        client_cert=connection.client_cert or reached.client_cert,
        proxies={"http": proxy, "https": proxy} if proxy else network.proxies,
        no_proxy=() if proxy else network.no_proxy,
        timeout=reached.timeout if connection.timeout is None else connection.timeout,
        retries=reached.retries if connection.retries is None else connection.retries,
        keyring=connection.keyring or reached.keyring or "disabled",
        origins=_origins(layers, connection, configured, network),
        warnings=(*configured.warnings, *network.warnings, *_ignored(command_line, files, said)),
    )


def merge_selection_options(
    *, command_line: FileOptions, files: FileOptions, configured: FileOptions
) -> FileOptions:
    """Merge what says which releases and files are wanted; index options are left out.

    On a project, the strongest source that names it decides; ``:all:`` also undoes what weaker
    sources say.
    """
    layers = (configured, files, command_line)
    only_binary, no_binary = _fold([(each.only_binary, each.no_binary) for each in layers])
    all_releases, only_final = _fold([(each.all_releases, each.only_final) for each in layers])
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


def _origins(
    layers: list[tuple[FileOptions, Origin]],
    connection: ConnectionOptions,
    configured: ConfiguredOptions,
    network: SystemNetwork,
) -> dict[str, Origin]:
    """Where each thing was said; the strongest source is written last."""
    origins = {**network.origins, **configured.origins}
    for options, origin in reversed(layers):
        urls = (options.index_url,) if options.index_url else ()
        for said in (*urls, *options.extra_index_urls, *options.find_links):
            origins[said] = origin
        if options.index_url:
            origins["index-url"] = origin
        if options.no_index:
            origins["no-index"] = origin
    names = {"cert": connection.cert, "client-cert": connection.client_cert}
    names |= {"proxy": connection.proxy, "keyring-provider": connection.keyring}
    given = {name for name, value in names.items() if value}
    given |= {"timeout"} if connection.timeout is not None else set()
    given |= {"retries"} if connection.retries is not None else set()
    return origins | dict.fromkeys(given, COMMAND_LINE)


def _ignored(*layers: FileOptions) -> tuple[str, ...]:
    if not any(each.no_index for each in layers):
        return ()
    if not any(each.index_url or each.extra_index_urls for each in layers):
        return ()
    return ("no index is asked, though some are named, since --no-index is said",)


def _made_absolute(options: FileOptions, directory: Path) -> FileOptions:
    """The command line's locations, absolute.

    :raises InputError: if one is malformed or missing
    """
    found = []
    for text in options.find_links:
        location = find_links_location(text, directory)
        if location is None:
            raise InputError(
                f"there is no file or directory {escape(text)}",
                context=("--find-links",),
                hint="create it, or correct --find-links",
            )
        found.append(location)
    url = options.index_url
    return FileOptions(
        index_url=None if url is None else _index(url, "--index-url", directory),
        extra_index_urls=tuple(
            _index(each, "--extra-index-url", directory) for each in options.extra_index_urls
        ),
        find_links=tuple(found),
        no_index=options.no_index,
        trusted_hosts=options.trusted_hosts,
    )


def _index(text: str, option: str, directory: Path) -> str:
    try:
        return index_location(text, directory)
    except InputError as error:
        error.within(option)
        raise


def _checked(connection: ConnectionOptions, directory: Path) -> ConnectionOptions:
    paths = {}
    for option, text in (("--cert", connection.cert), ("--client-cert", connection.client_cert)):
        paths[option] = None if text is None else find_path(text, directory)
        if text is not None and paths[option] is None:
            raise InputError(
                f"there is no file {escape(text)}",
                context=(option,),
                hint="give the path of a PEM file, or leave the option out",
            )
    return ConnectionOptions(
        cert=paths["--cert"],
        client_cert=paths["--client-cert"],
        proxy=proxy_url(connection.proxy) if connection.proxy else None,
        timeout=connection.timeout,
        retries=connection.retries,
        keyring=connection.keyring,
    )
