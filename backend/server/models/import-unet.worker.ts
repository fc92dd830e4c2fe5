/** Makes one model of a base and a UNet file in a thread of its own, then ends. To stop it, end the thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../../files/describe-error.ts';
import { type Imported, type ImportRequest, type ImportStage, importUNet } from '../../models/text/import-unet.ts';
import type { ErrorMessage } from '../../protocol/run-messages.ts';

export type ImportWork = Omit<ImportRequest, 'onStage'>;

/** The last one is `done` or `failed`. */
export type FromImport =
  | { readonly type: 'stage'; readonly stage: ImportStage }
  | { readonly type: 'done'; readonly result: Imported }
  | { readonly type: 'failed'; readonly error: ErrorMessage };

const say = (message: FromImport) => parentPort!.postMessage(message);

importUNet({ ...(workerData as ImportWork), onStage: (stage) => say({ type: 'stage', stage }) }).then(
  (result) => say({ type: 'done', result }),
  (error: unknown) => say({ type: 'failed', error: describeError(error) }),
);
