/* What the machine can do: the latch of docs/protocol.md in C on slots of the same shape, and a futex round trip.
 * Reads a command per line from standard input and answers each with one number, so that a benchmark can ask in turn with
 * its own samples: "read", "write" (several writers), "write-alone" (no lock) in ns, "futex" in microseconds per round trip.
 * Build: cc -O2 bench.c -o bench */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 64, WORDS = 8, BATCH = 10000, BATCHES = 41, ROUND_TRIPS = 200, WARM_UP = 20 };

/* 16 bytes, two cells of 64 bytes, padding up to 192: a slot of a store with records of 64 bytes. */
struct slot {
  _Atomic uint32_t sequence, lock, wraps[2];
  uint64_t cells[2][WORDS];
  uint64_t padding[6];
};
_Static_assert(sizeof(struct slot) == 192, "a slot has the stride of the store's");

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
  return values[count / 2];
}

static void *share(size_t bytes) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) perror("mmap"), exit(1);
  return memory;
}

/* Keeps the compiler from leaving out stores to `memory`. */
static inline void keep(void *memory) { __asm__ volatile("" : : "g"(memory) : "memory"); }

static inline void read_record(struct slot *slot, uint64_t *target) {
  for (;;) {
    uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_acquire);
    const uint64_t *cell = slot->cells[sequence & 1];
    for (int i = 0; i < WORDS; i++) target[i] = __atomic_load_n(&cell[i], __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&slot->sequence, memory_order_relaxed) == sequence) return;
  }
}

static inline uint64_t *spare_cell(struct slot *slot, uint32_t sequence) {
  uint32_t spare = (sequence + 1) & 1;
  uint32_t wraps = atomic_load_explicit(&slot->wraps[1 - spare], memory_order_relaxed);
  atomic_store_explicit(&slot->wraps[spare], sequence == UINT32_MAX ? wraps + 1 : wraps, memory_order_relaxed);
  return slot->cells[spare];
}

static inline void fill(uint64_t *cell, const uint64_t *source) {
  for (int i = 0; i < WORDS; i++) __atomic_store_n(&cell[i], source[i], __ATOMIC_RELAXED);
}

static inline void write_record(struct slot *slot, const uint64_t *source) {
  uint32_t nobody = 0;
  while (!atomic_compare_exchange_strong(&slot->lock, &nobody, 1u)) nobody = 0;
  fill(spare_cell(slot, atomic_load_explicit(&slot->sequence, memory_order_relaxed)), source);
  atomic_fetch_add(&slot->sequence, 1u);
  atomic_store_explicit(&slot->lock, 0u, memory_order_release);
}

/* One writer needs no read-modify-write: a release store publishes, a fence keeps the next fill behind it. */
static inline void write_record_alone(struct slot *slot, const uint64_t *source) {
  uint32_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  fill(spare_cell(slot, sequence), source);
  atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_release);
}

enum operation { READ, WRITE, WRITE_ALONE };

static double nanoseconds(enum operation operation, struct slot *slots) {
  double times[BATCHES];
  uint64_t record[WORDS] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (int batch = 0; batch < BATCHES; batch++) {
    uint64_t start = now_ns();
    if (operation == READ) {
      for (int i = 0; i < BATCH; i++) read_record(&slots[i % SLOTS], record), keep(record);
    } else if (operation == WRITE) {
      for (int i = 0; i < BATCH; i++) record[0] = (uint64_t)i, keep(record), write_record(&slots[i % SLOTS], record);
    } else {
      for (int i = 0; i < BATCH; i++) record[0] = (uint64_t)i, keep(record), write_record_alone(&slots[i % SLOTS], record);
    }
    times[batch] = (double)(now_ns() - start) / BATCH;
  }
  return median(times, BATCHES);
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  while (atomic_load(word) == value) syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void futex_ring(_Atomic uint32_t *word) {
  atomic_fetch_add(word, 1u);
  syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static double futex_round_trip(void) {
  _Atomic uint32_t *there = share(4096), *back = there + 16;
  double times[ROUND_TRIPS];
  const uint32_t all = WARM_UP + ROUND_TRIPS;
  pid_t peer = fork();
  if (peer == 0) {
    for (uint32_t i = 0; i < all; i++) futex_wait(there, i), futex_ring(back);
    _exit(0);
  }
  for (uint32_t i = 0; i < all; i++) {
    uint64_t start = now_ns();
    futex_ring(there);
    futex_wait(back, i);
    if (i >= WARM_UP) times[i - WARM_UP] = (double)(now_ns() - start) / 1000;
  }
  waitpid(peer, NULL, 0);
  munmap((void *)there, 4096);
  return median(times, ROUND_TRIPS);
}

int main(void) {
  struct slot *slots = share(SLOTS * sizeof *slots);
  char command[32];
  while (fgets(command, sizeof command, stdin) != NULL) {
    command[strcspn(command, "\n")] = 0;
    double answer;
    if (strcmp(command, "read") == 0) answer = nanoseconds(READ, slots);
    else if (strcmp(command, "write") == 0) answer = nanoseconds(WRITE, slots);
    else if (strcmp(command, "write-alone") == 0) answer = nanoseconds(WRITE_ALONE, slots);
    else if (strcmp(command, "futex") == 0) answer = futex_round_trip();
    else return fprintf(stderr, "unknown command %s\n", command), 2;
    printf("%.3f\n", answer);
    fflush(stdout);
  }
  return 0;
}
