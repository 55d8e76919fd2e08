/* What sharecord.h needs of Windows: the section of a name or handle, its kernel locks, its doorbell. Include sharecord.h.
 * A lock byte is a mutex that exists while somebody holds or probes it, the doorbell an event for each listener; their names
 * follow from the segment's (docs/windows.md). Link with advapi32. A mutex belongs to a thread: close a store on the thread
 * that opened it. */
#ifndef SHARECORD_WINDOWS_H
#define SHARECORD_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include <sddl.h>

/* A section has its name from its first, zeroed moment: one without content may become a store. */
#define SHARECORD_NAME_COMES_FIRST true
#define SHARECORD_LISTENERS 32
#define SHARECORD_OBJECT_NAME_UNITS (SHARECORD_NAME_BYTES + sizeof ":sharecord:lock:256")

struct sharecord_system {
  HANDLE section;
  HANDLE gate, slot; /* mutexes while this open holds them */
  HANDLE bell;       /* event, NULL until the first wait */
  unsigned listener; /* its number */
  wchar_t name[SHARECORD_NAME_BYTES + 1]; /* empty for one opened by handle */
};

static inline int64_t sharecord_now_ms(void) {
  LARGE_INTEGER now, frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  return now.QuadPart / frequency.QuadPart * 1000 + now.QuadPart % frequency.QuadPart * 1000 / frequency.QuadPart;
}

static inline void sharecord_sleep_ns(long nanoseconds) { Sleep((DWORD)((nanoseconds + 999999) / 1000000)); }

static inline int sharecord_system_error(void) {
  switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND: return SHARECORD_NOT_FOUND;
    case ERROR_ACCESS_DENIED: return SHARECORD_DENIED;
    case ERROR_INVALID_HANDLE: return SHARECORD_FOREIGN; /* the name, or number, of an object of another kind */
    case ERROR_TOO_MANY_OPEN_FILES: case ERROR_NOT_ENOUGH_MEMORY: case ERROR_OUTOFMEMORY: case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_COMMITMENT_LIMIT: return SHARECORD_LIMIT;
    case ERROR_PATH_NOT_FOUND: case ERROR_INVALID_NAME: case ERROR_BAD_PATHNAME: return SHARECORD_NAME;
    default: return SHARECORD_SYSTEM;
  }
}

/* ---- who owns what ---- */

/* Room for a token's SID, or a descriptor with one owner: a SID has at most 68 bytes. */
union sharecord_identity {
  TOKEN_USER user;
  TOKEN_OWNER owner;
  unsigned char bytes[512];
};

static inline bool sharecord_ask_token(TOKEN_INFORMATION_CLASS what, union sharecord_identity *answer) {
  HANDLE token;
  DWORD length;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
  bool told = GetTokenInformation(token, what, answer, sizeof *answer, &length);
  CloseHandle(token);
  return told;
}

/* A descriptor for this user alone, to be freed with LocalFree; NULL if the system refuses. */
static inline PSECURITY_DESCRIPTOR sharecord_own_descriptor(void) {
  union sharecord_identity me;
  wchar_t *user, text[512];
  if (!sharecord_ask_token(TokenUser, &me) || !ConvertSidToStringSidW(me.user.User.Sid, &user)) return NULL;
  swprintf(text, sizeof text / sizeof *text, L"O:%lsD:P(A;;GA;;;%ls)", user, user);
  LocalFree(user);
  PSECURITY_DESCRIPTOR descriptor = NULL;
  ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL);
  return descriptor;
}

/* True if another user owns the object, or if its owner cannot be told. */
static inline bool sharecord_is_foreign(HANDLE object) {
  union sharecord_identity descriptor, me;
  DWORD length;
  PSID found;
  BOOL defaulted;
  if (!GetKernelObjectSecurity(object, OWNER_SECURITY_INFORMATION, &descriptor, sizeof descriptor, &length)) return true;
  if (!GetSecurityDescriptorOwner(&descriptor, &found, &defaulted)) return true;
  /* PLATFORM: Windows gives every object an owner; Wine leaves it out where no descriptor was passed. */
  if (found == NULL) return false;
  if (sharecord_ask_token(TokenUser, &me) && EqualSid(found, me.user.User.Sid)) return false;
  return !sharecord_ask_token(TokenOwner, &me) || !EqualSid(found, me.owner.Owner);
}

/* ---- locks of the kernel: freed with the thread or process that took them, whatever ends it ---- */

static inline const wchar_t *sharecord_object_name(const struct sharecord_system *system, const wchar_t *kind, unsigned number,
                                                   wchar_t name[SHARECORD_OBJECT_NAME_UNITS]) {
  /* PLATFORM: `Local\x` and `x` are one name. */
  const wchar_t *base = wcsncmp(system->name, L"Local\\", 6) == 0 ? system->name + 6 : system->name;
  swprintf(name, SHARECORD_OBJECT_NAME_UNITS, L"%ls:sharecord:%ls:%u", base, kind, number);
  return name;
}

