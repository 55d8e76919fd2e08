// Runs a module in headless Chromium against the sources of this project: a server on localhost strips the types, the page
// reports by a request. Needs Debian's chromium; tests that use it are skipped where it is missing.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const WATCHDOG_MS = 60_000;

/** True where a browser is installed. */
export const hasBrowser = spawnSync('chromium', ['--version']).status === 0;

const page = `<!doctype html>
<script type="module">
const report = (body) => fetch('/report', { method: 'POST', body: JSON.stringify(body) });
addEventListener('error', (event) => report({ error: String(event.error ?? event.message) }));
try { report({ result: await (await import('/main.js')).default() }); } catch (error) { report({ error: String(error?.stack ?? error) }); }
</script>`;

// Workers have no import map, so the names are written out as they are served.
const resolveNames = (text: string): string =>
  text
    .replaceAll("from 'sharecord'", "from '/src/index.ts'")
    .replaceAll("from '#platform'", "from '/src/platform/select-browser.ts'");

/**
 * Runs the module text `main` and gives what its default export resolves to. It, and other `modules` under their paths,
 * import from 'sharecord'.
 */
export async function runInBrowser(
  main: string,
  modules: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const texts: Record<string, string> = { '/main.js': main, ...modules };
  const { promise: reported, resolve } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    // What SharedArrayBuffer asks for.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (path === '/report') {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => resolve(body));
      response.end();
    } else if (path === '/') {
      response.setHeader('Content-Type', 'text/html').end(page);
    } else if (path in texts || /^\/src\/[a-z0-9/-]+\.ts$/.test(path)) {
      const text = texts[path] ?? stripTypeScriptTypes(readFileSync(root + path, 'utf8'));
      response.setHeader('Content-Type', 'text/javascript').end(resolveNames(text));
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const profile = mkdtempSync(join(tmpdir(), 'sharecord-browser-'));
  const browser = spawn(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ],
    { stdio: 'ignore', detached: true },
  );
  const watchdog = setTimeout(() => resolve('{"error": "the page did not report"}'), WATCHDOG_MS);
  try {
    const { result, error } = JSON.parse(await reported) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(`in the browser: ${error}`);
    return result;
  } finally {
    clearTimeout(watchdog);
    const exit = once(browser, 'exit');
    process.kill(-(browser.pid as number), 'SIGKILL');
    await exit;
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
