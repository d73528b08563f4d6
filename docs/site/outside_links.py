"""What pages show of this repository outside of docs/.

A page that is nothing but a link to a Markdown file, and perhaps contents, shows that file. Of other
links, which on GitHub lead to the file, one to such a file leads to its page, any other file goes with
the site, and of a folder only the name is shown.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PAGES = {"README.md": "index", "CHANGELOG.md": "changelog", "config/README.md": "configuration"}
"""Files that pages show."""

SHOWN = re.compile(r"\A\[.*\]\(\.\./(.+\.md)\)$", re.M)
LINK = re.compile(r"(\]\()(?!\w+:|#|/)([^)\s]+)(?=\))")


def show_file(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the file in the link's place, its own links as they are from docs/."""
    shown = SHOWN.match(source[0])
    if not shown:
        return
    file = Path(app.srcdir).parent / shown[1]
    folder = (Path("..") / shown[1]).parent

    def from_here(link: re.Match[str]) -> str:
        return link[1] + Path(os.path.normpath(folder / link[2])).as_posix().removeprefix("../docs/")

    text = LINK.sub(from_here, file.read_text(encoding="utf-8"))
    app.env.note_dependency(str(file))
    source[0] = text + source[0][shown.end() :]


class OutsideLinks(SphinxTransform):
    """What is outside of docs/, before Sphinx looks for it among the pages."""

    default_priority = 500

    def apply(self) -> None:
        for kind in (addnodes.pending_xref, addnodes.download_reference):
            for node in list(self.document.findall(kind)):
                if node.get("reftype") == "myst":
                    self._lead(node)

    def _lead(self, node: nodes.Element) -> None:
        if node.get("refdomain") == "doc":  # which it takes for a page, since it ends as one
            target, part = Path(node["reftarget"] + ".md"), node["reftargetid"]
        else:
            path, _, part = node["reftarget"].partition("#")
            target = Path(os.path.normpath(self.env.relfn2path(path, node["refdoc"])[1]))
        repository = Path(self.env.srcdir).parent
        if not target.is_absolute() or not target.is_relative_to(repository):
            return
        name = target.relative_to(repository).as_posix()
        if name in PAGES:
            link = addnodes.pending_xref(
                refdomain="doc",
                reftype="myst",
                reftarget=PAGES[name],
                reftargetid=part or None,
                refdoc=node["refdoc"],
                refexplicit=True,
            )
            link += node.children
            node.replace_self(link)
        elif target.is_dir():
            node.replace_self(nodes.literal(name, name))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", show_file)
    app.add_transform(OutsideLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
