/** The queue of generations: order, progress, cancelling, and that one failure ends only its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import type { Generated, GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { Generations } from '../../extension/generate/generations.ts';

const model: ModelInfo = {
  ...{ model: 'g', title: 'G', origin: 'imported', role: 'generator', imageShape: [3, 8, 8], classes: ['star', '1'] },
  ...{
    prompt: false,
    guidance: null,
    steps: 1,
    samplers: [],
    sizeStep: null,
    bytes: 1,
    run: null,
    teacher: null,
    problem: '',
  },
};
const part = (...seeds: number[]) => {
  const settings: GenerateSettings = { model: 'g', seeds, classes: null, prompt: null, steps: 1, device: 'cpu' };
  return { settings, model };
};

/** A backend whose answers the test gives, one request at a time. */
function fake() {
  const asked: { id: string; seeds: Seed[]; answer(): void; fail(error: Error): void }[] = [];
  let heard: () => void = () => {};
  const queue = new Generations(
    (id, { seeds }, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new UserError('cancelled', 'cancelled')));
        asked.push({ id, seeds, answer: () => resolve(generated(seeds)), fail: reject });
        heard();
      }),
    (stage) => `<${stage}>`,
    () => {},
  );
  const next = async (count: number) => {
    while (asked.length < count) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
    return asked[count - 1]!;
  };
  return { queue, asked, next };
}

function generated(seeds: Seed[]): Generated {
  return {
    images: seeds.map((seed, i) => ({ seed, class: i % 2, png: Uint8Array.of(Number(seed)) })),
    ...{
      width: 8,
      height: 8,
      millisecondsPerImage: 2,
      startupMilliseconds: 0,
      device: 'cpu',
      why: '',
      modelSha256: 'x',
      notes: [],
    },
  };
}

const isCancelled = (error: unknown) => error instanceof UserError && error.kind === 'cancelled';

test('one after the other; both sides of a comparison in one place', async () => {
  const { queue, asked, next } = fake();
  const first = queue.add('pair', [part(1, 2), part(1, 2)]);
  const second = queue.add('single', [part(3)]);
  assert.deepEqual(
    queue.jobs().map(({ title, waiting, total }) => [title, waiting, total]),
    [
      ['pair', true, 4],
      ['single', true, 1],
    ],
  );
  const left = await next(1);
  assert.equal(asked.length, 1, 'the second waits');
  queue.progress({ id: left.id, label: 'sampling', done: 1, total: 2 });
  queue.progress({ id: 'another/0', label: 'sampling', done: 9, total: 9 });
  assert.deepEqual([queue.jobs()[0]?.label, queue.jobs()[0]?.done], ['<sampling>', 1]);
  left.answer();
  const right = await next(2);
  queue.progress({ id: right.id, label: 'sampling', done: 1, total: 2 });
  assert.equal(queue.jobs()[0]?.done, 3);
  right.answer();
  const { sides, pictures } = await first;
  assert.deepEqual(
    sides.map(({ images }) => images.map(({ className }) => className)),
    [
      ['star', ''],
      ['star', ''],
    ],
  );
  assert.deepEqual(pictures, [
    [Uint8Array.of(1), Uint8Array.of(2)],
    [Uint8Array.of(1), Uint8Array.of(2)],
  ]);
  (await next(3)).answer();
  assert.equal((await second).sides.length, 1);
  assert.deepEqual(queue.jobs(), []);
});

test('a failure ends its own generation and no other', async () => {
  const { queue, next } = fake();
  const first = queue.add('bad', [part(1), part(1)]);
  const second = queue.add('good', [part(2)]);
  (await next(1)).fail(new UserError('device', 'out of memory'));
  await assert.rejects(first, /out of memory/);
  (await next(2)).answer();
  assert.equal((await second).sides[0]?.images[0]?.seed, 2);
});

test('cancelled before its turn it is gone at once and never asked; under way the request is cancelled', async () => {
  const { queue, asked, next } = fake();
  const outside = new AbortController();
  const first = queue.add('first', [part(1)], outside.signal);
  const second = queue.add('second', [part(2)]);
  const third = queue.add('third', [part(3)]);
  await next(1);
  queue.cancel(queue.jobs()[1]!.id);
  assert.deepEqual(
    queue.jobs().map(({ title }) => title),
    ['first', 'third'],
  );
  outside.abort();
  await assert.rejects(first, isCancelled);
  await assert.rejects(second, isCancelled);
  (await next(2)).answer();
  assert.deepEqual(
    asked.map(({ seeds }) => seeds),
    [[1], [3]],
  );
  await third;
});
