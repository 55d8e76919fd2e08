// The scenarios of the campaigns with stores: what was there before, the victims that pass their steps, and the points at which those
// die or stop. What must be true then is in deaths.ts and stops.ts.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createStore,
  joinStore,
  namedMutex,
  openStore,
  type StoreReader,
  type StoreWriter,
} from '../../src/index.ts';
import { ARMED_WORD } from '../../src/store/segment-header.ts';
import { arrayKind, arrayOf, Fields, fieldsKind, rawSlot } from '../race/records.ts';
import { hasDied } from '../support/ending.ts';
import { type Household, NODE, Peer, type Report } from '../support/household.ts';
import { faultPoints } from './mistake.ts';
import type { NamedStep } from './named-steps.ts';
import { require } from './verdicts.ts';
import { isNamed, keepMutex, onWindows, putForeign } from '../support/system.ts';

export const ELEMENTS = 512;
const VICTIM = fileURLToPath(new URL('./victim.ts', import.meta.url));

const BASES = [
  'read',
  'write',
  'write of 4 KiB',
  'write inside a write',
  'update',
  'wait',
  'steal',
  'steal by probe',
  'steal of an abandoned lock',
  'write under a seqlock',
  'update under a seqlock',
  'read of a torn record under a seqlock',
  'update under a mutex',
  'create',
  'replace',
  'join of nothing',
  'join',
  'join of a leftover',
  'join of a segment that is gone',
  'join of a half-made segment',
  'open for writing',
  'close',
  'last close',
  'unlink',
  'watch',
] as const;
export type Base = (typeof BASES)[number];
/** The same with a store in a file, whose name stays on every system. */
const BASES_IN_FILES = [
  'create',
  'replace',
  'join',
  'join of a leftover',
  'join of a segment that is gone',
  'last close',
  'unlink',
] as const satisfies readonly Base[];
const IN_A_FILE = ' in a file';
export type Scenario = Base | `${(typeof BASES_IN_FILES)[number]}${typeof IN_A_FILE}`;
/** What the scenario does, wherever its store is. */
export const baseOf = (scenario: string): Base => scenario.replace(IN_A_FILE, '') as Base;

/** Nobody removes a name of Windows, and the dead leave none behind: it ends with its last handle. */
const WHERE_NAMES_STAY: readonly Base[] = [
  'replace',
  'join of a leftover',
  'join of a segment that is gone',
  'unlink',
];
/** A POSIX name comes with a finished segment, and a lock there is free the moment its owner is dead. */
const WHERE_NAMES_END: readonly Base[] = ['steal of an abandoned lock', 'join of a half-made segment'];
const elsewhere = onWindows ? WHERE_NAMES_STAY : WHERE_NAMES_END;
/** Those of this system. */
export const SCENARIOS: readonly Scenario[] = [
  ...BASES.filter((each) => !elsewhere.includes(each)),
  ...BASES_IN_FILES.map((each) => `${each}${IN_A_FILE}` as const),
];

/** True if a scenario of this system comes to the step; those of maps are in map-scenarios.ts. */
export function isPassedHere({ source }: NamedStep): boolean {
  // The generated text is for machines with strong order.
  if (source.endsWith('latch-source.ts') && !['x64', 'ia32'].includes(process.arch)) return false;
  return !/map-/.test(source) && !(onWindows ? /linux/ : /win32/).test(source);
}

const isInFile = (scenario: Scenario): boolean => scenario.endsWith(IN_A_FILE);
const folderOf = (name: string): string => path.join(tmpdir(), name);

/** Where the scenario's store is. */
export const placeOf = (scenario: Scenario, name: string): { name: string } | { file: string } =>
  isInFile(scenario) ? { file: path.join(folderOf(name), 'store') } : { name };
/** The same for an open. */
export function sourceOf(scenario: Scenario, name: string): string | { file: string } {
  const place = placeOf(scenario, name);
  return 'name' in place ? place.name : place;
}

/** True if the store's name or file is there. */
export function isThere(scenario: Scenario, name: string): boolean {
  const place = placeOf(scenario, name);
  return 'name' in place ? isNamed(name) : fs.existsSync(place.file);
}

