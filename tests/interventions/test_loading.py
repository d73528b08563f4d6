"""A snapshot loaded under an intervention: what is refused, what its energies are, and tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.models.every_type import save_tiny
from tests.tiny import BLOCKS, save_tiny_model
from workflow_scripts.energies.measure_energies import measure_energies
from workflow_scripts.models.loading import Running, load
from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import provenance_of, read_table, write_table
from workflow_scripts.semstat.tokens.tables import TOKENS
from workflow_scripts.sources.copy_local_model import copy_local_model
from workflow_scripts.tokens.shards import Cut

LAYERS = list(range(BLOCKS + 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny snapshot, and documents, some of them longer than a window."""
    folder = tmp_path_factory.mktemp("intervened")
    local = save_tiny_model(folder / "local")
    copy_local_model(name="tiny", path=local, blocks=BLOCKS, out=folder / "tiny")
    generator = np.random.default_rng(0)
    documents = [[0, *generator.integers(1, 257, length).tolist()] for length in (40, 7, 29, 12)]
    tokens = pa.Table.from_pydict({"doc": range(4), "tokens": documents}, schema=TOKENS)
    write_table(folder / "tokens.parquet", tokens, Provenance(dataset="d"))
    return folder


def said(**intervention: Any) -> str:
    return json.dumps(intervention)


def measured(folder: Path, out: Path, **running: Any) -> list[pa.Table]:
    """Energies at all layers."""
    paths = [out / f"{layer}.parquet" for layer in LAYERS]
    measure_energies(
        running=Running(model=folder / "tiny", device="cpu", batch_tokens=64, **running),
        cut=Cut(context=24, stride=12),
        tokens=folder / "tokens.parquet",
        layers=LAYERS,
        out=paths,
    )
    return [read_table(path, ENERGIES) for path in paths]


def bytes_of(tables: list[pa.Table]) -> list[list[bytes]]:
    return [
        [column.combine_chunks().cast(column.type).buffers()[-1].to_pybytes() for column in table]
        for table in tables
    ]


@pytest.mark.parametrize("attention", ["auto", "eager"])
@pytest.mark.parametrize("where", [{}, {"layers": [1, 3]}, {"heads": [[1, 0], [2, 3]]}])
def test_energies_under_logits_times_one_are_the_plain_model_s_to_the_bit(
    where, attention, folder, tmp_path
):
    plain = measured(folder, tmp_path / "plain", attention=attention)
    one = said(kind="attention_scale", scale=1.0, **where)
    same = measured(folder, tmp_path / "same", attention=attention, intervention=one)
    two = said(kind="attention_scale", scale=2.0, **where)
    other = measured(folder, tmp_path / "other", attention=attention, intervention=two)
    assert bytes_of(same) == bytes_of(plain)
    assert bytes_of(other)[0] == bytes_of(plain)[0]  # the embedding
    assert bytes_of(other)[-1] != bytes_of(plain)[-1]
    provenances = [provenance_of(tables[0].schema) for tables in (plain, same, other)]
    assert "intervention" not in provenances[0]
    assert provenances[1].pop("intervention") == json.loads(one)
    assert provenances[1] == provenances[0]


@pytest.mark.parametrize(
    "intervention",
    [
        {"kind": "attention_scale", "scale": 3.0},
        {"kind": "heads_off", "heads": [[2, 1], [3, 0]]},
        {"kind": "sink_off"},
        {"kind": "attention_window", "window": 3},
        {"kind": "weight_noise", "noise": 0.5, "layers": [2, 3]},
        {"kind": "layers_skipped", "layers": [2]},
    ],
)
def test_each_kind_is_measured_and_named_where_its_result_is(intervention, folder, tmp_path):
    plain = measured(folder, tmp_path / "plain")
    planned = intervention | {"code": "0" * 64}
    found = measured(folder, tmp_path / "other", intervention=said(**planned))
    provenance = provenance_of(found[-1].schema)
    assert provenance["intervention"] == intervention
    assert provenance["attention"] == "sdpa"
    assert bytes_of(found)[-1] != bytes_of(plain)[-1]
    if intervention["kind"] == "layers_skipped":
        assert found[2].drop_columns(["speed"]) == found[1].drop_columns(["speed"])
        assert found[1] == plain[1]


