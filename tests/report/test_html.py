"""The page: whole, readable, harmless, and drawn by a real browser."""

from __future__ import annotations

import html
import html.parser
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from crossdeps.pipeline.report import inspect
from crossdeps.report.inspect import html_report
from crossdeps.report.inspect.html_report import render_html
from crossdeps.target.model import Target
from crossdeps.text import human_size
from tests.report.artifacts import Files, directory, project, zipped
from tests.report.png import colours
from tests.support.built_once import unavailable
from tests.support.wheel_factory import make_elf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossdeps.report.inspect.inspection import Inspection

TARGET = Target.runtime("python3.12", arch="x86_64")
STYLE = (Path(html_report.__file__).parent / "templates/report.css").read_text(encoding="ascii")
LIGHT, DARK = (
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{([^}]+)\}", STYLE)
)
GROUNDS = [f"g{number}" for number in range(10)]


def files() -> Files:
    return {
        **project(
            "big", "1.0", {f"big/data/{n}.bin": b"\0" * 90_000 for n in range(10)},
            headers=["License-Expression: MIT"],
        ),
        **project("native", "2.0", {"native/_n.so": make_elf(glibc="2.17") + b"\0" * 200_000}),
        "app.py": "x" * 100_000,
    }  # fmt: skip


def hostile_files(url: str) -> Files:
    """Names that would load something, close something or run something."""
    names = [
        f"<img src={url}img>/a.py",
        f"x/</title></svg><script src={url}script></script>.py",
        f"x/\"'><link rel=stylesheet href={url}css>.py",
        f"x/<style>@import url({url}import)</style>.py",
        f"x/&lt;iframe src={url}frame&gt;.py",
        "x/\u202egnp.exe\n.py",
    ]
    info = "e-1.dist-info/METADATA"
    metadata = f"Name: e<img src={url}name>\nVersion: 1<img src={url}v>\nLicense: <b src={url}l>\n"
    return {**dict.fromkeys(names, "x" * 50_000), info: metadata}


def with_limit(inspection: Inspection, unzipped: int) -> Inspection:
    """*inspection* as if its runtime accepted *unzipped* bytes."""
    return replace(inspection, limits=replace(inspection.limits, unzipped=unzipped))


