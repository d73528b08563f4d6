# What the rules of tokens.smk ask: Snakemake's linter wants functions and rules apart.


def weights_of(wildcards):
    return MODELS[wildcards.model]["weights"]


def shards_of_text(wildcards):
    """How many shards there are to be: not among the params, since another one changes no other."""
    dataset = DATASETS[wildcards.dataset]
    return documents_of(dataset) // dataset["documents_per_shard"]


def options_of_text(model, name, shard, **other):
    """Options of one shard of a dataset: a model's prefix token, and what the ensemble takes.

    Parameters
    ----------
    other : keys of the dataset that have another value here.
    """
    dataset = DATASETS[name] | other
    shared = [
        *options(model, "prefix_token"),
        *options(DATASETS[text_of(name)], *OF_TEXT),
        *options(dataset, "documents_per_shard"),
    ]
    if dataset["source"] != "ensemble":
        return [*shared, f"--shard={shard}", *options(dataset, "tokens_per_document")]
    own = [key for key in dataset if key not in OF_ANY]
    if "taken_from" in dataset:
        dataset = dataset | {"taken_from": CORPUS.format(dataset=dataset["taken_from"])}
    if "repetitions" in dataset:
        # Each shard of a repetition has the same documents, with another number of copies.
        copies = dataset["repetitions"][int(shard)]
        shard, shared = 0, [*shared, f"--copies={copies}"]
    return [*shared, f"--shard={shard}", *options(dataset, *sorted(own))]


def text_options(wildcards):
    return options_of_text(MODELS[wildcards.model], wildcards.dataset, wildcards.shard)


def corpus_of_others(wildcards):
    """The corpus that an ensemble takes passages from, where that is not its own."""
    others = DATASETS[wildcards.dataset].get("taken_from")
    return CORPUS.format(dataset=others) if others else []


def made_by(command):
    """Datasets of tokens that a command in workflow_scripts/tokens makes."""
    ensemble = command.rpartition(".")[2]
    if ensemble == command:
        return TOKENIZED
    return [name for name, spec in DATASETS.items() if spec.get("ensemble") == ensemble]