/** What a death may leave of a store in a file on Windows (docs/windows.md): one draft, or one removed file. */
export function requireTidy(scenario: Scenario, name: string): void {
  if (!isInFile(scenario)) return;
  const left = fs.readdirSync(folderOf(name));
  const isKnown = onWindows && left.length === 1 && /\.sharecord-(new|gone)$/.test(left[0]!);
  require(left.length === 0 || isKnown, `files are left: ${left.join(', ')}`);
}

/** A place to die: the `pass`th time that the scenario comes to the step. */
export interface Point {
  readonly scenario: Scenario;
  readonly step: string;
  readonly pass: number;
  /** A mistake of fault-points.ts that the victim makes. */
  readonly mutation?: string;
}

type Action = 'trace' | 'kill' | 'stop' | 'block';

/** The command that runs a victim. */
export function victimCommand(
  scenario: string,
  name: string,
  action: Action,
  point?: Point,
): [string, ...string[]] {
  return [
    NODE,
    '--conditions=@sharecord/source',
    '--disable-warning=ExperimentalWarning',
    faultPoints(point?.mutation),
    VICTIM,
    scenario,
    name,
    action,
    point?.step ?? '',
    String(point?.pass ?? 0),
  ];
}

/** Starts a victim of that scenario. */
export function startVictim(
  house: Household,
  scenario: string,
  name: string,
  action: Action,
  point?: Point,
): Peer {
  const [command, ...args] = victimCommand(scenario, name, action, point);
  return house.adopt(new Peer(command, args, `victim of ${scenario}`));
}

/** What holds the victim's name while the victim runs. */
interface Scene {
  /** This process's own open of the store; undefined where nobody but the victim has one. */
  readonly store?: StoreWriter<typeof Fields>;
  readonly reader?: StoreReader<typeof Fields>;
  /** The value in record 0 before the victim. */
  readonly value: number;
  /** Keeps a name that its dead maker left; nobody can make another segment of it. */
  readonly keeper?: { close(): void };
}

async function die(house: Household, scenario: Scenario, name: string, step: string): Promise<void> {
  const victim = startVictim(house, scenario, name, 'kill', { scenario, step, pass: 1 });
  await requireKilled(victim);
}

/** Waits for the end of a victim and requires that it was a death. */
export async function requireKilled(victim: Peer): Promise<void> {
  if (!hasDied(await victim.exited))
    throw new Error(`${victim} came to its end: ${JSON.stringify(victim.reports)}`);
}

const layoutFor = (scenario: Scenario): typeof Fields =>
  scenario === 'write of 4 KiB' ? (arrayOf(ELEMENTS) as unknown as typeof Fields) : Fields;
export const kindFor = (scenario: Scenario): typeof fieldsKind =>
  scenario === 'write of 4 KiB' ? (arrayKind(ELEMENTS) as unknown as typeof fieldsKind) : fieldsKind;

/** The guard of the scenario's store. */
function guardFor(scenario: Scenario, name: string): 'latch' | 'seqlock' | ReturnType<typeof namedMutex> {
  if (scenario.endsWith('seqlock')) return 'seqlock';
  return scenario.endsWith('mutex') ? namedMutex(mutexOf(name), { timeoutMs: 1000 }) : 'latch';
}
/** Name of the mutex that guards the store. */
export const mutexOf = (name: string): string => `${name}-mutex`;

/** Options of the scenario's store. */
export const optionsFor = (scenario: Scenario, name: string) => ({
  ...placeOf(scenario, name),
  layout: layoutFor(scenario),
  capacity: 2,
  guard: guardFor(scenario, name),
});

