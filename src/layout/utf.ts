// The Unicode encodings. UTF-8 has a codec here; UTF-16 and UTF-32 are so simple that text-codec.ts has theirs.
import { textOfUtf8, utf8OfText } from './scratch.ts';
import { loneSurrogate, type ByteEncoding, type WideEncoding } from './text-encoding.ts';

/** Counts the bytes of well-formed `text` in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

export const UTF8: ByteEncoding = Object.freeze({
  name: 'utf-8',
  unit: 1,
  ascii: true,
  decode: textOfUtf8,
  measure(text: string): number {
    if (!text.isWellFormed()) loneSurrogate(text, 'utf-8');
    return utf8Length(text);
  },
  encode: utf8OfText,
});
export const UTF16: WideEncoding = Object.freeze({ name: 'utf-16', unit: 2 });
export const UTF32: WideEncoding = Object.freeze({ name: 'utf-32', unit: 4 });
