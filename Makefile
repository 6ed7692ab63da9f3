# Everything a newcomer and a maintainer types. Plain commands for each target are in README.md.

PYTHON ?= python3
INI ?= development.ini
# Processes that run the tests; 0 for this one alone, as debuggers want it.
WORKERS ?= auto
BIN := .venv/bin
# Babel's commands, which take their options from setup.cfg.
SETUP := $(BIN)/python -W ignore -c "import setuptools; setuptools.setup()"
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.PHONY: help serve test lint format messages reference bench screenshots lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# A stamp per lock file: nothing is installed twice, and a changed lock is installed at once.
.venv/.installed-%: requirements/%.txt pyproject.toml
	@test -x $(BIN)/python || { echo "Creating .venv"; $(PYTHON) -m venv .venv; }
	@echo "Installing requirements/$*.txt"
	@$(PIP) install --require-hashes -r requirements/$*.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

serve: .venv/.installed-run  ## install, create the database with the demo, serve http://localhost:6543
	@$(BIN)/myproject -c $(INI) init --demo
	@exec $(BIN)/pserve $(INI)

test: .venv/.installed-test  ## install and run the tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: .venv/.installed-lint  ## style, types, vendored files, messages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python myproject/static/vendor/update.py --check
	$(SETUP) --quiet extract_messages --output-file .messages.pot
	diff -u myproject/locale/myproject.pot .messages.pot && rm .messages.pot

format: .venv/.installed-lint  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/.installed-lint  ## collect the strings of the interface for translators
	$(SETUP) --quiet extract_messages

reference: .venv/.installed-run  ## write docs/reference.md anew
	@$(BIN)/python docs/reference.py > docs/reference.md.new && mv docs/reference.md.new docs/reference.md

bench: .venv/.installed-test  ## measure, and print one table (needs wrk)
	@$(BIN)/python bench/run.py $(ARGS)

screenshots: .venv/.installed-test  ## take the README's picture anew (needs Chromium)
	@$(BIN)/python docs/screenshot.py

lock:  ## resolve the dependencies anew, for every supported Python at once
	@test -x $(BIN)/uv || $(PIP) install uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade -q \
		--custom-compile-command "make lock" pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade -q \
		--custom-compile-command "make lock" pyproject.toml --extra test -o requirements/test.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade -q \
		--custom-compile-command "make lock" pyproject.toml --extra test --extra lint -o requirements/lint.txt

clean:  ## remove what the other targets made, but not the database
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis *.egg-info
