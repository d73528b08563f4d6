# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
# Makes: results/states/model={model}/dataset={dataset}/shard={shard}.parquet: counts, which add;
#        results/curves/model={model}/dataset={dataset}/layer={layer}.parquet;
#        results/wells/model={model}/dataset={dataset}.parquet, and all of them in results/wells.csv;
#        results/summary.rst: whether there are wells, in words and in one table;
#        by name only: results/canonical/model={model}/dataset={dataset}/layer={layer}.parquet and
#        results/signals/model={model}/dataset={dataset}.parquet, all of them in results/signals.csv;
#        results/figures/, each figure as SVG and PDF:
#        across_models/dataset={dataset}/{quantity}: all models at their final layer;
#        across_layers/model={model}/dataset={dataset}/{quantity}: all layers of one model;
#        layer_map/model={model}/dataset={dataset}: where the states of each layer lie;
#        across_datasets/model={model}/{quantity}: the final layer on text and on null ensembles;
#        wells/dataset={dataset}: the wells of all models, layer by layer.

STATES = f"results/states/{SHARD}.parquet"
CURVES = f"results/curves/{ENSEMBLE}/layer={{layer}}.parquet"
WELLS = f"results/wells/{ENSEMBLE}.parquet"
CANONICAL = f"results/canonical/{ENSEMBLE}/layer={{layer}}.parquet"
SUMMARY = "results/summary.rst"
SIGNALS = f"results/signals/{ENSEMBLE}.parquet"

ACROSS_MODELS = "results/figures/across_models/dataset={dataset}/{quantity}"
ACROSS_LAYERS = f"results/figures/across_layers/{ENSEMBLE}/{{quantity}}"
LAYER_MAP = f"results/figures/layer_map/{ENSEMBLE}"
ACROSS_DATASETS = "results/figures/across_datasets/model={model}/{quantity}"
WELL_FIGURE = "results/figures/wells/dataset={dataset}"

QUANTITIES = {
    "entropy": "S(E), entropy",
    "temperature": "T(E), temperature",
    "density": "ρ(E), density of states",
}


localrules:
    plot_across_models,
    plot_across_layers,
    plot_across_datasets,
    plot_wells,
    summarise_wells,


include: "functions/thermodynamics.smk"


rule count_states:
    input:
        energies=energies_of_shard,
    output:
        STATES,
    log:
        log("count_states", SHARD),
    group:
        "counts"
    conda:
        CONDA
    params:
        layers=lambda w: MODELS[w.model]["layers"],
    message:
        "Counting states of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        run(
            "thermodynamics.count_states",
            "{input.energies:q} --layers {params.layers} --out {output:q}",
        )


for model, spec in MODELS.items():

    rule:
        name:
            f"estimate_curves_{model}"
        input:
            states=lambda w, model=model: states_of(model, w.dataset),
        output:
            wells=expand(WELLS, model=model, allow_missing=True),
            curves=expand(CURVES, model=model, layer=spec["layers"], allow_missing=True),
        log:
            log("estimate_curves", f"model={model}/{{dataset}}"),
        group:
            "curves"
        conda:
            CONDA
        params:
            layers=spec["layers"],
            options=CURVE_OPTIONS,
        message:
            f"Estimating curves of {model} on {{wildcards.dataset}}"
        shell:
            run(
                "thermodynamics.estimate_curves",
                "{input.states:q} --layers {params.layers} {params.options:q}"
                " --wells {output.wells:q} --out {output.curves:q}",
            )


