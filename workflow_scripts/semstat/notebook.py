"""From a model and a text to energies, curves and figures: what one types in a notebook.

It is a thin layer over the other rooms, and loads torch or matplotlib only when a model is run or a
figure drawn. docs/library.md shows it at work.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .energies.tables import ENERGIES
from .errors import InputError
from .tables import columns, table_of
from .thermodynamics.curves import Curves, estimate_curves
from .thermodynamics.energy_grid import count_states, energy_edges

if TYPE_CHECKING:
    from .figures import Figure
    from .models.decoder import LayeredModel

TEXT_ENERGIES = pa.schema(
    [
        *columns(layer=pa.int32()),
        *ENERGIES,
        *columns(last_token=pa.string(), correct_token=pa.string(), top_token=pa.string()),
    ]
)
"""The energies table of texts: one row a layer and state, its tokens also as strings."""

MOST_STATES = 320
"""States of the longest text that `plot_tokens` draws."""


def measure_energies(
    model: Any,
    tokenizer: Any,
    text: str | Sequence[str],
    layers: Sequence[int] | None = None,
    *,
    prefix_token: str | None = None,
    context: int | None = None,
    stride: int | None = None,
    batch_tokens: int | None = None,
) -> pa.Table:
    """Measure the energy of every state of texts at every layer, as the workflow does.

    The numbers are those of the workflow, bit by bit, for the same prefix token, context, stride,
    dtype and threads. The model stays as it is.

    Parameters
    ----------
    model : a causal language model of transformers, or a LayeredModel; in evaluation mode.
    tokenizer : the tokenizer of the model, of transformers.
    text : a text, or several documents.
    layers : layers to read out, 0 the embedding; all by default.
    prefix_token : put before every document, so that its first token is predicted from something;
        by default the token that the tokenizer begins a text with (bos), else ends one with (eos).
    context : positions that the model sees at once, by default as many as it was made for. Longer
        documents are read in windows. Memory grows with context × layers.
    stride : positions between two windows, by default half the context.
    batch_tokens : positions in one forward pass; by default 2,048 on a CPU, 16,384 on a GPU.

    Returns
    -------
    `TEXT_ENERGIES`, ordered by layer, document and position; documents are numbered from 0.

    Raises
    ------
    InputError
        One sentence that says what to do: if the model is no causal language model, is in training
        mode or gives NaN, if a document has fewer than two tokens, if the tokenizer belongs to
        another model or lacks a prefix token, or if a layer or window does not exist.
    """
    import torch

    from .energies.measure import measure_windows
    from .models.windows import BATCH_TOKENS, cut_windows

    layered = _layered(model)
    wanted = _existing(layers, len(layered.blocks))
    texts = [text] if isinstance(text, str) else list(text)
    documents = _tokenize(tokenizer, texts, prefix_token, layered.decoder.vocabulary)
    context, stride = _window(layered, context, stride, max(map(len, documents)))
    layered.check_causality(context, "context")
    windows = (
        window
        for doc, tokens_t in enumerate(documents)
        for window in cut_windows(doc, tokens_t, context, stride)
    )
    budget = batch_tokens or BATCH_TOKENS[layered.device.type]
    try:
        # The readout writes in place, which weights that want gradients would not allow.
        with torch.inference_mode():
            measured = list(measure_windows(layered, windows, wanted, budget))
    except FloatingPointError as error:
        raise InputError(
            f"model: {error}; load it with dtype=torch.float32, or torch.bfloat16 on a GPU"
        ) from error
    by_layer = [{"layer": layer, **buffer[layer]} for layer in wanted for buffer in measured]
    return pa.concat_tables([_with_strings(found, tokenizer) for found in by_layer])


def curves_of(
    energy_s: Any,
    doc_s: Any,
    *,
    resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
) -> Curves:
    """Estimate ρ, Ω, S, T, S_B and T_B of any energies, with intervals and simultaneous bands.

    Parameters
    ----------
    energy_s : (states,) energies H in [−1, 1].
    doc_s : (states,) what document each state is of: states of one are correlated, and error bars
        come from the scatter between them.
    resamples, confidence : as `estimate_curves` takes them.
    seed : of the resamples.

    Raises
    ------
    ValueError
        If an energy is NaN or outside [−1, 1], if there are fewer than two documents, or if the
        arrays differ in length.
    """
    energy_s, doc_s = np.asarray(energy_s), np.asarray(doc_s)
    if energy_s.shape != doc_s.shape or energy_s.ndim != 1:
        raise InputError(
            f"energies of shape {energy_s.shape} and documents of shape {doc_s.shape}: give each "
            f"state one energy and the number of its document"
        )
    _, number_s = np.unique(doc_s, return_inverse=True)
    edges_e = energy_edges()
    counts = count_states(energy_s, number_s, edges_e)
    return estimate_curves(counts, edges_e, np.random.default_rng(seed), resamples, confidence)


def curves_by_layer(
    energies: pa.Table, *, resamples: int = 400, confidence: float = 0.95, seed: int = 0
) -> dict[int, Curves]:
    """Curves of each layer of a table that `measure_energies` gave, by `curves_of`."""
    return {
        layer: curves_of(
            rows["energy"], rows["doc"], resamples=resamples, confidence=confidence, seed=seed
        )
        for layer, rows in _layers_of(energies)
    }


def plot_curves(
    curves: Mapping[Hashable, Curves], quantity: str = "entropy", title: str = ""
) -> Figure:
    """Draw one quantity of several ensembles, with intervals (dark) and bands (light).

    Parameters
    ----------
    curves : by label; if all labels are integers, they are layers.
    quantity : "entropy" S(E), "temperature" T(E) or "density" ρ(E).
    """
    from .thermodynamics.figures import QUANTITIES, Line, draw_curves

    if quantity not in QUANTITIES:
        raise InputError(f"quantity: no {quantity!r}; choose one of {', '.join(QUANTITIES)}")
    lines = [Line(str(label), of_label.columns()) for label, of_label in curves.items()]
    ordered = all(isinstance(label, int) for label in curves)
    return draw_curves(lines, quantity, title, ordered)


def plot_layer_map(curves: Mapping[int, Curves], title: str = "") -> Figure:
    """Draw where the states of each layer lie: share of states per decade of |E|."""
    from .thermodynamics.figures import draw_layer_map

    layers = sorted(curves)
    return draw_layer_map(layers, [curves[layer].columns() for layer in layers], title)


def plot_tokens(
    energies: pa.Table, title: str = "", *, doc: int = 0, positions: range | None = None
) -> Figure:
    """Draw the tokens of one text, and between them the energy of each state at each layer.

    Parameters
    ----------
    energies : a table that `measure_energies` gave.
    doc : which of its documents.
    positions : which of its positions; all by default.

    Raises
    ------
    InputError
        If there are no such states, some between them are missing, or they are more than
        `MOST_STATES`.
    """
    from .energies.figures import draw_tokens

    chosen = pc.equal(energies["doc"], doc)
    if positions is not None:
        chosen = pc.and_(chosen, pc.is_in(energies["position"], pa.array(positions, pa.int32())))
    by_layer = dict(_layers_of(energies.filter(chosen)))
    if not by_layer:
        raise InputError(f"energies: no states of document {doc} at these positions")
    first, *_ = shown = list(by_layer.values())
    states = len(first["position"])
    whole = first["position"][0] + np.arange(states)
    if not all(np.array_equal(rows["position"], whole) for rows in shown):
        raise InputError(
            f"energies: states of document {doc} are missing; plot_tokens wants all of its layers "
            f"and positions, and chooses by `positions`"
        )
    if states > MOST_STATES:
        raise InputError(
            f"energies: document {doc} has {states} states, of which {MOST_STATES} can be shown; "
            f"choose some by positions=range({whole[0]}, {whole[0] + MOST_STATES})"
        )
    tokens = [first["last_token"][0], *first["correct_token"]]
    energy_ls = np.array([rows["energy"] for rows in shown])
    return draw_tokens(tokens, list(by_layer), energy_ls, title)


def _layered(model: Any) -> LayeredModel:
    """The model with its layers, once it is found fit to be measured."""
    from .models.decoder import LayeredModel

    plain = model.model if isinstance(model, LayeredModel) else model
    if plain is model and not _writes_text(model):
        raise InputError(
            f"model: {type(model).__name__} is no causal language model of transformers; load it "
            f"with AutoModelForCausalLM.from_pretrained"
        )
    if any(module.training for module in plain.modules()):
        raise InputError(
            "model: it is in training mode, in which dropout would change its energies; call "
            "model.eval() first"
        )
    if plain.device.type not in ("cpu", "cuda"):
        raise InputError(
            f"model: it is on the device {plain.device.type}, where nothing is measured; move it "
            f'by model.to("cpu") or model.to("cuda")'
        )
    return model if isinstance(model, LayeredModel) else LayeredModel(model)


def _writes_text(model: Any) -> bool:
    """Whether it is a transformers model that predicts the next token, without an encoder."""
    can_generate = getattr(model, "can_generate", None)
    return can_generate is not None and can_generate() and not model.config.is_encoder_decoder


def _existing(layers: Sequence[int] | None, blocks: int) -> list[int]:
    """Layers in order, each once."""
    wanted = sorted(set(range(blocks + 1) if layers is None else layers))
    for layer in wanted:
        if not 0 <= layer <= blocks:
            raise InputError(
                f"layers: layer {layer} does not exist (the model has layers 0 to {blocks})"
            )
    return wanted


def _tokenize(
    tokenizer: Any, texts: list[str], prefix_token: str | None, vocabulary: int
) -> list[NDArray[np.int32]]:
    """The tokens of each text, the prefix token first."""
    if not texts:
        raise InputError("text: there is none; give a string, or a list of some")
    prefix = _prefix(tokenizer, prefix_token)
    encoded = [
        tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] for text in texts
    ]
    _check_splitting(tokenizer, texts, encoded)
    documents = []
    for doc, (text, ids) in enumerate(zip(texts, encoded, strict=True)):
        if len(ids) < 2:
            raise InputError(
                f"text: document {doc} ({text!r}) has {len(ids)} token(s), and a state needs two; "
                f"leave it out"
            )
        if max(prefix, *ids) >= vocabulary:
            raise InputError(
                f"tokenizer: token id {max(prefix, *ids)} lies beyond the model's vocabulary of "
                f"{vocabulary}; the tokenizer belongs to another model"
            )
        documents.append(np.array([prefix, *ids], dtype=np.int32))
    return documents


def _check_splitting(tokenizer: Any, texts: list[str], encoded: list[list[int]]) -> None:
    """Refuse a tokenizer that splits texts otherwise than the tokenizer.json that it comes from.

    Of some models transformers' own classes do (huggingface/transformers issues 45812 and 45920).
    """
    from transformers import PreTrainedTokenizerFast
    from transformers.utils.hub import cached_file

    origin = tokenizer.name_or_path
    file = origin and cached_file(
        origin,
        "tokenizer.json",
        local_files_only=True,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    if not file:
        return
    own = PreTrainedTokenizerFast(tokenizer_file=file)
    for text, ids in zip(texts, encoded, strict=True):
        if own(text, add_special_tokens=False, verbose=False)["input_ids"] != ids:
            raise InputError(
                f"tokenizer: {type(tokenizer).__name__} splits the text otherwise than "
                f"{origin}/tokenizer.json says; load it with "
                f"transformers.PreTrainedTokenizerFast.from_pretrained({origin!r})"
            )


def _prefix(tokenizer: Any, prefix_token: str | None) -> int:
    """Id of the token put before every document."""
    token = prefix_token or tokenizer.bos_token or tokenizer.eos_token
    special = list(map(str, tokenizer.added_tokens_decoder.values()))[:8]
    of_tokenizer = f"it has {', '.join(special)}" if special else "it has no special tokens"
    if token is None:
        raise InputError(
            f"prefix_token: the tokenizer names no token that begins or ends a text; give one "
            f"({of_tokenizer})"
        )
    found = tokenizer.convert_tokens_to_ids(token)
    if found is None or tokenizer.convert_ids_to_tokens(found) != token:
        raise InputError(f"prefix_token: {token!r} is no token of the tokenizer; {of_tokenizer}")
    return int(found)


def _window(
    layered: LayeredModel, context: int | None, stride: int | None, longest: int
) -> tuple[int, int]:
    """Context and stride, which the model and each other allow."""
    from .models.architecture import longest_text

    limit = longest_text(layered.model.config) or longest
    context = context or limit
    if context > limit:
        raise InputError(
            f"context: {context} positions are more than the {limit} that the model was made for; "
            f"lower it"
        )
    stride = stride or -(-context // 2)
    if not 1 <= stride <= context:
        raise InputError(f"stride: {stride} does not lie between 1 and the context, {context}")
    return context, stride


def _with_strings(found: dict[str, Any], tokenizer: Any) -> pa.Table:
    """A table of columns, once the tokens of its states are there as strings."""
    states = len(found["energy"])
    named = found | {"layer": np.full(states, found["layer"])}
    for name in ("last", "correct", "top"):
        ids, at = np.unique(found[name], return_inverse=True)
        # A token decoded alone may lose the space that it begins with; after itself it does not.
        once = tokenizer.batch_decode(ids[:, None], clean_up_tokenization_spaces=False)
        twice = tokenizer.batch_decode(np.stack([ids, ids], 1), clean_up_tokenization_spaces=False)
        strings = [two[len(one) :] for one, two in zip(once, twice, strict=True)]
        named[f"{name}_token"] = pa.array(strings).take(pa.array(at))
    return table_of(named, TEXT_ENERGIES)


def _layers_of(energies: pa.Table) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Each layer, ascending, with the columns of its states."""
    names = ["doc", "position", "energy", "last_token", "correct_token"]
    for layer in sorted(pc.unique(energies["layer"]).to_pylist()):
        rows = energies.filter(pc.equal(energies["layer"], layer))
        yield layer, {name: rows[name].to_numpy() for name in names}
