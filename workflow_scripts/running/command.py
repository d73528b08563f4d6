"""What every command shares: the form of its options and help, its progress and its errors.

A command is a function that has the name of its module. Its signature gives the options, its
docstring the help: the description, then what each parameter is. cyclopts makes the one of the
other, since it takes lists as `--layers 0 10 20`, options in common as dataclasses, and loads in
0.05 s.
"""

from __future__ import annotations

import errno
import inspect
import logging
import re
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import Any, get_type_hints

from cyclopts import App, CycloptsError, Parameter
from tqdm import tqdm

from ..semstat.errors import InputError

AS_WORDS = Parameter(consume_multiple=True, negative=())
"""Lists as so many words, and no `--no-…` of what is said or not."""


def run(command: Callable[..., None]) -> None:
    """Run a command on the words of this process, as `python -m …` does."""
    end_in_one_sentence(lambda: call(command, sys.argv[1:]))


def call(command: Callable[..., None], words: Sequence[str]) -> None:
    """Call a command with the options and arguments that a command line gives it.

    Raises
    ------
    SystemExit
        With status 2 and one sentence, if they are not such as the command takes.
    """
    for described in (command, *filter(is_dataclass, get_type_hints(command).values())):
        described.__doc__ = _as_numpydoc(described.__doc__ or "")
    app = App(
        name=command.__name__,
        default_parameter=AS_WORDS,
        version_flags=(),
        help_format="plaintext",
    )
    app.default(command)
    try:
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        print(f"error: {error}\nSee {command.__name__} --help", file=sys.stderr)
        sys.exit(2)


def _as_numpydoc(docstring: str) -> str:
    """A docstring as numpydoc has it, from the house's form `name : what it is`; lines unbroken.

    >>> _as_numpydoc("Do it\\nwell.\\n\\nParameters\\n----------\\nout : file\\n    to make.")
    'Do it well.\\n\\nParameters\\n----------\\nout\\n    File to make.'
    """

    def below(found: re.Match[str]) -> str:
        name, first, rest = found.groups()
        return f"{name}\n    {first.upper()}{rest}"

    about, heading, parameters = inspect.cleandoc(docstring).partition("\n\nParameters\n")
    parameters = re.sub(r"\n +", " ", parameters)
    parameters = re.sub(r"^(\w+) : (\S)(.*)$", below, parameters, flags=re.MULTILINE)
    return re.sub(r"(\S)\n(?=\S)", r"\1 ", about) + heading + parameters


def end_in_one_sentence(main: Callable[[], None]) -> None:
    """Run what is in a process; an error in its input is one line on stderr and exit status 1.

    One that is told to end (SIGTERM: a job cancelled or out of time) removes its unfinished files.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger(__name__.partition(".")[0]).setLevel(logging.INFO)
    try:
        main()
    except InputError as error:
        # On one line, also where it quotes another library.
        sys.exit(f"error: {' '.join(str(error).split(chr(10)))}")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            sys.exit(f"error: no room to write ({error}); make some and run snakemake again")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            sys.exit(f"error: not permitted ({error}); change that and run snakemake again")
        raise


SECONDS = 20
"""Between two lines of progress, where it is told in lines."""


class _Lines:
    """A stream to which a bar writes each of its states as a line of its own."""

    def write(self, text: str) -> None:
        if line := text.strip("\r\n "):
            # Under what tells of steps, and at once, lest the lines of two jobs mix.
            sys.stderr.write(f"{' ' * 10}{line}\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress(description: str, unit: str, total: int | None = None) -> tqdm[Any]:
    """A progress bar on stderr with rate and time left; call its `update(n)`.

    Where stderr is no terminal, as in a run, whose jobs share one: a line now and then, and one at
    the end of what takes longer than that.
    """
    told: dict[str, Any] = {"desc": description, "unit": unit, "total": total, "unit_scale": True}
    if sys.stderr.isatty():
        return tqdm(**told, mininterval=1, file=sys.stderr)
    of, left = ("{percentage:.0f}% of {total_fmt}", "<{remaining}") if total else ("{n_fmt}", "")
    return tqdm(
        **told,
        mininterval=SECONDS,
        delay=SECONDS,
        file=_Lines(),
        bar_format=f"{{desc}}: {of} {{unit}}, {{elapsed}}{left}, {{rate_noinv_fmt}}",
    )
