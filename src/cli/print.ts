// How values of shared memory are shown: names and texts in it may be anybody's, so no control character reaches the terminal.
import { inspect } from 'node:util';

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Spells a name or text for a terminal. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    return `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  });
}

/** Makes of a record what JSON can say: bigints as decimal text, bytes as hexadecimal text, an invalid date as null. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return value;
}

/** Spells a value as one line: for people, or as JSON. */
export function showLine(value: unknown, asJson: boolean): string {
  if (asJson) return JSON.stringify(value, plain);
  const text = inspect(value, {
    depth: null,
    breakLength: Infinity,
    compact: true,
    maxArrayLength: null,
    maxStringLength: null,
  });
  return printable(text);
}

/** Prints one line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
