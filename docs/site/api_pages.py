"""A page for each room of the library, made from its modules.

The pages are written into docs/api/, which is not kept, when the site is built.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

LIBRARY = Path(__file__).parents[2] / "workflow_scripts" / "semstat"


def rooms() -> dict[str, list[str]]:
    """Modules by room, the library's own first: what the pages of the reference are of."""
    found: dict[str, list[str]] = {"semstat": []}
    for path in sorted(LIBRARY.rglob("*.py")):
        module = ["semstat", *path.relative_to(LIBRARY).with_suffix("").parts]
        if module[-1] == "__init__":
            module.pop()
        room = ".".join(module[:2]) if path.parent != LIBRARY else "semstat"
        if ".".join(module) != room:
            found.setdefault(room, []).append(".".join(module))
    return found


def page(room: str, modules: list[str]) -> str:
    """The page of a room: what it is, and each module under a heading."""
    text = [room, "=" * len(room), "", f".. automodule:: {room}", "   :no-members:", ""]
    for module in modules:
        name = module.removeprefix(room + ".")
        text += [name, "-" * len(name), "", f".. automodule:: {module}", ""]
    return "\n".join(text)


def write_pages(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    app.config.pages["api"] = [f"api/{room}" for room in rooms()]
    pages = {f"{room}.rst": page(room, modules) for room, modules in rooms().items()}
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
