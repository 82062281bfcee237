# make study      from a fresh clone to the report (20 to 30 minutes on two cores, no GPU)
# make test       the tests
# make notebooks  JupyterLab
#
# Uses an active conda environment named robotr1; otherwise creates .venv with $(PYTHON).

PYTHON ?= python3
TEST_WORKERS ?= 2
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Paths may contain spaces: recipes quote them, and targets are relative or escaped.
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)
ifeq ($(notdir $(subst $(SPACE),_,$(CONDA_DEFAULT_ENV))),robotr1)
BIN := $(CONDA_PREFIX)/bin
STAMP := $(subst $(SPACE),\ ,$(CONDA_PREFIX))/.robotr1-installed
else
BIN := $(CURDIR)/.venv/bin
STAMP := .venv/.robotr1-installed
endif
PY := "$(BIN)/python"

# Few threads, which sleep while they wait: the tiny policy's matrices are small.
export OMP_NUM_THREADS ?= 2
export OMP_WAIT_POLICY ?= PASSIVE
export LP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
export HF_HUB_DISABLE_TELEMETRY ?= 1
export DVC_NO_ANALYTICS ?= 1
export PATH := $(BIN):$(PATH)

.PHONY: help setup renderer study experiments ablation test test-browser notebooks pretrain lint clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 18

setup: $(STAMP) ## create the environment with pinned dependencies

$(STAMP): requirements.txt pyproject.toml
ifeq ($(STAMP),.venv/.robotr1-installed)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "robotr1 needs Python 3.11 or newer; '$(PYTHON)' is not ($$("$(PYTHON)" --version 2>&1))."; \
	    echo "Choose another: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { \
	    echo "Creating an environment in .venv"; \
	    "$(PYTHON)" -m venv --clear .venv || { \
	        echo "Could not create .venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; }
endif
	@echo "Installing pinned dependencies into $(BIN) (2 to 5 minutes, about 2 GB)"
	$(PY) -m pip install "$$(grep -E '^torch==' requirements.txt)"
	$(PY) -m pip install -r requirements.txt
	$(PY) -m pip install --quiet --no-deps --editable .
	@touch "$@"

renderer: setup
	@$(PY) -m robotr1.demos.tabletop.gl

define PLAN
robotr1: the whole study, from an empty clone to the report. Times on two CPU cores:
   1. environment               2 - 5 min   once; pinned packages, about 2 GB
   2. robot meshes              < 1 min     downloaded, checked by hash, reduced
   3. demonstrations            2 - 4 min   a simulated arm does ten tasks
   4. keyframes and questions   1 - 2 min
   5. supervised fine-tuning    3 - 5 min   two answer forms
   6. reinforcement learning    4 - 8 min   GRPO
   7. benchmarks and report     6 - 12 min
Finished stages are skipped. Stop with Ctrl-C; the same command resumes.
endef
export PLAN

study: ## run the whole study and write the report
	@echo "$$PLAN"
	@$(MAKE) --no-print-directory renderer
	$(PY) -m dvc repro
	@$(PY) -m robotr1.report.summary

experiments: setup ## compare DVC experiments: settings and results that differ
	@$(PY) -m dvc exp show --only-changed --hide-failed --drop '^(data|models|weights|reports|notebooks|robotr1)(/|$$)'

ablation: study ## run the ablation: algorithm, questions, cold start, reward; three seeds each
	cd experiments/ablation && $(PY) -m dvc repro

test: ## set up and run the tests (with one small run of every stage)
	@$(MAKE) --no-print-directory renderer
	@test -f data/panda/panda.json || $(PY) -m robotr1.demos.tabletop.panda
	OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses $(TEST_WORKERS) --dist loadgroup --no-loadscope-reorder

test-browser: renderer ## test every notebook in JupyterLab and Chromium (apt-get install chromium)
	$(PY) -m pip install --quiet --editable '.[browser]'
	$(PY) -m pytest tests/browser

notebooks: setup ## open JupyterLab in notebooks/
	cd notebooks && $(PY) -m robotr1.kernel $(PY) -m jupyterlab \
	    --ContentsManager.pre_save_hook=robotr1.ipynb.canonical_on_save # saving leaves out outputs

pretrain: renderer ## retrain the tiny base from scratch (a frozen stage; one to two hours)
	$(PY) -m dvc repro --single-item --force pretrain_tiny

lint: setup ## check the style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

clean: ## delete the stages' outputs; keep the environment and reports/
	rm -rf data/demos data/metadata data/questions data/keyframes.jsonl models checkpoints .stage_times.jsonl
	rm -rf .pytest_cache .ruff_cache .hypothesis
	find robotr1 tests -name __pycache__ -type d -prune -exec rm -rf {} +
