"""The table of options: each is declared once, for the command line and the configuration.

An attribute of :class:`Options` declares an option: its flags and metavar as the help shows them,
its description, its key in ``[tool.crossdeps]``, and the rules of merging. The argument parser, the
readers of ``[tool.crossdeps]`` and of pip's configuration, and the reference pages are made from
this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossdeps.config.input_options import IndexGroup, RequirementGroup, TargetGroup
from crossdeps.config.option_types import (
    Argument,
    Level,
    List,
    Option,
    OptionGroup,
    Switch,
    Table,
    Text,
    Toggle,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


# fmt: off
class OutputGroup(OptionGroup):
    """What is written, and where."""

    title = "output"
    verbs = "build"

    output: Text = Text(
        "-o, --output, -t, --target PATH", "Where to write; a name ending in .zip makes a zip, any"
        " other a directory (default: package).", key="output", paths=True)
    layer: Switch = Switch(
        "--layer", "Put everything under python/, the layout of a Lambda layer.", key="layer")
    versioned_layer: Switch = Switch(
        "--versioned-layer", "Put everything under python/lib/python3.X/site-packages/, the layout"
        " of a Lambda layer for one Python version.", key="versioned-layer", unless=("layer",))
    sources: List = List(
        "--source PATH", "Add your own code: a file, or the contents of a directory; repeatable.",
        key="source", paths=True)
    excludes: List = List(
        "--exclude GLOB", "Leave out matching paths, by the rules of .gitignore; repeatable.",
        key="exclude")
    includes: List = List(
        "--include GLOB", "Keep matching paths, whatever else would leave them out; repeatable.",
        key="include")
    excluded_projects: List = List(
        "--exclude-project NAME", "Leave out a project that is available otherwise, such as in a"
        " layer; repeatable.", key="exclude-project")
    slim: Switch = Switch(
        "--slim", "Leave out tests, type stubs, C sources and documentation.", key="slim")
    provided: Switch = Switch(
        "--provided", "Leave boto3, botocore and s3transfer to the runtime, and resolve the rest"
        " against its versions.", key="provided", verbs="build lock why")
    provided_versions: Table = Table(
        "", 'The version of a project that the runtime has, `"unknown"` or `"absent"`.',
        key="provided-versions", verbs=TargetGroup.verbs)
    scripts: Toggle = Toggle(
        "--scripts, --no-scripts", "Include console scripts, or leave them out (default: included"
        " in directories, left out of zips and layers).", key="scripts")
    force: Switch = Switch("--force", "Replace an output that crossdeps did not make.")
    lock_output: Text = Text(
        "-o, --output PATH", "Where to write; a name ending in .txt gets requirements with hashes,"
        " - is standard output (default: pylock.toml).", verbs="lock")
    upgrade: Switch = Switch(
        "-U, --upgrade", "Choose new versions of everything; without it, the versions of an"
        " existing lock are kept where they still fit.", verbs="lock")
    upgraded_packages: List = List(
        "-P, --upgrade-package NAME", "Choose a new version of this project, and keep the others;"
        " repeatable.", verbs="lock")
    newest_per_target: Switch = Switch(
        "--newest-per-target", "Choose the newest version for each target, instead of one version"
        " that fits all of them where there is one.", key="newest-per-target", verbs="lock")
    check: Switch = Switch(
        "--check", "Write nothing, and exit with 1 if the lock is out of date, or with 2 if it is"
        " missing or invalid.", verbs="lock")
    dry_run: Switch = Switch(
        "--dry-run", "Download no wheels and write nothing.", verbs="build lock")
    format: Text = Text(
        "--format FORMAT", "text, json, sbom (CycloneDX), html or licences (default: text).",
        choices=("text", "json", "sbom", "html", "licences"), verbs="report")
    findings_format: Text = Text(
        "--format FORMAT", "text, or github for annotations in GitHub Actions (default: text).",
        choices=("text", "github"), verbs="check")
    report_output: Text = Text(
        "-o, --output FILE", "Where to write (default: standard output).", verbs="report")
    lock_file: Text = Text(
        "--lock FILE", "The pylock.toml that the artifact was made from: the hashes of its wheels"
        " are added to the SBOM.", verbs="report")
    markdown: Switch = Switch(
        "--markdown", "Print Markdown, for a comment on a pull request.", verbs="diff")
    exit_code: Switch = Switch("--exit-code", "Exit with 1 if there are differences.", verbs="diff")


class CheckGroup(OptionGroup):
    """Which findings count."""

    title = "checks"
    verbs = "build check"

    ignores: List = List(
        "--ignore RULE[:GLOB]", "Ignore findings of a rule, everywhere or for matching paths;"
        " repeatable.", key="ignore")
    strict: Switch = Switch("--strict", "Treat warnings as errors.")
    handler: Text = Text(
        "--handler NAME", "The function that the runtime calls, such as app.handler; check that it"
        " exists and that every import of the source can be resolved.",
        key="handler", key_verbs="build")
    layers: List = List(
        "--with-layer PATH", "A layer that the function uses; it counts towards the size limit and"
        " provides its modules; repeatable.", key="with-layer", key_verbs="build", paths=True)


class GeneralGroup(OptionGroup):
    """How much is printed, and in which form."""

    title = "general"
    verbs = "build lock check why tags diff report cache"

    json: Switch = Switch("--json", "Print one JSON document on standard output, errors included.")
    report: Text = Text(
        "--report FILE", "Write the same JSON document to a file, errors included.",
        verbs="build lock check why tags diff report cache")
    quiet: Switch = Switch("-q, --quiet", "Print only errors.")
    verbose: Level = Level(
        "-v, --verbose", "Print more: each step, and all files of a finding; given twice, each"
        " choice of the resolver too.")
    no_progress: Switch = Switch("--no-progress", "Show no progress on the terminal.")
    color: Text = Text(
        "--color WHEN", "Use colors on standard error: auto, always or never; NO_COLOR is respected"
        " (default: auto).", choices=("auto", "always", "never"))


class Options(
    RequirementGroup, TargetGroup, OutputGroup, IndexGroup, CheckGroup, GeneralGroup
):
    """The options of one command: an attribute for each. Immutable.

    :param verb: which verb they are for; empty where none was recognized
    """

    title = ""
    verbs = ""

    def __init__(self, verb: str = "", **specified: object) -> None:
        if unknown := specified.keys() - OPTIONS.keys():
            raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
        self.verb = verb
        self.specified: Mapping[str, object] = specified

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Options):
            return NotImplemented
        return (self.verb, self.specified) == (other.verb, other.specified)

    def __hash__(self) -> int:
        return hash((self.verb, *self.specified))

    def __repr__(self) -> str:
        values = [
            f"{name}={'****' if OPTIONS[name].secret else repr(value)}"
            for name, value in self.specified.items()
        ]
        return f"Options({', '.join([repr(self.verb), *values])})"

    artifact: Argument = Argument(
        "PATH", "A package directory, zip or layer.", verbs="check report")
    project: Argument = Argument("NAME", "The name of a project.", verbs="why")
    old: Argument = Argument("A", "A package directory, zip, layer or lock.", verbs="diff")
    new: Argument = Argument(
        "B", "The directory, zip, layer or lock to compare it with.", verbs="diff")
    action: Argument = Argument("ACTION", "dir, info, prune or clear.", verbs="cache",
                      choices=("dir", "info", "prune", "clear"))
# fmt: on


OPTIONS: dict[str, Option[Any]] = {
    name: option
    for group in (Options, *Options.__bases__)
    for name, option in vars(group).items()
    if isinstance(option, Option)
}
"""Every option by name, in the order of the help."""
