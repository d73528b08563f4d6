# What the rules of energies.smk ask: Snakemake's linter wants functions and rules apart.


def energies_of(model):
    """Energies of one shard at every layer of a model; dataset and shard stay wildcards."""
    return expand(ENERGIES, model=model, layer=MODELS[model]["layers"], allow_missing=True)


def energies_of_shard(wildcards):
    # `expand` would take a tenth of the time in which a large graph is made.
    return [
        ENERGIES.format(layer=layer, **wildcards) for layer in MODELS[wildcards.model]["layers"]
    ]


def energies_of_ensemble(wildcards):
    """All shards of an ensemble at all layers."""
    return expand(
        energies_of(wildcards.model), dataset=wildcards.dataset, shard=shards(wildcards.dataset)
    )
