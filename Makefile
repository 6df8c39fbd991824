# `make demo` and `make test` do their own set-up: `.venv`, Python packages, and through apt Qt's system libraries.
# A stamp in `.venv` is newer than pyproject.toml and constraints.txt once a set of extras is installed.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint docs clean distclean system-packages

help:  ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed-napari  ## Segment the sample image; results in demo/
	$(BIN)/mouse-seg demo

test: $(VENV)/.installed-dev  ## Run the tests (under Xvfb, nothing pops up); PYTEST_ARGS="-k name" chooses
	tools/run_tests.sh $(BIN)/python $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev  ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-docs  ## Build the documentation in site/
	$(BIN)/mkdocs build --strict

clean:  ## Remove what the other targets wrote, except .venv
	rm -rf build dist demo site htmlcov .coverage coverage.xml
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks docs tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean  ## Remove .venv as well
	rm -rf $(VENV)

system-packages:
	@tools/system_packages.sh $(PYTHON)

$(BIN)/pip: | system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is older than 3.11: name a newer one, as in 'make $(MAKECMDGOALS) PYTHON=python3.12'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: pyproject.toml constraints.txt | system-packages $(BIN)/pip
	@echo "Installing .[$*] into $(VENV); the first time takes some minutes and, with CUDA's libraries, about 6 GB."
	$(BIN)/python -m pip install -c constraints.txt -e '.[$*]'
	@touch $@
