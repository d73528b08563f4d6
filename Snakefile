# semantic-statistics: the statistical mechanics of language models.
#
#   snakemake --cores all                       the default run (config.yaml)
#   snakemake --cores all --configfile MINE     another one
#   snakemake --cores all mechanics             kinetic and potential terms (or another stage)
#   snakemake --report results/report.html      the report of a finished run

import ast
import gc
import json
import os
import re
import sys
from functools import partial
from pathlib import Path

from snakemake.utils import update_config

sys.path.insert(0, workflow.basedir)

# A large graph is millions of objects that live as long as the run: search them rarely for garbage.
gc.set_threshold(100_000, 50, 100)

from workflow_scripts.comparisons.configuration import same_documents
from workflow_scripts.configuration.files import check_files
from workflow_scripts.configuration.study import read_overrides, resolve
from workflow_scripts.criticality.configuration import writers
from workflow_scripts.decoding.configuration import method_options, values_in
from workflow_scripts.generation.configuration import (
    is_generated,
    own_options,
    schedule_options,
)
from workflow_scripts.interventions.configuration import intervened
from workflow_scripts.lenses.configuration import lenses_of
from workflow_scripts.periods.configuration import null_of, plain_of, rivals_of
from workflow_scripts.running.code import digest_of_code
from workflow_scripts.running.job_sizes import (
    BYTES,
    TRAINED_BYTES,
    gpu_memory_mb,
    memory_mb,
    runtime_minutes,
    states_in,
    weights_in,
)
from workflow_scripts.running.jobs import (
    forget_credentials,
    note_options,
    prepare_environment,
    shell_command,
)
from workflow_scripts.running.surroundings import check_folders, check_locale
from workflow_scripts.semstat.errors import InputError
from workflow_scripts.sources.configuration import (
    architecture_of,
    corpus_origin,
    local_files,
    model_origin,
    random_twins,
    text_of,
)
from workflow_scripts.sources.layout import state_of, state_of_texts
from workflow_scripts.steering.configuration import steering_keys
from workflow_scripts.tokens.configuration import (
    check_local_files,
    documents_of,
    is_null,
    is_repeated,
)
from workflow_scripts.training.configuration import OF_FIT, objective_options, trained_of
from workflow_scripts.training.groups import groups_of
from workflow_scripts.volumes.configuration import (
    OF_INNER_LAYERS,
    OF_STATES,
    groups_of_pairs,
    spaces_at,
    spaces_of_pairs,
    walk_of,
)

# A file given on the command line replaces the default one; merging the two would run both.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"
include: "rules/resources.smk"
include: "rules/sources.smk"
include: "rules/tokens.smk"
include: "rules/training.smk"
include: "rules/generation.smk"
include: "rules/criticality.smk"
include: "rules/energies.smk"
include: "rules/lenses.smk"
include: "rules/periods.smk"
include: "rules/interventions.smk"
include: "rules/attention.smk"
include: "rules/thermodynamics.smk"
include: "rules/comparisons.smk"
include: "rules/repetition.smk"
include: "rules/mechanics.smk"
include: "rules/steering.smk"
include: "rules/decoding.smk"
include: "rules/causes.smk"
include: "rules/volumes.smk"
include: "rules/explorer.smk"
include: "rules/tables.smk"


report: "report/workflow.rst"


if workflow.is_main_process:
    # Imported here, not by every job; before planning, which says nothing where nothing is to do.
    from workflow_scripts.running.ask_snakemake import answer
    from workflow_scripts.running.narration import narrate
    from workflow_scripts.running.outlived import warnings

    NARRATION = None if workflow.output_settings.verbose else narrate(logger, workflow)

    if not answer(STUDY):
        for warning in warnings(STUDY, sys.argv[1:]):
            logger.warning(warning)


onstart:
    # Imported here, not by every job.
    from workflow_scripts.running.devices import check_devices
    from workflow_scripts.running.run_lock import hold
    from workflow_scripts.running.run_provenance import record_run
    from workflow_scripts.running.slurm_jobs import begin_run

    try:
        check_folders(Path.cwd(), to_write=True)
        hold(Path.cwd())
        check_devices(workflow)
        begin_run(workflow)
        warning = record_run(STUDY)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    if warning:
        logger.warning(warning)


# A job that was killed and tried again has left its first attempt behind.
onsuccess:
    from workflow_scripts.running.leftovers import remove, unfinished

    remove(unfinished(Path("results")))


onerror:
    from workflow_scripts.running.leftovers import remove, unfinished

    remove(unfinished(Path("results")))
    if NARRATION and NARRATION.failed:
        logger.error(NARRATION.last_words())


rule all:
    default_target: True
    input:
        RESULTS,
    message:
        "Done: figures are in results/figures, numbers in results/wells.csv and results/curves"
