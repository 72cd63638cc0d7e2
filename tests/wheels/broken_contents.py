"""Wheels whose content breaks a rule: (what is broken, the rule's id, the wheel)."""

from __future__ import annotations

from tests.support.wheel_factory import record_hash
from tests.wheels.breakage import CODE, Case, rows, scripts, wheel, with_file

RECORDS: list[Case] = [
    ("no RECORD", "record-missing", lambda: wheel(omit=["RECORD"])),
    ("RECORD not CSV", "record-unreadable", lambda: wheel(record=b'"foo')),
    ("RECORD not UTF-8", "record-unreadable", lambda: wheel(record=b"\xff,,\n")),
    ("two fields", "record-unreadable", lambda: wheel(record=b"foo,sha256=x\n")),
    ("size not a number", "record-unreadable", lambda: rows(lambda row: [(row[0], row[1], "-1")])),
    (
        "hash cut short",
        "record-unreadable",
        lambda: rows(lambda row: [(row[0], row[1][:-4], row[2])]),
    ),
    (
        "hash not base64",
        "record-unreadable",
        lambda: rows(lambda row: [(row[0], "sha256=!", row[2])]),
    ),
    ("extra file", "record-extra-file", lambda: rows(lambda _: [])),
    ("absent file", "record-absent-file", lambda: rows(lambda row: [row, ("foo/b.py", *row[1:])])),
    ("hash wrong", "record-hash", lambda: rows(lambda row: [(row[0], record_hash(b""), row[2])])),
    (
        "sha512 wrong",
        "record-hash",
        lambda: rows(lambda row: [(row[0], record_hash(b"", "sha512"), row[2])]),
    ),
    ("size wrong", "record-size", lambda: rows(lambda row: [(row[0], row[1], "1")])),
    ("no hash", "record-no-hash", lambda: rows(lambda row: [(row[0], "", row[2])])),
    (
        "MD5",
        "record-weak-hash",
        lambda: rows(lambda row: [(row[0], record_hash(b"", "md5"), row[2])]),
    ),
    (
        "SHA-1",
        "record-weak-hash",
        lambda: rows(lambda row: [(row[0], record_hash(b"", "sha1"), row[2])]),
    ),
    ("duplicate row", "record-duplicate", lambda: rows(lambda row: [row, row])),
    ("../ row", "record-path", lambda: rows(lambda row: [row, ("../a", *row[1:])])),
    ("./ row", "record-path", lambda: rows(lambda row: [(f"./{row[0]}", *row[1:])])),
    ("absolute row", "record-path", lambda: rows(lambda row: [row, ("/etc/passwd", "", "")])),
]

HEAD = b"Metadata-Version: 2.1\n"
METADATA_CASES: list[Case] = [
    ("WHEEL missing", "wheel-file", lambda: wheel(omit=["WHEEL"])),
    ("WHEEL without version", "wheel-file", lambda: wheel(wheel_metadata="Generator: x\n")),
    (
        "WHEEL not UTF-8",
        "wheel-file",
        lambda: wheel(wheel_metadata=b"Wheel-Version: 1.0\nA: \xff\n"),
    ),
    ("WHEEL 2.0", "wheel-version", lambda: wheel(wheel_metadata="Wheel-Version: 2.0\n")),
    ("METADATA missing", "metadata-file", lambda: wheel(omit=["METADATA"])),
    ("no Name", "metadata-file", lambda: wheel(metadata=HEAD + b"Version: 1.0\n\n")),
    ("no Version", "metadata-file", lambda: wheel(metadata=HEAD + b"Name: foo\n\n")),
    ("bad Version", "metadata-file", lambda: wheel(metadata=HEAD + b"Name: foo\nVersion: x\n\n")),
    ("other Name", "metadata-name", lambda: wheel(metadata=HEAD + b"Name: bar\nVersion: 1.0\n\n")),
    (
        "other Version",
        "metadata-version",
        lambda: wheel(metadata=HEAD + b"Name: foo\nVersion: 2\n\n"),
    ),
    ("other file name", "metadata-name", lambda: wheel(filename="bar-1.0-py3-none-any.whl")),
    ("other file version", "metadata-version", lambda: wheel(filename="foo-1.1-py3-none-any.whl")),
    ("not a wheel's file name", "filename", lambda: wheel(filename="foo-1.0.whl")),
    ("other dist-info", "dist-info", lambda: wheel(dist_info="bar-1.0.dist-info")),
    ("dist-info of another version", "dist-info", lambda: wheel(dist_info="foo-2.dist-info")),
    ("no dist-info", "dist-info", lambda: wheel(dist_info="foo-1.0.egg-info")),
    ("two dist-infos", "dist-info", lambda: with_file("bar-1.0.dist-info/METADATA")),
    ("foreign .data", "data-scheme", lambda: with_file("bar-1.0.data/purelib/a.py")),
    ("unknown scheme", "data-scheme", lambda: with_file("foo-1.0.data/stdlib/a.py")),
    ("file straight under .data", "data-scheme", lambda: with_file("foo-1.0.data/a.py")),
    ("file for a scheme", "data-scheme", lambda: with_file("foo-1.0.data/purelib")),
    ("data script python", "entry-point-name", lambda: with_file("foo-1.0.data/scripts/python3.9")),
]


ENTRY_POINTS: list[Case] = [
    ("traversal", "entry-point-name", lambda: scripts("../../evil = foo:main")),
    ("absolute", "entry-point-name", lambda: scripts("/usr/bin/evil = foo:main")),
    ("backslash", "entry-point-name", lambda: scripts("..\\evil = foo:main")),
    ("dots", "entry-point-name", lambda: scripts(".. = foo:main")),
    ("control character", "entry-point-name", lambda: scripts("a\x07b = foo:main")),
    ("python", "entry-point-name", lambda: scripts("python = foo:main")),
    ("Python3.12.exe", "entry-point-name", lambda: scripts("Python3.12.exe = foo:main")),
    ("pythonw", "entry-point-name", lambda: scripts("pythonw = foo:main", "gui_scripts")),
    ("code", "entry-point-reference", lambda: scripts("a = foo:main(); import os")),
    ("code in extras", "entry-point-reference", lambda: scripts("a = foo:main [x\\n;]")),
    ("no callable", "entry-point-reference", lambda: scripts("a = foo")),
    ("not an identifier", "entry-point-reference", lambda: scripts("a = foo.1:main")),
    ("no equals sign", "entry-points-unreadable", lambda: scripts("foo")),
    ("twice", "entry-points-unreadable", lambda: scripts("a = foo:b\na = foo:c")),
    ("no group", "entry-points-unreadable", lambda: wheel(entry_points="a = foo:main\n")),
    (
        "not UTF-8",
        "entry-points-unreadable",
        lambda: wheel(files={CODE: b"", "foo-1.0.dist-info/entry_points.txt": b"[\xff]\n"}),
    ),
]


CONTENT_CASES: list[Case] = [*RECORDS, *METADATA_CASES, *ENTRY_POINTS]
