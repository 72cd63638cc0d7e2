"""The reference page of the rules, made from their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.verify.model import Rule

_INTRODUCTION = """\
# Rules of `crossdeps check`

Each finding names its rule in brackets. An **error** will fail on the target: the command exits
with 7. A **warning** may fail, or costs something: the exit code stays 0, unless `--strict` is
given. `--ignore RULE` silences a rule, `--ignore 'RULE:GLOB'` only where the path matches.

The same rules run at the end of `crossdeps build`, before anything is written.

A foreign binary counts where the target would load it. Windows launchers, a helper for each
platform side by side, and compiled modules whose Python source is there too are left in peace.
"""


def render_reference(rules: Iterable[Rule]) -> str:
    """The page in Markdown: the table of rules, then each with symptom, cause and remedy."""
    listed = list(rules)
    table = ["| rule | severity | what it finds |", "|---|---|---|"]
    table += [
        f"| [`{rule.id}`](#rule-{rule.id}) | {rule.severity} | {rule.title} |" for rule in listed
    ]
    sections = [
        f"(rule-{rule.id})=\n"
        f"## `{rule.id}`\n\n"
        f"{_sentence(rule.title)}: {rule.severity}.\n\n"
        f"**Symptom.** {rule.symptom}\n\n"
        f"**Cause.** {rule.cause}\n\n"
        f"**Remedy.** {rule.remedy}\n"
        for rule in listed
    ]
    return "\n".join([_INTRODUCTION, "\n".join(table), "", *sections])


def _sentence(title: str) -> str:
    return title[0].upper() + title[1:]
