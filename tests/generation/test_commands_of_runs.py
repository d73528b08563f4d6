"""Commands that write runs and find schedules, from files to files."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.generation.plain_runs import entropy, softmax, tokens_of, written
from tests.tiny import VOCABULARY, save_tiny_model, tiny_model
from workflow_scripts.generation.finding import FIRST_RUN
from workflow_scripts.generation.methods.constant import constant
from workflow_scripts.generation.methods.scheduled import scheduled
from workflow_scripts.generation.schedules.newton import newton
from workflow_scripts.generation.schedules.optimised import optimised
from workflow_scripts.generation.schedules.stepwise import stepwise
from workflow_scripts.running.command import call
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.generation.columns import POSITIONS, RUNS
from workflow_scripts.semstat.generation.methods.schedule import Schedule
from workflow_scripts.semstat.generation.methods.schedule import constant as at
from workflow_scripts.semstat.generation.schedule_file import read_schedule
from workflow_scripts.semstat.generation.smoothing import knots, through_knots
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS

DOCS = {4: [0, 5, 9, 200, 7], 5: [0, 6], 7: [0, 6, 1, 8, 20], 9: [0, 1, 2, 3, 4, 5]}
"""Document 5 is too short for a prompt of three tokens."""


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Snapshot and tokens."""
    folder = tmp_path_factory.mktemp("given")
    save_tiny_model(folder / "tiny")
    save_tiny_model(folder / "other", seed=1)
    for name in ("tiny", "other"):
        said = {"model": name, "vocabulary": VOCABULARY, "source": name}
        (folder / name / "provenance.json").write_text(json.dumps(said), encoding="utf-8")
    table = pa.Table.from_pydict({"doc": list(DOCS), "tokens": list(DOCS.values())}, schema=TOKENS)
    write_table(folder / "tokens.parquet", table, {"dataset": "x"})
    return folder


def words(given, *options, model="tiny", **named):
    chosen = {"prompts": 2, "prompt_tokens": 3, "runs": 3, "write": 10, "found_on": 1, **named}
    told = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    fixed = ["--model", given / model, "--tokens", given / "tokens.parquet", "--device", "cpu"]
    return [str(word) for word in [*fixed, *told, *options]]


@pytest.fixture
def write(given, tmp_path):
    """Runs and positions of a method."""

    def run(command, *options, **named):
        out, positions = tmp_path / "runs.parquet", tmp_path / "positions.parquet"
        into = ["--out", out, "--positions", positions]
        call(command, words(given, *into, *options, **named))
        return read_table(out, RUNS), read_table(positions, POSITIONS)

    return run


@pytest.fixture
def find(given, tmp_path):
    """The schedule that a command finds."""

    def run(command, *options, **named):
        out = tmp_path / "schedule.json"
        call(command, words(given, "--out", out, *options, **named))
        return read_schedule(out)

    return run


def test_runs_are_those_of_the_first_documents_that_are_long_enough(write):
    runs, positions = write(constant, "--sampling-temperature=0.7")
    steps = written(tiny_model(), [DOCS[4][:4], DOCS[7][:4]], range(3), at(0.7), 10, (4, 7))
    assert runs["tokens"].to_pylist() == tokens_of(steps).flatten(0, 1).tolist()
    assert runs["doc"].to_pylist() == [4] * 3 + [7] * 3
    assert runs["run"].to_pylist() == [0, 1, 2] * 2
    assert runs["held_out"].to_pylist() == [False] * 3 + [True] * 3
    assert not any(runs["ended"].to_pylist())
    energies = [step.energy[1, 1].item() for step in steps]
    assert runs["energy"].to_pylist()[4] == pytest.approx(energies, rel=1e-3, abs=1e-6)
    assert positions["position"].to_pylist() == [*range(1, 11)] * 2
    assert positions["runs"].to_pylist() == [3] * 20
    found = np.array(positions["marginal"]).reshape(2, 10)
    assert found == pytest.approx(np.array([s.marginal.entropy_d.numpy() for s in steps]).T)
    for name in ("surprisal", "energy", "logit_variance", "sampling_temperature"):
        mean = np.array(positions[name]).reshape(2, 10)
        expected = np.array([getattr(step, name).mean(dim=1).numpy() for step in steps]).T
        assert mean == pytest.approx(expected, rel=1e-5)
    assert provenance_of(runs.schema)["method"]["sampling_temperature"] == 0.7


def test_more_runs_more_prompts_and_smaller_batches_change_no_run(write):
    few, _ = write(constant, runs=2, prompts=1)
    more, _ = write(constant, runs=4, prompts=3)
    assert few["tokens"].to_pylist() == more["tokens"].to_pylist()[:2]
    by_one, of_one = write(constant, "--batch-tokens=1", runs=4, prompts=3)
    _, together = write(constant, runs=4, prompts=3)
    assert by_one["tokens"].equals(more["tokens"])
    assert of_one["marginal"].to_numpy() == pytest.approx(together["marginal"].to_numpy())


