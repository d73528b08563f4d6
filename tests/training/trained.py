"""Made-up tables of trained models: about what small models' are."""

import json

import numpy as np

from workflow_scripts.semstat.energies.tables import ENERGIES
from workflow_scripts.semstat.provenance import Provenance
from workflow_scripts.semstat.tables import interval_columns, table_of, table_of_rows
from workflow_scripts.semstat.training.tables import GROUPS, NUMBERS

FACTS = Provenance(model={"model": "m", "parameters": 7}, tokens={"dataset": "d"})

READ = ("surprisal", "perplexity", "omega", "runs_energy", "else_energy")
WRITTEN = ("rep_4", "looping")
CONDITIONS = {"greedy": [None], "sampling": [0.5, 1.0]}


def group(name, **given):
    """A row of a groups table, with a seed's number left out of the models' names."""
    settings = {"dataset": {"sotu": 1.0}, "tokens": 1000, "objective": given.pop("set_to", {})}
    objective = settings["objective"]
    row = {
        **{"group": name, "models": f"{name}-0,{name}-1", "seeds": 2, "family": "llama"},
        **{"like": None, "parameters": 10, "objective": objective.get("kind", "cross_entropy")},
        **{"strength": objective.get("strength"), "settings": json.dumps(settings)},
        **{"trained_on": "sotu", "rate": 0.0, "shuffled": False, "control": False, "tokens": 1000},
        **{f"rep_{n}": None for n in (1, 3, 4)},
    }
    row["rep_2"] = 0.2 + (given.get("rate") or 0.0)
    return row | given


def injected(families=("llama", "gpt2", "gpt_neox", "mamba2"), rates=(0, 0.05, 0.1, 0.2, 0.4)):
    """Groups of families at rates of injection, and controls of the first family."""
    rows = [
        group(f"{family}-{round(100 * rate):02d}", family=family, rate=float(rate))
        for family in families
        for rate in rates
    ]
    names = ("40-shuffled", "40-distinct", "20-token", "20-sentence")
    return rows + [group(f"llama-{name}", rate=int(name[:2]) / 100, control=True) for name in names]


def cured():
    """A model before training, and groups that start from it with several objectives."""
    before = {"family": "smollm2", "objective": None, "settings": "{}", "trained_on": None}
    rows = [group("smollm2", **before, rate=None)]
    objectives = [{"kind": "cross_entropy"}]
    for strength in (0.3, 1.0, 3.0, 10.0):
        for kind in ("energy_barrier", "unlikelihood", "contrastive"):
            objectives.append({"kind": kind, "strength": strength, "acts_on": "text", "periods": 1})
        objectives.append(objectives[-3] | {"periods": 16})
        objectives.append(objectives[-4] | {"acts_on": "both"})
    objectives.append({"kind": "ditto", "factor": 0.5})
    for number, objective in enumerate(objectives):
        name = f"{objective['kind']}-{number}"
        rows.append(group(name, family="smollm2", like="smollm2", set_to=objective))
    return rows


def numbers(groups, wide=1.0, conditions=CONDITIONS):
    """Rows of a numbers table: more repetition at higher rates, less at higher strengths."""
    rng = np.random.default_rng(0)
    rows = []

    def add(name, layer, condition, at, observable, value):
        place = {"dataset": "sotu", "layer": layer, "condition": condition, "at": at}
        bounds = value, value - 0.05 * wide * abs(value), value + 0.05 * wide * abs(value)
        row = {"group": name, "observable": observable} | place
        rows.append(row | interval_columns({"value": bounds}))

    for row in groups:
        strength = np.log1p(row["strength"] or 0.0)
        dose = 1 + 2 * (row["rate"] or 0.0) - 0.2 * strength + 0.05 * rng.standard_normal()
        for layer in (0, 4):
            for name in READ:
                value = {"surprisal": 4.5, "perplexity": 90.0}.get(name, 0.3)
                value *= 1 + 0.05 * strength + 0.1 * dose if name in READ[:2] else dose
                add(row["group"], layer, None, None, name, value * (1 if layer else 0.1))
        for condition, values in conditions.items():
            for at in values:
                for name in WRITTEN:
                    value = min(1.0, 0.6 * dose * (1 - 0.6 * (at or 0.0)))
                    add(row["group"], None, condition, at, name, value)
    return table_of_rows(rows, NUMBERS).to_pylist()


def groups_table(rows):
    return table_of_rows(rows, GROUPS)


def energies_table(column):
    """An energies table of some columns; of the others nothing is asked."""
    size = len(column["doc"])
    zero = {field.name: np.zeros(size) for field in ENERGIES}
    return table_of(zero | column, ENERGIES)
