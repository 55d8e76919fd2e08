// A view keeps long texts: whatever changes in memory between two reads, the second is what a fresh decode gives.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { char, char16, struct, u8, utf8 } from '../../src/index.ts';

/** Bytes of the fields: they are compared sixteen at a time, so each count of bytes behind the last sixteen occurs. */
const SIZES = Array.from({ length: 16 }, (_, i) => 128 + i);

const pageOf = (size: number) =>
  struct(
    'Page',
    {
      head: u8,
      title: utf8(size),
      path: char16(size >> 1, { terminated: false }),
      note: char(size, { encoding: 'gbk', terminated: false }),
    },
    { pack: 1 },
  );
type Page = ReturnType<typeof pageOf>;

const textsOf = ({ title, path, note }: { title: string; path: string; note: string }) => ({
  title,
  path,
  note,
});

/** Fills the texts to their last byte, so that every byte of theirs counts. */
function fill(page: Page, memory: Uint8Array, from = 0): void {
  const size = page.offsets.path - page.offsets.title;
  const full = {
    title: 'T'.repeat(size - 1),
    path: '简'.repeat(size >> 1),
    note: 'n'.repeat(size % 2) + '简'.repeat(size >> 1),
  };
  page.encode(full, memory, from);
}

test.each(SIZES)('texts of %i bytes: every changed byte is seen, and what did not change stays', (size) => {
  const page = pageOf(size);
  const memory = new Uint8Array(page.size);
  fill(page, memory);
  const view = page.view(memory);
  const full = textsOf(page.decode(memory));
  for (let i = 0; i < 3; i++) expect(textsOf(view)).toEqual(full);
  for (let at = 1; at < memory.length; at++) {
    const byte = memory[at] as number;
    for (const other of [byte ^ 1, 0]) {
      memory[at] = other;
      const fresh = textsOf(page.decode(memory));
      if (other !== byte && other !== 0) expect(fresh).not.toEqual(full);
      expect(textsOf(view)).toEqual(fresh);
      memory[at] = byte;
      expect(textsOf(view)).toEqual(full);
    }
  }
});

test('reads, writes and moves in any order give what a fresh decode gives', () => {
  const act = fc.oneof(
    fc.record({ at: fc.nat(9999), byte: fc.nat(255) }),
    fc.record({ title: fc.string({ maxLength: 60, unit: 'grapheme' }) }),
    fc.record({ move: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SIZES), fc.array(act, { maxLength: 40 }), (size, acts) => {
      const page = pageOf(size);
      const memory = new Uint8Array(2 * page.size);
      fill(page, memory);
      fill(page, memory, page.size);
      const view = page.view(memory);
      let from = 0;
      for (const each of acts) {
        if ('byte' in each) memory[each.at % memory.length] = each.byte;
        else if ('move' in each) view.moveTo((from = each.move * page.size));
        else if (!each.title.includes('\0') && Buffer.byteLength(each.title) < size) view.title = each.title;
        expect(textsOf(view)).toEqual(textsOf(page.decode(memory, from)));
      }
    }),
  );
});
