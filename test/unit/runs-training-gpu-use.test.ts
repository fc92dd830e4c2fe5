/** Readings of graphics cards, from a tool that says what NVIDIA's does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { GpuUse } from '../../backend/runs/loop/gpu-use.ts';

const saying = (text: string) => ['-e', `process.stdout.write(${JSON.stringify(text)}); setTimeout(() => {}, 60_000)`];

test('the latest reading of every card counts, and a card that does not tell is left out', async () => {
  const use = new GpuUse(process.execPath, saying('0, 3, 100\n1, 55, 2048\n0, 97, 1000\n2, [N/A], 12\nNo devices\n'));
  try {
    for (let i = 0; Object.keys(use.scalars()).length < 4 || use.scalars()['speed/gpu 0 %'] !== 97; i++) {
      assert.ok(i < 500, JSON.stringify(use.scalars()));
      await later(20);
    }
    assert.deepEqual(use.scalars(), {
      'speed/gpu 0 %': 97,
      'memory/gpu 0 MB': 1048.576,
      'speed/gpu 1 %': 55,
      'memory/gpu 1 MB': 2147.483648,
    });
  } finally {
    use.dispose();
  }
  assert.deepEqual(use.scalars(), {});
});

test('where there is no such tool, or it fails, there are no curves and no error', async () => {
  const missing = new GpuUse('a-tool-that-is-not-there');
  const failing = new GpuUse(process.execPath, ['-e', 'process.exit(9)']);
  const other = new GpuUse(process.execPath, ['-e', '']);
  await later(300);
  for (const use of [missing, failing, other]) {
    assert.deepEqual(use.scalars(), {});
    use.dispose();
  }
});
