/* Lets a C program join a managed store: read, write and follow its records beside the Node processes that use it.
 * Header-only C11 for 64-bit little-endian Linux (libc alone) and Windows (kernel32 and advapi32; GCC or Clang); what they
 * differ in is in the two headers beside it. Bytes: docs/segment-format.md; steps: docs/protocol.md. Making a store and
 * decoding its fields are left to the caller: a record here is `record_size` bytes.
 *
 *   struct sharecord quotes;
 *   struct quote quote;                                       // as `codegen(layout, 'c')` declares it
 *   int status = sharecord_open(&quotes, "quotes", SHARECORD_WRITE, QUOTE_DIGEST);
 *   if (status < 0) return fprintf(stderr, "%s\n", sharecord_error_name(status)), 1;
 *   sharecord_read(&quotes, 7, &quote);
 *   sharecord_close(&quotes);
 *
 * One `struct sharecord` belongs to one thread; each thread opens its own. A process that forks must not use it in the
 * child, and the child keeps the parent's slot held until it ends or calls exec: open after forking. */
#ifndef SHARECORD_H
#define SHARECORD_H

#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if UINTPTR_MAX != UINT64_MAX || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "sharecord.h is for 64-bit little-endian systems"
#endif

/* ---- results ---- */

/* Every function that can fail returns one of these; 0 or more is success. Each but SHARECORD_BUSY and SHARECORD_ARGUMENT
 * is the code of the same name in docs/errors.md. */
enum sharecord_error {
  SHARECORD_OK = 0,
  SHARECORD_NOT_FOUND = -1,      /* no segment has this name, or its last user has closed it */
  SHARECORD_DENIED = -2,         /* no permission, or another user's segment without SHARECORD_ANY_OWNER */
  SHARECORD_NOT_READY = -3,      /* not initialised yet, or somebody stays at the gate for 5 s */
  SHARECORD_FOREIGN = -4,        /* not a managed segment */
  SHARECORD_FORMAT = -5,         /* another format version, kind or guard, or a damaged header */
  SHARECORD_MISMATCH = -6,       /* the layout digest differs from the expected one */
  SHARECORD_LIMIT = -7,          /* memory, descriptors, or all participant slots */
  SHARECORD_SYSTEM = -8,         /* another system error: see errno, or GetLastError() */
  SHARECORD_NAME = -9,           /* not a segment name */
  SHARECORD_INDEX = -10,         /* no such record */
  SHARECORD_CONTENDED = -11,     /* writers published during every try for 100 ms */
  SHARECORD_LOCK_TIMEOUT = -12,  /* a live writer has held the record for 1 s */
  SHARECORD_ARGUMENT = -13,      /* writing to a store opened for reading, or a malformed digest */
  SHARECORD_UNSUPPORTED = -14,   /* Windows: writing by a bare handle, or memory that is only reserved */
};

static inline const char *sharecord_error_name(int status) {
  static const char *const names[] = {
      "OK", "SEGMENT_NOT_FOUND", "SEGMENT_DENIED", "SEGMENT_NOT_READY", "SEGMENT_FOREIGN", "SEGMENT_FORMAT",
      "LAYOUT_MISMATCH", "SEGMENT_LIMIT", "SEGMENT_OS", "SEGMENT_NAME", "INDEX_RANGE", "READ_CONTENDED",
      "LOCK_TIMEOUT", "VALUE_TYPE", "SEGMENT_UNSUPPORTED",
  };
  int at = status > 0 ? 0 : -status;
  return at < (int)(sizeof names / sizeof *names) ? names[at] : "UNKNOWN";
}

/* ---- the format, in bytes from the start of the segment ---- */

