"""The residual stream of a causal language model and its decode, for any architecture.

Everything is read off the model itself: its blocks are the one list of modules as long as the
configuration says, its decode is whatever its own code applies after the last block. The result
is believed only after it has reproduced the model's own logits.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .architecture import (
    ArchitectureError,
    Streams,
    find_blocks,
    first_of,
    flat,
    longest_text,
    watch,
)
from .causality import SHORTEST, check_causality
from .packed import PackedLinear
from .thread_pool import thread_pool


@dataclass(frozen=True)
class Decoder:
    """Decode of a hidden state: final norm, projection, unembedding, scale, soft cap.

    tail : modules applied to the last block's output in turn, each (…, n) → (…, n′).
    unembedding : (vocabulary, n′) linear map, with its bias if it has one.
    scale : factor on the logits (Cohere's `logit_scale`, Granite's 1 / `logits_scaling`).
    soft_cap : c of c·tanh(logits / c) (Gemma 2), or None.
    """

    tail: tuple[nn.Module, ...]
    unembedding: nn.Linear
    scale: float = 1.0
    soft_cap: float | None = None

    @property
    def vocabulary(self) -> int:
        return self.unembedding.out_features

    def normed(self, q_sn: Tensor) -> Tensor:
        """(…, n′) what the unembedding reads: a (…, hidden) state after the final norm."""
        if q_sn.dim() == 2 and self.tail and isinstance(self.tail[0], Streams):
            return self.normed(q_sn[None])[0]  # what merges streams expects windows × positions
        for module in self.tail:
            q_sn = module(q_sn)
        return q_sn

    def logits(self, q_sn: Tensor) -> Tensor:
        """(…, vocabulary) logits of (…, hidden) states at any layer, in the decoder's own dtype."""
        return self.unembed(self.normed(q_sn))

    def unembed(
        self, x_sn: Tensor, tokens: slice = slice(None), out: Tensor | None = None
    ) -> Tensor:
        """Logits of some tokens.

        Parameters
        ----------
        x_sn : (…, n′) state after the final norm.
        tokens : of the vocabulary; all by default.
        out : (…, tokens) tensor to write them to; a new one by default.

        Returns
        -------
        (…, tokens)
        """
        weight_vn = self.unembedding.weight[tokens]
        if isinstance(self.unembedding, PackedLinear) and tokens == slice(None) and out is None:
            logits_sv = self.unembedding.product(x_sn)
        else:
            logits_sv = torch.matmul(x_sn.to(weight_vn.dtype), weight_vn.T, out=out)
        if self.unembedding.bias is not None:
            logits_sv += self.unembedding.bias[tokens]
        if self.scale != 1.0:
            logits_sv *= self.scale
        if self.soft_cap is not None:
            logits_sv = logits_sv.div_(self.soft_cap).tanh_()
            # The gradient of tanh needs its value, so it is not to be overwritten.
            overwritten = None if logits_sv.requires_grad else logits_sv
            logits_sv = torch.mul(logits_sv, self.soft_cap, out=overwritten)
        return logits_sv

    def after(self, first: nn.Module) -> Decoder:
        """This decode of what a module, (…, hidden) → (…, hidden), makes of the hidden state."""
        return replace(self, tail=(first, *self.tail))

    def in_float32(self) -> Decoder:
        """This decode in float32: a copy, or itself where it already is.

        Rounding logits to bfloat16 would move energies by up to 1.7e-2.
        """
        modules = (*self.tail, self.unembedding)
        weights = [weight for module in modules for weight in module.parameters()]
        if all(weight.dtype == torch.float32 for weight in weights):
            return self
        tail = tuple(copy.deepcopy(module).float() for module in self.tail)
        return Decoder(tail, copy.deepcopy(self.unembedding).float(), self.scale, self.soft_cap)


class _Record(threading.local):
    """Residual streams that a pass through the body has left behind, in the thread that made it."""

    def __init__(self) -> None:
        self.states: dict[int, Tensor] = {}


