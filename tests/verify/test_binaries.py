"""Rules on native binaries: each fault is reported, and nothing else."""

from __future__ import annotations

import pytest

from crossdeps.finding import Finding
from crossdeps.target.model import Target
from crossdeps.verify.registry import verify
from tests.support.binary_factory import make_elf, make_fat_macho, make_macho, make_pe
from tests.verify.bundles import FakeProject, make_bundle

PY39 = Target.runtime("python3.9", arch="x86_64")
PY312 = Target.runtime("python3.12", arch="aarch64")
MUSL = Target(python="3.12", arch="x86_64", musl="1.2")
PLAIN = Target(python="3.9", arch="x86_64")
THREADED = Target(python="3.13", arch="x86_64", abi="cp313t")
FITTING = (
    "cp39-abi3-manylinux2014_x86_64",
    "cp39-abi3-musllinux_1_1_x86_64",
    "cp312-cp312-manylinux2014_aarch64",
)
ABI3 = "demo/_core.abi3.so"


def native(
    *files: tuple[str, bytes], target: Target = PY39, tags: tuple[str, ...] = FITTING
) -> tuple[Finding, ...]:
    """Findings on a bundle of one project with these files."""
    return verify(make_bundle(FakeProject("demo", files=dict(files), tags=tags)), target)


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings]


def test_a_wheel_for_another_machine() -> None:
    """The finding names the file, what it is, and what the target needs."""
    path = "Crypto/Cipher/_raw_ecb.abi3.so"
    bundle = make_bundle(
        FakeProject(
            "pycryptodome",
            files={path: make_elf("aarch64")},
            tags=("cp39-abi3-manylinux2014_aarch64",),
        )
    )
    assert verify(bundle, PY39) == (
        Finding(
            rule="wrong-machine",
            severity="error",
            path=path,
            owner="pycryptodome",
            message=f"{path} is an ELF binary for aarch64; the target needs x86_64",
            hint="build for the target: crossdeps build --runtime python3.9 --arch x86_64",
        ),
    )
    assert verify(bundle, Target.runtime("python3.9", arch="arm64")) == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (make_elf("i386", bits=32), "an ELF binary for i386; the target needs x86_64"),
        (make_elf("x86_64", bits=32), "a 32-bit ELF binary; the target needs a 64-bit one"),
        (make_elf("ppc64le"), "an ELF binary for ppc64le; the target needs x86_64"),
        (
            make_macho("arm64"),
            "a Mach-O (macOS) binary for aarch64; the target needs ELF (Linux) for x86_64",
        ),
        (
            make_fat_macho(("x86_64", "arm64")),
            "a Mach-O (macOS) binary for x86_64+aarch64; the target needs ELF (Linux) for x86_64",
        ),
        (
            make_pe("amd64"),
            "a PE (Windows) binary for x86_64; the target needs ELF (Linux) for x86_64",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "python/"])
def test_a_binary_for_another_machine(data: bytes, message: str, prefix: str) -> None:
    bundle = make_bundle(
        FakeProject("demo", files={"demo/core.so": data}, tags=FITTING), prefix=prefix
    )
    (finding,) = verify(bundle, PY39)
    assert finding.rule == "wrong-machine"
    assert finding.path == f"{prefix}demo/core.so"
    assert finding.message == f"demo/core.so is {message}"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("demo/core.cpython-39-darwin.so", make_macho()),
        ("demo/core.cp39-win_amd64.pyd", make_pe()),
        ("demo.libs/libfoo-12345678.so.1", make_elf("aarch64")),
        ("demo/lib/libfoo.so", make_elf("aarch64")),
        ("bin/tool", make_elf("aarch64", kind=2)),
    ],
)
def test_foreign_files_that_would_be_loaded(path: str, data: bytes) -> None:
    assert ids(native((path, data), tags=("cp39-cp39-macosx_11_0_arm64",))) == ["wrong-machine"]


