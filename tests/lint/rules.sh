#!/usr/bin/env bash
# Fails if one of the security rules of docs/architecture.md has no test: a test
# case that is tagged [rule-N]. Rules about what is not there yet need theirs
# with the first file of it.
set -euo pipefail
cd "$1"
rules=(1 2 3 4 5 6 7 8 9 10 12 13)
[ -e runtime/checkpoint ] && rules+=(11)
bad=0
for rule in "${rules[@]}"; do
  if ! grep -rqF --include='*_test.cpp' "[rule-$rule]" tests; then
    echo "security rule $rule: no test is tagged [rule-$rule]"
    bad=1
  fi
  if ! grep -qE "^\| $rule " docs/architecture.md; then
    echo "security rule $rule: not in the table of docs/architecture.md"
    bad=1
  fi
done
while read -r tag; do
  number=${tag//[^0-9]/}
  if ((number < 1 || number > 13)); then
    echo "$tag: there is no such security rule"
    bad=1
  fi
done < <(grep -rhoE --include='*_test.cpp' '\[rule-[^]]*\]' tests | sort -u)
exit $bad
