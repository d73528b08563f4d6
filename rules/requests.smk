# What jobs that run a model ask of a cluster; no rule. Resources are not params: asking for more
# reruns nothing. They are computed when a job is about to run, from its inputs.


def profiled(name):
    """What a cluster's profile says of all jobs, as profiles/slurm does; None without one."""
    said = workflow.resource_settings._parsed_default_resources.get(name).raw
    return None if said is None else ast.literal_eval(said)


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


def warn_of_small_gpu(snapshot, needed):
    """Say once if a model is larger than the cluster's GPUs; the other models can still run."""
    there = int(profiled("gpu_memory_mb") or needed)
    if needed > there and snapshot not in TOO_LARGE:
        TOO_LARGE.add(snapshot)
        logger.warning(
            f"{Path(snapshot).parent} needs a GPU of {needed} MB, and the cluster's profile names "
            f"one of {there} MB: name a larger one there, or set the model's dtype to bfloat16"
        )


TOO_LARGE = set()


def memory_for(spec, measured_layers=0):
    """Main memory of a job that runs a model, and measures energies at so many layers."""

    def of_job(wildcards, input, attempt):
        weights, device = size_of(input.snapshot), device_of(spec)
        if device == "cuda":
            warn_of_small_gpu(input.snapshot, gpu_memory_mb(weights, spec["dtype"]))
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


def time_to_write(spec):
    """Time limit of a job that generates a shard: a token at a time, so that a GPU mostly waits."""

    def of_job(wildcards, input, threads, attempt):
        dataset = DATASETS[wildcards.dataset]
        tokens = dataset["documents_per_shard"] * dataset["tokens_per_document"]
        weights, device = size_of(input.snapshot), device_of(spec)
        return runtime_minutes(weights, 20 * tokens, 20 * tokens, device, threads, attempt)

    return of_job
