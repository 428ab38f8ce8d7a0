# make demo: one round on real data, ending in a report. Every target sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help install demo test faults calibrate readme ui lint lock installed installed-full

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## create .venv with everything that the other targets need

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "tunebook needs Python 3.11 or later, and $(PYTHON) is $$($(PYTHON) --version); say make PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV), a few minutes the first time ..."
	@$(PIP) install -qq --constraint constraints.txt --editable '.[train,dev]'
	@touch $@

demo: install ## one round on an embedded data set, and the round that it names as next
	@$(BIN)/tunebook demo

test: install ## the tests; ARGS=tests/scope for some of them
	@$(BIN)/python -m pytest -q -n 2 --durations=10 $(ARGS)

faults: install ## every fault of docs/reliability.md, as often as it says (an hour); then the table anew
	@rm -f build/faults.jsonl; mkdir -p build
	@TUNEBOOK_FAULTS=full TUNEBOOK_FAULTS_TALLY=$(CURDIR)/build/faults.jsonl $(BIN)/python -m pytest -q tests/faults $(ARGS)
	@$(BIN)/python -m tests.faults.table build/faults.jsonl

installed: install ## a wheel in an empty environment, an editable install and the checkout: what users do first (minutes)
	@TUNEBOOK_INSTALLED=quick $(BIN)/python -m pytest -q tests/installed $(ARGS)

installed-full: install ## the same with every kind of workload, way and name; then the table of docs/installed.md anew
	@rm -f build/installed.jsonl; mkdir -p build
	@TUNEBOOK_INSTALLED=full TUNEBOOK_INSTALLED_TALLY=$(CURDIR)/build/installed.jsonl $(BIN)/python -m pytest -q tests/installed $(ARGS)
	@$(BIN)/python -m tests.installed.table build/installed.jsonl

calibrate: install ## docs/calibration.md: how often each check and the gate are right, on planted truth (two hours)
	@$(BIN)/python -m tests.benchmarks.calibration.gate_page >/dev/null
	@$(BIN)/python -m tests.benchmarks.calibration.importance >/dev/null
	@$(BIN)/python -m tests.benchmarks.calibration.isolation >/dev/null
	@$(BIN)/python -m tests.benchmarks.calibration.measure $(ARGS)

readme: install ## what README prints and shows, from real rounds (minutes, and chromium); ARGS=replay keeps the trials (seconds)
	@$(BIN)/python -m tests.docs.readme $(ARGS)

ui: install ## Prefect and MLflow in the browser, on loopback
	@$(BIN)/tunebook ui

lint: install ## ruff and mypy
	@$(BIN)/ruff check flows tasks tests
	@$(BIN)/ruff format --check flows tasks tests
	@$(BIN)/mypy

lock: ## write constraints.txt anew: the newest versions that pyproject.toml allows
	@set -e; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	$(PYTHON) -m venv "$$new/venv"; pip="$$new/venv/bin/python -m pip --disable-pip-version-check"; \
	echo "resolving anew, a few minutes ..."; \
	$$pip install -qq 'torch==2.13.0' --editable '.[train,dev]'; \
	{ sed -n '/^#/p' constraints.txt; echo 'torch==2.13.0'; \
	  $$pip freeze --exclude-editable --exclude torch; } > "$$new/constraints.txt"; \
	cp "$$new/constraints.txt" constraints.txt
	@echo "constraints.txt is new; next: make test"
