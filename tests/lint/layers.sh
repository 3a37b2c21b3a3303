#!/usr/bin/env bash
# Fails if a folder includes what its layer may not know (docs/architecture.md,
# "Layers"). A folder may always include itself.
set -euo pipefail
cd "$1"

# folder : folders of ours and third-party headers that it may include
allowed='
config/base            : tl
config/json            : config/base nlohmann
config/oci             : config/base config/json nlohmann
config                 : config/base config/json config/oci nlohmann
runtime/linux          : config/base tl netlink
runtime/plan           : config/base runtime/linux nlohmann
runtime/probe          : config/base runtime/plan runtime/linux
runtime/cgroup         : config/base config/oci runtime/plan runtime/linux tl
runtime/compile        : config/base config/json config/oci config runtime/plan runtime/cgroup runtime/linux nlohmann
runtime/launch         : config/base runtime/plan runtime/cgroup runtime/linux nlohmann
runtime/store          : config/base config/json runtime/plan runtime/linux nlohmann
runtime/oci            : config/base config/json config/oci runtime/linux runtime/plan runtime/probe runtime/cgroup runtime/compile runtime/launch runtime/store nlohmann tl
runtime/log            : config/base runtime/linux
runtime/shim/protocol  : config/base runtime/plan runtime/linux nlohmann
runtime/shim           : config/base runtime/shim/protocol runtime/launch runtime/log runtime/plan runtime/linux nlohmann
actors                 : config/base config/json config/oci config runtime/linux runtime/plan runtime/probe runtime/cgroup runtime/compile runtime/launch runtime/store runtime/log runtime/shim/protocol caf spdlog nlohmann tl
runtime/tls            : config/base runtime/linux openssl tl
actors/cluster         : config/base config/json config actors runtime/linux runtime/tls caf spdlog boost nlohmann openssl tl
actors/gateway         : config/base config/json config/oci config actors actors/cluster runtime/linux runtime/plan runtime/cgroup runtime/compile runtime/log runtime/store caf spdlog boost nlohmann tl
bench/floor            : config/base runtime/plan
bench/measure          : config/base programs/troupe nlohmann CLI
bench/harness          : config/base config/oci config runtime/linux runtime/plan runtime/probe runtime/cgroup runtime/compile bench/measure programs/troupe nlohmann
bench/probe            :
bench                  : config/base runtime/linux bench/harness bench/measure bench/scenarios
bench/scenarios        : config/base runtime/linux bench/harness bench/measure programs/troupe nlohmann
'
bad=0
while IFS=: read -r folder may; do
  folder=${folder// /}
  [ -n "$folder" ] || continue
  for file in "$folder"/*.[hc]pp; do
    [ -e "$file" ] || continue
    while read -r header; do
      case "$header" in
        config/*|runtime/*|actors/*|programs/*|tests/*|bench/*) from=${header%/*} ;;
        */*)
          from=${header%%/*}
          case $from in sys|linux|bits|arpa|netinet|net|asm) continue ;; esac
          ;;
        *) continue ;;
      esac
      [[ " $folder $may " == *" $from "* ]] && continue
      echo "$file: may not include $header (layer $folder)"
      bad=1
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*/\1/p' "$file")
  done
done <<<"$allowed"

# A folder with code that the table does not know escapes it.
for folder in $(find config runtime actors bench -name '*.[hc]pp' -printf '%h\n' | sort -u); do
  if ! grep -qE "^$folder +:" <<<"$allowed"; then
    echo "$folder: not in the layer table of tests/lint/layers.sh"
    bad=1
  fi
done
exit $bad
