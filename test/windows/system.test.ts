// What the tests of this folder stand on: a Windows build of Node that calls the system through koffi.
import koffi from 'koffi';
import { expect, test } from 'vitest';

test('koffi calls kernel32 of the process that runs the tests', () => {
  expect(process.platform).toBe('win32');
  const kernel32 = koffi.load('kernel32.dll');
  const getCurrentProcessId = kernel32.func('uint32_t __stdcall GetCurrentProcessId()');
  expect(getCurrentProcessId()).toBe(process.pid);
});
