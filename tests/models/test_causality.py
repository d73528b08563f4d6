"""A model whose states see what comes after them is refused, in every dtype; no other is."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    BertGenerationConfig,
    BertGenerationDecoder,
    LlamaConfig,
    MistralConfig,
)

from tests.models.every_type import tiny_config
from tests.tiny import FAMILIES, tiny_model
from workflow_scripts.semstat.models import causality
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.causality import lengths_to_try
from workflow_scripts.semstat.models.decoder import LayeredModel

DTYPES = [torch.float32, torch.bfloat16, torch.float16]

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def not_causal():
    model = tiny_model()
    for module in model.modules():
        if hasattr(module, "is_causal"):
            module.is_causal = False
    return model


def untrained_encoder():
    """Its weights are so small that what it sees moves states by as much as bfloat16 rounds."""
    config = BertGenerationConfig(
        vocab_size=257, hidden_size=32, num_hidden_layers=3, num_attention_heads=4
    )
    return BertGenerationDecoder(config).eval()


def bidirectional():
    return tiny_model("Gemma 3", use_bidirectional_attention=True)


@pytest.mark.filterwarnings("ignore")
@every_dtype
@pytest.mark.parametrize("make", [not_causal, bidirectional, untrained_encoder])
def test_a_model_that_looks_ahead_is_refused(make, dtype):
    with pytest.raises(
        ArchitectureError,
        match=r"^\w+: other tokens after a state move it by \S+ of its norm in a text of 16 "
        r"positions, so its energies would depend on what comes later; take a causal model",
    ):
        LayeredModel(make().to(dtype))


@every_dtype
@pytest.mark.parametrize("family", FAMILIES)
def test_an_ordinary_model_is_not_refused(family, dtype):
    LayeredModel(tiny_model(family).to(dtype), 64)


def longrope():
    factors = {"long_factor": [8.0] * 4, "short_factor": [1.0] * 4}
    scaling = {"rope_type": "longrope", "rope_theta": 1e4} | factors
    return tiny_model("Phi-3", original_max_position_embeddings=16, rope_parameters=scaling)


@every_dtype
def test_a_model_that_treats_long_texts_otherwise_is_refused_for_long_ones_only(dtype):
    """LongRoPE turns every position otherwise once a text is longer than it was trained on."""
    model = longrope().to(dtype)
    LayeredModel(model, 16)
    with pytest.raises(
        ArchitectureError,
        match=r"^Phi3ForCausalLM: more tokens after a state move it by \S+ .* in a text of 32 "
        r"positions, .*; lower measurement\.context to 16$",
    ):
        LayeredModel(model, 40, "measurement.context")


@pytest.mark.parametrize("model_type", ["deepseek_v32", "glm_moe_dsa", "axk2", "dots3_note_text"])
def test_sparse_attention_is_measured_as_far_as_it_keeps_all_keys(model_type):
    model = AutoModelForCausalLM.from_config(tiny_config(model_type)).eval()
    LayeredModel(model, 16)
    with pytest.raises(
        ArchitectureError,
        match=r"its sparse attention keeps 16 keys of a longer text, .*; lower context to 16$",
    ):
        LayeredModel(model, 17, "context")


def test_of_keys_that_score_alike_those_are_kept_that_the_length_chooses():
    """Why the last test is as it is: no token after a state moves it, but a longer text does."""
    config = tiny_config("deepseek_v32")
    model = AutoModelForCausalLM.from_config(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    ids = torch.randint(1, 257, (1, 60), generator=generator)
    others = torch.cat([ids[:, :40], ids[:, 40:].flip(1)], dim=1)
    with torch.inference_mode():
        whole, other, short = (
            model(each, use_cache=False).logits[:, :40] for each in (ids, others, ids[:, :40])
        )
    assert torch.equal(whole, other)
    moved_t = (whole - short).abs().amax(-1)[0]
    assert moved_t[:16].max() < 1e-4 < 1e-2 < moved_t[16:].max()


def test_lengths_reach_past_what_a_text_outgrows():
    tried = lengths_to_try(MistralConfig(sliding_window=20), 64)
    assert tried == [16, 40]
    assert lengths_to_try(MistralConfig(sliding_window=20), 30) == [16, 30]
    assert lengths_to_try(MistralConfig(sliding_window=64), 64) == [16]
    assert lengths_to_try(LlamaConfig(), 8) == [8]


def test_few_tokens_are_read_to_check_a_model_without_windows(monkeypatch):
    """So that loading one costs a small part of one batch."""
    read = []
    real = causality._moved

    def counting(states, ids_bt):
        return real(lambda ids: read.append(ids.numel()) or states(ids), ids_bt)

    monkeypatch.setattr(causality, "_moved", counting)
    LayeredModel(tiny_model(), 64)
    assert sum(read) <= 100
