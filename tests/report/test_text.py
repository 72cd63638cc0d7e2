"""The text of a report."""

from __future__ import annotations

import pytest
from packaging.version import Version

from crossdeps.finding import Finding
from crossdeps.report.build import describe_downgrade, render_findings
from crossdeps.resolution.rejections import Reason, SkippedVersion
from crossdeps.text import human_size


def skipped(version: str, reason: str, detail: str) -> SkippedVersion:
    """A newer version that wasn't chosen."""
    return SkippedVersion(Version(version), Reason(reason), detail)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_940, "999.9 kB"),
        (999_960, "1.0 MB"),
        (262_144_000, "262.1 MB"),
        (12_000_000_000, "12.0 GB"),
    ],
)
def test_sizes_are_decimal_and_never_say_a_thousand_of_a_unit(size: int, text: str) -> None:
    """What Lambda's documents call MB is within a reader's tolerance of it."""
    assert human_size(size) == text


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], ""),
        ([skipped("2.0", "specifier", "<2")], ""),
        (
            [skipped("2.5.5", "glibc", "2.28")],
            "numpy 2.2.6, not 2.5.5: it requires glibc 2.28, which python3.12 and later have",
        ),
        (
            [skipped("2.5.5", "glibc", "2.99")],
            "numpy 2.2.6, not 2.5.5: it requires glibc 2.99, which no Lambda runtime has",
        ),
        (
            [skipped("2.5.5", "python-tag", "cp312"), skipped("2.4.6", "glibc", "2.27")],
            (
                "numpy 2.2.6, not 2.5.5: it has wheels only for other Python versions (cp312);"
                " nor 2.4.6: it requires glibc 2.27, which python3.12 and later have"
            ),
        ),
        (
            [skipped("3.0", "requires-python", ">=3.12")],
            "numpy 2.2.6, not 3.0: it requires Python >=3.12",
        ),
        ([skipped("3.0", "sdist", ".tar.gz")], ""),
    ],
)
def test_a_downgrade_says_what_the_newer_version_would_take(
    items: list[SkippedVersion], said: str
) -> None:
    """Only what the target forced is told; what the user asked for isn't news."""
    assert describe_downgrade("numpy", "2.2.6", items) == said


def test_a_version_without_wheels_is_described() -> None:
    text = "it has no wheels, only a source distribution"
    assert skipped("3.0", "sdist", ".tar.gz").describe() == text


def test_a_reason_of_a_newer_crossdeps_is_kept() -> None:
    """As the lock that another version made has it."""
    item = skipped("3.0", "moon-phase", "{full}")
    assert (item.reason, item.forced_by_target) == ("moon-phase", False)
    assert item.describe() == "it is unsuitable (moon-phase): {full}"


def found(number: int, *, owner: str | None = "pillow", hint: str = "build it anew") -> Finding:
    """One of several findings of a rule."""
    return Finding(
        rule="missing-library",
        severity="error",
        path=f"PIL/_{number}.so",
        owner=owner,
        message=f"PIL/_{number}.so needs lib{number}.so",
        hint=hint,
    )


def test_what_a_rule_finds_again_in_a_project_is_one_block() -> None:
    """There is one thing to do about it."""
    assert render_findings([found(1), found(2)]) == (
        "error[missing-library]: PIL/_1.so needs lib1.so\n"
        "  PIL/_1.so · pillow\n"
        "  also: PIL/_2.so needs lib2.so\n"
        "  hint: build it anew"
    )


def test_many_alike_are_counted_and_shown_on_request() -> None:
    """Four are shown in full; the others with -v."""
    findings = [found(number) for number in range(1_300)]
    lines = render_findings(findings).splitlines()
    assert lines[4:] == [
        "  also: PIL/_3.so needs lib3.so",
        "  and 1,296 more in pillow (-v shows them)",
        "  hint: build it anew",
    ]
    lines = render_findings(findings, verbose=True).splitlines()
    assert lines[2:-1] == [f"  also: PIL/_{n}.so needs lib{n}.so" for n in range(1, 1_300)]


@pytest.mark.parametrize(
    "others",
    [
        [found(2, owner="numpy")],
        [found(2, hint="do something else")],
        [found(1, owner=None), found(2, owner=None)],
    ],
    ids=["project", "hint", "of no project"],
)
def test_what_is_not_alike_stays_apart(others: list[Finding]) -> None:
    """Each of these asks for something of its own."""
    assert render_findings([found(1), *others]).count("error[") == 1 + len(others)


def test_what_is_found_again_is_shown_once() -> None:
    """Two files that say the same."""
    again = [found(0), found(1), found(2), found(3), found(4), found(4), found(4)]
    assert "  and 1 more in pillow (-v shows them)\n" in render_findings(again)
