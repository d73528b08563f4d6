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
