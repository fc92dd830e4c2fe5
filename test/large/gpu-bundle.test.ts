/**
 * `npm run gpu -- --bundle`: at most 40 MB, and unpacked in an empty folder it runs without anything of this machine's environment. Two
 * minutes of compressing.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { GpuRecord } from '../gpu/record.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'dmd-gpu-bundle-test-'));
after(() => rmSync(folder, { recursive: true }));

const options = { skip: process.platform !== 'linux' && 'bundles are made on Linux' };

test('a bundle has at most 40 MB and runs in an empty folder with an empty environment', options, () => {
  const archive = path.join(folder, 'dmd-gpu.tar.xz');
  const script = fileURLToPath(new URL('../../scripts/gpu.mjs', import.meta.url));
  const made = spawnSync(process.execPath, [script, '--bundle', archive], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /Packed .*dmd-gpu\.tar\.xz: [\d.]+ MB/);
  assert.ok(statSync(archive).size <= 40e6, made.stdout);
  assert.equal(spawnSync('tar', ['-C', folder, '-xf', archive]).status, 0);
  rmSync(archive);

  const cwd = path.join(folder, 'elsewhere');
  mkdirSync(cwd);
  const few = ['--device', 'cpu', '--small', '--iterations', '3', '--threads', '1', '--patience', '20'];
  const { status, stdout, stderr } = spawnSync(path.join(folder, 'dmd-gpu', 'run'), few, {
    ...{ cwd, env: {}, encoding: 'utf8' },
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.deepEqual(readdirSync(cwd), ['gpu-report']);
  const record = JSON.parse(readFileSync(path.join(cwd, 'gpu-report', 'gpu.json'), 'utf8')) as GpuRecord;
  assert.equal(record.steps.length, 7);
  for (const { id, status, why } of record.steps) assert.equal(status, 'passed', `${id}: ${why}`);
  assert.match(record.on.join('\n'), /commit [0-9a-f]{7,} of/);
});

test('a bundle of another ending is refused, and so is none', options, () => {
  const script = fileURLToPath(new URL('../../scripts/gpu.mjs', import.meta.url));
  for (const args of [['--bundle', 'x.zip'], ['--bundle']]) {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /error: /);
  }
});
