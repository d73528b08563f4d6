# What the rules of sources.smk ask: Snakemake's linter wants functions and rules apart.


def of_source(entries, source):
    """Constraint of a wildcard: entries of the configuration that have this source."""
    return one_of(name for name, spec in entries.items() if spec.get("source") == source)


def snapshot_of(model):
    """What tells the snapshot that a model runs on from any other."""
    return f"results/models/{MODELS[model]['weights']}/SHA256SUMS"


def origin_options(origin):
    """Options of what an entry says of its source, in a fixed order."""
    return options(origin, *sorted(origin.keys() - {"source"}))


def model_options(wildcards):
    return origin_options(model_origin(MODELS[wildcards.model]))


def corpus_options(wildcards):
    return origin_options(corpus_origin(DATASETS[wildcards.dataset]))
