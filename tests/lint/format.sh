#!/usr/bin/env bash
# Fails if clang-format would change a file that git knows.
set -euo pipefail
cd "$1"
git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-14 --dry-run --Werror
