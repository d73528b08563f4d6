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
    return if_named("decoding", CONTINUED, "continued", lambda pair, _: continued(pattern, *pair))


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

    def tokens_of(wildcards):
        spec = CONTINUED[pair]
        values = values_in(spec["conditions"][wildcards.condition])
        # A step is narrow, and some methods take several for a token.
        return 20 * values * spec["prompts"] * (spec["prompt_tokens"] + spec["write"])

    return time_for_tokens(MODELS[pair[0]], tokens_of)
