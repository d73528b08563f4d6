"""How a rule runs a command, how that is read back, and where commands run.

Imported by the Snakefile, hence by every cluster job: nothing heavy here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..semstat.errors import OPTIONS
from .code import PACKAGE, digest_of_code

RECORD = f"{__package__}.record_job"

GIVEN = "printf '%s\\0' "
"""How the shell command of every job begins. What follows may be longer than a command line of
the system's: to the shell, which has `printf` built in, its length does not matter."""

RECORDED = f" | python -m {RECORD} "
"""What follows these words there, before the command's name."""

PLUGS = {"--intervention": "semstat.interventions"}
"""Options, in JSON, by whose `kind` a command loads a module, and the folders of such modules.

What is loaded so is no part of the digest of the command's code; `code` in the option is its own.
"""

LOGGED = " 2>&1 | tee "
"""What follows that, before the place of its log."""

FOLDER = "SEMANTIC_STATISTICS_FOLDER"
"""Variable in the environment of jobs: the working directory of the run that they are of."""

CREDENTIALS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Variables that downloads read, which run on the submitting host."""

UNWANTED = (
    "PYTHONOPTIMIZE",  # strips the docstrings that options are read from
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",  # set in NVIDIA's containers: float32 would be TF32,
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",  # or bfloat16 on a CPU
    "DNNL_DEFAULT_FPMATH_MODE",
)
"""Variables of a user's environment that would change what jobs compute, and so are left out."""


def shell_command(command: str, arguments: str, code: str = "") -> str:
    """The shell command of a rule, with Snakemake's placeholders; `Job.planned` reads it back.

    It holds the digest of the command's code, so that an edit reruns the rule's jobs.

    Snakemake makes what stands after `shell:` once when it reads a rule, and again for each job
    that runs: whatever a loop over rules varies must be a placeholder there.

    Parameters
    ----------
    command : room and module in this package, such as "thermodynamics.count_states".
    arguments : of the command, as one writes them after `shell:`.
    code : that digest, where the command is a placeholder.
    """
    code = code or digest_of_code(command)
    words = f"{code} {{input:q}} -- {{output:q}} -- {command} {arguments}"
    return f"{GIVEN}{words}{RECORDED}{command}{LOGGED}{{log:q}}"


class Job(NamedTuple):
    """What one job takes and makes, and the command that does it, its name first.

    code : digest of the command's code when the job was planned.
    """

    code: str
    inputs: list[str]
    outputs: list[str]
    command: list[str]

    @classmethod
    def parse(cls, words: Sequence[str]) -> Job:
        """Read the words that `record_job` is given: digest, inputs -- outputs -- command.

        >>> Job.parse(["5f", "a", "b", "--", "c", "--", "copy", "a", "b", "--out=c"]).outputs
        ['c']
        """
        first = words.index("--")
        second = words.index("--", first + 1)
        inputs, outputs = list(words[1:first]), list(words[first + 1 : second])
        return cls(words[0], inputs, outputs, list(words[second + 1 :]))

    @classmethod
    def planned(cls, line: str) -> Job | None:
        """The job that a line of Snakemake's plan runs, if it is such a line."""
        _, given, words = line.partition(GIVEN)
        return cls.parse(_split(words.rpartition(RECORDED)[0])) if given else None

    @property
    def plugs(self) -> dict[str, str]:
        """Modules that the command loads by name, and digests of their code when it was planned.

        >>> words = ["measure", '--intervention={"code": "7a", "kind": "sink_off"}']
        >>> Job("5f", [], [], words).plugs
        {'semstat.interventions.sink_off': '7a'}
        """
        given = [word.partition("=") for word in self.command if word.partition("=")[0] in PLUGS]
        said = [(PLUGS[option], json.loads(value)) for option, _, value in given]
        return {f"{folder}.{plug['kind']}": plug["code"] for folder, plug in said}


def _split(words: str) -> list[str]:
    """Words of a shell command; a hundred times as fast where nothing is quoted.

    >>> _split("a 'b c'"), _split("a b")
    (['a', 'b c'], ['a', 'b'])
    """
    return shlex.split(words) if re.search(r"['\"\\]", words) else words.split()


def prepare_environment() -> None:
    """Let jobs run the Python that runs Snakemake, and find this package from any folder."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    # A file of the user's called random.py or datasets.py is no module of ours.
    os.environ["PYTHONSAFEPATH"] = "1"
    for variable in UNWANTED:
        os.environ.pop(variable, None)
    os.environ[FOLDER] = str(Path.cwd())
    # Of libraries, which would draw over what other jobs say.
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # glibc: keep freed activations instead of asking the kernel for fresh pages layer by layer.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(4 << 30))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(8 << 30))


def note_options() -> None:
    """Let jobs know what this run was started with."""
    os.environ[OPTIONS] = shlex.join(sys.argv[1:])


def forget_credentials() -> None:
    """On a cluster's nodes: `--verbose` has a job log its environment."""
    for token in CREDENTIALS:
        os.environ.pop(token, None)
