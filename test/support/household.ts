// Child processes, stores and names of segments that somebody starts and must not leave behind, and what to wait for. Runs
// outside the test runner too; bed.ts ties it to a test.
import { type ChildProcess, execFileSync, spawn, type StdioOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compileNative } from './native.ts';
import { isNamed, onWindows, pathOf } from './system.ts';

const WATCHDOG_MS = 100_000;
/** A peer that finds its modules compiled starts in a third of the time. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url));
const SCRIPTS = fileURLToPath(new URL('../race/', import.meta.url));

/** The Node binary that scripts run on: another version with SHARECORD_NODE (test/support/node-matrix.ts). */
export const NODE = process.env['SHARECORD_NODE'] ?? process.execPath;

/** Gives the major version of that binary. */
export function nodeMajor(): number {
  return Number(execFileSync(NODE, ['--print', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]);
}

/** How V8 compiles; without TurboFan, code stays in Maglev, which merges plain loads that TurboFan keeps apart. */
export interface Tier {
  readonly tier: string;
  readonly flags: readonly string[];
}

const ALL_TIERS: readonly Tier[] = [
  { tier: 'default tier', flags: [] },
  { tier: 'no TurboFan', flags: ['--no-turbofan'] },
];
/** SHARECORD_TIER, the name of a tier, leaves the other one out. Wine runs Node 22, which has no Maglev: there is one. */
export const TIERS: readonly Tier[] = (onWindows ? ALL_TIERS.slice(0, 1) : ALL_TIERS).filter(
  ({ tier }) => tier === (process.env['SHARECORD_TIER'] ?? tier),
);

/** One line of a peer's output. */
export type Report = Readonly<Record<string, number | string>>;

/** A child process: prints "ready", then lines of JSON, and ends when its standard input does. */
export class Peer {
  readonly child: ChildProcess;
  /** Settles with the first line of output. */
  readonly ready: Promise<void>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly reports: Report[] = [];
  readonly #role: string;
  #errors = '';
  #overdue = false;
  #listener: (() => void) | undefined;

  constructor(
    command: string,
    args: readonly string[],
    role: string,
    stdio: StdioOptions = ['pipe', 'pipe', 'pipe'],
    watchdogMs = WATCHDOG_MS,
  ) {
    this.#role = role;
    const env = { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: COMPILE_CACHE };
    this.child = spawn(command, args, { stdio, env });
    const { stdout, stderr, stdin } = this.child;
    stdin?.on('error', () => {}); // the peer may be gone by the time its input is closed
    stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    const lines = createInterface({ input: stdout! });
    const ended = once(this.child, 'close');
    this.exited = ended.then(([code, signal]) => ({ code, signal }));
    const watchdog = setTimeout(() => {
      this.#overdue = true;
      this.child.kill('SIGKILL');
    }, watchdogMs);
    void this.exited.then(() => clearTimeout(watchdog));
    this.ready = new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        if (line === 'ready') return resolve();
        if (line.startsWith('{')) this.reports.push(JSON.parse(line) as Report);
        this.#listener?.();
      });
      void this.exited.then(() => reject(new Error(`${this} ended before it was ready${this.#state()}`)));
    });
    this.ready.catch(() => {});
  }

  toString(): string {
    return `peer ${this.#role} (${this.child.pid})`;
  }

  #state(): string {
    const { exitCode, signalCode } = this.child;
    const outcome = this.#overdue ? `ended by the watchdog` : `exit ${exitCode ?? signalCode}`;
    return `: ${outcome}, reports ${JSON.stringify(this.reports)}, stderr ${this.#errors}`;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Gives the next report that `accept` takes, of those printed so far and to come. */
  async report(accept: (report: Report) => boolean = () => true): Promise<Report> {
    for (;;) {
      const found = this.reports.find(accept);
      if (found !== undefined) return found;
      if (!this.running) throw new Error(`${this} has not reported${this.#state()}`);
      await Promise.race([this.exited, new Promise<void>((resolve) => (this.#listener = resolve))]);
    }
  }

  /** Waits for the peer's orderly end and gives its last report. */
  async result(): Promise<Report> {
    const { code } = await this.exited;
    const last = this.reports.at(-1);
    if (code !== 0 || last === undefined) throw new Error(`${this} failed${this.#state()}`);
    return last;
  }

  /** Closes the peer's input, which ends its role, and gives its last report. */
  end(): Promise<Report> {
    this.child.stdin?.end();
    return this.result();
  }
}

/** All that one run started; `clear` puts it away. */
export class Household {
  readonly #names: string[] = [];
  readonly #peers: Peer[] = [];
  readonly #open: { close(): void }[] = [];

  /** A segment name that no other test has. */
  name(label: string): string {
    const name = `sharecord-test-${label}-${process.pid}-${randomBytes(6).toString('hex')}`;
    this.#names.push(name);
    return name;
  }

  /** Closes `thing` at the end of the test. */
  keep<T extends { close(): void }>(thing: T): T {
    this.#open.push(thing);
    return thing;
  }

  /** Starts a role of native/peer.c. */
  native(role: string, ...args: readonly (string | number)[]): Peer {
    return this.program('peer.c', role, ...args);
  }

  /** Starts a role of a C program in native/. */
  program(source: string, role: string, ...args: readonly (string | number)[]): Peer {
    return this.#add(new Peer(compileNative(source), [role, ...args.map(String)], role));
  }

  /** Starts a role of test/race/node-peer.ts with the tier's flags. */
  node(tier: Pick<Tier, 'flags'>, role: string, ...args: readonly (string | number)[]): Peer {
    return this.script(tier, 'node-peer.ts', role, ...args);
  }

  /** Starts a role of a script in test/race/ with the tier's flags. */
  script(
    { flags }: Pick<Tier, 'flags'>,
    file: string,
    role: string,
    ...args: readonly (string | number)[]
  ): Peer {
    const options = ['--conditions=@sharecord/source', '--disable-warning=ExperimentalWarning', ...flags];
    return this.#add(new Peer(NODE, [...options, `${SCRIPTS}${file}`, role, ...args.map(String)], role));
  }

  #add(peer: Peer): Peer {
    this.#peers.push(peer);
    return peer;
  }

  /** Takes a peer that the test made itself. */
  adopt(peer: Peer): Peer {
    return this.#add(peer);
  }

  /** Ends what runs, closes what is open, and throws if a name is left. */
  async clear(): Promise<void> {
    for (const peer of this.#peers) if (peer.running) peer.kill('SIGKILL');
    await Promise.all(this.#peers.map((peer) => peer.exited));
    for (const thing of this.#open.toReversed()) thing.close();
    const left = this.#names.filter(isNamed);
    if (!onWindows) for (const name of left) fs.rmSync(pathOf(name), { force: true });
    if (left.length > 0) throw new Error(`the test left segments behind: ${left.join(', ')}`);
  }
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until `holds`; the watchdog says what did not happen. */
export async function until(what: string, holds: () => boolean, watchdogMs = 30_000): Promise<void> {
  const deadline = performance.now() + watchdogMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`stuck: ${what} did not happen in ${watchdogMs} ms`);
    await sleep(1);
  }
}
