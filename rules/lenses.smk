# Takes: results/models/{model}/, results/corpora/{dataset}.parquet, and to measure
#        results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet.
# Makes: results/lenses/tokens/{model}.parquet: tokens of the documents that a tuned lens is made from;
#        results/lenses/{model}.safetensors: its translators, by layer;
#        results/lenses/sums/{model}.parquet: of each document held out, the divergence from the
#        final distribution, read out by the logit lens and by this one;
#        results/lenses/{model}.parquet: its mean and error, by layer;
#        results/energies/… of the models that are read out by it.

LENSES = lenses_of(MODELS)

LENS = "results/lenses/{model}.safetensors"
LENS_TOKENS = "results/lenses/tokens/{model}.parquet"
LENS_SUMS = "results/lenses/sums/{model}.parquet"
LENS_TABLE = "results/lenses/{model}.parquet"


include: "functions/lenses.smk"


rule tokenize_for_lens:
    input:
        snapshot=lambda w: snapshot_of(w.model),
        corpus=lambda w: CORPUS.format(dataset=MODELS[w.model]["lens"]["train_on"]),
    output:
        LENS_TOKENS,
    log:
        log("tokenize_for_lens", "{model}"),
    wildcard_constraints:
        model=one_of(LENSES),
    group:
        "tokens"
    conda:
        CONDA
    resources:
        # Not among the params: another shard to measure leaves the lens as it is. The job that
        # measures it checks again.
        measured=lambda w: MODELS[w.model]["measured_documents"],
    params:
        weights=weights_of,
        dataset=lambda w: MODELS[w.model]["lens"]["train_on"],
        options=lens_tokens_options,
    message:
        "Tokenizing documents to train the lens {wildcards.model} on"
    shell:
        run(
            "tokens.tokenize_corpus",
            "--model results/models/{params.weights:q} --corpus {input.corpus:q}"
            " --dataset {params.dataset:q} --beyond {resources.measured} {params.options:q}"
            " --out {output:q}",
        )


for model, spec in LENSES.items():

    rule:
        name:
            f"train_lens_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=LENS_TOKENS.format(model=model),
        output:
            lens=LENS.format(model=model),
            sums=LENS_SUMS.format(model=model),
        log:
            log("train_lens", model),
        benchmark:
            f"logs/train_lens/{model}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_read(spec, passes=3 * spec["lens"]["epochs"])),
        params:
            running=running(model, "layers", *CUT),
            options=options(spec["lens"], "epochs", "seed"),
        message:
            f"Training the lens {model}"
        shell:
            run(
                "lenses.train_lens",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}}"
                " --out {output.lens:q} --sums {output.sums:q}",
            )

    rule:
        name:
            f"measure_through_lens_{model}"
        input:
            snapshot=snapshot_of(model),
            lens=LENS.format(model=model),
            tokens=expand(TOKENS, model=model, allow_missing=True),
        output:
            energies_of(model),
        log:
            log("measure_through_lens", f"model={model}/{{dataset}}/{{shard}}"),
        benchmark:
            f"logs/measure_through_lens/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_read(spec), measured_layers=len(spec["layers"])),
        params:
            running=running(model, "layers", *CUT),
        message:
            f"Measuring energies of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
        shell:
            run(
                "lenses.measure_through_lens",
                f"{RUNNING} --tokens {{input.tokens:q}} --lens {{input.lens:q}} --out {{output:q}}",
            )


rule describe_divergence:
    input:
        sums=LENS_SUMS,
    output:
        LENS_TABLE,
    log:
        log("describe_divergence", "{model}"),
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing the divergence of {wildcards.model} and the logit lens"
    shell:
        run("lenses.describe_divergence", "{input.sums:q} {params.options:q} --out {output:q}")


RESULTS += expand(LENS_TABLE, model=LENSES)


rule lenses:
    input:
        expand(LENS_TABLE, model=LENSES),
    message:
        "Done: lenses are in results/lenses"
