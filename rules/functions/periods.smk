# What the rules of periods.smk ask: Snakemake's linter wants functions and rules apart.


def energies_of_null(wildcards):
    """The same of the entry that looks at another place."""
    return expand(
        energies_of(LOOPS[wildcards.model]),
        dataset=wildcards.dataset,
        shard=shards(wildcards.dataset),
    )


def if_told(files):
    """Files of one pair, which the configuration must name."""
    return if_named("anomalies", TOLD, "asked to tell anomalies", files)


def energies_of_loops(pair, _wildcards):
    """The loop energies of a pair, all shards at all layers."""
    dataset = pair[1]
    return expand(energies_of(TOLD[pair]["loops"]), dataset=dataset, shard=shards(dataset))


def tokens_of_text(wildcards):
    """Tokens of the text that spans were replaced in."""
    text = text_of(wildcards.dataset)
    return expand(TOKENS, model=wildcards.model, dataset=text, shard=shards(text))


def energies_of_plain(wildcards):
    """The same of the entry without rivals, if there is one."""
    plain = plain_of(wildcards.model, MODELS)
    if plain is None:
        return []
    return expand(energies_of(plain), dataset=wildcards.dataset, shard=shards(wildcards.dataset))
