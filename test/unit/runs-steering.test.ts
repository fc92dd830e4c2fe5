/** A run that is steered while it works: its settings change as a resume would change them, it goes at a pace, stands still after some. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { densityIn, middles, middleX, middleY, scoreAt } from '../../backend/data/points/closed-form.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import type { PlaneReading } from '../../backend/protocol/plane.ts';
import { planeQuestionSchema } from '../../backend/protocol/plane.ts';
import { readPlane } from '../../backend/protocol/rpc/index.ts';
import { runRequests } from '../../backend/protocol/run-requests.ts';
import { readRun, runPaths } from '../../backend/runs/folder/run-folder.ts';
import type { RunControl } from '../../backend/runs/loop/control.ts';
import { presetConfig } from '../../backend/runs/presets.ts';
import { uniform } from '../random.ts';
import { BackendInProcess } from '../webview/monitor/backend.ts';
import { distillConfig, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const small = [
  ...[
    'batch=8',
    'mixture.width=8',
    'iterations=6',
    'generator.rest=1',
    'generator.warmup=1',
    'regression.pairs.count=16',
  ],
  ...['record.samplesEvery=0', 'record.probeEvery=0', 'checkpoint.every=0'],
];
const change = ['regression.enabled=true', 'regression.lambda=2', 'matching.weight="sigma/alpha"', 'generator.lr=0.01'];
const points = () => presetConfig('distill', 'figure-3', '/');
const question = { sigma: 0.1, left: -1, right: 1, bottom: -0.5, top: 0.5, columns: 5, rows: 3, shade: 2, samples: 7 };

/** Does something once, when a step is done; what it rejects with is what the test sees. */
async function runWith(set: readonly string[], step: number, act: (control: RunControl) => Promise<unknown>) {
  let done: Promise<unknown> | undefined;
  const result = await runHere(
    { config: points(), root: scratch() },
    {
      set,
      onMessage: (message, control) => {
        if (message.type === 'step' && message.step === step) done ??= act(control);
      },
    },
  );
  return { ...result, answer: await done };
}

test('settings that change while it works give the bits of a resume with them, and are noted', async () => {
  const stopped = await runHere({ config: points(), root: scratch() }, { set: small, until: 3 });
  const resumed = await runHere({ folder: stopped.folder }, { set: change });
  assert.equal(resumed.last.type === 'ended' && resumed.last.state, 'finished');
  const live = await runWith(small, 3, (control) => control.ask(runRequests.change, { set: [...change] }));
  assert.deepEqual(live.answer, { step: 3 });
  assert.equal(live.last.type === 'ended' && live.last.state, 'finished');
  assert.deepEqual(stateBytes(live.folder, 6), stateBytes(resumed.folder, 6));
  assert.deepEqual([...live.scalars.keys()], [1, 2, 3, 4, 5, 6], 'no step twice, none left out');
  assert.deepEqual(
    live.messages.filter(({ type }) => type === 'changed'),
    [{ type: 'changed', step: 3, iterations: 6, probe: true, set: change }],
  );
  for (const folder of [live.folder, resumed.folder]) {
    const [noted, ...more] = readRun(folder).info!.settings;
    assert.deepEqual([noted!.step, noted!.set, more.length], [3, change, 0]);
    const before = JSON.parse(fs.readFileSync(path.join(folder, 'config.until-00000003.dmd.json'), 'utf8'));
    const after = JSON.parse(fs.readFileSync(runPaths(folder).config, 'utf8'));
    assert.deepEqual([before.regression.enabled, after.regression.enabled], [false, true]);
  }
});

test('a paused run takes changes too, several before its next step, and can be given more to do', async () => {
  const { last, messages, folder } = await runWith(small, 2, async (control) => {
    void control.ask(runRequests.pause, {});
    await control.ask(runRequests.change, { set: ['matching.realOnly=true'] });
    await control.ask(runRequests.change, { set: ['matching.realOnly=false', 'iterations=8'] });
    await control.ask(runRequests.resume, {});
  });
  assert.equal(last.type === 'ended' && last.step, 8);
  assert.equal(readRun(folder).info!.iterations, 8);
  const steps = messages.flatMap((message) => (message.type === 'changed' ? [message.step] : []));
  assert.deepEqual(steps, [2]);
  const until = JSON.parse(fs.readFileSync(path.join(folder, 'config.until-00000002.dmd.json'), 'utf8'));
  assert.equal(until.iterations, 6, 'what held until then, not what held for no step');
});

