// A process that dies, stops or counts at one step: `victim.ts SCENARIO NAME ACTION STEP PASS`, preloaded with fault-points.ts.
// ACTION `trace` prints the steps passed, in their order, and their places; there SCENARIO and NAME may be lists. kill and stop do that to the
// process when it passes STEP for the PASSth time; `block` sleeps there for ever in a worker, so that its parent can end it.
import { spawn } from 'node:child_process';
import { workerData } from 'node:worker_threads';
import {
  createSegment,
  createStore,
  type GuardError,
  type NativeHandle,
  type Handle,
  joinStore,
  openStore,
  type StoreWriter,
} from '../../src/index.ts';
import { arrayOf, Fields, fieldsKind, rawSlot } from '../race/records.ts';
import { blockHere, dieHere, stopHere } from '../support/ending.ts';
import { type Base, baseOf, ELEMENTS, FIRST_OWNER, placeOf, type Scenario, sourceOf } from './scenarios.ts';

const [scenarioList, nameList, action, step, pass] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
let scenario = scenarioList as Scenario;
let name = nameList;
let passed: string[] = [];
const places = new Set<string>();

/** Turns of a wait before the record is free again. */
const TURNS = 3;
/** Frees the record that another owner seems to hold. */
let free = (): void => {};
/** Comes before the publish of a write. */
let beforePublish = (): void => {};

function onStep(at: string, source?: string): void {
  passed.push(at);
  if (source !== undefined) places.add(`${source}: ${at}`);
  if (at === 'acquire 1' && passed.filter((each) => each === at).length === TURNS) free();
  if (at === 'write 4') beforePublish();
  if (at !== step || passed.filter((each) => each === step).length !== Number(pass)) return;
  if (action === 'block') blockHere();
  if (action === 'kill') dieHere();
  if (action === 'stop') stopHere();
}
const say = (report: object): void => void process.stdout.write(`${JSON.stringify(report)}\n`);
const arm = (): void => void (globalThis.sharecordStep = onStep);
const disarm = (): void => void (globalThis.sharecordStep = () => {});

const options = () => ({ ...placeOf(scenario, name), layout: Fields, capacity: 2 });
/** In a worker the store comes as a handle. */
const openFields = (): StoreWriter<typeof Fields> =>
  openStore((workerData as Handle | null) ?? sourceOf(scenario, name), Fields, { access: 'read-write' });

function read(): void {
  const store = openStore(name, Fields);
  arm();
  store.read(0);
  disarm();
  store.close();
}

function write(): void {
  const store = openFields();
  const next = fieldsKind.fill(Fields.zero(), store.read(0).a + 1);
  arm();
  store.write(0, next);
  disarm();
  store.close();
}

function update(): void {
  const store = openFields();
  arm();
  store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
  disarm();
  store.close();
}

/** The record is held by the parent, which lives, for some turns. */
function wait(): void {
  const store = openFields();
  const { words, sequence } = rawSlot(store.segment.buffer, 0);
  Atomics.store(words, sequence + 1, FIRST_OWNER);
  free = () => void Atomics.store(words, sequence + 1, 0);
  arm();
  store.update(0, (draft) => void fieldsKind.fill(draft, draft.a + 1));
  disarm();
  store.close();
}

function create(): void {
  arm();
  const store = createStore(options());
  disarm();
  store.close();
}

function join(): void {
  arm();
  const store = joinStore(options());
  disarm();
  say({ created: String(store.created), value: store.read(0).a });
  store.close();
}

/** Each scenario arms the fault points around the one call that it is about. */
const scenarios: Record<
  Base | 'write with an heir' | 'last close of a raw segment',
  () => Promise<void> | void
> = {
  read,
  write,
  'write under a seqlock': write,
  'update under a seqlock': update,
  'update under a mutex': update,
  'write of 4 KiB'() {
    const layout = arrayOf(ELEMENTS);
    const store = openStore(name, layout, { access: 'read-write' });
    const values = store.read(0).values.map((value) => value + 1);
    arm();
    store.write(0, { values });
    disarm();
    store.close();
  },
  /** As no call of the library makes one: a write of a record by the writer that is inside a write of it. */
  'write inside a write'() {
    const store = openFields();
    const next = fieldsKind.fill(Fields.zero(), 2);
    beforePublish = () => {
      try {
        store.write(0, next);
      } catch (error) {
        if ((error as GuardError).code === 'LOCK_TIMEOUT') return;
        throw error;
      }
      throw new Error('a writer takes a lock twice');
    };
    arm();
    store.write(0, next);
    disarm();
    store.close();
  },
  'read of a torn record under a seqlock'() {
    const store = openStore(name, Fields);
    arm();
    try {
      store.read(0);
    } catch (error) {
      if ((error as GuardError).code !== 'WRITER_DIED') throw error;
    }
    disarm();
    store.close();
  },
  update,
  wait,
  steal: update,
  'steal by probe': update,
  'steal of an abandoned lock': update,
  create,
  replace: create,
  'join of nothing': join,
  join,
  'join of a leftover': join,
  'join of a segment that is gone': join,
  'join of a half-made segment': join,
  'open for writing'() {
    arm();
    const store = openFields();
    disarm();
    store.close();
  },
  close() {
    const store = openFields();
    arm();
    store.close();
  },
  'last close'() {
    const store = createStore(options());
    arm();
    store.close();
  },
  /** A program that the writer started has the descriptor of its handle. */
  'write with an heir'() {
    const store = openFields();
    const { osHandle } = store.handle as NativeHandle;
    const heir = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', osHandle!], detached: true });
    say({ heir: heir.pid });
    arm();
    store.write(0, fieldsKind.fill(Fields.zero(), 2));
  },
  'last close of a raw segment'() {
    const segment = createSegment({ name, size: 64 });
    arm();
    segment.close();
  },
  unlink() {
    const store = createStore(options());
    arm();
    store.segment.unlink();
    disarm();
    store.close();
  },
  async watch() {
    const store = openStore(name, Fields);
    arm();
    const changes = store.watch(0);
    await changes.next();
    const second = changes.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await changes.return?.();
    await second;
    disarm();
    store.close();
  },
};

process.stdout.write('ready\n');
const names = nameList.split(',');
const steps: Record<string, readonly string[]> = {};
for (const [i, each] of (scenarioList.split(',') as Scenario[]).entries()) {
  scenario = each;
  name = names[i]!;
  passed = [];
  free = () => {};
  beforePublish = () => {};
  await scenarios[baseOf(scenario)]();
  disarm();
  steps[scenario] = passed;
}
say({ steps: JSON.stringify(steps), places: JSON.stringify([...places]) });
