# Takes: results/models/{model}/tokenizer.json, results/corpora/{dataset}.parquet.
# Makes: results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet: of each document of
#        the shard its tokens, the prefix token first; of an ensemble, their null counterpart.


rule tokenize_corpus:
    input:
        code=code_inputs("tokenize_corpus"),
        snapshot=snapshot_of,
        corpus=lambda w: CORPUS.format(dataset=text_of(w.dataset)),
    output:
        TOKENS,
    log:
        f"logs/tokenize_corpus/{SHARD}.log",
    conda:
        CONDA
    params:
        weights=lambda w: weights_of(w.model),
        options=tokenize_options,
    message:
        "Tokenizing {wildcards.dataset}, shard {wildcards.shard}, for {wildcards.model}"
    shell:
        "python -m workflow_scripts.tokenize_corpus --model results/models/{params.weights:q}"
        " --corpus {input.corpus:q} --dataset {wildcards.dataset:q} --shard {wildcards.shard}"
        " {params.options:q} --out {output:q} 2>&1 | tee {log:q}"
