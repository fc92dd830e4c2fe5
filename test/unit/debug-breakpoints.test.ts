/** Breakpoints of a debugger in a run, and what lies inside a stage. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Breakpoints } from '../../backend/debug/breakpoints.ts';
import { type Measured, ownRules } from '../../backend/debug/rules.ts';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { type Client, debugged } from './debug/client.ts';
import { curves, distillConfig, runHere, scratch, stateBytes, teachConfig, tinyTeacher } from './training/tiny.ts';

const folder = scratch();
const teacher = await tinyTeacher(folder);
const start = (change = {}) => ({
  config: distillConfig(teacher, { iterations: 4, ...change }),
  root: path.join(folder, 'runs'),
});

async function launched(client: Client, breakpoints: object = {}) {
  await client.attach(false);
  await client.next('stopped');
  return client.ask('debug/breakpoints', breakpoints);
}

test('what is wrong with a breakpoint is said of that one; the others stand, and hits are counted on unless it changed', () => {
  const points = new Breakpoints();
  const stages = (condition: string, hits: string) => [
    { id: 1, stage: 'draw', condition, hits },
    { id: 2, stage: 'nothing' },
    { id: 3, stage: 'draw', log: 'x is {x.mean} and {}' },
  ];
  const verdicts = points.set({ stages: stages('step >', '% 2') }, ['draw'], []);
  assert.match(verdicts[0]!.problem!, /^condition: the end where .* at 7$/);
  assert.match(verdicts[1]!.problem!, /no line .* 'nothing'/);
  assert.match(verdicts[2]!.problem!, /^log: /);
  points.set({ stages: stages('step > 1', '% 0') }, ['draw'], []);
  assert.match(points.stages[0]!.problem!, /^hit count: "% 0"/);
  points.set({ stages: stages('', '>= 3') }, ['draw'], []);
  assert.equal(points.stages[0]!.problem, null);
  assert.deepEqual([2, 3, 4].map(points.stages[0]!.counts), [false, true, true]);
  points.stages[0]!.times = 7;
  const [data] = points.set({ data: [{ id: 4, expression: '1 +', when: { type: 'is not finite' } }] }, ['draw'], []);
  assert.match(data!.problem!, /^expression: /);
  points.set({ stages: stages('', '>= 3') }, ['draw'], []);
  assert.equal(points.stages[0]!.times, 7);
  const [odd] = points.set({ exceptions: [{ id: 5, rule: 'luck' }] }, [], ['numeric']);
  assert.match(odd!.problem!, /no rule 'luck'/);
});

test('a loss spike and an exploding gradient are told from noise, with the numbers behind it', () => {
  const before = Array.from(
    { length: 30 },
    (_, i): Measured => ({
      step: i + 1,
      numbers: { 'loss/fake': 0.5 + 0.1 * Math.sin(i), 'norm/generator': 2 + (i % 3) },
    }),
  );
  const check = (name: string, numbers: Measured['numbers'], past = before) =>
    ownRules.find(({ rule }) => rule === name)!.check({ step: 31, numbers }, past);
  assert.equal(check('loss spike', { 'loss/fake': 0.65 }), null);
  assert.match(
    check('loss spike', { 'loss/fake': 9 })!,
    /loss\/fake is 9, where the median of the last 30 iterations is 0\.\d/,
  );
  assert.equal(check('loss spike', { 'loss/fake': 9 }, before.slice(0, 5)), null, 'too early to say');
  assert.equal(check('exploding gradient', { 'norm/generator': 15 }), null);
  assert.match(check('exploding gradient', { 'norm/generator': 40 })!, /norm\/generator is 40/);
});

test('conditions, hit counts, log points and data breakpoints stop and tell where they say', async () => {
  const { folder: run } = await debugged(start(), async (client) => {
    await launched(client, {
      stages: [
        { id: 1, stage: 'gradient', condition: 'step > 1 && grad.norm > 0', hits: '2' },
        { id: 2, stage: 'gradient', log: 'step {step}: {nowhere} {x.shape[0]}' },
        { id: 3, stage: 'draw', condition: 'grad.norm > 1' },
      ],
    });
    const stop = await client.go({ to: 'continue' });
    assert.deepEqual([stop.step, stop.stage, stop.hits], [3, 'gradient', [1]]);
    const logs = client.events.flatMap((event) => (event.type === 'log' ? [event.text] : []));
    assert.equal(logs.length, 3);
    assert.match(logs[0]!, /^step 1: \{there is no nowhere here.*, at 1\} 2$/);
    const problems = client.events.filter((event) => event.type === 'problem');
    assert.deepEqual(
      problems.map(({ id, problem }) => [id, /no grad/.test(problem ?? '')]),
      [[3, true]],
    );

    const { numbers } = await client.ask('debug/numbers', {});
    const before = numbers.find(({ name }) => name === 'loss.fake')!;
    assert.equal(before.step, 2);
    await client.ask('debug/breakpoints', {
      stages: [],
      data: [{ id: 7, expression: 'loss.fake', when: { type: 'changes', by: 0 } }],
    });
    const last = await client.go({ to: 'continue' });
    assert.deepEqual([last.step, last.stage, last.reason, last.hits], [4, 'commit', 'data breakpoint', [7]]);
    assert.match(last.text, /^loss\.fake went from/);
    await client.detach();
  });
  assert.equal(curves(run).get('loss/fake')!.length, 4);
});

test('inside a stage: blocks and operations, computed again within 1e-5, down to a block and in the backward part', async () => {
  await debugged(start({ iterations: 2 }), async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'generate', condition: 'step == 2' }] });
    await client.go({ to: 'continue' });
    await assert.rejects(client.ask('debug/inside', { scope: 'nothing' }), {
      kind: 'usage',
      message: /has no block "nothing"/,
    });
    const whole = await client.ask('debug/inside', { scope: '' });
    const block = whole.lines.find(({ scope }) => scope !== null)!;
    assert.ok(block.operations > 10, JSON.stringify(whole.lines.map(({ text }) => text)));
    await agrees(client, whole.lines, 'x');
    let deeper = await client.ask('debug/inside', { scope: block.scope! });
    while (deeper.lines.some(({ scope }) => scope?.includes('block'))) {
      const into = deeper.lines.find(({ scope }) => scope?.includes('block'))!;
      const inner = await client.ask('debug/inside', { scope: into.scope! });
      assert.ok(inner.lines.length > 0);
      const same = into.outputs[0]!.name;
      assert.ok(
        inner.lines.some(({ outputs }) => outputs.some(({ name }) => name === same)),
        `${same} comes from within`,
      );
      deeper = inner;
    }
    const [value] = deeper.lines.flatMap(({ outputs }) => outputs);
    assert.equal(value!.writable, false);
    await assert.rejects(client.ask('debug/write', { tensor: value!.name, offset: 0, bytes: new Uint8Array(4) }), {
      message: /only computed to be looked at/,
    });
    assert.ok((await client.number(`norm(${value!.name})`)) >= 0);

    await client.go({ to: 'stage', stage: 'generator backward' });
    const backward = await client.ask('debug/inside', { scope: '' });
    assert.ok(backward.lines.some(({ scope }) => scope === 'grad'));
    await agrees(client, backward.lines, 'gradient');
    await client.go({ to: 'next' });
    await agrees(client, (await client.ask('debug/inside', { scope: '' })).lines, 'generator.parameters');
    await client.go({ to: 'next' });
    await assert.rejects(client.ask('debug/inside', { scope: '' }), { message: /'fake-score draw' computes nothing/ });
    await client.detach();
  });
});

test('every update of an iteration can be entered, not only the first: each with what it began with', async () => {
  const fake = { updatesPerStep: 3 };
  await debugged(start({ iterations: 1, accumulation: 1, fake }), async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'fake update' }] });
    const seen: Float32Array[] = [];
    for (let update = 0; update < 3; update++) {
      await client.go({ to: 'continue' });
      await agrees(client, (await client.ask('debug/inside', { scope: '' })).lines, 'fake.parameters');
      seen.push(await client.tensor('fake.parameters'));
    }
    assert.notDeepEqual(seen[0], seen[1]);
    assert.notDeepEqual(seen[1], seen[2]);
    await client.detach();
  });
});

/** The line that makes `name` has its numbers, computed again. */
async function agrees(
  client: Client,
  lines: { text: string; outputs: { name: string }[] }[],
  name: string,
): Promise<void> {
  const line = lines.find(({ text }) => text.split(' = ')[0]!.split(', ').includes(name));
  assert.ok(line, `${name}: ${lines.map(({ text }) => text)}`);
  const at = line.text.split(' = ')[0]!.split(', ').indexOf(name);
  const [own, again] = [await client.tensor(name), await client.tensor(line.outputs[at]!.name)];
  const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest > 0);
  own.forEach((value, i) => {
    assert.ok(Math.abs(value - again[i]!) <= 1e-5 * Math.max(1, largest), `${name}[${i}]`);
  });
}

