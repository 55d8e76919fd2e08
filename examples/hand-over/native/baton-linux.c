/* The native side on Linux: takes the baton as a descriptor, or makes it and hands it to a child.
 *   child NUMBER               has inherited the descriptor
 *   running                    reads "PID NUMBER OFFSET": a descriptor of another process, and where the baton lies in it
 *   parent COMMAND ARGUMENT…   makes memory and starts the command, which finds {"osHandle":…} in HANDED_OVER
 * child and running count once for each further line of input ("again", or another "PID NUMBER OFFSET"). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct baton {
  uint32_t hits;
  char note[60];
};

static int fail(const char *call) {
  perror(call);
  return 1;
}

/* Maps the baton at any offset: mmap wants a multiple of the page size. */
static struct baton *map(int fd, off_t offset) {
  off_t lead = offset % sysconf(_SC_PAGESIZE);
  char *pages =
    mmap(NULL, lead + sizeof(struct baton), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset - lead);
  return pages == MAP_FAILED ? NULL : (struct baton *)(pages + lead);
}

static void hit(struct baton *baton, const char *who) {
  baton->hits++;
  snprintf(baton->note, sizeof baton->note, "%s %d", who, getpid());
  printf("hits %u\n", baton->hits);
}

/* Copies a descriptor of another process. Where tracing is restricted (Yama), opening it again is still allowed. */
static int copy_descriptor(int pid, int number) {
  int process = syscall(SYS_pidfd_open, pid, 0);
  int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, number, 0);
  if (process >= 0) close(process);
  if (fd >= 0) return fd;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
  return open(path, O_RDWR | O_CLOEXEC);
}

static int count(int fd, const char *who) {
  struct baton *baton = NULL;
  char line[128];
  if (fd >= 0) {
    baton = map(fd, 0);
    /* The mapping keeps the memory. */
    close(fd);
    if (!baton) return fail("mmap");
    hit(baton, who);
  }
  while (fgets(line, sizeof line, stdin)) {
    int pid, number;
    long long offset;
    if (sscanf(line, "%d %d %lld", &pid, &number, &offset) == 3) {
      int other = copy_descriptor(pid, number);
      if (other < 0) return fail("pidfd_getfd");
      baton = map(other, offset);
      close(other);
      if (!baton) return fail("mmap");
    }
    hit(baton, who);
  }
  return 0;
}

static int make(char **command) {
  /* Without MFD_CLOEXEC: the child has the descriptor under the same number. */
  int fd = memfd_create("baton", 0);
  if (fd < 0 || ftruncate(fd, sizeof(struct baton))) return fail("memfd_create");
  struct baton *baton = map(fd, 0);
  if (!baton) return fail("mmap");
  hit(baton, "native parent");
  fflush(stdout);
  char handed[64];
  snprintf(handed, sizeof handed, "{\"osHandle\":%d,\"size\":%zu}", fd, sizeof(struct baton));
  setenv("HANDED_OVER", handed, 1);
  pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) < 0) return fail("fork");
  printf("hits %u, the last by %s\n", baton->hits, baton->note);
  return status != 0;
}

int main(int argc, char **argv) {
  const char *role = argc > 1 ? argv[1] : "";
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(role, "child") && argc == 3) return count(atoi(argv[2]), "native child");
  if (!strcmp(role, "running")) return count(-1, "native process");
  if (!strcmp(role, "parent") && argc > 2) return make(argv + 2);
  fprintf(stderr, "use: baton child NUMBER | running | parent COMMAND ARGUMENT...\n");
  return 2;
}
