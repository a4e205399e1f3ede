#!/bin/sh
# The Makefile's targets that need Docker or Podman. Run through make; `make` alone lists them.
#     sh docker/image.sh build|build-test|test|demo|run|shell|debug|replay|manifest|sbom|lock|clean-image|problem|where
# Settings come in the environment, as make passes them: see docs/image.md.
set -eu

DOCKER=${DOCKER:-docker}
IMAGE=${IMAGE:-sipbridge}
PORT=${PORT:-5060}
DEBUG_PORT=${DEBUG_PORT:-5678}
DOCKERFILE=Dockerfile.ubuntu1204
STAGES="runtime test debug"
LOCK=docker/packages.lock
unset LOCKED REFRESH FETCHED # set below, and by nobody else: LOCKED=no leaves the lock aside
PULL_LIMIT=120 # seconds, where nobody asked for the image in so many words
ANSWER_LIMIT=20 # seconds in which a daemon has to answer

TEST_LIMIT=180 # seconds that one test may take

# What `make test` runs in the image: Ubuntu 12.04 has no Kamailio, baresip, Prometheus, ffmpeg and tshark that are new
# enough, its TLS reaches no Sentry, ecs-logging is not in the image, and what tests the tools is the host's.
TESTS="tests/unit tests/conformance --ignore=tests/conformance/test_record.py --ignore=tests/conformance/test_hep.py \
    --ignore=tests/conformance/examples/test_media.py --ignore=tests/conformance/examples/test_watched_service.py \
    --ignore=tests/conformance/agent/test_sentry.py --ignore=tests/unit/test_logs.py \
    -k 'not kamailio and not baresip and not prometheus and not tshark and not its_log_as_json'"

say() { for line in "$@"; do echo "$line" >&2; done; }
die() {
    say "$@"
    exit 1
}

# --- what is missing ---------------------------------------------------------------------------------------

limited() { # limited SECONDS COMMAND...: run it for so long at most, where the system can do that; then 124
    seconds=$1
    shift
    if command -v timeout > /dev/null 2>&1; then timeout "$seconds" "$@"; else "$@"; fi
}

# What is wrong with the client or its daemon: one line in $problem, what to do in $advice. Both empty: nothing.
look_at_engine() {
    problem=''
    advice=''
    if command -v "$DOCKER" > /dev/null 2>&1; then
        status=0
        answer=$(limited "$ANSWER_LIMIT" "$DOCKER" info 2>&1) || status=$?
        [ "$status" = 0 ] || explain "$status" "$answer"
        return 0
    fi
    problem="there is no container client: no '$DOCKER' on this machine"
    advice="  Linux:          install Docker Engine (Debian, Ubuntu: sudo apt-get install docker.io) or Podman
  macOS, Windows: install Docker Desktop (on Windows with WSL 2)
  Podman:         say DOCKER=podman"
}

explain() { # explain EXIT-CODE OUTPUT: of the client's "info"; sets $problem and $advice
    case $1,$2 in
        124,*)
            problem="the daemon does not answer within $ANSWER_LIMIT s${DOCKER_HOST:+ at $DOCKER_HOST}"
            advice="  Where it is only just starting, wait for it. Else start it anew." ;;
        *"permission denied"*)
            problem="no permission: the Docker daemon runs, but you may not use its socket"
            advice="  Add yourself to its group (sudo usermod -aG docker \$USER), log out and in, and try again." ;;
        *"annot connect to the Docker daemon"* | *"Is the docker daemon running"* | *"failed to connect"*)
            problem="no daemon: '$DOCKER' is installed, but its daemon does not answer${DOCKER_HOST:+ at $DOCKER_HOST}"
            advice="  Linux:          sudo systemctl start docker   (WSL 2 without systemd: sudo service docker start)
  macOS, Windows: start Docker Desktop and wait until it says that it runs" ;;
        *)
            problem="'$DOCKER info' failed"
            advice=$2 ;;
    esac
}

# Podman has ways of its own, also where it goes by the name of docker.
is_podman() {
    case $("$DOCKER" --version 2> /dev/null) in *[Pp]odman*) return 0 ;; *) return 1 ;; esac
}

need_engine() {
    look_at_engine
    [ -z "$problem" ] || die "The image cannot be used: $problem." "$advice" "Then try again, or ask 'make doctor'."
}