enum {
  SHARECORD_VERSION_OFFSET = 8,
  SHARECORD_BYTE_ORDER_OFFSET = 12,
  SHARECORD_HEADER_LENGTH_OFFSET = 16,
  SHARECORD_STATE_OFFSET = 20,
  SHARECORD_KIND_OFFSET = 24,
  SHARECORD_GUARD_OFFSET = 28,
  SHARECORD_CAPACITY_OFFSET = 32,
  SHARECORD_SIZE_OFFSET = 40,
  SHARECORD_RECORD_SIZE_OFFSET = 48,
  SHARECORD_CELL_LENGTH_OFFSET = 52,
  SHARECORD_STRIDE_OFFSET = 56,
  SHARECORD_LIFETIME_OFFSET = 60,
  SHARECORD_SLOTS_OFFSET = 76,
  SHARECORD_DIGEST_OFFSET = 80,
  SHARECORD_TEXT_OFFSET_OFFSET = 136,
  SHARECORD_TEXT_LENGTH_OFFSET = 140,
  SHARECORD_ARMED_OFFSET = 192,
  SHARECORD_BELL_OFFSET = 256,     /* Windows: who listens, a bit each */
  SHARECORD_DOORBELL_OFFSET = 260, /* Linux: the byte that a ring writes */
  SHARECORD_EPOCHS_OFFSET = 320,
  SHARECORD_FIXED_LENGTH = 2368, /* the layout text begins here */
  SHARECORD_CONTROL_LENGTH = 4096,
  /* of a slot */
  SHARECORD_LOCK_OFFSET = 4,
  SHARECORD_WRAPS_OFFSET = 8,
  SHARECORD_CELLS_OFFSET = 16,
};

#define SHARECORD_MAGIC "SHARECRD"
#define SHARECORD_FORMAT_VERSION 1u
#define SHARECORD_BYTE_ORDER_MARK 0x01020304u
#define SHARECORD_DIGEST_LENGTH 16
#define SHARECORD_STATE_READY 1u
#define SHARECORD_STATE_GONE 2u
#define SHARECORD_KIND_STORE 1u
#define SHARECORD_GUARD_LATCH 1u
#define SHARECORD_LAST_CLOSE 0u
#define SHARECORD_UNTIL_UNLINK 1u

/* An owner word is epoch << 8 | slot, 0 = nobody. Lock bytes 0 to 255 are the slots, byte 256 is the gate. */
#define SHARECORD_SLOTS 256u
#define SHARECORD_SLOT_BITS 8
#define SHARECORD_LAST_EPOCH ((1u << (32 - SHARECORD_SLOT_BITS)) - 1)
#define SHARECORD_GATE 256u

#define SHARECORD_READ_BOUND_MS 100
#define SHARECORD_LOCK_BOUND_MS 1000
#define SHARECORD_GATE_BOUND_MS 5000
#define SHARECORD_TIMED_SLEEP_MS 1000 /* a writer that died between publishing and ringing is found then */
#define SHARECORD_POLL_MS 20          /* where the doorbell cannot be heard */
#define SHARECORD_TRIES_PER_TURN 1000
#define SHARECORD_NAME_BYTES 200

/* Flags of the two ways to open. */
#define SHARECORD_READ 0
#define SHARECORD_WRITE 1
#define SHARECORD_ANY_OWNER 2

#ifdef _WIN32
#include "sharecord-windows.h"
#else
#include "sharecord-linux.h"
#endif

/* One open of a store by one thread. Read the first three members; the others are the library's. */
struct sharecord {
  uint64_t capacity;
  uint32_t record_size;
  bool writable;
  unsigned char *base;
  uint64_t size;
  uint32_t header_length, cell_length, stride, lifetime;
  uint32_t owner;         /* 0 for readers */
  unsigned char *control; /* page with the armed word, for waiting readers */
  struct sharecord_system system;
};

/* ---- waiting ---- */

struct sharecord_patience {
  int tries, turns;
  int64_t deadline_ms;
  long sleep_ns;
};

static inline struct sharecord_patience sharecord_patience_of(int bound_ms) {
  return (struct sharecord_patience){0, 0, sharecord_now_ms() + bound_ms, 50000};
}

/* Waits one turn: 40 spins, then sleeps of 0.05 to 2 ms. False when the bound is over. */
static inline bool sharecord_pause(struct sharecord_patience *patience) {
  if (patience->turns++ < 40) return true;
  if (sharecord_now_ms() >= patience->deadline_ms) return false;
  sharecord_sleep_ns(patience->sleep_ns);
  if (patience->sleep_ns < 2000000) patience->sleep_ns *= 2;
  return true;
}

/* Lets a reader try again, at full speed at first. False when SHARECORD_READ_BOUND_MS is over. */
static inline bool sharecord_retry(struct sharecord_patience *patience) {
  if (++patience->tries % SHARECORD_TRIES_PER_TURN != 0) return true;
  if (patience->deadline_ms == 0) *patience = sharecord_patience_of(SHARECORD_READ_BOUND_MS);
  return sharecord_pause(patience);
}

