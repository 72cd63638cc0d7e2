"""Pages: both forms give the same files, and what can't be trusted is refused or told."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crossdeps.errors import IndexResponseError
from crossdeps.index.pages.project_files import PageSource
from tests.support.index_pages import (
    HTML_TYPE,
    JSON_TYPE,
    Listing,
    html_page,
    json_page,
    parse_page,
)

if TYPE_CHECKING:
    from crossdeps.index.pages.columns import ParsedPage

SOURCE = PageSource(
    url="https://index.example/simple/foo/", index="https://index.example/simple/", project="foo"
)
WHEEL = "foo-1.0-py3-none-any.whl"


def parse(document: Any, content_type: str = JSON_TYPE) -> ParsedPage:  # noqa: ANN401
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_page(body, content_type, SOURCE)


def page(*files: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"meta": {"api-version": "1.0"}, "name": "foo", "files": list(files), **more}


def entry(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "filename": WHEEL,
        "url": f"https://files.example/{WHEEL}",
        "hashes": {"sha256": "ab" * 32},
        **more,
    }


def test_everything_that_a_json_page_says() -> None:
    [file] = parse(
        page(
            entry(
                size=12,
                yanked="broken",
                **{
                    "requires-python": ">=3.8",
                    "upload-time": "2024-05-06T07:08:09.000123Z",
                    "core-metadata": {"sha256": "CD" * 32},
                },
            )
        )
    ).files
    assert file.filename == WHEEL
    assert file.url == f"https://files.example/{WHEEL}"
    assert file.hashes == {"sha256": "ab" * 32}
    assert (file.size, file.yanked, file.requires_python) == (12, "broken", ">=3.8")
    assert file.upload_time == datetime.datetime(
        2024, 5, 6, 7, 8, 9, 123, tzinfo=datetime.timezone.utc
    )
    assert file.metadata_hashes == {"sha256": "cd" * 32}
    assert file.index == SOURCE.index


@given(
    st.lists(
        st.builds(
            lambda version, python, yanked, told: Listing(
                filename=f"foo-{version}-py3-none-any.whl",
                content=b"",
                hashes={"sha256": f"{version:064x}"},
                requires_python=python,
                yanked=yanked,
                metadata=b"x" if told else None,
                metadata_hashes={"sha256": "ab" * 32} if told else None,
            ),
            st.integers(0, 9999),
            st.sampled_from([None, ">=3.8", "<4,>=3", "!=3.0.*"]),
            st.sampled_from([False, True, "broken <b>&", 'say "no"']),
            st.booleans(),
        ),
        unique_by=lambda listing: listing.filename,
    )
)
def test_html_and_json_say_the_same(listings: list[Listing]) -> None:
    """PEP 691: "the same information"; size and time are told by JSON only (C35)."""
    shown = [(f"../../files/{each.filename}", each) for each in listings]
    found = parse_page(json_page("foo", shown, metadata_keys="both"), JSON_TYPE, SOURCE)
    same = parse_page(html_page("foo", shown, metadata_keys="both"), HTML_TYPE, SOURCE)
    assert list(found.files) == list(same.files)
    assert [file.url for file in found.files] == [
        f"https://index.example/files/{each.filename}" for each in listings
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, None),
        ({"core-metadata": True}, {}),
        ({"core-metadata": False, "dist-info-metadata": True}, None),
        ({"dist-info-metadata": {"sha256": "aa"}}, {"sha256": "aa"}),
        ({"data-dist-info-metadata": {"sha256": "aa"}}, {"sha256": "aa"}),
        ({"core-metadata": {"sha256": "aa"}, "dist-info-metadata": False}, {"sha256": "aa"}),
    ],
)
def test_the_new_metadata_key_counts_first(
    keys: dict[str, Any], expected: dict[str, str] | None
) -> None:
    """PEP 714: the older key is read only where the newer one is missing."""
    assert parse(page(entry(**keys))).files[0].metadata_hashes == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", None),
        ('data-core-metadata="true"', {}),
        ('data-core-metadata="false" data-dist-info-metadata="true"', None),
        ('data-dist-info-metadata="sha256=aa"', {"sha256": "aa"}),
    ],
)
def test_the_new_metadata_attribute_counts_first(
    attributes: str, expected: dict[str, str] | None
) -> None:
    body = f'<a href="{WHEEL}" {attributes}>x</a>'.encode()
    assert parse(body, "text/html").files[0].metadata_hashes == expected


@pytest.mark.parametrize(
    ("yanked", "expected"),
    [(False, None), (None, None), (True, ""), ("", ""), ("bad wheel", "bad wheel")],
)
def test_yanked_keeps_its_reason(yanked: bool | str | None, expected: str | None) -> None:
    """PEP 592: any string says yanked, an empty one too."""
    assert parse(page(entry(yanked=yanked))).files[0].yanked == expected


def test_html_details() -> None:
    body = f"""<!DOCTYPE html><html><head><base href="https://other.example/a/">
        <meta name="pypi:repository-version" content="1.3"></head><body>
        <a href="../">up</a> <a name="nothing">none</a> <a href="mailto:me@x.example">mail</a>
        <A HREF='{WHEEL}?token=1#sha256={"AB" * 32}' data-requires-python="&gt;=3.8" data-yanked
           data-gpg-sig="true" data-upload-time="2024-05-06T07:08:09Z">foo</A>
        </body></html>""".encode()
    parsed = parse(body, "text/html; charset=utf-8")
    [file] = parsed.files
    assert parsed.warnings == ()
    assert file.url == f"https://other.example/a/{WHEEL}?token=1"
    assert file.hashes == {"sha256": "ab" * 32}
    assert (file.requires_python, file.yanked) == (">=3.8", "")
    assert file.upload_time is not None


def test_a_charset_that_nobody_knows_is_read_as_utf8() -> None:
    body = f'<a href="{WHEEL}">x</a>'.encode()
    assert len(parse(body, "text/html; charset=klingon").files) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "rule"),
    [
        (b"", JSON_TYPE, "page-empty"),
        (b" \n", "text/html", "page-empty"),
        (b'{"files": [', JSON_TYPE, "page-json"),
        (b"[" * 100_000, JSON_TYPE, "page-json"),
        (b'{"files": ' + b"[" * 100_000, JSON_TYPE, "page-json"),
        (b'{"files": [], "deep": ' + b"[" * 100_000, JSON_TYPE, "page-json"),
        (b"\xff\xfe\x00", JSON_TYPE, "page-json"),
        (b"[]", JSON_TYPE, "page-json"),
        (b"null", JSON_TYPE, "page-json"),
        (b"{}", JSON_TYPE, "page-json"),
        (b'{"files": {}}', JSON_TYPE, "page-json"),
        (b'{"files": [{"filename": 1, "url": "x"}]}', JSON_TYPE, "page-json"),
        (b'{"files": [{"filename": "\xff", "url": "x"}]}', JSON_TYPE, "page-json"),
        (b"just text", "text/html", "page-html"),
        (b"{}", "application/octet-stream", "page-content-type"),
        (b"{}", "", "page-content-type"),
        (b"{}", "application/vnd.pypi.simple.v2+json", "page-api-version"),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', JSON_TYPE, "page-api-version"),
        (b'{"meta": {"api-version": "2.1"}, "entries": 1}', JSON_TYPE, "page-api-version"),
        (b'{"meta": {"api-version": "one"}, "files": []}', JSON_TYPE, "page-api-version"),
        (
            b'<meta name="pypi:repository-version" content="2.0"><a href="x.whl">x</a>',
            "text/html",
            "page-api-version",
        ),
        (
            b'{"meta": {"api-version": "1.0"}, "name": "bar", "files": []}',
            JSON_TYPE,
            "page-project",
        ),
    ],
)
def test_what_is_no_page_is_refused(body: bytes, content_type: str, rule: str) -> None:
    """PEP 629 and 691: another major version MUST fail; anything else names URL and project."""
    with pytest.raises(IndexResponseError) as caught:
        parse(body, content_type)
    assert caught.value.rule == rule
    assert caught.value.context == ("foo", SOURCE.url)


def test_the_name_of_a_page_is_compared_normalised() -> None:
    """FOO is foo; a page of another project is none, as above (C46)."""
    assert len(parse(page(entry(), name="FOO")).files) == 1


@pytest.mark.parametrize(
    "filename",
    [
        "%2e%2e",
        "a%2Fb.whl",
        "x" * 256,
        "",
        ".",
        "..",
        "a/b.whl",
        "../b.whl",
        "a\\b.whl",
        "a\nb.whl",
        "a\0.whl",
        "a\x7f",
    ],
)
def test_a_name_that_is_no_file_name_is_left_out_and_told(filename: str) -> None:
    found = parse(page(entry(filename=filename), entry()))
    assert found.files.filenames == [WHEEL]
    assert len(found.warnings) == 1
    assert all(" " <= c <= "~" for c in found.warnings[0])


@pytest.mark.parametrize("href", ["a%252Fb.whl", "a%2Fb.whl", "%2e%2e", "a%00b.whl", "a%5Cb.whl"])
def test_a_link_is_decoded_once_and_never_a_path(href: str) -> None:
    found = parse(f'<a href="{href}">x</a><a href="{WHEEL}">x</a>'.encode(), "text/html")
    assert list(found.files.filenames) == [WHEEL]
    assert len(found.warnings) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"file:///etc/{WHEEL}",
        f"ftp://index.example/{WHEEL}",
        f"data:text/plain,{WHEEL}",
        f"http://index.example/{WHEEL}",
        f"https://index.example:port/{WHEEL}",
        f"https://index.example/a\nb/{WHEEL}",
        f"https://[::1/{WHEEL}",
    ],
)
def test_a_page_can_not_point_to_other_schemes(url: str) -> None:
    """Neither to files of this machine, nor from https to http."""
    found = parse(page(entry(url=url)))
    same = parse(f'<a href="{url}">x</a>'.encode(), "text/html")
    for each in (found, same):
        assert len(each.files) == 0
        assert len(each.warnings) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("foo.whl", "https://index.example/simple/foo/foo.whl"),
        ("/foo.whl", "https://index.example/foo.whl"),
        ("//files.example/foo.whl", "https://files.example/foo.whl"),
        ("https://me:secret@files.example/foo.whl", "https://files.example/foo.whl"),
        ("https://files.example/foo.whl?a=b#sha256=00", "https://files.example/foo.whl?a=b"),
        ("HTTPS://Files.example/foo.whl", "https://Files.example/foo.whl"),
    ],
)
def test_urls_are_made_absolute_without_credentials(url: str, expected: str) -> None:
    assert parse(page(entry(url=url))).files[0].url == expected


def test_a_name_twice_with_one_hash_is_one_file() -> None:
    found = parse(page(entry(), entry()))
    assert len(found.files) == 1


TWICE_IN_JSON = json.dumps(page(entry(), entry(hashes={"sha256": "cd" * 32}))).encode()
TWICE_IN_HTML = "".join(f'<a href="{WHEEL}#sha256={c * 64}">x</a>' for c in "ab").encode()


@pytest.mark.parametrize(
    ("body", "content_type"), [(TWICE_IN_JSON, JSON_TYPE), (TWICE_IN_HTML, "text/html")]
)
def test_a_name_twice_with_two_hashes_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(IndexResponseError) as caught:
        parse(body, content_type)
    assert caught.value.rule == "page-duplicate"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("2024-05-06T07:08:09Z", True),
        ("2024-05-06T07:08:09.1Z", True),
        ("2024-05-06T07:08:09.123456789Z", True),
        ("2024-05-06T07:08:09.123456+02:00", True),
        ("2024-05-06T07:08:09", True),
        ("yesterday", False),
        ("", False),
        ("9999-99-99T00:00:00Z", False),
    ],
)
def test_upload_times_are_aware_or_missing(text: str, known: bool) -> None:
    time = parse(page(entry(**{"upload-time": text}))).files[0].upload_time
    assert (time is not None) is known
    assert time is None or time.tzinfo is not None


@given(st.binary(), st.sampled_from([JSON_TYPE, HTML_TYPE, "text/html", "", "x/y"]))
@example(b"<![\0", HTML_TYPE)
def test_no_bytes_end_in_anything_but_files_or_a_refusal(body: bytes, content_type: str) -> None:
    try:
        found = parse_page(body, content_type, SOURCE)
    except IndexResponseError:
        return
    list(found.files)


@given(st.text(), st.text())
def test_no_file_entry_surprises(filename: str, url: str) -> None:
    """Whatever an entry says, the file is left out or has a plain name and a https URL."""
    try:
        found = parse(page(entry(filename=filename, url=url)))
    except IndexResponseError:
        return
    for file in found.files:
        assert "/" not in file.filename
        assert file.filename not in {"", ".", ".."}
        assert file.url.startswith("https://")
    assert len(found.files) + len(found.warnings) == 1


@given(st.text())
def test_no_link_surprises(href: str) -> None:
    body = f'<a href="{href}">x</a>'.encode("utf-8", "replace")
    for file in parse(body, "text/html").files:
        assert "/" not in file.filename
        assert file.url.startswith("https://")


def test_files_are_a_sequence() -> None:
    files = parse(page(entry(), entry(filename="foo-2.0-py3-none-any.whl"))).files
    assert files[-1] is files[1]
    assert [file.filename for file in files[:1]] == [WHEEL]
    with pytest.raises(IndexError):
        files[2]