class Page(html.parser.HTMLParser):
    """The tags of a page, checked to be closed in their order."""

    empty = frozenset({"meta", "rect", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.empty:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_harmless(text: str) -> Page:
    """Nothing in the page loads or runs anything."""
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer",
        "h1", "h2", "p", "b", "span", "div", "dl", "dt", "dd", "svg", "g", "rect", "text",
        "table", "thead", "tbody", "tr", "th", "td", "details", "summary",
    }  # fmt: skip
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not names & {"src", "href", "srcset", "action", "data", "poster", "background"}
    assert not re.search(r"url\(|@import", text[text.index("<style>") : text.index("</style>")])
    return page


def test_the_page_is_whole_and_says_it_in_tables_too(tmp_path: Path) -> None:
    text = render_html(inspect(zipped(tmp_path / "function.zip", files()), TARGET))
    page = check_harmless(text)
    assert text.isascii()
    assert ("html", {"lang": "en"}) in page.tags
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert policy[0] is not None
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'")
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert [drawing["class"] for drawing in drawings] == ["map wide", "map narrow"]
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert "big 900.4 kB, native 201.3 kB" in (drawing["aria-label"] or "")
    for said in ("<title>big/data/0.bin: 90.0 kB</title>", "of 262.1 MB", "own files", ">MIT<"):
        assert said in text


def test_the_page_escapes_whatever_it_shows(tmp_path: Path) -> None:
    """Names of files, folders, projects, versions and licences are anybody's text."""
    artifact = zipped(tmp_path / "a<b>\u202e.zip", hostile_files("http://evil.example/"))
    text = render_html(inspect(artifact))
    check_harmless(text)
    assert "\\u202egnp.exe\\n.py" in text
    assert "&lt;script src=http:/evil.example/script&gt;" in text


def test_the_same_artifact_gives_the_same_bytes(tmp_path: Path) -> None:
    """Its folder and the order of the files don't matter, and no time is in it."""
    pages = []
    for name, order in (("one", list), ("two", reversed)):
        folder = tmp_path / name
        folder.mkdir()
        ordered = dict(order(list(files().items())))
        pages.append(render_html(inspect(directory(folder / "package", ordered), TARGET)))
    assert pages[0] == pages[1]


def test_an_artifact_over_the_limit_says_so(tmp_path: Path) -> None:
    found = inspect(directory(tmp_path / "package", files()))
    text = render_html(found)
    assert "over the limit" not in text
    assert '<div class="limit">' in text
    text = render_html(with_limit(found, 1_000_000))
    assert f"over the limit by {human_size(found.size - 1_000_000)}" in text
    assert '<div class="limit over">' in text
    assert f'class="excess" style="left:{100 * 1_000_000 / found.size:.2f}%"' in text


def test_an_empty_artifact_has_a_page(tmp_path: Path) -> None:
    text = render_html(inspect(directory(tmp_path / "empty", {})))
    check_harmless(text)
    assert "The artifact is empty." in text


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(text: str, ground: str) -> float:
    """Contrast ratio (WCAG 2.2)."""
    darker, lighter = sorted((luminance(text), luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (colours["text"], colours[ground])
        for colours in (LIGHT, DARK)
        for ground in (*GROUNDS, "page")
    ],
)
def test_text_can_be_read_on_every_ground(text: str, ground: str) -> None:
    """A contrast of 7 or more (WCAG 2.2, level AAA)."""
    assert contrast(text, ground) >= 7


@pytest.mark.parametrize("name", ["quiet", "warning"])
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_quiet_text_and_warnings_can_be_read(palette: dict[str, str], name: str) -> None:
    """A contrast of 4.5 or more (WCAG 2.2, level AA)."""
    assert contrast(palette[name], palette["page"]) >= 4.5


class Listener(http.server.BaseHTTPRequestHandler):
    """Answers nothing, and writes down who asked."""

    asked: list[str]

    def do_GET(self) -> None:
        """Note the path."""
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server on loopback: its URL, and the paths that it was asked for."""
    asked: list[str] = []
    handler = type("Handler", (Listener,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()
        thread.join()


NO_SCRIPTS = json.dumps({"profile": {"default_content_setting_values": {"javascript": 2}}})


def screenshot(page: Path, folder: Path, *flags: str, preferences: str = "{}") -> bytes:
    """*page* as Chromium draws it.

    :param preferences: of a fresh profile, in Chromium's own JSON
    """
    picture = folder / "page.png"
    picture.unlink(missing_ok=True)
    browse(page, folder, f"--screenshot={picture}", *flags, preferences=preferences)
    return picture.read_bytes()


def browse(page: Path, folder: Path, *flags: str, preferences: str = "{}") -> str:
    """Open *page* in Chromium with a fresh profile; what it writes to standard output."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        unavailable("chromium isn't installed")
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    (profile / "Default").mkdir(parents=True)
    (profile / "Default/Preferences").write_text(preferences)
    done = subprocess.run(
        [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--run-all-compositor-stages-before-draw",
            f"--user-data-dir={profile}",
            "--window-size=1000,900", *flags, page.as_uri(),
        ],
        check=True, capture_output=True, encoding="utf-8", timeout=100,
    )  # fmt: skip
    return done.stdout


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@pytest.mark.browser
@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("flags", "palette"),
    [((), LIGHT), (("--blink-settings=preferredColorScheme=0",), DARK)],
    ids=["light", "dark"],
)
def test_a_browser_draws_the_page(
    tmp_path: Path, flags: tuple[str, ...], palette: dict[str, str]
) -> None:
    """Each project has its share of the map; no script is needed, and dark is dark."""
    page = tmp_path / "page.html"
    found = inspect(zipped(tmp_path / "function.zip", files()), TARGET)
    page.write_text(render_html(found), encoding="ascii")
    seen = colours(screenshot(page, tmp_path, *flags, preferences=NO_SCRIPTS))
    page_colour = rgb(palette["page"])
    assert seen.most_common(2)[0][0] in {page_colour, rgb(palette["g0"])}
    assert seen[page_colour] > 100_000
    big, native, own = (seen[rgb(palette[ground])] for ground in GROUNDS[:3])
    assert big > 150_000
    assert 2.5 < big / native < 6.5  # 900 kB and 200 kB, less what labels and gaps take
    assert 1.2 < native / own < 3.0  # 200 kB and 100 kB


def measure(text: str, folder: Path, width: int, script: str) -> Any:  # noqa: ANN401 - JSON
    """Open a page with all its details open in a window of *width*; what *script* evaluates to."""
    without_policy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    added = (
        "<script>for (const d of document.querySelectorAll('details')) d.open = true;"
        f"document.title = JSON.stringify({script})</script></body>"
    )
    page = folder / "measured.html"
    page.write_text(without_policy.replace("</body>", added), encoding="ascii")
    drawn = browse(page, folder, "--dump-dom", f"--window-size={width},900")
    (title,) = re.findall(r"<title>([^<]*)</title>", drawn[: drawn.index("<body>")])
    return json.loads(html.unescape(title))


