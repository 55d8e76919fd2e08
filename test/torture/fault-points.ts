// Fault points: preloaded with `--import`, it loads the library's sources with each comment `STEP: …` turned into a call of
// `sharecordStep` with the step and its source, which does nothing until it is armed. What is published has comments there, so it has no fault points.
// A point stands before the access that it names.
import { registerHooks } from 'node:module';

const SOURCES = new URL('../../src/', import.meta.url).href;
const STEP = /^(\s*)\/\/ STEP: (.+)$/gm;
// The generated writer stores one field per line; a writer may die between any two.
const STORES = '${record.stores}';
const STORES_WITH_STEPS = `\${record.stores?.replaceAll('\\n', '\\nglobalThis.sharecordStep("write 3, next field");\\n')}`;

/** Mistakes that the tests must find, asked for by `?mutation=NAME` behind this module's URL: the negative controls. */
const MUTATIONS: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'published before it is filled': [STORES, `Atomics.add(words, slot, 1);\n${STORES}`],
  'the size is believed': ['if (size > segmentSize)', 'if (false)'],
  'named before it is complete': [
    'opening.initialize(header);',
    'object.publish(plan.place!); opening.initialize(header);',
  ],
  'ready before it is complete': [
    '// STEP: create 3\n',
    'Atomics.store(this.words, STATE_WORD, STATE_READY);\n    // STEP: create 3\n',
  ],
  'adds a key without a note': ['this.#intend(slot, this.#behind, place, this.size);', ''],
  'adds a key without a second look': [
    'if (this.#index.find(hash, this.#matches) !== ABSENT) return false;',
    '',
  ],
  'names a slot before it is noted': [
    'this.#intend(slot, this.#behind, place, this.size);',
    'this.#store(FREE_HEAD, this.#linkOf(slot)); this.#intend(slot, this.#behind, place, this.size);',
  ],
  'clears its note first': [
    'const head = this.#load(FREE_HEAD);',
    'const head = this.#load(FREE_HEAD); this.#store(INTENT_SLOT, 0);',
  ],
  'leaves a slot that it took in the free list': ['if (behind !== 0 && ', 'if (false && '],
  'do not finish what a dead one began': ['if (this.#load(INTENT_SLOT) !== 0) this.#finish();', ''],
  'empty words of the index that searches pass': [
    'if (Atomics.load(words, this.#indexAt((place + 1) & mask)) !== 0) {',
    'if (false) {',
  ],
  'take the ring and do not ring': ['bell.ring();', ''],
};
const [from, to] = MUTATIONS[new URL(import.meta.url).searchParams.get('mutation') ?? ''] ?? ['', ''];
const mutate = (source: string): string => (from === '' ? source : source.replaceAll(from, to));

declare global {
  // oxlint-disable-next-line no-var -- the only way to declare a global
  var sharecordStep: (step: string, source?: string) => void;
}
globalThis.sharecordStep = () => {};

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith(SOURCES) || loaded.source === undefined || loaded.source === null) return loaded;
    const text =
      typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
    const place = JSON.stringify(url.slice(SOURCES.length));
    const source = mutate(text)
      .replaceAll(
        STEP,
        (_, indent: string, step: string) =>
          `${indent}globalThis.sharecordStep(${JSON.stringify(step)}, ${place});`,
      )
      .replaceAll(STORES, STORES_WITH_STEPS);
    return { ...loaded, source };
  },
});
