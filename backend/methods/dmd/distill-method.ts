/**
 * What a family of models brings to a distillation: its compiled programs, and what an iteration feeds them besides the
 * parameters in training. The trainer's loop is the same for all families: EDM's networks of images (edm-method.ts) and
 * text-to-image networks of latents (latent/method.ts).
 */
import type { DeviceTensor, Feed } from '../../engine/engine.ts';
import type { ParameterLayout } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DrawPoint } from '../../training/draws.ts';
import type { StepSettings } from './distill-options.ts';
import type { DistillPrograms } from './distill-programs.ts';

export type Feeds = Readonly<Record<string, Feed>>;

/** Inputs of one call of the generator. */
export interface Generation {
  /** All inputs of the program but `generator` and `fake`. */
  readonly feeds: Feeds;
  /** What the generated images are of (labels, texts): the fake score's program is fed it together with them. */
  readonly conditions: Feeds;
}

export interface DistillMethod {
  readonly programs: DistillPrograms;
  /** Images of one iteration, all micro-batches together. */
  readonly imagesPerStep: number;
  /** Micro-batches per update. */
  readonly accumulation: number;
  /** Fake-score updates per generator update; those past the first train on newly generated images. */
  readonly fakeUpdates: number;
  /** What is trained of either network. */
  readonly layouts: { readonly generator: ParameterLayout; readonly fake: ParameterLayout };
  /** The frozen teacher's parameters; null where nothing needs it. */
  readonly teacher: DeviceTensor | null;
  /** Those of a generation's feeds that are recorded beside the score fields. */
  readonly recorded: readonly string[];
  settings(step: number): StepSettings;
  /** Inputs of the generator's program, draws of distribution matching and reference pairs among them. */
  generation(at: DrawPoint, settings: StepSettings): Promise<Generation>;
  /** Inputs of the program that makes fresh images for a further fake-score update. */
  fresh(at: DrawPoint): Promise<Generation>;
  /** Inputs of the fake score's program but `fake`, the images and their conditions. */
  fakeFeeds(at: DrawPoint): Feeds;
  /** The generator's weights, by the network's parameter names, from its flat parameters in training. */
  generatorWeights(flat: Float32Array): Map<string, TensorData>;
  /** Frees what it put on the device. The programs are freed by the trainer. */
  dispose(): void;
}
