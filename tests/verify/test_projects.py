"""Rules on the metadata of projects: tags, Requires-Python, requirements, RECORD."""

from __future__ import annotations

import pytest

from crossdeps.finding import Finding
from crossdeps.target.model import Target
from crossdeps.verify.registry import verify
from tests.support.binary_factory import make_elf
from tests.support.wheel_factory import record_hash
from tests.verify.bundles import FakeProject, make_bundle

PY39 = Target.runtime("python3.9", arch="x86_64")
PLAIN = Target(python="3.9", arch="x86_64")
CORE = {"demo/_core.abi3.so": make_elf()}


def found(
    *projects: FakeProject, target: Target = PLAIN, expected_missing: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    return verify(make_bundle(*projects), target, expected_missing=expected_missing)


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings]


@pytest.mark.parametrize(
    ("tags", "files", "rules"),
    [
        ((), {}, []),
        (("py3-none-any",), {}, []),
        (("cp39-abi3-manylinux2014_x86_64", "cp39-abi3-manylinux_2_17_x86_64"), CORE, []),
        (("cp37-abi3-manylinux1_x86_64",), CORE, []),
        # built on this very machine, or tagged for a newer one than it needs
        (("cp39-cp39-linux_x86_64",), CORE, ["wheel-tag"]),
        (("cp39-abi3-manylinux_2_28_x86_64",), CORE, ["wheel-tag"]),
        (("cp39-abi3-manylinux2014_aarch64",), CORE, ["wheel-tag"]),
        # another Python, or nothing in it that fits
        (("cp312-abi3-manylinux2014_x86_64",), CORE, ["wrong-wheel"]),
        (("py2-none-any",), {}, ["wrong-wheel"]),
        (("cp311-none-any",), {}, ["wrong-wheel"]),
        (("py3-none-macosx_11_0_arm64",), {"demo/a.dylib": b""}, ["wrong-wheel"]),
        (("nonsense",), {}, []),
    ],
)
def test_wheel_tags(tags: tuple[str, ...], files: dict[str, bytes], rules: list[str]) -> None:
    assert ids(found(FakeProject("demo", files=files, tags=tags))) == rules


def test_a_wrong_tag_is_not_reported_besides_its_binaries() -> None:
    files = {"demo/_core.abi3.so": make_elf(glibc="2.28")}
    project = FakeProject("demo", files=files, tags=("cp39-abi3-manylinux_2_28_x86_64",))
    assert ids(found(project)) == ["glibc-too-old"]


def test_a_wrong_tag_names_its_project() -> None:
    (finding,) = found(FakeProject("demo", tags=("cp38-cp38-win_amd64",)), FakeProject("other"))
    assert finding == Finding(
        rule="wrong-wheel",
        severity="error",
        path="demo-1.0.dist-info",
        owner="demo",
        message="demo 1.0 comes from a wheel for cp38-cp38-win_amd64;"
        " the target is CPython 3.9.25, x86_64, glibc 2.17",
        hint="build for the target: crossdeps build --python 3.9.25 --arch x86_64"
        " --platform manylinux_2_17_x86_64",
    )


@pytest.mark.parametrize(
    ("requires_python", "rules"),
    [
        (None, []),
        (">=3.8", []),
        (">=3.9,!=3.9.0,!=3.9.1", []),
        (">=3.10", ["requires-python"]),
        ("<3.9", ["requires-python"]),
        (">=3.9.26", ["requires-python"]),
        (">=3.x", ["unreadable-metadata"]),
    ],
)
def test_requires_python(requires_python: str | None, rules: list[str]) -> None:
    assert ids(found(FakeProject("demo", requires_python=requires_python))) == rules


@pytest.mark.parametrize(
    ("requires", "rules"),
    [
        ("other", []),
        ("Other>=1", []),
        ("o.t.her", ["unmet-requirement"]),
        ("other>=2", ["wrong-version"]),
        ("other @ https://example.org/other-9.zip", []),
        ("missing", ["unmet-requirement"]),
        ("missing; sys_platform == 'win32'", []),
        ("missing; platform_machine == 'aarch64'", []),
        ("missing; platform_machine == 'x86_64'", ["unmet-requirement"]),
        ("missing; python_version < '3.9'", []),
        ("missing; extra == 'fast'", []),
        ("other>=; 3", ["unreadable-metadata"]),
    ],
)
@pytest.mark.usefixtures("poisoned_host")
def test_requirements_under_the_target_s_markers(requires: str, rules: list[str]) -> None:
    assert (
        ids(found(FakeProject("demo", requires=[requires]), FakeProject("other", "1.5"))) == rules
    )


