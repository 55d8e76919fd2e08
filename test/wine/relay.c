/* Runs a Windows program under Wine with Windows pipes as its standard streams, and copies their bytes to and from this
 * program's own. Node ends at once ("open EBADF") when Wine hands it a pipe of the Unix side, and every test runner uses
 * pipes. The program ends with this one. Status: that of the program; 134 after a crash, whose code goes to stderr;
 * 125 and 126 when it cannot be started.   usage: relay.exe PROGRAM ARGUMENTS... */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

enum { PIPE_SIZE = 1 << 16, LAST_OUTPUT_MS = 3000, CANNOT_PREPARE = 125, CANNOT_START = 126, CRASHED = 134 };

struct stream {
  HANDLE source, sink;
};

/* Copies until the source ends or the sink refuses, then closes the sink so that its reader sees the end. */
static DWORD WINAPI pump(void *argument) {
  struct stream *stream = argument;
  char *chunk = HeapAlloc(GetProcessHeap(), 0, PIPE_SIZE);
  DWORD length;
  while (chunk && ReadFile(stream->source, chunk, PIPE_SIZE, &length, NULL) && length > 0) {
    DWORD at = 0, written;
    while (at < length && WriteFile(stream->sink, chunk + at, length - at, &written, NULL)) at += written;
    if (at < length) break;
  }
  CloseHandle(stream->sink);
  return 0;
}

static HANDLE start(struct stream *stream) { return CreateThread(NULL, 0, pump, stream, 0, NULL); }

/* What follows the first word of a command line, quotes and all. */
static wchar_t *behind_first_word(wchar_t *line) {
  wchar_t end = L' ';
  if (*line == L'"') {
    end = L'"';
    line++;
  }
  while (*line && *line != end) line++;
  if (*line) line++;
  while (*line == L' ') line++;
  return line;
}

int wmain(void) {
  /* Wine starts its desktop with the first program that has to do with windows, and lets it inherit what that has open: it
   * would keep the pipes of a test runner open. Started from here, it inherits nothing. */
  const DWORD own[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  for (int i = 0; i < 3; i++) SetHandleInformation(GetStdHandle(own[i]), HANDLE_FLAG_INHERIT, 0);
  GetDesktopWindow();

  HANDLE in_read, in_write, out_read, out_write, error_read, error_write;
  if (!CreatePipe(&in_read, &in_write, NULL, PIPE_SIZE) || !CreatePipe(&out_read, &out_write, NULL, PIPE_SIZE) ||
      !CreatePipe(&error_read, &error_write, NULL, PIPE_SIZE))
    return CANNOT_PREPARE;
  STARTUPINFOW startup = {.cb = sizeof startup,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdInput = in_read,
                          .hStdOutput = out_write,
                          .hStdError = error_write};
  HANDLE given[] = {in_read, out_write, error_write};
  for (int i = 0; i < 3; i++) SetHandleInformation(given[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);

  /* The job's last handle is this process's: its end, however it comes, ends the program too. */
  HANDLE job = CreateJobObjectW(NULL, NULL);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

  wchar_t *command = _wcsdup(behind_first_word(GetCommandLineW()));
  PROCESS_INFORMATION program;
  if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &program)) {
    fprintf(stderr, "relay: cannot start (error %lu): %ls\n", GetLastError(), command);
    return CANNOT_START;
  }
  AssignProcessToJobObject(job, program.hProcess);
  for (int i = 0; i < 3; i++) CloseHandle(given[i]);
  ResumeThread(program.hThread);

  HANDLE own_error = GetStdHandle(STD_ERROR_HANDLE), error_copy = own_error;
  DuplicateHandle(GetCurrentProcess(), own_error, GetCurrentProcess(), &error_copy, 0, FALSE, DUPLICATE_SAME_ACCESS);
  struct stream input = {GetStdHandle(STD_INPUT_HANDLE), in_write};
  struct stream output = {out_read, GetStdHandle(STD_OUTPUT_HANDLE)};
  struct stream errors = {error_read, own_error};
  CloseHandle(start(&input));
  HANDLE outputs[] = {start(&output), start(&errors)};

  DWORD code = CRASHED;
  WaitForSingleObject(program.hProcess, INFINITE);
  GetExitCodeProcess(program.hProcess, &code);
  /* What the program's own children still write is waited for, but not for ever. */
  WaitForMultipleObjects(2, outputs, TRUE, LAST_OUTPUT_MS);
  if (code > 0xff) {
    char line[64];
    DWORD written;
    int length = snprintf(line, sizeof line, "relay: the program crashed with 0x%08lX\n", code);
    WriteFile(error_copy, line, length, &written, NULL);
    code = CRASHED;
  }
  ExitProcess(code);
}
