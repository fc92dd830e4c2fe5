/**
 * A network of an ONNX pipeline, as Optimum exports them: text_encoder/, unet/ and vae_decoder/ with a model.onnx each. The
 * file runs as it is; only the names of its inputs are theirs instead of ours, and where it takes a fixed number of rows
 * it is called as often as needed.
 */
import { type OnnxFile, openOnnxFile } from '../../engine/onnxruntime/run-file.ts';
import type { DeviceName } from '../../engine/open.ts';
import { isOpenVino } from '../../engine/openvino/targets.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { HostNetwork } from './network-program.ts';
import { inCalls } from './onnx-rows.ts';

export interface OnnxNetworkOptions {
  readonly path: string;
  readonly device: DeviceName;
  readonly threads: number;
  /** Names of the file's inputs by ours. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The wanted one of its outputs. */
  readonly output: string;
}

export class OnnxNetwork implements HostNetwork {
  readonly #options: OnnxNetworkOptions;
  #file: Promise<OnnxFile> | null = null;

  constructor(options: OnnxNetworkOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    await this.#open();
  }

  async run(_shape: string, _build: unknown, feeds: Readonly<Record<string, TensorData>>): Promise<Float32Array> {
    const file = await this.#open();
    const rows = Object.values(feeds)[0]!.shape[0]!;
    const fixed = this.#rowsPerCall(file, feeds);
    return fixed === null || fixed === rows
      ? this.#call(file, feeds)
      : inCalls(feeds, fixed, (part) => this.#call(file, part));
  }

  /** Null where the file leaves it open. Throws UserError('usage') for a picture of another size than the file's. */
  #rowsPerCall(file: OnnxFile, feeds: Readonly<Record<string, TensorData>>): number | null {
    const { path, inputs: names } = this.#options;
    let rows: number | null = null;
    for (const [ours, { shape }] of Object.entries(feeds)) {
      const declared = file.inputs.get(names[ours]!) ?? [];
      if (ours === 'timestep') continue;
      if (declared[0]! > 0) rows = declared[0]!;
      const differs = declared.some((length, axis) => axis > 0 && length > 0 && length !== shape[axis]);
      if (!differs) continue;
      const message = `${path} takes '${names[ours]}' as [${declared.join(', ')}] only, not as [${shape.join(', ')}]`;
      throw new UserError('usage', message, 'Pictures have the size that the file was exported for: leave --size out.');
    }
    return rows;
  }

  async #call(file: OnnxFile, feeds: Readonly<Record<string, TensorData>>): Promise<Float32Array> {
    const { path, output, inputs: names } = this.#options;
    const renamed: Record<string, TensorData> = {};
    for (const [ours, feed] of Object.entries(feeds)) {
      const theirs = names[ours]!;
      renamed[theirs] = { data: feed.data, shape: feed.shape };
      // A timestep for each image, or one for all: exporters differ.
      const declared = file.inputs.get(theirs);
      if (ours === 'timestep' && declared && (declared.length === 0 || declared[0] === 1)) {
        renamed[theirs] = { data: feed.data.slice(0, 1), shape: declared.length === 0 ? [] : [1] };
      }
    }
    const results = await file.run(renamed).catch((cause: Error) => {
      throw new UserError('weights', `${path} cannot be run: ${cause.message}`, hint, { cause });
    });
    const result = results.get(output);
    if (!result) throw new UserError('weights', `${path} has no output '${output}'`, hint);
    return result.data;
  }

  async dispose(): Promise<void> {
    const file = await this.#file?.catch(() => null);
    this.#file = null;
    await file?.close();
  }

  #open(): Promise<OnnxFile> {
    this.#file ??= this.#load();
    this.#file.catch(() => {
      this.#file = null;
    });
    return this.#file;
  }

  async #load(): Promise<OnnxFile> {
    const { path, device, threads, inputs } = this.#options;
    if (device === 'tensorflow' || isOpenVino(device)) {
      throw new UserError('device', `The device ${device} runs no ONNX files.`, 'Choose another device, e.g. cpu.');
    }
    const file = await openOnnxFile(path, device, threads).catch((cause: Error) => {
      throw new UserError('weights', `${path} cannot be run: ${cause.message}`, hint, { cause });
    });
    const missing = Object.values(inputs).find((name) => !file.inputs.has(name));
    if (missing === undefined) return file;
    await file.close();
    const has = [...file.inputs.keys()].join(', ');
    throw new UserError('weights', `${path} has no input '${missing}', but ${has}`, hint);
  }
}

const hint = 'Export the model again, in float32: dmd export, or Optimum.';
