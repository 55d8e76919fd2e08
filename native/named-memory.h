/* Lets a C program share named memory and named mutexes with this library on Linux as an equal: it joins or creates the
 * memory, counts as one of its users, so that the last user of all removes the name, and rings and hears the memory's file.
 * Header-only C11; needs libc alone. Rules: docs/segment-format.md, "Raw segments" and "Named mutexes".
 *
 *   struct named_memory board;
 *   if (named_memory_join(&board, "board", 8192) < 0) return perror("board"), 1;
 *   memcpy(board.bytes, text, length);
 *   named_memory_leave(&board);
 *
 * Functions that can fail return -1 and set errno. One thread at a time may use one `struct named_memory`. */
#ifndef NAMED_MEMORY_H
#define NAMED_MEMORY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAMED_MEMORY_USERS 256 /* lock bytes 0 to 255: one per user */
#define NAMED_MEMORY_GATE 256  /* lock byte held while joining or leaving */

struct named_memory {
  char path[PATH_MAX];
  unsigned char *bytes;
  size_t size;
  bool created;
  int fd;   /* holds this user's lock byte; never mapped itself, since a mapping would keep the lock */
  int user; /* the lock byte */
  bool keeps_name; /* nobody used it when it was joined, so somebody else made it, or a crash left it; then it holds no byte */
};

static inline bool named_memory_lock_byte(int fd, short kind, off_t at) {
  struct flock lock = {.l_type = kind, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static inline void named_memory_enter_gate(int fd) {
  while (!named_memory_lock_byte(fd, F_WRLCK, NAMED_MEMORY_GATE)) usleep(1000);
}

static inline int named_memory_become_user(struct named_memory *memory) {
  for (memory->user = 0; memory->user < NAMED_MEMORY_USERS; memory->user++)
    if (named_memory_lock_byte(memory->fd, F_WRLCK, memory->user)) return 0;
  errno = EUSERS;
  return -1;
}

/* True if the path still means the open file. */
static inline bool named_memory_is_named(const struct named_memory *memory) {
  struct stat named, open;
  return stat(memory->path, &named) == 0 && fstat(memory->fd, &open) == 0 && named.st_ino == open.st_ino &&
         named.st_dev == open.st_dev;
}

/* True if another open holds a user's byte. */
static inline bool named_memory_is_used(const struct named_memory *memory) {
  struct flock users = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = NAMED_MEMORY_USERS};
  return fcntl(memory->fd, F_OFD_GETLK, &users) == 0 && users.l_type != F_UNLCK;
}

/* 1 = joined what exists, 0 = there is nothing (any more), -1 = error. */
static inline int named_memory_try_open(struct named_memory *memory, size_t size) {
  memory->fd = open(memory->path, O_RDWR | O_CLOEXEC);
  if (memory->fd < 0) return errno == ENOENT ? 0 : -1;
  struct stat stats;
  int result = fstat(memory->fd, &stats);
  if (result == 0 && (size_t)stats.st_size < size) errno = EOVERFLOW, result = -1;
  if (result == 0) {
    named_memory_enter_gate(memory->fd);
    memory->keeps_name = !named_memory_is_used(memory);
    if (named_memory_is_named(memory)) result = memory->keeps_name || named_memory_become_user(memory) == 0 ? 1 : -1;
    named_memory_lock_byte(memory->fd, F_UNLCK, NAMED_MEMORY_GATE);
  }
  if (result != 1) close(memory->fd);
  memory->size = (size_t)stats.st_size;
  return result;
}

/* The same for memory that does not exist: it gets its name when it is complete, so that nobody ever joins half of it. */
static inline int named_memory_try_create(struct named_memory *memory, size_t size, void (*prepare)(void *bytes)) {
  char own[64];
  memory->keeps_name = false;
  memory->fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (memory->fd < 0) return -1;
  memory->size = size;
  snprintf(own, sizeof own, "/proc/self/fd/%d", memory->fd);
  int result = posix_fallocate(memory->fd, 0, (off_t)size) == 0 && named_memory_become_user(memory) == 0 ? 1 : -1;
  if (result == 1 && prepare) {
    int other = open(own, O_RDWR | O_CLOEXEC);
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    close(other);
    if (bytes == MAP_FAILED) result = -1;
    else prepare(bytes), munmap(bytes, size);
  }
  if (result == 1 && linkat(AT_FDCWD, own, AT_FDCWD, memory->path, AT_SYMLINK_FOLLOW) < 0) result = errno == EEXIST ? 0 : -1;
  if (result != 1) close(memory->fd);
  return result;
}

static inline int named_memory_map(struct named_memory *memory) {
  char own[64];
  snprintf(own, sizeof own, "/proc/self/fd/%d", memory->fd);
  int other = open(own, O_RDWR | O_CLOEXEC);
  void *bytes = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
  close(other);
  if (bytes == MAP_FAILED) return close(memory->fd), -1;
  memory->bytes = bytes;
  return 0;
}

/* Opens the memory of that name, of at least `size` bytes, or creates it zeroed (`created` tells). */
static inline int named_memory_join(struct named_memory *memory, const char *name, size_t size) {
  snprintf(memory->path, sizeof memory->path, "/dev/shm/%s", name);
  for (;;) {
    int result = named_memory_try_open(memory, size);
    memory->created = result == 0;
    if (result == 0) result = named_memory_try_create(memory, size, NULL);
    if (result < 0) return -1;
    if (result == 1) return named_memory_map(memory);
  }
}

/* Opens the memory of that name; without one it fails with ENOENT. */
static inline int named_memory_open(struct named_memory *memory, const char *name, size_t size) {
  snprintf(memory->path, sizeof memory->path, "/dev/shm/%s", name);
  memory->created = false;
  int result = named_memory_try_open(memory, size);
  if (result == 0) errno = ENOENT;
  return result == 1 ? named_memory_map(memory) : -1;
}

/* Unmaps it; the last user of all removes the name, unless that was there before them. */
static inline void named_memory_leave(struct named_memory *memory) {
  named_memory_enter_gate(memory->fd);
  if (!memory->keeps_name) {
    named_memory_lock_byte(memory->fd, F_UNLCK, memory->user);
    if (!named_memory_is_used(memory) && named_memory_is_named(memory)) unlink(memory->path);
  }
  munmap(memory->bytes, memory->size);
  close(memory->fd);
}

/* Tells everybody who listens at the memory's file, this process too, that something changed. */
static inline int named_memory_ring(const struct named_memory *memory) { return futimens(memory->fd, NULL); }

/* Gives an inotify descriptor that becomes readable when somebody rings. */
static inline int named_memory_listen(const struct named_memory *memory) {
  int bell = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (bell >= 0 && inotify_add_watch(bell, memory->path, IN_ATTRIB) < 0) return close(bell), -1;
  return bell;
}

/* Takes what rang off a descriptor of `named_memory_listen`; false if nothing did. */
static inline bool named_memory_heard(int bell) {
  char events[4096];
  bool heard = false;
  while (read(bell, events, sizeof events) > 0) heard = true;
  return heard;
}

/* ---- named mutexes ---- */

/* Behind the mutex: its last user removes the name. */
#define NAMED_MUTEX_TAG "SHAREMTX"
#define NAMED_MUTEX_TAG_LENGTH 8
#define NAMED_MUTEX_SIZE (sizeof(pthread_mutex_t) + NAMED_MUTEX_TAG_LENGTH)

static inline void named_mutex_prepare(void *bytes) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(bytes, &attributes);
  pthread_mutexattr_destroy(&attributes);
  memcpy((char *)bytes + sizeof(pthread_mutex_t), NAMED_MUTEX_TAG, NAMED_MUTEX_TAG_LENGTH);
}

