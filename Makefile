# The two commands: `make run` and `make test`. Both set up what they need and work offline afterwards.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Checks load the settings, which would make a data folder and a key where none is.
CHECK_ENV := ANIWORLD_DATA_DIR=$(CURDIR)/.data-test ANIWORLD_SECRET_KEY=checks

.PHONY: setup setup-dev run test check test-python test-postgres test-js bench bench-realtime bench-realtime-setup

setup: $(VENV)/.runtime

setup-dev: $(VENV)/.dev

run: setup
	@$(BIN)/python manage.py serve

test: check test-js test-python test-postgres

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "AniWorld needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1): name another with make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) could not make $(VENV). On Debian and Ubuntu this helps: apt-get install python3-venv"; exit 1; }

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

check: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	find templates realtime/templates -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} +
	$(BIN)/djlint --lint --quiet templates realtime/templates
	$(CHECK_ENV) $(BIN)/mypy .
	$(BIN)/lint-imports
	$(CHECK_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECK_ENV) $(BIN)/python manage.py asyncapi --check

# Whole sites that are killed again and again have the machine to themselves.
CRASHES := tests/downloads/test_crashes.py
# What the queue's pages show depends on the database; how it gets there does not depend on it.
QUEUE_PAGES := tests/browser/test_queue_live.py tests/browser/test_bad_source_live.py

test-python: setup-dev
	$(BIN)/pytest -n 2 --dist loadscope --ignore $(CRASHES)
	$(BIN)/pytest $(CRASHES)

test-postgres: setup-dev
	ANIWORLD_TEST_DATABASE=postgres $(BIN)/pytest -n 2 --dist loadscope -m "not browser" --ignore $(CRASHES)
	ANIWORLD_TEST_DATABASE=postgres $(BIN)/pytest -n 2 --dist loadscope -k daphne $(QUEUE_PAGES)
	ANIWORLD_TEST_DATABASE=postgres ANIWORLD_TEST_CRASH_S=20 $(BIN)/pytest $(CRASHES)

test-js:
	@if command -v node >/dev/null; then node --test tests/js/*.test.js; else echo "SKIPPED tests/js: node is not installed"; fi

bench: setup-dev
	$(BIN)/python -m benchmarks.names
	$(BIN)/python -m benchmarks.library_scan
	$(BIN)/python -m benchmarks.queue

# The servers that it is compared with are in an environment of their own. BENCH names scenarios, peers and --quick.
BENCH_VENV := .venv-bench
BENCH_DIR := benchmarks/realtime

bench-realtime: bench-realtime-setup
	$(BENCH_VENV)/bin/python -m benchmarks.realtime $(BENCH)

bench-realtime-setup: $(BENCH_VENV)/.ready $(BENCH_DIR)/node_modules/.ready

$(BENCH_VENV)/.ready: requirements.txt $(BENCH_DIR)/requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(BENCH_DIR)/requirements.txt
	@touch $@

$(BENCH_DIR)/node_modules/.ready: $(BENCH_DIR)/package.json
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then npm install --prefix $(BENCH_DIR) --no-package-lock --no-audit --no-fund --silent; else echo "SKIPPED the servers on Node: npm is not installed"; fi
	@touch $@
