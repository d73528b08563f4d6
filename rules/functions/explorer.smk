# What the rules of explorer.smk ask: Snakemake's linter wants functions and rules apart.


def ensembles():
    """Pairs of model and dataset that are shown: all that are measured."""
    return [(model, dataset) for model in MODELS for dataset in MEASURED]


def explored():
    """The tables of all of them, by what they hold."""
    return {
        part: [path.format(model=model, dataset=dataset) for model, dataset in ensembles()]
        for part, path in EXPLORED.items()
    }


def loops_of_ensemble(wildcards):
    """Loop energies of an ensemble, where the configuration has anomalies told by them."""
    pair = (wildcards.model, wildcards.dataset)
    return energies_of_loops(pair, wildcards) if pair in TOLD else []


def room_of_ensemble(_wildcards):
    """Bytes that one ensemble may take: a tenth of the page is kept for scripts and for what varies."""
    return OF_EXPLORER["megabytes"] * 900_000 // len(ensembles())
