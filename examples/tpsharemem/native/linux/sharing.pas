{ What tpsharemem.pas needs of the system, on Linux: shared memory of POSIX, whose users are counted as docs/segment-format.md
  says; a robust mutex of the C library in memory of the mutex's name; a touch of the memory's file as the notice. }
unit Sharing;
{$mode delphi}{$H+}
{$linklib c}

interface

type
  TWait = (wTaken, wAbandoned, wTimeout, wFailed);

function OpenMemory(const Name: RawByteString; Size: PtrUInt; MustExist: Boolean): Pointer;
function LastCode: RawByteString;
procedure OpenMutex(const Name: RawByteString);
function TakeMutex(Milliseconds: Cardinal): TWait;
procedure GiveMutex;
procedure OpenWindow(const Title: RawByteString);
{ Rings; nobody knows who listens. }
function Tell(const Title: RawByteString): Boolean;
{ Waits for a notice; false at the end of the input. }
function WaitForNotice: Boolean;
function ReadLine(out Line: RawByteString): Boolean;
procedure Print(const Line: RawByteString);
procedure Leave;

implementation

uses
  BaseUnix, Unix, Linux;

const
  F_WRLCK = 1;
  F_UNLCK = 2;
  F_OFD_SETLK = 37;
  Users = 256;
  Gate = 256;
  O_TMPFILE = &20200000;
  O_CLOEXEC = &2000000;
  AT_FDCWD = -100;
  AT_SYMLINK_FOLLOW = $400;
  MutexSize = 40;
  { Behind a mutex that its last user removes; one without stays for the program that made it. }
  Tag: array[0..7] of AnsiChar = 'SHAREMTX';

type
  TSegment = record
    Path: RawByteString;
    Descriptor, User: cint;
    Bytes: Pointer;
    Size: PtrUInt;
    KeepsName: Boolean;
  end;

function linkat(OldFolder: cint; OldPath: PAnsiChar; NewFolder: cint; NewPath: PAnsiChar; Flags: cint): cint; cdecl; external;
function futimens(Descriptor: cint; Times: Pointer): cint; cdecl; external;
function pthread_mutexattr_init(Attributes: Pointer): cint; cdecl; external;
function pthread_mutexattr_setpshared(Attributes: Pointer; Value: cint): cint; cdecl; external;
function pthread_mutexattr_setrobust(Attributes: Pointer; Value: cint): cint; cdecl; external;
function pthread_mutex_init(Mutex, Attributes: Pointer): cint; cdecl; external;
function pthread_mutex_timedlock(Mutex: Pointer; Until_: PTimeSpec): cint; cdecl; external;
function pthread_mutex_consistent(Mutex: Pointer): cint; cdecl; external;
function pthread_mutex_unlock(Mutex: Pointer): cint; cdecl; external;

var
  Memory, Mutex: TSegment;
  Bell: cint;

function LockBytes(Descriptor, Kind, First: cint; Count: Integer = 1): Boolean;
var
  Lock: FLock;
begin
  FillChar(Lock, SizeOf(Lock), 0);
  Lock.l_type := Kind;
  Lock.l_whence := SEEK_SET;
  Lock.l_start := First;
  Lock.l_len := Count;
  Result := FpFcntl(Descriptor, F_OFD_SETLK, Lock) = 0;
end;

procedure EnterGate(Descriptor: cint);
begin
  while not LockBytes(Descriptor, F_WRLCK, Gate) do FpSleep(0);
end;

procedure BecomeUser(var Segment: TSegment);
begin
  Segment.User := 0;
  while (Segment.User < Users) and not LockBytes(Segment.Descriptor, F_WRLCK, Segment.User) do Inc(Segment.User);
end;

function OwnPath(Descriptor: cint): RawByteString;
var
  Digits: ShortString;
begin
  Str(Descriptor, Digits);
  Result := '/proc/self/fd/' + Digits;
end;

function IsNamed(const Segment: TSegment): Boolean;
var
  Named, Own: Stat;
begin
  Result := (FpStat(Segment.Path, Named) = 0) and (FpFStat(Segment.Descriptor, Own) = 0) and (Named.st_ino = Own.st_ino);
end;

{ The description that holds the locks is not the one that is mapped. }
procedure Map(var Segment: TSegment);
var
  Other: cint;
begin
  Other := FpOpen(OwnPath(Segment.Descriptor), O_RDWR or O_CLOEXEC);
  Segment.Bytes := FpMmap(nil, Segment.Size, PROT_READ or PROT_WRITE, MAP_SHARED, Other, 0);
  FpClose(Other);
end;

procedure PrepareMutex(Bytes: Pointer);
var
  Attributes: array[0..63] of Byte;
begin
  pthread_mutexattr_init(@Attributes);
  pthread_mutexattr_setpshared(@Attributes, 1);
  pthread_mutexattr_setrobust(@Attributes, 1);
  pthread_mutex_init(Bytes, @Attributes);
  Move(Tag, (Bytes + MutexSize)^, SizeOf(Tag));
end;

function TryOpen(var Segment: TSegment): Boolean;
var
  Own: Stat;
