"""Write the options into the reference: ``python docs/render_options.py``.

What the table of options knows is between the markers of three pages. Further paragraphs on an
option of the command line are written by hand, and kept. A test fails while a page is out of date.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdeps.config.options import OPTIONS
from crossdeps.pipeline.keywords import KEYWORDS, OF_VERB, BuildKeywords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crossdeps.config.option_types import Option

REFERENCE = Path(__file__).parent / "reference"
_CODE = re.compile(
    r"(?<![\w-])--?[a-z][\w-]*|(?<= )-(?= )|'[^']+'|[\w./-]+/(?=[ ,.])|PIP_\*|NO_COLOR"
    r"|[\w-]*\.(?:txt|toml|zip|gitignore|python-version)\b"
)
"""Words of descriptions that are code: flags, values, file names and variables."""


def render_cli(page: str) -> str:
    """The page of the command line with current options, grouped as in the help."""
    return _fill(page, _render_group)


def render_configuration(page: str) -> str:
    """The page of the configuration with current keys."""
    return _fill(page, lambda _title, _old: _render_keys())


def render_library(page: str) -> str:
    """The page of the library with current keywords."""
    return _fill(page, lambda _title, _old: _render_keywords())


def _fill(page: str, render: Callable[[str, str], str]) -> str:
    return re.sub(
        r"(<!-- options: (.*?) -->\n)(.*?)(<!-- end -->\n)",
        lambda match: f"{match[1]}{render(match[2], match[3])}{match[4]}",
        page,
        flags=re.DOTALL,
    )


def _render_group(title: str, old: str) -> str:
    """A definition for each option of a group, or of a group for one verb: ``output of lock``."""
    group, _, verb = title.partition(" of ")
    details = dict(_read_details(old))
    entries = []
    for option in OPTIONS.values():
        single = option.verbs[0] if len(option.verbs) == 1 else "build"
        if option.usage and option.group == group and single == (verb or "build"):
            term = _render_usage(option)
            text = textwrap.fill(
                _CODE.sub(lambda match: f"`{match[0]}`", option.description),
                100, initial_indent=": ", subsequent_indent="  ", break_on_hyphens=False,
            )  # fmt: skip
            entries.append(f"{term}\n{text}\n{details.get(term, '')}")
    return "\n".join(["", *entries, ""])


def _render_usage(option: Option[Any]) -> str:
    if not option.flags:
        return f"`{option.usage}`"
    *others, last = option.flags
    value = option.usage.rpartition(last)[2]
    return ", ".join(f"`{flag}`" for flag in (*others, f"{last}{value}"))


def _read_details(old: str) -> Iterator[tuple[str, str]]:
    """The term of each definition, and what follows its first paragraph."""
    for entry in re.split(r"\n(?=`)", old):
        term, _, rest = entry.strip("\n").partition("\n")
        if paragraphs := rest.split("\n\n")[1:]:
            yield term, "".join(f"\n{paragraph}\n" for paragraph in paragraphs)


def _render_keys() -> str:
    rows = ["| key | value | option |", "|---|---|---|"]
    for option in OPTIONS.values():
        if not option.key:
            continue
        value = option.value_type
        if option.choices:
            value = ", ".join(f'`"{choice}"`' for choice in option.choices)
            value = f"table of {value} by project" if not option.flags else value
        meaning = f"`{option.flag}`" if option.flags else option.description
        if option.key_verbs != option.verbs:
            meaning += f", for `{'`, `'.join(option.key_verbs)}`"
        rows.append(f"| `{option.key}` | {value} | {meaning} |")
    return "\n".join(["", *rows, "", ""])


def _render_keywords() -> str:
    """A row for each keyword: its type, the functions that have it, and what it means."""
    rows = ["| keyword | value | functions | meaning |", "|---|---|---|---|"]
    for keyword, option in KEYWORDS.items():
        value = BuildKeywords.__annotations__[keyword].__forward_arg__.removesuffix(" | None")
        value = re.sub(r"Literal\[(.*?)\]", lambda m: m[1].replace(", ", " or "), value)
        functions = [f"`{verb}`" for verb, known in OF_VERB.items() if keyword in known]
        description = re.sub(r"; repeatable(?= \(|\.)|, and repeatable", "", option.description)
        meaning = _CODE.sub(lambda match: f"`{match[0]}`", description)
        flag = f" (`{option.flag}`)" if option.flag else ""
        rows.append(f"| `{keyword}` | {value} | {', '.join(functions)} | {meaning}{flag} |")
    return "\n".join(["", *rows, "", ""])


RENDERED = {
    "cli.md": render_cli,
    "configuration.md": render_configuration,
    "library.md": render_library,
}

if __name__ == "__main__":
    for name, render in RENDERED.items():
        path = REFERENCE / name
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
