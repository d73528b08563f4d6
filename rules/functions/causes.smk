# What the rules of causes.smk ask: Snakemake's linter wants functions and rules apart.


def caused():
    """Pairs of model and dataset that causes are of."""
    pairs = [
        (model, cause["dataset"])
        for cause in OF_CAUSES
        for model in cause.get("doses", [cause.get("model")])
    ]
    return list(dict.fromkeys(pairs))


def continuations_of_caused(wildcards):
    """What such models write under `decoding`, of those that do."""
    return [
        path for pair in caused() if pair in CONTINUED for path in continued(CONTINUATIONS, *pair)
    ]
