# Takes: results/energies/…, results/tokens/… and results/curves/… of all models and datasets, and the
#        models' tokenizers; of those asked to tell anomalies, their loop energies too.
# Makes: results/explorer/{layers,positions,states}/model={model}/dataset={dataset}.parquet: which
#        states are shown;
#        and results/explorer.html, the page that shows them;
#        results/lowest/model={model}/dataset={dataset}.html, for the report: the lowest states at the
#        last layer, in their text.

EXPLORED = {
    part: f"results/explorer/{part}/{ENSEMBLE}.parquet"
    for part in ("layers", "positions", "states")
}

LOWEST = f"results/lowest/{ENSEMBLE}.html"

OF_EXPLORER = STUDY["explorer"]

PAGE = ["page.html", "page.css", "numbers.js", "text.js", "charts.js", "states.js"]
PAGE += ["document.js", "main.js"]
"""Files that the page is made of, scripts in their order."""


include: "functions/explorer.smk"


localrules:
    write_page,


rule select_states:
    input:
        energies=energies_of_ensemble,
        tokens=lambda w: expand(TOKENS, model=w.model, dataset=w.dataset, shard=shards(w.dataset)),
        curves=lambda w: curves_at([w.model], [w.dataset], final_layer=False),
        loops=loops_of_ensemble,
    output:
        **EXPLORED,
    log:
        log("select_states", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        loops=lambda w, input: ["--loops", *input.loops] if input.loops else [],
        bytes=room_of_ensemble,
        options=options(OF_EXPLORER, "tail", "neighbours", "seed"),
    message:
        "Selecting states of {wildcards.model} on {wildcards.dataset} for the explorer"
    shell:
        run(
            "explorer.select_states",
            "--energies {input.energies:q} --tokens {input.tokens:q} --curves {input.curves:q}"
            " {params.loops:q} --bytes {params.bytes} {params.options:q} --layers-out {output.layers:q}"
            " --positions-out {output.positions:q} --states-out {output.states:q}",
        )


rule write_page:
    input:
        **explored(),
        tokenizers=[snapshot_of(model) for model in MODELS],
        page=[f"{workflow.basedir}/workflow_scripts/explorer/page/{name}" for name in PAGE],
    output:
        "results/explorer.html",
    log:
        log("write_page"),
    conda:
        CONDA
    params:
        models=[f"results/models/{MODELS[model]['weights']}" for model, _ in ensembles()],
        options=options(OF_EXPLORER, "megabytes"),
    message:
        "Writing the explorer"
    shell:
        run(
            "explorer.write_page",
            "--layers {input.layers:q} --positions {input.positions:q} --states {input.states:q}"
            " --models {params.models:q} --page {input.page:q} {params.options:q} --out {output:q}",
        )


rule show_lowest_states:
    input:
        energies=lambda w: expand(
            ENERGIES,
            model=w.model,
            dataset=w.dataset,
            layer=MODELS[w.model]["layers"][-1],
            shard=shards(w.dataset),
        ),
        tokens=lambda w: expand(TOKENS, model=w.model, dataset=w.dataset, shard=shards(w.dataset)),
        tokenizer=lambda w: snapshot_of(w.model),
    output:
        report(
            LOWEST,
            caption="../report/explorer/lowest.rst",
            category="Lowest states",
            labels={"of": "{model} on {dataset}"},
        ),
    log:
        log("show_lowest_states", "{model}/{dataset}"),
    group:
        "curves"
    conda:
        CONDA
    params:
        snapshot=lambda w: f"results/models/{MODELS[w.model]['weights']}",
    message:
        "Showing the lowest states of {wildcards.model} on {wildcards.dataset}"
    shell:
        run(
            "explorer.show_lowest_states",
            "--energies {input.energies:q} --tokens {input.tokens:q} --model {params.snapshot:q}"
            " --out {output:q}",
        )


RESULTS += expand(LOWEST, model=MODELS, dataset=MEASURED)


rule explorer:
    input:
        "results/explorer.html",
    message:
        "Done: open results/explorer.html in a browser"
