/** `dmd data pack` as a person calls it: what it says, what it refuses, and that the command it ends with teaches on its zip. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encode } from 'fast-png';
import { type DataPackOptions, dataPack } from '../../backend/cli/data/pack.ts';
import type { Output } from '../../backend/cli/output.ts';
import { applyOverrides } from '../../backend/protocol/config/index.ts';
import { presetConfig } from '../../backend/runs/presets.ts';
import { planTeach } from '../../backend/teach/teach-session.ts';
import { randomBelow } from '../random.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-cli-data-'));
after(() => rmSync(root, { recursive: true }));

const picture = (width: number, height: number) => {
  const data = Uint8Array.from({ length: 3 * width * height }, () => randomBelow(256));
  return encode({ width, height, channels: 3, depth: 8, data });
};
for (const [name, bytes] of Object.entries({
  'boots/a.png': picture(30, 20),
  'boots/b.png': picture(9, 9),
  'hats/c.png': picture(40, 40),
  'hats/broken.jpg': Buffer.from('x'),
})) {
  mkdirSync(join(root, 'shoes', name, '..'), { recursive: true });
  writeFileSync(join(root, 'shoes', name), bytes);
}

async function pack(out: string, options: Partial<DataPackOptions> = {}) {
  const [events, lines]: [Record<string, unknown>[], string[]] = [[], []];
  const output: Output = {
    json: false,
    line: (text = '') => lines.push(text),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  await dataPack(join(root, 'shoes'), out, { size: 16, ground: 'black', ...options }, output);
  return { events, lines };
}

test('it says what became of the pictures, and its last line teaches on them', async () => {
  const out = join(root, 'shoes.zip');
  const { events, lines } = await pack(out, { skipBroken: true, gray: true });
  assert.deepEqual(lines.slice(0, -1), [
    `${out}: 3 pictures of 16 x 16, gray, in 2 classes: boots 2, hats 1`,
    'not square: 1; their middle was kept (--pad keeps all of them)',
    'smaller than 16 pixels and enlarged: 1',
    'pictures that cannot be read, left out: 1',
    '  hats/broken.jpg: it is neither JPEG nor PNG',
  ]);
  const [{ event, count, oblong }] = events as [{ event: string; count: number; oblong: number }];
  assert.deepEqual([event, count, oblong], ['packed', 3, 1]);
  const words = lines.at(-1)!.replaceAll("'", '').split(' ');
  assert.deepEqual(words.slice(0, 5), ['Next:', 'dmd', 'teach', '--preset', 'own-pictures']);
  const sets = words.filter((_, i) => words[i - 1] === '--set');
  assert.equal(sets.length, 3);
  const preset = presetConfig('teach', 'own-pictures', root);
  const config = applyOverrides(preset, [`data.source=${JSON.stringify(words[6])}`, ...sets]);
  assert.ok(config.kind === 'teach');
  await (await planTeach(config)).dispose?.();
});

test('a name that is in use, a folder and what is no zip are refused, and what is there stays', async () => {
  const out = join(root, 'used.zip');
  writeFileSync(out, 'before');
  await assert.rejects(pack(out, { skipBroken: true }), { kind: 'usage', message: /used\.zip is there already/ });
  await assert.rejects(pack(join(root, 'shoes')), { kind: 'usage', message: /does not end in \.zip/ });
  mkdirSync(join(root, 'folder.zip'));
  await assert.rejects(pack(join(root, 'folder.zip')), { kind: 'usage', message: /folder\.zip is a folder/ });
  await assert.rejects(pack(out, { replace: true }), { kind: 'data', message: /broken\.jpg/ });
  assert.equal(readFileSync(out, 'utf8'), 'before');
  await pack(out, { replace: true, skipBroken: true });
  assert.equal(readFileSync(out).subarray(0, 2).toString(), 'PK');
});
