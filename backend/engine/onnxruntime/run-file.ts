/** Runs an .onnx file as any other program would: with ONNX Runtime on the CPU and nothing of ours. */
import type { TensorData } from '../../graph/tensor-data.ts';
import { runtime } from './runtime.ts';

/** Feeds and results by the names in the file. Throws what the runtime throws when it cannot load or run it. */
export async function runOnnxFile(
  path: string,
  feeds: Readonly<Record<string, TensorData>>,
): Promise<Map<string, TensorData>> {
  const session = await runtime.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  try {
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
  } finally {
    await session.release();
  }
}
