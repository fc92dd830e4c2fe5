/** What `dmd sample` is asked for, by any kind of model. */
import type { Seed } from '../../protocol/seed.ts';
import type { SamplerName } from '../../sampling/seeded-images.ts';

export interface SampleOptions {
  readonly seeds: readonly Seed[];
  /** Nobody asked for these seeds: a text-to-image model, which takes long, draws only the first. */
  readonly defaultSeeds?: boolean;
  readonly class?: readonly number[];
  readonly steps?: number;
  readonly sampler: SamplerName;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly prompt?: string;
  readonly negative?: string;
  readonly guidance?: number;
  readonly scheduler?: string;
  /** DDIM's share of added noise. */
  readonly eta?: number;
  /** Layers of the text encoder left out at the end. */
  readonly clipSkip?: number;
  /** Which of several sets of weights in a model folder. */
  readonly variant?: string;
  /** Folder of an autoencoder that makes a text-to-image model's pixels. */
  readonly decoder?: string;
  /** Height and width in pixels. */
  readonly size?: readonly [number, number];
  /** Which of several sets of weights in a model file. */
  readonly key?: string;
  readonly lowMemory?: boolean;
  readonly batch: number;
  readonly out: string;
  readonly columns?: number;
  readonly device: string;
  readonly threads: number;
}
