# The verbs of the project. Each is one call: README.md names it for machines without make.
PYTHON ?= python3
VENV := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test quick lint types unit browser bench mini assets screenshots clean

help: ## tell what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## serve on http://127.0.0.1:8000 (ARGS="--host 0.0.0.0 --port 8080" for more)
	@$(VENV) -m app serve $(ARGS)

setup: ## make .venv and install what running needs
	@$(PYTHON) scripts/setup.py

setup-dev:
	@$(PYTHON) scripts/setup.py --dev

test: setup-dev ## lint, types, unit and browser tests
	@$(VENV) -m scripts.check

quick: setup-dev ## lint, types and the unit tests of what changed, in a minute and a half
	@$(VENV) -m scripts.check quick

lint: setup-dev ## ruff: errors and layout
	@$(VENV) -m scripts.check lint

types: setup-dev ## mypy, strict
	@$(VENV) -m scripts.check types

unit: setup-dev ## the tests without a browser (ARGS="-k pooling" for some)
	@$(VENV) -m scripts.check unit -- $(ARGS)

browser: setup-dev ## the tests in Chromium
	@$(VENV) -m scripts.check browser -- $(ARGS)

bench: setup ## measure speed against the bare network on this machine
	@$(VENV) -m app bench $(ARGS)

mini: setup ## train the network that ships anew (ARGS="--data tiny-imagenet-200.zip --out made")
	@$(VENV) -m scripts.mini $(ARGS)

assets: setup ## make the files that ship beside the weights anew (ARGS="--data tiny-imagenet-200.zip")
	@$(VENV) -m app assets $(ARGS)

screenshots: setup-dev ## take the pictures of the documents anew
	@$(VENV) -m scripts.screenshots $(ARGS)

clean: ## remove caches (.venv and data stay; delete those folders to start afresh)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis test-results
	@find app models scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +
