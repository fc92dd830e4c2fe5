/** Counting what crosses between host and device (backend/engine/crossings.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crossings, totalOf } from '../../backend/engine/crossings.ts';
import { createOnnxRuntimeEngine, ways } from '../../backend/engine/onnxruntime/engine.ts';
import { draw, throughGraph } from './engine-contract/contract.ts';

test('copies and bytes are counted by direction and name, and taken once', () => {
  const crossings = new Crossings();
  crossings.count('toDevice', 'z', 12);
  crossings.count('toDevice', 'z', 12);
  crossings.count('toDevice', 'noise', 4);
  crossings.count('toHost', 'report', 8);
  const crossed = crossings.take();
  assert.deepEqual(crossed.toDevice.get('z'), { copies: 2, bytes: 24 });
  assert.deepEqual([...crossed.toDevice.keys()], ['z', 'noise']);
  assert.deepEqual(totalOf(crossed, 'toDevice'), { copies: 3, bytes: 28 });
  assert.deepEqual(totalOf(crossed, 'toHost'), { copies: 1, bytes: 8 });
  crossings.count('toHost', 'norm', 4);
  assert.deepEqual(totalOf(crossed, 'toHost'), { copies: 1, bytes: 8 }, 'what was taken does not change');
  assert.deepEqual([...crossings.take().toHost.keys()], ['norm']);
  assert.equal(crossings.take().toHost.size, 0);
});

for (const way of ways) {
  test(`on the CPU nothing crosses (${way})`, async () => {
    const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way });
    const program = await engine.compile(throughGraph());
    const { next } = await program.run({ x: engine.upload(draw(2, 3)), unused: draw(4) });
    await next!.read();
    const crossed = engine.crossings!.take();
    assert.deepEqual([crossed.toDevice.size, crossed.toHost.size], [0, 0]);
    await engine.dispose();
  });
}
