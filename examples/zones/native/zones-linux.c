/* A native side of the zones on Linux: the same memory in the shared memory of POSIX, process ids in the handle zone, and a touch of
 * the memory's file as the notice. zones.h has the arguments. Build: gcc -I native -o zones examples/zones/native/zones-linux.c */
#include "named-memory.h"
#include "zones.h"

#include <poll.h>

static struct zones zones;

/* True if the other side's zone is not what it was: one's own touch is heard too. */
static bool has_changed(void) {
  static int32_t before[MEMORY_SIZE / 4];
  int number = zones.is_server ? 1 : 2;
  size_t length = ((size_t)zones.n[number - 1] + 1) * 4;
  void *now = (void *)(uintptr_t)zone_at(&zones, number);
  if (memcmp(before, now, length) == 0) return false;
  memcpy(before, now, length);
  return true;
}

int main(int count, char **args) {
  static char line[LINE_BYTES];
  struct named_memory memory;
  setvbuf(stdout, NULL, _IONBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0); /* poll(2) must know of every byte that was not taken */
  if (!zones_parse(&zones, count, args)) return 2;
  if (named_memory_join(&memory, args[2], MEMORY_SIZE) < 0) return perror(args[2]), 1;
  zones.memory = (volatile int32_t *)memory.bytes;
  int bell = named_memory_listen(&memory);
  handles_at(&zones)[zones.is_server ? 0 : 1] = (int32_t)getpid();
  has_changed();
  printf("%s is ready\n", args[1]);
  struct pollfd waits[2] = {{.fd = 0, .events = POLLIN}, {.fd = bell, .events = POLLIN}};
  while (poll(waits, 2, -1) > 0) {
    if (waits[1].revents && named_memory_heard(bell) && has_changed()) zones_show(&zones);
    if (!waits[0].revents) continue;
    if (!fgets(line, sizeof line, stdin)) break;
    zones_write(&zones, line);
    named_memory_ring(&memory);
  }
  named_memory_leave(&memory);
  return 0;
}
