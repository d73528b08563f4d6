# Takes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
# Makes: results/states/model={model}/dataset={dataset}/shard={shard}.parquet: counts, which add;
#        results/curves/model={model}/dataset={dataset}/layer={layer}.parquet;
#        results/wells/model={model}/dataset={dataset}.parquet, and all of them in results/wells.csv;
#        by name only: results/canonical/model={model}/dataset={dataset}/layer={layer}.parquet and
#        results/signals/model={model}/dataset={dataset}.parquet, all of them in results/signals.csv.


localrules:
    tabulate_wells,
    tabulate_signals,


rule count_states:
    input:
        energies=energies_of_shard,
    output:
        STATES,
    log:
        f"logs/count_states/{SHARD}.log",
    group:
        "counts"
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.count_states"),
        layers=lambda w: MODELS[w.model]["layers"],
    message:
        "Counting states of {wildcards.model} on {wildcards.dataset}, shard {wildcards.shard}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.count_states"
        " {input.energies:q} --layers {params.layers}"
        " --out {output:q} 2>&1 | tee {log:q}"


for model, spec in MODELS.items():

    rule:
        name:
            f"estimate_curves_{model}"
        input:
            states=states_of(model),
        output:
            wells=expand(WELLS, model=model, allow_missing=True),
            curves=expand(CURVES, model=model, layer=spec["layers"], allow_missing=True),
        log:
            f"logs/estimate_curves/model={model}/{{dataset}}.log",
        group:
            "curves"
        conda:
            CONDA
        params:
            code=digest_of_code("thermodynamics.estimate_curves"),
            model=model,
            layers=spec["layers"],
            options=CURVE_OPTIONS,
        message:
            f"Estimating curves of {model} on {{wildcards.dataset}}"
        shell:
            "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.estimate_curves"
            " {input.states:q} --model {params.model:q}"
            " --dataset {wildcards.dataset:q} --layers {params.layers}"
            " {params.options:q} --wells {output.wells:q} --out {output.curves:q}"
            " 2>&1 | tee {log:q}"


rule tabulate_wells:
    input:
        wells=expand(WELLS, model=MODELS, dataset=DATASETS),
    output:
        report(
            "results/wells.csv",
            caption="../report/wells.rst",
            category="Repetition wells",
            labels={"table": "every model, dataset and layer"},
        ),
    log:
        "logs/tabulate_wells.log",
    conda:
        CONDA
    params:
        code=digest_of_code("running.tabulate"),
    message:
        "Tabulating repetition wells"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- running.tabulate"
        " {input.wells:q} --of wells --out {output:q}"
        " 2>&1 | tee {log:q}"


rule reweight_states:
    input:
        states=lambda w: states_of(w.model)(w),
        curves=CURVES,
    output:
        CANONICAL,
    log:
        "logs/reweight_states/{model}/{dataset}/{layer}.log",
    group:
        "curves"
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.reweight_states"),
        options=CURVE_OPTIONS,
    message:
        "Reweighting states of {wildcards.model} on {wildcards.dataset}, layer {wildcards.layer}"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.reweight_states"
        " {input.states:q} --layer {wildcards.layer}"
        " --curves {input.curves:q} {params.options:q} --out {output:q} 2>&1 | tee {log:q}"


rule find_signals:
    input:
        states=lambda w: states_of(w.model)(w),
    output:
        SIGNALS,
    log:
        "logs/find_signals/{model}/{dataset}.log",
    group:
        "curves"
    conda:
        CONDA
    params:
        code=digest_of_code("thermodynamics.find_signals"),
        layers=lambda w: MODELS[w.model]["layers"],
        options=CURVE_OPTIONS,
    message:
        "Searching the entropy of {wildcards.model} on {wildcards.dataset} for signals"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- thermodynamics.find_signals"
        " {input.states:q} --layers {params.layers}"
        " {params.options:q} --out {output:q} 2>&1 | tee {log:q}"


rule tabulate_signals:
    input:
        signals=expand(SIGNALS, model=MODELS, dataset=DATASETS),
    output:
        "results/signals.csv",
    log:
        "logs/tabulate_signals.log",
    conda:
        CONDA
    params:
        code=digest_of_code("running.tabulate"),
    message:
        "Tabulating signals"
    shell:
        "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- running.tabulate"
        " {input.signals:q} --of signals --out {output:q}"
        " 2>&1 | tee {log:q}"
