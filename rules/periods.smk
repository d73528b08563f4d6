# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet.
# Makes: results/energies/… of the models whose correct token is held against more than the last one;
#        results/periods/… and results/periods.csv: how often they would rather close a loop, by layer
#        and period, beside those that look at another place;
#        results/onsets/…, results/onset_warnings/…, results/found_periods/…: whether they see loops coming
#        that a model wrote, and find their periods;
#        results/anomalies/…: how well scores tell spans that were replaced; a table of each, and
#        results/figures/periods/….

LOOPS = {model: null_of(model, MODELS) for model in rivals_of(MODELS)}
LOOPS = {model: null for model, null in LOOPS.items() if null}

PERIODS = f"results/periods/{ENSEMBLE}.parquet"
PERIODS_FIGURE = f"results/figures/periods/{ENSEMBLE}/periods"

ONSETS = f"results/onsets/{ENSEMBLE}.parquet"
ONSET_WARNINGS = f"results/onset_warnings/{ENSEMBLE}.parquet"
ONSETS_FIGURE = f"results/figures/periods/{ENSEMBLE}/onsets"
FOUND_PERIODS = f"results/found_periods/{ENSEMBLE}.parquet"
FOUND_FIGURE = f"results/figures/periods/{ENSEMBLE}/found"

LOOPED = [name for name in MEASURED if name in GENERATED]
UNITS = [name for name in MEASURED if is_repeated(DATASETS[name])]

ANOMALIES = f"results/anomalies/{ENSEMBLE}.parquet"
ANOMALIES_FIGURE = "results/figures/periods/model={model}/anomalies"

TOLD = {(spec["model"], spec["dataset"]): spec for spec in STUDY["anomalies"]}


include: "functions/periods.smk"


rule take_tokens:
    input:
        lambda w: TOKENS.format(model=TAKEN[w.model], dataset=w.dataset, shard=w.shard),
    output:
        TOKENS,
    log:
        log("take_tokens", SHARD),
    wildcard_constraints:
        model=one_of(TAKEN),
        dataset=one_of(GENERATED),
    conda:
        CONDA
    message:
        "Taking {wildcards.dataset}, shard {wildcards.shard}, for {wildcards.model}"
    shell:
        run("periods.take_tokens", "{input:q} --name {wildcards.model:q} --out {output:q}")


localrules:
    take_tokens,
    plot_periods,
    plot_onsets,
    plot_found,
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


rule describe_onsets:
    input:
        own=energies_of_ensemble,
        null=energies_of_null,
        plain=energies_of_plain,
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
    output:
        onsets=ONSETS,
        warnings=ONSET_WARNINGS,
    log:
        log("describe_onsets", ENSEMBLE),
    wildcard_constraints:
        model=one_of(LOOPS),
        dataset=one_of(LOOPED),
    group:
        "curves"
    conda:
        CONDA
    params:
        plain=lambda w, input: ["--plain", *input.plain] if input.plain else [],
        options=CONFIDENCE,
    message:
        "Describing onsets of loops that {wildcards.model} wrote in {wildcards.dataset}"
    shell:
        run(
            "periods.describe_onsets",
            "--own {input.own:q} --null {input.null:q} {params.plain:q}"
            " --tokens {input.tokens:q} {params.options:q}"
            " --out {output.onsets:q} --warnings {output.warnings:q}",
        )


rule plot_onsets:
    input:
        ONSETS,
    output:
        **figure(
            ONSETS_FIGURE,
            "periods/onsets",
            "Periods",
            of="{model} on {dataset}",
            figure="onsets of loops",
        ),
    log:
        log("plot_onsets", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing onsets of loops that {wildcards.model} wrote in {wildcards.dataset}"
    shell:
        run("periods.plot_onsets", f"{{input:q}} {DRAWN}")


rule describe_found:
    input:
        own=energies_of_ensemble,
        null=energies_of_null,
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
    output:
        FOUND_PERIODS,
    log:
        log("describe_found", ENSEMBLE),
    wildcard_constraints:
        model=one_of(LOOPS),
        dataset=one_of([*LOOPED, *UNITS]),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing periods that {wildcards.model} finds in {wildcards.dataset}"
    shell:
        run(
            "periods.describe_found",
            "--own {input.own:q} --null {input.null:q} --tokens {input.tokens:q}"
            " {params.options:q} --out {output:q}",
        )


rule plot_found:
    input:
        FOUND_PERIODS,
    output:
        **figure(
            FOUND_FIGURE,
            "periods/found",
            "Periods",
            of="{model} on {dataset}",
            figure="periods that are found",
        ),
    log:
        log("plot_found", ENSEMBLE),
    wildcard_constraints:
        dataset=one_of(UNITS),
    conda:
        CONDA
    message:
        "Drawing periods that {wildcards.model} finds in {wildcards.dataset}"
    shell:
        run("periods.plot_found", f"{{input:q}} {DRAWN}")


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
        [
            table(
                name,
                expand(pattern, model=LOOPS, dataset=datasets),
                f"Tabulating {words}",
                caption=f"periods/{name}_table",
                category="Periods",
                figure=f"{words}, in numbers",
            )
            for name, pattern, datasets, words in (
                ("onsets", ONSETS, LOOPED, "onsets of loops"),
                ("onset_warnings", ONSET_WARNINGS, LOOPED, "warnings of onsets"),
                ("found_periods", FOUND_PERIODS, [*LOOPED, *UNITS], "periods that are found"),
            )
            if LOOPS and datasets
        ],
        drawn(PERIODS_FIGURE, model=LOOPS, dataset=MEASURED),
        drawn(ONSETS_FIGURE, model=LOOPS, dataset=LOOPED),
        drawn(FOUND_FIGURE, model=LOOPS, dataset=UNITS),
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
        "Done: numbers are in results/periods.csv and beside it, figures in results/figures/periods"
