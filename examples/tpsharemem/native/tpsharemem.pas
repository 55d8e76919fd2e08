{ A native sender or receiver of TPShareMem, for Free Pascal, with the habits of the original: the receiver needs memory that is
  there and clears it, the sender copies Length(str) * SizeOf(Char) bytes and no terminator, both keep the mutex for as long as
  they run and take a time-out for success. --polite takes it around each access instead, and tells what the wait gave.
  Lines of standard input are sent, in UTF-8, or with --ansi as they are; what is received is printed likewise.

    tpsharemem sender|receiver MAP MUTEX TITLE [--ansi] [--polite] [--half] [--keep]

  --half copies Length(str) bytes only, --keep lets the receiver clear nothing. It ends with its input. }
program Peer;
{$mode delphi}{$H+}

uses
  Sharing, TPShareMemLayout, TPShareMemAnsiLayout;

type
  PWide = ^TPShareMem;
  PAnsi = ^TPShareMemAnsi;

const
  WaitNames: array[TWait] of RawByteString = ('taken', 'abandoned', 'timeout', 'failed');

var
  Memory: Pointer;
  Size: PtrUInt;
  Ansi, Polite, Half, Keep: Boolean;

procedure Take;
var
  Answer: TWait;
begin
  if not Polite then Exit;
  Answer := TakeMutex(1000);
  if Answer <> wTaken then Print('mutex ' + WaitNames[Answer]);
  if Answer >= wTimeout then Halt(3);
end;

procedure Give;
begin
  if Polite then GiveMutex;
end;

procedure CopyIn(const Chars; Length, SizeOfChar: PtrUInt);
var
  Bytes: PtrUInt;
begin
  Bytes := Length * SizeOfChar;
  if Half then Bytes := Length;
  if Bytes > Size then Bytes := Size;
  Move(Chars, Memory^, Bytes);
end;

procedure Send(const Line: RawByteString);
var
  Wide: UnicodeString;
begin
  Take;
  if Ansi then
    CopyIn(PAnsiChar(Line)^, Length(Line), SizeOf(AnsiChar))
  else begin
    Wide := UTF8Decode(Line);
    CopyIn(PWideChar(Wide)^, Length(Wide), SizeOf(WideChar));
  end;
  Give;
  if not Tell(ParamStr(4)) then Print('no window');
end;

function TextOf: RawByteString;
var
  Wide: UnicodeString;
  Count: Integer;
begin
  Count := 0;
  if Ansi then begin
    while (Count < 256) and (PAnsi(Memory)^.Data[Count] <> #0) do Inc(Count);
    SetString(Result, PAnsiChar(Memory), Count);
  end else begin
    while (Count < 256) and (PWide(Memory)^.Data[Count] <> #0) do Inc(Count);
    SetString(Wide, PWideChar(Memory), Count);
    Result := UTF8Encode(Wide);
    { From here on they are bytes: a concatenation must not convert them. }
    SetCodePage(Result, DefaultSystemCodePage, False);
  end;
end;

procedure Show;
var
  Text: RawByteString;
begin
  Take;
  Text := TextOf;
  if not Keep then FillChar(Memory^, Size, 0);
  Give;
  if Text <> '' then Print('Data: ' + Text);
end;

var
  At: Integer;
  Line: RawByteString;
  Receives: Boolean;
begin
  Receives := ParamStr(1) = 'receiver';
  for At := 5 to ParamCount do begin
    if ParamStr(At) = '--ansi' then Ansi := True;
    if ParamStr(At) = '--polite' then Polite := True;
    if ParamStr(At) = '--half' then Half := True;
    if ParamStr(At) = '--keep' then Keep := True;
  end;
  if Ansi then Size := SizeOf(TPShareMemAnsi) else Size := SizeOf(TPShareMem);
  Memory := OpenMemory(ParamStr(2), Size, Receives);
  if Memory = nil then begin
    Print('error ' + LastCode);
    Halt(1);
  end;
  OpenMutex(ParamStr(3));
  if not Polite then Print('mutex ' + WaitNames[TakeMutex(1000)]);
  if Receives then begin
    if not Keep then FillChar(Memory^, Size, 0);
    OpenWindow(ParamStr(4));
    Print('ready to receive');
    while WaitForNotice do Show;
  end else begin
    Print('ready to send');
    while ReadLine(Line) do Send(Line);
  end;
  Leave;
end.
