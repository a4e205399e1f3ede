# What can be done here. Each target is a script under tools/ (or docker/); this file only names them.
#
# demo and test run where SANDBOX says: auto (the default), docker (in the image) or host (on this machine).
SANDBOX ?= auto
PYTHON ?= python3
export SANDBOX PYTHON

.PHONY: help demo service debug-service soak-service test test-all quick lint docs linkcheck bench engines overload soak double-check tsan fuzz develop wheels release-check clean
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## run a real call between two endpoints and show it; SANDBOX=auto|docker|host
	@tools/sandbox demo

service: ## run the telephony service of examples/telephony, with a phone to call; docs/service.md
	@tools/host service

debug-service: ## run a copy of it beside the running one, ports + 1, under ARGS='--debugger debugpy|ipdb'
	@tools/host debug-service

soak-service: ## calls by HTTP and SIP for ten minutes (SECONDS_OF_LOAD=, RATE=), while database, engine and service die
	@tools/host soak-service

test: ## run the tests on every engine, on the default Python, the oldest and the newest; SANDBOX=auto|docker|host
	@tools/sandbox test

test-all: ## the same on every Python found; DURATIONS=1 names the slowest tests, here and above
	@tools/sandbox test-all

quick: ## run what a change touches, in less than a minute; ARGS=--list names it, SINCE=main looks further back
	@tools/host quick

lint: ## check style, types, C warnings, what Python 2.7.3 and gcc 4.6 lack, and the package
	@tools/host lint

docs: ## make the documentation a site, in build/docs; a warning is an error, a link to nowhere is one
	@tools/host docs

linkcheck: ## ask the network whether the links of the documentation lead anywhere
	@tools/host linkcheck

bench: ## measure speed and memory beside bare C programs and others from PyPI; ARGS='--only calls' for less
	@tools/host bench

overload: ## measure what comes of 0.5, 1, 2 and 4 times the calls it can take, without and with the shield
	@tools/host overload

soak: ## a million mutated datagrams at each engine while calls go through; long tests of the worker
	@tools/host soak

double-check: ## hold the checking double of libeXosip2 to the library, where that is installed; ARGS="captures flows datagrams"
	@tools/host double-check

tsan: ## ThreadSanitizer on each engine, used from several threads; SECONDS=60 for longer
	@tools/builds/prepare tsan && tools/checks/tsan $(or $(SECONDS),20)

fuzz: ## libFuzzer on the shield for 30 s; SECONDS=600 for longer
	@tools/builds/prepare fuzz && tools/checks/fuzz $(or $(SECONDS),30)

engines: ## write docs/engines.md, what each engine offers, from the reports of the last make test
	@.venv/bin/python -m tools.reports.engines

develop: ## prepare .venv with the engines and the tools, to work on sipbridge
	@tools/host develop

wheels: ## build what is published, into dist/: the sdist and the wheels
	@tools/host wheels

release-check: ## all that has to be well before a release; ARGS='--only wheels --only changelog', --list; docs/releases.md
	@tools/host release-check

clean: ## remove all that the other targets made here (the image: make clean-image)
	rm -rf .venv build dist sipbridge.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis sipbridge/*.so
	find . -name __pycache__ -prune -exec rm -rf {} +

-include docker/docker.mk
