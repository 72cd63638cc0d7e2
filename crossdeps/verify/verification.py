"""Runs the rules over a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.verify.catalogue import CHECKS, RULES
from crossdeps.verify.model import Ignore
from crossdeps.verify.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crossdeps.bundle.model import Bundle
    from crossdeps.target import Target
    from crossdeps.verify.model import Finding
    from crossdeps.verify.surroundings import Surroundings


def verify(
    bundle: Bundle,
    target: Target,
    *,
    ignore: Iterable[Ignore] = (),
    assumed: Iterable[str] = (),
    surroundings: Surroundings | None = None,
) -> tuple[Finding, ...]:
    """Everything about *bundle* that its user should know before it runs on *target*.

    :param ignore: what the user doesn't want to hear of
    :param assumed: normalised names of projects that will be on the target although the bundle
        doesn't have them, such as those left out on purpose; what the target's runtime provides
        is assumed anyway
    :param surroundings: layers, what the runtime has, and the handler
    :returns: errors first, then by rule in the order of the reference, then by path
    :raises ArtifactReadError: if a file of the bundle can't be read again
    """
    silenced = tuple(ignore)
    order = {rule: position for position, rule in enumerate(RULES)}
    scene = Scene(bundle, target, assumed=frozenset(assumed), surroundings=surroundings)
    with scene:
        findings = [finding for check in CHECKS for finding in check(scene)]
    found = {(finding.rule, finding.owner) for finding in findings}
    told = [
        finding
        for finding in findings
        if not any((rule, finding.owner) in found for rule in RULES[finding.rule].explained_by)
        and not any(one.matches(finding) for one in silenced)
    ]
    return tuple(
        sorted(
            told,
            key=lambda one: (one.severity != "error", order[one.rule], one.path, one.message),
        )
    )


def parse_ignores(texts: Iterable[str]) -> tuple[Ignore, ...]:
    """Read ``RULE`` and ``RULE:GLOB``.

    :raises UsageError: if there is no such rule
    """
    return tuple(Ignore.parse(text, RULES) for text in texts)
