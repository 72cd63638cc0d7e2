"""An inspection as an SBOM: CycloneDX 1.6 in JSON, written by the format's own library.

The library is an optional extra. There is no time and no random number in the document: its serial
number is made from its content, so that the same artifact gives the same bytes.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from crossdeps.errors import UsageError
from crossdeps.report.inspect.project_metadata import find_roots

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

    from crossdeps.report.inspect.inspection import Inspection

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.6")


def check_library() -> None:
    """See that the library is there.

    :raises UsageError: if it isn't, with the command that installs it
    """
    try:
        import cyclonedx  # noqa: F401, PLC0415 - an optional extra
    except ImportError:
        raise UsageError(
            "an SBOM needs cyclonedx-python-lib, which isn't installed",
            hint="pip install 'crossdeps[sbom]'",
            rule="missing-extra",
        ) from None


def render_sbom(inspection: Inspection) -> tuple[str, tuple[str, ...]]:
    """The SBOM of an artifact, and what its user should know, one sentence each.

    Sources: CycloneDX 1.6; PEP 770 for SBOMs in wheels; the package URL specification, type pypi.

    :raises UsageError: if the library isn't installed
    """
    check_library()
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 - an optional extra

    bom, warnings = _bom(inspection)
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)
    document.pop("serialNumber", None)
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, content).urn
    return json.dumps(document, indent=2, sort_keys=True) + "\n", warnings


def _bom(inspection: Inspection) -> tuple[Bom, tuple[str, ...]]:
    from cyclonedx.model.bom import Bom  # noqa: PLC0415 - an optional extra

    from crossdeps.report.inspect.sbom_components import (  # noqa: PLC0415 - needs the library
        artifact_component,
        project_component,
        read_embedded,
        tool_component,
    )

    bom = Bom()
    bom.metadata.tools.components.add(tool_component())
    artifact = artifact_component(inspection)
    bom.metadata.component = artifact
    components = {share.name: project_component(share) for share in inspection.projects}
    warnings: list[str] = []
    inside: dict[str, list[Component]] = {name: [] for name in components}
    for share in inspection.projects:
        for sbom in share.sboms:
            embedded = read_embedded(sbom, share)
            if embedded is None:
                warnings.append(f"{sbom.path} is referred to, but can't be taken over")
                continue
            inside[share.name] += embedded.roots
            for component in embedded.components:
                bom.components.add(component)
            for component, needed in embedded.dependencies:
                bom.register_dependency(component, needed)
    for share in inspection.projects:
        component = components[share.name]
        bom.components.add(component)
        required = [components[name] for name in share.requires]
        bom.register_dependency(component, [*required, *inside[share.name]])
    graph = {share.name: share.requires for share in inspection.projects}
    bom.register_dependency(artifact, [components[name] for name in find_roots(graph)])
    return bom, tuple(warnings)
