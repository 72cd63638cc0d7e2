"""An inspection as one HTML page without scripts or external resources.

Names of files, projects and licences in an artifact can contain anything. The template escapes all
of them, and the page's own Content-Security-Policy (level 3) forbids everything but its style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
import markupsafe
import msgspec

from crossdeps.report.diff.snapshot import OWN_FILES_LABEL
from crossdeps.report.inspect.inspection import Folder, group_by_folder
from crossdeps.report.inspect.inspection_text import describe_binaries
from crossdeps.report.inspect.size_map import Rectangle, build_size_tree, lay_out_map
from crossdeps.text import human_size, printable
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle.model import Entry
    from crossdeps.report.inspect.inspection import Inspection, ProjectShare

MAP_SIZES = {"wide": (1200, 680), "narrow": (560, 720)}
"""Width and height of the map, for wide and for narrow windows."""
COLOURS = 10
"""How many colours the style sheet has for projects: the classes ``c0`` to ``c9``."""
_MOST_FOLDERS = 100
_MOST_FILES = 25
_SMALLEST_SEGMENT = 0.1  # percent


class LimitBar(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used.

    :param used: bytes; likewise *limit*
    :param segments: class and width of each part of the bar, in percent of the whole bar, which
        ends at the limit or, where more is used, at what is used
    """

    label: str
    used: int
    limit: int
    segments: tuple[tuple[str, float], ...]

    @property
    def limit_position(self) -> float:
        """Where the limit lies on a bar that exceeds it, in percent."""
        return 100 * self.limit / self.used


def render_html(inspection: Inspection) -> str:
    """Render the page in ASCII: the same artifact gives the same bytes, in any encoding."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["size"] = human_size
    environment.filters["percent"] = _format_percent
    nodes = build_size_tree(inspection)
    page = environment.get_template("report.html.jinja").render(
        inspection=inspection,
        colours=COLOURS,
        own_files=OWN_FILES_LABEL,
        bars=_build_bars(inspection),
        maps=[
            (
                kind,
                width,
                height,
                lay_out_map(nodes, Rectangle(x=0, y=0, width=width, height=height)),
            )
            for kind, (width, height) in MAP_SIZES.items()
        ],
        folders=[(share, *_list_folders(share, inspection.prefix)) for share in inspection.shares],
        files=_find_largest_files(inspection),
        describe_binaries=describe_binaries,
        version=__version__,
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _finalize(value: Any) -> Any:  # noqa: ANN401 - whatever an expression of the template gives
    """Escape characters that cannot be seen in text that the template inserts."""
    is_text = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
    return printable(value) if is_text else value


def _format_percent(part: float, whole: float, digits: int = 1) -> str:
    return f"{100 * part / whole:.{digits}f}%" if whole else ""


def _build_bars(inspection: Inspection) -> list[LimitBar]:
    """One bar for each limit; that of the unzipped size is divided by project."""
    limits, owner = inspection.limits, inspection.limits_of
    parts = [(f"c{n % COLOURS}", share.size) for n, share in enumerate(inspection.shares)]
    bars = [_build_bar(f"unzipped, {owner}", limits.unzipped, inspection.size, parts)]
    if inspection.compressed is not None:
        label = f"direct upload, {owner}; larger zips are uploaded through S3"
        zipped = inspection.compressed
        bars.append(_build_bar(label, limits.direct_upload, zipped, [("total", zipped)]))
    return bars


def _build_bar(label: str, limit: int, used: int, parts: Iterable[tuple[str, int]]) -> LimitBar:
    widths = [(kind, 100 * size / max(used, limit)) for kind, size in parts]
    segments = tuple(segment for segment in widths if segment[1] >= _SMALLEST_SEGMENT)
    return LimitBar(label=label, used=used, limit=limit, segments=segments)


def _list_folders(share: ProjectShare, prefix: str) -> tuple[tuple[Folder, ...], Folder | None]:
    """The largest folders of a project, and all others as one; None where there are no others."""
    folders = group_by_folder(share.entries, prefix)
    shown, rest = folders[:_MOST_FOLDERS], folders[_MOST_FOLDERS:]
    if not rest:
        return shown, None
    size, files = sum(folder.size for folder in rest), sum(folder.files for folder in rest)
    return shown, Folder(path=f"{len(rest):,} smaller folders", size=size, files=files)


def _find_largest_files(inspection: Inspection) -> list[tuple[Entry, ProjectShare]]:
    files = [(entry, share) for share in inspection.shares for entry in share.entries]
    return sorted(files, key=lambda file: (-file[0].size, file[0].path))[:_MOST_FILES]
