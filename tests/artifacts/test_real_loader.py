"""Modules that gcc makes are imported by real Pythons: what fails is found, and nothing else."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossdeps.pipeline.check import check
from crossdeps.target.model import Target
from crossdeps.verify.python_symbols import find_absent_symbols
from tests.support.elf_factory import make_elf
from tests.support.interpreters import Interpreter, find_interpreters

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.subprocess,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc"),
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the modules are for x86_64"),
]

# The layout of PyModuleDef is part of the stable ABI.
MODULE = """
typedef struct { long refs; void *type, *init; long index; void *copy; const char *name, *doc;
    long size; void *methods, *slots, *traverse, *clear, *free; } Definition;
static Definition definition = {1, 0, 0, 0, 0, "_core", 0, -1, 0, 0, 0, 0, 0};
extern void *PyModule_Create2(void *, int);
"""
INIT = "void *PyInit_%s(void) { return PyModule_Create2(&definition, 3); }\n"


class Compiler:
    """Compiles shared objects into an artifact.

    :param root: the artifact
    :param build: the folder of the machine that builds it, which the target doesn't have
    """

    def __init__(self, root: Path, build: Path) -> None:
        self.root = root
        self.build = build
        for folder in (root / "demo", build):
            folder.mkdir(parents=True)

    def compile(self, path: Path, source: str, *options: str | Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        command = ["gcc", "-shared", "-fPIC", "-x", "c", "-o", path, "-", "-x", "none", *options]
        done = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return path

    def library(self, path: str, *options: str | Path, soname: str = "") -> Path:
        """Compile a library, whose function has its name."""
        name = Path(path).name.partition(".")[0]
        named = f"-Wl,-soname,{soname or Path(path).name}"
        return self.compile(self.root / path, f"void {name}(void) {{}}\n", named, *options)

    def module(
        self, name: str, *options: str | Path, code: str = "", suffix: str = ".abi3"
    ) -> Path:
        """Compile an extension module of the package demo."""
        source = MODULE + INIT % name + code
        path = self.root / f"demo/{name}{suffix}.so"
        return self.compile(path, source, "-Wl,--no-as-needed", *options)

    def write(self, path: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.root / path).write_bytes(data)


def rpath(path: str, *, old: bool = True) -> tuple[str, ...]:
    return ("-Wl,--disable-new-dtags" if old else "-Wl,--enable-new-dtags", f"-Wl,-rpath,{path}")


def found_by_rpath(c: Compiler) -> None:
    c.module("_core", c.library("demo.libs/libdep.so.1"), *rpath("$ORIGIN/../demo.libs"))


def found_by_runpath(c: Compiler) -> None:
    library = c.library("demo.libs/libdep.so.1")
    c.module("_core", library, *rpath("${ORIGIN}/../demo.libs", old=False))


def no_rpath(c: Compiler) -> None:
    c.module("_core", c.library("demo.libs/libdep.so.1"))


def in_another_folder(c: Compiler) -> None:
    c.module("_core", c.library("vendor/libdep.so.1"), *rpath("$ORIGIN/../demo.libs"))


def rpath_of_the_builder(c: Compiler) -> None:
    c.module("_core", c.library("demo/libdep.so.1"), *rpath(str(c.build)))


def library_of_the_builder(c: Compiler) -> None:
    library = c.compile(c.build / "libdep.so.1", "void dep(void) {}\n", "-Wl,-soname,libdep.so.1")
    c.module("_core", library, *rpath(str(c.build)))


def needed_path_of_the_builder(c: Compiler) -> None:
    """A library without DT_SONAME is needed by the path that the linker got."""
    library = c.compile(c.build / "libdep.so", "void dep(void) {}\n")
    c.module("_core", library, *rpath("$ORIGIN"))
    shutil.copy(library, c.root / "demo/libdep.so")


def named_by_its_version(c: Compiler) -> None:
    """The links libdep.so.1 -> libdep.so.1.2.3 were lost."""
    library = c.library("demo/libdep.so.1.2.3", soname="libdep.so.1")
    c.module("_core", library, *rpath("$ORIGIN"))


def inherited_rpath(c: Compiler) -> None:
    inner = c.library("demo.libs/libinner.so")
    outer = c.library("demo.libs/libouter.so", inner, "-Wl,--no-as-needed", inner)
    c.module("_core", outer, *rpath("$ORIGIN/../demo.libs"))


def runpath_is_not_inherited(c: Compiler) -> None:
    inner = c.library("demo.libs/libinner.so")
    outer = c.library("demo.libs/libouter.so", inner, "-Wl,--no-as-needed", inner)
    c.module(
        "_core", outer, "-Wl,--allow-shlib-undefined", *rpath("$ORIGIN/../demo.libs", old=False)
    )


def brought_by_the_module(c: Compiler) -> None:
    """The module needs both, so that the inner one is loaded before it is needed again."""
    inner = c.library("demo.libs/libinner.so")
    outer = c.library("demo.libs/libouter.so", "-Wl,--no-as-needed", inner)
    c.module("_core", outer, inner, *rpath("$ORIGIN/../demo.libs", old=False))


def brought_by_another_module(c: Compiler) -> None:
    library = c.library("demo.libs/libdep.so.1")
    c.module("_first", library, *rpath("$ORIGIN/../demo.libs"))
    c.module("_core", library)
    c.write("demo/__init__.py", "from demo import _first\nfrom demo import _core\n")


def loaded_by_code(c: Compiler) -> None:
    c.module("_core", c.library("demo/libs/libdep.so.1"))
    c.write(
        "demo/__init__.py",
        "import ctypes, os\n"
        "ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'libs', 'libdep.so.1'))\n"
        "from demo import _core\n",
    )


def two_machines(c: Compiler) -> None:
    """The loader passes over the first library, which is for another machine."""
    c.module("_core", c.library("demo/b/libdep.so.1"), *rpath("$ORIGIN/a:$ORIGIN/b"))
    (c.root / "demo/a").mkdir()
    c.write("demo/a/libdep.so.1", make_elf("aarch64"))


def renamed_module(c: Compiler) -> None:
    c.module("_fast").rename(c.root / "demo/_core.abi3.so")


def two_names(c: Compiler) -> None:
    """A module that can be imported by two names."""
    path = c.module("_fast", code=INIT % "_core")
    path.rename(c.root / "demo/_core.abi3.so")


def native_package(c: Compiler) -> None:
    """A package whose __init__ is an extension module, as apsw's is; its name is the folder's."""
    (c.root / "demo/_core").mkdir()
    c.module("_core").rename(c.root / "demo/_core/__init__.abi3.so")


def library_of_another_machine(c: Compiler) -> None:
    c.module("_core", c.library("demo/libdep.so.1"), *rpath("$ORIGIN"))
    c.write("demo/libdep.so.1", make_elf("aarch64"))


def empty_library(c: Compiler) -> None:
    c.module("_core", c.library("demo/libdep.so.1"), *rpath("$ORIGIN"))
    c.write("demo/libdep.so.1", "")


def flattened_link(c: Compiler) -> None:
    c.module("_core", c.library("demo/libdep.so.1"), *rpath("$ORIGIN"))
    (c.root / "demo/libdep.so.1").rename(c.root / "demo/libdep.so.1.2")
    c.write("demo/libdep.so.1", "libdep.so.1.2")


def empty_module(c: Compiler) -> None:
    c.write("demo/_core.py", "")
    c.write("demo/_core.abi3.so", "")


def git_lfs_pointer(c: Compiler) -> None:
    c.write("demo/_core.so", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")


def compressed_module(c: Compiler) -> None:
    module = c.module("_core")
    module.write_bytes(gzip.compress(module.read_bytes()))


def module_of_another_machine(c: Compiler) -> None:
    """The importer takes it instead of the source."""
    c.write("demo/_core.py", "")
    c.write("demo/_core.abi3.so", make_elf("aarch64"))


def plain_module_of_another_machine(c: Compiler) -> None:
    c.write("demo/_core.py", "")
    c.write("demo/_core.so", make_elf("aarch64"))


def first_suffix_of_another_machine(c: Compiler) -> None:
    c.module("_core", suffix="")
    c.write("demo/_core.abi3.so", make_elf("aarch64"))


def last_suffix_of_another_machine(c: Compiler) -> None:
    c.module("_core")
    c.write("demo/_core.so", make_elf("aarch64"))


def package_beside_a_module(c: Compiler) -> None:
    (c.root / "demo/_core").mkdir()
    c.write("demo/_core/__init__.py", "")
    c.write("demo/_core.abi3.so", make_elf("aarch64"))


def module_of_another_python(c: Compiler) -> None:
    c.write("demo/_core.py", "")
    c.write("demo/_core.cpython-36m-x86_64-linux-gnu.so", "")


def calls(*symbols: str) -> Callable[[Compiler], None]:
    """Make a module that calls functions of Python's C API."""

    def make(c: Compiler) -> None:
        code = "".join(f"extern void {name}(void);\n" for name in symbols)
        code += f"void call(void) {{ {' '.join(f'{name}();' for name in symbols)} }}\n"
        c.module("_core", code=code)

    return make