HARMLESS = {
    "a launcher for Windows": {"demo/t64.exe": make_pe(), "demo/gui-arm64.exe": make_pe("arm64")},
    "libraries for other systems": {"demo/a.dll": make_pe(), "demo/a.dylib": make_macho()},
    "a helper for each platform": {
        "demo/attach_linux_amd64.so": make_elf(),
        "demo/attach_linux_x86.so": make_elf("i386", bits=32),
        "demo/attach_linux_aarch64.so": make_elf("aarch64"),
    },
    "a folder for each platform": {
        "demo/linux-x86_64/libx.so": make_elf(),
        "demo/linux-arm64/libx.so": make_elf("aarch64"),
    },
    "an extension module for each Python": {
        "demo/core.cpython-38-x86_64-linux-gnu.so": make_elf(),
        "demo/core.cpython-39-x86_64-linux-gnu.so": make_elf(),
        "demo/core.cpython-39-aarch64-linux-gnu.so": make_elf("aarch64"),
        "demo/core.cpython-39-darwin.so": make_macho(),
        "demo/core.cp39-win_amd64.pyd": make_pe(),
    },
    "a module that another Python would speed up": {
        "demo/fast.py": b"",
        "demo/fast.cpython-312-x86_64-linux-gnu.so": make_elf(),
        "demo/core.abi3.so": make_elf(),
    },
    "an object file": {"demo/main.o": make_elf("aarch64", kind=1), "demo/c.abi3.so": make_elf()},
    "an ELF file that isn't a library": {"demo/sample.bin": make_elf()[:30]},
    "a musl variant beside the other": {
        "demo/libx.so": make_elf(),
        "demo/musl/libx.so": make_elf(glibc=None, needed=["libc.musl-x86_64.so.1"]),
    },
}


@pytest.mark.parametrize("files", HARMLESS.values(), ids=HARMLESS)
def test_files_that_are_never_loaded_are_not_reported(files: dict[str, bytes]) -> None:
    assert native(*files.items()) == ()


def test_a_pure_wheel_may_carry_windows_modules() -> None:
    assert native(("demo/core.cp39-win_amd64.pyd", make_pe()), tags=("py3-none-any",)) == ()


def test_a_pure_tag_does_not_excuse_a_foreign_module() -> None:
    files = ("demo/core.cpython-39-darwin.so", make_macho())
    assert ids(native(files, tags=("py3-none-any",))) == ["wrong-machine"]


def test_files_outside_the_import_root_are_not_loaded() -> None:
    bundle = make_bundle(outside={"tools/x.so": make_elf("aarch64")}, prefix="python/")
    assert verify(bundle, PY39) == ()


@pytest.mark.parametrize(
    ("name", "target", "built_for"),
    [
        ("core.cpython-311-x86_64-linux-gnu.so", PY39, "CPython 3.11 on x86_64-linux-gnu"),
        ("core.cpython-39-x86_64-linux-musl.so", PY39, "CPython 3.9 on x86_64-linux-musl"),
        ("core.cpython-39-aarch64-linux-gnu.so", PY39, "CPython 3.9 on aarch64-linux-gnu"),
        ("core.pypy39-pp73-x86_64-linux-gnu.so", PY39, "PyPy 3.9 on pp73-x86_64-linux-gnu"),
        ("core.cpython-313-x86_64-linux-gnu.so", THREADED, "CPython 3.13 on x86_64-linux-gnu"),
        ("core.abi3.so", THREADED, "the stable ABI (abi3)"),
    ],
)
def test_an_extension_module_for_another_python(name: str, target: Target, built_for: str) -> None:
    (finding,) = native((f"demo/{name}", make_elf()), target=target)
    assert finding.rule == "wrong-extension"
    assert f"demo/{name} is an extension module for {built_for}; the target is" in finding.message


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("core.so", PY39),
        ("core.abi3.so", PY39),
        ("core.cpython-39-x86_64-linux-gnu.so", PY39),
        ("core.cpython-312-x86_64-linux-gnu.so", MUSL),
        ("core.cpython-312-x86_64-linux-musl.so", MUSL),
        ("core.cpython-313t-x86_64-linux-gnu.so", THREADED),
        ("libcore.so.3.1", PY39),
        ("libcore-311.2.so", PY39),
    ],
)
def test_names_that_the_target_s_python_looks_for(name: str, target: Target) -> None:
    tags = ("cp39-abi3-any", "cp313-cp313t-any", "py3-none-any")
    assert native((f"demo/{name}", make_elf(glibc=None)), target=target, tags=tags) == ()


