// What the numbers of each system become in the error family: one row each.
import { describe, expect, test } from 'vitest';
import { windowsError } from '../../src/platform/kernel32.ts';
import { systemError } from '../../src/platform/libc.ts';

describe('windowsError', () => {
  test.each([
    [2, 'SEGMENT_NOT_FOUND'],
    [3, 'SEGMENT_NAME'],
    [4, 'SEGMENT_LIMIT'],
    [5, 'SEGMENT_DENIED'],
    [8, 'SEGMENT_LIMIT'],
    [14, 'SEGMENT_LIMIT'],
    [19, 'SEGMENT_DENIED'],
    [32, 'SEGMENT_DENIED'],
    [39, 'SEGMENT_LIMIT'],
    [112, 'SEGMENT_LIMIT'],
    [123, 'SEGMENT_NAME'],
    [161, 'SEGMENT_NAME'],
    [183, 'SEGMENT_EXISTS'],
    [1314, 'SEGMENT_DENIED'],
    [1450, 'SEGMENT_LIMIT'],
    [1455, 'SEGMENT_LIMIT'],
    [1460, 'SEGMENT_OS'],
  ])('makes %i %s, and keeps number, call and name', (osCode, code) => {
    const syscall = 'CreateFileMappingW';
    const error = windowsError({ act: 'create', segment: 'zzj', syscall, osCode });
    expect(error).toMatchObject({ code, osCode, syscall, segment: 'zzj' });
    expect(error.message).toBe(`cannot create segment "zzj": CreateFileMappingW failed with error ${osCode}`);
  });

  test('takes another code and fact where the number alone says too little', () => {
    const failure = { act: 'open', segment: undefined, syscall: 'OpenFileMappingW', osCode: 6 } as const;
    const error = windowsError({ ...failure, code: 'SEGMENT_FOREIGN', reason: 'it is a mutex' });
    expect(error).toMatchObject({ code: 'SEGMENT_FOREIGN', osCode: 6 });
    expect(error.message).toBe('cannot open anonymous segment: it is a mutex');
  });
});

describe('systemError', () => {
  test.each([
    [1, 'SEGMENT_DENIED'],
    [2, 'SEGMENT_NOT_FOUND'],
    [3, 'SEGMENT_NOT_FOUND'],
    [6, 'SEGMENT_FOREIGN'],
    [12, 'SEGMENT_LIMIT'],
    [13, 'SEGMENT_DENIED'],
    [17, 'SEGMENT_EXISTS'],
    [20, 'SEGMENT_NOT_FOUND'],
    [21, 'SEGMENT_FOREIGN'],
    [23, 'SEGMENT_LIMIT'],
    [24, 'SEGMENT_LIMIT'],
    [26, 'SEGMENT_DENIED'],
    [27, 'SEGMENT_LIMIT'],
    [28, 'SEGMENT_LIMIT'],
    [30, 'SEGMENT_DENIED'],
    [36, 'SEGMENT_NAME'],
    [40, 'SEGMENT_DENIED'],
    [95, 'SEGMENT_UNSUPPORTED'],
    [122, 'SEGMENT_LIMIT'],
    [5, 'SEGMENT_OS'],
  ])('makes errno %i %s, and keeps number, call and name', (errno, code) => {
    const error = systemError('open', 'zzj', 'open', errno);
    expect(error).toMatchObject({ code, osCode: errno, syscall: 'open', segment: 'zzj' });
    expect(error.message).toBe(`cannot open segment "zzj": open failed with errno ${errno}`);
  });
});
