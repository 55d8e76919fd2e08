/* A native peer of the text board on Windows, which does what the original does: CreateFileMapping, 183 means joined, a
 * registered message posted to all windows, wParam being the sender's own window. Like the original it takes no lock, unless
 * --lock is given. Build: x86_64-w64-mingw32-gcc -municode -o board.exe examples/text-board/native/board-windows.c
 *
 *   board NAME MESSAGE [--lock]             each line of standard input becomes the text; prints each change by a peer
 *   board NAME MESSAGE [--lock] --hammer    writes two long texts in turn until its input ends */
#include <stdbool.h>
#include <stdio.h>
#include <windows.h>

#define UNITS (4 * 1024)
#define WM_TYPED WM_APP
#define WM_ENDED (WM_APP + 1)

static volatile wchar_t *board;
static HANDLE mutex;
static HWND window;
static UINT changed;
static volatile LONG input_ended;

static void lock(void) {
  if (mutex && WaitForSingleObject(mutex, 10000) == WAIT_TIMEOUT) ExitProcess(3);
}
static void unlock(void) {
  if (mutex) ReleaseMutex(mutex);
}

/* Copies up to and with the terminator, one unit after the other, as lstrcpy does. */
static void copy_text(volatile wchar_t *to, const volatile wchar_t *from) {
  int at = 0;
  while (at < UNITS - 1 && (to[at] = from[at]) != 0) at++;
  to[at] = 0;
}

static void show(void) {
  wchar_t text[UNITS];
  char line[4 * UNITS] = "";
  lock();
  copy_text(text, board);
  unlock();
  WideCharToMultiByte(CP_UTF8, 0, text, -1, line, sizeof line, NULL, NULL);
  printf("board: %s\n", line);
}

static void type(const wchar_t *text) {
  lock();
  copy_text(board, text);
  unlock();
  PostMessageW(HWND_BROADCAST, changed, (WPARAM)window, 0);
}

static LRESULT CALLBACK procedure(HWND own, UINT message, WPARAM wparam, LPARAM lparam) {
  if (message == changed && changed != 0) {
    if ((HWND)wparam != own) show();
    return 0;
  }
  if (message == WM_TYPED) {
    type((const wchar_t *)lparam);
    HeapFree(GetProcessHeap(), 0, (void *)lparam);
    return 0;
  }
  if (message == WM_ENDED) PostQuitMessage(0);
  return DefWindowProcW(own, message, wparam, lparam);
}

/* Brings lines of standard input to the window's thread. */
static DWORD WINAPI read_lines(void *unused) {
  static char line[4 * UNITS];
  (void)unused;
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\r\n")] = 0;
    wchar_t *text = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof line * sizeof *text);
    MultiByteToWideChar(CP_UTF8, 0, line, -1, text, sizeof line);
    PostMessageW(window, WM_TYPED, 0, (LPARAM)text);
  }
  InterlockedExchange(&input_ended, 1);
  if (window) PostMessageW(window, WM_ENDED, 0, 0);
  return 0;
}

static void hammer(void) {
  static wchar_t text[2][UNITS];
  for (int at = 0; at < UNITS - 1; at++) text[0][at] = 'A', text[1][at] = 'B';
  puts("hammering");
  for (unsigned round = 0; !input_ended; round++) {
    lock();
    copy_text(board, text[round % 2]);
    unlock();
    Sleep(1);
  }
}

static int follow(const wchar_t *message, bool created) {
  WNDCLASSEXW class = {.cbSize = sizeof class, .lpfnWndProc = procedure, .lpszClassName = L"TextBoard"};
  changed = RegisterWindowMessageW(message);
  RegisterClassExW(&class);
  window = CreateWindowExW(0, class.lpszClassName, L"text board", 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL);
  if (!window) return printf("error CreateWindowExW %lu\n", GetLastError()), 1;
  puts(created ? "created the board" : "joined the board");
  if (!created) show();
  CloseHandle(CreateThread(NULL, 0, read_lines, NULL, 0, NULL));
  MSG received;
  while (GetMessageW(&received, NULL, 0, 0) > 0) DispatchMessageW(&received);
  return 0;
}

int wmain(int count, wchar_t **args) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (count < 3) return fputs("usage: board NAME MESSAGE [--lock] [--hammer]\n", stderr), 2;
  bool takes_lock = false, hammers = false;
  for (int at = 3; at < count; at++) {
    if (wcscmp(args[at], L"--lock") == 0) takes_lock = true;
    if (wcscmp(args[at], L"--hammer") == 0) hammers = true;
  }
  HANDLE section =
      CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, UNITS * sizeof(wchar_t), args[1]);
  bool created = GetLastError() != ERROR_ALREADY_EXISTS;
  board = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
  if (!board) return printf("error MapViewOfFile %lu\n", GetLastError()), 1;
  if (takes_lock) {
    wchar_t name[256];
    _snwprintf(name, 255, L"%ls.lock", args[1]);
    mutex = CreateMutexW(NULL, FALSE, name);
  }
  if (!hammers) return follow(args[2], created);
  CloseHandle(CreateThread(NULL, 0, read_lines, NULL, 0, NULL));
  hammer();
  return 0;
}
