# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet, of
#        datasets that are `repeated`: a shard for each number of copies.
# Makes: results/repetition/model={model}/dataset={dataset}.parquet, a row a layer and number of
#        copies, and results/figures/repetition/model={model}/dataset={dataset} as SVG and PDF.

REPETITION = f"results/repetition/{ENSEMBLE}.parquet"
REPETITION_FIGURE = f"results/figures/repetition/{ENSEMBLE}"

REPEATED = [name for name in MEASURED if is_repeated(DATASETS[name])]


localrules:
    plot_repetition,


rule describe_repetition:
    input:
        energies=energies_of_ensemble,
    output:
        REPETITION,
    log:
        log("describe_repetition", "{model}/{dataset}"),
    wildcard_constraints:
        dataset=one_of(REPEATED),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing the repetition of {wildcards.dataset} by {wildcards.model}"
    shell:
        run(
            "repetition.describe_repetition",
            "{input.energies:q} {params.options:q} --out {output:q}",
        )


rule plot_repetition:
    input:
        repetition=REPETITION,
    output:
        **figure(
            REPETITION_FIGURE,
            "repetition/repetition",
            "Repetition",
            model="{model}",
            dataset="{dataset}",
        ),
    log:
        log("plot_repetition", "{model}/{dataset}"),
    conda:
        CONDA
    message:
        "Drawing the repetition of {wildcards.dataset} by {wildcards.model}"
    shell:
        run("repetition.plot_repetition", f"{{input.repetition:q}} {DRAWN}")


RESULTS += drawn(REPETITION_FIGURE, model=MODELS, dataset=REPEATED)


rule repetition:
    input:
        drawn(REPETITION_FIGURE, model=MODELS, dataset=REPEATED),
    message:
        "Done: figures are in results/figures/repetition, numbers in results/repetition"
