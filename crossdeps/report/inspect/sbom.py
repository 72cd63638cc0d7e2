"""An inspection as an SBOM: CycloneDX 1.6 in JSON, written by the format's own library.

The library is an optional extra. The document contains no time and no random number: its serial
number is derived from its content, so that the same artifact gives the same bytes.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from crossdeps.errors import UsageError
from crossdeps.report.inspect.project_metadata import find_roots

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom

    from crossdeps.report.inspect.inspection import Inspection

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://cyclonedx.org/schema/bom-1.6")


def check_library() -> None:
    """Check that cyclonedx-python-lib is installed.

    :raises UsageError: if it isn't, with the command that installs it
    """
    try:
        import cyclonedx  # noqa: F401, PLC0415 - an optional extra
    except ImportError:
        raise UsageError(
            "SBOMs require cyclonedx-python-lib, which is not installed",
            hint="install it beside crossdeps: pip install cyclonedx-python-lib",
            rule="missing-extra",
        ) from None


def render_sbom(inspection: Inspection) -> tuple[str, tuple[str, ...]]:
    """Render the SBOM of an artifact; return it with warnings, one sentence each.

    Sources: CycloneDX 1.6; PEP 770 for SBOMs in wheels; the package URL specification, type pypi.

    :raises UsageError: if the library isn't installed
    """
    check_library()
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415 - an optional extra

    bom, warnings = _build_bom(inspection)
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)
    document.pop("serialNumber", None)
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, content).urn
    return json.dumps(document, indent=2, sort_keys=True) + "\n", warnings


def _build_bom(inspection: Inspection) -> tuple[Bom, tuple[str, ...]]:
    from cyclonedx.model.bom import Bom  # noqa: PLC0415 - an optional extra

    from crossdeps.report.inspect.sbom_components import (  # noqa: PLC0415 - needs the library
        build_artifact,
        build_project,
        build_tool,
        read_embedded,
    )

    bom = Bom()
    bom.metadata.tools.components.add(build_tool())
    artifact = bom.metadata.component = build_artifact(inspection)
    components = {share.name: build_project(share) for share in inspection.projects}
    warnings: list[str] = []
    for share in inspection.projects:
        component = components[share.name]
        dependencies = [components[name] for name in share.requires]
        for sbom in share.sboms:
            embedded = read_embedded(sbom, share)
            if embedded is None:
                warnings.append(f"{sbom.path} is referenced only: it cannot be read as CycloneDX")
                continue
            dependencies += embedded.roots
            for each in embedded.components:
                bom.components.add(each)
            for dependent, required in embedded.dependencies:
                bom.register_dependency(dependent, required)
        bom.components.add(component)
        bom.register_dependency(component, dependencies)
    graph = {share.name: share.requires for share in inspection.projects}
    bom.register_dependency(artifact, [components[name] for name in find_roots(graph)])
    return bom, tuple(warnings)
