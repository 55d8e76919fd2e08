/* Preloaded into a Node process by tests: lets a call into the C library fail once, as if the system had no room left. A test
 * says `fail_next("mmap", ENOMEM, 2)` through its FFI: the second call of that name fails, the others go through. Of mmap only
 * calls with a descriptor count and of fcntl only those that lock, so that the engine's own calls are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static const char *failing = "";
static int failing_errno, calls_left;

/* Arms the fault; 0 calls disarm it. */
void fail_next(const char *name, int error, int calls) {
  static char copy[32];
  strncpy(copy, name, sizeof copy - 1);
  failing = copy;
  failing_errno = error;
  calls_left = calls;
}

/* How many calls are still to go through before the one that fails; 0 = it has failed. */
int calls_until_failure(void) { return calls_left; }

static int fails(const char *name) {
  if (calls_left == 0 || strcmp(name, failing) != 0 || --calls_left > 0) return 0;
  errno = failing_errno;
  return 1;
}

/* The function behind the one of this file. ISO C has no cast from an object pointer to a function pointer. */
#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fd >= 0 && fails("mmap")) return MAP_FAILED;
  return REAL(mmap)(address, length, protection, flags, fd, offset);
}

int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  if (command == F_OFD_SETLK && ((struct flock *)argument)->l_type == F_WRLCK && fails("fcntl")) return -1;
  return REAL(fcntl)(fd, command, argument);
}

int linkat(int old_folder, const char *old, int folder, const char *path, int flags) {
  return fails("linkat") ? -1 : REAL(linkat)(old_folder, old, folder, path, flags);
}

int msync(void *address, size_t length, int flags) {
  return fails("msync") ? -1 : REAL(msync)(address, length, flags);
}

int posix_fallocate(int fd, off_t offset, off_t length) {
  return fails("posix_fallocate") ? failing_errno : REAL(posix_fallocate)(fd, offset, length);
}

int memfd_create(const char *name, unsigned flags) {
  return fails("memfd_create") ? -1 : REAL(memfd_create)(name, flags);
}

int fchmod(int fd, mode_t mode) { return fails("fchmod") ? -1 : REAL(fchmod)(fd, mode); }

/* libuv asks for the status of a descriptor by statx(2) with an empty path, without a function of the C library. */
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (int i = 0; i < 6; i++) arguments[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_statx && (arguments[2] & AT_EMPTY_PATH) != 0 && fails("fstat")) return -1;
  return REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return fails("open") ? -1 : REAL(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return fails("open") ? -1 : REAL(open)(path, flags, mode);
}