/* ---- the gate ---- */

/* Joins and closes pass the gate one at a time, so that nobody joins what another removes. */
static inline bool sharecord_enter_gate(struct sharecord_system *system) {
  struct sharecord_patience patience = sharecord_patience_of(SHARECORD_GATE_BOUND_MS);
  while (!sharecord_lock_byte(system, SHARECORD_GATE))
    if (!sharecord_pause(&patience)) return false;
  return true;
}

static inline void sharecord_leave_gate(struct sharecord_system *system) { sharecord_unlock_byte(system, SHARECORD_GATE); }

/* ---- words in shared memory ---- */

typedef _Atomic(uint32_t) sharecord_word;
typedef _Atomic(uint64_t) sharecord_chunk;

static inline sharecord_word *sharecord_word_at(const struct sharecord *store, uint64_t offset) {
  return (sharecord_word *)(store->base + offset);
}

/* MAPPED: callers checked `index` against the capacity, and opening checked that all slots lie inside the mapping. */
static inline uint64_t sharecord_slot(const struct sharecord *store, uint64_t index) {
  return store->header_length + index * store->stride;
}

static inline unsigned char *sharecord_cell(const struct sharecord *store, uint64_t index, uint32_t sequence) {
  return store->base + sharecord_slot(store, index) + SHARECORD_CELLS_OFFSET + (sequence & 1) * (uint64_t)store->cell_length;
}

/* Cells are multiples of 8 bytes at multiples of 8. Relaxed atomics: the copy may be torn, which the caller finds out, but
 * it is not a data race in C11. */
static inline void sharecord_copy_out(unsigned char *record, const unsigned char *cell, uint32_t size) {
  for (uint32_t at = 0; at < size; at += 8) {
    uint64_t chunk = atomic_load_explicit((sharecord_chunk *)(cell + at), memory_order_relaxed);
    memcpy(record + at, &chunk, size - at < 8 ? size - at : 8);
  }
}

static inline void sharecord_copy_in(unsigned char *cell, const unsigned char *record, uint32_t from, uint32_t to) {
  for (uint32_t at = from; at < to; at += 8) {
    uint64_t chunk = 0;
    memcpy(&chunk, record + at, to - at < 8 ? to - at : 8);
    atomic_store_explicit((sharecord_chunk *)(cell + at), chunk, memory_order_relaxed);
  }
}

/* ---- opening and closing ---- */

static inline uint32_t sharecord_u32(const unsigned char *bytes, unsigned offset) {
  uint32_t value;
  memcpy(&value, bytes + offset, sizeof value);
  return value;
}

static inline uint64_t sharecord_u64(const unsigned char *bytes, unsigned offset) {
  uint64_t value;
  memcpy(&value, bytes + offset, sizeof value);
  return value;
}

static inline int sharecord_hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Compares with 32 lower-case hexadecimal digits; NULL accepts any layout. */
static inline int sharecord_check_digest(const unsigned char *digest, const char *expected) {
  if (expected == NULL) return SHARECORD_OK;
  if (strlen(expected) != 2 * SHARECORD_DIGEST_LENGTH) return SHARECORD_ARGUMENT;
  for (int i = 0; i < SHARECORD_DIGEST_LENGTH; i++) {
    int high = sharecord_hex_digit(expected[2 * i]), low = sharecord_hex_digit(expected[2 * i + 1]);
    if (high < 0 || low < 0) return SHARECORD_ARGUMENT;
    if (digest[i] != high * 16 + low) return SHARECORD_MISMATCH;
  }
  return SHARECORD_OK;
}

/* Checks the header against the real size of the segment and takes what it says. Works on a private copy, so that a peer
 * that changes bytes meanwhile cannot pass a check with one value and be used with another. */