test('bytes written are what follows is computed from; what makes no sense is refused and nothing changes', async () => {
  await debugged(start({ iterations: 1 }), async (client) => {
    await launched(client, { stages: [{ id: 1, stage: 'draw' }] });
    await client.go({ to: 'continue' });
    const bytes = new Uint8Array(Float32Array.of(0.25, -3).buffer);
    assert.deepEqual(await client.ask('debug/write', { tensor: 'z', offset: 4, bytes }), { written: 8 });
    const z = await client.tensor('z');
    assert.deepEqual([z[1], z[2]], [0.25, -3]);
    assert.deepEqual(await client.ask('debug/write', { tensor: 'z', offset: 4 * z.length - 2, bytes }), { written: 2 });
    assert.deepEqual(await client.ask('debug/write', { tensor: 'z', offset: 4 * z.length, bytes }), { written: 0 });
    const refused: readonly (readonly [string, string, RegExp])[] = [
      ['nowhere', '1', /nothing that can be set is called nowhere/],
      ['z[99]', '1', /there is no 99 along an axis of/],
      ['z', 'z[0, :2]', /do not go together|does not fit/],
      ['generator.lr', '-1', /a number of at least 0/],
      ['z + 1', '1', /only a name/],
    ];
    const before = await client.tensor('z');
    for (const [target, value, message] of refused) {
      await assert.rejects(client.ask('debug/assign', { target, value }), { kind: 'usage', message }, target);
    }
    assert.deepEqual(await client.tensor('z'), before);
    for (const ask of [
      () => client.ask('debug/statistics', { tensor: 'nothing', path: [] }),
      () => client.ask('debug/children', { tensor: 'z', path: [0, 0, 0, 0, 0], start: 0, count: 1 }),
      () => client.ask('debug/skip', { networks: ['teacher'] }),
      () => client.ask('debug/go', { how: { to: 'back' } }),
      () => client.ask('debug/go', { how: { to: 'stage', stage: 'lunch' } }),
      () => client.ask('debug/origin', {}),
    ]) {
      await assert.rejects(ask, { kind: 'usage' });
    }
    await client.ask('debug/evaluate', { expression: 'z[0] = 0', assigns: true });
    assert.equal(await client.number('norm(z[0])'), 0);
    await client.ask('debug/go', { how: { to: 'continue' } });
  });
});

test('a run that teaches is debugged alike, and one that nobody waits for is attached to and paused', async () => {
  const teaching = () => ({ config: teachConfig({ iterations: 40 }), root: path.join(folder, 'runs') });
  const alone = await runHere(teaching());
  const { folder: run } = await debugged(
    teaching(),
    async (client) => {
      await client.attach(false);
      await client.ask('debug/pause', {});
      const stop = await client.next('stopped');
      assert.deepEqual([stop.reason, stop.stage], ['pause', 'draw']);
      assert.equal((await client.go({ to: 'next' })).stage, 'loss');
      assert.ok((await client.ask('debug/inside', { scope: '' })).lines.length > 0);
      const { settings } = await client.ask('debug/numbers', {});
      assert.deepEqual(
        settings.map(({ name }) => name),
        ['optimizer.lr', 'optimizer.weightDecay', 'optimizer.clip'],
      );
      await client.detach();
    },
    { debug: false },
  );
  assert.deepEqual(stateBytes(run, 40), stateBytes(alone.folder, 40));
  assert.deepEqual(readRun(run).info!.interventions, []);
});
