"""What does a native binary say of itself? Facts about ELF, Mach-O and PE bytes, and no judgement.

The readers are total: bytes that are damaged or hostile give facts with a ``problem``, never an
exception and never a long wait. They read headers and dynamic tables only, so a large library
takes no longer than a small one.
"""

from crossdeps.binaries.model import BinaryFacts, BinaryFormat
from crossdeps.binaries.reader import is_binary_head, read_binary

__all__ = ["BinaryFacts", "BinaryFormat", "is_binary_head", "read_binary"]
