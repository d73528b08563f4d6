# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet,
#        of the pairs that `steering` in the configuration names.
# Makes: under model={model}/dataset={dataset} of results/steering/,
#        states/: what each way of steering achieves, state by state; effects/: on average;
#        continuations/, texts/: what each method of decoding writes, as Parquet and as CSV;
#        decodings/: what that is like, on average over prompts;
#        of all pairs results/steering/effects.csv and results/steering/decodings.csv;
#        and results/figures/steering/, effects and decodings as SVG and PDF.


localrules:
    plot_steering,
    tabulate_steering,


wildcard_constraints:
    table="effects|decodings",


rule steer_states:
    input:
        snapshot=snapshot_of,
        tokens=tokens_of_dataset,
    output:
        STEERED_STATES,
    log:
        "logs/steer_states/{model}/{dataset}.log",
    benchmark:
        "logs/steer_states/{model}/{dataset}.benchmark.tsv"
    conda:
        CONDA
    threads: lambda w: measure_threads(MODELS[w.model]["device"])
    resources:
        gpu=lambda w: 0 if MODELS[w.model]["device"] == "cpu" else 1,
        gpu_model=lambda w: for_gpu(MODELS[w.model], "gpu_kind"),
        slurm_partition=lambda w: for_gpu(
            MODELS[w.model], "gpu_partition", otherwise="slurm_partition"
        ),
        mem_mb=lambda w, input, attempt: memory_for(MODELS[w.model])(w, input, attempt),
        runtime=lambda w, attempt: 60 * attempt,
        # Not among the params: where it runs does not change what it finds.
        device=lambda w: MODELS[w.model]["device"],
    params:
        code=digest_of_code("steering.steer_states"),
        options=steer_options,
    message:
        "Steering states of {wildcards.model} on {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- steering.steer_states"
        " --model results/models/{wildcards.model:q}"
        " --tokens {input.tokens:q} --dataset {wildcards.dataset:q} {params.options:q}"
        " --device {resources.device} --threads {threads} --out {output:q} 2>&1 | tee {log:q}"


rule continue_prompts:
    input:
        snapshot=snapshot_of,
        tokens=tokens_of_dataset,
    output:
        continuations=CONTINUATIONS,
        texts=report(
            TEXTS,
            caption="../report/texts.rst",
            category="Steering",
            labels={"model": "{model}", "dataset": "{dataset}", "figure": "the continuations"},
        ),
    log:
        "logs/continue_prompts/{model}/{dataset}.log",
    benchmark:
        "logs/continue_prompts/{model}/{dataset}.benchmark.tsv"
    conda:
        CONDA
    threads: lambda w: measure_threads(MODELS[w.model]["device"])
    resources:
        gpu=lambda w: 0 if MODELS[w.model]["device"] == "cpu" else 1,
        gpu_model=lambda w: for_gpu(MODELS[w.model], "gpu_kind"),
        slurm_partition=lambda w: for_gpu(
            MODELS[w.model], "gpu_partition", otherwise="slurm_partition"
        ),
        mem_mb=lambda w, input, attempt: memory_for(MODELS[w.model])(w, input, attempt),
        runtime=lambda w, attempt: 60 * attempt,
        # Not among the params: where it runs does not change what it finds.
        device=lambda w: MODELS[w.model]["device"],
    params:
        code=digest_of_code("decoding.continue_prompts"),
        options=decode_options,
    message:
        "Continuing prompts of {wildcards.dataset} by {wildcards.model}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- decoding.continue_prompts"
        " --model results/models/{wildcards.model:q}"
        " --tokens {input.tokens:q} --dataset {wildcards.dataset:q} {params.options:q}"
        " --device {resources.device} --threads {threads}"
        " --out {output.continuations:q} --csv {output.texts:q} 2>&1 | tee {log:q}"


rule describe_steering:
    input:
        lambda w: {"effects": STEERED_STATES, "decodings": CONTINUATIONS}[w.table],
    output:
        STEERING,
    log:
        "logs/describe_steering/{table}/{model}/{dataset}.log",
    group:
        "curves"
    conda:
        CONDA
    params:
        code=digest_of_code("steering.describe_steering"),
        confidence=STUDY["curves"]["confidence"],
    message:
        "Describing steering: {wildcards.table} of {wildcards.model} on {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- steering.describe_steering"
        " {input:q} --of {wildcards.table}"
        " --confidence {params.confidence} --out {output:q} 2>&1 | tee {log:q}"


rule plot_steering:
    input:
        STEERING,
    output:
        svg=report(
            STEERING_FIGURE.replace("{format}", "svg"),
            caption="../report/{table}.rst",
            category="Steering",
            labels={"model": "{model}", "dataset": "{dataset}", "figure": "{table}"},
        ),
        pdf=STEERING_FIGURE.replace("{format}", "pdf"),
    log:
        "logs/plot_steering/{table}/{model}/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("steering.plot_steering"),
    message:
        "Drawing steering: {wildcards.table} of {wildcards.model} on {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- steering.plot_steering"
        " {input:q} --of {wildcards.table}"
        " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"


rule tabulate_steering:
    input:
        tables=lambda w: of_steered(STEERING, table=w.table),
    output:
        report(
            "results/steering/{table}.csv",
            caption="../report/{table}.rst",
            category="Steering",
            labels={"figure": "{table}, in numbers"},
        ),
    log:
        "logs/tabulate_steering/{table}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("running.tabulate"),
    message:
        "Tabulating steering: {wildcards.table}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- running.tabulate"
        " {input.tables:q} --of {wildcards.table} --out {output:q}"
        " 2>&1 | tee {log:q}"


rule steering:
    input:
        of_steered(TEXTS),
        of_steered(STEERING_FIGURE, table=["effects", "decodings"], format=["svg", "pdf"]),
        expand("results/steering/{table}.csv", table=["effects", "decodings"] if STEERED else []),
    message:
        "Done: figures are in results/figures/steering, numbers and texts in results/steering"
