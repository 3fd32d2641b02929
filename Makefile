# make demo      install, open the site on the bundled atlas, render toytown live beside it
# make test      install, then everything that CI checks
# make coverage  the tests again, with the lines that none of them runs
# make docs      the documentation as a site, in build/docs
# make nightly   the slow tests; `make oldest`, with the oldest libraries that are allowed
# make findings  whether surprises of other libraries are still there
PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
PORT ?= 8000
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What `make oldest` runs: all that needs no library of models and no browser.
OLDEST_TESTS := tests/test_*.py tests/atlas tests/resolve tests/pictures tests/datasets tests/optimize \
	tests/weights tests/web tests/lenses tests/cli tests/docs

.PHONY: demo test check coverage nightly oldest docs findings clean

$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Micrograph needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --progress-bar on -c constraints.txt -e '.[lenses]'
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/pip install --quiet --progress-bar on -c constraints.txt -e '.[dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.core
	$(BIN)/pip install --quiet --progress-bar on -c constraints.txt -e '.[docs]'
	touch $@

$(OLDEST)/.core: pyproject.toml constraints.txt .ci/oldest.py
	$(PYTHON) -m venv $(OLDEST)
	$(PYTHON) .ci/oldest.py > $(OLDEST)/oldest.txt
	$(OLDEST)/bin/pip install --quiet --progress-bar on -c $(OLDEST)/oldest.txt -e '.[lenses,tests]'
	touch $@

demo: $(VENV)/.core
	$(BIN)/micrograph demo --port $(PORT)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two processes, file by file. In the order of collection: the browser's tests come last.
test: check
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(VENV)/.dev
	$(BIN)/pytest --cov --cov-report term $(ARGS)

nightly: $(VENV)/.dev
	$(BIN)/pytest -m nightly --timeout 3600 $(ARGS)

oldest: $(OLDEST)/.core
	$(OLDEST)/bin/python -m pytest -p no:cacheprovider $(or $(ARGS),$(OLDEST_TESTS))

# -W: a broken link or a docstring that cannot be read fails.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo 'build/docs/index.html'

findings:
	@for script in findings/*.sh; do echo "$$script"; PYTHON=$(PYTHON) $$script || exit 1; done

clean:
	rm -rf $(VENV) $(OLDEST) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* htmlcov
