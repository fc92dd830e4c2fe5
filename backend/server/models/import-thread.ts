/** An import in a thread of its own: reading and converting gigabytes would keep every other request waiting. */
import { rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { temporaryPath } from '../../files/atomic.ts';
import { errorFrom } from '../../files/describe-error.ts';
import type { Imported, ImportStage } from '../../models/text/import-unet.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FromImport, ImportWork } from './import-unet.worker.ts';

/** Nothing stays behind of an import that fails or is stopped. Throws what the import throws, UserError('cancelled'). */
export async function importInThread(
  work: Omit<ImportWork, 'temporary'>,
  onStage: (stage: ImportStage) => void,
  signal: AbortSignal,
): Promise<Imported> {
  if (signal.aborted) throw stopped();
  const temporary = temporaryPath(work.out);
  const workerData: ImportWork = { ...work, temporary };
  const worker = new Worker(new URL('./import-unet.worker.ts', import.meta.url), { workerData });
  const stop = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(stopped()), { signal: stop.signal });
      worker.on('message', (message: FromImport) => {
        if (message.type === 'stage') onStage(message.stage);
        else if (message.type === 'failed') reject(errorFrom(message.error));
        else resolve(message.result);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the thread that imports ended early (code ${code})`)));
    });
  } finally {
    stop.abort();
    await worker.terminate();
    await rm(temporary, { recursive: true, force: true });
  }
}

function stopped(): UserError {
  return new UserError('cancelled', 'The import was stopped; nothing was written.');
}
