/** The counts that `npm test` ends with: a skip in any form is seen, whatever node's own summary makes of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface TestRecord {
  name: string;
  suite: boolean;
  parent: boolean;
  result: 'passed' | 'failed' | 'skipped';
  reason: string;
}
interface Report {
  readRecords(path: string): Promise<TestRecord[]>;
  count(records: TestRecord[]): { passed: number; failed: number; skipped: number };
}

const scripts = new URL('../../scripts/lib/', import.meta.url);
const { readRecords, count }: Report = await import(new URL('test-report.mjs', scripts).href);

/** Runs a test file's text under node's runner with our reporter. */
async function recordsOf(source: string): Promise<TestRecord[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dmd-report-'));
  try {
    const file = join(folder, 'sample.test.mjs');
    const log = join(folder, 'log.jsonl');
    await writeFile(file, `import { describe, test } from 'node:test';\nimport assert from 'node:assert';\n${source}`);
    const reporter = fileURLToPath(new URL('record-reporter.mjs', scripts));
    const args = ['--test', `--test-reporter=${reporter}`, `--test-reporter-destination=${log}`, file];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    spawnSync(process.execPath, args, { env });
    return await readRecords(log);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('passes, failures and every kind of skip are counted, with the reason', async () => {
  const records = await recordsOf(`
    test('good', () => {});
    test('bad', () => assert.fail('no'));
    test('by option', { skip: 'no GPU' }, () => {});
    test('while running', (t) => t.skip('no Python'));
    test('later', { todo: 'not yet' }, () => assert.fail('unfinished'));
    describe('a whole group', { skip: 'no browser' }, () => test('inside', () => {}));
    describe('a group', () => test('inside it', () => {}));
  `);
  assert.deepEqual(count(records), { passed: 2, failed: 1, skipped: 4 });
  const reasons = records.filter((record) => record.result === 'skipped').map((record) => record.reason);
  assert.deepEqual(reasons.sort(), ['no GPU', 'no Python', 'no browser', 'not yet'].sort());
});

test('a test that holds others is marked, so that time is not counted twice', async () => {
  const records = await recordsOf(`test('outer', async (t) => { await t.test('inner', () => {}); });`);
  assert.deepEqual(
    records.map(({ name, parent }) => [name, parent]),
    [
      ['inner', false],
      ['outer', true],
    ],
  );
});

test('a file that does not load is a failure', async () => {
  const records = await recordsOf(`throw new Error('broken');`);
  assert.equal(count(records).failed, 1);
});
