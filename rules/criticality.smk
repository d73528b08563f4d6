# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet
#        of prompts, and of what nulls are counted on.
# Makes: under model={model}/dataset={dataset} of results/criticality/,
#        runs/, positions/: what is written at each sampling temperature, by the model and by nulls;
#        observables/, crossovers/: what that is like by length, and where it changes;
#        of all of them results/criticality/observables.csv and crossovers.csv;
#        and results/figures/criticality/… as SVG and PDF.
#
# A null is written without a model, by the same engine.

SWEPT_BY = f"{ENSEMBLE}/by={{by}}"
SWEPT_TEXTS = f"{SWEPT_BY}/sampling_temperature={{temperature}}"
SWEPT_RUNS = f"results/criticality/runs/{SWEPT_TEXTS}.parquet"
SWEPT_POSITIONS = f"results/criticality/positions/{SWEPT_TEXTS}.parquet"

OBSERVABLES = f"results/criticality/observables/{SWEPT_BY}.parquet"
CROSSOVERS = f"results/criticality/crossovers/{SWEPT_BY}.parquet"

SWEPT = {(spec["model"], spec["dataset"]): spec for spec in STUDY["criticality"]}

SWEEP = ["prompts", "prompt_tokens", "runs", "write", "seed"]


include: "functions/criticality.smk"


wildcard_constraints:
    by=one_of(["model", "frequencies", "bigrams"]),
    temperature=r"\d+(\.\d+)?(e[-+]?\d+)?",


localrules:
    plot_phases,
    plot_observables,
    plot_crossovers,
    plot_diversity,


for pair in SWEPT:
    model, dataset = pair
    placed = {"model": model, "dataset": dataset, "allow_missing": True}
    where = f"model={model}/dataset={dataset}/sampling_temperature={{temperature}}"

    rule:
        name:
            f"write_texts_{model}_{dataset}"
        input:
            snapshot=snapshot_of(model),
            tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
        output:
            runs=expand(SWEPT_RUNS, by="model", **placed),
            positions=expand(SWEPT_POSITIONS, by="model", **placed),
        log:
            log("write_texts", where),
        benchmark:
            f"logs/write_texts/{where}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(MODELS[model]["device"])
        resources:
            **of_model(MODELS[model], time_for_sweep(pair))
            | {"mem_mb": memory_to_write(MODELS[model], REMEMBERED_MB)},
        params:
            running=running(model),
            options=sweep_options(pair),
        message:
            f"Writing at sampling temperature {{wildcards.temperature}} by {model} on {dataset}"
        shell:
            run(
                "criticality.write_texts",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}}"
                " --sampling-temperature={wildcards.temperature}"
                " --out {output.runs:q} --positions {output.positions:q}",
            )

    rule:
        name:
            f"write_null_{model}_{dataset}"
        input:
            tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
            counts=expand(
                TOKENS,
                model=model,
                dataset=SWEPT[pair]["counted_on"],
                shard=shards(SWEPT[pair]["counted_on"]),
            ),
        output:
            runs=expand(SWEPT_RUNS, **placed),
            positions=expand(SWEPT_POSITIONS, **placed),
        log:
            log("write_null", f"{where}/{{by}}"),
        benchmark:
            f"logs/write_null/{where}/{{by}}.benchmark.tsv"
        wildcard_constraints:
            by=one_of(SWEPT[pair]["nulls"]),
        conda:
            CONDA
        threads: measure_threads("cpu")
        params:
            model=model,
            options=sweep_options(pair),
        message:
            f"Writing {{wildcards.by}} at sampling temperature {{wildcards.temperature}} on {dataset}"
        shell:
            run(
                "criticality.write_null",
                "--tokens {input.tokens:q} --counts {input.counts:q}"
                " --model={params.model:q} --null={wildcards.by} {params.options:q}"
                " --sampling-temperature={wildcards.temperature}"
                " --threads {threads} --out {output.runs:q} --positions {output.positions:q}",
            )


rule describe_sweep:
    input:
        runs=if_swept(lambda pair, w: swept_by(pair, w.by, SWEPT_RUNS)),
        positions=if_swept(lambda pair, w: swept_by(pair, w.by, SWEPT_POSITIONS)),
    output:
        observables=OBSERVABLES,
        crossovers=CROSSOVERS,
    log:
        log("describe_sweep", SWEPT_BY),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=lambda w: options(SWEPT[w.model, w.dataset], "lengths") + CURVE_OPTIONS,
    message:
        "Describing the sweep of {wildcards.model} on {wildcards.dataset}, by {wildcards.by}"
    shell:
        run(
            "criticality.describe_sweep",
            "--runs {input.runs:q} --positions {input.positions:q} --model={wildcards.model}"
            " --by={wildcards.by} {params.options:q}"
            " --out {output.observables:q} --crossovers {output.crossovers:q}",
        )


rule plot_phases:
    input:
        observables=if_swept(lambda pair, w: beside(pair, OBSERVABLES)),
        crossovers=if_swept(lambda pair, w: beside(pair, CROSSOVERS)),
    output:
        **figure_of_pair("criticality", "phases"),
    log:
        log("plot_phases", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing phases of {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "criticality.plot_phases",
            "--observables {input.observables:q} --crossovers {input.crossovers:q}" f" {DRAWN}",
        )


rule plot_observables:
    input:
        observables=if_swept(lambda pair, w: beside(pair, OBSERVABLES)),
        crossovers=expand(CROSSOVERS, by="model", allow_missing=True),
    output:
        **figure_of_pair("criticality", "{show}"),
    log:
        log("plot_observables", f"{ENSEMBLE}/{{show}}"),
    wildcard_constraints:
        show="texts|fluctuations",
    conda:
        CONDA
    message:
        "Drawing {wildcards.show} of the sweep of {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "criticality.plot_observables",
            "--observables {input.observables:q} --crossovers {input.crossovers:q}"
            f" --show={{wildcards.show}} {DRAWN}",
        )


rule plot_crossovers:
    input:
        crossovers=if_swept(lambda pair, w: beside(pair, CROSSOVERS)),
    output:
        **figure_of_pair("criticality", "crossovers"),
    log:
        log("plot_crossovers", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing where the sweep of {wildcards.model} on {wildcards.dataset} changes"
    shell:
        run("criticality.plot_crossovers", f"{{input.crossovers:q}} {DRAWN}")


rule plot_diversity:
    input:
        observables=if_swept(lambda pair, w: beside(pair, OBSERVABLES)),
    output:
        **figure_of_pair("criticality", "diversity"),
    log:
        log("plot_diversity", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing loops against diversity, of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("criticality.plot_diversity", f"{{input.observables:q}} {DRAWN}")


SWEPT_TABLES = (
    [
        table(
            f"criticality/{name}",
            [path for pair in SWEPT for path in described(pair, pattern)],
            f"Tabulating {name} of sweeps",
            caption=f"criticality/{name}_table",
            category="Criticality",
            figure=f"{name}, in numbers",
        )
        for name, pattern in (("observables", OBSERVABLES), ("crossovers", CROSSOVERS))
    ]
    if SWEPT
    else []
)


rule criticality:
    input:
        [path for pair in SWEPT for path in swept_figures(pair)],
        SWEPT_TABLES,
    message:
        "Done: figures are in results/figures/criticality, numbers in results/criticality"
