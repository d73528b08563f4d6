# Takes: the small Parquet tables that stages have asked to be put together (`table` in common.smk).
# Makes: results/{name}.csv, one for each name.


for name, asked in TABLES.items():
    tabulate = f"tabulate_{'_'.join(Path(name).parts)}"

    rule:
        name:
            tabulate
        input:
            tables=asked["parts"],
        output:
            asked["file"],
        log:
            log(tabulate),
        localrule: True
        conda:
            CONDA
        message:
            asked["message"]
        shell:
            run("running.tabulate", "{input.tables:q} --out {output:q}")
