"""Draw kinetic and potential terms along the first document that some models have read."""

from __future__ import annotations

from pathlib import Path

from ..running import command
from ..semstat.energies.tables import ENERGIES
from ..semstat.errors import InputError
from ..semstat.figures import save
from ..semstat.mechanics.figures import Trajectory, draw_trajectories
from ..semstat.mechanics.terms import Terms, split_documents, terms_of
from ..semstat.tables import Provenance, provenance_of, read_table

COLUMNS = ["doc", "position", "log_p_correct", "entropy", "speed"]


def main() -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "energies", nargs="+", type=Path, help="energies of one shard at one layer, a file a model"
    )
    parser.add_argument("--svg", required=True, help="figure to make")
    parser.add_argument("--pdf", required=True, help="the same figure")
    arguments = parser.parse_args()

    trajectories = []
    for path in arguments.energies:
        terms, provenance = _first_document(path)
        label = f"{provenance['model']['model']}, layer {provenance['layer']}"
        trajectories.append(Trajectory(label, terms))
    title = f"{provenance['tokens']['dataset']}, first document, before the final norm"
    save(draw_trajectories(trajectories, title), [arguments.svg, arguments.pdf])


def _first_document(path: Path) -> tuple[Terms, Provenance]:
    """Terms of the first document that is long enough."""
    table = read_table(path, ENERGIES, COLUMNS)
    provenance = provenance_of(table.schema)
    column = {name: table[name].to_numpy() for name in COLUMNS}
    for document in split_documents(column):
        terms = terms_of(document, document["speed"], provenance["model"]["hidden"])
        if terms is not None:
            return terms, provenance
    raise InputError(
        f"{path}: no document has three states whose terms vary; "
        f"raise datasets.{provenance['tokens']['dataset']}.tokens_per_document"
    )


if __name__ == "__main__":
    command.run(main)