static inline int sharecord_read_header(struct sharecord *store, const char *digest) {
  unsigned char header[SHARECORD_FIXED_LENGTH]; /* MAPPED: the caller checked that the segment has that much */
  memcpy(header, store->base, sizeof header);
  if (SHARECORD_NAME_COMES_FIRST && sharecord_has_name(&store->system)) {
    static const unsigned char nothing[SHARECORD_ARMED_OFFSET];
    if (memcmp(header, nothing, sizeof nothing) == 0) return SHARECORD_NOT_READY;
  }
  if (memcmp(header, SHARECORD_MAGIC, 8) != 0) return SHARECORD_FOREIGN;
  if (sharecord_u32(header, SHARECORD_VERSION_OFFSET) != SHARECORD_FORMAT_VERSION) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_BYTE_ORDER_OFFSET) != SHARECORD_BYTE_ORDER_MARK) return SHARECORD_FORMAT;
  uint32_t state = sharecord_u32(header, SHARECORD_STATE_OFFSET);
  if (state == SHARECORD_STATE_GONE) return SHARECORD_NOT_FOUND;
  if (state != SHARECORD_STATE_READY) return SHARECORD_NOT_READY;
  if (sharecord_u32(header, SHARECORD_KIND_OFFSET) != SHARECORD_KIND_STORE) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_GUARD_OFFSET) != SHARECORD_GUARD_LATCH) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_SLOTS_OFFSET) != SHARECORD_SLOTS) return SHARECORD_FORMAT;
  uint32_t lifetime = sharecord_u32(header, SHARECORD_LIFETIME_OFFSET);
  if (lifetime > SHARECORD_UNTIL_UNLINK) return SHARECORD_FORMAT;

  uint32_t length = sharecord_u32(header, SHARECORD_HEADER_LENGTH_OFFSET);
  if (length % 64 != 0 || length < SHARECORD_FIXED_LENGTH || length > store->size) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_TEXT_OFFSET_OFFSET) != SHARECORD_FIXED_LENGTH) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_TEXT_LENGTH_OFFSET) > length - SHARECORD_FIXED_LENGTH) return SHARECORD_FORMAT;

  uint64_t record = sharecord_u32(header, SHARECORD_RECORD_SIZE_OFFSET);
  uint64_t cell = (record + 7) / 8 * 8;
  uint64_t stride = (SHARECORD_CELLS_OFFSET + 2 * cell + 63) / 64 * 64;
  uint64_t capacity = sharecord_u64(header, SHARECORD_CAPACITY_OFFSET);
  if (record == 0 || stride > UINT32_MAX || capacity == 0 || capacity > UINT32_MAX) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_CELL_LENGTH_OFFSET) != cell) return SHARECORD_FORMAT;
  if (sharecord_u32(header, SHARECORD_STRIDE_OFFSET) != stride) return SHARECORD_FORMAT;
  uint64_t size = length + capacity * stride; /* at most 2^32 + (2^32 - 1)^2, less than 2^64 */
  if (sharecord_u64(header, SHARECORD_SIZE_OFFSET) != size || size > store->size) return SHARECORD_FORMAT;

  store->capacity = capacity;
  store->record_size = (uint32_t)record;
  store->cell_length = (uint32_t)cell;
  store->stride = (uint32_t)stride;
  store->header_length = length;
  store->lifetime = lifetime;
  return sharecord_check_digest(header + SHARECORD_DIGEST_OFFSET, digest);
}

/* Claims a participant slot: the kernel's lock first, then the next epoch, so that nobody takes it for a dead one's. */
static inline int sharecord_claim(struct sharecord *store) {
  for (int round = 0; round < 3; round++) {
    for (unsigned slot = 0; slot < SHARECORD_SLOTS; slot++) {
      if (!sharecord_lock_byte(&store->system, slot)) continue;
      sharecord_word *epoch = sharecord_word_at(store, SHARECORD_EPOCHS_OFFSET + 4 * slot);
      uint32_t last = atomic_load(epoch);
      if (last >= SHARECORD_LAST_EPOCH) { /* worn out */
        sharecord_unlock_byte(&store->system, slot);
        continue;
      }
      atomic_store(epoch, last + 1);
      store->owner = (last + 1) << SHARECORD_SLOT_BITS | slot;
      return SHARECORD_OK;
    }
  }
  return SHARECORD_LIMIT;
}

/* Gives the page in `store` of the words that a listener writes; NULL for a reader that may not write them. */
static inline unsigned char *sharecord_control(const struct sharecord *store) {
  return store->writable ? store->base : store->control;
}

/* Gives up the mapping and what the system has of this open, and with it every lock. */
static inline void sharecord_abandon(struct sharecord *store) {
  unsigned char *control = sharecord_control(store);
  if (control != NULL) sharecord_stop_hearing(&store->system, (sharecord_word *)(control + SHARECORD_BELL_OFFSET));
  if (store->control != NULL) sharecord_unmap(store->control, SHARECORD_CONTROL_LENGTH);
  if (store->base != NULL) sharecord_unmap(store->base, store->size);
  sharecord_let_go(&store->system);
  store->base = store->control = NULL;
  store->owner = 0;
  store->capacity = 0; /* every later call is SHARECORD_INDEX */
}

