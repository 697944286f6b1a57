# The two commands most people need are `make react` and `make lab`. `make help` lists all.

PYTHON ?= python3
UV ?= $(shell command -v uv 2>/dev/null)
EVENT ?= 2025-06-10-jt
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.installed
PYTHON_RANGE := >=3.11,<3.14
# With uv and no PYTHON named, uv finds a Python in the range, or fetches one.
ASK_UV := $(if $(UV),$(filter file,$(origin PYTHON)))
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

.DEFAULT_GOAL := help
.PHONY: help react lab notebooks test lint lock data clean new-venv

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

react: $(STAMP) ## What did markets do? Report on one announcement: make react EVENT=2025-06-10-jt.
	$(BIN)/market-reaction react "$(EVENT)" --report

lab: $(STAMP) ## Open the notebooks in JupyterLab.
	$(BIN)/market-reaction lab

notebooks: $(STAMP) ## Run every notebook without a network, and write build/gallery/index.html.
	$(BIN)/market-reaction gallery

test: $(STAMP) ## Run all tests and run every notebook; add options with ARGS="-k sessions".
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(STAMP) ## Check style, types and the notebook rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_notebooks.py

lock: ## Remake requirements.lock from pyproject.toml; ARGS=--upgrade takes newer versions.
	@test -n "$(UV)" || { echo "make lock needs uv, because the lock serves Python 3.11 to 3.13 on every system. Install uv first." >&2; exit 1; }
	$(UV) pip compile pyproject.toml --extra cluster --extra dev --extra export --extra data \
	  --universal --python-version 3.11 --fork-strategy fewest \
	  --no-emit-index-url --no-annotate --no-header --quiet $(ARGS) --output-file requirements.lock

data: $(STAMP) ## Rebuild data/bundled from the packages it comes from.
	$(BIN)/python tools/build_bundled_data.py

clean: ## Remove what was built; .venv and data/snapshots stay.
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name .venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

# The lock first, then the project itself. An environment made by uv or by venv is kept if its Python will do. The
# sources are compiled once here: where Python may not write compiled files, each notebook would compile them again.
$(STAMP): requirements.lock pyproject.toml
	@$(BIN)/python -c '$(SUPPORTED)' 2>/dev/null || $(MAKE) --no-print-directory new-venv
ifneq ($(UV),)
	$(UV) pip install --compile-bytecode --python $(BIN)/python -r requirements.lock
	$(UV) pip install --compile-bytecode --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
endif
	$(BIN)/python -m compileall -q src
	@touch $@

new-venv:
ifeq ($(ASK_UV),)
	@{ command -v $(PYTHON) && $(PYTHON) -c '$(SUPPORTED)'; } >/dev/null || { echo "market_reaction needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$(command -v $(PYTHON) >/dev/null && $(PYTHON) -V 2>&1 || echo missing). Name another one: make PYTHON=python3.12" >&2; exit 1; }
endif
	rm -rf .venv
	$(if $(UV),$(UV) venv --python "$(if $(ASK_UV),$(PYTHON_RANGE),$(PYTHON))" .venv,$(PYTHON) -m venv .venv)
