# Trivial jobs through SLURM: what one costs beside its work (docs/cluster.md).
#
#   snakemake --snakefile benchmarks/slurm_throughput.smk --profile profiles/slurm --directory /tmp/jobs
#   … --config jobs=200 --group-components trivial=50

JOBS = int(config.get("jobs", 200))


localrules:
    all,


rule all:
    input:
        expand("done/{job}", job=range(JOBS)),


rule trivial:
    output:
        "done/{job}",
    log:
        "logs/{job}.log",
    group:
        "trivial" if config.get("grouped", True) else None
    conda:
        "../envs/semantic-statistics.yaml"
    shell:
        "touch {output:q} 2> {log:q}"
