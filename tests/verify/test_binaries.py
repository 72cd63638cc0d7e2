"""Rules on native binaries: each fault is reported, and nothing else."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest
from msgspec.structs import replace

from crossdeps.finding import Finding
from crossdeps.target.model import Target
from crossdeps.verify.model import RuntimeContext
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


@pytest.mark.parametrize(
    ("paths", "target", "expected"),
    [
        ({"rpath": "$ORIGIN/../demo.libs"}, PY39, []),
        ({"runpath": "$ORIGIN/../demo.libs"}, PLAIN, []),
        # The system's folders come first in Lambda's LD_LIBRARY_PATH, which precedes RUNPATH.
        ({"runpath": "$ORIGIN/../demo.libs"}, PY39, ["symbol-version-too-new"]),
        ({"rpath": "$ORIGIN/../elsewhere"}, PY39, ["symbol-version-too-new"]),
        ({}, PY39, ["symbol-version-too-new"]),
    ],
)
def test_a_library_in_the_package_answers_for_its_versions_if_it_is_found(
    paths: dict[str, str], target: Target, expected: list[str]
) -> None:
    data = make_elf(
        glibc="2.14",
        versions={"libstdc++.so.6": ["GLIBCXX_3.4.33"]},
        rpath=paths.get("rpath"),
        runpath=paths.get("runpath"),
    )
    bundled = make_elf(soname="libstdc++.so.6", glibc=None)
    files = ((ABI3, data), ("demo.libs/libstdc++.so.6", bundled))
    assert ids(native(*files, target=target)) == expected


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
        ("demo.libs/libfoo-12345678.so.1", "something-else.so"),
        ("libfoo-12345678.so.1", None),
        ("lib/libfoo-12345678.so.1", None),
    ],
)
def test_a_library_in_the_package_is_found_by_its_file_name(path: str, soname: str | None) -> None:
    """In the RUNPATH, or in Lambda's LD_LIBRARY_PATH."""
    user = make_elf(needed=["libfoo-12345678.so.1"], runpath="$ORIGIN/../demo.libs")
    assert native((ABI3, user), (path, make_elf(soname=soname))) == ()


def test_a_library_is_not_searched_by_its_soname() -> None:
    user = make_elf(needed=["libfoo.so.1"], runpath="$ORIGIN/../demo.libs")
    library = ("demo.libs/libfoo.so.1.2.3", make_elf(soname="libfoo.so.1"))
    (finding,) = native((ABI3, user), library)
    assert finding.rule == "missing-library"
    # Once it is loaded, its DT_SONAME counts.
    first = make_elf(needed=["libfoo.so.1.2.3"], runpath="$ORIGIN/../demo.libs")
    assert native((ABI3, user), library, ("demo/_a.abi3.so", first)) == ()


def test_ld_library_path_is_that_of_lambda() -> None:
    user = make_elf(needed=["libfoo-12345678.so.1"], glibc="2.14")
    files = ((ABI3, user), ("lib/libfoo-12345678.so.1", make_elf(glibc="2.14")))
    assert native(*files) == ()
    assert ids(native(*files, target=PLAIN)) == ["missing-library"]


@pytest.mark.parametrize(
    "paths",
    [
        {"runpath": "$ORIGIN/../demo.libs"},
        {"rpath": "${ORIGIN}"},
        {"runpath": "/usr/lib"},
        {"rpath": "/home/me/build/elsewhere"},
        {},
    ],
)
@pytest.mark.parametrize("library", ["libfoo-12345678.so.1", "libown.so"])
def test_a_library_in_the_package_must_be_where_the_loader_searches(
    paths: dict[str, str], library: str
) -> None:
    files = (f"elsewhere/{library}", make_elf())
    (finding,) = native(
        (ABI3, make_elf(needed=[library], rpath=paths.get("rpath"), runpath=paths.get("runpath"))),
        files,
    )
    described = "".join(f" ({kind.upper()} {path})" for kind, path in paths.items())
    assert finding.rule == "missing-library"
    assert finding.message == (
        f"{ABI3} needs {library}, which is in the package (elsewhere/{library}), but not where the"
        f" loader searches{described or ' (the binary has no RPATH or RUNPATH)'}"
    )


