#!/bin/sh
# The Makefile's targets that need Docker or Podman. Run through make; `make` alone lists them.
#     sh docker/image.sh build|test|demo|run|shell|debug|manifest|lock|check
# Settings come in the environment, as make passes them: see docs/image.md.
set -eu

DOCKER=${DOCKER:-docker}
IMAGE=${IMAGE:-sipbridge}
PORT=${PORT:-5060}
DEBUG_PORT=${DEBUG_PORT:-5678}
DOCKERFILE=Dockerfile.ubuntu1204

say() { for line in "$@"; do echo "$line" >&2; done; }
die() {
    say "$@"
    exit 1
}

# --- what is missing ---------------------------------------------------------------------------------------

need_engine() {
    command -v "$DOCKER" > /dev/null 2>&1 || die \
        "No container client: there is no '$DOCKER' on this machine." \
        "  Linux:          install Docker Engine (Debian, Ubuntu: sudo apt-get install docker.io) or Podman" \
        "  macOS, Windows: install Docker Desktop (on Windows with WSL 2)" \
        "  Podman:         say DOCKER=podman" \
        "Then try again, or ask 'make doctor'."
    if ! answer=$("$DOCKER" info 2>&1); then
        case $answer in
            *"permission denied"*) die \
                "No permission: the Docker daemon runs, but you may not use its socket." \
                "  Add yourself to its group (sudo usermod -aG docker \$USER), log out and in, and try again." ;;
            *"annot connect to the Docker daemon"* | *"Is the docker daemon running"* | *"failed to connect"*) die \
                "No daemon: '$DOCKER' is installed, but its daemon does not answer${DOCKER_HOST:+ at $DOCKER_HOST}." \
                "  Linux:          sudo systemctl start docker   (WSL 2 without systemd: sudo service docker start)" \
                "  macOS, Windows: start Docker Desktop and wait until it says that it runs" \
                "Then try again, or ask 'make doctor'." ;;
            *) die "'$DOCKER info' failed:" "$answer" ;;
        esac
    fi
}

default_of() { # the default of an ARG in the Dockerfile
    sed -n "s/^ARG $1=//p" "$DOCKERFILE"
}

have_image() { "$DOCKER" image inspect "$1" > /dev/null 2>&1; }

need_base() { # need_base VARIABLE IMAGE PLATFORM-OPTION...
    variable=$1
    name=$2
    shift 2
    have_image "$name" && return
    say "Fetching $name ..."
    "$DOCKER" pull "$@" "$name" || die "" \
        "No image: $name is not on this machine and could not be fetched (above)." \
        "  Without network:  load it from a file (docker load), or wait for the network; once built, no network is" \
        "                    needed any more." \
        "  Behind a mirror:  name your copy of it: make build $variable=registry.example.com/..."
}

need_image() { # need_image STAGE: build what is not there yet
    have_image "$IMAGE:$1" && return
    say "There is no $IMAGE:$1 yet: building it first (make build builds all of them again)."
    build "$1"
}

# --- building ----------------------------------------------------------------------------------------------

build_args() { # one --build-arg for each setting that is not left to the Dockerfile
    for name in BASE_IMAGE WHEEL_BASE_IMAGE APT_MIRROR APT_SUITES APT_COMPONENTS PIP_INDEX_URL \
        EXPECT_EXOSIP EXPECT_OSIP EXPECT_LIBC EXPECT_PYTHON \
        http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        # Named without a value, docker takes it from the environment: nothing secret on a command line.
        eval "[ -n \"\${$name:-}\" ]" && printf -- '--build-arg %s ' "$name"
    done
    return 0
}

docker_build() { # docker_build STAGE TAG OPTION...
    stage=$1
    tag=$2
    shift 2
    case $DOCKER in *podman*) set -- --format docker "$@" ;; esac
    # shellcheck disable=SC2046  # a list of words
    "$DOCKER" build --file "$DOCKERFILE" --target "$stage" --tag "$tag" $(build_args) "$@" .
}

package_version() { # the version of a package by the image's own manifest; the first whose name begins so
    in_image "$1" cat /opt/sipbridge/manifest | sed -n "s/^$2[^ ]* \([^ ]*\) .*/\1/p" | sed 1q
}

in_image() { # in_image STAGE COMMAND...: run one command in a stage, with nothing attached
    stage=$1
    shift
    "$DOCKER" run --rm --network none --entrypoint "" "$IMAGE:$stage" "$@"
}

label() { # what is known only after the build goes into the labels: built again, all from the cache
    docker_build "$1" "$IMAGE:$1" --quiet \
        --label "org.opencontainers.image.version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' sipbridge/_version.py)" \
        --label "org.opencontainers.image.revision=$(git rev-parse HEAD 2> /dev/null || echo unknown)" \
        --label "org.opencontainers.image.base.name=${BASE_IMAGE:-$(default_of BASE_IMAGE)}" \
        --label "org.sipbridge.base=$(in_image "$1" sed -n 's/^# base: //p' /opt/sipbridge/manifest)" \
        --label "org.sipbridge.libexosip2=$(package_version "$1" libexosip2)" \
        --label "org.sipbridge.libosip2=$(package_version "$1" libosip2)" > /dev/null
}

