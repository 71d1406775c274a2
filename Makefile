# Thin names over the real commands. `make setup` needs only: make python3 python3-venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PACKAGE_STAMP := $(VENV)/.packaging-installed
WINDOW ?= qt
PACKAGES ?= $(if $(filter Linux,$(shell uname -s)),linux,bundle)

.DEFAULT_GOAL := help
.PHONY: app setup frontend test test-package lint bench models icons package clean lock help

app: setup frontend
	$(BIN)/llamero

help:
	@echo "make app     set everything up and open Llamero"
	@echo "make setup   build $(VENV) from the hash lock"
	@echo "make test    set up what is missing and run every test"
	@echo "make package       make what users download, in out/"
	@echo "make test-package  build the bundle and start it where it is hard to"
	@echo "make lint    ruff, mypy --strict, tsc --strict and eslint"
	@echo "make bench   measure against the bare engine; table on stdout, JSON in bench.json"
	@echo "make models  make the demo and test models again"
	@echo "make icons   make every size of the icon again"
	@echo "make lock    pin the dependencies again (needs uv)"

setup: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(STAMP)

frontend: setup
	@$(BIN)/python build/build_frontend.py

lint: frontend
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32
	$(BIN)/mypy --platform darwin
	$(BIN)/python build/build_frontend.py --run check lint

test: frontend
	@sh tests/install_system_packages.sh
	$(BIN)/python build/build_frontend.py --run test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

bench: frontend
	$(BIN)/python -m tests.bench

$(PACKAGE_STAMP): $(STAMP) requirements/package.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/package.lock
	@touch $(PACKAGE_STAMP)

package: $(PACKAGE_STAMP)
	$(BIN)/python build/package.py $(PACKAGES) --window $(WINDOW)

test-package: $(PACKAGE_STAMP)
	@sh tests/install_system_packages.sh
	$(BIN)/python -m pytest tests/package

models: setup
	$(BIN)/python build/make_models.py

icons: setup
	$(BIN)/python build/make_icons.py

lock: setup
	$(BIN)/python build/build_frontend.py --run lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements/app.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements/dev.lock
	uv pip compile --group package --constraint requirements/dev.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --output-file requirements/package.lock

clean:
	rm -rf $(VENV) out bench.json .pytest_cache .mypy_cache .ruff_cache .hypothesis
