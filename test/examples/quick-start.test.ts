import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startNode } from './program.ts';

describe('quick start', () => {
  test('ends by itself after a worker and a second process have read what was written', async () => {
    const name = `sharecord-test-quotes-${randomBytes(6).toString('hex')}`;
    const { code, stdout, stderr } = await startNode('quick-start/writer.ts', [name]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });

    const desk = [...stdout.matchAll(/^desk: {2}ACME bid ([\d.]+), tick (\d+), generation (\d+)$/gm)];
    expect(desk.length).toBeGreaterThan(0);
    for (const [, bid, tick, generation] of desk) {
      expect(Number(bid)).toBe(10.25 + 0.25 * (Number(tick) - 1));
      expect(generation).toBe(tick);
    }
    expect(Number(desk.at(-1)![2])).toBeGreaterThanOrEqual(20);

    const spreads = [...stdout.matchAll(/^board: ACME spread ([\d.]+), tick \d+$/gm)].map(
      (match) => match[1],
    );
    expect(spreads.length).toBeGreaterThan(0);
    expect(new Set(spreads)).toEqual(new Set(['0.25']));
    expect(existsSync(`/dev/shm/${name}`)).toBe(false);
  });
});
