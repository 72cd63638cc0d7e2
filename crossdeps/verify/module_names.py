"""Names of modules: those of files, of the standard library, and of well-known projects.

Sources: for the standard library ``sys.stdlib_module_names`` of CPython 3.10 to 3.13, the library's
directory for 3.7 to 3.9, and "What's New" for 3.14 and 3.15; names with a leading underscore are
left out, except ``__future__``. For projects the top level of each project's wheel on the Python
Package Index; only modules that are commonly imported are listed, and an unlisted module usually
belongs to a project of the same name.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class ModulePath(msgspec.Struct, frozen=True):
    """The module that a file is.

    :param name: dotted name
    :param is_package: whether the file is the package's ``__init__``
    """

    name: str
    is_package: bool


def parse_module_path(path: str) -> ModulePath | None:
    """Find the module that the file *path* is; None if it isn't one.

    >>> parse_module_path("yaml/__init__.py"), parse_module_path("six.py").name
    (ModulePath(name='yaml', is_package=True), 'six')

    :param path: relative to a directory on the import path
    """
    folder, _, filename = path.rpartition("/")
    match = re.fullmatch(r"([^/.]+)(\.py|\.pyc|(\.[^/]+)?\.so)", filename)
    if match is None or "." in folder:
        return None
    is_package = match[1] == "__init__"
    parts = [*folder.split("/"), match[1]] if folder else [match[1]]
    name = ".".join(parts[:-1] if is_package else parts)
    return ModulePath(name, is_package) if name else None


def containing_packages(module: str, path: str) -> list[str]:
    """List the names of the packages that contain *module*, and its own if it is one.

    >>> containing_packages("a.b", "a/b.py"), containing_packages("a.b", "a/b/__init__.py")
    (['a'], ['a', 'b'])

    :param path: of its file
    """
    parts = module.split(".")
    return parts if path.endswith("/__init__.py") else parts[:-1]


def resolve_import(level: int, module: str, package: Sequence[str]) -> str:
    """Resolve the module of ``from module import``; empty if it is beyond its package.

    >>> resolve_import(1, "c", ["a", "b"]), resolve_import(2, "", ["a", "b"])
    ('a.b.c', 'a')

    :param level: number of leading dots
    :param package: names of the packages that contain the source, outermost first
    """
    if not level:
        return module
    parents = package[: len(package) - level + 1] if level <= len(package) else ()
    return ".".join(filter(None, (*parents, module))) if parents else ""


def iterate_parents(module: str) -> Iterator[str]:
    """Yield the packages that contain *module*, outermost first, and *module* itself.

    >>> list(iterate_parents("a.b.c"))
    ['a', 'a.b', 'a.b.c']
    """
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


# As of 3.10; the differences of the other versions follow.
_BASE_MINOR = 10
_BASE = """
    __future__ abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop
    base64 bdb binascii binhex bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code
    codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars
    copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils
    doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch
    fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib
    heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json
    keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap
    modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers
    opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform
    plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc
    pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched
    secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket
    socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string
    stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib
    tempfile termios textwrap this threading time timeit tkinter token tokenize trace traceback
    tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv
    warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile
    zipimport zlib zoneinfo
"""
# Minor version -> the names that it added, and those that it removed.
_ADDED = {9: "graphlib zoneinfo", 11: "tomllib", 14: "annotationlib compression", 15: "profiling"}
_REMOVED = {
    8: "macpath",
    9: "dummy_threading",
    10: "formatter parser symbol",
    11: "binhex",
    12: "asynchat asyncore distutils imp smtpd",
    13: """
        aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev
        pipes sndhdr spwd sunau telnetlib uu xdrlib
    """,
}


@functools.cache
def stdlib_modules(python: tuple[int, int]) -> frozenset[str]:
    """Return every public top-level module of the standard library of *python*.

    >>> "distutils" in stdlib_modules((3, 11)), "distutils" in stdlib_modules((3, 12))
    (True, False)

    :param python: (major, minor)
    """
    minor = python[1]
    names = set(_BASE.split())
    for version in range(_BASE_MINOR + 1, minor + 1):
        names |= set(_ADDED.get(version, "").split())
        names -= set(_REMOVED.get(version, "").split())
    for version in range(_BASE_MINOR, minor, -1):
        names -= set(_ADDED.get(version, "").split())
        names |= set(_REMOVED.get(version, "").split())
    return frozenset(names)


def ever_in_stdlib(module: str) -> bool:
    """Whether any Python since 3.7 has the top-level *module* in its standard library."""
    return any(module in stdlib_modules((3, minor)) for minor in (7, 8, 9, 10, 15))


# The modules of the projects that hosted runtimes provide.
PROVIDED_MODULES: Mapping[str, tuple[str, ...]] = {
    "awslambdaric": ("awslambdaric",),
    "boto3": ("boto3",),
    "botocore": ("botocore",),
    "jmespath": ("jmespath",),
    "python-dateutil": ("dateutil",),
    "s3transfer": ("s3transfer",),
    "simplejson": ("simplejson",),
    "six": ("six",),
    "urllib3": ("urllib3",),
}

# Modules whose project has another name. Dotted ones are below namespace packages, which several
# projects share.
IMPORT_NAMES: Mapping[str, str] = {
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "argon2": "argon2-cffi",
    "attr": "attrs",
    "aws_cdk": "aws-cdk-lib",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "elasticapm": "elastic-apm",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "github": "pygithub",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.cloud.logging": "google-cloud-logging",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
    "grpc": "grpcio",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "kafka": "kafka-python",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "mysql": "mysql-connector-python",
    "nacl": "pynacl",
    "opensearchpy": "opensearch-py",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.trace": "opentelemetry-api",
    # setuptools' own warning says to pin it like this: later versions have no pkg_resources.
    "pkg_resources": "setuptools<81",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pythonjsonlogger": "python-json-logger",
    "rest_framework": "djangorestframework",
    "ruamel.yaml": "ruamel-yaml",
    "serial": "pyserial",
    "shapefile": "pyshp",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "pysocks",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "wx": "wxpython",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}

# Modules that only some versions of the standard library have -> a project that replaces them.
_FORMER_STDLIB: Mapping[str, str] = {
    "asynchat": "pyasynchat",
    "asyncore": "pyasyncore",
    "cgi": "legacy-cgi",
    "cgitb": "legacy-cgi",
    "graphlib": "graphlib-backport",
    "tomllib": "tomli",
    "zoneinfo": "backports-zoneinfo",
}


def find_project(module: str) -> str | None:
    """Find the project that likely provides *module*; None if the tables don't list it.

    >>> find_project("yaml"), find_project("google.cloud.storage"), find_project("google.cloud.new")
    ('pyyaml', 'google-cloud-storage', None)

    :param module: dotted name; its longest known prefix decides
    """
    for name in reversed([*iterate_parents(module)]):
        found = IMPORT_NAMES.get(name) or _FORMER_STDLIB.get(name)
        if found:
            return found
    return next((name for name, modules in PROVIDED_MODULES.items() if module in modules), None)


def find_project_prefix(module: str) -> str | None:
    """Return the prefix of *module* that names a project within a shared namespace package.

    >>> find_project_prefix("google.cloud.storage.blob"), find_project_prefix("yaml.nodes")
    ('google.cloud.storage', None)
    """
    names = (name for name in iterate_parents(module) if "." in name and name in IMPORT_NAMES)
    return max(names, key=len, default=None)
