// The sender: each line typed here goes into the record, and the receiver is told. It ends with its input.
import { createInterface } from 'node:readline';
import { SharecordError } from 'sharecord';
import { tell } from './notices.ts';
import { readOptions } from './options.ts';
import { joinMemory } from './record.ts';

const options = readOptions();
const memory = joinMemory(options);
let sent = 0;
let refused = 0;
try {
  console.log('ready to send');
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      // Whole, with zeros behind it; or not at all: too long, a character that the code page lacks, a mutex that is kept.
      memory.write({ Data: line });
    } catch (error) {
      if (!(error instanceof SharecordError)) throw error;
      refused++;
      console.error(`not sent, ${error.code}: ${error.message}`);
      continue;
    }
    sent++;
    const reason = tell(options);
    if (reason !== undefined) console.error(`not told: ${reason}`);
  }
  console.log(`sent ${sent}, refused ${refused}`);
} finally {
  memory.close();
}
