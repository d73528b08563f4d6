"""Training a model on tokens, by transformers' Trainer: what the commands share that have an objective each.

The Trainer has the loop, AdamW, warm-up and cosine, mixed precision, several GPUs and checkpoints;
here are the data, the loss and the log. On one CPU a training that was killed and goes on from its
last checkpoint ends with the same bytes as one that was not.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from cyclopts import Parameter
from numpy.typing import NDArray

from ..models.loading import Running, load_weights
from ..semstat.errors import InputError
from ..semstat.models.windows import BATCH_TOKENS
from ..semstat.provenance import Provenance, digest
from ..semstat.tables import completed, open_table, provenance_of, table_of_rows, write_table
from ..semstat.tokens.tables import TOKENS
from ..semstat.training.columns import FITTING
from ..semstat.training.objective import Objective
from ..semstat.training.packing import mix, pack
from ..sources.snapshots import write_snapshot
from ..tokens.shards import check_tokens

STATE = "trainer_state.json"
"""What the Trainer writes last of a checkpoint."""

RECIPE = "recipe.json"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a model is trained on, and how.

    Parameters
    ----------
    tokens : Parquet files of documents.
    shares : of the windows, that each of these files gives, relative to the others.
    train_tokens : tokens to train on in all, counted again where they are seen again.
    sequence : tokens of a window, which the model sees at once.
    batch : windows of an update of the weights.
    learning_rate : largest learning rate.
    warmup : share of the updates in which it rises; then it falls as a cosine to 0.
    weight_decay : of AdamW, for all weights but biases and norms.
    precision : of products; weights are float32 in either.
    log_every : updates from one row of the log to the next.
    checkpoints : numbers of tokens after which the weights are kept as they are then.
    seed : seed of the order of the windows, and of dropout.
    """

    tokens: list[Path]
    shares: list[float]
    train_tokens: int
    sequence: int = 256
    batch: int = 16
    learning_rate: float = 1e-3
    warmup: float = 0.05
    weight_decay: float = 0.1
    precision: str = "float32"
    log_every: int = 10
    checkpoints: tuple[int, ...] = ()
    seed: int = 0

    @property
    def steps(self) -> int:
        """Updates of the weights."""
        return self.train_tokens // (self.batch * self.sequence)

    def step_after(self, tokens: int) -> int:
        """Updates after which so many tokens were trained on."""
        return tokens // (self.batch * self.sequence)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Into:
    """What is made.

    Parameters
    ----------
    out : folder to make the snapshot in.
    blocks : number of blocks that the model has.
    log : Parquet file of the training log to make.
    kept : safetensors files of the weights at the checkpoints to make, one for each.
    unfinished : folder in which an unfinished training is remembered.
    save_minutes : time from one checkpoint to go on from to the next.
    """

    out: Path
    blocks: int
    log: Path
    kept: tuple[Path, ...] = ()
    unfinished: Path
    save_minutes: float = 10.0


def train(running: Running, fit: Fit, into: Into, objective: Objective, kind: str) -> None:
    """Train the weights of a snapshot, and make a snapshot of what they become.

    Parameters
    ----------
    running : the snapshot to start from, under the name of the model that it becomes.
    kind : what the objective is called.

    Raises
    ------
    InputError
        If there is too little to train on, a loss is no number, or a text is longer than the model
        reads.
    """
    snapshot = running.snapshot()
    documents = [_documents_of(path, snapshot["vocabulary"]) for path in fit.tokens]
    packed = [pack(found, fit.sequence) for found, _ in documents]
    for path, window_xt in zip(fit.tokens, packed, strict=True):
        if not len(window_xt):
            raise InputError(
                f"{path}: its documents make no window of {fit.sequence} tokens; raise "
                f"{running.key}.train.documents, or lower `sequence`"
            )
    rng = np.random.default_rng(fit.seed)
    order_x = mix([*map(len, packed)], fit.shares, fit.steps * fit.batch, rng)
    windows = Windows(np.concatenate(packed), order_x)
    model, facts = load_weights(running, fit.sequence, f"{running.key}.train.sequence")
    device = next(model.parameters()).device
    recipe = _recipe(running, fit, objective, kind)
    place = Unfinished(into.unfinished, recipe)
    arguments = _arguments(running, fit, place.folder, device)
    prefix = int(documents[0][0][0][0])
    clock = Clock(
        running.called, fit.steps, per_step, fit.log_every, kept, place, into.save_minutes
    )
    trainer = Fitter(running.key, objective, prefix, model, arguments, windows, [clock])
    trainer.train(resume_from_checkpoint=place.last())
    if not trainer.is_world_process_zero():
        return
    trained_on = snapshot.get("trained on", []) + [
        {"corpus": said["corpus"], "dataset": said["dataset"], "first_document": first}
        for (_, (said, first)) in documents
    ]
    settings = {key: value for key, value in recipe.items() if key not in ("start", "tokens")}
    source = {"source": "trained", "train": settings}
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(running.model)
    more = {"trained on": trained_on, "started from": snapshot, "device": facts["device"]}
    fitted = trainer.accelerator.unwrap_model(trainer.model).eval()
    fitted.generation_config = transformers.GenerationConfig()
    with completed(*into.kept) as temporary:
        for tokens, path in zip(fit.checkpoints, temporary, strict=True):
            shutil.copyfile(place.weights_at(fit.step_after(tokens)), path)
    _write_log(into.log, trainer.state.log_history, fit, Provenance(model=snapshot, **recipe))
    write_snapshot(running.called, source, fitted, tokenizer, into.blocks, into.out, **more)
    shutil.rmtree(place.folder)


