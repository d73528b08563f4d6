"""Where the results of the tiny study lie, and how they are read."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq

from tests.runs import TINY_STUDY

MODELS = list(TINY_STUDY["models"])
DATASETS = {name: spec.get("shards", 1) for name, spec in TINY_STUDY["datasets"].items()}
LAYERS = TINY_STUDY["measurement"]["layers"]
CONTEXT, STRIDE = TINY_STUDY["measurement"]["context"], TINY_STUDY["measurement"]["stride"]
ENSEMBLES = [(model, dataset) for model in MODELS for dataset in DATASETS]
SHARDS = [(*of, shard) for of in ENSEMBLES for shard in range(DATASETS[of[1]])]


def tokens_path(results, model, dataset, shard):
    return results / f"tokens/model={model}/dataset={dataset}/shard={shard}.parquet"


def energies_path(results, model, dataset, layer, shard):
    folder = f"energies/model={model}/dataset={dataset}/layer={layer}"
    return results / folder / f"shard={shard}.parquet"


def read_energies(results, model, dataset, layer):
    """All shards of one layer of one ensemble, as columns."""
    paths = [
        energies_path(results, model, dataset, layer, shard) for shard in range(DATASETS[dataset])
    ]
    table = pa.concat_tables(pq.ParquetFile(path).read() for path in paths)
    return {name: table[name].to_numpy() for name in table.column_names}


def read_curves(results, model, dataset, layer):
    path = results / f"curves/model={model}/dataset={dataset}/layer={layer}.parquet"
    return pq.ParquetFile(path).read()


def provenance(path):
    return json.loads(pq.ParquetFile(path).schema_arrow.metadata[b"semantic-statistics"])
