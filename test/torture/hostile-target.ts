// What is done to a segment that somebody else may have written: everything that can be opened is opened, used and watched for a
// while. Only errors of the library may come out.
import * as fs from 'node:fs';
import {
  createSegment,
  joinMap,
  joinStore,
  type MapReader,
  openMap,
  openStore,
  SharecordError,
  type StoreReader,
  type StoreWriter,
  u32,
  utf8,
} from '../../src/index.ts';
import { Small, Wide } from './hostile-inputs.ts';

/** Records or entries that are looked at. */
const SOME = 6;
/** The participant slot of who lives beside the input: the first that is free. */
export const LIVING_SLOT = 0;
/** What a watch has for its looks: a few timers of a millisecond, as long as it waits itself between two slices. */
const TURNS = 2;
const WATCHED = { persistent: false } as const;
const PLAIN = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));

/**
 * Uses the segment in `file` in every way, beside a participant that lives if asked so; gives the codes and what else it met:
 * `opened`, `changed` by a watch. Throws whatever is not an error of the library.
 */
export async function attack(file: string, bytes: Uint8Array, besideLiving = false): Promise<Set<string>> {
  const met = new Set<string>();
  const source = { backing: 'file', file, size: bytes.length } as const;
  const note = (error: unknown): void => {
    if (!(error instanceof SharecordError)) throw error;
    met.add(error.code);
  };
  const attempt = <T>(call: () => T): T | undefined => {
    try {
      return call();
    } catch (error) {
      note(error);
      return undefined;
    }
  };
  /** Beside a living owner one wait for it is enough: each takes a second. */
  const change = (call: () => unknown): void => {
    if (!besideLiving || !met.has('LOCK_TIMEOUT')) attempt(call);
  };
  const open = async <T extends { close(): void }>(
    make: () => T,
    use: (opened: T) => Promise<void> | void,
  ): Promise<void> => {
    fs.writeFileSync(file, bytes);
    const opened = attempt(make);
    if (opened === undefined) return;
    met.add('opened');
    try {
      await use(opened);
    } finally {
      opened.close();
    }
  };
  /** Takes what each watch tells within some turns, of what is there and of what `act` does; then it ends. */
  const follow = async (
    watches: readonly (AsyncIterableIterator<unknown> | undefined)[],
    act: () => void = () => {},
  ): Promise<void> => {
    const looks = watches.map(async (watch) => {
      try {
        if ((await watch?.next())?.done === false) met.add('changed');
      } catch (error) {
        note(error);
      }
    });
    act();
    const told = Promise.all(looks);
    await Promise.race([told, turns()]);
    for (const watch of watches) await watch?.return?.();
    await told;
  };
  const readAll = (store: StoreReader): void => {
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
  };
  const watchStore = (store: StoreReader) => [
    attempt(() => store.watch(WATCHED)),
    attempt(() => store.watch(0, WATCHED)),
  ];
  const watchMap = (map: Pick<MapReader, 'watch'>, key: string | number | bigint | undefined) => [
    attempt(() => map.watch(WATCHED)),
    ...(key === undefined ? [] : [attempt(() => map.watch(key, WATCHED))]),
  ];
  const writeSome = (store: StoreWriter<typeof Wide>): void => {
    const record = { ...Wide.zero(), name: 'two' };
    change(() => store.write(store.capacity - 1, record));
    change(() => store.update(0, (draft) => void (draft.id += 1n)));
    change(() => store.assign(0, { on: true }));
    change(() => store.add(0, 'id', 1n));
  };
  const attackAll = async (): Promise<void> => {
    await open(
      () => openStore(source),
      async (store) => {
        readAll(store);
        await follow(watchStore(store));
      },
    );
    await open(
      () => openStore(source, Wide, { access: 'read-write' }),
      async (store) => {
        readAll(store);
        await follow(watchStore(store), () => writeSome(store));
      },
    );
    await open(() => joinStore({ file, layout: Wide, capacity: 1 }), writeSome);
    await open(
      () => openMap(source),
      async (map) => {
        attempt(() => map.size);
        const keys: (string | number | bigint)[] = [];
        attempt(() => {
          for (const [key] of map.entries()) {
            attempt(() => map.get(key));
            if (keys.push(key) === SOME) break;
          }
        });
        await follow(watchMap(map, keys[0]));
      },
    );
    for (const [key, keys, layout] of [
      [utf8(8), ['a', 'b', 'x'], Wide],
      [u32, [0, 5, 99], Small],
    ] as const) {
      const zero = layout.zero() as ReturnType<typeof Wide.zero>;
      await open(
        () => joinMap({ file, key: key as typeof u32, layout: layout as typeof Wide, capacity: 1 }),
        (map) =>
          follow(watchMap(map, keys[0]), () => {
            for (const each of keys as readonly number[]) {
              attempt(() => map.get(each));
              attempt(() => map.has(each));
              change(() => map.set(each, zero));
              change(() => map.update(each, (draft) => void Object.assign(draft, zero)));
              change(() => map.delete(each));
            }
            change(() => map.clear());
          }),
      );
    }
  };
  // Somebody who has the file as a raw segment holds the kernel's lock of LIVING_SLOT, whatever is written into the file.
  const living = besideLiving ? liveIn(file) : undefined;
  try {
    await attackAll();
  } finally {
    living?.close();
  }
  if (JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) !== PLAIN)
    throw new Error('a polluted prototype');
  return met;
}

async function turns(): Promise<void> {
  for (let left = TURNS; left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 1));
}

function liveIn(file: string): { close(): void } {
  fs.rmSync(file, { force: true });
  return createSegment({ file, size: 1 });
}
