/** Reading an iteration's numbers at once (backend/training/joined-reader.ts). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { DeviceTensor, Engine } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { JoinedReader } from '../../backend/training/joined-reader.ts';

const cpu = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
after(() => cpu.dispose());

/** The CPU, as a device whose results stay in memory of its own; it counts programs and what is read. */
function resident() {
  const counts = { compiled: 0, alive: 0 };
  const engine: Engine = {
    device: cpu.device,
    crossings: cpu.crossings,
    capabilities: async () => ({ ...(await cpu.capabilities()), resident: true }),
    upload: (value) => cpu.upload(value),
    receive: (shape, slices) => cpu.receive(shape, slices),
    dispose: async () => {},
    async compile(graph, options) {
      counts.compiled += 1;
      counts.alive += 1;
      const program = await cpu.compile(graph, options);
      const dispose = () => {
        counts.alive -= 1;
        return program.dispose();
      };
      return { inputs: program.inputs, outputs: program.outputs, run: (feeds) => program.run(feeds), dispose };
    },
  };
  return { engine, counts };
}

const tensors = (of: readonly (readonly number[])[]): DeviceTensor[] =>
  of.map((numbers) =>
    cpu.upload({ shape: numbers.length === 1 ? [] : [numbers.length], data: Float32Array.from(numbers) }),
  );

test('numbers of several tensors are the same read at once, NaN among them; one program for one set of shapes', async () => {
  const { engine, counts } = resident();
  const reader = new JoinedReader(engine);
  const sets = [
    [[1, 2, 3], [4], [Number.NaN, 5]],
    [[-1, -2, -3], [Number.POSITIVE_INFINITY], [1e-40, 3e38]],
    [[1], [2, 3]],
    [[7]],
    [],
  ];
  for (const numbers of sets) {
    const [joined, each] = [await reader.read(tensors(numbers)), await new JoinedReader(cpu).read(tensors(numbers))];
    assert.deepEqual(joined, each);
    assert.deepEqual(
      each,
      numbers.map((own) => Float32Array.from(own)),
    );
  }
  assert.equal(counts.compiled, 2);
  await reader.dispose();
  assert.equal(counts.alive, 0);
});
