# What the rules of lenses.smk ask: Snakemake's linter wants functions and rules apart.


def lens_tokens_options(wildcards):
    spec = MODELS[wildcards.model]
    dataset = DATASETS[spec["lens"]["train_on"]]
    return [
        *options(spec, "prefix_token"),
        f"--documents-per-shard={spec['lens']['train_documents']}",
        *options(dataset, "tokens_per_document", *OF_TEXT),
    ]
