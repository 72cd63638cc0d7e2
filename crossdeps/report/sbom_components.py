"""Components of an SBOM: the artifact itself, and each project in it."""

from __future__ import annotations

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
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from packageurl import PackageURL

from crossdeps.report.visible import visible
from crossdeps.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cyclonedx.model.license import License

    from crossdeps.report.inspection import EmbeddedSbom, Inspection, Portion
    from crossdeps.report.licences import Licence

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
        name=visible(inspection.name),
        bom_ref="artifact",
        hashes=_hashes(hashes),
        properties=[Property(name=name, value=value) for name, value in facts.items() if value],
    )


def project_component(portion: Portion) -> Component:
    """A project: its package URL, licence, and the SBOMs that it brought along."""
    version = visible(portion.version)
    purl = PackageURL(type="pypi", name=portion.name, version=version or None)
    facts = {
        "crossdeps:unzipped": str(portion.size),
        "crossdeps:architecture": ", ".join(portion.machines),
        "crossdeps:glibc": portion.glibc,
    }
    properties = [Property(name=name, value=value) for name, value in facts.items() if value]
    properties += [
        Property(name="crossdeps:licence-file", value=visible(path))
        for path in portion.licence.files
    ]
    return Component(
        type=ComponentType.LIBRARY,
        name=visible(portion.name),
        version=version or None,
        bom_ref=project_reference(portion),
        purl=purl,
        description=visible(portion.summary) or None,
        hashes=_hashes(portion.hashes),
        licenses=_licences(portion.licence),
        external_references=[_reference(sbom) for sbom in portion.sboms],
        properties=properties,
    )


def project_reference(portion: Portion) -> str:
    """The bom-ref of a project."""
    return visible(f"{portion.name}=={portion.version}")


def _reference(sbom: EmbeddedSbom) -> ExternalReference:
    return ExternalReference(
        type=ExternalReferenceType.BOM,
        url=XsUri(quote(visible(sbom.path))),
        comment="brought along by the wheel (PEP 770); the path is that in the artifact",
        hashes=_hashes({"sha256": sbom.sha256}),
    )


def _licences(licence: Licence) -> list[License]:
    declared = LicenseAcknowledgement.DECLARED
    if licence.expression:
        return [LicenseExpression(licence.expression, acknowledgement=declared)]
    if licence.text:
        return [DisjunctiveLicense(name=visible(licence.text), acknowledgement=declared)]
    return []


def _hashes(hashes: Mapping[str, str]) -> list[HashType]:
    return [
        HashType(alg=_ALGORITHMS[name], content=digest)
        for name, digest in sorted(hashes.items())
        if name in _ALGORITHMS
    ]
