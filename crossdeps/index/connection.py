"""How the network is to be used: limits, certificates, proxies and who may see credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crossdeps.index.origins import read_origin

# (user, password) for a URL whose origin the user named, else None.
CredentialsLookup = Callable[[str], "tuple[str, str] | None"]


def no_credentials(_url: str) -> tuple[str, str] | None:
    """Know nobody."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """How the network is to be used.

    :param timeout: seconds without a connection or a byte before an attempt counts as failed
    :param retries: further attempts after the first
    :param deadline: seconds for everything that one page or one metadata costs, waits included
    :param download_deadline: the same for one file
    :param longest_wait: seconds of ``Retry-After`` that are obeyed; a server that wants more fails
    :param backoff: seconds before the first retry; each later one waits twice as long
    :param certificates: path of a CA bundle; None uses the one that comes with requests
    :param client_certificate: path of a PEM file with certificate and key
    :param proxies: URL scheme -> proxy URL
    :param unproxied: hosts and domains that are reached without the proxy (``NO_PROXY``)
    :param trusted_hosts: ``host`` or ``host:port`` whose certificate isn't checked
    """

    timeout: float = 15.0
    retries: int = 3
    deadline: float = 120.0
    download_deadline: float = 3600.0
    longest_wait: float = 60.0
    backoff: float = 0.3
    certificates: str | None = None
    client_certificate: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    unproxied: tuple[str, ...] = ()
    trusted_hosts: frozenset[str] = frozenset()

    def trusts(self, url: str) -> bool:
        """Whether the certificate of this host goes unchecked, as the user asked."""
        _, host, port = read_origin(url)
        return host in self.trusted_hosts or f"{host}:{port}" in self.trusted_hosts

    def proxies_for(self, url: str) -> dict[str, str]:
        """The proxies for *url*: none for a host, or a host of a domain, that is unproxied."""
        _, host, port = read_origin(url)
        for each in self.unproxied:
            name, _, only_port = each.strip().lower().lstrip("*").lstrip(".").partition(":")
            if each.strip() == "*":
                return {}
            if only_port and only_port != str(port):
                continue
            if name and (host == name or host.endswith("." + name)):
                return {}
        return dict(self.proxies)
