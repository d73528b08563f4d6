# Takes: results/models/{model}/tokenizer.json, results/corpora/{dataset}.parquet.
# Makes: results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet: of each document of
#        the shard its tokens, the prefix token first; of an ensemble, what is made of them.
#
# An ensemble is a rule and a command of its own, so that adding one, or mending one, reruns no other;
# what it takes beside documents are the keys of its entry.

TOKENS = f"results/tokens/{SHARD}.parquet"

OF_TEXT = ["special_tokens_in_text"]  # of a dataset of text, and all that is made of it
OF_ANY = ["source", "of", "ensemble", "measured", "shards"]
OF_ANY += ["documents_per_shard", "repetitions"]

TOKENIZED = [name for name in DATASETS if text_of(name) == name]
ENSEMBLES = sorted({spec["ensemble"] for spec in DATASETS.values() if "ensemble" in spec})


include: "functions/tokens.smk"


TOKEN_INPUT = {
    "snapshot": lambda w: snapshot_of(w.model),
    "corpus": lambda w: CORPUS.format(dataset=text_of(w.dataset)),
}

TEXTS = (
    "--model results/models/{params.weights:q} --corpus {input.corpus:q}"
    " --dataset {wildcards.dataset:q} {params.options:q} --shards {resources.shards} --out {output:q}"
)


rule tokenize_corpus:
    input:
        **TOKEN_INPUT,
    output:
        TOKENS,
    log:
        log("tokenize_corpus", SHARD),
    wildcard_constraints:
        dataset=one_of(TOKENIZED),
    group:
        "tokens"
    conda:
        CONDA
    resources:
        shards=shards_of_text,
    params:
        weights=weights_of,
        options=text_options,
    message:
        "Tokenizing {wildcards.dataset}, shard {wildcards.shard}, for {wildcards.model}"
    shell:
        run("tokens.tokenize_corpus", TEXTS)


for ensemble in ENSEMBLES:

    rule:
        name:
            f"make_{ensemble}"
        input:
            **TOKEN_INPUT,
            others=corpus_of_others,
        output:
            TOKENS,
        log:
            log(f"make_{ensemble}", SHARD),
        wildcard_constraints:
            dataset=one_of(made_by(f"ensembles.{ensemble}")),
        group:
            "tokens"
        conda:
            CONDA
        resources:
            shards=shards_of_text,
        params:
            code=digest_of_code(f"tokens.ensembles.{ensemble}"),
            ensemble=ensemble,
            weights=weights_of,
            options=text_options,
        message:
            "Tokenizing {wildcards.dataset}, shard {wildcards.shard}, for {wildcards.model}"
        shell:
            run("tokens.ensembles.{params.ensemble}", TEXTS, "{params.code}")


rule tokens:
    input:
        [
            path
            for dataset in MEASURED
            for path in expand(TOKENS, model=MODELS, dataset=dataset, shard=shards(dataset))
        ],
    message:
        "Done: tokens are in results/tokens"
