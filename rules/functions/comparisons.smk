# What the rules of comparisons.smk ask: Snakemake's linter wants functions and rules apart.


def states_of_side(side):
    def of_pair(wildcards):
        model, dataset, layer = (
            wildcards[f"{key}_{side}"] for key in ("model", "dataset", "layer")
        )
        layers = MODELS[model]["layers"]
        if int(layer) not in layers:
            raise WorkflowError(f"layer {layer} of {model} is not measured; take one of {layers}")
        return states_of(model, dataset)

    return of_pair