def test_a_damaged_library() -> None:
    (finding,) = native((ABI3, make_elf(section_headers=False)[:-20]))
    assert (finding.rule, finding.severity) == ("damaged-binary", "error")
    assert "lies beyond the end of the file" in finding.message


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (
            make_elf(glibc=None, needed=["libc.musl-x86_64.so.1", "libgcc_s.so.1"]),
            PY39,
            "is linked with musl; the target has glibc 2.26",
        ),
        (
            make_elf(needed=["libm.so.6", "libpthread.so.0"]),
            MUSL,
            "is linked with glibc; the target has musl 1.2",
        ),
    ],
)
def test_another_c_library(data: bytes, target: Target, message: str) -> None:
    (finding,) = native((ABI3, data), target=target)
    assert finding.rule == "wrong-libc"
    assert finding.message == f"{ABI3} {message}"


def test_the_newest_glibc_version_is_named() -> None:
    data = make_elf(glibc="2.14", versions={"libm.so.6": ["GLIBC_2.27", "GLIBC_2.2.5"]})
    (finding,) = native((ABI3, data))
    assert finding.rule == "glibc-too-old"
    assert finding.message == (f"{ABI3} needs GLIBC_2.27 from libm.so.6; the target has glibc 2.26")
    assert finding.hint == (
        "build for the target: crossdeps build --runtime python3.9 --arch x86_64;"
        " or move to python3.12 or later, which has a newer glibc"
    )


@pytest.mark.parametrize(
    ("version", "target", "found"),
    [
        ("2.26", PY39, False),
        ("2.27", PY39, True),
        ("2.9", PY39, False),
        ("2.34", PY312, False),
        ("2.35", PY312, True),
        ("2.17", PLAIN, False),
        ("2.18", PLAIN, True),
        ("PRIVATE", PY39, False),
        ("ABI_DT_RELR", PY312, True),
    ],
)
def test_glibc_versions_are_compared_as_numbers(version: str, target: Target, found: bool) -> None:
    findings = native((ABI3, make_elf(target.arch, glibc=version)), target=target)
    assert ids(findings) == ["glibc-too-old"] * found


def test_manylinux2014_on_aarch64_has_a_symbol_of_glibc_2_18() -> None:
    data = make_elf("aarch64", glibc="2.18")
    target = Target(python="3.12", arch="aarch64")
    assert native((ABI3, data), target=target) == ()


@pytest.mark.parametrize(
    ("library", "version", "target", "found"),
    [
        ("libstdc++.so.6", "GLIBCXX_3.4.24", PY39, False),
        ("libstdc++.so.6", "GLIBCXX_3.4.25", PY39, True),
        ("libstdc++.so.6", "GLIBCXX_3.4.29", PY312, False),
        ("libstdc++.so.6", "GLIBCXX_3.4.30", PY312, True),
        ("libstdc++.so.6", "GLIBCXX_3.4.19", PLAIN, False),
        ("libstdc++.so.6", "GLIBCXX_3.4.20", PLAIN, True),
        ("libstdc++.so.6", "CXXABI_1.3.11", PY39, False),
        ("libstdc++.so.6", "CXXABI_1.3.12", PY39, True),
        ("libstdc++.so.6", "CXXABI_1.3.7", PLAIN, False),
        ("libstdc++.so.6", "CXXABI_TM_1", PLAIN, False),
        ("libgcc_s.so.1", "GCC_4.8.0", PLAIN, False),
        ("libgcc_s.so.1", "GCC_7.0.0", PLAIN, True),
        ("libgcc_s.so.1", "GCC_7.0.0", PY39, False),
        ("libgcc_s.so.1", "GCC_12.0.0", PY312, True),
        ("libz.so.1", "ZLIB_1.2.9", PY312, False),
        ("libz.so.1", "ZLIB_1.2.9", PY39, True),
    ],
)
def test_versions_of_the_gcc_libraries(
    library: str, version: str, target: Target, found: bool
) -> None:
    data = make_elf(target.arch, glibc=None, versions={library: [version]})
    findings = native((ABI3, data), target=target)
    assert ids(findings) == ["symbol-version-too-new"] * found
    assert all(f"needs {version} from {library}" in finding.message for finding in findings)


def test_a_library_in_the_package_answers_for_its_versions() -> None:
    data = make_elf(versions={"libstdc++.so.6": ["GLIBCXX_3.4.33"]})
    bundled = make_elf(soname="libstdc++.so.6")
    assert native((ABI3, data), ("demo.libs/libstdc++.so.6.0.33", bundled)) == ()
    assert ids(native((ABI3, data))) == ["symbol-version-too-new"]


