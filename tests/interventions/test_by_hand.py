"""Each kind is what it is by hand, through each implementation, with a cache and without."""

import pytest
import torch
from transformers import StaticCache

from tests.interventions.by_hand import LOGITS, Change
from tests.interventions.kinds import HEADS, KINDS, NOISE
from tests.tiny import BLOCKS, VOCABULARY, tiny_model
from workflow_scripts.semstat.interventions.attention_scale import AttentionScale
from workflow_scripts.semstat.interventions.sink_off import SinkOff
from workflow_scripts.semstat.interventions.weight_noise import WeightNoise
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.in_place import in_place
from workflow_scripts.semstat.models.replay import Reader

IDS = torch.randint(1, VOCABULARY, (2, 14), generator=torch.Generator().manual_seed(3))

TOLERANCES = {torch.float64: 1e-5, torch.float32: 1e-4}
"""Norms of Llama are computed in float32 also of what is in float64."""

WRITING = ["Llama", "Mistral", "GPT-2", "GPT-NeoX", "Gemma 2", "Gemma 3"]


def changed(family, change, **options):
    model = tiny_model(family, scale=0.25, **options).requires_grad_(False)
    change.check(model.config)
    change.apply(model)
    return model


def own_logits(model, ids=IDS):
    with torch.inference_mode():
        return model(input_ids=ids, use_cache=False).logits


@pytest.mark.parametrize(
    ("attention", "dtype"), [("sdpa", torch.float64), ("eager", torch.float32)]
)
@pytest.mark.parametrize("kind", ["nothing", *KINDS])
@pytest.mark.parametrize("family", LOGITS)
def test_a_changed_model_is_the_one_written_out(family, kind, attention, dtype):
    model = tiny_model(family, scale=0.25, attn_implementation=attention)
    model, ids = model.requires_grad_(False).to(dtype), IDS[:, :9]
    plain = own_logits(model, ids)
    by_hand = Change()
    if kind != "nothing":
        change, by_hand = KINDS[kind]
        change.check(model.config)
        change.apply(model)
    found = own_logits(model, ids)
    with torch.inference_mode():
        expected = torch.stack([LOGITS[family](model, ids_t, by_hand) for ids_t in ids])
    error, moved = (found - expected).abs().max().item(), (found - plain).abs().max().item()
    assert error < TOLERANCES[dtype] * expected.abs().max()
    assert kind == "nothing" or moved > 20 * TOLERANCES[dtype] * expected.abs().max()