class LayeredModel:
    """A causal language model whose residual stream can be read at every layer.

    Layer 0 is the input of the first block (token embedding, with whatever the architecture adds
    or scales), layer k the output of block k, before any final norm.

    Parameters
    ----------
    model : a transformers causal language model in evaluation mode.
    positions : as many as the texts that it is to read have at most.
    key : of the configuration, that asks for so many.

    Attributes
    ----------
    eps : ε of the numbers that its blocks compute with.
    remembers : whether its cache has been checked.
    numbered : whether it is to be told the positions of what it reads on through its cache.

    Raises
    ------
    ArchitectureError
        If decoding the last block's output does not give the model's own logits, or if a state
        depends on what comes after it.
    """

    def __init__(
        self, model: Any, positions: int = SHORTEST, key: str = "the number of positions"
    ) -> None:
        self.model = model
        self.blocks = find_blocks(model)
        self.n_blocks = len(self.blocks)
        self.decoder = self._exact_decoder()
        weights = [weight for weight in self.blocks[-1].parameters() if weight.is_floating_point()]
        # Norms are computed in float32, also of what is in float64.
        formats = {torch.float32, *(weight.dtype for weight in weights)}
        self.eps = max(torch.finfo(dtype).eps for dtype in formats)
        self.positions = min(positions, longest_text(model.config) or positions)
        self.remembers = self.numbered = False
        self.check_causality(self.positions, key)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.decoder.unembedding.weight.device
        return device

    def unflat(self, q_btn: Tensor) -> Tensor:
        """A residual stream as the blocks take it: apart into streams, where they have several."""
        first = next(iter(self.decoder.tail), None)
        if not isinstance(first, Streams):
            return q_btn
        apart: Tensor = first(q_btn)
        return apart

    def truncate(self, deepest: int) -> None:
        """Drop the blocks above layer `deepest`: nothing there is asked for."""
        del self.blocks[max(deepest, 1) :]

    def hidden_states(self, ids_bt: Tensor, layers: Sequence[int]) -> dict[int, Tensor]:
        """Residual stream at the layers asked for, by one pass through the body.

        Windows of unequal length may be padded at the end: attention is causal, so nothing
        before the padding sees it. On a CPU threads take windows of their own, as far as they
        come out even.

        Parameters
        ----------
        ids_bt : (windows, positions) token ids.
        layers : layers in 0 … blocks.

        Returns
        -------
        layer → (windows, positions, hidden), in the model's dtype.
        """
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        shares = math.gcd(len(ids_bt), threads)
        with self.recorded(layers) as record:

            def run(ids_bt: Tensor) -> dict[int, Tensor]:
                record.states = {}
                with torch.inference_mode():
                    self.model.base_model(input_ids=ids_bt, use_cache=False)
                return record.states

            if shares == 1:
                return run(ids_bt)
            pool = thread_pool(shares, threads // shares)
            found = list(pool.map(run, ids_bt.chunk(shares)))
        return {
            layer: torch.cat([states.pop(layer) for states in found]) for layer in list(found[0])
        }

    def check_causality(self, positions: int, key: str) -> None:
        """Check that states of texts of so many positions do not depend on what comes later."""
        last, config = self.n_blocks, self.model.config

        def states(ids_bt: Tensor) -> Tensor:
            with torch.inference_mode(), self.recorded([last]) as record:
                self.model.base_model(input_ids=ids_bt.to(self.device), use_cache=False)
                return self.decoder.normed(record.states[last])

        try:
            check_causality(config, states, self.decoder.vocabulary, self.eps, positions, key)
        except ArchitectureError as error:
            raise ArchitectureError(f"{type(self.model).__name__}: {error}") from error

    @contextmanager
    def recorded(self, layers: Sequence[int]) -> Iterator[_Record]:
        """Have passes leave the residual stream at some layers behind."""
        record = _Record()

        def keep_input(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            record.states[0] = flat(args[0] if args else kwargs["hidden_states"])

        def keep_output(layer: int) -> Callable[[nn.Module, Any, Any], None]:
            def hook(_module: nn.Module, _args: Any, output: Any) -> None:
                record.states[layer] = flat(first_of(output))

            return hook

        handles = [
            self.blocks[0].register_forward_pre_hook(keep_input, with_kwargs=True)
            if layer == 0
            else self.blocks[layer - 1].register_forward_hook(keep_output(layer))
            for layer in layers
        ]
        try:
            yield record
        finally:
            for handle in handles:
                handle.remove()

    def _exact_decoder(self) -> Decoder:
        """The decode, checked against the model's own logits on a few tokens."""
        name = type(self.model).__name__
        watched = watch(self.model, self.blocks)
        expected = watched.logits
        if not expected.isfinite().all():
            raise ArchitectureError(
                f"{name}: its own logits are NaN or infinite in {expected.dtype}; "
                f"fetch its weights again, or set its dtype to float32"
            )
        decoder = Decoder(watched.tail, watched.unembedding, watched.scale, watched.soft_cap)
        with torch.inference_mode():
            found = decoder.logits(flat(watched.top))
        tolerance = 2 * torch.finfo(found.dtype).eps * expected.abs().max().item()
        error = (found - expected).abs().max().item()
        if not error <= tolerance:
            raise ArchitectureError(
                f"{name}: decoding the last block's output misses the model's own logits by "
                f"{error:.2g} (allowed: {tolerance:.2g}), so its energies would be wrong; teach "
                f"workflow_scripts/semstat/models/architecture.py what {name}.forward applies to it"
            )
        return decoder
