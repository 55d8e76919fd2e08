// `sharecord watch`
import { openStore } from '../index.ts';
import { lineOf } from './dump.ts';
import { print } from './print.ts';

interface WatchOptions {
  readonly index?: number;
  readonly count?: number;
  readonly json?: boolean;
}

/** Prints each change until `count` of them, or until the process is asked to end. */
export async function watch(name: string, { index, count, json = false }: WatchOptions): Promise<void> {
  const store = openStore(name);
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    if (count === 0) return;
    const options = { signal: end.signal };
    const changes = index === undefined ? store.watch(options) : store.watch(index, options);
    let printed = 0;
    for await (const change of changes) {
      print(lineOf(change, json));
      if (++printed === count) break;
    }
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    store.close();
  }
}
