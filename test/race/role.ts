// What the Node processes of the race tests have in common, `SCRIPT ROLE …`: a peer prints "ready", works until its standard input
// ends or its count is reached, then prints one line of JSON.

/** Prints a line of JSON. */
export const say = (report: object): void => void process.stdout.write(`${JSON.stringify(report)}\n`);
export const sayReady = (): void => void process.stdout.write('ready\n');

/** Aborted with the end of the input; in a worker, when its parent says so. */
export const input = new AbortController();

/** Notices the end of the input, which is the parent's wish or death. */
export function listenForEnd(): void {
  process.stdin.resume();
  process.stdin.once('end', () => input.abort());
}

/** Repeats `work` until the input ends or `work` says that it is done; looks at the input in between. */
export async function untilEnd(work: () => boolean | void): Promise<void> {
  listenForEnd();
  sayReady();
  while (!input.signal.aborted && work() !== true) await new Promise((resolve) => setImmediate(resolve));
  process.stdin.destroy();
}

/** Runs the role that the command line names with the arguments behind it. */
export async function runRole(
  roles: Readonly<Record<string, (...args: string[]) => Promise<void> | void>>,
): Promise<void> {
  const [role = '', ...args] = process.argv.slice(2);
  const run = roles[role];
  if (run === undefined) throw new Error(`no role ${role}`);
  await run(...args);
}
