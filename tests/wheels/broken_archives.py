"""Wheels whose ZIP structure breaks a rule: (what is broken, the rule's id, the wheel)."""

from __future__ import annotations

import stat

from tests.support import zip_surgery
from tests.support.wheel_factory import Member, folder_member, symlink_member
from tests.support.zip_writer import STORED
from tests.wheels.breakage import (
    CODE,
    METADATA,
    WHEEL,
    Case,
    changed,
    cut,
    extra_field,
    lying_descriptor,
    overlong_stream,
    unicode_path,
    wheel,
    with_file,
    zip64_end,
)


def bad_paths() -> list[Case]:
    """Names that aren't plain relative paths."""
    names: dict[str | bytes, str] = {
        "../evil.py": "path-traversal",
        "foo/../../evil.py": "path-traversal",
        "foo/..": "path-traversal",
        "/etc/evil": "path-traversal",
        "//server/evil": "path-traversal",
        "C:/evil.py": "path-traversal",
        "c:evil.py": "path-traversal",
        "foo\\evil.py": "path-characters",
        "..\\evil.py": "path-characters",
        "foo/a\0b.py": "path-characters",
        "foo/a\nb.py": "path-characters",
        "foo/\x1b[31m.py": "path-characters",
        "foo/\u202egnp.py": "path-characters",
        "foo//a.py": "path-characters",
        "foo/./a.py": "path-characters",
        "./foo/a.py": "path-characters",
        "": "path-characters",
        b"foo/\xff.py": "path-encoding",
        b"foo/\xc3\xa4.py": "path-encoding",
        "foo/" + "a" * 253 + ".py": "path-length",
        "/".join(["a" * 100] * 50): "path-length",
    }
    return [
        (f"path {name[:24]!r}", rule, lambda name=name: with_file(name))  # type: ignore[misc]
        for name, rule in names.items()
    ]