/* Goes on with what the system has opened. */
static inline int sharecord_attach(struct sharecord *store, int status, int flags, const char *digest) {
  store->writable = (flags & SHARECORD_WRITE) != 0;
  if (status == SHARECORD_OK) status = sharecord_map(&store->system, flags, &store->base, &store->size);
  bool gated = status == SHARECORD_OK && store->writable && sharecord_has_name(&store->system);
  if (gated && !sharecord_enter_gate(&store->system)) {
    gated = false;
    status = SHARECORD_NOT_READY;
  }
  if (status == SHARECORD_OK) status = sharecord_read_header(store, digest);
  if (status == SHARECORD_OK && store->writable) status = sharecord_claim(store);
  if (gated) sharecord_leave_gate(&store->system);
  if (status != SHARECORD_OK) sharecord_abandon(store);
  return status;
}

/* Opens the store of that name (1 to 200 bytes; on Linux one leading slash, on Windows `Local\` or `Global\` allowed).
 * `flags`: SHARECORD_READ or SHARECORD_WRITE, with SHARECORD_ANY_OWNER to accept another user's. `digest`: the layout's as 32
 * hexadecimal digits, NULL for any. */
static inline int sharecord_open(struct sharecord *store, const char *name, int flags, const char *digest) {
  *store = (struct sharecord){.system = sharecord_no_system()};
  return sharecord_attach(store, sharecord_open_name(&store->system, name, flags), flags, digest);
}

#ifdef _WIN32
/* Opens the store behind a section's handle that was inherited or received, for reading; it stays the caller's to close. */
static inline int sharecord_open_handle(struct sharecord *store, HANDLE handle, int flags, const char *digest) {
  *store = (struct sharecord){.system = sharecord_no_system()};
  return sharecord_attach(store, sharecord_open_number(&store->system, handle, flags), flags, digest);
}
#else
/* Opens the store behind a descriptor that was inherited or received; it stays the caller's to close. */
static inline int sharecord_open_descriptor(struct sharecord *store, int descriptor, int flags, const char *digest) {
  *store = (struct sharecord){.system = sharecord_no_system()};
  return sharecord_attach(store, sharecord_open_number(&store->system, descriptor, flags), flags, digest);
}
#endif

/* Leaves the store; on Linux the last writer of a `last-close` store marks it gone and removes its name. May be called again. */
static inline void sharecord_close(struct sharecord *store) {
  if (!sharecord_is_open(&store->system)) return;
#ifndef _WIN32
  /* PLATFORM: a name of Windows ends with the last handle (CreateFileMappingW), and nobody removes it. */
  if (store->owner != 0 && sharecord_has_name(&store->system) && sharecord_enter_gate(&store->system)) {
    sharecord_unlock_byte(&store->system, store->owner & (SHARECORD_SLOTS - 1));
    if (store->lifetime == SHARECORD_LAST_CLOSE)
      sharecord_remove_if_unused(&store->system, sharecord_word_at(store, SHARECORD_STATE_OFFSET));
    sharecord_leave_gate(&store->system);
  }
#endif
  sharecord_abandon(store);
}

/* ---- reading ---- */

/* Copies record `index` into `record` (`record_size` bytes), never a mix of two writes, and gives its sequence. */
static inline int sharecord_snapshot(const struct sharecord *store, uint64_t index, void *record, uint32_t *sequence) {
  if (index >= store->capacity) return SHARECORD_INDEX;
  sharecord_word *word = sharecord_word_at(store, sharecord_slot(store, index));
  struct sharecord_patience patience = {0};
  do {
    *sequence = atomic_load_explicit(word, memory_order_acquire);
    sharecord_copy_out(record, sharecord_cell(store, index, *sequence), store->record_size);
    /* ORDER: the fence keeps the copy before the second load (C11 7.17.4; on ARM64 a load-acquire would not). */
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(word, memory_order_relaxed) == *sequence) return SHARECORD_OK;
  } while (sharecord_retry(&patience));
  return SHARECORD_CONTENDED;
}

