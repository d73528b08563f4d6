"""Run one of the commands and record what it made, from what and by which code.

  python -m workflow_scripts.running.record_job INPUT... -- OUTPUT... -- COMMAND ARGUMENT...

The rules start every command through this; by hand a command needs no record.
"""

from __future__ import annotations

import importlib
import sys

from . import command
from .jobs import PACKAGE, code_of
from .records import Job, digests, write_record


def main() -> None:
    if sys.argv[1:] in ([], ["--help"]):
        sys.exit(__doc__)
    job = Job.parse(sys.argv[1:])
    code, inputs = code_of(job.command[0]), digests(job.inputs)
    sys.argv = job.command
    importlib.import_module(f"{PACKAGE.name}.{job.command[0]}").main()
    write_record(job, code, inputs)


if __name__ == "__main__":
    command.run(main)
