// The search of map-index.ts and the latch of latch.ts as source text with one map's geometry and record filled in, for machines
// with strong order. The text is evaluated by src/layout/evaluate.ts. HOT: bench/run.ts, row "map".
import { SLOT_CELLS_WORD, SLOT_LOCK_WORD, SLOT_WRAPS_WORD } from './cells.ts';
import type { RecordText } from './latch-source.ts';
import {
  ENTRY_BASE_WORD,
  ENTRY_KEY_WORD,
  ENTRY_PRESENT_WORD,
  PRESENT,
  type MapGeometry,
  type MapMemory,
} from './map-index.ts';

/** What the text gives when it is evaluated. */
export interface GeneratedMap {
  get(key: unknown): object | undefined;
  has(key: unknown): boolean;
  /** Only where the record's text has `stage` and `stores`. */
  set?(key: unknown, record: object): void;
}

/** Free names of the text besides those of the record. */
export interface MapBindings {
  readonly words: Int32Array;
  readonly view: DataView;
  /** The key that is looked for, as it is stored. */
  readonly sought: Int32Array;
  /** Throws for a closed map. */
  readonly check: () => void;
  /** Stores a key in `sought`; false if no entry can hold it. */
  readonly seek: (key: unknown) => boolean;
  /** Does the same, but throws. */
  readonly requireKey: (key: unknown) => void;
  readonly hashWords: (words: Int32Array, from: number, count: number) => number;
  readonly contend: (patience: unknown) => unknown;
  readonly damaged: (slot: number) => never;
  readonly me: number;
  readonly acquire: (word: number) => void;
  readonly announce: () => void;
  /** Sets a key that is not there, or one that others change all the time. */
  readonly insert: (key: unknown, record: object) => void;
}

const WORD = 4;
const TRIES_PER_TURN = 1000;
/** Keys of up to this many words are compared by straight-line code. */
const STRAIGHT_WORDS = 16;

const each = (count: number, spell: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => spell(i));

