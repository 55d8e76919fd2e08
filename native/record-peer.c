/* A native program that keeps a record of its own, without any header: the other side of the tests for records in somebody
 * else's format. Its protocol words lie in the middle of the data, and every committed state has one value in all doubles.
 *   make NAME                       creates the segment and the mutex in it; waits, then removes the name
 *   write NAME GUARD PAUSE_NS       rising values without an end, with random pauses around PAUSE_NS
 *   read NAME GUARD TORN CHANGES    ends by itself after so many torn reads, or after READ_MS and so many changes; 0 = never
 *   add NAME GUARD COUNT PAUSE_NS   once its input ends, adds 1, COUNT times, with random pauses around PAUSE_NS
 *   begin NAME GUARD                begins a write, fills half of it, and stays there
 *   hold NAME GUARD                 takes a mutex and stays with it; "taken" or "abandoned" is told
 *   try NAME GUARD                  tries to take it once: "taken", "abandoned" or "busy"
 * GUARD is sequence, pair, none, robust (the mutex in the record), named:NAME (a mutex at the start of a segment of that name,
 * made if it is absent). Each role prints "ready", works until its standard input ends, then prints one line of JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 3, SECOND = 61, READ_MS = 400, SLICE = 256 };

struct record {
  double first[FIRST];
  _Atomic uint32_t begin;
  _Atomic uint32_t sequence;
  pthread_mutex_t lock;
  double second[SECOND];
  _Atomic uint32_t end;
  uint32_t tail;
};

static struct record *record;
static pthread_mutex_t *mutex;

static void fail(const char *act) {
  printf("{\"error\":\"%s\",\"errno\":%d}\n", act, errno);
  fflush(stdout);
  exit(1);
}

static void say_ready(void) {
  puts("ready");
  fflush(stdout);
}

static bool parent_waits(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  return poll(&input, 1, 0) == 0;
}

static void await_end(void) {
  char byte;
  while (read(0, &byte, 1) > 0) continue;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void spin_ns(int64_t nanoseconds) {
  int64_t end = now_ns() + nanoseconds;
  while (now_ns() < end) continue;
}

static void init_mutex(pthread_mutex_t *made) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(made, &attributes);
}

static void *map(int descriptor, size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) fail("mmap");
  close(descriptor);
  return memory;
}

static int open_named(const char *name, int flags) {
  char path[256];
  snprintf(path, sizeof path, "/%s", name);
  return shm_open(path, O_RDWR | flags, 0600);
}

/* A mutex that the library made: a user of it holds a lock on one of 256 bytes, or the last user would remove the name. */
static void count_as_user(int descriptor) {
  for (int byte = 0; byte < 256; byte++) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0) return;
  }
  fail("F_OFD_SETLK");
}

