// 256 bytes on linux64, layout digest 475328dc70b7782d6ca69b284bf0b457
unit TPShareMemAnsiLayout;
{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
interface
type
  TPShareMemAnsi = packed record
    Data: packed array[0..255] of AnsiChar; // gbk, may fill the field
  end;
{$IF SizeOf(TPShareMemAnsi) <> 256}{$MESSAGE ERROR 'size of TPShareMemAnsi'}{$IFEND}
implementation
end.
