"""Which code a command is made of, and its digest, without what the code merely says.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock

PACKAGE = Path(__file__).parents[1]

SPEECH = ("running/command.py", "semstat/errors.py")
"""Files left out of digests: how a command reads its options, shows its progress and complains."""

LOGGING = ("debug", "info", "warning", "error")
"""Methods of `log` whose calls only speak."""

PARSING = Lock()
"""Held while a file is parsed: Python 3.11 fails at times where two threads do so (gh-106905)."""

STATEMENT_LISTS = ("body", "orelse", "finalbody", "handlers", "cases")


@cache
def digest_of_code(command: str) -> str:
    """One digest of a command's source files, which each rule has in its shell command.

    So an edit reruns what depends on it, and one that is reverted, or that changes comments,
    docstrings and messages only, reruns nothing. Inputs would do so too, but a dozen of them a job
    take a quarter of the time in which a large graph is made.
    """
    lines = [f"{found}  {name}\n" for name, found in code_of(command).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def code_of(*modules: str) -> dict[str, str]:
    """Source files of a command: its own, and what it imports from this package, transitively.

    Read off the import statements, so that no list can go stale; `SPEECH` is left out.

    Parameters
    ----------
    modules : room and module in this package, such as "thermodynamics.count_states"; with those
        that it loads by name.

    Returns
    -------
    the files by their places in the checkout, sorted, each with its digest.

    Raises
    ------
    ModuleNotFoundError
        If there is no such command, or one of the files imports what is not there.
    """
    waiting = [file for name in modules for file in _run(PACKAGE, tuple(name.split(".")), name)]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path)[1]
    spoken = {PACKAGE / name for name in SPEECH}
    return {
        str(path.relative_to(PACKAGE.parent)): digest_of(path) for path in sorted(found - spoken)
    }


def digest_of(path: Path) -> str:
    """Digest of what a source file does: without comments, docstrings, messages and layout."""
    return _read(path)[0]


@cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of one file, and the files of this package that it imports, anywhere in it."""
    with PARSING:
        tree = ast.parse(path.read_bytes())
    imports = [node for node in _statements(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    found = {file for node in imports for file in _imported(path, node)}
    _silence(tree)
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest(), tuple(sorted(found))


def _blocks(node: ast.AST) -> Iterator[tuple[str, list[ast.AST]]]:
    """The lists of statements in a statement; expressions, most of a file, are not looked into."""
    for name in STATEMENT_LISTS:
        block = getattr(node, name, None)
        if isinstance(block, list):  # the body of a lambda or of `x if y else z` is none
            yield name, block


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    for _, block in _blocks(node):
        for child in block:
            yield child
            yield from _statements(child)


def _silence(node: ast.AST) -> None:
    """Take out of a program what it merely says."""
    for name, block in _blocks(node):
        kept = [child for child in block if not _speaks(child)]
        setattr(node, name, kept)
        for child in kept:
            if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
                child.exc = child.exc.func
            for item in getattr(child, "items", []):
                if isinstance(item.context_expr, ast.Call) and _calls_blamed_on(item.context_expr):
                    item.context_expr.args[:2] = []  # key and remedy
            _silence(child)


def _speaks(node: ast.AST) -> bool:
    """Whether a statement is a docstring, writes to the log or words a remedy."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=method))):
            return method in LOGGING
        case ast.Assign(targets=[ast.Name(id="remedy")]):
            return True
    return False


def _calls_blamed_on(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "blamed_on"


def _imported(path: Path, node: ast.Import | ast.ImportFrom) -> Iterator[Path]:
    """Files of this package that an import statement runs."""
    if isinstance(node, ast.Import):
        modules = [tuple(alias.name.split(".")) for alias in node.names]
        ours = [module[1:] for module in modules if module[0] == PACKAGE.name]
        yield from (file for module in ours for file in _run(PACKAGE, module, path))
        return
    parts = tuple(node.module.split(".")) if node.module else ()
    if node.level:
        base = path.parents[node.level - 1]
    elif parts[:1] == (PACKAGE.name,):
        base, parts = PACKAGE, parts[1:]
    else:
        return
    if base.joinpath(*parts).is_dir():  # its __init__.py binds no names, so these are modules
        for alias in node.names:
            yield from _run(base, (*parts, alias.name), path)
    else:
        yield from _run(base, parts, path)


def _run(base: Path, parts: tuple[str, ...], importer: object) -> Iterator[Path]:
    """A module, and the packages that are run on the way to it."""
    module = base.joinpath(*parts)
    yield _file_of(module, importer)
    yield from (
        folder / "__init__.py"
        for folder in module.parents
        if folder == PACKAGE or PACKAGE in folder.parents
    )


def _file_of(module: Path, importer: object) -> Path:
    for file in (module.with_suffix(".py"), module / "__init__.py"):
        if file.is_file():
            return file
    raise ModuleNotFoundError(f"{importer}: there is no module {module}")
