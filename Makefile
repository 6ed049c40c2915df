# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make demo     runs a whole seasonal campaign on synthetic input
#   make test     runs the tests
# make bench measures beside other ways, and writes docs/performance.md
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# where the demo leaves its results; removed and made anew by each demo
DEMO := .demo
# processes that share the test files; each module stays with one
WORKERS ?= 2
# rows of the deliveries that are measured; 10000000 takes long, and 2 GB of disk
SIZES ?= 1000,10000,100000,1000000

.PHONY: demo test test-slow bench lint install lock clean help

help:
	@echo "make demo | make test | make test-slow | make bench | make lint | make lock"

# uv installs four times faster than pip and compiles the bytecode Prefect's start-up needs.
$(VENV)/.installed: requirements.lock .ci/uv.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	touch $@

install: $(VENV)/.installed

demo: install
	rm -rf $(DEMO)
	$(BIN)/campaign demo --home $(DEMO)

test: install
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

bench: install
	$(BIN)/python -m benchmarks --sizes $(SIZES)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --upgrade --extra dev pyproject.toml -o requirements.lock
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --upgrade - -o .ci/uv.lock

clean:
	rm -rf $(VENV) $(DEMO)
