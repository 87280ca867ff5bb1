# make demo         the assistant hears and answers spoken commands; device parts only, no torch
# make demo-pythons the same under each Python from 3.10 to 3.14 that pyenv has on this machine
# make test         lint, types and all tests, with everything that builds models
# make testbed      real servers for the tests: Home Assistant, Mosquitto, zigbee2mqtt; cached, some minutes the first time
# make budgets     a Raspberry Pi Zero 2 W's budgets, and the memory of a Pi 5's turn with Piper; fails when one is exceeded
# make test-device  the tests of the device, for a board
# make arm-test     the aarch64 wheel in an emulated Debian understands as this machine does; needs root
# make fuzz         random input, 5,000 broken programs, 20,000 broken archives, 300 killed installations; two hours
# make soak         10,000 turns in a simulated week: memory does not grow
# make docs         the documentation site in build/site; every warning and broken link is an error
# make wheel        a wheel in dist/; EDGE_TARGET=aarch64 make wheel for a board, on any machine

PYTHON ?= python3
PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHON PIP_DISABLE_PIP_VERSION_CHECK
SOURCES := $(shell find edge quantize benchmarks firmware_configs -type f -not -name '*.pyc' -not -path '*/_native/*')
PYENV_ROOT ?= $(HOME)/.pyenv
PYTHONS := $(wildcard $(PYENV_ROOT)/versions/3.1[0-4].*/bin/python)
DEMO := .venv-demo
NATIVE := pyproject.toml setup.py $(wildcard edge/nlu/native/*.cpp)

.PHONY: arm-test budgets docs demo demo-pythons fuzz soak test test-device testbed lint wheel clean system
.DELETE_ON_ERROR:

demo: $(DEMO)/installed
	$(DEMO)/bin/edge demo --out demo-output

demo-pythons:
	@set -e; for python in $(PYTHONS); do \
	    echo "make demo PYTHON=$$python"; \
	    $(MAKE) --no-print-directory demo PYTHON=$$python DEMO=.venv-demo-$$(basename $${python%/bin/python}); \
	done

test: .venv/installed lint
	@.ci/system-packages optional chromium minisign systemd strace
	.venv/bin/python -m pytest

testbed: .venv/installed
	@.ci/system-packages optional mosquitto mosquitto-clients
	-.venv/bin/python -m tests.testbed.build

budgets: .venv/installed
	@.ci/system-packages optional p7zip-full
	@mkdir -p build
	.venv/bin/edge-bench run --force --profile raspberry-pi-zero-2w --html build/zero-2w.html
	.venv/bin/edge-bench run --force --profile raspberry-pi-5-4gb --only cold-start --only turn --html build/pi-5.html

test-device: .venv-device/installed
	.venv-device/bin/python -m pytest tests/edge tests/test_imports.py

fuzz: .venv/installed
	EDGE_FUZZ_SECONDS=360 EDGE_FUZZ_PROGRAMS=5000 EDGE_FUZZ_ARCHIVES=20000 EDGE_FUZZ_KILLS=300 .venv/bin/python -m pytest -s tests/fuzz

soak: .venv/installed
	EDGE_SOAK_TURNS=10000 .venv/bin/python -m pytest -s tests/soak

lint: .venv/installed
	.venv/bin/ruff check
	.venv/bin/mypy --strict
	.venv/bin/lint-imports --no-cache

docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --strict

arm-test: .venv-device/installed
	@.ci/system-packages optional qemu-user-static debootstrap g++-aarch64-linux-gnu binfmt-support espeak-ng
	.venv-device/bin/python -m benchmarks.board.arm

wheel: .venv-wheel/bin/pip
	.venv-wheel/bin/pip wheel --quiet --no-deps --wheel-dir dist .

$(DEMO)/installed: $(DEMO)/bin/pip $(NATIVE) $(SOURCES)
	$(DEMO)/bin/pip install --quiet --upgrade '.[speech,piper-gpl]'
	touch $@

.venv/installed: .venv/bin/pip $(NATIVE)
	.venv/bin/pip install --quiet -e '.[speech,piper-gpl,build,dev]'
	touch $@

.venv-device/installed: .venv-device/bin/pip $(NATIVE)
	.venv-device/bin/pip install --quiet -e '.[speech,piper-gpl,test]'
	touch $@

.venv/bin/pip $(DEMO)/bin/pip .venv-device/bin/pip .venv-wheel/bin/pip: | system
	$(PYTHON) -m venv --clear $(patsubst %/bin/pip,%,$@)

system:
	@.ci/system-packages required python3-venv g++
	@.ci/system-packages optional espeak-ng libportaudio2 libasound2-plugins

clean:
	rm -rf .venv .venv-* build dist demo-output *.egg-info edge/nlu/_native
