# semantic-statistics: the statistical mechanics of language models.
#
#   snakemake --cores all                       the default run (config.yaml)
#   snakemake --cores all --configfile MINE     another one
#   snakemake --cores all steering              Jacobian steering, where it is configured
#   snakemake --report results/report.html      the report of a finished run

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from workflow_scripts.configuration import canonical, documents_of, local_files, resolve
from workflow_scripts.jobs import code_inputs, prepare_environment
from workflow_scripts.semstat.errors import InputError

# A file given on the command line replaces the default one; merging the two would run both.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"
include: "rules/sources.smk"
include: "rules/tokens.smk"
include: "rules/lenses.smk"
include: "rules/energies.smk"
include: "rules/thermodynamics.smk"
include: "rules/figures.smk"
include: "rules/comparisons.smk"
include: "rules/repetition.smk"
include: "rules/steering.smk"


report: "report/workflow.rst"


rule all:
    default_target: True
    input:
        FIGURES,
        COMPARED,
        "results/wells.csv",
        # Figures need them already, but Snakemake would not miss one that was deleted since.
        curves_at(MODELS, DATASETS, final_layer=False),
    message:
        "Done: figures are in results/figures, numbers in results/wells.csv and results/curves"
