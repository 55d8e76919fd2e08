/* Joins named memory of at least 10 bytes and a named mutex and leaves both, or with a third argument ends without leaving:
 * memory-peer MEMORY MUTEX [crash]. Prints whether it made each. */
#include "named-memory.h"

int main(int count, char **words) {
  struct named_memory memory, mutex;
  if (count < 3) return 2;
  if (named_memory_join(&memory, words[1], 10) < 0) return perror(words[1]), 1;
  if (named_mutex_join(&mutex, words[2]) < 0) return perror(words[2]), 1;
  printf("%d %d\n", memory.created, mutex.created);
  if (count > 3) return 0;
  named_memory_leave(&mutex);
  named_memory_leave(&memory);
  return 0;
}
