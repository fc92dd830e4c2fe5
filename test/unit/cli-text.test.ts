/** `dmd sample` with a prompt, on a small model with random weights. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Output } from '../../backend/cli/output.ts';
import { type SampleOptions, sampleCommand } from '../../backend/cli/sample/sample.ts';
import { decodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { readPictureSettings } from '../../backend/sampling/picture-text.ts';

const model = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dmd-text-'));
after(() => rmSync(folder, { recursive: true }));

async function sample(out: string, options: Partial<SampleOptions>, name = model) {
  const events: Record<string, unknown>[] = [];
  const lines: string[] = [];
  const output: Output = {
    json: false,
    line: (line = '') => lines.push(line),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  const defaults = {
    seeds: [0],
    sampler: 'edm',
    batch: 16,
    device: 'cpu',
    threads: 1,
    out: join(folder, out),
  } as const;
  await sampleCommand(name, { ...defaults, ...options }, output);
  return { events, lines };
}

test('pictures carry their prompt, and the editor can make them again', async () => {
  const request = {
    prompt: 'the red zebra',
    negative: 'blue',
    guidance: 4,
    steps: 2,
    scheduler: 'ddim',
    seeds: [3, 8],
  };
  const { events, lines } = await sample('two', request);
  assert.deepEqual(readdirSync(join(folder, 'two')), ['grid.png', 'seed000003.png', 'seed000008.png']);
  const png = readFileSync(join(folder, 'two', 'seed000008.png'));
  assert.deepEqual(decodePng(png).shape, [3, 16, 16]);
  const text = readPngText(png);
  assert.equal(text['dmd.prompt'], 'the red zebra');
  assert.equal(text['dmd.negative'], 'blue');
  assert.equal(text['dmd.guidance'], '4');
  assert.match(text['dmd.sha256']!, /^[0-9a-f]{64}$/);
  assert.deepEqual(readPictureSettings(png)?.settings, {
    ...{ model, seeds: [8], classes: null, prompt: 'the red zebra', negative: 'blue', guidance: 4 },
    ...{ sampler: 'ddim', steps: 2, device: 'auto' },
  });
  const grid = readPngText(readFileSync(join(folder, 'two', 'grid.png')));
  assert.equal(grid['dmd.seeds'], '3,8');
  assert.equal(grid['dmd.seed'], undefined);
  assert.ok(lines.some((line) => /does not know: zebra/.test(line)));
  assert.equal(events.at(-1)?.calls, 2);
});

test('a tiny decoder makes the pixels, and is written into them; a model of classes takes none', async () => {
  const decoder = fileURLToPath(new URL('../golden/tiny-decoder/model', import.meta.url));
  const request = { prompt: 'the red cat', steps: 1, seeds: [3] };
  await sample('full-decoder', request);
  await sample('tiny-decoder', { ...request, decoder });
  const [full, tiny] = ['full-decoder', 'tiny-decoder'].map((out) => readFileSync(join(folder, out, 'seed000003.png')));
  assert.notDeepEqual(decodePng(tiny!), decodePng(full!));
  assert.equal(readPngText(tiny!)['dmd.decoder'], decoder);
  assert.equal(readPictureSettings(tiny!)?.settings.decoder, decoder);
  assert.equal(readPngText(full!)['dmd.decoder'], undefined);
  await assert.rejects(
    sample('none', { decoder }, 'builtin:scenes'),
    (error) => error instanceof UserError && /--decoder is for text-to-image models/.test(error.message),
  );
});

test('eta, layers left out and seeds of every size change the picture, and are written into it', async () => {
  const request = { prompt: 'the red cat', steps: 3, scheduler: 'ddim' };
  await sample('plain', { ...request, seeds: [-1, '18446744073709551615'] });
  assert.deepEqual(readdirSync(join(folder, 'plain')), ['grid.png', 'seed-000001.png', 'seed18446744073709551615.png']);
  const png = (out: string, name = 'seed-000001.png') => readFileSync(join(folder, out, name));
  const plain = decodePng(png('plain'));
  assert.deepEqual(decodePng(png('plain', 'seed18446744073709551615.png')), plain, 'one seed to PyTorch');
  assert.deepEqual(readPictureSettings(png('plain'))?.settings.seeds, [-1]);
  for (const [out, options] of [
    ['eta', { eta: 1 }],
    ['skip', { clipSkip: 1 }],
  ] as const) {
    await sample(out, { ...request, ...options, seeds: [-1] });
    assert.notDeepEqual(decodePng(png(out)), plain, out);
    assert.equal(readPictureSettings(png(out)), null, 'settings cannot say it');
  }
  assert.equal(JSON.parse(readPngText(png('eta'))['dmd.sampler']!).eta, 1);
  assert.equal(readPngText(png('skip'))['dmd.clipSkip'], '1');
});

test('seeds that nobody asked for are one', async () => {
  await sample('one', { prompt: 'a cat', steps: 1, seeds: [0, 1, 2], defaultSeeds: true });
  assert.deepEqual(readdirSync(join(folder, 'one')), ['grid.png', 'seed000000.png']);
});

test('options of the other kind of model are refused, and unknown schedulers', async () => {
  const refused = (options: Partial<SampleOptions>, pattern: RegExp, name?: string) =>
    assert.rejects(sample('refused', options, name), (error) => {
      assert.ok(error instanceof UserError && error.kind === 'usage', String(error));
      assert.match(error.message, pattern);
      return true;
    });
  await refused({ class: [1] }, /takes a prompt, not classes/);
  await refused({ with: { S_churn: 1 } }, /has no options of that kind/);
  await refused({ scheduler: 'rk4' }, /no scheduler 'rk4'/);
  await refused({ eta: 0.5 }, /the scheduler pndm has no eta/);
  await refused({ clipSkip: 1 }, /--clip-skip is for text-to-image models/, 'builtin:scenes');
  await refused({ variant: 'fp16' }, /--variant is for text-to-image models/, 'builtin:scenes');
  await refused({ key: 'ema' }, /is a folder, not a file with several sets/);
  await refused({ prompt: 'a cat' }, /--prompt is for text-to-image models/, 'builtin:scenes');
  await refused({ guidance: 2 }, /--guidance is for text-to-image models/, 'builtin:scenes');
});
