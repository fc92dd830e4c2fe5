/** Holds two recordings of an iteration against each other. */
import assert from 'node:assert/strict';
import type { Recording } from './recording-engine.ts';

/**
 * Every output by name, to `tolerance` of its largest number. What is recorded must be an iteration: every stage is there
 * and no output is all zeros.
 */
export function assertAgree(actual: Recording, expected: Recording, tolerance: number): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  const stages = new Set([...expected.keys()].map((key) => key.split('.')[0]));
  for (const stage of ['generator', 'generator update', 'fake score', 'fake update', 'generate']) {
    assert.ok(stages.has(stage), `no program '${stage}' among ${[...stages].join(', ')}`);
  }
  for (const [name, wanted] of expected) {
    const found = actual.get(name)!;
    assert.equal(found.length, wanted.length, name);
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(largest > 0 && Number.isFinite(largest), `${name} is nothing but ${largest}`);
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]) || 0), 0);
    assert.ok(found.every(Number.isFinite), `${name} is not finite`);
    assert.ok(worst <= tolerance * largest, `${name}: off by ${worst} where the largest number is ${largest}`);
  }
}
