"""Pages as columns: they say what the page says, and are made again when they are damaged."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from crossdeps.errors import IndexResponseError
from crossdeps.index.model import ProjectFile
from crossdeps.index.pages import columns as columns_module
from crossdeps.index.pages import html_page
from crossdeps.index.pages.columns import (
    Columns,
    decode_columns,
    encode_columns,
    join_pages,
    open_page,
)
from crossdeps.index.pages.index_page import parse_columns
from crossdeps.index.pages.local_pages import Listing
from crossdeps.index.pages.project_files import (
    PageSource,
    find_filename_problem,
    read_upload_time,
    resolve_url,
    resolve_urls,
    url_filename,
)
from tests.support.growth import LINEAR, growth
from tests.support.index_pages import HTML_TYPE, JSON_TYPE, parse_page
from tests.support.wheel_factory import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crossdeps.index.client import IndexClient
    from tests.support.index_server import IndexServer

    OpenClient = Callable[..., IndexClient]

FOO = canonicalize_name("foo")
BASES = [
    "https://index.example/simple/foo/",
    "http://index.example:8080/root/pypi/+simple/foo",
    "https://index.example/a;b/simple/foo/?x=1",
    "file:///srv/simple/foo/",
    "https://index.example",
]

_part = st.sampled_from(
    [
        *("a", "foo-1.0.whl", "..", ".", "", "%2e%2e", ".hidden", "a:b", "a;b", "a?b", "@x", "+f"),
        *("a b", "a\tb", "é", "a%2Fb", "packages", "[", "\\", "x=1&y", "~me", "\x7f"),
    ]
)
_lead = st.sampled_from(
    [
        *("", "./", "../", "../../", "/", "//files.example/", "https://files.example/", "http:"),
        *("http://files.example:80/", "https://me:secret@files.example/", "file:///", "ftp://x/"),
        *("https://files.example:port/", "HTTPS://files.example/", "https:///", "?x", "#x", " "),
    ]
)
_fragment = st.sampled_from(["", "", "", "#", f"#sha256={'ab' * 32}", "#md5=00&x", "#a b", "#é"])


@st.composite
def _references(draw: st.DrawFn) -> list[str]:
    """References of one page: alike, as most pages have them, or of all kinds."""
    one_lead = draw(st.one_of(st.none(), _lead))
    plain = st.sampled_from(["packages/a/foo-1.0.whl", "foo-2.0.tar.gz", "b/c/foo-3.0_1-py3.whl"])
    path = plain if draw(st.booleans()) else st.lists(_part, max_size=4).map("/".join)
    reference = st.tuples(st.just(one_lead) if one_lead is not None else _lead, path, _fragment)
    return draw(st.lists(reference.map("".join), max_size=5))


@given(_references(), st.sampled_from(BASES))
def test_references_are_resolved_together_as_one_by_one(references: list[str], base: str) -> None:
    resolved = resolve_urls(references, base)
    for position, reference in enumerate(references):
        expected = _resolve_one(reference, base)
        fragment = resolved.fragments[position] if resolved.fragments else ""
        found = resolved.problems.get(position) or (resolved.urls[position], fragment)
        assert found == expected
        if resolved.plain:
            assert url_filename(found[0]) == found[0].rpartition("/")[2]


def _resolve_one(reference: str, base: str) -> tuple[str, str] | str:
    try:
        return resolve_url(reference, base)
    except ValueError as error:
        return str(error)


_hashes = st.dictionaries(st.sampled_from(["sha256", "SHA256", "md5", "blake2b"]), st.text("aBc1"))
_name = st.one_of(
    st.sampled_from(["foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz", "../x", "", "é.whl", "a%b"]),
    st.from_regex(r"foo-[0-9]\.[0-9]-py3-none-any\.whl", fullmatch=True),
)
_entry = st.fixed_dictionaries(
    {"filename": _name},
    optional={
        "hashes": _hashes,
        "requires-python": st.one_of(st.none(), st.text(), st.just(">=3.8")),
        "size": st.one_of(st.none(), st.integers(0, 2**65)),
        "upload-time": st.one_of(st.none(), st.text(), st.just("2024-05-06T07:08:09.000123Z")),
        "yanked": st.one_of(st.booleans(), st.none(), st.text()),
        "core-metadata": st.one_of(st.none(), st.booleans(), _hashes),
        "dist-info-metadata": st.one_of(st.none(), st.booleans(), _hashes),
        "data-dist-info-metadata": st.one_of(st.none(), st.booleans(), _hashes),
    },
)


def _lower(hashes: dict[str, str]) -> dict[str, str]:
    return {name.lower(): digest.lower() for name, digest in hashes.items()}


def _read_entry(entry: dict[str, Any], base: str) -> ProjectFile | None:
    """What an entry of a JSON page says, one by one (PEP 691, PEP 700, PEP 714)."""
    if find_filename_problem(entry["filename"]) is not None:
        return None
    try:
        url, _ = resolve_url(entry["url"], base)
    except ValueError:
        return None
    keys = ("core-metadata", "dist-info-metadata", "data-dist-info-metadata")
    metadata = next((entry[key] for key in keys if entry.get(key) is not None), None)
    yanked = entry.get("yanked")
    return ProjectFile(
        filename=entry["filename"],
        url=url,
        hashes=_lower(entry.get("hashes", {})),
        size=entry.get("size"),
        requires_python=entry.get("requires-python") or None,
        upload_time=read_upload_time(entry.get("upload-time")),
        yanked=yanked if isinstance(yanked, str) else ("" if yanked else None),
        metadata_hashes=_lower(metadata)
        if isinstance(metadata, dict)
        else ({} if metadata else None),
        index="https://index.example/simple/",
    )


@given(
    st.lists(_entry, max_size=5, unique_by=lambda entry: str(entry["filename"])),
    _references(),
    st.sampled_from(BASES[:3]),
)
def test_a_page_says_the_same_as_its_entries_one_by_one(
    entries: list[dict[str, Any]], references: list[str], base: str
) -> None:
    """Absolute and relative URLs, odd names and any field; before and after they were kept."""
    pages = [
        {**entry, "url": reference} for entry, reference in zip(entries, references, strict=False)
    ]
    expected = [file for entry in pages if (file := _read_entry(entry, base)) is not None]
    body = json.dumps({"meta": {"api-version": "1.1"}, "files": pages}).encode()
    source = PageSource(url=base, index="https://index.example/simple/", project="foo")
    try:
        columns = parse_columns(body, JSON_TYPE, source)
    except IndexResponseError:  # half a surrogate pair
        return
    assert list(open_page(columns, source.index).files) == expected
    assert len(columns.warnings) == len(pages) - len(expected)
    encoded = encode_columns(columns)
    if encoded is not None:
        assert decode_columns(encoded) == columns
        assert encode_columns(decode_columns(encoded)) == encoded  # type: ignore[arg-type]
    else:
        assert any((entry.get("size") or 0) >= 2**64 for entry in pages)


_attribute = st.sampled_from(
    [
        *(
            ' data-requires-python="&gt;=3.8"',
            ' data-requires-python="&gt;=3,&lt;4"',
            " data-yanked",
        ),
        *(' data-yanked="broken &amp; &quot;bad&quot;"', ' data-core-metadata="sha256=ab"'),
        *(" rel='internal'", ' data-yanked="&copy=1"', ' Data-Yanked="x"', ' href="other"', "  "),
        *(' data-upload-time="2024-05-06T07:08:09Z"', ' data-yanked="a\nb"', " data-yanked=x"),
        ' data-dist-info-metadata="true"',
    ]
)
_between = st.sampled_from(
    [
        *("\n", "<br/>\n", "<br />", "<li>", "<!-- <a href='no.whl'>no</a> -->", "text &amp; more"),
        *(
            "<script>'<a href=\"no.whl\">'</script>",
            "<base href='/b/'>",
            "<",
            "<!-- open",
            " 1 kB\n",
        ),
        *("<title>&lt;a&gt;</title>", "<style>", "</body>"),
    ]
)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    pieces = [draw(st.sampled_from(["", "<!DOCTYPE html>\n<html><body>\n", "<!-- ", "<script>"]))]
    usual = draw(st.booleans())
    for _ in range(draw(st.integers(0, 6))):
        href = draw(_references().filter(bool))[0]
        attributes = "" if usual else "".join(draw(st.lists(_attribute, max_size=3)))
        text = draw(st.sampled_from(["foo", "", "f &amp; g", "<b>foo</b>"] if not usual else ["f"]))
        pieces.append(f'<a href="{html.escape(href)}"{attributes}>{text}</a>')
        pieces.append("<br />\n" if usual else draw(_between))
    return "".join(pieces)


@given(_documents())
def test_a_run_of_usual_anchors_is_read_as_the_parser_reads_it(document: str) -> None:
    parser = html_page._PageParser()
    parser.feed(document)
    parser.close()
    read = html_page._read_document(document)
    assert (read.anchors, read.base, read.version) == (parser.anchors, parser.base, parser.version)


def test_usual_pages_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyPI, devpi, Nexus and pypiserver write them: only what is around the anchors."""
    fed: list[str] = []
    monkeypatch.setattr(html_page._PageParser, "feed", lambda _self, text: fed.append(text))
    pages = [
        '<a href="{}" data-requires-python="&gt;=3" data-core-metadata="sha256=ab" >x</a><br />\n',
        '    <a href="../../+f/1/2/{}">x</a><br>\n',
        '<a href="../../packages/x/1.0/{}" rel="internal">x</a><br/>\n',
        '<a href="/packages/{}">x</a>\n',
    ]
    for line in pages:
        html_page._read_document("<html>" + "".join(line.format(i) for i in range(50)) + "</html>")
    assert fed == ["<html>", "</html>", "<html>    ", "</html>", *(["<html>", "</html>"] * 2)]


