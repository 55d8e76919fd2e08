// `sharecord watch`
import { lineOf, refuseIndex } from './dump.ts';
import { type Opened, openAny } from './open-any.ts';
import { print } from './print.ts';

interface WatchOptions {
  readonly index?: number;
  readonly count?: number;
  readonly json?: boolean;
}

/** Prints each change until `count` of them, or until the process is asked to end. */
export async function watch(name: string, { index, count, json = false }: WatchOptions): Promise<void> {
  const opened = openAny(name);
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const changes = changesOf(opened, index, end.signal);
    if (count === 0) return;
    let printed = 0;
    for await (const change of changes) {
      print(lineOf(change, json));
      if (++printed === count) break;
    }
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    if (opened.kind === 'map') opened.map.close();
    else opened.store.close();
  }
}

function changesOf(opened: Opened, index: number | undefined, signal: AbortSignal): AsyncIterable<object> {
  if (opened.kind === 'store')
    return index === undefined ? opened.store.watch({ signal }) : opened.store.watch(index, { signal });
  refuseIndex(index);
  return opened.map.watch({ signal });
}
