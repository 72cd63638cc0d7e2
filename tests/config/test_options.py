"""The table of options, and the merge of the command line with the project file."""

from __future__ import annotations

from typing import Any

import pytest

from crossdeps.config.configuration import merge_options
from crossdeps.config.options import OPTIONS, Options

Values = dict[str, Any]


@pytest.mark.parametrize(
    ("verb", "given", "project", "merged"),
    [
        ("build", {}, {"output": "a.zip", "slim": True}, {"output": "a.zip", "slim": True}),
        ("build", {"output": "b"}, {"output": "a.zip"}, {"output": "b"}),
        ("build", {"excludes": ("a",)}, {"excludes": ("b",)}, {"excludes": ("a",)}),
        ("build", {"scripts": False}, {"scripts": True}, {"scripts": False}),
        ("build", {"layer": True}, {"versioned_layer": True}, {"layer": True}),
        # What a project specifies of its output is meant for builds.
        ("lock", {}, {"output": "a.zip", "provided": True}, {"provided": True}),
        ("check", {}, {"handler": "app.run", "layers": ("l",), "ignores": ("a",)},
         {"ignores": ("a",)}),
        # What is packaged comes from one of them.
        ("build", {"requirements": ("a",)}, {"requirement_files": ("r",), "groups": ("g",)},
         {"requirements": ("a",)}),
        ("build", {"extras": ("e",)}, {"extras": ("f",), "groups": ("g",)}, {"extras": ("e",)}),
        ("build", {"constraint_files": ("c",)}, {"requirement_files": ("r",)},
         {"constraint_files": ("c",), "requirement_files": ("r",)}),
        # A runtime determines Python, platform and ABI; who describes the machine names none.
        ("tags", {}, {"runtimes": ("r",), "platforms": ("p",), "abi": "a"}, {"runtimes": ("r",)}),
        ("tags", {"runtimes": ("s",)}, {"runtimes": ("r",), "python": "3.9", "abi": "a"},
         {"runtimes": ("s",)}),
        ("tags", {"python": "3.9"}, {"runtimes": ("r",), "platforms": ("p",)},
         {"python": "3.9", "platforms": ("p",)}),
        ("tags", {"platforms": ("q",)}, {"runtimes": ("r",), "archs": ("a",), "python": "3.9"},
         {"platforms": ("q",), "python": "3.9"}),
        ("tags", {"abi": "cp313t"}, {"runtimes": ("r",), "archs": ("a",)},
         {"abi": "cp313t", "archs": ("a",)}),
        ("tags", {}, {"runtimes": ("r",), "python": "3.9.1", "archs": ("a",)},
         {"runtimes": ("r",), "python": "3.9.1", "archs": ("a",)}),
    ],
)  # fmt: skip
def test_the_command_line_comes_first(
    verb: str, given: Values, project: Values, merged: Values
) -> None:
    assert merge_options(Options(verb, **given), project).specified == merged


def test_options_are_immutable_and_known() -> None:
    options = Options("build", timeout=5.0)
    assert (options.timeout, options.retries) == (5.0, None)
    with pytest.raises(AttributeError):
        options.timeout = 6.0
    with pytest.raises(TypeError, match="time_out"):
        Options(time_out=5.0)


def test_what_may_hold_a_password_is_not_in_the_repr() -> None:
    secret = "https://me:s3cret@a.invalid/"
    names = [option.name for option in OPTIONS.values() if option.secret]
    assert "s3cret" not in repr(Options("build", **dict.fromkeys(names, secret)))
    assert {"index_url", "extra_index_urls", "find_links", "proxy"} <= set(names)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_every_option_is_a_flag_an_argument_or_a_key(option: Any) -> None:  # noqa: ANN401
    assert option.usage or option.key or option.pip_name
    assert option.description.endswith(".")
    assert set(option.unless) <= OPTIONS.keys()
    assert set(option.key_verbs) <= set(option.verbs)
