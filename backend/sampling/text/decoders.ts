/** What makes images of latents: a model's own decoder, and one that stands beside it, each compiled when first needed. */
import { statSync } from 'node:fs';
import type { HostNetwork } from '../../models/text/network-program.ts';
import { type NetworkPlacement, placeDecoder } from '../../models/text/networks.ts';
import { openOwnDecoder } from '../../models/text/own-decoder.ts';
import type { TextModel } from '../../models/text/text-model.ts';
import type { Autoencoder } from '../../nets/stable-diffusion/index.ts';
import { weightFilesOf } from '../../weights/diffusers/index.ts';
import { filesHash } from './text-picture.ts';
import type { DecoderOrigin } from './text-request.ts';

export interface PlacedDecoder {
  readonly vae: Autoencoder;
  readonly network: HostNetwork;
  /** Null for the model's own. */
  origin(): Promise<DecoderOrigin | null>;
}

export class Decoders {
  readonly #model: TextModel;
  readonly #placement: NetworkPlacement;
  readonly #own: PlacedDecoder;
  /** The one that was asked for last; its files, as they were, are part of the key. */
  #beside: { readonly key: string; readonly placed: PlacedDecoder } | null = null;

  constructor(model: TextModel, own: HostNetwork, placement: NetworkPlacement) {
    this.#model = model;
    this.#placement = placement;
    this.#own = { vae: model.vae, network: own, origin: async () => null };
  }

  /**
   * @param name a folder, or ORGANISATION/NAME of one that was downloaded; undefined: the model's own
   * @throws UserError as `openOwnDecoder`
   */
  async of(name: string | undefined): Promise<PlacedDecoder> {
    if (name === undefined) return this.#own;
    const decoder = openOwnDecoder(name, this.#model);
    const { files } = weightFilesOf(decoder.component);
    const versions = files.map((file) => statSync(file)).map(({ mtimeMs, size }) => `${mtimeMs} ${size}`);
    const key = [decoder.folder, ...versions, JSON.stringify(decoder.vae.config)].join('|');
    if (this.#beside?.key === key) return this.#beside.placed;
    await this.#beside?.placed.network.dispose();
    let sha256: Promise<string> | null = null;
    const origin = async () => {
      sha256 ??= filesHash(files);
      return { folder: decoder.folder, sha256: await sha256 };
    };
    const placed = { vae: decoder.vae, network: placeDecoder(decoder, this.#placement), origin };
    this.#beside = { key, placed };
    return placed;
  }

  async dispose(): Promise<void> {
    await this.#own.network.dispose();
    await this.#beside?.placed.network.dispose();
    this.#beside = null;
  }
}
