/** A whole pipeline against diffusers: a folder that diffusers saved, from prompt to pixels, each part on its own first. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import type { DmdInfo } from '../../backend/models/text/dmd-info.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { writeDiffusersFolder } from '../../backend/weights/diffusers/index.ts';
import { readSafetensors } from '../../backend/weights/safetensors.ts';
import { toFloat32 } from '../../backend/weights/stored-tensor.ts';

interface Run {
  readonly scheduler: 'pndm' | 'ddim';
  readonly prompt: string;
  readonly negative: string;
  readonly guidance: number;
  readonly steps: number;
  readonly seeds: readonly number[];
}

const folder = new URL('./tiny-diffusion/', import.meta.url);
const { runs } = JSON.parse(readFileSync(new URL('case.json', folder), 'utf8')) as { runs: Run[] };
const { tensors } = await readSafetensors(fileURLToPath(new URL('io.safetensors', folder)));
const recorded = (name: string) => toFloat32(tensors.get(name)!);
const model = fileURLToPath(new URL('model', folder));

const engine = await openDevice('cpu', 1);
const pipeline = TextPipeline.open(model, { engine });
after(async () => {
  await pipeline.dispose();
  await engine.dispose();
});

/** Largest difference, as a share of the largest recorded value. */
function difference(actual: Float32Array, { data }: TensorData): number {
  assert.equal(actual.length, data.length);
  const scale = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i]!)), 0) / scale;
}

const imageOf = ({ shape: [, ...shape], data }: TensorData, i: number) =>
  data.subarray(i * sizeOf(shape), (i + 1) * sizeOf(shape));

test('a prompt has the tokens that transformers gives it', () => {
  const { ids } = pipeline.model.tokenizer.encode(runs[0]!.prompt);
  assert.deepEqual([...ids], [...recorded('ids').data]);
});

for (const [i, run] of runs.entries()) {
  test(`${run.scheduler}, ${run.steps} steps at guidance ${run.guidance}: the pixels of diffusers`, async () => {
    const { images, latents, calls } = await pipeline.draw({
      ...{ prompt: run.prompt, negativePrompt: run.negative, guidance: run.guidance },
      ...{ steps: run.steps, scheduler: run.scheduler, seeds: run.seeds },
    });
    assert.equal(calls, run.scheduler === 'pndm' ? run.steps + 1 : run.steps);
    for (const [k, seed] of run.seeds.entries()) {
      const wanted = { latents: recorded(`${i}.${seed}.latents`), image: recorded(`${i}.${seed}.image`) };
      assert.ok(difference(imageOf(latents, k), wanted.latents) < 1e-3);
      assert.ok(difference(imageOf(images, k), wanted.image) < 1e-3);
    }
  });
}

/** The same model as a generator, in a folder that has only dmd.json. */
async function asGenerator(dmd: DmdInfo): Promise<TextPipeline> {
  const student = await mkdtemp(join(tmpdir(), 'dmd-tiny-'));
  await writeDiffusersFolder(student, { dmd: { base: model, ...dmd } });
  const opened = TextPipeline.open(student, { engine });
  await rm(student, { recursive: true });
  return opened;
}

test('a generator reads its image off one prediction at the last timestep', async () => {
  const generator = await asGenerator({ role: 'generator' });
  assert.deepEqual(generator.model.calling.oneStep, { timestep: 999, again: [], prediction: 'epsilon' });
  const { images, latents, calls } = await generator.draw({ prompt: runs[0]!.prompt, seeds: [5] });
  assert.equal(calls, 1);
  assert.ok(difference(latents.data, recorded('onestep.latents')) < 1e-4);
  assert.ok(difference(images.data, recorded('onestep.image')) < 1e-4);
  await generator.dispose();
});

test("InstaFlow's way: noise plus velocity, at timestep 1000", async () => {
  const generator = await asGenerator({ role: 'generator', timestep: 1000, prediction: 'velocity' });
  const { latents } = await generator.draw({ prompt: runs[0]!.prompt, seeds: [5] });
  assert.ok(difference(latents.data, recorded('velocity.latents')) < 1e-4);
  await generator.dispose();
});

test('weights as inputs give the pixels that weights as constants give', async () => {
  const sparing = TextPipeline.open(model, { engine, lowMemory: true });
  const [run] = runs as [Run];
  const { images } = await sparing.draw({
    ...{ prompt: run.prompt, negativePrompt: run.negative, guidance: run.guidance, steps: run.steps, seeds: [11] },
  });
  assert.ok(difference(images.data, recorded('0.11.image')) < 1e-3);
  await sparing.dispose();
});
