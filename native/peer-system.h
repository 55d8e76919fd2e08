/* What peer.c needs of the system beside sharecord.h, which it includes: the parent's pipe, time, ends and stops of this
 * process, and which of the two ended the last wait for the doorbell, a ring or the timer. */
#ifndef PEER_SYSTEM_H
#define PEER_SYSTEM_H

#ifdef _WIN32
#include <windows.h>

/* Exit code of a process that kills itself. */
#define KILLED 137

/* True if a ring ended the last wait, also those inside sharecord.h. */
static bool bell_rang;

static DWORD watched_wait(HANDLE object, DWORD timeout_ms) {
  DWORD answer = WaitForSingleObject(object, timeout_ms);
  bell_rang = answer == WAIT_OBJECT_0;
  return answer;
}
#define WaitForSingleObject watched_wait

#include "sharecord.h"

static bool bell_rings(struct sharecord *store, int timeout_ms) {
  return WaitForSingleObject(store->system.bell, (DWORD)timeout_ms) == WAIT_OBJECT_0;
}

static void live_with_parent(void) {} /* its job ends with it */

static uint32_t process_number(void) { return GetCurrentProcessId(); }

/* The parent ends a role by closing its standard input, on purpose or by dying. */
static bool parent_waits(void) {
  DWORD available;
  return PeekNamedPipe(GetStdHandle(STD_INPUT_HANDLE), NULL, 0, NULL, &available, NULL) && available == 0;
}

static int64_t now_ns(void) {
  LARGE_INTEGER now, frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  int64_t seconds = now.QuadPart / frequency.QuadPart, rest = now.QuadPart % frequency.QuadPart;
  return seconds * 1000000000 + rest * 1000000000 / frequency.QuadPart;
}

static void die_here(void) { TerminateProcess(GetCurrentProcess(), KILLED); }

/* Says which thread somebody must resume, and suspends it. */
static void stop_here(void) {
  printf("{\"stopsThread\":%lu}\n", GetCurrentThreadId());
  fflush(stdout);
  SuspendThread(GetCurrentThread());
}

static int open_number(struct sharecord *store, const char *number, int flags, const char *digest) {
  return sharecord_open_handle(store, (HANDLE)(intptr_t)atoll(number), flags, digest);
}

#else
#include <poll.h>
#include <stdbool.h>

/* True if a ring ended the last wait, also those inside sharecord.h. */
static bool bell_rang;

static int watched_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms) {
  int answer = poll(descriptors, count, timeout_ms);
  bell_rang = answer != 0;
  return answer;
}
#define poll watched_poll

#include "sharecord.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

static bool bell_rings(struct sharecord *store, int timeout_ms) {
  struct pollfd bell = {.fd = store->system.bell, .events = POLLIN};
  return poll(&bell, 1, timeout_ms) != 0;
}

/* A test that is killed cannot end its peers. */
static void live_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

static uint32_t process_number(void) { return (uint32_t)getpid(); }

/* The parent ends a role by closing its standard input, on purpose or by dying. */
static bool parent_waits(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  return poll(&input, 1, 0) == 0;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die_here(void) { raise(SIGKILL); }

static void stop_here(void) { raise(SIGSTOP); }

static int open_number(struct sharecord *store, const char *number, int flags, const char *digest) {
  return sharecord_open_descriptor(store, atoi(number), flags, digest);
}
#endif

#endif
