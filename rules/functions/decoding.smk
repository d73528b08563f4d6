# What the rules of decoding.smk ask: Snakemake's linter wants functions and rules apart.


def continued(pattern, model, dataset):
    """A pattern's files for the conditions under which a model continues a dataset."""
    conditions = CONTINUED[model, dataset]["conditions"]
    return [pattern.format(model=model, dataset=dataset, condition=name) for name in conditions]


def of_continued(pattern):
    """A pattern's files for all pairs of model and dataset, and all conditions in it."""
    return list(dict.fromkeys(path for pair in CONTINUED for path in continued(pattern, *pair)))


def if_continued(pattern):
    """A pattern's files of one pair, which the configuration must name."""

    def of_pair(wildcards):
        pair = wildcards.model, wildcards.dataset
        if pair not in CONTINUED:
            raise WorkflowError(f"{' on '.join(pair)} is not continued; add an entry to `decoding`")
        return continued(pattern, *pair)

    return of_pair


def methods_of(pair):
    """Methods of the conditions of a pair of model and dataset, each once."""
    conditions = CONTINUED[pair]["conditions"].values()
    return sorted({condition["method"] for condition in conditions})


def conditions_by(pair, method):
    """Constraint of {condition}: those of a pair of model and dataset by this method."""
    conditions = CONTINUED[pair]["conditions"]
    return one_of(name for name, condition in conditions.items() if condition["method"] == method)


def options_of_method(pair):
    """Options that a condition's method takes."""

    def of_condition(wildcards):
        condition = CONTINUED[pair]["conditions"][wildcards.condition]
        return options(condition, *method_options(condition))

    return of_condition


def time_to_continue(pair):
    """Time limit of a job that continues all prompts, once with each value."""

    def of_job(wildcards, input, threads, attempt):
        spec = CONTINUED[pair]
        values = values_in(spec["conditions"][wildcards.condition])
        # A step is narrow, and some methods take several for a token.
        tokens = 20 * values * spec["prompts"] * (spec["prompt_tokens"] + spec["write"])
        weights, device = size_of(input.snapshot), device_of(MODELS[pair[0]])
        return runtime_minutes(weights, tokens, tokens, device, threads, attempt)

    return of_job


def memory_to_continue(pair):
    """Main memory of a job that continues prompts: on a CPU keys, values and packed weights too."""
    spec = MODELS[pair[0]]
    needed = memory_for(spec)

    def of_job(wildcards, input, attempt):
        more = 4e-6 * size_of(input.snapshot).parameters + CONTINUED_MB
        on_cpu = device_of(spec) == "cpu"
        return needed(wildcards, input, attempt) + (attempt * int(more) if on_cpu else 0)

    return of_job


def continued_figure(name):
    """A figure of one pair of model and dataset, as SVG and PDF."""
    labels = {"model": "{model}", "dataset": "{dataset}", "figure": name}
    return figure(f"{CONTINUED_FIGURE}/{name}", f"decoding/{name}", "Decoding", **labels)


def figures_of_continued(pair):
    """Figures of one pair of model and dataset."""
    model, dataset = pair
    patterns = [f"{CONTINUED_FIGURE}/{name}" for name in ("tradeoffs", "doses", "costs")]
    return drawn(patterns, model=model, dataset=dataset)
