#!/usr/bin/env bash
# A lint that has never failed proves nothing: feeds each lint a violation.
set -euo pipefail
root=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

lint=layers.sh

expect_refusal() {
  if "$root/tests/lint/$lint" "$scratch" >/dev/null; then
    echo "$lint let through: $1"
    exit 1
  fi
  rm -rf "${scratch:?}"/*
}

expect_silence() {
  "$root/tests/lint/$lint" "$scratch" || {
    echo "$lint refused: $1"
    exit 1
  }
  rm -rf "${scratch:?}"/*
}

plant() { # file, line
  cp -r "$root"/{config,runtime,actors,programs,bench} "$scratch"
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

lint=calls.sh
for call in '  ::kill(pid, SIGTERM);' 'waitpid(pid, &status, 0);' \
  '  return ::wait(nullptr);' 'if (killpg(group, 9) != 0)' \
  '::syscall(SYS_tgkill, a, b, 9);' '(void)::waitid(P_PID, pid, &info, 0);'; do
  plant runtime/shim/server.cpp "$call"
  expect_refusal "$call"
done
plant runtime/launch/hooks.cpp '  ::kill(child.pid, SIGKILL);'
expect_refusal 'another kill where one is allowed'
plant runtime/cgroup/fresh.cpp '::syscall(SYS_bpf, 0, &attr, 32);'
expect_refusal 'bpf(2) with a short argument'
plant runtime/cgroup/device_attach.cpp '  bpf_attr attr;'
expect_refusal 'a bpf_attr that is not zeroed'
plant runtime/cgroup/device_attach.cpp '  auto attr = bpf_attr{}; call_bpf(0, attr, "");'
sed -i 's/memset/memcpy/' "$scratch/runtime/cgroup/device_attach.cpp"
expect_refusal 'a blank() that does not zero'
plant runtime/shim/server.cpp '// never waitpid(2): state.kill(x); oci_runtime::kill(x);'
expect_silence 'a comment'
plant runtime/shim/server.cpp 'state.kill(x); oci_runtime::kill(x); to->wait(y);'
expect_silence 'verbs of ours'

lint=rules.sh
copy_rules() {
  mkdir -p "$scratch/docs"
  cp "$root/docs/architecture.md" "$scratch/docs"
  cp -r "$root/tests" "$scratch"
}
copy_rules
expect_silence 'what there is'
copy_rules
grep -rl 'rule-6' "$scratch/tests" | xargs sed -i 's/\[rule-6\]//'
expect_refusal 'a rule without a test'
copy_rules
sed -i '/^| 9 /d' "$scratch/docs/architecture.md"
expect_refusal 'a rule that is not documented'
copy_rules
mkdir -p "$scratch/runtime/checkpoint"
expect_refusal 'checkpoints without a test of rule 11'
copy_rules
echo 'TEST_CASE("x", "[rule-14]")' >>"$scratch/tests/unit/config/base_test.cpp"
expect_refusal 'a rule that does not exist'