default_of() { # the default of an ARG in the Dockerfile
    sed -n "s/^ARG $1=//p" "$DOCKERFILE"
}

save_command() { # what writes all stages to a file
    printf '%s save' "$DOCKER"
    ! is_podman || printf ' --multi-image-archive'
    printf ' -o sipbridge.tar'
    for stage in $STAGES; do printf ' %s' "$IMAGE:$stage"; done
}

have_image() { "$DOCKER" image inspect "$1" > /dev/null 2>&1; }

base_image() { echo "${BASE_IMAGE:-$(default_of BASE_IMAGE)}"; }

# The base of the first stage: where there is a lock the one of its digest, by whatever name.
wheel_base_image() {
    name=${WHEEL_BASE_IMAGE:-$(locked 2)}
    name=${name:-$(default_of WHEEL_BASE_IMAGE)}
    digest=$(locked 3)
    case $digest,$name in
        ,* | *,*@"$digest") echo "$name" ;;
        *@*) echo "$name" ;; # refused by need_locked
        *) if [ "$(digest_of "$name")" = "$digest" ]; then echo "$name"; else echo "$(untagged "$name")@$digest"; fi ;;
    esac
}

need_locked() { # what somebody names by a digest is what the lock names, or is not taken
    case $(locked 3),$(wheel_base_image) in
        ,* | *,*@"$(locked 3)") ;;
        *@*) die "WHEEL_BASE_IMAGE is $WHEEL_BASE_IMAGE, but $LOCK says $(locked 3)." \
            "If the change is wanted: make lock WHEEL_BASE_IMAGE=..." ;;
    esac
}

locked() { # locked FIELD: 2 and 3 are name and digest of the first stage's base in the lock; nothing without a lock
    [ ! -e "$LOCK" ] || awk -v field="$1" '$1 == "wheel-base" { print $field }' "$LOCK"
}

untagged() { # an image's name without its tag; a colon before the last slash is a port's
    case ${1##*/} in *:*) echo "${1%:*}" ;; *) echo "$1" ;; esac
}

# The digest of an image that is here: its registry's, or for one that never was in a registry that of the daemon.
digest_of() {
    "$DOCKER" image inspect --format '{{range .RepoDigests}}{{.}} {{end}}{{.Id}}' "$1" 2> /dev/null |
        sed -e 's/^[^ ]*@\([^ ]*\) .*/\1/' -e 1q
}

need_base() { # need_base VARIABLE IMAGE PLATFORM-OPTION...
    variable=$1
    name=$2
    shift 2
    ! have_image "$name" || return 0
    say "Fetching $name ..."
    "$DOCKER" pull "$@" "$name" || die "" \
        "No image: $name is not on this machine and could not be fetched (above)." \
        "  Without network:  build where there is one, and carry the image here; once it is built, none is needed:" \
        "                        $(save_command)" \
        "                        $DOCKER load -i sipbridge.tar" \
        "  Behind a mirror:  name your copy of it: make build $variable=registry.example.com/..."
}

need_image() { # need_image STAGE: build what is not there yet
    ! have_image "$IMAGE:$1" || return 0
    say "There is no $IMAGE:$1 yet: building it first (make build builds all of them again)."
    build "$1"
}

busy() { # what keeps the first line waiting, where somebody watches; that line takes its place
    [ ! -t 2 ] || printf '%s\r' "$1" >&2
}

can_have() { # can_have IMAGE PLATFORM-OPTION...: it is here or can be fetched in time; else $problem says why not
    name=$1
    shift
    ! have_image "$name" || return 0
    busy "Fetching a base image ..."
    status=0
    limited "$PULL_LIMIT" "$DOCKER" pull "$@" "$name" > /dev/null 2>&1 || status=$?
    case $status in
        0) return 0 ;;
        124) problem="no image is built, and fetching $name takes more than $PULL_LIMIT s (make build waits for it)" ;;
        *) problem="no image is built, and $name, which it is built on, can not be fetched" ;;
    esac
    return 1
}

# Why the tests cannot run in the image, in one line; nothing when they can, perhaps after a build.
problem() {
    look_at_engine
    if [ -z "$problem" ] && ! have_image "$IMAGE:test"; then
        ! can_have "$(base_image)" --platform linux/amd64 || can_have "$(wheel_base_image)" || true
    fi
    echo "$problem"
}