/* Tries to take a mutex now; false if anybody has it, this thread included, to which the kernel would grant it again. */
static inline bool sharecord_take(HANDLE mutex) {
  DWORD answer = WaitForSingleObject(mutex, 0);
  /* An abandoned one is granted: death is the event that a lock waits for. */
  if (answer != WAIT_OBJECT_0 && answer != WAIT_ABANDONED) return false;
  /* PLATFORM: MUTANT_BASIC_INFORMATION of NtQueryMutant: 1 = free, 0 = taken once, less = taken again by its thread. */
  struct {
    LONG count;
    BOOLEAN is_mine, is_abandoned;
  } found = {0};
  typedef LONG(NTAPI * query_mutant)(HANDLE, int, void *, ULONG, ULONG *);
  union {
    FARPROC address;
    query_mutant call;
  } query = {GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQueryMutant")};
  if (query.address == NULL || query.call(mutex, 0, &found, sizeof found, NULL) < 0 || found.count >= 0) return true;
  ReleaseMutex(mutex);
  return false;
}

static inline HANDLE *sharecord_place_of_lock(struct sharecord_system *system, unsigned at) {
  return at == SHARECORD_GATE ? &system->gate : &system->slot;
}

static inline bool sharecord_lock_byte(struct sharecord_system *system, unsigned at) {
  wchar_t name[SHARECORD_OBJECT_NAME_UNITS];
  SECURITY_ATTRIBUTES security = {sizeof security, sharecord_own_descriptor(), FALSE};
  if (security.lpSecurityDescriptor == NULL) return false;
  HANDLE mutex = CreateMutexW(&security, FALSE, sharecord_object_name(system, L"lock", at, name));
  LocalFree(security.lpSecurityDescriptor);
  /* Of another user: it exists, so it is held. */
  if (mutex == NULL) return false;
  if (sharecord_take(mutex)) {
    *sharecord_place_of_lock(system, at) = mutex;
    return true;
  }
  CloseHandle(mutex);
  return false;
}

static inline void sharecord_unlock_byte(struct sharecord_system *system, unsigned at) {
  HANDLE *place = sharecord_place_of_lock(system, at);
  if (*place == NULL) return;
  ReleaseMutex(*place);
  CloseHandle(*place);
  *place = NULL;
}

static inline bool sharecord_bytes_held(const struct sharecord_system *system, unsigned at, unsigned length) {
  wchar_t name[SHARECORD_OBJECT_NAME_UNITS];
  for (unsigned byte = at; byte < at + length; byte++) {
    HANDLE mutex = OpenMutexW(SYNCHRONIZE | MUTEX_MODIFY_STATE, FALSE, sharecord_object_name(system, L"lock", byte, name));
    /* An answer that fails counts as held: never steal then. */
    if (mutex == NULL && GetLastError() == ERROR_FILE_NOT_FOUND) continue;
    if (mutex == NULL) return true;
    bool was_free = sharecord_take(mutex);
    if (was_free) ReleaseMutex(mutex);
    CloseHandle(mutex);
    if (!was_free) return true;
  }
  return false;
}

/* ---- memory ---- */

static inline struct sharecord_system sharecord_no_system(void) { return (struct sharecord_system){0}; }

static inline bool sharecord_is_open(const struct sharecord_system *system) { return system->section != NULL; }

static inline bool sharecord_has_name(const struct sharecord_system *system) { return system->name[0] != 0; }

static inline HANDLE sharecord_open_section(const wchar_t *name, DWORD rights) {
  HANDLE section = OpenFileMappingW(rights | READ_CONTROL, FALSE, name);
  /* Perhaps only the owner's name is denied; then it counts as another's. */
  return section == NULL && GetLastError() == ERROR_ACCESS_DENIED ? OpenFileMappingW(rights, FALSE, name) : section;
}

static inline DWORD sharecord_rights(int flags) { return FILE_MAP_READ | (flags & SHARECORD_WRITE ? FILE_MAP_WRITE : 0); }

static inline int sharecord_open_name(struct sharecord_system *system, const char *name, int flags) {
  const char *bare = strncmp(name, "Local\\", 6) == 0 ? name + 6 : strncmp(name, "Global\\", 7) == 0 ? name + 7 : name;
  if (bare[0] == 0 || strlen(name) > SHARECORD_NAME_BYTES || strchr(bare, '\\')) return SHARECORD_NAME;
  int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, system->name, SHARECORD_NAME_BYTES + 1);
  if (units == 0) return SHARECORD_NAME;
  system->section = sharecord_open_section(system->name, sharecord_rights(flags));
  return system->section == NULL ? sharecord_system_error() : SHARECORD_OK;
}

static inline int sharecord_open_number(struct sharecord_system *system, HANDLE handle, int flags) {
  /* Nothing tells which locks it has. */
  if (flags & SHARECORD_WRITE) return SHARECORD_UNSUPPORTED;
  HANDLE here = GetCurrentProcess();
  if (DuplicateHandle(here, handle, here, &system->section, 0, FALSE, DUPLICATE_SAME_ACCESS)) return SHARECORD_OK;
  return GetLastError() == ERROR_INVALID_HANDLE ? SHARECORD_NOT_FOUND : sharecord_system_error();
}

