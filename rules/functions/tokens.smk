# What the rules of tokens.smk ask: Snakemake's linter wants functions and rules apart.


def weights_of(wildcards):
    return MODELS[wildcards.model]["weights"]


def shards_of_text(wildcards):
    """How many shards there are to be: not among the params, since another one changes no other."""
    dataset = DATASETS[wildcards.dataset]
    return documents_of(dataset) // dataset["documents_per_shard"]


def text_options(wildcards):
    """Options of one shard of a dataset: the model's prefix token, and what the ensemble takes."""
    model, dataset = MODELS[wildcards.model], DATASETS[wildcards.dataset]
    shared = [
        *options(model, "prefix_token"),
        *options(DATASETS[text_of(wildcards.dataset)], *OF_TEXT),
        *options(dataset, "documents_per_shard"),
    ]
    if dataset["source"] != "ensemble":
        return [*shared, f"--shard={wildcards.shard}", *options(dataset, "tokens_per_document")]
    shard, own = wildcards.shard, [key for key in dataset if key not in OF_ANY]
    if "repetitions" in dataset:
        # Each shard of a repetition has the same documents, with another number of copies.
        copies = dataset["repetitions"][int(shard)]
        shard, shared = 0, [*shared, f"--copies={copies}"]
    return [*shared, f"--shard={shard}", *options(dataset, *sorted(own))]
