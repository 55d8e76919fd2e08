// The writer: makes the store, starts a worker and a second process that read it, and moves a price until both have ended.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createStore } from 'sharecord';
import { ACME, Quote } from './quote.ts';

const [name = 'quotes'] = process.argv.slice(2);
const quotes = createStore({ name, layout: Quote, capacity: 1024 });
let ticking: NodeJS.Timeout | undefined;
try {
  quotes.write(ACME, { symbol: 'ACME', bid: 10.25, ask: 10.5, tick: 1n, depth: [5, 4, 3, 2, 1] });

  // A worker gets the handle; another process may as well open the store by its name.
  const desk = new Worker(new URL('./desk.ts', import.meta.url), { workerData: quotes.handle });
  const board = fork(new URL('./board.ts', import.meta.url), [name]);

  ticking = setInterval(() => {
    // The draft is a copy. It is committed only if this function returns, so that nobody ever reads half of it.
    quotes.update(ACME, (draft) => {
      draft.bid += 0.25;
      draft.ask += 0.25;
      draft.tick += 1n;
    });
  }, 50);

  // The store ends with its last writer: outlive the readers.
  const [, [code]] = await Promise.all([once(desk, 'exit'), once(board, 'exit')]);
  process.exitCode = code ?? 1;
} finally {
  clearInterval(ticking);
  quotes.close();
}
