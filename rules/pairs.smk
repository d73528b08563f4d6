# What the rules share of stages whose entries are of a model and a dataset; no rule, and no path of
# any stage's.


def if_named(key, pairs, done, files):
    """Input of a rule for {model} and {dataset}, a pair that the configuration must name.

    Parameters
    ----------
    key : of the configuration under which the pairs stand.
    done : what is done with them, such as "steered".
    files : of the pair and the wildcards.
    """

    def of_pair(wildcards):
        pair = wildcards.model, wildcards.dataset
        if pair not in pairs:
            raise WorkflowError(f"{' on '.join(pair)} is not {done}; add an entry to `{key}`")
        return files(pair, wildcards)

    return of_pair


def figure_of_pair(stage, name):
    """A figure of one pair of model and dataset, as SVG and PDF: what stands after `output:`."""
    labels = {"model": "{model}", "dataset": "{dataset}", "figure": name}
    path = f"results/figures/{stage}/{ENSEMBLE}/{name}"
    return figure(path, f"{stage}/{name}", stage.capitalize(), **labels)


def figures_of_pair(stage, pair, names):
    """Files of such figures, for one pair."""
    patterns = [f"results/figures/{stage}/{ENSEMBLE}/{name}" for name in names]
    return drawn(patterns, model=pair[0], dataset=pair[1])
