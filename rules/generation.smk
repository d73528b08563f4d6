# Takes: results/models/{model}/, results/corpora/{dataset}.parquet,
#        results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet of prompts.
# Makes: results/tokens/… of a `generated` dataset: what the model itself writes after the first
#        tokens of documents;
#        under model={model}/dataset={dataset} of results/generation/, for each condition
#        schedules/: sampling temperatures by position, where they are to be found;
#        runs/, positions/: what was written, and its entropies by position;
#        texts/: each of them, with its loops;
#        entropies/, conditions/: entropies on average over prompts, and what the texts are like;
#        results/generation/comparisons/, of texts with constants of the same entropy;
#        results/generation/conditions.csv and comparisons.csv;
#        and results/figures/generation/… as SVG and PDF.
#
# A method and a way of finding a schedule is a rule and a command of its own, so that adding one, or
# mending one, reruns no other.

REMEMBERED_MB = 4000  # keys and values; models/readers.py keeps 3 GB of them on a CPU

GENERATED = [name for name, spec in DATASETS.items() if is_generated(spec)]

GENERATION = ["documents_per_shard", "prompt_tokens", "tokens_per_document"]
GENERATION += ["sampling_temperature", "seed"]

# Entries that differ from another one in their rivals alone take what that one writes.
TAKEN = {model: plain_of(model, MODELS) for model in rivals_of(MODELS)}
TAKEN = {model: plain for model, plain in TAKEN.items() if plain}
WRITERS = {model: spec for model, spec in MODELS.items() if model not in TAKEN}


if GENERATED:
    for model, spec in WRITERS.items():

        rule:
            name:
                f"generate_tokens_{model}"
            input:
                snapshot=snapshot_of(model),
                corpus=lambda w: CORPUS.format(dataset=text_of(w.dataset)),
            output:
                expand(TOKENS, model=model, allow_missing=True),
            log:
                log("generate_tokens", f"model={model}/{{dataset}}/{{shard}}"),
            benchmark:
                f"logs/generate_tokens/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
            wildcard_constraints:
                dataset=one_of(GENERATED),
            conda:
                CONDA
            threads: measure_threads(spec["device"])
            resources:
                **of_model(spec, time_to_write(spec))
                | {"mem_mb": memory_to_write(spec, REMEMBERED_MB)},
                shards=shards_of_text,
            params:
                running=running(model),
                # Functions, since braces in a token are no wildcards.
                prefix=lambda w, spec=spec: options(spec, "prefix_token"),
                options=lambda w: options(DATASETS[w.dataset], *GENERATION)
                + options(DATASETS[text_of(w.dataset)], *OF_TEXT),
            message:
                f"Generating {{wildcards.dataset}}, shard {{wildcards.shard}}, by {model}"
            shell:
                run(
                    "generation.generate_tokens",
                    f"{RUNNING} {{params.prefix:q}} --corpus {{input.corpus:q}}"
                    " --dataset {wildcards.dataset:q} --shard {wildcards.shard}"
                    " {params.options:q} --shards {resources.shards} --out {output:q}",
                )


CONDITION = f"{ENSEMBLE}/condition={{condition}}"
RUNS = f"results/generation/runs/{CONDITION}.parquet"
POSITIONS = f"results/generation/positions/{CONDITION}.parquet"
SCHEDULE = f"results/generation/schedules/{ENSEMBLE}/{{condition}}.json"
ENTROPIES = f"results/generation/entropies/{CONDITION}.parquet"
WRITTEN_TEXTS = f"results/generation/texts/{CONDITION}.parquet"
CONDITIONS = f"results/generation/conditions/{CONDITION}.parquet"
COMPARED_CONDITIONS = f"results/generation/comparisons/{ENSEMBLE}.parquet"

WRITTEN = {(spec["model"], spec["dataset"]): spec for spec in STUDY["generation"]}

PROMPTS = ["prompt_tokens", "runs", "write", "found_on", "ends", "seed"]


include: "functions/generation.smk"


