"""What exists? Index pages, metadata and files, from the network, a cache or a disk.

:func:`open_index` gives the client that the resolver and the downloads ask. Pages are parsed by
pure functions; sockets are opened in :mod:`crossdeps.index.session` only.
"""

from crossdeps.index.cache import CacheSize, IndexCache
from crossdeps.index.client import IndexClient
from crossdeps.index.model import Index, ProjectFile, ProjectPage
from crossdeps.index.opening import open_index
from crossdeps.index.pages import ProjectFiles

__all__ = [
    "CacheSize",
    "Index",
    "IndexCache",
    "IndexClient",
    "ProjectFile",
    "ProjectFiles",
    "ProjectPage",
    "open_index",
]