@pytest.mark.parametrize("name", ["/home/me/build/libfoo.so", "build/libfoo.so"])
@pytest.mark.parametrize("packaged", [True, False])
def test_a_path_of_the_machine_that_built_the_binary(name: str, *, packaged: bool) -> None:
    user = (ABI3, make_elf(needed=[name], runpath="$ORIGIN"))
    (finding,) = native(user, *[("demo/libfoo.so", make_elf())] * packaged)
    assert finding.rule == "missing-library"
    assert f"{ABI3} needs {name}, which is " in finding.message


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/home/me/build/lib", "missing-library"),
        ("/usr/local/cuda/lib64", "unknown-library"),
        ("$ORIGIN/../lib", "unknown-library"),
    ],
)
def test_a_library_that_only_the_builder_has(path: str, rule: str) -> None:
    (finding,) = native((ABI3, make_elf(needed=["libmine.so.1"], rpath=path)))
    assert finding.rule == rule
    plugin = ("demo/libplugin.so", make_elf(needed=["libmine.so.1"], rpath=path))
    assert ids(native(plugin)) == ["unknown-library"]


def test_a_path_on_the_target_is_found() -> None:
    library = ("demo/libfoo.so", make_elf())
    for name in ("/var/task/demo/libfoo.so", "demo/libfoo.so", "$ORIGIN/libfoo.so"):
        assert native((ABI3, make_elf(needed=[name])), library) == ()
    assert native((ABI3, make_elf(needed=["libfoo.so"], rpath="/var/task/demo")), library) == ()
    assert native((ABI3, make_elf(needed=["/lib64/libm.so.6"]))) == ()


def test_the_rpath_of_what_loads_a_library_counts_for_its_own_needs() -> None:
    """DT_RPATH does, DT_RUNPATH doesn't; a library with DT_RUNPATH ignores that of its loader."""
    libraries = (("demo/x/libinner.so", make_elf()),)
    for path in ("rpath", "runpath"):
        rpath, runpath = ("$ORIGIN/x", None) if path == "rpath" else (None, "$ORIGIN/x")
        user = make_elf(needed=["libouter.so"], rpath=rpath, runpath=runpath)
        files = (("demo/x/libouter.so", make_elf(needed=["libinner.so"])), *libraries)
        assert ids(native((ABI3, user), *files)) == ["missing-library"] * (path == "runpath")
    user = make_elf(needed=["libouter.so"], rpath="$ORIGIN/x")
    files = (
        ("demo/x/libouter.so", make_elf(needed=["libinner.so"], runpath="$ORIGIN/y")),
        *libraries,
    )
    assert ids(native((ABI3, user), *files)) == ["missing-library"]


def test_a_library_that_a_module_brings_is_loaded_for_the_next() -> None:
    """Casadi grafts libraries beside their users, which have no RPATH of their own."""
    brings = ("demo/_a.abi3.so", make_elf(needed=["libfoo-12345678.so"], rpath="$ORIGIN/libs"))
    library = ("demo/libs/libfoo-12345678.so", make_elf(needed=["libbar-12345678.so"]))
    other = ("demo/libs/libbar-12345678.so", make_elf())
    plugin = ("demo/libplugin.so", make_elf(needed=["libbar-12345678.so"]))
    assert native(brings, library, other, plugin) == ()
    # Another project is loaded first only if it is required.
    user = FakeProject("user", files={"user.abi3.so": make_elf(needed=["libbar-12345678.so"])})
    demo = FakeProject("demo", files=dict((brings, library, other)), tags=FITTING)
    (finding,) = verify(make_bundle(demo, user), PY39)
    assert (finding.rule, finding.owner) == ("missing-library", "user")
    user = FakeProject(
        "user",
        files={"user.abi3.so": make_elf(needed=["libbar-12345678.so"])},
        requires=("demo",),
    )
    assert verify(make_bundle(demo, user), PY39) == ()


def test_a_library_that_code_of_the_project_loads() -> None:
    """As torch does, before the modules that need it."""
    user = make_elf(needed=["libfoo.so.1"])
    library = ("demo/x/libfoo.so.1", make_elf())
    code = b"import ctypes\nctypes.CDLL(path + 'libfoo.so.1')\n"
    assert native((ABI3, user), library, ("demo/__init__.py", code)) == ()
    code = b"import ctypes\nctypes.CDLL(None)\n"
    assert ids(native((ABI3, user), library, ("demo/__init__.py", code))) == ["missing-library"]


