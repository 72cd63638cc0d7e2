from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdeps.wheels.record import RecordRow, parse_installed_record, render_record

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

PATHS = st.text(
    st.characters(exclude_characters="\r\n\0\\/", exclude_categories=["Cs"]), min_size=1
)


@given(
    st.dictionaries(
        PATHS.filter(lambda path: path not in {".", "..", "R"}), st.binary(min_size=32, max_size=32)
    )
)
def test_what_is_rendered_is_read_back(rows: dict[str, bytes]) -> None:
    written = [
        RecordRow(path=path, algorithm="sha256", digest=digest.hex(), size=3)
        for path, digest in rows.items()
    ]
    read = {row.path: row for row in parse_installed_record(render_record(written, "R"))}
    assert read.pop("R") == RecordRow(path="R")
    assert read == {row.path: row for row in written}


@given(st.binary())
def test_any_bytes_are_survived(data: bytes) -> None:
    for row in parse_installed_record(data):
        assert isinstance(row.path, str)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b"a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0",
            RecordRow(path="a.py", algorithm="sha256", digest=EMPTY, size=0),
        ),
        (b"a\\b.py,,", RecordRow(path="a/b.py")),
        (b"./a/../b.py,md5=x,1", RecordRow(path="b.py", size=1)),
        (b"a.py", RecordRow(path="a.py")),
        (b"a.py,sha256=?,-1", RecordRow(path="a.py", algorithm="sha256")),
        (b"../../bin/x,,5", RecordRow(path="../../bin/x", size=5)),
        ("a,,\u0663".encode(), RecordRow(path="a")),
    ],
)  # fmt: skip
def test_lines_of_any_tool_are_read(line: bytes, expected: RecordRow) -> None:
    assert list(parse_installed_record(line)) == [expected]
