#!/usr/bin/env bash
# Checks watch.pml with Spin (Debian: spin, gcc): each property must hold, each mutation must be caught.
# Prints one line per run; exits 1 if one came out otherwise.
set -u
cd "$(dirname "$0")" || exit 2
model=$PWD/watch.pml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# check EXPECTED TITLE FLAGS...
check() {
  local expected=$1 title=$2
  shift 2
  rm -rf "$folder/run" && mkdir "$folder/run" && cd "$folder/run" || exit 2
  spin -a "$@" "$model" >spin.log 2>&1 && gcc -O2 -DSAFETY -DVECTORSZ=4096 -w -o pan pan.c >>spin.log 2>&1 || { cat spin.log; exit 2; }
  ./pan -E -m1000000 >pan.log 2>&1
  local found=holds states
  grep -q 'assertion violated' pan.log && found=breaks
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
  grep -q 'max search depth too small\|out of memory' pan.log && found=incomplete
  [ "$found" = "$expected" ] || failed=1
  printf '%-6s %-6s (expected %s) %10s states  %s\n' "$([ "$found" = "$expected" ] && echo ok || echo WRONG)" "$found" "$expected" "${states:-?}" "$title"
}

check holds '2 writers, 2 watchers, a watcher may die'
check holds '1 writer with 3 publishes, 2 watchers, a watcher may die' -DNW=1 -DK=3
check holds '2 writers with 2 publishes, 1 watcher' -DK=2 -DNR=1 -DRDEATHS=0
check holds 'a writer may die; the timed sleep finds what it published' -DTIMER -DWDEATHS=1 -DRDEATHS=0
check holds 'a writer and a watcher may die, 1 writer with 2 publishes' -DTIMER -DWDEATHS=1 -DNW=1 -DK=2
check breaks 'mutation: look, then arm' -DMUT_ARM_AFTER
check breaks 'mutation: armed looked at before the publish' -DMUT_CHECK_FIRST
check breaks 'mutation: armed stored without a fence (store buffer)' -DMUT_PLAIN_ARM
check breaks 'mutation: untimed sleep, a writer dies between taking armed and ringing' -DWDEATHS=1 -DRDEATHS=0
exit $failed
