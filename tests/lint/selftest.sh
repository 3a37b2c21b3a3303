#!/usr/bin/env bash
# A lint that has never failed proves nothing: feeds each lint a violation.
set -euo pipefail
root=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

expect_refusal() {
  if "$root/tests/lint/layers.sh" "$scratch" >/dev/null; then
    echo "layers.sh let through: $1"
    exit 1
  fi
  rm -rf "${scratch:?}"/*
}

plant() { # file, line
  cp -r "$root"/{config,runtime,actors,bench} "$scratch"
  mkdir -p "$(dirname "$scratch/$1")"
  echo "$2" >>"$scratch/$1"
}

plant runtime/linux/pidfd.hpp '#include <caf/fwd.hpp>'
expect_refusal 'runtime/linux including caf'
plant config/base/failure.hpp '#include "runtime/linux/pidfd.hpp"'
expect_refusal 'config including runtime'
plant runtime/shim/protocol/messages.hpp '#  include "actors/messages.hpp"'
expect_refusal 'runtime including actors'
plant bench/floor/perform.cpp '#include "runtime/launch/launch.hpp"'
expect_refusal 'the floor including the launcher'
plant runtime/fresh/new.hpp '#pragma once'
expect_refusal 'a folder outside the table'
