"""What a run says in the terminal: a line a step, and what failed once more at the end.

Snakemake's own output is two to six lines a step, and shell commands of some thousand words where
one fails; its log file keeps all of that. (snakemake-logger-plugin-rich 0.5.1 was tried: it shows
rules, not what a step does; its display and what jobs print overwrite each other; it leaves out
failed groups of a cluster, and the jobs of a dry run; and it does not say again what failed.)
"""

from __future__ import annotations

import copy
import logging
import time
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

HANDLER = "DefaultStreamHandler"
"""Snakemake's name for what writes to the terminal."""

UNSAID = (
    "Adding ",
    "Assuming unrestricted shared filesystem",
    "Conda environments: ignored",
    "Execute ",
    "Provided remote nodes",
    "RuleException:\nCalledProcessError",
    "Select jobs to execute",
    "Using shell",
)
"""How messages begin that tell a user nothing, or what another line says as well."""

COUNTED = (LogEvent.JOB_FINISHED, LogEvent.JOB_INFO)


class Narration(logging.Formatter):
    """Formats what is to be said, and filters what is not.

    Parameters
    ----------
    usual : Snakemake's own formatter.
    workflow : Snakemake's, which knows how it runs once it does; a dry run says what it would.
    """

    def __init__(self, usual: logging.Formatter, workflow: Any) -> None:
        super().__init__()
        self._usual = usual
        self._workflow = workflow
        self._said: dict[int, str] = {}
        self._number: dict[int, int] = {}
        self._steps = 0
        self.failed: dict[int, tuple[str, list[str]]] = {}

    @property
    def _counted(self) -> LogEvent:
        """What announces a step: its end, where all are submitted at once."""
        return LogEvent.JOB_INFO if self._workflow.local_exec else LogEvent.JOB_FINISHED

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is said; remembers what others are about."""
        if self._workflow.dryrun:
            return True
        event, of = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO:
            self._steps = of["stats"]["total"]
        elif event == LogEvent.JOB_INFO:
            self._said[of["jobid"]] = of["rule_msg"] or of["rule_name"]
        elif event == LogEvent.JOB_ERROR:
            self.failed[of["jobid"]] = (self._name(of), list(of["log"]))
        elif event == LogEvent.JOB_FINISHED:
            self.failed.pop(of["job_id"], None)  # it was tried again
        if event in COUNTED:
            return event is self._counted
        unsaid = event in (
            LogEvent.GROUP_INFO,
            LogEvent.PROGRESS,
            LogEvent.RESOURCES_INFO,
            LogEvent.WORKFLOW_STARTED,
        )
        return not unsaid and not record.getMessage().startswith(UNSAID)

    def format(self, record: logging.LogRecord) -> str:
        if self._workflow.dryrun:
            return self._usual.format(record)
        event, of = getattr(record, "event", None), record.__dict__
        if event in COUNTED:
            job = of["jobid" if event == LogEvent.JOB_INFO else "job_id"]
            said = self._said.get(job, record.getMessage())
            number = self._number.setdefault(job, len(self._number) + 1)
            width = len(str(self._steps))
            return f"{time.strftime('%H:%M:%S')}  {number:>{width}}/{self._steps}  {said}"
        if event == LogEvent.RUN_INFO:
            return f"{self._steps} steps"
        if event == LogEvent.JOB_ERROR and self._counted == LogEvent.JOB_INFO:
            return f"{time.strftime('%H:%M:%S')}  failed: {self._name(of)}"  # it has said why
        if event == LogEvent.JOB_ERROR:
            record = copy.copy(record)
            # Without files and shell command, which are thousands of words; the log file has them.
            record.__dict__ |= {"input": [], "output": [], "shellcmd": None, "conda_env": None}
            record.__dict__ |= {"rule_msg": self._name(of), "msg": self._name(of)}
        return self._usual.format(record)

    def _name(self, of: dict[str, Any]) -> str:
        return self._said.get(of["jobid"], str(of["rule_name"]))

    def last_words(self) -> str:
        """What failed, and what its log ends with."""
        number = f"{len(self.failed)} step{'s' * (len(self.failed) > 1)}"
        # Of a job of many steps on a cluster Snakemake tells only that it failed.
        with_it = ", or were in one job with what did" * (self._counted == LogEvent.JOB_FINISHED)
        parts = [f"{number} failed{with_it}:"]
        for name, logs in self.failed.values():
            parts += [f"  {name} ({', '.join(logs)})", *(f"    {_end_of(log)}" for log in logs)]
        return "\n".join(parts)


def _end_of(log: str) -> str:
    """The last line of a log: the error, of a command that ends in one sentence."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "(there is no log)"
    return next((line.strip() for line in reversed(lines) if line.strip()), "(the log is empty)")


def narrate(logger: logging.Logger, workflow: Any) -> Narration | None:
    """Let a run say less in the terminal; None where Snakemake is not what writes to it.

    Parameters
    ----------
    logger : Snakemake's.
    workflow : as `Narration` has it.
    """
    for handler in logger.handlers:
        if handler.name == HANDLER and handler.formatter:
            narration = Narration(handler.formatter, workflow)
            handler.setFormatter(narration)
            handler.addFilter(narration.filter)
            return narration
    return None
