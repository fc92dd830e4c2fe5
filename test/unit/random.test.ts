/** Draws of tests that fail can be drawn again, and no test draws in another way. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sourceLoader } from '../loader.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));
const drawing = path.join(folder, 'unit', 'random', 'drawing.ts');

/** Runs a test file that prints what it draws, and fails or passes. */
function draw(outcome: 'fails' | 'passes', seed: string | undefined): Promise<{ drawn: string; named: string }> {
  const { DMD_TEST_SEED: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const given = seed === undefined ? {} : { DMD_TEST_SEED: seed };
  return new Promise((resolve) => {
    const args = ['--import', sourceLoader, drawing, outcome];
    execFile(process.execPath, args, { env: { ...env, ...given } }, (_error, stdout, stderr) =>
      resolve({
        drawn: /drawn: (.*)/.exec(stdout)?.[1] ?? assert.fail(stdout + stderr),
        named: /DMD_TEST_SEED=(\d+)/.exec(stderr)?.[1] ?? '',
      }),
    );
  });
}

test('a file whose test fails names the seed that draws the same again; one that passes does not', async () => {
  const [first, other, passed] = await Promise.all([
    draw('fails', undefined),
    draw('fails', undefined),
    draw('passes', undefined),
  ]);
  assert.notEqual(first.drawn, other.drawn);
  assert.equal(passed.named, '');
  assert.match(first.named, /^\d+$/);
  const again = await draw('fails', first.named);
  assert.deepEqual(again, first);
  assert.equal((await draw('passes', first.named)).drawn, first.drawn);
});

/** Names of files, and numbers that no assertion depends on. */
const exempt = [
  'random.ts',
  'unit/random.test.ts',
  'unit/engine-devices.test.ts',
  'webview/monitor/timing.ts',
  'fuzz/main.ts',
  'webview/heatmaps.timing.test.ts',
];

test('no test draws but from test/random.ts', () => {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  const sources = files.filter((file) => file.endsWith('.ts') && !file.startsWith('bench/') && !exempt.includes(file));
  assert.ok(sources.includes('unit/graph-ops.test.ts'));
  const drawing = sources.filter((file) =>
    /Math\.random|randomInt\b|getRandomValues|Date\.now\(\) %|DMD_TEST_SEED/.test(
      fs.readFileSync(path.join(folder, file), 'utf8'),
    ),
  );
  assert.deepEqual(drawing, []);
});
