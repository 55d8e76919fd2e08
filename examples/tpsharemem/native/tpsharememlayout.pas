// 512 bytes on linux64, layout digest c0410c1e1e6bfd7a893bc80c36224c48
unit TPShareMemLayout;
{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
interface
type
  TPShareMem = packed record
    Data: packed array[0..255] of WideChar; // utf-16, may fill the field
  end;
{$IF SizeOf(TPShareMem) <> 512}{$MESSAGE ERROR 'size of TPShareMem'}{$IFEND}
implementation
end.
