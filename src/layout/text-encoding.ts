// What an encoding must offer to a text field, and the fault of a character that it lacks. An encoding works on private
// scratch memory only; text-codec.ts alone touches the record.
import { Fault } from './fault.ts';

/** An encoding whose code unit is a byte. `measure` and `encode` agree to the byte. */
export interface ByteEncoding {
  /** Canonical name; equal names mean equal bytes. */
  readonly name: string;
  readonly unit: 1;
  /** Bytes below 0x80 are ASCII wherever they stand, so that texts of them need no table. */
  readonly ascii: boolean;
  /** Reads the first `length` bytes of the scratch memory; malformed text reads as U+FFFD. */
  decode(length: number): string;
  /** Counts the bytes of `text`; with `replace` an unmappable character counts as `?`. @throws Fault VALUE_UNMAPPABLE without */
  measure(text: string, replace: boolean): number;
  /** Writes whole characters to the scratch memory while they fit in `limit` bytes and gives the bytes written. Call `measure` first. */
  encode(text: string, limit: number, replace: boolean): number;
}

/** UTF-16 or UTF-32: every character is one unit, or a pair of them in UTF-16. */
export interface WideEncoding {
  readonly name: 'utf-16' | 'utf-32';
  readonly unit: 2 | 4;
}

export type TextEncoding = ByteEncoding | WideEncoding;

/** Throws the fault of a character that the encoding lacks. `at` counts UTF-16 units of the text. */
export function unmappable(text: string, at: number, encoding: string): never {
  const point = text.codePointAt(at) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  throw new Fault('VALUE_UNMAPPABLE', `${encoding} cannot hold ${code}, found at ${at} of the text`);
}

/** Throws the fault of a surrogate without its partner, which no Unicode encoding can hold. */
export function loneSurrogate(text: string, encoding: string): never {
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0;
    if (point > 0xffff) at++;
    else if (point >= 0xd800 && point <= 0xdfff) unmappable(text, at, encoding);
  }
  throw new Fault('VALUE_UNMAPPABLE', `${encoding} cannot hold the text`);
}