def _json(count: int, url: str) -> bytes:
    names = [f"foo-1.{i}-cp312-cp312-manylinux_2_17_x86_64.whl" for i in range(count)]
    files = [{"filename": name, "url": url + name, "hashes": {}} for name in names]
    return json.dumps({"meta": {"api-version": "1.1"}, "files": files}).encode()


def _html(count: int, url: str) -> bytes:
    names = [f"foo-1.{i}-cp312-cp312-manylinux_2_17_x86_64.whl" for i in range(count)]
    return "".join(f'<a href="{url}{name}">{name}</a><br />\n' for name in names).encode()


@pytest.mark.parametrize("url", ["https://files.example/a/", "../../a/", "../a/./", "?x=1&name="])
@pytest.mark.parametrize("form", [_json, _html])
def test_the_work_grows_with_the_files(form: Callable[[int, str], bytes], url: str) -> None:
    source = PageSource(url=BASES[0], index="i", project="foo")
    content_type = JSON_TYPE if form is _json else HTML_TYPE

    def work(body: bytes) -> None:
        columns = parse_columns(body, content_type, source)
        decode_columns(encode_columns(columns) or b"")

    assert growth(work, lambda count: form(count, url), 4000) < LINEAR


def test_columns_of_different_lengths_are_none() -> None:
    source = PageSource(url=BASES[0], index="i", project="foo")
    columns = parse_columns(_json(2, ""), JSON_TYPE, source)
    for name in columns.__struct_fields__:
        value = getattr(columns, name)
        if isinstance(value, list) and name != "warnings":
            damaged = Columns(
                **{
                    **{each: getattr(columns, each) for each in columns.__struct_fields__},
                    name: value[:1],
                }
            )
            assert decode_columns(encode_columns(damaged) or b"") is None
    assert decode_columns(b"") is None
    assert decode_columns(b"\x90") is None


