/** One picture of a one-step text model, from its prompt to its pixels: the built-in one, or one of Stable Diffusion 1.5's size. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../../backend/files/package.ts';
import { openTextModel } from '../../../../backend/models/text/text-model.ts';
import { TextPipeline } from '../../../../backend/sampling/text/text-pipeline.ts';
import type { TextImages } from '../../../../backend/sampling/text/text-request.ts';
import { componentOf } from '../../../../backend/weights/diffusers/index.ts';
import { writeSafetensors } from '../../../../backend/weights/safetensors.ts';
import { tinyDecoder, writeSd15 } from '../../lib/sd15-folder.ts';
import { caseFile, type Workload } from '../workload.ts';

export interface PictureOptions {
  readonly of: 'built-in' | 'sd15';
  readonly decoder: 'full' | 'tiny';
}

export function picture({ of, decoder }: PictureOptions): Workload {
  // Made once for all rows of a table, beside their folders.
  const folderOf = (folder: string) =>
    of === 'built-in' ? path.join(packageRoot(), 'media/scenes-text/student') : path.join(folder, '../sd15');
  return {
    makes: { count: 1, what: 'pictures' },
    async prepare(folder) {
      const own = folderOf(folder);
      if (!existsSync(own)) await writeSd15(own);
      const { tokenizer, folder: opened, imageSize, calling } = openTextModel(own);
      const { ids } = tokenizer.encode('a cat');
      const part = (name: string) => path.join(componentOf(opened, name).folder.path, name);
      const settings = JSON.stringify({
        ...{ unet: part('unet'), text_encoder: part('text_encoder'), scheduler: part('scheduler'), size: imageSize },
        prediction: calling.oneStep?.prediction,
        vae: decoder === 'tiny' ? tinyDecoder(own) : part('vae'),
      });
      const tensors = new Map([['ids', { shape: [1, ids.length], data: Float32Array.from(ids) }]]);
      await writeSafetensors(path.join(folder, caseFile), tensors, { metadata: { kind: 'picture', settings } });
    },
    async ready({ engine, threads, folder, begin }) {
      const own = folderOf(folder);
      begin();
      const pipeline = TextPipeline.open(own, { engine, threads });
      const request = { prompt: 'a cat', seeds: [0], ...(decoder === 'tiny' ? { decoder: tinyDecoder(own) } : {}) };
      await pipeline.warmUp(request);
      let first: TextImages | null = null;
      return {
        async turn() {
          const drawn = await pipeline.draw(request);
          first ??= drawn;
        },
        answers: async () => new Map([['images', first!.images]]),
        dispose: () => pipeline.dispose(),
      };
    },
  };
}
