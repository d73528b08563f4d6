"""What links of pages are here, which on GitHub lead to files.

A page that is nothing but a link to a Markdown file outside of docs/ shows that file, and links to
it lead to its page. Any other file goes with the site, and of a folder only the name is shown. A
link whose text is the name of a page has its title instead.
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

PAGE_NAME = re.compile(r"(?:[\w.]+/)*\w+\.md")

SHOWN = re.compile(r"\A\[.*\]\(\.\./(.+\.md)\)$", re.M)
LINK = re.compile(r"(\]\()(?!\w+:|#|/)([^)\s]+)(?=\))")


def show_file(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Put the file in the link's place, its own links as they are from docs/."""
    shown = SHOWN.match(source[0])
    if not shown:
        return
    file = Path(app.srcdir).parent / shown[1]
    folder = (Path("..") / shown[1]).parent

    def from_here(link: re.Match[str]) -> str:
        return link[1] + Path(os.path.normpath(folder / link[2])).as_posix().removeprefix(
            "../docs/"
        )

    text = LINK.sub(from_here, file.read_text(encoding="utf-8"))
    app.env.note_dependency(str(file))
    source[0] = text + source[0][shown.end() :]


class Links(SphinxTransform):
    """Links of pages, before Sphinx looks for what they lead to."""

    default_priority = 500

    def apply(self) -> None:
        for kind in (addnodes.pending_xref, addnodes.download_reference):
            for node in list(self.document.findall(kind)):
                if node.get("reftype") == "myst":
                    self._lead(node)

    def _lead(self, node: nodes.Element) -> None:
        target = self._outside(node)
        if target and target in PAGES:
            node.attributes |= {"reftarget": PAGES[target], "refdomain": "doc"}
        elif target and Path(self.env.srcdir, "..", target).is_dir():
            node.replace_self(nodes.literal(target, target))
        elif target and node.get("refdomain") == "doc":
            file = addnodes.download_reference(refdoc=node["refdoc"], reftarget=f"/../{target}")
            file += node.children
            node.replace_self(file)
            return
        if node.get("refdomain") == "doc" and PAGE_NAME.fullmatch(node.astext()):
            node["refexplicit"] = False
            for text in list(node.findall(nodes.Text)):
                text.parent.remove(text)

    def _outside(self, node: nodes.Element) -> str | None:
        """The file or folder that a link is to, if that is in the repository and not in docs/."""
        repository = Path(self.env.srcdir).parent
        if node.get("refdomain") == "doc":  # which it takes for a page, since it ends as one
            page = node["reftarget"]
            files = (Path(page + suffix) for suffix in (".md", ".rst"))
            target = next((file for file in files if file.exists()), Path())
        else:
            path, _, node["reftargetid"] = node["reftarget"].partition("#")
            target = Path(os.path.normpath(self.env.relfn2path(path, node["refdoc"])[1]))
        if not target.is_absolute() or not target.is_relative_to(repository):
            return None
        return target.relative_to(repository).as_posix()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", show_file, priority=400)
    app.add_transform(Links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
