# A thin front for two audiences: who wants to see crossdeps work, and who wants to change it.
# A machine needs git, make and Python 3.10 or newer with venv; PYTHON=... names another one.

.DEFAULT_GOAL := help
.PHONY: help example test unit docs clean

# The first of these that runs and is new enough.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python3.10 python
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
	&& { echo "$$python"; break; }; done)

VENV := .venv
DEV := .venv-dev
EXAMPLE := examples/pycryptodome

help: ## list what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

example: $(VENV)/installed ## build examples/pycryptodome for Python 3.9 on x86_64, from the real index
	$(VENV)/bin/crossdeps build -r $(EXAMPLE)/requirements.txt --source $(EXAMPLE)/app.py \
		--python 3.9 --arch x86_64 -o build/example.zip
	$(VENV)/bin/crossdeps check build/example.zip --python 3.9 --arch x86_64

test: $(DEV)/installed ## every gate: lint, types, layers, changelog, documentation, tests
	$(DEV)/bin/nox --non-interactive

unit: $(DEV)/installed ## the quick tests only
	$(DEV)/bin/nox --non-interactive -s unit

docs: $(DEV)/installed ## the documentation, into docs/_build/html
	$(DEV)/bin/nox --non-interactive -s docs

clean: ## remove the environments and everything that was built
	rm -rf $(VENV) $(DEV) .nox build docs/_build

$(VENV)/installed: pyproject.toml
	$(MAKE) --no-print-directory fresh-venv FOLDER=$(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV)/installed: pyproject.toml
	$(MAKE) --no-print-directory fresh-venv FOLDER=$(DEV)
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check 'nox>=2025.5.1'
	@touch $@

.PHONY: fresh-venv
fresh-venv:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.10 or newer with venv on PATH" >&2; \
		echo "hint: install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(FOLDER)
