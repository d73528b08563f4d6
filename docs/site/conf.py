"""How the pages of docs/ become a site: `make docs`, or sphinx-build -W -c docs/site docs build/site.

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
version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "api_pages", "outside_links", "plain_docstrings"]
exclude_patterns = ["site"]

# Pages are written for GitHub, too: what is a link there is one here.
myst_heading_anchors = 4
myst_links_external_new_tab = False

# Annotations as they stand in the code.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "semantic-statistics"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
    "article_footer_items": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

INCLUDED = re.compile(r'^include: "rules/(\w+)\.smk"$', re.M)
stages = [
    stage
    for stage in INCLUDED.findall((REPO / "Snakefile").read_text(encoding="utf-8"))
    if (REPO / f"docs/{stage}.md").is_file()
]
"""In the order in which the Snakefile includes them."""
