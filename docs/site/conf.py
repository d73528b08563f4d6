"""How the pages of docs/ become a site: `make docs`.

Nothing in it comes from a network, neither when it is built nor when it is read.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
REPO = HERE.parent.parent

# The library under the name that it has once it is installed, and the parts of this site.
sys.path[:0] = [str(REPO / "workflow_scripts"), str(HERE)]

project = "semantic-statistics"
author = "The semantic-statistics authors"
copyright = f"{author}, MIT licence"  # noqa: A001 -- Sphinx has the name
version = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
extensions += ["contents", "page_links", "api_pages", "plain_docstrings"]
exclude_patterns = ["site"]

stages = [
    stage
    for stage in re.findall(
        r'^include: "rules/(\w+)\.smk"$', (REPO / "Snakefile").read_text(encoding="utf-8"), re.M
    )
    if (REPO / f"docs/{stage}.md").is_file()
]
beside = ["notation", "error_bars", "model_types", "inputs", "performance"]
pages = {
    "index": ["findings", "tutorials", "howto", "stages", "api", "contributing"],
    "findings": ["gallery"],
    "tutorials": ["tutorial_laptop", "tutorial_cluster"],
    "howto": [
        "running",
        "add",
        "configuration",
        "results",
        "report",
        "verify",
        "cluster",
        "scale",
        "library",
        "security",
    ],
    "stages": [*stages, *beside],
    "contributing": ["changelog"],
}
"""What stands below each page, in order; api_pages adds the rooms of the library."""

# Pages are written for GitHub, too: what is a link there is one here.
myst_heading_anchors = 4

# Annotations as they stand in the code.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"Array": "Array"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "header_links_before_dropdown": len(pages["index"]),
    "navigation_depth": 2,
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
}
