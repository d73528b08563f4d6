"""The command that draws trajectories."""

from __future__ import annotations

from pathlib import Path

from ..running.command import run
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.figures import save
from ..semstat.mechanics.figures import Trajectory, draw_trajectories
from ..semstat.mechanics.terms import Terms, documents_of, terms_of
from ..semstat.provenance import Identity
from ..semstat.tables import provenance_of, read_table

NEEDED = ["doc", "position", "log_p_correct", "entropy", "speed"]


def plot_trajectories(energies: list[Path], /, *, svg: Path, pdf: Path) -> None:
    """Draw kinetic and potential terms along the first document that some models have read.

    Parameters
    ----------
    energies : energies of one shard at one layer, a Parquet file a model.
    svg : figure to make.
    pdf : the same figure.
    """
    trajectories = []
    for path in energies:
        identity, terms = _first_document(path)
        label = f"{identity.model}, layer {identity.layer}"
        kinetic_t, surprisal_t = terms.kinetic("log_half_square"), terms.potential("surprisal")
        trajectories.append(Trajectory(label, terms.position_t, kinetic_t, surprisal_t))
    title = f"{identity.dataset}, first document, before the final norm"
    save(draw_trajectories(trajectories, title), [svg, pdf])


def _first_document(path: Path) -> tuple[Identity, Terms]:
    """Terms of the first document that is long enough."""
    table = read_table(path, ENERGIES, NEEDED)
    provenance = provenance_of(table.schema)
    identity = Identity.of(provenance)
    column = {name: table[name].to_numpy() for name in NEEDED}
    for document in documents_of(column):
        terms = terms_of(document, document["speed"], provenance["model"]["hidden"])
        if terms is not None:
            return identity, terms
    raise InputError(
        f"{path}: no document has three states whose terms vary; "
        f"raise datasets.{identity.dataset}.tokens_per_document"
    )


if __name__ == "__main__":
    run(plot_trajectories)
