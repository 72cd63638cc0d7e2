"""Dependencies, extras and markers (checklist E), constraints, overrides and addresses (G)."""

from __future__ import annotations

from crossdeps.resolution.model import Policy
from tests.resolution.memory import Case

_WHEEL = "https://example.org/b-5-py3-none-any.whl"
_OTHER = "https://example.org/other/b-5-py3-none-any.whl"

DEPENDENCIES = [
    Case(
        id="E66-markers-of-dependencies",
        index={
            "a": {
                "1": [
                    'win; sys_platform == "win32"',
                    'old; python_version < "3.8"',
                    'linux; sys_platform == "linux" and platform_machine == "x86_64"',
                    "always",
                ]
            },
            "linux": {"1": []},
            "always": {"1": []},
        },
        ask=("a",),
        pins="a==1 always==1 linux==1",
        pages=("a", "always", "linux"),
    ),
    Case(
        id="E67-arm64-markers-are-false-on-linux",
        index={
            "a": {"1": ['x; platform_machine == "arm64"', 'y; platform_machine == "aarch64"']},
            "y": {"1": []},
        },
        ask=("a",),
        target="3.12-arm64",
        pins="a==1 y==1",
    ),
    Case(
        id="E68-unknowable-markers-warn",
        index={"a": {"1": ['x; platform_release >= "5"']}, "b": {"1": []}},
        ask=("a", 'b; "Ubuntu" in platform_version'),
        pins="a==1",
        warnings=("platform_release", "requirements.txt:2"),
    ),
    Case(
        id="E69-several-extras",
        index={
            "a": {
                "1": {
                    "extras": ["x", "y", "z"],
                    "requires": [
                        'b; extra == "x"',
                        'c; extra == "y"',
                        'd; extra == "z"',
                    ],
                }
            },
            "b": {"1": []},
            "c": {"1": []},
        },
        ask=("a[x,y]",),
        pins="a==1 b==1 c==1",
    ),
    Case(
        id="E69-self-referential-extras",
        index={
            "a": {
                "1": {
                    "extras": ["all", "some", "x", "y"],
                    "requires": [
                        'a[some,y]; extra == "all"',
                        'a[x]; extra == "some"',
                        'A[all]; extra == "x"',
                        'b; extra == "x"',
                        'c; extra == "y"',
                    ],
                }
            },
            "b": {"1": []},
            "c": {"1": []},
        },
        ask=("a[all]",),
        pins="a==1 b==1 c==1",
        read=("a-1-py3-none-any.whl", "b-1-py3-none-any.whl", "c-1-py3-none-any.whl"),
    ),
    Case(
        id="E70-extra-names-compare-normalised",
        index={
            "a": {"1": {"extras": ["Fast_Path"], "requires": ['b; extra == "Fast_Path"']}},
            "b": {"1": []},
        },
        ask=("a[fast-path]",),
        pins="a==1 b==1",
    ),
    Case(
        id="E71-an-unknown-extra-warns-and-never-goes-back",
        index={"a": {"2": [], "1": {"extras": ["x"], "requires": ['b; extra == "x"']}}},
        ask=("a[x]",),
        pins="a==2",
        warnings=("a 2 has no extra 'x'",),
    ),
    Case(
        id="E72-with-and-without-extras-is-one-project",
        index={
            "a": {
                "3": {"extras": ["x"], "requires": ['b; extra == "x"']},
                "2": {"extras": ["x"], "requires": ['b; extra == "x"']},
                "1": {"extras": ["x"], "requires": ['b; extra == "x"']},
            },
            "b": {"1": []},
            "c": {"1": ["a[x]>1"]},
        },
        ask=("a<3", "c", "a>=1"),
        pins="a==2 b==1 c==1",
    ),
    Case(
        id="E72-different-extras-of-different-askers",
        index={
            "a": {
                "1": {
                    "extras": ["x", "y"],
                    "requires": ['p; extra == "x"', 'q; extra == "y"'],
                }
            },
            "b": {"1": ["a[x]"]},
            "c": {"1": ["a[y]"]},
            "p": {"1": []},
            "q": {"1": []},
        },
        ask=("b", "c"),
        pins="a==1 b==1 c==1 p==1 q==1",
    ),
    Case(
        id="E73-an-extra-tries-nothing-that-the-base-rules-out",
        index={
            "a": {
                version: {"extras": ["x"], "requires": ['b; extra == "x"']}
                for version in ("1", "2", "3", "4")
            },
            "b": {"1": []},
        },
        ask=("a==2", "a[x]"),
        pins="a==2 b==1",
        read=("a-2-py3-none-any.whl", "b-1-py3-none-any.whl"),
    ),
    Case(
        id="E74-an-extra-not-asked-for-constrains-nothing",
        index={
            "a": {"1": {"extras": ["x"], "requires": ['b<2; extra == "x"']}},
            "b": {"1": [], "2": []},
        },
        ask=("a", "b"),
        pins="a==1 b==2",
    ),
    Case(
        id="E75-contradicting-extras-fail",
        index={
            "a": {
                "1": {
                    "extras": ["x", "y"],
                    "requires": ['b==1; extra == "x"', 'b==2; extra == "y"'],
                }
            },
            "b": {"1": [], "2": []},
        },
        ask=("a[x]", "a[y]"),
        error=("ConflictError", "a 1 requires b==1", "a 1 requires b==2"),
    ),
    Case(
        id="E75-an-extra-that-contradicts-a-root-pin-fails",
        index={
            "a": {"1": {"extras": ["x"], "requires": ['b==1; extra == "x"']}},
            "b": {"1": [], "2": []},
        },
        ask=("a[x]", "b==2"),
        error=("ConflictError", "a 1 requires b==1", "requirements.txt:2: b==2"),
    ),
    Case(
        id="E76-circular-dependencies-resolve",
        index={"a": {"1": ["b"]}, "b": {"1": ["c"]}, "c": {"1": ["a>=1"]}},
        ask=("a",),
        pins="a==1 b==1 c==1",
    ),
    Case(
        id="E77-a-version-that-wants-itself-does-not-loop",
        index={
            "a": {"1": {"extras": ["x"], "requires": ["a", "a[x]>=1", 'b; extra == "x"']}},
            "b": {"1": []},
        },
        ask=("a",),
        pins="a==1 b==1",
    ),
    Case(
        id="E77-a-version-that-wants-another-of-itself-is-passed-over",
        index={"a": {"2": ["a<2"], "1": ["a"]}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="E78-an-unreadable-dependency-rules-the-version-out",
        index={"a": {"2": ["b (>=1.*)"], "1": ["b"]}, "b": {"1": []}},
        ask=("a",),
        pins="a==1 b==1",
    ),
    Case(
        id="E78-an-unreadable-dependency-of-a-pin-is-told",
        index={"a": {"2": ["b >>> nonsense"], "1": []}},
        ask=("a==2",),
        error=("NoCandidateError", "a 2 is unusable", "'b >>> nonsense'", "requirements.txt:1"),
    ),
    Case(
        id="E79-what-could-be-repaired-is-not",
        index={
            "a": {"3": ["b (>=1 <2)"], "2": ["'b'>=1"], "1": ["b"]},
            "b": {"1": []},
        },
        ask=("a",),
        pins="a==1 b==1",
    ),
    Case(
        id="E80-metadata-of-another-version-rules-the-version-out",
        index={"a": {"2": {"stated": {"Version": "3"}}, "1": []}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="E80-metadata-of-another-project-rules-the-version-out",
        index={"a": {"2": {"stated": {"Name": "evil"}}, "1": {"stated": {"Name": "A"}}}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="E80-metadata-without-a-name",
        index={"a": {"2": {"stated": {"Name": ""}}}},
        ask=("a",),
        error=("NoCandidateError", "its metadata has no Name"),
    ),
    Case(
        id="E80-inconsistent-metadata-keeps-extras",
        index={
            "a": {
                "2": {"stated": {"Version": "3"}},
                "1": {"extras": ["x"], "requires": ['b; extra == "x"']},
            },
            "b": {"1": []},
        },
        ask=("a[x]",),
        pins="a==1 b==1",
    ),
    Case(
        id="E81-no-deps-takes-exactly-the-named",
        index={"a": {"1": {"requires": ["b"], "extras": ["x"]}}},
        ask=("a[x]",),
        policy=Policy(no_deps=True),
        pins="a==1",
        pages=("a",),
    ),
    Case(id="G97-nothing-is-asked", ask=(), pins=""),
    Case(id="G97-every-marker-is-false", ask=('a; sys_platform == "win32"',), pins="", pages=()),
    Case(
        id="G98-constraints-limit-and-add-nothing",
        index={"a": {"1": ["b"]}, "b": {"1": [], "2": []}, "c": {"1": []}},
        ask=("a",),
        constraints=("b<2", "c==1"),
        pins="a==1 b==1",
        pages=("a", "b"),
    ),
    Case(
        id="G98-markers-of-constraints-count",
        index={"a": {"1": [], "2": []}},
        ask=("a",),
        constraints=('a<2; sys_platform == "darwin"',),
        pins="a==2",
    ),
    Case(
        id="G100-a-constraint-against-a-requirement-names-both-lines",
        ask=("a==1",),
        constraints=("b", "a==2"),
        error=("ConflictError", "requirements.txt:1: a==1", "constraints.txt:2: a==2"),
        pages=(),
    ),
    Case(
        id="G100-a-constraint-against-a-dependency-names-both",
        index={"a": {"1": ["b==1"]}, "b": {"1": [], "2": []}},
        ask=("a",),
        constraints=("b==2",),
        error=("NoCandidateError", "a 1 requires b==1", "constraints.txt:1: b==2"),
    ),
    Case(
        id="override-replaces-what-dependencies-say",
        index={"a": {"1": ["b<2"]}, "b": {"1": [], "2": []}},
        ask=("a",),
        overrides=("b==2",),
        pins="a==1 b==2",
    ),
    Case(
        id="override-replaces-what-the-user-says",
        index={"b": {"1": [], "2": []}},
        ask=("b==1",),
        overrides=("b==2",),
        pins="b==2",
    ),
    Case(
        id="override-with-a-false-marker-drops-the-project",
        index={"a": {"1": ["b<2"]}},
        ask=("a",),
        overrides=('b; sys_platform == "never"',),
        pins="a==1",
    ),
    Case(
        id="override-keeps-the-extras-of-the-asker",
        index={
            "a": {"1": ["b[x]<2"]},
            "b": {"2": {"extras": ["x"], "requires": ['c; extra == "x"']}},
            "c": {"1": []},
        },
        ask=("a",),
        overrides=("b==2",),
        pins="a==1 b==2 c==1",
    ),
    Case(
        id="G102-a-named-wheel-is-taken",
        index={"a": {"1": ["b>=4"]}, "c": {"1": []}},
        ask=(f"b @ {_WHEEL}", "a"),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ("c",))},
        pins="a==1 b==5 c==1",
        pages=("a", "c"),
    ),
    Case(
        id="G102-a-named-wheel-of-another-project",
        ask=(f"a @ {_WHEEL}",),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ())},
        error=("InputError", "the source of a is b 5", "requirements.txt:1"),
    ),
    Case(
        id="G102-a-named-wheel-for-another-python",
        ask=(f"b @ {_WHEEL}",),
        builds={_WHEEL: ("b-5-py3-none-any.whl", ">=3.13", ())},
        error=("NoCandidateError", "requires Python >=3.13", "requirements.txt:1"),
    ),
    Case(
        id="G102-a-named-wheel-that-a-dependency-can-not-take",
        index={"a": {"1": ["b<5"]}},
        ask=(f"b @ {_WHEEL}", "a"),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ())},
        error=("ConflictError", "a 1 requires b<5", f"b @ {_WHEEL}"),
    ),
    Case(
        id="G103-two-addresses-of-one-project",
        ask=(f"b @ {_WHEEL}", f"b @ {_OTHER}"),
        builds={},
        error=("ConflictError", "two sources", "requirements.txt:1", "requirements.txt:2"),
    ),
    Case(
        id="G103-one-address-twice-is-fine",
        ask=(f"b @ {_WHEEL}", f"b[x] @ {_WHEEL}"),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ())},
        pins="b==5",
        warnings=("b 5 has no extra 'x'",),
    ),
    Case(
        id="G103-markers-tell-addresses-apart",
        ask=(
            f'b @ {_WHEEL} ; platform_machine == "x86_64"',
            f'b @ {_OTHER} ; platform_machine == "aarch64"',
        ),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ())},
        pins="b==5",
    ),
    Case(
        id="G104-a-dependency-by-address-is-refused",
        index={"a": {"2": [f"b @ {_WHEEL}"], "1": []}},
        ask=("a==2",),
        error=("NoCandidateError", "a 2", "b", _WHEEL),
    ),
    Case(
        id="G104-a-dependency-by-address-rules-its-version-out",
        index={"a": {"2": [f"b @ {_WHEEL}"], "1": []}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="G104-a-dependency-by-address-that-the-user-named-too",
        index={"a": {"2": [f"b @ {_WHEEL}"]}},
        ask=("a", f"b @ {_WHEEL}"),
        builds={_WHEEL: ("b-5-py3-none-any.whl", "", ())},
        pins="a==2 b==5",
    ),
]
