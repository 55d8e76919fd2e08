/* A native side of the zones on Windows, as published: 4096 bytes of the page file, both windows' handles in the memory, and
 * WM_USER + 999 (server to client) and WM_USER + 998 (client to server), posted. zones.h has the arguments.
 * Build: x86_64-w64-mingw32-gcc -o zones.exe examples/zones/native/zones-windows.c */
#include "zones.h"

#include <windows.h>

#define WM_TYPED WM_APP
#define WM_ENDED (WM_APP + 1)

static struct zones zones;
static HWND window;
static const char *other_title;

static UINT message_of(bool server) { return WM_USER + (server ? 999 : 998); }

static void tell(void) {
  HWND other = (HWND)(LONG_PTR)handles_at(&zones)[zones.is_server ? 1 : 0];
  if (!IsWindow(other)) other = FindWindowA(NULL, other_title);
  if (!other || !PostMessageA(other, message_of(zones.is_server), 0, 0)) puts("nobody is there");
}

static LRESULT CALLBACK procedure(HWND own, UINT message, WPARAM wparam, LPARAM lparam) {
  if (message == message_of(!zones.is_server)) return zones_show(&zones), 0;
  if (message == WM_TYPED) {
    zones_write(&zones, (char *)lparam);
    free((char *)lparam);
    tell();
    return 0;
  }
  if (message == WM_ENDED) PostQuitMessage(0);
  return DefWindowProcA(own, message, wparam, lparam);
}

/* Brings lines of standard input to the window's thread. */
static DWORD WINAPI read_lines(void *unused) {
  static char line[LINE_BYTES];
  (void)unused;
  while (fgets(line, sizeof line, stdin)) PostMessageA(window, WM_TYPED, 0, (LPARAM)_strdup(line));
  PostMessageA(window, WM_ENDED, 0, 0);
  return 0;
}

int main(int count, char **args) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (!zones_parse(&zones, count, args)) return 2;
  HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, MEMORY_SIZE, args[2]);
  zones.memory = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
  if (!zones.memory) return printf("error MapViewOfFile %lu\n", GetLastError()), 1;
  WNDCLASSEXA class = {.cbSize = sizeof class, .lpfnWndProc = procedure, .lpszClassName = "Zones"};
  RegisterClassExA(&class);
  other_title = args[zones.is_server ? 8 : 7];
  window = CreateWindowExA(0, class.lpszClassName, args[zones.is_server ? 7 : 8], 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL);
  if (!window) return printf("error CreateWindowExA %lu\n", GetLastError()), 1;
  handles_at(&zones)[zones.is_server ? 0 : 1] = (int32_t)(LONG_PTR)window;
  printf("%s is ready\n", args[1]);
  CloseHandle(CreateThread(NULL, 0, read_lines, NULL, 0, NULL));
  MSG received;
  while (GetMessageA(&received, NULL, 0, 0) > 0) DispatchMessageA(&received);
  return 0;
}
