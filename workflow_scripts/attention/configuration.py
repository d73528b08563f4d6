"""The key `attention`: models whose attention is measured beside their energies."""

from __future__ import annotations

from ..configuration.checks import check_dataset, documents_limit, pairs, tokens_limit
from ..configuration.schema import Spec
from ..semstat.errors import InputError

AFTER = ("tokens", "energies")

FEWEST_DOCUMENTS = 6
"""From whose scatter error bars come."""

FEWEST_OF_GROUP = 2
"""Documents of a group of states between two quantiles: their scatter is its error bar."""

FEWEST_STATES = 20
"""Of a group of states between two quantiles."""


def resolve(study: Spec) -> None:
    """Refuse datasets that are too short; heads become ascending."""
    for where, spec in pairs("attention", study, "`heads`", check_of=check_dataset):
        name, dataset = spec["dataset"], study["datasets"][spec["dataset"]]
        documents, raise_documents = documents_limit(dataset)
        if documents < FEWEST_DOCUMENTS:
            raise InputError(
                f"{where}.dataset: {name} has {documents} documents, and error bars come from the "
                f"scatter between {FEWEST_DOCUMENTS} or more; raise datasets.{name}."
                f"{raise_documents}, or take another one"
            )
        # The prefix token is not counted, and the last token is no state.
        states = documents * tokens_limit(dataset, but=1)[0]
        if states < spec["quantiles"] * FEWEST_STATES:
            raise InputError(
                f"{where}.quantiles: {spec['quantiles']} groups of {FEWEST_STATES} states are more "
                f"than the {states} that {name} has; lower it, or raise "
                f"datasets.{name}.{raise_documents}"
            )
        if documents < FEWEST_OF_GROUP * spec["quantiles"]:
            raise InputError(
                f"{where}.quantiles: {spec['quantiles']} groups of {FEWEST_OF_GROUP} documents are "
                f"more than the {documents} that {name} has, and a window's rank is the same all "
                f"through a document that is one; lower it, or raise "
                f"datasets.{name}.{raise_documents}"
            )
        if "heads" in spec:
            spec["heads"] = sorted(spec["heads"])
