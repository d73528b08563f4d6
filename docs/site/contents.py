"""The contents of the site, which pages do not have: on GitHub they would stand there as code."""

from __future__ import annotations

from sphinx.application import Sphinx


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Say below a page what stands under it."""
    under = app.config.pages.get(docname)
    if under:
        source[0] += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(under) + "\n```\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("pages", {}, "env", dict)
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
