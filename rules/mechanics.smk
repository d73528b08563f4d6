# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
# Makes: results/trajectories/model={model}/dataset={dataset}/shard={shard}.parquet: sums over
#        documents of kinetic and potential terms, which add;
#        results/mechanics/model={model}/dataset={dataset}.parquet: what is conserved, against its
#        nulls; all of them in results/mechanics.csv;
#        results/mechanics_of_training.csv: trained models less their random twins;
#        results/figures/mechanics/{number}/dataset={dataset} and
#        results/figures/mechanics/trajectories/model={model}/dataset={dataset} as SVG and PDF.

TRAJECTORIES = f"results/trajectories/{SHARD}.parquet"
MECHANICS = f"results/mechanics/{ENSEMBLE}.parquet"
MECHANICS_OF_TRAINING = "results/mechanics_of_training.csv"
MECHANICS_FIGURE = "results/figures/mechanics/{number}/dataset={dataset}"
TRAJECTORY_FIGURE = f"results/figures/mechanics/trajectories/{ENSEMBLE}"

MECHANICS_NUMBERS = {
    "variance_ratio": "conservation against its nulls",
    "cv": "coefficient of variation",
}

TWINS = random_twins(MODELS)


localrules:
    describe_mechanics,
    contrast_training,
    plot_mechanics,
    plot_trajectories,


include: "functions/mechanics.smk"


rule sum_trajectories:
    input:
        energies=energies_of_shard,
    output:
        TRAJECTORIES,
    log:
        log("sum_trajectories", SHARD),
    group:
        "counts"
    conda:
        CONDA
    message:
        "Summing trajectories of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        run("mechanics.sum_trajectories", "{input.energies:q} --out {output:q}")


# One job for all ensembles, and likewise for figures: starting up takes longer than the work.
rule describe_mechanics:
    input:
        sums=[
            TRAJECTORIES.format(model=model, dataset=dataset, shard=shard)
            for model in MODELS
            for dataset in MEASURED
            for shard in shards(dataset)
        ],
    output:
        expand(MECHANICS, model=MODELS, dataset=MEASURED),
    log:
        log("describe_mechanics"),
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing mechanics"
    shell:
        run("mechanics.describe_mechanics", "{input.sums:q} {params.options:q} --out {output:q}")


rule contrast_training:
    input:
        trained=mechanics_of(TWINS.values()),
        random=mechanics_of(TWINS),
    output:
        report(
            MECHANICS_OF_TRAINING,
            caption="../report/mechanics/mechanics_of_training.rst",
            category="Mechanics",
            labels={"of": "trained less random", "figure": "table"},
        ),
    log:
        log("contrast_training"),
    conda:
        CONDA
    message:
        "Contrasting the mechanics of trained and random models"
    shell:
        run(
            "mechanics.contrast_training",
            "--trained {input.trained:q} --random {input.random:q} --out {output:q}",
        )


rule plot_mechanics:
    input:
        mechanics=expand(MECHANICS, dataset=MEASURED, model=MODELS),
    output:
        **figure(
            expand(MECHANICS_FIGURE, number=MECHANICS_NUMBERS, dataset=MEASURED),
            lambda path: f"mechanics/{number_of(path)}",
            "Mechanics",
            of=dataset_of,
            figure=lambda path: MECHANICS_NUMBERS[number_of(path)],
        ),
    log:
        log("plot_mechanics"),
    conda:
        CONDA
    message:
        "Drawing mechanics"
    shell:
        run("mechanics.plot_mechanics", f"{{input.mechanics:q}} {DRAWN}")


rule plot_trajectories:
    input:
        energies=energies_of_trajectories,
    output:
        **figure(
            TRAJECTORY_FIGURE,
            "mechanics/trajectories",
            "Mechanics",
            of="{model} on {dataset}",
            figure="one document",
        ),
    log:
        log("plot_trajectories", "{model}/{dataset}"),
    conda:
        CONDA
    message:
        "Drawing trajectories of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("mechanics.plot_trajectories", f"{{input.energies:q}} {DRAWN}")


rule mechanics:
    input:
        table(
            "mechanics",
            expand(MECHANICS, model=MODELS, dataset=MEASURED),
            "Tabulating mechanics",
            caption="mechanics/mechanics",
            category="Mechanics",
            of="every model, dataset and layer",
            figure="table",
        ),
        [MECHANICS_OF_TRAINING] if TWINS else [],
        drawn(MECHANICS_FIGURE, number=MECHANICS_NUMBERS, dataset=MEASURED),
        drawn(
            TRAJECTORY_FIGURE,
            model=[name for name in MODELS if name not in TWINS],
            dataset=[name for name in MEASURED if text_of(name) == name],
        ),
    message:
        "Done: figures are in results/figures/mechanics, numbers in results/mechanics.csv"
