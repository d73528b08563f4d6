"""Keys and values that grow in place, against those that transformers makes anew."""

import pytest
import torch
from transformers.cache_utils import DynamicLayer

from tests.models.test_replay import RECURRENT, of_type
from tests.tiny import FAMILIES, VOCABULARY, tiny_model
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.in_place import bytes_of_a_text, in_place
from workflow_scripts.semstat.models.replay import Reader

IDS = torch.randint(1, VOCABULARY, (2, 20), generator=torch.Generator().manual_seed(0))
ROW = torch.tensor([1, 0, 0, 1, 1])


@pytest.fixture(scope="module", params=FAMILIES)
def reader(request):
    layered = LayeredModel(tiny_model(request.param, scale=0.15).requires_grad_(False))
    return Reader(layered, layered.n_blocks)


def remembered(cache):
    return [(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]


@pytest.mark.parametrize("shares", [1, 3])
def test_reading_in_place_is_reading(reader, shares):
    """Six tokens after fourteen: past the sliding windows, to the last place there is room for."""
    moment, _ = reader.start(IDS[:, :14])
    before = remembered(moment.after)
    caches = [in_place(moment.after, few, 20) for few in ROW.tensor_split(shares)]
    torch.set_num_threads(shares)
    try:
        for t in range(14, 20):
            found_xn = reader.read_in_place(IDS[ROW, t : t + 1], caches)
            expected_xn = reader.start(IDS[:, : t + 1])[0].top_xn[ROW]
            torch.testing.assert_close(found_xn, expected_xn, rtol=1e-4, atol=1e-4)
    finally:
        torch.set_num_threads(1)
    for (keys, values), layer in zip(before, moment.after.layers, strict=True):
        assert torch.equal(keys, layer.keys) and torch.equal(values, layer.values)


def test_keys_and_values_stay_where_they_are():
    layered = LayeredModel(tiny_model(scale=0.15).requires_grad_(False))
    reader = Reader(layered, layered.n_blocks)
    moment, _ = reader.start(IDS[:, :3])
    cache = in_place(moment.after, ROW, 9)
    places = [layer.keys.data_ptr() for layer in cache.layers]
    for t in range(3, 9):
        reader.read_in_place(IDS[ROW, t : t + 1], [cache])
        assert cache.get_seq_length() == t + 1
        assert [layer.keys.data_ptr() for layer in cache.layers] == places
    with pytest.raises(RuntimeError):
        reader.read_in_place(IDS[ROW, 9:10], [cache])


@pytest.mark.parametrize(("family", "kept"), [("Llama", 20), ("GPT-2", 20), ("Mistral", 8)])
def test_what_a_text_takes_is_what_is_kept_of_it(family, kept):
    layered = LayeredModel(tiny_model(family))
    reader = Reader(layered, layered.n_blocks)
    cache = reader.start(IDS[:1])[0].after
    assert all(isinstance(layer, DynamicLayer) for layer in cache.layers)
    held = sum(2 * layer.keys.nbytes * kept // layer.keys.shape[-2] for layer in cache.layers)
    assert bytes_of_a_text(reader, 20) == held


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shares", [1, 3])
@pytest.mark.parametrize("model_type", RECURRENT)
def test_recurrent_states_are_read_on_in_every_share(model_type, shares):
    layered = LayeredModel(of_type(model_type))
    reader = Reader(layered, layered.n_blocks)
    moment, _ = reader.start(IDS[:, :9])
    again, _ = reader.start(IDS[:, :9])
    caches = [in_place(moment.after, few, 14) for few in ROW.tensor_split(shares)]
    torch.set_num_threads(shares)
    try:
        for t in range(9, 14):
            found_xn = reader.read_in_place(IDS[ROW, t : t + 1], caches)
            expected_xn = reader.start(IDS[:, : t + 1])[0].top_xn[ROW]
            torch.testing.assert_close(found_xn, expected_xn, rtol=1e-4, atol=1e-4)
    finally:
        torch.set_num_threads(1)
    untouched_xn = reader.read(IDS[:, 9:10], moment.after).top_xn
    assert torch.equal(untouched_xn, reader.read(IDS[:, 9:10], again.after).top_xn)
