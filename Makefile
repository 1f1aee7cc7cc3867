# Development commands. Each installs what it needs into .venv, from the lock files.
PYTHON ?= python3
BIN := .venv/bin

# Without bytecode files, each program that is started compiles all modules it uses.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test test-all lint bench lock golden dist
.DEFAULT_GOAL := test

serve: .venv/run  ## serve entries.yaml at http://127.0.0.1:8000/
	$(BIN)/feeds serve

test: .venv/dev  ## the tests, in under three minutes
	$(BIN)/pytest -m "not heavy" -n 3 --dist loadfile --no-loadscope-reorder

test-all: .venv/dev  ## the heavy tests: long fuzzing, reloads under load
	$(BIN)/pytest -m heavy -n 4 --dist loadfile --no-loadscope-reorder

lint: .venv/dev  ## style, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/dev  ## run the benchmarks
	$(BIN)/python benchmarks/serve.py
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/site.py

golden: .venv/dev  ## rewrite the golden files; read the difference before committing it
	$(BIN)/pytest tests/test_golden.py tests/test_export.py tests/test_import_data.py \
		tests/test_import_markdown.py -k "golden or imported_as_expected" --golden

dist: .venv/dev  ## build a wheel, an sdist and constraints.txt of the commit
	$(BIN)/python make_dist.py
	$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	$(BIN)/check-wheel-contents dist

lock: .venv/dev  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --upgrade \
		pyproject.toml requirements-build.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --upgrade \
		--group dev -c requirements.txt pyproject.toml requirements-build.in -o requirements-dev.txt

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.13")'
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@
