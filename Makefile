# Two commands for a newcomer: `make up` and `make test`. Each does its own set-up.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: up test check fix bench lock setup office clean
.DEFAULT_GOAL := up

up: setup  ## everything on this machine, with sample data; Ctrl-C stops it
	$(BIN)/usage-report up --sample $(UP_FLAGS)

test: check office  ## checks, then every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(TEST_FLAGS)

check: setup  ## never edits
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## speed, as ratios against peers
	$(BIN)/python -m tests.bench

# Tests open what was exported in LibreOffice; whoever may not install it is told how.
office:
	@command -v soffice > /dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	    && apt-get install -qq --no-install-recommends libreoffice-calc-nogui > /dev/null; } \
	  || echo "LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc-nogui"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("usage-report needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock: setup  ## newest versions that pyproject.toml allows, with hashes and no hosts
	printf 'setuptools\n' | $(BIN)/uv pip compile --upgrade --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --output-file requirements.lock pyproject.toml -

clean:
	rm -rf $(VENV) usage-data build *.egg-info
