# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet;
#        of a tuned lens results/lenses/{model}.safetensors.
# Makes: results/energies/model={model}/dataset={dataset}/layer={layer}/shard={shard}.parquet.
#
# One forward pass serves every layer, so a job is model × dataset × shard and makes all layers'
# files. Which those are depends on the model, hence one rule a model.


for model, spec in MODELS.items():

    rule:
        name:
            f"measure_energies_{model}"
        input:
            snapshot=f"results/models/{weights_of(model)}/SHA256SUMS",
            lens=expand(LENS, model=[model] if model in LENSES else []),
            tokens=expand(TOKENS, model=model, allow_missing=True),
        output:
            energies_of(model),
        log:
            f"logs/measure_energies/model={model}/{{dataset}}/{{shard}}.log",
        benchmark:
            f"logs/measure_energies/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            gpu=0 if spec["device"] == "cpu" else 1,
            gpu_model=for_gpu(spec, "gpu_kind"),
            slurm_partition=for_gpu(spec, "gpu_partition", otherwise="slurm_partition"),
            mem_mb=memory_for(spec, measured_layers=len(spec["layers"])),
            runtime=time_to_read(spec),
            batch_tokens=0,  # what suits the device
            # Not among the params: where it runs does not change what it measures.
            device=spec["device"],
        params:
            code=digest_of_code("energies.measure_energies"),
            model=model,
            weights=weights_of(model),
            layers=spec["layers"],
            measurement=[
                f"--{key}={spec[key]}"
                for key in ("context", "stride", "readout", "dtype", "attention")
            ],
        message:
            f"Measuring energies of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
        shell:
            "python -m workflow_scripts.running.record_job {input:q} -- {output:q} -- energies.measure_energies"
            " --model results/models/{params.weights:q}"
            " --name {params.model:q} --tokens {input.tokens:q} --lens {input.lens:q}"
            " --layers {params.layers} {params.measurement:q} --device {resources.device} --threads {threads}"
            " --batch-tokens {resources.batch_tokens} --out {output:q} 2>&1 | tee {log:q}"
