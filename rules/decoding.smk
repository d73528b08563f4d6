# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet,
#        of the pairs that `steering` in the configuration names.
# Makes: under model={model}/dataset={dataset} of results/decoding/,
#        continuations/, texts/: what each method of decoding writes, as Parquet and as CSV;
#        decodings/: what that is like, on average over prompts;
#        of all pairs results/decoding/decodings.csv;
#        and results/figures/decoding/…/decodings as SVG and PDF.

CONTINUATIONS = f"results/decoding/continuations/{ENSEMBLE}.parquet"
CONTINUED_TEXTS = f"results/decoding/texts/{ENSEMBLE}.csv"
DECODINGS = f"results/decoding/decodings/{ENSEMBLE}.parquet"
DECODINGS_FIGURE = f"results/figures/decoding/{ENSEMBLE}/decodings"


localrules:
    plot_decodings,


for model in dict.fromkeys(model for model, _ in STEERED):

    rule:
        name:
            f"continue_prompts_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=tokens_of(model),
        output:
            continuations=expand(CONTINUATIONS, model=model, allow_missing=True),
            texts=report(
                expand(CONTINUED_TEXTS, model=model, allow_missing=True)[0],
                caption="../report/decoding/texts.rst",
                category="Decoding",
                labels={"model": model, "dataset": "{dataset}", "figure": "the continuations"},
            ),
        log:
            log("continue_prompts", f"{model}/{{dataset}}"),
        benchmark:
            f"logs/continue_prompts/{model}/{{dataset}}.benchmark.tsv"
        wildcard_constraints:
            dataset=steered_with(model),
        conda:
            CONDA
        threads: measure_threads(MODELS[model]["device"])
        resources:
            **of_model(MODELS[model], lambda w, attempt: 60 * attempt),
        params:
            running=running(model),
            options=lambda w, model=model: options(
                STEERED[model, w.dataset]["decoding"], *decoding_keys()
            ),
        message:
            f"Continuing prompts of {{wildcards.dataset}} by {model}"
        shell:
            run(
                "decoding.continue_prompts",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}}"
                " --out {output.continuations:q} --csv {output.texts:q}",
            )


rule describe_decodings:
    input:
        continuations=if_steered(CONTINUATIONS),
    output:
        DECODINGS,
    log:
        log("describe_decodings", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing decodings of {wildcards.dataset} by {wildcards.model}"
    shell:
        run(
            "decoding.describe_decodings",
            "{input.continuations:q} {params.options:q} --out {output:q}",
        )


rule plot_decodings:
    input:
        decodings=DECODINGS,
    output:
        **figure(
            DECODINGS_FIGURE,
            "decoding/decodings",
            "Decoding",
            model="{model}",
            dataset="{dataset}",
            figure="decodings",
        ),
    log:
        log("plot_decodings", "{model}/{dataset}"),
    conda:
        CONDA
    message:
        "Drawing decodings of {wildcards.dataset} by {wildcards.model}"
    shell:
        run("decoding.plot_decodings", f"{{input.decodings:q}} {DRAWN}")


DECODINGS_TABLE = (
    table(
        "decoding/decodings",
        of_steered(DECODINGS),
        "Tabulating decodings",
        caption="decoding/decodings",
        category="Decoding",
        figure="decodings, in numbers",
    )
    if STEERED
    else []
)


rule decoding:
    input:
        of_steered(CONTINUED_TEXTS),
        [path for pattern in of_steered(DECODINGS_FIGURE) for path in drawn(pattern)],
        DECODINGS_TABLE,
    message:
        "Done: figures are in results/figures/decoding, numbers and texts in results/decoding"
