"""What a run says: a line a step, of what fails where to look, and once more at the end."""

import io
import logging
import sys
import time
from types import SimpleNamespace

import pytest
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from workflow_scripts.running import command
from workflow_scripts.running.narration import HANDLER, narrate


class Run:
    """Snakemake's own logger, handler and records, without its jobs."""

    def __init__(self, at_end=False, name=HANDLER, dryrun=False):
        self.stream = io.StringIO()
        self.logger = logging.Logger("run")
        handler = ColorizingTextHandler(nocolor=True, stream=self.stream)
        handler.addFilter(DefaultFilter(set(), False, False, False, False))
        handler.setFormatter(DefaultFormatter())
        handler.name = name
        self.logger.addHandler(handler)
        workflow = SimpleNamespace(local_exec=not at_end, dryrun=dryrun)
        self.narration = narrate(self.logger, workflow)

    def begin(self, *steps):
        self.logger.info(
            "Job stats:\n…", extra={"event": LogEvent.RUN_INFO, "stats": {"total": 12}}
        )
        for job, message in enumerate(steps):
            known = {"jobid": job, "rule_name": f"rule_{job}", "rule_msg": message, "reason": "new"}
            self.logger.info("Rule", extra=known | {"event": LogEvent.JOB_INFO})

    def end(self, job):
        extra = {"event": LogEvent.JOB_FINISHED, "job_id": job}
        self.logger.info(f"Finished jobid: {job} (Rule: rule_{job})", extra=extra)
        self.logger.info("Progress", extra={"event": LogEvent.PROGRESS, "done": 1, "total": 12})

    def fail(self, job, *logs):
        extra = {"event": LogEvent.JOB_ERROR, "jobid": job, "rule_name": f"rule_{job}"}
        extra |= {"rule_msg": None, "input": ["in"], "output": ["out"], "log": list(logs)}
        extra |= {
            "conda_env": "env",
            "aux": {"external_jobid": 7},
            "shellcmd": "printf " + "x" * 999,
        }
        self.logger.error(f"Error in rule rule_{job}, jobid: {job}", extra=extra)

    @property
    def lines(self):
        return [line for line in self.stream.getvalue().splitlines() if line]


def without_time(lines):
    return [line[10:] for line in lines]


def test_a_step_is_one_line():
    run = Run()
    run.logger.info("Select jobs to execute...")
    run.begin("Measuring", None)
    run.logger.info("Execute 2 jobs...")
    run.end(1)
    run.end(0)
    run.logger.warning("results/ holds what this configuration does not have")
    assert run.lines[0] == "12 steps"
    assert without_time(run.lines[1:3]) == [" 1/12  Measuring", " 2/12  rule_1"]
    assert run.lines[3:] == ["results/ holds what this configuration does not have"]
    time.strptime(run.lines[1][:8], "%H:%M:%S")


def test_where_all_are_submitted_at_once_a_step_is_told_when_it_ends():
    run = Run(at_end=True)
    run.begin("Measuring", "Counting", "Drawing")
    assert run.lines == ["12 steps"]
    run.end(2)
    run.end(0)
    assert without_time(run.lines[1:]) == [" 1/12  Drawing", " 2/12  Measuring"]


def test_what_fails_is_a_line_and_said_again_with_its_last_word(tmp_path):
    log = tmp_path / "measure.log"
    log.write_text("float32 on cpu\nerror: no room to write; make some\n\n")
    run = Run()
    run.begin("Measuring", "Counting", "Drawing")
    run.logger.error("RuleException:\nCalledProcessError in file x:\nCommand 'printf…'")
    run.fail(0, str(log))
    run.fail(1, "logs/none.log")
    run.fail(2)
    run.end(2)
    assert without_time(run.lines[4:6]) == ["failed: Measuring", "failed: Counting"]
    assert "printf" not in run.stream.getvalue()
    assert run.narration.last_words().splitlines() == [
        "2 steps failed:",
        f"  Measuring ({log})",
        "    error: no room to write; make some",
        "  Counting (logs/none.log)",
        "    (there is no log)",
    ], "the third was tried again, and did not fail"


def test_on_a_cluster_the_number_of_its_job_is_said_but_no_command(tmp_path):
    run = Run(at_end=True)
    run.begin("Measuring")
    run.fail(0, "logs/measure.log")
    text = run.stream.getvalue()
    assert "message: Measuring" in text and "external_jobid: 7" in text
    assert "logs/measure.log" in text and "printf" not in text
    assert "1 step failed, or were in one job with what did:" in run.narration.last_words()


def test_another_one_s_handler_is_left_alone():
    run = Run(name="rich")
    assert run.narration is None
    run.begin("Measuring")
    assert "Job stats:" in run.lines


def test_a_dry_run_says_what_it_would_do():
    run = Run(dryrun=True)
    run.begin("Measuring")
    assert "Job stats:" in run.lines


# Progress.


@pytest.mark.parametrize(("total", "first"), [(4, "25% of 4.00 states, "), (None, "1.00 states, ")])
def test_progress_of_a_job_is_lines(monkeypatch, capsys, total, first):
    monkeypatch.setattr(command, "SECONDS", 0.01)
    with command.progress("tiny text", "states", total) as bar:
        for _ in range(4):
            time.sleep(0.02)
            bar.update()
    text = capsys.readouterr().err
    assert "\r" not in text and text.endswith("\n")
    lines = text.splitlines()
    assert len(lines) >= 4 and all(line.startswith(" " * 10 + "tiny text: ") for line in lines)
    assert first in lines[0] and "states/s" in lines[-1]
    assert ("100% of 4.00 states" if total else "4.00 states") in lines[-1]


def test_what_is_soon_done_says_nothing_of_its_progress(capsys):
    with command.progress("tiny text", "states", 4) as bar:
        bar.update(4)
    assert capsys.readouterr().err == ""


def test_in_a_terminal_it_is_a_bar(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    with command.progress("tiny text", "states", 4) as bar:
        bar.update(4)
    assert "\rtiny text: 100%|" in terminal.getvalue()
