"""What Snakemake forgets with its folder .snakemake, the records of the jobs still tell."""

import json
import os
import shutil
import sys
import time

import pytest

from tests.runs import TINY_STUDY, said
from workflow_scripts.running.records import (
    HOW_IT_RUNS,
    RECORDS,
    read_record,
    record_of,
)
from workflow_scripts.running.verification import Study
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.verify import planned, read_all, remedy

TOKENS = "results/tokens/model=tiny/dataset=text/shard=0.parquet"
ENERGIES = "results/energies/model=tiny/dataset=text/layer=0/shard=0.parquet"
LOWEST = "results/lowest/model=tiny/dataset=text.html"
STATES = "results/states/model=tiny/dataset=text/shard=0.parquet"
FIGURE = "results/figures/layer_map/model=tiny/dataset=text.svg"


def verify(place, *options):
    """Run the command in the working folder of a place, with the code of its clone."""
    command = [sys.executable, "-m", "workflow_scripts.verify", "--configfile=study.yaml"]
    return said([*command, *options], place.work, {"PYTHONPATH": str(place.clone)})


def findings(jobs, deep=False):
    return Study(jobs, read_all(RECORDS), deep).check()


def found(jobs, deep=False):
    """The one thing that is wrong."""
    (finding,) = findings(jobs, deep)
    return finding


# The command.


def test_a_finished_run_whose_records_are_lost(altered):
    shutil.rmtree(altered.work / ".snakemake")
    run = verify(altered, "--deep")
    assert run.code == 0, run.text
    assert run.text.endswith("all 47 jobs are those of this configuration, code and inputs.\n")


def test_code_edited_while_snakemake_forgets(altered):
    """Snakemake trusts what is there; verify names it, and the command that rebuilds it."""
    path = altered.clone / "workflow_scripts/running/tabulate.py"
    path.write_text(path.read_text().replace("digits: int = 4", "digits: int = 3"))
    now = time.time()
    for name in ("results", "logs"):  # a benchmark counts as a result
        for file in (altered.work / name).rglob("*"):
            os.utime(file, (now, now))
    shutil.rmtree(altered.work / ".snakemake")
    assert altered.would_run() == set()
    before = (altered.work / "results/wells.csv").read_text()

    run = verify(altered)
    assert run.code == 1, run.text
    assert (
        "stale      results/wells.csv: workflow_scripts/running/tabulate.py has changed\n"
        in run.text
    )
    assert "1 stale of 47 jobs; rebuild them" in run.text
    command = run.text.strip().splitlines()[-1].split()
    assert command[:2] == ["snakemake", "--cores=all"]
    assert altered.run(*command[2:]) == {"Tabulating repetition wells"}
    assert (altered.work / "results/wells.csv").read_text() != before
    assert verify(altered).code == 0


def test_a_study_that_cannot_be_planned(altered):
    run = verify(altered, "--config", "modles={}")
    assert run.code == 1 and "Traceback" not in run.text
    assert "error: snakemake cannot plan this study: " in run.text
    assert "modles: unknown key; did you mean `models`?" in run.text


# What it finds.


def test_nothing(work, jobs):
    assert findings(jobs, deep=True) == []


def test_a_result_cut_short(work, jobs):
    path = work / ENERGIES
    path.write_bytes(path.read_bytes()[:-10])
    size = path.stat().st_size
    assert found(jobs) == ("damaged", ENERGIES, f"{size} bytes, but {size + 10} when it was made")


def test_a_result_changed_in_place_is_found_by_reading_it(work, jobs):
    content = bytearray((work / FIGURE).read_bytes())
    content[100] ^= 1
    (work / FIGURE).write_bytes(content)
    assert findings(jobs) == []
    assert found(jobs, deep=True) == ("damaged", FIGURE, "other bytes than when it was made")


def test_a_result_lost(work, jobs):
    (work / STATES).unlink()
    assert found(jobs) == ("missing", STATES, "not there")


def test_a_result_that_nothing_is_known_of(work, jobs):
    (work / "results/.records/states/model=tiny/dataset=text/shard=0.parquet.json").unlink()
    assert found(jobs) == ("unrecorded", STATES, "nothing tells what made it")


def test_an_input_changed(work, jobs):
    (work / "inputs/texts/03.txt").write_text("something else")
    corpus = "results/corpora/text.parquet"
    assert found(jobs) == ("stale", corpus, "inputs/texts/03.txt has changed")


