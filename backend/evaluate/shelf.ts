/** Which reference a model is compared with, each made once for all models of an evaluation. */

import { UserError } from '../protocol/errors.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import type { Contestant } from './contestant.ts';
import type { FeatureSpace } from './feature-space.ts';
import {
  captionedReference,
  imageReference,
  type Reference,
  readBy,
  scenesReference,
  statisticsReference,
} from './reference.ts';

export interface ShelfOptions {
  readonly space: FeatureSpace;
  /** Whether `space` is InceptionV3's, which published statistics are of. */
  readonly isInception: boolean;
  /** Whether this project's own data are compared in it, where no other are given. */
  readonly hasOwnData: boolean;
  /** A folder, a zip or a .npz; null for this project's own data. */
  readonly path: string | null;
  /** Pictures per side. */
  readonly count: number;
  /** Prompts that a person gave. */
  readonly captions: readonly string[] | null;
  /** How a person gives `path`. Default --reference. */
  readonly option?: string;
  /** That share the work. Left out, this process alone. */
  readonly ranks?: Ranks;
}

export class ReferenceShelf {
  readonly #options: ShelfOptions;
  readonly #made = new Map<string, Promise<Reference>>();

  constructor(options: ShelfOptions) {
    const { path, isInception } = options;
    if (path?.endsWith('.npz') && !isInception) {
      const message = `${path} holds statistics of InceptionV3's features, which need that network to compare with.`;
      throw new UserError('usage', message, "Give pytorch-fid's weights file with --inception.");
    }
    this.#options = options;
  }

  /**
   * Null for a model that is measured with a person's own prompts and nothing to compare with. Throws UserError('usage')
   * for a model of other pictures than this project's where no reference is given.
   */
  async referenceFor({
    name,
    imageShape,
    classes,
    takesPrompts,
  }: Pick<Contestant, 'name' | 'imageShape' | 'classes' | 'takesPrompts'>): Promise<Reference | null> {
    const { path, captions, space, count, hasOwnData, ranks = alone, option = '--reference' } = this.#options;
    if (path?.endsWith('.npz')) return this.#once('file', () => statisticsReference(path, space));
    if (path) return readBy(space, classes, await this.#once('file', () => imageReference(path, count, space, ranks)));
    const shape = hasOwnData ? imageShape.join() : '';
    if (takesPrompts && captions) return null;
    if (takesPrompts && shape === '3,64,64')
      return this.#once('captioned', () => captionedReference(count, space, ranks));
    if (!takesPrompts && shape === '3,32,32' && classes === 10) {
      return this.#once('scenes', () => scenesReference(count, space, ranks));
    }
    const message = `There is nothing to compare ${name} with: ${hasOwnData ? 'it does not make "scenes"' : 'no reference is given'}.`;
    throw new UserError('usage', message, `Give images of its data, or their statistics, with ${option}.`);
  }

  #once(name: string, make: () => Promise<Reference>): Promise<Reference> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }
}
