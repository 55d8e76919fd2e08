// The text types. Their numbers are code units: bytes for char, utf8 and shortString, 2 bytes for char16, 4 for char32.
import { ABI_RULES } from './abi.ts';
import { findByteEncoding, findEncoding } from './encoding.ts';
import { show } from './fault.ts';
import { requireLengthName } from './names.ts';
import { checkCount, defineType, MAX_UNITS, refuse, requireOptions, type TextEnding } from './shape.ts';
import type { TextEncoding } from './text-encoding.ts';
import type { FieldType, Sized } from './types.ts';
import { UTF16, UTF32, UTF8 } from './utf.ts';

export interface TextOptions {
  /** A NUL ends the text and must fit (default); `false`: the text may fill the field. */
  readonly terminated?: boolean;
  /** What to do with a text too long for the field (default `throw`); a cut falls on a character boundary. */
  readonly onOverflow?: 'throw' | 'truncate';
  /** Sibling field that holds the length in code units; there is no terminator then. */
  readonly length?: string;
}
export interface CodePageOptions extends TextOptions {
  /** WHATWG label or Windows code page number; default `windows-1252`. */
  readonly encoding?: string | number;
  /** What to do with a character that the code page lacks (default `throw`). */
  readonly onUnmappable?: 'throw' | 'replace';
}

interface TextDefinition {
  readonly kind: string;
  readonly units: number;
  readonly encodingOn: (wchar: 2 | 4) => TextEncoding;
  readonly options: CodePageOptions | undefined;
  readonly counted?: boolean;
  readonly bigEndian?: boolean;
}

function oneOf(kind: string, option: string, value: unknown, choices: readonly unknown[]): void {
  if (value !== undefined && !choices.includes(value)) {
    refuse(kind, `${option} must be ${choices.map(String).join(' or ')}, found ${show(value)}`);
  }
}

function text(definition: TextDefinition): FieldType<string> {
  const { kind, units, encodingOn, counted = false, bigEndian = false } = definition;
  const options = requireOptions(kind, definition.options) ?? {};
  oneOf(kind, 'terminated', options.terminated, [true, false]);
  oneOf(kind, 'onOverflow', options.onOverflow, ['throw', 'truncate']);
  oneOf(kind, 'onUnmappable', options.onUnmappable, ['throw', 'replace']);
  const lengthField = requireLengthName(kind, options.length);
  if (lengthField !== undefined && options.terminated === true)
    refuse(kind, 'a text whose length is in a sibling has no terminator');
  const ending: TextEnding = counted
    ? 'counted'
    : lengthField !== undefined
      ? 'sibling'
      : options.terminated === false
        ? 'full'
        : 'terminated';
  return defineType(
    kind,
    (abi) => {
      const encoding = encodingOn(ABI_RULES[abi].wchar);
      checkCount(kind, units, encoding.unit, MAX_UNITS);
      return {
        kind: 'text',
        encoding,
        bigEndian: bigEndian && encoding.unit > 1,
        units,
        ending,
        truncate: options.onOverflow === 'truncate',
        replace: options.onUnmappable === 'replace',
        lengthField,
        size: units * encoding.unit + (counted ? 1 : 0),
        align: encoding.unit,
      };
    },
    bigEndian || kind === 'char' || kind === 'utf8' || kind === 'shortString'
      ? 'same'
      : () => text({ ...definition, bigEndian: true }),
    { units, ...(lengthField === undefined ? {} : { lengthField }), ...(bigEndian ? { bigEndian } : {}) },
  );
}

/** Declares ANSI text of `units` bytes. */
export function char<const O extends CodePageOptions = {}>(
  units: number,
  options?: O,
): Sized<FieldType<string>, O> {
  const encoding = findByteEncoding('char', options?.encoding ?? 'windows-1252');
  return text({ kind: 'char', units, encodingOn: () => encoding, options }) as Sized<FieldType<string>, O>;
}

/** Declares UTF-8 text of `bytes` bytes. */
export function utf8<const O extends TextOptions = {}>(
  bytes: number,
  options?: O,
): Sized<FieldType<string>, O> {
  return text({ kind: 'utf8', units: bytes, encodingOn: () => UTF8, options }) as Sized<FieldType<string>, O>;
}

/** Declares UTF-16 text of `units` 2-byte units: WCHAR, Delphi Char. */
export function char16<const O extends TextOptions = {}>(
  units: number,
  options?: O,
): Sized<FieldType<string>, O> {
  return text({ kind: 'char16', units, encodingOn: () => UTF16, options }) as Sized<FieldType<string>, O>;
}

/** Declares UTF-32 text of `units` 4-byte units. */
export function char32<const O extends TextOptions = {}>(
  units: number,
  options?: O,
): Sized<FieldType<string>, O> {
  return text({ kind: 'char32', units, encodingOn: () => UTF32, options }) as Sized<FieldType<string>, O>;
}

/** Declares `wchar_t` text: UTF-16 on Windows, UTF-32 elsewhere. */
export function wchar<const O extends TextOptions = {}>(
  units: number,
  options?: O,
): Sized<FieldType<string>, O> {
  const encodingOn = (wide: 2 | 4): TextEncoding => (wide === 2 ? UTF16 : UTF32);
  return text({ kind: 'wchar', units, encodingOn, options }) as Sized<FieldType<string>, O>;
}

/** Declares Pascal's `string[maxBytes]`: a length byte, then up to 255 bytes. */
export function shortString(
  maxBytes: number,
  options?: Omit<CodePageOptions, 'terminated' | 'length'>,
): FieldType<string> {
  if (typeof maxBytes === 'number' && maxBytes > 255)
    refuse('shortString', `its length byte counts to 255, found ${maxBytes}`);
  const encoding = findByteEncoding('shortString', options?.encoding ?? 'windows-1252');
  return text({ kind: 'shortString', units: maxBytes, encodingOn: () => encoding, options, counted: true });
}

/** Makes the text type that a canonical layout names. @throws LayoutError LAYOUT_FIELD_INVALID */
export function textOf(
  encoding: string,
  units: number,
  ending: TextEnding,
  lengthField: string | undefined,
): FieldType<string> {
  const bigEndian = encoding.endsWith('be') && encoding.startsWith('utf-');
  const found = findEncoding('text', bigEndian ? encoding.slice(0, -2) : encoding);
  if (ending === 'counted' && (found.unit !== 1 || units > 255))
    refuse('text', 'a length byte counts up to 255 bytes');
  const kind =
    found.unit === 1
      ? ending === 'counted'
        ? 'shortString'
        : found === UTF8
          ? 'utf8'
          : 'char'
      : `char${8 * found.unit}`;
  const options = {
    ...(ending === 'full' ? { terminated: false } : {}),
    ...(lengthField === undefined ? {} : { length: lengthField }),
  };
  return text({ kind, units, encodingOn: () => found, options, counted: ending === 'counted', bigEndian });
}
