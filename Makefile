# The commands of this project; CI runs the same ones. `make help` lists them.
# The first interpreter that runs and is new enough: a version manager may put names on PATH that do not run.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && { command -v "$$p"; break; }; done)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command "make lock" --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports unit soak fuzz bench show-loop show-faces show-reading show-judging show-forge show-redeploy show-audit simulate lock schema clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP)  ## Make the virtual environment in .venv (uv when present, else pip)

$(STAMP): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; fi
	@if command -v uv >/dev/null 2>&1; then \
	  echo "setting up $(VENV) with uv" && \
	  uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) && \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . ; \
	else \
	  echo "setting up $(VENV) with pip (about a minute)" && \
	  "$(PYTHON)" -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

demo: $(STAMP)  ## The whole loop, embedded and offline, in a temporary folder
	@$(BIN)/refrom demo

test: lint types imports unit  ## Everything that must hold before a change lands

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

# The tests wait for servers more than they compute, so there are more workers than cores; a file stays with one worker.
# Files begin in the order of their names: by the number of their tests, the longest would begin last.
unit: $(STAMP)
	$(BIN)/python -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder $(PYTEST)

soak: $(STAMP)  ## The tests that begin the same thing over and over, to see each way in which it may end
	$(BIN)/python -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder -m soak $(PYTEST)

show-loop: $(STAMP)  ## What the loop must show, with the real servers: each figure beside its goal
	@$(BIN)/python -m tests.show loop

show-faces: $(STAMP)  ## What GitHub, the Action and the container must show
	@$(BIN)/python -m tests.show faces

show-reading: $(STAMP)  ## What the reading of base references must show: each figure beside its goal
	@$(BIN)/python -m tests.show reading

show-judging: $(STAMP)  ## What watching, judging and lineage must show
	@$(BIN)/python -m tests.show judging

show-forge: $(STAMP)  ## What pull requests for a whole organisation must show
	@$(BIN)/python -m tests.show forge

show-redeploy: $(STAMP)  ## What rebuild, rebase, redeploy, proof and the way back must show
	@$(BIN)/python -m tests.show redeploy

show-audit: $(STAMP)  ## What update modes, rollouts, the audit and its forms must show
	@$(BIN)/python -m tests.show audit

fuzz: $(STAMP)  ## Our parser and BuildKit's own on 20,000 random Dockerfiles
	@$(BIN)/python -m tests.property.fuzz_dockerfile --cases 20000

bench: $(STAMP)  ## How fast files and layers are read, images rebased, what 10,000 repositories cost: each figure beside its goal
	@$(BIN)/python -m tests.bench.reading
	@$(BIN)/python -m tests.bench.contents
	@$(BIN)/python -m tests.bench.fleet
	@$(BIN)/python -m tests.bench.rebase

simulate: $(STAMP)  ## A quarter of a thousand functions on a virtual clock: each figure beside its goal, drawn into docs/
	@$(BIN)/python -m tests.simulate

schema:  ## Write the JSON schemas of the settings and of a repository's own file
	$(BIN)/python -m bot.settings.schema > config/refrom.schema.json
	$(BIN)/python -m bot.settings.schema own > config/refrom.own.schema.json

lock:  ## Renew the lock files from pyproject.toml (needs uv): all, what refrom runs on, what builds its wheel
	$(COMPILE) pyproject.toml --group dev --output-file requirements.lock
	$(COMPILE) pyproject.toml --constraint requirements.lock --output-file requirements-runtime.lock
	$(COMPILE) --group build --constraint requirements.lock --output-file requirements-build.lock

clean:  ## Remove what the commands above made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
