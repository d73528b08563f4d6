# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
# Makes: results/trajectories/model={model}/dataset={dataset}/shard={shard}.parquet: sums over
#        documents of kinetic and potential terms, which add;
#        results/mechanics/model={model}/dataset={dataset}.parquet: what is conserved, against its
#        nulls; all of them in results/mechanics.csv;
#        results/mechanics_of_training.csv: trained models less their random twins;
#        results/figures/mechanics/{number}/dataset={dataset} and
#        results/figures/mechanics/trajectories/model={model}/dataset={dataset} as SVG and PDF.


localrules:
    describe_mechanics,
    tabulate_mechanics,
    contrast_training,
    plot_trajectories,


rule sum_trajectories:
    input:
        energies=energies_of_shard,
    output:
        TRAJECTORIES,
    log:
        f"logs/sum_trajectories/{SHARD}.log",
    group:
        "counts"
    conda:
        CONDA
    params:
        code=digest_of_code("mechanics.sum_trajectories"),
    message:
        "Summing trajectories of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- mechanics.sum_trajectories"
        " {input.energies:q} --out {output:q}"
        " 2>&1 | tee {log:q}"


# One job for all ensembles, and likewise for figures: starting up takes longer than the work.
rule describe_mechanics:
    input:
        sums=[
            TRAJECTORIES.format(model=model, dataset=dataset, shard=shard)
            for model in MODELS
            for dataset in DATASETS
            for shard in shards(dataset)
        ],
    output:
        expand(MECHANICS, model=MODELS, dataset=DATASETS),
    log:
        "logs/describe_mechanics.log",
    conda:
        CONDA
    params:
        code=digest_of_code("mechanics.describe_mechanics"),
        confidence=STUDY["curves"]["confidence"],
    message:
        "Describing mechanics"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- mechanics.describe_mechanics"
        " {input.sums:q} --confidence {params.confidence} --out {output:q} 2>&1 | tee {log:q}"


rule tabulate_mechanics:
    input:
        mechanics=expand(MECHANICS, model=MODELS, dataset=DATASETS),
    output:
        report(
            "results/mechanics.csv",
            caption="../report/mechanics.rst",
            category="Mechanics",
            labels={"of": "every model, dataset and layer", "figure": "table"},
        ),
    log:
        "logs/tabulate_mechanics.log",
    conda:
        CONDA
    params:
        code=digest_of_code("running.tabulate"),
    message:
        "Tabulating mechanics"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- running.tabulate"
        " {input.mechanics:q} --of mechanics --out {output:q}"
        " 2>&1 | tee {log:q}"


rule contrast_training:
    input:
        trained=mechanics_of(TWINS.values()),
        random=mechanics_of(TWINS),
    output:
        report(
            "results/mechanics_of_training.csv",
            caption="../report/mechanics_of_training.rst",
            category="Mechanics",
            labels={"of": "trained less random", "figure": "table"},
        ),
    log:
        "logs/contrast_training.log",
    conda:
        CONDA
    params:
        code=digest_of_code("mechanics.contrast_training"),
    message:
        "Contrasting the mechanics of trained and random models"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- mechanics.contrast_training"
        " --trained {input.trained:q}"
        " --random {input.random:q} --out {output:q} 2>&1 | tee {log:q}"


for number, title in MECHANICS_NUMBERS.items():

    rule:
        name:
            f"plot_{number}"
        input:
            mechanics=expand(MECHANICS, dataset=DATASETS, model=MODELS),
        output:
            svg=[
                report(
                    MECHANICS_FIGURE.format(number=number, dataset=dataset, format="svg"),
                    caption=f"../report/mechanics_{number}.rst",
                    category="Mechanics",
                    labels={"of": dataset, "figure": title},
                )
                for dataset in DATASETS
            ],
            pdf=expand(MECHANICS_FIGURE, number=number, dataset=DATASETS, format="pdf"),
        log:
            f"logs/plot_{number}.log",
        localrule: True
        conda:
            CONDA
        params:
            code=digest_of_code("mechanics.plot_mechanics"),
            number=number,
            datasets=list(DATASETS),
        message:
            f"Drawing mechanics: {title}"
        shell:
            "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- mechanics.plot_mechanics"
            " {input.mechanics:q} --number {params.number} --datasets {params.datasets:q}"
            " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"


rule plot_trajectories:
    input:
        energies=energies_of_trajectories,
    output:
        svg=report(
            TRAJECTORY_FIGURE.replace("{format}", "svg"),
            caption="../report/trajectories.rst",
            category="Mechanics",
            labels={"of": "{model} on {dataset}", "figure": "one document"},
        ),
        pdf=TRAJECTORY_FIGURE.replace("{format}", "pdf"),
    log:
        "logs/plot_trajectories/{model}/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("mechanics.plot_trajectories"),
    message:
        "Drawing trajectories of {wildcards.model} on {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- mechanics.plot_trajectories"
        " {input.energies:q}"
        " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"


rule mechanics:
    input:
        MECHANICS_RESULTS,
        rules.steering.input,
    message:
        "Done: figures are in results/figures/mechanics and …/steering, numbers in results/mechanics.csv"