def test_what_a_library_for_ctypes_needs_is_loaded_in_order() -> None:
    """It brings both, with DT_RUNPATH, before one needs the other."""
    needed = ["libfoo-12345678.so", "libbar-12345678.so"]
    files = (
        ("demo/libdemo.so", make_elf(needed=needed, runpath="$ORIGIN/../demo.libs")),
        ("demo.libs/libfoo-12345678.so", make_elf()),
        ("demo.libs/libbar-12345678.so", make_elf(needed=["libfoo-12345678.so"])),
    )
    assert native(*files) == ()


def test_nothing_is_said_of_plugins_that_no_module_needs() -> None:
    """Whoever loads them has loaded their libraries before."""
    plugin = make_elf(needed=["libown.so"])
    files = (("demo/plugins/png.so", plugin), ("demo/x/libown.so", make_elf()))
    assert native(*files) == ()


def test_a_library_in_the_package_must_have_the_versions() -> None:
    """glibc: ``version 'FOO_2' not found``; a library without any versions is only warned of."""
    data = make_elf(versions={"libfoo.so": ["FOO_2"]}, rpath="$ORIGIN")
    library = make_elf(defines=["FOO_1"], soname="libfoo.so")
    (finding,) = native((ABI3, data), ("demo/libfoo.so", library))
    assert finding.rule == "symbol-version-too-new"
    assert finding.message == (f"{ABI3} needs FOO_2 from demo/libfoo.so, which does not have it")
    for defines in (["FOO_1", "FOO_2"], []):
        library = make_elf(defines=defines, soname="libfoo.so")
        assert native((ABI3, data), ("demo/libfoo.so", library)) == ()


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


OTHER_CONTENTS = {
    "it is empty": b"",
    "it is a pointer of Git LFS, not the file itself": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 1\n"
    ),
    "it is text, 'libfoo.so.1.2.3': a symbolic link that was not kept": b"libfoo.so.1.2.3",
    "it is compressed (gzip)": gzip.compress(make_elf()),
    "it is compressed (xz)": lzma.compress(make_elf()),
    "it is compressed (bzip2)": bz2.compress(make_elf()),
    "it is not an ELF file": b"#!/bin/sh\nexec python\n",
}


@pytest.mark.parametrize(("problem", "data"), OTHER_CONTENTS.items(), ids=OTHER_CONTENTS)
@pytest.mark.parametrize("path", [ABI3, "demo/core.so", "demo/libfoo.so.1", "demo.libs/libfoo.so"])
def test_a_file_in_place_of_a_library(path: str, problem: str, data: bytes) -> None:
    (finding,) = native((path, data))
    assert finding.rule == "damaged-binary"
    assert finding.message == f"{path} cannot be loaded: {problem}"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("demo/libfoo.so", b"/* GNU ld script */\nINPUT(libfoo.so.1)\n"),
        ("demo/core.cpython-38-x86_64-linux-gnu.so", b""),
        ("demo/core.some.txt", b""),
        ("demo/x.so.py", b""),
    ],
)
def test_files_that_no_one_loads(path: str, data: bytes) -> None:
    assert native((path, data)) == ()


@pytest.mark.parametrize(
    ("foreign", "others", "expected"),
    [
        # The importer takes extension modules before source.
        ("demo/fast.abi3.so", {"demo/fast.py": b""}, ["wrong-machine"]),
        ("demo/fast.so", {"demo/fast.py": b""}, ["wrong-machine"]),
        ("demo/fast.cpython-39-x86_64-linux-gnu.so", {"demo/fast.py": b""}, ["wrong-machine"]),
        ("demo/fast.cpython-39-aarch64-linux-gnu.so", {"demo/fast.py": b""}, []),
        # The suffixes are tried in order.
        ("demo/fast.abi3.so", {"demo/fast.so": make_elf()}, ["wrong-machine"]),
        ("demo/fast.so", {"demo/fast.abi3.so": make_elf()}, []),
        (
            "demo/fast.abi3.so",
            {"demo/fast.cpython-39-x86_64-linux-gnu.so": make_elf()},
            [],
        ),
        # A package is taken first of all.
        ("demo/fast.abi3.so", {"demo/fast/__init__.py": b""}, []),
    ],
)
def test_the_importer_takes_the_first_suffix(
    foreign: str, others: dict[str, bytes], expected: list[str]
) -> None:
    assert ids(native((foreign, make_elf("aarch64")), *others.items())) == expected


