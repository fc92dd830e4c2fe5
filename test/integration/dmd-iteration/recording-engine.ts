/** An engine that writes down every output of every run before it hands it on. */
import type { DeviceTensor, Engine, Program } from '../../../backend/engine/engine.ts';

import { joinedNumbers } from '../../../backend/training/joined-reader.ts';

/** 'program.output, run' -> numbers. */
export type Recording = Map<string, Float32Array>;

export function recordingEngine(engine: Engine, recording: Recording): Engine {
  return {
    device: engine.device,
    crossings: engine.crossings,
    capabilities: () => engine.capabilities(),
    upload: (value) => engine.upload(value),
    receive: (shape, slices) => engine.receive(shape, slices),
    dispose: () => engine.dispose(),
    async compile(graph, options) {
      const program = await engine.compile(graph, options);
      // Numbers that were recorded where they were made: only where a device keeps them are they joined.
      if (options?.name === joinedNumbers) return program;
      return recordingProgram(program, options?.name ?? 'program', recording);
    },
  };
}

function recordingProgram(program: Program, name: string, recording: Recording): Program {
  let runs = 0;
  return {
    inputs: program.inputs,
    outputs: program.outputs,
    dispose: () => program.dispose(),
    async run(feeds) {
      const results: Record<string, DeviceTensor> = await program.run(feeds);
      runs += 1;
      for (const [output, tensor] of Object.entries(results)) {
        recording.set(`${name}.${output}, run ${runs}`, Float32Array.from(await tensor.read()));
      }
      return results;
    },
  };
}