# --- building ----------------------------------------------------------------------------------------------

build_args() { # one --build-arg for each setting that is not left to the Dockerfile
    for name in BASE_IMAGE WHEEL_BASE_IMAGE APT_MIRROR APT_SUITES APT_COMPONENTS APT_KEY PIP_INDEX_URL LOCKED REFRESH FETCHED \
        EXPECT_EXOSIP EXPECT_OSIP EXPECT_LIBC EXPECT_PYTHON \
        http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        # Named without a value, docker takes it from the environment: nothing secret on a command line.
        eval "[ -n \"\${$name:-}\" ]" && printf -- '--build-arg %s ' "$name"
    done
    return 0
}

docker_build() { # docker_build STAGE TAG OPTION...: the classic builder and BuildKit leave out what they have already
    stage=$1
    tag=$2
    shift 2
    ! is_podman || set -- --format docker "$@"
    # shellcheck disable=SC2046  # a list of words
    "$DOCKER" build --file "$DOCKERFILE" --target "$stage" --tag "$tag" $(build_args) "$@" .
}

in_image() { # in_image STAGE COMMAND...: run one command in a stage, with nothing attached
    stage=$1
    shift
    "$DOCKER" run --rm --no-healthcheck --network none --platform linux/amd64 --entrypoint "" "$IMAGE:$stage" "$@"
}

in_fetched() { # in_fetched COMMAND...: run one command in the stage that fetches, which is of this machine's processor
    "$DOCKER" run --rm --interactive --network none --entrypoint "" "$IMAGE:fetched" "$@"
}

package_version() { # of the first package in the manifest $list whose name begins so
    echo "$list" | sed -n "s/^$1[^ ]* \([^ ]*\) .*/\1/p" | sed 1q
}

# What is known only after the build goes into the labels, in a step of its own: `build --label` is forgotten by
# older Podmans where all else comes from the cache.
label() {
    list=$(in_image "$1" cat /opt/sipbridge/manifest)
    name=$IMAGE:$1
    shift
    ! is_podman || set -- --format docker
    "$DOCKER" build --quiet --tag "$name" "$@" - > /dev/null << END
FROM --platform=linux/amd64 $name
LABEL org.opencontainers.image.version="$(sed -n 's/^__version__ = "\(.*\)"/\1/p' sipbridge/_version.py)" \
      org.opencontainers.image.revision="$(git rev-parse HEAD 2> /dev/null || echo unknown)" \
      org.opencontainers.image.base.name="$(base_image)" \
      org.sipbridge.base="$(echo "$list" | sed -n 's/^# base: //p')" \
      org.sipbridge.libexosip2="$(package_version libexosip2)" \
      org.sipbridge.libosip2="$(package_version libosip2)"
END
}

base_and_library() { # what a stage stands on, from its labels
    "$DOCKER" image inspect --format \
        '{{index .Config.Labels "org.sipbridge.base"}}, libexosip2 {{index .Config.Labels "org.sipbridge.libexosip2"}}' \
        "$IMAGE:$1"
}

need_no_password() {
    case ${APT_MIRROR:-} in *://*@*)
        die "APT_MIRROR has a name or a password in it, and the image would keep it. Name a mirror that needs none." ;;
    esac
}

fetch() { # the one stage that has a network
    docker_build fetched "$IMAGE:fetched" || die "" \
        "The image was not built: what it is made from could not be fetched, for the reason above."
}

build() { # build STAGE...
    need_no_password
    need_locked
    need_base BASE_IMAGE "$(base_image)" --platform linux/amd64
    need_base WHEEL_BASE_IMAGE "$(wheel_base_image)"
    WHEEL_BASE_IMAGE=$(wheel_base_image)
    export WHEEL_BASE_IMAGE
    fetch
    FETCHED=$IMAGE:fetched
    export FETCHED
    for stage in "$@"; do
        status=0
        docker_build "$stage" "$IMAGE:$stage" --network none || status=$?
        [ "$status" = 0 ] || die "" "The image was not built: the stage '$stage' failed, for the reason above." \
            "Where a command there ended with 139 (a segmentation fault), ask 'make doctor' about vsyscall."
        label "$stage"
        say "$IMAGE:$stage stands on $(base_and_library "$stage")"
    done
}

