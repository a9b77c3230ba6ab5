# For GNU make. Needs Python 3.11 or newer and git; everything else is installed into .venv.

RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed
SPEC_LINT := .ci/spec-lint/node_modules/.installed
OTHERS := benchmarks/others/node_modules/.installed
WEB := examples/web/node_modules/.installed
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help mock test whole thorough matrix bench growth abuse lint format lint-spec docs screenshots types lint-web lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

mock: $(RUNTIME)  ## Run the mock server on port 8000; its options: make mock ARGS="..."
	@exec .venv/bin/mock-server $(ARGS)

test: $(DEV)  ## Run every check: format, lint, types, import rules, tests, coverage
	@scripts/check

matrix: $(DEV)  ## Hold each of the test target's faults against the contract tests, and Schemathesis alone
	@.venv/bin/python benchmarks/matrix.py $(ARGS)

bench: $(DEV) $(OTHERS)  ## Measure the mock beside Prism, Mockoon, stock connexion and bare Starlette (needs Node.js and wrk)
	@.venv/bin/python benchmarks/bench.py $(ARGS)

growth: $(DEV)  ## Measure a mock that holds a million tasks beside an empty one (needs wrk)
	@.venv/bin/python benchmarks/growth.py $(ARGS)

abuse: $(DEV)  ## Measure how long others wait for their answers while the mock is abused
	@.venv/bin/python benchmarks/abuse.py

whole: $(DEV) $(WEB)  ## Run what takes long: whole contract tests, browsers, PostgreSQL, kills, the docs (needs Node.js, curl and jq)
	@.venv/bin/pytest -n auto -m whole

thorough: $(DEV)  ## Run every property with many more examples
	@.venv/bin/pytest -n auto -m "hypothesis and not whole" --hypothesis-profile thorough

lint: $(DEV)  ## Run the checks that run no code of the project
	@scripts/lint

format: $(DEV)  ## Format the code and apply the safe fixes
	@.venv/bin/ruff check --fix-only --quiet
	@.venv/bin/ruff format

lint-spec: $(DEV) $(SPEC_LINT)  ## Lint openapi.yaml, with Redocly and Spectral too (needs Node.js)
	@.venv/bin/contract lint
	@npm --prefix .ci/spec-lint run --silent lint

docs: $(DEV) $(WEB)  ## Build the documentation site, which the mock serves at /docs (needs Node.js, curl and jq)
	@.venv/bin/contract docs --to build/docs

screenshots: $(DEV)  ## Remake the pictures of README (needs a browser)
	@mkdir -p docs/screenshots
	@SCREENSHOTS=docs/screenshots REQUIRE_BROWSER=1 .venv/bin/pytest -k "pictures_of or fits_and_is_legible" tests/browser

types: $(WEB)  ## Remake the TypeScript types of openapi.yaml (needs Node.js)
	@npm --prefix examples/web run --silent types

lint-web: $(WEB)  ## Check the TypeScript types and the example page (needs Node.js)
	@npm --prefix examples/web run --silent check

lock:  ## Remake both locks; to move to newer versions: make lock ARGS=--upgrade
	@scripts/install
	@.venv/bin/python -m pip install --quiet $(UV)
	@scripts/lock $(ARGS)

clean:  ## Remove everything that the other targets made
	rm -rf .venv .ci/spec-lint/node_modules examples/web/node_modules benchmarks/others/node_modules .*_cache .coverage* .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted installation starts over. Installing one lock takes back
# the other one's stamp first: what it promised may no longer hold.
$(RUNTIME): requirements.lock pyproject.toml
	@rm -f $(DEV)
	@scripts/install requirements.lock
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml
	@rm -f $(RUNTIME)
	@scripts/install requirements-dev.lock
	@touch $(RUNTIME) $@  # the development lock holds the whole runtime lock

$(SPEC_LINT): .ci/spec-lint/package-lock.json
	@npm --prefix .ci/spec-lint ci
	@touch $@

$(OTHERS): benchmarks/others/package-lock.json
	@npm --prefix benchmarks/others ci --ignore-scripts
	@touch $@

$(WEB): examples/web/package-lock.json
	@npm --prefix examples/web ci
	@touch $@