/* Opens the mutex of that name, or creates it; leave it with `named_memory_leave`. */
static inline int named_mutex_join(struct named_memory *memory, const char *name) {
  snprintf(memory->path, sizeof memory->path, "/dev/shm/%s", name);
  for (;;) {
    int result = named_memory_try_open(memory, sizeof(pthread_mutex_t));
    memory->created = result == 0;
    if (result == 0) result = named_memory_try_create(memory, NAMED_MUTEX_SIZE, named_mutex_prepare);
    if (result < 0 || (result == 1 && named_memory_map(memory) < 0)) return -1;
    if (result == 0) continue;
    if (!memory->keeps_name || memory->size < NAMED_MUTEX_SIZE ||
        memcmp(memory->bytes + sizeof(pthread_mutex_t), NAMED_MUTEX_TAG, NAMED_MUTEX_TAG_LENGTH) != 0)
      return 0;
    /* The tag says whose it is although nobody uses it: a crash left it. */
    named_memory_enter_gate(memory->fd);
    bool is_there = named_memory_is_named(memory);
    result = is_there ? named_memory_become_user(memory) : 0;
    named_memory_lock_byte(memory->fd, F_UNLCK, NAMED_MEMORY_GATE);
    memory->keeps_name = result < 0;
    if (is_there && result == 0) return 0;
    munmap(memory->bytes, memory->size);
    close(memory->fd);
    if (result < 0) return -1;
  }
}

/* Takes it within `timeout_ms`: 0, EOWNERDEAD (taken; the last owner died with it) or ETIMEDOUT. */
static inline int named_mutex_lock(struct named_memory *memory, long timeout_ms) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)memory->bytes;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += timeout_ms / 1000;
  until.tv_nsec += timeout_ms % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  int status = pthread_mutex_timedlock(mutex, &until);
  if (status == EOWNERDEAD) pthread_mutex_consistent(mutex);
  return status;
}

static inline void named_mutex_unlock(struct named_memory *memory) {
  pthread_mutex_unlock((pthread_mutex_t *)memory->bytes);
}

#endif
