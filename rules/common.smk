# Path patterns, wildcard constraints and helpers; no rule. In the order of the stages.

prepare_environment()
if workflow.is_main_process:
    note_options()
if workflow.remote_exec:
    forget_credentials()

try:
    check_overrides(workflow.config_settings.config)
    STUDY = resolve(config)
    LOCAL_FILES = {
        (kind, name): local_files(kind, name, spec)
        for kind in ("models", "datasets")
        for name, spec in STUDY[kind].items()
    }
except InputError as error:
    raise WorkflowError(f"{', '.join(map(str, workflow.configfiles))}: {error}") from None

MODELS, DATASETS = STUDY["models"], STUDY["datasets"]
LENSES = lenses_of(MODELS)
STEERED = {(spec["model"], spec["dataset"]): spec for spec in STUDY["steering"]}

SNAPSHOT = "results/models/{model}/"
CORPUS = "results/corpora/{dataset}.parquet"
SHARD = "model={model}/dataset={dataset}/shard={shard}.parquet"
TOKENS = f"results/tokens/{SHARD}"
STATES = f"results/states/{SHARD}"
ENERGIES = "results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet"
LENS = "results/lenses/{model}.safetensors"
LENS_TOKENS = "results/lenses/tokens/{model}.parquet"
LENS_SUMS = "results/lenses/sums/{model}.parquet"
LENS_TABLE = "results/lenses/{model}.parquet"
CURVES = "results/curves/model={model}/dataset={dataset}/layer={layer}.parquet"
CANONICAL = "results/canonical/model={model}/dataset={dataset}/layer={layer}.parquet"
SIGNALS = "results/signals/model={model}/dataset={dataset}.parquet"
WELLS = "results/wells/model={model}/dataset={dataset}.parquet"
PAIR = "/".join(
    f"{key}_{side}={{{key}_{side}}}" for side in "ab" for key in ("model", "dataset", "layer")
)
COMPARISON = f"results/comparisons/{PAIR}.parquet"
DISTANCES = f"results/distances/{PAIR}.parquet"
TRAJECTORIES = f"results/trajectories/{SHARD}"
MECHANICS = "results/mechanics/model={model}/dataset={dataset}.parquet"
REPETITION = "results/repetition/model={model}/dataset={dataset}.parquet"
STEERED_STATES = "results/steering/states/model={model}/dataset={dataset}.parquet"
CONTINUATIONS = "results/steering/continuations/model={model}/dataset={dataset}.parquet"
STEERING = "results/steering/{table}/model={model}/dataset={dataset}.parquet"
TEXTS = "results/steering/texts/model={model}/dataset={dataset}.csv"

CONDA = "../envs/semantic-statistics.yaml"


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    dataset="|".join(map(re.escape, DATASETS)),
    layer=r"\d+",
    model_a="|".join(map(re.escape, MODELS)),
    dataset_a="|".join(map(re.escape, DATASETS)),
    layer_a=r"\d+",
    model_b="|".join(map(re.escape, MODELS)),
    dataset_b="|".join(map(re.escape, DATASETS)),
    layer_b=r"\d+",
    shard=r"\d+",


def shards(dataset):
    return range(DATASETS[dataset]["shards"])


def weights_of(model):
    """The entry whose snapshot a model runs on."""
    return MODELS[model]["weights"]


# Sources and tokens.


def model_files(wildcards):
    """Files that a model is made from: a local folder's, or the snapshot it is like."""
    if MODELS[wildcards.model].get("source") == "random":
        return f"results/models/{architecture_of(wildcards.model, MODELS)}/SHA256SUMS"
    return LOCAL_FILES["models", wildcards.model]


def corpus_files(wildcards):
    return LOCAL_FILES["datasets", wildcards.dataset]


def snapshot_of(wildcards):
    return f"results/models/{weights_of(wildcards.model)}/SHA256SUMS"


def datasets_that(chosen, wanted=True):
    """Constraint of {dataset}: those that the function chooses, or those that it does not."""
    names = [name for name, spec in DATASETS.items() if chosen(spec) == wanted]
    return "|".join(map(re.escape, names))


def tokenize_options(wildcards):
    """Command-line options of a dataset's shard, in a fixed order."""
    spec = DATASETS[wildcards.dataset]
    shard = int(wildcards.shard)
    # Each shard of a repetition has the same documents, with another number of copies.
    copies = spec["repetitions"][shard] if is_repeated(spec) else None
    options = {
        "--shard": 0 if is_repeated(spec) else shard,
        "--documents": spec["documents_per_shard"],
        "--prefix-token": MODELS[wildcards.model]["prefix_token"],
        "--max-tokens": spec["tokens_per_document"],
        "--ensemble": spec.get("ensemble"),
        "--seed": spec.get("seed"),
        "--prefix-tokens": spec.get("prefix_tokens"),
        "--unit": spec.get("unit"),
        "--copies": copies,
    }
    return given(options)


