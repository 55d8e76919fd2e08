#!/usr/bin/env bash
# Checks the models with Spin (Debian: spin, gcc): each property must hold in an exhaustive search, each mutation must break the one named
# beside it.
# Prints one line per search; exits 1 if one came out otherwise. `run.sh WORD` runs the lines that contain WORD.
set -u
cd "$(dirname "$0")" || exit 2
models=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export models work

# property | what Spin says when it is broken: a part of the assertion as Spin spells it, or of its own complaint.
properties() {
  cat <<'PROPERTIES'
nobody stuck|invalid end state
one owner|(owners<=1)
no lost update|==count)&&(cell[
reads are whole|(a==b)
reads are current|(a==count)
torn by a death alone|assertion violated torn
complete when joined|((state[i]==1)&&header[i])
complete when read|(magic[i]&&header[i])
one segment per name|((in[0]!=0)&&(in[0]!=i))
initialised once|!(used[i])
no name left|(name==0)
no lost wake-up|(delivered[
searches miss nothing|assertion violated  !(kept[((r*4)+k)]) (at
iterations miss nothing|||(seen==1))
index leads to every key|((found!=0)==there[k])
record of its key|(record==k)
value of the key in the slot|(spare_value[s]==key[s])
no slot lost|(free==(
size is the number of entries|(size==count)
PROPERTIES
}

# expected | model | macros | title. `fair`: holds in every run in which nobody is passed over for ever (weak fairness).
# `breaks PROPERTY`: the first error of the search is in that one.
rows() {
  cat <<'ROWS'
holds|latch|-DREADERS=0|never two living owners, no lost update, nobody stuck: 2 writers of 2 lives, 2 deaths, the sequence wraps
holds|latch|-DREADERS=0 -DNP=3 -DNSLOT=3 -DLIVES=1 -DDEATHS=1|the same: 3 writers
holds|latch|-DREADERS=0 -DNP=3 -DNSLOT=2 -DLIVES=1 -DDEATHS=1|more writers than slots: some are refused, nobody is stuck
holds|latch|-DREADERS=0 -DLIVES=3 -DDEATHS=1 -DEPOCHS=2|slots that wear out are claimed no more
holds|latch|-DREADERS=0 -DPROBE_TAKES|a probe that takes the liveness lock and gives it back before the steal (Windows)
holds|latch|-DREADERS=0 -DPROCESS -DDEATHS=1|backing process: the parent clears a dead thread's words
holds|latch|-DREADS=1 -DDEATHS=1 -DLIVES=1|accepted reads are whole, committed and current
holds|latch|-DREADERS=2 -DREADS=1 -DDEATHS=1 -DLIVES=1|the same: 2 readers
fair|latch|-DBUSY -DREADERS=0 -DDEATHS=1|every living writer comes to its end
holds|seqlock|-DREADS=0|one cell: slots reused, 2 deaths, nobody stuck
holds|seqlock|-DLIVES=1 -DDEATHS=1|reads are whole, bounded, and tell a death from a pause
holds|segment||one store per name, complete when it has it, nothing left: 3 processes create, join, replace, close, 1 death
holds|segment|-DDEATHS=0|without a death the name is gone at the end
holds|segment|-DUSER_UNLINK -DDEATHS=0|the same with users who unlink
holds|section||Windows: one section per name, complete when it is joined or read, initialised once, nothing left: 3 writers, 1 reader, 1 death
holds|section|-DWRITERS=2 -DLIVES=2 -DDEATHS=2|the same: 2 writers of 2 lives, 2 deaths
holds|section|-DSQUATTERS=1|memory that somebody else made under the name is never written
holds|watch||no lost wake-up: 2 writers, 2 watchers, a watcher may die
holds|watch|-DNW=1 -DK=3|the same: 1 writer with 3 publishes
holds|watch|-DK=2 -DNR=1 -DRDEATHS=0|the same: 2 writers with 2 publishes, 1 watcher
holds|watch|-DTIMER -DWDEATHS=1 -DRDEATHS=0|a writer may die: the timed sleep finds what it published
holds|watch|-DTIMER -DWDEATHS=1 -DNW=1 -DK=2|a writer and a watcher may die
holds|map|-DREBUILD -DNW=1 -DOPS=3 -DDEATHS=0|searches and iterations miss nothing that is there, also while the index is made anew
holds|map|-DREBUILD -DNW=1 -DOPS=2|the same while the writer may die: then all is finished, no slot is lost
holds|map|-DNW=1 -DOPS=4|the same: 4 changes, slots and words used again
holds|map|-DNW=2 -DOPS=1 -DKEYS=2|the same: 2 writers, one finishes what the other began
holds|map|-DNW=2 -DOPS=2 -DNR=0|no key twice, no slot lost: 2 writers of 2 changes, 1 death
holds|map|-DREBUILD -DNW=2 -DOPS=1 -DNR=0 -DDEATHS=2|the same: who finishes may die too
holds|map|-DHELD -DUSED -DSLOTS=3 -DNW=1 -DOPS=3 -DNR=0 -DKEYS=3|inserts pass over free slots that others hold: no slot lost, none free twice, 3 slots, 1 death
holds|map|-DHELD -DUSED -DNW=2 -DOPS=2 -DNR=0 -DKEYS=2 -DDEATHS=2|the same: 2 writers, who finishes may die too
holds|map|-DHELD -DNW=1 -DOPS=4|the same with fresh slots, and a reader
holds|map|-DSETS -DNW=2 -DOPS=2 -DNR=0 -DKEYS=2|keys that are there are set without the structure lock, each value under its key: 2 writers of 2 acts, 1 death
holds|map|-DSETS -DNW=2 -DOPS=1 -DKEYS=2 -DDEATHS=0|the same with a reader: never the value of another key
breaks nobody stuck|latch|-DREADERS=0 -DMUT_PROBE_ONLY|no look at the epoch: who took a dead owner's slot makes it seem alive
breaks one owner|latch|-DREADERS=0 -DMUT_NO_EPOCH|the lock word names the slot only
breaks one owner|latch|-DREADERS=0 -DMUT_EPOCHS_WRAP -DLIVES=3 -DDEATHS=1 -DEPOCHS=2|epochs that wrap around
breaks one owner|latch|-DREADERS=0 -DMUT_EPOCH_FIRST|the epoch loaded before the lock word
breaks one owner|latch|-DREADERS=0 -DMUT_BUMP_FIRST|the epoch moved before the liveness lock is held
breaks one owner|latch|-DREADERS=0 -DMUT_LOCK_OLD_EPOCH|work under the epoch found
breaks one owner|latch|-DREADERS=0 -DMUT_STEAL_BY_TIME|steal after a time-out
breaks one owner|latch|-DREADERS=0 -DMUT_STEAL_BY_STORE|steal by a store
breaks one owner|latch|-DREADERS=0 -DMUT_CLOSE_INSIDE|the liveness lock given up inside a write
breaks one owner|latch|-DREADERS=0 -DPROCESS -DMUT_NUMBER_AGAIN|backing process: a new thread gets a dead one's number
breaks no lost update|latch|-DREADERS=0 -DMUT_UNLOCK_EARLY|unlock before the publish
breaks no lost update|latch|-DREADERS=0 -DMUT_NO_COMPARE|update without a look at the sequence under the lock
breaks no lost update|latch|-DREADERS=0 -DMUT_WRAP_SKIPS_ZERO|a sequence that skips 0 when it wraps
breaks reads are whole|latch|-DREADS=1 -DDEATHS=0 -DMUT_PUBLISH_EARLY|publish before the last word
breaks no lost update|latch|-DREADS=1 -DDEATHS=0 -DMUT_SAME_CELL|write into the current cell
breaks reads are current|latch|-DREADS=1 -DDEATHS=0 -DMUT_NO_RECHECK|a reader that does not look again
breaks reads are whole|latch|-DM=4 -DSTART=2 -DREADS=1 -DDEATHS=0|as many publishes inside one read as the sequence has values
breaks torn by a death alone|seqlock|-DDEATHS=1 -DMUT_ODD_FIRST|odd before the owner word
breaks torn by a death alone|seqlock|-DDEATHS=1 -DMUT_THIEF_BUMPS|a thief that does not look at the parity
breaks no lost update|seqlock|-DDEATHS=1 -DMUT_UPDATE_READS_TORN|update of a torn record
breaks reads are whole|seqlock|-DDEATHS=1 -DMUT_EVEN_EARLY|even before the last word
breaks reads are current|seqlock|-DDEATHS=1 -DMUT_READ_ODD|a reader that accepts an odd sequence
breaks nobody stuck|seqlock|-DDEATHS=1 -DMUT_NO_BOUND|a reader without a bound
breaks torn by a death alone|seqlock|-DDEATHS=1 -DMUT_ODD_IS_DEATH|a reader that takes a pause for a death
breaks complete when joined|segment|-DMUT_NO_GATE|no gate
breaks complete when joined|segment|-DMUT_NO_RECHECK|a join that does not look at the state
breaks complete when joined|segment|-DMUT_LINK_FIRST|a name before the header
breaks one segment per name|segment|-DMUT_LIVE_AFTER_LINK|a name before the liveness lock
breaks one segment per name|segment|-DMUT_UNLINK_BLINDLY|unlink whatever the name means
breaks one segment per name|segment|-DUSER_UNLINK -DMUT_USER_UNLINK_NO_GATE|unlink outside the gate
breaks initialised once|section|-DMUT_NO_GATE|Windows: no gate
breaks initialised once|section|-DMUT_HEAL_OUTSIDE|a join that finishes a dead maker's header outside the gate
breaks complete when read|section|-DMUT_READY_FIRST|the state before the header
breaks one segment per name|section|-DMUT_HANDLE_FIRST|the handle closed while the memory is in use
breaks no name left|section|-DMUT_ABANDONED_IS_LOST|a gate whose owner died is not granted
breaks initialised once|section|-DSQUATTERS=1 -DMUT_OPEN_FIRST|create-or-open before the gate: the header is written into somebody else's memory
breaks no lost wake-up|watch|-DMUT_ARM_AFTER|look, then arm
breaks no lost wake-up|watch|-DMUT_CHECK_FIRST|armed looked at before the publish
breaks no lost wake-up|watch|-DMUT_PLAIN_ARM|armed stored without a fence (store buffer)
breaks no lost wake-up|watch|-DWDEATHS=1 -DRDEATHS=0|untimed sleep: a writer dies between taking armed and ringing
breaks no slot lost|map|-DMUT_NO_NOTE -DREBUILD -DNW=1 -DOPS=2|a change without a note
breaks size is the number of entries|map|-DMUT_NO_FINISH -DNW=1 -DOPS=2|who steals the lock does not finish
breaks size is the number of entries|map|-DMUT_CLEAR_FIRST -DNW=1 -DOPS=2|the note goes before the work is done
breaks searches miss nothing|map|-DMUT_WORD_AFTER -DNW=1 -DOPS=2 -DDEATHS=0|a key is there before the index leads to it
breaks iterations miss nothing|map|-DMUT_HIGH_AFTER -DNW=1 -DOPS=2 -DDEATHS=0|a key is there before iterations come to its slot
breaks index leads to every key|map|-DMUT_EMPTY -DNW=1 -DOPS=3 -DDEATHS=0|a word becomes empty although searches have to pass it
breaks searches miss nothing|map|-DMUT_IN_PLACE -DREBUILD -DNW=1 -DOPS=2 -DDEATHS=0|the index made anew in place
breaks searches miss nothing|map|-DMUT_NO_SECOND_LOOK -DREBUILD -DNW=1 -DOPS=4 -DDEATHS=0|a search that says no without a second look at turns
breaks record of its key|map|-DMUT_TWO_LOOKS -DNW=1 -DOPS=4 -DDEATHS=0 -DKEYS=2|the key of one look, the record of another
breaks no slot lost|map|-DMUT_NO_BEHIND -DHELD -DUSED -DNW=1 -DOPS=2 -DNR=0 -DDEATHS=0|a slot in the middle of the free list is used and stays in the list
breaks no slot lost|map|-DMUT_TAKE_FIRST -DHELD -DUSED -DNW=1 -DOPS=2 -DNR=0|a slot is taken off the list before the note
breaks value of the key in the slot|map|-DMUT_NO_LOOK -DSETS -DNW=2 -DOPS=2 -DNR=0 -DKEYS=2 -DDEATHS=0|a key is set without a look whether the slot still has it
breaks value of the key in the slot|map|-DMUT_NO_SLOT_LOCK -DSETS -DNW=2 -DOPS=2 -DNR=0 -DKEYS=2 -DDEATHS=0|a key is set without the lock of its slot
ROWS
}

# search NUMBER ROW: one line to $work/NUMBER.line
search() {
  local expected model macros title found property text error compile=-DSAFETY run=() states folder=$work/$1
  IFS='|' read -r expected model macros title <<<"$2"
  # What counts as an end: in watch.pml everybody sleeps at the end, in the others who sleeps at the end is stuck.
  [ "$model" = watch ] && run=(-E)
  [ "$expected" = fair ] && compile=-DNFAIR=4 run=(-a -f)
  mkdir "$folder" && cd "$folder" && cp "$models"/*.pml . || exit 2
  # shellcheck disable=SC2086
  { spin -a $macros "$model.pml" && gcc -O2 -DCOLLAPSE "$compile" -DVECTORSZ=4096 -w -o pan pan.c && timeout 300 ./pan -m1000000 "${run[@]}"; } >log 2>&1
  found=incomplete
  grep -q 'errors: 0$' log && ! grep -q 'max search depth too small\|out of memory' log && found=holds
  error=$(grep -m 1 '^pan:1: \(assertion violated\|invalid end state\|acceptance cycle\)' log) && found=breaks
  property=${expected#breaks }
  text=$(properties | sed -n "s/^$property|//p")
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' log | head -n 1)
  local verdict=WRONG
  case $expected in
    breaks*)
      # A mutation that breaks another property shows nothing of this one.
      [ "$found" = breaks ] && [ -n "$text" ] && [[ $error == *"$text"* ]] && verdict=ok
      title+="; breaks: $property"
      ;;
    *) [ "$found" = holds ] && verdict=ok ;;
  esac
  printf '%-6s %-10s %10s states  %s: %s\n' "$verdict" "$found" "${states:-?}" "$model" "$title" >"$work/$1.line"
  [ "$verdict" = WRONG ] && [ "$found" = breaks ] && printf '%s\n' "$error" >>"$work/$1.line"
  [ "$found" = incomplete ] && tail -n 3 log >>"$work/$1.line"
  rm -rf "$folder"
}
export -f search properties

rows | grep -F -- "${1:-|}" | awk '{ printf "%03d\n%s\n", NR, $0 }' | tr '\n' '\0' |
  xargs -0 -n2 -P"$(nproc)" bash -c 'search "$0" "$1"'
cat "$work"/*.line
! grep -q '^WRONG' "$work"/*.line
