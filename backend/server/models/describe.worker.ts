/** Describes models in a thread of its own: a file of a few bytes can ask for a network that takes minutes to build. */
import { parentPort } from 'node:worker_threads';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import { describe } from './describe.ts';

/** A model to describe, as `describe` takes it. */
export interface DescribeWork {
  readonly model: string;
  readonly path: string;
  readonly bytes: number;
}

// One after the other: the thread is asked again when it has answered.
parentPort!.on('message', async ({ model, path, bytes }: DescribeWork) => {
  const info: ModelInfo = await describe(model, path, bytes);
  parentPort!.postMessage(info);
});