ARCHIVE_CASES: list[Case] = [
    *bad_paths(),
    ("empty file", "zip-end-record", lambda: cut(lambda _: b"")),
    ("not a zip", "zip-end-record", lambda: cut(lambda _: b"hello " * 100)),
    ("cut in half", "zip-end-record", lambda: cut(lambda data: data[: len(data) // 2])),
    ("last byte missing", "zip-end-record", lambda: cut(lambda data: data[:-1])),
    ("suffix", "zip-end-record", lambda: cut(lambda data: data + b"x")),
    ("another zip after it", "zip-gap", lambda: cut(lambda data: data + data)),
    (
        "comment",
        "zip-end-record",
        lambda: cut(lambda data: zip_surgery.append(data, b"hello", as_comment=True)),
    ),
    (
        "end record in comment",
        "zip-gap",
        lambda: cut(lambda data: zip_surgery.append(data, data[-22:], as_comment=True)),
    ),
    ("prefix", "zip-gap", lambda: cut(lambda data: zip_surgery.prepend(data, b"#!/bin/sh\n"))),
    (
        "prefix with offsets corrected",
        "zip-gap",
        lambda: cut(lambda data: zip_surgery.prepend(data, b"#!/bin/sh\n", fix_offsets=True)),
    ),
    ("directory size 0", "zip-gap", lambda: wheel(end={"size": 0})),
    ("directory offset", "zip-gap", lambda: wheel(end={"offset": 1})),
    ("one entry too few", "zip-directory", lambda: wheel(end={"entries": 3, "disk_entries": 3})),
    ("one entry too many", "zip-directory", lambda: wheel(end={"entries": 5, "disk_entries": 5})),
    ("disk counts differ", "zip-end-record", lambda: wheel(end={"disk_entries": 1})),
    ("disk number", "zip-end-record", lambda: wheel(end={"disk": 1})),
    ("no members", "zip-directory", lambda: wheel(members=lambda _: [])),
    ("ZIP64 locator to elsewhere", "zip64", lambda: zip64_end(record_offset=0)),
    ("ZIP64 end record counts otherwise", "zip64", lambda: zip64_end(entries=1)),
    ("ZIP64 end record offset", "zip64", lambda: zip64_end(offset=7)),
    ("member on another disk", "zip-directory", lambda: changed(CODE, central={"disk": 1})),
    (
        "name differs",
        "zip-header-mismatch",
        lambda: changed(CODE, local={"name": b"foo/__evil__.py"}),
    ),
    ("size differs", "zip-header-mismatch", lambda: changed(CODE, local={"size": 1})),
    (
        "packed size differs",
        "zip-header-mismatch",
        lambda: changed(CODE, local={"compressed_size": 1}),
    ),
    ("CRC differs", "zip-header-mismatch", lambda: changed(CODE, local={"crc": 1})),
    ("method differs", "zip-header-mismatch", lambda: changed(CODE, local={"method": 0})),
    ("flags differ", "zip-header-mismatch", lambda: changed(CODE, local={"flags": 0x800})),
    ("no local signature", "zip-header-mismatch", lambda: changed(CODE, local={"signature": 1})),
    ("no central signature", "zip-directory", lambda: changed(CODE, central={"signature": 1})),
    ("only in the directory", "zip-overlap", lambda: changed(CODE, in_archive=False)),
    ("only local, first", "zip-gap", lambda: changed(CODE, in_directory=False)),
    ("only local, later", "zip-gap", lambda: changed(WHEEL, in_directory=False)),
    (
        "two members in one place",
        "zip-overlap",
        lambda: cut(lambda data: zip_surgery.overlap(data, METADATA, CODE)),
    ),
    ("encrypted", "zip-encrypted", lambda: cut(lambda data: zip_surgery.encrypt_flag(data, CODE))),
    ("strong encryption", "zip-encrypted", lambda: changed(CODE, flags=0x40)),
    ("patched data flag", "zip-flags", lambda: changed(CODE, flags=0x20)),
    ("bzip2", "zip-method", lambda: changed(CODE, method=12)),
    ("zstandard", "zip-method", lambda: changed(CODE, method=93)),
    ("descriptor missing", "zip-descriptor", lambda: changed(CODE, flags=0x08)),
    (
        "descriptor lies",
        "zip-descriptor",
        lying_descriptor,
    ),
    ("symlink", "zip-member-type", lambda: wheel(extra_members=[symlink_member("foo/a", "/etc")])),
    ("FIFO", "zip-member-type", lambda: with_file("foo/a", mode=stat.S_IFIFO | 0o644)),
    ("device", "zip-member-type", lambda: with_file("foo/a", mode=stat.S_IFCHR | 0o644)),
    (
        "directory with data",
        "zip-directory-entry",
        lambda: with_file("foo/a/", mode=stat.S_IFDIR | 0o755),
    ),
    (
        "file with a directory's mode",
        "zip-directory-entry",
        lambda: with_file("foo/a", mode=stat.S_IFDIR),
    ),
    (
        "directory with a file's mode",
        "zip-directory-entry",
        lambda: with_file("foo/a/", b"", method=STORED),
    ),
    (
        "same name, same bytes",
        "zip-duplicate",
        lambda: wheel(members=lambda all_: [*all_, all_[0]]),
    ),
    (
        "same name, other bytes",
        "zip-duplicate",
        lambda: wheel(extra_members=[Member(name=CODE, data=b"evil")]),
    ),
    ("file below a file", "zip-duplicate", lambda: with_file(f"{CODE}/a.py")),
    ("file and directory", "zip-duplicate", lambda: wheel(extra_members=[folder_member(CODE)])),
    ("extra field cut short", "zip-extra-field", lambda: changed(CODE, extra=b"\x01")),
    ("extra field too long", "zip-extra-field", lambda: changed(CODE, extra=b"\x99\x99\xff\x00")),
    (
        "Unicode path of another name",
        "zip-extra-field",
        lambda: changed(CODE, extra=unicode_path(b"foo/evil.py", CODE.encode())),
    ),
    (
        "two Unicode paths",
        "zip-extra-field",
        lambda: changed(CODE, extra=unicode_path(CODE.encode(), CODE.encode()) * 2),
    ),
    ("two ZIP64 fields", "zip-extra-field", lambda: changed(CODE, extra=extra_field(1, b"") * 2)),
    ("ZIP64 field contradicts", "zip64", lambda: changed(CODE, extra=extra_field(1, b"\1" * 8))),
    ("ZIP64 field missing", "zip64", lambda: changed(CODE, central={"size": 0xFFFFFFFF})),
    ("stream damaged", "zip-data", lambda: changed(CODE, raw=b"\xff" * 20)),
    ("stream too long", "zip-data", lambda: with_file("foo/a", raw=overlong_stream(b"yz"))),
    (
        "bytes after the stream",
        "zip-data",
        lambda: with_file("foo/a", raw=overlong_stream(b"") + b"y"),
    ),
    ("stream cut short", "zip-data", lambda: with_file("foo/a", b"abc" * 99, raw=b"\x4b")),
    ("stored sizes differ", "zip-data", lambda: with_file("foo/a", raw=b"xy", method=STORED)),
    (
        "CRC wrong in both headers",
        "zip-crc",
        lambda: changed(CODE, local={"crc": 5}, central={"crc": 5}),
    ),
    (
        "nine gigabytes declared",
        "zip-bomb",
        lambda: wheel(
            members=lambda all_: [
                *all_,
                *(Member(name=f"foo/{i}", central={"size": 3 << 30}) for i in range(3)),
            ]
        ),
    ),
    (
        "ratio",
        "zip-bomb",
        lambda: with_file("foo/a", central={"size": 1 << 29}),
    ),
]
