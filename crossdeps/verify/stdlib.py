"""The standard library's top-level modules, for each minor version of CPython.

Source: ``sys.stdlib_module_names`` of CPython 3.10 to 3.13; for 3.7 to 3.9 the library's own
directory; "What's New" for 3.14 and 3.15. Names with a leading underscore are nobody's business
and left out, but for ``__future__``.
"""

from __future__ import annotations

# As of 3.10; the differences of the others follow.
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
# Minor version -> the names that came with it, and those that went.
_ADDED = {
    9: "graphlib zoneinfo",
    11: "tomllib",
    14: "annotationlib compression",
    15: "profiling",
}
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


def stdlib_modules(python: tuple[int, int]) -> frozenset[str]:
    """Every public top-level module of the standard library of *python*.

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
