"""What the environment says about reaching the network: proxies and certificates.

The variables are those that curl, requests and pip read; lower case beats upper case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crossdeps.inputs.configured_options import proxy_url
from crossdeps.inputs.locations import find_path
from crossdeps.inputs.model import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemNetwork:
    """Proxies and certificates of this environment.

    :param proxies: URL scheme -> proxy URL
    :param no_proxy: hosts and domains reached without
    :param cert: path of a CA bundle
    :param origins: what was found -> the variable that says so
    :param warnings: variables that name files which aren't there
    """

    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    no_proxy: tuple[str, ...] = ()
    cert: str | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_system_network(environment: Mapping[str, str], directory: Path) -> SystemNetwork:
    """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` and the CA bundles.

    ``HTTP_PROXY`` in capitals is left out under a web server, where a client's ``Proxy`` header
    becomes that variable (CVE-2016-5385).

    :param directory: what a relative path is relative to
    """
    proxies = {}
    origins = {}
    for scheme in ("http", "https"):
        for name in (f"{scheme}_proxy", "all_proxy"):
            variable = name if name in environment else name.upper()
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment:
                continue
            if value := environment.get(variable, "").strip():
                proxies[scheme] = proxy_url(value)
                origins[f"{scheme} proxy"] = Origin(file="environment", note=variable)
                break
    exempt = environment.get("no_proxy", environment.get("NO_PROXY", ""))
    warnings = []
    cert: str | None = None
    for variable in _BUNDLES:
        named = environment.get(variable)
        if not named:
            continue
        cert = find_path(named, directory)
        if cert is not None:
            origins["cert"] = Origin(file="environment", note=variable)
            break
        warnings.append(f"{variable} names {named}, which isn't there, and is left out")
    return SystemNetwork(
        proxies=proxies,
        no_proxy=tuple(exempt.replace(",", " ").split()),
        cert=cert,
        origins=origins,
        warnings=tuple(warnings),
    )
