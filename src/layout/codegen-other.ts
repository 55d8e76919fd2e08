// Pascal, Python and C# source of a layout. All three state every offset, or account for every byte, so that their own rules
// of alignment have no say.
import { Names, peerRecords, type PeerMember, type PeerRecord, type PeerType } from './codegen-model.ts';
import type { StructShape } from './shape.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

// ---- Pascal: Delphi and Free Pascal

const PASCAL_RULES = {
  caseSensitive: false,
  keywords: words(
    'and array as asm begin case class const constructor destructor dispinterface div do downto else end except exports file finalization finally for function goto if implementation in inherited initialization inline interface is label library mod nil not object of or out packed procedure program property raise record repeat resourcestring set shl shr string then threadvar to try type unit until uses var while with xor byte word integer cardinal boolean double single int64 uint64 longword longint smallint shortint ansichar widechar tdatetime',
  ),
};
const PASCAL_NUMBERS = { u8: 'Byte', i8: 'ShortInt', u16: 'Word', i16: 'SmallInt', u32: 'LongWord', i32: 'LongInt', u64: 'UInt64', i64: 'Int64', f32: 'Single', f64: 'Double' } as const; // prettier-ignore

function pascalType(type: PeerType): string {
  const array = (length: number, of: string): string => `packed array[0..${length - 1}] of ${of}`;
  switch (type.kind) {
    case 'number':
      return PASCAL_NUMBERS[type.code];
    case 'boolean':
      if (type.size === 1) return type.allOnes ? 'ByteBool' : 'Boolean';
      return type.size === 2 ? 'WordBool' : 'LongBool';
    case 'text':
      return array(type.units, type.unit === 1 ? 'AnsiChar' : type.unit === 2 ? 'WideChar' : 'LongWord');
    case 'shortString':
      return `string[${type.units}]`;
    case 'bytes':
      return array(type.size, 'Byte');
    case 'filetime':
      return 'packed record Low, High: LongWord; end';
    case 'tDateTime':
      return 'TDateTime';
    case 'array':
      return array(type.length, pascalType(type.of));
    case 'record':
      return type.record.name;
  }
}

function recordPascal({ name, union, members }: PeerRecord): string[] {
  const line = ({ name: field, type, note }: PeerMember): string =>
    `${field}: ${pascalType(type)};${note === '' ? '' : ` // ${note}`}`;
  if (!union)
    return [`  ${name} = packed record`, ...members.map((member) => `    ${line(member)}`), '  end;'];
  const cases = members.map(({ name: field, type }, i) => `      ${i}: (${field}: ${pascalType(type)});`);
  return [`  ${name} = packed record`, '    case Integer of', ...cases, '  end;'];
}

/** Spells a layout as a Pascal unit. */
export function pascalSource(shape: StructShape, title: string): string {
  const names = new Names(PASCAL_RULES);
  const records = peerRecords(shape, PASCAL_RULES, names);
  const unit = names.take(`${(records.at(-1) as PeerRecord).name}Layout`);
  const constants = records.flatMap((record) =>
    record.constants.map(({ name, value }) => `  ${name} = ${value};`),
  );
  const checks = records.map(
    ({ name, size }) => `{$IF SizeOf(${name}) <> ${size}}{$MESSAGE ERROR 'size of ${name}'}{$IFEND}`,
  );
  return [
    `// ${title}`,
    `unit ${unit};`,
    '{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}',
    'interface',
    'type',
    ...records.flatMap(recordPascal),
    ...(constants.length === 0 ? [] : ['const', ...constants]),
    ...checks,
    'implementation',
    'end.',
    '',
  ].join('\n');
}

// ---- Python: ctypes

const PYTHON_RULES = {
  caseSensitive: true,
  keywords: words(
    'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield ctypes',
  ),
};
const PYTHON_NUMBERS = { u8: 'c_uint8', i8: 'c_int8', u16: 'c_uint16', i16: 'c_int16', u32: 'c_uint32', i32: 'c_int32', u64: 'c_uint64', i64: 'c_int64', f32: 'c_float', f64: 'c_double' } as const; // prettier-ignore
const UNITS = { 1: 'u8', 2: 'u16', 4: 'u32' } as const;

