// Two users of one machine, neither of them root: what is whose, and who is refused. Linux only.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const [OWNER, OTHER] = [60_001, 60_002];
// Only root can become somebody else.
const isRoot = process.getuid?.() === 0;

type Options = Record<string, unknown>;
class User {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  constructor(id: number) {
    this.#child = fork(new URL('./users-child.ts', import.meta.url), [String(id)], {
      execArgv: ['--conditions=@sharecord/source'],
    });
    this.#ended = once(this.#child, 'exit').then(([code]) => `exit ${code}`);
  }
  answer(): Promise<unknown> {
    const message = once(this.#child, 'message').then(([told]) => (told as { value: unknown }).value);
    return Promise.race([message, this.#ended]);
  }
  /** Gives what the act gave, or the code of its error. */
  ask(act: string, options: Options = {}): Promise<unknown> {
    const answer = this.answer();
    this.#child.send({ act, options });
    return answer;
  }
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}

const refusal = expect.stringMatching(/^[A-Z]+_[A-Z_]+$/);
let serial = 0;
const names: string[] = [];
const uniqueName = (): string => {
  const name = `sharecord-test-users-${process.pid}-${serial++}`;
  names.push(name);
  return name;
};

describe.skipIf(!isRoot)('with two users (left out where the tests do not run as root)', () => {
  let owner: User;
  let other: User;
  const makers = new Set<User>();
  beforeAll(async () => {
    [owner, other] = [new User(OWNER), new User(OTHER)];
    expect(await Promise.all([owner.answer(), other.answer()])).toEqual([OWNER, OTHER]);
  });
  afterEach(async () => {
    // Each file's own user may remove it, and closes last.
    for (const user of makers.has(other) ? [owner, other] : [other, owner])
      expect(await user.ask('close')).toBeUndefined();
    makers.clear();
    for (const name of names.splice(0)) expect(existsSync(`/dev/shm/${name}`), name).toBe(false);
  });
  afterAll(async () => {
    await Promise.all([owner.end(), other.end()]);
  });

  const KINDS = ['Segment', 'Store', 'Map', 'Record'] as const;

  describe.each(KINDS)('a %s', (kind) => {
    test('is its user’s alone: another can neither open, join, list, read, write nor remove it', async () => {
      const name = uniqueName();
      expect(await owner.ask(`create${kind}`, { name })).toBe(true);
      expect(await owner.ask('mode', { name })).toBe('600');
      for (const anyOwner of [false, true]) {
        expect(await other.ask(`open${kind}`, { name, anyOwner })).toBe('SEGMENT_DENIED');
        expect(await other.ask(`open${kind}`, { name, anyOwner, access: 'read-write' })).toBe(
          'SEGMENT_DENIED',
        );
        expect(await other.ask(`join${kind}`, { name, anyOwner })).toBe('SEGMENT_DENIED');
        expect(['SEGMENT_DENIED', 'SEGMENT_EXISTS']).toContain(
          await other.ask(`create${kind}`, { name, anyOwner }),
        );
      }
      expect(await other.ask('list', { name })).toBe(false);
      expect(await other.ask('readFile', { name })).toBe('EACCES');
      expect(await other.ask('writeFile', { name })).toBe('EACCES');
      expect(['EACCES', 'EPERM']).toContain(await other.ask('removeFile', { name }));
      const handle = await owner.ask('handle', { name });
      expect(handle).toMatchObject({ osHandle: expect.any(Number) });
      expect(await other.ask('openHandle', { handle })).toBe('SEGMENT_DENIED');
      const { name: _, ...bare } = handle as Options;
      expect(await other.ask('openHandle', { handle: bare })).toBe('SEGMENT_DENIED');
      expect(await owner.ask(`open${kind}`, { name })).not.toEqual(refusal);
    });

    test('that another user put under the name is refused unless asked for', async () => {
      const name = uniqueName();
      makers.add(other);
      expect(await other.ask(`create${kind}`, { name, mode: 0o666 })).toBe(true);
      expect(await owner.ask(`open${kind}`, { name })).toBe('SEGMENT_DENIED');
      expect(await owner.ask(`open${kind}`, { name, access: 'read-write' })).toBe('SEGMENT_DENIED');
      expect(await owner.ask(`join${kind}`, { name })).toBe('SEGMENT_DENIED');
      expect(['SEGMENT_DENIED', 'SEGMENT_EXISTS']).toContain(await owner.ask(`create${kind}`, { name }));
      expect(await owner.ask(`open${kind}`, { name, anyOwner: true })).not.toEqual(refusal);
      expect(await owner.ask(`join${kind}`, { name, anyOwner: true })).toBe(false);
      // The name in another's segment is not this user's to remove, and staying is no error.
      expect(await owner.ask('close')).toBeUndefined();
      expect(existsSync(`/dev/shm/${name}`)).toBe(true);
      expect(await other.ask(`open${kind}`, { name })).not.toEqual(refusal);
    });
  });

  test('mode 0644 lets others read and nothing else', async () => {
    const name = uniqueName();
    expect(await owner.ask('createStore', { name, mode: 0o644 })).toBe(true);
    expect(await owner.ask('mode', { name })).toBe('644');
    expect(await owner.ask('writeStore', { name, n: 5 })).toBeUndefined();
    expect(await other.ask('openStore', { name })).toBe('SEGMENT_DENIED');
    expect(await other.ask('openStore', { name, anyOwner: true })).toEqual({ n: 5 });
    expect(await other.ask('list', { name })).toBe(true);
    expect(await other.ask('writeStore', { name, n: 6, anyOwner: true })).toBe('SEGMENT_DENIED');
    expect(await other.ask('joinStore', { name, anyOwner: true })).toBe('SEGMENT_DENIED');
    expect(await other.ask('writeFile', { name })).toBe('EACCES');
    expect(await owner.ask('openStore', { name })).toEqual({ n: 5 });
  });

  test('who may only read tells a writer that is inside a seqlock from one that died there', async () => {
    const name = uniqueName();
    expect(await owner.ask('createSeqlock', { name, mode: 0o644 })).toBe(true);
    expect(await owner.ask('writeStore', { name, n: 5 })).toBeUndefined();
    expect(await other.ask('openStore', { name, anyOwner: true })).toEqual({ n: 5 });
    await owner.ask('enterWrite', { name, dead: false });
    expect(await other.ask('openStore', { name, anyOwner: true })).toBe('READ_CONTENDED');
    await owner.ask('enterWrite', { name, dead: true });
    expect(await other.ask('openStore', { name, anyOwner: true })).toBe('WRITER_DIED');
  });

  test('mode 0666 lets others write, who ask for it', async () => {
    const name = uniqueName();
    expect(await owner.ask('createStore', { name, mode: 0o666 })).toBe(true);
    expect(await other.ask('writeStore', { name, n: 6 })).toBe('SEGMENT_DENIED');
    expect(await other.ask('writeStore', { name, n: 7, anyOwner: true })).toBeUndefined();
    expect(await owner.ask('openStore', { name })).toEqual({ n: 7 });
  });

  test('a name that another user closes last stays for its own user, who replaces it', async () => {
    for (const kind of ['Store', 'Map'] as const) {
      const name = uniqueName();
      expect(await owner.ask(`create${kind}`, { name, mode: 0o666 })).toBe(true);
      expect(await other.ask(`join${kind}`, { name, anyOwner: true })).toBe(false);
      expect(await owner.ask('close')).toBeUndefined();
      expect(await other.ask('close')).toBeUndefined();
      expect(existsSync(`/dev/shm/${name}`)).toBe(true);
      expect(await other.ask(`join${kind}`, { name, anyOwner: true })).toBe(false);
      expect(await other.ask('close')).toBeUndefined();
      expect(await owner.ask(`create${kind}`, { name })).toBe(true);
      expect(await owner.ask('mode', { name })).toBe('600');
    }
  });

  test('a named mutex is its user’s alone, and another’s is refused unless asked for', async () => {
    const name = uniqueName();
    expect(await owner.ask('lockRecord', { name })).toEqual({ n: 0 });
    expect(await owner.ask('mode', { name })).toBe('600');
    expect(await other.ask('lockRecord', { name, anyOwner: true })).toBe('SEGMENT_DENIED');
    expect(await owner.ask('close')).toBeUndefined();
    makers.add(other);
    const open = uniqueName();
    expect(await other.ask('lockRecord', { name: open, mode: 0o666 })).toEqual({ n: 0 });
    expect(await owner.ask('lockRecord', { name: open })).toBe('SEGMENT_DENIED');
    expect(await owner.ask('lockRecord', { name: open, anyOwner: true })).toEqual({ n: 0 });
  });
});