@pytest.mark.parametrize("kind", [*KINDS, "noise"])
@pytest.mark.parametrize("family", WRITING)
def test_what_is_read_through_a_cache_is_what_is_read_at_once(family, kind):
    """Token by token past every sliding window; in place; and from a layer inside."""
    change = NOISE if kind == "noise" else KINDS[kind][0]
    layered = LayeredModel(changed(family, change))
    inner, last = Reader(layered, 1), Reader(layered, BLOCKS)
    whole = layered.hidden_states(IDS, [1, BLOCKS])
    moment, _ = last.start(IDS[:, :3])
    caches = [in_place(moment.after, torch.tensor([1, 0]), IDS.shape[1])]
    for t in range(3, IDS.shape[1]):
        moment = last.read(IDS[:, t : t + 1], moment.after)
        again = last.read_in_place(IDS[[1, 0], t : t + 1], caches)
        for found in (moment.top_xn, again[[1, 0]]):
            torch.testing.assert_close(found, whole[BLOCKS][:, t], rtol=1e-4, atol=1e-4)
    moment, _ = inner.start(IDS)
    found, _ = inner.replay(moment, whole[1][:, -1])
    torch.testing.assert_close(found, whole[BLOCKS][:, -1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [*KINDS, "noise"])
@pytest.mark.parametrize("family", ["Llama", "Mistral", "GPT-NeoX"])
def test_a_cache_with_room_for_what_is_to_come_changes_nothing(family, kind):
    model = changed(family, NOISE if kind == "noise" else KINDS[kind][0])
    cache = StaticCache(config=model.config, max_cache_len=20)
    found = []
    with torch.inference_mode():
        for ids in (IDS[:, :5], *IDS[:, 5:].split(1, dim=1)):
            found.append(model(input_ids=ids, past_key_values=cache, use_cache=True).logits)
    torch.testing.assert_close(torch.cat(found, dim=1), own_logits(model), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_beside_a_longer_one_is_what_it_is_alone(kind):
    layered = LayeredModel(changed("Llama", KINDS[kind][0]))
    padded = IDS.clone()
    padded[1, 9:] = 0
    found = layered.hidden_states(padded, [BLOCKS])[BLOCKS][1, :9]
    alone = layered.hidden_states(IDS[1:, :9], [BLOCKS])[BLOCKS][0]
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)


def test_biases_and_soft_caps_are_scaled_with_the_logits():
    """Gemma 2 caps its logits, c·tanh(x / c): β multiplies what comes out of it."""
    model = tiny_model("Gemma 2", scale=0.4, attn_logit_softcapping=2.0)
    attention = model.model.layers[0].self_attn
    seen = {}

    def keep(_module, _args, output):
        seen["weights"] = output[1][0]

    def log_odds():
        own_logits(model)
        return seen["weights"][:, -1, 1:].log() - seen["weights"][:, -1, :1].log()

    attention.register_forward_hook(keep)
    plain_hk = log_odds()
    AttentionScale(2.0, layers=(1,)).apply(model)
    torch.testing.assert_close(log_odds(), 2 * plain_hk, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("where", [{}, {"layers": (1, 3)}, {"heads": HEADS}])
@pytest.mark.parametrize("family", WRITING)
def test_logits_times_one_change_no_bit(family, where, attention, dtype):
    if family == "Gemma 2" and attention == "sdpa":
        attention = "eager"  # it caps its logits, which sdpa does not
    model = tiny_model(family, scale=0.25, attn_implementation=attention).to(dtype)
    plain = own_logits(model)
    AttentionScale(1.0, **where).apply(model)
    assert torch.equal(own_logits(model), plain)


def test_a_very_large_scale_takes_one_key_and_a_very_small_one_all_alike():
    def weights(scale):
        model = tiny_model("Llama", scale=0.25, attn_implementation="eager")
        AttentionScale(scale).apply(model)
        with torch.inference_mode():
            return torch.stack(model(IDS, output_attentions=True, use_cache=False).attentions)

    found = {scale: weights(scale) for scale in (1e-30, 1e6)}
    share_t = 1 / torch.arange(1, IDS.shape[1] + 1)
    expected = torch.tril(share_t[:, None].expand(-1, IDS.shape[1]))
    torch.testing.assert_close(found[1e-30], expected.expand_as(found[1e-30]))
    torch.testing.assert_close(found[1e6].max(-1).values, torch.ones_like(found[1e6][..., 0]))


def test_two_models_are_changed_apart():
    one, two, plain = (tiny_model("Llama", scale=0.25) for _ in range(3))
    before = own_logits(plain)
    AttentionScale(3.0).apply(one)
    SinkOff().apply(two)
    assert torch.equal(own_logits(plain), before)
    assert not torch.allclose(own_logits(one), own_logits(two))


def test_noise_is_relative_to_each_matrix_and_spares_what_reads_out():
    plain, model = (tiny_model("Llama", hidden_size=64, seed=1) for _ in range(2))
    WeightNoise(0.2, layers=(1, 3), seed=4).apply(model)
    for (name, before), after in zip(plain.named_parameters(), model.parameters(), strict=True):
        if not name.startswith(("model.layers.0.", "model.layers.2.")) or before.dim() < 2:
            assert torch.equal(before, after), name
            continue
        moved = (after - before).square().mean().sqrt() / before.square().mean().sqrt()
        assert abs(moved / 0.2 - 1) < 5 / (2 * before.numel()) ** 0.5, name


def test_noise_depends_on_the_seed_and_the_name_alone():
    weights = {}
    for at, (seed, layers, dtype) in enumerate(
        [
            (4, (), torch.float32),
            (4, (2,), torch.float32),
            (5, (), torch.float32),
            (4, (), torch.float64),
        ]
    ):
        model = tiny_model("Llama").to(dtype)
        WeightNoise(0.2, layers=layers, seed=seed).apply(model)
        weights[at] = model.model.layers[1].mlp.up_proj.weight.detach().double()
    assert torch.equal(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2])
    torch.testing.assert_close(weights[0], weights[3], rtol=1e-5, atol=1e-6)
