# Takes: results/models/{model}/tokenizer.json, results/corpora/{dataset}.parquet.
# Makes: results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet: of each document of
#        the shard its tokens, the prefix token first; of an ensemble, what is made of them; and of a
#        `generated` dataset, what the model itself writes after the first of them.


rule tokenize_corpus:
    input:
        snapshot=snapshot_of,
        corpus=lambda w: CORPUS.format(dataset=text_of(w.dataset, DATASETS)),
    output:
        TOKENS,
    log:
        f"logs/tokenize_corpus/{SHARD}.log",
    wildcard_constraints:
        dataset=datasets_that(is_generated, wanted=False),
    group:
        "tokens"
    conda:
        CONDA
    params:
        code=digest_of_code("tokens.tokenize_corpus"),
        weights=lambda w: weights_of(w.model),
        options=tokenize_options,
    message:
        "Tokenizing {wildcards.dataset}, shard {wildcards.shard}, for {wildcards.model}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- tokens.tokenize_corpus"
        " --model results/models/{params.weights:q}"
        " --corpus {input.corpus:q} --dataset {wildcards.dataset:q}"
        " {params.options:q} --out {output:q} 2>&1 | tee {log:q}"


if any(map(is_generated, DATASETS.values())):
    for model, spec in MODELS.items():

        rule:
            name:
                f"generate_tokens_{model}"
            input:
                snapshot=f"results/models/{weights_of(model)}/SHA256SUMS",
                corpus=lambda w: CORPUS.format(dataset=text_of(w.dataset, DATASETS)),
            output:
                expand(TOKENS, model=model, allow_missing=True),
            log:
                f"logs/generate_tokens/model={model}/{{dataset}}/{{shard}}.log",
            benchmark:
                f"logs/generate_tokens/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
            wildcard_constraints:
                dataset=datasets_that(is_generated),
            conda:
                CONDA
            threads: measure_threads(spec["device"])
            resources:
                gpu=0 if spec["device"] == "cpu" else 1,
                gpu_model=for_gpu(spec, "gpu_kind"),
                slurm_partition=for_gpu(spec, "gpu_partition", otherwise="slurm_partition"),
                mem_mb=memory_for(spec),
                runtime=time_to_write(spec),
                batch_tokens=0,  # what suits the device
                device=spec["device"],
            params:
                code=digest_of_code("generation.generate_tokens"),
                weights=weights_of(model),
                options=generate_options(model),
            message:
                f"Generating {{wildcards.dataset}}, shard {{wildcards.shard}}, by {model}"
            shell:
                "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- generation.generate_tokens"
                " --model results/models/{params.weights:q}"
                " --corpus {input.corpus:q} --dataset {wildcards.dataset:q}"
                " --shard {wildcards.shard} {params.options:q}"
                " --device {resources.device} --threads {threads}"
                " --batch-tokens {resources.batch_tokens} --out {output:q} 2>&1 | tee {log:q}"
