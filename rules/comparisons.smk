# Takes: results/states/model={model}/dataset={dataset}/shard={shard}.parquet, of any two ensembles.
# Makes: under model_a={model_a}/dataset_a={dataset_a}/layer_a={layer_a}/model_b=… of each folder,
#        results/comparisons/: the difference of their curves, a − b;
#        results/distances/: how far apart their energies are, one row;
#        results/figures/comparisons/: both, drawn;
#        and the rows of the pairs that the configuration names in results/comparisons.csv.

PAIR = (
    "model_a={model_a}/dataset_a={dataset_a}/layer_a={layer_a}/"
    "model_b={model_b}/dataset_b={dataset_b}/layer_b={layer_b}"
)
COMPARISON = f"results/comparisons/{PAIR}.parquet"
DISTANCES = f"results/distances/{PAIR}.parquet"
COMPARISON_FIGURE = f"results/figures/comparisons/{PAIR}"

COMPARISONS = [
    {f"{key}_{side}": value for side, chosen in zip("ab", pair) for key, value in chosen.items()}
    for pair in STUDY["comparisons"]
]


wildcard_constraints:
    model_a=one_of(MODELS),
    dataset_a=one_of(DATASETS),
    layer_a=r"\d+",
    model_b=one_of(MODELS),
    dataset_b=one_of(DATASETS),
    layer_b=r"\d+",


localrules:
    plot_comparison,


include: "functions/comparisons.smk"


rule compare_curves:
    input:
        states_a=states_of_side("a"),
        states_b=states_of_side("b"),
    output:
        comparison=COMPARISON,
        distances=DISTANCES,
    log:
        log("compare_curves", PAIR),
    group:
        "curves"
    conda:
        CONDA
    params:
        paired=lambda w: ["--paired"] if same_documents(w.dataset_a, w.dataset_b, DATASETS) else [],
        options=CURVE_OPTIONS,
    message:
        "Comparing {wildcards.model_a} on {wildcards.dataset_a}, layer {wildcards.layer_a},"
        " with {wildcards.model_b} on {wildcards.dataset_b}, layer {wildcards.layer_b}"
    shell:
        run(
            "comparisons.compare_curves",
            "--states-a {input.states_a:q} --layer-a {wildcards.layer_a}"
            " --states-b {input.states_b:q} --layer-b {wildcards.layer_b} {params.paired} {params.options:q}"
            " --distances {output.distances:q} --out {output.comparison:q}",
        )


rule plot_comparison:
    input:
        comparison=COMPARISON,
        distances=DISTANCES,
    output:
        **figure(
            COMPARISON_FIGURE,
            "comparisons/comparison",
            "Comparisons",
            a="{model_a} on {dataset_a}, layer {layer_a}",
            b="{model_b} on {dataset_b}, layer {layer_b}",
        ),
    log:
        log("plot_comparison", PAIR),
    conda:
        CONDA
    message:
        "Drawing {wildcards.model_a} on {wildcards.dataset_a}, layer {wildcards.layer_a},"
        " against {wildcards.model_b} on {wildcards.dataset_b}, layer {wildcards.layer_b}"
    shell:
        run(
            "comparisons.plot_comparison",
            f"{{input.comparison:q}} --distances {{input.distances:q}} {DRAWN}",
        )


COMPARED = [path for pair in COMPARISONS for path in drawn(COMPARISON_FIGURE.format(**pair))]
if COMPARISONS:
    COMPARED.append(
        table(
            "comparisons",
            [DISTANCES.format(**pair) for pair in COMPARISONS],
            "Tabulating comparisons",
            caption="comparisons/comparisons",
            category="Comparisons",
            table="every pair of the configuration",
        )
    )
RESULTS += COMPARED


rule comparisons:
    input:
        COMPARED,
    message:
        "Done: figures are in results/figures/comparisons, numbers in results/comparisons.csv"
