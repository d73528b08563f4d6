# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet.
# Makes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
#
# One forward pass serves every layer, so a job is model × dataset × shard and makes all layers'
# files. Which those are depends on the model, hence one rule a model. (A model with a readout of its
# own, or whose correct token is held against more than the last one, is measured by that stage.)

ENERGIES = f"results/energies/{ENSEMBLE}/layer={{layer}}/shard={{shard}}.parquet"

CUT = ["context", "stride"]


include: "functions/energies.smk"


for model, spec in MODELS.items():
    if spec["readout"] == "logit_lens" and spec["rivals"] == "last":

        rule:
            name:
                f"measure_energies_{model}"
            input:
                snapshot=snapshot_of(model),
                tokens=expand(TOKENS, model=model, allow_missing=True),
            output:
                energies_of(model),
            log:
                log("measure_energies", f"model={model}/{{dataset}}/{{shard}}"),
            benchmark:
                f"logs/measure_energies/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
            conda:
                CONDA
            threads: measure_threads(spec["device"])
            resources:
                **of_model(spec, time_to_read(spec), measured_layers=len(spec["layers"])),
            params:
                running=running(model, "layers", *CUT),
            message:
                f"Measuring energies of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
            shell:
                run(
                    "energies.measure_energies",
                    f"{RUNNING} --tokens {{input.tokens:q}} --out {{output:q}}",
                )


rule energies:
    input:
        [
            path
            for model in MODELS
            for dataset in MEASURED
            for path in expand(energies_of(model), dataset=dataset, shard=shards(dataset))
        ],
    message:
        "Done: energies are in results/energies"
