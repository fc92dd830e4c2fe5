/** A run under a debugger: where it stops, what is seen there, and that what is changed there is what is computed with. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { statisticsOf } from '../../backend/debug/statistics.ts';
import { type Client, debugged } from './debug/client.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, tinyTeacher } from './training/tiny.ts';

const folder = scratch();
const teacher = await tinyTeacher(folder);
const iterations = 3;
const start = (change = {}) => ({
  config: distillConfig(teacher, { iterations, ...change }),
  root: path.join(folder, 'runs'),
});
const free = await runHere(start());

const atGradient = { stages: [{ id: 1, stage: 'gradient' }] };

async function launched(client: Client, breakpoints: object = {}) {
  const standing = await client.attach(false);
  await client.next('stopped');
  await client.ask('debug/breakpoints', breakpoints);
  return standing;
}

test('a run that was attached to, stepped through and continued ends with the same bits as one left alone', async () => {
  const seen: string[] = [];
  const { last, folder: run } = await debugged(start(), async (client) => {
    const { listing, step, networks } = await client.attach(false);
    assert.deepEqual([step, networks], [0, ['generator', 'fake']]);
    const entry = await client.next('stopped');
    assert.deepEqual([entry.reason, entry.stage, entry.step], ['entry', null, 1]);
    await assert.rejects(client.ask('debug/evaluate', { expression: 'x', assigns: false }), { message: /no x here/ });
    for (let stop = await client.go({ to: 'next' }); stop.step === 1; stop = await client.go({ to: 'next' })) {
      seen.push(stop.stage!);
      assert.ok((await client.ask('debug/tensors', {})).length > 0);
    }
    const stages = listing.flatMap(({ stage }) => stage ?? []);
    assert.deepEqual(seen, stages);
    for (const stage of ['gradient', 'commit']) assert.equal((await client.go({ to: 'stage', stage })).stage, stage);
    assert.equal((await client.go({ to: 'back' })).stage, 'fake update');
    assert.equal((await client.go({ to: 'restart', keep: true })).stage, 'draw');
    await client.detach();
    assert.deepEqual(await client.held, { reason: 'it was detached' });
  });
  assert.ok(last.type === 'ended' && last.state === 'finished', JSON.stringify(last));
  assert.deepEqual(stateBytes(run, iterations), stateBytes(free.folder, iterations));
  assert.deepEqual(curves(run), curves(free.folder));
});

test('at the gradient: statistics are those of the numbers, and a changed value changes the update as arithmetic says', async () => {
  const change = { regression: { enabled: false }, accumulation: 1 };
  await debugged(start(change), async (client) => {
    await launched(client, atGradient);
    await client.go({ to: 'continue' }); // where fake and teacher are equal, and grad is 0
    const stop = await client.go({ to: 'continue' });
    assert.deepEqual([stop.reason, stop.hits, stop.stage], ['breakpoint', [1], 'gradient']);
    const lines = await client.ask('debug/tensors', {});
    assert.ok(!lines.some(({ name }) => name === 'gradient'), 'what a later line computes is not there');
    for (const { name, statistics, shape, bytes } of lines) {
      const data = await client.tensor(name);
      assert.equal(bytes, data.byteLength);
      assert.deepEqual(statistics, apart(data), name);
      assert.equal(await client.number(`norm(${name})`), Math.sqrt(data.reduce((all, v) => all + v * v, 0)));
      if (shape.length !== 4) continue;
      const { bytes: read } = await client.ask('debug/read', { tensor: name, offset: 8, count: 7 });
      assert.deepEqual(read, new Uint8Array(data.buffer).slice(8, 15));
    }
    const x = await client.tensor('x');
    const rows = await client.ask('debug/children', { tensor: 'x', path: [1, 2], start: 3, count: 2 });
    const row = x.subarray(((1 * 3 + 2) * 8 + 3) * 8).subarray(0, 8);
    assert.deepEqual([rows[0]!.index, rows[0]!.shape, rows[0]!.statistics], [3, [8], statisticsOf(row)]);
    const [single] = await client.ask('debug/children', { tensor: 'x', path: [1, 2, 3], start: 5, count: 1 });
    assert.deepEqual([single!.number, single!.shape], [row[5], []]);

    // d loss / d parameters is linear in grad: twice the one makes twice the other.
    await client.go({ to: 'stage', stage: 'generator backward' });
    const once = await client.tensor('gradient');
    for (let stage = ''; stage !== 'gradient'; ) stage = (await client.go({ to: 'back' })).stage!;
    const doubled = await client.ask('debug/assign', { target: 'grad', value: 'grad * 2' });
    assert.ok(doubled.tensor!.writable);
    await client.go({ to: 'stage', stage: 'generator backward' });
    const twice = await client.tensor('gradient');
    const largest = Math.max(...once.map(Math.abs));
    assert.ok(largest > 0);
    twice.forEach((value, i) => {
      assert.ok(Math.abs(value - 2 * once[i]!) <= 1e-5 * largest);
    });
    // The first gradient was 0: AdamW's second step moves a parameter by this share of the rate, against the gradient's sign.
    const share = 0.1 / (1 - 0.9 ** 2) / Math.sqrt(0.001 / (1 - 0.999 ** 2));
    await client.ask('debug/assign', { target: 'generator.lr', value: '0.5' });
    const from = await client.tensor('generator.parameters').catch(() => null);
    assert.equal(from, null, 'the update has not run');
    await client.go({ to: 'stage', stage: 'generator update' });
    const { settings } = await client.ask('debug/numbers', {});
    const rate = settings.find(({ name }) => name === 'generator.lr')!;
    assert.equal(rate.value, 0.5);
    assert.ok(rate.overridden! > 0 && rate.overridden! < 0.01);
    const moved = await client.tensor('generator.parameters');
    await client.ask('debug/assign', { target: 'generator.lr', value: 'null' });
    for (let stage = ''; stage !== 'generator backward'; ) stage = (await client.go({ to: 'back' })).stage!;
    assert.deepEqual(await client.tensor('gradient'), twice, 'what was changed is changed again');
    await client.go({ to: 'next' });
    const natural = await client.tensor('generator.parameters');
    const most = Math.max(...twice.map(Math.abs));
    const big = twice.findIndex((value) => Math.abs(value) === most);
    const ratio = (moved[big]! - natural[big]!) / (0.5 - rate.overridden!);
    assert.ok(Math.abs(ratio + share * Math.sign(twice[big]!)) < 0.02, `moved by ${ratio} of the rate`);
    await client.detach();
  });
});

test('every weight of a loss can be changed at a stop, and the updates follow by what arithmetic says', async () => {
  await debugged(start({ accumulation: 1 }), async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'draw' }] });
    await client.go({ to: 'continue' });
    await client.go({ to: 'continue' }); // the second iteration, where fake and teacher differ
    const shown = async (name: string) =>
      (await client.ask('debug/numbers', {})).settings.find((line) => line.name === name)!;
    const names = (await client.ask('debug/numbers', {})).settings.map(({ name }) => name);
    const optimizer = (of: string) => [`${of}.lr`, `${of}.weightDecay`, `${of}.clip`];
    assert.deepEqual(names, [...optimizer('generator'), ...optimizer('fake'), 'lambda', 'matching.weight']);
    const gradient = async () => {
      await client.go({ to: 'stage', stage: 'gradient' });
      return client.tensor('grad');
    };
    const eq8 = await gradient();
    const [real, fake, sigma] = [
      await client.tensor('muReal'),
      await client.tensor('muFake'),
      await client.tensor('sigma'),
    ];
    await client.go({ to: 'restart', keep: true });
    const set = (name: string, value: string) => client.ask('debug/assign', { target: name, value });
    await assert.rejects(set('matching.weight', 'eq9'), /one of eq8, eq8-alpha, sigma\/alpha, sigma\^3\/alpha/);
    assert.equal((await set('matching.weight', 'sigma/alpha')).text, 'sigma/alpha');
    assert.deepEqual([(await shown('matching.weight')).value, (await shown('matching.weight')).overridden], [2, 0]);
    const byLevel = await gradient();
    const each = real.length / sigma.length;
    byLevel.forEach((value, i) => {
      const expected = (fake[i]! - real[i]!) / sigma[Math.floor(i / each)]!;
      assert.ok(Math.abs(value - expected) <= 1e-5 * Math.max(1e-3, Math.abs(expected)), `${value}, not ${expected}`);
    });
    await client.go({ to: 'restart', keep: true });
    await client.ask('debug/evaluate', { expression: 'matching.weight = null', assigns: true });
    assert.deepEqual(await gradient(), eq8);

    // Without a rate nothing moves; decay alone takes its share of every parameter that is decayed.
    const moved = async (settings: Record<string, string>) => {
      await client.go({ to: 'restart', keep: true });
      for (const [name, value] of Object.entries(settings)) await set(name, value);
      await client.go({ to: 'stage', stage: 'generator update' });
      return client.tensor('generator.parameters');
    };
    const rate = { 'generator.lr': '0.5' };
    const [plain, decayed] = [
      await moved({ ...rate, 'generator.weightDecay': '0' }),
      await moved({ ...rate, 'generator.weightDecay': '0.2' }),
    ];
    const before = await moved({ 'generator.lr': '0' });
    before.forEach((value, i) => {
      const share = (plain[i]! - decayed[i]!) / (0.5 * 0.2);
      assert.ok(Math.abs(share - value) <= 1e-4 * Math.max(1, Math.abs(value)), `${share} of ${value}`);
    });
    await client.detach();
  });
});

/** As a person would count it. */
function apart(data: Float32Array) {
  const finite = [...data].filter(Number.isFinite);
  const found = statisticsOf(data);
  const mean = finite.reduce((a, b) => a + b, 0) / finite.length;
  const std = Math.sqrt(finite.reduce((all, value) => all + (value - mean) ** 2, 0) / finite.length);
  assert.ok(Math.abs(found.mean - mean) <= 1e-9 * Math.max(1, Math.abs(mean)));
  assert.ok(Math.abs(found.std - std) <= 1e-9 * Math.max(1, std));
  return {
    ...found,
    ...{ min: Math.min(...finite), max: Math.max(...finite), zero: data.filter((value) => value === 0).length },
    nan: data.filter(Number.isNaN).length,
    positiveInfinity: data.filter((value) => value === Number.POSITIVE_INFINITY).length,
    negativeInfinity: data.filter((value) => value === Number.NEGATIVE_INFINITY).length,
  };
}
