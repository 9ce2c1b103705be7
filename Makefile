# The front door. Each target is one `loader` or `dbt` command, which works without make too (see README.md).

PYTHON ?= python3
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN = $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
UV := $(shell command -v uv 2>/dev/null)

# .env is read by the same library as in the loader, so that both understand quotes and `$` alike
DOTENV = $(if $(wildcard .env),$(BIN)/dotenv --file .env run --no-override --)
LOADER = $(DOTENV) $(BIN)/loader
COMPOSE = $(DOTENV) docker compose --file docker/compose.yml

# without compiled packages each process takes two to three times as long to start
unexport PYTHONDONTWRITEBYTECODE

ifdef TARGET
export ALMANAC_TARGET := $(TARGET)
endif
ifdef ENGINES
export ENGINES
endif

SQL := dbt_project/models dbt_project/tests
PEERS := .venv-bench/dlt/.made .venv-bench/sqlmesh/.made

# of the sample data of an insurer
SAMPLE = $(if $(SCALE),--scale '$(SCALE)') $(if $(FIRST),--first '$(FIRST)')

.PHONY: help demo demo-aca aca-day aca-full load build run status docs test test-long lint bench up down lock has-compose

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## from a fresh machine to a finished warehouse, then the promise [ROWS=5000 PERIODS=6]
	@$(LOADER) demo $(if $(ROWS),--rows $(ROWS)) $(if $(PERIODS),--periods $(PERIODS))

demo-aca: $(VENV)/.runtime ## the same for a health insurer: CSV drops to star and cube [SCALE=0.25 PERIODS=4]
	@$(LOADER) demo aca $(if $(SCALE),--scale '$(SCALE)') $(if $(PERIODS),--periods '$(PERIODS)')

aca-day: $(VENV)/.runtime ## an insurer's claims of DAY=2025-06-14 land, are loaded and built [SCALE=1 FIRST=2025-01]
	@$(if $(DAY),,echo 'make aca-day: say which day, for example DAY=2025-06-14' >&2; exit 2)
	@$(LOADER) sample-data aca --day '$(DAY)' $(SAMPLE)
	@$(LOADER) run

aca-full: $(VENV)/.runtime ## all files of the insurer at once: the same tables [SCALE=1 PERIODS=6 FIRST=2025-01]
	@$(LOADER) sample-data aca $(SAMPLE) $(if $(PERIODS),--periods '$(PERIODS)')
	@$(LOADER) run

load: $(VENV)/.runtime ## ingest, validate and load what has landed for PERIOD=2025-06 [DATASET=citizens]
	@$(if $(PERIOD),,echo 'make load: say which period, for example PERIOD=2025-06' >&2; exit 2)
	@$(LOADER) load --period '$(PERIOD)' $(if $(DATASET),--dataset '$(DATASET)')

build: $(VENV)/.runtime ## dbt build layer by layer, with the gate after each [FULL=1 rebuilds facts] [CHECK_ALL=1]
	@$(LOADER) build $(if $(FULL),--full) $(if $(CHECK_ALL),--check-all)

run: $(VENV)/.runtime ## load all that is new, then build what has changed [CHECK_ALL=1 asks all gates]
	@$(LOADER) run $(if $(CHECK_ALL),--check-all)

status: $(VENV)/.runtime ## datasets x periods: state, rows, rejected, file, when
	@$(LOADER) status

docs: $(VENV)/.docs ## the documentation, with the pages of the warehouse and its gates: target/docs/index.html
	@$(LOADER) docs

test: lint ## every check and test [ENGINES=duckdb,postgres,sqlserver] [COVERAGE=1, a quarter slower] [COST=1]
	@$(if $(COST),COST=1) $(BIN)/pytest --numprocesses logical --dist worksteal $(if $(COVERAGE),--cov --cov-report term)

test-long: lint ## the same with all examples, kills and engines: an hour and a half, for each night and each release
	@LONG=1 $(BIN)/pytest --numprocesses logical --dist worksteal

lint: $(VENV)/.dev ## ruff, import-linter, mypy and sqlfluff
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/sqlfluff lint --disable-progress-bar --nocolor $(SQL)

bench: $(VENV)/.dev ## the figures of benchmarks/, with their peers [SCALE=0.1 REPEAT=1 ENGINES=postgres,sqlserver]
	-@$(MAKE) --keep-going $(PEERS)
	@$(BIN)/python -m benchmarks

up: has-compose $(VENV)/.runtime ## SQL Server and PostgreSQL in containers, to try and test on (needs docker)
	@$(COMPOSE) up --detach --wait sqlserver postgres
	@$(COMPOSE) run --rm --no-TTY sqlserver-database
	@echo 'SQL Server and PostgreSQL are up, each with an empty database almanac. Set in .env:'
	@echo '  ALMANAC_SQLSERVER_USER=sa'
	@echo '  ALMANAC_SQLSERVER_TRUST_CERT=true'
	@echo 'Then: $(BIN)/loader migrate --target sqlserver, make run TARGET=sqlserver; the same with postgres'

down: has-compose ## stop them; their databases stay
	@docker compose --project-name almanac down
	@echo 'the databases are kept; to remove them too: docker compose --project-name almanac down --volumes'

has-compose:
	@docker compose version >/dev/null 2>&1 || \
	    { echo 'needs docker with compose, see https://docs.docker.com/compose/install' >&2; exit 2; }

lock: $(VENV)/.runtime ## solve requirements/*.in anew (needs uv)
	@$(if $(UV),,echo 'make lock: needs uv, see https://docs.astral.sh/uv' >&2; exit 2)
	@for name in runtime docs dev bench-dlt bench-sqlmesh; do \
	    $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	        --no-emit-index-url --no-annotate --no-header requirements/$$name.in \
	        --output-file requirements/$$name.lock || exit; \
	done

# The environment: made anew when the runtime lock changes, completed when the development lock does.

ifdef UV
MAKE_VENV = $(UV) venv --quiet --clear --python '$(PYTHON)' $(VENV)
INSTALL = VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode --no-deps
else
MAKE_VENV = '$(PYTHON)' -m venv --clear $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps
endif

$(VENV)/.runtime: requirements/runtime.lock
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "Almanac needs Python 3.11 or newer; '$(PYTHON)' is not: name another with PYTHON=python3.12" >&2; exit 2; }
	@echo 'environment: $(VENV), packages of requirements/runtime.lock (one to three minutes, once)'
	@$(MAKE_VENV)
	@$(INSTALL) --require-hashes --requirement requirements/runtime.lock
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.docs: $(VENV)/.runtime requirements/docs.lock
	@echo 'environment: packages of requirements/docs.lock'
	@$(INSTALL) --require-hashes --requirement requirements/docs.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.lock
	@echo 'environment: packages of requirements/dev.lock'
	@$(INSTALL) --require-hashes --requirement requirements/dev.lock
	@touch $@

# The peers of the benchmarks, each in an environment of its own; one that cannot be installed is not measured.

.venv-bench/dlt/.made: requirements/bench-dlt.lock
.venv-bench/sqlmesh/.made: requirements/bench-sqlmesh.lock
$(PEERS): VENV = $(@D)
$(PEERS):
	@echo 'environment: $(VENV), packages of $<'
	@$(MAKE_VENV)
	@$(INSTALL) --require-hashes --requirement $<
	@touch $@
