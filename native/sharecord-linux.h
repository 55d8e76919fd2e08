/* What sharecord.h needs of Linux: the memory of a name or descriptor, its kernel locks, its doorbell. Include sharecord.h.
 * Lock bytes are open file description locks on the segment's own file; the doorbell is inotify, which hears write(2). */
#ifndef SHARECORD_LINUX_H
#define SHARECORD_LINUX_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef F_OFD_SETLK
#error "define _GNU_SOURCE before the first system header: sharecord.h needs open file description locks (fcntl(2))"
#endif

/* A segment without content is somebody else's: ours has its name only once it is finished. */
#define SHARECORD_NAME_COMES_FIRST false

struct sharecord_system {
  int fd;
  int bell; /* inotify, -1 until the first wait */
  char path[sizeof "/dev/shm/" + SHARECORD_NAME_BYTES]; /* empty for one opened by descriptor */
};

static inline int64_t sharecord_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void sharecord_sleep_ns(long nanoseconds) { nanosleep(&(struct timespec){0, nanoseconds}, NULL); }

static inline int sharecord_system_error(void) {
  switch (errno) {
    case ENOENT: return SHARECORD_NOT_FOUND;
    case EACCES: case EPERM: case ELOOP: return SHARECORD_DENIED;
    case ENOMEM: case EMFILE: case ENFILE: return SHARECORD_LIMIT;
    case ENAMETOOLONG: return SHARECORD_NAME;
    default: return SHARECORD_SYSTEM;
  }
}

/* ---- locks of the kernel: freed with the process that took them, whatever ends it ---- */

static inline bool sharecord_set_lock(const struct sharecord_system *system, unsigned at, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  return fcntl(system->fd, F_OFD_SETLK, &lock) == 0;
}

static inline bool sharecord_lock_byte(struct sharecord_system *system, unsigned at) {
  return sharecord_set_lock(system, at, F_WRLCK);
}

static inline void sharecord_unlock_byte(struct sharecord_system *system, unsigned at) {
  sharecord_set_lock(system, at, F_UNLCK);
}

