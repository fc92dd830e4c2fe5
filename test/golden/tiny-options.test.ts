/** What diffusers draws with eta, clip_skip, any seed, and schedulers made from the configs of others. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { parseSeed } from '../../backend/protocol/seed.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';

interface Run {
  readonly scheduler: 'ddim' | 'pndm';
  readonly steps: number;
  /** As text: JSON has no such numbers. */
  readonly seeds: readonly string[];
  readonly eta?: number;
  readonly clipSkip?: number;
  /** What the folder's scheduler_config.json says beyond the saved one; null where it does not say it. */
  readonly folder?: Readonly<Record<string, unknown>>;
}

const recorded = new URL('./tiny-diffusion/', import.meta.url);
const { runs } = JSON.parse(readFileSync(new URL('options.json', recorded), 'utf8')) as { runs: Run[] };
const { tensors } = await readSafetensors(fileURLToPath(new URL('options.safetensors', recorded)));

const engine = await openDevice('cpu', 1);
const scratch = mkdtempSync(join(tmpdir(), 'dmd-options-'));
after(async () => {
  await engine.dispose();
  rmSync(scratch, { recursive: true });
});

function folderOf(changes: Readonly<Record<string, unknown>>, i: number): string {
  const folder = join(scratch, String(i));
  cpSync(fileURLToPath(new URL('model', recorded)), folder, { recursive: true });
  const file = join(folder, 'scheduler', 'scheduler_config.json');
  const saved = JSON.parse(readFileSync(file, 'utf8')) as object;
  const config = Object.entries({ ...saved, ...changes }).filter(([, value]) => value !== null);
  writeFileSync(file, JSON.stringify(Object.fromEntries(config)));
  return folder;
}

for (const [i, { scheduler, steps, seeds, eta, clipSkip, folder }] of runs.entries()) {
  test(`diffusers' latents: ${JSON.stringify({ scheduler, steps, seeds, eta, clipSkip, folder })}`, async () => {
    const pipeline = TextPipeline.open(folderOf(folder ?? {}, i), { engine, ...(clipSkip ? { clipSkip } : {}) });
    const { latents } = await pipeline.draw({
      ...{ prompt: 'The red cat on blue', negativePrompt: 'a cat', guidance: 4, scheduler, steps },
      seeds: seeds.map((seed) => parseSeed(seed)!),
      ...(eta === undefined ? {} : { eta }),
    });
    await pipeline.dispose();
    const size = latents.data.length / seeds.length;
    for (const [k, seed] of seeds.entries()) {
      const { data } = toFloat32(tensors.get(`${i}.${seed}`)!);
      const largest = Math.max(...data.map(Math.abs));
      const worst = Math.max(...data.map((value, j) => Math.abs(value - latents.data[k * size + j]!)));
      assert.ok(largest > 0.5 && worst < 1e-3 * largest, `seed ${seed}: off by ${worst} of ${largest}`);
    }
  });
}
