# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet.
# Makes: results/energies/… of the models whose correct token is held against more than the last one;
#        results/periods/… and results/periods.csv: how often they would rather close a loop, by layer
#        and period, beside those that look at another place;
#        results/anomalies/… and results/anomalies.csv: how well scores tell spans that were replaced;
#        results/figures/periods/….

LOOPS = {model: null_of(model, MODELS) for model in rivals_of(MODELS)}
LOOPS = {model: null for model, null in LOOPS.items() if null}

PERIODS = f"results/periods/{ENSEMBLE}.parquet"
PERIODS_FIGURE = f"results/figures/periods/{ENSEMBLE}/periods"

ANOMALIES = f"results/anomalies/{ENSEMBLE}.parquet"
ANOMALIES_FIGURE = "results/figures/periods/model={model}/anomalies"

TOLD = {(spec["model"], spec["dataset"]): spec for spec in STUDY["anomalies"]}


include: "functions/periods.smk"


localrules:
    plot_periods,
    plot_anomalies,


for model, spec in rivals_of(MODELS).items():

    rule:
        name:
            f"measure_loops_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=expand(TOKENS, model=model, allow_missing=True),
        output:
            energies_of(model),
        log:
            log("measure_loops", f"model={model}/{{dataset}}/{{shard}}"),
        benchmark:
            f"logs/measure_loops/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_read(spec), measured_layers=len(spec["layers"])),
        params:
            running=running(model, "layers", *CUT),
            options=options(spec["rivals"], "periods", "history", "seed"),
        message:
            f"Measuring loop energies of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
        shell:
            run(
                "periods.measure_loops",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} --out {{output:q}}",
            )


rule describe_periods:
    input:
        own=energies_of_ensemble,
        null=energies_of_null,
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
    output:
        PERIODS,
    log:
        log("describe_periods", ENSEMBLE),
    wildcard_constraints:
        model=one_of(LOOPS),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing loops that {wildcards.model} would close on {wildcards.dataset}"
    shell:
        run(
            "periods.describe_periods",
            "--own {input.own:q} --null {input.null:q} --tokens {input.tokens:q}"
            " {params.options:q} --out {output:q}",
        )


rule plot_periods:
    input:
        PERIODS,
    output:
        **figure(
            PERIODS_FIGURE,
            "periods/periods",
            "Periods",
            of="{model} on {dataset}",
            figure="loops by period",
        ),
    log:
        log("plot_periods", ENSEMBLE),
    wildcard_constraints:
        model=one_of(LOOPS),
    conda:
        CONDA
    message:
        "Drawing loops that {wildcards.model} would close on {wildcards.dataset}"
    shell:
        run("periods.plot_periods", f"{{input:q}} {DRAWN}")


rule describe_anomalies:
    input:
        own=energies_of_ensemble,
        loops=if_told(energies_of_loops),
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
        text=tokens_of_text,
    output:
        ANOMALIES,
    log:
        log("describe_anomalies", ENSEMBLE),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=lambda w: options(TOLD[w.model, w.dataset], "draws", "seed") + CONFIDENCE,
    message:
        "Describing how {wildcards.model} tells what is replaced in {wildcards.dataset}"
    shell:
        run(
            "periods.describe_anomalies",
            "--own {input.own:q} --loops {input.loops:q} --tokens {input.tokens:q}"
            " --text {input.text:q} {params.options:q} --out {output:q}",
        )


rule plot_anomalies:
    input:
        lambda w: [
            ANOMALIES.format(model=model, dataset=dataset)
            for model, dataset in TOLD
            if model == w.model
        ],
    output:
        **figure(
            ANOMALIES_FIGURE,
            "periods/anomalies",
            "Periods",
            of="{model}",
            figure="anomalies",
        ),
    log:
        log("plot_anomalies", "model={model}"),
    conda:
        CONDA
    message:
        "Drawing how {wildcards.model} tells what is replaced"
    shell:
        run("periods.plot_anomalies", f"{{input:q}} {DRAWN}")


rule periods:
    input:
        table(
            "periods",
            expand(PERIODS, model=LOOPS, dataset=MEASURED),
            "Tabulating loops by period",
            caption="periods/periods_table",
            category="Periods",
            figure="loops by period, in numbers",
        )
        if LOOPS
        else [],
        drawn(PERIODS_FIGURE, model=LOOPS, dataset=MEASURED),
        table(
            "anomalies",
            [ANOMALIES.format(model=model, dataset=dataset) for model, dataset in TOLD],
            "Tabulating anomalies",
            caption="periods/anomalies_table",
            category="Periods",
            figure="anomalies, in numbers",
        )
        if TOLD
        else [],
        drawn(ANOMALIES_FIGURE, model=list(dict.fromkeys(model for model, _ in TOLD))),
    message:
        "Done: numbers are in results/periods.csv and anomalies.csv, figures in results/figures/periods"
