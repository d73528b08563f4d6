"""The command that measures attention, in this process: what it writes, and what it refuses."""

import json

import numpy as np
import pyarrow as pa
import pytest

from tests.tiny import VOCABULARY, save_tiny_model
from workflow_scripts.attention.measure_attention import measure_attention
from workflow_scripts.energies.measure_energies import measure_energies
from workflow_scripts.running.command import call
from workflow_scripts.semstat.attention.columns import ATTENTION
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS


@pytest.fixture
def run(tmp_path):
    """Runs a command at two layers of a tiny model of a family, on a shard of two documents."""
    rng = np.random.default_rng(0)
    tokens = [rng.integers(1, 9, length).tolist() for length in (40, 23)]
    table = pa.Table.from_pydict({"doc": [0, 3], "tokens": tokens}, schema=TOKENS)
    write_table(tmp_path / "tokens.parquet", table, {"dataset": "text"})

    def command(function, *options, family="Llama"):
        snapshot = save_tiny_model(tmp_path / family, family=family)
        said = {"vocabulary": VOCABULARY, "model": family}
        (snapshot / "provenance.json").write_text(json.dumps(said))
        out = [tmp_path / f"{function.__name__}_{layer}.parquet" for layer in (0, 2)]
        words = ["--model", snapshot, "--name", "tiny", "--tokens", tmp_path / "tokens.parquet"]
        words += ["--layers", 0, 2, "--context", 16, "--stride", 8, "--device", "cpu", *options]
        call(function, [str(word) for word in [*words, "--out", *out]])
        return out

    return command


def test_rows_are_those_of_the_energies(run):
    for mine, theirs in zip(run(measure_attention), run(measure_energies), strict=True):
        attention, energies = read_table(mine, ATTENTION), read_table(theirs, ENERGIES)
        for name in ("doc", "position"):
            assert attention[name].equals(energies[name])
        of_mine, of_theirs = (provenance_of(t.schema) for t in (attention, energies))
        for key in ("model", "tokens", "context", "stride", "dtype", "attention", "layer"):
            assert of_mine[key] == of_theirs[key]
    assert attention["sink"].null_count == 0 and attention["unspent"].null_count == 38 + 21


def test_float16_and_bfloat16_are_measured_too(run):
    exact = read_table(run(measure_attention)[1], ATTENTION)["row_entropy"].to_numpy()
    for dtype in ("bfloat16", "float16"):
        rounded = read_table(run(measure_attention, "--dtype", dtype)[1], ATTENTION)
        assert np.median(np.abs(rounded["row_entropy"].to_numpy() - exact)) < 0.02


@pytest.mark.parametrize(
    ("options", "family", "expected"),
    [
        (
            ["--heads", 4],
            "Llama",
            r"^attention \(model tiny\): head 4 does not exist \(heads are 0 to 3\); correct `h",
        ),
        (
            [],
            "Falcon",
            r"^models\.tiny: FalconForCausalLM: its attention is code of its own, .* to eager$",
        ),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(run, tmp_path, options, family, expected):
    with pytest.raises(InputError, match=expected) as raised:
        run(measure_attention, *options, family=family)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.glob("measure_attention*"))
