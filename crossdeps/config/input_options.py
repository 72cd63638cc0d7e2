"""The options that say what to package, for which machine, and where to find it."""

from __future__ import annotations

from crossdeps.config.option_types import (
    Count,
    List,
    OptionGroup,
    Projects,
    Seconds,
    Switch,
    Table,
    Text,
    Timestamp,
)


# fmt: off
class RequirementGroup(OptionGroup):
    """What to package."""

    title = "requirements"
    verbs = "build lock why"
    _selection = ("requirements", "requirement_files", "groups", "extras")

    requirements: List = List(
        "REQUIREMENT...", "A requirement such as 'requests>=2', or the path of a pylock.toml, which"
        " is built without resolving.")
    requirement_files: List = List(
        "-r, --requirement FILE", "Read requirements from a requirements.txt, pyproject.toml or"
        " pylock.toml; - reads standard input; repeatable (default: pylock.toml, else"
        " requirements.txt, else pyproject.toml, the first that is here; lock reads no lock).",
        key="requirements", paths=True, unless=_selection)
    constraint_files: List = List(
        "-c, --constraint FILE", "Limit the versions of the projects named in this file, if they"
        " are needed; repeatable.", key="constraints", paths=True, pip=True)
    override_files: List = List(
        "--override FILE", "Replace every other requirement on the projects named in this file;"
        " repeatable.", key="overrides", paths=True)
    groups: List = List(
        "--group NAME", "Package a dependency group of pyproject.toml (PEP 735) or of the lock;"
        " repeatable.",
        key="groups", unless=_selection)
    extras: List = List(
        "--extra NAME", "Package an extra of the project in pyproject.toml, or of the lock;"
        " repeatable.",
        key="extras", unless=_selection)
    no_deps: Switch = Switch(
        "--no-deps", "Package only the named projects, without their dependencies.", key="no-deps")
    require_hashes: Switch = Switch(
        "--require-hashes", "Require every requirement to be pinned and to have a hash; one hash in"
        " a requirements file does the same.", key="require-hashes", pip=True)
    pre: Switch = Switch(
        "--pre", "Allow pre-releases of every project; without it they are used only where a"
        " requirement names one or no other release exists.", key="pre", pip=True)
    pre_releases: Table = Table(
        "", "Whether pre-releases of a project are allowed.", key="pre-releases",
        choices=("if-necessary", "allow", "disallow"))
    all_releases: Projects = Projects("", "Projects whose pre-releases are allowed.", pip=True)
    only_final: Projects = Projects("", "Projects whose pre-releases are not allowed.", pip=True)
    only_binary: Projects = Projects("", "Projects that are not built from source.", pip=True)
    no_binary: Projects = Projects("", "Projects whose wheels are not used.", pip=True)
    exclude_newer: Timestamp = Timestamp(
        "--exclude-newer WHEN", "Ignore files uploaded after a date, a time, or a duration ago such"
        " as '7 days'.", key="exclude-newer")
    allow_sdist: List = List(
        "--allow-sdist NAME", "Allow this project to be built from source, if the result is pure"
        " Python; repeatable.", key="allow-sdist")


class TargetGroup(OptionGroup):
    """The machine that the package is for."""

    title = "target"
    verbs = "build lock check why tags report"

    archs: List = List(
        "--arch ARCH", "The architecture: x86_64 (or amd64), or aarch64 (or arm64); lock accepts"
        " several.", key="arch", unless=("platforms",))
    runtimes: List = List(
        "--runtime NAME", "A Lambda runtime such as python3.12; lock accepts several.",
        key="runtime", unless=("python", "platforms", "abi"))
    python: Text = Text(
        "--python VERSION", "The Python version: 3.9 means its newest patch release, 3.9.19 exactly"
        " that (default: .python-version, else the Python that runs crossdeps).",
        key="python", unless=("runtimes",))
    platforms: List = List(
        "--platform TAG", "A platform tag such as manylinux_2_28_x86_64, instead of a runtime;"
        " repeatable (default: manylinux2014).", key="platform", unless=("runtimes",))
    abi: Text = Text(
        "--abi ABI", "The ABI, such as cp313t for the free-threaded build.", key="abi",
        unless=("runtimes",))
    implementation: Text = Text(
        "--implementation NAME", "The Python implementation; only cp (CPython) is supported.",
        key="implementation")


class IndexGroup(OptionGroup):
    """Where projects are found, and how to connect."""

    title = "indexes"
    verbs = "build lock why"

    index_url: Text = Text(
        "-i, --index-url URL", "The package index (default: pip's configuration, else PyPI).",
        key="index-url", pip=True, secret=True)
    extra_index_urls: List = List(
        "--extra-index-url URL", "An additional package index; repeatable.",
        key="extra-index-url", pip=True, secret=True)
    find_links: List = List(
        "-f, --find-links PATH", "A directory or page of wheels; repeatable.",
        key="find-links", paths=True, pip=True, secret=True)
    no_index: Switch = Switch(
        "--no-index", "Use no index, only --find-links.", key="no-index", pip=True)
    index_strategy: Text = Text(
        "--index-strategy STRATEGY", "What to do about a project on several indexes: refuse it if"
        " the files differ (safe), or use the first index that has it (first) (default: safe).",
        key="index-strategy", choices=("safe", "first"))
    project_indexes: Table = Table(
        "", "The URL of the only index that a project may come from.", key="project-index",
        secret=True)
    offline: Switch = Switch("--offline", "Use only the cache; never connect.")
    refresh: Switch = Switch(
        "--refresh", "Ask the indexes for changes of cached pages, and search again.")
    cache_dir: Text = Text(
        "--cache-dir DIR", "The directory of the cache.", verbs="build lock why cache")
    no_cache: Switch = Switch("--no-cache", "Neither read nor write the cache.")
    isolated: Switch = Switch(
        "--isolated", "Ignore pip's configuration, PIP_* variables, netrc and keyring; proxies and"
        " certificates of the environment still count.")
    trusted_hosts: List = List(
        "--trusted-host HOST", "Do not verify the certificate of HOST or HOST:PORT; repeatable.",
        pip=True)
    cert: Text = Text("--cert FILE", "Trust the CA certificates in this PEM file.", pip=True)
    client_cert: Text = Text(
        "--client-cert FILE", "Use the client certificate and key in this PEM file.", pip=True)
    proxy: Text = Text("--proxy URL", "Connect through this proxy.", pip=True, secret=True)
    keyring: Text = Text(
        "--keyring-provider PROVIDER", "Whether to look up passwords with the keyring program:"
        " disabled or subprocess (default: pip's configuration, else disabled).",
        choices=("disabled", "subprocess"), pip=True)
    timeout: Seconds = Seconds(
        "--timeout SECONDS", "How long a connection may stay silent.", pip=True)
    retries: Count = Count("--retries N", "How often a failed request is repeated.", pip=True)
# fmt: on
