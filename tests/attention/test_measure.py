"""Attention of tiny models against the maps that transformers gives out, and what is refused."""

import numpy as np
import pytest
import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS, AttentionInterface

from tests.attention.plain import plain_rows
from tests.energies.test_measure import cut
from tests.tiny import BLOCKS, tiny_model
from workflow_scripts.semstat.attention import watching, weights
from workflow_scripts.semstat.attention.columns import MEASURES
from workflow_scripts.semstat.attention.measure import measure_attention
from workflow_scripts.semstat.attention.watching import check_weights
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.models.architecture import ArchitectureError
from workflow_scripts.semstat.models.decoder import LayeredModel

LAYERS = [0, 1, BLOCKS]


def measure(model, layers=LAYERS, stride=6, batch_tokens=48, **options):
    """layer → columns of all states."""
    pieces = list(measure_attention(model, cut(stride), layers, batch_tokens, **options))
    return {
        layer: {
            name: np.concatenate([piece[layer][name] for piece in pieces])
            for name in pieces[0][layer]
        }
        for layer in layers
    }


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    """So few weights at once that maps are made in several pieces."""
    monkeypatch.setattr(weights, "AT_ONCE", {"cpu": 500})


@pytest.mark.parametrize("stride", [6, 16])
@pytest.mark.parametrize(
    ("family", "implementation"),
    [
        *(("Llama", name) for name in ("eager", "sdpa")),
        *(("GPT-2", name) for name in ("eager", "sdpa")),
        *(("GPT-NeoX", name) for name in ("eager", "sdpa")),
        ("Mistral", "sdpa"),  # its window is 8 of 16 positions
        ("Qwen3", "sdpa"),
        ("OPT", "sdpa"),
        ("Gemma 2", "eager"),  # its logits are capped
        ("Cohere", "sdpa"),
    ],
)
def test_measures_are_those_of_the_maps_that_transformers_gives(family, implementation, stride):
    model = tiny_model(family, attn_implementation=implementation)
    layered = LayeredModel(model, 16)
    check_weights(layered, LAYERS)
    found = measure(layered, stride=stride)
    for layer in LAYERS[1:]:
        expected = plain_rows(model, cut(stride), layer)
        for name in MEASURES:
            np.testing.assert_allclose(
                found[layer][name], expected[name], rtol=2e-4, atol=2e-5, err_msg=name
            )
            assert name == "unspent" or np.isfinite(found[layer][name]).any()


def test_rows_are_the_states_of_the_energies_table_and_the_body_runs_as_there():
    layered = LayeredModel(tiny_model(), 16)
    before = layered.hidden_states(torch.arange(12)[None], [BLOCKS])
    found = measure(layered)
    pieces = list(measure_windows(layered, cut(), LAYERS, 48))
    for layer in LAYERS:
        for name in ("doc", "position"):
            energies = np.concatenate([piece[layer][name] for piece in pieces])
            np.testing.assert_array_equal(found[layer][name], energies)
    after = layered.hidden_states(torch.arange(12)[None], [BLOCKS])
    assert torch.equal(before[BLOCKS], after[BLOCKS])
    assert not ALL_ATTENTION_FUNCTIONS._local_mapping, "nothing stays behind"


def test_the_embedding_has_ranks_and_no_attention():
    found = measure(LayeredModel(tiny_model(), 16))[0]
    assert np.isnan(found["sink"]).all() and np.isnan(found["row_entropy"]).all()
    assert (found["stable_rank"][np.isfinite(found["stable_rank"])] >= 1 - 1e-6).all()


def test_threads_and_batches_change_no_more_than_rounding():
    layered = LayeredModel(tiny_model(), 16)
    one = measure(layered)
    torch.set_num_threads(2)
    try:
        two = measure(layered, batch_tokens=200)
    finally:
        torch.set_num_threads(1)
    for layer in LAYERS:
        for name, column in one[layer].items():
            np.testing.assert_allclose(two[layer][name], column, rtol=1e-4, atol=1e-5)


def test_the_mean_over_all_heads_is_that_of_single_ones():
    layered = LayeredModel(tiny_model(), 16)
    together = measure(layered)[BLOCKS]
    alone = [measure(layered, heads=[head])[BLOCKS] for head in range(4)]
    for name in ("row_entropy", "sink", "itself", "before", "induction"):
        mean = np.mean([each[name] for each in alone], axis=0)
        np.testing.assert_allclose(together[name], mean, rtol=1e-4, atol=1e-6)
    assert not np.allclose(alone[0]["sink"], alone[1]["sink"])
    with pytest.raises(ValueError, match=r"^head 4 does not exist \(heads are 0 to 3\)$"):
        measure(layered, heads=[4])


