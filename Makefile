# Ascolto. `make help` lists what there is.
PORT ?= 8000
HOST ?= 127.0.0.1
PY = .venv/bin/python
# Every release, upload and paper is a process of its own: without bytecode each of them would compile for three seconds.
unexport PYTHONDONTWRITEBYTECODE
export ASCOLTO_DATA ?= $(CURDIR)/data/demonstration
# Numbers are computed on one core: the same data give the same pattern, and a phone need not wait for a release.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.PHONY: help run test check bench audit lock vendor schema migration clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

.venv/.ok: requirements.lock pyproject.toml scripts/find-python
	@python=$$(scripts/find-python) || exit 1; \
	echo "Making the environment with $$python …"; \
	"$$python" -m venv .venv && \
	{ .venv/bin/python -m pip install -q --disable-pip-version-check uv 2>/dev/null && \
	  .venv/bin/uv pip install -q --compile-bytecode --require-hashes -r requirements.lock --python .venv/bin/python || \
	  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock; } && \
	.venv/bin/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_paths()["purelib"], "ascolto.pth").write_text(str(pathlib.Path.cwd()))' && \
	.venv/bin/python -m compileall -q analysis server surveys && \
	printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m server.command.cli "$$@"\n' > .venv/bin/ascolto && chmod +x .venv/bin/ascolto && \
	touch $@

run: .venv/.ok ## serve the demonstration, made the first time: make run [PORT=8000] [HOST=127.0.0.1]
	@$(PY) -m server.command.cli demo-serve --host $(HOST) --port $(PORT)

test: .venv/.ok ## everything CI does: lint, types, walls, all tests on SQLite and PostgreSQL, in a real browser
	@scripts/system-packages
	@$(MAKE) -s check
	$(PY) -m pytest -n 5 --dist loadscope

check: .venv/.ok ## form, lint, types, walls, unused code, lock files
	.venv/bin/ruff format --check -q .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) scripts/unused
	@! grep -nE 'https?://' requirements.lock requirements-bench.lock requirements-audit.lock || { echo "a lock file holds an address"; exit 1; }

bench: .venv/.ok ## measure speed and size; installs what is compared with
	@scripts/system-packages
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-bench.lock
	$(PY) -m tests.benchmarks

audit: .venv/.ok ## hold what is locked against published advisories; needs an index that serves them, and fails where none does
	@test -x .venv/audit/bin/pip-audit || { $(PY) -m venv .venv/audit && .venv/audit/bin/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-audit.lock; }
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements.lock

lock: .venv/.ok ## resolve the dependencies again: hashes, no addresses
	.venv/bin/uv lock -q
	.venv/bin/uv export -q --frozen --format requirements-txt --no-emit-project --no-header --extra dev -o requirements.lock > /dev/null
	.venv/bin/uv export -q --frozen --format requirements-txt --no-emit-project --no-header --extra bench --extra dev -o requirements-bench.lock > /dev/null
	echo pip-audit | .venv/bin/uv pip compile -q --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links - -o requirements-audit.lock > /dev/null

vendor: .venv/.ok ## bundle the browser's cryptography and copy what tests inject, by the hashes of the npm lock
	scripts/vendor

schema: .venv/.ok ## write the JSON Schema of release documents from their types
	@$(PY) -c "import json; from analysis import published; print(json.dumps(published.schema(), indent=1, sort_keys=True))" > docs/release-document.schema.json

migration: .venv/.ok ## write a migration from the tables: make migration STORE=public
	@mkdir -p build && ASCOLTO_NEW_MIGRATION=$(STORE) PICCOLO_CONF=surveys.piccolo_conf .venv/bin/piccolo migrations new $(STORE) --auto

clean: ## remove the environment, not the data
	rm -rf .venv build
