// Reads and writes one text field. The rules for every encoding are here: what fits, where a text ends, that the tail is zeroed.
import { Fault, wrongType } from './fault.ts';
import { bytesOf, copyFromScratch, copyText, copyToScratch, zeroFill } from './memory.ts';
import {
  asciiOfText,
  LITTLE_ENDIAN,
  reserve,
  scratch,
  textOfBytes,
  textOfUnits,
  textOfUtf8,
  unitsOfText,
} from './scratch.ts';
import type { TextShape } from './shape.ts';
import { loneSurrogate, type ByteEncoding } from './text-encoding.ts';
import { UTF8 } from './utf.ts';
import type { ValueCodec } from './value-codec.ts';

function tooLong(shape: TextShape, bytes: number, limit: number): never {
  const { unit } = shape.encoding;
  const terminator = shape.ending === 'terminated' ? ' and a terminator' : '';
  const units = unit === 1 ? 'bytes' : `units of ${unit} bytes`;
  throw new Fault(
    'VALUE_TOO_LONG',
    `text is ${bytes / unit} ${units}, expected at most ${limit / unit}${terminator}`,
  );
}

/** Most bytes of text that the field can hold. */
const limitOf = ({ units, countable = units, ending, encoding }: TextShape): number =>
  (countable - (ending === 'terminated' ? 1 : 0)) * encoding.unit;

/** Refuses a NUL where it would end the text. */
function checkNoNul(shape: TextShape, text: string): void {
  if (shape.ending !== 'terminated' && shape.ending !== 'full') return;
  const at = text.indexOf('\0');
  if (at >= 0) throw new Fault('VALUE_RANGE', `text has a NUL at ${at}, which would end it there`);
}

// ---- encodings of bytes

/** Fields of more units and up to the other number are read as long ones. */
const LONG_FIELD = 128;
const VERY_LONG_FIELD = 512;
const FIRST_LOOK = 32;

/**
 * HOT: a long text is decoded with all that follows, and cut at its NUL, which no sequence of UTF-8 contains. Where the byte behind
 * the first look is 0, a short text is likely, and that look is enough (bench/rows/packages.ts, "get a text of 255").
 */
