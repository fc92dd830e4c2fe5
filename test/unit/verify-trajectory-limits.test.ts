/** The key rows of qkv.bias may wander as far as rounding noise can push AdamW; nothing else may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Case, readCaseJson } from '../../backend/cli/verify/case.ts';
import type { NumberArray } from '../../backend/cli/verify/compare.ts';
import { configSchema } from '../../backend/cli/verify/trajectory-config.ts';
import { compareTrajectory } from '../../backend/cli/verify/trajectory-limits.ts';

const folder = fileURLToPath(new URL('../golden/cases/dmd-trajectory', import.meta.url));
const theCase = await Case.open(folder, await readCaseJson(folder));
const config = configSchema.parse(theCase.json.config);
const bias = 'final_gen:model.enc.4x4_block0.qkv.bias';
const recorded = (theCase.json.iterations as Record<string, number>[]).map((iteration) => ({ ...iteration }));

/** The comparisons when everything is as recorded but for one number of `name`. */
function changed(name: string, index: number, by: number, iterations = recorded) {
  const arrays = new Map<string, NumberArray>(theCase.expected.map(({ name: key, array }) => [key, array]));
  const { shape, data } = theCase.array(name);
  const own = Float32Array.from(data);
  own[index] += by;
  arrays.set(name, { shape, data: own });
  return compareTrajectory(theCase, config, arrays, iterations).further;
}

const ok = (further: ReturnType<typeof changed>, name: string) => further.find((one) => one.name === name)!.ok;

test('key rows have the way AdamW can walk, the rows beside them the usual tolerance', () => {
  const walked = 2 * config.optimizer.lr * config.iterations;
  assert.ok(ok(changed(bias, 4, 0.9 * walked), bias));
  assert.ok(!ok(changed(bias, 4, 1.1 * walked), bias));
  assert.ok(!ok(changed(bias, 3, 0.9 * walked), bias));
  assert.ok(!ok(changed(bias, 5, 6e-4), bias));
  assert.ok(ok(changed(bias, 5, 4e-4), bias));
  assert.ok(!ok(changed(bias, 4, Number.NaN), bias));
});

test("every iteration's scalars count, and a loss that is exactly 0 must be exactly 0", () => {
  const altered = recorded.map((iteration) => ({ ...iteration }));
  altered[0].loss_dm = 1e-30;
  altered[7].gnorm_f *= 1.001;
  const bad = changed(bias, 0, 0, altered).filter((one) => !one.ok);
  assert.deepEqual(
    bad.map(({ name }) => name),
    ['iteration 1: loss_dm', 'iteration 8: gnorm_f'],
  );
  assert.equal(changed(bias, 0, 0, recorded.slice(0, 9)).filter((one) => !one.ok).length, 6);
});
