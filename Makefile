# Two commands do everything: `make quickstart` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= quickstart
REAL ?=

.PHONY: help setup setup-dev quickstart test test-full test-usd check format lock clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed  ## Install what users need into .venv
setup-dev: $(VENV)/.installed-dev  ## Install what developers need on top

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "error: $(PYTHON) is not Python 3.11, which bpy needs; run make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "error: $(PYTHON) has no venv module: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# Every version is pinned by constraints.txt, so that tomorrow's releases break nothing.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[render,library]'
	$(BIN)/python -m scaling4d.system_check
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[render,library,cluster,lora,dev]'
	@touch $@

quickstart: setup  ## The whole pipeline in minutes: OUT=folder REAL=folder-of-videos
	$(BIN)/python -m scaling4d quickstart --out $(OUT) $(if $(REAL),--real $(REAL))

test: setup-dev check  ## Everything that CI runs
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-full: setup-dev  ## The long sweeps and kill campaigns, on top of `make test`
	$(BIN)/python -m pytest -m full --timeout 7200

test-usd: setup-dev  ## The asset suite on each USD that Houdini ships (an environment per version)
	$(BIN)/python -m tests.assets_schema.usd_versions

check: setup-dev  ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev  ## Rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup-dev  ## Remake constraints.txt from what is installed and tested here
	(head -1 constraints.txt; $(BIN)/python -m pip freeze --exclude-editable) > constraints.tmp
	mv constraints.tmp constraints.txt

clean:  ## Remove the environment and caches, never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