def test_runs_end_at_the_end_of_text_token_if_they_are_to(write):
    """59 tokens, nearly one in 257 of which ends its run."""
    options = {"runs": 40, "prompts": 3, "write": 59, "sampling_temperature": 20}
    runs, positions = write(constant, "--ends", **options)
    going_on, _ = write(constant, **options)
    lengths = []
    for one, whole, ended in zip(
        runs["tokens"].to_pylist(),
        going_on["tokens"].to_pylist(),
        runs["ended"].to_pylist(),
        strict=True,
    ):
        assert one == whole[: whole.index(0) + 1] if 0 in whole else one == whole
        assert ended == (0 in whole) and len(one) <= 59
        lengths.append(len(one))
    assert 5 < sum(runs["ended"].to_pylist()) < 115
    for doc, position, alive in zip(
        *(positions[name].to_pylist() for name in ("doc", "position", "runs")), strict=True
    ):
        d = [4, 7, 9].index(doc)
        assert alive == sum(length >= position for length in lengths[40 * d : 40 * d + 40])


def test_all_runs_end_with_their_first_token(write, monkeypatch):
    ends = int(write(constant, "--sampling-temperature=0")[0]["tokens"].to_pylist()[0][0])
    monkeypatch.setattr(
        "workflow_scripts.generation.writing_runs._end_tokens", lambda _running: [ends]
    )
    runs, positions = write(constant, "--sampling-temperature=0", "--ends", prompts=1)
    assert runs["tokens"].to_pylist() == [[ends]] * 3
    assert runs["ended"].to_pylist() == [True] * 3 and positions["position"].to_pylist() == [1]


def test_a_schedule_that_is_found_is_held_and_used(find, write, tmp_path):
    found = find(stepwise, "--target=3", "--fit-to=9", runs=8, write=12)
    assert len(found.sampling_temperature) == len(found.solved) == 9
    for _, marginal, reached in found.solved:
        assert reached and marginal == pytest.approx(3.0, abs=2e-3)
    said = found.provenance
    assert said["spent_tokens"] == 8 * 9 and said["target"] == 3 and said["documents"] == [4]
    runs, _ = write(scheduled, "--schedule", tmp_path / "schedule.json", write=12)
    expected = [*found.sampling_temperature, *[found.sampling_temperature[-1]] * 3]
    for used in runs["sampling_temperature"].to_pylist():
        assert used == pytest.approx(expected, rel=1e-6)


def test_schedules_are_found_with_other_runs_than_are_written(find, write):
    found = find(stepwise, "--target=3", runs=4)
    _, positions = write(constant, runs=4, prompts=1)
    at_first = positions["marginal"][0].as_py()
    assert found.solved[0][1] == pytest.approx(3.0, abs=2e-3) and at_first != pytest.approx(3.0)
    by_two = find(newton, "--target=3", "--slope=covariance", runs=4, found_on=2)
    assert by_two.provenance["spent_tokens"] == 2 * 4 * 10
    assert by_two.provenance["documents"] == [4, 7]


def loss_of(given, temperature_t, target, runs=3):
    """Mean squared error of the marginal entropy, from a float64 pass over each text."""
    model = tiny_model()
    method = Schedule(torch.from_numpy(temperature_t))
    numbers = range(FIRST_RUN, FIRST_RUN + runs)
    steps = written(model, [DOCS[4][:4]], numbers, method, len(temperature_t), (4,))
    texts = torch.cat([torch.tensor(DOCS[4][:4]).expand(runs, -1), tokens_of(steps)[0]], dim=1)
    with torch.no_grad():
        logits_rtv = LayeredModel(model).model(texts).logits[:, 3:-1].double().numpy()
    errors = []
    for t, temperature in enumerate(temperature_t):
        p_rv = [softmax(z_tv[t] / temperature) for z_tv in logits_rtv]
        errors.append(entropy(np.mean(p_rv, axis=0)) - target)
    return float(np.mean(np.square(errors)))


def test_what_is_optimised_is_better_than_what_it_began_with(find, given):
    found = find(optimised, "--target=4", "--knots=3", "--evaluations=4")
    at_q = knots(3, 10)
    assert found.provenance["knots"] == at_q.tolist() == [1, 3, 10]
    temperature_t = np.array(found.sampling_temperature)
    assert temperature_t == pytest.approx(through_knots(at_q, temperature_t[at_q - 1], 10))
    loss = found.provenance["loss"]
    assert loss == pytest.approx(loss_of(given, temperature_t, 4.0), rel=1e-4)
    assert loss < loss_of(given, np.ones(10), 4.0) / 2
    for temperature, marginal, reached in found.solved:
        assert reached == (abs(marginal - 4.0) <= 0.1) and 0.1 <= temperature <= 5
    generations, rest = divmod(found.provenance["spent_tokens"], 3 * 10)
    assert rest == 0 and 4 <= generations <= 4 * (1 + 3)