def test_a_function_that_calls_another_one_is_seen_where_it_arrives():
    """As one does that multiplies the logits of a layer: its map is not that of its arguments."""

    def collapsed(module, query, key, value, attention_mask, **options):
        base = ALL_ATTENTION_FUNCTIONS["sdpa"]
        return base(module, 3 * query, key, value, attention_mask, **options)

    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, AttentionMaskInterface

    AttentionInterface.register("collapsed", collapsed)
    AttentionMaskInterface.register("collapsed", ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    try:
        model = tiny_model(attn_implementation="collapsed")
        layered = LayeredModel(model, 16)
        check_weights(layered, LAYERS)
        found = measure(layered)
        # The same queries, thrice as large by the weights that make them.
        other = tiny_model()
        for block in other.model.layers:
            block.self_attn.q_proj.weight.data *= 3
        expected = measure(LayeredModel(other, 16))
    finally:
        del AttentionInterface._global_mapping["collapsed"]
        del AttentionMaskInterface._global_mapping["collapsed"]
    for name in ("row_entropy", "sink", "before"):
        np.testing.assert_allclose(found[1][name], expected[1][name], rtol=1e-3, atol=1e-5)


def test_a_function_that_does_something_else_with_them_is_refused():
    def backwards(module, query, key, value, attention_mask, **options):
        output, _ = stood(module, query, key, value, attention_mask, **options)
        return -output, None

    stood = ALL_ATTENTION_FUNCTIONS["sdpa"]
    layered = LayeredModel(tiny_model(), 16)
    ALL_ATTENTION_FUNCTIONS["sdpa"] = backwards
    try:
        with pytest.raises(ArchitectureError, match="miss its own output by 2 of its norm"):
            check_weights(layered, LAYERS)
        assert ALL_ATTENTION_FUNCTIONS["sdpa"] is backwards
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]


def test_what_a_layer_with_sinks_of_its_own_leaves_unspent():
    import transformers

    config = transformers.GptOssConfig(
        vocab_size=257,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        intermediate_size=48,
        num_local_experts=2,
        num_experts_per_tok=1,
        max_position_embeddings=64,
        sliding_window=8,
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    layered = LayeredModel(model.eval(), 16)
    layers = [1, 2]
    check_weights(layered, layers)
    found = measure(layered, layers)
    for layer in layers:
        row = 0
        for window in cut():
            ids = torch.tensor(window.tokens_t[None, :-1], dtype=torch.long)
            with torch.inference_mode():
                maps = model(ids, output_attentions=True, use_cache=False).attentions
            spent_t = maps[layer - 1][0].sum(-1).mean(0)[window.first :]
            states = slice(row, row + window.states)
            np.testing.assert_allclose(found[layer]["unspent"][states], 1 - spent_t, atol=1e-5)
            np.testing.assert_allclose(
                found[layer]["sink"][states],
                maps[layer - 1][0, :, window.first :, 0].mean(0),
                atol=1e-5,
            )
            row += window.states
        assert (found[layer]["unspent"] > 0.01).all()


@pytest.mark.parametrize("family", ["BLOOM", "GPT-J", "GPT-Neo", "Falcon"])
def test_maps_are_taken_that_a_model_gives_out_which_attends_by_code_of_its_own(family):
    model = tiny_model(family, attn_implementation="eager")
    layered = LayeredModel(model, 16)
    layers = [0, 1, len(layered.blocks)]
    assert check_weights(layered, layers)
    found = measure(layered, layers, given=True)
    assert np.isnan(found[0]["sink"]).all() and np.isfinite(found[0]["relative_norm"]).all()
    for layer in layers[1:]:
        expected = plain_rows(model, cut(6), layer)
        for name in MEASURES:
            np.testing.assert_allclose(
                found[layer][name], expected[name], rtol=2e-4, atol=2e-5, err_msg=name
            )
    one = measure(layered, layers, given=True, heads=[2])[1]
    assert not np.allclose(one["sink"], found[1]["sink"])
    with pytest.raises(ValueError, match=r"^head 4 does not exist \(heads are 0 to 3\)$"):
        check_weights(layered, layers, [4])


def test_maps_of_another_implementation_than_the_models_are_refused():
    """Falcon's sdpa is not its eager, which adds ALiBi's bias once more."""
    layered = LayeredModel(tiny_model("Falcon"), 16)
    with pytest.raises(ArchitectureError, match=r"set the model's `attention` to eager$"):
        check_weights(layered, LAYERS)


def test_maps_that_see_what_is_to_come_are_refused(monkeypatch):
    layered = LayeredModel(tiny_model("GPT-J"), 16)
    taken = watching.maps_given

    def backwards(model, ids_xt):
        return [weights.Given(maps.weight_xhqk.flip(-1)) for maps in taken(model, ids_xt)]

    monkeypatch.setattr(watching, "maps_given", backwards)
    with pytest.raises(ArchitectureError, match="layer 1 are not those of causal attention: rows"):
        check_weights(layered, LAYERS)


def test_a_model_without_attention_is_refused():
    import transformers

    config = transformers.MambaConfig(
        vocab_size=257, hidden_size=32, num_hidden_layers=2, state_size=4
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with pytest.raises(ArchitectureError, match="there are no attention weights to measure"):
        check_weights(LayeredModel(model, 16), [1, 2])
