/** Runs an .onnx file as any other program would: with ONNX Runtime and nothing of ours. */
import type { TensorData } from '../../graph/tensor-data.ts';
import type { OrtDevice } from './providers.ts';
import { runtime } from './runtime.ts';

export interface OnnxFile {
  /** Shapes of the inputs by name; -1 for an axis that the file leaves open. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** Feeds and results by the names in the file; whole numbers are converted to the type that it wants. */
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
  const types = new Map(session.inputMetadata.map((input) => [input.name, input.isTensor ? input.type : 'none']));
  return {
    inputs: new Map(inputs),
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([name, feed]) => [name, typed(feed, types.get(name), name)] as const);
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

/** A feed in the type that the file declares for it. */
function typed({ shape, data }: TensorData, type: string | undefined, name: string) {
  if (type === 'int64') return new runtime.Tensor('int64', BigInt64Array.from(data, BigInt), shape);
  if (type === 'int32') return new runtime.Tensor('int32', Int32Array.from(data), shape);
  if (type === 'float32' || type === undefined) return new runtime.Tensor('float32', data, shape);
  throw new Error(`input '${name}' is ${type}; only float32, int32 and int64 can be fed`);
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
