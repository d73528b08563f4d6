# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet.
# Makes: results/energies/… of the models whose correct token is held against more than the last one.


for model, spec in rivals_of(MODELS).items():

    rule:
        name:
            f"measure_loops_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=expand(TOKENS, model=model, allow_missing=True),
        output:
            energies_of(model),
        log:
            log("measure_loops", f"model={model}/{{dataset}}/{{shard}}"),
        benchmark:
            f"logs/measure_loops/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_read(spec), measured_layers=len(spec["layers"])),
        params:
            running=running(model, "layers", *CUT),
            options=options(spec["rivals"], "periods", "history", "seed"),
        message:
            f"Measuring loop energies of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
        shell:
            run(
                "periods.measure_loops",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} --out {{output:q}}",
            )
