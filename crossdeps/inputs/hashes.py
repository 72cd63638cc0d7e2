"""Hashes that a requirement accepts: ``--hash`` and URL fragments."""

from __future__ import annotations

import re

from crossdeps.errors import InputError

_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_WEAK = frozenset({"md5", "sha1", "sha224"})
_HEX = re.compile(r"[0-9a-fA-F]*")


def is_hash_name(text: str) -> bool:
    """Whether *text* is the name of a hash, strong enough or not."""
    return text in _DIGEST_LENGTHS or text in _WEAK


def parse_hash(text: str) -> str:
    """Return ``algorithm:hexdigest`` in lower case.

    Accepted as pip does in hash-checking mode: SHA-256, SHA-384 and SHA-512.

    :raises InputError: if it is malformed, or of an algorithm that is weak or unknown
    """
    algorithm, colon, digest = text.partition(":")
    algorithm = algorithm.strip().lower()
    if not colon:
        raise InputError(
            "a hash must be written algorithm:hexdigest", hint="such as sha256:2cf24dba5fb0a30e…"
        )
    if algorithm in _WEAK:
        raise InputError(
            f"{algorithm} is too weak to trust a file by", hint="give its SHA-256: sha256:…"
        )
    length = _DIGEST_LENGTHS.get(algorithm)
    if length is None:
        raise InputError(
            f"unknown hash algorithm {algorithm[:20]!a}",
            hint=f"known are {', '.join(_DIGEST_LENGTHS)}",
        )
    if len(digest) != length or not _HEX.fullmatch(digest):
        raise InputError(
            f"a {algorithm} hash is {length} hexadecimal digits; this one isn't",
            hint="copy it again: it may have been cut off",
        )
    return f"{algorithm}:{digest.lower()}"


def combine_hashes(given: frozenset[str], in_url: str | None) -> frozenset[str]:
    """Return the hashes that satisfy both the ``--hash`` options and the URL's own hash.

    :raises InputError: if none does
    """
    if in_url is None:
        return given
    if given and in_url not in given:
        raise InputError(
            "the hash in the URL isn't among those given with --hash", hint="remove one of them"
        )
    return frozenset({in_url})
