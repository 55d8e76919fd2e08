// A reader in a worker: follows one record.
import { workerData } from 'node:worker_threads';
import { openStore } from 'sharecord';
import { ACME, ENOUGH, Quote } from './quote.ts';

const quotes = openStore(workerData, Quote); // a StoreReader: it has no write()
try {
  const signal = AbortSignal.timeout(10_000);
  for await (const { generation, record } of quotes.watch(ACME, { signal })) {
    console.log(
      `desk:  ${record.symbol} bid ${record.bid.toFixed(2)}, tick ${record.tick}, generation ${generation}`,
    );
    if (record.tick >= ENOUGH) break;
  }
} finally {
  quotes.close();
}
