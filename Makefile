# Two commands for a newcomer: `make up` and `make test`. Each does its own set-up.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV   := .venv
FAULT_REPORT := fault-report
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := .venv-bench
LINTS  := .venv-deploy
AUDIT  := .venv-audit
COMPILE = $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: up test faults soak check fix bench lint-deploy image-check audit lock setup office browser promtool clocks client reference clean
.DEFAULT_GOAL := up

up: setup  ## everything on this machine, with sample data; Ctrl-C stops it
	$(BIN)/usage-report up --sample $(UP_FLAGS)

test: check office browser promtool  ## checks, then every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TEST_FLAGS)

faults: setup office clocks  ## every row of the fault catalogue and every test of a remedy, 2 hours; its table at the end
	rm -rf $(FAULT_REPORT)
	USAGE_FAULT_REPORT_DIR=$(FAULT_REPORT) $(BIN)/python -m pytest tests/faults tests/integration -m "faults or not faults" $(TEST_FLAGS); \
	  status=$$?; $(BIN)/python -m tests.faults.report $(FAULT_REPORT); exit $$status

MINUTES ?= 60
soak: setup  ## a random mix of faults; JSON and a plot in $(FAULT_REPORT)
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES) --report $(FAULT_REPORT) $(SOAK_FLAGS)

check: setup  ## never edits
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(PEERS)/.ready  ## speed, as ratios against peers; BENCH_FLAGS=--short takes minutes
	$(BIN)/python -m tests.bench $(BENCH_FLAGS)

# The peers ask for other versions than we do, so they live by themselves.
$(PEERS)/.ready: tests/bench/requirements.lock
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/bench/requirements.lock
	touch $@

# Cheap checks of the same files are tests; these bring their own programs and schemas.
KUBE := $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/migrate/*.yaml deploy/kubernetes/base/*.yaml))
lint-deploy: $(LINTS)/.ready  ## Dockerfile, compose file, manifests and scripts by their linters and schemas
	$(LINTS)/bin/hadolint deploy/Dockerfile
	$(LINTS)/bin/shellcheck deploy/servers/kafka.sh
	$(LINTS)/bin/yamllint --strict --config-file tests/image/yamllint.yaml deploy
	$(LINTS)/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(LINTS)/bin/kubernetes-validate --strict --quiet $(KUBE)

$(LINTS)/.ready: tests/image/requirements.lock
	$(PYTHON) -m venv $(LINTS)
	$(LINTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/image/requirements.lock
	touch $@

image-check: setup  ## the Dockerfile's steps by hand, and every process of it; root, 2 minutes
	$(BIN)/python -m tests.image

# Tests open what was exported in LibreOffice; whoever may not install it is told how.
office:
	@command -v soffice > /dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	    && apt-get install -qq --no-install-recommends libreoffice-calc-nogui > /dev/null; } \
	  || echo "LibreOffice is missing: apt-get install --no-install-recommends libreoffice-calc-nogui"

# The page is tried in it.
browser:
	@command -v chromium > /dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	    && apt-get install -qq --no-install-recommends chromium > /dev/null; } \
	  || echo "Chromium is missing: apt-get install --no-install-recommends chromium"

# Alerts and what they ask for are tried in it.
promtool:
	@command -v promtool > /dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	    && apt-get install -qq --no-install-recommends prometheus > /dev/null; } \
	  || echo "promtool is missing: apt-get install --no-install-recommends prometheus"

# Two rows set clocks of running processes.
clocks:
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 > /dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq \
	    && apt-get install -qq --no-install-recommends libfaketime > /dev/null; } \
	  || echo "libfaketime is missing: apt-get install libfaketime"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("usage-report needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock: setup  ## newest versions that pyproject.toml allows, with hashes and no hosts
	printf 'setuptools\n' | $(COMPILE) --all-extras --output-file requirements.lock pyproject.toml -
	$(COMPILE) --output-file tests/bench/requirements.lock tests/bench/requirements.in
	$(COMPILE) --output-file tests/image/requirements.lock tests/image/requirements.in
	$(COMPILE) --output-file tests/audit/requirements.lock tests/audit/requirements.in
	printf 'setuptools\n' | $(COMPILE) --constraint requirements.lock --output-file deploy/requirements.lock pyproject.toml -

client: setup  ## the client for products as a wheel of its own in dist/
	rm -rf build/client && mkdir -p build/client/usage_report_client
	cp ingest/client.py build/client/usage_report_client/__init__.py
	cp ingest/spool.py ingest/post.py build/client/usage_report_client/
	touch build/client/usage_report_client/py.typed
	cp ingest/sdk/pyproject.toml ingest/sdk/README.md LICENSE build/client/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --wheel-dir dist build/client

reference: setup  ## deploy/configuration.md, from the settings
	$(BIN)/usage-report settings --markdown > deploy/configuration.md

# It asks PyPI about each release. --strict: what nobody could tell about is a failure, not a pass.
audit: $(AUDIT)/.ready  ## known vulnerabilities of what the locks pin; fails where it can't ask, too
	$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement requirements.lock \
	  || { echo "audit: a finding, or nobody to ask; the lines above tell which"; exit 1; }

$(AUDIT)/.ready: tests/audit/requirements.lock
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/audit/requirements.lock
	touch $@

clean:
	rm -rf $(VENV) $(PEERS) $(LINTS) $(AUDIT) usage-data build dist *.egg-info