/** Makes what the scenario starts from. */
export async function setScene(house: Household, scenario: Scenario, name: string): Promise<Scene> {
  const lastClose: Scenario = isInFile(scenario) ? 'last close in a file' : 'last close';
  if (isInFile(scenario)) {
    fs.mkdirSync(folderOf(name));
    house.keep({ close: () => fs.rmSync(folderOf(name), { recursive: true }) });
  }
  switch (baseOf(scenario)) {
    case 'create':
    case 'join of nothing':
    case 'last close':
    case 'unlink':
      return { value: 0 };
    case 'replace':
    case 'join of a leftover':
      await die(house, lastClose, name, 'close 2');
      return { value: 0 };
    case 'join of a segment that is gone':
      await die(house, lastClose, name, 'remove 3');
      return { value: 0 };
    case 'join of a half-made segment': {
      const { layout, capacity } = optionsFor(scenario, name);
      const whole = createStore({ layout, capacity });
      const bytes = new Uint8Array(whole.segment.size);
      whole.close();
      bytes.set(new TextEncoder().encode('SHARECRD'));
      const foreign = putForeign(name, bytes);
      return { value: 0, keeper: house.keep(closedOnce(() => foreign.remove())) };
    }
    default: {
      const layout = layoutFor(scenario);
      const store = house.keep(createStore(optionsFor(scenario, name)));
      const reader = house.keep(openStore(sourceOf(scenario, name), layout));
      store.write(0, kindFor(scenario).fill(layout.zero(), 1));
      // The thief takes the dead one's participant slot, or a lower one, so that only the kernel knows of the death.
      const lower = isProbed(scenario) ? joinStore({ name, layout, capacity: 2 }) : undefined;
      // Somebody else has the mutex of the dead one's slot open, so that it does not go with its owner.
      if (scenario === 'steal of an abandoned lock') house.keep(keepMutex(`${name}:sharecord:lock:2`));
      if (isTornBefore(scenario)) await die(house, 'write under a seqlock', name, 'seqlock write 5');
      if (scenario.startsWith('steal')) await die(house, 'write', name, 'write 4');
      lower?.close();
      // Somebody listens, and the word is armed, as a watcher leaves it: so that the writer has somebody to ring for.
      reader.watch(1, { persistent: false });
      Atomics.store(rawSlot(store.segment.buffer, 0).words, ARMED_WORD, 1);
      return { store, reader, value: 1 };
    }
  }
}
const isProbed = (scenario: Scenario): boolean =>
  scenario === 'steal by probe' || scenario === 'steal of an abandoned lock';

/** True if a writer that died before the victim began has left the record torn. */
export const isTornBefore = (scenario: Scenario): boolean =>
  scenario === 'read of a torn record under a seqlock';

function closedOnce(close: () => void): { close(): void } {
  let isOpen = true;
  return {
    close() {
      if (isOpen) close();
      isOpen = false;
    },
  };
}

/** The owner word of the first participant of a new store: slot 0, epoch 1. */
export const FIRST_OWNER = 1 << 8;

/** What scenarios pass. */
interface Traces<S extends Scenario> {
  /** Of each scenario, in their order. */
  readonly steps: Readonly<Record<S, readonly string[]>>;
  /** Of all scenarios, as placesOf of named-steps.ts gives them. */
  readonly places: readonly string[];
}

/** Traces the scenarios; one process passes them all. */
export async function tracesOf<S extends Scenario>(
  house: Household,
  scenarios: readonly S[],
): Promise<Traces<S>> {
  const names = scenarios.map(() => house.name('traced'));
  const scenes = await Promise.all(scenarios.map((scenario, i) => setScene(house, scenario, names[i]!)));
  const report: Report = await startVictim(house, scenarios.join(), names.join(), 'trace').result();
  for (const [i, { store, reader, keeper }] of scenes.entries()) {
    reader?.close();
    store?.close();
    keeper?.close();
    require(!isThere(scenarios[i]!, names[i]!), `${scenarios[i]}: the name is left`);
  }
  return {
    steps: JSON.parse(String(report['steps'])) as Record<S, string[]>,
    places: (JSON.parse(String(report['places'])) as string[]).toSorted(),
  };
}

/** A writer that waits passes the same steps again and again. */
const MOST_PASSES = 8;

/** The points of a trace. */
export function pointsOf(scenario: Scenario, steps: readonly string[]): Point[] {
  const passes = new Map<string, number>();
  return steps
    .map((step) => {
      const pass = (passes.get(step) ?? 0) + 1;
      passes.set(step, pass);
      return { scenario, step, pass };
    })
    .filter(({ pass }) => pass <= MOST_PASSES);
}
