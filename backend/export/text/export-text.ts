/**
 * A text-to-image model as a folder of ONNX files in Optimum's layout, which this program and others run without the model
 * it was made from. It is there whole or not at all, and only once its pictures were found to be the model's.
 */
import path from 'node:path';
import { needsGuidance } from '../../diffusion/vp/index.ts';
import { packageVersion } from '../../files/package.ts';
import { type StagedFolder, stageFolder } from '../../files/staged-folder.ts';
import { requireMemory } from '../../models/text/memory.ts';
import { openTextModel, type TextModel } from '../../models/text/text-model.ts';
import { UserError } from '../../protocol/errors.ts';
import { unetHash } from '../../sampling/text/text-picture.ts';
import { settle } from '../../sampling/text/text-request.ts';
import { type OnnxPart, onnxParts } from '../../weights/diffusers/index.ts';
import { type Difference, differenceOf, trialPictures } from './check.ts';
import { writeExportFiles } from './files.ts';
import { type ExportShape, exportGraph, networkOfPart } from './graphs.ts';
import { refuseOccupied, versionKey } from './target.ts';
import { signatureOf, writeNetwork } from './write-network.ts';

export interface TextExportRequest {
  /** A model folder, or ORGANISATION/NAME of one that was downloaded. */
  readonly model: string;
  /** The folder to make. */
  readonly target: string;
  /** Images per call, fixed in the files. */
  readonly batch?: number;
  /** Height and width in pixels, fixed in the files. Default: what the model was trained on. */
  readonly size?: readonly [number, number];
  /** Bytes of weights above which they are in a file beside the .onnx file, which holds at most 2 GB. */
  readonly largestFile?: number;
  readonly onStage?: (stage: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface TextExported extends Difference {
  readonly folder: string;
  readonly bytes: number;
  /** Names and shapes by part, e.g. `sample [2, 4, 64, 64], timestep [1], ... -> out_sample [2, 4, 64, 64]`. */
  readonly files: Readonly<Record<OnnxPart, string>>;
  /** Height and width of the pictures. */
  readonly size: readonly [number, number];
  readonly batch: number;
  /** What the difference may be, relative to the largest pixel. */
  readonly tolerance: number;
  /** Whether the files compute the same pixels; where they do not, nothing was written. */
  readonly ok: boolean;
}

/** Of an ONNX file's 2 GB. */
const usualLargestFile = 1.5e9;
/** A quarter of one of the 255 steps of a picture: sums are in another order, and a sampler makes more of it. */
const tolerance = 2 / 255 / 4;

/**
 * @throws UserError: 'usage' for a model that is ONNX already or a size that it does not make, 'weights', 'device' where
 *   there is no memory for the model, 'io' for a target that is occupied or cannot be written, 'numeric', 'cancelled'
 */
export async function exportTextModel(request: TextExportRequest): Promise<TextExported> {
  const { target } = request;
  const model = openTextModel(request.model);
  if (model.onnx) {
    throw new UserError('usage', `${model.folder.path} is a folder of ONNX files already`, 'Copy the folder.');
  }
  const { size } = settle({ prompt: '', seeds: [0], ...(request.size ? { size: request.size } : {}) }, model);
  await refuseOccupied(target);
  requireMemory(model, true);
  const staged = stageFolder(target);
  try {
    const exported = await exportInto(staged, model, size, request);
    if (exported.ok) staged.place();
    return exported;
  } catch (error) {
    if (error instanceof UserError && error.kind === 'cancelled') throw stopped();
    // A person knows the final name, not the temporary one.
    if (error instanceof Error) error.message = error.message.replaceAll(staged.path, target);
    throw error;
  } finally {
    staged.discard();
  }
}

async function exportInto(
  staged: StagedFolder,
  model: TextModel,
  size: readonly [number, number],
  { target, batch = 1, largestFile = usualLargestFile, onStage, signal }: TextExportRequest,
): Promise<TextExported> {
  let done = 0;
  const stage = (name: string) => {
    if (signal?.aborted) throw stopped();
    onStage?.(name, done++, onnxParts.length + 2);
  };
  stage('running the model');
  const trial = { size, batch, ...(signal ? { signal } : {}) };
  const expected = await trialPictures(model, trial);
  const shape = shapeOf(model, size, batch);
  const metadata = { [versionKey]: packageVersion(), 'dmd.sha256': await unetHash(model) };
  const files: Partial<Record<OnnxPart, string>> = {};
  let bytes = 0;
  for (const part of onnxParts) {
    stage(`writing ${part}`);
    const graph = await exportGraph(model, part, shape);
    const isLarge = 4 * model[networkOfPart[part]].layout.size > largestFile;
    bytes += await writeNetwork(path.join(staged.path, part), graph, metadata, isLarge);
    files[part] = signatureOf(graph);
  }
  writeExportFiles(staged.path, model, shape.latentSize);
  stage('running the export');
  const difference = differenceOf(await trialPictures(openTextModel(staged.path), trial), expected);
  const ok = difference.largestError <= tolerance * difference.largest;
  return { folder: target, bytes, files: files as TextExported['files'], size, batch, tolerance, ok, ...difference };
}

function stopped(): UserError {
  return new UserError('cancelled', 'The export was stopped; nothing was written.');
}

function shapeOf({ calling, vae }: TextModel, [height, width]: readonly [number, number], batch: number): ExportShape {
  const isGuided = calling.oneStep === null && needsGuidance(calling.guidance);
  return {
    batch,
    rows: isGuided ? 2 * batch : batch,
    latentSize: [height / vae.downFactor, width / vae.downFactor],
  };
}
