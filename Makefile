# make demo    install, open the site on the bundled atlas, render toytown live beside it
# make test    install, then everything that CI checks
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check nightly clean

$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Micrograph needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --progress-bar on -c constraints.txt -e '.[lenses]'
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --progress-bar on -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.core
	$(BIN)/micrograph demo --port $(PORT)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/pytest $(ARGS)

nightly: $(VENV)/.dev
	$(BIN)/pytest -m nightly --timeout 3600 $(ARGS)

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
