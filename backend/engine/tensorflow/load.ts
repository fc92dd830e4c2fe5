/**
 * Loads TensorFlow.js when it is asked for: the GPU package is an optional peer, and the plain JavaScript backend is
 * there in a checkout only, for the tests.
 */
import { UserError } from '../../protocol/errors.ts';
import type { Tf } from './kernels/kernel.ts';

export type TensorflowBackend = 'cpu' | 'tfjs-node-gpu';

export interface LoadedTensorflow {
  readonly tf: Tf;
  /** The name under which TensorFlow.js knows the backend. */
  readonly backendName: string;
}

/** Throws UserError('device') that says what to install, or that there is no GPU. */
export async function loadTensorflow(backend: TensorflowBackend): Promise<LoadedTensorflow> {
  return backend === 'cpu' ? loadPlain() : loadNodeGpu();
}

async function loadPlain(): Promise<LoadedTensorflow> {
  const hint = 'npm install @tensorflow/tfjs-core@4 @tensorflow/tfjs-backend-cpu@4';
  const tf = (await load('@tensorflow/tfjs-core', hint)) as Tf;
  tf.env().set('PROD', true); // else it prints an advertisement for its native packages
  await load('@tensorflow/tfjs-backend-cpu', hint);
  await tf.setBackend('cpu');
  return { tf, backendName: 'cpu' };
}

async function loadNodeGpu(): Promise<LoadedTensorflow> {
  const hint =
    'npm install @tensorflow/tfjs-node-gpu@4, under Node 20, with the CUDA and cuDNN versions its page names; ' +
    'or choose another device: dmd devices';
  const tf = (await load('@tensorflow/tfjs-node-gpu', hint)) as Tf;
  await tf.setBackend('tensorflow');
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
  if (!isUsingGpuDevice) {
    throw new UserError('device', '@tensorflow/tfjs-node-gpu is installed but finds no GPU it can use.', hint);
  }
  return { tf, backendName: 'tensorflow' };
}

/** The name comes in a variable, so that neither the compiler nor the bundler insists on the package. */
async function load(packageName: string, hint: string): Promise<unknown> {
  try {
    const loaded = (await import(packageName)) as { default?: unknown };
    // From an ES module, a CommonJS package that hides its names from Node's scan is only whole in `default`.
    return loaded.default ?? loaded;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const reason = missing ? 'is not installed' : `cannot be loaded: ${(error as Error).message}`;
    throw new UserError('device', `The package ${packageName} ${reason}.`, hint, { cause: error });
  }
}
