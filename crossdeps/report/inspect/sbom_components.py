"""Components of an SBOM: the artifact, its projects, and what embedded SBOMs list.

Needs cyclonedx-python-lib, which is an optional extra.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
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


def build_tool() -> Component:
    """Build the component of the tool that wrote the SBOM."""
    return Component(type=ComponentType.APPLICATION, name="crossdeps", version=__version__)


def build_artifact(inspection: Inspection) -> Component:
    """Build the component of the artifact: an application, with the hash of the zip."""
    return Component(
        type=ComponentType.APPLICATION,
        name=printable(inspection.name),
        bom_ref="artifact",
        hashes=_build_hashes({"sha256": inspection.sha256} if inspection.sha256 else {}),
        properties=_build_properties(
            target=inspection.target.describe() if inspection.target else "",
            architecture=", ".join(inspection.machines),
            glibc=inspection.glibc,
            unzipped=str(inspection.size),
            content_sha256=inspection.digest,
        ),
    )


def build_project(share: ProjectShare) -> Component:
    """Build the component of a project: package URL, licence and references to its SBOMs."""
    version = printable(share.version) or None
    properties = _build_properties(
        unzipped=str(share.size), architecture=", ".join(share.machines), glibc=share.glibc
    )
    for path in share.licence.files:
        properties += _build_properties(licence_file=printable(path))
    return Component(
        type=ComponentType.LIBRARY,
        name=printable(share.name),
        version=version,
        bom_ref=_project_reference(share),
        purl=PackageURL(type="pypi", name=share.name, version=version),
        description=printable(share.summary) or None,
        hashes=_build_hashes(share.hashes),
        licenses=_build_licences(share.licence),
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.BOM,
                url=XsUri(quote(printable(sbom.path))),
                comment="brought along by the wheel (PEP 770); the path is that in the artifact",
                hashes=_build_hashes({"sha256": sbom.sha256}),
            )
            for sbom in share.sboms
        ],
        properties=properties,
    )


def _build_properties(**facts: str) -> list[Property]:
    return [
        Property(name=f"crossdeps:{name.replace('_', '-')}", value=value)
        for name, value in facts.items()
        if value
    ]


def _project_reference(share: ProjectShare) -> str:
    return printable(f"{share.name}=={share.version}")


def _build_licences(licence: Licence) -> list[License]:
    declared = LicenseAcknowledgement.DECLARED
    if licence.expression:
        return [LicenseExpression(licence.expression, acknowledgement=declared)]
    if licence.text:
        return [DisjunctiveLicense(name=printable(licence.text), acknowledgement=declared)]
    return []


def _build_hashes(hashes: Mapping[str, str]) -> list[HashType]:
    return [
        HashType(alg=_ALGORITHMS[name], content=digest)
        for name, digest in sorted(hashes.items())
        if name in _ALGORITHMS
    ]


class EmbeddedComponents(msgspec.Struct, frozen=True, kw_only=True):
    """The components that an embedded SBOM lists besides the project itself.

    :param components: with references that no other SBOM uses
    :param dependencies: component -> its direct dependencies
    :param roots: components that no other depends on: direct dependencies of the project
    """

    components: tuple[Component, ...]
    dependencies: tuple[tuple[Component, tuple[Component, ...]], ...]
    roots: tuple[Component, ...]


def read_embedded(sbom: EmbeddedSbom, share: ProjectShare) -> EmbeddedComponents | None:
    """Read an embedded SBOM; None if it isn't valid CycloneDX in JSON."""
    try:
        document = json.loads(sbom.data)
        if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
            return None
        bom = Bom.from_json(document)  # type: ignore[attr-defined]
        if not isinstance(bom, Bom):
            return None
        embedded = _extract_components(bom, sbom, share)
        # A component that cannot be serialized would make the whole document fail.
        JsonV1Dot6(Bom(components=embedded.components)).output_as_string()
    except Exception:  # noqa: BLE001 - the library raises anything on malformed documents
        return None
    return embedded


def _extract_components(bom: Bom, sbom: EmbeddedSbom, share: ProjectShare) -> EmbeddedComponents:
    subject = bom.metadata.component
    listed = [*([subject] if subject is not None else []), *bom.components]
    everything = list(_flatten(listed))
    own = {_reference(each) for each in everything if _is_project(each, share)}
    by_reference = {
        reference: component
        for component in everything
        if component.bom_ref.value and (reference := _reference(component)) not in own
    }
    edges = {
        str(dependency.ref.value): [
            reference
            for each in dependency.dependencies
            if (reference := str(each.ref.value)) in by_reference
        ]
        for dependency in bom.dependencies
    }
    dependencies = [
        (by_reference[reference], tuple(by_reference[each] for each in edges[reference]))
        for reference in sorted(edges)
        if reference in by_reference
    ]
    kept = [component for component in listed if not _is_project(component, share)]
    required = {each for reference in edges if reference not in own for each in edges[reference]}
    roots = [
        component
        for component in kept
        if not component.bom_ref.value or _reference(component) not in required
    ]
    if subject is not None and _is_project(subject, share):
        direct = edges.get(_reference(subject), [])
        roots += [by_reference[each] for each in direct if each in required]
    _rename(_flatten(kept), sbom, share)
    return EmbeddedComponents(
        components=tuple(kept), dependencies=tuple(dependencies), roots=tuple(roots)
    )


def _reference(component: Component) -> str:
    return str(component.bom_ref.value)


def _is_project(component: Component, share: ProjectShare) -> bool:
    """Whether *component* is the project itself, which the artifact's own SBOM lists already."""
    if component.purl is not None and component.purl.type != "pypi":
        return False
    return canonicalize_name(component.name) == share.name


def _flatten(components: Iterable[Component]) -> Iterator[Component]:
    for component in components:
        yield component
        yield from _flatten(component.components)


def _rename(components: Iterable[Component], sbom: EmbeddedSbom, share: ProjectShare) -> None:
    """Give each component a unique reference that names the SBOM it is from."""
    prefix = f"{_project_reference(share)}#{printable(sbom.path.partition('/sboms/')[2])}"
    taken: set[str] = set()
    for number, component in enumerate(components):
        reference = printable(component.bom_ref.value or f"{number}")
        while reference in taken:
            reference = f"{reference}#{number}"
        taken.add(reference)
        component.bom_ref.value = f"{prefix}#{reference}"
