/** EDM's loss for a teacher against its formula, on a denoiser of one number: D(x) = a x. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { mul } from '../../backend/graph/ops/index.ts';
import { collectParameters, type ParameterSource } from '../../backend/graph/parameters.ts';
import { sizeOf } from '../../backend/graph/tensor-data.ts';
import type { Denoiser } from '../../backend/models/denoiser.ts';
import { stream } from '../../backend/random/stream.ts';
import { teacherLossGraph } from '../../backend/teach/teacher-loss.ts';
import { uniform } from '../random.ts';

const factor = (source: ParameterSource) => source.get('a', [1], { kind: 'ones' });
const network: Denoiser = {
  layout: collectParameters(factor),
  imageShape: [2, 3],
  labelDim: 0,
  denoise: (source, x) => mul(x, factor(source)),
};

test('every noise level is weighted as in Table 1, and the gradient is that of the mean', async () => {
  const shape = [4, 2, 3];
  const random = stream(uniform(), 'teacher loss');
  const [images, noise] = [random.randn(sizeOf(shape)), random.randn(sizeOf(shape))];
  const sigma = Float32Array.of(0.01, 0.3, 2, 40);
  const [a, sigmaData] = [0.7, 0.4];
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  try {
    const program = await engine.compile(teacherLossGraph(network, 4, sigmaData));
    const results = await program.run({
      parameters: { shape: [1], data: Float32Array.of(a) },
      images: { shape, data: images },
      noise: { shape, data: noise },
      sigma: { shape: [4], data: sigma },
    });
    let [loss, gradient] = [0, 0];
    images.forEach((y, i) => {
      const s = sigma[Math.floor(i / 6)];
      const x = y + s * noise[i];
      const weight = (s ** 2 + sigmaData ** 2) / (s * sigmaData) ** 2;
      loss += (weight * (a * x - y) ** 2) / images.length;
      gradient += (2 * weight * (a * x - y) * x) / images.length;
    });
    for (const [name, expected] of Object.entries({ loss, gradient })) {
      const [actual] = await results[name].read();
      assert.ok(Math.abs(actual - expected) <= 1e-4 * Math.abs(loss), `${name}: ${actual}, expected ${expected}`);
    }
  } finally {
    await engine.dispose();
  }
});
