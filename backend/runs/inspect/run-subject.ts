/**
 * A run folder to be inspected: its config's networks with the states of its checkpoints. Nothing in the folder is written or
 * locked, so that a run that works there goes on; a checkpoint that it prunes meanwhile is missed in words.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { listDevices, openEngine } from '../../engine/devices.ts';
import type { Engine } from '../../engine/engine.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { methodOf } from '../../methods/index.ts';
import type { InspectionSubject, SubjectState } from '../../methods/method.ts';
import type { InputWork } from '../../models/input-file.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Inspection, InspectionQuery } from '../../protocol/inspection.ts';
import type { PlaneQuestion, PlaneReading } from '../../protocol/plane.ts';
import type { Inspectable } from '../../protocol/rpc/inspect.ts';
import type { InspectionHow } from '../../training/session.ts';
import { listCheckpoints, loadStep } from '../checkpoints/checkpoints.ts';
import { classNames, lineageOf, runOutputs } from '../folder/lineage.ts';
import { type RunPaths, readConfig, readRun, runPaths } from '../folder/run-folder.ts';

/** Two states side by side. */
const keptStates = 2;

export class RunSubject {
  readonly #paths: RunPaths;
  readonly #engine: Engine;
  readonly #subject: InspectionSubject;
  readonly #classes: readonly string[];
  /** By step and the checkpoint's path, the last used last. */
  readonly #states = new Map<string, SubjectState>();

  private constructor(paths: RunPaths, engine: Engine, subject: InspectionSubject, classes: readonly string[]) {
    this.#paths = paths;
    this.#engine = engine;
    this.#subject = subject;
    this.#classes = classes;
  }

  /** Throws UserError: 'usage' for a run without scores, 'data' for a folder that is none, and what opening its files throws. */
  static async open(folder: string, work: InputWork = {}): Promise<RunSubject> {
    const paths = runPaths(path.resolve(folder));
    const config = readConfig(paths);
    if (config.kind !== 'distill') {
      const hint = 'Inspect a distillation: it has a real and a fake score.';
      throw new UserError('usage', `${paths.folder} is a ${config.kind} run, which has no scores`, hint);
    }
    const method = methodOf(config);
    if (!method.inspection) {
      throw new UserError('usage', `${method.name} has no scores to inspect`, 'Inspect a run of another method.');
    }
    // As the run has it: its numbers come again.
    const { info } = readRun(folder);
    const threads = config.threads || info?.threads || availableParallelism();
    const { engine } = await openEngine({ device: await deviceOf(info?.device || config.device), threads });
    try {
      const subject = await method.inspection(config, engine, work);
      const { classes } = subject.description;
      const lineage = classes ? await lineageOf(path.join(paths.folder, 'generator.safetensors'), {}) : null;
      return new RunSubject(paths, engine, subject, lineage ? classNames(classes!, lineage) : []);
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  }

  describe(): Omit<Inspectable, 'live'> {
    const checkpoints = [...new Set(listCheckpoints(this.#paths.checkpoints).map(({ step }) => step))];
    const { classes: _, ...description } = this.#subject.description;
    return {
      ...description,
      name: path.basename(this.#paths.folder),
      checkpoints,
      missing: checkpoints.length > 0 ? '' : this.#whatIsMissing(),
      classes: [...this.#classes],
    };
  }

  /** Throws UserError: 'data' for a checkpoint that is gone or damaged, 'usage', 'cancelled'. */
  async inspect(step: number, query: InspectionQuery, how: InspectionHow): Promise<Inspection> {
    return this.#subject.inspect(await this.#state(step), query, { ...how, step });
  }

  /** Of the newest checkpoint. Throws UserError: 'usage' for a run of pictures, 'data' where there is no checkpoint. */
  async plane(question: PlaneQuestion): Promise<PlaneReading> {
    const { plane } = this.#subject;
    if (!plane) {
      throw new UserError('usage', 'the samples of this run are no points of the plane', 'Open it in the monitor.');
    }
    const [newest] = listCheckpoints(this.#paths.checkpoints);
    const step = newest?.step ?? 0;
    return plane(await this.#state(step), question, step);
  }

  /** Pictures [N, 3, H, W] of latents [N, C, h, w]. Throws UserError: 'usage', 'cancelled'. */
  decode(latents: TensorData, signal?: AbortSignal): Promise<TensorData> {
    return this.#subject.decode(latents, signal);
  }

  async dispose(): Promise<void> {
    for (const state of this.#states.values()) state.dispose();
    await this.#subject.dispose();
    await this.#engine.dispose();
  }

  async #state(step: number): Promise<SubjectState> {
    const entry = listCheckpoints(this.#paths.checkpoints).find((one) => one.step === step);
    // Saved again after a resume it is another state under the same step.
    const key = entry?.path ?? '';
    const kept = this.#states.get(key);
    if (entry && kept) {
      this.#states.delete(key);
      this.#states.set(key, kept);
      return kept;
    }
    const { checkpoint, warnings } = await loadStep(this.#paths.checkpoints, step);
    if (!checkpoint) throw this.#gone(step, warnings);
    const state = await this.#subject.restore(checkpoint.files);
    this.#states.set(checkpoint.path, state);
    for (const [oldest, of] of this.#states) {
      if (this.#states.size <= keptStates) break;
      of.dispose();
      this.#states.delete(oldest);
    }
    return state;
  }

  #gone(step: number, damage: readonly string[]): UserError {
    const [first] = damage;
    if (first) return new UserError('data', first, 'Choose another checkpoint.');
    const rest = listCheckpoints(this.#paths.checkpoints).map((one) => one.step);
    const hint =
      rest.length > 0
        ? `It may have made room for a newer one. There are: ${[...new Set(rest)].join(', ')}.`
        : this.#whatIsMissing();
    return new UserError('data', `${this.#paths.folder} has no checkpoint of step ${step}`, hint);
  }

  #whatIsMissing(): string {
    const weights = runOutputs.find((name) => existsSync(path.join(this.#paths.folder, name)));
    if (weights) {
      return `${weights} is the generator alone: the fake score is only in checkpoints, and this run has none. Run it again with checkpoint.every, or inspect it while it runs.`;
    }
    return 'The run has no checkpoint yet. They come with checkpoint.every, with Checkpoint in the monitor, and when it stops.';
  }
}

/** The run's own device, unless it is not here. */
async function deviceOf(device: string): Promise<string> {
  if (device === 'auto' || device === 'cpu') return 'cpu';
  return (await listDevices()).some((one) => one.device === device && one.available) ? device : 'auto';
}