@pytest.mark.parametrize(
    ("symbols", "target", "text"),
    [
        (["PyModule_AddObjectRef"], PY39, "PyModule_AddObjectRef: Python 3.10 and later"),
        (["PyUnicode_AsUnicode"], PY312, "PyUnicode_AsUnicode: only Python 3.11 and older"),
        (["PyLong_GetSign"], PY312, "PyLong_GetSign: Python 3.14 and later"),
        (["PyModule_AddObjectRef"], PY312, ""),
        (["PyUnicode_AsUnicode"], PY39, ""),
        (["PyList_New", "PyNever_Known", "_PyNever_Known"], PY39, ""),
    ],
)
@pytest.mark.parametrize("path", [ABI3, "demo/core.so", "demo/libs/libown.so"])
def test_a_function_that_python_lacks(
    path: str, symbols: list[str], target: Target, text: str
) -> None:
    data = make_elf(target.arch, glibc="2.14", imports=symbols)
    user = make_elf(target.arch, needed=["libown.so"], rpath="$ORIGIN/libs", glibc="2.14")
    files = {"demo/libs/libown.so": make_elf(target.arch), ABI3: user, path: data}
    found = native(*files.items(), target=target)
    assert ids(found) == ["missing-python-symbol"] * bool(text)
    for finding in found:
        assert finding.path == path
        assert text in finding.message


def test_a_symbol_that_may_be_missing_is_not_required() -> None:
    assert native((ABI3, make_elf(weak_imports=["PyModule_AddObjectRef"]))) == ()


def verify_with_layer(
    files: dict[str, bytes], layer: dict[str, bytes], target: Target = PY39
) -> tuple[Finding, ...]:
    """Findings on a function with a layer."""
    bundle = make_bundle(FakeProject("demo", files=files, tags=FITTING))
    read = replace(make_bundle(outside=layer, prefix="python/"), path="deps.zip")
    return verify(bundle, target, runtime_context=RuntimeContext(layers=(read,)))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (make_elf("aarch64"), "wrong-machine"),
        (make_elf(glibc="2.34"), "glibc-too-old"),
        (make_elf(needed=["libGL.so.1"]), "absent-library"),
        (make_elf(glibc=None, needed=["libc.musl-x86_64.so.1"]), "wrong-libc"),
        (make_elf(imports=["PyModule_AddObjectRef"]), "missing-python-symbol"),
        (b"", "damaged-binary"),
    ],
)
@pytest.mark.parametrize("root", ["python/", "python/lib/python3.9/site-packages/"])
def test_binaries_of_layers_are_checked(data: bytes, rule: str, root: str) -> None:
    path = f"{root}other/core.abi3.so"
    (finding,) = verify_with_layer({}, {path: data})
    assert (finding.rule, finding.path) == (rule, path)
    assert finding.message.startswith(f"{path} in the layer deps.zip ")


def test_what_is_not_on_the_path_of_a_layer_is_not_loaded() -> None:
    for path in ("bin/x.so", "python/lib/python3.8/site-packages/core.abi3.so"):
        layer = {path: make_elf("aarch64"), "python/other.py": b""}
        assert "wrong-machine" not in ids(verify_with_layer({}, layer))


@pytest.mark.parametrize(
    ("paths", "library", "found"),
    [
        ({}, "lib/libown.so", True),
        ({}, "python/lib/libown.so", False),
        ({"rpath": "/opt/python/demo.libs"}, "python/demo.libs/libown.so", True),
        ({"rpath": "$ORIGIN/../../../opt/python/x"}, "python/x/libown.so", True),
        ({"rpath": "$ORIGIN/../demo.libs"}, "python/demo.libs/libown.so", False),
    ],
)
def test_a_library_in_a_layer(paths: dict[str, str], library: str, *, found: bool) -> None:
    """Layers don't switch the search off."""
    files = {ABI3: make_elf(needed=["libown.so"], rpath=paths.get("rpath"))}
    findings = verify_with_layer(files, {library: make_elf()})
    assert ids(findings) == ["missing-library"] * (not found)
    missing = {ABI3: make_elf(needed=["libother-12345678.so"])}
    assert ids(verify_with_layer(missing, {library: make_elf()})) == ["missing-library"]
