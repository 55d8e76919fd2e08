{ What tpsharemem.pas needs of the system, by the calls of Windows that the original makes. A receiver posts to itself by the
  window procedure alone; a file handle of -1 means the page file. }
unit Sharing;
{$mode delphi}{$H+}

interface

type
  TWait = (wTaken, wAbandoned, wTimeout, wFailed);

function OpenMemory(const Name: RawByteString; Size: PtrUInt; MustExist: Boolean): Pointer;
function LastCode: RawByteString;
procedure OpenMutex(const Name: RawByteString);
function TakeMutex(Milliseconds: Cardinal): TWait;
procedure GiveMutex;
procedure OpenWindow(const Title: RawByteString);
{ Posts the notice; false if no window has the title. }
function Tell(const Title: RawByteString): Boolean;
{ Waits for a notice; false at the end of the input. }
function WaitForNotice: Boolean;
function ReadLine(out Line: RawByteString): Boolean;
procedure Print(const Line: RawByteString);
procedure Leave;

implementation

uses
  Windows;

const
  Notice = WM_USER + 1024;
  LParamOfText = 2;

var
  Section, Mutex: THandle;
  Window: HWND;
  IsText: Boolean;

function Wide(const Text: RawByteString): UnicodeString;
begin
  Result := UTF8Decode(Text);
end;

function OpenMemory(const Name: RawByteString; Size: PtrUInt; MustExist: Boolean): Pointer;
begin
  if MustExist then
    Section := OpenFileMappingW(FILE_MAP_WRITE, False, PWideChar(Wide(Name)))
  else
    Section := CreateFileMappingW(INVALID_HANDLE_VALUE, nil, PAGE_READWRITE, 0, Size, PWideChar(Wide(Name)));
  Result := nil;
  if Section <> 0 then Result := MapViewOfFile(Section, FILE_MAP_WRITE, 0, 0, Size);
end;

function LastCode: RawByteString;
var
  Digits: ShortString;
begin
  Str(GetLastError, Digits);
  Result := Digits;
end;

procedure OpenMutex(const Name: RawByteString);
begin
  Mutex := CreateMutexW(nil, False, PWideChar(Wide(Name)));
end;

function TakeMutex(Milliseconds: Cardinal): TWait;
begin
  case WaitForSingleObject(Mutex, Milliseconds) of
    WAIT_OBJECT_0: Result := wTaken;
    WAIT_ABANDONED: Result := wAbandoned;
    WAIT_TIMEOUT: Result := wTimeout;
  else
    Result := wFailed;
  end;
end;

procedure GiveMutex;
begin
  ReleaseMutex(Mutex);
end;

function Procedure_(Own: HWND; Message: UINT; W: WPARAM; L: LPARAM): LRESULT; stdcall;
begin
  if Message = Notice then begin
    if L = LParamOfText then IsText := True;
    Exit(0);
  end;
  if Message = WM_DESTROY then PostQuitMessage(0);
  Result := DefWindowProcW(Own, Message, W, L);
end;

{ Ends the window with the input. }
function WaitForEnd(Unused: Pointer): DWORD; stdcall;
var
  Bytes: array[0..255] of Byte;
  Count: DWORD;
begin
  repeat
    Count := 0;
  until not ReadFile(GetStdHandle(STD_INPUT_HANDLE), Bytes, SizeOf(Bytes), Count, nil) or (Count = 0);
  PostMessageW(Window, WM_CLOSE, 0, 0);
  Result := 0;
end;

procedure OpenWindow(const Title: RawByteString);
var
  Form: WNDCLASSW;
  Thread: DWORD;
begin
  FillChar(Form, SizeOf(Form), 0);
  Form.lpfnWndProc := @Procedure_;
  Form.lpszClassName := 'TForm2';
  RegisterClassW(Form);
  Window := CreateWindowExW(0, 'TForm2', PWideChar(Wide(Title)), 0, 0, 0, 0, 0, 0, 0, 0, nil);
  CloseHandle(CreateThread(nil, 0, @WaitForEnd, nil, 0, Thread));
end;

function WaitForNotice: Boolean;
var
  Received: TMsg;
begin
  IsText := False;
  repeat
    if not GetMessageW(@Received, 0, 0, 0) then Exit(False);
    DispatchMessageW(Received);
  until IsText;
  Result := True;
end;

function Tell(const Title: RawByteString): Boolean;
var
  Form: HWND;
begin
  Form := FindWindowW(nil, PWideChar(Wide(Title)));
  { The original posts to handle 0 as well, which posts to itself. }
  Result := (Form <> 0) and PostMessageW(Form, Notice, 1, LParamOfText);
end;

function ReadLine(out Line: RawByteString): Boolean;
var
  One: AnsiChar;
  Count: DWORD;
begin
  Line := '';
  repeat
    Count := 0;
    if not ReadFile(GetStdHandle(STD_INPUT_HANDLE), One, 1, Count, nil) or (Count = 0) then Exit(False);
    if One = #10 then Exit(True);
    if One <> #13 then Line := Line + One;
  until False;
end;

procedure Print(const Line: RawByteString);
var
  Text: RawByteString;
  Written: DWORD;
begin
  Text := Line + #10;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), Text[1], Length(Text), Written, nil);
end;

procedure Leave;
begin
  ReleaseMutex(Mutex);
  CloseHandle(Mutex);
  CloseHandle(Section);
end;

end.
