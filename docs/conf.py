from __future__ import annotations

from crossdeps.version import __version__

project = "crossdeps"
author = "The crossdeps developers"
project_copyright = "2026, The crossdeps developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "crossdeps"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The blocks with a prompt are copied without it.
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"

nitpicky = True
# Names of ours must resolve; those of the standard library and of other projects are only named,
# so that building the documentation needs no network.
# Signatures of public values name the types of their parts, whose modules are not public.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!crossdeps\.).*"),
    (r"py:class", r"crossdeps(\.\w+){3,}"),
]