/** Gives the body of a function of `MapBindings` that returns a `GeneratedMap`. */
export function mapSource(
  {
    firstWord,
    strideWords,
    cellWords,
    capacity,
    control,
    keyWords,
    armedWord,
  }: MapMemory & { armedWord: number },
  { turns, indexes, indexWords, slotMask }: MapGeometry,
  recordOffset: number,
  record: RecordText,
  quickKey: string | undefined,
): string {
  const isStraight = keyWords <= STRAIGHT_WORDS;
  const loadKey = isStraight ? `const ${each(keyWords, (i) => `s${i} = sought[${i}]`).join(', ')};` : '';
  const isKey = isStraight
    ? each(keyWords, (i) => `words[cell + ${ENTRY_KEY_WORD + i}] === s${i}`).join(' && ')
    : 'isSought(cell)';
  const isEntry = `words[cell + ${ENTRY_PRESENT_WORD}] === ${PRESENT} && ${isKey}`;
  const copyKey = isStraight
    ? each(keyWords, (i) => `words[to + ${ENTRY_KEY_WORD + i}] = s${i};`).join(' ')
    : `for (let i = 0; i < ${keyWords}; i++) words[to + ${ENTRY_KEY_WORD} + i] = words[cell + ${ENTRY_KEY_WORD} + i];`;
  const cellOf = `slot + ${SLOT_CELLS_WORD} + (sequence & 1) * ${cellWords}`;
  const turn = `if (++tries === ${TRIES_PER_TURN}) { tries = 0; patience = contend(patience); }`;
  // ORDER: each address depends on the load before it; the last look at a slot or at the turns is an Atomics call
  // (docs/memory-order.md, re-check).
  const search = (found: string, absent: string): string => `
    const hash = hashWords(sought, 0, ${keyWords});
    ${loadKey}
    let tries = 0, patience;
    for (;;) {
      // STEP: find 1
      const turns = words[${control + turns}];
      const index = ${control + indexes} + (turns & 1) * ${indexWords};
      let place = hash & ${indexWords - 1};
      for (let count = 0; count < ${indexWords}; count++) {
        // STEP: find 2
        const word = words[index + place];
        if (word === 0) {
          // STEP: find 3
          break;
        }
        const at = (word & ${slotMask}) - 1;
        if (((word ^ hash) & ${~slotMask}) === 0 && at !== -1) {
          if (at >= ${capacity}) damaged(at);
          const slot = ${firstWord} + at * ${strideWords};
          for (;;) {
            ${found}
            ${turn}
          }
        }
        place = (place + 1) & ${indexWords - 1};
      }
      // STEP: find 4
      if (Atomics.load(words, ${control + turns}) === turns) ${absent}
      ${turn}
    }`;
  const read = (load: string, result: string): string => `
            // STEP: read 1
            const sequence = words[slot];
            const cell = ${cellOf};
            // STEP: read 2
            if (${isEntry}) {
              ${load}
              // STEP: read 3
              if (Atomics.load(words, slot) === sequence) return ${result};
            } else {
              // STEP: read 3
              if (Atomics.load(words, slot) === sequence) break;
            }`;
  const write = `
            // STEP: read 1
            const before = words[slot];
            let isHere;
            // STEP: read 2
            { const sequence = before, cell = ${cellOf}; isHere = ${isEntry}; }
            if (!isHere) {
              // STEP: read 3
              if (Atomics.load(words, slot) === before) break;
              ${turn}
              continue;
            }
            let isDone = false;
            // STEP: write 1
            if (Atomics.compareExchange(words, slot + ${SLOT_LOCK_WORD}, 0, me) !== 0) acquire(slot + ${SLOT_LOCK_WORD});
            try {
              // STEP: write 2
              const sequence = words[slot];
              const cell = ${cellOf};
              if (${isEntry}) {
                const spare = (sequence + 1) & 1;
                const wraps = words[slot + ${SLOT_WRAPS_WORD + 1} - spare];
                // STEP: write 3, wraps
                words[slot + ${SLOT_WRAPS_WORD} + spare] = sequence === -1 ? wraps + 1 : wraps;
                const to = slot + ${SLOT_CELLS_WORD} + spare * ${cellWords};
                // STEP: write 3
                words[to + ${ENTRY_PRESENT_WORD}] = ${PRESENT};
                words[to + ${ENTRY_BASE_WORD}] = words[cell + ${ENTRY_BASE_WORD}];
                words[to + ${ENTRY_BASE_WORD + 1}] = words[cell + ${ENTRY_BASE_WORD + 1}];
                ${copyKey}
                const o = to * ${WORD} + ${recordOffset};
                ${record.stores}
                // STEP: write 4
                Atomics.add(words, slot, 1);
                isDone = true;
              }
            } finally {
              // STEP: write 5
              words[slot + ${SLOT_LOCK_WORD}] = 0;
            }
            if (isDone) {
              // STEP: announce 1
              if (words[${armedWord}] !== 0) announce();
              return;
            }`;
  const store = (otherwise: string): string =>
    quickKey === undefined
      ? otherwise
      : `
    let isStored = false;
    ${quickKey}
    if (!isStored) { ${otherwise} }`;
  const set = `
  set(key, record) {
    check();
    ${record.stage}
    check();
    ${store('requireKey(key);')}
    ${search(write, 'return insert(key, record);')}
  },`;
  const isSought = `
  const isSought = (cell) => {
    for (let i = 0; i < ${keyWords}; i++) if (words[cell + ${ENTRY_KEY_WORD} + i] !== sought[i]) return false;
    return true;
  };`;
  return `${isStraight ? '' : isSought}
  return {
  get(key) {
    check();
    ${store('if (!seek(key)) return undefined;')}
    ${search(read(`const o = cell * ${WORD} + ${recordOffset}; ${record.loads}`, record.object), 'return undefined;')}
  },
  has(key) {
    check();
    ${store('if (!seek(key)) return false;')}
    ${search(read('', 'true'), 'return false;')}
  },${record.stage === undefined || record.stores === undefined ? '' : set}
  };`;
}