function readLong(view: DataView, at: number, units: number): string {
  if (view.getUint8(at + FIRST_LOOK) === 0) {
    const length = copyText(view, at, FIRST_LOOK);
    if (length !== FIRST_LOOK && ~length !== FIRST_LOOK)
      return length >= 0 ? textOfBytes(length) : textOfUtf8(~length);
  }
  reserve(units);
  const { bytes } = scratch;
  bytes.set(bytesOf(view, at, units));
  // A full field ends with its terminator: without it there is nothing to cut.
  const text = textOfUtf8(bytes[units - 1] === 0 ? units - 1 : units);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function readToNul(encoding: ByteEncoding, view: DataView, at: number, units: number): string {
  if (units > LONG_FIELD && units <= VERY_LONG_FIELD && encoding === UTF8) return readLong(view, at, units);
  const length = copyText(view, at, units);
  if (length === 0) return '';
  if (length < 0) return encoding.decode(~length);
  return encoding.ascii ? textOfBytes(length) : encoding.decode(length);
}

/** Reads exactly `length` bytes. */
function readBytes(encoding: ByteEncoding, view: DataView, at: number, length: number): string {
  if (length === 0) return '';
  return copyToScratch(view, at, length) && encoding.ascii ? textOfBytes(length) : encoding.decode(length);
}

/** Writes `text` and gives its bytes; the rest of the `size` bytes is zeroed. */
function writeBytes(
  shape: TextShape,
  encoding: ByteEncoding,
  view: DataView,
  at: number,
  text: string,
): number {
  const limit = limitOf(shape);
  const size = shape.units;
  const { length } = text;
  if (length <= limit && encoding.ascii && asciiOfText(text)) {
    copyFromScratch(view, at, length);
    zeroFill(view, at + length, size - length);
    return length;
  }
  checkNoNul(shape, text);
  const written = encodeToScratch(shape, encoding, text, limit);
  copyFromScratch(view, at, written);
  zeroFill(view, at + written, size - written);
  return written;
}

function encodeToScratch(shape: TextShape, encoding: ByteEncoding, text: string, limit: number): number {
  const bytes = encoding.measure(text, shape.replace);
  if (bytes > limit && !shape.truncate) tooLong(shape, bytes, limit);
  return encoding.encode(text, limit, shape.replace);
}

// ---- UTF-16 and UTF-32

const LOW_UNIT_BITS = 0x0001_0001;
const HIGH_UNIT_BITS = 0x8000_8000;

function readUnits16(shape: TextShape, view: DataView, at: number, length: number): string {
  reserve(length);
  const { units, unitWords } = scratch;
  const little = !shape.bigEndian;
  const stops = shape.ending !== 'sibling';
  let surrogates = false;
  let end = 0;
  // HOT: two at a time while none is NUL, none is from U+8000 on and the host has the same byte order.
  if (little && LITTLE_ENDIAN) {
    for (; end + 2 <= length; end += 2) {
      const both = view.getInt32(at + 2 * end, true);
      if (((both | (both - LOW_UNIT_BITS)) & HIGH_UNIT_BITS) !== 0) break;
      unitWords[end >> 1] = both;
    }
  }
  for (; end < length; end++) {
    const unit = view.getUint16(at + 2 * end, little);
    if (unit === 0 && stops) break;
    if (unit >= 0xd800) surrogates = true;
    units[end] = unit;
  }
  const text = textOfUnits(end);
  return surrogates ? text.toWellFormed() : text;
}

function readUnits32(shape: TextShape, view: DataView, at: number, length: number): string {
  reserve(2 * length);
  const { units } = scratch;
  const little = !shape.bigEndian;
  const stops = shape.ending !== 'sibling';
  let out = 0;
  for (let i = 0; i < length; i++) {
    const point = view.getUint32(at + 4 * i, little);
    if (point === 0 && stops) break;
    if (point < 0xd800 || (point > 0xdfff && point <= 0xffff)) units[out++] = point;
    else if (point > 0xffff && point <= 0x10ffff) {
      units[out++] = 0xd7c0 + (point >>> 10);
      units[out++] = 0xdc00 | (point & 0x3ff);
    } else units[out++] = 0xfffd;
  }
  return textOfUnits(out);
}

function writeUnits16(shape: TextShape, view: DataView, at: number, text: string): number {
  const limit = limitOf(shape) / 2;
  let { length } = text;
  const straight = length <= limit && LITTLE_ENDIAN && !shape.bigEndian;
  const simple = straight && unitsOfText(text);
  if (!simple) {
    checkNoNul(shape, text);
    if (!text.isWellFormed()) loneSurrogate(text, 'utf-16');
  }
  if (length > limit) {
    if (!shape.truncate) tooLong(shape, 2 * length, 2 * limit);
    length = limit;
    if (length > 0 && (text.charCodeAt(length - 1) & 0xfc00) === 0xd800) length--;
  }
  if (straight) copyFromScratch(view, at, 2 * length);
  else {
    const little = !shape.bigEndian;
    for (let i = 0; i < length; i++) view.setUint16(at + 2 * i, text.charCodeAt(i), little);
  }
  zeroFill(view, at + 2 * length, shape.size - 2 * length);
  return length;
}

function writeUnits32(shape: TextShape, view: DataView, at: number, text: string): number {
  const limit = limitOf(shape) / 4;
  checkNoNul(shape, text);
  if (!text.isWellFormed()) loneSurrogate(text, 'utf-32');
  let points = 0;
  for (const _ of text) points++;
  if (points > limit && !shape.truncate) tooLong(shape, 4 * points, 4 * limit);
  const little = !shape.bigEndian;
  let length = 0;
  for (const character of text) {
    if (length === limit) break;
    view.setUint32(at + 4 * length++, character.codePointAt(0) as number, little);
  }
  zeroFill(view, at + 4 * length, shape.size - 4 * length);
  return length;
}

// ---- one codec per field

/** Reads `length` units that a length byte or a sibling counts. */
function readCounted(shape: TextShape, view: DataView, at: number, length: number): string {
  const { encoding } = shape;
  if (encoding.unit === 1) return readBytes(encoding, view, at, length);
  return encoding.unit === 2 ? readUnits16(shape, view, at, length) : readUnits32(shape, view, at, length);
}

/** Writes the text and gives its units. */
function writeUnits(shape: TextShape, view: DataView, at: number, value: unknown): number {
  if (typeof value !== 'string') wrongType('a string', value);
  const { encoding } = shape;
  if (encoding.unit === 1) return writeBytes(shape, encoding, view, at, value);
  return encoding.unit === 2 ? writeUnits16(shape, view, at, value) : writeUnits32(shape, view, at, value);
}

/** Makes the codec of a text field. */
export function textCodec(shape: TextShape): ValueCodec {
  const { encoding, units } = shape;
  if (shape.ending === 'counted') {
    const body = { ...shape, size: units };
    return {
      read(view, at) {
        const length = view.getUint8(at);
        if (length > units)
          throw new Fault('VALUE_RANGE', `its length byte is ${length}, expected at most ${units}`);
        return readCounted(body, view, at + 1, length);
      },
      write(view, at, value) {
        view.setUint8(at, writeUnits(body, view, at + 1, value));
      },
    };
  }
  const counted = {
    read: (view: DataView, at: number, length: number): string => readCounted(shape, view, at, length),
    write: (view: DataView, at: number, value: unknown): number => writeUnits(shape, view, at, value),
  };
  return {
    read:
      encoding.unit === 1
        ? (view, at) => readToNul(encoding, view, at, units)
        : (view, at) => readCounted(shape, view, at, units),
    write(view, at, value) {
      writeUnits(shape, view, at, value);
    },
    counted,
  };
}

/** Makes what generated code loads a text with: `(view, at)`, or `(view, at, length)` behind a length byte. Never throws on torn bytes. */
export function textLoader(shape: TextShape): (view: DataView, at: number, length?: number) => unknown {
  const { units } = shape;
  if (shape.ending !== 'counted') return textCodec(shape).read;
  const body = { ...shape, size: units };
  return (view, at, length = 0) => (length > units ? '' : readCounted(body, view, at, length));
}
