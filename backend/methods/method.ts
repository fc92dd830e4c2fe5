/** What a method of distillation is to the rest of the program; each is a folder beside this file. */
import type { Engine } from '../engine/engine.ts';
import type { TensorData } from '../graph/tensor-data.ts';
import type { InputWork } from '../models/input-file.ts';
import type { loadTeacher } from '../models/teacher.ts';
import type { DistillConfig, MethodSection } from '../protocol/config/index.ts';
import type { Inspection, InspectionQuery } from '../protocol/inspection.ts';
import type { PlaneQuestion, PlaneReading } from '../protocol/plane.ts';
import type { Inspectable } from '../protocol/rpc/inspect.ts';
import type { InspectionHow, SessionPlan } from '../training/session.ts';
import type { StoredArrays } from '../weights/array-source.ts';
import type { DryRun, Limits } from './common/dry-run.ts';
import type { Finding } from './common/finding.ts';

export interface Method {
  /** As `method` names it in a config. */
  readonly name: string;
  /** The keys of its own. */
  readonly section: MethodSection;
  /** Loads and checks everything the config names, `work` where that takes a while. Throws UserError; nothing is written. */
  plan(config: DistillConfig, work?: InputWork): Promise<SessionPlan>;
  /**
   * What is wrong with the files that a config names, without keeping them; [] when all is well.
   * @param openTeacher opens a teacher of images
   */
  findings(config: DistillConfig, openTeacher: typeof loadTeacher): Promise<Finding[]>;
  /** A few iterations on random weights. */
  dryRun(engine: Engine, config: DistillConfig, limits: Limits): Promise<DryRun>;
  /** What scores there are to inspect; left out by a method without. Throws UserError; nothing is written. */
  inspection?(config: DistillConfig, engine: Engine, work?: InputWork): Promise<InspectionSubject>;
  /**
   * Writes the generator of a saved state as the model that a run ends with; left out by a method that cannot. @returns the path.
   * Throws UserError: 'usage' for an average that is not kept, 'data', 'io'
   */
  writeSaved?(config: DistillConfig, state: SavedState, to: SavedTarget): Promise<string>;
  /** Its algorithm with the config's values, line by line, each with the stage it stands for. */
  listing(config: DistillConfig): readonly ListingLine[];
}

/** Of a checkpoint. */
export interface SavedState {
  readonly files: ReadonlyMap<string, StoredArrays>;
  readonly step: number;
  /** Decay of the average that is wanted; the first that is kept unless given. */
  readonly average?: number;
}

export interface SavedTarget {
  readonly folder: string;
  /** Of the file, without ending, or of the folder of a text-to-image model. */
  readonly name: string;
  /** float16 instead of float32. */
  readonly half: boolean;
}

/** A state whose networks are on the device. */
export interface SubjectState {
  dispose(): void;
}

/** What a config names, opened to be looked at with the states that its run saved. */
export interface InspectionSubject {
  readonly description: Pick<
    Inspectable,
    'shape' | 'latent' | 'levels' | 'range' | 'prompts' | 'samples' | 'probe' | 'probeLevels' | 'weight' | 'guidance'
  > & {
    /** How many; null for a network of prompts. */
    readonly classes: number | null;
  };
  /** @param files of a checkpoint. Throws UserError('data') where something is missing, and says what */
  restore(files: ReadonlyMap<string, StoredArrays>): Promise<SubjectState>;
  /** Throws UserError: 'usage', 'cancelled'. */
  inspect(
    state: SubjectState,
    query: InspectionQuery,
    how: InspectionHow & { readonly step: number },
  ): Promise<Inspection>;
  /** Where samples are points of the plane: what a run answers to the same question. The receiver owns its numbers. */
  readonly plane?: (state: SubjectState, question: PlaneQuestion, step: number) => Promise<PlaneReading>;
  /**
   * The pictures [N, 3, H, W] of latents [N, C, h, w].
   * @throws UserError('usage') where samples are no latents, or these are of another shape; 'cancelled'
   */
  decode(latents: TensorData, signal?: AbortSignal): Promise<TensorData>;
  dispose(): Promise<void>;
}

export interface ListingLine {
  readonly text: string;
  /** Null for a line that does nothing by itself. */
  readonly stage: string | null;
}
