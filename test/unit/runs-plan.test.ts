/** What `dmd distill --plan` says, against the run itself and against arithmetic. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { dmdDryRun } from '../../backend/methods/dmd/dry-run.ts';
import type { DistillConfig } from '../../backend/protocol/config/index.ts';
import { planDistillation } from '../../backend/runs/plan/plan.ts';
import { distillConfig, runHere, scratch, tinyTeacher } from './training/tiny.ts';

const model = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const root = scratch();
const base = {
  ...{ batch: 3, accumulation: 2, iterations: 5 },
  regression: { batch: 1, pairs: { count: 8, steps: 4 } },
  text: { prompts: 'scenes', count: 5 },
};
const config = (change: object = {}): DistillConfig => {
  const made = distillConfig(model, { ...base, ...change });
  assert.ok(made.kind === 'distill');
  return made;
};

test('the plan of a small config is measured: memory within a fifth of what the run then takes, nothing written', async () => {
  const before = fs.readdirSync(root);
  const asked = config({ record: { samplesEvery: 2, samples: 4, probeEvery: 1 } });
  const plan = await planDistillation(asked);
  assert.deepEqual(fs.readdirSync(root), before);
  assert.ok(plan.tried);
  assert.equal(plan.imagesPerUpdate, 8);
  assert.ok(plan.secondsPerUpdate > 0 && plan.recordingPerUpdate > 0 && plan.memory.recording > 0);
  assert.ok(plan.seconds >= 5 * (plan.secondsPerUpdate + plan.recordingPerUpdate));
  assert.equal(plan.pairs!.count, 8);
  const resident: number[] = [];
  const { last } = await runHere(
    { config: asked, root },
    {
      onMessage: (message) => message.type === 'step' && resident.push(message.scalars['memory/resident MB']! * 1e6),
    },
  );
  assert.equal(last.type, 'ended');
  const measured = Math.max(...resident);
  assert.ok(Math.abs(plan.memory.total / measured - 1) < 0.2, `${plan.memory.total} planned, ${measured} taken`);
});

test('adapters shrink what is trained, a smaller micro-batch and recomputation what lies in between', async () => {
  const engine = await openDevice('cpu', 1);
  const generous = { bytes: 1e12, flops: 1e15 };
  const costs = async (change: object) => {
    const dry = await dmdDryRun(engine, config(change), generous);
    await dry.trainer.dispose();
    assert.equal(dry.part, dry.whole);
    return { ...dry.whole, trained: dry.parameters.trained.generator, network: dry.parameters.network };
  };
  const { text } = base;
  const plain = await costs({});
  const adapted = await costs({ text: { ...text, lora: { generator: 2, fake: 2 } } });
  const recomputed = await costs({ recompute: 'blocks' });
  const less = await costs({ batch: 1 });
  assert.equal(plain.trained, plain.network);
  assert.ok(adapted.trained < plain.trained / 10 && adapted.weightBytes < plain.weightBytes / 3);
  assert.ok(recomputed.peakBytes < plain.peakBytes && recomputed.flops > plain.flops);
  assert.ok(Math.abs(less.flops / plain.flops - 1 / 2) < 0.02, 'two latents in place of four');
  await engine.dispose();
});

test('what cannot be tried here is scaled from something smaller, and so is its recording', async () => {
  const engine = await openDevice('cpu', 1);
  const record = { samplesEvery: 1, samples: 4, probeEvery: 1, probe: { count: 2, levels: [10, 500] } };
  const dry = await dmdDryRun(engine, config({ record }), { bytes: 1e12, flops: 3e7 });
  assert.ok(dry.part.flops < dry.whole.flops && dry.part.peakBytes < dry.whole.peakBytes);
  const { scalars } = await dry.trainer.advance();
  assert.ok(Number.isFinite(scalars.lossFake));
  const [probe, samples] = dry.recorded;
  for (const { scale, bytes } of [probe!, samples!]) assert.ok(scale > 1 && bytes! > 0);
  for (const recorded of dry.recorded) {
    const open = await recorded.open();
    await open.take();
    await open.dispose();
  }
  await dry.trainer.dispose();
  await engine.dispose();
});

test('an EDM teacher is planned alike', async () => {
  const engine = await openDevice('cpu', 1);
  const edm = distillConfig(await tinyTeacher(path.join(root)), {
    batch: 3,
    regression: { pairs: { count: 7, steps: 2 } },
    record: { samplesEvery: 5, probeEvery: 3 },
  });
  assert.ok(edm.kind === 'distill');
  const dry = await dmdDryRun(engine, edm, { bytes: 1e12, flops: 1e15 });
  await dry.trainer.advance();
  for (const recorded of dry.recorded) {
    const open = await recorded.open();
    await open.take();
    await open.dispose();
  }
  await dry.trainer.dispose();
  await engine.dispose();
  assert.deepEqual(
    dry.recorded.map(({ every, scale, bytes }) => [every, scale, bytes]),
    [
      [3, 1, null],
      [5, 1, null],
    ],
  );
  assert.equal(dry.imagesPerMicro, 6, 'three and as many paired ones');
  assert.equal(dry.pairs!.count, 7);
  assert.ok(dry.whole.flops > 0);

  const again = await openDevice('cpu', 1);
  const recomputed = await dmdDryRun(again, { ...edm, recompute: 'blocks' }, { bytes: 1e12, flops: 1e15 });
  await recomputed.trainer.dispose();
  await again.dispose();
  assert.ok(recomputed.whole.peakBytes < dry.whole.peakBytes && recomputed.whole.flops > dry.whole.flops);
});

test('a plan refuses float16 where the run would', async () => {
  const refused = /does not compute in float16, as precision asks/;
  await assert.rejects(planDistillation(config({ precision: 'float16' })), refused);
});
