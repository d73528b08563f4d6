"""The one kind of error that is the user's to mend."""


class InputError(ValueError):
    """Something in the input is wrong.

    Its text is one sentence that names the file, the key or column, and the remedy; commands
    print it without a traceback and exit with status 1.
    """


OPTIONS = "SEMANTIC_STATISTICS_OPTIONS"
"""Variable in the environment of jobs: what Snakemake was started with, for remedies to repeat."""