rule reweight_states:
    input:
        states=states_of_ensemble,
        curves=CURVES,
    output:
        CANONICAL,
    log:
        log("reweight_states", "{model}/{dataset}/{layer}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CURVE_OPTIONS,
    message:
        "Reweighting states of {wildcards.model} on {wildcards.dataset}, layer {wildcards.layer}"
    shell:
        run(
            "thermodynamics.reweight_states",
            "{input.states:q} --layer {wildcards.layer} --curves {input.curves:q}"
            " {params.options:q} --out {output:q}",
        )


rule find_signals:
    input:
        states=states_of_ensemble,
    output:
        SIGNALS,
    log:
        log("find_signals", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        layers=lambda w: MODELS[w.model]["layers"],
        options=CURVE_OPTIONS,
    message:
        "Searching the entropy of {wildcards.model} on {wildcards.dataset} for signals"
    shell:
        run(
            "thermodynamics.find_signals",
            "{input.states:q} --layers {params.layers} {params.options:q} --out {output:q}",
        )


# Starting up takes longer than drawing, so one job draws what belongs together.
rule plot_across_models:
    input:
        curves=curves_at(MODELS, MEASURED, final_layer=True),
    output:
        **figure(
            expand(ACROSS_MODELS, dataset=MEASURED, quantity=QUANTITIES),
            "thermodynamics/across_models",
            "Across models",
            of=dataset_of,
            quantity=quantity_of,
        ),
    log:
        log("plot_across_models"),
    conda:
        CONDA
    message:
        "Drawing curves across models"
    shell:
        run("thermodynamics.plot_curves", f"{{input.curves:q}} --across model {DRAWN}")


rule plot_across_layers:
    input:
        curves=lambda w: curves_at([w.model], MEASURED, final_layer=False),
    output:
        **figure(
            expand(ACROSS_LAYERS, dataset=MEASURED, quantity=QUANTITIES, allow_missing=True),
            "thermodynamics/across_layers",
            "Across layers",
            of=lambda path: f"{{model}} on {dataset_of(path)}",
            quantity=quantity_of,
        ),
        **figure(
            expand(LAYER_MAP, dataset=MEASURED, allow_missing=True),
            "thermodynamics/layer_map",
            "Layer × energy",
            prefix="map_",
            model="{model}",
            dataset=dataset_of,
        ),
    log:
        log("plot_across_layers", "{model}"),
    conda:
        CONDA
    message:
        "Drawing curves across layers of {wildcards.model}"
    shell:
        run(
            "thermodynamics.plot_curves",
            f"{{input.curves:q}} --across layer {DRAWN}"
            " --map-svg {output.map_svg:q} --map-pdf {output.map_pdf:q}",
        )


rule plot_across_datasets:
    input:
        curves=lambda w: curves_at([w.model], MEASURED, final_layer=True),
    output:
        **figure(
            expand(ACROSS_DATASETS, quantity=QUANTITIES, allow_missing=True),
            "thermodynamics/across_datasets",
            "Text or random tokens",
            of="{model}",
            quantity=quantity_of,
        ),
    log:
        log("plot_across_datasets", "{model}"),
    conda:
        CONDA
    message:
        "Drawing curves of {wildcards.model} across datasets"
    shell:
        run("thermodynamics.plot_curves", f"{{input.curves:q}} --across dataset {DRAWN}")


rule plot_wells:
    input:
        wells=expand(WELLS, dataset=MEASURED, model=MODELS),
    output:
        **figure(
            expand(WELL_FIGURE, dataset=MEASURED),
            "thermodynamics/well_figures",
            "Repetition wells",
            figure=dataset_of,
        ),
    log:
        log("plot_wells"),
    conda:
        CONDA
    message:
        "Drawing repetition wells"
    shell:
        run("thermodynamics.plot_wells", f"{{input.wells:q}} {DRAWN}")


rule summarise_wells:
    input:
        wells=expand(WELLS, model=MODELS, dataset=MEASURED),
    output:
        report(
            SUMMARY,
            category="Repetition wells",
            labels={"table": "in words, as the report begins"},
        ),
    log:
        log("summarise_wells"),
    conda:
        CONDA
    params:
        null_models=json.dumps(null_models()),
        null_datasets=json.dumps(null_datasets()),
        options=CONFIDENCE,
    message:
        "Tabulating what was found"
    shell:
        run(
            "thermodynamics.summarise_wells",
            "{input.wells:q} --null-models={params.null_models:q}"
            " --null-datasets={params.null_datasets:q} {params.options:q} --out {output:q}",
        )


THERMODYNAMICS = [
    SUMMARY,
    table(
        "wells",
        expand(WELLS, model=MODELS, dataset=MEASURED),
        "Tabulating repetition wells",
        caption="thermodynamics/wells",
        category="Repetition wells",
        table="every model, dataset and layer",
    ),
    *drawn(ACROSS_MODELS, dataset=MEASURED, quantity=QUANTITIES),
    *drawn(ACROSS_LAYERS, model=MODELS, dataset=MEASURED, quantity=QUANTITIES),
    *drawn(LAYER_MAP, model=MODELS, dataset=MEASURED),
    *drawn(ACROSS_DATASETS, model=MODELS, quantity=QUANTITIES),
    *drawn(WELL_FIGURE, dataset=MEASURED),
    # Figures need them already, but Snakemake would not miss one that was deleted since.
    *curves_at(MODELS, MEASURED, final_layer=False),
]
RESULTS += THERMODYNAMICS

table("signals", expand(SIGNALS, model=MODELS, dataset=MEASURED), "Tabulating signals")


rule thermodynamics:
    input:
        THERMODYNAMICS,
    message:
        "Done: figures are in results/figures, numbers in results/wells.csv and results/curves"
