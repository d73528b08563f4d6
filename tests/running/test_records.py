"""A job leaves a record of what made its results, and runs only code that it was planned with."""

import ast
import functools
import io
import os
import re
import shlex
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.runs import REPO, complaint, said
from workflow_scripts.running import record_job, tabulate
from workflow_scripts.running.code import digest_of_code
from workflow_scripts.running.jobs import Job, shell_command
from workflow_scripts.running.records import essential_command, read_record, record_of
from workflow_scripts.semstat.errors import InputError

RULES = "".join(path.read_text() for path in (REPO / "rules").glob("*.smk"))
SHELLS = re.findall(r"^ +shell:\n((?: +.*\n)+)", RULES, flags=re.MULTILINE)
"""What stands after `shell:` in each rule."""


# What is planned.


def test_every_rule_records_its_job():
    assert len(SHELLS) >= 20 and RULES.count("shell:\n") == len(SHELLS)
    assert all(shell.lstrip().startswith("run(") for shell in SHELLS)
    assert "\nrun = shell_command  #" in RULES
    line = shell_command("running.tabulate", "{input:q} --out {output:q}")
    files = {"input": "a.parquet", "output": "results/a b.csv", "log": "logs/it's.log"}
    for name, file in files.items():
        line = line.replace(f"{{{name}:q}}", shlex.quote(file))
    words = ["running.tabulate", "a.parquet", "--out", "results/a b.csv"]
    job = Job(digest_of_code(words[0]), ["a.parquet"], ["results/a b.csv"], words)
    assert Job.planned(f"  {line}\n") == job
    assert Job.planned("Finished jobid: 1 (Rule: tabulate_wells)\n") is None


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_rule_runs_is_the_same_when_its_jobs_run(shell):
    """Snakemake makes it anew for each job, when loops over rules have come to their ends."""
    expression = ast.parse(shell.strip(), mode="eval")
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - {"run"}
    assert all(name.isupper() for name in names), names


def test_jobs_are_planned_with_the_digest_of_their_commands_code(jobs):
    assert all(job.code == digest_of_code(job.command[0]) for job in jobs)


# What is recorded.


@pytest.fixture
def tabulation(work, jobs, monkeypatch):
    """The job that makes wells.csv, about to run in this process, and what its record says."""
    (job,) = (job for job in jobs if "results/wells.csv" in job.outputs)
    monkeypatch.setattr(sys, "argv", ["record_job", job.command[0]])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(words_of(job).encode())))
    return job, read_record(record_of(job))


def words_of(job):
    words = [job.code, *job.inputs, "--", *job.outputs, "--", *job.command]
    return "".join(f"{word}\0" for word in words)


def line_of(job):
    """The shell command of its rule."""
    line = shell_command(job.command[0], shlex.join(job.command[1:]), job.code)
    for name, files in (("input", job.inputs), ("output", job.outputs), ("log", ["log.txt"])):
        line = line.replace(f"{{{name}:q}}", shlex.join(files))
    return line


def environment_of_jobs():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PYTHONPATH": str(REPO), "PATH": path}


def run_recorded(job, work):
    return said(["bash", "-euo", "pipefail", "-c", line_of(job)], work, environment_of_jobs())


def test_the_same_job_leaves_the_same_record(tabulation):
    job, _ = tabulation
    before = record_of(job).read_bytes()
    record_of(job).unlink()
    record_job.main()
    assert record_of(job).read_bytes() == before


def test_an_input_that_changes_while_a_job_runs(tabulation, work, monkeypatch):
    """The record holds what was there when it began."""
    job, before = tabulation
    really = tabulate.tabulate

    @functools.wraps(really)
    def meanwhile(*arguments, **options):
        really(*arguments, **options)
        for path in before["inputs"]:
            (work / path).write_text("other")

    monkeypatch.setattr(tabulate, "tabulate", meanwhile)
    record_job.main()
    assert read_record(record_of(job)) == before


def test_a_job_that_fails_records_nothing(tabulation, work):
    job, _ = tabulation
    record_of(job).unlink()
    path = next(path for path in job.inputs if path.startswith("results/wells/"))
    (work / path).write_bytes(b"garbage")
    with pytest.raises(InputError, match="not a whole Parquet file"):
        record_job.main()
    assert not record_of(job).exists()


def test_code_edited_after_a_job_was_planned_is_refused(tabulation, work):
    """In one sentence, before anything is made or recorded."""
    job, _ = tabulation
    record_of(job).unlink()
    (work / "results/wells.csv").unlink()
    told = run_recorded(job._replace(code="0" * 64), work)
    complaint(told, "running.tabulate: its code was edited after this job", "run snakemake again")
    assert not record_of(job).exists() and not (work / "results/wells.csv").exists()
    assert run_recorded(job, work).code == 0
    assert record_of(job).exists() and (work / "results/wells.csv").exists()


def test_more_files_than_a_command_line_takes(tmp_path):
    """12,000 of a hundred characters, which are inputs and arguments of the command."""
    folder = tmp_path / ("x" * 90)
    folder.mkdir()
    files = [f"{folder.name}/{number:05d}.txt" for number in range(12_000)]
    for number, file in enumerate(files):
        (tmp_path / file).write_text(f"document {number}")
    name, made = "sources.read_local_corpus", "results/corpora/text.parquet"
    words = [name, "--name=text", "--files=*/*.txt", f"--out={made}", "--", *files]
    job = Job(digest_of_code(name), files, [made], words)
    (tmp_path / "job.sh").write_text(line_of(job))
    assert (tmp_path / "job.sh").stat().st_size > os.sysconf("SC_ARG_MAX")
    ran = said(["bash", "-euo", "pipefail", "job.sh"], tmp_path, environment_of_jobs())
    assert ran.code == 0, ran.text
    assert pq.read_metadata(tmp_path / made).num_rows == len(files)
    assert list(read_record(tmp_path / record_of(job))["inputs"]) == files


@pytest.mark.parametrize("outputs", ["null", "[]", '{"a": 1}', '{"a": [1]}', '{"a": [1, "5f"]'])
def test_a_record_of_other_kinds_is_none(tmp_path, outputs):
    path = tmp_path / "a.json"
    path.write_text(f'{{"command": [], "code": {{}}, "inputs": {{}}, "outputs": {outputs}}}')
    with pytest.raises(InputError, match=r"a\.json: not a record of a job; delete it"):
        read_record(path)


def test_the_words_of_a_job():
    job = Job.parse(
        ["5f", "in", "--", "results/a/b.csv", "results/c", "--", "tabulate", "--threads", "2"]
    )
    made, words = ["results/a/b.csv", "results/c"], ["tabulate", "--threads", "2"]
    assert job == Job("5f", ["in"], made, words)
    assert str(record_of(job)) == "results/.records/a/b.csv.json"
    assert essential_command(job) == ["tabulate"]
