# What the rules of criticality.smk ask: Snakemake's linter wants functions and rules apart.


def swept_by(pair, by, pattern):
    """A pattern's files of one who writes, at all sampling temperatures of a sweep."""
    model, dataset = pair
    temperatures = map(str, SWEPT[pair]["sampling_temperatures"])
    return expand(pattern, model=model, dataset=dataset, by=by, temperature=temperatures)


def described(pair, pattern):
    """A pattern's files of all who write in a sweep."""
    model, dataset = pair
    return expand(pattern, model=model, dataset=dataset, by=writers(SWEPT[pair]))


def beside(pair, pattern):
    """A pattern's files of all who write in a sweep, and of the random twins swept beside it."""
    model, dataset = pair
    twins = [twin for twin, like in random_twins(MODELS).items() if like == model]
    others = [twin for twin in twins if (twin, dataset) in SWEPT]
    return described(pair, pattern) + expand(pattern, model=others, dataset=dataset, by="model")


def swept_figures(pair):
    """Figures of one pair of model and dataset."""
    names = ["phases", "texts", "fluctuations", "crossovers", "diversity"]
    return figures_of_pair("criticality", pair, names)


def if_swept(files):
    """Files of one pair, which the configuration must name."""
    return if_named("criticality", SWEPT, "swept", files)


def sweep_options(pair):
    """Options of what is written in a sweep."""
    spec = SWEPT[pair]
    return options(spec | {"write": max(spec["lengths"])}, *SWEEP)


def time_for_sweep(pair):
    """Time limit of a job that writes all texts at one sampling temperature."""
    spec = SWEPT[pair]
    # Twice: a step is narrow, and attention looks back over a whole text.
    tokens = 2 * spec["prompts"] * spec["runs"] * max(spec["lengths"])
    return time_for_tokens(MODELS[pair[0]], lambda _: tokens)
