/** Parameter gradients of an iteration that somebody will look at; all others are freed at once. */
import type { DeviceTensor } from '../engine/engine.ts';
import { disposeAll } from './trainer.ts';

/** Whether the gradients of the iteration with number `step` are kept until the next one. */
export type KeepsGradients = (step: number) => boolean;

export class KeptGradients {
  private readonly wanted: KeepsGradients;
  private readonly kept = new Map<string, DeviceTensor>();

  constructor(wanted: KeepsGradients = () => false) {
    this.wanted = wanted;
  }

  /** Takes over a network's gradient [trained size], before clipping, in place of an earlier one. */
  take(network: string, gradient: DeviceTensor, step: number): void {
    this.kept.get(network)?.dispose();
    this.kept.delete(network);
    if (this.wanted(step)) this.kept.set(network, gradient);
    else gradient.dispose();
  }

  /** Frees all. */
  clear(): void {
    disposeAll(this.kept.values());
    this.kept.clear();
  }

  /** The numbers by network. */
  async read(): Promise<Map<string, Float32Array>> {
    const numbers = new Map<string, Float32Array>();
    for (const [network, gradient] of this.kept) numbers.set(network, await gradient.read());
    return numbers;
  }
}
