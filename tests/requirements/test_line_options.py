from __future__ import annotations

import pytest

from crossdeps.errors import InputError
from crossdeps.requirements.file_options import Option, split_line


@pytest.mark.parametrize(
    ("text", "requirement", "options"),
    [
        ("pkg==1.0", "pkg==1.0", []),
        ("my-pkg >= 1.0", "my-pkg >= 1.0", []),
        ("pkg --hash=a --hash b", "pkg", [("--hash", "a"), ("--hash", "b")]),
        ("-i https://host", "", [("--index-url", "https://host")]),
        ("-ihttps://host", "", [("--index-url", "https://host")]),
        ("--pypi-url https://host", "", [("--index-url", "https://host")]),
        ("--extra https://host", "", [("--extra-index-url", "https://host")]),
        (
            "-rbase.txt -c limits.txt",
            "",
            [("--requirement", "base.txt"), ("--constraint", "limits.txt")],
        ),
        ("--pre --no-index", "", [("--pre", ""), ("--no-index", "")]),
        ("-f 'a folder'", "", [("--find-links", "a folder")]),
        ('--find-links="a folder"', "", [("--find-links", "a folder")]),
        ("-e ./x", "", [("--editable", "./x")]),
        ("-e .", "", [("--editable", ".")]),
        (
            "pkg --config-settings --build-option=x",
            "pkg",
            [("--config-settings", "--build-option=x")],
        ),
        ('pkg --global-option="--verbose"', "pkg", [("--global-option", "--verbose")]),
        ("pkg\t--hash=a", "pkg", [("--hash", "a")]),
    ],
)
def test_a_line_is_a_requirement_and_its_options(
    text: str, requirement: str, options: list[tuple[str, str]]
) -> None:
    assert split_line(text) == (
        requirement,
        tuple(Option(name=name, value=value) for name, value in options),
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("--index-ulr x", "--index-ulr is not an option of requirements files", "--index-url"),
        ("--upgrade", "--upgrade is not an option of requirements files", None),
        ("-x", "-x is not an option of requirements files", None),
        ("-", "- is not an option of requirements files", None),
        ("--", "-- is not an option of requirements files", None),
        ("--no", "--no is ambiguous: --no-binary or --no-index", "in full"),
        ("-r", "--requirement requires a value", None),
        ("pkg --hash", "--hash requires a value", None),
        ("pkg --hash --hash=a", "--hash requires a value", None),
        ("--index-url=", "--index-url requires a value", None),
        ("--pre=yes", "--pre takes no value", None),
        ("--pre pkg", "pkg follows an option", "own line"),
        ("-f 'a", "unbalanced quotation mark", None),
        ("-f a\\", "unbalanced quotation mark", None),
    ],
)
def test_options_that_mean_nothing_are_refused(text: str, message: str, hint: str | None) -> None:
    """The nearest spelling is offered where there is one (G95)."""
    with pytest.raises(InputError) as caught:
        split_line(text)
    assert message in caught.value.message
    if hint:
        assert hint in (caught.value.hint or "")
