# What the rules of attention.smk ask: Snakemake's linter wants functions and rules apart.


def attention_of(model):
    """Attention of one shard at every layer of a model; dataset and shard stay wildcards."""
    return expand(ATTENTION, model=model, layer=MODELS[model]["layers"], allow_missing=True)


def attended_with(model):
    """Constraint of {dataset}: those on which a model's attention is measured."""
    return one_of(dataset for other, dataset in ATTENDED if other == model)


def if_attended(files):
    """Files of one pair, which the configuration must name."""
    return if_named("attention", ATTENDED, "measured", files)


def attention_of_pair(pair, _wildcards):
    """All shards of a pair at all layers."""
    model, dataset = pair
    return expand(attention_of(model), dataset=dataset, shard=shards(dataset))


def heads_of(model):
    """Options that say which heads, of one pair."""
    return lambda w: options(ATTENDED[model, w.dataset], "heads")


def associations_beside(pair, _wildcards):
    """Associations of a pair, and of the random twins that are measured beside it."""
    model, dataset = pair
    twins = [twin for twin, like in random_twins(MODELS).items() if like == model]
    others = [twin for twin in twins if (twin, dataset) in ATTENDED]
    return expand(ATTENDED_ASSOCIATIONS, model=[model, *others], dataset=dataset)


def attention_figures(pair):
    """Figures of one pair of model and dataset."""
    return figures_of_pair("attention", pair, [*BY_QUANTILES, *BY_LAYERS, *BY_PLACES])


def attention_figure(names):
    """Several figures of one pair, as SVG and PDF: what stands after `output:`."""

    def name_of(path):
        return path.rpartition("/")[2]

    return figure(
        [f"results/figures/attention/{ENSEMBLE}/{name}" for name in names],
        lambda path: f"attention/{name_of(path)}",
        "Attention",
        model="{model}",
        dataset="{dataset}",
        figure=name_of,
    )
