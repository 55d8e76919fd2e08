// Unguarded records: which copies a read accepts.
import { expect, test } from 'vitest';
import { AgreementGuard } from '../../src/sync/record-guard.ts';

test.each([
  [1, [1], 1],
  [2, [1, 2, 3, 9, 9], 5],
  [3, [4, 4, 5, 5, 4, 7, 7, 7], 8],
] as const)(
  'unguarded({ agree: %i }) accepts copies %j at the first that equals those before it, number %i',
  (agree, copies, accepted) => {
    let taken = 0;
    const guard = new AgreementGuard(agree, 'Row');
    expect(guard.trySnapshot(() => Uint8Array.of(copies[taken++] ?? 0))).toBe(0);
    expect(taken).toBe(accepted);
  },
);

test('copies that never agree are refused', () => {
  let taken = 0;
  expect(new AgreementGuard(2, 'Row').trySnapshot(() => Uint8Array.of(taken++ % 2))).toBeUndefined();
});
