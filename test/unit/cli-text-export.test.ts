/** `dmd export` of a text-to-image model, and `dmd sample` with what it wrote. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exportCommand } from '../../backend/cli/export/export.ts';
import type { Output } from '../../backend/cli/output.ts';
import { sampleCommand } from '../../backend/cli/sample/sample.ts';
import { decodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { UserError } from '../../backend/protocol/errors.ts';

const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dmd-text-export-'));
after(() => rmSync(folder, { recursive: true }));

const student = join(folder, 'student');
cpSync(join(tiny, 'unet'), join(student, 'unet'), { recursive: true });
writeFileSync(join(student, 'dmd.json'), JSON.stringify({ base: tiny }));

function recorder() {
  const [events, lines]: [Record<string, unknown>[], string[]] = [[], []];
  const output: Output = {
    json: true,
    line: (line = '') => lines.push(line),
    event: (event, fields) => events.push({ event, ...fields }),
  };
  return { output, events, lines };
}

async function pixels(model: string, out: string): Promise<Float32Array> {
  const settings = { seeds: [3], sampler: 'edm', batch: 16, device: 'cpu', threads: 1, prompt: 'a cat' } as const;
  await sampleCommand(model, { ...settings, out: join(folder, out) }, recorder().output);
  const png = readFileSync(join(folder, out, 'seed000003.png'));
  assert.match(readPngText(png)['dmd.sha256']!, /^[0-9a-f]{64}$/);
  return decodePng(png).data;
}

test('a student is exported, and sampled like any model', async () => {
  const out = join(folder, 'onnx');
  const { output, events, lines } = recorder();
  assert.equal(await exportCommand(student, { out, batch: 1 }, output), 0);
  const { event, folder: said, files, ok, size } = events.at(-1)!;
  assert.deepEqual([event, said, ok, size], ['export', out, true, [16, 16]]);
  assert.deepEqual(Object.keys(files as object), ['text_encoder', 'unet', 'vae_decoder']);
  assert.match(lines[0]!, /onnx: \d\.\d MB, pictures of 16 x 16$/);
  assert.match(lines.at(-1)!, /gives the same pixels/);
  rmSync(join(student, 'unet'), { recursive: true });
  const exported = await pixels(out, 'exported');
  cpSync(join(tiny, 'unet'), join(student, 'unet'), { recursive: true });
  (await pixels(student, 'own')).forEach((value, i) => {
    assert.ok(Math.abs(value - exported[i]!) <= 1.01 / 127.5);
  });
});

test('without --out the folder is named after the model', async () => {
  const before = process.cwd();
  const elsewhere = mkdtempSync(join(folder, 'cwd-'));
  process.chdir(elsewhere);
  try {
    assert.equal(await exportCommand(student, { batch: 1, size: [8, 16] }, recorder().output), 0);
    assert.deepEqual(readdirSync(elsewhere), ['student-onnx']);
  } finally {
    process.chdir(before);
  }
});

test('Ctrl-C leaves nothing; --size is for text-to-image models', async () => {
  const out = join(folder, 'stopped');
  const listeners = process.listenerCount('SIGINT');
  const work = exportCommand(student, { out, batch: 1 }, recorder().output);
  const timer = setInterval(() => {
    if (process.listenerCount('SIGINT') === listeners) return;
    process.emit('SIGINT');
    clearInterval(timer);
  }, 1);
  await assert.rejects(work, (error) => error instanceof UserError && error.kind === 'cancelled');
  assert.equal(existsSync(out), false);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('stopped')),
    [],
  );
  const refused = exportCommand('builtin:scenes', { out, batch: 1, size: [16, 16] }, recorder().output);
  await assert.rejects(refused, (error) => error instanceof UserError && error.kind === 'usage');
});