def a_symbol_that_may_be_missing(c: Compiler) -> None:
    code = "extern void PyNever(void) __attribute__((weak));\n"
    code += "extern void PyLong_GetSign(void) __attribute__((weak));\n"
    c.module("_core", code=code + "void *call(void) { return &PyLong_GetSign; }\n")


def missing_version(c: Compiler) -> None:
    """The library in the package is older than the one that the module was linked with."""
    for version in (2, 1):
        script = c.build / f"v{version}.map"
        script.write_text("V1 { global: a; };\n" + "V2 { global: b; } V1;\n" * (version == 2))
        source = "void a(void) {}\n" + "void b(void) {}\n" * (version == 2)
        options = (f"-Wl,--version-script={script}", "-Wl,-soname,libdep.so.1")
        library = c.compile(c.root / "demo/libdep.so.1", source, *options)
        if version == 2:
            code = "extern void b(void);\nvoid call(void) { b(); }\n"
            c.module("_core", library, *rpath("$ORIGIN"), code=code)


SCENARIOS = (
    found_by_rpath, found_by_runpath, no_rpath, in_another_folder, rpath_of_the_builder,
    library_of_the_builder, needed_path_of_the_builder, named_by_its_version, inherited_rpath,
    runpath_is_not_inherited,
    renamed_module, two_names, native_package,
    brought_by_the_module, brought_by_another_module, loaded_by_code, two_machines,
    library_of_another_machine, empty_library, flattened_link, empty_module, git_lfs_pointer,
    compressed_module, module_of_another_machine, plain_module_of_another_machine,
    first_suffix_of_another_machine, last_suffix_of_another_machine, package_beside_a_module,
    module_of_another_python, a_symbol_that_may_be_missing, missing_version,
)  # fmt: skip
SYMBOLS = (
    "PyModule_AddObjectRef", "PyObject_CallOneArg", "PyErr_GetRaisedException", "PyDict_GetItemRef",
    "PyUnicode_AsUnicode", "PyCode_New", "_PyUnicode_Ready", "PyLong_GetSign", "PyList_New",
    "PyArena_New", "Py_SetStandardStreamEncoding", "PyEval_CallObjectWithKeywords",
)  # fmt: skip


