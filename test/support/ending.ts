// How a process of the tests ends or stops itself at one instruction, and how the others see and undo it. On Windows there are no
// signals: a process is terminated with a code that nothing else gives, and the thread that stops is suspended.
import * as fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import koffi from 'koffi';
import { type Peer, until } from './household.ts';
import { onWindows } from './system.ts';

/** Exit code of a process that killed itself on Windows; Node's own kill would give 1, as every error does. */
const KILLED = 137;
const THIS_PROCESS = -1;
const THREAD_SUSPEND_RESUME = 2;
const PROCESS_SUSPEND_RESUME = 0x800;

function load() {
  const kernel32 = koffi.load('kernel32.dll');
  const ntdll = koffi.load('ntdll.dll');
  return {
    terminate: kernel32.func('int __stdcall TerminateProcess(intptr_t, uint32_t)'),
    thisThread: kernel32.func('intptr_t __stdcall GetCurrentThread()'),
    thisThreadId: kernel32.func('uint32_t __stdcall GetCurrentThreadId()'),
    openThread: kernel32.func('intptr_t __stdcall OpenThread(uint32_t, int, uint32_t)'),
    suspend: kernel32.func('uint32_t __stdcall SuspendThread(intptr_t)'),
    resume: kernel32.func('uint32_t __stdcall ResumeThread(intptr_t)'),
    openProcess: kernel32.func('intptr_t __stdcall OpenProcess(uint32_t, int, uint32_t)'),
    suspendAll: ntdll.func('int32_t __stdcall NtSuspendProcess(intptr_t)'),
    resumeAll: ntdll.func('int32_t __stdcall NtResumeProcess(intptr_t)'),
    close: kernel32.func('int __stdcall CloseHandle(intptr_t)'),
  };
}
let loaded: ReturnType<typeof load> | undefined;
const threads = (): ReturnType<typeof load> => (loaded ??= load());

/** Ends this process here, as `kill -9` does. */
export function dieHere(): void {
  if (onWindows) threads().terminate(THIS_PROCESS, KILLED);
  else process.kill(process.pid, 'SIGKILL');
}

/** Blocks this thread here for ever, and says so to the one that started it. */
export function blockHere(): void {
  parentPort!.postMessage('blocked');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** True if that was the end of a process that killed itself, or that Node killed with SIGKILL. */
export const hasDied = (exit: Awaited<Peer['exited']>): boolean =>
  exit.signal === 'SIGKILL' || (onWindows && exit.code === KILLED);

/** Stops this process (on Windows: this thread) here until somebody lets it go on. */
export function stopHere(): void {
  if (!onWindows) {
    process.kill(process.pid, 'SIGSTOP');
    return;
  }
  const { suspend, thisThread, thisThreadId } = threads();
  fs.writeSync(process.stdout.fd, `${JSON.stringify({ stopsThread: Number(thisThreadId()) })}\n`);
  suspend(thisThread());
}

/** Runs `act` with a handle of the thread that said it would stop; undefined before it said so. */
function withThread<T>({ reports }: Peer, act: (thread: number) => T): T | undefined {
  const id = reports.find((report) => 'stopsThread' in report)?.['stopsThread'];
  if (id === undefined) return undefined;
  const thread = Number(threads().openThread(THREAD_SUSPEND_RESUME, 0, id));
  if (thread === 0) throw new Error(`there is no thread ${id}`);
  try {
    return act(thread);
  } finally {
    threads().close(thread);
  }
}

function withProcess(peer: Peer, act: (process: number) => number): void {
  const opened = Number(threads().openProcess(PROCESS_SUSPEND_RESUME, 0, peer.child.pid));
  if (opened === 0) throw new Error(`${peer} is not there`);
  try {
    if (act(opened) !== 0) throw new Error(`${peer} can be neither suspended nor resumed`);
  } finally {
    threads().close(opened);
  }
}

/** Stops the peer wherever it is; it has stopped when this is done. */
export async function stopPeer(peer: Peer): Promise<void> {
  if (onWindows) return withProcess(peer, (process) => Number(threads().suspendAll(process)));
  peer.kill('SIGSTOP');
  await until('the stop', () => isStopped(peer));
}

/** True once the peer has stopped itself (state T in proc(5); on Windows the thread that said it would stop). */
export function isStopped(peer: Peer): boolean {
  if (onWindows) {
    const { suspend, resume } = threads();
    // Both give how often the thread was suspended before (SuspendThread, ResumeThread).
    return (
      withThread(peer, (thread) => {
        const before = Number(suspend(thread));
        resume(thread);
        return before > 0;
      }) ?? false
    );
  }
  const stat = fs.readFileSync(`/proc/${peer.child.pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'T';
}

/** Lets a stopped peer go on. */
export function letGoOn(peer: Peer): void {
  if (onWindows) withProcess(peer, (process) => Number(threads().resumeAll(process)));
  else peer.kill('SIGCONT');
}
