/* Loaded before the C library (LD_PRELOAD), makes every file system one without nameless files, as some are: open(2) with
 * O_TMPFILE fails with EOPNOTSUPP. With a number in SIGNAL_AT_LINK the process gets that signal when it is about to give a file its
 * name (linkat(2)), or with a minus in front when it has just done so. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

typedef int opener(const char *path, int flags, ...);

static int open_by(const char *name, const char *path, int flags, unsigned mode) {
  static opener *next;
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, name);
  return next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  return open_by("open64", path, flags, mode);
}

typedef int linker(int from, const char *source, int to, const char *target, int flags);

int linkat(int from, const char *source, int to, const char *target, int flags) {
  static linker *next;
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "linkat");
  const char *wanted = getenv("SIGNAL_AT_LINK");
  int number = wanted ? atoi(wanted) : 0;
  if (number > 0) raise(number);
  int result = next(from, source, to, target, flags);
  if (number < 0) raise(-number);
  return result;
}
