// The entry for window messages where there are none.
import { expect, test } from 'vitest';
import { optionsForWorker, workerBeside } from '../../src/platform/win32-window.ts';
import {
  broadcast,
  findWindow,
  openMessageWindow,
  post,
  registerMessage,
  WindowError,
  WM_USER,
} from '../../src/win32.ts';
import { withCode } from '../support/with-code.ts';

test('off Windows sharecord/win32 imports and each call throws WINDOW_UNSUPPORTED', () => {
  const calls = [
    () => openMessageWindow(),
    () => openMessageWindow({ title: 'x' }),
    () => findWindow('x'),
    () => registerMessage('x'),
    () => post(1, WM_USER, 0, 0),
    () => broadcast(WM_USER, 0, 0),
  ];
  for (const call of calls) {
    expect(call).toThrow(WindowError);
    expect(call).toThrow(withCode('WINDOW_UNSUPPORTED'));
  }
  expect(WM_USER).toBe(1024);
});

test('a window whose worker’s file was left out is refused at once', () => {
  const here = new URL('../../src/platform/win32-window.ts', import.meta.url).href;
  expect(workerBeside(here).href).toMatch(/platform\/win32-window-worker\.ts$/);
  expect(() => workerBeside('file:///nowhere/bundle.js')).toThrow(
    expect.objectContaining({
      code: 'WINDOW_UNSUPPORTED',
      message: expect.stringContaining('expected file:///nowhere/win32-window-worker.js'),
    }),
  );
});

test('a window’s worker gets what finds and reads modules of its program’s options, and nothing else', () => {
  const options = [
    '--expose-gc',
    '-e',
    'text',
    '--conditions',
    'a',
    '--input-type=module',
    '-C=b',
    '--import',
    'x',
  ];
  expect(optionsForWorker(options)).toEqual(['--conditions', 'a', '-C=b']);
});
