/* The native side of the race and interop tests: one program, one subcommand per role. Its records are arrays of doubles
 * with one value in all elements (the sign that a read is whole), but for `tally`.
 * Each role prints "ready", works until its standard input ends or its count is reached, and prints one line of JSON. */
#ifndef _WIN32
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer-system.h"

#define READ_MS 400

static struct sharecord store;
static unsigned elements;

static void fail(const char *act, int status) {
  printf("{\"error\":\"%s\",\"act\":\"%s\",\"errno\":%d}\n", sharecord_error_name(status), act, errno);
  fflush(stdout);
  exit(1);
}

static void check(const char *act, int status) {
  if (status < 0) fail(act, status);
}

static void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

static void open_store(const char *name, int flags) {
  check("open", sharecord_open(&store, name, flags, NULL));
  elements = store.record_size / sizeof(double);
}

static double *new_record(void) { return calloc(elements + 1, sizeof(double)); } /* room for a size that is no multiple of 8 */

static void fill(double *record, double value) {
  for (unsigned i = 0; i < elements; i++) record[i] = value;
}

static bool is_whole(const double *record) {
  for (unsigned i = 1; i < elements; i++)
    if (record[i] != record[0]) return false;
  return true;
}

static void await_end(void) {
  while (getchar() != EOF) continue;
}

static uint32_t random_state;

static uint32_t random_below(uint32_t limit) { /* xorshift32 */
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return limit == 0 ? 0 : random_state % limit;
}

static void spin_ns(uint32_t nanoseconds) {
  int64_t start = now_ns();
  while (now_ns() - start < nanoseconds) continue;
}

static int add_one(void *record, void *context) {
  (void)context;
  double *values = record;
  fill(values, values[0] + 1);
  return 0;
}

/* write NAME FIRST COUNT PAUSE_NS: rising values, in turn to COUNT records from FIRST, with random pauses around PAUSE_NS. */
static void write_records(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  uint64_t first = strtoull(arguments[1], NULL, 10), count = strtoull(arguments[2], NULL, 10), writes = 0;
  uint32_t pause = (uint32_t)atoi(arguments[3]);
  double *record = new_record();
  check("read", sharecord_read(&store, first, record));
  double value = record[0];
  say_ready();
  while (parent_waits()) {
    for (int turn = 0; turn < 256; turn++, writes++) {
      if (writes % count == 0) value++;
      fill(record, value);
      check("write", sharecord_write(&store, first + writes % count, record));
      if (pause > 0) spin_ns(random_below(2 * pause));
    }
  }
  printf("{\"writes\":%" PRIu64 "}\n", writes);
}

/* read NAME INDEX TORN CHANGES: ends by itself after so many torn reads, or after READ_MS and so many changes; 0 = never. */
static void read_record(char **arguments) {
  open_store(arguments[0], SHARECORD_READ);
  uint64_t index = strtoull(arguments[1], NULL, 10);
  uint64_t torn_goal = strtoull(arguments[2], NULL, 10), changes_goal = strtoull(arguments[3], NULL, 10);
  uint64_t reads = 0, torn = 0, backwards = 0, changes = 0, contended = 0;
  double *record = new_record();
  double last = 0;
  say_ready();
  int64_t end = sharecord_now_ms() + READ_MS;
  while (parent_waits()) {
    if (torn_goal > 0 && torn >= torn_goal) break;
    if (changes_goal > 0 && changes >= changes_goal && sharecord_now_ms() >= end) break;
    for (int turn = 0; turn < 256; turn++) {
      int status = sharecord_read(&store, index, record);
      if (status == SHARECORD_CONTENDED) {
        contended++;
        continue;
      }
      check("read", status);
      reads++;
      if (!is_whole(record)) torn++;
      if (record[0] < last) backwards++;
      if (record[0] != last) changes++;
      last = record[0];
    }
  }
  printf("{\"reads\":%" PRIu64 ",\"torn\":%" PRIu64 ",\"backwards\":%" PRIu64 ",\"changes\":%" PRIu64
         ",\"contended\":%" PRIu64 "}\n", reads, torn, backwards, changes, contended);
}

/* Waits for the record that starts all adders at once to leave 0. */
static void await_start(uint64_t index) {
  uint64_t generation = 0;
  say_ready();
  check("wait", sharecord_wait(&store, index, &generation, -1));
}

