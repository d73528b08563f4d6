# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet
#        of the pairs that `volumes` in the configuration names, and wells and curves of text.
# Makes: under model={model}/dataset={dataset}/layer={layer} of results/volumes/,
#        axes.parquet: how the model's own states are spread;
#        and there under space={space}/against={against},
#        runs/: how the walkers of pairs of tokens died; entropies/, curves/, pairs/, wells/: what
#        that tells of S(E), of each pair and on average;
#        of all of them results/volumes/pairs.csv and results/volumes.csv;
#        distances/, how far wells are from states of text and from random points, and
#        results/volumes/distances.csv;
#        and results/figures/volumes/… as SVG and PDF.
#
# A space is a rule and a command of its own, so that adding one, or mending one, reruns no other.
# What a job has sampled so far is remembered in results/volumes/unfinished/.

SAMPLED_AT = f"{ENSEMBLE}/layer={{layer}}/space={{space}}/against={{against}}"
SAMPLED_PAIRS = f"results/volumes/runs/{SAMPLED_AT}/first_pair={{first}}.parquet"
VOLUME_ENTROPIES = f"results/volumes/entropies/{SAMPLED_AT}.parquet"
VOLUME_CURVES = f"results/volumes/curves/{SAMPLED_AT}.parquet"
VOLUME_PAIRS = f"results/volumes/pairs/{SAMPLED_AT}.parquet"
VOLUME_WELLS = f"results/volumes/wells/{SAMPLED_AT}.parquet"
AXES = f"results/volumes/axes/{ENSEMBLE}/layer={{layer}}.parquet"
POINTS = f"results/volumes/points/{ENSEMBLE}/layer={{layer}}.parquet"
DISTANCES = f"results/volumes/distances/{ENSEMBLE}/layer={{layer}}.parquet"
VOLUME_FIGURE = f"results/figures/volumes/{ENSEMBLE}/layer={{layer}}/entropy"

VOLUMES = spaces_of_pairs(STUDY["volumes"])

WALKS = {pair: walk for pair, of in VOLUMES.items() if (walk := walk_of(of))}

SAMPLING = ["walkers", "culled", "moves", "bottom", "depth", "seed", "last_tokens"]

PAIRED = ["last_tokens", "seed"]


include: "functions/volumes.smk"


wildcard_constraints:
    space=one_of({space for spec in STUDY["volumes"] for space in spec["spaces"]}),
    against="correct|likeliest",
    first=r"\d+",


localrules:
    plot_volumes,


for model in dict.fromkeys(model for model, _ in VOLUMES):
    for dataset in [
        of for other, of in VOLUMES if other == model and layers_with((model, of), OF_STATES)
    ]:

        rule:
            name:
                f"measure_axes_{model}_{dataset}"
            input:
                snapshot=snapshot_of(model),
                tokens=expand(TOKENS, model=model, dataset=dataset, shard=shards(dataset)),
            output:
                expand(
                    AXES,
                    model=model,
                    dataset=dataset,
                    layer=layers_with((model, dataset), OF_STATES),
                ),
            log:
                log("measure_axes", f"{model}/{dataset}"),
            benchmark:
                f"logs/measure_axes/{model}/{dataset}.benchmark.tsv"
            conda:
                CONDA
            threads: measure_threads(MODELS[model]["device"])
            resources:
                **of_model(MODELS[model], lambda w, attempt: 60 * attempt),
            params:
                running=running(model, *CUT),
                options=options({"layers": layers_with((model, dataset), OF_STATES)}, "layers"),
            message:
                f"Measuring how states of {model} on {dataset} are spread"
            shell:
                run(
                    "volumes.measure_axes",
                    f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} --out {{output:q}}",
                )

    for space in sorted(
        {space for pair, of in VOLUMES.items() if pair[0] == model for space in of}
    ):

        rule:
            name:
                f"sample_{space}_{model}"
            input:
                snapshot=snapshot_of(model),
                tokens=tokens_of(model),
                axes=axes_of(model, space),
            output:
                expand(SAMPLED_PAIRS, model=model, space=space, allow_missing=True),
            log:
                log(f"sample_{space}", f"{model}/{{dataset}}/{{layer}}/{{against}}/{{first}}"),
            benchmark:
                f"logs/sample_{space}/{model}/{{dataset}}/{{layer}}/{{against}}/{{first}}.benchmark.tsv"
            wildcard_constraints:
                dataset=sampled_with(model, space),
            conda:
                CONDA
            threads: measure_threads(MODELS[model]["device"])
            resources:
                **of_model(MODELS[model], time_to_sample(model, space)),
            params:
                code=digest_of_code(f"volumes.spaces.{space}"),
                command=f"volumes.spaces.{space}",
                running=running(model),
                axes=lambda w, input: options({"axes": input.axes or None}, "axes"),
                options=sampling_options(model, space),
                unfinished=f"results/volumes/unfinished/{model}_{{dataset}}_{{layer}}_{space}"
                "_{against}_{first}.safetensors",
            message:
                f"Sampling the {space} of {model} on {{wildcards.dataset}}, layer {{wildcards.layer}},"
                " against the {wildcards.against} token, from pair {wildcards.first}"
            shell:
                run(
                    "{params.command}",
                    f"{RUNNING} --tokens {{input.tokens:q}} {{params.axes:q}} {{params.options:q}}"
                    " --layer={wildcards.layer} --against={wildcards.against}"
                    " --unfinished={params.unfinished:q} --out {output:q}",
                    "{params.code}",
                )