test('a change that cannot be is refused with its reason, and the run goes on as it was', async () => {
  const refused: [string[], RegExp][] = [
    [['seed=5'], /seed cannot change/],
    [['mixture.std=0.3'], /mixture cannot change/],
    [['device=webgpu'], /device cannot change while the run works/],
    [['regression.lamda=3'], /lamda/],
    [['no assignment'], /KEY=VALUE/],
    [['regression.enabled=true', 'regression.pairs.path=/nowhere'], /nowhere/],
  ];
  const free = await runHere({ config: points(), root: scratch() }, { set: small });
  const asked = await runWith(small, 2, async (control) => {
    for (const [set, words] of refused) {
      await assert.rejects(control.ask(runRequests.change, { set }), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, words);
        return true;
      });
    }
    return 'asked';
  });
  assert.equal(asked.answer, 'asked');
  assert.deepEqual(stateBytes(asked.folder, 6), stateBytes(free.folder, 6));
  assert.deepEqual(readRun(asked.folder).info!.settings, []);
});

test('it keeps a pace, goes some iterations and stands still', async () => {
  const times: number[] = [];
  const seen: number[] = [];
  const { last } = await runHere(
    { config: points(), root: scratch() },
    {
      set: small,
      onMessage: (message, control) => {
        if (message.type === 'opened') {
          void control.ask(runRequests.pace, { perSecond: 2 });
          void control.ask(runRequests.advance, { iterations: 3 });
        }
        if (message.type === 'step') times.push(performance.now());
        if (message.type === 'state' && message.state === 'paused') {
          seen.push(times.length);
          void control.ask(runRequests.pace, { perSecond: null });
          void control.ask(runRequests.resume, {});
        }
      },
    },
  );
  assert.equal(last.type, 'ended');
  assert.deepEqual(seen, [3]);
  // From the start of one iteration to that of the next 500 ms; here their ends are seen.
  assert.ok(times[2]! - times[1]! > 300, `${times[2]! - times[1]!} ms`);
  assert.ok(times.length === 6);
});

test('the plane: networks on a grid, the real one equal to its closed form; the run keeps its bits', async () => {
  const set = [...small, 'regression.enabled=true'];
  const free = await runHere({ config: points(), root: scratch() }, { set });
  const readings: PlaneReading[] = [];
  const asked = { ...question, sigma: 0.05 + uniform() };
  const looked = await runHere(
    { config: points(), root: scratch() },
    {
      set,
      onMessage: (message, control) => {
        if (message.type !== 'step') return;
        const of = { ...asked, columns: message.step % 2 ? 5 : 4 };
        void control.ask(runRequests.plane, of).then((reading) => readings.push(reading), assert.fail);
      },
    },
  );
  assert.deepEqual(stateBytes(looked.folder, 6), stateBytes(free.folder, 6));
  assert.ok(readings.length >= 5, `${readings.length} readings`);
  for (const { step, sigma, samples, muReal, muFake, scoreReal, scoreFake, densityReal, densityFake } of readings) {
    const columns = step % 2 ? 5 : 4;
    assert.equal(sigma, asked.sigma);
    assert.deepEqual(
      [samples, muReal, muFake!, scoreReal, scoreFake, densityReal, densityFake].map(({ length }) => length),
      [14, ...Array(4).fill(2 * columns * 3), ...Array(2).fill(4 * columns * 3)],
    );
    // s = (mu - x_t) / sigma^2, Eq. 3.
    middles({ ...question, columns }).forEach((x, i) => {
      const score = (muReal[i]! - x) / sigma ** 2;
      assert.ok(
        Math.abs(score - scoreReal[i]!) < 1e-4 * (1 + Math.abs(score) + 1 / sigma ** 2),
        `${score} ${scoreReal[i]}`,
      );
    });
  }
  assert.notDeepEqual(readings[0]!.samples, readings.at(-1)!.samples);
});