/* add NAME INDEX COUNT START PAUSE_NS: updates the record COUNT times, adding 1, with random pauses around PAUSE_NS. */
static void add(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  uint64_t index = strtoull(arguments[1], NULL, 10), count = strtoull(arguments[2], NULL, 10);
  uint32_t pause = (uint32_t)atoi(arguments[4]);
  double *record = new_record();
  await_start(strtoull(arguments[3], NULL, 10));
  for (uint64_t i = 0; i < count; i++) {
    check("update", sharecord_update(&store, index, record, add_one, NULL));
    if (pause > 0) spin_ns(random_below(2 * pause));
  }
  printf("{\"added\":%" PRIu64 "}\n", count);
}

struct lane {
  unsigned at;
};

static int add_to_lane(void *record, void *context) {
  double *values = record;
  values[0]++;
  values[((struct lane *)context)->at]++;
  return 0;
}

/* tally NAME LANE: for ever, adds 1 to element 0 and to element LANE of record 0 in one update; then acknowledges it in
 * record LANE, which counts this lane's updates that returned. */
static void tally(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  struct lane lane = {(unsigned)atoi(arguments[1])};
  double *record = new_record(), *acknowledged = new_record();
  check("read", sharecord_read(&store, lane.at, acknowledged));
  say_ready();
  while (parent_waits()) {
    for (int turn = 0; turn < 64; turn++) {
      int status;
      do status = sharecord_update(&store, 0, record, add_to_lane, &lane);
      while (status == SHARECORD_LOCK_TIMEOUT); /* a killed owner lives until its threads had a processor to die on */
      check("update", status);
      fill(acknowledged, acknowledged[0] + 1);
      check("write", sharecord_write(&store, lane.at, acknowledged));
    }
    sharecord_sleep_ns(500000); /* the latch is not fair: leave room for slower writers */
  }
  puts("{}");
}

/* interrupt NAME INDEX STEP SIGNAL: raises SIGNAL (stop or kill) at one step of a write of the next value. */
static void interrupt(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  uint64_t index = strtoull(arguments[1], NULL, 10);
  const char *step = arguments[2];
  void (*end)(void) = strcmp(arguments[3], "stop") == 0 ? stop_here : die_here;
  double *record = new_record();
  check("read", sharecord_read(&store, index, record));
  add_one(record, NULL);
  uint32_t half = store.record_size / 16 * 8;
  say_ready();
#define STEP(name) \
  if (strcmp(step, name) == 0) end()
  check("acquire", sharecord_acquire(&store, index));
  STEP("acquired");
  unsigned char *cell = sharecord_spare(&store, index);
  sharecord_copy_in(cell, (unsigned char *)record, 0, half);
  STEP("half-filled");
  sharecord_copy_in(cell, (unsigned char *)record, half, store.record_size);
  STEP("filled");
  sharecord_publish(&store, index);
  STEP("published");
  sharecord_unlock(&store, index);
  STEP("unlocked");
  if (strcmp(step, "disarmed") == 0) atomic_store(sharecord_word_at(&store, SHARECORD_ARMED_OFFSET), 0);
  STEP("disarmed");
  sharecord_announce(&store);
  printf("{\"value\":%.0f}\n", record[0]);
}

#ifndef _WIN32
/* fork NAME INDEX: dies inside a write of the record; a child that it forked has all its descriptors, tells its number, and lives
 * until somebody kills it, for a minute at most. */
static void fork_inside(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  say_ready();
  check("acquire", sharecord_acquire(&store, strtoull(arguments[1], NULL, 10)));
  fflush(stdout);
  pid_t child = fork();
  if (child > 0) raise(SIGKILL);
  prctl(PR_SET_PDEATHSIG, 0);
  printf("{\"pid\":%d}\n", (int)getpid());
  fflush(stdout);
  alarm(60);
  for (;;) pause();
}
#endif

/* put NAME INDEX: one update, or the error it ends with. */
static void put(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  double *record = new_record();
  say_ready();
  int status = sharecord_update(&store, strtoull(arguments[1], NULL, 10), record, add_one, NULL);
  printf("{\"status\":\"%s\",\"value\":%.0f}\n", sharecord_error_name(status), record[0]);
}

/* burst NAME CONTROL LANE SEED: each time record 0 of the store CONTROL is written, updates random records of NAME, often
 * record 0, in a burst of random length, then says so in record LANE of CONTROL. */
