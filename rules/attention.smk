# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet
#        and results/energies/…, of the pairs that `attention` in the configuration names.
# Makes: under results/attention/,
#        states/: the attention of each state, a file a layer and shard as of the energies;
#        groups/, volumes/, associations/: what goes with low energy, by pair of model and dataset;
#        places/, sums/: states in runs and elsewhere, and sums over documents;
#        of all pairs results/attention/groups.csv, associations.csv and places.csv;
#        and results/figures/attention/… as SVG and PDF.

ATTENTION = f"results/attention/states/{ENSEMBLE}/layer={{layer}}/shard={{shard}}.parquet"
ATTENDED_GROUPS = f"results/attention/groups/{ENSEMBLE}.parquet"
ATTENDED_VOLUMES = f"results/attention/volumes/{ENSEMBLE}.parquet"
ATTENDED_ASSOCIATIONS = f"results/attention/associations/{ENSEMBLE}.parquet"
ATTENDED_PLACES = f"results/attention/places/{ENSEMBLE}.parquet"
ATTENDED_SUMS = f"results/attention/sums/{ENSEMBLE}.parquet"

BY_QUANTILES = ["groups", "entropies"]
BY_LAYERS = ["associations", "map"]
BY_PLACES = ["places"]

ATTENDED = {(spec["model"], spec["dataset"]): spec for spec in STUDY["attention"]}


localrules:
    plot_quantiles,
    plot_associations,
    plot_places,


include: "functions/attention.smk"


for model in dict.fromkeys(model for model, _ in ATTENDED):
    spec = MODELS[model]

    rule:
        name:
            f"measure_attention_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=expand(TOKENS, model=model, allow_missing=True),
        output:
            attention_of(model),
        log:
            log("measure_attention", f"model={model}/{{dataset}}/{{shard}}"),
        benchmark:
            f"logs/measure_attention/model={model}/{{dataset}}/{{shard}}.benchmark.tsv"
        wildcard_constraints:
            dataset=attended_with(model),
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_read(spec), measured_layers=len(spec["layers"])),
        params:
            running=running(model, "layers", *CUT),
            heads=heads_of(model),
        message:
            f"Measuring attention of {model} on {{wildcards.dataset}}, shard {{wildcards.shard}}"
        shell:
            run(
                "attention.measure_attention",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.heads:q}} --out {{output:q}}",
            )


rule describe_attention:
    input:
        energies=energies_of_ensemble,
        attention=if_attended(attention_of_pair),
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
    output:
        groups=ATTENDED_GROUPS,
        volumes=ATTENDED_VOLUMES,
        associations=ATTENDED_ASSOCIATIONS,
        places=ATTENDED_PLACES,
        sums=ATTENDED_SUMS,
    log:
        log("describe_attention", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=lambda w: options(ATTENDED[w.model, w.dataset], "quantiles", "draws", "seed")
        + CONFIDENCE,
    message:
        "Describing what goes with low energy of {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "attention.describe_attention",
            "--energies {input.energies:q} --attention {input.attention:q}"
            " --tokens {input.tokens:q} {params.options:q}"
            " --groups {output.groups:q} --volumes {output.volumes:q}"
            " --associations {output.associations:q} --places {output.places:q}"
            " --sums {output.sums:q}",
        )


rule plot_quantiles:
    input:
        groups=ATTENDED_GROUPS,
        volumes=ATTENDED_VOLUMES,
    output:
        **attention_figure(BY_QUANTILES),
    log:
        log("plot_quantiles", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing {wildcards.model} on {wildcards.dataset} by quantiles of attention"
    shell:
        run(
            "attention.plot_quantiles",
            f"--groups {{input.groups:q}} --volumes {{input.volumes:q}} {DRAWN}",
        )


rule plot_associations:
    input:
        associations=if_attended(associations_beside),
    output:
        **attention_figure(BY_LAYERS),
    log:
        log("plot_associations", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing what goes with low energy of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("attention.plot_associations", f"{{input.associations:q}} {DRAWN}")


rule plot_places:
    input:
        ATTENDED_PLACES,
    output:
        **attention_figure(BY_PLACES),
    log:
        log("plot_places", ENSEMBLE),
    conda:
        CONDA
    message:
        "Drawing {wildcards.model} on {wildcards.dataset} in repetitions"
    shell:
        run("attention.plot_places", f"{{input:q}} {DRAWN}")


ATTENDED_TABLES = (
    [
        table(
            f"attention/{name}",
            [pattern.format(model=model, dataset=dataset) for model, dataset in ATTENDED],
            f"Tabulating {name} of attention",
            caption=f"attention/{name}_table",
            category="Attention",
            figure=f"{name}, in numbers",
        )
        for name, pattern in (
            ("groups", ATTENDED_GROUPS),
            ("associations", ATTENDED_ASSOCIATIONS),
            ("places", ATTENDED_PLACES),
        )
    ]
    if ATTENDED
    else []
)


rule attention:
    input:
        [path for pair in ATTENDED for path in attention_figures(pair)],
        ATTENDED_TABLES,
    message:
        "Done: figures are in results/figures/attention, numbers in results/attention"
