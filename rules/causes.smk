# Takes: results/training/sums/…, results/decoding/… and results/attention/sums/… of the models that
#        `causes` in the configuration names.
# Makes: results/causes/causes.parquet and results/causes.csv: what models are like at each dose of what
#        is done to them, slopes, and what remains of it beside other causes;
#        and results/figures/causes/… as SVG and PDF.

CAUSES = "results/causes/causes.parquet"
CAUSES_FIGURE = "results/figures/causes/dataset={dataset}/{figure}"
FIGURES_OF_CAUSES = ["doses", "remains"]

OF_CAUSES = STUDY["causes"]


include: "functions/causes.smk"


localrules:
    describe_causes,
    plot_causes,


rule describe_causes:
    input:
        sums=[SUMS.format(model=model, dataset=dataset) for model, dataset in caused()],
        continuations=continuations_of_caused,
        attended=[
            ATTENDED_SUMS.format(model=model, dataset=dataset)
            for model, dataset in caused()
            if (model, dataset) in ATTENDED
        ],
    output:
        CAUSES,
    log:
        log("describe_causes"),
    conda:
        CONDA
    params:
        causes=json.dumps(OF_CAUSES),
        options=CONFIDENCE,
        more=lambda w, input: words_of_files(input, "continuations", "attended"),
    message:
        "Putting causes side by side"
    shell:
        run(
            "causes.describe_causes",
            "{input.sums:q} --causes {params.causes:q} {params.more:q} {params.options:q}"
            " --out {output:q}",
        )


rule plot_causes:
    input:
        CAUSES,
    output:
        **figure(
            expand(CAUSES_FIGURE, figure=FIGURES_OF_CAUSES, allow_missing=True),
            lambda path: f"causes/{path.rpartition('/')[2]}",
            "Causes",
            dataset="{dataset}",
            figure=lambda path: path.rpartition("/")[2],
        ),
    log:
        log("plot_causes", "{dataset}"),
    conda:
        CONDA
    message:
        "Drawing causes on {wildcards.dataset}"
    shell:
        run("causes.plot_causes", f"{{input:q}} --dataset {{wildcards.dataset:q}} {DRAWN}")


rule causes:
    input:
        table(
            "causes",
            [CAUSES],
            "Tabulating causes",
            caption="causes/causes_table",
            category="Causes",
            figure="causes, in numbers",
        )
        if OF_CAUSES
        else [],
        drawn(
            expand(CAUSES_FIGURE, figure=FIGURES_OF_CAUSES, allow_missing=True),
            dataset=list(dict.fromkeys(cause["dataset"] for cause in OF_CAUSES)),
        ),
    message:
        "Done: numbers are in results/causes.csv, figures in results/figures/causes"