static void burst(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  struct sharecord control;
  check("open", sharecord_open(&control, arguments[1], SHARECORD_WRITE, NULL));
  uint64_t lane = strtoull(arguments[2], NULL, 10), generation = 0, writes = 0;
  random_state = (uint32_t)strtoul(arguments[3], NULL, 10) | 1;
  double *record = new_record();
  double *round = calloc(1, control.record_size);
  say_ready();
  while (parent_waits()) {
    int woken = sharecord_wait(&control, 0, &generation, 100);
    check("wait", woken);
    if (woken == 0) continue;
    for (uint32_t left = 1 + random_below(40); left > 0; left--, writes++) {
      uint32_t index = random_below(4) == 0 ? 0 : random_below((uint32_t)store.capacity);
      check("update", sharecord_update(&store, index, record, add_one, NULL));
      if (random_below(4) == 0) spin_ns(random_below(50000));
    }
    check("read", sharecord_read(&control, 0, round));
    check("write", sharecord_write(&control, lane, round));
  }
  sharecord_close(&control);
  printf("{\"writes\":%" PRIu64 "}\n", writes);
}

/* watch NAME INDEX: follows one record and tells each state it saw, until the input ends; then how many of them a timer
 * brought and not the doorbell. */
static void watch(char **arguments) {
  open_store(arguments[0], SHARECORD_READ);
  uint64_t index = strtoull(arguments[1], NULL, 10), generation = 0, by_timer = 0;
  double *record = new_record();
  say_ready();
  while (parent_waits()) {
    bell_rang = true;
    int woken = sharecord_wait(&store, index, &generation, 1000);
    check("wait", woken);
    if (woken == 0) continue;
    /* A ring that comes at once: the timer ended the wait, but the wake-up was on its way. */
    if (!bell_rang && !bell_rings(&store, 2)) by_timer++;
    check("read", sharecord_read(&store, index, record));
    printf("{\"generation\":%" PRIu64 ",\"value\":%.0f}\n", generation, record[0]);
    fflush(stdout);
  }
  printf("{\"byTimer\":%" PRIu64 "}\n", by_timer);
}

/* join NAME|number:N ACCESS DIGEST: tells what opening gave, and stays until the input ends. DIGEST - takes any. */
static void join(char **arguments) {
  int flags = strcmp(arguments[1], "write") == 0 ? SHARECORD_WRITE : SHARECORD_READ;
  const char *digest = strcmp(arguments[2], "-") == 0 ? NULL : arguments[2];
  int status = strncmp(arguments[0], "number:", 7) == 0
                   ? open_number(&store, arguments[0] + 7, flags, digest)
                   : sharecord_open(&store, arguments[0], flags, digest);
  check("open", status);
  elements = store.record_size / sizeof(double);
  say_ready();
  double *record = new_record();
  uint64_t generation;
  check("read", sharecord_read(&store, 0, record));
  check("generation", sharecord_generation(&store, 0, &generation));
  double value = record[0];
  int written = sharecord_update(&store, 0, record, add_one, NULL);
  printf("{\"capacity\":%" PRIu64 ",\"recordSize\":%" PRIu32 ",\"generation\":%" PRIu64 ",\"value\":%g,\"write\":\"%s\"}\n",
         store.capacity, store.record_size, generation, value, sharecord_error_name(written));
  fflush(stdout);
  await_end();
}

/* twice NAME: opens the store for writing two times in this thread; tells both owners, and whether the first takes the second
 * for dead while it lives and once it has left. */
static void twice(char **arguments) {
  open_store(arguments[0], SHARECORD_WRITE);
  struct sharecord second;
  check("open", sharecord_open(&second, arguments[0], SHARECORD_WRITE, NULL));
  uint32_t owner = second.owner;
  bool was_dead = sharecord_is_dead(&store, owner);
  sharecord_close(&second);
  say_ready();
  printf("{\"first\":%" PRIu32 ",\"second\":%" PRIu32 ",\"deadBefore\":%d,\"deadAfter\":%d}\n", store.owner, owner, was_dead,
         sharecord_is_dead(&store, owner));
}

static const struct role {
  const char *name;
  int arguments;
  void (*run)(char **arguments);
} roles[] = {
    {"write", 4, write_records}, {"read", 4, read_record}, {"add", 5, add},     {"tally", 2, tally},
    {"interrupt", 4, interrupt}, {"put", 2, put},          {"burst", 4, burst}, {"watch", 2, watch},
    {"join", 3, join},           {"twice", 1, twice},
#ifndef _WIN32
    {"fork", 2, fork_inside},
#endif
};

int main(int count, char **arguments) {
  live_with_parent();
  random_state = process_number() * 2654435761u | 1;
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
    if (count < 2 || strcmp(arguments[1], roles[i].name) != 0 || count - 2 != roles[i].arguments) continue;
    roles[i].run(arguments + 2);
    fflush(stdout);
    sharecord_close(&store);
    return 0;
  }
  fputs("usage: peer ROLE ARGUMENTS, see peer.c\n", stderr);
  return 2;
}
