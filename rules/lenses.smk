# Takes: results/models/{model}/, results/corpora/{dataset}.parquet.
# Makes: results/lenses/tokens/{model}.parquet: tokens of the documents that a tuned lens is made from;
#        results/lenses/{model}.safetensors: its translators, by layer;
#        results/lenses/sums/{model}.parquet: of each document held out, the divergence from the
#        final distribution, read out by the logit lens and by this one;
#        results/lenses/{model}.parquet: its mean and error, by layer.


rule tokenize_for_lens:
    input:
        snapshot=snapshot_of,
        corpus=lambda w: CORPUS.format(dataset=MODELS[w.model]["lens"]["train_on"]),
    output:
        LENS_TOKENS,
    log:
        "logs/tokenize_for_lens/{model}.log",
    group:
        "tokens"
    conda:
        CONDA
    resources:
        # Not among the params: another shard to measure leaves the lens as it is. The job that
        # measures it checks again.
        measured=lambda w: MODELS[w.model]["measured_documents"],
    params:
        code=digest_of_code("tokens.tokenize_corpus"),
        weights=lambda w: weights_of(w.model),
        dataset=lambda w: MODELS[w.model]["lens"]["train_on"],
        options=lens_tokens_options,
    message:
        "Tokenizing documents to train the lens {wildcards.model} on"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- tokens.tokenize_corpus"
        " --model results/models/{params.weights:q}"
        " --corpus {input.corpus:q} --dataset {params.dataset:q} --beyond {resources.measured}"
        " {params.options:q} --out {output:q} 2>&1 | tee {log:q}"


for model, spec in LENSES.items():

    rule:
        name:
            f"train_lens_{model}"
        input:
            snapshot=f"results/models/{weights_of(model)}/SHA256SUMS",
            tokens=LENS_TOKENS.format(model=model),
        output:
            lens=LENS.format(model=model),
            sums=LENS_SUMS.format(model=model),
        log:
            f"logs/train_lens/{model}.log",
        benchmark:
            f"logs/train_lens/{model}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            gpu=0 if spec["device"] == "cpu" else 1,
            gpu_model=for_gpu(spec, "gpu_kind"),
            slurm_partition=for_gpu(spec, "gpu_partition", otherwise="slurm_partition"),
            mem_mb=memory_for(spec),
            runtime=time_to_read(spec, passes=3 * spec["lens"]["epochs"]),
            batch_tokens=0,  # what suits the device
            # Not among the params: where it runs does not change what it learns.
            device=spec["device"],
        params:
            code=digest_of_code("lenses.train_lens"),
            model=model,
            weights=weights_of(model),
            layers=spec["layers"],
            options=[
                f"--{key}={(spec | spec['lens'])[key]}"
                for key in ("epochs", "seed", "context", "stride", "dtype", "attention")
            ],
        message:
            f"Training the lens {model}"
        shell:
            "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- lenses.train_lens"
            " --model results/models/{params.weights:q}"
            " --name {params.model:q} --tokens {input.tokens:q} --layers {params.layers}"
            " {params.options:q} --device {resources.device} --threads {threads}"
            " --batch-tokens {resources.batch_tokens} --out {output.lens:q}"
            " --sums {output.sums:q} 2>&1 | tee {log:q}"


rule tabulate_divergence:
    input:
        sums=LENS_SUMS,
    output:
        LENS_TABLE,
    log:
        "logs/tabulate_divergence/{model}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("lenses.describe_divergence"),
        confidence=STUDY["curves"]["confidence"],
    message:
        "Tabulating the divergence of {wildcards.model} and the logit lens"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- lenses.describe_divergence"
        " {input.sums:q} --confidence {params.confidence} --out {output:q} 2>&1 | tee {log:q}"
