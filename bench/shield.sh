#!/bin/sh
# Build and run bench/shield.c: how long the shield looks at a message.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/bench
# shellcheck disable=SC2086  # the compiler and its flags are lists of words
${CC:-cc} -std=c99 -D_GNU_SOURCE -O2 ${CFLAGS:-} -Icsrc -o build/bench/shield bench/shield.c \
    csrc/shield.c csrc/shield_message.c csrc/shield_fields.c csrc/shield_uri.c csrc/shield_scan.c \
    csrc/shield_octets.c csrc/shield_mend.c csrc/shield_multipart.c csrc/shield_reply.c csrc/shield_limit.c -lpthread
exec build/bench/shield
