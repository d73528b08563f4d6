# Takes: results/curves/model={model}/dataset={dataset}/layer={layer}.parquet,
#        results/wells/model={model}/dataset={dataset}.parquet.
# Makes: results/figures/, each figure as SVG and PDF:
#        across_models/dataset={dataset}/{quantity}: all models at their final layer;
#        across_layers/model={model}/dataset={dataset}/{quantity}: all layers of one model;
#        across_datasets/model={model}/{quantity}: the final layer on text and on null ensembles;
#        layer_map/model={model}/dataset={dataset}: where the states of each layer lie;
#        wells/dataset={dataset}: the wells of all models, layer by layer.


localrules:
    plot_across_models,
    plot_across_layers,
    plot_across_datasets,
    plot_layer_map,
    plot_wells,


rule plot_across_models:
    input:
        curves=lambda w: curves_at(MODELS, [w.dataset], final_layer=True),
    output:
        svg=svg_of("model", "../report/across_models.rst", "Across models", "{dataset}"),
        pdf=pdf_of("model"),
    log:
        "logs/plot_across_models/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.plot_curves"),
        across="model",
    message:
        "Drawing curves across models on {wildcards.dataset}"
    shell:
        PLOT_CURVES


rule plot_across_layers:
    input:
        curves=lambda w: curves_at([w.model], [w.dataset], final_layer=False),
    output:
        svg=svg_of("layer", "../report/across_layers.rst", "Across layers", "{model} on {dataset}"),
        pdf=pdf_of("layer"),
    log:
        "logs/plot_across_layers/{model}/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.plot_curves"),
        across="layer",
    message:
        "Drawing curves across layers of {wildcards.model} on {wildcards.dataset}"
    shell:
        PLOT_CURVES


rule plot_across_datasets:
    input:
        curves=lambda w: curves_at([w.model], DATASETS, final_layer=True),
    output:
        svg=svg_of("dataset", "../report/across_datasets.rst", "Text or random tokens", "{model}"),
        pdf=pdf_of("dataset"),
    log:
        "logs/plot_across_datasets/{model}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.plot_curves"),
        across="dataset",
    message:
        "Drawing curves of {wildcards.model} across datasets"
    shell:
        PLOT_CURVES


rule plot_layer_map:
    input:
        curves=lambda w: curves_at([w.model], [w.dataset], final_layer=False),
    output:
        svg=report(
            LAYER_MAP.replace("{format}", "svg"),
            caption="../report/layer_map.rst",
            category="Layer × energy",
            labels={"model": "{model}", "dataset": "{dataset}"},
        ),
        pdf=LAYER_MAP.replace("{format}", "pdf"),
    log:
        "logs/plot_layer_map/{model}/{dataset}.log",
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.plot_layer_map"),
    message:
        "Drawing the layer map of {wildcards.model} on {wildcards.dataset}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.plot_layer_map"
        " {input.curves:q}"
        " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"


# One job for all datasets: starting up takes longer than drawing.
rule plot_wells:
    input:
        wells=expand(WELLS, dataset=DATASETS, model=MODELS),
    output:
        svg=[
            report(
                WELL_FIGURE.format(dataset=dataset, format="svg"),
                caption="../report/well_figures.rst",
                category="Repetition wells",
                labels={"figure": dataset},
            )
            for dataset in DATASETS
        ],
        pdf=expand(WELL_FIGURE, dataset=DATASETS, format="pdf"),
    log:
        "logs/plot_wells.log",
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.plot_wells"),
        datasets=list(DATASETS),
    message:
        "Drawing repetition wells"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.plot_wells"
        " {input.wells:q} --datasets {params.datasets:q}"
        " --svg {output.svg:q} --pdf {output.pdf:q} 2>&1 | tee {log:q}"
