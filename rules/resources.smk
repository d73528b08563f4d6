# What jobs that run a model ask of a cluster; no rule. Resources are not params: asking for more
# reruns nothing. They are computed when a job is about to run, from its inputs.


def profiled(name):
    """What a cluster's profile says of all jobs, as profiles/slurm does; None without one."""
    said = workflow.resource_settings._parsed_default_resources.get(name).raw
    return None if said is None else ast.literal_eval(said)


def measure_threads(device):
    """On a CPU half of its cores: one job starts up while another computes."""
    return max(1, os.cpu_count() // 2) if device == "cpu" else 8


def of_model(spec, runtime, measured_layers=0):
    """What a job that runs a model asks for; none of it is among the params.

    Where it runs, and how much at once, does not change what it finds.

    Parameters
    ----------
    spec : the model's entry.
    runtime : minutes, or a function of the job.
    measured_layers : layers whose energies are kept until they are written.
    """
    return {
        "gpu": 0 if spec["device"] == "cpu" else 1,
        "gpu_model": for_gpu(spec, "gpu_kind"),
        "slurm_partition": for_gpu(spec, "gpu_partition", otherwise="slurm_partition"),
        "mem_mb": memory_for(spec, measured_layers),
        "runtime": runtime,
        "batch_tokens": 0,  # what suits the device
        "device": spec["device"],
    }


PRECISION = ["dtype", "attention"]


def running(model, *keys):
    """Words of a command that say which model runs, and how; those of more keys of its entry."""
    spec = MODELS[model]
    snapshot = f"--model=results/models/{spec['weights']}"
    words = [snapshot, f"--name={model}", *options(spec, *keys, *PRECISION)]
    return words + changes(spec["intervention"])


def changes(intervention):
    """Words on what is changed in a model while it runs: none where nothing is.

    With the digest of its code, which is code of no command, so that an edit of it reruns what has
    run under it.
    """
    if intervention == "none":
        return []
    code = digest_of_code(f"semstat.interventions.{intervention['kind']}")
    return [f"--intervention={json.dumps(intervention | {'code': code}, sort_keys=True)}"]


# How it runs, which changes no result: what `running` says stands in a rule's params.
RUNNING = (
    "{params.running:q} --device {resources.device} --threads {threads}"
    " --batch-tokens {resources.batch_tokens}"
)


def device_of(spec):
    """Where a model runs; `auto` takes a GPU if there is one, so it asks for one."""
    return "cpu" if spec["device"] == "cpu" else "cuda"


def for_gpu(spec, name, otherwise=None):
    """What the profile says of jobs on GPUs, and for the others what it says under another name."""
    name = name if device_of(spec) == "cuda" else otherwise
    return name and profiled(name)


def size_of(snapshot):
    """Size of a model, once it is there."""
    snapshot = Path(snapshot)
    snapshot.stat()  # where this input is missing, Snakemake asks again when it has come
    return weights_in(snapshot.parent / "model.safetensors")


def warn_of_small_gpu(snapshot, parameter_bytes):
    """Say once if a model is larger than the cluster's GPUs; the other models can still run."""
    needed = gpu_memory_mb(size_of(snapshot), parameter_bytes)
    there = int(profiled("gpu_memory_mb") or needed)
    if needed > there and (snapshot, needed) not in TOO_LARGE:
        TOO_LARGE.add((snapshot, needed))
        purpose = " to be trained" if parameter_bytes == TRAINED_BYTES else ""
        remedy = "" if purpose else ", or set the model's dtype to bfloat16"
        logger.warning(
            f"{Path(snapshot).parent} needs a GPU of {needed} MB{purpose}, and the cluster's profile "
            f"names one of {there} MB: name a larger one there{remedy}"
        )


TOO_LARGE = set()


def memory_for(spec, measured_layers=0, parameter_bytes=None):
    """Main memory of a job that runs a model, and measures energies at so many layers.

    Parameters
    ----------
    parameter_bytes : that a GPU needs of each parameter (default: those of the model's dtype).
    """

    def of_job(wildcards, input, attempt):
        weights, device = size_of(input.snapshot), device_of(spec)
        if device == "cuda":
            warn_of_small_gpu(input.snapshot, parameter_bytes or BYTES[spec["dtype"]])
        return memory_mb(weights, spec["dtype"], device, measured_layers, attempt)

    return of_job


def time_to_read(spec, passes=1):
    """Time limit of a job that takes a shard of tokens through a model, `passes` times."""

    def of_job(wildcards, input, threads, attempt):
        states = passes * states_in(str(input.tokens))
        tokens = states * spec["context"] / spec["stride"]
        readouts = states * len(spec["layers"])
        weights, device = size_of(input.snapshot), device_of(spec)
        return runtime_minutes(weights, tokens, readouts, device, threads, attempt)

    return of_job


def time_for_tokens(spec, tokens_of):
    """Time limit of a job that writes; `tokens_of` its wildcards are the tokens that take so long."""

    def of_job(wildcards, input, threads, attempt):
        tokens = tokens_of(wildcards)
        weights, device = size_of(input.snapshot), device_of(spec)
        return runtime_minutes(weights, tokens, tokens, device, threads, attempt)

    return of_job


def time_to_write(spec):
    """Time limit of a job that generates a shard: a token at a time, so that a GPU mostly waits."""

    def tokens_of(wildcards):
        dataset = DATASETS[wildcards.dataset]
        return 20 * dataset["documents_per_shard"] * dataset["tokens_per_document"]

    return time_for_tokens(spec, tokens_of)


def memory_beside(spec, more_mb, parameter_bytes=None):
    """Main memory of a job that runs a model; `more_mb` its parameters is what else it takes."""
    needed = memory_for(spec, parameter_bytes=parameter_bytes)

    def of_job(wildcards, input, attempt):
        more = more_mb(size_of(input.snapshot).parameters)
        return needed(wildcards, input, attempt) + attempt * int(more)

    return of_job


def memory_to_write(spec, remembered_mb):
    """Main memory of a job that writes: on a CPU so much for keys and values, and packed weights."""
    on_cpu = device_of(spec) == "cpu"
    return memory_beside(spec, lambda n: 4e-6 * n + remembered_mb if on_cpu else 0)
