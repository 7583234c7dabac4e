# Every target works in a fresh clone: .venv is made when it is missing, and what
# the target needs is installed into it. Choose the interpreter with
# `make test PYTHON=python3.12`, pass options on with `make test ARGS="-x -k graph"`.

SHELL := /bin/sh
PYTHON ?= python3
ARGS ?=
VENV := .venv
# The tools run as modules: console scripts break in paths with odd characters.
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test test-kernels-nojit test-kernels-bounds test-floor lint format \
	docs bench bench-check peers wheel-test clean distclean
.DELETE_ON_ERROR:

help: ## Show this list.
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -e 's/:.*## /: /' | \
		while IFS=: read -r name text; do printf '  make %-22s%s\n' "$$name" "$$text"; done

# One stamp for each set of extras, renewed when pyproject.toml changes.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "geolearn needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "$(PYTHON) -m venv failed: install its venv module (package python3-venv)"; exit 1; }
	@touch $@

$(VENV)/.extras-%: $(VENV)/.created pyproject.toml
	$(RUN) -m pip install --quiet --editable ".[$*]"
	@touch $@

demo: $(VENV)/.extras-plot ## Run the methods on real data: a table, and figures in figures/.
	$(RUN) examples/quickstart.py $(ARGS)

test: $(VENV)/.extras-test ## Run the whole test suite.
	$(RUN) -m pytest $(ARGS)

test-kernels-nojit: $(VENV)/.extras-test ## Kernel tests as plain Python, with coverage.
	NUMBA_DISABLE_JIT=1 $(RUN) -m pytest -m kernels --cov=geolearn --cov-report=term $(ARGS)

test-kernels-bounds: $(VENV)/.extras-test ## Kernel tests with bounds checks.
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
		NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$$cache" $(RUN) -m pytest -m kernels $(ARGS)

test-floor: ## Tests with the lowest supported dependencies (Python 3.11, .venv-floor).
	PYTHON="$(PYTHON)" .ci/floor $(ARGS)

lint: $(VENV)/.extras-dev ## Check format, lint and types.
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

format: $(VENV)/.extras-dev ## Format the code and apply safe fixes.
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

docs: $(VENV)/.extras-docs ## Build the documentation into docs/_build/html.
	$(RUN) -m sphinx -W --keep-going -b html docs docs/_build/html $(ARGS)
	@echo "Open docs/_build/html/index.html"

bench: $(VENV)/.extras-dev ## Run the asv benchmarks once, in this environment.
	cd asv_benchmarks && ../$(RUN) -m asv machine --yes && \
		../$(RUN) -m asv run --python=same --quick --show-stderr $(ARGS)

bench-check: $(VENV)/.extras-dev ## Check that the asv benchmarks import.
	cd asv_benchmarks && ../$(RUN) -m asv machine --yes >/dev/null && \
		../$(RUN) -m asv check --python=same

peers: $(VENV)/.extras-peers ## Compare with other libraries, side by side.
	for script in asv_benchmarks/peers/[!_]*.py; do \
		echo "== $$script"; $(RUN) "$$script" $(ARGS) || exit 1; done

wheel-test: $(VENV)/.extras-dev ## Build the wheel and try it in an empty environment.
	$(RUN) .ci/wheel_test.py

clean: ## Remove what tests, docs and benchmarks leave behind.
	rm -rf build dist figures htmlcov .coverage .pytest_cache .hypothesis \
		.mypy_cache .ruff_cache docs/_build docs/auto_examples docs/api/generated \
		docs/sg_execution_times.rst asv_benchmarks/.asv
	find geolearn tests examples docs asv_benchmarks -name __pycache__ -type d -prune \
		-exec rm -rf {} +

distclean: clean ## Also remove the environments.
	rm -rf $(VENV) .venv-floor
