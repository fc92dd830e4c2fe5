/** Descriptions of models by name, looked up once for every state of their files. */
import { stat } from 'node:fs/promises';
import { modelPath } from '../../models/model-file.ts';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import { damaged } from './damaged.ts';
import { type DescribeLimits, DescribeThread } from './describe-thread.ts';

export class ModelDescriber {
  readonly #thread: DescribeThread;
  /** By name; a description holds as long as the file is the same. */
  readonly #known = new Map<string, { readonly version: string; readonly info: Promise<ModelInfo> }>();

  constructor(limits?: DescribeLimits) {
    this.#thread = new DescribeThread(limits);
  }

  /**
   * Says in `problem` what is wrong with a file; that it takes too long or too much memory to look at is wrong with it, too.
   * @throws UserError('weights') for a `builtin:` name that there is not
   */
  async describe(model: string): Promise<ModelInfo> {
    const path = modelPath(model);
    const file = await stat(path).catch(() => null);
    if (!file) return damaged(model, path, 0, 'There is no such file any more.');
    const version = `${file.ino} ${file.mtimeMs} ${file.size}`; // of a folder: changes when files come or go
    const known = this.#known.get(model);
    if (known?.version === version) return known.info;
    const info = this.#thread.ask({ model, path, bytes: file.size }).catch((error: Error) => {
      return damaged(model, path, file.size, `It cannot be used: ${error.message}. Do not trust it.`);
    });
    this.#known.set(model, { version, info });
    return info;
  }

  end(): void {
    this.#thread.end();
  }
}
