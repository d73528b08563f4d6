# make run        set up and run the default study, then write its report
# make explore    the same study as a page to look up states in, opened in a browser
# make recover    after a crash: tidy up and go on (ARGS: options of the run, if not --cores all)
# make verify     check that results/ is what configuration, code and inputs make (ARGS likewise)
# make set-aside  move away results that the configuration does not have any more (ARGS likewise)
# make docs       build the pages of docs/ as a site, build/site/index.html
# make test       set up and check everything: style, types, graph, tests
# make lint       the first three of these, which a commit can also do by itself (docs/contributing.md)
# make help       list the targets

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
CORES ?= all
WORKERS ?= 3
ARGS ?=

# Where Snakemake must be able to write, whatever it is to do.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)

.PHONY: cache help run explore recover report verify set-aside docs test lint clean

help:
	@sed -n 's/^# make/make/p' Makefile

cache:
	@mkdir -p "$(CACHE)" 2> /dev/null || { echo "error: $(CACHE): Snakemake keeps a cache there, \
	and it cannot be made; set XDG_CACHE_HOME to a folder that can" >&2; exit 1; }

run: cache $(VENV)/run.stamp
	@echo "==> Running the default study (config.yaml) on $(CORES) cores"
	$(BIN)/snakemake --cores $(CORES)
	@$(MAKE) --no-print-directory report

explore: cache $(VENV)/run.stamp
	$(BIN)/snakemake --cores $(CORES) explorer
	@$(BIN)/python -m webbrowser "file://$(abspath results/explorer.html)"

recover: cache $(VENV)/run.stamp
	$(BIN)/python -m workflow_scripts.recover $(or $(ARGS),--cores $(CORES))

report: cache $(VENV)/run.stamp
	$(BIN)/snakemake --report results/report.html
	@echo "==> Done. Report: results/report.html   Numbers: results/wells.csv, results/curves/"
	@echo; cat results/summary.rst

verify: cache $(VENV)/run.stamp
	$(BIN)/python -m workflow_scripts.verify $(ARGS)

set-aside: cache $(VENV)/run.stamp
	$(BIN)/python -m workflow_scripts.set_aside $(ARGS)

docs: $(VENV)/test.stamp
	$(BIN)/python -m sphinx -q -W --keep-going -d build/doctrees -c docs/site docs build/site
	@echo "==> Done. Site: build/site/index.html"

test: lint
	@echo "==> Running the tests"
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: cache $(VENV)/test.stamp
	@echo "==> Checking style, types and the workflow's graph"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

clean:
	rm -rf $(VENV) .snakemake logs

# Installed once, and again when the requirements change.
$(VENV)/run.stamp: envs/requirements.txt envs/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed: make run PYTHON=/path/to/python3")'
	@echo "==> Installing the pinned requirements into $(VENV) (about 3 minutes the first time)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp envs/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-dev.txt
	@touch $@
