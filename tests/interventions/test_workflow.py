"""Intervened models through the workflow: what they run, on whose weights, and what reruns them."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys

from tests.runs import NO_NETWORK, REPO, TINY_STUDY, Said, complaint
from workflow_scripts.running.code import digest_of_code
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.tables import provenance_of, read_table

ENERGY = "results/energies/model={}/dataset=text/layer=3/shard=0.parquet"

ONE = {"kind": "attention_scale", "scale": 1.0}


def with_models(**models):
    """The tiny study of one model and one shard, and entries of it that run otherwise."""
    study = copy.deepcopy(TINY_STUDY)
    del study["models"]["tiny-random"]
    study["datasets"] = {"text": TINY_STUDY["datasets"]["text"] | {"shards": 1}}
    for name, intervention in models.items():
        study["models"][f"tiny-{name}"] = {"like": "tiny", "intervention": intervention}
    return study


def test_an_intervened_model_is_a_model(altered):
    """It is measured beside the other, on its weights; nothing else runs, or reruns."""
    place = altered
    assert place.would_run("energies", study=with_models()) == set()
    study = with_models(one=ONE, sinkless={"kind": "sink_off"})
    measuring = {
        f"Measuring energies of tiny-{name} on text, shard 0" for name in ("one", "sinkless")
    }
    planned = place.would_run("energies", study=study)
    assert measuring < planned and not any(" tiny " in f"{job} " for job in planned - measuring)
    assert not any(job.startswith("Fetching") for job in planned)
    assert place.run("interventions", study=study) == planned

    assert not (place.work / "results/models/tiny-one").exists()
    plain, same, other = (
        read_table(place.work / ENERGY.format(f"tiny{name}"), ENERGIES)
        for name in ("", "-one", "-sinkless")
    )
    assert same == plain and other != plain
    assert provenance_of(same.schema)["intervention"] == ONE
    assert provenance_of(other.schema)["intervention"] == {"kind": "sink_off"}
    first = ENERGY.format("tiny-one").replace("layer=3", "layer=0")
    record = place.work / f"{first.replace('results', 'results/.records')}.json"
    code = json.loads(record.read_text())["code"]
    assert "workflow_scripts/semstat/interventions/attention_scale.py" in code
    assert "workflow_scripts/semstat/interventions/sink_off.py" not in code

    # An edit of a kind reruns what has run under it; one more kind reruns nothing.
    kinds = place.clone / "workflow_scripts/semstat/interventions"
    (kinds / "seventh.py").write_text('"""A seventh kind."""\n')
    assert place.would_run("energies") == set()
    sink_off = kinds / "sink_off.py"
    sink_off.write_text(f"{sink_off.read_text()}\nEDITED = 1\n")
    assert place.would_run("energies") == {job for job in measuring if "tiny-sinkless" in job}


def test_a_job_whose_kind_was_edited_after_it_was_planned_is_refused(tmp_path):
    name, kind = "energies.measure_energies", '{"code": "5f", "kind": "sink_off"}'
    words = [digest_of_code(name), "--", "results/x", "--", name, f"--intervention={kind}"]
    run = subprocess.run(
        [sys.executable, "-m", "workflow_scripts.running.record_job", name],
        cwd=tmp_path,
        env=os.environ | NO_NETWORK | {"PYTHONPATH": str(REPO)},
        input="\0".join(words),
        capture_output=True,
        text=True,
    )
    sentence = "semstat.interventions.sink_off: its code was edited after this job was planned"
    complaint(Said(run.returncode, run.stdout + run.stderr), sentence, "run snakemake again")
