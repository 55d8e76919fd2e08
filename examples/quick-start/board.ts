// A reader in another process: looks at all records again and again, at its own pace.
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from 'sharecord';
import { ENOUGH, Quote } from './quote.ts';

const quotes = openStore(process.argv[2]!, Quote);
try {
  const scratch = Quote.zero(); // allocated once
  const deadline = performance.now() + 10_000;
  let latest = 0n;
  let reads = 0;
  while (latest < ENOUGH && performance.now() < deadline) {
    for (let index = 0; index < quotes.capacity; index++) {
      quotes.readInto(index, scratch);
      reads++;
      if (scratch.tick <= latest) continue; // not written, or seen before
      latest = scratch.tick;
      // Both prices move by the same amount in one commit: a torn record would show another spread.
      console.log(
        `board: ${scratch.symbol} spread ${(scratch.ask - scratch.bid).toFixed(2)}, tick ${scratch.tick}`,
      );
    }
    await sleep(1);
  }
  console.log(`board: ${reads} records read`);
} finally {
  quotes.close();
}
