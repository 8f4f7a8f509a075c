# Works on a fresh Debian 12 with python3, python3-venv and make. Everything goes into .venv, and is
# installed again only when pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV := .venv
# Processes that run tests at the same time: one more than cores, as tests also wait for disks and timers.
JOBS ?= $(shell expr $$(nproc) + 1)
# By files, which share servers, in their order: those with few tests that take long come first, so that none is
# still running when all others are done.
SPREAD := --dist loadfile --no-loadscope-reorder
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run setup test check wheel docs format bench chaos lock clean
.DEFAULT_GOAL := run

# Onward also runs without Segment's open-source destinations and its own web app, should the npm registry be
# out of reach.
run: $(VENV)/.installed-run ## Onward with a demo workspace on http://127.0.0.1:8080
	-$(BIN)/onward catalog update
	-$(BIN)/onward functions install
	-$(BIN)/python -m tools.web
	$(BIN)/onward demo

setup: $(VENV)/.installed-all ## Everything that running, testing and checking needs
	$(BIN)/onward catalog update
	$(BIN)/onward functions install
	$(BIN)/python -m tools.web

test: setup ## The whole test suite
	$(BIN)/pytest -n $(JOBS) $(SPREAD) $(ARGS)

check: setup ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict -p onward
	$(BIN)/lint-imports
	$(BIN)/python -m tools.web --check

wheel: setup ## The package with the web app in it, in dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

docs: setup ## The pages about Onward's own destinations, in docs/catalog
	$(BIN)/python -m onward.destinations.docs

format: setup ## Put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd web && ../$(BIN)/deno fmt --quiet

bench: setup ## Figures, as JSON lines
	$(BIN)/python -m bench $(ARGS)

chaos: setup ## Long kill loops
	$(BIN)/pytest tests/chaos --chaos-rounds 500 --timeout 0 $(ARGS)

lock: ## Pin what a fresh installation resolves to today in constraints.txt
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-lock/bin/python -m pip install --quiet -e . --group dev --group test
	(echo "# Every dependency of Onward and of its tests, pinned. Made by \`make lock\`."; \
		$(VENV)-lock/bin/python -m pip freeze --all --exclude-editable | grep -v -E '^(setuptools|wheel)=') > constraints.txt
	rm -rf $(VENV)-lock

clean: ## Remove everything that was installed or generated
	rm -rf $(VENV) onward/built web/node_modules web/src/api/generated.ts .clients .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find tests -name node_modules -prune -exec rm -rf {} +

# From nothing (--clear), because an attempt that was interrupted can leave half a pip behind.
# pip from 25.1 on knows dependency groups; Debian 12 comes with 23.0.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Onward needs Python 3.11 or newer, \
	and $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.installed-run: pyproject.toml constraints.txt $(VENV)/.made
	$(PIP) -e .
	touch $@

$(VENV)/.installed-all: pyproject.toml constraints.txt $(VENV)/.made
	$(PIP) -e . --group dev --group test
	touch $@ $(VENV)/.installed-run
