"""Energies of a tiny model, state by state, against plain forward passes in float64."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from tests.tiny import BLOCKS, tiny_model
from workflow_scripts.semstat.energies import measure as measure_module
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.energies.speeds import norm_and_speeds
from workflow_scripts.semstat.models import windows as windows_module
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.windows import cut_windows, shuffled_predecessors

LAYERS = [0, 1, BLOCKS]
CONTEXT, STRIDE = 16, 6
LENGTHS = [4, 40, 9, 17, 3, 16, 23, 18]


def documents(lengths=LENGTHS, seed=0):
    rng = np.random.default_rng(seed)
    for doc, length in enumerate(lengths):
        tokens_t = rng.integers(257, size=length, dtype=np.int32)
        tokens_t[3::4] = tokens_t[2:-1:4]  # so that H = 0 occurs
        yield doc, tokens_t


def cut(stride=STRIDE, lengths=LENGTHS):
    for doc, tokens_t in documents(lengths):
        yield from cut_windows(doc, tokens_t, CONTEXT, stride)


def measure(model, batch_tokens=48, stride=STRIDE, **options):
    """layer → columns of all states."""
    pieces = list(measure_windows(model, cut(stride), LAYERS, batch_tokens, **options))
    return {
        layer: {
            name: np.concatenate([piece[layer][name] for piece in pieces])
            for name in pieces[0][layer]
        }
        for layer in LAYERS
    }


def plain(model, stride):
    """The same by plain passes in float64: no batch, no hook, all logits at once."""
    model = copy.deepcopy(model).double()
    rows = {layer: [] for layer in LAYERS}
    for window in cut(stride):
        ids = torch.tensor(window.tokens_t[None], dtype=torch.long)
        with torch.inference_mode():
            output = model(ids[:, :-1], output_hidden_states=True)
            final = output.logits
            [before_t] = shuffled_predecessors([window])
            for layer in LAYERS:
                h_tn = output.hidden_states[layer][0]
                if layer == BLOCKS:
                    p_tv = final[0].softmax(-1)
                else:
                    p_tv = model.lm_head(model.model.norm(h_tn)).softmax(-1)
                for t in range(window.first, window.positions):
                    last, correct = window.tokens_t[t], window.tokens_t[t + 1]
                    p_v = p_tv[t].numpy()
                    row = {"doc": window.doc, "position": window.start + t}
                    row |= {"last": last, "correct": correct, "energy": p_v[correct] - p_v[last]}
                    row |= {"log_p_last": np.log(p_v[last]), "log_p_correct": np.log(p_v[correct])}
                    row |= {"entropy": -(p_v * np.log(p_v)).sum()}
                    row |= {"top": p_v.argmax(), "log_p_top": np.log(p_v.max())}
                    if layer < BLOCKS:
                        row["norm"] = np.linalg.norm(h_tn[t])
                    # The last hidden state that transformers gives out is the normed one.
                    normed_tn = h_tn if layer == BLOCKS else model.model.norm(h_tn)
                    places = {"normed_": normed_tn} | ({"": h_tn} if layer < BLOCKS else {})
                    for place, x_tn in places.items():
                        for kind, before in {"": t - 1, "shuffled_": before_t[t]}.items():
                            none = before in (-1, t)
                            speed = np.nan if none else np.linalg.norm(x_tn[t] - x_tn[before])
                            row[f"{place}{kind}speed"] = speed
                    rows[layer].append(row)
    return {
        layer: {name: np.array([row[name] for row in found]) for name in found[0]}
        for layer, found in rows.items()
    }


@pytest.fixture(scope="module")
def model():
    return LayeredModel(tiny_model())


@pytest.fixture(scope="module")
def measured(model):
    return measure(model)


@pytest.mark.parametrize("stride", [STRIDE, CONTEXT])
@pytest.mark.parametrize("family", ["Llama", "Qwen2"])
def test_every_column_is_that_of_a_plain_pass_in_float64(family, stride):
    model = tiny_model(family)
    found, exact = measure(LayeredModel(model), stride=stride), plain(model, stride)
    for layer in LAYERS:
        for name, column in exact[layer].items():
            np.testing.assert_allclose(
                found[layer][name], column, rtol=2e-5, atol=1e-5, err_msg=f"{name} at {layer}"
            )
        same = exact[layer]["last"] == exact[layer]["correct"]
        np.testing.assert_array_equal(found[layer]["energy"] == 0, same)


def test_states_are_ordered_and_complete(measured):
    wanted = [(doc, t) for doc, length in enumerate(LENGTHS) for t in range(1, length - 1)]
    tokens = dict(documents())
    for columns in measured.values():
        found = list(zip(columns["doc"].tolist(), columns["position"].tolist(), strict=True))
        assert found == wanted
        assert columns["last"].tolist() == [tokens[doc][t] for doc, t in wanted]
        assert columns["correct"].tolist() == [tokens[doc][t + 1] for doc, t in wanted]
        kinds = {name: column.dtype.name for name, column in columns.items()}
        integers = {name for name, kind in kinds.items() if kind == "int32"}
        assert integers == {"doc", "position", "last", "correct", "top"}
        assert {kinds[name] for name in set(kinds) - integers} == {"float32"}


@pytest.mark.parametrize("stride", [STRIDE, CONTEXT])
def test_speed_is_missing_only_where_a_window_begins_without_overlap(model, stride):
    for columns in measure(model, stride=stride).values():
        begins_s = (columns["position"] % CONTEXT == 0) & (stride == CONTEXT)
        assert begins_s.any() == (stride == CONTEXT)
        np.testing.assert_array_equal(np.isnan(columns["speed"]), begins_s)
        np.testing.assert_array_equal(np.isnan(columns["normed_speed"]), begins_s)
        assert np.isfinite(columns["norm"]).all()


def test_shuffled_speed_is_missing_only_where_no_other_position_is_left(measured):
    for columns in measured.values():
        alone = np.isin(columns["doc"], [doc for doc, n in enumerate(LENGTHS) if n <= 3])
        np.testing.assert_array_equal(np.isnan(columns["shuffled_speed"]), alone)
        np.testing.assert_array_equal(np.isnan(columns["normed_shuffled_speed"]), alone)


def test_norm_and_speeds_are_euclidean():
    h_btn = torch.tensor([[[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]]], dtype=torch.bfloat16)
    found = norm_and_speeds(h_btn, torch.tensor([[2, 1, 0]]))
    assert found["norm"].tolist() == [[5.0, 0.0, 1.0]]
    assert found["speed"].isnan().tolist() == [[True, False, False]]
    assert found["speed"][0, 1:].tolist() == [5.0, 1.0]
    assert found["shuffled_speed"].isnan().tolist() == [[False, True, False]]
    assert found["shuffled_speed"][0, [0, 2]].tolist() == pytest.approx([20**0.5, 20**0.5])


@pytest.mark.parametrize("batch_tokens", [1, 16, 33, 10_000])
def test_results_do_not_depend_on_the_batch(model, measured, batch_tokens):
    again = measure(model, batch_tokens)
    for layer, columns in measured.items():
        for name, column in columns.items():
            np.testing.assert_allclose(again[layer][name], column, rtol=1e-5, atol=1e-5)


def test_progress_counts_every_state(model):
    batches = []
    measure(model, advance=batches.append)
    assert sum(batches) == sum(length - 2 for length in LENGTHS)
    assert len(batches) > 1


class SmallMemory(LayeredModel):
    """A model that runs out of memory above so many positions, as a GPU would."""

    limit = 0

    def hidden_states(self, ids_bt, layers):
        self.sizes.append(ids_bt.numel())
        if ids_bt.numel() > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().hidden_states(ids_bt, layers)


@pytest.mark.parametrize("limit", [16, 40, 100])
def test_out_of_memory_halves_the_batch_and_changes_no_result(model, measured, limit):
    small = SmallMemory(model.model)
    small.limit, small.sizes = limit, []
    again = measure(small, batch_tokens=300)
    refused = [size for size in small.sizes if size > limit]
    assert refused and len(refused) <= 4, "once halved, it stays halved"
    for layer, columns in measured.items():
        for name, column in columns.items():
            np.testing.assert_allclose(again[layer][name], column, rtol=1e-5, atol=1e-5)


def test_a_window_that_does_not_fit_alone_is_an_error(model):
    small = SmallMemory(model.model)
    small.limit, small.sizes = CONTEXT - 1, []
    with pytest.raises(torch.OutOfMemoryError):
        measure(small)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("wrong", [torch.nan, torch.inf, 1e30])
@pytest.mark.parametrize("layer", LAYERS)
def test_an_activation_that_is_not_finite_is_located(layer, wrong, dtype):
    """The rare token 200, at position 20 of document 5, breaks the model from one layer on."""
    model = LayeredModel(tiny_model().to(dtype))

    def breaks(_module, args, output=None):
        broken = (args[0] if output is None else output).clone()
        broken[:, tokens_t[window.start : window.start + broken.shape[1]] == 200] = wrong
        return broken

    tokens_t = np.arange(1, 30, dtype=np.int32)
    tokens_t[20] = 200
    window = list(cut_windows(5, tokens_t, CONTEXT, CONTEXT))[1]
    if layer == 0:
        model.blocks[0].register_forward_pre_hook(breaks)
    else:
        model.blocks[layer - 1].register_forward_hook(breaks)
    wanted = f"layer {layer}: NaN or infinite activation in document 5 at position 20 "
    with pytest.raises(FloatingPointError, match=wanted):
        list(measure_windows(model, [window], LAYERS, 64))


def test_memory_does_not_grow_with_the_number_of_documents(model, monkeypatch):
    """No more windows are alive at a time than two buffers hold."""
    monkeypatch.setattr(windows_module, "BUFFERED_BATCHES", 2)
    windows, most = [], 0

    def watched():
        nonlocal most
        for window in cut(lengths=[20] * 60):
            windows.append(weakref.ref(window))
            most = max(most, sum(alive() is not None for alive in windows))
            yield window

    gc.collect()
    states = 0
    for piece in measure_windows(model, watched(), [0], batch_tokens=64):
        states += len(piece[0]["energy"])
    assert states == 60 * 18
    assert most <= 2 * (2 * 64 / 12 + 1)


def test_nothing_of_a_batch_outlives_its_arrival(model, monkeypatch):
    """On a GPU its results are pinned memory, which the next batches are to take again."""
    results, most = [], 0

    def watched(x):
        nonlocal most
        most = max(most, sum(alive() is not None for alive in results))
        array = x.numpy().copy()
        results.append(weakref.ref(array))
        return torch.from_numpy(array), None

    monkeypatch.setattr(measure_module, "_to_host", watched)
    pieces = list(measure_windows(model, cut(lengths=[20] * 60), [0], batch_tokens=64))
    assert len(pieces) == 1 and len(results) > 10, "one buffer, many batches"
    assert most <= 2 and all(alive() is None for alive in results)


WAITS = {"_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "equal"}
"""Operations for whose result the host waits."""


class Waits(TorchDispatchMode):
    """Collects the operations that would have a host wait for its GPU."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        indices = args[1] if name in ("index", "index_put", "index_put_") else ()
        if name in WAITS or any(i is not None and i.dtype == torch.bool for i in indices):
            self.found.append(name)
        return function(*args, **(kwargs or {}))


class Logged(LayeredModel):
    """A model that says when it runs, and whose own code is not watched."""

    def hidden_states(self, ids_bt, layers):
        self.events.append("launched")
        with _disable_current_modes():
            return super().hidden_states(ids_bt, layers)


def test_the_host_waits_for_nothing_but_the_batch_before(model):
    logged = Logged(model.model)
    logged.events = []
    with Waits() as waits:
        measure(logged, advance=lambda _: logged.events.append("taken"))
        assert torch.ones(3)[torch.ones(3) > 0].sum().item() == 3
    assert waits.found == ["index", "_local_scalar_dense"], "those just above, and no other"
    batches = len(logged.events) // 2
    assert batches > 3
    wanted = ["launched", *["launched", "taken"] * (batches - 1), "taken"]
    assert logged.events == wanted, "one batch is always ahead"
