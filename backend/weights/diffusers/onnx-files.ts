/** ONNX pipelines: model folders as Optimum writes them, with a model.onnx in text_encoder/, unet/ and vae_decoder/. */
import { UserError } from '../../protocol/errors.ts';
import { modelFile } from './contained.ts';
import type { DiffusersFolder } from './folder.ts';

export interface OnnxFiles {
  readonly text_encoder: string;
  readonly unet: string;
  readonly vae_decoder: string;
}

/** The files, real paths; null for a folder of weights. Throws UserError('weights') when some of them are missing. */
export function onnxFilesOf({ path }: DiffusersFolder): OnnxFiles | null {
  const find = (name: string) => modelFile(path, `${name}/model.onnx`);
  const unet = find('unet');
  if (unet === undefined) return null;
  const [textEncoder, decoder] = [find('text_encoder'), find('vae_decoder')];
  if (textEncoder !== undefined && decoder !== undefined)
    return { unet, text_encoder: textEncoder, vae_decoder: decoder };
  const missing = textEncoder === undefined ? 'text_encoder' : 'vae_decoder';
  const message = `${path}: ${missing}/model.onnx is missing, though there is unet/model.onnx`;
  throw new UserError('weights', message, 'Export the model again, all of it.');
}
