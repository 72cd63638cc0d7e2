"""What do we build for? The target, its tags and markers, and the table of hosted runtimes.

Nothing in this room asks the host: a :class:`Target` is made from what the user said and from
tables, so it means the same on every machine.
"""

from crossdeps.target.libc import Libc, LibcKind, platform_architecture
from crossdeps.target.model import Target
from crossdeps.target.provided import ProvidedProject, provided_projects
from crossdeps.target.runtimes import RUNTIMES, Limits, Runtime, find_runtime

__all__ = [
    "RUNTIMES",
    "Libc",
    "LibcKind",
    "Limits",
    "ProvidedProject",
    "Runtime",
    "Target",
    "find_runtime",
    "platform_architecture",
    "provided_projects",
]