/* Maps all of it and tells its size, which is whole pages. */
static inline int sharecord_map(struct sharecord_system *system, int flags, unsigned char **base, uint64_t *size) {
  void *mapped = MapViewOfFile(system->section, sharecord_rights(flags), 0, 0, 0);
  if (mapped == NULL) return sharecord_system_error();
  MEMORY_BASIC_INFORMATION region;
  int status = SHARECORD_OK;
  if (VirtualQuery(mapped, &region, sizeof region) == 0) status = sharecord_system_error();
  else if (region.State != MEM_COMMIT) status = SHARECORD_UNSUPPORTED; /* touching reserved pages ends the process */
  else if (region.RegionSize < SHARECORD_FIXED_LENGTH) status = SHARECORD_FOREIGN;
  else if (!(flags & SHARECORD_ANY_OWNER) && sharecord_is_foreign(system->section)) status = SHARECORD_DENIED;
  if (status != SHARECORD_OK) {
    UnmapViewOfFile(mapped);
    return status;
  }
  *base = mapped;
  *size = region.RegionSize;
  return SHARECORD_OK;
}

/* Maps the page with the words that a waiting reader writes; NULL if not permitted. */
static inline unsigned char *sharecord_map_control(const struct sharecord_system *system) {
  if (!sharecord_has_name(system)) return NULL; /* and nobody could tell where its bell is */
  HANDLE section = OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, system->name);
  if (section == NULL) return NULL;
  /* MAPPED: a page, as each section has. A view keeps the memory of its section (MapViewOfFile). */
  void *control = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, SHARECORD_CONTROL_LENGTH);
  CloseHandle(section);
  return control;
}

static inline void sharecord_unmap(unsigned char *base, uint64_t size) {
  (void)size;
  UnmapViewOfFile(base);
}

/* Gives up the section and every lock. */
static inline void sharecord_let_go(struct sharecord_system *system) {
  sharecord_unlock_byte(system, 0);
  sharecord_unlock_byte(system, SHARECORD_GATE);
  if (system->bell != NULL) CloseHandle(system->bell);
  if (system->section != NULL) CloseHandle(system->section);
  system->section = system->bell = NULL;
}

/* ---- the doorbell: bit n of `listeners` tells that listener n has an event ---- */

static inline void sharecord_ring(const struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  wchar_t name[SHARECORD_OBJECT_NAME_UNITS];
  uint32_t present = *listeners;
  for (unsigned listener = 0; listener < SHARECORD_LISTENERS; listener++) {
    if (!(present >> listener & 1)) continue;
    /* The bit of a listener that died stays until another takes its number: its event is gone, and nobody misses it. */
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE, sharecord_object_name(system, L"bell", listener, name));
    if (event == NULL) continue;
    SetEvent(event);
    CloseHandle(event);
  }
}

/* Makes the event of a listener; NULL if that number is taken. */
static inline HANDLE sharecord_make_bell(const struct sharecord_system *system, unsigned listener) {
  wchar_t name[SHARECORD_OBJECT_NAME_UNITS];
  SECURITY_ATTRIBUTES security = {sizeof security, sharecord_own_descriptor(), FALSE};
  if (security.lpSecurityDescriptor == NULL) return NULL;
  /* PLATFORM: an auto-reset event stays set until one wait has seen it: a ring before the wait is not lost (CreateEventW). */
  HANDLE event = CreateEventW(&security, FALSE, FALSE, sharecord_object_name(system, L"bell", listener, name));
  bool existed = GetLastError() == ERROR_ALREADY_EXISTS;
  LocalFree(security.lpSecurityDescriptor);
  if (event == NULL || !existed) return event;
  CloseHandle(event);
  return NULL;
}

/* Begins or goes on to listen; false where the bell cannot be heard. */
static inline bool sharecord_hear(struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  if (!sharecord_has_name(system)) return false;
  for (unsigned at = 0; system->bell == NULL && at < SHARECORD_LISTENERS; at++) {
    system->bell = sharecord_make_bell(system, at);
    if (system->bell == NULL) continue;
    system->listener = at;
    atomic_fetch_or(listeners, (uint32_t)1 << at);
  }
  return system->bell != NULL;
}

/* Forgets the rings so far. */
static inline void sharecord_forget_rings(struct sharecord_system *system) {
  if (system->bell != NULL) ResetEvent(system->bell);
}

/* Sleeps until a ring, for `timeout_ms` at most. */
static inline void sharecord_await_ring(struct sharecord_system *system, int timeout_ms) {
  if (system->bell != NULL) WaitForSingleObject(system->bell, (DWORD)timeout_ms);
  else Sleep((DWORD)timeout_ms);
}

static inline void sharecord_stop_hearing(struct sharecord_system *system, _Atomic(uint32_t) *listeners) {
  if (system->bell != NULL) atomic_fetch_and(listeners, ~((uint32_t)1 << system->listener));
}

#endif