/* Reads record `index`; one never written is all zero bytes. Fails with SHARECORD_INDEX or SHARECORD_CONTENDED. */
static inline int sharecord_read(const struct sharecord *store, uint64_t index, void *record) {
  uint32_t sequence;
  return sharecord_snapshot(store, index, record, &sequence);
}

/* Gives how often record `index` was written: 0 = never; it never goes back. */
static inline int sharecord_generation(const struct sharecord *store, uint64_t index, uint64_t *generation) {
  if (index >= store->capacity) return SHARECORD_INDEX;
  uint64_t slot = sharecord_slot(store, index);
  struct sharecord_patience patience = {0};
  do {
    uint32_t sequence = atomic_load_explicit(sharecord_word_at(store, slot), memory_order_acquire);
    sharecord_word *wraps = sharecord_word_at(store, slot + SHARECORD_WRAPS_OFFSET + 4 * (sequence & 1));
    *generation = (uint64_t)atomic_load_explicit(wraps, memory_order_relaxed) << 32 | sequence;
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(sharecord_word_at(store, slot), memory_order_relaxed) == sequence) return SHARECORD_OK;
  } while (sharecord_retry(&patience));
  return SHARECORD_CONTENDED;
}

/* ---- writing: sharecord_write and sharecord_update are the calls to use, the others are their steps ---- */

/* True if the participant that `owner` names is gone: its slot has another epoch, or nobody holds the slot's lock. Death
 * is for ever. ORDER: the caller loaded the owner word before this load of the epoch. */
static inline bool sharecord_is_dead(const struct sharecord *store, uint32_t owner) {
  unsigned slot = owner & (SHARECORD_SLOTS - 1);
  if (atomic_load(sharecord_word_at(store, SHARECORD_EPOCHS_OFFSET + 4 * slot)) != owner >> SHARECORD_SLOT_BITS) return true;
  return !sharecord_bytes_held(&store->system, slot, 1);
}

/* Takes the record's lock word, from a dead owner if need be, never from a live one. */
static inline int sharecord_acquire(const struct sharecord *store, uint64_t index) {
  if (!store->writable) return SHARECORD_ARGUMENT;
  if (index >= store->capacity) return SHARECORD_INDEX;
  sharecord_word *lock = sharecord_word_at(store, sharecord_slot(store, index) + SHARECORD_LOCK_OFFSET);
  uint32_t found = 0;
  if (atomic_compare_exchange_strong(lock, &found, store->owner)) return SHARECORD_OK;
  struct sharecord_patience patience = sharecord_patience_of(SHARECORD_LOCK_BOUND_MS);
  for (;;) {
    found = atomic_load(lock);
    if (found == store->owner) return SHARECORD_LOCK_TIMEOUT; /* this writer is inside a write of the record */
    /* The whole word is compared, so a steal cannot hit a later owner. */
    if (found == 0 || (patience.turns >= 40 && sharecord_is_dead(store, found)))
      if (atomic_compare_exchange_strong(lock, &found, store->owner)) return SHARECORD_OK;
    if (!sharecord_pause(&patience)) return SHARECORD_LOCK_TIMEOUT;
  }
}

/* Gives the cell to fill next and sets its wraps; the record's lock is held. */
static inline unsigned char *sharecord_spare(const struct sharecord *store, uint64_t index) {
  uint64_t slot = sharecord_slot(store, index);
  uint32_t sequence = atomic_load_explicit(sharecord_word_at(store, slot), memory_order_relaxed);
  unsigned current = sequence & 1, spare = current ^ 1;
  sharecord_word *wraps = sharecord_word_at(store, slot + SHARECORD_WRAPS_OFFSET);
  uint32_t wrapped = atomic_load_explicit(wraps + current, memory_order_relaxed) + (sequence == UINT32_MAX);
  /* ORDER: a reader that sees a word of this write sees the publish that made the cell spare, and tries again. */
  atomic_thread_fence(memory_order_release);
  atomic_store_explicit(wraps + spare, wrapped, memory_order_relaxed);
  return sharecord_cell(store, index, spare);
}

/* Makes the filled spare cell the current one. */
static inline void sharecord_publish(const struct sharecord *store, uint64_t index) {
  /* ORDER: releases the words of the cell; seq_cst towards sharecord_announce and watchers, see there. */
  atomic_fetch_add(sharecord_word_at(store, sharecord_slot(store, index)), 1);
}

