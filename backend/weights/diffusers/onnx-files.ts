/** ONNX pipelines: model folders as Optimum writes them, with a model.onnx in text_encoder/, unet/ and vae_decoder/. */
import path from 'node:path';
import { listFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { modelFile } from './contained.ts';
import type { DiffusersFolder } from './folder.ts';

export const onnxParts = ['text_encoder', 'unet', 'vae_decoder'] as const;
export type OnnxPart = (typeof onnxParts)[number];

export type OnnxFiles = Readonly<Record<OnnxPart, string>>;

/** Files of one part that hold its weights: model.onnx and, for large ones, model.onnx_data beside it. Real paths. */
export function onnxWeightsOf({ path: folder }: DiffusersFolder, part: OnnxPart): string[] {
  const names = listFolder(path.join(folder, part)).filter((name) => name.startsWith('model.onnx'));
  return names.flatMap((name) => modelFile(folder, `${part}/${name}`) ?? []);
}

/** The files, real paths; null for a folder of weights. Throws UserError('weights') when some of them are missing. */
export function onnxFilesOf({ path: folder }: DiffusersFolder): OnnxFiles | null {
  const find = (name: string) => modelFile(folder, `${name}/model.onnx`);
  const unet = find('unet');
  if (unet === undefined) return null;
  const [textEncoder, decoder] = [find('text_encoder'), find('vae_decoder')];
  if (textEncoder !== undefined && decoder !== undefined)
    return { unet, text_encoder: textEncoder, vae_decoder: decoder };
  const missing = textEncoder === undefined ? 'text_encoder' : 'vae_decoder';
  const message = `${folder}: ${missing}/model.onnx is missing, though there is unet/model.onnx`;
  throw new UserError('weights', message, 'Export the model again, all of it.');
}
