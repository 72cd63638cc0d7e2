"""Components of an SBOM: the artifact itself, and each project in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from crossdeps.text import printable
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cyclonedx.model.license import License

    from crossdeps.report.inspect.inspection import EmbeddedSbom, Inspection, ProjectShare
    from crossdeps.report.inspect.project_metadata import Licence

_ALGORITHMS = {
    "md5": HashAlgorithm.MD5,
    "sha1": HashAlgorithm.SHA_1,
    "sha256": HashAlgorithm.SHA_256,
    "sha384": HashAlgorithm.SHA_384,
    "sha512": HashAlgorithm.SHA_512,
    "sha3_256": HashAlgorithm.SHA3_256,
    "sha3_384": HashAlgorithm.SHA3_384,
    "sha3_512": HashAlgorithm.SHA3_512,
}


def tool_component() -> Component:
    """What wrote the SBOM."""
    return Component(type=ComponentType.APPLICATION, name="crossdeps", version=__version__)


def artifact_component(inspection: Inspection) -> Component:
    """The artifact: an application, with the hash of the zip."""
    facts = {
        "crossdeps:target": inspection.target.describe() if inspection.target else "",
        "crossdeps:architecture": ", ".join(inspection.machines),
        "crossdeps:glibc": inspection.glibc,
        "crossdeps:unzipped": str(inspection.size),
        "crossdeps:content-sha256": inspection.digest,
    }
    hashes = {"sha256": inspection.sha256} if inspection.sha256 else {}
    return Component(
        type=ComponentType.APPLICATION,
        name=printable(inspection.name),
        bom_ref="artifact",
        hashes=_hashes(hashes),
        properties=[Property(name=name, value=value) for name, value in facts.items() if value],
    )


def project_component(share: ProjectShare) -> Component:
    """A project: its package URL, licence, and the SBOMs that it brought along."""
    version = printable(share.version)
    purl = PackageURL(type="pypi", name=share.name, version=version or None)
    facts = {
        "crossdeps:unzipped": str(share.size),
        "crossdeps:architecture": ", ".join(share.machines),
        "crossdeps:glibc": share.glibc,
    }
    properties = [Property(name=name, value=value) for name, value in facts.items() if value]
    properties += [
        Property(name="crossdeps:licence-file", value=printable(path))
        for path in share.licence.files
    ]
    return Component(
        type=ComponentType.LIBRARY,
        name=printable(share.name),
        version=version or None,
        bom_ref=project_reference(share),
        purl=purl,
        description=printable(share.summary) or None,
        hashes=_hashes(share.hashes),
        licenses=_licences(share.licence),
        external_references=[_reference(sbom) for sbom in share.sboms],
        properties=properties,
    )


def project_reference(share: ProjectShare) -> str:
    """The bom-ref of a project."""
    return printable(f"{share.name}=={share.version}")


def _reference(sbom: EmbeddedSbom) -> ExternalReference:
    return ExternalReference(
        type=ExternalReferenceType.BOM,
        url=XsUri(quote(printable(sbom.path))),
        comment="brought along by the wheel (PEP 770); the path is that in the artifact",
        hashes=_hashes({"sha256": sbom.sha256}),
    )


def _licences(licence: Licence) -> list[License]:
    declared = LicenseAcknowledgement.DECLARED
    if licence.expression:
        return [LicenseExpression(licence.expression, acknowledgement=declared)]
    if licence.text:
        return [DisjunctiveLicense(name=printable(licence.text), acknowledgement=declared)]
    return []


def _hashes(hashes: Mapping[str, str]) -> list[HashType]:
    return [
        HashType(alg=_ALGORITHMS[name], content=digest)
        for name, digest in sorted(hashes.items())
        if name in _ALGORITHMS
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """What an embedded SBOM tells beside the project itself.

    :param components: with references that no other SBOM has
    :param dependencies: component -> what it needs
    :param roots: what nothing else of them needs: the project is made with it
    """

    components: tuple[Component, ...]
    dependencies: tuple[tuple[Component, tuple[Component, ...]], ...]
    roots: tuple[Component, ...]


def read_embedded(sbom: EmbeddedSbom, share: ProjectShare) -> Embedded | None:
    """Read an SBOM if it is CycloneDX in JSON; None where it isn't, or is wrong."""
    try:
        document = json.loads(sbom.data)
        if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
            return None
        bom = Bom.from_json(document)  # type: ignore[attr-defined]
        if not isinstance(bom, Bom):
            return None
        embedded = _embedded(bom, sbom, share)
        # What can't be written again would spoil the whole document.
        JsonV1Dot6(Bom(components=embedded.components)).output_as_string()
    except Exception:  # noqa: BLE001 - whatever the library makes of anybody's document
        return None
    return embedded


def _embedded(bom: Bom, sbom: EmbeddedSbom, share: ProjectShare) -> Embedded:
    subject = bom.metadata.component
    is_project = subject is not None and _is_project(subject, share)
    listed = [*([subject] if subject is not None else []), *bom.components]
    everything = list(_flat(listed))
    own = {
        str(component.bom_ref.value) for component in everything if _is_project(component, share)
    }
    by_reference: dict[str, Component] = {}
    for component in everything:
        reference = str(component.bom_ref.value)
        if component.bom_ref.value and reference not in own:
            by_reference[reference] = component
    edges = {
        str(dependency.ref.value): [
            str(each.ref.value)
            for each in dependency.dependencies
            if str(each.ref.value) in by_reference
        ]
        for dependency in bom.dependencies
    }
    dependencies = [
        (by_reference[reference], tuple(by_reference[each] for each in edges[reference]))
        for reference in sorted(edges)
        if reference in by_reference
    ]
    kept = [component for component in listed if not _is_project(component, share)]
    needed = {each for reference in edges if reference not in own for each in edges[reference]}
    roots = [
        component
        for component in kept
        if not component.bom_ref.value or str(component.bom_ref.value) not in needed
    ]
    if is_project and subject is not None:
        direct = edges.get(str(subject.bom_ref.value), [])
        roots += [by_reference[each] for each in direct if each in needed]
    _rename(_flat(kept), sbom, share)
    return Embedded(components=tuple(kept), dependencies=tuple(dependencies), roots=tuple(roots))


def _is_project(component: Component, share: ProjectShare) -> bool:
    """Whether it is the project itself, which the artifact's own SBOM has already."""
    if component.purl is not None and component.purl.type != "pypi":
        return False
    return canonicalize_name(component.name) == share.name


def _flat(components: Iterable[Component]) -> Iterator[Component]:
    for component in components:
        yield component
        yield from _flat(component.components)


def _rename(components: Iterable[Component], sbom: EmbeddedSbom, share: ProjectShare) -> None:
    """Give each component a reference of its own, which says where it is from."""
    prefix = f"{project_reference(share)}#{printable(sbom.path.partition('/sboms/')[2])}"
    taken: set[str] = set()
    for number, component in enumerate(components):
        reference = printable(component.bom_ref.value or f"{number}")
        while reference in taken:
            reference = f"{reference}#{number}"
        taken.add(reference)
        component.bom_ref.value = f"{prefix}#{reference}"
