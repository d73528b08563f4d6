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

    def of_pair(wildcards):
        pair = wildcards.model, wildcards.dataset
        if pair not in WRITTEN:
            raise WorkflowError(f"{' on '.join(pair)} is not written; add an entry to `generation`")
        return written(pattern, *pair, among)

    return of_pair


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

    def of_job(wildcards, input, threads, attempt):
        spec = WRITTEN[pair]
        condition = spec["conditions"][wildcards.condition]
        texts = spec["runs"] * max(condition["prompts"], condition["found_on"])
        # Twice: a step is narrow, and attention looks back over a whole text.
        tokens = 2 * generations(condition) * texts * condition["write"]
        weights, device = size_of(input.snapshot), device_of(MODELS[pair[0]])
        return runtime_minutes(weights, tokens, tokens, device, threads, attempt)

    return of_job


def generations_to_find(condition):
    """Generations that finding a schedule may take."""
    if condition.get("schedule") != "optimised":
        return 4  # a root of the marginal entropy at each position
    return condition["evaluations"] * (1 + condition["knots"])


def memory_for_runs(model):
    """Main memory of a job that writes runs: on a CPU keys, values and packed weights too."""
    spec = MODELS[model]
    needed = memory_for(spec)

    def of_job(wildcards, input, attempt):
        more = 4e-6 * size_of(input.snapshot).parameters + REMEMBERED_MB
        on_cpu = device_of(spec) == "cpu"
        return needed(wildcards, input, attempt) + (attempt * int(more) if on_cpu else 0)

    return of_job


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


def written_figure(name):
    """A figure of one pair of model and dataset, as SVG and PDF."""
    labels = {"model": "{model}", "dataset": "{dataset}", "figure": name}
    return figure(f"{WRITTEN_FIGURE}/{name}", f"generation/{name}", "Generation", **labels)


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
    model, dataset = pair
    patterns = [f"{WRITTEN_FIGURE}/{name}" for name in names]
    return drawn(patterns, model=model, dataset=dataset)
