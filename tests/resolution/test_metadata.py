"""Reading core metadata: what a resolver needs of it, and nothing that it doesn't say."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from crossdeps.requirements.core_metadata import CoreMetadata, MetadataReader, UnusableMetadataError

HEAD = "Metadata-Version: 2.1\nName: Demo_App\nVersion: 1.0\n"


def read(text: str | bytes) -> CoreMetadata:
    data = text.encode() if isinstance(text, str) else text
    return MetadataReader().read(data, name=canonicalize_name("demo-app"), version=Version("1"))


def test_all_fields() -> None:
    metadata = read(
        HEAD
        + "Requires-Python: >=3.8\nProvides-Extra: Fast_Path\n"
        + 'Requires-Dist: a>=1\nrequires-dist: b; extra == "fast-path"\n'
    )
    assert metadata.requires_python == ">=3.8"
    assert [str(each) for each in metadata.requires] == ["a>=1", 'b; extra == "fast-path"']
    assert metadata.extras == {"fast-path"}


def test_the_description_is_not_a_field() -> None:
    """The headers end at the first empty line (core metadata, "Description")."""
    metadata = read(HEAD + "\nRequires-Dist: not-me\nName: other\n")
    assert metadata.requires == ()


def test_a_folded_line_continues_the_one_before() -> None:
    metadata = read(HEAD + "Requires-Dist: a\n  ; python_version >= '3'\nSummary: x\n  y\n")
    assert [str(each) for each in metadata.requires] == ['a; python_version >= "3"']


@pytest.mark.parametrize(
    "data",
    [
        HEAD.replace("\n", "\r\n").encode() + b"Requires-Dist: a\r\n\r\ntext",
        b"\xef\xbb\xbf" + HEAD.encode() + b"Requires-Dist: a\n",
        HEAD.encode() + b"Author: J\xfcrgen\nRequires-Dist: a\n",
    ],
    ids=["crlf", "byte order mark", "not utf-8"],
)
def test_odd_encodings_are_read(data: bytes) -> None:
    assert [str(each) for each in read(data).requires] == ["a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its metadata has no Name"),
        ("Name: demo-app\n", "its metadata has no Version"),
        ("Name: other\nVersion: 1\n", "its metadata has the name 'other'"),
        ("Name: demo-app\nVersion: 2\n", "its metadata has the version '2'"),
        ("Name: demo-app\nVersion: new\n", "its metadata has the version 'new'"),
        (HEAD + "Requires-Dist: a b\n", "'a b'"),
        (HEAD + "Requires-Dist: a>=1.*\n", "'a>=1.*'"),
        (HEAD + "Requires-Dist:\n", "''"),
        (HEAD + "Requires-Dist: ../up\n", "'../up'"),
    ],
)
def test_what_can_not_be_used(text: str, problem: str) -> None:
    with pytest.raises(UnusableMetadataError) as caught:
        read(text)
    assert problem in str(caught.value)


def test_versions_compare_as_versions() -> None:
    assert read("Name: demo.app\nVersion: 1.0.0\n").version == Version("1")