function pythonType(type: PeerType): string {
  const ordered = (name: string, bigEndian: boolean): string =>
    `ctypes.${name}${bigEndian ? '.__ctype_be__' : ''}`;
  switch (type.kind) {
    case 'number':
      return ordered(PYTHON_NUMBERS[type.code], type.bigEndian && !type.code.endsWith('8'));
    case 'boolean':
      return type.size === 1 && !type.allOnes
        ? 'ctypes.c_bool'
        : ordered(PYTHON_NUMBERS[UNITS[type.size]], type.bigEndian && type.size > 1);
    case 'text':
      return `${type.unit === 1 ? 'ctypes.c_char' : `ctypes.${PYTHON_NUMBERS[UNITS[type.unit]]}`} * ${type.units}`;
    case 'shortString':
      return `ctypes.c_uint8 * ${type.units + 1}`;
    case 'bytes':
      return `ctypes.c_uint8 * ${type.size}`;
    case 'filetime':
      return 'ctypes.c_uint32 * 2';
    case 'tDateTime':
      return 'ctypes.c_double';
    case 'array':
      return `(${pythonType(type.of)}) * ${type.length}`;
    case 'record':
      return type.record.name;
  }
}

function recordPython({ name, union, size, members, constants }: PeerRecord): string[] {
  return [
    '',
    `class ${name}(ctypes.${union ? 'Union' : 'Structure'}):`,
    '    _pack_ = 1',
    "    _layout_ = 'ms'",
    '    _fields_ = [',
    ...members.map(
      (member) =>
        `        ('${member.name}', ${pythonType(member.type)}),${member.note === '' ? '' : `  # ${member.note}`}`,
    ),
    '    ]',
    '',
    `assert ctypes.sizeof(${name}) == ${size}`,
    ...members.map((member) => `assert ${name}.${member.name}.offset == ${member.offset}`),
    ...constants.map(({ name: constant, value }) => `${constant} = ${value}`),
  ];
}

/** Spells a layout as a Python module of ctypes structures. */
export function pythonSource(shape: StructShape, title: string): string {
  return [`# ${title}`, 'import ctypes', ...peerRecords(shape, PYTHON_RULES).flatMap(recordPython), ''].join(
    '\n',
  );
}

// ---- C#: explicit layout

const CSHARP_RULES = {
  caseSensitive: true,
  keywords: words(
    'abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator out override params private protected public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual void volatile while Size',
  ),
};
const CSHARP_NUMBERS = { u8: 'byte', i8: 'sbyte', u16: 'ushort', i16: 'short', u32: 'uint', i32: 'int', u64: 'ulong', i64: 'long', f32: 'float', f64: 'double' } as const; // prettier-ignore

/** Gives the element type and count; several dimensions become one, row by row. */
function csharpType(type: PeerType): { readonly name: string; readonly count: number } {
  switch (type.kind) {
    case 'number':
      return { name: CSHARP_NUMBERS[type.code], count: 1 };
    case 'boolean':
      return { name: CSHARP_NUMBERS[UNITS[type.size]], count: 1 };
    case 'text':
      return { name: CSHARP_NUMBERS[UNITS[type.unit]], count: type.units };
    case 'shortString':
      return { name: 'byte', count: type.units + 1 };
    case 'bytes':
      return { name: 'byte', count: type.size };
    case 'filetime':
      return { name: 'uint', count: 2 };
    case 'tDateTime':
      return { name: 'double', count: 1 };
    case 'array': {
      const { name, count } = csharpType(type.of);
      return { name, count: count * type.length };
    }
    case 'record':
      return { name: type.record.name, count: 1 };
  }
}

function recordCSharp({ name, size, members, constants }: PeerRecord, names: Names): string[] {
  const arrays: string[] = [];
  const fields = members.map((member) => {
    const { name: element, count } = csharpType(member.type);
    const isArray = count > 1 || ['array', 'text', 'bytes', 'shortString'].includes(member.type.kind);
    const arrayName = isArray ? names.take(`${name}_${member.name}_array`) : '';
    if (isArray)
      arrays.push(`[InlineArray(${count})] public struct ${arrayName} { private ${element} first; }`);
    return `    [FieldOffset(${member.offset})] public ${isArray ? arrayName : element} ${member.name};${member.note === '' ? '' : ` // ${member.note}`}`;
  });
  return [
    ...arrays,
    `[StructLayout(LayoutKind.Explicit, Size = ${size}, Pack = 1)]`,
    `public struct ${name}`,
    '{',
    `    public const int Size = ${size};`,
    ...constants.map(
      ({ name: constant, value }) =>
        `    public const ${value > 0x7fff_ffff_ffff_ffffn ? 'ulong' : 'long'} ${constant} = ${value};`,
    ),
    ...fields,
    '}',
    '',
  ];
}

/** Spells a layout as C# structs; it needs C# 12 for inline arrays. */
export function csharpSource(shape: StructShape, title: string): string {
  const using = ['using System.Runtime.CompilerServices;', 'using System.Runtime.InteropServices;', ''];
  const names = new Names(CSHARP_RULES);
  const records = peerRecords(shape, CSHARP_RULES, names);
  return [`// ${title}`, ...using, ...records.flatMap((record) => recordCSharp(record, names))].join('\n');
}