build_all() {
    # shellcheck disable=SC2086  # a list of words
    build $STAGES
}

# --- running -----------------------------------------------------------------------------------------------

start() { # start OPTION... IMAGE COMMAND...: locked down, as the caller, so that what it writes is the caller's
    if is_podman && [ "$(id -u)" != 0 ]; then set -- --userns keep-id "$@"; fi
    if [ -t 0 ] && [ -t 1 ]; then set -- --tty "$@"; fi
    exec "$DOCKER" run --rm --interactive --platform linux/amd64 --user "$(id -u):$(id -g)" \
        --read-only --tmpfs /tmp:rw,exec,mode=1777 --cap-drop ALL --security-opt no-new-privileges "$@"
}

with_source() { # start, with the source tree in /src, which SELinux would keep from a container
    start --security-opt label=disable --volume "$PWD:/src" --workdir /src "$@"
}

need_port() { # need_port NAME VALUE HIGHEST
    case $2 in
        0* | *[!0-9]* | ??????*) ;;
        *) [ "$2" -gt "$3" ] || return 0 ;;
    esac
    die "$1 is '$2'; it has to be a number from 1 to $3."
}

# A command that only asks others takes any port, and leaves that of the service to the service.
takes_calls() {
    case "${CMD:-} " in
        *" --local"* | *" --listen"*) ;;
        "call "* | "ping "* | "message "* | "register "* | "subscribe "* | "publish "*) return 1 ;;
        "ladder "* | "replay "* | "compare "* | "fleet "* | "version "* | "doctor "*) return 1 ;;
    esac
}