for model in dict.fromkeys(model for model, _ in WALKS):

    rule:
        name:
            f"measure_distances_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=tokens_of(model),
            axes=axes_to_walk_along(model),
        output:
            expand(POINTS, model=model, allow_missing=True),
        log:
            log("measure_distances", f"{model}/{{dataset}}/{{layer}}"),
        benchmark:
            f"logs/measure_distances/{model}/{{dataset}}/{{layer}}.benchmark.tsv"
        wildcard_constraints:
            dataset=one_of(dataset for other, dataset in WALKS if other == model),
        conda:
            CONDA
        threads: measure_threads(MODELS[model]["device"])
        resources:
            **of_model(MODELS[model], time_to_walk(model)),
        params:
            running=running(model, *CUT),
            axes=lambda w, input: options({"axes": input.axes or None}, "axes"),
            options=walking_options(model),
        message:
            f"Measuring how far wells are from states of {model} on {{wildcards.dataset}},"
            " layer {wildcards.layer}"
        shell:
            run(
                "volumes.measure_distances",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.axes:q}} {{params.options:q}}"
                " --layer={wildcards.layer} --out {output:q}",
            )


rule describe_distances:
    input:
        POINTS,
    output:
        DISTANCES,
    log:
        log("describe_distances", f"{ENSEMBLE}/{{layer}}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing how far wells are from states of {wildcards.model} on {wildcards.dataset},"
        " layer {wildcards.layer}"
    shell:
        run("volumes.describe_distances", "{input:q} {params.options:q} --out {output:q}")


rule describe_volumes:
    input:
        runs=if_sampled(
            lambda pair, w: expand(
                SAMPLED_PAIRS, **w, first=groups_of_pairs(VOLUMES[pair][w.space])
            )
        ),
        wells=WELLS,
    output:
        entropies=VOLUME_ENTROPIES,
        curves=VOLUME_CURVES,
        pairs=VOLUME_PAIRS,
        wells=VOLUME_WELLS,
    log:
        log("describe_volumes", SAMPLED_AT),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing the {wildcards.space} of {wildcards.model} on {wildcards.dataset},"
        " layer {wildcards.layer}, against the {wildcards.against} token"
    shell:
        run(
            "volumes.describe_volumes",
            "{input.runs:q} --wells {input.wells:q} {params.options:q}"
            " --entropies {output.entropies:q} --curves {output.curves:q}"
            " --pairs {output.pairs:q} --out {output.wells:q}",
        )


rule plot_volumes:
    input:
        volumes=if_sampled(beside_at_layer(VOLUME_CURVES)),
        entropies=if_sampled(beside_at_layer(VOLUME_ENTROPIES)),
        curves=if_sampled(curves_beside_volumes),
    output:
        **figure(
            VOLUME_FIGURE,
            "volumes/entropy",
            "Volumes",
            model="{model}",
            dataset="{dataset}",
            layer="{layer}",
        ),
    log:
        log("plot_volumes", "{model}/{dataset}/{layer}"),
    conda:
        CONDA
    message:
        "Drawing volumes of {wildcards.model} on {wildcards.dataset}, layer {wildcards.layer}"
    shell:
        run(
            "volumes.plot_volumes",
            "--volumes {input.volumes:q} --entropies {input.entropies:q}"
            f" --curves {{input.curves:q}} {DRAWN}",
        )


VOLUME_TABLES = [
    table(
        name,
        parts,
        f"Tabulating {what}",
        caption=f"volumes/{caption}",
        category="Volumes",
        table=what,
    )
    for name, parts, what, caption in (
        ("volumes", all_volumes(VOLUME_WELLS), "volumes of wells", "wells"),
        ("volumes/pairs", all_volumes(VOLUME_PAIRS), "volumes of each pair of tokens", "pairs"),
        ("volumes/distances", all_distances(), "how far wells are", "distances"),
    )
    if parts
]


rule volumes:
    input:
        volume_figures(),
        VOLUME_TABLES,
    message:
        "Done: figures are in results/figures/volumes, numbers in results/volumes.csv"
