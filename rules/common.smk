# What the rules of every stage share: the study, the parts of a rule, and what `all` makes; no rule,
# and no path of any stage's.

prepare_environment()
if workflow.is_main_process:
    note_options()
if workflow.remote_exec:
    forget_credentials()

try:
    if workflow.is_main_process:
        check_files(workflow.configfiles)
except InputError as error:
    raise WorkflowError(str(error)) from None

try:
    update_config(config, read_overrides(workflow.config_settings.config))
    STUDY = resolve(config)
    check_locale(STUDY)
except InputError as error:
    raise WorkflowError(f"{', '.join(map(str, workflow.configfiles))}: {error}") from None

try:
    check_folders(Path.cwd(), to_write=False)
except InputError as error:
    raise WorkflowError(str(error)) from None

MODELS, DATASETS = STUDY["models"], STUDY["datasets"]
MEASURED = [name for name, spec in DATASETS.items() if spec["measured"]]

ENSEMBLE = "model={model}/dataset={dataset}"
SHARD = f"{ENSEMBLE}/shard={{shard}}"

CONDA = "../envs/semantic-statistics.yaml"

RESULTS = []  # what the target `all` makes; each stage adds its own
TABLES = {}  # CSV files by name; rules/tables.smk makes them


def one_of(names):
    """Constraint of a wildcard: one of these names; nothing fits where there is none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    model=one_of(MODELS),
    dataset=one_of(DATASETS),
    layer=r"\d+",
    shard=r"\d+",


text_of = partial(text_of, datasets=DATASETS)


def shards(dataset):
    return range(DATASETS[dataset]["shards"])


run = shell_command  # of the command's name and its arguments: what stands after `shell:`


def log(rule, of="all"):
    """Where a rule's jobs log: a file for each of what they are of."""
    return f"logs/{rule}/{of}.log"


def options(spec, *keys):
    """Command-line options that have the names of the keys, in this order.

    A list is as many words; what is None, False or not there is left out. (`--key=value`, since a
    value may begin with a hyphen.)
    """
    words = []
    for key in keys:
        value, option = spec.get(key), f"--{key.replace('_', '-')}"
        if isinstance(value, list):
            words += [option, *map(str, value)]
        elif value is True:
            words.append(option)
        elif value is not None and value is not False:  # 0 is said
            words.append(f"{option}={value}")
    return words


CURVE_OPTIONS = options(STUDY["curves"], "confidence", "resamples", "seed")
CONFIDENCE = options(STUDY["curves"], "confidence")


def figure(pattern, caption, category, prefix="", **labels):
    """A figure as SVG, marked for the report, and as PDF: what stands after `output:`.

    Parameters
    ----------
    pattern : path up to the format, or a list of them.
    caption : file in report/, without its ending.
    prefix : of the names `svg` and `pdf`.
    labels : of the figure in the report; these and the caption may be functions of the path.
    """

    def marked(path):
        said = {key: of(path) if callable(of) else of for key, of in labels.items()}
        file = caption(path) if callable(caption) else caption
        return report(
            f"{path}.svg", caption=f"../report/{file}.rst", category=category, labels=said
        )

    svg = marked(pattern) if isinstance(pattern, str) else list(map(marked, pattern))
    pdf = f"{pattern}.pdf" if isinstance(pattern, str) else [f"{path}.pdf" for path in pattern]
    return {f"{prefix}svg": svg, f"{prefix}pdf": pdf}


DRAWN = "--svg {output.svg:q} --pdf {output.pdf:q}"  # how a command is told where to draw


def drawn(patterns, **values):
    """Files of figures: both formats of each pattern, for all combinations of values."""
    paths = expand(patterns, **values)
    return [f"{path}.{format}" for path in paths for format in ("svg", "pdf")]


def table(name, parts, message, caption=None, category=None, **labels):
    """Have the rows of many Parquet files put together in results/NAME.csv; returns its path.

    Parameters
    ----------
    parts : the Parquet files.
    caption, category, labels : of the table in the report; without them it is left out there.
    """
    path = f"results/{name}.csv"
    file = path
    if category:
        caption_file = f"../report/{caption}.rst"
        file = report(path, caption=caption_file, category=category, labels=labels)
    TABLES[name] = {"file": file, "parts": parts, "message": message}
    return path


include: "pairs.smk"
