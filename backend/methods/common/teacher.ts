/** A teacher as every method of distillation sees it, whatever its family: EDM's networks of images, text-to-image models of latents. */
import type { Mixture } from '../../data/mixture.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../graph/graph.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { GaussianAutoencoder } from '../../models/autoencoder.ts';
import type { ConditionSource, OpenConditions } from '../../models/conditions.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import type { InputFile, Inputs, InputWork } from '../../models/input-file.ts';
import type { TrainedPart } from '../../models/trained-part.ts';
import type { Distance } from './distance.ts';
import type { PairMaking } from './pairs.ts';

export interface DistillTeacher {
  /** The file or folder, for people. */
  readonly path: string;
  /** Of the weights behind mu_real, hex. */
  readonly sha256: string;
  /** The files that every iteration depends on, by config key. */
  readonly inputs: Inputs;
  /** What a person should know of how they were read; mostly nothing. */
  readonly notes: readonly string[];
  readonly model: DiffusionModel;
  /** What generator and fake score are, where that is not the teacher's own network. */
  readonly student?: DiffusionModel;
  /** Of EDM's kind: the standard deviation that the student's preconditioning takes data to have. Left out by others. */
  readonly sigmaData?: number;
  /** What is trained of generator and fake score. */
  readonly generator: TrainedPart;
  readonly fake: TrainedPart;
  /** Whether paired samples feed distribution matching too. */
  readonly pairsMatch: boolean;
  /** Scale of classifier-free guidance on the real score; 1 none. */
  readonly guidance: number;
  /** Whether the run is to hold the frozen teacher as float16, where the device can. */
  readonly wantsHalf: boolean;
  /** What the generator begins with; left out where that is the teacher. */
  readonly initial?: InitialGenerator | undefined;
  readonly pairs: PairMaking;
  /** Numbers that pictures of the training are recorded with. */
  readonly metadata: Readonly<Record<string, string>>;
  readWeights(): Promise<ReadonlyMap<string, TensorData>>;
  /** @param run the run that they are for; null for one that keeps nothing. Throws UserError, 'cancelled' and 'io' among them. */
  openConditions(engine: Engine, run: ConditionsOfRun | null): Promise<OpenConditions>;
  /** Conditions of no meaning, for a dry run. */
  randomConditions(model: DiffusionModel): ConditionSource;
  /** The distance of the regression. @param weights takes the place of reading a decoder's weights */
  distance(weights?: WeightsOf): Promise<Distance>;
  /** From samples to pictures; null where samples are pictures. */
  pictures(weights?: WeightsOf): Promise<((samples: Tensor) => Tensor) | null>;
  /** What makes latents of pictures [3, ...size], where samples are latents. */
  readonly encoder?: ImageEncoder;
  /** Where samples are points of the plane: what they should become, and how they are drawn as one picture [1, 3, H, W]. */
  readonly plane?: { readonly mixture: Mixture; plot(samples: TensorData): TensorData };
  /** The same with smaller networks, largest first, where a dry run of its own size would take too much. */
  smaller(): Iterable<DistillTeacher>;
  /**
   * Writes a finished generator under a name of the run's folder, `generator` the one. @returns the path
   * @param calls how it is called, as the network is told levels
   */
  writeStudent(
    folder: string,
    name: string,
    weights: ReadonlyMap<string, TensorData>,
    step: number,
    half: boolean,
    calls: StudentCalls,
  ): Promise<string>;
}

export interface StudentCalls {
  /** Levels that a few-step generator is called at again; [] for one step. */
  readonly again: readonly number[];
  /** Whether it is then given the noise that it found, in place of new noise. */
  readonly deterministic?: boolean;
  /** The lowest level of a consistency model, where it returns what it is given; null for others. */
  readonly boundary: number | null;
}

export const callsOfStudent = ({
  calledAgain = [],
  deterministic = false,
  boundary,
}: DiffusionModel): StudentCalls => ({
  again: calledAgain.map(({ t }) => t),
  deterministic,
  boundary: boundary?.lowest ?? null,
});

/** A generator that a run begins with in the teacher's place. */
export interface InitialGenerator {
  readonly input: InputFile;
  /** By the network's parameter names, all of them. */
  readWeights(): Promise<ReadonlyMap<string, TensorData>>;
}

export interface ImageEncoder {
  readonly network: GaussianAutoencoder;
  /** Height and width. */
  readonly size: readonly [number, number];
  /** What means are multiplied by to become latents. */
  readonly scale: number;
  readWeights(): Promise<ReadonlyMap<string, TensorData>>;
  /** Its files, as inputs of the run. */
  inputs(work: InputWork): Promise<Inputs>;
}

export interface ConditionsOfRun {
  /** The run's, where what takes long may be kept for the next start. */
  readonly folder: string;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Weights for a layout, in place of those of a file. */
export type WeightsOf = (layout: DiffusionModel['layout']) => ReadonlyMap<string, TensorData>;
