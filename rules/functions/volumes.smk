# What the rules of volumes.smk ask: Snakemake's linter wants functions and rules apart.


def volumes_at(pair, pattern, layers=None):
    """A pattern's files of one pair of model and dataset, for all that is sampled at some layers."""
    spec, model = VOLUMES[pair], MODELS[pair[0]]
    return [
        path
        for layer in layers or spec["layers"]
        for path in expand(
            pattern,
            model=pair[0],
            dataset=pair[1],
            layer=layer,
            space=spaces_at(spec, layer, model["blocks"]),
            against=spec["held_against"],
        )
    ]


def sampled_beside(pair, layer):
    """A pair of model and dataset, and the random twins that are sampled at that layer too."""
    model, dataset = pair
    twins = [twin for twin, like in random_twins(MODELS).items() if like == model]
    beside = [pair, *((twin, dataset) for twin in twins if (twin, dataset) in VOLUMES)]
    return [of for of in beside if layer in VOLUMES[of]["layers"]]


def beside_at_layer(pattern):
    """A pattern's files of a pair at one layer, and of what is sampled beside it."""

    def of_pair(pair, wildcards):
        layer = int(wildcards.layer)
        beside = sampled_beside(pair, layer)
        return [path for of in beside for path in volumes_at(of, pattern, [layer])]

    return of_pair


def curves_beside_volumes(pair, wildcards):
    """Curves of text, and of what is made of it, of the same models at that layer."""
    layer = int(wildcards.layer)
    models = [model for model, _ in sampled_beside(pair, layer)]
    alike = [
        name
        for name in MEASURED
        if name == pair[1] or (text_of(name) == pair[1] and is_null(DATASETS[name]))
    ]
    return expand(CURVES, model=models, dataset=alike, layer=layer)


def if_sampled(files):
    """Files of one pair, which the configuration must name."""
    return if_named("volumes", VOLUMES, "sampled", files)


def axes_of(model, space):
    """The principal axes that a space takes, if any."""
    return (
        AXES.format(model=model, dataset="{dataset}", layer="{layer}") if space in OF_STATES else []
    )


def sampled_with(model):
    """Constraint of {dataset}: those with which a model is sampled."""
    return one_of(dataset for other, dataset in VOLUMES if other == model)


def pairs_of_job(wildcards, spec):
    """How many pairs a job samples: the last one what is left."""
    return min(spec["pairs_per_job"], spec["pairs"] - int(wildcards.first))


def sampling_options(model):
    """Options of how volumes are sampled, and of which pairs."""

    def of_job(wildcards):
        spec = VOLUMES[model, wildcards.dataset]
        words = [f"--pairs={pairs_of_job(wildcards, spec)}", *options(spec, *SAMPLING)]
        return [f"--first-pair={wildcards.first}", *words]

    return of_job


def time_to_sample(model):
    """Time limit of a job that samples: a nat takes some thirty readouts of each walker."""

    def of_job(wildcards, input, threads, attempt):
        spec = VOLUMES[model, wildcards.dataset]
        nats = 4 * spec["moves"] * spec["depth"] * pairs_of_job(wildcards, spec)
        weights, device = size_of(input.snapshot), device_of(MODELS[model])
        return runtime_minutes(weights, 0, nats * spec["walkers"], device, threads, attempt)

    return of_job


def volume_figures():
    """Files of all figures."""
    return [
        path
        for (model, dataset), spec in VOLUMES.items()
        for path in drawn(VOLUME_FIGURE, model=model, dataset=dataset, layer=spec["layers"])
    ]


def all_volumes(pattern):
    """A pattern's files of all pairs of model and dataset."""
    return [path for pair in VOLUMES for path in volumes_at(pair, pattern)]


def all_distances():
    """Files of how far wells are, of all pairs and layers that have a space with distances."""
    return [
        path
        for (model, dataset), spec in VOLUMES.items()
        if walked_in(spec)
        for path in expand(DISTANCES, model=model, dataset=dataset, layer=spec["layers"])
    ]


def axes_to_walk_along(model):
    """The principal axes of states, where distances are measured along them."""

    def of_job(wildcards):
        walked = walked_in(VOLUMES[model, wildcards.dataset])
        return AXES.format(model=model, **wildcards) if "gaussian" in walked else []

    return of_job


def walking_options(model):
    """Options of where distances are measured, and between what."""

    def of_job(wildcards):
        spec = VOLUMES[model, wildcards.dataset]
        words = options(spec, "pairs", "starts", *PAIRED)
        return [*options({"spaces": walked_in(spec)}, "spaces"), *words]

    return of_job


def time_to_walk(model):
    """Time limit of a job that measures distances: a path takes some hundred slopes."""

    def of_job(wildcards, input, threads, attempt):
        spec = VOLUMES[model, wildcards.dataset]
        paths = len(walked_in(spec)) * spec["pairs"] * (1 + 2 * spec["starts"])
        weights, device = size_of(input.snapshot), device_of(MODELS[model])
        tokens = spec["pairs"] * (1 + spec["starts"]) * MODELS[model]["context"]
        return runtime_minutes(weights, tokens, 450 * paths, device, threads, attempt)

    return of_job
