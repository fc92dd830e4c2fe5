import assert from 'node:assert/strict';

/** Every number within `tolerance` of the largest that is wanted. */
export function near(actual: Float32Array, wanted: Float32Array, what: string, tolerance: number): void {
  assert.equal(actual.length, wanted.length, what);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = wanted.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0);
  assert.ok(error <= tolerance * largest, `${what}: off by ${error}, the largest is ${largest}`);
}
