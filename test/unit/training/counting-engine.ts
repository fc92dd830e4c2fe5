/** An engine that knows which of its tensors are alive: for tests that every tensor is freed exactly once. */
import assert from 'node:assert/strict';
import type { DeviceTensor, Engine, Feed, Program } from '../../../backend/engine/engine.ts';

/** `base`, but it refuses to read, free or feed a tensor that is not alive. */
export function countingEngine(base: Engine): { engine: Engine; alive: Map<DeviceTensor, string> } {
  const alive = new Map<DeviceTensor, string>();
  const inner = new Map<Feed, DeviceTensor>();
  const owned = (tensor: DeviceTensor, origin: string): DeviceTensor => {
    const outer: DeviceTensor = {
      shape: tensor.shape,
      type: tensor.type,
      read() {
        assert.ok(alive.has(outer), `${origin} is read after it was freed`);
        return tensor.read();
      },
      slices(numbers) {
        assert.ok(alive.has(outer), `${origin} is read after it was freed`);
        return tensor.slices(numbers);
      },
      dispose() {
        assert.ok(alive.delete(outer), `${origin} is freed twice`);
        tensor.dispose();
      },
    };
    alive.set(outer, origin);
    inner.set(outer, tensor);
    return outer;
  };
  const unwrapped = (feed: Feed, name: string) => {
    const tensor = inner.get(feed);
    assert.ok(!tensor || alive.has(feed as DeviceTensor), `${name} is fed after it was freed`);
    return tensor ?? feed;
  };
  const mapped = <A, B>(record: Readonly<Record<string, A>>, change: (value: A, name: string) => B) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
  const counting = (program: Program, title: string): Program => ({
    inputs: program.inputs,
    outputs: program.outputs,
    dispose: () => program.dispose(),
    async run(feeds, options) {
      const results = await program.run(mapped(feeds, unwrapped), options);
      return mapped(results, (tensor, name) => owned(tensor, `${title}.${name}`));
    },
  });
  const engine: Engine = {
    device: base.device,
    crossings: base.crossings,
    capabilities: () => base.capabilities(),
    upload: (value) => owned(base.upload(value), 'upload'),
    receive: async (shape, slices) => owned(await base.receive(shape, slices), 'receive'),
    dispose: async () => {},
    compile: async (graph, options) => counting(await base.compile(graph, options), options?.name ?? 'program'),
  };
  return { engine, alive };
}
