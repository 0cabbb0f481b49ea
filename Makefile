# Two commands set everything up on a fresh machine: `make render` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests start the command line again and again: without compiled modules each start takes nearly twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: render test gates test-cluster test-world lint bench golden figures kinds docs pins release dist clean

render: $(BIN)/.core
	$(BIN)/sluice render

test: $(BIN)/.dev
	tests/tools/prometheus.sh
	tests/tools/browser.sh
	sh tests/references/registry.sh
	sh tests/references/skopeo.sh
	tests/tools/people.sh
ifdef ARGS
	$(BIN)/python -m pytest -n 2 $(ARGS)
else
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone"
	$(BIN)/python -m pytest -m alone
endif

# The situations that gates exist for, judged with the real tools; writes nothing, prints the README's table.
gates: $(BIN)/.dev
	$(BIN)/python -m tests.gates.situations

# Needs root; builds what is missing. S=3 runs one scenario, KEEP=1 leaves the cluster standing for a look.
test-cluster: $(BIN)/.dev
	$(BIN)/python -m tests.cluster.bed test $(S)

# What needs further programs or long times; writes docs/world-report.md and .json. S=speed runs one scenario.
test-world: $(BIN)/.dev
	$(BIN)/python -m tests.world run $(S)

lint: $(BIN)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m tests.tools.words

bench: $(BIN)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

golden: $(BIN)/.dev
	$(BIN)/python -m tests.golden

# The figures of docs/statistics.md: designed schedules in simulation, guards on histories without a change.
figures: $(BIN)/.dev
	$(BIN)/python -m tests.figures

# The kinds of objects as their projects publish them, from Go modules; prints which fields came and went.
kinds: $(BIN)/.dev
	$(BIN)/python -m tests.tools.kinds.build

# The documents as a static site, in build/site.
docs: $(BIN)/.dev
	$(BIN)/python -m tests.docs.site

# The hashed lists of everything that is installed, again from the .in files; versions stay where they still fit.
PINS := generator/pins/core $(basename $(wildcard tests/pins/*.in templates/ci/pins/*.in))
pins: $(BIN)/.dev
	for list in $(PINS); do $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate $$list.in -o $$list.txt || exit 1; done

# A commit, a tag and dist/ for VERSION, on a clean checkout of main.
release: $(BIN)/.dev
	$(BIN)/python .ci/release $(VERSION)

# dist/ of the commit that is checked out: the same bytes each time.
dist: $(BIN)/.dev
	$(BIN)/python .ci/release --build

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

# A stamp a list of pins: pip runs only when a list has changed.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(BIN)/.core: generator/pins/core.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r generator/pins/core.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q generator  # what pip does for a wheel: a tenth of a second at every start
	touch $@

$(BIN)/.dev: tests/pins/dev.txt $(BIN)/.core
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r tests/pins/dev.txt
	touch $@
