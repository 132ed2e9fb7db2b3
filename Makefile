# The newest supported Python that runs.
PYTHON ?= $(or $(shell for v in 3.13 3.12 3.11; do python$$v --version >/dev/null 2>&1 && echo python$$v && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run workshop test lint bench

run: $(VENV)/installed
	$(BIN)/streamlit run app.py

workshop: $(VENV)/installed
	$(BIN)/python -m core workshop

test: $(VENV)/installed
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed
	$(BIN)/python -m tests.benchmarks

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@
