# What the rules of generation.smk ask: Snakemake's linter wants functions and rules apart.


def written(pattern, model, dataset, among=lambda condition: True):
    """A pattern's files for the conditions under which a model continues a dataset."""
    return [
        pattern.format(model=model, dataset=dataset, condition=name)
        for name, condition in WRITTEN[model, dataset]["conditions"].items()
        if among(condition)
    ]


def of_written(pattern):
    """A pattern's files for all pairs of model and dataset, and all conditions in it."""
    return list(dict.fromkeys(path for pair in WRITTEN for path in written(pattern, *pair)))


def if_written(pattern, among=lambda condition: True):
    """A pattern's files of one pair, which the configuration must name."""
    return if_named(
        "generation", WRITTEN, "written", lambda pair, _: written(pattern, *pair, among)
    )


def conditions_of(pair, key, value):
    """Constraint of {condition}: those of a pair of model and dataset with this value of a key."""
    conditions = WRITTEN[pair]["conditions"]
    return one_of(name for name, condition in conditions.items() if condition.get(key) == value)


def values_of(pair, key):
    """Values of a key among the conditions of a pair of model and dataset, each once."""
    conditions = WRITTEN[pair]["conditions"].values()
    return sorted({condition[key] for condition in conditions if key in condition})


def written_options(pair, *keys):
    """Options of a condition, some of which stand with its study."""

    def of_condition(wildcards):
        spec = WRITTEN[pair]
        return options(spec | spec["conditions"][wildcards.condition], *keys)

    return of_condition


def own_options_of(pair, keys_of):
    """Options that a condition alone takes."""

    def of_condition(wildcards):
        condition = WRITTEN[pair]["conditions"][wildcards.condition]
        return options(condition, *keys_of(condition))

    return of_condition


def time_for_runs(pair, generations=lambda condition: 1):
    """Time limit of a job that writes so many generations of all runs."""

    def tokens_of(wildcards):
        spec = WRITTEN[pair]
        condition = spec["conditions"][wildcards.condition]
        texts = spec["runs"] * max(condition["prompts"], condition["found_on"])
        # Twice: a step is narrow, and attention looks back over a whole text.
        return 2 * generations(condition) * texts * condition["write"]

    return time_for_tokens(MODELS[pair[0]], tokens_of)


def generations_to_find(condition):
    """Generations that finding a schedule may take."""
    if condition.get("schedule") != "optimised":
        return 4  # a root of the marginal entropy at each position
    return condition["evaluations"] * (1 + condition["knots"])


def is_constant(condition):
    return condition["method"] == "constant"


def is_scheduled(condition):
    return condition["method"] == "scheduled"


def is_control(condition):
    return condition["method"] != "constant"


def is_compared(pair):
    """Whether a pair has what comparing takes: two constants, and another condition."""
    conditions = WRITTEN[pair]["conditions"].values()
    constants = {c["sampling_temperature"] for c in conditions if is_constant(c)}
    return len(constants) > 1 and any(map(is_control, conditions))


def figures_of(pair):
    """Figures that the conditions of a pair of model and dataset give."""
    spec = WRITTEN[pair]
    conditions = list(spec["conditions"].values())
    names = ["conditions"]
    names += ["entropies"] if any(map(is_constant, conditions)) else []
    names += ["schedules"] if any(map(is_scheduled, conditions)) else []
    names += ["comparisons"] if is_compared(pair) else []
    if "target" in spec:
        names += ["costs"]
        names += ["held"] if any(map(is_control, conditions)) else []
    return figures_of_pair("generation", pair, names)
