// A view keeps long texts: whatever changes in memory between two reads, the second is what a fresh decode gives.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { char, char16, struct, u8, utf8 } from '../../src/index.ts';

const Page = struct('Page', {
  head: u8,
  title: utf8(301),
  path: char16(70, { terminated: false }),
  note: char(200, { encoding: 'gbk' }),
});
const textsOf = ({ title, path, note }: { title: string; path: string; note: string }) => ({
  title,
  path,
  note,
});

test('every changed byte is seen, and what did not change stays', () => {
  const memory = new Uint8Array(Page.size);
  const view = Page.view(memory);
  view.title = 'T'.repeat(300);
  view.path = 'p'.repeat(70);
  view.note = '简'.repeat(99);
  for (let i = 0; i < 3; i++) expect(textsOf(view)).toEqual(textsOf(Page.decode(memory)));
  for (let at = 0; at < memory.length; at++) {
    for (const byte of [0x41, 0]) {
      memory[at] = byte;
      expect(textsOf(view)).toEqual(textsOf(Page.decode(memory)));
    }
  }
});

test('reads, writes and moves in any order give what a fresh decode gives', () => {
  const act = fc.oneof(
    fc.record({ at: fc.nat(2 * Page.size - 1), byte: fc.nat(255) }),
    fc.record({ title: fc.string({ maxLength: 60, unit: 'grapheme' }) }),
    fc.record({ move: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const memory = new Uint8Array(2 * Page.size);
      const view = Page.view(memory);
      let from = 0;
      for (const each of acts) {
        if ('byte' in each) memory[each.at] = each.byte;
        else if ('move' in each) view.moveTo((from = each.move * Page.size));
        else if (!each.title.includes('\0')) view.title = each.title;
        expect(textsOf(view)).toEqual(textsOf(Page.decode(memory, from)));
      }
    }),
  );
});