def test_schedules_side_by_side_and_one_by_one_are_the_same(find):
    together = find(optimised, "--target=4", "--knots=3", "--evaluations=3")
    alone = find(optimised, "--target=4", "--knots=3", "--evaluations=3", "--batch-tokens=1")
    assert alone.sampling_temperature == pytest.approx(together.sampling_temperature, rel=1e-3)
    assert alone.provenance["spent_tokens"] == together.provenance["spent_tokens"]


def test_one_knot_is_a_constant(find, given):
    found = find(optimised, "--target=4", "--knots=1", "--evaluations=6")
    temperature_t = np.array(found.sampling_temperature)
    assert len(set(temperature_t)) == 1 and temperature_t[0] != 1.0
    assert found.provenance["loss"] < loss_of(given, np.ones(10), 4.0)


def refuse(monkeypatch):
    def load(*_args, **_kwargs):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("workflow_scripts.generation.writing_runs.load", load)


MOST = f"{math.log(VOCABULARY):.2f}"


@pytest.mark.parametrize(
    ("command", "named", "expected"),
    [
        (constant, {"runs": 1}, r"^generation\.runs: 1 runs have no marginal entropy; take at l"),
        (constant, {"prompt_tokens": 5}, r"^datasets\.x: 1 documents have 5 tokens, and 2 of them"),
        (constant, {"prompts": 4}, r"^datasets\.x: 3 documents have 3 tokens, and 4 of them are w"),
        (constant, {"write": 0}, r"^generation\.write: 0 tokens after each of 2 prompts are noth"),
        (constant, {"prompts": 0}, r"^generation\.write: 10 tokens after each of 0 prompts are n"),
        (stepwise, {"found_on": 4}, r"^datasets\.x: 3 documents have 3 tokens, and 4 of them are"),
        (stepwise, {"target": 6}, rf"^generation\.target: 6\.0 nats; .* than ln 257 = {MOST}, an"),
        (stepwise, {"target": 0}, r"^generation\.target: 0\.0 nats; .* must be above 0; change i"),
        (stepwise, {"target": "nan"}, r"^generation\.target: nan nats; .* must be above 0; chang"),
        (optimised, {"target": -1}, r"^generation\.target: -1\.0 nats; .* must be above 0; chang"),
        (newton, {"fit_to": 0}, r"^generation\.fit_to: a schedule cannot be found on 0 positions"),
    ],
)
def test_bad_input_is_one_sentence_before_a_model_is_loaded(
    write, find, monkeypatch, command, named, expected
):
    refuse(monkeypatch)
    given = named if command is constant else {"target": 3} | named
    with pytest.raises(InputError, match=expected):
        (write if command is constant else find)(command, **given)


def test_a_schedule_of_another_model_is_refused_before_it_is_loaded(
    find, write, tmp_path, monkeypatch
):
    find(stepwise, "--target=3")
    refuse(monkeypatch)
    with pytest.raises(InputError, match=r"a schedule of tiny, not of other; a schedule holds for"):
        write(scheduled, "--schedule", tmp_path / "schedule.json", model="other")


def test_more_positions_than_the_model_has_are_refused(write):
    with pytest.raises(InputError, match=r"^generation\.write: 65 positions are more than the 64"):
        write(constant, write=61)
    write(constant, write=60)


@pytest.mark.parametrize(("command", "target"), [(stepwise, 5.549), (newton, 0.01)])
def test_a_target_that_cannot_be_held_is_refused(find, command, target):
    with pytest.raises(InputError, match=rf"^generation\.target: {target} nats were reached at \d"):
        find(command, f"--target={target}")


def test_a_model_without_an_end_of_text_token_is_refused(write, given, monkeypatch):
    config = given / "other" / "config.json"
    said = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(said | {"eos_token_id": None}), encoding="utf-8")
    refuse(monkeypatch)
    with pytest.raises(InputError, match=r"^generation\.ends: .* of other names no end-of-text "):
        write(constant, "--ends", model="other")
    config.write_text(json.dumps(said), encoding="utf-8")


def test_runs_that_all_end_early_leave_no_schedule(find, monkeypatch):
    monkeypatch.setattr(
        "workflow_scripts.generation.writing_runs._end_tokens", lambda _running: list(range(257))
    )
    for command in (stepwise, optimised):
        with pytest.raises(InputError, match=r"^generation\.ends: all runs have ended before posi"):
            find(command, "--target=3", "--ends")
