# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet,
#        of the pairs that `decoding` in the configuration names.
# Makes: under model={model}/dataset={dataset} of results/decoding/, for each condition
#        continuations/: what it writes, once with each value of its curve;
#        decodings/: what that is like, on average over prompts;
#        of all conditions of a pair texts/: the continuations as CSV;
#        of all pairs results/decoding/decodings.csv;
#        and results/figures/decoding/…/ tradeoffs, doses and costs as SVG and PDF.
#
# A method is a rule and a command of its own, so that adding one, or mending one, reruns no other.

DECODED = f"{ENSEMBLE}/condition={{condition}}"
CONTINUATIONS = f"results/decoding/continuations/{DECODED}.parquet"
DECODINGS = f"results/decoding/decodings/{DECODED}.parquet"
CONTINUED_TEXTS = f"results/decoding/texts/{ENSEMBLE}.csv"

CONTINUED = {(spec["model"], spec["dataset"]): spec for spec in STUDY["decoding"]}

CONTINUING = ["prompts", "prompt_tokens", "write", "seed"]

CONTINUED_MB = 2 * REMEMBERED_MB  # keys and values, and a step's copy of them


include: "functions/decoding.smk"


localrules:
    plot_tradeoffs,
    plot_doses,
    plot_costs_of_decoding,


for pair in CONTINUED:
    model, dataset = pair
    where = f"model={model}/dataset={dataset}/condition={{condition}}"

    for method in methods_of(pair):

        rule:
            name:
                f"continue_by_{method}_{model}_{dataset}"
            input:
                snapshot=snapshot_of(model),
                tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
            output:
                expand(CONTINUATIONS, model=model, dataset=dataset, allow_missing=True),
            log:
                log(f"continue_by_{method}", where),
            benchmark:
                f"logs/continue_by_{method}/{where}.benchmark.tsv"
            wildcard_constraints:
                condition=conditions_by(pair, method),
            conda:
                CONDA
            threads: measure_threads(MODELS[model]["device"])
            resources:
                **of_model(MODELS[model], time_to_continue(pair))
                | {"mem_mb": memory_to_write(MODELS[model], CONTINUED_MB)},
            params:
                code=digest_of_code(f"decoding.methods.{method}"),
                command=f"decoding.methods.{method}",
                running=running(model),
                options=options(CONTINUED[pair], *CONTINUING),
                own=options_of_method(pair),
            message:
                f"Continuing prompts of {dataset} by {model}, {{wildcards.condition}}"
            shell:
                run(
                    "{params.command}",
                    f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} {{params.own:q}}"
                    " --condition {wildcards.condition:q} --out {output:q}",
                    "{params.code}",
                )


rule describe_decodings:
    input:
        continuations=CONTINUATIONS,
    output:
        DECODINGS,
    log:
        log("describe_decodings", DECODED),
    wildcard_constraints:
        condition=one_of(
            dict.fromkeys(name for spec in STUDY["decoding"] for name in spec["conditions"])
        ),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing prompts of {wildcards.dataset} continued by {wildcards.model},"
        " {wildcards.condition}"
    shell:
        run(
            "decoding.describe_decodings",
            "{input.continuations:q} {params.options:q} --out {output:q}",
        )


rule show_texts:
    input:
        continuations=if_continued(CONTINUATIONS),
    output:
        report(
            CONTINUED_TEXTS,
            caption="../report/decoding/texts.rst",
            category="Decoding",
            labels={"model": "{model}", "dataset": "{dataset}", "figure": "the continuations"},
        ),
    log:
        log("show_texts", ENSEMBLE),
    group:
        "curves"
    conda:
        CONDA
    message:
        "Putting continuations by {wildcards.model} beside prompts of {wildcards.dataset}"
    shell:
        run("decoding.show_texts", "{input.continuations:q} --out {output:q}")


rule plot_tradeoffs:
    input:
        decodings=if_continued(DECODINGS),
    output:
        **figure_of_pair("decoding", "tradeoffs"),
    log:
        log("plot_tradeoffs", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing what decodings of {wildcards.dataset} by {wildcards.model} trade"
    shell:
        run("decoding.plot_tradeoffs", f"{{input.decodings:q}} {DRAWN}")


rule plot_doses:
    input:
        decodings=if_continued(DECODINGS),
    output:
        **figure_of_pair("decoding", "doses"),
    log:
        log("plot_doses", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing repetition by {wildcards.model} on {wildcards.dataset} against entropy"
    shell:
        run("decoding.plot_doses", f"{{input.decodings:q}} {DRAWN}")


rule plot_costs_of_decoding:
    input:
        decodings=if_continued(DECODINGS),
    output:
        **figure_of_pair("decoding", "costs"),
    log:
        log("plot_costs_of_decoding", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing costs of decodings of {wildcards.dataset} by {wildcards.model}"
    shell:
        run("decoding.plot_costs", f"{{input.decodings:q}} {DRAWN}")


DECODINGS_TABLE = (
    table(
        "decoding/decodings",
        of_continued(DECODINGS),
        "Tabulating decodings",
        caption="decoding/decodings_table",
        category="Decoding",
        figure="decodings, in numbers",
    )
    if CONTINUED
    else []
)


rule decoding:
    input:
        [CONTINUED_TEXTS.format(model=model, dataset=dataset) for model, dataset in CONTINUED],
        [
            path
            for pair in CONTINUED
            for path in figures_of_pair("decoding", pair, ["tradeoffs", "doses", "costs"])
        ],
        DECODINGS_TABLE,
    message:
        "Done: figures are in results/figures/decoding, numbers and texts in results/decoding"
