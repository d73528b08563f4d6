"""Those that `benchmarks.energies` compares: ours, and the plain uses of other libraries."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import logging
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn

from workflow_scripts.models.loading import BATCH_TOKENS
from workflow_scripts.semstat.energies.measure import measure_windows
from workflow_scripts.semstat.models.decoder import LayeredModel
from workflow_scripts.semstat.models.windows import Window

Array = NDArray[Any]
Contender = Callable[[], Array]
OURS, PLAIN, EXACT = "ours", "transformers", "float32 logits"
Peer = Literal["TransformerLens", "lm-eval", "tuned-lens"]
PEERS: tuple[Peer, ...] = get_args(Peer)


def contenders(
    model: LayeredModel, folder: Path, ids_bt: Tensor, all_layers: bool
) -> dict[str, Contender]:
    """name → function that gives H, (layers, states), or ln p of each document, (documents,)."""
    causal = model.model
    final = model.n_blocks
    layers = list(range(final + 1)) if all_layers else [final]
    last_bt, correct_bt = ids_bt[:, :-1], ids_bt[:, 1:]

    def energy(p_btv: Tensor, rows: slice = slice(None)) -> Tensor:
        correct = p_btv.gather(-1, correct_bt[rows, :, None])
        return (correct - p_btv.gather(-1, last_bt[rows, :, None])).flatten()

    def ours() -> Array:
        windows = [Window(doc, 0, row.int().numpy(), 0) for doc, row in enumerate(ids_bt.cpu())]
        batch_tokens = BATCH_TOKENS[model.device.type]
        pieces = list(measure_windows(model, windows, layers, batch_tokens))
        return np.stack([np.concatenate([p[layer]["energy"] for p in pieces]) for layer in layers])

    def plain(head: nn.Module) -> Array:
        output = causal.model(last_bt, output_hidden_states=all_layers, use_cache=False)
        # The last of the hidden states that transformers gives out is the normed one.
        lower = output.hidden_states[:-1] if all_layers else ()
        normed = itertools.chain(map(causal.model.norm, lower), [output.last_hidden_state])
        found = [energy(head(x_btn.to(head.weight.dtype)).softmax(-1)) for x_btn in normed]
        return torch.stack(found).float().cpu().numpy()

    runs: dict[str, Contender] = {OURS: ours, PLAIN: lambda: plain(causal.lm_head)}
    if causal.dtype != torch.float32:
        exact = copy.deepcopy(causal.lm_head).float()
        runs[EXACT] = lambda: plain(exact)
    if importlib.util.find_spec("transformer_lens"):
        runs["TransformerLens"] = transformer_lens(model, folder, last_bt, energy, all_layers)
    if importlib.util.find_spec("lm_eval") and not all_layers:
        runs["lm-eval"] = lm_eval(model, folder, ids_bt)
    if importlib.util.find_spec("tuned_lens") and all_layers:
        runs["tuned-lens"] = tuned_lens(model, last_bt, energy)
    return runs


def transformer_lens(
    model: LayeredModel,
    folder: Path,
    last_bt: Tensor,
    energy: Callable[[Tensor], Tensor],
    all_layers: bool,
) -> Contender:
    """TransformerLens: its cache of residual streams, decoded by its own norm and unembedding."""
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        str(folder), dtype=model.model.dtype, device=str(model.device)
    )

    def residual(name: str) -> bool:
        return name.endswith(("hook_resid_pre", "hook_resid_post"))

    def run() -> Array:
        if not all_layers:
            return energy(bridge(last_bt).softmax(-1))[None].float().cpu().numpy()
        _, cache = bridge.run_with_cache(last_bt, names_filter=residual)
        resid_lbtn = cache.accumulated_resid(apply_ln=False)
        found = [energy(bridge.unembed(bridge.ln_final(h_btn)).softmax(-1)) for h_btn in resid_lbtn]
        return torch.stack(found).float().cpu().numpy()

    return run


def lm_eval(model: LayeredModel, folder: Path, ids_bt: Tensor) -> Contender:
    """lm-evaluation-harness: the log-likelihood of each document after its first token."""
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = max(1, BATCH_TOKENS[model.device.type] // ids_bt.shape[1])
    harness = HFLM(model.model, tokenizer=tokenizer, batch_size=batch, device=str(model.device))
    requests = [((str(i), ""), row[:1], row[1:]) for i, row in enumerate(ids_bt.tolist())]

    def run() -> Array:
        return np.array([found[0] for found in harness._loglikelihood_tokens(requests, True)])

    return run


def tuned_lens(
    model: LayeredModel, last_bt: Tensor, energy: Callable[[Tensor, slice], Tensor]
) -> Contender:
    """tuned-lens: the prediction trajectory of each document through its logit lens."""
    from tuned_lens import model_surgery

    # It asks TransformerLens for a class that went with version 4.
    model_surgery._transformer_lens_available = False
    from tuned_lens.nn.lenses import LogitLens
    from tuned_lens.plotting import PredictionTrajectory

    lens = LogitLens.from_model(model.model)

    def run() -> Array:
        parts = []
        for row, ids in enumerate(last_bt.tolist()):
            found = PredictionTrajectory.from_lens_and_model(lens, model.model, ids)
            one = slice(row, row + 1)
            parts.append(
                [energy(torch.from_numpy(log_p)[None].exp(), one) for log_p in found.log_probs]
            )
        return np.concatenate([torch.stack(part).numpy() for part in parts], axis=1)

    return run


def check_family(model: LayeredModel) -> None:
    """Only Llama-like models have what the peers' plain uses name."""
    for name in ("model.norm", "lm_head"):
        try:
            attrgetter(name)(model.model)
        except AttributeError:
            raise SystemExit(
                f"--model: {type(model.model).__name__} has no {name}; the peers' uses here are "
                f"written for Llama-like models: take one of these"
            ) from None
