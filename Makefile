# fabrique: `make run` shows it, `make test` proves it. Everything lives in .venv and var/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-bench
CATALOGUES := $(wildcard locales/*/LC_MESSAGES/*.po)
export FABRIQUE_DATABASE_URL ?= sqlite:///var/demonstration.sqlite3

.PHONY: run test quick lint messages catalogues bench calibrate calibrate-looks clean

run: $(VENV)/.installed catalogues ## the demonstration, in a browser
	$(BIN)/fabrique demo

test: $(VENV)/.installed-dev catalogues ## every test; FABRIQUE_REQUIRE_TOOLS=1 turns a missing tool into a failure
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

quick: $(VENV)/.installed-dev catalogues ## the fast tests only
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow and not browser" $(ARGS)

lint: $(VENV)/.installed-dev ## style, types, contracts (also part of test)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/.installed-dev catalogues $(PEERS)/.installed ## the figures, with their targets beside them
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/portfolio.py
	$(PEERS)/bin/python benchmarks/detect.py

calibrate: $(PEERS)/.installed ## what the watch promises, measured by simulation beside its peers (some minutes)
	$(PEERS)/bin/python experiments/calibration-watch/study.py

calibrate-looks: $(PEERS)/.installed $(PEERS)/gbstats/.installed ## what experiments promise: daily looks, small samples, series (minutes)
	$(PEERS)/bin/python experiments/calibration-looks/study.py

$(PEERS)/gbstats/.installed: $(PEERS)/.installed # apart from the other peers: GrowthBook's asks for numpy below 2
	$(PYTHON) -m venv --clear $(PEERS)/gbstats
	$(PEERS)/gbstats/bin/python -m pip install --quiet --disable-pip-version-check "gbstats>=0.8"
	touch $@

$(PEERS)/.installed: pyproject.toml # apart: the peers ask for older libraries than ours
	$(PYTHON) -m venv --clear $(PEERS)
	FABRIQUE_THEME=plain $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@

messages: $(VENV)/.installed ## bring the catalogues up to date with the sources
	$(BIN)/pybabel -q extract -F babel.cfg -k _ -k n_ -k ngettext:1,2 --omit-header --sort-by-file --no-location -o locales/fabrique.pot .
	$(BIN)/pybabel -q update -i locales/fabrique.pot -d locales -D fabrique --no-wrap --ignore-pot-creation-date --no-fuzzy-matching --ignore-obsolete
	$(MAKE) catalogues

catalogues: $(CATALOGUES:.po=.mo)

%.mo: %.po $(VENV)/.installed
	$(BIN)/pybabel -q compile -i $< -o $@

$(VENV)/.made: # an interrupted start is begun afresh
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml hatch_build.py frontend/package-lock.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

clean: ## forget the installation and the demonstration
	rm -rf $(VENV) $(PEERS) var src/fabrique/static/vendor
