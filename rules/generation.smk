# Takes: results/models/{model}/, results/corpora/{dataset}.parquet.
# Makes: results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet of a `generated`
#        dataset: what the model itself writes after the first tokens of documents.

GENERATED = [name for name, spec in DATASETS.items() if is_generated(spec)]


GENERATION = ["documents_per_shard", "prompt_tokens", "tokens_per_document"]
GENERATION += ["sampling_temperature", "seed"]


if GENERATED:
    for model, spec in MODELS.items():

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
                **of_model(spec, time_to_write(spec)),
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


rule generation:
    input:
        [
            path
            for dataset in GENERATED
            for path in expand(TOKENS, model=MODELS, dataset=dataset, shard=shards(dataset))
        ],
    message:
        "Done: what the models have written is in results/tokens"
