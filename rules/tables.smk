# Takes: the small Parquet tables that stages have asked to be put together (`table` in common.smk).
# Makes: results/{name}.csv, one for each name; and by name only, of any table results/….parquet, the
#        same as results/….csv.


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


rule tabulate_one:
    input:
        "results/{table}.parquet",
    output:
        "results/{table}.csv",
    log:
        log("tabulate_one", "{table}"),
    wildcard_constraints:
        table=f"(?!({one_of(TABLES)})$).+",
    localrule: True
    conda:
        CONDA
    message:
        "Making results/{wildcards.table}.parquet a CSV file"
    shell:
        run("running.tabulate", "{input:q} --digits 9 --out {output:q}")
