# What the rules of periods.smk ask: Snakemake's linter wants functions and rules apart.


def energies_of_null(wildcards):
    """The same of the entry that looks at another place."""
    return expand(
        energies_of(LOOPS[wildcards.model]),
        dataset=wildcards.dataset,
        shard=shards(wildcards.dataset),
    )


def energies_of_plain(wildcards):
    """The same of the entry without rivals, if there is one."""
    plain = plain_of(wildcards.model, MODELS)
    if plain is None:
        return []
    return expand(energies_of(plain), dataset=wildcards.dataset, shard=shards(wildcards.dataset))
