"""Layers written side by side: the same bytes, and no error lost."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from pyarrow.parquet import read_metadata
from tqdm import tqdm

from tests.tiny import BLOCKS, save_tiny_model
from workflow_scripts.energies.measure_energies import measure_energies
from workflow_scripts.energies.measuring import _write, open_tokens
from workflow_scripts.models.loading import Running
from workflow_scripts.running import command
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import table_writers, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.tokens.shards import Cut

LAYERS = [0, 4, 7, 9, 12]


def buffer(layer, seed, states=1000):
    rng = np.random.default_rng([layer, seed])
    values = {field.name: rng.integers(1000, size=states) for field in ENERGIES}
    return {
        name: value.astype(ENERGIES.field(name).type.to_pandas_dtype())
        for name, value in values.items()
    }


def write(folder, threads, buffers):
    paths = [folder / str(threads) / f"{layer}.parquet" for layer in LAYERS]
    provenances = [{"layer": layer} for layer in LAYERS]
    with (
        table_writers(paths, ENERGIES, provenances) as writers,
        ThreadPoolExecutor(threads) as pool,
    ):
        for by_layer in buffers:
            _write(pool, writers, LAYERS, by_layer)
    return [path.read_bytes() for path in paths]


def test_files_are_the_same_bytes_whatever_the_threads(tmp_path):
    buffers = [{layer: buffer(layer, seed) for layer in LAYERS} for seed in range(4)]
    one, two, many = (write(tmp_path, threads, buffers) for threads in (1, 2, 8))
    assert one == two == many
    assert len(set(one)) == len(LAYERS)


@pytest.mark.parametrize("threads", [1, 8])
def test_what_goes_wrong_at_one_layer_is_raised_and_leaves_no_file(threads, tmp_path):
    buffers = [{layer: buffer(layer, seed) for layer in LAYERS} for seed in range(2)]
    del buffers[1][7]["norm"]
    with pytest.raises(KeyError, match="norm"):
        write(tmp_path, threads, buffers)
    assert list((tmp_path / str(threads)).iterdir()) == []


def test_a_file_is_asked_for_each_layer(tmp_path):
    with pytest.raises(InputError, match=r"^--layers and --out: 5 layers and 1 files; give a file"):
        open_tokens(tmp_path / "tokens.parquet", LAYERS, [tmp_path / "0.parquet"])


def test_states_are_counted_where_progress_is_not_shown(tmp_path, monkeypatch):
    """As with TQDM_DISABLE=1, which tqdm reads when it is imported."""
    monkeypatch.setattr(command, "tqdm", partial(tqdm, disable=True))
    folder, out = tmp_path / "tiny", tmp_path / "energies.parquet"
    local = save_tiny_model(tmp_path / "local")
    copy_local_model(name="tiny", path=local, blocks=BLOCKS, out=folder)
    tokens = pa.Table.from_pydict({"doc": [0], "tokens": [[0, 5, 6, 7]]}, schema=TOKENS)
    write_table(tmp_path / "tokens.parquet", tokens, Provenance(dataset="d"))
    measure_energies(
        running=Running(model=folder, device="cpu"),
        cut=Cut(context=8, stride=8),
        tokens=tmp_path / "tokens.parquet",
        layers=[BLOCKS],
        out=[out],
    )
    assert read_metadata(out).num_rows == 2
