/**
 * The tensors that a run holds between two stages, by name: `training/...` are the latest iteration's, or what there is so far of
 * the one under way; `probe/...` are made of the state as it is, once for each state that somebody asks about, and never disturb
 * the training.
 */
import { isDeviceTensor } from '../../engine/engine.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { UserError } from '../../protocol/errors.ts';
import type { FieldTensor } from '../../protocol/rpc/runs.ts';
import { mostNumbers } from '../../protocol/run-requests.ts';
import type { TrainingSession } from '../../training/session.ts';

interface Held {
  /** Of the iteration, or the iterations done when the probe was made. */
  readonly step: number;
  readonly shape: readonly number[];
  /** To be read only. */
  read(): Promise<Float32Array> | Float32Array;
}

export interface TensorPart {
  readonly name: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export class HeldTensors {
  readonly #session: TrainingSession;
  #probe: { readonly step: number; readonly tensors: ReadonlyMap<string, Held> } | undefined;

  constructor(session: TrainingSession) {
    this.#session = session;
  }

  /** The first time it makes a probe, to know its shapes. */
  async list(): Promise<{ name: string; shape: number[] }[]> {
    const probe = this.#probe?.tensors ?? (await this.#probeNow());
    return [...this.#training(), ...probe].map(([name, { shape }]) => ({ name, shape: [...shape] }));
  }

  /** A copy of [from, to) along the first axis; the whole of it where that is left out. Throws UserError('usage'). */
  async read({ name, from, to }: TensorPart): Promise<{ step: number; tensor: FieldTensor }> {
    const held =
      this.#training().get(name) ?? (name.startsWith('probe/') ? (await this.#probeNow()).get(name) : undefined);
    if (!held)
      throw new UserError('usage', `this run holds no tensor ${JSON.stringify(name)} now`, 'List what it holds.');
    const [rows = 1, ...rest] = held.shape;
    const [first, end] = [from ?? 0, to ?? rows];
    if (first > end || end > rows) {
      throw new UserError('usage', `${name} has ${rows} along its first axis, not ${first} to ${end}`);
    }
    const each = sizeOf(rest);
    if ((end - first) * each > mostNumbers) {
      const message = `${name}: ${(end - first) * each} numbers are more than the ${mostNumbers} sent at once`;
      throw new UserError('usage', message, 'Ask for parts along the first axis (from, to).');
    }
    const numbers = await held.read();
    const shape = held.shape.length > 0 ? [end - first, ...rest] : [];
    const data = Float32Array.from(numbers.subarray(first * each, end * each));
    return { step: held.step, tensor: { name, shape, data } };
  }

  #training(): ReadonlyMap<string, Held> {
    const { step, tensors } = this.#session.trainer.held;
    return new Map(
      [...tensors].map(([name, value]) => {
        const read = isDeviceTensor(value) ? () => value.read() : () => value.data;
        return [`training/${name}`, { step, shape: value.shape, read }] as const;
      }),
    );
  }

  async #probeNow(): Promise<ReadonlyMap<string, Held>> {
    const { trainer, readProbe } = this.#session;
    if (!readProbe) return new Map();
    const { step } = trainer;
    if (this.#probe?.step !== step) {
      const { tensors } = await readProbe(step);
      const entries = tensors.map(
        ({ name, shape, data }) => [`probe/${name}`, { step, shape, read: () => data }] as const,
      );
      this.#probe = { step, tensors: new Map(entries) };
    }
    return this.#probe.tensors;
  }
}