begin
  Segment.Descriptor := FpOpen(Segment.Path, O_RDWR or O_CLOEXEC);
  if Segment.Descriptor < 0 then Exit(False);
  if (FpFStat(Segment.Descriptor, Own) <> 0) or (PtrUInt(Own.st_size) < Segment.Size) then begin
    FpClose(Segment.Descriptor);
    fpSetErrno(ESysEOVERFLOW);
    Exit(False);
  end;
  Segment.Size := Own.st_size;
  EnterGate(Segment.Descriptor);
  Result := IsNamed(Segment);
  if Result then BecomeUser(Segment);
  LockBytes(Segment.Descriptor, F_UNLCK, Gate);
  if Result then Map(Segment) else begin
    FpClose(Segment.Descriptor);
    fpSetErrno(ESysENOENT);
  end;
end;

{ The file gets its name when it is complete. }
function TryCreate(var Segment: TSegment; IsMutex: Boolean): Boolean;
begin
  if IsMutex then Segment.Size := MutexSize + SizeOf(Tag);
  Segment.Descriptor := FpOpen('/dev/shm', O_TMPFILE or O_RDWR or O_CLOEXEC, &600);
  FpFtruncate(Segment.Descriptor, Segment.Size);
  BecomeUser(Segment);
  Map(Segment);
  if IsMutex then PrepareMutex(Segment.Bytes);
  Result := linkat(AT_FDCWD, PAnsiChar(OwnPath(Segment.Descriptor)), AT_FDCWD, PAnsiChar(Segment.Path), AT_SYMLINK_FOLLOW) = 0;
  if Result then Exit;
  FpMunmap(Segment.Bytes, Segment.Size);
  FpClose(Segment.Descriptor);
end;

function Open(var Segment: TSegment; const Name: RawByteString; Size: PtrUInt; MustExist, IsMutex: Boolean): Boolean;
begin
  Segment.Path := '/dev/shm/' + Name;
  Segment.KeepsName := False;
  repeat
    Segment.Size := Size;
    if TryOpen(Segment) then Exit(True);
    if MustExist or (fpGetErrno <> ESysENOENT) then Exit(False);
    if TryCreate(Segment, IsMutex) then Exit(True);
  until False;
end;

procedure Close(var Segment: TSegment);
begin
  EnterGate(Segment.Descriptor);
  LockBytes(Segment.Descriptor, F_UNLCK, Segment.User);
  { Nobody else holds a byte, if all of them can be taken at once. }
  if LockBytes(Segment.Descriptor, F_WRLCK, 0, Users) and IsNamed(Segment) and not Segment.KeepsName then
    FpUnlink(Segment.Path);
  FpMunmap(Segment.Bytes, Segment.Size);
  FpClose(Segment.Descriptor);
end;

function OpenMemory(const Name: RawByteString; Size: PtrUInt; MustExist: Boolean): Pointer;
begin
  Result := nil;
  if Open(Memory, Name, Size, MustExist, False) then Result := Memory.Bytes;
end;

function LastCode: RawByteString;
var
  Digits: ShortString;
begin
  Str(fpGetErrno, Digits);
  Result := Digits;
end;

procedure OpenMutex(const Name: RawByteString);
begin
  Open(Mutex, Name, MutexSize, False, True);
  Mutex.KeepsName := (Mutex.Size < MutexSize + SizeOf(Tag)) or
    (CompareByte((Mutex.Bytes + MutexSize)^, Tag, SizeOf(Tag)) <> 0);
end;

function TakeMutex(Milliseconds: Cardinal): TWait;
var
  Until_: TTimeSpec;
begin
  clock_gettime(CLOCK_REALTIME, @Until_);
  Until_.tv_sec := Until_.tv_sec + Milliseconds div 1000;
  case pthread_mutex_timedlock(Mutex.Bytes, @Until_) of
    0: Result := wTaken;
    ESysEOWNERDEAD: begin
      pthread_mutex_consistent(Mutex.Bytes);
      Result := wAbandoned;
    end;
    ESysETIMEDOUT: Result := wTimeout;
  else
    Result := wFailed;
  end;
end;

procedure GiveMutex;
begin
  pthread_mutex_unlock(Mutex.Bytes);
end;

procedure OpenWindow(const Title: RawByteString);
begin
  Bell := inotify_init;
  inotify_add_watch(Bell, PAnsiChar(Memory.Path), IN_ATTRIB);
end;

function Tell(const Title: RawByteString): Boolean;
begin
  Result := futimens(Memory.Descriptor, nil) = 0;
end;

function WaitForNotice: Boolean;
var
  Waits: array[0..1] of TPollFd;
  Bytes: array[0..4095] of Byte;
begin
  Waits[0].fd := 0;
  Waits[0].events := POLLIN;
  Waits[1].fd := Bell;
  Waits[1].events := POLLIN;
  repeat
    FpPoll(@Waits, 2, -1);
    if (Waits[0].revents <> 0) and (FpRead(0, Bytes, SizeOf(Bytes)) <= 0) then Exit(False);
  until Waits[1].revents <> 0;
  FpRead(Bell, Bytes, SizeOf(Bytes));
  Result := True;
end;

function ReadLine(out Line: RawByteString): Boolean;
var
  One: AnsiChar;
begin
  Line := '';
  repeat
    if FpRead(0, One, 1) <= 0 then Exit(False);
    if One = #10 then Exit(True);
    Line := Line + One;
  until False;
end;

procedure Print(const Line: RawByteString);
var
  Text: RawByteString;
begin
  Text := Line + #10;
  FpWrite(1, Text[1], Length(Text));
end;

procedure Leave;
begin
  GiveMutex;
  Close(Mutex);
  Close(Memory);
end;

end.
