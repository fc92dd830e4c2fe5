/** DMD2 of a text-to-image teacher: captioned scenes as real latents, stopped and resumed to the bit, in few steps; and what does not fit. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { captionedBatch } from '../../backend/data/captioned/captioned-batch.ts';
import { fitted } from '../../backend/data/fit.ts';
import { openDevice } from '../../backend/engine/open.ts';
import { openTeacher } from '../../backend/methods/common/open-teacher.ts';
import { openRealImages } from '../../backend/methods/common/real-images.ts';
import { asDmd, dmd2Config } from '../../backend/methods/dmd2/as-dmd.ts';
import { type DistillConfig, parseConfig } from '../../backend/protocol/config/index.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { LatentProgram } from '../../backend/sampling/latent-programs.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { findingsOf } from '../../backend/server/configs/findings.ts';
import { curves, runHere, scratch, stateBytes } from './training/tiny.ts';

const teacher = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const root = scratch();
const engine = await openDevice('cpu', 1);
after(async () => {
  await engine.dispose();
  fs.rmSync(root, { recursive: true });
});
const prompts = path.join(root, 'prompts.txt');
fs.writeFileSync(prompts, 'a red circle\ntwo blue stars on green\na square\n');

function textConfig(change: object = {}): DistillConfig {
  const quiet = { samplesEvery: 0, fieldsEvery: 0, probeEvery: 0, histogramsEvery: 0, healthEvery: 0 };
  const config = {
    ...{ kind: 'distill', method: 'dmd2', name: 'tiny', seed: 5, device: 'cpu', threads: 1, teacher },
    ...{ iterations: 4, batch: 2, record: quiet, checkpoint: { every: 0 } },
    ...{ text: { prompts, guidance: 2 }, data: { fit: 'resize', count: 5, seed: 4 } },
    generator: { lr: 1e-3, warmup: 2, ema: 0.9 },
    fake: { lr: 2e-3, warmup: 2, updatesPerStep: 2 },
  };
  const parsed = parseConfig(JSON.stringify({ ...config, ...change }), 'tiny');
  assert.ok(parsed.kind === 'distill');
  return parsed;
}

test('real latents are the scenes through the encoder, each with the embedding of its own caption', async () => {
  const config = textConfig();
  const opened = await openTeacher(asDmd(dmd2Config(config)));
  const conditions = await opened.openConditions(engine, null);
  const source = await openRealImages(dmd2Config(config), opened);
  assert.ok('teacher (vae)' in (await source.inputs({})), 'what the run depends on');
  const real = await source.open(engine, conditions, 2);
  const at = { step: 3, micro: 0, update: 1 };
  const { x, conditions: of } = await real.batch(at, 2, 'told');
  assert.deepEqual(await real.batch(at, 2, 'told'), { x, conditions: of });
  assert.notDeepEqual((await real.batch(at, 2, 'given')).x, x);

  // Found again among all five by what they are.
  const { network, size, scale } = opened.encoder!;
  const { images, captions } = captionedBatch(4, [0, 1, 2, 3, 4]);
  const weights = await opened.encoder!.readWeights();
  const program = await LatentProgram.create(engine, 'encode', { network, size: size[0], batch: 5, weights, scale });
  const all = await program.run(fitted(images, [3, ...size], 'resize'));
  const numbers = x.data.length / 2;
  for (const row of [0, 1]) {
    const distance = (i: number) =>
      x.data
        .subarray(row * numbers, (row + 1) * numbers)
        .reduce((sum, v, k) => sum + Math.abs(v - all.data[i * numbers + k]!), 0);
    const found = [0, 1, 2, 3, 4].find((i) => distance(i) < 1e-3 * numbers);
    assert.ok(found !== undefined, `row ${row} is none of them`);
    const { context } = await conditions.ofPairs(captions).feeds({ shape: [1, 1], data: Float32Array.of(found) });
    const width = context!.data.length;
    assert.deepEqual(of.context!.data.slice(row * width, (row + 1) * width), context!.data);
  }
  await program.dispose();
  await real.dispose();
  await conditions.dispose();
});

for (const at of [[], [600, 200]]) {
  test(`it trains in ${1 + at.length} steps, goes on from a stop with the same bits, and leaves a folder that draws so`, async () => {
    const config = textConfig({ steps: { at } });
    const whole = await runHere({ config, root });
    assert.ok(whole.last.type === 'ended' && whole.last.state === 'finished', JSON.stringify(whole.last));
    const first = await runHere({ config, root }, { until: 2 });
    await runHere({ folder: first.folder });
    assert.deepEqual(stateBytes(first.folder, 4), stateBytes(whole.folder, 4));
    assert.ok(curves(whole.folder).has('loss/gan'));
    const pipeline = TextPipeline.open(path.join(whole.folder, 'generator'), { engine });
    const { calls, images } = await pipeline.draw({ prompt: 'a red circle', seeds: [1] });
    assert.equal(calls, 1 + at.length);
    assert.ok(images.data.every(Number.isFinite));
    await pipeline.dispose();
  });
}

test('it is planned, and what does not fit a teacher of prompts is said at its key', async () => {
  assert.deepEqual(await findingsOf(textConfig()), []);
  const plan = await planDistillation(textConfig());
  assert.ok((plan.parameters.trained.discriminator ?? 0) > 0);
  const found = async (change: object) =>
    (await findingsOf(textConfig(change))).map(({ key, message }) => `${key} ${message}`).join();
  assert.match(await found({ data: {} }), /^data\.fit.*scenes are 64 x 64, and the teacher's images 16 x 16/);
  assert.match(await found({ data: { source: root } }), /^data\.source.*has no captions/);
  assert.match(await found({ data: { fit: 'resize', mirror: true } }), /^data\.mirror.*captions say where things are/);
  assert.match(
    await found({ steps: { at: [999] } }),
    /^steps\.at.*999 is no step of this generator, which begins at 999/,
  );
  assert.match(await found({ steps: { at: [10.5] } }), /^steps\.at.*whole timesteps from 0 to 998/);
  assert.deepEqual(await found({ data: {}, gan: { enabled: false } }), '');
});
