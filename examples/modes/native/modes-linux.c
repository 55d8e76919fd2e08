/* What modes.ts does, with the calls of Linux alone; prints the same lines. Argument: a name for the memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 65536
#define LARGE (128L << 20)
#define PAGE 4096

/* Opens the memory of that name, or the file if there is one. */
static int open_any(const char *name, const char *file, int flags) {
  return file ? open(file, flags | O_CLOEXEC, 0600) : shm_open(name, flags, 0600);
}

static volatile uint32_t *map(int fd, int protection, int sharing) {
  void *address = mmap(NULL, SIZE, protection, sharing, fd, 0);
  return address == MAP_FAILED ? NULL : address;
}

static uint32_t on_disk(const char *file) {
  uint32_t value = 0;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (read(fd, &value, sizeof value) != sizeof value) perror("read");
  close(fd);
  return value;
}

static void walk(const char *title, const char *name, const char *file) {
  int fd = open_any(name, file, O_CREAT | O_EXCL | O_RDWR);
  if (fd < 0 || ftruncate(fd, SIZE)) exit((perror("create"), 1));
  volatile uint32_t *first = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
  int zeros = 1;
  for (int i = 0; i < SIZE / 4; i++) zeros &= first[i] == 0;
  printf("%s: created, %d bytes%s\n", title, SIZE, zeros ? " of zeros" : "");
  int again = open_any(name, file, O_CREAT | O_EXCL | O_RDWR);
  printf("%s: a second create is %s\n", title, again < 0 && errno == EEXIST ? "refused, it exists" : "granted");
  first[0] = 1;

  int reading = open_any(name, file, O_RDONLY);
  volatile uint32_t *seen = map(reading, PROT_READ, MAP_SHARED);
  printf("%s: a read-only view shows %u\n", title, seen[0]);
  int refused = !map(reading, PROT_READ | PROT_WRITE, MAP_SHARED) && errno == EACCES;
  printf("%s: writing through it is %s\n", title, refused ? "refused" : "granted");

  int writing = open_any(name, file, O_RDWR);
  volatile uint32_t *second = map(writing, PROT_READ | PROT_WRITE, MAP_SHARED);
  second[0] = 2;
  printf("%s: a read-write view writes 2, the others show %u and %u\n", title, first[0], seen[0]);

  volatile uint32_t *own = map(reading, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  own[0] = 3;
  printf("%s: a copy-on-write view has %u for itself, the others show %u\n", title, own[0], first[0]);

  if (msync((void *)second, SIZE, MS_SYNC)) perror("msync");
  if (file) printf("%s: after a flush the file has %u\n", title, on_disk(file));

  volatile uint32_t *views[] = {own, second, seen, first};
  for (int i = 0; i < 4; i++) munmap((void *)views[i], SIZE);
  close(writing), close(reading), close(fd);
  if (file) {
    printf("%s: closed by all, the file has %u\n", title, on_disk(file));
  } else {
    shm_unlink(name);
    printf("%s: closed by all, it is %s\n", title, shm_open(name, O_RDONLY, 0) < 0 ? "gone" : "there");
  }
}

static long resident(void) {
  long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (!statm || fscanf(statm, "%*d %ld", &pages) != 1) perror("statm");
  fclose(statm);
  return pages * sysconf(_SC_PAGESIZE);
}

/* In tens of percent. */
static long loaded(long before) {
  long tenths = (10 * (resident() - before) + LARGE / 2) / LARGE;
  return tenths < 0 ? 0 : 10 * tenths;
}

static void load_lazily(const char *file) {
  long before = resident();
  int fd = open(file, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 || posix_fallocate(fd, 0, LARGE)) exit((perror("create"), 1));
  volatile unsigned char *bytes = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  long at_first = loaded(before), sum = 0;
  for (long i = 0; i < LARGE / 2; i += PAGE) sum += bytes[i];
  long half = loaded(before);
  for (long i = LARGE / 2; i < LARGE; i += PAGE) sum += bytes[i];
  printf("128 MiB of zeros, sum %ld: %ld %% loaded, %ld %% after reading half, %ld %% after reading all\n", sum, at_first,
         half, loaded(before));
  munmap((void *)bytes, LARGE);
  close(fd);
  unlink(file);
}

int main(int argc, char **argv) {
  char name[256], folder[] = "/tmp/modes-XXXXXX", file[64], large[64];
  snprintf(name, sizeof name, "/%s", argc > 1 ? argv[1] : "modes-native");
  if (!mkdtemp(folder)) return perror("mkdtemp"), 1;
  snprintf(file, sizeof file, "%s/modes.bin", folder);
  snprintf(large, sizeof large, "%s/large.bin", folder);
  walk("memory", name, NULL);
  walk("file", NULL, file);
  load_lazily(large);
  unlink(file);
  rmdir(folder);
  return 0;
}