/* The mutex is complete before its name appears, as docs/segment-format.md asks. */
static pthread_mutex_t *named_mutex(const char *name) {
  for (;;) {
    int descriptor = open_named(name, 0);
    if (descriptor >= 0) {
      count_as_user(descriptor);
      return mmap(NULL, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    }
    if (errno != ENOENT) fail("shm_open");
    descriptor = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    if (descriptor < 0 || ftruncate(descriptor, sizeof(pthread_mutex_t)) != 0) fail("O_TMPFILE");
    void *memory = mmap(NULL, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) fail("mmap");
    init_mutex(memory);
    char from[64], to[256];
    snprintf(from, sizeof from, "/proc/self/fd/%d", descriptor);
    snprintf(to, sizeof to, "/dev/shm/%s", name);
    bool linked = linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
    close(descriptor);
    if (linked) return memory;
    munmap(memory, sizeof(pthread_mutex_t));
  }
}

static void open_record(const char *name, const char *guard) {
  int descriptor = open_named(name, 0);
  if (descriptor < 0) fail("shm_open");
  record = map(descriptor, sizeof *record);
  if (strcmp(guard, "robust") == 0) mutex = &record->lock;
  if (strncmp(guard, "named:", 6) == 0) mutex = named_mutex(guard + 6);
}

/* True if the last owner died with it. */
static bool lock(void) {
  int status = pthread_mutex_lock(mutex);
  if (status == EOWNERDEAD) pthread_mutex_consistent(mutex);
  else if (status != 0) errno = status, fail("pthread_mutex_lock");
  return status == EOWNERDEAD;
}

static void fill_half(double value) {
  for (int i = 0; i < FIRST; i++) ((volatile double *)record->first)[i] = value;
  for (int i = 0; i < SECOND / 2; i++) ((volatile double *)record->second)[i] = value;
}

static void fill(double value) {
  fill_half(value);
  for (int i = SECOND / 2; i < SECOND; i++) ((volatile double *)record->second)[i] = value;
}

static void begin_write(const char *guard) {
  if (strcmp(guard, "sequence") == 0) atomic_fetch_add(&record->sequence, 1);
  if (strcmp(guard, "pair") == 0) atomic_fetch_add(&record->begin, 1);
  atomic_thread_fence(memory_order_seq_cst);
}

static void end_write(const char *guard) {
  if (strcmp(guard, "sequence") == 0) atomic_fetch_add(&record->sequence, 1);
  if (strcmp(guard, "pair") == 0) atomic_fetch_add(&record->end, 1);
}

static void write_values(char **arguments) {
  const char *guard = arguments[1];
  open_record(arguments[0], guard);
  int64_t pause = atoll(arguments[2]);
  double value = record->first[0];
  uint64_t writes = 0;
  srand48(getpid());
  say_ready();
  while (parent_waits()) {
    for (int turn = 0; turn < SLICE; turn++, writes++) {
      begin_write(guard);
      fill(++value);
      end_write(guard);
      if (pause > 0) spin_ns(lrand48() % (2 * pause));
    }
  }
  printf("{\"writes\":%lu}\n", writes);
}

/* One try: false if the guard says that a writer was inside. */
static bool snapshot(const char *guard, struct record *copy) {
  bool pair = strcmp(guard, "pair") == 0, counts = pair || strcmp(guard, "sequence") == 0;
  uint32_t before = pair ? atomic_load(&record->end) : atomic_load(&record->sequence);
  if (counts && !pair && before % 2 != 0) return false;
  for (int i = 0; i < FIRST; i++) copy->first[i] = ((volatile double *)record->first)[i];
  for (int i = 0; i < SECOND; i++) copy->second[i] = ((volatile double *)record->second)[i];
  atomic_thread_fence(memory_order_seq_cst);
  return !counts || (pair ? atomic_load(&record->begin) : atomic_load(&record->sequence)) == before;
}

static bool is_whole(const struct record *copy) {
  double value = copy->first[0];
  for (int i = 1; i < FIRST; i++)
    if (copy->first[i] != value) return false;
  for (int i = 0; i < SECOND; i++)
    if (copy->second[i] != value) return false;
  return true;
}

static void read_values(char **arguments) {
  const char *guard = arguments[1];
  open_record(arguments[0], guard);
  uint64_t torn_goal = strtoull(arguments[2], NULL, 10), changes_goal = strtoull(arguments[3], NULL, 10);
  uint64_t reads = 0, torn = 0, backwards = 0, changes = 0;
  struct record copy;
  double last = 0;
  say_ready();
  int64_t end = now_ns() + READ_MS * INT64_C(1000000);
  while (parent_waits()) {
    if (torn_goal > 0 && torn >= torn_goal) break;
    if (changes_goal > 0 && changes >= changes_goal && now_ns() >= end) break;
    for (int turn = 0; turn < SLICE; turn++) {
      if (!snapshot(guard, &copy)) continue;
      reads++;
      if (!is_whole(&copy)) torn++;
      if (copy.first[0] < last) backwards++;
      if (copy.first[0] != last) changes++;
      last = copy.first[0];
    }
  }
  printf("{\"reads\":%lu,\"torn\":%lu,\"backwards\":%lu,\"changes\":%lu}\n", reads, torn, backwards, changes);
}

static void add(char **arguments) {
  open_record(arguments[0], arguments[1]);
  uint64_t count = strtoull(arguments[2], NULL, 10), died = 0;
  int64_t pause = atoll(arguments[3]);
  srand48(getpid());
  say_ready();
  await_end();
  for (uint64_t i = 0; i < count; i++) {
    if (mutex) died += lock();
    fill(record->first[0] + 1);
    if (mutex) pthread_mutex_unlock(mutex);
    if (pause > 0) spin_ns(lrand48() % (2 * pause));
  }
  printf("{\"added\":%lu,\"died\":%lu}\n", count, died);
}

static void begin(char **arguments) {
  open_record(arguments[0], arguments[1]);
  begin_write(arguments[1]);
  fill_half(record->first[0] + 1);
  say_ready();
  await_end();
  fill(record->first[0]);
  end_write(arguments[1]);
  puts("{}");
}

static void hold(char **arguments) {
  open_record(arguments[0], arguments[1]);
  bool died = lock();
  fill_half(record->first[0] + 1);
  printf("{\"lock\":\"%s\"}\n", died ? "abandoned" : "taken");
  say_ready();
  await_end();
  fill(record->first[0]);
  pthread_mutex_unlock(mutex);
  puts("{}");
}

static void try(char **arguments) {
  open_record(arguments[0], arguments[1]);
  int status = pthread_mutex_trylock(mutex);
  if (status == EOWNERDEAD) pthread_mutex_consistent(mutex);
  if (status != EBUSY) pthread_mutex_unlock(mutex);
  say_ready();
  printf("{\"lock\":\"%s\"}\n", status == 0 ? "taken" : status == EOWNERDEAD ? "abandoned" : "busy");
}

static void make(char **arguments) {
  int descriptor = open_named(arguments[0], O_CREAT | O_EXCL);
  if (descriptor < 0 || ftruncate(descriptor, sizeof *record) != 0) fail("shm_open");
  record = map(descriptor, sizeof *record);
  init_mutex(&record->lock);
  record->tail = 0xdecade;
  say_ready();
  await_end();
  printf("{\"value\":%g,\"whole\":%s,\"tail\":%u}\n", record->first[0], is_whole(record) ? "true" : "false", record->tail);
  char path[256];
  snprintf(path, sizeof path, "/%s", arguments[0]);
  shm_unlink(path);
}

static const struct role {
  const char *name;
  int arguments;
  void (*run)(char **arguments);
} roles[] = {
    {"make", 1, make}, {"write", 3, write_values}, {"read", 4, read_values}, {"add", 4, add},
    {"begin", 2, begin}, {"hold", 2, hold}, {"try", 2, try},
};

int main(int count, char **arguments) {
  /* A test that is killed cannot end its peers. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
    if (count < 2 || strcmp(arguments[1], roles[i].name) != 0 || count - 2 != roles[i].arguments) continue;
    roles[i].run(arguments + 2);
    fflush(stdout);
    return 0;
  }
  fputs("usage: record-peer ROLE ARGUMENTS, see record-peer.c\n", stderr);
  return 2;
}
