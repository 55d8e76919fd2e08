// The latch of latch.ts as source text with one record's fields filled in, for machines with strong order. The text is
// evaluated by src/layout/compile.ts. HOT: bench/run.ts, rows "read", "readInto", "write".
import { SLOT_CELLS_WORD, SLOT_LOCK_WORD, SLOT_WRAPS_WORD } from './cells.ts';

/** Statements and expressions that move one record between objects and memory. */
export interface RecordText {
  /** Reads the record at byte `o` of `view` into locals; torn bytes give odd values, never an exception. */
  readonly loads: string;
  /** A fresh object of those locals. */
  readonly object: string;
  /** Assigns those locals into `target`. */
  readonly into: string;
  /** Checks `record` and reads it into locals. */
  readonly stage: string | undefined;
  /** Stores those locals at byte `o` of `view`. */
  readonly stores: string | undefined;
}

/** What the text gives when it is evaluated. */
export interface GuardedAccess {
  read(index: number): object;
  readInto(index: number, target: object): object;
  /** Only where the text has `stage` and `stores`. */
  write?(index: number, record: object): void;
  /** Makes every later call end in `refuse`. */
  close(): void;
}

/** Free names of the text besides those of the record. */
export interface LatchBindings {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly capacity: number;
  readonly me: number;
  readonly acquire: (word: number) => void;
  readonly announce: () => void;
  /** Throws for an index outside the store, or for a closed store. */
  readonly refuse: (index: unknown) => never;
  /** Throws for what is no object. HOT: asked when an assignment has failed; asked before, it cost 0.7 ns of 13. */
  readonly wrongTarget: (target: unknown) => void;
  readonly contend: (patience: unknown, index: number) => unknown;
}

const WORD = 4;
const TRIES_PER_TURN = 1000;

interface Geometry {
  readonly firstWord: number;
  readonly strideWords: number;
  readonly cellWords: number;
  readonly armedWord: number;
}

/** Gives the body of a function of `LatchBindings` that returns a `GuardedAccess`. */
export function latchSource(geometry: Geometry, record: RecordText): string {
  const { firstWord, strideWords, cellWords, armedWord } = geometry;
  const inRange = `if (typeof index !== 'number' || (index >>> 0) !== index || index >= limit) refuse(index);`;
  const slot = `const slot = ${firstWord} + index * ${strideWords};`;
  const cell = (which: string): string => `(slot + ${SLOT_CELLS_WORD} + ${which} * ${cellWords}) * ${WORD}`;
  // ORDER: the first load may be plain, the last is an Atomics call (docs/memory-order.md, re-check).
  const snapshot = (accept: string): string => `
    ${inRange}
    ${slot}
    let tries = 0, patience;
    for (;;) {
      // STEP: read 1
      const sequence = words[slot];
      const o = ${cell('(sequence & 1)')};
      // STEP: read 2
      ${record.loads}
      // STEP: read 3
      if (Atomics.load(words, slot) === sequence) { ${accept} }
      if (++tries === ${TRIES_PER_TURN}) { tries = 0; patience = contend(patience, index); }
    }`;
  const write = `
    write(index, record) {
      ${inRange}
      ${record.stage}
      if (index >= limit) refuse(index);
      ${slot}
      // STEP: write 1
      if (Atomics.compareExchange(words, slot + ${SLOT_LOCK_WORD}, 0, me) !== 0) acquire(slot + ${SLOT_LOCK_WORD});
      try {
        // STEP: write 2
        const sequence = words[slot];
        const spare = (sequence + 1) & 1;
        const wraps = words[slot + ${SLOT_WRAPS_WORD + 1} - spare];
        // STEP: write 3, wraps
        words[slot + ${SLOT_WRAPS_WORD} + spare] = sequence === -1 ? wraps + 1 : wraps;
        const o = ${cell('spare')};
        // STEP: write 3
        ${record.stores}
        // STEP: write 4
        Atomics.add(words, slot, 1);
      } finally {
        // STEP: write 5
        words[slot + ${SLOT_LOCK_WORD}] = 0;
      }
      // STEP: announce 1
      if (words[${armedWord}] !== 0) announce();
    },`;
  return `
  let limit = capacity;
  return {
    read(index) {${snapshot(`return ${record.object};`)}
    },
    readInto(index, target) {${snapshot(`try { ${record.into} } catch (error) { wrongTarget(target); throw error; } return target;`)}
    },${record.stage === undefined || record.stores === undefined ? '' : write}
    close() { limit = 0; },
  };`;
}