wildcard_constraints:
    condition=one_of(dict.fromkeys(c for spec in STUDY["generation"] for c in spec["conditions"])),


localrules:
    plot_entropies,
    plot_schedules,
    plot_held,
    plot_costs,
    plot_conditions,
    plot_comparisons,


for pair in WRITTEN:
    model, dataset = pair
    placed = {"model": model, "dataset": dataset, "allow_missing": True}
    where = f"model={model}/dataset={dataset}/condition={{condition}}"

    for schedule in values_of(pair, "schedule"):

        rule:
            name:
                f"find_{schedule}_{model}_{dataset}"
            input:
                snapshot=snapshot_of(model),
                tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
            output:
                expand(SCHEDULE, **placed),
            log:
                log(f"find_{schedule}", where),
            benchmark:
                f"logs/find_{schedule}/{where}.benchmark.tsv"
            wildcard_constraints:
                condition=conditions_of(pair, "schedule", schedule),
            conda:
                CONDA
            threads: measure_threads(MODELS[model]["device"])
            resources:
                **of_model(MODELS[model], time_for_runs(pair, generations_to_find))
                | {"mem_mb": memory_to_write(MODELS[model], REMEMBERED_MB)},
            params:
                code=digest_of_code(f"generation.schedules.{schedule}"),
                command=f"generation.schedules.{schedule}",
                running=running(model),
                options=written_options(pair, *PROMPTS, "target", "fit_to"),
                own=own_options_of(pair, schedule_options),
            message:
                f"Finding schedule {{wildcards.condition}} of {model} on {dataset}"
            shell:
                run(
                    "{params.command}",
                    f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} {{params.own:q}}"
                    " --out {output:q}",
                    "{params.code}",
                )

    for method in values_of(pair, "method"):

        rule:
            name:
                f"write_{method}_{model}_{dataset}"
            input:
                snapshot=snapshot_of(model),
                tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
                schedule=expand(SCHEDULE, **placed) if method == "scheduled" else [],
            output:
                runs=expand(RUNS, **placed),
                positions=expand(POSITIONS, **placed),
            log:
                log(f"write_{method}", where),
            benchmark:
                f"logs/write_{method}/{where}.benchmark.tsv"
            wildcard_constraints:
                condition=conditions_of(pair, "method", method),
            conda:
                CONDA
            threads: measure_threads(MODELS[model]["device"])
            resources:
                **of_model(MODELS[model], time_for_runs(pair))
                | {"mem_mb": memory_to_write(MODELS[model], REMEMBERED_MB)},
            params:
                code=digest_of_code(f"generation.methods.{method}"),
                command=f"generation.methods.{method}",
                running=running(model),
                options=written_options(pair, "prompts", *PROMPTS),
                own=own_options_of(pair, own_options),
                schedule="--schedule" if method == "scheduled" else [],
            message:
                f"Writing {{wildcards.condition}} by {model} on {dataset}"
            shell:
                run(
                    "{params.command}",
                    f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} {{params.own:q}}"
                    " {params.schedule} {input.schedule:q}"
                    " --out {output.runs:q} --positions {output.positions:q}",
                    "{params.code}",
                )


rule describe_runs:
    input:
        runs=RUNS,
        positions=POSITIONS,
    output:
        condition=CONDITIONS,
        entropies=ENTROPIES,
    log:
        log("describe_runs", CONDITION),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
        aim=lambda w: options(WRITTEN[w.model, w.dataset], "target", "fit_to"),
    message:
        "Describing {wildcards.condition} by {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "generation.describe_runs",
            "--runs {input.runs:q} --positions {input.positions:q}"
            " --condition {wildcards.condition:q} {params.aim:q} {params.options:q}"
            " --out {output.condition:q} --entropies {output.entropies:q}",
        )


rule describe_texts:
    input:
        runs=RUNS,
        snapshot=lambda w: snapshot_of(w.model),
    output:
        WRITTEN_TEXTS,
    log:
        log("describe_texts", CONDITION),
    group:
        "curves"
    conda:
        CONDA
    params:
        weights=weights_of,
    message:
        "Describing each text of {wildcards.condition} by {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "generation.describe_texts",
            "{input.runs:q} --model results/models/{params.weights:q} --out {output:q}",
        )


