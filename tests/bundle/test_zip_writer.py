from __future__ import annotations

import hashlib
import struct
import subprocess
import zipfile
import zipimport
from typing import TYPE_CHECKING

import pytest

from crossdeps.bundle.model import Bundle, Entry, InlineContent, Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.write import write_zip
from crossdeps.bundle.zip_layout import make_end, make_headers
from crossdeps.errors import IntegrityError, OutputError
from crossdeps.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from crossdeps.target.model import Target
    from tests.bundle.conftest import WheelMaker


def inline(path: str, data: bytes = b"", mode: int = 0o644) -> Entry:
    return Entry(
        path=path,
        mode=mode,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=InlineContent(data=data),
        owner=None,
    )


def test_headers_are_strict(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    """Sorted, first day of the format, Unix, Unix modes, nothing optional."""
    made = wheel("a", files={"a/é.py": "x", "a/b": "y" * 999, "a/run": ""}, executable=["a/run"])
    path = tmp_path / "out.zip"
    written = write_zip(plan_bundle([made], target, Layout(kind="zip")), path)
    content = path.read_bytes()
    assert written.sha256 == hashlib.sha256(content).hexdigest()
    assert written.size == len(content)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert archive.comment == b""
    assert [i.filename for i in infos] == sorted(i.filename for i in infos)
    for info in infos:
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert info.create_system == 3
        assert info.create_version == info.extract_version == 20
        assert info.external_attr >> 16 == 0o100000 | (0o755 if info.filename == "a/run" else 0o644)
        assert info.flag_bits == (0 if info.filename.isascii() else 0x800)
        assert (info.extra, info.comment) == (b"", b"")
        # The local header says the same, field by field.
        fields = struct.unpack_from("<4s5H3I2H", content, info.header_offset)
        assert fields == (
            b"PK\3\4", 20, info.flag_bits, info.compress_type, 0, 33, info.CRC,
            info.compress_size, info.file_size, len(info.filename.encode()), 0,
        )  # fmt: skip


def test_members_of_wheels_are_copied_as_they_are(
    wheel: WheelMaker, target: Target, tmp_path: Path
) -> None:
    made = wheel("a", files={"a.txt": "long " * 1000})
    path = tmp_path / "out.zip"
    write_zip(plan_bundle([made], target, Layout(kind="zip")), path)
    member = next(member for member in made.members if member.path == "a.txt")
    spliced = made.file.read_bytes()[member.offset : member.offset + member.compressed_size]
    assert member.method == zipfile.ZIP_DEFLATED
    assert spliced in path.read_bytes()


def test_what_is_made_here_is_stored(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    """The output of deflate differs between zlib's releases and forks; stored bytes don't."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("x" * 5000)
    path = tmp_path / "out.zip"
    layout = Layout(kind="zip", sources=(tmp_path / "src",))
    write_zip(plan_bundle([wheel("a")], target, layout), path)
    with zipfile.ZipFile(path) as archive:
        for name in ("app.py", "a-1.0.dist-info/RECORD", ".crossdeps/RECORD"):
            assert archive.getinfo(name).compress_type == zipfile.ZIP_STORED


def test_python_imports_from_it(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    made = wheel("a", files={"imported_from_zip/__init__.py": "answer = 42"})
    write_zip(plan_bundle([made], target, Layout(kind="zip")), path)
    module = zipimport.zipimporter(str(path)).get_code("imported_from_zip")
    names: dict[str, object] = {}
    exec(module, names)  # noqa: S102 - the code is ours
    assert names["answer"] == 42


@pytest.mark.subprocess
def test_unzip_accepts_it(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    write_zip(plan_bundle([wheel("a")], target, Layout(kind="zip")), path)
    try:
        subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no unzip here")


def test_an_empty_bundle_is_an_empty_zip(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    write_zip(Bundle(kind="planned", entries=()), path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == []
    write_zip(Bundle(kind="planned", entries=()), path)


def test_more_than_65535_members_need_zip64(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    entries = tuple(inline(f"{number:05}") for number in range(65_536))
    write_zip(Bundle(kind="planned", entries=entries), path)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 65_536
        assert archive.infolist()[0].extra == b""
    content = path.read_bytes()
    assert b"PK\6\6" in content
    assert b"PK\6\7" in content


def test_large_members_and_offsets_need_zip64() -> None:
    """Every header field that can overflow does, one by one."""
    huge = 1 << 33
    local, central = make_headers(
        b"n",
        mode=0o644,
        method=8,
        crc32=1,
        compressed_size=huge,
        size=huge + 1,
        offset=huge + 2,
    )
    assert struct.unpack("<2H2Q", local[-20:]) == (1, 16, huge + 1, huge)
    assert struct.unpack("<2H3Q", central[-28:]) == (1, 24, huge + 1, huge, huge + 2)
    assert struct.unpack_from("<H", local, 4) == (45,)
    local, central = make_headers(
        b"n", mode=0o644, method=0, crc32=1, compressed_size=5, size=5, offset=huge
    )
    assert len(local) == 31
    assert struct.unpack("<2HQ", central[-12:]) == (1, 8, huge)


def test_a_zip64_member_of_the_directory_is_read_back(tmp_path: Path) -> None:
    """A sparse file stands for the members in front: only headers are written."""
    local, central = make_headers(
        b"n", mode=0o644, method=0, crc32=0, compressed_size=0, size=0, offset=1 << 32
    )
    path = tmp_path / "sparse.zip"
    with path.open("wb") as file:
        file.seek(1 << 32)
        file.write(local)
        start = file.tell()
        file.write(central + make_end(1, start, len(central)))
    with zipfile.ZipFile(path) as archive:
        (info,) = archive.infolist()
        assert info.header_offset == 1 << 32
        assert archive.read(info) == b""


def test_a_wheel_that_was_cut_is_noticed(wheel: WheelMaker, target: Target, tmp_path: Path) -> None:
    made = wheel("a", files={"a.txt": "x"})
    bundle = plan_bundle([made], target, Layout(kind="zip"))
    made.file.write_bytes(made.file.read_bytes()[:20])
    with pytest.raises(IntegrityError, match="changed after it was verified") as caught:
        write_zip(bundle, tmp_path / "out.zip")
    assert caught.value.context[0] == made.filename
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before it is read", "before it is copied"])
@pytest.mark.parametrize("change", ["shorter", "longer than planned", "sAme length"])
def test_source_that_changes_meanwhile_is_noticed(
    target: Target, tmp_path: Path, change: str, when: str
) -> None:
    source = tmp_path / "app.py"
    source.write_text("same length")
    bundle = plan_bundle([], target, Layout(kind="zip", sources=(source,)))

    class Change(Progress):
        def writing(self, path: str, entries: int) -> None:
            del path, entries
            source.write_text(change)

    if when == "before it is read":
        source.write_text(change)
    with pytest.raises(OutputError, match=r"app\.py changed while it was being packaged"):
        write_zip(bundle, tmp_path / "out.zip", progress=Change())
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]


def test_progress_hears_of_it(tmp_path: Path) -> None:
    heard: list[tuple[str, int]] = []

    class Listener(Progress):
        def writing(self, path: str, entries: int) -> None:
            heard.append((path, entries))

        def wrote(self, path: str, size: int) -> None:
            heard.append((path, size))

    path = tmp_path / "out.zip"
    write_zip(Bundle(kind="planned", entries=(inline("a"),)), path, progress=Listener())
    assert heard == [(str(path), 1), (str(path), path.stat().st_size)]