def lens_tokens_options(wildcards):
    spec = MODELS[wildcards.model]
    options = {
        "--documents": spec["lens"]["train_documents"],
        "--prefix-token": spec["prefix_token"],
        "--max-tokens": DATASETS[spec["lens"]["train_on"]]["tokens_per_document"],
    }
    return given(options)


def given(options):
    """Options that have a value, as a command line has them."""
    present = {option: value for option, value in options.items() if value is not None}
    return [str(part) for option in present.items() for part in option]


def generate_options(model):
    """Command-line options of a dataset that a model writes, in a fixed order."""

    def of_dataset(wildcards):
        spec = DATASETS[wildcards.dataset]
        options = {
            "documents": spec["documents_per_shard"],
            "prompt-tokens": spec["prompt_tokens"],
            "tokens": spec["tokens_per_document"],
            "sampling-temperature": spec["sampling_temperature"],
            "seed": spec["seed"],
            "prefix-token": MODELS[model]["prefix_token"],
            "dtype": MODELS[model]["dtype"],
            "attention": MODELS[model]["attention"],
        }
        return [f"--{key}={value}" for key, value in options.items()]

    return of_dataset


# Steering.


def of_steered(pattern, **others):
    """A pattern's files for every pair of model and dataset that is steered."""
    return [
        path
        for model, dataset in STEERED
        for path in expand(pattern, model=model, dataset=dataset, **others)
    ]


def tokens_of_dataset(wildcards):
    return expand(
        TOKENS, model=wildcards.model, dataset=wildcards.dataset, shard=shards(wildcards.dataset)
    )


def steered(wildcards):
    """What the configuration says of a pair of model and dataset that is steered."""
    pair = wildcards.model, wildcards.dataset
    if pair not in STEERED:
        raise WorkflowError(f"{pair[0]} on {pair[1]} is not steered; add an entry to `steering`")
    return STEERED[pair]


def options_of(spec, keys, model):
    """Command-line options of some keys, a list as many words, and of how the model runs."""
    options = []
    for key in keys:
        values = spec[key] if isinstance(spec[key], list) else [spec[key]]
        options += [f"--{key.replace('_', '-')}", *map(str, values)]
    return [*options, *(f"--{key}={MODELS[model][key]}" for key in ("dtype", "attention"))]


def steer_options(wildcards):
    return options_of(steered(wildcards), steering_keys(), wildcards.model)


def decode_options(wildcards):
    return options_of(steered(wildcards)["decoding"], decoding_keys(), wildcards.model)


# Energies, counts and curves.


def energies_of(model):
    """Energies of one shard at every layer of a model; dataset and shard stay wildcards."""
    return expand(ENERGIES, model=model, layer=MODELS[model]["layers"], allow_missing=True)