# CMD and ARGS are command lines: the quotes in them are for the shell in the container, not for this one.
run() {
    need_port PORT "$PORT" 65534
    need_image runtime
    command=${CMD:-listen udp://0.0.0.0:$PORT${ADVERTISED:+ --advertised $ADVERTISED}}
    if takes_calls; then set -- --publish "$PORT:$PORT/udp" --env SIPBRIDGE_HEALTH="127.0.0.1:$PORT"; else set -- --no-healthcheck; fi
    start "$@" --env SIPBRIDGE_PASSWORD --entrypoint sh "$IMAGE:runtime" \
        -c "exec sh /opt/sipbridge/docker/entrypoint $command"
}

run_tests() {
    need_image test
    if [ -z "${ARGS:-}" ]; then
        say "Not in the image: the tests with Kamailio, baresip, Prometheus, tshark and ffmpeg, for which Ubuntu 12.04 is too old, and" \
            "those of the double, the tools, asyncio, memory. SANDBOX=host runs them."
    fi
    with_source --env SIPBRIDGE_ENGINE=exosip "$IMAGE:test" \
        sh -c "exec python2.7 -m pytest -ra -p no:cacheprovider --timeout $TEST_LIMIT ${ARGS:-$TESTS}"
}

demo() {
    need_image test
    with_source "$IMAGE:test" python2.7 -m sipbridge.demo
}

shell() {
    need_image debug
    say "A shell in $IMAGE:debug. The source tree is /src; what you change here is changed outside too." \
        "'rebuild' compiles csrc again; docs/debugging.md tells how to use gdb." \
        "A second shell in the same container: $DOCKER exec -it sipbridge-shell-$$ bash"
    with_source --name "sipbridge-shell-$$" --cap-add SYS_PTRACE --ulimit core=-1 "$IMAGE:debug" bash
}

need_app() { # need_app EXAMPLE: APP as a path from the top of the source tree
    [ -n "${APP:-}" ] || die "Which program? $1"
    APP=${APP#"$PWD/"}
    case $APP in /* | ../* | -*) die "$APP is not in the source tree, which is all that the container sees." ;; esac
    [ -e "$APP" ] || die "There is no $APP here. APP is a path in the source tree."
}

need_debugger() { # need_debugger NAME...: one of these, and what it takes
    case " $* " in *" ${DEBUGGER:-debugpy} "*) ;; *) die "DEBUGGER is one of $*, not '$DEBUGGER'." ;; esac
    [ "${DEBUGGER:-}" != ipdb ] || [ -t 0 ] || die "DEBUGGER=ipdb needs a terminal."
    need_port PORT "$PORT" 65534
    need_port DEBUG_PORT "$DEBUG_PORT" 65535
}

# What runs APP under the DEBUGGER: $program, for a shell whose $0 is APP, and $publish, an option of the container.
under_debugger() {
    publish=
    program="python2.7 -u \"\$0\" ${ARGS:-}"
    case ${DEBUGGER:-debugpy} in
        ipdb) say "It stops in this terminal at 'import ipdb; ipdb.set_trace()', in any thread." ;;
        debugpy)
            say "It waits for a debugger on port $DEBUG_PORT of this machine (debugpy):" \
                "  VS Code: Run and Debug, 'sipbridge: attach to make debug' (.vscode/launch.json)" \
                "  other:   any client of the Debug Adapter Protocol: attach to 127.0.0.1:$DEBUG_PORT, /src is $PWD" \
                "  PyCharm: has its own way, see docs/debugging.md"
            publish=--publish=127.0.0.1:$DEBUG_PORT:$DEBUG_PORT
            program="python2.7 -m debugpy --listen 0.0.0.0:$DEBUG_PORT --wait-for-client \"\$0\" ${ARGS:-}"
            ;;
    esac
}

debug() {
    need_app "make debug APP=examples/service.py [ARGS=...] [DEBUGGER=ipdb]"
    need_debugger debugpy ipdb
    need_image debug
    port=$((PORT + 1))
    name=sipbridge-debug-$port
    say "$APP in $IMAGE:debug, on port $port (UDP): calls to the service on port $PORT do not stop here." \
        "A call to it, from beside it: $DOCKER exec $name sipbridge call sip:service@127.0.0.1:$port"
    under_debugger
    with_source --name "$name" --publish "$port:$port/udp" --env PORT="$port" --env ADVERTISED="${ADVERTISED:-}" \
        ${publish:+"$publish"} "$IMAGE:debug" sh -c "exec $program" "$APP"
}

need_capture() { # need_capture EXAMPLE: FILE as a whole path
    [ -n "${FILE:-}" ] || die "Which recorded call? $1"
    [ ! -d "$FILE" ] || die "$FILE is a folder. FILE is a capture: of an incident, call.pcapng or window.pcapng in it."
    [ -r "$FILE" ] || die "There is no $FILE here that you may read. FILE is a capture, pcap or pcapng:" \
        "docs/replay.md tells how to make one."
    FILE=$(cd "$(dirname "$FILE")" && pwd)/$(basename "$FILE")
}

# PLAY and ARGS are command lines, as CMD is. Nothing is published but the debugger's port: who calls is in there, too.
replay() {
    example="make replay FILE=incident/call.pcapng APP=examples/service.py [DEBUGGER=ipdb] [PLAY='--call 2']"
    need_capture "$example"
    need_app "$example"
    case ${DEBUGGER:-debugpy},${PLAY:-} in
        ipdb,*--step*)
            die "ipdb reads this terminal, so --step cannot. Without it, the call waits for you at each breakpoint, too." ;;
        *--listen*)
            die "make replay plays the caller. Where the program calls, play the callee by hand, in 'make shell'." ;;
    esac
    need_debugger debugpy ipdb none
    need_image debug
    port=$((PORT + 1))
    capture=/capture/$(basename "$FILE")
    say "$APP in $IMAGE:debug, on port $port of the container: $(basename "$FILE") is played against it."
    under_debugger
    with_source --name "sipbridge-replay-$port" --env PORT="$port" --env DEBUGGER="${DEBUGGER:-debugpy}" \
        --env WAIT="${WAIT:-}" --env SIPBRIDGE_PASSWORD --mount "type=bind,source=$FILE,target=$capture,readonly" \
        ${publish:+"$publish"} "$IMAGE:debug" \
        sh -c "exec python2.7 docker/replay.py \"\$1\" ${PLAY:-} -- $program" "$APP" "$capture"
}

manifest() {
    case " $STAGES " in *" ${STAGE:-runtime} "*) ;; *) die "STAGE is one of $STAGES, not '$STAGE'." ;; esac
    need_image "${STAGE:-runtime}"
    in_image "${STAGE:-runtime}" cat /opt/sipbridge/manifest
}

sbom() {
    case " $STAGES " in *" ${STAGE:-runtime} "*) ;; *) die "STAGE is one of $STAGES, not '$STAGE'." ;; esac
    need_image "${STAGE:-runtime}"
    have_image "$IMAGE:fetched" || die "There is no $IMAGE:fetched, in which the tool for it is: make build"
    whole=$IMAGE-${STAGE:-runtime}
    version=$("$DOCKER" image inspect --format '{{index .Config.Labels "org.opencontainers.image.version"}}' \
        "$IMAGE:${STAGE:-runtime}")
    in_image "${STAGE:-runtime}" tar -C / -ch var/lib/dpkg/status etc/os-release opt/sipbridge |
        in_fetched /opt/sbom/bin/python /usr/local/lib/sipbridge/sbom.py "$whole" "$version"
}

# Fetch without the lock, and write what came.
lock() {
    need_no_password
    wheel_base=${WHEEL_BASE_IMAGE:-$(locked 2)}
    wheel_base=${wheel_base:-$(default_of WHEEL_BASE_IMAGE)}
    need_base BASE_IMAGE "$(base_image)" --platform linux/amd64
    base=$("$DOCKER" run --rm --interactive --network none --platform linux/amd64 --entrypoint "" "$(base_image)" \
        sh -s < docker/base-name)
    case $base in *STAND-IN*) [ "${STANDIN:-}" = allow ] || die \
        "$(base_image) is $base: its packages are nothing to lock." ;; esac
    "$DOCKER" pull --quiet "$wheel_base" > /dev/null 2>&1 || need_base WHEEL_BASE_IMAGE "$wheel_base" # the newest of that name
    WHEEL_BASE_IMAGE=$wheel_base
    LOCKED=no
    REFRESH=$(date +%s)
    export WHEEL_BASE_IMAGE LOCKED REFRESH
    fetch
    new=$(mktemp)
    old=$(mktemp)
    {
        echo "# What the image is built from; written by 'make lock', see docs/image.md."
        echo "wheel-base ${wheel_base%@*} $(digest_of "$wheel_base")"
        in_fetched cat /packages/list < /dev/null | sed 's/^/package /'
    } > "$new"
    grep -q '^package ' "$new" || die "There is no list of packages in $IMAGE:fetched; $LOCK is as it was."
    [ ! -e "$LOCK" ] || cat "$LOCK" > "$old"
    changes "$old" "$new"
    cat "$new" > "$LOCK"
    rm -f "$old" "$new"
    say "Wrote $LOCK: $(grep -c '^package ' "$LOCK") packages. Look at what changed (above), and commit it: from now on" \
        "a build takes exactly these."
}

changes() { # changes OLD NEW: what is different between two locks, a line each
    awk '
        $1 == "wheel-base" { key = "the base of the first stage"; value = $2 " " $3 }
        $1 == "package" { key = $2 " (" $4 ")"; value = $3; file[FILENAME, key] = $5 }
        $1 != "#" { keys[key]; has[FILENAME, key] = value }
        END {
            for (key in keys) {
                before = has[ARGV[1], key]; after = has[ARGV[2], key]
                if (before == "") print "  new:     " key " " after
                else if (after == "") print "  gone:    " key " " before
                else if (before != after) print "  changed: " key " " before " -> " after
                else if (file[ARGV[1], key] != file[ARGV[2], key]) print "  changed: " key " " after ", its file"
                else same++
            }
            print "  as it was: " same + 0
        }
    ' "$1" "$2" | LC_ALL=C sort >&2
}

clean_image() {
    for stage in $STAGES fetched; do
        if have_image "$IMAGE:$stage"; then "$DOCKER" image rm "$IMAGE:$stage" > /dev/null; fi
    done
    say "$IMAGE is gone from this machine."
}

case ${1:-} in problem) ;; *) need_engine ;; esac
case ${1:-} in
    build) build_all ;;
    build-test) build test ;;
    test) run_tests ;;
    clean-image) clean_image ;;
    where) echo "$IMAGE:test, on $(base_and_library test)" ;;
    problem | demo | run | shell | debug | replay | manifest | sbom | lock) "$1" ;;
    *) die "usage: sh docker/image.sh build|build-test|test|demo|run|shell|debug|replay|manifest|sbom|lock|clean-image|problem|where" ;;
esac
