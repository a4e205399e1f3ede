# The targets that need Docker or Podman. Included by the Makefile.
# None of these but `demo` and `test` (see there) ever runs on the host instead.
DOCKER ?= docker
IMAGE ?= sipbridge
PORT ?= 5060
DEBUG_PORT ?= 5678
export DOCKER IMAGE PORT DEBUG_PORT
export BASE_IMAGE WHEEL_BASE_IMAGE APT_MIRROR APT_SUITES APT_COMPONENTS APT_KEY PIP_INDEX_URL
export EXPECT_EXOSIP EXPECT_OSIP EXPECT_LIBC EXPECT_PYTHON
export ADVERTISED APP ARGS CMD DEBUGGER FILE PLAY STAGE STANDIN WAIT

.PHONY: build shell debug replay run manifest sbom lock clean-image doctor image-selftest
build: ## build the image, all stages (BASE_IMAGE=, WHEEL_BASE_IMAGE=, APT_MIRROR= name mirrors)
	@sh docker/image.sh build

shell: ## a shell in the image, with this source tree, compiler and gdb
	@sh docker/image.sh shell

debug: ## run APP=program.py in the image on port PORT+1 under a debugger (DEBUGGER=debugpy or ipdb)
	@sh docker/image.sh debug

replay: ## the same, and play the recorded call FILE=incident/call.pcapng against it (PLAY='--call 2'; DEBUGGER=none)
	@sh docker/image.sh replay

run: ## run a command of sipbridge in the image: make run CMD='listen udp://0.0.0.0:5060'
	@sh docker/image.sh run

manifest: ## print the packages in the image (STAGE=runtime, test or debug)
	@sh docker/image.sh manifest

sbom: ## print what a stage is made of, as CycloneDX (STAGE=runtime, test or debug)
	@sh docker/image.sh sbom

lock: ## fetch anew and write docker/packages.lock, which later builds keep to; say what changed
	@sh docker/image.sh lock

clean-image: ## remove the image, all stages, from this machine
	@sh docker/image.sh clean-image

doctor: ## check what this machine needs for the image, and explain
	@command -v $(PYTHON) > /dev/null || { echo "doctor: there is no '$(PYTHON)' here: make doctor PYTHON=..." >&2; exit 1; }
	@if [ -x .venv/bin/python ]; then python=.venv/bin/python; else python=$(PYTHON); fi; \
		PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 $$python -m sipbridge doctor

image-selftest: ## build the Dockerfile on stand-in bases and test the result (as root, on Debian)
	@sh tests/image/run
