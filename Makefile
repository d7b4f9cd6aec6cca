# Two commands do everything: `make demo` and `make test`. Both set up .venv first, from the lock files.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --native-tls

.PHONY: demo test lint lock perf clean

demo: .venv/core
	$(BIN)/parlour demo

test: .venv/all
	$(BIN)/python -m pytest -n auto --dist loadfile

perf: .venv/all
	$(BIN)/python perf/turns.py
	$(BIN)/python perf/calls.py
	$(BIN)/python perf/growth.py

# The packages `parlour` needs, pinned; then Parlour itself, from this checkout.
.venv/core: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Parlour needs Python 3.11 or newer: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(UV) -r requirements.lock
	$(UV) --no-deps -e .
	touch $@

# The same and everything the tests need: every extra, the test tools, other people's solvers.
.venv/all: .venv/core requirements-test.lock
	$(UV) -r requirements-test.lock
	touch $@

# Pins anew what pyproject.toml allows.
lock: .venv/core
	$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --quiet --upgrade --native-tls --output-file requirements-test.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --quiet --native-tls --constraint requirements-test.lock --output-file requirements.lock

clean:
	rm -rf .venv build dist *.egg-info
