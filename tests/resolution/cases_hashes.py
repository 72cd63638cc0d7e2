"""Hash mode (checklist H)."""

from __future__ import annotations

from crossdeps.requirements.model import FileOptions
from crossdeps.resolution.model import Policy
from tests.resolution.memory import Case, Projects, sha

A = sha("a-1-py3-none-any.whl")
B = sha("b-1-py3-none-any.whl")
OTHER = sha("something else")
_INDEX: Projects = {"a": {"1": ["b"]}, "b": {"1": [], "2": []}}

HASHES = [
    Case(
        id="H105-everything-pinned-and-hashed",
        index=_INDEX,
        ask=(f"a==1 --hash=sha256:{A}", f"b==1 --hash=sha256:{B}"),
        pins="a==1 b==1",
    ),
    Case(
        id="H105-one-hash-turns-it-on-for-all",
        index=_INDEX,
        ask=(f"a==1 --hash=sha256:{A}", "b==1"),
        error=("InputError", "requirements.txt:2: b==1: no --hash"),
        pages=(),
    ),
    Case(
        id="H105-a-pin-is-needed",
        index=_INDEX,
        ask=(f"a --hash=sha256:{A}",),
        error=("InputError", "requirements.txt:1: a: not pinned"),
        pages=(),
    ),
    Case(
        id="H105-dependencies-need-hashes-too",
        index=_INDEX,
        ask=(f"a==1 --hash=sha256:{A}",),
        error=("InputError", "b has none", "a 1 requires b"),
    ),
    Case(
        id="H105-asked-for-by-an-option-of-a-file",
        index=_INDEX,
        ask=("a==1",),
        options=FileOptions(require_hashes=True),
        error=("InputError", "no --hash"),
    ),
    Case(
        id="H105-asked-for-on-the-command-line",
        index=_INDEX,
        ask=("a==1",),
        policy=Policy(require_hashes=True),
        error=("InputError", "no --hash"),
    ),
    Case(
        id="H106-hashes-on-several-lines-intersect",
        index=_INDEX,
        ask=(
            f"b==1 --hash=sha256:{B} --hash=sha256:{OTHER}",
            f"b==1 --hash=sha256:{B}",
        ),
        pins="b==1",
    ),
    Case(
        id="H106-no-hash-left",
        index=_INDEX,
        ask=(f"b==1 --hash=sha256:{B}", f"b==1 --hash=sha256:{OTHER}"),
        error=("ConflictError", "no hash of b", "requirements.txt:1", "requirements.txt:2"),
        pages=(),
    ),
    Case(
        id="H107-pin-and-hash-from-a-constraint",
        index=_INDEX,
        ask=("b",),
        constraints=(f"b==1 --hash=sha256:{B}",),
        pins="b==1",
    ),
    Case(
        id="H107-hashes-of-constraints-intersect",
        index=_INDEX,
        ask=(f"b==1 --hash=sha256:{B}",),
        constraints=(f"b==1 --hash=sha256:{OTHER}",),
        error=("ConflictError", "no hash of b", "constraints.txt:1"),
    ),
    Case(
        id="H108-no-file-has-the-hash",
        index=_INDEX,
        ask=(f"b==1 --hash=sha256:{OTHER}",),
        error=("HashMismatchError", "no file of b==1", f"expected sha256:{OTHER}", f"sha256:{B}"),
    ),
    Case(
        id="H109-a-false-marker-needs-no-hash",
        index=_INDEX,
        ask=(f"b==1 --hash=sha256:{B}", 'c; sys_platform == "win32"'),
        pins="b==1",
    ),
    Case(
        id="H110-extras-keep-the-hashes-of-the-base",
        index={
            "a": {"1": {"extras": ["x"], "requires": ['b; extra == "x"']}},
            "b": {"1": []},
            "c": {"1": ["a[x]==1"]},
        },
        ask=(
            f"a==1 --hash=sha256:{A}",
            f"b==1 --hash=sha256:{B}",
            f"c==1 --hash=sha256:{sha('c-1-py3-none-any.whl')}",
        ),
        pins="a==1 b==1 c==1",
    ),
    Case(
        id="B31-files-without-hashes-are-checked-when-fetched",
        index=_INDEX,
        hashes=False,
        ask=(f"b==1 --hash=sha256:{B}",),
        pins="b==1",
        warnings=("states no hash",),
    ),
]
