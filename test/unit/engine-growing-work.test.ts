/** Measuring a device with work that grows (backend/engine/growing-work.ts), on stand-in devices of known speed and latency. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speedOf, type Work } from '../../backend/engine/growing-work.ts';

/** A device of so many GFLOP/s that takes so long to answer at all; sizes of 1, 4, 16, ... GFLOP. */
function standIn({ speed, latency, first = 0 }: { speed: number; latency: number; first?: number }) {
  const seen = { runs: 0, sizes: 0, milliseconds: 0, open: 0 };
  const size = (gigaflop: number) => async (): Promise<Work> => {
    seen.sizes += 1;
    seen.open += 1;
    let runs = 0;
    return {
      gigaflop,
      async run() {
        const milliseconds = latency + (gigaflop / speed) * 1000 + (runs === 0 ? first : 0);
        runs += 1;
        seen.runs += 1;
        seen.milliseconds += milliseconds;
        return milliseconds;
      },
      async dispose() {
        seen.open -= 1;
      },
    };
  };
  return { sizes: [1, 4, 16, 64, 256].map(size), seen };
}

test('a card that answers late and computes fast is faster than a processor that answers at once', async () => {
  const [card, processor] = [standIn({ speed: 5000, latency: 8, first: 300 }), standIn({ speed: 200, latency: 0 })];
  const [fast, slow] = [await speedOf(card.sizes), await speedOf(processor.sizes)];
  assert.ok(Math.abs(slow - 200) < 1e-6, `${slow}`);
  assert.ok(fast > 4000 && fast < 5000, `${fast}`);
  // With the smallest size alone latency would have decided: 1 GFLOP in 8.2 ms.
  assert.ok((await speedOf(standIn({ speed: 5000, latency: 8 }).sizes.slice(0, 1))) < slow);
  assert.equal(processor.seen.sizes, 3, 'no more work than takes 50 ms');
  assert.equal(card.seen.sizes, 5);
  assert.equal(card.seen.open + processor.seen.open, 0);
});

test('a slow device is not asked for more than it has shown it can do in time', async () => {
  const once = standIn({ speed: 0.4, latency: 0 });
  assert.ok(Math.abs((await speedOf(once.sizes)) - 0.4) < 1e-9);
  assert.equal(once.seen.runs, 1);
  const compiles = standIn({ speed: 100, latency: 0, first: 900 });
  assert.ok(Math.abs((await speedOf(compiles.sizes)) - 100) < 1e-9, 'what a first run prepares is not its speed');
  assert.ok(compiles.seen.milliseconds < 2000 + 1060 + 1, `${compiles.seen.milliseconds}`);
});

test('a device that fails says so, and nothing larger is tried', async () => {
  const { sizes, seen } = standIn({ speed: 1, latency: 0 });
  const failing = async (): Promise<Work> => ({
    gigaflop: 1,
    run: () => Promise.reject(new Error('lost')),
    dispose: async () => {},
  });
  await assert.rejects(speedOf([failing, ...sizes]), /lost/);
  assert.equal(seen.sizes, 0);
});
