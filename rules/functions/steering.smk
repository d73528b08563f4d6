# What the rules of steering.smk ask: Snakemake's linter wants functions and rules apart.


def of_steered(pattern):
    """A pattern's files for every pair of model and dataset that is steered."""
    return [pattern.format(model=model, dataset=dataset) for model, dataset in STEERED]


def if_steered(pattern):
    """A pattern's file of one pair, which the configuration must name."""
    return if_named("steering", STEERED, "steered", lambda _, w: pattern.format(**w))


def tokens_of(model):
    """All shards of a dataset, as one model's tokens."""
    return lambda w: expand(TOKENS, model=model, dataset=w.dataset, shard=shards(w.dataset))


def steered_with(model):
    """Constraint of {dataset}: those on which a model is steered."""
    return one_of(dataset for other, dataset in STEERED if other == model)
