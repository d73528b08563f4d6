# What the rules of thermodynamics.smk ask: Snakemake's linter wants functions and rules apart.


def states_of(model, dataset):
    return expand(STATES, model=model, dataset=dataset, shard=shards(dataset))


def states_of_ensemble(wildcards):
    return states_of(wildcards.model, wildcards.dataset)


def curves_at(models, datasets, final_layer):
    """Curves of models on datasets: at the final layer, or at every layer."""
    return [
        CURVES.format(model=model, dataset=dataset, layer=layer)
        for model in models
        for dataset in datasets
        for layer in MODELS[model]["layers"][-1 if final_layer else 0 :]
    ]


def named_in(path, key):
    """Value of one key in a path, such as the dataset of …/dataset=sotu/…"""
    return re.search(rf"{key}=([^/]+)", path)[1]


def quantity_of(path):
    return QUANTITIES[path.rpartition("/")[2]]


def dataset_of(path):
    return named_in(path, "dataset")


def null_models():
    """Models that know nothing, or look elsewhere, to the one that each is held against."""
    elsewhere = {null: model for model, null in LOOPS.items() if null}
    return random_twins(MODELS) | elsewhere


def null_datasets():
    """Measured datasets of a text's tokens in random order, or of any tokens, to that text."""
    return {name: DATASETS[name]["of"] for name in MEASURED if is_null(DATASETS[name])}