REFUSED = [
    (said(kind="heads_off", heads=[[1, 4]]), r"\.heads: head 4 of layer 1 does not exist \(the "),
    (said(kind="heads_off", heads=[[4, 0]]), r"\.heads: layer 4 does not exist \(the model has "),
    (said(kind="attention_scale", scale=2, layers=[9]), r"\.layers: layer 9 does not exist"),
    (said(kind="attention_scale", scale=0), r"\.scale: 0 is not a number above 0; correct it"),
    (said(kind="attention_scale", scale=-1.5), r"\.scale: -1.5 is not a number above 0"),
    ('{"kind": "attention_scale", "scale": NaN}', r"\.scale: nan is not a number above 0"),
    ('{"kind": "attention_scale", "scale": Infinity}', r"\.scale: inf is not a number above 0"),
    (said(kind="attention_scale", scale=2, layers=[1], heads=[[1, 0]]), r"\.heads: name their"),
    (said(kind="attention_window", window=0), r"\.window: 0 keys are too few; take at least 1"),
    (said(kind="weight_noise", noise=0), r"\.noise: 0 is not a number above 0; correct it"),
    (said(kind="weight_noise", noise=1, layers=[0]), r"\.layers: layer 0 does not exist"),
    (said(kind="layers_skipped", layers=[4]), r"\.layers: layer 4 does not exist"),
    (said(kind="layers_skipped"), r"\.layers: none is named; name one"),
    (said(kind="sink_off", layers=[1]), r": .*unexpected keyword argument 'layers'; see docs/"),
    (said(kind="attention_scale"), r": .*missing 1 required .* 'scale'; see docs/interventions"),
    (said(kind="sink_of"), r": .* names no intervention \(No module named .*; see docs/"),
    ("sink_off", r": sink_off names no intervention \(Expecting value.*; see docs/interventions"),
]


@pytest.mark.parametrize(("intervention", "expected"), REFUSED)
def test_what_the_model_has_not_is_refused_before_its_weights_are_read(
    intervention, expected, tmp_path
):
    running = Running(
        model=save_tiny_model(tmp_path), name="mine", device="cpu", intervention=intervention
    )
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match=rf"^models\.mine\.intervention{expected}"):
        load(running, 60, "measurement.context")


OF_TYPES = [
    ("mamba", {"kind": "sink_off"}, "mamba has no heads of attention to change; take another"),
    ("mamba2", {"kind": "attention_scale", "scale": 2.0}, "mamba2 has no heads of attention to "),
    ("gptj", {"kind": "sink_off"}, "GPTJForCausalLM: its attention does not go through "),
    ("falcon", {"kind": "attention_scale", "scale": 2.0}, "FalconForCausalLM: its attention does"),
    ("bloom", {"kind": "heads_off", "heads": [[1, 0]]}, "BloomForCausalLM: its attention does not"),
    (
        "jamba",
        {"kind": "attention_scale", "scale": 2.0, "layers": [1]},
        "JambaForCausalLM: layer 1 has no attention that goes through transformers' attention "
        "interface; name some of 2",
    ),
    (
        "gpt_oss",  # its softmax has one logit more, which no key has
        {"kind": "attention_scale", "scale": 2.0},
        "GptOssForCausalLM: so changed, its attention at layer 1 is not what it is when computed",
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("model_type", "intervention", "expected"), OF_TYPES)
def test_what_would_not_be_exact_is_refused(model_type, intervention, expected, tmp_path):
    running = Running(
        model=save_tiny(model_type, tmp_path),
        name="mine",
        device="cpu",
        intervention=said(**intervention),
    )
    with pytest.raises(InputError) as error:
        load(running, 16, "measurement.context")
    assert str(error.value).startswith(f"models.mine.intervention: {expected}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", ["mamba", "gptj", "falcon", "bloom", "gpt_oss", "jamba"])
def test_controls_of_damage_need_no_attention(model_type, tmp_path):
    snapshot = save_tiny(model_type, tmp_path)
    ids_bt = torch.arange(1, 13)[None]

    def top(intervention):
        running = Running(model=snapshot, device="cpu", intervention=intervention)
        layered, _ = load(running, 16, "measurement.context")
        return layered.hidden_states(ids_bt, [1, 2, layered.n_blocks])

    plain, noisy = top("none"), top(said(kind="weight_noise", noise=0.5))
    skipped = top(said(kind="layers_skipped", layers=[2]))
    assert torch.equal(skipped[1], skipped[2]) and torch.equal(skipped[1], plain[1])
    last = max(plain)
    assert not torch.allclose(plain[last], noisy[last])


def test_heads_of_a_softmax_that_has_more_than_keys_are_switched_off(tmp_path):
    snapshot = save_tiny("gpt_oss", tmp_path)
    ids_bt = torch.arange(1, 13)[None]

    def after_the_first(*heads):
        off = said(kind="heads_off", heads=heads)
        running = Running(model=snapshot, device="cpu", intervention=off)
        layered, _ = load(running, 16, "measurement.context")
        given = {}
        attention = layered.blocks[0].self_attn
        attention.o_proj.register_forward_pre_hook(lambda _, args: given.update(to=args[0]))
        layered.hidden_states(ids_bt, [1])
        return given["to"].unflatten(-1, (4, -1))[0]

    one, two = after_the_first([1, 2], [2, 0]), after_the_first([1, 0], [1, 2])
    assert not one[:, 2].any() and not two[:, [0, 2]].any()
    assert torch.equal(one[:, [1, 3]], two[:, [1, 3]]) and one[:, [0, 1, 3]].all()
