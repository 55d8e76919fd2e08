/* A Windows program beside the tests, compiled by mingw: it knows the library's segments and windows by the system's own
 * calls alone. Prints one line per result and "ready" when it waits; waiting ends with the end of its input.
 *   post TITLE MESSAGE WPARAM LPARAM      finds a window and posts to it
 *   broadcast NAME WPARAM LPARAM          posts a registered message to all windows
 *   window TITLE [NAME]                   has a window; prints what is posted to it, NAME being a registered message
 *   hold-mutex NAME                       takes a mutex and keeps it until it is ended or its input ends
 *   add NAME MUTEX COUNT                  adds 1, COUNT times, to the first word of memory that exists, under the mutex; - is none
 *   map NAME SIZE TEXT                    makes memory that starts with the text, and waits
 *   squat NAME SDDL SIZE                  makes memory with these rights, or with size 0 a mutex, and waits
 *   read NAME                             prints the text that named memory starts with
 *   read-handle HANDLE                    the same by the number of a handle that this process has */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include <sddl.h>

static UINT registered;

static int fail(const char *call) {
  printf("error %s %lu\n", call, GetLastError());
  return 1;
}

static DWORD WINAPI wait_for_end(void *window) {
  while (getchar() != EOF) continue;
  if (window) PostMessageW(window, WM_CLOSE, 0, 0);
  return 0;
}

static void wait_until_end(void) {
  puts("ready");
  wait_for_end(NULL);
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam) {
  if (message >= WM_USER && (message < 0xC000 || message == registered))
    printf("message %u %llu %lld\n", message, (unsigned long long)wparam, (long long)lparam);
  if (message == WM_DESTROY) PostQuitMessage(0);
  return DefWindowProcW(window, message, wparam, lparam);
}

static int have_window(const wchar_t *title, const wchar_t *name) {
  WNDCLASSEXW class = {.cbSize = sizeof class, .lpfnWndProc = procedure, .lpszClassName = L"SharecordPeer"};
  RegisterClassExW(&class);
  HWND window = CreateWindowExW(0, class.lpszClassName, title, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL);
  if (!window) return fail("CreateWindowExW");
  if (name) registered = RegisterWindowMessageW(name);
  CloseHandle(CreateThread(NULL, 0, wait_for_end, window, 0, NULL));
  printf("handle %lld\nready\n", (long long)(LONG_PTR)window);
  MSG message;
  while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  return 0;
}

static int print_text(HANDLE section) {
  const char *text = section ? MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0) : NULL;
  if (!text) return fail("MapViewOfFile");
  printf("text %s\n", text);
  return 0;
}

int wmain(int count, wchar_t **args) {
  setvbuf(stdout, NULL, _IONBF, 0);
  const wchar_t *role = count > 2 ? args[1] : L"";
  if (!wcscmp(role, L"post") && count == 6) {
    HWND window = FindWindowW(NULL, args[2]);
    if (!window || !PostMessageW(window, wcstoul(args[3], NULL, 10), wcstoull(args[4], NULL, 10), _wtoi64(args[5])))
      return fail("PostMessageW");
    puts("posted");
    return 0;
  }
  if (!wcscmp(role, L"broadcast") && count == 5) {
    if (!PostMessageW(HWND_BROADCAST, RegisterWindowMessageW(args[2]), wcstoull(args[3], NULL, 10), _wtoi64(args[4])))
      return fail("PostMessageW");
    puts("posted");
    return 0;
  }
  if (!wcscmp(role, L"window")) return have_window(args[2], count > 3 ? args[3] : NULL);
  if (!wcscmp(role, L"hold-mutex")) {
    HANDLE mutex = CreateMutexW(NULL, FALSE, args[2]);
    DWORD answer = mutex ? WaitForSingleObject(mutex, INFINITE) : WAIT_FAILED;
    if (answer == WAIT_FAILED) return fail("WaitForSingleObject");
    puts(answer == WAIT_ABANDONED ? "abandoned" : "taken");
    wait_until_end();
    return !ReleaseMutex(mutex);
  }
  if (!wcscmp(role, L"add") && count == 5) {
    HANDLE section = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, args[2]);
    volatile DWORD *word = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
    HANDLE mutex = wcscmp(args[3], L"-") ? CreateMutexW(NULL, FALSE, args[3]) : NULL;
    if (!word) return fail("MapViewOfFile");
    wait_until_end();
    for (DWORD left = wcstoul(args[4], NULL, 10); left > 0; left--) {
      if (mutex && WaitForSingleObject(mutex, INFINITE) != WAIT_OBJECT_0) return fail("WaitForSingleObject");
      DWORD seen = *word;
      if (!mutex && left % 64 == 0) SwitchToThread();
      *word = seen + 1;
      if (mutex && !ReleaseMutex(mutex)) return fail("ReleaseMutex");
    }
    puts("added");
    return 0;
  }
  if (!wcscmp(role, L"map") && count == 5) {
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, wcstoul(args[3], NULL, 10), args[2]);
    char *text = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0) : NULL;
    if (!text) return fail("MapViewOfFile");
    sprintf(text, "%ls", args[4]);
    wait_until_end();
    printf("text %s\n", text);
    return 0;
  }
  if (!wcscmp(role, L"squat") && count == 5) {
    SECURITY_ATTRIBUTES rights = {.nLength = sizeof rights};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(args[3], SDDL_REVISION_1, &rights.lpSecurityDescriptor, NULL))
      return fail("ConvertStringSecurityDescriptorToSecurityDescriptorW");
    DWORD size = wcstoul(args[4], NULL, 10);
    if (size == 0 ? !CreateMutexW(&rights, FALSE, args[2])
                  : !CreateFileMappingW(INVALID_HANDLE_VALUE, &rights, PAGE_READWRITE, 0, size, args[2]))
      return fail("squat");
    wait_until_end();
    return 0;
  }
  if (!wcscmp(role, L"read")) return print_text(OpenFileMappingW(FILE_MAP_READ, FALSE, args[2]));
  if (!wcscmp(role, L"read-handle")) {
    /* The number comes by standard input, since this process must exist before a handle can be made for it. */
    char line[32];
    puts("ready");
    return fgets(line, sizeof line, stdin) ? print_text((HANDLE)(LONG_PTR)atoll(line)) : 1;
  }
  fprintf(stderr, "unknown role\n");
  return 2;
}
