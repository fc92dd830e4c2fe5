/** A network of a text-to-image model as a call: one that nobody waits for any more ends in the middle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { type Build, NetworkProgram } from '../../backend/models/text/network-program.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { longProduct, ones } from './engine-c-api/long-graph.ts';

const skip = process.platform === 'linux' ? false : 'the C API is the way on Linux';

test('a call whose signal is aborted is cancelled in the middle, and the network goes on', { skip }, async () => {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1, way: 'c-api' });
  const layout = { entries: [], chunks: [], size: 0, trainedSize: 0 };
  const network = new NetworkProgram(engine, { name: 'long', layout, read: async () => new Map() });
  const build = (products: number): Build => {
    return (graph) => longProduct(graph, products);
  };
  const control = new AbortController();
  await network.prepare('long', build(400));
  const call = network.run('long', build(400), { x: ones() }, control.signal);
  setTimeout(() => control.abort(), 20);
  await assert.rejects(call, (error) => error instanceof UserError && error.kind === 'cancelled');
  const result = await network.run('short', build(2), { x: ones() }, new AbortController().signal);
  assert.ok(result.every((value) => Math.abs(value - 1) < 1e-4));
  await network.dispose();
  await engine.dispose();
});