@pytest.fixture(scope="module")
def interpreters() -> tuple[Interpreter, ...]:
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    return find_interpreters(os.environ.get("PATH", ""), root, oldest=(3, 9))


def compare(
    artifact: Path, interpreters: tuple[Interpreter, ...], *, library_path: bool = False
) -> set[bool]:
    """Import ``demo._core`` by each Python, and compare with what check() finds.

    :param library_path: whether the folders of the package are in LD_LIBRARY_PATH, as on Lambda
    :returns: whether the import succeeded, of all Pythons
    """
    results = set()
    folders = f"{artifact}:{artifact}/lib" if library_path else ""
    for interpreter in interpreters:
        done = subprocess.run(
            [interpreter.executable, "-B", "-c", "import demo._core"],
            cwd=artifact,
            env={**os.environ, "PYTHONPATH": str(artifact), "LD_LIBRARY_PATH": folders},
            capture_output=True,
            text=True,
            check=False,
        )
        python = interpreter.minor
        target = Target(python=python, arch="x86_64", glibc="2.36")
        if library_path:
            target = Target.runtime(f"python{python}", arch="x86_64")
        found = [item for item in check(artifact, target) if item.severity == "error"]
        assert bool(found) == bool(done.returncode), (python, found, done.stderr)
        results.add(not done.returncode)
    return results


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_what_fails_in_a_real_python_is_found(
    scenario: Callable[[Compiler], None], tmp_path: Path, interpreters: tuple[Interpreter, ...]
) -> None:
    c = Compiler(tmp_path / "artifact", tmp_path / "build")
    c.write("demo/__init__.py", "")
    scenario(c)
    shutil.rmtree(c.build)
    compare(c.root, interpreters)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_functions_that_some_python_lacks(
    symbol: str, tmp_path: Path, interpreters: tuple[Interpreter, ...]
) -> None:
    c = Compiler(tmp_path / "artifact", tmp_path / "build")
    c.write("demo/__init__.py", "")
    calls(symbol)(c)
    compare(c.root, interpreters)


def test_the_table_of_symbols_is_what_each_python_exports(
    interpreters: tuple[Interpreter, ...],
) -> None:
    """No symbol is said to be absent that a Python has; the others are there."""
    names = sorted({name for minor in range(8, 16) for name in find_absent_symbols(minor)})
    question = (
        "import ctypes, sys; api = ctypes.pythonapi;"
        " print(*(name for name in sys.stdin.read().split() if not hasattr(api, name)))"
    )
    for interpreter in interpreters:
        done = subprocess.run(
            [interpreter.executable, "-c", question],
            input=" ".join(names),
            capture_output=True,
            text=True,
            check=True,
        )
        absent = set(find_absent_symbols(interpreter.version[1]))
        missing = set(done.stdout.split())
        assert absent <= missing, interpreter
        # Some appeared or went within a minor version, or in the middle of a range.
        assert len(missing - absent) < 12, sorted(missing - absent)


@pytest.mark.parametrize("folder", ["", "lib/", "other/"])
def test_ld_library_path(
    folder: str, tmp_path: Path, interpreters: tuple[Interpreter, ...]
) -> None:
    c = Compiler(tmp_path / "artifact", tmp_path / "build")
    c.write("demo/__init__.py", "")
    c.module("_core", c.library(f"{folder}libdep.so.1"))
    assert compare(c.root, interpreters, library_path=True) == {folder != "other/"}