rule plot_entropies:
    input:
        entropies=if_written(ENTROPIES, is_constant),
    output:
        **figure_of_pair("generation", "entropies"),
    log:
        log("plot_entropies", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing entropies of what {wildcards.model} writes on {wildcards.dataset}"
    shell:
        run("generation.plot_entropies", f"{{input.entropies:q}} {DRAWN}")


rule plot_schedules:
    input:
        schedules=if_written(SCHEDULE, is_scheduled),
    output:
        **figure_of_pair("generation", "schedules"),
    log:
        log("plot_schedules", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing schedules of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("generation.plot_schedules", f"{{input.schedules:q}} {DRAWN}")


rule plot_held:
    input:
        entropies=if_written(ENTROPIES, is_control),
    output:
        **figure_of_pair("generation", "held"),
    log:
        log("plot_held", ENSEMBLE),
    conda:
        CONDA
    params:
        options=lambda w: options(WRITTEN[w.model, w.dataset], "target"),
    message:
        "Drawing entropies under control by {wildcards.model} on {wildcards.dataset}"
    shell:
        run("generation.plot_held", f"{{input.entropies:q}} {{params.options:q}} {DRAWN}")


rule plot_costs:
    input:
        conditions=if_written(CONDITIONS),
    output:
        **figure_of_pair("generation", "costs"),
    log:
        log("plot_costs", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing costs of schedules of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("generation.plot_costs", f"{{input.conditions:q}} {DRAWN}")


rule plot_conditions:
    input:
        conditions=if_written(CONDITIONS),
    output:
        **figure_of_pair("generation", "conditions"),
    log:
        log("plot_conditions", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing texts by {wildcards.model} on {wildcards.dataset}"
    shell:
        run("generation.plot_conditions", f"{{input.conditions:q}} {DRAWN}")


rule compare_conditions:
    input:
        conditions=if_written(CONDITIONS),
    output:
        COMPARED_CONDITIONS,
    log:
        log("compare_conditions", ENSEMBLE),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Comparing texts by {wildcards.model} on {wildcards.dataset} with constants"
    shell:
        run(
            "generation.compare_conditions",
            "{input.conditions:q} {params.options:q} --out {output:q}",
        )


rule plot_comparisons:
    input:
        comparisons=COMPARED_CONDITIONS,
    output:
        **figure_of_pair("generation", "comparisons"),
    log:
        log("plot_comparisons", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing texts by {wildcards.model} on {wildcards.dataset} beside constants"
    shell:
        run("generation.plot_comparisons", f"{{input.comparisons:q}} {DRAWN}")


CONDITIONS_TABLE = (
    table(
        "generation/conditions",
        of_written(CONDITIONS),
        "Tabulating conditions",
        caption="generation/conditions_table",
        category="Generation",
        figure="conditions, in numbers",
    )
    if WRITTEN
    else []
)


COMPARED_PAIRS = [pair for pair in WRITTEN if is_compared(pair)]

COMPARED_TABLE = (
    table(
        "generation/comparisons",
        [COMPARED_CONDITIONS.format(model=m, dataset=d) for m, d in COMPARED_PAIRS],
        "Tabulating comparisons of conditions",
        caption="generation/comparisons_table",
        category="Generation",
        figure="comparisons, in numbers",
    )
    if COMPARED_PAIRS
    else []
)


rule generation:
    input:
        [
            path
            for dataset in GENERATED
            for path in expand(TOKENS, model=MODELS, dataset=dataset, shard=shards(dataset))
        ],
        of_written(ENTROPIES),
        of_written(WRITTEN_TEXTS),
        [path for pair in WRITTEN for path in figures_of(pair)],
        CONDITIONS_TABLE,
        COMPARED_TABLE,
    message:
        "Done: datasets that models wrote are in results/tokens, their runs in results/generation"
