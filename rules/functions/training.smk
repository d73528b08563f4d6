# What the rules of training.smk ask: Snakemake's linter wants functions and rules apart.


def start_of(model):
    """Folder of the snapshot that a training starts from."""
    spec = MODELS[model]
    if "architecture" in spec:
        return f"results/training/starts/{model}"
    return f"results/models/{architecture_of(model, MODELS)}"


def tokenizer_source(wildcards):
    """What a start's tokenizer is made of, or taken from."""
    spec = MODELS[wildcards.model]
    if "tokenizer" in spec:
        return CORPUS.format(dataset=spec["tokenizer"]["made_of"])
    return snapshot_of(spec["like"])


def start_options(wildcards):
    spec = MODELS[wildcards.model]
    architecture = json.dumps(spec["architecture"], sort_keys=True)
    words = [f"--architecture={architecture}", *options(spec, "prefix_token", "blocks")]
    words += options(spec["train"], "seed")
    if "tokenizer" not in spec:
        return [*words, f"--tokenizer-of=results/models/{architecture_of(wildcards.model, MODELS)}"]
    tokenizer = spec["tokenizer"]
    corpus = CORPUS.format(dataset=tokenizer["made_of"])
    words += options(tokenizer, "vocabulary", "made_of")
    return [*words, f"--corpus={corpus}", f"--last-documents={tokenizer['documents']}"]


def parts_of(dataset):
    """Files of tokens that a dataset gives to train on: a repetition has one for each number."""
    return shards(dataset) if is_repeated(DATASETS[dataset]) else [0]


def measured_of(model, text):
    """Documents of a text that a model may not be trained on.

    It is not among the params, since another one changes no other; the job looks at it.
    """
    return MODELS[model]["held_out"].get(text, 0)


def training_text_options(wildcards):
    spec = MODELS[wildcards.model]
    taken = {
        "documents_per_shard": spec["train"]["documents"],
        "tokens_per_document": spec["train"].get("tokens_per_document"),
    }
    return options_of_text(spec, wildcards.dataset, wildcards.part, **taken)


def tokens_to_train(model):
    """Files of tokens of all datasets that a model is trained on."""
    return [
        TRAINING_TOKENS.format(model=model, dataset=dataset, part=part)
        for dataset in MODELS[model]["train"]["dataset"]
        for part in parts_of(dataset)
    ]


def fit_options(model):
    """Options of a training, but the files that it takes and makes."""
    train = MODELS[model]["train"]
    shares = [
        str(share / len(parts_of(dataset)))
        for dataset, share in train["dataset"].items()
        for _ in parts_of(dataset)
    ]
    return [
        "--shares",
        *shares,
        f"--train-tokens={train['tokens']}",
        *options(train, *OF_FIT, "checkpoints", "seed"),
        *options(train["objective"], *objective_options(MODELS[model])),
        *options(MODELS[model], "blocks"),
    ]


def time_to_train(spec):
    """Time limit of a training: each token is read forwards and backwards, three times the work."""
    return time_for_tokens(spec, lambda _: 3 * spec["train"]["tokens"])


def memory_to_train(spec):
    """Main memory of a training: gradients and two moments beside the weights."""
    return memory_beside(spec, lambda n: 1e-6 * TRAINED_BYTES * n, TRAINED_BYTES)


def described_corpora():
    """What is told of corpora: of each group that has one of its own, and no document twice."""
    return [
        REPEATED_IN.format(model=group["models"][0])
        for group in GROUPED
        if group["trained_on"] in DATASETS and not is_repeated(DATASETS[group["trained_on"]])
    ]


def continuations_of_members(wildcards):
    """What trained models, and those that they were, write under `decoding`."""
    return [
        path
        for model, dataset in CONTINUED
        if model in MEMBERS
        for path in continued(CONTINUATIONS, model, dataset)
    ]


def figure_of_training(name):
    """A figure of all trained models, as SVG and PDF: what stands after `output:`."""
    kind = name.rpartition("/")[2]
    labels = {"figure": kind} | ({"dataset": "{dataset}"} if kind != name else {})
    return figure(f"results/figures/training/{name}", f"training/{kind}", "Training", **labels)


def words_of_files(input, *names):
    """Options that have the names of inputs, with their files; none without any."""
    return [
        word
        for name in names
        if input[name]
        for word in (f"--{name.replace('_', '-')}", *input[name])
    ]


def figures_of_training():
    """Files of the figures that mean something."""
    rates, objectives = {}, {}  # by family
    for group in GROUPED:
        if group["objective"]:
            set_as = json.dumps(json.loads(group["settings"])["objective"], sort_keys=True)
            objectives.setdefault(group["family"], set()).add(set_as)
            if group["rate"] is not None and not group["control"]:
                rates.setdefault(group["family"], set()).add(group["rate"])
    wanted = {
        name: any(len(of_family) > 1 for of_family in found.values())
        for name, found in (("doses", rates), ("tradeoffs", objectives))
    }
    names = [f"dataset={{dataset}}/{name}" for name, means in wanted.items() if means]
    patterns = [f"results/figures/training/{name}" for name in names]
    return drawn("results/figures/training/logs") + drawn(patterns, dataset=MEASURED)
