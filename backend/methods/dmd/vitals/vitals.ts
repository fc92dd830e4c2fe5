/**
 * Records the numbers that health rules read: of the batch in hand every few iterations, and every `every` iterations a check-up,
 * with every fourth of these the noise of the gradient. Compiled when first due. Never disturbs training.
 */
import type { Engine } from '../../../engine/engine.ts';
import { batchTags, stateTags } from '../../../health/tags.ts';
import type { ConditionSource } from '../../../models/conditions.ts';
import type { Records } from '../../../training/session.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { type DmdShape, matchedOf } from '../graphs.ts';
import type { MatchingProcedure } from '../procedure.ts';
import { batchVitals } from './batch.ts';
import { CheckUp } from './check-up.ts';
import { GradientNoise } from './gradient-noise.ts';
import type { TeacherSamples } from './teacher-samples.ts';

export interface VitalsOptions {
  readonly seed: number;
  /** Iterations between two check-ups, at least 1. */
  readonly every: number;
  readonly accumulation: number;
  readonly conditions: ConditionSource;
  /** The teacher's own samples, at noise of their own; asked for once. */
  readonly teacherSamples: () => Promise<TeacherSamples>;
}

/** Check-ups between two readings of the gradient's noise, which takes two gradients. */
const checkUpsPerNoise = 4;
/** Batches that are looked at between two check-ups. */
const batchesPerCheckUp = 5;

export class Vitals {
  readonly #engine: Engine;
  readonly #shape: DmdShape;
  readonly #procedure: MatchingProcedure;
  readonly #trainer: Trainer;
  readonly #options: VitalsOptions;
  #checkUp: Promise<CheckUp> | undefined;
  #noise: Promise<GradientNoise> | undefined;

  constructor(engine: Engine, shape: DmdShape, procedure: MatchingProcedure, trainer: Trainer, options: VitalsOptions) {
    this.#engine = engine;
    this.#shape = shape;
    this.#procedure = procedure;
    this.#trainer = trainer;
    this.#options = options;
  }

  /** What is due after `step`, between two iterations. Throws UserError. */
  async record(recorder: Pick<Records, 'add'>, step: number): Promise<void> {
    const { every } = this.#options;
    const scalars: Record<string, number> = {};
    if (step > 0 && step % Math.max(1, Math.floor(every / batchesPerCheckUp)) === 0) {
      Object.assign(scalars, await this.#batch());
    }
    if (step > 0 && step % every === 0) Object.assign(scalars, await this.#samples());
    if (step > 0 && step % (every * checkUpsPerNoise) === 0) Object.assign(scalars, await this.#gradient(step));
    const finite = Object.entries(scalars).filter(([, value]) => Number.isFinite(value));
    if (finite.length > 0) recorder.add(step, { scalars: Object.fromEntries(finite) });
  }

  /** The matched samples of the batch in hand; with pairs that match too, of all. */
  async #batch(): Promise<Record<string, number>> {
    const tensors = await this.#trainer.fields();
    const [x, muReal, grad] = ['x', 'muReal', 'grad'].map((name) => tensors.get(name));
    const { roles } = this.#shape.teacher.levels;
    const sigma = tensors.get(roles.sigma);
    if (!x || !muReal || !grad || !sigma) return {};
    const muFake = tensors.get('muFake') ?? x;
    const alpha = roles.alpha === null ? null : (tensors.get(roles.alpha) ?? null);
    const vitals = batchVitals({ x, muReal, muFake, grad, sigma, alpha });
    // A share of a few levels means something only where they were drawn for each sample.
    if (matchedOf(this.#shape) < 2) delete vitals[batchTags.levels];
    return vitals;
  }

  async #samples(): Promise<Record<string, number>> {
    this.#checkUp ??= this.#openCheckUp();
    const { generator, fake, teacher } = this.#procedure;
    const parameters = { generator: generator.parameters, fake: fake?.parameters ?? [], teacher };
    const vitals = await (await this.#checkUp).read(parameters);
    const { updatesGenerator, updatesFake } = stateTags;
    const updates: Record<string, number> = this.#procedure.beginsAnew ? {} : { [updatesGenerator]: generator.updates };
    return { ...vitals, ...updates, ...(fake ? { [updatesFake]: fake.updates } : {}) };
  }

  async #openCheckUp(): Promise<CheckUp> {
    const { seed, conditions, teacherSamples } = this.#options;
    const teacher = await teacherSamples();
    const count = samplesFor(this.#shape.student.shape);
    return CheckUp.create(this.#engine, this.#shape, conditions, { seed, count, teacher });
  }

  async #gradient(step: number): Promise<Record<string, number>> {
    const { layout } = this.#shape.generator;
    this.#noise ??= GradientNoise.create(this.#engine, layout, this.#options.accumulation);
    const noise = await this.#noise;
    const first = await this.#procedure.otherGradient(this.#engine, step, 0);
    const second = await this.#procedure.otherGradient(this.#engine, step, 1);
    return noise.read(first, second, this.#procedure.lossScales?.get('generator')?.used);
  }

  async dispose(): Promise<void> {
    for (const opened of [this.#checkUp, this.#noise]) await (await opened?.catch(() => undefined))?.dispose();
  }
}

/** Points are cheap and need many to be described; pictures are dear. */
export const samplesFor = (sample: readonly number[]) => (sample.reduce((size, n) => size * n, 1) <= 64 ? 64 : 16);
