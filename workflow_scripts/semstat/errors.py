"""The one kind of error that is the user's to mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """Something in the input is wrong.

    Its text is one sentence that names the file, the key or column, and the remedy; commands
    print it without a traceback and exit with status 1.
    """


OPTIONS = "SEMANTIC_STATISTICS_OPTIONS"
"""Variable in the environment of jobs: what Snakemake was started with, for remedies to repeat."""


@contextmanager
def blamed_on(key: str, remedy: str = "", *errors: type[Exception]) -> Iterator[None]:
    """Turn an error of the body into one sentence for the user.

    Parameters
    ----------
    key : what of the input is to blame: a key of the configuration, or a file.
    remedy : what to do, as a command; by default the error says it.
    errors : those that are meant; by default ValueError.

    Raises
    ------
    InputError
        "key: first line of the error; remedy".
    """
    meant = errors or (ValueError,)
    try:
        yield
    except meant as error:
        if isinstance(error, InputError) and type(error) not in errors:
            raise  # it is such a sentence already
        said = f"{first_line(error)}; {remedy}" if remedy else first_line(error)
        raise InputError(f"{key}: {said}") from error


def first_line(error: Exception) -> str:
    """What an error of another library says first; its kind, if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
