"""The search itself: conflicts, backtracking, laziness (checklist F)."""

from __future__ import annotations

from crossdeps.resolution.model import Policy
from tests.resolution.memory import Case

CONFLICTS = [
    Case(
        id="F82-a-conflict-names-who-wants-what",
        index={
            "a": {"1": ["c<2"]},
            "b": {"1": ["c>=2"]},
            "c": {"1": [], "2": []},
        },
        ask=("a", "b"),
        error=(
            "ConflictError",
            "c",
            "requirements.txt:1: a",
            "a 1 requires c<2",
            "requirements.txt:2: b",
            "b 1 requires c>=2",
        ),
    ),
    Case(
        id="F82-the-chain-is-told-from-the-users-line-on",
        index={
            "a": {"1": ["m"]},
            "m": {"1": ["n"]},
            "n": {"1": ["c<2"]},
            "c": {"1": [], "2": []},
        },
        ask=("a", "c>=2"),
        error=(
            "ConflictError",
            "requirements.txt:1: a\na 1 requires m\nm 1 requires n\nn 1 requires c<2",
            "requirements.txt:2: c>=2",
        ),
    ),
    Case(
        id="F83-one-line-that-contradicts-itself",
        ask=("a==1,>=1.2",),
        error=("ConflictError", "requirements.txt:1: a==1,>=1.2"),
        pages=(),
    ),
    Case(
        id="F83-two-pins-on-two-lines",
        index={"a": {"1": []}, "b": {"1": []}},
        ask=("a==1", "b", "a==2"),
        error=("ConflictError", "requirements.txt:1: a==1", "requirements.txt:3: a==2"),
        pages=(),
    ),
    Case(
        id="F83-three-lines-only-together",
        ask=("a>=1,<3", "a!=1.*", "a<2"),
        error=("ConflictError", "requirements.txt:2", "requirements.txt:3"),
        pages=(),
    ),
    Case(
        id="F84-a-missing-project",
        ask=("nosuch",),
        error=("ProjectNotFoundError", "nosuch", "requirements.txt:1", "https://index.example"),
    ),
    Case(
        id="F84-a-missing-dependency",
        index={"a": {"1": ["nosuch>=2"]}},
        ask=("a",),
        error=("ProjectNotFoundError", "nosuch", "requirements.txt:1: a", "a 1 requires nosuch>=2"),
    ),
    Case(
        id="F84-a-missing-dependency-rules-out-the-versions-that-want-it",
        index={"a": {"2": ["nosuch"], "1": []}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="F85-an-innocent-project-stays",
        index={
            "innocent": {str(version): ["guilty"] for version in range(1, 20)},
            "guilty": {"1": ["base==1"], "2": ["base==2"]},
            "base": {"1": [], "2": []},
        },
        ask=("innocent", "guilty", "base<2"),
        pins="base==1 guilty==1 innocent==19",
    ),
    Case(
        id="F86-what-is-ruled-out-is-never-fetched",
        index={
            "a": {"1": ["b<3"], "2": ["b<3"]},
            "b": {"1": [], "2": [], "3": ["c"]},
        },
        ask=("a", "b"),
        pins="a==2 b==2",
        pages=("a", "b"),
        read=("a-2-py3-none-any.whl", "b-2-py3-none-any.whl"),
    ),
    Case(
        id="F86-nothing-that-satisfies-is-nothing-to-fetch",
        index={"a": {"1": [], "2": []}},
        ask=("a>2",),
        error=("NoCandidateError", "a", ">2", "2, 1"),
    ),
    Case(
        id="F88-a-knot-is-undone",
        index={
            "a": {str(version): [f"x=={version}"] for version in range(1, 12)},
            "b": {str(version): [f"x=={12 - version}"] for version in range(1, 12)},
            "x": {str(version): [] for version in range(1, 12)},
        },
        ask=("a", "b"),
        pins="a==11 b==1 x==11",
    ),
    Case(
        id="F89-every-state-exhausted-is-no-solution",
        index={
            "a": {"1": ["b==1"], "2": ["b==2"]},
            "b": {"1": ["c==1"], "2": ["c==2"]},
            "c": {"1": ["a==2"], "2": ["a==1"]},
        },
        ask=("a",),
        error=("ConflictError", "a"),
    ),
    Case(
        id="F89-a-circle-is-left-by-an-older-version",
        index={
            "a": {"0": [], "1": ["b==1"], "2": ["b==2"]},
            "b": {"1": ["c==1"], "2": ["c==2"]},
            "c": {"1": ["a==2"], "2": ["a==1"]},
        },
        ask=("a",),
        pins="a==0",
    ),
    Case(
        id="F89-a-plugin-that-wants-another-version-of-its-host",
        index={
            "host": {"1": [], "2": ["plugin"], "3": ["base==2"]},
            "plugin": {"4": ["host==3"], "5": ["host==3"]},
            "base": {"1": [], "2": []},
        },
        ask=("host", "base==1"),
        pins="base==1 host==1",
    ),
    Case(
        id="F89-a-circle-with-extras",
        index={
            "a": {
                "1": [],
                "2": {"extras": ["x"], "requires": ["b", 'c; extra == "x"']},
                "3": {"extras": ["x"], "requires": ["b", 'c; extra == "x"']},
            },
            "b": {"1": ["a[x]==2"]},
            "c": {"1": [], "2": ["a==1"]},
        },
        ask=("a",),
        pins="a==2 b==1 c==1",
    ),
    Case(
        id="F89-two-that-undercut-each-other",
        index={
            "x": {str(version): [f"y<{version}"] for version in range(1, 12)},
            "y": {str(version): [f"x<{version}"] for version in range(1, 12)},
        },
        ask=("x", "y"),
        error=("NoCandidateError", "no other version"),
    ),
    Case(
        id="F89-a-version-that-can-not-stand-itself",
        index={"a": {"1": ["b"], "2": []}, "b": {"1": ["a==2"]}},
        ask=("a==1",),
        error=("ConflictError", "b 1 requires a==2", "requirements.txt:1: a==1"),
    ),
    Case(
        id="F-the-bound-names-the-knot",
        index={
            **{
                name: {
                    str(version): [
                        f"x=={name}.{version}".replace("==a", "==1").replace("==b", "==2")
                    ]
                    for version in range(30)
                }
                for name in ("a", "b")
            },
            "x": {f"{major}.{minor}": [] for major in (1, 2) for minor in range(30)},
        },
        ask=("a", "b"),
        policy=Policy(max_rounds=10),
        error=("SearchLimitError", "10 steps", "x", "=="),
    ),
]
