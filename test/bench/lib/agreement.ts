/** Both sides must compute the same iteration before their times are compared. */

import { type ParameterLayout, unpackParameters } from '../../../backend/graph/parameters.ts';
import type { Scalars } from '../../../backend/training/trainer.ts';
import type { StoredTensor } from '../../../backend/weights/stored-tensor.ts';
import type { Saved } from '../../unit/training/saved.ts';

const tolerance = 1e-4;
/** Share of the weights whose step may differ: AdamW's first step is the gradient's sign, and rounding decides it at zero. */
const illConditioned = 0.005;

/**
 * After the first iteration: losses, gradient norms and each network's gradient (the first moment) agree to 1e-4 of their
 * size, and the weights to a hundredth of one step. Throws with everything that differs, else says how well they agree.
 */
export function checkAgreement(
  scalars: Scalars,
  state: Saved,
  layout: ParameterLayout,
  reference: ReadonlyMap<string, StoredTensor>,
  learningRate: number,
): string {
  const found: { what: string; error: number; limit: number }[] = [];
  for (const what of ['lossMatching', 'lossRegression', 'lossFake', 'normGenerator', 'normFake']) {
    const theirs = Number(reference.get(what)!.data[0]);
    found.push({ what, error: Math.abs(scalars[what] - theirs) / Math.abs(theirs), limit: tolerance });
  }
  for (const part of ['generator', 'fake']) {
    const ours = (name: string) => unpackParameters(layout, state.get(part)!.get(name)!.data);
    let [difference, size, apart] = [0, 0, 0];
    for (const [name, { data }] of ours('firstMoment')) {
      const theirs = reference.get(`${part}.firstMoment.${name}`)!.data as Float32Array;
      difference += data.reduce((sum, value, i) => sum + (value - theirs[i]) ** 2, 0);
      size += theirs.reduce((sum, value) => sum + value ** 2, 0);
    }
    for (const [name, { data }] of ours('parameters')) {
      const theirs = reference.get(`${part}.${name}`)!.data as Float32Array;
      apart += data.filter((value, i) => !(Math.abs(value - theirs[i]) <= 0.01 * learningRate)).length;
    }
    found.push({ what: `${part} gradient`, error: Math.sqrt(difference / size), limit: tolerance });
    found.push({ what: `${part} weights apart`, error: apart / layout.size, limit: illConditioned });
  }
  const text = found.map(({ what, error }) => `${what} ${error.toExponential(1)}`).join(', ');
  if (found.some(({ error, limit }) => !(error <= limit))) throw new Error(`the two iterations differ: ${text}`);
  return text;
}
