"""Is it right? Rules over a bundle and its target, and the findings that they give."""

from crossdeps.verify.catalogue import RULES
from crossdeps.verify.model import Finding, FindingsError, Ignore, Rule, Severity
from crossdeps.verify.surroundings import Handler, Surroundings
from crossdeps.verify.verification import parse_ignores, verify

__all__ = [
    "RULES",
    "Finding",
    "FindingsError",
    "Handler",
    "Ignore",
    "Rule",
    "Severity",
    "Surroundings",
    "parse_ignores",
    "verify",
]