/* True if another open holds any of `length` lock bytes from `at`. An answer that fails counts as held: never steal then. */
static inline bool sharecord_bytes_held(const struct sharecord_system *system, unsigned at, unsigned length) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = length};
  return fcntl(system->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* ---- memory ---- */

static inline struct sharecord_system sharecord_no_system(void) { return (struct sharecord_system){.fd = -1, .bell = -1}; }

static inline bool sharecord_is_open(const struct sharecord_system *system) { return system->fd >= 0; }

/* True if others find it by name, so that joins and closes pass a gate. */
static inline bool sharecord_has_name(const struct sharecord_system *system) { return system->path[0] != 0; }

static inline int sharecord_open_name(struct sharecord_system *system, const char *name, int flags) {
  if (name[0] == '/') name++;
  size_t bytes = strlen(name);
  if (bytes == 0 || bytes > SHARECORD_NAME_BYTES || strpbrk(name, "/\\") || !strcmp(name, ".") || !strcmp(name, ".."))
    return SHARECORD_NAME;
  /* PLATFORM: where shm_open(3) keeps its objects; O_NOFOLLOW and O_NONBLOCK refuse a squatter's link or FIFO. */
  snprintf(system->path, sizeof system->path, "/dev/shm/%s", name);
  int mode = flags & SHARECORD_WRITE ? O_RDWR : O_RDONLY;
  system->fd = open(system->path, mode | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  return system->fd < 0 ? sharecord_system_error() : SHARECORD_OK;
}

static inline int sharecord_open_number(struct sharecord_system *system, int descriptor, int flags) {
  char own[32];
  snprintf(own, sizeof own, "/proc/self/fd/%d", descriptor);
  /* Opened anew: locks belong to an open file description, and a duplicate would share the giver's. */
  system->fd = open(own, (flags & SHARECORD_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
  return system->fd < 0 ? sharecord_system_error() : SHARECORD_OK;
}

/* Maps all of it and tells its size. */
static inline int sharecord_map(struct sharecord_system *system, int flags, unsigned char **base, uint64_t *size) {
  struct stat stats;
  if (fstat(system->fd, &stats) != 0) return sharecord_system_error();
  if (!S_ISREG(stats.st_mode) || stats.st_size < SHARECORD_FIXED_LENGTH) return SHARECORD_FOREIGN;
  if (stats.st_uid != geteuid() && !(flags & SHARECORD_ANY_OWNER)) return SHARECORD_DENIED;
  int protection = flags & SHARECORD_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
  void *mapped = mmap(NULL, (size_t)stats.st_size, protection, MAP_SHARED, system->fd, 0);
  if (mapped == MAP_FAILED) return sharecord_system_error();
  *base = mapped;
  *size = (uint64_t)stats.st_size;
  return SHARECORD_OK;
}

/* Maps the page with the words that a waiting reader writes; NULL if not permitted. */
static inline unsigned char *sharecord_map_control(const struct sharecord_system *system) {
  char own[32];
  snprintf(own, sizeof own, "/proc/self/fd/%d", system->fd);
  int fd = open(own, O_RDWR | O_CLOEXEC);
  if (fd < 0) return NULL;
  /* MAPPED: a managed segment has at least SHARECORD_FIXED_LENGTH bytes, and only that part of the page is used. */
  void *control = mmap(NULL, SHARECORD_CONTROL_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return control == MAP_FAILED ? NULL : control;
}

static inline void sharecord_unmap(unsigned char *base, uint64_t size) { munmap(base, size); }

/* Gives up the descriptor, and with it every lock. */
static inline void sharecord_let_go(struct sharecord_system *system) {
  if (system->bell >= 0) close(system->bell);
  if (system->fd >= 0) close(system->fd);
  system->bell = system->fd = -1;
}

/* Inside the gate: the last writer of a store that ends with its last close marks it gone and removes its name, if that still
 * means this segment. */
static inline void sharecord_remove_if_unused(const struct sharecord_system *system, _Atomic(uint32_t) *state) {
  if (sharecord_bytes_held(system, 0, SHARECORD_SLOTS)) return;
  *state = SHARECORD_STATE_GONE;
  struct stat named, mine;
  if (lstat(system->path, &named) != 0 || fstat(system->fd, &mine) != 0) return;
  if (named.st_dev == mine.st_dev && named.st_ino == mine.st_ino) unlink(system->path);
}

/* ---- the doorbell; `listeners` is the word of the header that other systems need for it ---- */

static inline void sharecord_ring(const struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  (void)listeners;
  /* inotify reports write(2), and nothing that happens in a mapping. A ring that fails is made up for by the timers. */
  ssize_t rung = pwrite(system->fd, "", 1, SHARECORD_DOORBELL_OFFSET);
  (void)rung;
}

/* Begins or goes on to listen; false where the bell cannot be heard. */
static inline bool sharecord_hear(struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  (void)listeners;
  char own[32];
  snprintf(own, sizeof own, "/proc/self/fd/%d", system->fd);
  if (system->bell < 0) system->bell = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  /* PLATFORM: the kernel drops the watch with the file's last name (inotify(7)); adding one that is there changes nothing. */
  return system->bell >= 0 && inotify_add_watch(system->bell, own, IN_MODIFY) >= 0;
}

/* Forgets the rings so far. */
static inline void sharecord_forget_rings(struct sharecord_system *system) {
  char events[4096];
  while (system->bell >= 0 && read(system->bell, events, sizeof events) > 0) continue;
}

/* Sleeps until a ring, for `timeout_ms` at most. */
static inline void sharecord_await_ring(struct sharecord_system *system, int timeout_ms) {
  struct pollfd bell = {.fd = system->bell, .events = POLLIN}; /* poll(2) ignores a negative descriptor */
  poll(&bell, 1, timeout_ms);
}

static inline void sharecord_stop_hearing(struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  (void)system; /* the bell goes with the descriptor */
  (void)listeners;
}

#endif
