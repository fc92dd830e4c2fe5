/** What a distillation is told: its networks, data and draws, and the settings of each step. */
import type { TensorData } from '../../graph/tensor-data.ts';
import type { Draws, LabelChoice, Levels } from '../../training/draws.ts';
import type { KeepsGradients } from '../../training/kept-gradients.ts';
import type { UpdateSettings } from '../../training/optimizer-state.ts';
import type { DistillShape } from './distill-programs.ts';

/** What may change from step to step. */
export interface StepSettings {
  readonly generator: UpdateSettings;
  readonly fake: UpdateSettings;
  /** Weight of the regression loss. */
  readonly lambda: number;
  /** Distribution matching draws level indices in firstLevel..lastLevel, inclusive. */
  readonly firstLevel: number;
  readonly lastLevel: number;
}

export interface ReferencePairs {
  /** `count` noise-image pairs, a pure function of (step, micro-batch). */
  batch(
    step: number,
    micro: number,
    count: number,
  ): Promise<{ z: TensorData; y: TensorData; labels: TensorData | null }>;
}

export interface DistillOptions extends DistillShape {
  readonly seed: number;
  /** Noise levels in ascending order; the fake score draws from all of them. */
  readonly levels: Levels;
  /** Micro-batches per update. */
  readonly accumulation: number;
  /** Fake-score updates per generator update; those past the first train on newly generated images. */
  readonly fakeUpdates: number;
  /** Classes of generated images; uniform unless said otherwise. */
  readonly labels?: LabelChoice;
  readonly pairs: ReferencePairs | null;
  readonly teacherParameters: ReadonlyMap<string, TensorData>;
  /** Recorded draws in place of the seed's own streams. */
  readonly draws?: Draws;
  /** Steps whose parameter gradients are kept until the next one; none unless given. */
  readonly keepsGradients?: KeepsGradients;
  settings(step: number): StepSettings;
}

/** Where both networks' training starts: usually the teacher's weights. */
export interface StartingWeights {
  readonly generator: ReadonlyMap<string, TensorData>;
  readonly fake: ReadonlyMap<string, TensorData>;
}
