# What the rules of training.smk ask: Snakemake's linter wants functions and rules apart.


def start_of(model):
    """Folder of the snapshot that a training starts from."""
    spec = MODELS[model]
    if "architecture" in spec:
        return f"results/training/starts/{model}"
    return f"results/models/{MODELS[spec['like']]['weights']}"


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
        return [*words, f"--tokenizer-of=results/models/{MODELS[spec['like']]['weights']}"]
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
    needed = memory_for(spec)

    def of_job(wildcards, input, attempt):
        more = 16e-6 * size_of(input.snapshot).parameters
        return needed(wildcards, input, attempt) + attempt * int(more)

    return of_job
