"""Lines through groups of trained models that differ in their objective's strength alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Group = Mapping[str, Any]

OF_CONTINUATIONS = ("prefix", "written")
"""Keys of an objective that say something where it acts on what a model writes."""


def lines_of_strength(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """Groups of each objective as it is set but for its strength, in the order of that.

    Parameters
    ----------
    groups : rows of `tables.GROUPS`; families of one objective are left out.

    Returns
    -------
    By what lines are called: the objective's kind, and what they differ in.
    """
    objectives: dict[str, set[str]] = {}
    for group in groups:
        if group["objective"]:
            said_of = json.dumps(json.loads(group["settings"])["objective"], sort_keys=True)
            objectives.setdefault(group["family"], set()).add(said_of)
    families = [family for family, of_family in objectives.items() if len(of_family) > 1]
    chosen = [group for group in groups if group["family"] in families and group["objective"]]
    facts = [_facts(group) for group in chosen]
    names = [*dict.fromkeys(name for of in facts for name in of)]
    varied = [name for name in names if len({of[name] for of in facts if name in of}) > 1]
    lines: dict[str, list[Group]] = {}
    for group, of in zip(chosen, facts, strict=True):
        words = [_word(name, of[name]) for name in varied if name in of]
        label = ", ".join([group["objective"].replace("_", " "), *filter(None, words)])
        lines.setdefault(label, []).append(group)
    return {
        label: sorted(line, key=lambda group: group["strength"] or 0.0)
        for label, line in lines.items()
    }


def _facts(group: Group) -> dict[str, str]:
    """What a group is but its objective's kind and strength, by name."""
    settings = json.loads(group["settings"])
    objective = settings.pop("objective")
    del settings["dataset"], objective["kind"]
    objective.pop("strength", None)
    if objective.get("acts_on") == "text":  # then it writes nothing
        objective = {k: v for k, v in objective.items() if k not in OF_CONTINUATIONS}
    about = {"family": group["family"], "dataset": group["trained_on"]} | settings | objective
    return {name: json.dumps(value).strip('"') for name, value in about.items()}


def _word(name: str, value: str) -> str:
    """What a label says of a fact."""
    called = name.replace("_", " ")
    if value in ("true", "false"):
        return called if value == "true" else ""
    return value if name in ("family", "dataset") else f"{called} {value}"