def test_columns_that_cannot_be_encoded_are_not_kept(
    plain_index: IndexServer,
    open_client: OpenClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain_index.add(make_wheel("foo", "1.0"))
    monkeypatch.setattr("crossdeps.index.pages.page_fetcher.encode_columns", lambda _columns: None)
    client = open_client(plain_index.url, cache=tmp_path / "c")
    assert len(client.page(FOO).files) == 1
    assert client.page(FOO).digest == ""
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_joined_pages_have_a_digest_if_each_has() -> None:
    source = PageSource(url=BASES[0], index="i", project="foo")
    page = parse_page(_json(2, ""), JSON_TYPE, source)
    assert join_pages([page]) is page
    known = [columns_module.ParsedPage(files=page.files, digest=digest) for digest in ("a", "b")]
    assert join_pages(known).digest == "a+b"
    assert join_pages([*known, page]).digest == ""
    assert join_pages([]).digest == ""
    assert [file.filename for file in join_pages(known).files] == [
        *page.files.filenames,
        *page.files.filenames,
    ]


def test_a_listing_of_many_projects() -> None:
    names = ["A_b-1.0-py3-none-any.whl", "a-1.0.tar.gz", "a.b-1.0.tar.gz", "notes.txt", "a-2.zip"]
    links = "".join(f'<a href="{name}">x</a>' for name in names).encode()
    source = PageSource(url=BASES[0], index="i", project="")
    listing = Listing.of_page(parse_page(links, HTML_TYPE, source))

    def select(project: str) -> list[str]:
        return list(listing.select(canonicalize_name(project)).files.filenames)

    assert select("a-b") == ["A_b-1.0-py3-none-any.whl", "a.b-1.0.tar.gz"]
    assert select("a") == ["a-1.0.tar.gz", "a.b-1.0.tar.gz", "a-2.zip"]
    assert select("notes") == []
    assert [file.filename for file in listing.select(canonicalize_name("a-b")).files] == select(
        "a-b"
    )


def _damage(data: bytes, how: str) -> bytes:
    head = len(b"crossdeps-index-3\n") + 32 + 4
    size = int.from_bytes(data[head - 4 : head], "big")
    columns = data[head + size :]
    return {
        "emptied": b"",
        "cut": data[:-1],
        "head only": data[: head + size],
        "flipped": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        "flipped head": data[:head] + bytes([data[head] ^ 1]) + data[head + 1 :],
        "other version": re.sub(rb"index-\d", b"index-0", data),
        "old columns": data[: head + size] + columns[1:],
        "longer": data + b"x",
    }[how]


DAMAGES = [
    *("emptied", "cut", "head only", "flipped", "flipped head", "other version", "old columns"),
    "longer",
]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("fresh", [True, False])
def test_damage_of_a_kept_page_changes_nothing(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path, how: str, fresh: bool
) -> None:
    if not fresh:
        pypi_like_index.configure(cache_control=None)
    pypi_like_index.add(make_wheel("foo", "1.0"))
    expected = list(open_client(pypi_like_index.url, cache=tmp_path / "c").page(FOO).files)
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    intact = path.read_bytes()
    path.write_bytes(_damage(intact, how))
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    assert list(client.page(FOO).files) == expected
    later = open_client(pypi_like_index.url, cache=tmp_path / "c", offline=True)
    assert list(later.page(FOO).files) == expected
    assert client.page_states[0].digest == later.page_states[0].digest


def test_a_page_in_the_place_of_another_is_not_used(
    pypi_like_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    bar = canonicalize_name("bar")
    pypi_like_index.add(make_wheel("foo", "1.0"))
    pypi_like_index.add(make_wheel("bar", "1.0"))
    client = open_client(pypi_like_index.url, cache=tmp_path / "c")
    client.page(FOO)
    [foo_path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    client.page(bar)
    [bar_path] = [path for path in tmp_path.rglob("*") if path.is_file() and path != foo_path]
    bar_path.write_bytes(foo_path.read_bytes())
    later = open_client(pypi_like_index.url, cache=tmp_path / "c")
    assert [file.filename for file in later.page(bar).files] == ["bar-1.0-py3-none-any.whl"]


def test_a_find_links_page_and_an_index_page_of_one_url_are_kept_apart(
    plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """The page of a project is checked to be its own, a page of many projects is not."""
    plain_index.configure(cache_control="max-age=600")
    plain_index.add(make_wheel("foo", "1.0"))
    url = f"{plain_index.url.rstrip('/')}/foo/"
    for _ in range(2):
        index = open_client(plain_index.url, cache=tmp_path / "c")
        links = open_client(links=(url,), cache=tmp_path / "c")
        assert len(index.page(FOO).files) == len(links.page(FOO).files) == 1
    assert len(plain_index.requests) == 2


def test_a_page_of_many_projects_is_fetched_and_read_once(
    plain_index: IndexServer, open_client: OpenClient
) -> None:
    plain_index.add(make_wheel("foo", "1.0"))
    url = f"{plain_index.url.rstrip('/')}/foo/"
    client = open_client(links=(url,))
    for name in ("foo", "bar", "baz"):
        client.page(canonicalize_name(name))
    assert len(plain_index.requests) == 1
    assert {state.digest for state in client.page_states} == {""}


def test_an_absent_page_is_kept_as_long_as_the_index_says(
    pypi_like_index: IndexServer, plain_index: IndexServer, open_client: OpenClient, tmp_path: Path
) -> None:
    """Without max-age it is asked for in each run, so that a new project is found at once."""
    pypi_like_index.configure(absent_cache_control="max-age=60")
    for index, requests in ((pypi_like_index, 1), (plain_index, 2)):
        for _ in range(2):
            client = open_client(index.url, cache=tmp_path / "c")
            assert client.page(FOO).found_on == ()
            assert [state.kind for state in client.page_states] == ["absent"]
        assert len(index.requests) == requests
    offline = open_client(pypi_like_index.url, cache=tmp_path / "c", offline=True)
    assert offline.page(FOO).found_on == ()
