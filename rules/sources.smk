# Takes: the configuration.
# Makes: results/models/{model}/: config.json, model.safetensors, tokenizer.json, provenance.json
#        and SHA256SUMS, on which later rules depend (small, so compared by content);
#        results/corpora/{dataset}.parquet.


localrules:
    fetch_model,
    fetch_corpus,


rule fetch_model:
    input:
        origin=model_files,
    output:
        config=f"{SNAPSHOT}config.json",
        weights=f"{SNAPSHOT}model.safetensors",
        tokenizer=f"{SNAPSHOT}tokenizer.json",
        provenance=f"{SNAPSHOT}provenance.json",
        digests=f"{SNAPSHOT}SHA256SUMS",
    log:
        "logs/fetch_model/{model}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("sources.fetch_model"),
        spec=lambda w: canonical(model_origin(MODELS[w.model])),
    message:
        "Fetching model {wildcards.model}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- sources.fetch_model"
        " --name {wildcards.model:q} --spec {params.spec:q}"
        " --origin {input.origin:q} --out results/models/{wildcards.model:q} 2>&1 | tee {log:q}"


rule fetch_corpus:
    input:
        origin=corpus_files,
    output:
        CORPUS,
    log:
        "logs/fetch_corpus/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("sources.fetch_corpus"),
        spec=lambda w: canonical(corpus_origin(DATASETS[w.dataset])),
    message:
        "Fetching corpus {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- sources.fetch_corpus"
        " --name {wildcards.dataset:q} --spec {params.spec:q}"
        " --files {input.origin:q} --out {output:q} 2>&1 | tee {log:q}"
