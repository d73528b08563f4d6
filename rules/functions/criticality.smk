# What the rules of criticality.smk ask: Snakemake's linter wants functions and rules apart.


def swept(pair, pattern):
    """A pattern's files of all who write in a sweep, at all its sampling temperatures."""
    return [path for by in writers(SWEPT[pair]) for path in swept_by(pair, by, pattern)]


def swept_by(pair, by, pattern):
    """A pattern's files of one who writes, at all sampling temperatures of a sweep."""
    model, dataset = pair
    temperatures = map(str, SWEPT[pair]["sampling_temperatures"])
    return expand(pattern, model=model, dataset=dataset, by=by, temperature=temperatures)


def described(pair, pattern):
    """A pattern's files of all who write in a sweep."""
    model, dataset = pair
    return expand(pattern, model=model, dataset=dataset, by=writers(SWEPT[pair]))


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
