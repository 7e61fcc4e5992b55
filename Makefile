PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench lock clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

.venv/ready: requirements.lock pyproject.toml
	@echo "Installing into .venv, about a minute …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/ready

install: .venv/ready  ## the command pilothouse, in .venv/bin

demo: .venv/ready  ## the whole of it on this machine: no account, no token, no network
	$(BIN)/pilothouse demo

test: .venv/ready  ## every test, on SQLite and on Postgres
	$(BIN)/pytest -n 3 --dist worksteal

check: .venv/ready  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/ready  ## put the source into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready  ## the performance table
	$(BIN)/python -m bot.bench

lock: .venv/ready  ## resolve the dependencies again
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra dev pyproject.toml -o requirements.lock

clean:  ## back to a fresh clone
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
