/** The pictures of the generation that is looked at: the page's policy lets nothing be fetched, so they come as messages. */
import * as panel from '../../backend/protocol/panels/generate.ts';
import type { Host } from '../shared/host.ts';

export class EntryPictures {
  readonly #host: Host;
  /** PNG files, by side. */
  #blobs: Blob[][] = [];
  #urls: string[][] = [];
  /** Counts questions: only the newest one's answer counts. */
  #asked = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get urls(): readonly (readonly string[])[] {
    return this.#urls;
  }

  blob(side: number, image: number): Blob | undefined {
    return this.#blobs[side]?.[image];
  }

  /** False when others were asked for meanwhile. @param id null: none */
  async load(id: string | null): Promise<boolean> {
    const question = ++this.#asked;
    const sides = id === null ? [] : (await this.#host.request(panel.readImages, { entry: id })).sides;
    if (question !== this.#asked) return false;
    for (const url of this.#urls.flat()) URL.revokeObjectURL(url);
    this.#blobs = sides.map((side) => side.map(pngBlob));
    this.#urls = this.#blobs.map((side) => side.map((blob) => URL.createObjectURL(blob)));
    return true;
  }
}

function pngBlob(png: Uint8Array): Blob {
  return new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' });
}
