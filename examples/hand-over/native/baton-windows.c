/* The native side on Windows: takes the baton as a handle, or makes it and hands it to a child.
 *   child NUMBER               has inherited the handle
 *   running                    reads "PID NUMBER OFFSET": a handle of this process, and where the baton lies in its memory
 *   parent COMMAND ARGUMENT…   makes memory and starts the command, which finds {"osHandle":…} in HANDED_OVER
 * child and running count once for each further line of input ("again", or another "PID NUMBER OFFSET"). */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

struct baton {
  uint32_t hits;
  char note[60];
};

static int fail(const char *call) {
  fprintf(stderr, "%s: error %lu\n", call, GetLastError());
  return 1;
}

/* Maps the baton at any offset: MapViewOfFile wants a multiple of the allocation granularity, in two halves. */
static struct baton *map(HANDLE section, uint64_t offset) {
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  uint64_t lead = offset % system.dwAllocationGranularity;
  uint64_t start = offset - lead;
  char *view = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, (DWORD)(start >> 32), (DWORD)start,
                             (SIZE_T)(lead + sizeof(struct baton)));
  return view ? (struct baton *)(view + lead) : NULL;
}

static void hit(struct baton *baton, const char *who) {
  baton->hits++;
  snprintf(baton->note, sizeof baton->note, "%s %lu", who, GetCurrentProcessId());
  printf("hits %u\n", baton->hits);
}

static int count(HANDLE section, const char *who) {
  struct baton *baton = NULL;
  char line[128];
  if (section) {
    baton = map(section, 0);
    /* The view keeps the memory. */
    CloseHandle(section);
    if (!baton) return fail("MapViewOfFile");
    hit(baton, who);
  }
  while (fgets(line, sizeof line, stdin)) {
    long long pid, number, offset;
    if (sscanf(line, "%lld %lld %lld", &pid, &number, &offset) == 3) {
      HANDLE other = (HANDLE)(LONG_PTR)number;
      baton = map(other, (uint64_t)offset);
      CloseHandle(other);
      if (!baton) return fail("MapViewOfFile");
    }
    hit(baton, who);
  }
  return 0;
}

static int make(const wchar_t *command) {
  SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
  HANDLE section =
    CreateFileMappingW(INVALID_HANDLE_VALUE, &inheritable, PAGE_READWRITE, 0, sizeof(struct baton), NULL);
  struct baton *baton = section ? map(section, 0) : NULL;
  if (!baton) return fail("CreateFileMappingW");
  hit(baton, "native parent");
  wchar_t handed[64];
  swprintf(handed, 64, L"{\"osHandle\":%lld,\"size\":%u}", (long long)(LONG_PTR)section, (unsigned)sizeof(struct baton));
  SetEnvironmentVariableW(L"HANDED_OVER", handed);
  STARTUPINFOW start = {.cb = sizeof start};
  PROCESS_INFORMATION child;
  wchar_t *line = _wcsdup(command);
  if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) return fail("CreateProcessW");
  WaitForSingleObject(child.hProcess, INFINITE);
  DWORD status = 1;
  GetExitCodeProcess(child.hProcess, &status);
  printf("hits %u, the last by %s\n", baton->hits, baton->note);
  return status != 0;
}

int wmain(int argc, wchar_t **argv) {
  const wchar_t *role = argc > 1 ? argv[1] : L"";
  setvbuf(stdout, NULL, _IONBF, 0);
  if (!wcscmp(role, L"child") && argc == 3) return count((HANDLE)(LONG_PTR)_wtoi64(argv[2]), "native child");
  if (!wcscmp(role, L"running")) return count(NULL, "native process");
  /* The rest of the own command line is the child's. */
  if (!wcscmp(role, L"parent") && argc > 2) return make(wcsstr(GetCommandLineW(), L" parent ") + 8);
  fprintf(stderr, "use: baton child NUMBER | running | parent COMMAND ARGUMENT...\n");
  return 2;
}