def test_a_missing_project_is_named_with_its_dependent() -> None:
    (finding,) = found(FakeProject("demo", requires=["Missing>=2 ; python_version >= '3'"]))
    assert finding.message == "demo 1.0 requires Missing>=2, which is not in the package"
    assert (finding.path, finding.owner) == ("demo-1.0.dist-info", "demo")


def test_a_pre_release_in_the_package_is_accepted() -> None:
    assert found(FakeProject("demo", requires=["other>=1"]), FakeProject("other", "1.1b1")) == ()


def test_extras_that_another_project_requires_count() -> None:
    """And those that an extra requires in turn."""
    projects = (
        FakeProject("demo", requires=["other[Fast_Mode]"]),
        FakeProject(
            "other", requires=["missing; extra == 'fast-mode'", "third[a]; extra == 'fast-mode'"]
        ),
        FakeProject("third", requires=["fourth; extra == 'a'", "fifth; extra == 'b'"]),
    )
    findings = found(*projects)
    assert [finding.message for finding in findings] == [
        "other 1.0 requires missing (for its extra fast-mode), which is not in the package",
        "third 1.0 requires fourth (for its extra a), which is not in the package",
    ]


def test_a_circle_of_extras_ends() -> None:
    assert found(FakeProject("demo", requires=["demo[a]", "demo[b]; extra == 'a'"])) == ()


def test_projects_of_the_runtime_are_not_missing() -> None:
    project = FakeProject("demo", requires=["boto3>=1.20", "urllib3"])
    assert found(project, target=PY39) == ()
    assert ids(found(project)) == ["unmet-requirement"] * 2


def test_projects_left_out_on_purpose_are_not_missing() -> None:
    assert found(FakeProject("demo", requires=["Big.Thing"]), expected_missing=("big-thing",)) == ()


@pytest.mark.parametrize(
    ("record", "rules"),
    [
        ({}, []),
        ({"demo/gone.py": (record_hash(b""), "0")}, ["record-missing"]),
        ({"demo/__init__.py": (record_hash(b"x"), "0")}, ["record-changed"]),
        ({"demo/__init__.py": (record_hash(b""), "1")}, ["record-changed"]),
        ({"demo/__init__.py": (record_hash(b"", "sha512"), "0")}, []),
        ({"demo/__init__.py": (record_hash(b"x", "sha512"), "0")}, ["record-changed"]),
        ({"demo/__init__.py": ("", "")}, []),
        ({"demo/__init__.py": ("md5=abc", "")}, []),
        ({"demo/__init__.py": None}, []),
        # outside the folder, or coming and going
        ({"../../bin/demo": (record_hash(b""), "0")}, []),
        ({"/usr/bin/demo": (record_hash(b""), "0")}, []),
        ({"bin/demo": (record_hash(b""), "0")}, []),  # of uv
        ({"demo/__pycache__/__init__.cpython-39.pyc": ("", "")}, []),
        ({"demo/only": ("a", "b", "c")}, []),
    ],
)
@pytest.mark.parametrize("prefix", ["", "python/"])
def test_record(record: dict[str, tuple[str, str] | None], rules: list[str], prefix: str) -> None:
    bundle = make_bundle(FakeProject("demo", record=record), prefix=prefix)
    findings = verify(bundle, PLAIN)
    assert ids(findings) == rules
    assert all(finding.path.startswith(f"{prefix}demo/") for finding in findings)


@pytest.mark.parametrize(
    ("path", "size"), [("x" * 200_000, ""), ("demo/__init__.py\0", "0"), ("demo/a.py", "9" * 9000)]
)
def test_a_malformed_record_is_read_as_far_as_possible(path: str, size: str) -> None:
    files = {"demo/__init__.py": b"", "demo/a.py": b""}
    gone = {"demo/gone.py": ("", "")}
    findings = found(FakeProject("demo", files=files, record={path: ("", size), **gone}))
    assert "record-missing" in ids(findings)


def test_a_package_named_bin_is_no_directory_of_scripts() -> None:
    files = {"bin/__init__.py": b"", "demo/__init__.py": b""}
    findings = found(FakeProject("demo", files=files, record={"bin/gone.py": ("", "")}))
    assert ids(findings) == ["record-missing"]


def test_files_that_a_record_lacks_are_counted() -> None:
    gone = {f"demo/{number}.py": ("", "") for number in range(1200)}
    (finding,) = found(FakeProject("demo", record=gone))
    assert finding.message == (
        "demo/0.py is listed in the RECORD of demo 1.0, but is not in the package (and 1,199 more)"
    )


def test_a_planned_bundle_s_records_are_its_own() -> None:
    project = FakeProject("demo", record={"demo/gone.py": ("", "")})
    assert verify(make_bundle(project, kind="planned"), PLAIN) == ()
