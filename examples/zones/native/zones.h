/* What a native side does with the zones, on every system; zones-windows.c and zones-linux.c bring the memory and the notices.
 *
 *   zones server|client NAME N1 N2 EXTRA1 EXTRA2 SERVER_TITLE CLIENT_TITLE
 *
 * N1 and N2 are the agreed sizes; EXTRA is 1 for a zone whose count counts itself (as published: zone 1), else 0. Each line of
 * numbers on standard input becomes this side's zone; `raw COUNT` writes a count that need not be true. */
#ifndef ZONES_H
#define ZONES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_SIZE 4096
#define LINE_BYTES 16384

struct zones {
  bool is_server;
  int n[2], extra[2];
  volatile int32_t *memory;
};

static inline volatile int32_t *zone_at(const struct zones *zones, int number) {
  return zones->memory + (number == 1 ? 0 : zones->n[0] + 1);
}

/* The server's handle; the client's is behind it. */
static inline volatile int32_t *handles_at(const struct zones *zones) {
  return zones->memory + zones->n[0] + 1 + zones->n[1] + 1;
}

static inline int own_zone(const struct zones *zones) { return zones->is_server ? 2 : 1; }

static inline bool zones_parse(struct zones *zones, int count, char **args) {
  if (count != 9) return fputs("usage: zones server|client NAME N1 N2 EXTRA1 EXTRA2 SERVER CLIENT\n", stderr), false;
  zones->is_server = strcmp(args[1], "server") == 0;
  for (int i = 0; i < 2; i++) zones->n[i] = atoi(args[3 + i]), zones->extra[i] = atoi(args[5 + i]);
  return (zones->n[0] + zones->n[1] + 4) * 4 <= MEMORY_SIZE;
}

/* Writes a line's numbers, or its raw count, to this side's zone. */
static inline void zones_write(const struct zones *zones, const char *line) {
  int number = own_zone(zones), count = 0;
  volatile int32_t *zone = zone_at(zones, number);
  if (strncmp(line, "raw ", 4) == 0) {
    zone[0] = (int32_t)strtol(line + 4, NULL, 10);
    return;
  }
  for (char *end; count < zones->n[number - 1]; line = end) {
    long value = strtol(line, &end, 10);
    if (end == line) break;
    zone[1 + count++] = (int32_t)value;
  }
  zone[0] = count + zones->extra[number - 1];
}

/* Prints the other side's zone, bounded by its size. */
static inline void zones_show(const struct zones *zones) {
  int number = zones->is_server ? 1 : 2;
  volatile int32_t *zone = zone_at(zones, number);
  int count = zone[0] - zones->extra[number - 1];
  printf("%s:", zones->is_server ? "client" : "server");
  for (int i = 0; i < count && i < zones->n[number - 1]; i++) printf(" %d", zone[1 + i]);
  printf("\n");
}

#endif
