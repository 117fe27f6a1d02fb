# A fresh checkout needs Python 3.11 and make; everything else sets itself up, in .venv, the first time it is wanted.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
READY := .venv/.ready
EXAMPLE := examples/chongqing-2021-09-07
BUILT := build/chongqing
WHEELHOUSE := build/wheelhouse
TRY := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder
KERNEL := reckon attest record declare base
LONG := tests/docs/ tests/workspace/ tests/faults/ tests/house/ tests/bench/ tests/web/
OTHERS := $(LONG) $(filter-out $(KERNEL:%=tests/%/) tests/external/ $(LONG),$(wildcard tests/[a-z]*/))
FONT := /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

.PHONY: help run serve test lint types tests suites spark bench faults wheelhouse pins fonts clean

help: ## list these targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

run: $(READY) fonts ## build the example programme of the page from evidence to verified statements
	$(BIN)/mingjian demo $(EXAMPLE) $(BUILT)

serve: $(READY) fonts $(BUILT)/people.txt ## open the example in the browser, and say who can sign in
	@cat $(BUILT)/people.txt
	$(BIN)/mingjian serve -w $(BUILT)/workspace -s three_portraits

$(BUILT)/people.txt: | $(READY) fonts
	$(BIN)/mingjian demo $(EXAMPLE) $(BUILT)

test: lint types tests ## all that must hold before a change is taken

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

tests: $(READY) fonts browser java
	@tests/postgresql.sh $(MAKE) --no-print-directory suites

# The kernel is covered by its own tests; the others would take twice as long if they were watched too. A file is tried whole by
# one worker, which sets up once what its tests share. Rooms with long files come first, so that workers end together.
# Processes that tests start find the bytecode of those before them, also where the environment forbids to write any.
suites: export PYTHONDONTWRITEBYTECODE :=
suites:
	$(TRY) $(KERNEL:%=tests/%) tests/external $(KERNEL:%=--cov=mingjian.%) --cov-report=term:skip-covered \
	  --cov-fail-under=95
	$(TRY) $(OTHERS)

spark: $(READY) java ## all that is tried on Spark, which takes minutes more
	MINGJIAN_SPARK=all tests/postgresql.sh $(BIN)/pytest tests/reckon/measures/test_spark.py \
	  tests/workspace/test_on_spark.py tests/docs/test_running_page.py

bench: $(READY) fonts ## time and peak memory of every step of `make run`
	$(BIN)/python bench/run.py

faults: $(READY) fonts ## kill, fill up and tear at 212 places, and print what was survived
	$(BIN)/python bench/faults.py

wheelhouse: $(WHEELHOUSE)/README.txt ## a folder from which a machine without a network installs and runs
	$(BIN)/pip wheel --quiet --no-index -f $(WHEELHOUSE) --no-deps --wheel-dir $(WHEELHOUSE) .

# All that is fetched: what runs, what builds Mingjian from source, and what signs in at an OpenID provider.
$(WHEELHOUSE)/README.txt: $(READY) pyproject.toml constraints.txt docs/wheelhouse.txt
	rm -rf $(WHEELHOUSE)
	mkdir -p $(WHEELHOUSE)
	$(BIN)/python -c 'import tomllib; t = tomllib.load(open("pyproject.toml", "rb")); p = t["project"]; \
	  print(*t["build-system"]["requires"], *p["dependencies"], *p["optional-dependencies"]["oidc"], sep="\n")' \
	  > $(WHEELHOUSE)/requirements.txt
	$(BIN)/pip wheel --quiet --constraint constraints.txt --requirement $(WHEELHOUSE)/requirements.txt \
	  --wheel-dir $(WHEELHOUSE)
	rm $(WHEELHOUSE)/requirements.txt
	cp docs/wheelhouse.txt $@

pins: $(READY) ## write what is installed now to constraints.txt, after a dependency was changed in pyproject.toml
	$(BIN)/pip freeze --exclude-editable | LC_ALL=C sort -f > constraints.txt

clean: ## remove what can be made again
	rm -rf .venv build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml constraints.txt
	@python=''; for p in python3.11 python3 python; do \
	  if $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$p; break; fi; done; \
	if [ -z "$$python" ]; then echo 'Python 3.11 was not found: install it (Debian: python3.11 python3.11-venv)' >&2; exit 1; fi; \
	$$python -m venv .venv || { echo 'no virtual environment could be made (Debian: install python3.11-venv)' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Documents are drawn in Chinese and English; without these fonts Typst would leave blanks.
fonts:
	@if [ ! -f $(FONT) ] && ! { fc-list 2>/dev/null | grep 'Noto Sans CJK' > /dev/null; }; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq fonts-noto-cjk; \
	  else echo 'the fonts Noto Sans CJK and Noto Serif CJK are missing (Debian: apt-get install fonts-noto-cjk)' >&2; exit 1; fi; fi

# The face is tried in a browser where there is one; without it those tests are skipped and say so.
browser:
	@if ! command -v chromium > /dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null; \
	  else echo 'chromium is missing, and the tests in a browser are skipped (Debian: apt-get install chromium)' >&2; fi; fi

# Measures are tried on Spark too where there is Java; without it those tests are skipped and say so.
java:
	@if ! command -v java > /dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openjdk-17-jre-headless > /dev/null; \
	  else echo 'Java is missing, and the tests on Spark are skipped (Debian: apt-get install openjdk-17-jre-headless)' >&2; fi; fi
