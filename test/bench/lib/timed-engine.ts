/** An engine that adds up how long programs run, by what they are for. */
import type { Engine } from '../../../backend/engine/engine.ts';

/** Milliseconds in the generator's program, in the fake score's, and in both updates. */
export type Parts = Record<'generator' | 'fake' | 'updates', number>;

const none: Parts = { generator: 0, fake: 0, updates: 0 };

function partOf(program: string): keyof Parts {
  if (program.endsWith('update')) return 'updates';
  return program.startsWith('fake') ? 'fake' : 'generator';
}

export function timedEngine(engine: Engine): { engine: Engine; parts: { read(): Parts; clear(): void } } {
  let sums = { ...none };
  const timed: Engine = {
    device: engine.device,
    crossings: engine.crossings,
    capabilities: () => engine.capabilities(),
    async compile(graph, options) {
      const program = await engine.compile(graph, options);
      const part = partOf(options?.name ?? '');
      return {
        inputs: program.inputs,
        outputs: program.outputs,
        async run(feeds, options) {
          const start = performance.now();
          const results = await program.run(feeds, options);
          sums[part] += performance.now() - start;
          return results;
        },
        dispose: () => program.dispose(),
      };
    },
    upload: (value) => engine.upload(value),
    receive: (shape, slices) => engine.receive(shape, slices),
    dispose: () => engine.dispose(),
  };
  return {
    engine: timed,
    parts: {
      read: () => sums,
      clear() {
        sums = { ...none };
      },
    },
  };
}
