# A fresh checkout needs Python 3.11 and make; everything else sets itself up, in .venv, the first time it is wanted.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
READY := .venv/.ready
EXAMPLE := examples/chongqing-2021-09-07
BUILT := build/chongqing
KERNEL := base declare record reckon attest
FONT := /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

.PHONY: help run test lint types tests bench pins fonts clean

help: ## list these targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: $(READY) fonts ## build the example programme of the page from evidence to verified statements
	$(BIN)/mingjian demo $(EXAMPLE) $(BUILT)

test: lint types tests ## all that must hold before a change is taken

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

tests: $(READY) fonts
	$(BIN)/pytest -n 2 $(KERNEL:%=--cov=mingjian.%) --cov-report=term:skip-covered --cov-fail-under=95

bench: $(READY) fonts ## time and peak memory of every step of `make run`
	$(BIN)/python bench/run.py

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
