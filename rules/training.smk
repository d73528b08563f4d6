# Takes: results/models/{model}/, results/corpora/{dataset}.parquet.
# Makes: results/training/starts/{model}/: fresh weights of an architecture, and their tokenizer;
#        results/training/tokens/model={model}/dataset={dataset}/part={part}.parquet: tokens of the
#        documents that a model is trained on;
#        results/models/{model}/ of the models that are trained here, and of their checkpoints;
#        results/training/logs/{model}.parquet: the training log;
#        results/training/checkpoints/{model}.safetensors: weights on the way;
#        results/training/corpora/{model}.parquet: what the tokens it is trained on repeat;
#        results/training/sums/model={model}/dataset={dataset}.parquet: energies by document;
#        results/training/ groups, numbers and doses, as Parquet and CSV: what models that differ in
#        nothing but seeds are like together, and how that hangs on their corpora;
#        results/figures/training/…/ logs, doses and tradeoffs as SVG and PDF.
#
# An objective is a rule and a command of its own, so that adding one, or mending one, reruns no
# other. What a training has done so far is remembered in results/training/unfinished/{model}/.

TRAINED = trained_of(MODELS)
STARTED = [name for name, spec in TRAINED.items() if "architecture" in spec]
STOPPED = [name for name, spec in MODELS.items() if spec.get("source") == "checkpoint"]

START = "results/training/starts/{model}"
TRAINING_TOKENS = "results/training/tokens/model={model}/dataset={dataset}/part={part}.parquet"
TRAINING_LOG = "results/training/logs/{model}.parquet"
KEPT_WEIGHTS = "results/training/checkpoints/{model}.safetensors"
REPEATED_IN = "results/training/corpora/{model}.parquet"
SUMS = f"results/training/sums/{ENSEMBLE}.parquet"
COMPARED = "results/training/{table}.parquet"

COMPARISONS = {
    "groups": "groups of trained models",
    "numbers": "what trained models are like",
    "doses": "how they change with the repetition in their corpus",
}

GROUPED = groups_of(MODELS, DATASETS)
MEMBERS = [model for group in GROUPED for model in group["models"]]


include: "functions/training.smk"


wildcard_constraints:
    part=r"\d+",


localrules:
    take_checkpoint,
    compare_models,
    plot_logs,
    plot_doses_of_training,
    plot_tradeoffs_of_training,


rule draw_start:
    input:
        tokenizer_source,
    output:
        **{key: path.replace(SNAPSHOT, START) for key, path in SNAPSHOT_FILES.items()},
    log:
        log("draw_start", "{model}"),
    wildcard_constraints:
        model=one_of(STARTED),
    conda:
        CONDA
    resources:
        measured=lambda w: measured_of(w.model, MODELS[w.model].get("tokenizer", {}).get("made_of")),
    params:
        options=start_options,
    message:
        "Drawing what {wildcards.model} starts from"
    shell:
        run(
            "training.draw_start",
            "--name {wildcards.model:q} {params.options:q} --beyond {resources.measured}"
            " --out results/training/starts/{wildcards.model:q}",
        )


for made in ["tokenize_corpus", *[f"ensembles.{ensemble}" for ensemble in ENSEMBLES]]:

    rule:
        name:
            f"train_on_{made.rpartition('.')[2]}"
        input:
            start=lambda w: f"{start_of(w.model)}/SHA256SUMS",
            corpus=lambda w: CORPUS.format(dataset=text_of(w.dataset)),
        output:
            TRAINING_TOKENS,
        log:
            log("train_on", "model={model}/{dataset}/{part}"),
        wildcard_constraints:
            model=one_of(TRAINED),
            dataset=one_of(made_by(made)),
        group:
            "tokens"
        conda:
            CONDA
        resources:
            measured=lambda w: measured_of(w.model, text_of(w.dataset)),
        params:
            code=digest_of_code(f"tokens.{made}"),
            made=f"tokens.{made}",
            start=lambda w: start_of(w.model),
            options=training_text_options,
        message:
            "Tokenizing {wildcards.dataset} to train {wildcards.model}"
        shell:
            run(
                "{params.made}",
                "--model {params.start:q} --corpus {input.corpus:q} --dataset {wildcards.dataset:q}"
                " {params.options:q} --beyond {resources.measured} --out {output:q}",
                "{params.code}",
            )


for model, spec in TRAINED.items():

    rule:
        name:
            f"train_{model}"
        input:
            snapshot=f"{start_of(model)}/SHA256SUMS",
            tokens=tokens_to_train(model),
        output:
            **{key: path.format(model=model) for key, path in SNAPSHOT_FILES.items()},
            log=TRAINING_LOG.format(model=model),
            kept=KEPT_WEIGHTS.format(model=model),
        log:
            log("train", model),
        benchmark:
            f"logs/train/{model}.benchmark.tsv"
        conda:
            CONDA
        threads: measure_threads(spec["device"])
        resources:
            **of_model(spec, time_to_train(spec)) | {"mem_mb": memory_to_train(spec)},
        params:
            code=digest_of_code(f"training.objectives.{spec['train']['objective']['kind']}"),
            command=f"training.objectives.{spec['train']['objective']['kind']}",
            running=[f"--model={start_of(model)}", f"--name={model}"],
            options=fit_options(model),
            unfinished=f"results/training/unfinished/{model}",
            out=f"results/models/{model}",
        message:
            f"Training {model}"
        shell:
            run(
                "{params.command}",
                f"{RUNNING} --tokens {{input.tokens:q}} {{params.options:q}}"
                " --log {output.log:q} --kept {output.kept:q}"
                " --unfinished {params.unfinished:q} --out {params.out:q}",
                "{params.code}",
            )


