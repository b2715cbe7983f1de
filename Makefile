# The whole workflow: `make serve` runs the service, `make test` proves it, `make check` is what a change must pass.
# Both set themselves up: Python 3.11, make and the package registry are all they need.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 1

.DEFAULT_GOAL := help
.PHONY: help serve test check format engines bench soak fuzz audit sbom image golden lock clean

help: ## show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp a lock file: the second run of a target finds it and starts at once.
$(VENV)/.serve: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.serve
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

serve: $(VENV)/.serve ## run the service on http://127.0.0.1:8000
	$(BIN)/yanpan serve --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: $(VENV)/.dev ## run every test
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev ## format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

format: $(VENV)/.dev ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.engines: requirements-engines.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet -r requirements-engines.txt
	@touch $@

engines: $(VENV)/.engines ## install Spark, Ray and an object store, whose tests `make test` skips without them

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	@touch $@

bench: $(VENV)/.bench ## measure everything that docs/performance.md tells (a quarter of an hour)
	@command -v wrk > /dev/null || apt-get install --yes --quiet wrk || echo "no wrk: requests a second are skipped"
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.chain
	$(BIN)/python -m benchmarks.policy_engine
	$(BIN)/python -m benchmarks.processes
	$(BIN)/python -m benchmarks.http
	$(BIN)/python -m benchmarks.files --cluster-rows 20000
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.peers

soak: $(VENV)/.dev ## what the service bears: overload, kills, a stopped database, a full disk (a quarter of an hour)
	$(BIN)/python -m benchmarks.soak $(ARGS)

fuzz: $(VENV)/.dev ## 100,000 hostile requests, and hostile texts and files (a quarter of an hour)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.fuzz $(ARGS)

audit: $(VENV)/.dev ## known vulnerabilities of the locked packages, where their database can be reached
	$(BIN)/python -m benchmarks.vulnerabilities

sbom: $(VENV)/.dev ## every package of a deployment, as CycloneDX: sbom.json
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application -o sbom.json requirements.lock

image: $(VENV)/.dev ## lint the Dockerfile and go through its steps without a container engine
	bash deploy/prove_image.sh

golden: $(VENV)/.dev ## write data/golden/ and the READMEs' figures anew, to be read before they are committed
	$(BIN)/python tests/test_golden.py
	$(BIN)/python tests/test_docs.py

lock: $(VENV)/.dev ## renew both lock files
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --extra build -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --strip-extras --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --all-extras -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## remove everything that the targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .cache
