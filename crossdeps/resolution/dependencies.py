"""From a version's metadata to what it wants under the target's markers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from crossdeps.errors import InputError
from crossdeps.resolution.wants import Impossible, Want, exact_version, is_bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.requirements import Requirement
    from packaging.utils import NormalizedName

    from crossdeps.inputs.model import DirectSource
    from crossdeps.resolution.asked import Asked
    from crossdeps.resolution.markers import Markers
    from crossdeps.resolution.metadata import CoreMetadata


class Dependencies:
    """Turns core metadata into wants. Safe to share between threads: its memory only grows."""

    def __init__(
        self,
        *,
        markers: Markers,
        asked: Asked,
        sources: Mapping[NormalizedName, DirectSource],
    ) -> None:
        self._markers = markers
        self._asked = asked
        self._sources = sources
        self._wants: dict[tuple[str, frozenset[NormalizedName]], Want] = {}

    def closure(
        self, metadata: CoreMetadata, extras: frozenset[NormalizedName]
    ) -> frozenset[NormalizedName]:
        """*extras*, and those that they ask for of the project itself, such as ``all``."""
        found = set(extras)
        waiting = ["", *extras]
        own = [item for item in metadata.requires if canonicalize_name(item.name) == metadata.name]
        while waiting:
            extra = waiting.pop()
            for item in own:
                if self._markers.hold(item.marker, extra):
                    more = {canonicalize_name(name) for name in item.extras} - found
                    found |= more
                    waiting += sorted(more)
        return frozenset(found)

    def of(
        self, metadata: CoreMetadata, extras: frozenset[NormalizedName]
    ) -> tuple[Want | Impossible, ...]:
        """What the version wants when it is asked for with *extras*, in file order.

        :raises InputError: in hash mode, if a wanted project has no hash
        """
        if self._asked.policy.no_deps:
            return ()
        asked_for = ("", *sorted(self.closure(metadata, extras)))
        wants: dict[int, Want | Impossible] = {}
        for item in metadata.requires:
            if not any(self._markers.hold(item.marker, extra) for extra in asked_for):
                continue
            for want in self._want(metadata, item):
                wants[id(want)] = want
        return tuple(wants.values())

    def _want(self, metadata: CoreMetadata, item: Requirement) -> tuple[Want | Impossible, ...]:
        name = canonicalize_name(item.name)
        # A version that asks for itself is content with itself; with its extras the closure deals.
        if name == metadata.name and item.specifier.contains(metadata.version, prereleases=True):
            return ()
        if item.url and (problem := self._address_problem(metadata, name, item.url)):
            return (problem,)
        extras = frozenset(canonicalize_name(extra) for extra in item.extras)
        key = (f"{name} {item.specifier}", extras)
        want = self._wants.get(key)
        if want is None:
            specifier = SpecifierSet() if item.url else item.specifier
            want = self._wants[key] = Want(
                name=name,
                specifier=specifier,
                extras=extras,
                text=_text(item),
                pinned=exact_version(specifier) is not None,
                bounded=is_bounded(specifier),
            )
        if self._asked.hash_mode:
            self._check_hashed(metadata, want)
        return self._asked.wants(name, want)

    def _address_problem(
        self, metadata: CoreMetadata, name: NormalizedName, url: str
    ) -> Impossible | None:
        """An address counts only where the user gave the same one for the project."""
        source = self._sources.get(name)
        if source is not None and urldefrag(source.location)[0] == urldefrag(url)[0]:
            return None
        return Impossible(
            name=metadata.name,
            version=metadata.version,
            reason="metadata",
            detail=f"it wants {name} from {url}, an address that the requirements don't name",
        )

    def _check_hashed(self, metadata: CoreMetadata, want: Want) -> None:
        if want.name in self._asked.hashes or want.name in self._sources:
            return
        raise InputError(
            f"hashes are required, and {want.name} has none",
            context=(f"{metadata.name} {metadata.version} wants {want.text}",),
            hint=f"add {want.name} with its pin and hashes to the requirements",
            rule="unhashed",
        )


def _text(item: Requirement) -> str:
    """The requirement without its marker, which holds."""
    extras = f"[{','.join(sorted(item.extras))}]" if item.extras else ""
    return (
        f"{item.name}{extras} @ {item.url}" if item.url else f"{item.name}{extras}{item.specifier}"
    )
