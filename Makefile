# Every target does its own set-up; the second time that costs nothing and needs no network.
#   make PYTHON=python3.12 ...   chooses the interpreter for a new environment

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CHECKS := lint format types imports file-length docs-fresh
export VENV PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo serve test check $(CHECKS) tidy bench docs lock clean runtime dev system

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: runtime ## a steel mill's year: load, balance, account, explain (start here)
	@$(BIN)/celadon demo

serve: runtime ## the same mill in the browser: makes it once, then prints the address
	@$(BIN)/celadon serve --demo

test: system check ## everything CI runs: the checks, then the tests
	@$(PY) -m pytest -n 2 --dist loadgroup

check: $(CHECKS) ## lint, format, types, import contract, file lengths, docs

lint: dev
	@$(PY) -m ruff check .

format: dev
	@$(PY) -m ruff format --check .

types: dev
	@$(PY) -m mypy

imports: dev
	@$(BIN)/lint-imports --no-logo

file-length: dev
	@$(PY) -m tools.check_file_length

docs-fresh: dev
	@$(PY) -m tools.check_docs

tidy: dev ## let ruff mend what it can: imports, simple findings, format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: dev ## speed and memory as ratios, on this machine
	@$(PY) -m benchmarks

docs: dev ## write docs/handbook and the console's client again from the rulebooks, the findings, the commands and the pages
	@$(PY) -m celadon.handbook docs/handbook
	@$(PY) -m tools.write_client

lock: dev ## pin the newest allowed packages (with Python 3.11, the oldest supported)
	@$(PY) -m tools.lock

clean: ## remove the environment and everything generated that git ignores
	rm -rf $(VENV) $(VENV).lock build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@tools/environment.sh runtime

dev:
	@tools/environment.sh dev

system:
	@tools/system_packages.sh
