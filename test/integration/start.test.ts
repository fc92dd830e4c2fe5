/** `dmd start` on the built-in model, shortened: everything it promises is there and is what it says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodePng } from '../../backend/data/png.ts';

const command = new URL('../../dist/dmd.js', import.meta.url).pathname;

test('start distills the built-in teacher and compares its pictures with one-step ones', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dmd-start-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const short = ['--seconds', '4', '--count', '50', '--pairs', '16', '--device', 'cpu', '--threads', '2'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [command, 'start', ...short, '--out', folder, '--json'],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, stderr);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const scores = events.filter(({ event }) => event === 'score');
  assert.deepEqual(
    scores.map(({ label }) => label),
    ['before', 'after', 'shipped'],
  );
  const [before, after, shipped] = scores;
  assert.ok(shipped.distance < before.distance / 2, 'the shipped generator is far better than the untrained call');
  assert.notEqual(after.distance, before.distance, 'training changed the generator');
  for (const { accepted } of scores) assert.ok(accepted >= 0 && accepted <= 1);

  const [run] = readdirSync(folder);
  const pictures = events.find(({ event }) => event === 'pictures');
  assert.equal(pictures.file, join(folder, run, 'teacher-and-generator.png'));
  const { shape } = decodePng(readFileSync(pictures.file));
  assert.equal(shape[0], 3);
  assert.ok(shape[2] > 2 * shape[1] * 1.5, 'two grids side by side');
  assert.ok(pictures.teacherSeconds > 5 * pictures.generatorSeconds, '35 calls take longer than one');
  assert.ok(existsSync(join(folder, run, 'checkpoints')));
});
