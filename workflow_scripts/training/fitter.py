"""transformers' Trainer with our loss, and our numbers in its log."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor

from ..semstat.errors import InputError, blamed_on
from ..semstat.training.log_probabilities import log_probabilities
from ..semstat.training.objective import Batch, Objective, Written


class Windows(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Windows in the order in which they are trained on.

    Parameters
    ----------
    window_xt : (windows, tokens + 1) token ids.
    order_x : (wanted,) which window comes when.
    """

    def __init__(self, window_xt: NDArray[np.int32], order_x: NDArray[np.int64]) -> None:
        self.window_xt, self.order_x = window_xt, order_x

    def __len__(self) -> int:
        return len(self.order_x)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        ids_t = self.window_xt[self.order_x[index]].astype(np.int64)
        return {"input_ids": torch.from_numpy(ids_t)}


class Fitter(transformers.Trainer):
    """The Trainer, with our loss and log.

    Parameters
    ----------
    key : where the configuration speaks of the model.
    prefix : token put before every document.
    """

    def __init__(
        self,
        key: str,
        objective: Objective,
        prefix: int,
        model: Any,
        arguments: transformers.TrainingArguments,
        windows: Windows,
        clock: transformers.TrainerCallback,
    ) -> None:
        self.key, self.prefix = key, prefix
        self.objective: Objective = objective
        self.sums = _Sums()
        super().__init__(model, arguments, train_dataset=windows, callbacks=[clock])
        self.remove_callback(transformers.PrinterCallback)  # the log is a table
        self.loss_is_scaled_for_ga = False  # it is a mean over the windows at hand
        model.generation_config = transformers.GenerationConfig(
            do_sample=False, eos_token_id=None, pad_token_id=prefix
        )

    def compute_loss(self, model: Any, inputs: dict[str, Any], *_: Any, **__: Any) -> Any:
        """The loss of one batch; every so many updates, that of what the objective makes of it."""
        objective, ids_xt = self.objective, inputs["input_ids"]
        rewritten = objective.rewrites and (self.state.global_step + 1) % objective.rewrites == 0
        if rewritten:
            with blamed_on(self.key, "raise its train.sequence", ValueError):
                batch = objective.rewrite(ids_xt, self._write)
        else:
            batch = Batch(ids_xt, ids_xt[:, :-1] != self.prefix)
        logits_xtv = model(input_ids=batch.last_xt, use_cache=False).logits
        log_p_xtm = log_probabilities(logits_xtv, objective.wanted(batch))
        if not rewritten:
            self.sums.add(batch, log_p_xtm)
        return objective.loss(batch, log_p_xtm)

    @torch.no_grad()
    def _write(self, ids_xt: Tensor, tokens: int) -> Written:
        """Let the model go on greedily."""
        model = self.accelerator.unwrap_model(self.model).eval()
        best = _TwoBest()
        written_xt = model.generate(
            ids_xt,
            attention_mask=torch.ones_like(ids_xt),
            max_new_tokens=tokens,
            logits_processor=[best],
        )
        model.train()
        return Written(written_xt[:, ids_xt.shape[1] :], torch.stack(best.second, dim=1))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add our numbers to a row of the log.

        Raises
        ------
        InputError
            If the loss is no number any more.
        """
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                raise InputError(
                    f"{self.key}.train: the loss is {logs['loss']} after "
                    f"{self.state.global_step} updates; lower its learning_rate"
                )
            logs |= self.sums.means(self.accelerator)
        super().log(logs, start_time)


class _Sums:
    """Sums over states of the text since the last row of the log."""

    def __init__(self) -> None:
        self.sums: Tensor | float = 0.0

    @torch.no_grad()
    def add(self, batch: Batch, log_p_xtm: Tensor) -> None:
        log_p_sm = log_p_xtm[..., :2][batch.text_xt]
        energy_s = log_p_sm[:, 0].exp() - log_p_sm[:, 1].exp()
        sums = [-log_p_sm[:, 0].sum(), energy_s.sum(), (energy_s < 0).sum()]
        sums += [torch.ones_like(energy_s).sum()]
        self.sums = self.sums + torch.stack([term.double() for term in sums])

    def means(self, accelerator: Any) -> dict[str, float]:
        """Means of surprisal, energy and H < 0 over all processes, which are forgotten."""
        if not isinstance(self.sums, Tensor):
            return {}
        *sums, states = accelerator.reduce(self.sums, reduction="sum").tolist()
        self.sums = 0.0
        if not states:
            return {}
        names = ("surprisal", "energy", "below_zero")
        return {name: term / states for name, term in zip(names, sums, strict=True)}


class _TwoBest(transformers.LogitsProcessor):
    """Remembers the second most probable token of each step."""

    def __init__(self) -> None:
        self.second: list[Tensor] = []

    def __call__(self, _ids: Tensor, scores: Tensor) -> Tensor:
        self.second.append(scores.topk(2, dim=-1).indices[:, 1])
        return scores