def measure_threads(device):
    """On a CPU half of its cores: one job starts up while another computes."""
    return max(1, os.cpu_count() // 2) if device == "cpu" else 8


def energies_of_shard(wildcards):
    # `expand` would take a tenth of the time in which a large graph is made.
    return [
        ENERGIES.format(layer=layer, **wildcards) for layer in MODELS[wildcards.model]["layers"]
    ]


def states_of(model):
    def of_dataset(wildcards):
        return expand(
            STATES, model=model, dataset=wildcards.dataset, shard=shards(wildcards.dataset)
        )

    return of_dataset


def energies_of_repetition(wildcards):
    """All shards at all layers: they differ in the number of copies."""
    return expand(
        energies_of(wildcards.model), dataset=wildcards.dataset, shard=shards(wildcards.dataset)
    )


CURVE_OPTIONS = [f"--{key}={value}" for key, value in sorted(STUDY["curves"].items())]


# Comparisons of two ensembles, a and b.

COMPARISONS = [
    {f"{key}_{side}": value for side, chosen in zip("ab", pair) for key, value in chosen.items()}
    for pair in STUDY["comparisons"]
]


def states_of_side(side):
    def of_pair(wildcards):
        model, dataset, layer = (
            wildcards[f"{key}_{side}"] for key in ("model", "dataset", "layer")
        )
        layers = MODELS[model]["layers"]
        if int(layer) not in layers:
            raise WorkflowError(f"layer {layer} of {model} is not measured; take one of {layers}")
        return expand(STATES, model=model, dataset=dataset, shard=shards(dataset))

    return of_pair


# Mechanics.

TWINS = random_twins(MODELS)


def mechanics_of(models):
    return expand(MECHANICS, model=models, dataset=DATASETS)


def energies_of_trajectories(wildcards):
    """Of one model and of its random twins: the first shard at their last layers."""
    twins = [name for name, like in TWINS.items() if like == wildcards.model]
    return [
        ENERGIES.format(
            model=model, dataset=wildcards.dataset, layer=MODELS[model]["layers"][-1], shard=0
        )
        for model in [wildcards.model, *twins]
    ]


# Figures.

FIGURE_OF = {
    "model": "results/figures/across_models/dataset={dataset}/{quantity}.{format}",
    "layer": "results/figures/across_layers/model={model}/dataset={dataset}/{quantity}.{format}",
    "dataset": "results/figures/across_datasets/model={model}/{quantity}.{format}",
}
WELL_FIGURE = "results/figures/wells/dataset={dataset}.{format}"
COMPARISON_FIGURE = f"results/figures/comparisons/{PAIR}.{{format}}"
LAYER_MAP = "results/figures/layer_map/model={model}/dataset={dataset}.{format}"
MECHANICS_FIGURE = "results/figures/mechanics/{number}/dataset={dataset}.{format}"
TRAJECTORY_FIGURE = (
    "results/figures/mechanics/trajectories/model={model}/dataset={dataset}.{format}"
)
REPETITION_FIGURE = "results/figures/repetition/model={model}/dataset={dataset}.{format}"
STEERING_FIGURE = "results/figures/steering/model={model}/dataset={dataset}/{table}.{format}"

TITLES = {
    "entropy": "S(E), entropy",
    "temperature": "T(E), temperature",
    "density": "ρ(E), density of states",
}

MECHANICS_NUMBERS = {
    "variance_ratio": "conservation against its nulls",
    "cv": "coefficient of variation",
}


def curves_at(models, datasets, final_layer):
    """Curves of models on datasets: at the final layer, or at every layer."""
    return [
        CURVES.format(model=model, dataset=dataset, layer=layer)
        for model in models
        for dataset in datasets
        for layer in MODELS[model]["layers"][-1 if final_layer else 0 :]
    ]


def svg_of(across, caption, category, subject):
    """The SVG figures of one comparison, a quantity each, marked for the report."""
    figures = []
    for quantity, title in TITLES.items():
        (path,) = expand(FIGURE_OF[across], quantity=quantity, format="svg", allow_missing=True)
        labels = {"of": subject, "quantity": title}
        figures.append(report(path, caption=caption, category=category, labels=labels))
    return figures


def pdf_of(across):
    return expand(FIGURE_OF[across], quantity=TITLES, format="pdf", allow_missing=True)


PLOT_CURVES = (
    "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.plot_curves"
    " {input.curves:q} --across {params.across}"
    f" --quantities {' '.join(TITLES)}"
    " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"
)


FIGURES = sorted(
    {
        figure
        for pattern in [*FIGURE_OF.values(), LAYER_MAP, WELL_FIGURE]
        for figure in expand(
            pattern, model=MODELS, dataset=DATASETS, quantity=TITLES, format=["svg", "pdf"]
        )
    }
)
FIGURES += expand(
    REPETITION_FIGURE,
    model=MODELS,
    dataset=[name for name, spec in DATASETS.items() if is_repeated(spec)],
    format=["svg", "pdf"],
)

# The figures and the table of the comparisons that the configuration asks for.
COMPARED = [
    COMPARISON_FIGURE.format(**pair, format=format)
    for pair in COMPARISONS
    for format in ("svg", "pdf")
]
COMPARED += ["results/comparisons.csv"] if COMPARISONS else []

# What the target `mechanics` makes.
MECHANICS_RESULTS = ["results/mechanics.csv"]
MECHANICS_RESULTS += ["results/mechanics_of_training.csv"] if TWINS else []
MECHANICS_RESULTS += expand(
    MECHANICS_FIGURE, number=MECHANICS_NUMBERS, dataset=DATASETS, format=["svg", "pdf"]
)
MECHANICS_RESULTS += expand(
    TRAJECTORY_FIGURE,
    model=[name for name in MODELS if name not in TWINS],
    dataset=[name for name in DATASETS if text_of(name, DATASETS) == name],
    format=["svg", "pdf"],
)
