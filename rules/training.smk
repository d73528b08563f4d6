# Takes: results/models/{model}/, results/corpora/{dataset}.parquet.
# Makes: results/training/starts/{model}/: fresh weights of an architecture, and their tokenizer;
#        results/training/tokens/model={model}/dataset={dataset}/part={part}.parquet: tokens of the
#        documents that a model is trained on;
#        results/models/{model}/ of the models that are trained here, and of their checkpoints;
#        results/training/logs/{model}.parquet: the training log;
#        results/training/checkpoints/{model}.safetensors: weights on the way;
#        results/figures/training/{model} as SVG and PDF.
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


include: "functions/training.smk"


wildcard_constraints:
    part=r"\d+",


localrules:
    take_checkpoint,


rule draw_start:
    input:
        tokenizer_source,
    output:
        config=f"{START}/config.json",
        weights=f"{START}/model.safetensors",
        tokenizer=f"{START}/tokenizer.json",
        chat=f"{START}/tokenizer_config.json",
        provenance=f"{START}/provenance.json",
        digests=f"{START}/SHA256SUMS",
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
                " --log {output.log:q} --kept {output.kept:q} --unfinished {params.unfinished:q} --out {params.out:q}",
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
        like=lambda w: MODELS[MODELS[w.model]["like"]]["weights"],
        options=lambda w: options(MODELS[w.model], "tokens", "blocks"),
    message:
        "Taking {wildcards.model} from the training of {params.like}"
    shell:
        run(
            "training.take_checkpoint",
            "--name {wildcards.model:q} --like results/models/{params.like:q}"
            " --kept {input.kept:q} {params.options:q} --out results/models/{wildcards.model:q}",
        )


rule training:
    input:
        [snapshot_of(model) for model in TRAINED],
    message:
        "Done: models are in results/models, their logs in results/training/logs"
