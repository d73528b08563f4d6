# Takes: results/models/{model}/, results/tokens/model={model}/dataset={dataset}/shard={shard}.parquet,
#        of the pairs that `steering` in the configuration names.
# Makes: under model={model}/dataset={dataset} of results/steering/,
#        states/: what each way of steering achieves, state by state; effects/: on average;
#        of all pairs results/steering/effects.csv;
#        and results/figures/steering/…/effects as SVG and PDF.

STEERED_STATES = f"results/steering/states/{ENSEMBLE}.parquet"
EFFECTS = f"results/steering/effects/{ENSEMBLE}.parquet"
EFFECTS_FIGURE = f"results/figures/steering/{ENSEMBLE}/effects"

STEERED = {(spec["model"], spec["dataset"]): spec for spec in STUDY["steering"]}


localrules:
    plot_effects,


include: "functions/steering.smk"


for model in dict.fromkeys(model for model, _ in STEERED):

    rule:
        name:
            f"steer_states_{model}"
        input:
            snapshot=snapshot_of(model),
            tokens=tokens_of(model),
        output:
            expand(STEERED_STATES, model=model, allow_missing=True),
        log:
            log("steer_states", f"{model}/{{dataset}}"),
        benchmark:
            f"logs/steer_states/{model}/{{dataset}}.benchmark.tsv"
        wildcard_constraints:
            dataset=steered_with(model),
        conda:
            CONDA
        threads: measure_threads(MODELS[model]["device"])
        resources:
            **of_model(MODELS[model], lambda w, attempt: 60 * attempt),
        params:
            running=running(model),
            options=lambda w, model=model: options(STEERED[model, w.dataset], *steering_keys()),
        message:
            f"Steering states of {model} on {{wildcards.dataset}}"
        shell:
            run(
                "steering.steer_states",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}} --out {{output:q}}",
            )


rule describe_effects:
    input:
        states=if_steered(STEERED_STATES),
    output:
        EFFECTS,
    log:
        log("describe_effects", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        options=CONFIDENCE,
    message:
        "Describing steering: effects of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("steering.describe_effects", "{input.states:q} {params.options:q} --out {output:q}")


rule plot_effects:
    input:
        effects=EFFECTS,
    output:
        **figure(
            EFFECTS_FIGURE,
            "steering/effects",
            "Steering",
            model="{model}",
            dataset="{dataset}",
            figure="effects",
        ),
    log:
        log("plot_effects", "{model}/{dataset}"),
    conda:
        CONDA
    message:
        "Drawing steering: effects of {wildcards.model} on {wildcards.dataset}"
    shell:
        run("steering.plot_effects", f"{{input.effects:q}} {DRAWN}")


EFFECTS_TABLE = (
    table(
        "steering/effects",
        of_steered(EFFECTS),
        "Tabulating steering: effects",
        caption="steering/effects",
        category="Steering",
        figure="effects, in numbers",
    )
    if STEERED
    else []
)


rule steering:
    input:
        [path for pattern in of_steered(EFFECTS_FIGURE) for path in drawn(pattern)],
        EFFECTS_TABLE,
    message:
        "Done: figures are in results/figures/steering, numbers in results/steering"
