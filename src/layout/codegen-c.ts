// C and Rust source of a layout, with assertions that the peer's compiler checks.
import { peerRecords, type PeerMember, type PeerRecord, type PeerType } from './codegen-model.ts';
import type { StructShape } from './shape.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const C_RULES = {
  caseSensitive: true,
  keywords: words(
    'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false asm class delete new private public protected template this throw try catch using namespace operator friend virtual typename errno NULL EOF',
  ),
};
const C_NUMBERS = { u8: 'uint8_t', i8: 'int8_t', u16: 'uint16_t', i16: 'int16_t', u32: 'uint32_t', i32: 'int32_t', u64: 'uint64_t', i64: 'int64_t', f32: 'float', f64: 'double' } as const; // prettier-ignore
const UNITS = { 1: 'u8', 2: 'u16', 4: 'u32' } as const;

/** Spells a C declaration of `name`, with its array dimensions behind. */
function declareC(type: PeerType, name: string): string {
  switch (type.kind) {
    case 'number':
      return `${C_NUMBERS[type.code]} ${name}`;
    case 'boolean':
      return `${type.size === 1 && !type.allOnes ? 'bool' : C_NUMBERS[UNITS[type.size]]} ${name}`;
    case 'text':
      return `${type.unit === 1 ? 'char' : C_NUMBERS[UNITS[type.unit]]} ${name}[${type.units}]`;
    case 'shortString':
      return `struct { uint8_t length; char text[${type.units}]; } ${name}`;
    case 'bytes':
      return `uint8_t ${name}[${type.size}]`;
    case 'filetime':
      return `struct { uint32_t low; uint32_t high; } ${name}`;
    case 'tDateTime':
      return `double ${name}`;
    case 'array':
      return declareC(type.of, `${name}[${type.length}]`);
    case 'record':
      return `${type.record.name} ${name}`;
  }
}

const cNote = ({ note }: PeerMember): string => (note === '' ? '' : ` /* ${note} */`);

function recordC({ name, union, size, pack, members, constants }: PeerRecord): string[] {
  const keyword = union ? 'union' : 'struct';
  return [
    ...(pack === undefined ? [] : [`#pragma pack(push, ${pack})`]),
    `typedef ${keyword} ${name} {`,
    ...members.map((member) => `  ${declareC(member.type, member.name)};${cNote(member)}`),
    `} ${name};`,
    ...(pack === undefined ? [] : ['#pragma pack(pop)']),
    `SHARECORD_ASSERT(sizeof(${name}) == ${size}, "size of ${name}");`,
    ...members.map(
      (member) =>
        `SHARECORD_ASSERT(offsetof(${name}, ${member.name}) == ${member.offset}, "offset of ${name}.${member.name}");`,
    ),
    ...constants.map(
      ({ name: constant, value }) =>
        `#define ${constant} ${value < 0 ? `(${value})` : value}${value > 0x7fff_ffff ? 'u' : ''}${value > 0xffff_ffff ? 'll' : ''}`,
    ),
    '',
  ];
}

/** Spells a layout as a C header; it compiles as C11 and as C++11. */
export function cSource(shape: StructShape, title: string): string {
  const records = peerRecords(shape, C_RULES);
  const guard = `${records.at(-1)?.name.toUpperCase()}_LAYOUT_H`;
  return [
    `/* ${title} */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '#include <stdbool.h>',
    '#include <stddef.h>',
    '#include <stdint.h>',
    '#ifdef __cplusplus',
    '#define SHARECORD_ASSERT(fact, text) static_assert(fact, text)',
    '#else',
    '#define SHARECORD_ASSERT(fact, text) _Static_assert(fact, text)',
    '#endif',
    '',
    ...records.flatMap(recordC),
    '#endif',
    '',
  ].join('\n');
}

const RUST_RULES = {
  caseSensitive: true,
  keywords: words(
    'as break const continue crate else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while async await dyn abstract become box do final macro override priv typeof unsized virtual yield try gen',
  ),
};
const RUST_NUMBERS = { u8: 'u8', i8: 'i8', u16: 'u16', i16: 'i16', u32: 'u32', i32: 'i32', u64: 'u64', i64: 'i64', f32: 'f32', f64: 'f64' } as const; // prettier-ignore

function rustType(type: PeerType): string {
  switch (type.kind) {
    case 'number':
      return RUST_NUMBERS[type.code];
    case 'boolean':
      return UNITS[type.size];
    case 'text':
      return `[${UNITS[type.unit]}; ${type.units}]`;
    case 'shortString':
      return `[u8; ${type.units + 1}]`;
    case 'bytes':
      return `[u8; ${type.size}]`;
    case 'filetime':
      return '[u32; 2]';
    case 'tDateTime':
      return 'f64';
    case 'array':
      return `[${rustType(type.of)}; ${type.length}]`;
    case 'record':
      return type.record.name;
  }
}

function recordRust({ name, union, size, pack, members, constants }: PeerRecord): string[] {
  return [
    `#[repr(C${pack === undefined ? '' : `, packed(${pack})`})]`,
    '#[derive(Clone, Copy)]',
    `pub ${union ? 'union' : 'struct'} ${name} {`,
    ...members.map(
      (member) =>
        `    pub ${member.name}: ${rustType(member.type)},${member.note === '' ? '' : ` // ${member.note}`}`,
    ),
    '}',
    `const _: () = assert!(core::mem::size_of::<${name}>() == ${size});`,
    ...members.map(
      (member) =>
        `const _: () = assert!(core::mem::offset_of!(${name}, ${member.name}) == ${member.offset});`,
    ),
    ...constants.map(({ name: constant, value }) => `pub const ${constant}: i128 = ${value};`),
    '',
  ];
}

/** Spells a layout as a Rust module; it needs Rust 1.77 for `offset_of!`. */
export function rustSource(shape: StructShape, title: string): string {
  const lints = '#![allow(dead_code, non_camel_case_types, non_snake_case, non_upper_case_globals)]';
  return [`// ${title}`, lints, '', ...peerRecords(shape, RUST_RULES).flatMap(recordRust)].join('\n');
}
