# `make` alone prints one line for each command.
python := .venv/bin/python
with_servers := $(python) -m netcrm.run

.DEFAULT_GOAL := help
.PHONY: help run test check demo bench faults fuzz clean

help: ## What there is (this list)
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Run netcrm on this machine until Ctrl-C (PORT, DATABASE_URL, REDIS_URL are honoured)
	@bin/install requirements.txt
	@exec $(with_servers)

test: ## Run the whole suite, browser tests included (ARGS="-k digest" are pytest's)
	@bin/test $(ARGS)

check: ## Lint, format, layers, missing migrations, deployment settings, types
	@bin/install requirements-dev.txt
	@bin/check

demo: ## Fill the notebook of a demo account, in the running netcrm or for the next run
	@bin/install requirements.txt
	@$(with_servers) $(python) manage.py demo

bench: ## Measure requests, imports, digests and reminders per second (ARGS="--help" tells the sizes)
	@bin/install requirements.txt
	@NETCRM_VAR=var/bench $(with_servers) $(python) -m benchmarks.run $(ARGS)

faults: ## Kill and stop everything, and count what was lost or doubled (SEED, KILLS)
	@bin/install requirements-dev.txt
	@NETCRM_VAR=var/faults $(python) -m tests.faults.run $(ARGS)

fuzz: ## Try nasty files on every import, for so many seconds (SECONDS, SEED)
	@bin/install requirements-dev.txt
	@NETCRM_VAR=var/fuzz $(python) -m tests.fuzz.run $(ARGS)

clean: ## Remove what can be made again; the data in var/ stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache var/static var/bench var/faults var/fuzz
