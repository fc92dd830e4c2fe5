/** Text-to-image models on a device, kept ready for the next request: a generator and its teacher, side by side. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DeviceName, openDevice } from '../../engine/open.ts';
import { modelPath } from '../../models/model-file.ts';
import { openTextModel } from '../../models/text/text-model.ts';
import { threadsOf } from '../../models/text/threads.ts';
import { unetHash } from '../../sampling/text/text-picture.ts';
import { TextPipeline } from '../../sampling/text/text-pipeline.ts';
import { Recent } from '../recent.ts';

export interface ReadyText {
  readonly pipeline: TextPipeline;
  /** Of the UNet's weights, hex. */
  readonly sha256: string;
  dispose(): Promise<void>;
}

const kept = 2;

export class ReadyTexts {
  readonly #models = new Recent<ReadyText>(kept);

  /** @param onOpen called when it is not ready and has to be opened */
  async get(model: string, device: DeviceName, onOpen: () => void): Promise<ReadyText> {
    const path = modelPath(model);
    // Another index or another student in the same folder is another model.
    const versions = await Promise.all(
      ['model_index.json', 'dmd.json', 'unet'].map((name) => versionOf(join(path, name))),
    );
    return this.#models.get([resolve(path), ...versions, device].join('|'), () => {
      onOpen();
      return open(path, device);
    });
  }

  release(): Promise<void> {
    return this.#models.release();
  }
}

/** A part that cannot be looked at is told about by whoever reads it. */
async function versionOf(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
  return `${mtimeMs} ${size}`;
}

async function open(path: string, device: DeviceName): Promise<ReadyText> {
  const threads = threadsOf(openTextModel(path));
  const engine = await openDevice(device, threads);
  try {
    const pipeline = TextPipeline.open(path, { engine, device, threads });
    const sha256 = await unetHash(pipeline.model);
    const dispose = async () => {
      await pipeline.dispose();
      await engine.dispose();
    };
    return { pipeline, sha256, dispose };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
