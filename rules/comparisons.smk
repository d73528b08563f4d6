# Takes: results/states/model={model}/dataset={dataset}/shard={shard}.parquet, of any two ensembles.
# Makes: under model_a={model_a}/dataset_a={dataset_a}/layer_a={layer_a}/model_b=… of each folder,
#        results/comparisons/: the difference of their curves, a − b;
#        results/distances/: how far apart their energies are, one row;
#        results/figures/comparisons/: both, drawn;
#        and the rows of the pairs that the configuration names in results/comparisons.csv.


localrules:
    plot_comparison,
    tabulate_comparisons,


rule compare_curves:
    input:
        states_a=states_of_side("a"),
        states_b=states_of_side("b"),
    output:
        comparison=COMPARISON,
        distances=DISTANCES,
    log:
        f"logs/compare_curves/{PAIR}.log",
    group:
        "curves"
    conda:
        CONDA
    params:
        code=digest_of_code("comparisons.compare_curves"),
        paired=lambda w: ["--paired"] if same_documents(w.dataset_a, w.dataset_b, DATASETS) else [],
        options=CURVE_OPTIONS,
    message:
        "Comparing {wildcards.model_a} on {wildcards.dataset_a}, layer {wildcards.layer_a},"
        " with {wildcards.model_b} on {wildcards.dataset_b}, layer {wildcards.layer_b}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- comparisons.compare_curves"
        " --states-a {input.states_a:q}"
        " --layer-a {wildcards.layer_a} --states-b {input.states_b:q} --layer-b {wildcards.layer_b}"
        " {params.paired} {params.options:q} --distances {output.distances:q}"
        " --out {output.comparison:q} 2>&1 | tee {log:q}"


rule plot_comparison:
    input:
        comparison=COMPARISON,
        distances=DISTANCES,
    output:
        svg=report(
            COMPARISON_FIGURE.replace("{format}", "svg"),
            caption="../report/comparison.rst",
            category="Comparisons",
            labels={
                "a": "{model_a} on {dataset_a}, layer {layer_a}",
                "b": "{model_b} on {dataset_b}, layer {layer_b}",
            },
        ),
        pdf=COMPARISON_FIGURE.replace("{format}", "pdf"),
    log:
        f"logs/plot_comparison/{PAIR}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("comparisons.plot_comparison"),
    message:
        "Drawing {wildcards.model_a} on {wildcards.dataset_a}, layer {wildcards.layer_a},"
        " against {wildcards.model_b} on {wildcards.dataset_b}, layer {wildcards.layer_b}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- comparisons.plot_comparison"
        " {input.comparison:q}"
        " --distances {input.distances:q} --svg {output.svg:q} --pdf {output.pdf:q}"
        " 2>&1 | tee {log:q}"


rule tabulate_comparisons:
    input:
        distances=[DISTANCES.format(**pair) for pair in COMPARISONS],
    output:
        report(
            "results/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Comparisons",
            labels={"table": "every pair of the configuration"},
        ),
    log:
        "logs/tabulate_comparisons.log",
    conda:
        CONDA
    params:
        code=digest_of_code("running.tabulate"),
    message:
        "Tabulating comparisons"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- running.tabulate"
        " {input.distances:q} --of distances --out {output:q}"
        " 2>&1 | tee {log:q}"