MEASURES = """(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const right = Math.max(...all("main, main *").map(e => e.getBoundingClientRect().right));
  const scrolled = document.documentElement.scrollWidth;
  all("details").forEach(each => each.open = false);
  const rows = all(".projects tbody tr").map(row => row.getBoundingClientRect().height);
  return {inner: innerWidth, scrolled, right, rows};
})()"""
LONG_LICENCE = " ".join(["A licence with many words"] * 200)


@pytest.fixture(scope="module", params=[600, 1280])
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - JSON
    """A page of long names, versions, paths and licences, with and without spaces."""
    folder = tmp_path_factory.mktemp("measured")
    path = f"{'f' * 200}/{'g' * 200}.py"
    contents = {
        **files(),
        **project("n" * 60, "1.0+" + "v" * 30, {path: "x" * 90_000},
                  headers=[f"License-Expression: {'L' * 3000}"]),
        **project("wordy", "1", {"wordy.py": "x"}, headers=[f"License-Expression: {LONG_LICENCE}"]),
    }  # fmt: skip
    text = render_html(inspect(zipped(folder / f"{'a' * 200}.zip", contents), TARGET))
    assert "L" * 3000 in text
    assert LONG_LICENCE in text
    found = measure(text, folder, request.param, MEASURES)
    assert found["inner"] == request.param
    return found


@pytest.mark.browser
@pytest.mark.subprocess
def test_nothing_lies_beyond_the_edge_of_the_window(measured: dict[str, Any]) -> None:
    """With every folder and every licence opened."""
    assert measured["scrolled"] <= measured["inner"]
    assert measured["right"] <= measured["inner"]


@pytest.mark.browser
@pytest.mark.subprocess
def test_a_long_licence_hides_no_row(measured: dict[str, Any]) -> None:
    """All five are there, none higher than a few lines: the rest of a licence opens on demand."""
    assert len(measured["rows"]) == 5
    assert all(20 < height < 300 for height in measured["rows"])


@pytest.mark.browser
@pytest.mark.subprocess
def test_a_bar_over_its_limit_looks_different(tmp_path: Path) -> None:
    """The limit is where it lies on the bar, and what exceeds it is struck through."""
    found = inspect(directory(tmp_path / "package", files()), TARGET)
    page = tmp_path / "page.html"
    warning = rgb(LIGHT["warning"])
    page.write_text(render_html(found), encoding="ascii")
    assert colours(screenshot(page, tmp_path))[warning] == 0
    over = render_html(with_limit(found, int(found.size / 1.45)))
    page.write_text(over, encoding="ascii")
    assert colours(screenshot(page, tmp_path))[warning] > 3000
    script = (
        "['.bar', '.excess'].map(s => document.querySelector(s).getBoundingClientRect())"
        ".map(r => [r.left, r.right])"
    )
    bar, excess = measure(over, tmp_path, 600, script)
    assert excess[1] == pytest.approx(bar[1], abs=3)
    assert (excess[0] - bar[0]) / (bar[1] - bar[0]) == pytest.approx(1 / 1.45, abs=0.01)


@pytest.mark.browser
@pytest.mark.subprocess
def test_the_browser_of_these_tests_runs_no_scripts(tmp_path: Path) -> None:
    """Otherwise the test above would say little."""
    page = tmp_path / "page.html"
    script = '<script>document.body.style.background = "#ff0000"</script>'
    page.write_text(f'<!doctype html><body style="background: #0000ff">{script}')
    blue, red = rgb("#0000ff"), rgb("#ff0000")
    assert set(colours(screenshot(page, tmp_path, preferences=NO_SCRIPTS))) == {blue}
    assert set(colours(screenshot(page, tmp_path))) == {red}


@pytest.mark.browser
@pytest.mark.subprocess
def test_a_browser_asks_nobody_for_anything(
    tmp_path: Path, listener: tuple[str, list[str]]
) -> None:
    """Not even where names of files try to make it: nothing reaches the server that they name."""
    url, asked = listener
    page = tmp_path / "page.html"
    found = inspect(zipped(tmp_path / "function.zip", hostile_files(url)))
    page.write_text(render_html(found), encoding="ascii")
    seen = colours(screenshot(page, tmp_path))
    assert seen[rgb(LIGHT["g0"])] > 10_000
    assert asked == []
