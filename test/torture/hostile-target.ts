// What is done to a segment that somebody else may have written: everything that can be opened is opened and used for a while.
// Only errors of the library may come out.
import * as fs from 'node:fs';
import {
  joinMap,
  joinStore,
  openMap,
  openStore,
  SharecordError,
  type StoreReader,
  type StoreWriter,
  u32,
  utf8,
} from '../../src/index.ts';
import { Wide } from './hostile-inputs.ts';

/** Turns of the event loop that a watch gets: nobody else writes, so that it may have nothing to tell. */
const TURNS = 3;
/** Records or entries that are looked at. */
const SOME = 6;
const PLAIN = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));

function raise(error: unknown): never {
  throw error;
}

/** Uses the segment in `file` in every way; gives the codes it met. Throws whatever is not an error of the library. */
export async function attack(file: string, bytes: Uint8Array): Promise<Set<string>> {
  const codes = new Set<string>();
  const source = { backing: 'file', file, size: bytes.length } as const;
  const attempt = <T>(call: () => T): T | undefined => {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SharecordError)) throw error;
      codes.add(error.code);
      return undefined;
    }
  };
  const open = async <T extends { close(): void }>(
    make: () => T,
    use: (opened: T) => Promise<void> | void,
  ): Promise<void> => {
    fs.writeFileSync(file, bytes);
    const opened = attempt(make);
    if (opened === undefined) return;
    codes.add('opened');
    try {
      await use(opened);
    } finally {
      opened.close();
    }
  };
  /** Follows for a moment what was opened; a change that is told is looked at as any record is. */
  const follow = async (watch: () => AsyncIterator<unknown>, meanwhile = (): void => {}): Promise<void> => {
    const changes = attempt(watch);
    if (changes === undefined) return;
    meanwhile();
    const next = changes.next().then(
      ({ done }) => void (done === true || codes.add('followed')),
      (error: unknown) => attempt(() => raise(error)),
    );
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
    await changes.return?.();
    await next;
  };
  const readAll = async (store: StoreReader): Promise<void> => {
    const most = Math.min(store.capacity, SOME);
    for (let i = 0; i < most; i++) {
      attempt(() => store.read(i));
      attempt(() => store.tryRead(i));
      attempt(() => store.generation(i));
      attempt(() => store.readInto(i, store.layout.zero()));
    }
    attempt(() => store.read(store.capacity - 1));
    const [field] = store.layout.fields;
    if (store.capacity <= 1000 && field?.name !== undefined) attempt(() => store.readColumn(field.name));
    await follow(() => store.watch());
    await follow(() => store.watch(0));
  };
  const writeSome = (store: StoreWriter<typeof Wide>): void => {
    const record = { ...Wide.zero(), name: 'two' };
    attempt(() => store.write(store.capacity - 1, record));
    attempt(() => store.update(0, (draft) => void (draft.id += 1n)));
    attempt(() => store.assign(0, { on: true }));
    attempt(() => store.add(0, 'id', 1n));
  };
  await open(() => openStore(source), readAll);
  await open(
    () => openStore(source, Wide, { access: 'read-write' }),
    async (store) => {
      await readAll(store);
      await follow(
        () => store.watch(),
        () => writeSome(store),
      );
    },
  );
  await open(() => joinStore({ file, layout: Wide, capacity: 1 }), writeSome);
  await open(
    () => openMap(source),
    async (map) => {
      attempt(() => map.size);
      let left = SOME;
      attempt(() => {
        for (const [key] of map.entries()) {
          attempt(() => map.get(key));
          if (--left === 0) break;
        }
      });
      await follow(() => map.watch());
    },
  );
  for (const [key, keys] of [
    [utf8(8), ['a', 'b', 'x']],
    [u32, [0, 5, 99]],
  ] as const) {
    await open(
      () => joinMap({ file, key: key as typeof u32, layout: Wide, capacity: 1 }),
      async (map) => {
        const [first] = keys as readonly number[];
        await follow(() => map.watch(first!));
        await follow(
          () => map.watch(),
          () => attempt(() => map.set(first!, Wide.zero())),
        );
        for (const each of keys as readonly number[]) {
          attempt(() => map.get(each));
          attempt(() => map.has(each));
          attempt(() => map.set(each, Wide.zero()));
          attempt(() => map.update(each, (draft) => void (draft.on = true)));
          attempt(() => map.delete(each));
        }
        attempt(() => map.clear());
      },
    );
  }
  if (JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) !== PLAIN)
    throw new Error('a polluted prototype');
  return codes;
}
