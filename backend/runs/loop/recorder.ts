/** Where a run's numbers, pictures and fields go: its event files, samples/ and fields/. */
import fs from 'node:fs';
import path from 'node:path';
import { encodePng, imageGrid } from '../../data/png.ts';
import { writeFileAtomic } from '../../files/atomic.ts';
import { type Disk, onDisk } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { RunMessageOf } from '../../protocol/run-messages.ts';
import type { FieldKind, Records, Summary } from '../../training/session.ts';
import { type EventWriter, openEventWriter } from '../events/writer.ts';
import { recordFields, removeFieldsAfter } from '../fields/fields.ts';
import type { RunPaths } from '../folder/run-folder.ts';

export interface RecorderOptions {
  /** Disk for the fields of each kind. */
  readonly budgetBytes: number;
  /** The first step this process computes, when it goes on with a run. */
  readonly restartAt?: number;
  /** Free text that every picture carries, e.g. the run's name and seed. */
  readonly pictureText: Readonly<Record<string, string>>;
  readonly disk: Disk;
  readonly report: (message: RunMessageOf<'recorded'>) => void;
  /** Told of every number that is recorded. */
  readonly onScalars?: (step: number, scalars: Readonly<Record<string, number>>) => void;
}

const sampleName = /^step-(\d{8,})\.png$/;

export class Recorder implements Records {
  /** Disk for the fields of each kind. */
  budgetBytes: number;
  readonly #paths: RunPaths;
  readonly #options: RecorderOptions;
  #events: EventWriter;

  constructor(paths: RunPaths, options: RecorderOptions) {
    this.#paths = paths;
    this.#options = options;
    this.budgetBytes = options.budgetBytes;
    const { restartAt, disk } = options;
    if (restartAt !== undefined) forgetFrom(paths, restartAt);
    this.#events = openEventWriter(paths.events, restartAt === undefined ? { disk } : { restartAt, disk });
  }

  /** The run goes back: what was recorded from this step on is forgotten. */
  restart(step: number): void {
    const { disk } = this.#options;
    this.#events.close();
    forgetFrom(this.#paths, step);
    this.#events = openEventWriter(this.#paths.events, { restartAt: step, disk });
  }

  add(step: number, summary: Summary): void {
    this.#events.add(step, summary);
    if (summary.scalars) this.#options.onScalars?.(step, summary.scalars);
  }

  /** Images [N, C, H, W] as one grid: an image event, and samples/step-<step>.png with where it comes from. */
  samples(step: number, images: TensorData): void {
    const grid = imageGrid(images, Math.ceil(Math.sqrt(images.shape[0])));
    const png = encodePng(grid, { ...this.#options.pictureText, Step: String(step) });
    this.#events.add(step, { images: { samples: png } });
    const name = `step-${String(step).padStart(8, '0')}.png`;
    writeFileAtomic(path.join(this.#paths.samples, name), png, this.#options.disk);
    this.#options.report({ type: 'recorded', kind: 'samples', step, dropped: [] });
  }

  /** Throws UserError('io'). */
  fields(step: number, kind: FieldKind, tensors: ReadonlyMap<string, TensorData>, metadata: Record<string, string>) {
    const { disk, report } = this.#options;
    const result = recordFields(this.#paths.fields, kind, step, tensors, {
      metadata,
      disk,
      // What a stopped run had in hand is never given up for the budget.
      ...(kind === 'stop' ? {} : { budgetBytes: this.budgetBytes }),
    });
    report({ type: 'recorded', kind, step, dropped: [...result.dropped] });
    return result;
  }

  sync(): void {
    this.#events.sync();
  }

  close(): void {
    this.#events.close();
  }
}

/** A run that goes back to an earlier step forgets the pictures and fields it will make again. */
function forgetFrom(paths: RunPaths, step: number): void {
  removeFieldsAfter(paths.fields, step - 1);
  for (const name of listFolder(paths.samples)) {
    const [, digits] = sampleName.exec(name) ?? [];
    if (!digits || Number(digits) < step) continue;
    const file = path.join(paths.samples, name);
    onDisk('delete', file, () => fs.rmSync(file, { force: true }));
  }
}
