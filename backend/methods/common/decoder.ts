/** From latents to images, inside a graph: for the regression on decoded images, and for sample pictures. */
import type { Tensor } from '../../graph/graph.ts';
import { mul } from '../../graph/ops/index.ts';
import { constantParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { type Inputs, type InputWork, settingsInputs } from '../../models/input-file.ts';
import { type OwnDecoder, openOwnDecoder } from '../../models/text/own-decoder.ts';
import { expectedOf, type TextModel } from '../../models/text/text-model.ts';
import { componentInput, type TextTeacher } from '../../models/text/text-teacher.ts';
import type { Autoencoder } from '../../nets/stable-diffusion/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { componentOf, readComponentWeights, textToImageClasses } from '../../weights/diffusers/index.ts';

export interface Decoder {
  readonly vae: Autoencoder;
  /** Its weights and their settings. */
  inputs(work: InputWork): Promise<Inputs>;
  readWeights(): Promise<Map<string, TensorData>>;
}

/**
 * The autoencoder of a folder: an autoencoder's own, such as a download of a tiny one, or the `vae` of a model.
 * @param folder null: the teacher's
 * @throws UserError('config') that names the folder and what does not fit
 */
export async function openDecoder(folder: string | null, { model }: TextTeacher): Promise<Decoder> {
  if (folder === null) {
    const component = componentOf(model.folder, 'vae', textToImageClasses.vae);
    return {
      vae: model.vae,
      inputs: async (work) => ({
        'teacher (vae)': await componentInput(component, work),
        ...(await settingsInputs('teacher', model.folder.path, ['vae/config.json'])),
      }),
      readWeights: () => readComponentWeights(component, expectedOf(model.vae.layout)),
    };
  }
  const { vae, component, readWeights } = ownDecoder(folder, model);
  return {
    ...{ vae, readWeights },
    inputs: async (work) => ({
      'text.decoder': await componentInput(component, work, 'decoder'),
      ...(await settingsInputs('text.decoder', folder, ['config.json'])),
    }),
  };
}

function ownDecoder(folder: string, model: TextModel): OwnDecoder {
  try {
    return openOwnDecoder(folder, model);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('config', `text.decoder: ${error.message}`, error.hint, { cause: error });
  }
}

/** Images [B, 3, H, W] of the latents that the UNet works on [B, C, h, w]; weights are constants. */
export function decodeWith(
  { vae }: Pick<Decoder, 'vae'>,
  weights: ReadonlyMap<string, TensorData>,
): (latents: Tensor) => Tensor {
  return (latents) => vae.decode(constantParameters(latents.graph, weights), mul(latents, 1 / vae.scalingFactor));
}