build() { # build STAGE...
    need_base BASE_IMAGE "${BASE_IMAGE:-$(default_of BASE_IMAGE)}" --platform linux/amd64
    need_base WHEEL_BASE_IMAGE "${WHEEL_BASE_IMAGE:-$(default_of WHEEL_BASE_IMAGE)}"
    for stage in "$@"; do
        docker_build "$stage" "$IMAGE:$stage"
        label "$stage"
        say "$IMAGE:$stage stands on $("$DOCKER" image inspect --format \
            '{{index .Config.Labels "org.sipbridge.base"}}, libexosip2 {{index .Config.Labels "org.sipbridge.libexosip2"}}' \
            "$IMAGE:$stage")"
    done
}

# --- running -----------------------------------------------------------------------------------------------

start() { # start OPTION... IMAGE COMMAND...: locked down, as the caller, so that what it writes is the caller's
    case $DOCKER in *podman*) set -- --userns keep-id "$@" ;; esac
    if [ -t 0 ] && [ -t 1 ]; then set -- --tty "$@"; fi
    exec "$DOCKER" run --rm --interactive --platform linux/amd64 --user "$(id -u):$(id -g)" \
        --read-only --tmpfs /tmp:rw,exec,mode=1777 --cap-drop ALL --security-opt no-new-privileges "$@"
}

with_source() { # start, with the source tree in /src
    start --volume "$PWD:/src" --workdir /src "$@"
}

say_where() {
    say "sandbox: in the image $IMAGE:$1, on $("$DOCKER" image inspect --format \
        '{{index .Config.Labels "org.sipbridge.base"}} with libexosip2 {{index .Config.Labels "org.sipbridge.libexosip2"}}' \
        "$IMAGE:$1")"
}

run() {
    need_image runtime
    # shellcheck disable=SC2086  # CMD is a command line
    start --publish "$PORT:$PORT/udp" --env SIPBRIDGE_HEALTH="127.0.0.1:$PORT" "$IMAGE:runtime" \
        ${CMD:-listen udp://0.0.0.0:$PORT}
}

run_tests() {
    need_image test
    say_where test
    # shellcheck disable=SC2086
    with_source "$IMAGE:test" python2.7 -m pytest -p no:cacheprovider ${ARGS:-tests}
}

demo() {
    need_image test
    say_where test
    with_source "$IMAGE:test" python2.7 tools/demo.py
}

shell() {
    need_image debug
    say "A shell in $IMAGE:debug. The source tree is /src; what you change here is changed outside too."
    with_source --cap-add SYS_PTRACE --ulimit core=-1 "$IMAGE:debug" bash
}

debug() {
    [ -n "${APP:-}" ] || die "Which program? make debug APP=examples/service.py [ARGS=...] [DEBUGGER=ipdb]"
    [ -e "$APP" ] || die "There is no $APP here. APP is a path in the source tree."
    need_image debug
    port=$((PORT + 1))
    set -- --publish "$port:$port/udp" --env PORT="$port" --env SIPBRIDGE_DEBUGGING=1
    say "$APP in $IMAGE:debug, on port $port (UDP): calls to the service on port $PORT do not stop here."
    # shellcheck disable=SC2086  # ARGS is a command line
    case ${DEBUGGER:-debugpy} in
        ipdb)
            [ -t 0 ] || die "DEBUGGER=ipdb needs a terminal."
            say "It stops in this terminal at 'import ipdb; ipdb.set_trace()', in any thread."
            with_source "$@" "$IMAGE:debug" python2.7 -u "$APP" ${ARGS:-}
            ;;
        debugpy)
            say "It waits for a debugger on port $DEBUG_PORT of this machine (debugpy):" \
                "  VS Code: Run and Debug, 'sipbridge: attach to make debug' (.vscode/launch.json)" \
                "  other:   any client of the Debug Adapter Protocol: attach to 127.0.0.1:$DEBUG_PORT, /src is $PWD" \
                "  PyCharm: has its own way, see docs/debugging.md"
            with_source "$@" --publish "127.0.0.1:$DEBUG_PORT:$DEBUG_PORT" "$IMAGE:debug" \
                python2.7 -m debugpy --listen "0.0.0.0:$DEBUG_PORT" --wait-for-client "$APP" ${ARGS:-}
            ;;
        *) die "DEBUGGER is debugpy or ipdb, not '$DEBUGGER'." ;;
    esac
}

manifest() {
    need_image "${STAGE:-runtime}"
    in_image "${STAGE:-runtime}" cat /opt/sipbridge/manifest
}

lock() {
    need_image debug
    list=$(in_image debug cat /opt/sipbridge/manifest)
    case $list in *STAND-IN*) [ "${STANDIN:-}" = allow ] || die \
        "$IMAGE:debug stands on a STAND-IN, not on Ubuntu 12.04: its packages are nothing to lock." ;; esac
    echo "$list" > docker/packages.lock
    say "Wrote docker/packages.lock: $(grep -vc '^#' docker/packages.lock) packages. Commit it; builds are compared to it."
}

need_engine
case ${1:-} in
    build) build runtime test debug ;;
    test) run_tests ;;
    demo | run | shell | debug | manifest | lock) "$1" ;;
    check) ;;
    *) die "usage: sh docker/image.sh build|test|demo|run|shell|debug|manifest|lock|check" ;;
esac
