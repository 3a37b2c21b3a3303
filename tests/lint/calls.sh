#!/usr/bin/env bash
# Fails if a process is signalled or waited for by its number (security rule 6
# of docs/architecture.md), or bpf(2) gets less than a whole, zeroed bpf_attr
# (rule 13).
set -euo pipefail
cd "$1"
folders=(config runtime actors programs)
bad=0

# file : what it may say all the same : why
allowed='
runtime/linux/pidfd.cpp    : ::waitid(P_PIDFD,        : by pidfd
runtime/shim/children.cpp  : ::waitid(P_ALL,          : only looks (WNOWAIT); what it finds is reaped by pidfd
runtime/launch/hooks.cpp   : ::kill(-child.pid,       : a process group has no pidfd; its leader is not reaped yet
'

is_allowed() { # file, line
  local file=$1 line=$2 of may
  while IFS=: read -r of may; do
    of=${of// /}
    [ "$of" = "$file" ] || continue
    may=${may%% : *}
    may=${may# }
    may=${may%"${may##*[! ]}"}
    [[ $line == *"$may"* ]] && return 0
  done <<<"$allowed"
  return 1
}

# A call that begins with :: is libc's; our own verbs have such names too.
by_number='(^|[^A-Za-z0-9_>])::(kill|wait|raise)\('
by_number+='|(^|[^A-Za-z0-9_>.])(::)?(waitpid|waitid|wait3|wait4|killpg|tkill|tgkill|sigqueue|pthread_kill)\('
by_number+='|(SYS|__NR)_(kill|tkill|tgkill|wait4|waitid|waitpid|rt_sigqueueinfo|rt_tgsigqueueinfo)\b'
while IFS=: read -r file number line; do
  [[ $line =~ ^[[:space:]]*(//|\*) ]] && continue
  is_allowed "$file" "$line" && continue
  echo "$file:$number: a process by its number: ${line#"${line%%[! ]*}"}"
  bad=1
done < <(grep -rnE --include='*.[hc]pp' "$by_number" "${folders[@]}" || true)

# The one call of bpf(2), whose argument is always made by blank().
while IFS=: read -r file number line; do
  [[ $line =~ ^[[:space:]]*(//|\*) ]] && continue
  if ! [[ $line == *'&arguments, sizeof arguments)'* ]]; then
    echo "$file:$number: bpf(2) without its whole bpf_attr"
    bad=1
  fi
  if ! grep -q 'memset(&out, 0, sizeof out)' "$file" \
    || ! grep -q '^bpf_attr blank()' "$file"; then
    echo "$file: a bpf_attr that is not zeroed whole"
    bad=1
  fi
  while IFS=: read -r at text; do
    echo "$file:$at: a bpf_attr that blank() has not made: $text"
    bad=1
  done < <(grep -nE '\bbpf_attr [a-z_]+( *[;={])' "$file" \
    | grep -v 'bpf_attr out;' || true)
done < <(grep -rnE --include='*.[hc]pp' '(SYS|__NR)_bpf\b|\bbpf\(' "${folders[@]}" \
  | grep -vE ':[[:space:]]*(//|\*)' || true)
exit $bad