static inline void sharecord_unlock(const struct sharecord *store, uint64_t index) {
  sharecord_word *lock = sharecord_word_at(store, sharecord_slot(store, index) + SHARECORD_LOCK_OFFSET);
  atomic_store_explicit(lock, 0, memory_order_release);
}

/* Wakes watchers if one has armed the bell. ORDER: publish, then load armed; a watcher stores armed, then loads the
 * sequence; all seq_cst, so that one of the two sees the other (C11 7.17.3). */
static inline void sharecord_announce(const struct sharecord *store) {
  sharecord_word *armed = sharecord_word_at(store, SHARECORD_ARMED_OFFSET);
  if (atomic_load(armed) == 0 || atomic_exchange(armed, 0) != 1) return;
  sharecord_ring(&store->system, sharecord_word_at(store, SHARECORD_BELL_OFFSET));
}

/* Writes record `index` whole. Fails with SHARECORD_INDEX, SHARECORD_LOCK_TIMEOUT or SHARECORD_ARGUMENT. */
static inline int sharecord_write(const struct sharecord *store, uint64_t index, const void *record) {
  int status = sharecord_acquire(store, index);
  if (status != SHARECORD_OK) return status;
  sharecord_copy_in(sharecord_spare(store, index), record, 0, store->record_size);
  sharecord_publish(store, index);
  sharecord_unlock(store, index);
  sharecord_announce(store);
  return SHARECORD_OK;
}

/* Reads record `index` into `record`, lets `change` alter it there and commits it, again and again until no other writer
 * came between: `change` may run several times and holds no lock. A negative result of `change` ends the call with it,
 * nothing written. Fails as sharecord_write and sharecord_read do. */
static inline int sharecord_update(const struct sharecord *store, uint64_t index, void *record,
                                   int (*change)(void *record, void *context), void *context) {
  for (;;) {
    uint32_t sequence;
    int status = sharecord_snapshot(store, index, record, &sequence);
    if (status == SHARECORD_OK) status = change(record, context);
    if (status >= 0) status = sharecord_acquire(store, index);
    if (status < 0) return status;
    if (atomic_load(sharecord_word_at(store, sharecord_slot(store, index))) == sequence) break;
    sharecord_unlock(store, index);
  }
  sharecord_copy_in(sharecord_spare(store, index), record, 0, store->record_size);
  sharecord_publish(store, index);
  sharecord_unlock(store, index);
  sharecord_announce(store);
  return SHARECORD_OK;
}

/* ---- following ---- */

/* Begins or goes on to listen and gives the armed word; NULL where the bell cannot be heard: then the waits below poll. */
static inline sharecord_word *sharecord_listen(struct sharecord *store) {
  if (!store->writable && store->control == NULL) store->control = sharecord_map_control(&store->system);
  unsigned char *control = sharecord_control(store);
  if (control == NULL || !sharecord_hear(&store->system, (sharecord_word *)(control + SHARECORD_BELL_OFFSET))) return NULL;
  return (sharecord_word *)(control + SHARECORD_ARMED_OFFSET);
}

/* Waits until the generation of record `index` differs from `*generation`, and gives the new one: 1. 0 after `timeout_ms`
 * (negative: no limit). States in between may be skipped, the last never. */
static inline int sharecord_wait(struct sharecord *store, uint64_t index, uint64_t *generation, int timeout_ms) {
  int64_t deadline = timeout_ms < 0 ? INT64_MAX : sharecord_now_ms() + timeout_ms;
  for (;;) {
    sharecord_forget_rings(&store->system); /* before arming, or a ring is lost */
    sharecord_word *armed = sharecord_listen(store);
    if (armed != NULL) atomic_store(armed, 1);
    atomic_thread_fence(memory_order_seq_cst); /* ORDER: arm, then look; see sharecord_announce */
    uint64_t now;
    int status = sharecord_generation(store, index, &now);
    if (status == SHARECORD_INDEX) return status;
    if (status == SHARECORD_OK && now != *generation) {
      *generation = now;
      return 1;
    }
    int64_t left = deadline - sharecord_now_ms();
    if (left <= 0) return 0;
    int64_t longest = armed != NULL ? SHARECORD_TIMED_SLEEP_MS : SHARECORD_POLL_MS;
    sharecord_await_ring(&store->system, (int)(left < longest ? left : longest));
  }
}

#endif
