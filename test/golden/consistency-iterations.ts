/** Iterations of consistency distillation held against recorded ones. */
import assert from 'node:assert/strict';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import type { Trainer } from '../../backend/training/trainer.ts';
import { near } from './near.ts';

/** Losses, gradient norms, and what teacher, generator and target make. @param at a recorded tensor by name */
export async function requireIterations(
  trainer: Trainer,
  iterations: readonly Readonly<Record<string, number>>[],
  at: (name: string) => TensorData,
): Promise<void> {
  for (const [i, wanted] of iterations.entries()) {
    const { scalars } = await trainer.advance();
    for (const name of ['x', 'xNext', 'xTarget']) {
      near(await trainer.tensors[name]!.read(), at(`${name}${i + 1}`).data, `${name} of iteration ${i + 1}`, 1e-4);
    }
    for (const [name, value] of Object.entries(wanted)) {
      const error = Math.abs(scalars[name]! - value);
      assert.ok(error <= 3e-4 * Math.abs(value), `${name} of iteration ${i + 1}: ${scalars[name]}, not ${value}`);
    }
  }
}
