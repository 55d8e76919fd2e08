/* A native peer of the text board on Linux: the same memory as on Windows, in the shared memory of POSIX; who changed the text
 * touches the memory's file, and everybody hears it. Like the original it takes no lock, unless --lock is given.
 * Build: gcc -I native -o board examples/text-board/native/board-linux.c
 *
 *   board NAME MESSAGE [--lock]             each line of standard input becomes the text; prints each change by a peer
 *   board NAME MESSAGE [--lock] --hammer    writes two long texts in turn until its input ends */
#include "named-memory.h"

#include <iconv.h>
#include <poll.h>
#include <stdlib.h>

#define UNITS (4 * 1024)
#define LINE_BYTES (4 * UNITS)

typedef uint16_t unit; /* a TCHAR of the UTF-16 build */

static struct named_memory board, mutex;
static bool takes_lock;
static unit shown[UNITS];

static void lock(void) {
  if (takes_lock && named_mutex_lock(&mutex, 10000) == ETIMEDOUT) exit(3);
}
static void unlock(void) {
  if (takes_lock) named_mutex_unlock(&mutex);
}

static void convert(const char *to, const char *from, char *in, size_t in_bytes, char *out, size_t out_bytes) {
  iconv_t converter = iconv_open(to, from);
  while (iconv(converter, &in, &in_bytes, &out, &out_bytes) == (size_t)-1 && errno == EILSEQ && in_bytes > 0) {
    size_t skip = from[4] == '8' ? 1 : sizeof(unit);
    in += skip, in_bytes -= skip;
  }
  iconv_close(converter);
}

/* Copies up to and with the terminator, one unit after the other, as the original's lstrcpy does. */
static void copy_text(volatile unit *to, const volatile unit *from) {
  int at = 0;
  while (at < UNITS - 1 && (to[at] = from[at]) != 0) at++;
  to[at] = 0;
}

static void show(void) {
  unit text[UNITS];
  char line[LINE_BYTES] = "";
  int length = 0;
  lock();
  copy_text(text, (unit *)board.bytes);
  unlock();
  while (text[length] != 0) length++;
  /* One's own touch is heard too: there is nothing new in it. */
  if (memcmp(text, shown, (size_t)(length + 1) * sizeof(unit)) == 0) return;
  memcpy(shown, text, sizeof text);
  convert("UTF-8", "UTF-16LE", (char *)text, (size_t)length * sizeof(unit), line, sizeof line - 1);
  printf("board: %s\n", line);
}

static void type(char *line) {
  unit text[UNITS] = {0};
  convert("UTF-16LE", "UTF-8", line, strcspn(line, "\r\n"), (char *)text, sizeof text - sizeof(unit));
  memcpy(shown, text, sizeof text);
  lock();
  copy_text((unit *)board.bytes, text);
  unlock();
  named_memory_ring(&board);
}

static bool input_ended(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  char byte;
  return poll(&input, 1, 0) > 0 && read(0, &byte, 1) <= 0;
}

static void hammer(void) {
  static unit text[2][UNITS];
  for (int at = 0; at < UNITS - 1; at++) text[0][at] = 'A', text[1][at] = 'B';
  puts("hammering");
  for (unsigned round = 0; !input_ended(); round++) {
    lock();
    copy_text((unit *)board.bytes, text[round % 2]);
    unlock();
    usleep(500);
  }
}

static void follow(void) {
  int bell = named_memory_listen(&board);
  if (bell < 0) exit(2);
  static char line[LINE_BYTES];
  puts(board.created ? "created the board" : "joined the board");
  if (!board.created) show();
  struct pollfd waits[2] = {{.fd = 0, .events = POLLIN}, {.fd = bell, .events = POLLIN}};
  while (poll(waits, 2, -1) > 0) {
    if (waits[1].revents && named_memory_heard(bell)) show();
    if (!waits[0].revents) continue;
    if (!fgets(line, sizeof line, stdin)) break;
    type(line);
  }
}

int main(int count, char **args) {
  setvbuf(stdout, NULL, _IONBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0); /* poll(2) must know of every byte that was not taken */
  if (count < 3) return fputs("usage: board NAME MESSAGE [--lock] [--hammer]\n", stderr), 2;
  bool hammers = false;
  for (int at = 3; at < count; at++) {
    if (strcmp(args[at], "--lock") == 0) takes_lock = true;
    if (strcmp(args[at], "--hammer") == 0) hammers = true;
  }
  char lock_name[256];
  snprintf(lock_name, sizeof lock_name, "%s.lock", args[1]);
  if (named_memory_join(&board, args[1], UNITS * sizeof(unit)) < 0) return perror(args[1]), 1;
  if (takes_lock && named_mutex_join(&mutex, lock_name) < 0) return perror(lock_name), 1;
  if (hammers) hammer();
  else follow();
  if (takes_lock) named_memory_leave(&mutex);
  named_memory_leave(&board);
  return 0;
}
