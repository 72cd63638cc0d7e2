"""An inspection as a tree of sizes: project, folder, file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdeps.report.inspection_text import OWN_FILES_LABEL
from crossdeps.report.sizes import human_size
from crossdeps.report.treemap import Node
from crossdeps.report.visible import visible

if TYPE_CHECKING:
    from crossdeps.report.inspection import Inspection, Portion

    Tree = dict[str, "Tree | int"]


def size_tree(inspection: Inspection) -> tuple[Node, ...]:
    """A node for each portion of the artifact, biggest first, with its folders and files."""
    return tuple(
        _portion_node(portion, inspection.prefix, group)
        for group, portion in enumerate(inspection.portions)
    )


def _portion_node(portion: Portion, prefix: str, group: int) -> Node:
    tree: Tree = {}
    for entry in portion.entries:
        inside = entry.path.removeprefix(prefix)
        *folders, name = inside.split("/")
        level = tree
        for folder in folders:
            # A zip may hold a file and a folder of one name: the folder gets a name of its own.
            found = level.setdefault(f"{folder}/", {})
            if isinstance(found, dict):
                level = found
        level[name] = entry.size
    name = visible(portion.name) or OWN_FILES_LABEL
    label = f"{name} {visible(portion.version)}".rstrip()
    return Node(
        label=label,
        title=f"{label}: {human_size(portion.size)}",
        size=portion.size,
        group=group,
        children=_children(tree, "", group),
    )


def _children(tree: Tree, base: str, group: int) -> tuple[Node, ...]:
    nodes = []
    for name, item in sorted(tree.items()):
        label, content = name, item
        # A folder with nothing but a folder in it needs no rectangle of its own.
        while isinstance(content, dict) and len(content) == 1:
            inner, below = next(iter(content.items()))
            label, content = label + inner, below
        path = base + label
        children = _children(content, path, group) if isinstance(content, dict) else ()
        size = content if isinstance(content, int) else sum(child.size for child in children)
        shown = visible(path)
        nodes.append(
            Node(
                label=visible(label),
                title=f"{shown}: {human_size(size)}",
                size=size,
                group=group,
                children=children,
            )
        )
    return tuple(sorted(nodes, key=lambda node: (-node.size, node.title)))
