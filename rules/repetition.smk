# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet, of
#        datasets that are `repeated`: a shard for each number of copies.
# Makes: results/repetition/model={model}/dataset={dataset}.parquet, a row a layer and number of
#        copies, and results/figures/repetition/model={model}/dataset={dataset} as SVG and PDF.


localrules:
    plot_repetition,


rule tabulate_repetition:
    input:
        energies=energies_of_repetition,
    output:
        REPETITION,
    log:
        "logs/tabulate_repetition/{model}/{dataset}.log",
    group:
        "curves"
    conda:
        CONDA
    params:
        code=digest_of_code("repetition.describe_repetition"),
        confidence=STUDY["curves"]["confidence"],
    message:
        "Tabulating the repetition of {wildcards.dataset} by {wildcards.model}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- repetition.describe_repetition"
        " {input.energies:q}"
        " --confidence {params.confidence} --out {output:q} 2>&1 | tee {log:q}"


rule plot_repetition:
    input:
        repetition=REPETITION,
    output:
        svg=report(
            REPETITION_FIGURE.replace("{format}", "svg"),
            caption="../report/repetition.rst",
            category="Repetition",
            labels={"model": "{model}", "dataset": "{dataset}"},
        ),
        pdf=REPETITION_FIGURE.replace("{format}", "pdf"),
    log:
        "logs/plot_repetition/{model}/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("repetition.plot_repetition"),
    message:
        "Drawing the repetition of {wildcards.dataset} by {wildcards.model}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- repetition.plot_repetition"
        " {input.repetition:q}"
        " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"