@pytest.mark.parametrize(
    ("library", "target", "rule"),
    [
        ("libGL.so.1", PY39, "absent-library"),
        ("libX11.so.6", PY39, "absent-library"),
        ("libglib-2.0.so.0", PY39, "absent-library"),
        ("libgomp.so.1", PY312, "absent-library"),
        ("libexpat.so.1", PY312, "absent-library"),
        ("libGL.so.1", PLAIN, "unknown-library"),
        ("libcuda.so.1", PY39, "unknown-library"),
        ("libopenblas-r0-f650aae0.so", PY39, "missing-library"),
        ("libgfortran-040039e1.so.5.0.0", PY39, "missing-library"),
        ("libpython3.8.so.1.0", PY39, "unknown-library"),
        ("libcrypt.so.1", PY312, "unknown-library"),
    ],
)
def test_a_missing_library(library: str, target: Target, rule: str) -> None:
    (finding,) = native((ABI3, make_elf(target.arch, needed=[library])), target=target)
    assert finding.rule == rule
    assert finding.message.startswith(f"{ABI3} needs {library}, which ")


@pytest.mark.parametrize(
    ("library", "target"),
    [
        ("libm.so.6", PY39),
        ("libstdc++.so.6", PY39),
        ("libz.so.1", PY39),
        ("libcrypt.so.1", PY39),
        ("ld-linux-aarch64.so.1", PY312),
        ("libpython3.9.so.1.0", PY39),
        ("libexpat.so.1", PLAIN),
        ("libc.musl-x86_64.so.1", MUSL),
    ],
)
def test_a_library_that_the_target_has(library: str, target: Target) -> None:
    data = make_elf(target.arch, glibc=None, needed=[library])
    assert native((ABI3, data), target=target) == ()


@pytest.mark.parametrize(
    ("path", "soname"),
    [
        ("demo.libs/libfoo-12345678.so.1", None),
        ("demo.libs/libfoo.so.1.2.3", "libfoo-12345678.so.1"),
        ("demo.libs/libfoo-12345678.so.1", "something-else.so"),
        ("libfoo-12345678.so.1", None),
    ],
)
def test_a_library_in_the_package_is_found_by_either_name(path: str, soname: str | None) -> None:
    user = make_elf(needed=["libfoo-12345678.so.1"], runpath="$ORIGIN/../demo.libs")
    assert native((ABI3, user), (path, make_elf(soname=soname))) == ()


@pytest.mark.parametrize("runpath", ["$ORIGIN/../demo.libs", "${ORIGIN}", "/usr/lib", None])
def test_a_vendored_library_must_be_where_the_loader_searches(runpath: str | None) -> None:
    """Each module names the folder; other libraries of the project are not checked."""
    library = "libfoo-12345678.so.1"
    files = (f"elsewhere.libs/{library}", make_elf())
    (finding,) = native((ABI3, make_elf(needed=[library], runpath=runpath)), files)
    assert finding.rule == "missing-library"
    assert (
        "is in the package, but not where the loader searches (RPATH, RUNPATH)" in finding.message
    )
    own = make_elf(needed=["libown.so"], runpath=runpath)
    assert native((ABI3, own), ("elsewhere/libown.so", make_elf())) == ()


def test_libraries_of_one_folder_need_no_path_to_each_other() -> None:
    """They are loaded by a module whose RPATH counts for them, or that loaded them before."""
    inner = make_elf(needed=["libbar-12345678.so"])
    user = make_elf(needed=["libfoo-12345678.so"], rpath="$ORIGIN/../demo.libs")
    libraries = (
        ("demo.libs/libfoo-12345678.so", inner),
        ("demo.libs/libbar-12345678.so", make_elf()),
    )
    assert native((ABI3, user), *libraries) == ()


def test_a_library_for_another_machine_does_not_count() -> None:
    user = make_elf(needed=["libfoo-12345678.so.1"])
    findings = native((ABI3, user), ("demo.libs/libfoo-12345678.so.1", make_elf("aarch64")))
    assert ids(findings) == ["wrong-machine", "missing-library"]


def test_each_missing_library_is_reported_once() -> None:
    files = [(f"demo/m{number}.abi3.so", make_elf(needed=["libGL.so.1"])) for number in range(5)]
    (finding,) = native(*files)
    assert finding.message.startswith("demo/m0.abi3.so and 4 more need libGL.so.1, which ")
