# What the rules of periods.smk ask: Snakemake's linter wants functions and rules apart.


def energies_of_null(wildcards):
    """The same of the entry that looks at another place."""
    return expand(
        energies_of(LOOPS[wildcards.model]),
        dataset=wildcards.dataset,
        shard=shards(wildcards.dataset),
    )
