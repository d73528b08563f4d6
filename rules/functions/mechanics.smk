# What the rules of mechanics.smk ask: Snakemake's linter wants functions and rules apart.


def number_of(path):
    return path.split("/")[-2]


def mechanics_of(models):
    return expand(MECHANICS, model=models, dataset=MEASURED)


def energies_of_trajectories(wildcards):
    """Of one model and of its random twins: the first shard at their last layers."""
    twins = [name for name, like in TWINS.items() if like == wildcards.model]
    return [
        ENERGIES.format(
            model=model, dataset=wildcards.dataset, layer=MODELS[model]["layers"][-1], shard=0
        )
        for model in [wildcards.model, *twins]
    ]
