/**
 * Models with their weights on a device, kept ready for the next request: the few that were used last, one for each
 * (file, device, images per call).
 */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type DeviceName, openDevice } from '../../engine/open.ts';
import { type ModelRole, modelPath, openModel } from '../../models/model-file.ts';
import type { Network } from '../../nets/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { classNames, lineageOf } from '../../runs/folder/lineage.ts';
import { openOnnxModel } from '../../sampling/onnx-model.ts';
import { SeededSource } from '../../sampling/seeded-images.ts';
import { Recent } from '../recent.ts';

export interface ReadySource {
  readonly source: SeededSource;
  readonly network: Network;
  readonly role: ModelRole;
  readonly generatorSigma: number;
  readonly again: readonly number[];
  readonly deterministic: boolean;
  readonly sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names by id, the id where a class has none. */
  readonly classes: readonly string[];
  /** Name of the run's folder. */
  readonly run: string | null;
  dispose(): Promise<void>;
}

const kept = 3;
/** Pixels of a call: so many that the device is busy, so few that cancelling does not take long. */
const pixelsPerCall = 16 * 32 * 32;

export class ReadySources {
  readonly #sources = new Recent<ReadySource>(kept);

  /** @param onOpen called when it is not ready and has to be opened */
  async get(model: string, device: DeviceName, images: number, onOpen: () => void): Promise<ReadySource> {
    const path = modelPath(model);
    // A file that cannot be looked at is told about by whoever reads it.
    const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
    return this.#sources.get([resolve(path), mtimeMs, size, device, images].join('|'), () => {
      onOpen();
      return open(model, path, device, images);
    });
  }

  release(): Promise<void> {
    return this.#sources.release();
  }
}

async function open(model: string, path: string, device: DeviceName, images: number): Promise<ReadySource> {
  const opened = path.endsWith('.onnx') ? await openFile(path, device) : await openWeights(model, device, images);
  try {
    refuseUndrawable(opened.network, path);
    const lineage = await lineageOf(model, opened.metadata);
    await warmUp(opened);
    const classes = classNames(opened.network.labelDim, lineage);
    return { ...opened, classes, run: lineage.run && basename(lineage.run) };
  } catch (error) {
    await opened.dispose();
    throw error;
  }
}

type Opened = Omit<ReadySource, 'classes' | 'run'>;

async function openWeights(model: string, device: DeviceName, images: number): Promise<Opened> {
  const { network, weights, path: _, ...rest } = await openModel(model);
  const batch = batchOf(network, images);
  const engine = await openDevice(device, threadsFor(network, batch));
  try {
    const source = await SeededSource.create(engine, network, weights, batch, true);
    return { ...rest, network, source, dispose: () => engine.dispose() };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

async function openFile(path: string, device: DeviceName): Promise<Opened> {
  const { program, batch, network, ...rest } = await openOnnxModel(path, device);
  return { ...rest, network, source: new SeededSource(program, network, batch), dispose: () => program.dispose() };
}

function batchOf({ imageShape: [, height, width] }: Network, images: number): number {
  return Math.max(1, Math.min(images, 16, Math.floor(pixelsPerCall / (height * width))));
}

/**
 * A small call gains nothing from further CPU threads, and on a busy machine it waits for the slowest of them (measured:
 * half the time with one). 0: one per core.
 */
function threadsFor({ layout, imageShape: [, height, width] }: Network, batch: number): number {
  return layout.size * height * width * batch < 2e9 ? 1 : 0;
}

/** The first call takes longer (memory, on a GPU also shaders): that is no part of what a picture takes. */
async function warmUp({ source, generatorSigma }: Opened): Promise<void> {
  const settings = { seeds: [0], classes: null, steps: 1, sampler: 'edm', samplerOptions: {} } as const;
  await source.draw({ ...settings, sigma: generatorSigma });
}

function refuseUndrawable({ imageShape }: Network, path: string): void {
  if (imageShape[0] === 1 || imageShape[0] === 3) return;
  const message = `${path} makes images of ${imageShape[0]} channels, which are no pictures`;
  throw new UserError('weights', message, 'Export it as ONNX, which any program can run.');
}
