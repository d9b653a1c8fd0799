# KubeWeb. `make run` starts the cluster, `make test` checks everything, `make bench` measures.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
HTTP ?= 127.0.0.1:8000
HTTPS ?= 127.0.0.1:6443
ARGS ?=

.PHONY: help setup setup-dev run test lint types check frontend-check bench clean

help:
	@echo "make run    set up what is missing and start the cluster (ARGS=\"--nodes 5\" HTTP=… HTTPS=…)"
	@echo "make test   set up, then linters, types, import contracts, unit, end-to-end and browser tests"
	@echo "make bench  the figures, as a table and as JSON"
	@echo "make setup  only the set-up: .venv, dependencies, the built page"
	@echo "make clean  remove what set-up made (never your data)"

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "KubeWeb needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements.txt $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(STAMPS)/frontend: $(STAMPS)/run scripts/frontend.py frontend/package.json frontend/package-lock.json frontend/index.html $(shell find frontend/src -type f 2>/dev/null)
	$(BIN)/python scripts/frontend.py build
	@touch $@

setup: $(STAMPS)/run $(STAMPS)/frontend

setup-dev: setup $(STAMPS)/dev
	@$(BIN)/python scripts/tools.py

run: setup
	$(BIN)/python manage.py up --http $(HTTP) --https $(HTTPS) $(ARGS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config pyproject.toml

types: setup-dev
	$(BIN)/mypy

frontend-check: setup-dev
	$(BIN)/python scripts/frontend.py check

check: lint types frontend-check

test: check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest

bench: setup-dev
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .tools frontend/node_modules frontend/dist