def _documents_of(
    path: Path, vocabulary: int
) -> tuple[list[NDArray[np.int32]], tuple[Provenance, int]]:
    """Documents of a file of tokens, what it says of itself, and the number of the first one."""
    shard = open_table(path, TOKENS)
    check_tokens(path, shard, vocabulary)
    table = shard.read()
    found = [tokens.values.to_numpy() for tokens in table["tokens"]]
    return found, (provenance_of(shard.schema_arrow), int(table["doc"][0].as_py()))


def _recipe(running: Running, fit: Fit, objective: Objective, kind: str) -> dict[str, Any]:
    """What a training hangs on: of another one no checkpoint is taken."""
    said = asdict(fit) | {"tokens": [digest(path) for path in fit.tokens]}
    start = (running.model / "SHA256SUMS").read_text(encoding="utf-8")
    # As JSON gives it back.
    recipe: dict[str, Any] = json.loads(
        json.dumps(
            said | {"start": start, "objective": {"kind": kind} | asdict(objective)}  # type: ignore[call-overload]
        )
    )
    return recipe


def _arguments(
    running: Running, fit: Fit, folder: Path, device: torch.device
) -> transformers.TrainingArguments:
    common: dict[str, Any] = {
        "output_dir": str(folder),
        "num_train_epochs": 1,  # the windows are put into their order here, seen again or not
        "train_sampling_strategy": "sequential",
        "learning_rate": fit.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": round(fit.warmup * fit.steps),
        "weight_decay": fit.weight_decay,
        "bf16": fit.precision == "bfloat16",
        "logging_steps": fit.log_every,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # by the clock
        "save_total_limit": 2,
        "seed": fit.seed % 2**32,
        "use_cpu": device.type == "cpu",
        "remove_unused_columns": False,
        "dataloader_pin_memory": device.type == "cuda",
        "disable_tqdm": True,
        "report_to": "none",
    }
    probed = transformers.TrainingArguments(**common)
    at_once = (running.batch_tokens or BATCH_TOKENS[device.type]) // fit.sequence
    replicas = probed.world_size * max(1, probed.n_gpu)
    if fit.batch % replicas:
        raise InputError(
            f"{running.key}.train.batch: {fit.batch} windows cannot be shared by {replicas} GPUs; "
            f"take a multiple"
        )
    here = fit.batch // replicas
    micro = next(size for size in range(min(here, max(1, at_once)), 0, -1) if here % size == 0)
    return transformers.TrainingArguments(
        **common,
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=here // micro,
    )


def _write_log(path: Path, history: Sequence[dict[str, Any]], fit: Fit, said: Provenance) -> None:
    rows = list(_rows(history, fit))
    provenance = said.then("trained by", "torch", "transformers", "accelerate", "safetensors")
    write_table(path, table_of_rows(rows, FITTING), provenance)


def _rows(history: Sequence[dict[str, Any]], fit: Fit) -> Iterator[dict[str, Any]]:
    for said in history:
        if "loss" in said:
            yield {
                "step": said["step"],
                "tokens": said["step"] * fit.batch * fit.sequence,
                "gradient_norm": said["grad_norm"],
            } | {
                name: said.get(name, math.nan)
                for name in ("loss", "surprisal", "energy", "below_zero", "learning_rate")
            }
