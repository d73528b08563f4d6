"""Model entries that are read out through a tuned lens."""

from __future__ import annotations

import math
from typing import Any

import yaml

from ..configuration.checks import check_text
from ..configuration.schema import Spec, schema
from ..semstat.errors import InputError
from ..tokens.configuration import documents_measured

AFTER = ("sources", "tokens", "energies")


def refuse_old(config: Any) -> None:
    """A tuned lens was a source once; say what to write instead."""
    models = config.get("models") if isinstance(config, dict) else None
    for name, spec in models.items() if isinstance(models, dict) else ():
        if isinstance(spec, dict) and spec.get("source") == "tuned_lens":
            keys = schema()["$defs"]["lens"]["properties"]
            lens = {key: spec[key] for key in keys if key in spec}
            flow = yaml.safe_dump(lens, default_flow_style=True, sort_keys=False, width=math.inf)
            raise InputError(
                f"models.{name}.source: a tuned lens is a readout now; write "
                f'"readout: tuned_lens" and "lens: {" ".join(flow.split())}" instead, '
                f'and leave "source" out'
            )


def resolve(study: Spec) -> None:
    """An entry with a lens gets `measured_documents`, which the lens may not be trained on.

    Those are the documents of its corpus that some dataset measures.
    """
    for name, spec in lenses_of(study["models"]).items():
        if spec["layers"][0] == spec["blocks"]:
            raise InputError(
                f"models.{name}.layers: the last layer needs no lens; "
                f"add one below {spec['blocks']}"
            )
        lens = spec["lens"]
        spec["measured_documents"] = _measured_documents(name, lens, study["datasets"])


def _measured_documents(name: str, lens: Spec, datasets: dict[str, Spec]) -> int:
    text = lens["train_on"]
    check_text(f"models.{name}.lens.train_on", text, datasets)
    measured = documents_measured(text, datasets)
    fetched = datasets[text].get("documents", math.inf)
    if measured + lens["train_documents"] > fetched:
        raise InputError(
            f"models.{name}.lens.train_documents: {lens['train_documents']} beside the {measured} "
            f"that are measured are more than the {fetched} documents of {text} that are "
            f"fetched; lower it, or raise datasets.{text}.documents"
        )
    return measured


# What the rules ask.


def lenses_of(models: dict[str, Spec]) -> dict[str, Spec]:
    """The entries that have a tuned lens of their own."""
    return {name: spec for name, spec in models.items() if spec["readout"] == "tuned_lens"}
