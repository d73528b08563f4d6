"""Training a model on tokens: what the commands share that have an objective each.

transformers' Trainer has the loop, AdamW, warm-up and cosine, mixed precision, several GPUs and
checkpoints; here are the data and the settings. On a CPU a training that was killed and goes on
from its last checkpoint ends with the same bytes as one that was not.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import transformers
from cyclopts import Parameter
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ..models.loading import Running, load_weights
from ..semstat.errors import InputError
from ..semstat.provenance import Provenance, digest
from ..semstat.tables import completed, open_table, provenance_of, table_of_rows, write_table
from ..semstat.tokens.tables import TOKENS
from ..semstat.training.columns import FITTING
from ..semstat.training.objective import Objective
from ..semstat.training.packing import mix, pack
from ..sources.snapshots import write_snapshot
from ..tokens.shards import check_tokens
from .fitter import Fitter, Windows
from .unfinished import Clock, Unfinished


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
    precision: Literal["float32", "bfloat16"] = "float32"
    log_every: int = 10
    checkpoints: tuple[int, ...] = ()
    seed: int = 0

    @property
    def tokens_per_update(self) -> int:
        return self.batch * self.sequence

    @property
    def updates(self) -> int:
        """Updates of the weights."""
        return self.train_tokens // self.tokens_per_update


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Into:
    """What is made.

    Parameters
    ----------
    out : folder to make the snapshot in.
    blocks : number of blocks that the model has.
    log : Parquet file of the training log to make.
    kept : safetensors file to make of the weights at all checkpoints; of none where there are none.
    unfinished : folder in which a training is remembered until it is finished.
    save_minutes : time from one remembered state to the next.
    """

    out: Path
    blocks: int
    log: Path
    kept: Path
    unfinished: Path
    save_minutes: float = 10.0


class _Texts(NamedTuple):
    """Documents of a file of tokens.

    window_xt : (windows, tokens + 1) token ids.
    prefix : token before each document.
    trained_on : which documents these are, for the provenance.
    """

    window_xt: NDArray[np.int32]
    prefix: int
    trained_on: dict[str, Any]


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
    texts = [_read(running, fit, path, snapshot["vocabulary"]) for path in fit.tokens]
    windows_i = [len(text.window_xt) for text in texts]
    rng = np.random.default_rng(fit.seed)
    order_x = mix(windows_i, fit.shares, fit.updates * fit.batch, rng)
    windows = Windows(np.concatenate([text.window_xt for text in texts]), order_x)
    positions, key = max((fit.sequence, "sequence"), (objective.writes_to, "objective.written"))
    model, facts = load_weights(running, positions, f"{running.key}.train.{key}")
    settings = _settings(fit, objective, kind)
    data = {"tokens": [digest(path) for path in fit.tokens], "started from": snapshot}
    arguments = arguments_of(running, fit, into.unfinished, facts["device"])
    with arguments.main_process_first():
        place = Unfinished(into.unfinished, data | settings)
        last = place.last()
    updates = [tokens // fit.tokens_per_update for tokens in fit.checkpoints]
    clock = Clock(running.called, place, updates, fit.tokens_per_update, into.save_minutes)
    trainer = Fitter(running.key, objective, texts[0].prefix, model, arguments, windows, clock)
    trainer.train(resume_from_checkpoint=last)
    if not trainer.is_world_process_zero():
        return
    provenance = Provenance(model=snapshot | {"model": running.called}, **settings)
    _write_log(into.log, trainer.state.log_history, fit, provenance)
    with completed(into.kept) as (temporary,):
        save_file(
            {
                f"{tokens}/{name}": weight
                for tokens, update in zip(fit.checkpoints, updates, strict=True)
                for name, weight in load_file(place.weights_after(update)).items()
            },
            temporary,
        )
    fitted = trainer.accelerator.unwrap_model(trainer.model).eval()
    fitted.generation_config = transformers.GenerationConfig()
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(running.model)
    trained_on = [*snapshot.get("trained_on", []), *(text.trained_on for text in texts)]
    more = {"started from": snapshot, "trained_on": trained_on, "train": settings}
    source = {"source": "trained"}
    write_snapshot(running.called, source, fitted, tokenizer, into.blocks, into.out, **more)
    shutil.rmtree(place.folder)


def _read(running: Running, fit: Fit, path: Path, vocabulary: int) -> _Texts:
    shard = open_table(path, TOKENS)
    check_tokens(path, shard, vocabulary)
    table = shard.read()
    documents = [tokens.values.to_numpy() for tokens in table["tokens"]]
    window_xt = pack(documents, fit.sequence)
    if not len(window_xt):
        raise InputError(
            f"{path}: its documents make no window of {fit.sequence} tokens; raise "
            f"{running.key}.train.documents, or lower train.sequence"
        )
    said, first = provenance_of(shard.schema_arrow), table["doc"][0].as_py()
    trained_on = {"corpus": said["corpus"], "dataset": said["dataset"], "first_document": first}
    return _Texts(window_xt, int(documents[0][0]), trained_on)


def _settings(fit: Fit, objective: Any, kind: str) -> dict[str, Any]:
    """What a training hangs on beside its start and its tokens, as JSON gives it back."""
    said = {key: value for key, value in asdict(fit).items() if key != "tokens"}
    settings = said | {"objective": {"kind": kind} | asdict(objective)}
    found: dict[str, Any] = json.loads(json.dumps(settings))
    return found


def arguments_of(
    running: Running, fit: Fit, folder: Path, device: str
) -> transformers.TrainingArguments:
    """The Trainer's arguments; windows that do not fit at once go through one after the other.

    Parameters
    ----------
    folder : where it keeps checkpoints.
    device : "cpu", or the name of a GPU.

    Raises
    ------
    InputError
        If the GPUs cannot share a batch.
    """
    common: dict[str, Any] = {
        "output_dir": str(folder),
        "num_train_epochs": 1,  # the windows are in their order already, seen again or not
        "train_sampling_strategy": "sequential",
        "learning_rate": fit.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": round(fit.warmup * fit.updates),
        "weight_decay": fit.weight_decay,
        "bf16": fit.precision == "bfloat16",
        "logging_steps": fit.log_every,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # the clock says when
        "save_total_limit": 2,
        "seed": fit.seed % 2**32,
        "use_cpu": device == "cpu",
        "remove_unused_columns": False,
        "dataloader_pin_memory": device != "cpu",
        "disable_tqdm": True,
        "report_to": "none",
    }
    probed = transformers.TrainingArguments(**common)
    replicas = probed.world_size * max(1, probed.n_gpu)
    if fit.batch % replicas:
        raise InputError(
            f"{running.key}.train.batch: {fit.batch} windows cannot be shared by {replicas} GPUs; "
            f"take a multiple"
        )
    share = fit.batch // replicas
    most = max(1, running.positions_at_once(probed.device) // fit.sequence)
    at_once = next(windows for windows in range(min(share, most), 0, -1) if share % windows == 0)
    return transformers.TrainingArguments(
        **common,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=share // at_once,
    )


def _write_log(path: Path, history: Sequence[dict[str, Any]], fit: Fit, said: Provenance) -> None:
    provenance = said.then("trained by", "torch", "transformers", "accelerate", "safetensors")
    write_table(path, table_of_rows([*_rows(history, fit)], FITTING), provenance)


def _rows(history: Sequence[dict[str, Any]], fit: Fit) -> Iterator[dict[str, Any]]:
    for said in history:
        if "loss" in said:
            yield {name: said.get(name, math.nan) for name in FITTING.names} | {
                "tokens": said["step"] * fit.tokens_per_update,
                "gradient_norm": said["grad_norm"],
            }