def test_an_input_that_was_made_anew_and_nothing_after_it(work, jobs):
    """As if the run had been killed there, and the folder .snakemake lost with it."""
    (job,) = (job for job in jobs if TOKENS in job.outputs)
    record = read_record(record_of(job))
    record["outputs"][TOKENS][1] = "0" * 64
    record_of(job).write_text(json.dumps(record))
    readers = {ENERGIES, LOWEST}
    assert set(findings(jobs)) == {("stale", of, f"{TOKENS} has changed") for of in readers}
    states = [finding.state for finding in findings(jobs, deep=True)]
    assert states == ["damaged", "stale", "stale"]


def test_a_setting_changed(work, jobs):
    study = TINY_STUDY | {"curves": {"resamples": 60}}
    (work / "other.yaml").write_text(json.dumps(study))
    other = planned([f"--directory={work}", f"--configfile={work}/other.yaml"])
    stale = findings(other)
    assert len(stale) == 6 and {finding.state for finding in stale} == {"stale"}
    assert {finding.why for finding in stale} == {
        "made with `--resamples=50`, which would now be `--resamples=60`"
    }


def test_files_added_and_taken_away(work, jobs):
    changed = [
        job._replace(inputs=[*job.inputs[1:], "inputs/more.txt"]) if STATES in job.outputs else job
        for job in jobs
    ]
    why = f"input inputs/more.txt is new, input {ENERGIES} is no longer asked for"
    assert found(changed) == ("stale", STATES, why)


def test_a_layer_that_is_no_longer_asked_for_and_gone(work, jobs):
    gone = ENERGIES.replace("layer=0", "layer=3")
    changed = [job._replace(outputs=[o for o in job.outputs if o != gone]) for job in jobs]
    (work / gone).unlink()
    stale = [finding.why for finding in findings(changed) if finding.state == "stale"]
    assert f"output {gone} is no longer asked for" in stale


def test_a_command_that_imports_other_files_than_it_did(work, jobs):
    (job,) = (job for job in jobs if STATES in job.outputs)
    record = read_record(record_of(job))
    record["code"]["workflow_scripts/old.py"] = record["code"].pop(
        "workflow_scripts/semstat/tables.py"
    )
    record_of(job).write_text(json.dumps(record))
    why = (
        "code workflow_scripts/semstat/tables.py is new, code workflow_scripts/old.py is no longer"
    )
    assert found(jobs).why.startswith(why)


def test_how_it_runs_does_not_matter(work, jobs):
    def elsewhere(job):
        words = list(job.command)
        for option in HOW_IT_RUNS & set(words):
            words[words.index(option) + 1] = "other"
        return job._replace(command=words)

    changed = [elsewhere(job) for job in jobs]
    assert sum(changed != job for changed, job in zip(changed, jobs, strict=True)) == 16
    assert findings(changed) == []


def test_results_that_the_study_does_not_ask_for(work, jobs):
    asked = [job for job in jobs if not any("tiny-random" in path for path in job.outputs)]
    study = Study(asked, read_all(RECORDS), deep=False)
    assert len(study.left_over) == len(jobs) - len(asked)
    assert study.check_left_over() == []
    path = next(iter(study.left_over[0]["outputs"]))
    (work / path).write_text("")
    assert [finding.path for finding in study.check_left_over()] == [path]


def test_many_are_named_in_a_file(work, jobs):
    for job in jobs[:11]:
        record_of(job).unlink()
    words = remedy(findings(jobs), ["--configfile=a b.yaml"])
    listed = work / "results/.records/to_rebuild.txt"
    start = "snakemake --cores=all '--configfile=a b.yaml' --forcerun"
    assert words == f"{start} $(cat {listed})"
    assert remedy(findings(jobs), ["--profile=p"]).startswith("snakemake --profile=p --forcerun $(")
    named = listed.read_text().splitlines()
    assert named == [job.outputs[0] for job in jobs[:11]]


def test_a_record_that_is_none(work, jobs):
    for content in ("", "[]", "{}", '{"code": 1}'):
        record_of(jobs[0]).write_text(content)
        with pytest.raises(
            InputError, match=rf"^{record_of(jobs[0])}: not a record of a job; delete"
        ):
            read_all(RECORDS)