rule take_checkpoint:
    input:
        like=lambda w: snapshot_of(MODELS[w.model]["like"]),
        kept=lambda w: KEPT_WEIGHTS.format(model=MODELS[w.model]["like"]),
    output:
        **SNAPSHOT_FILES,
    log:
        log("take_checkpoint", "{model}"),
    wildcard_constraints:
        model=one_of(STOPPED),
    conda:
        CONDA
    params:
        like=lambda w: architecture_of(w.model, MODELS),
        options=lambda w: options(MODELS[w.model], "tokens", "blocks"),
    message:
        "Taking {wildcards.model} from the training of {params.like}"
    shell:
        run(
            "training.take_checkpoint",
            "--name {wildcards.model:q} --like results/models/{params.like:q}"
            " --kept {input.kept:q} {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule describe_corpus:
    input:
        tokens=lambda w: tokens_to_train(w.model),
    output:
        REPEATED_IN,
    log:
        log("describe_corpus", "{model}"),
    wildcard_constraints:
        model=one_of(TRAINED),
    group:
        "curves"
    conda:
        CONDA
    params:
        window=lambda w: MODELS[w.model]["train"]["sequence"],
        options=CONFIDENCE,
    message:
        "Describing what {wildcards.model} is trained on"
    shell:
        run(
            "training.describe_corpus",
            "--tokens {input.tokens:q} --window {params.window} {params.options:q} --out {output:q}",
        )


rule sum_documents:
    input:
        energies=lambda w: energies_of_ensemble(w),  # of a later stage
        tokens=lambda w: expand(TOKENS, **w, shard=shards(w.dataset)),
        counted_on=lambda w: tokens_to_train(w.model) if w.model in TRAINED else [],
    output:
        SUMS,
    log:
        log("sum_documents", ENSEMBLE),
    group:
        "counts"
    conda:
        CONDA
    params:
        more=lambda w, input: words_of_files(input, "counted_on"),
    message:
        "Summing energies of {wildcards.model} over documents of {wildcards.dataset}"
    shell:
        run(
            "training.sum_documents",
            "{input.energies:q} --tokens {input.tokens:q} {params.more:q} --out {output:q}",
        )


rule compare_models:
    input:
        sums=expand(SUMS, model=MEMBERS, dataset=MEASURED),
        continuations=continuations_of_members,
        corpora=described_corpora(),
    output:
        groups=COMPARED.format(table="groups"),
        numbers=COMPARED.format(table="numbers"),
        doses=COMPARED.format(table="doses"),
    log:
        log("compare_models"),
    conda:
        CONDA
    params:
        groups=json.dumps(GROUPED),
        options=CONFIDENCE,
        more=lambda w, input: words_of_files(input, "continuations", "corpora"),
    message:
        "Comparing trained models"
    shell:
        run(
            "training.compare_models",
            "{input.sums:q} --groups {params.groups:q} {params.more:q} {params.options:q}"
            " --out-groups {output.groups:q} --out-numbers {output.numbers:q}"
            " --out-doses {output.doses:q}",
        )


rule plot_logs:
    input:
        groups=COMPARED.format(table="groups"),
        logs=expand(TRAINING_LOG, model=TRAINED),
    output:
        **figure_of_training("logs"),
    log:
        log("plot_logs"),
    conda:
        CONDA
    message:
        "Drawing training logs"
    shell:
        run("training.plot_logs", f"{{input.logs:q}} --groups {{input.groups:q}} {DRAWN}")


for name in ["doses", "tradeoffs"]:

    rule:
        name:
            f"plot_{name}_of_training"
        input:
            groups=COMPARED.format(table="groups"),
            numbers=COMPARED.format(table="numbers"),
        output:
            **figure_of_training(f"dataset={{dataset}}/{name}"),
        log:
            log(f"plot_{name}_of_training", "{dataset}"),
        wildcard_constraints:
            dataset=one_of(MEASURED),
        conda:
            CONDA
        params:
            code=digest_of_code(f"training.plot_{name}"),
            command=f"training.plot_{name}",
        message:
            f"Drawing {name} of trained models on {{wildcards.dataset}}"
        shell:
            run(
                "{params.command}",
                "{input.numbers:q} --groups {input.groups:q} --dataset {wildcards.dataset:q}"
                f" {DRAWN}",
                "{params.code}",
            )


TRAINING = []
if TRAINED:
    TRAINING = [snapshot_of(model) for model in TRAINED]
    for name, said in COMPARISONS.items():
        TRAINING.append(
            table(
                f"training/{name}",
                [COMPARED.format(table=name)],
                f"Tabulating {said}",
                caption=f"training/{name}_table",
                category="Training",
                figure=said,
            )
        )
    TRAINING += figures_of_training()
RESULTS += TRAINING


rule training:
    input:
        TRAINING,
    message:
        "Done: models are in results/models, numbers in results/training, figures in"
        " results/figures/training"
