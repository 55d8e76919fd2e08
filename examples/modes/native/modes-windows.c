/* What modes.ts does, with the calls of Windows alone; prints the same lines. Argument: a name for the memory. */
#define PSAPI_VERSION 2
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <psapi.h>

#define SIZE 65536
#define LARGE (128LL << 20)
#define PAGE 4096

static void fail(const char *call) {
  fprintf(stderr, "%s: error %lu\n", call, GetLastError());
  exit(1);
}

static HANDLE open_file(const wchar_t *file, DWORD rights, DWORD how) {
  DWORD sharing = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  return CreateFileW(file, rights, sharing, NULL, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

static volatile uint32_t *map(HANDLE section, DWORD rights) {
  return MapViewOfFile(section, rights, 0, 0, SIZE);
}

static uint32_t on_disk(const wchar_t *file) {
  uint32_t value = 0;
  DWORD read;
  HANDLE handle = open_file(file, GENERIC_READ, OPEN_EXISTING);
  if (!ReadFile(handle, &value, sizeof value, &read, NULL)) fail("ReadFile");
  CloseHandle(handle);
  return value;
}

/* A section: of the page file under its name, or of the file, for reading or for both. */
static HANDLE open_section(const wchar_t *name, HANDLE file, DWORD rights) {
  if (!file) return OpenFileMappingW(rights, FALSE, name);
  return CreateFileMappingW(file, NULL, rights & FILE_MAP_WRITE ? PAGE_READWRITE : PAGE_READONLY, 0, 0, NULL);
}

static void walk(const char *title, const wchar_t *name, const wchar_t *path) {
  HANDLE file = NULL, to_read = NULL;
  if (path) {
    file = open_file(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
    to_read = open_file(path, GENERIC_READ, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE || to_read == INVALID_HANDLE_VALUE) fail("CreateFileW");
  }
  HANDLE section = CreateFileMappingW(path ? file : INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, SIZE, name);
  if (!section || GetLastError() == ERROR_ALREADY_EXISTS) fail("CreateFileMappingW");
  volatile uint32_t *first = map(section, FILE_MAP_READ | FILE_MAP_WRITE);
  int zeros = 1;
  for (int i = 0; i < SIZE / 4; i++) zeros &= first[i] == 0;
  printf("%s: created, %d bytes%s\n", title, SIZE, zeros ? " of zeros" : "");
  int exists;
  if (path) {
    exists = open_file(path, GENERIC_READ, CREATE_NEW) == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_EXISTS;
  } else {
    HANDLE again = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, SIZE, name);
    exists = GetLastError() == ERROR_ALREADY_EXISTS;
    CloseHandle(again);
  }
  printf("%s: a second create is %s\n", title, exists ? "refused, it exists" : "granted");
  first[0] = 1;

  HANDLE reading = open_section(name, to_read, FILE_MAP_READ);
  volatile uint32_t *seen = map(reading, FILE_MAP_READ);
  printf("%s: a read-only view shows %u\n", title, seen[0]);
  int refused = !map(reading, FILE_MAP_WRITE) && GetLastError() == ERROR_ACCESS_DENIED;
  printf("%s: writing through it is %s\n", title, refused ? "refused" : "granted");

  HANDLE writing = open_section(name, file, FILE_MAP_READ | FILE_MAP_WRITE);
  volatile uint32_t *second = map(writing, FILE_MAP_READ | FILE_MAP_WRITE);
  second[0] = 2;
  printf("%s: a read-write view writes 2, the others show %u and %u\n", title, first[0], seen[0]);

  volatile uint32_t *own = map(writing, FILE_MAP_COPY);
  own[0] = 3;
  printf("%s: a copy-on-write view has %u for itself, the others show %u\n", title, own[0], first[0]);

  if (!FlushViewOfFile((void *)second, SIZE)) fail("FlushViewOfFile");
  if (path && !FlushFileBuffers(file)) fail("FlushFileBuffers");
  if (path) printf("%s: after a flush the file has %u\n", title, on_disk(path));

  volatile uint32_t *views[] = {own, second, seen, first};
  for (int i = 0; i < 4; i++) UnmapViewOfFile((void *)views[i]);
  CloseHandle(writing), CloseHandle(reading), CloseHandle(section);
  if (path) {
    CloseHandle(to_read), CloseHandle(file);
    printf("%s: closed by all, the file has %u\n", title, on_disk(path));
  } else {
    int gone = !OpenFileMappingW(FILE_MAP_READ, FALSE, name) && GetLastError() == ERROR_FILE_NOT_FOUND;
    printf("%s: closed by all, it is %s\n", title, gone ? "gone" : "there");
  }
}

static long long resident(void) {
  PROCESS_MEMORY_COUNTERS counters;
  if (!GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) fail("GetProcessMemoryInfo");
  return (long long)counters.WorkingSetSize;
}

/* In tens of percent. */
static int loaded(long long before) {
  long long tenths = (10 * (resident() - before) + LARGE / 2) / LARGE;
  return tenths < 0 ? 0 : (int)(10 * tenths);
}

static void load_lazily(const wchar_t *path) {
  long long before = resident();
  HANDLE file = open_file(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
  HANDLE section = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, (DWORD)LARGE, NULL);
  volatile unsigned char *bytes = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
  if (!bytes) fail("MapViewOfFile");
  int at_first = loaded(before), sum = 0;
  for (long long i = 0; i < LARGE / 2; i += PAGE) sum += bytes[i];
  int half = loaded(before);
  for (long long i = LARGE / 2; i < LARGE; i += PAGE) sum += bytes[i];
  printf("128 MiB of zeros, sum %d: %d %% loaded, %d %% after reading half, %d %% after reading all\n", sum, at_first, half,
         loaded(before));
  UnmapViewOfFile((void *)bytes);
  CloseHandle(section), CloseHandle(file);
  DeleteFileW(path);
}

int wmain(int argc, wchar_t **argv) {
  wchar_t folder[MAX_PATH], file[MAX_PATH + 40], large[MAX_PATH + 40];
  GetTempPathW(MAX_PATH, folder);
  swprintf(file, MAX_PATH + 40, L"%lsmodes-%lu.bin", folder, GetCurrentProcessId());
  swprintf(large, MAX_PATH + 40, L"%lsmodes-%lu-large.bin", folder, GetCurrentProcessId());
  walk("memory", argc > 1 ? argv[1] : L"modes-native", NULL);
  walk("file", NULL, file);
  load_lazily(large);
  DeleteFileW(file);
  return 0;
}
