"""Which version is taken (checklist D)."""

from __future__ import annotations

from crossdeps.requirements.model import FileOptions
from crossdeps.resolution.model import Policy
from tests.resolution.memory import Case, Projects


def _a(*versions: str) -> Projects:
    return {"a": {version: [] for version in versions}}


def _takes(case: str, versions: str, ask: str, taken: str, **more: object) -> Case:
    return Case(
        id=case,
        index=_a(*versions.split()),
        ask=(ask,),
        pins=f"a=={taken}",
        **more,  # type: ignore[arg-type]
    )


VERSIONS = [
    _takes("D47-newest", "1 3 2", "a", "3"),
    _takes("D47-newest-numerically", "1.9 1.10 1.2", "a", "1.10"),
    _takes("D47-epochs", "2024.1 1!1.0", "a", "1!1.0"),
    _takes("D48-pre-releases-are-left-out", "1 2rc1", "a", "1"),
    _takes("D48-dev-releases-are-left-out", "1 2.dev1", "a", "1"),
    _takes("D49-only-pre-releases-exist", "1a1 1b1 1rc1", "a", "1rc1"),
    _takes("D50-only-pre-releases-satisfy", "1 2rc1", "a>1", "2rc1"),
    _takes("D51-specifier-names-a-pre-release", "1 2 3rc1", "a>=2rc1", "3rc1"),
    Case(
        id="D52-transitive-specifier-names-a-pre-release",
        index={"a": {"1": ["b>=2.0b1"]}, "b": {"1": [], "2.0b2": []}},
        ask=("a",),
        pins="a==1 b==2.0b2",
    ),
    _takes(
        "D53-exclusive-bound-leaves-its-pre-releases-out",
        "1 2rc1",
        "a<2",
        "1",
        policy=Policy(pre_releases="allow"),
    ),
    _takes("D53-bound-on-a-pre-release-lets-earlier-ones-in", "1 2rc1 2rc4", "a<2rc4", "2rc1"),
    _takes("D54-excluding-a-pre-release-is-no-opt-in", "1 2rc1 2rc2", "a!=2rc1", "1"),
    _takes("D55-pre-for-all", "1 2rc1", "a", "2rc1", policy=Policy(pre_releases="allow")),
    _takes("D55-pre-in-a-file", "1 2rc1", "a", "2rc1", options=FileOptions(pre=True)),
    Case(
        id="D55-pre-for-one-project",
        index={"a": {"1": [], "2rc1": []}, "b": {"1": [], "2rc1": []}},
        ask=("a", "b"),
        policy=Policy(pre_releases_of={"b": "allow"}),  # type: ignore[dict-item]
        pins="a==1 b==2rc1",
    ),
    Case(
        id="D55-not-for-one-project",
        index={"a": {"1": [], "2rc1": []}, "b": {"1": [], "2rc1": []}},
        ask=("a", "b"),
        policy=Policy(
            pre_releases="allow",
            pre_releases_of={"b": "disallow"},  # type: ignore[dict-item]
        ),
        pins="a==2rc1 b==1",
    ),
    Case(
        id="D55-a-file-allows-them-for-one-project",
        index={"a": {"1": [], "2rc1": []}, "b": {"1": [], "2rc1": []}},
        ask=("a", "b"),
        options=FileOptions(all_releases=("b",)),
        pins="a==1 b==2rc1",
    ),
    Case(
        id="D55-a-file-allows-them-for-all-but-one-project",
        index={"a": {"1": [], "2rc1": []}, "b": {"1": [], "2rc1": []}},
        ask=("a", "b"),
        options=FileOptions(all_releases=(":all:",), only_final=("b",)),
        pins="a==2rc1 b==1",
    ),
    Case(
        id="D55-final-in-a-file-for-all-is-below-pre-of-the-run",
        index=_a("1", "2rc1"),
        ask=("a",),
        options=FileOptions(only_final=(":all:",)),
        policy=Policy(pre_releases="allow"),
        pins="a==2rc1",
    ),
    Case(
        id="D55-disallowed-though-nothing-else-exists",
        index=_a("1rc1"),
        ask=("a",),
        policy=Policy(pre_releases="disallow"),
        error=("NoCandidateError", "pre-release", "--pre"),
    ),
    _takes("D56-rc-over-b-over-a", "1a9 1b2 1rc1 1a10", "a", "1rc1"),
    _takes("D56-numbers-as-numbers", "1a9 1a10", "a", "1a10"),
    _takes(
        "D57-greater-leaves-post-releases-out", "1.2.3 1.2.3.post1 1.2.2", "a>1.2.2", "1.2.3.post1"
    ),
    Case(
        id="D57-greater-than-its-own-post-release",
        index=_a("1.2.3", "1.2.3.post1"),
        ask=("a>1.2.3",),
        error=("NoCandidateError", "a", ">1.2.3", "1.2.3.post1"),
    ),
    _takes("D57-at-least-takes-post-releases", "1.2.3 1.2.3.post1", "a>=1.2.3", "1.2.3.post1"),
    _takes("D57-equal-does-not", "1.2.3 1.2.3.post1", "a==1.2.3", "1.2.3"),
    _takes("D57-at-most-does-not", "1.2.3 1.2.3.post1", "a<=1.2.3", "1.2.3"),
    _takes("D57-less-does-not", "1.2.3 1.2.3.post1 1.2", "a<1.2.3", "1.2"),
    _takes("D58-equal-takes-a-local-version", "1.2.3+foo 1", "a==1.2.3", "1.2.3+foo"),
    _takes("D58-at-least-takes-a-local-version", "1.2.3+foo 1.2.3", "a>=1.2.3", "1.2.3+foo"),
    _takes("D58-greater-does-not", "1.2.3+foo 2 1", "a>1.2.3,<=2", "2"),
    _takes("D58-less-does-not", "1.2.3+foo 1", "a<1.2.3", "1"),
    _takes(
        "D58-a-local-pin-takes-only-itself",
        "2.0.0 2.0.0+foo 2.0.0+bar",
        "a==2.0.0+foo",
        "2.0.0+foo",
    ),
    _takes("D58-normalised", "1.0.0 2", "a==1", "1.0.0"),
    Case(
        id="D59-yanked-files-are-ignored",
        index={"a": {"2": {"yanked": "broken"}, "1": []}},
        ask=("a",),
        pins="a==1",
        rejected={"a-2-py3-none-any.whl": "yanked"},
    ),
    Case(
        id="D59-yanked-and-pinned-is-taken-with-a-warning",
        index={"a": {"2": {"yanked": "broken"}, "1": []}},
        ask=("a==2",),
        pins="a==2",
        warnings=("a 2 was yanked from the index: broken",),
    ),
    Case(
        id="D59-yanked-and-pinned-by-a-constraint",
        index={"a": {"2": {"yanked": ""}, "1": []}},
        ask=("a",),
        constraints=("a==2",),
        pins="a==2",
        warnings=("a 2 was yanked from the index",),
    ),
    Case(
        id="D59-a-wildcard-is-no-pin",
        index={"a": {"2.1": {"yanked": "broken"}, "2.0": [], "1": []}},
        ask=("a==2.*",),
        pins="a==2.0",
    ),
    Case(
        id="D59-all-yanked-says-so",
        index={"a": {"2": {"yanked": "broken"}}},
        ask=("a",),
        error=("NoCandidateError", "a 2 was yanked from the index: broken", "a==2"),
    ),
    Case(
        id="D60-a-transitive-pin-takes-nothing-yanked",
        index={"a": {"2": ["b==2"], "1": ["b==1"]}, "b": {"2": {"yanked": "broken"}, "1": []}},
        ask=("a",),
        pins="a==1 b==1",
    ),
    Case(
        id="D61-requires-python-upper-bounds-apply",
        index={"a": {"2": {"python": "<=3.8"}, "1": []}},
        ask=("a",),
        target="3.9",
        pins="a==1",
    ),
    Case(
        id="D62-goes-back-to-a-version-for-this-python",
        index={"a": {"3": {"python": ">=3.13"}, "2": {"python": ">=3.10"}, "1": []}},
        ask=("a",),
        pins="a==2",
    ),
    Case(
        id="D63-the-failure-says-which-python-it-wants",
        index={"a": {"3": {"python": ">=3.13"}}},
        ask=("a",),
        error=("NoCandidateError", "a 3 requires Python >=3.13", "3.12", "--python"),
    ),
    Case(
        id="D64-requires-python-of-the-page-spares-the-metadata",
        index={"a": {"3": {"python": ">=3.13", "requires": ["b"]}, "1": []}, "b": {"1": []}},
        ask=("a",),
        pins="a==1",
        read=("a-1-py3-none-any.whl",),
    ),
    Case(
        id="D64-requires-python-holds-without-dependencies-too",
        index={"a": {"3": {"python_inside": ">=3.13"}, "1": []}},
        ask=("a",),
        policy=Policy(no_deps=True),
        pins="a==1",
    ),
    Case(
        id="C41-requires-python-in-the-metadata-only",
        index={"a": {"3": {"python_inside": ">=3.13"}, "1": []}},
        ask=("a",),
        pins="a==1",
    ),
    Case(
        id="C41-requires-python-in-the-metadata-only-and-pinned",
        index={"a": {"3": {"python_inside": ">=3.13"}, "1": []}},
        ask=("a==3",),
        error=("NoCandidateError", "a 3 requires Python >=3.13", "requirements.txt:1"),
    ),
    Case(
        id="prefer-keeps-an-earlier-choice",
        index=_a("1", "2", "3"),
        ask=("a",),
        prefer={"a": "2"},
        pins="a==2",
    ),
    Case(
        id="prefer-gives-way-to-what-is-asked",
        index=_a("1", "2", "3"),
        ask=("a>2",),
        prefer={"a": "2"},
        pins="a==3",
    ),
]
