# make quickstart   everything up on this machine, with a sample delivered
# make test         the whole test suite, on real components
.DEFAULT_GOAL := help
PORT ?= 8000

.PHONY: help quickstart test bench soak replay lint format reference audit-dependencies clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-20s %s\n", $$1, $$2}'

quickstart: ## install, migrate, fill in defaults and a sample, run server and worker (PORT=8000)
	@scripts/environment
	@exec .venv/bin/python manage.py quickstart --port $(PORT)

test: ## run all tests, on SQLite and on PostgreSQL (ARGS="-k name" to choose)
	@scripts/environment --dev
	@.venv/bin/python -m tests $(ARGS)

bench: ## measure speed and memory
	@scripts/environment --dev
	@.venv/bin/python -m bench $(ARGS)

soak: ## the long runs: kills, concurrent writers, random edits, made-up requests
	@scripts/environment --dev
	@.venv/bin/python -m tests --soak $(ARGS)

replay: ## send recorded REST exchanges to a fresh server (FILE=rest.jsonl, ARGS="--with more.jsonl")
	@scripts/environment --dev
	@.venv/bin/python -m tests.replay $(FILE) $(ARGS)

lint: ## ruff, mypy, import contracts: the same commands as in the tests
	@scripts/environment --dev
	@.venv/bin/python -m pytest -q tests/test_code_quality.py

format: ## let ruff put the code in order
	@scripts/environment --dev
	@.venv/bin/ruff check --fix -q . ; .venv/bin/ruff format -q .

reference: ## write docs/reference from the code
	@scripts/environment --dev
	@.venv/bin/python -m scripts.reference

audit-dependencies: ## look for known holes in the locked packages (asks the advisory service)
	@scripts/environment --dev
	@.venv/bin/python -m scripts.audit_dependencies

clean: ## forget the local data directory (database, Git plane, queue)
	rm -rf .stagecraft
