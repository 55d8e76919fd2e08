// The layouts in a real browser: the same bytes and digests as in Node, and with a policy that forbids code from strings.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { array, bits, enumOf } from '../../src/layout/composites.ts';
import { f64, u64, u8 } from '../../src/layout/numbers.ts';
import { struct, union } from '../../src/layout/struct.ts';
import { char, char16, utf8, wchar } from '../../src/layout/text-types.ts';

const SOURCE = new URL('../../src/', import.meta.url);

// What the page runs; the same definition as Sample below.
const SCRIPT = `
import { array, bits, enumOf } from '/layout/composites.ts';
import { f64, u64, u8 } from '/layout/numbers.ts';
import { struct, union } from '/layout/struct.ts';
import { char, char16, utf8, wchar } from '/layout/text-types.ts';
import { codecOf, referenceCodecOf } from '/layout/codec.ts';
import { byteLength } from '/layout/byte-length.ts';
const Sample = struct('Sample', {
  name: utf8(40), wide: char16(40), page: char(12, { encoding: 936 }), local: wchar(4), cyrillic: char(8, { encoding: 'windows-1251' }),
  mode: enumOf(u8, { Off: 0, On: 1 }), flags: bits(u8, { ready: 1, level: 3 }), total: u64, list: array(f64, 3),
  value: union('Value', { real: f64, word: u64 }),
});
const record = { name: 'naïve text that is longer than 24', wide: '简单的共享内存示例 and a longer text', page: '共享', local: 'é', cyrillic: 'Жук',
  mode: 'On', flags: { ready: 1, level: 5 }, total: 2n ** 63n, list: [1, 2.5, -0], value: { real: 1 } };
const memory = new SharedArrayBuffer(Sample.size + 8);
Sample.encode(record, memory, 8);
const view = Sample.view(memory, 8);
view.list[1] = 7.5;
const result = {
  abi: Sample.abi, digest: Sample.digest, generated: codecOf(Sample) !== referenceCodecOf(Sample),
  bytes: Array.from(new Uint8Array(memory, 8), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  record: Sample.decode(memory, 8), length: byteLength('简单的共享内存示例', 'gbk'), process: typeof process, Buffer: typeof Buffer,
};
document.body.textContent = JSON.stringify(result, (_, value) => typeof value === 'bigint' ? String(value) : value);
`;

const Sample = struct(
  'Sample',
  {
    name: utf8(40), wide: char16(40), page: char(12, { encoding: 936 }), local: wchar(4), cyrillic: char(8, { encoding: 'windows-1251' }),
    mode: enumOf(u8, { Off: 0, On: 1 }), flags: bits(u8, { ready: 1, level: 3 }), total: u64, list: array(f64, 3),
    value: union('Value', { real: f64, word: u64 }),
  },
  { abi: 'linux64' },
); // prettier-ignore

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
const skipped = browser === undefined ? 'no Chromium is installed' : undefined;

let server: Server;
let profile: string;

beforeAll(async () => {
  profile = mkdtempSync(join(tmpdir(), 'browser-'));
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const headers = {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    };
    const policy = { 'Content-Security-Policy': "default-src 'self'; script-src 'self'" };
    if (pathname === '/free' || pathname === '/strict') {
      response.writeHead(200, {
        ...headers,
        ...(pathname === '/strict' ? policy : {}),
        'Content-Type': 'text/html',
      });
      response.end(
        '<!doctype html><meta charset="utf-8"><body>nothing ran<script type="module" src="/script.js"></script>',
      );
      return;
    }
    const isModule = /^\/(?:layout\/[\w-]+|errors)\.ts$/.test(pathname);
    if (pathname !== '/script.js' && !isModule) {
      response.writeHead(404).end();
      return;
    }
    const text = isModule
      ? stripTypeScriptTypes(readFileSync(new URL(`.${pathname}`, SOURCE), 'utf8'))
      : SCRIPT;
    response.writeHead(200, { ...headers, 'Content-Type': 'text/javascript; charset=utf-8' });
    response.end(text);
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
});

afterAll(() => {
  server.close();
  rmSync(profile, { recursive: true, force: true });
});

interface Result {
  readonly digest: string;
  readonly abi: string;
  readonly generated: boolean;
  readonly bytes: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly length: number;
  readonly process: string;
  readonly Buffer: string;
}

async function visit(page: string): Promise<Result> {
  const { port } = server.address() as AddressInfo;
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${profile}`,
    '--dump-dom',
  ];
  const { stdout } = await promisify(execFile)(
    browser ?? '',
    [...flags, `http://127.0.0.1:${port}/${page}`],
    { timeout: 60_000 },
  );
  const body = /<body>([\s\S]*?)<\/body>/.exec(stdout)?.[1] ?? stdout;
  return JSON.parse(body.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')) as Result;
}

describe.skipIf(skipped !== undefined)(`in a browser${skipped === undefined ? '' : `: ${skipped}`}`, () => {
  test.each([
    ['free', true],
    ['strict', false],
  ] as const)('a %s page reads and writes the same bytes as Node', async (page, generated) => {
    const result = await visit(page);
    expect(result).toMatchObject({
      abi: 'linux64',
      generated,
      process: 'undefined',
      Buffer: 'undefined',
      length: 18,
      digest: Sample.digest,
    });
    const memory = Buffer.from(result.bytes, 'hex');
    const record = Sample.decode(memory);
    expect(record).toMatchObject({
      name: 'naïve text that is longer than 24',
      wide: '简单的共享内存示例 and a longer text',
      page: '共享',
      cyrillic: 'Жук',
    });
    expect({
      ...record,
      total: String(record.total),
      list: [...record.list],
      value: { real: 1, word: '4607182418800017408' },
    }).toEqual({
      ...result.record,
      list: [1, 7.5, -0],
    });
    const again = Buffer.alloc(Sample.size);
    Sample.encode(record, again);
    expect(again.toString('hex')).toBe(result.bytes);
  });
});
