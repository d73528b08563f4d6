"""Run one of the commands and record what it made, from what and by which code.

  printf '%s\\0' DIGEST INPUT... -- OUTPUT... -- COMMAND ARGUMENT... |
    python -m workflow_scripts.running.record_job COMMAND

The rules start every command through this; by hand a command needs no record. DIGEST is that of the
command's code when the job was planned. The words come by standard input, since files may be more
than a command line takes; COMMAND stands there for who looks at what is running.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from ..semstat.errors import InputError
from . import command
from .code import PACKAGE, code_of, digest_of_code
from .jobs import Job
from .records import digests, write_record

COLLECTED_AFTER = 10_000
"""Objects made, and not gone by themselves, until those in circles are looked for. With Python's
own 700 that is an eighth of the time in which transformers loads: half a million, which stay."""


def main() -> None:
    if sys.argv[1:] in ([], ["--help"]):
        sys.exit(__doc__)
    job = Job.parse(os.fsdecode(sys.stdin.buffer.read()).removesuffix("\0").split("\0"))
    name, *words = job.command
    gc.set_threshold(COLLECTED_AFTER)
    for edited, planned in ({name: job.code} | job.plugs).items():
        if digest_of_code(edited) != planned:
            raise InputError(
                f"{edited}: its code was edited after this job was planned, so its results would "
                f"pass for those of the old code; run snakemake again"
            )
    code, inputs = code_of(name, *job.plugs), digests(job.inputs)
    module = importlib.import_module(f"{PACKAGE.name}.{name}")
    command.call(getattr(module, name.rpartition(".")[2]), words)
    write_record(job, code, inputs)


if __name__ == "__main__":
    command.end_in_one_sentence(main)
