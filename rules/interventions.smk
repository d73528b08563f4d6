# Takes: what every model takes, of those of which something is changed while they run.
# Makes: nothing of its own: such a model is a model, and results are where those of any other are.


rule interventions:
    input:
        [
            path
            for model in intervened(MODELS)
            for dataset in MEASURED
            for path in expand(energies_of(model), dataset=dataset, shard=shards(dataset))
        ],
    message:
        "Done: energies of models with an intervention are in results/energies"