test('a run that has ended is asked at its last checkpoint, and says what it said when it was there', async (t) => {
  const live = await runWith(small, 3, (control) => control.ask(runRequests.plane, question));
  const { folder } = await runHere({ config: points(), root: scratch() }, { set: small, until: 3 });
  const before = stateBytes(folder, 3);
  const server = new BackendInProcess();
  t.after(() => server.end());
  const reading = await server.request(readPlane, { folder, params: question });
  assert.deepEqual(reading, live.answer);
  assert.equal((await server.request(readPlane, { folder, params: { ...question, sigma: 2 } })).sigma, 2);
  assert.deepEqual(stateBytes(folder, 3), before);
  const { folder: images } = await runHere({
    config: distillConfig(await tinyTeacher(scratch()), { iterations: 1 }),
    root: scratch(),
  });
  await assert.rejects(server.request(readPlane, { folder: images, params: question }), /no points of the plane/);
});

test('with the real score alone there is no fake one; a run of images has no plane', async () => {
  const alone = await runWith([...small, 'matching.realOnly=true'], 1, (control) =>
    control.ask(runRequests.plane, question),
  );
  assert.equal((alone.answer as PlaneReading).muFake, null);
  const pairs = [...small, 'matching.enabled=false', 'regression.enabled=true'];
  const regression = await runWith(pairs, 1, (control) => control.ask(runRequests.plane, question));
  assert.equal((regression.answer as PlaneReading).muReal.length, 30);
  const root = scratch();
  let refusal: unknown;
  const onMessage = (message: { type: string }, control: RunControl) => {
    if (message.type === 'opened')
      control.ask(runRequests.plane, question).catch((error: unknown) => (refusal = error));
  };
  await runHere({ config: distillConfig(await tinyTeacher(root), { iterations: 1 }), root }, { onMessage });
  assert.match((refusal as UserError).message, /no points of the plane/);
});

test('scores in closed form are the slopes of the logarithm of the density, near and far', () => {
  const centres = Float32Array.from({ length: 8 }, () => 2 * uniform() - 1);
  // Each as wide as it is.
  const variances = Float64Array.from({ length: 4 }, () => 0.02 + 0.3 * uniform());
  const variance = Math.min(...variances);
  const cell = (x: number, y: number, h: number) => ({ left: x - h, right: x + h, bottom: y - h, top: y + h });
  const log = (x: number, y: number) =>
    Math.log(densityIn({ ...cell(x, y, 1e-3), columns: 1, rows: 1 }, centres, variances)[0]!);
  for (let k = 0; k < 20; k++) {
    const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
    const h = 1e-2;
    const slopes = [(log(x + h, y) - log(x - h, y)) / (2 * h), (log(x, y + h) - log(x, y - h)) / (2 * h)];
    const score = scoreAt([x, y], centres, variances);
    for (const axis of [0, 1]) {
      assert.ok(
        Math.abs(score[axis]! - slopes[axis]!) < 0.02 * (1 + 1 / variance),
        `${score} where ${slopes} should be`,
      );
    }
  }
  const far = scoreAt([1000, 0], [0, 0], 0.01);
  assert.ok(Math.abs(far[0]! + 1e5) < 1 && far[1] === 0, 'where the density is 0 in floating point');
  const cells = { ...question, columns: 40, rows: 30, left: -4, right: 4, bottom: -4, top: 4 };
  const each = densityIn(cells, centres, new Float64Array(4).fill(0.2));
  assert.deepEqual(each, densityIn(cells, centres, 0.2), 'one number stands for all');
  const sum = densityIn(cells, centres, 0.2).reduce((total, value) => total + value, 0) * (8 / 40) * (8 / 30);
  assert.ok(Math.abs(sum - 1) < 1e-3, `a density holds 1, not ${sum}`);
  assert.deepEqual([middleX(cells, 0), middleY(cells, 0)], [-3.9, 4 - 8 / 60]);
});

test('a question that would take too much, or makes no sense, is refused', () => {
  const bad = [
    { columns: 128, rows: 128 },
    { shade: 17 },
    { sigma: 0 },
    { sigma: Number.NaN },
    { left: 2 },
    { samples: 5000 },
  ];
  for (const part of bad)
    assert.ok(!planeQuestionSchema.safeParse({ ...question, ...part }).success, JSON.stringify(part));
  assert.ok(planeQuestionSchema.safeParse(question).success);
});
