"""Hashes of what is fetched, computed as it arrives."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from crossdeps.errors import HashMismatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Algorithms that a page may list and that every Python has (PEP 503, and hashlib's
# algorithms_guaranteed). Another algorithm can't be checked, and doesn't count as a hash.
ALGORITHMS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s"}
    | {"sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)

STRONG = ALGORITHMS - {"md5", "sha1", "sha224", "sha3_224"}
"""Algorithms at least as strong as SHA-256; a file is trusted for one of these, or not at all."""


class Hasher:
    """sha256 and every listed algorithm, over the same bytes."""

    def __init__(self, expected: Mapping[str, str]) -> None:
        self._expected = {
            name.lower(): digest.lower()
            for name, digest in expected.items()
            if name.lower() in ALGORITHMS
        }
        self.restart()

    def restart(self) -> None:
        """Forget what was seen."""
        names = self._expected.keys() | {"sha256"}
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(names)}

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        for digest in self._digests.values():
            digest.update(data)

    @property
    def is_checking(self) -> bool:
        """Whether there is any hash to compare with."""
        return bool(self._expected)

    @property
    def sha256(self) -> str:
        """Hex digest of everything so far."""
        return self._digests["sha256"].hexdigest()

    def check(self, subject: str, *context: str) -> None:
        """Compare every listed hash.

        :raises HashMismatchError: if any differs
        """
        for name, digest in self._expected.items():
            found = self._digests[name].hexdigest()
            if found != digest:
                raise HashMismatchError(
                    f"the {name} hash of {subject} isn't the one that was expected",
                    context=(*context, f"expected {digest[:200]}", f"got      {found}"),
                    hint="the file was changed, or damaged on its way: "
                    "don't use it before you know which",
                )


def check_hashes(data: bytes, expected: Mapping[str, str], subject: str, *context: str) -> None:
    """Compare the hashes of *data*.

    :raises HashMismatchError: if any listed one differs
    """
    hasher = Hasher(expected)
    hasher.update(data)
    hasher.check(subject, *context)
