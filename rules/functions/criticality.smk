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


def swept_figure(name):
    """A figure of one pair of model and dataset, as SVG and PDF."""
    labels = {"model": "{model}", "dataset": "{dataset}", "figure": name}
    return figure(f"{SWEPT_FIGURE}/{name}", f"criticality/{name}", "Criticality", **labels)


def swept_figures(pair):
    """Figures of one pair of model and dataset."""
    model, dataset = pair
    names = ["phases", "texts", "fluctuations", "crossovers", "diversity"]
    patterns = [f"{SWEPT_FIGURE}/{name}" for name in names]
    return drawn(patterns, model=model, dataset=dataset)


def if_swept(files):
    """Files of one pair, which the configuration must name."""

    def of_pair(wildcards):
        pair = wildcards.model, wildcards.dataset
        if pair not in SWEPT:
            raise WorkflowError(f"{' on '.join(pair)} is not swept; add an entry to `criticality`")
        return files(pair, wildcards)

    return of_pair


def sweep_options(pair):
    """Options of what is written in a sweep."""
    spec = SWEPT[pair]
    return options(spec | {"write": max(spec["lengths"])}, *SWEEP)


def time_for_sweep(pair):
    """Time limit of a job that writes all texts at one sampling temperature."""

    def of_job(wildcards, input, threads, attempt):
        spec = SWEPT[pair]
        # Twice: a step is narrow, and attention looks back over a whole text.
        tokens = 2 * spec["prompts"] * spec["runs"] * max(spec["lengths"])
        weights, device = size_of(input.snapshot), device_of(MODELS[pair[0]])
        return runtime_minutes(weights, tokens, tokens, device, threads, attempt)

    return of_job
