"""What every command shares: the form of its help, its progress and its errors."""

from __future__ import annotations

import argparse
import errno
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from ..semstat.errors import InputError

PACKAGE = __name__.partition(".")[0]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """An argument parser whose description is the command's docstring."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def run(main: Callable[[], None]) -> None:
    """Run a command; an error in its input is one line on stderr and exit status 1.

    One that is told to end (SIGTERM: a job cancelled or out of time) removes its unfinished files.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    try:
        main()
    except InputError as error:
        # On one line, also where it quotes another library.
        sys.exit(f"error: {' '.join(str(error).split(chr(10)))}")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(f"error: no room to write ({error}); make some and run snakemake again")


def progress(description: str, unit: str, total: int | None = None) -> tqdm[Any]:
    """A progress bar on stderr with rate and time left; call its `update(n)`."""
    return tqdm(
        desc=description, unit=unit, total=total, unit_scale=True, mininterval=1, file=sys.stderr
    )
