"""All systems by what they are for: to set constants on, or only to judge."""

from __future__ import annotations

from functools import cache

from workflow_scripts.semstat.statistics.closed_forms import all_systems

from .judge_systems import judge_systems
from .systems import System, as_system, set_on_systems

ROLES = ("textbook", "set on", "judge")


@cache
def by_role() -> dict[str, list[System]]:
    """The nine closed forms and those shaped like models', which constants may be set on; and those
    that only judge.
    """
    textbook = [as_system(form) for form in all_systems()]
    return dict(zip(ROLES, (textbook, set_on_systems(), judge_systems()), strict=True))


def named(name: str) -> tuple[str, System]:
    """Role and system of a name."""
    return next((r, s) for r, systems in by_role().items() for s in systems if s.name == name)
