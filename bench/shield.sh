#!/bin/sh
# Build and run bench/shield.c: how long the shield looks at a message.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/bench
# shellcheck disable=SC2086  # the compiler and its flags are lists of words
${CC:-cc} -std=c99 -D_GNU_SOURCE -O2 ${CFLAGS:-} -iquote csrc/shield/check -iquote csrc/shield/process -o build/bench/shield bench/shield.c \
    csrc/shield/check/*.c csrc/shield/process/limit.c -lpthread
exec build/bench/shield
