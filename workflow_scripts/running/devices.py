"""Whether this machine has what a run's jobs ask for, told before the first of them starts."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from ..semstat.errors import InputError

GPU_FOUND = "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 3)"
"""In a process of its own: torch takes seconds to load, and holds on to a GPU that it has found."""


def check_devices(workflow: Any) -> None:
    """Refuse a run whose jobs need a GPU, on this machine and with this Python, that torch lacks.

    Jobs of a cluster run elsewhere; those in a conda environment have another torch.

    Parameters
    ----------
    workflow : Snakemake's, about to start.

    Raises
    ------
    InputError
        If torch finds none.
    """
    if workflow.executor_plugin.name != "local" or workflow.deployment_settings.deployment_method:
        return
    job = next((job for job in workflow.dag.needrun_jobs() if device_of(job) == "cuda"), None)
    if job is not None and subprocess.run([sys.executable, "-c", GPU_FOUND]).returncode == 3:
        raise InputError(
            f"rule {job.rule.name}: its device is cuda, and torch finds no GPU on this machine; "
            f"set `device: auto` or `cpu` in measurement or in the model's entry"
        )


def device_of(job: Any) -> str | None:
    """Where a job's model runs, if it runs one; nothing else of its resources is computed."""
    asked = job.rule.resources.get("device")
    return None if asked is None else str(getattr(asked, "value", asked))
