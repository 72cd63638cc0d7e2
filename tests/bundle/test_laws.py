"""Laws of bundles, for any wheels."""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from crossdeps.bundle.model import Layout
from crossdeps.bundle.plan import plan_bundle
from crossdeps.bundle.read import read_bundle
from crossdeps.bundle.write import write_directory, write_zip
from crossdeps.target.model import Target
from tests.bundle.conftest import wheel_in

if TYPE_CHECKING:
    from crossdeps.bundle.model import Bundle
    from crossdeps.wheels.model import Wheel

TARGET = Target(python="3.12", arch="x86_64")
FILES = st.dictionaries(
    st.sampled_from(["{0}/__init__.py", "{0}/é.txt", "{0}/sub/x.bin", "ns/{0}.py",
    "ns/__init__.py"]),
    st.binary(max_size=200).map(lambda data: data * 20),
    max_size=5,
)  # fmt: skip
PROJECTS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), FILES, max_size=4)
LAYOUTS = st.builds(
    lambda **fields: Layout(**fields),  # noqa: PLW0108 - hypothesis reads annotations of classes
    kind=st.sampled_from(["directory", "zip"]),
    prefix=st.sampled_from(["", "python/"]),
    scripts=st.booleans(),
)


def wheels_of(projects: dict[str, dict[str, bytes]], folder: Path) -> list[Wheel]:
    return [
        wheel_in(
            folder,
            name,
            files={
                path.format(name): data if "ns/__init__" not in path else b""
                for path, data in files.items()
            },
            entry_points={"console_scripts": {f"run-{name}": f"{name}:main"}},
        )
        for name, files in projects.items()
    ]


def facts(bundle: Bundle) -> list[tuple[object, ...]]:
    return [(e.path, e.mode, e.size, e.sha256, e.owner) for e in bundle.entries]


@settings(max_examples=40, deadline=None)
@given(projects=PROJECTS, layout=LAYOUTS, random=st.randoms(use_true_random=False))
def test_a_plan_written_and_read_is_the_plan(
    projects: dict[str, dict[str, bytes]], layout: Layout, random: object
) -> None:
    """As a zip and as a directory; and the order of wheels never matters."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = wheels_of(projects, folder)
        bundle = plan_bundle(wheels, TARGET, layout)
        random.shuffle(wheels)  # type: ignore[attr-defined]
        assert plan_bundle(wheels, TARGET, layout) == bundle
        assert [entry.path for entry in bundle.entries] == sorted(
            {entry.path for entry in bundle.entries}
        )
        write_directory(bundle, folder / "out")
        written = write_zip(bundle, folder / "out.zip")
        assert facts(read_bundle(folder / "out")) == facts(bundle)
        read = read_bundle(folder / "out.zip")
        assert facts(read) == facts(bundle)
        assert read.projects == bundle.projects
        with zipfile.ZipFile(folder / "out.zip") as archive:
            for entry in bundle.entries:
                assert archive.read(entry.path) == (folder / "out" / entry.path).read_bytes()
        again = write_zip(plan_bundle(wheels, TARGET, layout), folder / "again.zip")
        assert again.sha256 == written.sha256


def test_time_and_umask_never_change_a_zip(tmp_path: Path) -> None:
    wheels = wheels_of({"a": {"{0}/__init__.py": b"x"}}, tmp_path)
    (tmp_path / "app.py").write_text("")
    seen = set()
    for number, (zone, mask) in enumerate([("UTC", 0o077), ("Asia/Kathmandu", 0o000)]):
        before = os.umask(mask)
        zone_before = os.environ.get("TZ")
        os.environ["TZ"] = zone
        time.tzset()
        os.utime(tmp_path / "app.py", (number * 10**9, number * 10**9))
        try:
            layout = Layout(kind="zip", sources=(tmp_path / "app.py",))
            bundle = plan_bundle(wheels, TARGET, layout)
            seen.add(write_zip(bundle, tmp_path / f"{number}.zip").sha256)
        finally:
            os.umask(before)
            if zone_before is None:
                del os.environ["TZ"]
            else:
                os.environ["TZ"] = zone_before
            time.tzset()
    assert len(seen) == 1
