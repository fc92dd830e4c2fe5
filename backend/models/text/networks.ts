/** The three networks that make an image of a prompt, on a device: programs of ours, or ONNX files as they are. */
import type { Engine } from '../../engine/engine.ts';
import type { DeviceName } from '../../engine/open.ts';
import { type HostNetwork, type NetworkOptions, NetworkProgram } from './network-program.ts';
import { OnnxNetwork } from './onnx-network.ts';
import type { OwnDecoder } from './own-decoder.ts';
import type { TextModel } from './text-model.ts';

export interface NetworkPlacement {
  /** Runs our programs. */
  readonly engine: Engine;
  /** Runs ONNX files. Default cpu. */
  readonly device?: DeviceName;
  /** CPU threads of ONNX files; 0 one per core. */
  readonly threads?: number;
  /** One copy of all weights in memory, somewhat slower. */
  readonly lowMemory?: boolean;
}

export interface TextNetworks {
  /** ids [1, L] -> [1, L, D] */
  readonly textEncoder: HostNetwork;
  /** sample [B, C, h, w], timestep [B], context [B, L, D] -> [B, C, h, w] */
  readonly unet: HostNetwork;
  /** Unscaled latents [B, C, h, w] -> images [B, 3, H, W] */
  readonly decoder: HostNetwork;
}

export function placeNetworks(model: TextModel, placement: NetworkPlacement): TextNetworks {
  return model.onnx ? onnxNetworks(model.onnx, placement) : programs(model, placement);
}

/** One that stands beside a model, as a program of ours whatever the model is. */
export function placeDecoder({ vae, openWeights }: OwnDecoder, placement: NetworkPlacement): HostNetwork {
  return program(placement, 'decoder', vae, openWeights);
}

function programs(model: TextModel, placement: NetworkPlacement): TextNetworks {
  const { textEncoder, unet, vae } = model;
  return {
    textEncoder: program(placement, 'text encoder', textEncoder, () => model.openWeights('text_encoder')),
    unet: program(placement, 'unet', unet, () => model.openWeights('unet')),
    decoder: program(placement, 'decoder', vae, () => model.openWeights('vae')),
  };
}

function program(
  { engine, lowMemory = false }: NetworkPlacement,
  name: string,
  { layout }: Pick<NetworkOptions, 'layout'>,
  read: NetworkOptions['read'],
): HostNetwork {
  return new NetworkProgram(engine, { name, layout, read, ...(lowMemory ? { asInputs: true } : {}) });
}

/** Names of inputs and outputs are those of Optimum's exports. */
function onnxNetworks(
  files: NonNullable<TextModel['onnx']>,
  { device = 'cpu', threads = 0 }: NetworkPlacement,
): TextNetworks {
  const network = (path: string, inputs: Readonly<Record<string, string>>, output: string) =>
    new OnnxNetwork({ path, device, threads, inputs, output });
  const unetInputs = { sample: 'sample', timestep: 'timestep', context: 'encoder_hidden_states' };
  return {
    textEncoder: network(files.text_encoder, { ids: 'input_ids' }, 'last_hidden_state'),
    unet: network(files.unet, unetInputs, 'out_sample'),
    decoder: network(files.vae_decoder, { latents: 'latent_sample' }, 'sample'),
  };
}
