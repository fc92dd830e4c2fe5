/** Runs an .onnx file as any other program would: with ONNX Runtime and nothing of ours. */
import type { TensorData } from '../../graph/tensor-data.ts';
import type { OrtDevice } from './engine.ts';
import { runtime } from './runtime.ts';

export interface OnnxFile {
  /** Shapes of the inputs by name; -1 for an axis that the file leaves open. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** Feeds and results by the names in the file. */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Map<string, TensorData>>;
  close(): Promise<void>;
}

/** Throws what the runtime throws when it cannot load the file. */
export async function openOnnxFile(path: string, device: OrtDevice = 'cpu', threads = 0): Promise<OnnxFile> {
  const session = await runtime.InferenceSession.create(path, {
    executionProviders: device === 'cpu' ? ['cpu'] : [{ name: device }, { name: 'cpu' }],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  const inputs = session.inputMetadata.map((input) => {
    const shape = input.isTensor ? input.shape.map((length) => (typeof length === 'number' ? length : -1)) : [];
    return [input.name, shape] as const;
  });
  return {
    inputs: new Map(inputs),
    async run(feeds) {
      const tensors = Object.entries(feeds).map(
        ([name, { shape, data }]) => [name, new runtime.Tensor('float32', data, shape)] as const,
      );
      const results = await session.run(Object.fromEntries(tensors));
      return new Map(
        session.outputNames.map((name) => {
          const { dims, data } = results[name];
          return [name, { shape: dims, data: (data as Float32Array).slice() }];
        }),
      );
    },
    close: () => session.release(),
  };
}

/** Opens, runs once and closes. */
export async function runOnnxFile(
  path: string,
  feeds: Readonly<Record<string, TensorData>>,
): Promise<Map<string, TensorData>> {
  const file = await openOnnxFile(path);
  try {
    return await file.run(feeds);
  } finally {
    await file.close();
  }
}
